"""Rosenbaum's bounds: R, brute force over ordered averages, and the worst selection drawn."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from evaluate.effects.sensitivity.rosenbaum import (
    amplified,
    hodges_lehmann,
    largest_gamma,
    largest_gamma_binary,
    mcnemar,
    signed_rank,
)

from .reference import pairs, table

RTOL = 1e-9
RTOL_SEARCH = 1e-8  # R searches for the largest gamma
WANT = table("sensitivity")
GAMMA = np.array([1, 1.3, 2])
OUTCOMES = ("earn", "work", "earn0")


def of(case, what):
    return np.array([WANT[case, f"{y} {what}"] for y in OUTCOMES])


def test_signed_rank():
    got = signed_rank(pairs(), GAMMA)
    for i, g in enumerate(GAMMA):
        assert_allclose(got.upper[i], of("signed rank", f"{g:g} upper"), rtol=RTOL)
        assert_allclose(got.lower[i], of("signed rank", f"{g:g} lower"), rtol=RTOL)
    assert_allclose(got.upper[0], of("signed rank", "wilcox.test"), rtol=RTOL)
    assert_allclose(largest_gamma(pairs()), of("signed rank", "largest"), rtol=RTOL_SEARCH)


def test_mcnemar():
    d = np.column_stack([pairs()[:, 1], pairs()[:, 1]])
    d[::3, 1] = 1
    got = mcnemar(d, GAMMA)
    for k, name in enumerate(("work", "more")):
        for i, g in enumerate(GAMMA):
            assert_allclose(got.upper[i, k], WANT["mcnemar", f"{name} {g:g} upper"], rtol=RTOL)
            if g > 1:  # R has it at 1 / g; at 1 the two are one
                assert_allclose(got.lower[i, k], WANT["mcnemar", f"{name} {g:g} lower"], rtol=RTOL)
        largest = largest_gamma_binary(d)[k]
        assert_allclose(largest, WANT["mcnemar", f"{name} largest"], rtol=RTOL_SEARCH)


@pytest.mark.parametrize("side", ["least", "most", "low", "high"])
def test_hodges_lehmann(side):
    got = getattr(hodges_lehmann(pairs(), GAMMA), side)
    for i, g in enumerate(GAMMA):
        assert_allclose(got[i], of("hodges lehmann", f"{g:g} {side}"), rtol=RTOL, atol=1e-12)


@given(seed=st.integers(0, 10**6), n=st.integers(3, 30), ties=st.booleans())
def test_ordered_averages_by_brute_force(seed, n, ties):
    d = np.random.default_rng(seed).normal(size=(n, 1))
    d = d.round(0 if ties else 9)
    walsh = np.sort((d + d.T)[np.triu_indices(n)] / 2)
    got = hodges_lehmann(d, np.array([1.0, 3.0]))
    assert_allclose(got.least[0], np.median(walsh), rtol=1e-12, atol=1e-12)
    assert_allclose(got.most[0], np.median(walsh), rtol=1e-12, atol=1e-12)
    quarter = len(walsh) / 4
    picks = [int(np.ceil(quarter)) - 1, int(np.floor(quarter))]
    assert_allclose(got.least[1], walsh[picks].mean(), rtol=1e-12, atol=1e-12)
    assert_allclose(got.most[1], walsh[::-1][picks].mean(), rtol=1e-12, atol=1e-12)


@given(seed=st.integers(0, 10**6), scale=st.floats(0.01, 100))
@settings(max_examples=25)
def test_order_scale_and_sign(seed, scale):
    rng = np.random.default_rng(seed)
    d = rng.normal(0.3, 1, size=(40, 2))
    base, other = signed_rank(d, GAMMA), signed_rank(-scale * rng.permutation(d), GAMMA)
    assert_allclose(other.upper, base.upper, rtol=1e-9)
    assert (other.direction == -base.direction).all()
    a, b = hodges_lehmann(d, GAMMA), hodges_lehmann(-scale * d, GAMMA)
    assert_allclose(b.low, -scale * a.high, rtol=1e-9, atol=1e-9)
    assert_allclose(b.least, -scale * a.most, rtol=1e-9, atol=1e-9)
    alone = signed_rank(d[:, 1:], GAMMA)
    assert_allclose(alone.upper[:, 0], base.upper[:, 1], rtol=1e-12)


def test_more_selection_bounds_less():
    got, range_of = signed_rank(pairs(), GAMMA), hodges_lehmann(pairs(), GAMMA)
    assert (np.diff(got.upper, axis=0) > 0).all()
    assert (np.diff(got.lower, axis=0) < 0).all()
    assert (np.diff(range_of.low, axis=0) <= 0).all()
    assert (np.diff(range_of.high, axis=0) >= 0).all()
    assert (range_of.low <= range_of.least).all()
    assert (range_of.most <= range_of.high).all()


def test_at_the_largest_gamma_p_is_at_the_limit():
    d = np.random.default_rng(1).normal(0.6, 1, size=(150, 3))
    gamma = largest_gamma(d)
    assert (gamma > 1.5).all()
    for i in range(3):
        assert_allclose(signed_rank(d[:, [i]], gamma[[i]]).upper, 0.025, rtol=1e-9)
    assert_allclose(largest_gamma(-d), gamma)


def test_no_finding_no_room():
    nothing = np.zeros((20, 1))
    assert largest_gamma(nothing) == largest_gamma_binary(nothing) == 1
    assert signed_rank(nothing, GAMMA).upper[0] == 1
    assert mcnemar(nothing, GAMMA).upper[0] == 1
    few = hodges_lehmann(np.array([[1.0], [2.0]]), np.array([1.0]))
    assert np.isneginf(few.low).all()
    assert np.isposinf(few.high).all()
    assert few.least == few.most == 1.5


def test_amplification():
    """Rosenbaum and Silber (2009): 1.5 is odds of treatment twofold, of outcome fourfold."""
    assert_allclose(amplified(np.array([1.5]), 2.0), 4)
    assert_allclose(amplified(np.array([2.5]), 4.0), 6)
    assert np.isinf(amplified(np.array([2.0]), 2.0))


def test_the_worst_selection_is_found_significant_no_more_often_than_it_may():
    """Truth: no effect, and the treated one is the larger with odds gamma in each pair."""
    rng, gamma = np.random.default_rng(7), 2.0
    larger = rng.random((80, 2000)) < gamma / (1 + gamma)
    d = np.abs(rng.normal(size=(80, 2000))) * np.where(larger, 1, -1)
    got = signed_rank(d, np.array([1.0, gamma]))
    assert (got.upper[0] < 0.025).mean() > 0.5  # as if there were an effect
    assert abs((got.upper[1] < 0.025).mean() - 0.025) < 0.0105  # 3 sd
    assert abs((largest_gamma(d) > gamma).mean() - 0.025) < 0.0105
    covered = hodges_lehmann(d[:, :400], np.array([gamma]))
    assert ((covered.low < 0) & (covered.high > 0)).mean() > 0.95
