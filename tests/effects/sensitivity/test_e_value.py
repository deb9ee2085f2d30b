"""E-values: published examples, special cases, and the bias they are derived from."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from evaluate.effects.sensitivity.e_value import of_means, of_ratios, of_shares

PRINTED = 0.005  # two decimals


def one(*values):
    return [np.array([v], dtype=float) for v in values]


@pytest.mark.parametrize(
    ("ratio", "low", "high", "estimate", "limit"),
    [
        (3.9, 1.8, 8.7, 7.26, 3.00),  # formula and cancer: VanderWeele and Ding (2017)
        (0.8, 0.71, 0.91, 1.81, 1.43),  # below 1, by hand: 1.25 and 1.0989
        (1.2, 0.9, 1.6, 1.69, 1.00),  # the interval holds 1
        (1.0, 0.9, 1.1, 1.00, 1.00),
    ],
)
def test_ratios(ratio, low, high, estimate, limit):
    got = of_ratios(*one(ratio, low, high))
    assert_allclose(got.estimate, estimate, atol=PRINTED)
    assert_allclose(got.limit, limit, atol=PRINTED)


def test_shares_by_way_of_their_ratio():
    got = of_shares(*one(0.09, 0.03, 0.15, 0.3))
    want = of_ratios(*one(1.3, 1.1, 1.5))
    for field in ("ratio", "estimate", "limit"):
        assert_allclose(getattr(got, field), getattr(want, field), rtol=1e-14)


def test_less_work_has_the_e_value_of_the_inverse_ratio():
    got = of_shares(*one(-0.15, -0.21, -0.06, 0.3))
    assert_allclose(got.estimate, 2 + np.sqrt(2), rtol=1e-14)
    assert_allclose(got.limit, 1.25 + np.sqrt(1.25 * 0.25), rtol=1e-14)


def test_means_by_the_standardised_effect():
    got = of_means(*one(5, 2, 8, 10))
    assert_allclose(got.ratio, np.exp(0.455), rtol=1e-14)
    assert_allclose(got.limit, of_ratios(*one(np.exp(0.182), 1, 2)).estimate, rtol=1e-14)


def test_no_ratio_no_e_value():
    got = of_shares(*one(0.1, 0.05, 0.15, 0.0))
    assert np.isnan(got.estimate).all()
    assert np.isnan(got.limit).all()
    below = of_shares(*one(-0.4, -0.5, -0.1, 0.3))  # a share below zero
    assert np.isnan(below.estimate).all()
    assert np.isnan(below.limit).all()
    assert np.isinf(of_shares(*one(-0.3, -0.5, -0.1, 0.3)).estimate).all()
    assert np.isnan(of_means(*one(1, 0, 2, 0)).estimate).all()


@given(ratio=st.floats(1.001, 50))
def test_a_hidden_cause_that_strong_explains_the_ratio(ratio):
    e = of_ratios(*one(ratio, 1, 99)).estimate
    assert_allclose(e * e / (e + e - 1), ratio, rtol=1e-10)
    assert_allclose(of_ratios(*one(1 / ratio, 0, 1)).estimate, e, rtol=1e-10)
