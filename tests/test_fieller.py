"""Fieller's set: against the test that it inverts, and over simulated trials."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy import stats

from evaluate.fieller import fieller

T = 1.96
TRIALS = 2_000
LEVEL = 0.95
SLACK = 4 * np.sqrt(LEVEL * (1 - LEVEL) / TRIALS)  # 4 sd of Binomial(TRIALS, LEVEL) / TRIALS
NEAR = 1e-6  # of the way to the critical value: too near an end to say on which side

value = st.floats(-10, 10).map(lambda x: round(x, 3))
spread = st.floats(0.05, 5).map(lambda x: round(x, 3))
correlation = st.floats(-0.95, 0.95).map(lambda x: round(x, 3))


def covariance(s_a, s_b, r):
    return np.array([[s_a**2, r * s_a * s_b], [r * s_a * s_b, s_b**2]])


def holds(found, ratio):
    """Tell whether a set holds a ratio."""
    if found.kind == "interval":
        return found.low <= ratio <= found.high
    if found.kind == "unbounded":
        return ratio <= found.low or ratio >= found.high
    return True


def rejected(a, b, v, ratio):
    """Test that ``a - ratio * b`` is zero: the size of its t beside the critical value."""
    variance = v[0, 0] - 2 * ratio * v[0, 1] + ratio**2 * v[1, 1]
    return abs(a - ratio * b) / np.sqrt(variance) / T


@given(a=value, b=value, s_a=spread, s_b=spread, r=correlation)
def test_the_set_holds_the_ratios_that_the_test_does_not_reject(a, b, s_a, s_b, r):
    v = covariance(s_a, s_b, r)
    found = fieller(a, b, v, T)
    for ratio in [*np.tan(np.linspace(-1.57, 1.57, 201)), -1e6, 1e6]:
        size = rejected(a, b, v, ratio)
        if abs(size - 1) > NEAR:
            assert holds(found, ratio) == (size < 1), (ratio, size, found)


@given(a=value, b=value, s_a=spread, s_b=spread, r=correlation)
def test_the_set_is_bounded_exactly_when_the_denominator_differs_from_zero(a, b, s_a, s_b, r):
    size = abs(b) / s_b / T
    assume(abs(size - 1) > NEAR)
    assert (fieller(a, b, covariance(s_a, s_b, r), T).kind == "interval") == (size > 1)


def test_sets_are_those_of_an_inversion_by_search_in_r():
    """tests/reference/fieller.R: sign changes of the test on a grid, without the closed form."""
    cases = pd.read_csv(Path(__file__).parent / "reference" / "fieller.csv")
    assert set(cases["kind"]) == {"interval", "unbounded", "whole line"}
    for case in cases.itertuples():
        found = fieller(case.a, case.b, covariance(case.sa, case.sb, case.r), case.q)
        assert found.kind == case.kind
        assert_allclose([found.low, found.high], [case.low, case.high], rtol=1e-8)


@given(a=value, b=value, s_a=spread, s_b=spread, r=correlation, unit=st.sampled_from([1e-6, 1e6]))
def test_a_unit_of_cost_or_outcome_scales_the_ends(a, b, s_a, s_b, r, unit):
    assume(abs(abs(b) / s_b / T - 1) > 0.01)
    one = fieller(a, b, covariance(s_a, s_b, r), T)
    dear = fieller(a * unit, b, covariance(s_a * unit, s_b, r), T)
    often = fieller(a, b * unit, covariance(s_a, s_b * unit, r), T)
    assert one.kind == dear.kind == often.kind
    ends = np.array([one.low, one.high])
    assert_allclose([dear.low, dear.high], ends * unit, rtol=1e-6, atol=1e-9 * unit)
    assert_allclose([often.low, often.high], ends / unit, rtol=1e-6, atol=1e-9 / unit)


@given(a=value, b=value, s_a=spread, s_b=spread, r=correlation)
def test_a_bounded_set_holds_the_ratio_and_swapped_signs_mirror_it(a, b, s_a, s_b, r):
    assume(abs(abs(b) / s_b / T - 1) > 0.01)
    v = covariance(s_a, s_b, r)
    found = fieller(a, b, v, T)
    if b:
        assert found.kind != "interval" or found.low <= a / b <= found.high
    mirrored = fieller(-a, b, v * [[1, -1], [-1, 1]], T)
    assert mirrored.kind == found.kind
    assert_allclose([-mirrored.high, -mirrored.low], [found.low, found.high], rtol=1e-9)


def test_the_three_kinds_by_hand():
    # Without covariance, t = 2: a = b^2 - 4, c = a^2 - 4, ends (ab -+ root(a^2b^2 - ac)) / a.
    v = np.eye(2)
    bounded = fieller(4, 4, v, 2)
    assert bounded.kind == "interval"
    assert_allclose([bounded.low, bounded.high], (16 + np.array([-1, 1]) * np.sqrt(112)) / 12)
    unbounded = fieller(4, 1, v, 2)
    assert unbounded.kind == "unbounded"
    assert_allclose(
        [unbounded.low, unbounded.high], (4 + np.array([1, -1]) * np.sqrt(52)) / -3, rtol=1e-12
    )
    assert fieller(0.1, 0.1, v, 2).kind == "whole line"


def test_a_cost_that_is_known_has_the_ends_of_the_effect():
    found = fieller(1000.0, 0.1, np.diag([0.0, 0.02**2]), T)
    assert_allclose([found.low, found.high], [1000 / (0.1 + T * 0.02), 1000 / (0.1 - T * 0.02)])


def trials(effect, n=60, seed=1):
    """Simulate costs and outcomes at once: differences in means, covariances, Welch's df."""
    rng = np.random.default_rng(seed)
    shape = (TRIALS, n)
    cost = [rng.normal(mean, 40, shape) for mean in (100, 40)]
    noise = [rng.normal(size=shape) for _ in cost]
    out = [effect + 0.01 * cost[0] + noise[0], 0.01 * cost[1] + noise[1]]
    difference = [x[0].mean(axis=1) - x[1].mean(axis=1) for x in (cost, out)]
    parts = []
    for c, o in zip(cost, out, strict=True):
        c, o = (x - x.mean(axis=1, keepdims=True) for x in (c, o))
        moments = [(c * c).sum(axis=1), (c * o).sum(axis=1), (o * o).sum(axis=1)]
        parts.append(np.array(moments) / (n * (n - 1)))
    v = parts[0] + parts[1]
    df = v[2] ** 2 / (parts[0][2] ** 2 + parts[1][2] ** 2) * (n - 1)
    true_effect = effect + 0.01 * 60
    return difference, v, df, 60 / true_effect if true_effect else np.inf


@pytest.mark.parametrize("effect", [-0.6, -0.5, -0.3, 0.4], ids="none tiny small clear".split())
def test_the_set_covers_the_true_cost_of_one_more_unit(effect):
    (cost, out), v, df, truth = trials(effect)
    quantiles = stats.t.ppf((1 + LEVEL) / 2, df)
    sets = [
        fieller(cost[i], out[i], np.array([[v[0, i], v[1, i]], [v[1, i], v[2, i]]]), quantiles[i])
        for i in range(TRIALS)
    ]
    covered = np.mean([holds(found, truth) for found in sets])
    if np.isinf(truth):  # no effect: an unbounded set is the right answer
        covered = np.mean([found.kind != "interval" for found in sets])
    assert abs(covered - LEVEL) < SLACK
