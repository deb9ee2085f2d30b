"""Overlap: Crump's bounds as by brute force, what is lost, and what weights are worth."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy.optimize import brentq

from evaluate.covariates import Covariates
from evaluate.design.overlap import (
    common_support,
    crump_alpha,
    effective_sizes,
    histogram,
    inverse_weights,
    lost,
    moved_population,
    trim,
)
from evaluate.design.propensity_models import fit_logit
from evaluate.errors import DesignError

RTOL = 1e-8  # of alpha: R's fitted scores differ in the last digits
REFERENCE = Path(__file__).parents[1] / "reference"
ORACLE = pd.read_csv(REFERENCE / "propensity.csv").set_index(["case", "term"])["value"]
TRIAL = pd.read_csv(REFERENCE / "trial.csv")
TREATED = (TRIAL["arm"] > 0).to_numpy()
SEEDS = st.integers(0, 2**32 - 1)
draws = settings(max_examples=25, deadline=None)


def score_of_trial():
    """Return the score of the script: three times a logit's linear predictor, and 0.3."""
    x = TRIAL[["age", "educ", "earn0"]].assign(female=TRIAL["sex"] == "F").to_numpy(dtype=float)
    sites = np.equal.outer(TRIAL["site"].to_numpy(), np.arange(2, 7))
    x = np.column_stack([(x - x.mean(axis=0)) / x.std(axis=0), sites])
    fit = fit_logit(np.column_stack([np.ones(len(x)), x]), TREATED, np.ones(len(x)))
    return 1 / (1 + np.exp(-0.3 - 3 * fit.design @ fit.coefficient))


def drawn(seed, n=300, spread=2.0):
    rng = np.random.default_rng(seed)
    score = 1 / (1 + np.exp(-spread * rng.normal(size=n)))
    women = rng.random(n) < 0.4
    groups = {"all": np.ones(n, dtype=bool), "women": women, "men": ~women}
    return score, rng.random(n) < score, groups, rng.uniform(0.5, 3, n)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("estimand", ["ate", "att"])
def test_crumps_bounds_are_those_of_brute_force_in_r(estimand, weighted):
    score = score_of_trial()
    weight = TRIAL["w"].to_numpy() if weighted else None
    want = ORACLE[f"crump {estimand} weighted" if weighted else f"crump {estimand}"]
    assert_allclose(crump_alpha(score, TREATED, estimand, weight), want["alpha"], rtol=RTOL)
    keep = trim(score, TREATED, "crump", estimand, weight).keep
    assert (keep if estimand == "ate" else keep & TREATED).sum() == want["kept"]


@given(seed=SEEDS)
@draws
def test_the_bound_solves_crumps_equation_and_the_mirrored_scores(seed):
    score, treated, _, _ = drawn(seed)
    for estimand in ("ate", "att"):
        alpha = crump_alpha(score, treated, estimand)
        who = np.ones(len(score), dtype=bool) if estimand == "ate" else treated
        cost = (1 / (score * (1 - score)) if estimand == "ate" else 1 / (1 - score))[who]
        size = 1 / (alpha * (1 - alpha)) if estimand == "ate" else 1 / alpha
        assert_allclose(size, 2 * cost[cost <= size].mean(), rtol=1e-9)
    assert_allclose(crump_alpha(1 - score, ~treated, "ate"), crump_alpha(score, treated, "ate"))


def test_bounds_of_uniform_scores_are_the_known_ones():
    score = (np.arange(400_000) + 0.5) / 400_000
    treated = np.random.default_rng(1).random(400_000) < score
    ate = brentq(lambda a: 1 / (a * (1 - a)) - 4 * np.log((1 - a) / a) / (1 - 2 * a), 0.01, 0.4)
    att = brentq(lambda a: 1 / a - 4 * (a - 1 - np.log(a)) / (1 - a) ** 2, 0.01, 0.4)
    assert_allclose(crump_alpha(score, treated, "ate"), ate, atol=1e-4)
    assert_allclose(crump_alpha(score, treated, "att"), att, atol=0.002)  # of the treated drawn


@given(seed=SEEDS)
@draws
def test_weights_are_copies_and_order_does_not_matter(seed):
    score, treated, _, _ = drawn(seed)
    rng = np.random.default_rng(seed)
    times, order = rng.integers(1, 4, 300), rng.permutation(300)
    for estimand in ("ate", "att"):
        got = crump_alpha(score, treated, estimand, times.astype(float))
        copied = crump_alpha(np.repeat(score, times), np.repeat(treated, times), estimand)
        assert_allclose(got, copied, rtol=1e-9)
        shuffled = crump_alpha(score[order], treated[order], estimand, times[order].astype(float))
        assert_allclose(got, shuffled, rtol=1e-9)


def test_nobody_is_trimmed_where_overlap_is_good():
    score, treated, _, _ = drawn(1, spread=0.3)
    for rule in ("none", "crump"):
        for estimand in ("att", "ate"):
            found = trim(score, treated, rule, estimand)
            assert found.keep.all()
            assert (found.low, found.high) == (0, 1)


def test_bounds_given_hold_their_ends_and_att_keeps_the_low():
    score = np.array([0.05, 0.1, 0.5, 0.9, 0.95, 0.999])
    treated = np.array([False, True, False, True, True, False])
    found = trim(score, treated, (0.1, 0.9))
    assert found.keep.tolist() == [False, True, True, True, False, False]
    att = trim(np.r_[score, np.full(20, 0.3)], np.r_[treated, np.ones(20, dtype=bool)], "crump")
    assert att.low == 0
    assert att.keep[0]
    assert not att.keep[5]


