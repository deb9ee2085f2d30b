"""Oaxaca and Blinder on effects: R's numbers, exact sums, no base level, signs, coverage."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from evaluate.covariates import Covariates
from evaluate.heterogeneity import oaxaca_blinder as module
from evaluate.heterogeneity.composition import shared
from evaluate.heterogeneity.oaxaca_blinder import oaxaca_blinder
from heterogeneity.gap_cases import (
    REFERENCE,
    case_of,
    columns_of_values,
    from_trial,
    truth,
    unlike,
)

R_VALUE = 1e-9  # relative to the standard error: lm by QR, here normal equations
R_ERROR = 1e-7  # relative: derivatives by numDeriv
EXACT = 1e-9
TRIALS = 400
SLACK = 4 * np.sqrt(0.95 * 0.05 / TRIALS)  # 4 standard deviations of the share of trials

ORACLE = pd.read_csv(REFERENCE / "gap_decomposition.csv").set_index(["case", "term"])
seeds = st.integers(0, 10_000)
designs = st.fixed_dictionaries(
    {"treated_only": st.booleans(), "weighted": st.booleans(), "clusters": st.sampled_from([0, 30])}
)


def split(case, columns, kind="HC2"):
    return oaxaca_blinder(case, shared(case, columns), kind)


@pytest.mark.parametrize("about", ["all", "treated"])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("clustered", [False, True])
def test_r_gives_the_same(about, weighted, clustered):
    found = split(*from_trial(about, weighted, clustered), kind="HC0")
    words = ["blinder", about, *["weighted"] * weighted, *["clustered"] * clustered]
    expected = ORACLE.loc[" ".join(words)]
    parts = {"gap": found.gap, "same": found.same, "composition": found.composition}
    for term, estimate in (parts | found.by_source).items():
        value, error = expected.loc[term, ["estimate", "std_error"]]
        assert_allclose(estimate.value[0], value, atol=R_VALUE * error, rtol=0, err_msg=term)
        assert_allclose(estimate.std_error[0], error, rtol=R_ERROR, err_msg=term)
    assert set(found.by_source) == {"age", "educ", "earn0"}


@pytest.mark.parametrize("weighted", [False, True])
def test_leverage_is_corrected_as_sandwich_does(weighted):
    case, columns = from_trial("all", weighted, False)
    x = columns.values
    z = (x - np.average(x, axis=0, weights=case.weight)) / x.std(axis=0, ddof=1)
    found = module._projection(case, z, case.groups["women"], "HC2")
    expected = ORACLE.loc["slopes women" + " weighted" * weighted]
    assert_allclose(found.value, expected["estimate"], rtol=1e-8)
    errors = [np.sqrt((found.scores(by) ** 2).sum()) for by in np.eye(len(found.value))]
    assert_allclose(errors, expected["std_error"], rtol=1e-8)


@given(seed=seeds, design=designs)
@settings(max_examples=25, deadline=None)
def test_parts_add_up(seed, design):
    found = split(*unlike(seed, 200, **design))
    assert_allclose(found.same.value + found.composition.value, found.gap.value, atol=EXACT)
    total = sum(part.value for part in found.by_source.values())
    assert_allclose(total, found.composition.value, atol=EXACT)
    scores = sum(part.scores for part in found.by_source.values())
    assert_allclose(scores, found.composition.scores, atol=EXACT)


@given(seed=seeds, design=designs)
@settings(max_examples=15, deadline=None)
def test_scores_of_the_parts_are_those_of_the_gap_without_correction(seed, design):
    found = split(*unlike(seed, 200, **design), kind="HC0")
    scores = found.same.scores + found.composition.scores
    assert_allclose(scores, found.gap.scores, atol=EXACT)


@given(seed=seeds, design=designs, base=st.sampled_from([0, 1, 2]))
@settings(max_examples=15, deadline=None)
def test_neither_base_level_nor_scale_matters(seed, design, base):
    case, columns = unlike(seed, 200, **design)
    z = columns.values
    levels = np.column_stack([1 - z[:, 1] - z[:, 2], z[:, 1], z[:, 2]])
    kept = [i for i in range(3) if i != base]
    other = columns_of_values(np.column_stack([40 + 12 * z[:, 0], levels[:, kept], z[:, 3]]))
    one, two = split(case, columns), split(case, other)
    for name, part in one.by_source.items():
        assert_allclose(part.value, two.by_source[name].value, atol=1e-8)
        assert_allclose(part.std_error, two.by_source[name].std_error, atol=1e-8)
    assert_allclose(one.same.value, two.same.value, atol=1e-8)


@given(seed=seeds, design=designs)
@settings(max_examples=15, deadline=None)
def test_women_called_men_change_the_signs_alone(seed, design):
    case, columns = unlike(seed, 200, **design)
    groups = {**case.groups, "women": case.groups["men"], "men": case.groups["women"]}
    one, two = split(case, columns), split(replace(case, groups=groups), columns)
    pairs = [(one.same, two.same), (one.composition, two.composition)]
    pairs += [(one.by_source[s], two.by_source[s]) for s in one.by_source]
    for a, b in pairs:
        assert_allclose(a.value, -b.value, atol=EXACT)
        assert_allclose(a.std_error, b.std_error, atol=EXACT)
        assert_allclose(a.df, b.df, rtol=EXACT)


@given(seed=seeds)
@settings(max_examples=10, deadline=None)
def test_the_order_of_persons_does_not_matter(seed):
    case, columns = unlike(seed, 200, treated_only=True, weighted=True, clusters=20)
    order = np.random.default_rng(seed).permutation(case.m)
    fields = ("signal", "share", "weight", "treated", "cluster")
    moved = replace(
        case,
        groups={g: m[order] for g, m in case.groups.items()},
        **{f: getattr(case, f)[order] for f in fields},
    )
    one, two = split(case, columns), split(moved, columns_of_values(columns.values[order]))
    assert_allclose(one.same.value, two.same.value, atol=EXACT)
    assert_allclose(one.composition.std_error, two.composition.std_error, atol=EXACT)


def test_effects_that_covariates_explain_leave_nothing_at_the_same_composition():
    rng = np.random.default_rng(3)
    _, columns = unlike(3, 300)
    women = rng.random(300) < 1 / (1 + np.exp(-columns.values[:, 0]))
    signal = columns.values @ [1.0, 2.0, -1.0, 0.5] + 3
    found = split(case_of(signal, women), columns)
    assert_allclose(found.same.value, 0, atol=EXACT)
    assert abs(found.composition.value[0]) > 0.5


def test_persons_without_likes_are_counted_to_what_sets_them_apart():
    case, columns = unlike(4, 300)
    site = np.zeros(300)
    site[np.flatnonzero(case.groups["women"])[:40]] = 1  # a site of women alone
    both = Covariates(
        np.column_stack([columns.values, site]),
        (*columns.names, "site=b"),
        (*columns.sources, "site"),
    )
    found = split(case, both)
    total = sum(part.value for part in found.by_source.values())
    assert_allclose(total + found.same.value, found.gap.value, atol=EXACT)
    rest = site == 0
    sub = split(
        case_of(case.signal[rest], case.groups["women"][rest]),
        columns_of_values(columns.values[rest]),
    )
    assert_allclose(found.same.value, sub.same.value, atol=EXACT)
    assert_allclose(found.by_source["site"].value, found.gap.value - sub.gap.value, atol=EXACT)


@pytest.mark.parametrize("kind", ["composition", "effect", "mixed"])
def test_intervals_hold_the_truth(kind):
    gap, same = truth(kind)
    held = []
    for seed in range(TRIALS):
        found = split(*unlike(seed, 300, kind, weighted=seed % 2 == 1))
        parts = ((found.same, same), (found.composition, gap - same))
        held.append([e.covers(value, 0.95)[0] for e, value in parts])
    assert (np.abs(np.mean(held, axis=0) - 0.95) < SLACK).all(), np.mean(held, axis=0)
