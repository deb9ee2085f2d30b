"""Adjusted p-values: oracles, brute force, properties, and the rate of false rejections."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.testing import assert_allclose
from scipy import stats
from statsmodels.stats.multitest import multipletests

from evaluate.effects.multiplicity import (
    benjamini_hochberg,
    holm,
    romano_wolf,
    westfall_young,
)
from evaluate.effects.randomisation import Comparison, randomisation_tests
from evaluate.estimates import Estimates

PEERS = {holm: "holm", benjamini_hochberg: "fdr_bh"}
p_values = arrays(float, st.integers(1, 12), elements=st.floats(0, 1) | st.just(0.05))


@pytest.mark.parametrize("adjust", PEERS)
@pytest.mark.parametrize(
    "p", [[0.3], [0.01, 0.04, 0.03, 0.005, 0.9], [0.02, 0.02, 1.0, 0.0], [0.2, 0.01, 0.6, 0.011]]
)
def test_matches_statsmodels(adjust, p):
    assert_allclose(adjust(np.array(p)), multipletests(p, method=PEERS[adjust])[1], rtol=1e-12)


@given(p=p_values)
def test_holm_rejects_what_its_steps_reject(p):
    adjusted = holm(p)
    for level in (0.01, 0.05, 0.3):
        rejected = np.zeros(len(p), dtype=bool)
        for step, i in enumerate(np.argsort(p, kind="stable")):
            if p[i] * (len(p) - step) > level:
                break
            rejected[i] = True
        assert ((adjusted <= level) == rejected).all()


@given(p=p_values)
def test_benjamini_and_hochberg_match_scipy(p):
    assert_allclose(benjamini_hochberg(p), stats.false_discovery_control(p), rtol=1e-12)


@pytest.mark.parametrize("adjust", PEERS)
@given(p=p_values, seed=st.integers(0, 99))
def test_what_was_not_tested_is_outside_the_family(adjust, p, seed):
    rng = np.random.default_rng(seed)
    place = np.sort(rng.permutation(2 * len(p))[: len(p)])
    sparse = np.full(2 * len(p), np.nan)
    sparse[place] = p
    assert_allclose(adjust(sparse)[place], adjust(p))
    assert np.isnan(np.delete(adjust(sparse), place)).all()


@pytest.mark.parametrize("adjust", PEERS)
def test_no_tests_give_no_p_values(adjust):
    assert adjust(np.array([])).shape == (0,)
    assert np.isnan(adjust(np.full(3, np.nan))).all()


def by_definition(actual, drawn, every):
    """Adjust as the algorithm is told: set aside the largest statistic, and the next."""
    left, adjusted, before = list(np.argsort(-actual)), {}, 0.0
    while left:
        largest = [max(row[left]) for row in drawn]
        count = sum(m >= actual[left[0]] for m in largest)
        p = count / len(drawn) if every else (1 + count) / (1 + len(drawn))
        before = adjusted[left[0]] = max(p, before)
        left = left[1:]
    return np.array([adjusted[i] for i in range(len(actual))])


@given(seed=st.integers(0, 9999), k=st.integers(1, 6), every=st.booleans())
@settings(deadline=None)
def test_westfall_and_young_by_definition(seed, k, every):
    rng = np.random.default_rng(seed)
    drawn, actual = np.abs(rng.normal(size=(50, k))), rng.normal(size=k)
    expected = by_definition(np.abs(actual), drawn, every)
    assert_allclose(westfall_young(actual, drawn, every), expected)


@given(seed=st.integers(0, 9999), k=st.integers(1, 6))
@settings(deadline=None)
def test_adjusted_p_values_are_no_smaller_and_keep_the_order(seed, k):
    rng = np.random.default_rng(seed)
    drawn = np.abs(rng.normal(size=(99, k)) + rng.normal(size=(99, 1)))
    actual = np.abs(rng.normal(size=k))
    raw = (1 + (drawn >= actual).sum(axis=0)) / 100
    found = westfall_young(actual, drawn)
    assert (found >= raw).all()
    assert (np.diff(found[np.argsort(-actual)]) >= 0).all()
    if k == 1:
        assert_allclose(found, raw)


def test_westfall_and_young_leave_out_what_was_not_tested():
    rng = np.random.default_rng(1)
    drawn, actual = np.abs(rng.normal(size=(99, 3))), np.array([2.5, np.nan, 1.0])
    drawn[:, 1] = 100
    found = westfall_young(actual, drawn)
    assert_allclose(found[[0, 2]], westfall_young(actual[[0, 2]], drawn[:, [0, 2]]))
    assert np.isnan(found[1])
    assert np.isnan(westfall_young(np.full(3, np.nan), drawn)).all()


def estimates(rng, k, units=200, truth=0.0, shared=0.7):
    """Return means of correlated columns with their scores."""
    y = truth + shared * rng.normal(size=(units, 1)) + rng.normal(size=(units, k))
    mean = y.mean(axis=0)
    scores = (y - mean) / np.sqrt(units * (units - 1))
    return Estimates(mean, scores, np.full(k, units - 1.0))


def test_one_hypothesis_has_its_own_p_value():
    one = estimates(np.random.default_rng(3), 1, truth=0.15)
    found = romano_wolf(one, 20_000, np.random.default_rng(1))
    assert_allclose(found, one.p_value, atol=0.01)


def test_copies_of_a_hypothesis_cost_nothing_and_independent_ones_what_sidak_says():
    one = estimates(np.random.default_rng(3), 1, truth=0.15)
    copies = romano_wolf(one.pick([0] * 8), 20_000, np.random.default_rng(1))
    assert_allclose(copies, one.p_value[0], atol=0.01)
    apart = estimates(np.random.default_rng(4), 8, units=400, truth=0.1, shared=0.0)
    found = romano_wolf(apart, 20_000, np.random.default_rng(1))
    smallest = np.argmin(apart.p_value)
    assert_allclose(found[smallest], 1 - (1 - apart.p_value[smallest]) ** 8, atol=0.015)


@given(seed=st.integers(0, 999), units=st.sampled_from([5, 12, 13, 60]))
@settings(deadline=None, max_examples=25)
def test_romano_and_wolf_are_no_smaller_and_keep_the_order(seed, units):
    one = estimates(np.random.default_rng(seed), 5, units)
    found = romano_wolf(one, 199, np.random.default_rng(1))
    assert (found >= one.p_value).all()
    assert (np.diff(found[np.argsort(-np.abs(one.value / one.std_error))]) >= 0).all()


def test_an_estimate_without_an_error_is_outside_the_family():
    one = estimates(np.random.default_rng(5), 3)
    with_empty = Estimates(
        np.array([*one.value[:2], 1.0, np.nan]),
        np.column_stack([one.scores[:, :2], np.zeros(200), np.zeros(200)]),
        np.full(4, 199.0),
    )
    found = romano_wolf(with_empty, 499, np.random.default_rng(1))
    assert_allclose(found[:2], romano_wolf(one.pick([0, 1]), 499, np.random.default_rng(1)))
    assert np.isnan(found[2:]).all()


def test_one_seed_gives_one_result():
    one = estimates(np.random.default_rng(6), 4)
    found = [romano_wolf(one, 499, np.random.default_rng(7)) for _ in range(2)]
    assert found[0].tolist() == found[1].tolist()


def false_rejections(adjust, trials=400):
    """Return how often any of six true hypotheses is rejected beside two false ones."""
    return np.mean([(adjust(np.random.default_rng(s))[2:] <= 0.05).any() for s in range(trials)])


def drawn_family(rng):
    n = 60
    arm = rng.permutation(np.arange(n) % 2)
    y = rng.normal(size=(n, 1)) + rng.normal(size=(n, 8))
    y[:, :2] += 3 * arm[:, None]
    comparison = Comparison(y, np.ones(n, dtype=bool), keep=True)
    found = randomisation_tests([comparison], arm, (1, 0), 199, rng)[0]
    return westfall_young(found.statistic, found.drawn)


def scored_family(rng):
    truth = np.r_[1.0, 1.0, np.zeros(6)]
    return romano_wolf(estimates(rng, 8, 60, truth), 199, rng)


@pytest.mark.parametrize("family", [drawn_family, scored_family])
def test_any_false_rejection_is_as_rare_as_it_should_be(family):
    rate = false_rejections(family)
    error = np.sqrt(0.05 * 0.95 / 400)
    assert rate < 0.05 + 3 * error
    assert rate > 0.015
    found = np.array([family(np.random.default_rng(s))[:2] for s in range(20)])
    assert (found <= 0.05).mean() > 0.9


def test_few_units_have_the_tails_of_t():
    def family(rng):
        return romano_wolf(estimates(rng, 4, units=10), 199, rng)

    rate = np.mean([(family(np.random.default_rng(s)) <= 0.05).any() for s in range(600)])
    assert rate < 0.05 + 3 * np.sqrt(0.05 * 0.95 / 600)


def test_degrees_of_freedom_may_differ():
    one = estimates(np.random.default_rng(8), 2, truth=0.2, shared=0.0)
    one = Estimates(one.value, one.scores, np.array([4.0, 199.0]))
    found = romano_wolf(one, 20_000, np.random.default_rng(1))
    order = np.argsort(one.p_value)
    assert (np.diff(found[order]) >= 0).all()
    assert_allclose(found[order[1]], one.p_value[order[1]], atol=0.015)
    assert found[order[0]] <= 2 * one.p_value[order[0]] + 0.01


def test_a_statistic_too_far_for_a_p_value_is_rejected():
    far = estimates(np.random.default_rng(9), 2)
    far = Estimates(far.value + np.array([1e6, 0.0]), far.scores, far.df)
    found = romano_wolf(far, 199, np.random.default_rng(1))
    assert found[0] <= 1 / 200