def test_scores_of_zero_and_one_are_trimmed_and_never_weighted():
    score, treated, _, _ = drawn(2)
    score[:2], treated[:2] = [0, 1], [False, True]
    assert not trim(score, treated, "crump", "ate").keep[:2].any()
    assert not trim(score, treated, "crump", "att").keep[1]
    score[0] = 1
    with pytest.raises(DesignError, match="is 0 for 1 of 300 persons"):
        inverse_weights(score, treated, "att")
    keep = np.arange(300) > 0
    assert inverse_weights(score, treated, "att", keep=keep)[0] == 0


@given(seed=SEEDS)
@draws
def test_inverse_weights_balance_numbers_in_expectation(seed):
    score, treated, _, weight = drawn(seed, n=50_000, spread=0.7)
    att = inverse_weights(score, treated, "att", weight)
    ate = inverse_weights(score, treated, "ate", weight)
    assert_allclose(att[treated], weight[treated])
    assert_allclose(att[~treated].sum(), weight[treated].sum(), rtol=0.05)
    for arm in (treated, ~treated):
        assert_allclose(ate[arm].sum(), weight.sum(), rtol=0.05)


def test_who_is_lost_is_counted_by_arm_and_gender():
    score, treated, groups, _ = drawn(3)
    low, high = common_support(score, treated)
    inside = (score >= low) & (score <= high)
    keep = trim(score, treated, "crump", "ate").keep
    table = lost(keep, treated, groups, inside).set_index(["group", "arm"])
    assert (table["n"] == table["kept"] + table["lost"]).all()
    assert table.loc["all", "n"].sum() == 300
    women = groups["women"] & treated
    assert table.loc[("women", "treated"), "lost"] == (women & ~keep).sum() > 0
    assert table.loc["all", "outside"].sum() == (~inside).sum() > 0
    parts = table.loc[["women", "men"], "lost"].groupby("arm").sum()
    assert parts.equals(table.loc["all", "lost"].sort_index())
    assert score[treated].max() == high or score[~treated].max() == high


@pytest.mark.parametrize("estimand", ["att", "ate"])
def test_how_the_population_moves(estimand):
    score, treated, groups, weight = drawn(4)
    x = np.column_stack([score, np.where(np.arange(300) % 4, 2.0, np.nan), 5 * score + 2])
    covariates = Covariates(x, ("a", "b", "c"), ("a", "b", "c"))
    keep = score < 0.7
    table = moved_population(covariates, keep, treated, groups, estimand, weight)
    table = table.set_index(["group", "covariate"])
    rows = groups["women"] & (treated if estimand == "att" else True)
    before = np.average(score[rows], weights=weight[rows])
    after = np.average(score[rows & keep], weights=weight[rows & keep])
    got = table.loc[("women", "a")]
    assert_allclose([got["mean_before"], got["mean_after"]], [before, after])
    sd = np.sqrt(np.average((score[rows] - before) ** 2, weights=weight[rows]))
    assert_allclose(got["difference"], (after - before) / sd)
    assert_allclose(table.loc[("women", "c"), "difference"], got["difference"])
    assert np.isnan(table.loc[("all", "b"), "difference"])
    assert table.loc[("all", "b"), "mean_after"] == 2


@given(seed=SEEDS, unit=st.floats(0.01, 100))
@draws
def test_effective_sizes(seed, unit):
    _, treated, groups, weight = drawn(seed)
    equal = effective_sizes(np.full(300, unit), treated, groups)
    assert_allclose(equal["effective"], equal["n"])
    got = effective_sizes(unit * weight, treated, groups)
    assert_allclose(got["effective"], effective_sizes(weight, treated, groups)["effective"])
    assert (got["effective"] <= got["n"]).all()
    here = groups["men"] & ~treated
    variance = np.var(weight[here]) / weight[here].mean() ** 2  # Kish's design effect less one
    men = got.set_index(["group", "arm"]).loc[("men", "control")]
    assert_allclose(men["effective"], here.sum() / (1 + variance))
    assert_allclose(men["largest"], weight[here].max() / weight[here].sum())


def test_the_histogram_counts_everybody_once():
    score, treated, groups, _ = drawn(5)
    score[:3] = [0, 1, 0.15]
    table = histogram(score, treated, groups)
    assert len(table) == 3 * 2 * 20
    sums = table.groupby(["group", "arm"])["n"].sum()
    assert sums["all"].sum() == 300
    assert sums[("women", "treated")] == (groups["women"] & treated).sum()
    cell = table[(table["group"] == "all") & (table["low"] == 0.15)]
    assert cell["n"].sum() == ((score >= 0.15) & (score < 0.2)).sum()
    last = table[(table["group"] == "all") & (table["high"] == 1)]
    assert last["n"].sum() == (score >= 0.95).sum()


def test_errors_tell_what_is_wrong_without_values():
    treated = np.arange(10) < 4
    apart = np.where(treated, 0.9, 0.1)
    with pytest.raises(DesignError, match="the 4 treated and 6 compared persons share no range"):
        common_support(apart, treated)
    with pytest.raises(DesignError, match="leaves an arm empty: 0 of 4 treated and 6 of 6"):
        trim(apart, treated, (0.05, 0.5))
    with pytest.raises(DesignError, match="one arm is empty"):
        common_support(apart, np.zeros(10, dtype=bool))
    with pytest.raises(DesignError, match="every probability of treatment is 0 or 1"):
        trim(treated.astype(float), treated, "crump", "ate")
