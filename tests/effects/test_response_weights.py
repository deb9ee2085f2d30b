"""Weights of response: what they reduce to, what they mend, and what is said of them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from simulate import draw_within

from evaluate.effects.adjustment import difference_in_means
from evaluate.effects.comparison import compare
from evaluate.effects.response_weights import weighted_by_response
from evaluate.errors import DesignError

RTOL = 1e-9
SEEDS = st.integers(0, 2**32 - 1)
draws = settings(max_examples=15, deadline=None)
TRIALS = 400
SLACK = 4 * np.sqrt(0.95 * 0.05 / TRIALS)  # 4 sd of Binomial(TRIALS, 0.95) / TRIALS


def drawn(rng, n=400, effect=1.0):
    """Draw a trial whose outcomes are missing by a covariate that tells them."""
    block = np.arange(n) % 2
    arm = draw_within(rng, block, np.array([0.3, 0.6]))
    x = rng.normal(size=(n, 2))
    y = block + x @ [1.0, 0.5] + effect * arm + rng.normal(size=n)
    chance = 1 / (1 + np.exp(-0.8 - 1.2 * x[:, 0] * (1 - 2 * arm)))
    return y[:, None], arm, block, x, rng.random(n) < chance


@given(seed=SEEDS)
@draws
def test_where_all_are_observed_it_is_the_difference_in_means(seed):
    y, arm, block, x, observed = drawn(np.random.default_rng(seed), n=80)
    got = weighted_by_response(y, np.ones_like(observed), x, compare(arm, (1, 0), block))
    want = difference_in_means(y, arm, (1, 0), block)
    assert_allclose(got.effects.value, want.value, rtol=RTOL)
    assert_allclose(got.effects.scores, want.scores, rtol=RTOL, atol=1e-12)
    assert (got.cut, got.converged) == (0, True)


@given(seed=SEEDS)
@draws
def test_without_covariates_it_is_the_difference_of_those_observed(seed):
    y, arm, _, _, observed = drawn(np.random.default_rng(seed), n=80)
    none = np.empty((80, 0))
    got = weighted_by_response(y, observed, none, compare(arm, (1, 0))).effects
    want = difference_in_means(y[observed], arm[observed], (1, 0))
    assert_allclose(got.value, want.value, rtol=RTOL)
    assert_allclose(got.std_error, want.std_error, rtol=0.03)  # n / (n - 1) of all, not of some


@given(seed=SEEDS, unit=st.floats(0.01, 100))
@draws
def test_units_of_outcomes_and_covariates(seed, unit):
    y, arm, block, x, observed = drawn(np.random.default_rng(seed), n=120)
    sample = compare(arm, (1, 0), block)
    base = weighted_by_response(y, observed, x, sample).effects
    got = weighted_by_response(unit * y, observed, 3 + unit * x, sample).effects
    assert_allclose(got.value, unit * base.value, rtol=1e-6)
    assert_allclose(got.std_error, unit * base.std_error, rtol=1e-6)


def test_a_score_is_what_a_persons_weight_moves_also_by_the_model_of_response():
    y, arm, _, x, observed = drawn(np.random.default_rng(4), n=100)
    z = (x - x.mean(axis=0)) / x.std(axis=0)
    sample = compare(arm, (1, 0))
    for penalty in (0.0, 2.0):
        got = weighted_by_response(y, observed, z, sample, penalty).effects
        for person in (3, 4, int(np.flatnonzero(~observed)[0])):
            ends = []
            for sign in (1, -1):
                w = np.ones(100)
                w[person] += sign * 1e-5
                moved = compare(arm, (1, 0), weight=w)
                ends.append(weighted_by_response(y, observed, z, moved, penalty).effects.value[0])
            slope = (ends[0] - ends[1]) / 2e-5
            want = slope / np.sqrt(1 - sample.share[person])
            assert_allclose(got.scores[person, 0], want, rtol=1e-4, atol=1e-8)


def test_a_covariate_that_tells_who_responds_does_not_break_the_model():
    rng = np.random.default_rng(2)
    y, arm, _, x, observed = drawn(rng)
    x[:, 1] = observed  # tells it apart wholly
    got = weighted_by_response(y, observed, x, compare(arm, (1, 0)))
    assert np.isfinite(got.effects.std_error).all()
    assert got.effects.std_error[0] < 1
    constant = np.column_stack([x[:, :1], np.ones(400)])
    again = weighted_by_response(y, observed, constant, compare(arm, (1, 0)))
    assert np.isfinite(again.effects.value).all()


def test_weights_held_at_the_floor_are_counted():
    rng = np.random.default_rng(6)
    y, arm, _, x, _ = drawn(rng, n=1_000)
    observed = rng.random(1_000) < 1 / (1 + np.exp(2 + 2 * x[:, 0]))
    got = weighted_by_response(y, observed, x, compare(arm, (1, 0)))
    assert 0 < got.cut < observed.sum()
    free = weighted_by_response(y, observed, x, compare(arm, (1, 0)), floor=1e-9)
    assert free.cut == 0
    assert got.effects.std_error[0] < free.effects.std_error[0]


def test_nobody_observed_in_an_arm_is_an_error():
    y, arm, _, x, observed = drawn(np.random.default_rng(1))
    observed[arm == 0] = False
    with pytest.raises(DesignError, match="nobody in one of the arms"):
        weighted_by_response(y, observed, x, compare(arm, (1, 0)))


def test_it_mends_what_is_missing_at_random_and_its_interval_holds():
    found = []
    for sequence in np.random.SeedSequence(8).spawn(TRIALS):
        y, arm, block, x, observed = drawn(np.random.default_rng(sequence))
        sample = compare(arm, (1, 0), block)
        mended = weighted_by_response(y, observed, np.column_stack([x, block]), sample).effects
        naive = difference_in_means(y[observed], arm[observed], (1, 0), block[observed])
        found.append((mended.value[0], mended.covers(1.0, 0.95)[0], naive.value[0]))
    mended, held, naive = np.array(found, dtype=float).T
    assert abs(mended.mean() - 1) < 4 * mended.std() / np.sqrt(TRIALS) + 0.01  # the mild ridge
    assert abs(held.mean() - 0.95) < SLACK
    assert naive.mean() < 0.5
