"""Regression without a lottery: sandwich and stacked equations in R, published values, truth."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from evaluate.effects.adjustment import difference_in_means, lin
from evaluate.effects.linear import Errors
from evaluate.effects.observational.regression import (
    interacted_regression,
    regression_coefficient,
)
from evaluate.errors import DesignError

from .selection import (
    PUBLISHED,
    REFERENCE,
    attended,
    columns,
    drawn,
    trained_and_surveyed,
    truth,
)

RTOL = 1e-8  # numDeriv takes derivatives of the equations by differences
ORACLE = pd.read_csv(REFERENCE / "weighting.csv").set_index(["case", "term"])
SEEDS = st.integers(0, 2**32 - 1)
KINDS = ("HC0", "HC1", "HC2", "HC3")
draws = settings(max_examples=15, derandomize=True, deadline=None)
each_estimand = pytest.mark.parametrize("estimand", ["att", "ate"])
TRIALS = 400
SLACK = 4 * np.sqrt(0.95 * 0.05 / TRIALS)  # 4 sd of Binomial(TRIALS, 0.95) / TRIALS


def agree(got, case, outcome):
    want = ORACLE.loc[(case, outcome)]
    assert_allclose(got.value[0], want.estimate, rtol=RTOL)
    assert_allclose(got.std_error[0], want.std_error, rtol=RTOL)
    assert got.df[0] == want.df


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("weighted", [False, True], ids=["plain", "weighted"])
@pytest.mark.parametrize("outcome", ["work", "earn"])
def test_agrees_with_sandwich(outcome, weighted, kind):
    y, treated, x, w = attended(outcome)
    w, word = (w, " weighted") if weighted else (None, "")
    got = regression_coefficient(y, treated, x, w, kind)
    agree(got, f"regression{word} {kind}", outcome)
    for estimand in ("att", "ate"):
        got = interacted_regression(y, treated, x, estimand, w, kind, centre="fixed")
        agree(got, f"interacted {estimand}{word} fixed {kind}", outcome)


@each_estimand
@pytest.mark.parametrize("weighted", [False, True], ids=["plain", "weighted"])
@pytest.mark.parametrize("outcome", ["work", "earn"])
def test_the_centres_own_error_agrees_with_stacked_equations_in_r(outcome, weighted, estimand):
    y, treated, x, w = attended(outcome)
    w, word = (w, " weighted") if weighted else (None, "")
    got = interacted_regression(y, treated, x, estimand, w, "HC0")
    agree(got, f"interacted {estimand}{word} stacked", outcome)


def test_trained_men_against_the_survey_as_published():
    d, treated = trained_and_surveyed()
    assert (treated.sum(), (~treated).sum()) == (185, 15_992)
    raw = difference_in_means(columns(d, ["re78"]), treated.astype(int), (1, 0))
    assert round(raw.value[0], 2) == -8497.52
    found = regression_coefficient(columns(d, ["re78"]), treated, columns(d, PUBLISHED))
    assert round(found.value[0], 2) == 1066.38
    assert round(found.std_error[0], 2) == 626.85  # HC1
    before = [c for c in PUBLISHED if c not in ("re75", "u75")]
    placebo = regression_coefficient(columns(d, ["re75"]), treated, columns(d, before))
    assert round(placebo.value[0], 2) == -1134.82
    assert round(placebo.std_error[0], 2) == 272.44


@each_estimand
@given(seed=SEEDS)
@draws
def test_outcomes_do_not_know_of_each_other_and_persons_have_no_order(estimand, seed):
    rng = np.random.default_rng(seed)
    y, treated, x = drawn(rng, 120, outcomes=3)
    order = rng.permutation(120)
    for fit in (
        lambda y, z, x: regression_coefficient(y, z, x, kind="HC3"),
        lambda y, z, x: interacted_regression(y, z, x, estimand, kind="HC3"),
    ):
        both, one = fit(y, treated, x), fit(y[:, 1:2], treated, x)
        assert_allclose(both.scores[:, 1:2], one.scores, rtol=1e-9, atol=1e-12)
        again = fit(y[order], treated[order], x[order])
        assert_allclose(again.value, both.value, rtol=1e-9, atol=1e-12)
        assert_allclose(again.scores, both.scores[order], rtol=1e-7, atol=1e-10)


@each_estimand
@given(seed=SEEDS, scale=st.floats(0.01, 100), shift=st.floats(-100, 100))
@draws
def test_units_of_outcomes_and_covariates(estimand, seed, scale, shift):
    y, treated, x = drawn(np.random.default_rng(seed), 120)
    double = np.column_stack([shift + x * [scale, -1 / scale], x[:, 0] - 2 * x[:, 1]])
    for fit in (
        regression_coefficient,
        lambda y, z, x: interacted_regression(y, z, x, estimand),
    ):
        base, got = fit(y, treated, x), fit(scale * y + shift, treated, double)
        assert_allclose(got.value, scale * base.value, rtol=1e-7, atol=1e-9)
        assert_allclose(got.std_error, scale * base.std_error, rtol=1e-7)


@each_estimand
@given(seed=SEEDS)
@draws
def test_a_weight_of_two_is_a_person_twice(estimand, seed):
    rng = np.random.default_rng(seed)
    y, treated, x = drawn(rng, 120)
    copies = rng.integers(1, 4, 120)
    twice = [np.repeat(a, copies, axis=0) for a in (y, treated, x)]
    for fit in (
        lambda y, z, x, w=None: regression_coefficient(y, z, x, w, "HC0"),
        lambda y, z, x, w=None: interacted_regression(y, z, x, estimand, w, "HC0"),
    ):
        got, want = fit(y, treated, x, copies.astype(float)), fit(*twice)
        assert_allclose(got.value, want.value, rtol=1e-9, atol=1e-12)
        summed = np.add.reduceat(want.scores[:, 0], np.cumsum(copies) - copies)
        assert_allclose(got.scores[:, 0], summed, rtol=1e-7, atol=1e-10)


@each_estimand
def test_a_score_is_what_a_persons_weight_moves(estimand):
    y, treated, x = drawn(np.random.default_rng(4), 60)
    got = interacted_regression(y, treated, x, estimand, kind="HC0")
    for person in range(6):
        ends = []
        for step in (1e-5, -1e-5):
            w = np.ones(60)
            w[person] += step
            ends.append(interacted_regression(y, treated, x, estimand, w).value[0])
        assert_allclose(got.scores[person, 0], (ends[0] - ends[1]) / 2e-5, rtol=1e-5, atol=1e-9)


@pytest.mark.parametrize("kind", ["HC1", "HC2", "CR1"])
def test_with_a_fixed_centre_the_ate_is_lins(kind):
    y, treated, x = drawn(np.random.default_rng(4), 200, outcomes=2)
    errors = Errors(kind, np.arange(200) // 5, 40)
    ((want,),) = lin(y, treated.astype(int), x, [(1, 0)], errors=errors)
    got = interacted_regression(y, treated, x, "ate", errors=errors, centre="fixed")
    assert_allclose(got.value, want.value, rtol=1e-9)
    assert_allclose(got.scores, want.scores, rtol=1e-7, atol=1e-12)
    assert_allclose(got.df, want.df)


@each_estimand
def test_by_cluster_scores_of_persons_are_added_up(estimand):
    y, treated, x = drawn(np.random.default_rng(4), 200)
    cluster = np.arange(200) // 5
    alone = interacted_regression(y, treated, x, estimand, kind="HC0")
    got = interacted_regression(y, treated, x, estimand, errors=Errors("CR0", cluster, 40))
    want = np.bincount(cluster, alone.scores[:, 0])
    assert_allclose(got.scores[:, 0], want, rtol=1e-9, atol=1e-14)


def test_an_empty_arm_or_too_many_covariates_is_an_error():
    y, treated, x = drawn(np.random.default_rng(1), 60)
    wide = np.random.default_rng(2).normal(size=(60, int(treated.sum())))
    with pytest.raises(DesignError, match="nobody is treated among 60 persons"):
        regression_coefficient(y, treated & False, x)
    with pytest.raises(DesignError, match="nobody is for comparison among 60 persons"):
        interacted_regression(y, treated | True, x, "att")
    for fit in (regression_coefficient, lambda *a: interacted_regression(*a, "att")):
        with pytest.raises(DesignError, match="name fewer covariates"):
            fit(y, treated, wide)


def test_covariates_that_tell_treatment_are_an_error():
    y, treated, x = drawn(np.random.default_rng(1), 60)
    telling = np.column_stack([x, 2.0 * treated + x[:, 0]])
    with pytest.raises(DesignError, match="no overlap: the covariates together tell"):
        regression_coefficient(y, treated, telling)


def test_a_slope_that_an_arm_cannot_tell_is_an_error_where_it_is_needed():
    y, treated, x = drawn(np.random.default_rng(1), 120)
    odd = np.arange(120) % 2
    only_treated = np.column_stack([x, treated * odd])
    for estimand in ("att", "ate"):
        with pytest.raises(DesignError, match=r"comparison persons local does not vary"):
            interacted_regression(y, treated, only_treated, estimand, names=["a", "b", "local"])
    only_controls = np.column_stack([x, ~treated * odd])
    with pytest.raises(DesignError, match=r"treated column 3 does not vary"):
        interacted_regression(y, treated, only_controls, "ate")
    got = interacted_regression(y, treated, only_controls, "att", kind="HC0")
    assert got.df[0] == 120 - 7
    design = np.column_stack([np.ones(120), only_controls])
    slopes = np.linalg.lstsq(design[~treated], y[~treated], rcond=None)[0]
    want = (y - design @ slopes)[treated].mean()
    assert_allclose(got.value[0], want, rtol=1e-9)


def coverage(estimand, strength):
    """Return coverage by HC2: with the centre's own error, and with the centre fixed."""
    held = []
    for sequence in np.random.SeedSequence(8).spawn(TRIALS):
        y, treated, x = drawn(np.random.default_rng(sequence), 300, strength)
        held.append(
            [
                interacted_regression(y, treated, x, estimand, kind="HC2", centre=centre).covers(
                    truth(estimand, strength), 0.95
                )[0]
                for centre in ("estimated", "fixed")
            ]
        )
    return np.mean(held, axis=0)


@each_estimand
@pytest.mark.parametrize("strength", [0.7, 2.0], ids=["good overlap", "poor overlap"])
def test_intervals_hold_where_the_outcomes_are_linear(estimand, strength):
    estimated, fixed = coverage(estimand, strength)
    assert abs(estimated - 0.95) < SLACK
    assert fixed <= estimated


def test_it_fails_where_a_confounder_is_missing():
    held = []
    for sequence in np.random.SeedSequence(8).spawn(50):
        y, treated, x = drawn(np.random.default_rng(sequence), 600, 2.0)
        found = interacted_regression(y, treated, x[:, :1], "att")
        held.append(found.covers(truth("att", 2.0), 0.95)[0])
    assert np.mean(held) < 0.5
