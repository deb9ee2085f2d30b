"""Intervals of a ratio from draws: in the order of directions, and none where there is none."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from evaluate.costs.ratio import drawn_interval

LEVEL = 0.9


def drawn(effect, cost, spread=0.1, n=5_000):
    rng = np.random.default_rng(1)
    return effect + spread * rng.normal(size=n), cost + 50 * rng.normal(size=n)


@pytest.mark.parametrize("effect", [1.0, -1.0])
@pytest.mark.parametrize("cost", [1_000.0, 0.0, -1_000.0])
def test_where_the_effect_is_far_from_zero_they_are_the_percentiles_of_the_ratio(effect, cost):
    effects, costs = drawn(effect, cost)
    wanted = np.quantile(costs / effects, [0.05, 0.95])
    assert_allclose(drawn_interval(effect, cost, effects, costs, LEVEL), wanted, rtol=5e-3, atol=1)


def test_where_many_draws_have_an_effect_of_the_other_sign_there_is_none():
    effects, costs = drawn(0.1, 1_000.0)
    assert np.isnan(drawn_interval(0.1, 1_000.0, effects, costs, LEVEL)).all()
    assert np.isnan(drawn_interval(0.0, 1_000.0, effects, costs, LEVEL)).all()


def test_a_few_draws_of_the_other_sign_are_put_behind_the_dearest():
    """By their ratio they would be the cheapest of all."""
    effects, costs = np.linspace(0.1, 1, 100), np.full(100, 1_000.0)
    effects[:3] = -0.05
    low, high = drawn_interval(0.5, 1_000.0, effects, costs, LEVEL)
    assert low > 1_000
    assert high > np.quantile(1_000 / effects[3:], 0.93)


def test_a_cost_without_spread_and_no_cost_at_all():
    effects, _ = drawn(1.0, 0.0)
    low, high = drawn_interval(1.0, 100.0, effects, np.full(len(effects), 100.0), LEVEL)
    assert_allclose([low, high], 100 / np.quantile(effects, [0.95, 0.05]), rtol=1e-3)
    assert drawn_interval(1.0, 0.0, effects, np.zeros(len(effects)), LEVEL) == (0, 0)
