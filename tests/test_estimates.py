"""Arithmetic on values and scores."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy import stats

from evaluate.estimates import Estimates

RTOL = 1e-9  # a few sums of 40 products each
SEEDS = st.integers(0, 2**32 - 1)
draws = settings(max_examples=50, derandomize=True, deadline=None)


def drawn(seed, k=3, n=40):
    rng = np.random.default_rng(seed)
    return Estimates(rng.normal(5, 1, k), rng.normal(0, 0.1, (n, k)), rng.uniform(5, 50, k))


@given(seed=SEEDS)
@draws
def test_scores_give_covariance_variance_and_errors(seed):
    e = drawn(seed)
    assert_allclose(np.diag(e.covariance), e.variance, rtol=RTOL)
    assert_allclose(e.std_error**2, e.variance, rtol=RTOL)
    assert np.linalg.eigvalsh(e.covariance).min() > -1e-12


@given(seed=SEEDS)
@draws
def test_variance_of_a_difference_counts_the_covariance(seed):
    a, b = drawn(seed), drawn(seed + 1)
    got = a - b
    between = np.einsum("ij,ij->j", a.scores, b.scores)
    assert_allclose(got.value, a.value - b.value)
    assert_allclose(got.variance, a.variance + b.variance - 2 * between, rtol=RTOL)


def test_difference_of_separate_persons_adds_variances_with_satterthwaite_df():
    a, b = drawn(1), drawn(2)
    first = np.arange(40) < 20
    a = Estimates(a.value, a.scores * first[:, None], a.df)
    b = Estimates(b.value, b.scores * ~first[:, None], b.df)
    got = a - b
    assert_allclose(got.variance, a.variance + b.variance, rtol=RTOL)
    df = got.std_error**4 / (a.std_error**4 / a.df + b.std_error**4 / b.df)
    assert_allclose(got.df, df, rtol=RTOL)


def test_difference_from_itself_is_nought_without_error():
    e = drawn(3)
    assert_array_equal((e - e).value, 0)
    assert_array_equal((e - e).std_error, 0)


def test_difference_without_variance_keeps_the_smaller_df():
    sure = Estimates(np.ones(1), np.zeros((4, 1)), np.array([7.0]))
    also = Estimates(np.ones(1), np.zeros((4, 1)), np.array([3.0]))
    assert (sure - also).df[0] == 3


@given(seed=SEEDS)
@draws
def test_ratio_is_the_delta_method_by_hand(seed):
    a, b = drawn(seed), drawn(seed + 1)
    got = a.over(b)
    for j in range(3):
        gradient = np.array([1 / b.value[j], -a.value[j] / b.value[j] ** 2])
        pair = np.column_stack([a.scores[:, j], b.scores[:, j]])
        assert_allclose(got.value[j], a.value[j] / b.value[j], rtol=RTOL)
        assert_allclose(got.variance[j], gradient @ (pair.T @ pair) @ gradient, rtol=RTOL)
        assert got.df[j] == min(a.df[j], b.df[j])


def test_ratio_to_itself_is_one_without_error():
    e = drawn(4)
    assert_allclose(e.over(e).value, 1)
    assert_allclose(e.over(e).std_error, 0, atol=1e-15)


def test_ratio_to_nought_is_not_finite_and_does_not_warn(recwarn):
    e = drawn(5)
    none = Estimates(np.zeros(3), np.zeros((40, 3)), e.df)
    assert not np.isfinite(e.over(none).value).any()
    assert not recwarn.list


@given(seed=SEEDS, level=st.floats(0.51, 0.999))
@draws
def test_interval_leaves_out_nought_just_when_p_is_below_one_less_level(seed, level):
    e = drawn(seed)
    e = Estimates((e.value - 5) * 1.5, e.scores, e.df)
    low, high = e.interval(level)
    assert_array_equal((low > 0) | (high < 0), e.p_value < 1 - level)
    assert_array_equal(e.covers(0, level), e.p_value >= 1 - level)


def test_interval_and_p_are_from_t():
    e = Estimates(np.array([2.0]), np.full((4, 1), 0.5), np.array([10.0]))
    assert e.std_error[0] == 1
    low, high = e.interval(0.95)
    assert_allclose([low[0], high[0]], [2 - 2.228139, 2 + 2.228139], atol=1e-6)  # t table
    assert_allclose(e.p_value, 2 * stats.t.sf(2, 10))


def test_detectable_effect_is_found_with_the_power_asked_for():
    e = Estimates(np.zeros(1), np.full((4, 1), 0.5), np.array([1e6]))
    assert_allclose(e.detectable(0.95, 0.8), 1.959964 + 0.841621, atol=1e-4)  # Bloom: 2.8 errors


def test_picked_estimates_keep_their_covariance():
    e = drawn(6)
    got = e.pick([2, 0])
    assert_array_equal(got.value, e.value[[2, 0]])
    assert_allclose(got.covariance, e.covariance[np.ix_([2, 0], [2, 0])])
