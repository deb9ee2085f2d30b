"""The gap at the same composition by reweighting: R's numbers, sums, signs, coverage."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from evaluate.covariates import Covariates
from evaluate.heterogeneity import reweighting as module
from evaluate.heterogeneity.composition import shared
from evaluate.heterogeneity.oaxaca_blinder import oaxaca_blinder
from evaluate.heterogeneity.reweighting import reweighted
from evaluate.notes import note
from heterogeneity.gap_cases import (
    REFERENCE,
    case_of,
    columns_of_values,
    from_trial,
    truth,
    unlike,
)

R_VALUE = 1e-8  # relative to the standard error: multipliers are solved to 1e-12
R_ERROR = 1e-7  # relative: derivatives by numDeriv
EXACT = 1e-8
TRIALS = 400
SLACK = 4 * np.sqrt(0.95 * 0.05 / TRIALS)  # 4 standard deviations of the share of trials

ORACLE = pd.read_csv(REFERENCE / "gap_decomposition.csv").set_index(["case", "term"])
seeds = st.integers(0, 10_000)
designs = st.fixed_dictionaries(
    {"treated_only": st.booleans(), "weighted": st.booleans(), "clusters": st.sampled_from([0, 30])}
)


def split(case, columns, kind="HC2"):
    return reweighted(case, shared(case, columns), kind)


@pytest.mark.parametrize("about", ["all", "treated"])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("clustered", [False, True])
def test_r_gives_the_same(about, weighted, clustered):
    found = split(*from_trial(about, weighted, clustered), kind="HC0")
    words = ["balancing", about, *["weighted"] * weighted, *["clustered"] * clustered]
    expected = ORACLE.loc[" ".join(words)]
    for term in ("gap", "same", "composition"):
        value, error = expected.loc[term, ["estimate", "std_error"]]
        estimate = getattr(found, term)
        assert_allclose(estimate.value[0], value, atol=R_VALUE * error, rtol=0, err_msg=term)
        assert_allclose(estimate.std_error[0], error, rtol=R_ERROR, err_msg=term)


@given(seed=seeds, design=designs)
@settings(max_examples=20, deadline=None)
def test_parts_add_up_and_names_change_the_signs_alone(seed, design):
    case, columns = unlike(seed, 250, **design)
    groups = {**case.groups, "women": case.groups["men"], "men": case.groups["women"]}
    one, two = split(case, columns), split(replace(case, groups=groups), columns)
    assert_allclose(one.same.value + one.composition.value, one.gap.value, atol=EXACT)
    for part in ("same", "composition"):
        a, b = getattr(one, part), getattr(two, part)
        assert_allclose(a.value, -b.value, atol=EXACT)
        assert_allclose(a.std_error, b.std_error, atol=EXACT)


@given(seed=seeds, design=designs, base=st.sampled_from([0, 1, 2]))
@settings(max_examples=15, deadline=None)
def test_neither_base_level_nor_scale_nor_order_matters(seed, design, base):
    case, columns = unlike(seed, 250, **design)
    z = columns.values
    levels = np.column_stack([1 - z[:, 1] - z[:, 2], z[:, 1], z[:, 2]])
    kept = [i for i in range(3) if i != base]
    other = np.column_stack([40 + 12 * z[:, 0], levels[:, kept], z[:, 3]])
    order = np.random.default_rng(seed).permutation(case.m)
    fields = ["signal", "share", "weight", "treated", *["cluster"] * (case.cluster is not None)]
    moved = replace(
        case,
        groups={g: m[order] for g, m in case.groups.items()},
        **{f: getattr(case, f)[order] for f in fields},
    )
    one, two = split(case, columns), split(moved, columns_of_values(other[order]))
    assert_allclose(one.same.value, two.same.value, atol=EXACT)
    assert_allclose(one.same.std_error, two.same.std_error, atol=EXACT)


@given(seed=seeds, treated_only=st.booleans())
@settings(max_examples=15, deadline=None)
def test_effects_linear_in_the_columns_are_told_exactly(seed, treated_only):
    """Weights that balance give the same as the projections where there is no noise."""
    case, columns = unlike(seed, 250)
    slope = np.where(case.groups["women"][:, None], [1, 2, -1, 0.5], [0.3, 1, 0, 1])
    effect = 2 + (columns.values * slope).sum(axis=1)
    share = case.treated.astype(float) if treated_only else np.ones(case.m)
    exact = case_of(effect * share, case.groups["women"], share, treated=case.treated)
    one = split(exact, columns)
    two = oaxaca_blinder(exact, shared(exact, columns))
    assert_allclose(one.same.value, two.same.value, atol=1e-6)


def test_weights_follow_the_covariates_of_comparison_persons():
    """Their weights are the same function of the columns as those of the treated."""
    case, columns = unlike(5, 300, treated_only=True)
    found = shared(case, columns)
    women, men = (case.groups[g] for g in ("women", "men"))
    moved = module._moved(case, found, women, men, "HC0")
    z = np.column_stack([np.ones(int(women.sum())), found.z[women]])
    treated = case.share[women] > 0
    line = np.linalg.lstsq(z[treated], np.log(moved.omega[treated]), rcond=None)[0]
    assert_allclose(np.log(moved.omega), z @ line, atol=1e-7)
    base = (moved.omega * case.share[women]) @ found.z[women]
    base /= moved.omega @ case.share[women]
    of_men = np.average(found.z[men], axis=0, weights=case.share[men])
    assert_allclose(base, of_men, atol=1e-7)


def far_apart(shift):
    rng = np.random.default_rng(6)
    women = np.arange(200) % 2 == 0
    age = rng.normal(size=200) + shift * women
    case = case_of(rng.normal(size=200), women)
    return case, Covariates(age[:, None], ("age",), ("age",))


def test_compositions_too_far_apart_are_refused_and_named():
    found = split(*far_apart(8.0))
    assert found == note("gap_no_weights_women", names="age")


def test_weights_that_few_persons_carry_give_no_interval():
    found = split(*far_apart(2.2))
    assert not found.sure
    assert found.notes == (note("worth_few", n=module.WORTH),)
    nearer = split(*far_apart(1.8))
    assert nearer.sure
    assert nearer.notes[0].startswith("the weights are worth ")
    assert split(*far_apart(0.2)).notes == ()


@pytest.mark.parametrize("kind", ["composition", "effect", "mixed"])
def test_intervals_hold_the_truth(kind):
    gap, same = truth(kind)
    held = []
    for seed in range(TRIALS):
        found = split(*unlike(seed, 300, kind, weighted=seed % 2 == 1))
        parts = ((found.same, same), (found.composition, gap - same))
        held.append([e.covers(value, 0.95)[0] for e, value in parts])
    assert (np.abs(np.mean(held, axis=0) - 0.95) < SLACK).all(), np.mean(held, axis=0)
