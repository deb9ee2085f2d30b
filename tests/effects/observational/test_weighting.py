"""Inverse-probability weighting: R's stacked equations, what must hold, errors, truth."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from evaluate.effects.adjustment import difference_in_means
from evaluate.effects.observational.weighting import effective_size, ipw
from evaluate.errors import DesignError

from .selection import REFERENCE, attended, drawn, expit, fitted_logit, truth

RTOL = 1e-8  # numDeriv takes derivatives of the equations by differences
ORACLE = pd.read_csv(REFERENCE / "weighting.csv").set_index(["case", "term"])
ESTIMANDS = ("att", "ate")
SEEDS = st.integers(0, 2**32 - 1)
draws = settings(max_examples=15, derandomize=True, deadline=None)
each_estimand = pytest.mark.parametrize("estimand", ESTIMANDS)
TRIALS = 400
SLACK = 4 * np.sqrt(0.95 * 0.05 / TRIALS)  # 4 sd of Binomial(TRIALS, 0.95) / TRIALS


def agree(got, case, outcome):
    want = ORACLE.loc[(case, outcome)]
    assert_allclose(got.value[0], want.estimate, rtol=RTOL)
    assert_allclose(got.std_error[0], want.std_error, rtol=RTOL)
    assert got.df[0] == want.df


def fitted(seed, estimand, n=150, weight=None, outcomes=1, **options):
    """Draw persons and weight them by a logit."""
    y, treated, x = drawn(np.random.default_rng(seed), n, outcomes=outcomes)
    design, p = fitted_logit(treated, x, weight)
    found = ipw(y, treated, p, estimand, weight, design, **options)
    return y, treated, design, p, found


@each_estimand
@pytest.mark.parametrize("clip", [(0.0, 1.0), (0.4, 0.6)], ids=["free", "clipped"])
@pytest.mark.parametrize("weighted", [False, True], ids=["plain", "weighted"])
@pytest.mark.parametrize("outcome", ["work", "earn"])
def test_agrees_with_stacked_equations_in_r(outcome, weighted, clip, estimand):
    y, treated, x, w = attended(outcome)
    w = w if weighted else None
    design, p = fitted_logit(treated, x / x.std(axis=0), w)
    case = f"ipw {estimand}" + " weighted" * weighted + " clipped" * (clip[0] > 0)
    got = ipw(y, treated, p, estimand, w, design, clip)
    agree(got.effects, f"{case} stacked", outcome)
    agree(got.fixed, f"{case} HC1", outcome)
    agree(ipw(y, treated, p, estimand, w, None, clip).effects, f"{case} known", outcome)


@each_estimand
def test_a_score_is_what_a_persons_weight_moves_also_by_the_logit(estimand):
    y, treated, x = drawn(np.random.default_rng(4), 80)
    design, p = fitted_logit(treated, x)
    got = ipw(y, treated, p, estimand, logit=design).effects
    for person in range(6):
        ends = []
        for step in (1e-5, -1e-5):
            w = np.ones(80)
            w[person] += step
            moved = fitted_logit(treated, x, w)[1]
            ends.append(ipw(y, treated, moved, estimand, w, design).effects.value[0])
        assert_allclose(got.scores[person, 0], (ends[0] - ends[1]) / 2e-5, rtol=1e-5, atol=1e-9)


@each_estimand
@given(seed=SEEDS)
@draws
def test_outcomes_do_not_know_of_each_other_and_persons_have_no_order(estimand, seed):
    y, treated, design, p, both = fitted(seed, estimand, outcomes=3)
    one = ipw(y[:, 1:2], treated, p, estimand, logit=design).effects
    assert_allclose(both.effects.scores[:, 1:2], one.scores, rtol=1e-9, atol=1e-12)
    order = np.random.default_rng(seed).permutation(len(y))
    again = ipw(y[order], treated[order], p[order], estimand, logit=design[order]).effects
    assert_allclose(again.value, both.effects.value, rtol=1e-9, atol=1e-12)
    assert_allclose(again.scores, both.effects.scores[order], rtol=1e-7, atol=1e-10)


@each_estimand
@given(seed=SEEDS, scale=st.floats(0.01, 100), shift=st.floats(-100, 100))
@draws
def test_units_of_outcomes_and_of_the_logits_columns(estimand, seed, scale, shift):
    y, treated, design, p, base = fitted(seed, estimand)
    other = design * [1, scale, -1 / scale]
    got = ipw(scale * y + shift, treated, p, estimand, logit=other).effects
    assert_allclose(got.value, scale * base.effects.value, rtol=1e-7, atol=1e-9 + 1e-11 * shift)
    assert_allclose(got.std_error, scale * base.effects.std_error, rtol=1e-6)


@each_estimand
@given(seed=SEEDS)
@draws
def test_a_weight_of_two_is_a_person_twice(estimand, seed):
    rng = np.random.default_rng(seed)
    copies = rng.integers(1, 4, 150)
    y, treated, design, p, got = fitted(seed, estimand, weight=copies.astype(float))
    twice = [np.repeat(a, copies, axis=0) for a in (y, treated, p, design)]
    want = ipw(*twice[:3], estimand, logit=twice[3])
    assert_allclose(got.effects.value, want.effects.value, rtol=1e-9, atol=1e-12)
    summed = np.add.reduceat(want.effects.scores[:, 0], np.cumsum(copies) - copies)
    assert_allclose(got.effects.scores[:, 0], summed, rtol=1e-6, atol=1e-10)


@each_estimand
def test_without_covariates_it_is_the_difference_in_means(estimand):
    y, treated, _ = drawn(np.random.default_rng(3), 90)
    constant = np.ones((90, 1))
    p = np.full(90, treated.mean())
    got = ipw(y, treated, p, estimand, logit=constant)
    want = difference_in_means(y, treated.astype(int), (1, 0))
    assert_allclose(got.effects.value, want.value, rtol=1e-12)
    assert_allclose(got.effects.std_error, want.std_error, rtol=0.02)  # n, not n - 1, by arm
    assert_allclose(got.effective, (treated.sum(), (~treated).sum()), rtol=1e-12)


@each_estimand
def test_columns_that_explain_each_other_change_nothing(estimand):
    y, treated, design, p, base = fitted(5, estimand)
    double = np.column_stack([design, design[:, 1] - 2 * design[:, 2]])
    got = ipw(y, treated, p, estimand, logit=double).effects
    assert_allclose(got.scores, base.effects.scores, rtol=1e-6, atol=1e-10)


def test_what_was_clipped_is_counted_where_it_moved_a_weight():
    y, treated, design, p, free = fitted(2, "ate", n=400)
    low, high = 0.25, 0.7
    below, above = p < low, p > high
    assert (free.clipped, free.bounds) == ((0, 0), (0, 1))
    got = ipw(y, treated, p, "ate", logit=design, clip=(low, high))
    assert got.clipped == (below.sum(), above.sum())
    assert got.bounds == (low, high)
    assert got.effective[0] > free.effective[0]
    att = ipw(y, treated, p, "att", logit=design, clip=(low, high))
    assert att.clipped == ((below & ~treated).sum(), (above & ~treated).sum())
    assert 0 < att.clipped[0] < got.clipped[0]


def test_effective_sizes_are_kishs_of_the_shares():
    _, treated, _, _, found = fitted(1, "ate")
    for arm, size in zip((treated, ~treated), found.effective, strict=True):
        share = found.share[arm]
        assert_allclose(share.sum(), 1, rtol=1e-12)
        assert_allclose(size, 1 / (share**2).sum(), rtol=1e-12)
        assert size < arm.sum()
    assert effective_size(np.array([3.0, 3.0, 0.0])) == pytest.approx(2)


def test_an_empty_arm_is_an_error():
    y, p = np.zeros((9, 1)), np.full(9, 0.5)
    with pytest.raises(DesignError, match="nobody is treated among 9 persons"):
        ipw(y, np.zeros(9, dtype=bool), p, "att")
    with pytest.raises(DesignError, match="nobody is for comparison among 9 persons"):
        ipw(y, np.ones(9, dtype=bool), p, "ate")


@each_estimand
def test_no_overlap_is_an_error(estimand):
    y, treated, x = drawn(np.random.default_rng(1))
    apart = np.where(treated, 0.8, 0.1) + 0.05 * expit(x[:, 0])
    with pytest.raises(DesignError, match=r"no overlap: every one of the \d+ treated"):
        ipw(y, treated, apart, estimand)


def test_an_infinite_weight_is_an_error_where_it_would_count():
    y, treated, x = drawn(np.random.default_rng(1))
    p = expit(x[:, 0])
    some = np.flatnonzero(~treated)[:3]
    p[some] = 1
    for estimand in ESTIMANDS:
        with pytest.raises(DesignError, match="3 persons would have infinite weight"):
            ipw(y, treated, p, estimand)
    assert ipw(y, treated, p, "att", clip=(0, 0.9)).clipped[1] >= 3
    p[some], p[np.flatnonzero(treated)[:2]] = 0.5, 0
    ipw(y, treated, p, "att")
    with pytest.raises(DesignError, match="2 persons would have infinite weight"):
        ipw(y, treated, p, "ate")
    p[~treated], p[np.flatnonzero(treated)[:2]] = 0, 0
    with pytest.raises(DesignError, match=r"none of the .* comparison persons has a weight"):
        ipw(y, treated, p, "att")


def test_more_columns_than_treated_is_an_error():
    y, treated, _ = drawn(np.random.default_rng(1), 60)
    wide = np.random.default_rng(2).normal(size=(60, int(treated.sum())))
    with pytest.raises(DesignError, match="name fewer covariates"):
        ipw(y, treated, np.full(60, 0.5), "att", logit=wide)


def test_a_propensity_that_is_not_the_logits_is_a_fault():
    y, treated, design, p, _ = fitted(1, "att")
    with pytest.raises(ValueError, match="does not solve the logit's equations"):
        ipw(y, treated, 0.99 * p, "att", logit=design)
    with pytest.raises(ValueError, match="not from 0 to 1"):
        ipw(y, treated, 2 * p, "att")
    with pytest.raises(ValueError, match="bounds of the propensity"):
        ipw(y, treated, p, "att", clip=(0.9, 0.1))


def coverage(estimand, strength, n):
    """Return bias in standard errors of it, and coverage: of stacked, of known, of fixed."""
    found = []
    for sequence in np.random.SeedSequence(8).spawn(TRIALS):
        y, treated, x = drawn(np.random.default_rng(sequence), n, strength)
        design, p = fitted_logit(treated, x)
        one = ipw(y, treated, p, estimand, logit=design)
        known = ipw(y, treated, p, estimand).effects
        wanted = truth(estimand, strength)
        held = [e.covers(wanted, 0.95)[0] for e in (one.effects, known, one.fixed)]
        found.append([one.effects.value[0] - wanted, *held])
    found = np.array(found, dtype=float)
    bias = found[:, 0].mean() / (found[:, 0].std() / np.sqrt(TRIALS))
    return bias, *found[:, 1:].mean(axis=0)


@each_estimand
def test_intervals_hold_where_arms_overlap(estimand):
    bias, stacked, known, fixed = coverage(estimand, 0.7, 800)
    assert abs(bias) < 4
    assert abs(stacked - 0.95) < SLACK
    assert min(known, fixed) > 0.97  # taking the weights as given is too careful


def test_intervals_fail_where_arms_hardly_overlap():
    _, stacked, *_ = coverage("ate", 2.0, 300)
    assert stacked < 0.9  # a few persons carry the weight: see the effective sample size
    _, treated, x = drawn(np.random.default_rng(1), 300, 2.0)
    design, p = fitted_logit(treated, x)
    size = ipw(x, treated, p, "ate", logit=design).effective
    assert size[0] < treated.sum() / 2
