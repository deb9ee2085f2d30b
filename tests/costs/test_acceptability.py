"""Net benefit and choices: by hand, in closed form, and properties."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy import stats

from evaluate.costs.acceptability import acceptability, net_benefit, quadrants

DRAWS = 200_000
number = st.floats(-100, 100).map(lambda x: round(x, 3))


def test_net_benefit_is_the_effect_at_its_worth_less_the_cost():
    effect, cost = np.array([0.1, 0.2]), np.array([1_000.0, 500.0])
    found = net_benefit(effect, cost, np.array([0.0, 10_000.0]))
    assert_allclose(found, [[-1_000, -500], [0, 1_500]])


def test_four_draws_of_two_arms_by_hand():
    """Control is best in one draw, arm 1 in one, arm 2 in two; on average arm 2."""
    drawn = np.array([[[-1.0, -2.0], [4.0, 1.0], [0.0, 3.0], [1.0, 6.0]]])
    found = acceptability(drawn, np.array([[1.0, 2.0]]))
    assert_allclose(found.probability, [[0.25, 0.25, 0.5]])
    assert found.best.tolist() == [2]
    assert_allclose(found.perfect_information, [(0 + 4 + 3 + 6) / 4 - 2])


def test_what_costs_and_does_nothing_is_not_preferred_to_control():
    found = acceptability(np.zeros((1, 5, 1)), np.zeros((1, 1)))
    assert_allclose(found.probability, [[1, 0]])
    assert found.best.tolist() == [0]


def test_normal_net_benefit_has_its_probability_and_unit_normal_loss():
    """Against closed forms: Phi(m / s), and s times the unit normal loss of |m| / s."""
    m, s = np.array([-0.5, 0.0, 0.3, 2.0]), 1.5
    drawn = (m + s * np.random.default_rng(1).standard_normal((DRAWS, 1))).T[..., None]
    found = acceptability(drawn, m[:, None])
    z = np.abs(m) / s
    loss = s * (stats.norm.pdf(z) - z * stats.norm.sf(z))
    assert_allclose(found.probability[:, 1], stats.norm.cdf(m / s), atol=5 * 0.5 / np.sqrt(DRAWS))
    assert_allclose(found.perfect_information, loss, atol=5 * s / np.sqrt(DRAWS))
    assert found.best.tolist() == [0, 0, 1, 1]


@given(st.lists(st.tuples(number, number), min_size=1, max_size=30), st.floats(0, 1e4))
def test_probabilities_sum_to_one_and_information_is_never_worth_less_than_nothing(draws, worth):
    drawn = np.array(draws)[None]
    found = acceptability(drawn, drawn.mean(axis=1))
    assert_allclose(found.probability.sum(axis=1), 1)
    assert (found.perfect_information >= 0).all()
    effect, cost = np.array(draws).T
    assert_allclose(sum(quadrants(effect, cost).values()), 1)
    better = (net_benefit(effect, cost, np.array([worth])) > 0).mean()
    one = acceptability(net_benefit(effect, cost, np.array([worth]))[..., None], np.zeros((1, 1)))
    assert_allclose(one.probability[0, 1], better)


def test_quadrants_by_hand():
    effect, cost = np.array([1, 1, -1, -1, 1]), np.array([1, -1, 1, -1, 2])
    assert quadrants(effect, cost) == {"ne": 0.4, "nw": 0.2, "se": 0.2, "sw": 0.2}
