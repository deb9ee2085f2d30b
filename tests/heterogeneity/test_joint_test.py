"""The test that effects go along with no covariate: against R, and the truth."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from evaluate.heterogeneity import joint_test, two_regressions
from evaluate.heterogeneity.joint_test import no_differences

from .policy_cases import REFERENCE, persons
from .simulated import estimated, signals

RTOL = 1e-9
PARTS = (
    "signal", "share", "weight", "inverse_weight", "treated", "outcome_residual",
    "treatment_residual",
)  # fmt: skip
TRIALS = 800
SLACK = 4 * np.sqrt(0.05 * 0.95 / TRIALS)  # 4 sd of Binomial(TRIALS, 0.05) / TRIALS


@pytest.mark.parametrize("clustered", [False, True])
@pytest.mark.parametrize("estimand", ["ITT", "ATE", "ATT"])
def test_statistic_and_p_value_are_those_of_r(estimand, clustered):
    """R draws other signs, 3,999 times: p-values may differ by 4 standard errors of 999 draws."""
    table = pd.read_csv(REFERENCE / "joint_test.csv").set_index(["case", "term"])["estimate"]
    expected = table[estimand + (" clusters" if clustered else "")]
    case = persons(estimand, clustered)[0]
    found = no_differences(case, case.x)
    assert found.df == case.x.shape[1]
    assert_allclose(found.statistic, expected["F"], rtol=RTOL)
    p = expected["p"]
    slack = 4 * np.sqrt(p * (1 - p) * (1 / two_regressions.DRAWS + 1 / 3_999))
    assert abs(found.p_value - p) < slack


@given(
    shift=st.floats(-1e4, 1e4), scale=st.floats(1e-3, 1e3), unit=st.floats(1e-3, 1e6),
    seed=st.integers(0, 50),
)  # fmt: skip
def test_units_of_outcome_and_covariates_do_not_matter(shift, scale, unit, seed):
    case = signals(120, seed, p=3)
    moved = case.x.copy()
    moved[:, 0] = shift + scale * moved[:, 0]
    other = replace(case, signal=unit * case.signal, outcome_residual=unit * case.outcome_residual)
    mine, theirs = no_differences(case, case.x), no_differences(other, moved)
    assert_allclose(mine.p_value, theirs.p_value, rtol=1e-5)


@pytest.mark.parametrize("clusters", [0, 30])
def test_a_straight_error_of_the_prediction_changes_nothing(clusters):
    case = signals(300, 4, p=4, share=0.2, clusters=clusters, weighted=True)
    error = case.x @ np.arange(1.0, 5.0) - 3
    other = replace(case, outcome_residual=case.outcome_residual + error)
    one, two = no_differences(case, case.x), no_differences(other, case.x)
    assert_allclose(one.statistic, two.statistic, rtol=1e-8)
    assert_allclose(one.p_value, two.p_value, rtol=1e-8)


@pytest.mark.parametrize(
    ("n", "p", "share", "clusters"),
    [(100, 10, 0.5, 0), (400, 15, 0.1, 0), (120, 3, 0.5, 12), (400, 12, 0.5, 40)],
)
def test_true_equality_is_rejected_as_often_as_the_test_says(n, p, share, clusters):
    """The law of F would reject in 28 and 76 per cent of the first two."""
    p_values = []
    for seed in range(TRIALS):
        case = signals(n, seed, p=p, share=share, clusters=clusters)
        p_values.append(no_differences(case, case.x).p_value)
    assert abs(np.mean(np.array(p_values) < 0.05) - 0.05) < SLACK


@pytest.mark.parametrize("outcome", ["straight", "unrelated", "works"])
def test_estimated_regressions_of_unequal_arms_do_not_make_it_reject(outcome):
    p_values = []
    for seed in range(TRIALS // 2):
        case = estimated(300, 5, 0.2, seed, outcome)
        p_values.append(no_differences(case, case.x).p_value)
    assert np.mean(np.array(p_values) < 0.05) < 0.05 + SLACK


def test_where_units_are_many_the_law_of_f_and_the_draws_agree(monkeypatch):
    cases = [signals(1_500, seed, p=3) for seed in range(20)]
    by_law = np.array([no_differences(c, c.x).p_value for c in cases])
    monkeypatch.setattr(joint_test, "MANY", 1_000)
    drawn = np.array([no_differences(c, c.x).p_value for c in cases])
    assert np.ptp(by_law) > 0.5
    assert np.abs(drawn - by_law).max() < 4 * np.sqrt(0.25 / two_regressions.DRAWS)


def test_it_finds_what_is_there_and_lets_pass_what_is_allowed():
    found, allowed = [], []
    for seed in range(50):
        case = signals(600, seed, lambda x: x[:, -1], p=4)
        found.append(no_differences(case, case.x).p_value)
        men = case.x[:, case.is_man]
        allowed.append(no_differences(case, case.x[:, :-1], allowed=men).p_value)
    assert np.mean(np.array(found) < 0.05) > 0.95
    assert np.mean(np.array(allowed) < 0.05) < 0.2


def test_among_some_is_a_study_of_these():
    case = signals(200, 3, lambda x: x[:, 0], p=3)
    some = case.x[:, 1] > 0
    alone = replace(
        case,
        **{name: getattr(case, name)[some] for name in PARTS},
        x=case.x[some],
    )
    one, two = no_differences(case, case.x, some), no_differences(alone, alone.x)
    assert_allclose(one.p_value, two.p_value, rtol=1e-10)


def test_nothing_left_of_the_outcome_is_not_tested():
    case, flat = signals(200, 1, p=3), np.zeros(200)
    constant = replace(case, y=flat, signal=flat, correction=flat, outcome_residual=flat)
    assert np.isnan(no_differences(constant, case.x).p_value)
    straight = replace(case, outcome_residual=case.x @ np.ones(3))
    assert np.isnan(no_differences(straight, case.x).p_value)


def test_clusters_with_persons_of_both_arms_count_once():
    case = signals(200, 1, p=3)
    cluster = np.random.default_rng(1).permutation(200) % 10
    found = no_differences(replace(case, cluster=cluster, units=10), case.x)
    assert found.df_error == 10 - 2 * 4
    fewer = replace(case, cluster=cluster % 8, units=8)
    assert np.isnan(no_differences(fewer, case.x).p_value)


def test_more_covariates_than_units_are_not_tested():
    case = signals(30, 1, p=4, clusters=4)
    assert np.isnan(no_differences(case, case.x).p_value)
    alone = signals(60, 1, p=2)
    x = np.column_stack([alone.x, np.arange(60) == 0]).astype(float)
    assert np.isnan(no_differences(alone, x).p_value)
