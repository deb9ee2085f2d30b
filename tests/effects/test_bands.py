"""Simultaneous bands: between the t interval and Šidák's, and as wide as they must be."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from evaluate.effects.bands import band, critical_value
from evaluate.estimates import Estimates

MONTE_CARLO = 0.004  # four standard errors of the probability that 65,536 draws give


def estimates(covariance, df=30.0, value=None):
    """Return estimates with a covariance, from as many units as there are estimates."""
    k = len(covariance)
    scores = np.linalg.cholesky(np.asarray(covariance) + 1e-14 * np.eye(k)).T
    return Estimates(np.zeros(k) if value is None else value, scores, np.full(k, df))


def rng():
    return np.random.default_rng(1)


@pytest.mark.parametrize("df", [4, 30, 1e6])
@pytest.mark.parametrize("rho", [0.0, 0.5, 0.9, -0.3])
@pytest.mark.parametrize("k", [2, 3])
def test_a_band_holds_with_the_probability_that_scipy_gives(df, rho, k):
    correlation = np.full((k, k), rho) + (1 - rho) * np.eye(k)
    c = critical_value(estimates(correlation, df), 0.95, rng())
    t = stats.multivariate_t(np.zeros(k), correlation, df=df, seed=2)
    assert t.cdf(np.full(k, c), lower_limit=np.full(k, -c), maxpts=200_000) == pytest.approx(
        0.95, abs=MONTE_CARLO
    )


@given(df=st.floats(2, 500), level=st.floats(0.6, 0.99), size=st.floats(1e-6, 1e6))
def test_one_month_has_its_t_interval(df, level, size):
    one = estimates([[size]], df, value=np.array([2.0]))
    c = critical_value(one, level, rng())
    assert np.allclose(band(one, c), one.interval(level))


@settings(max_examples=20)
@given(seed=st.integers(0, 10**6), k=st.integers(2, 8), df=st.floats(3, 200))
def test_lies_between_t_and_sidak_whatever_the_correlation(seed, k, df):
    scores = np.random.default_rng(seed).normal(size=(50, k)) ** 3
    some = Estimates(np.zeros(k), scores, np.linspace(df, df + 50, k))
    c = critical_value(some, 0.95, rng())
    assert stats.t.ppf(0.975, df) <= c <= stats.t.ppf((1 + 0.95 ** (1 / k)) / 2, df)


@given(by=st.lists(st.floats(0.01, 100), min_size=4, max_size=4))
def test_units_of_the_outcome_do_not_matter(by):
    scores = np.random.default_rng(3).normal(size=(40, 4))
    some = Estimates(np.zeros(4), scores, np.full(4, 20.0))
    other = Estimates(np.zeros(4), scores * by, np.full(4, 20.0))
    found, again = (critical_value(e, 0.95, rng(), draws=4_000) for e in (some, other))
    assert found == pytest.approx(again, rel=1e-9)


def test_months_that_move_as_one_need_no_wider_band():
    scores = np.outer(np.random.default_rng(4).normal(size=60), [1, 2, 3, 4])
    alike = Estimates(np.zeros(4), scores, np.full(4, 25.0))
    assert critical_value(alike, 0.95, rng()) == pytest.approx(stats.t.ppf(0.975, 25), rel=0.01)


def test_independent_months_in_a_large_trial_have_sidak_s_band():
    c = critical_value(estimates(np.eye(12), 1e6), 0.95, rng())
    assert c == pytest.approx(stats.norm.ppf((1 + 0.95 ** (1 / 12)) / 2), abs=0.02)


def test_months_without_an_error_are_left_out():
    scores = np.random.default_rng(5).normal(size=(40, 3)) * [1, 0, 1]
    some = Estimates(np.zeros(3), scores, np.full(3, 20.0))
    c = critical_value(some, 0.95, rng())
    assert c == critical_value(some.pick([0, 2]), 0.95, rng())
    assert np.isnan(critical_value(some.pick([1]), 0.95, rng()))


def test_the_same_draws_give_the_same_band():
    some = estimates(np.eye(5))
    assert critical_value(some, 0.95, rng()) == critical_value(some, 0.95, rng())
