"""AUTOC and Qini: their definition and the half-sample bootstrap in R, ties, weights, shares."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from evaluate.heterogeneity.rank_weighted import KINDS, rank_weighted

REFERENCE = Path(__file__).parents[1] / "reference"
GRID = 2e-5  # the reference integrates on 400,000 points
BOOTSTRAP = 0.06  # relative: 4,000 half-samples have 1 per cent of chance, linearising some more
EXACT = 1e-9


def persons(seed=1, n=60, levels=0, about=1.0):
    """Draw predictions, highest first, with signals, shares and weights."""
    rng = np.random.default_rng(seed)
    effect = -np.sort(-(rng.integers(levels, size=n) if levels else rng.normal(size=n)))
    share = (rng.random(n) < about).astype(float)
    return effect.astype(float), rng.normal(size=n), share, rng.uniform(0.5, 2, n)


def reference_case(case):
    data = pd.read_csv(REFERENCE / "rate_persons.csv")
    data = data.sort_values("effect", ascending=False, kind="stable")
    share = data["share"] if case == "treated" else np.ones(len(data))
    weight = np.ones(len(data)) if case == "plain" else data["weight"]
    return [np.array(v, dtype=float) for v in (data["effect"], data["signal"], share, weight)]


@pytest.mark.parametrize("case", ["plain", "weighted", "treated"])
@pytest.mark.parametrize("kind", KINDS)
def test_definition_and_half_sample_bootstrap_in_r(case, kind):
    table = pd.read_csv(REFERENCE / "rate.csv").set_index(["case", "term"])
    found = rank_weighted(kind, *reference_case(case))
    expected = table.loc[(case, kind)]
    assert_allclose(found.value, expected["estimate"], atol=GRID)
    error = np.sqrt((found.scores**2).sum())
    assert_allclose(error, expected["std_error"], rtol=BOOTSTRAP)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("levels", "about"), [(0, 1.0), (6, 1.0), (0, 0.5), (6, 0.5)])
def test_scores_are_derivatives_by_the_logarithm_of_each_weight(kind, levels, about):
    effect, signal, share, weight = persons(levels=levels, about=about)
    found = rank_weighted(kind, effect, signal, share, weight)
    step = 1e-6
    for i in range(0, len(effect), 7):
        ends = []
        for sign in (1, -1):
            moved = weight.copy()
            moved[i] *= np.exp(sign * step)
            ends.append(rank_weighted(kind, effect, signal, share, moved).value)
        assert_allclose(found.scores[i], (ends[0] - ends[1]) / (2 * step), atol=1e-7)
    assert_allclose(found.scores.sum(), 0, atol=EXACT)


@given(st.integers(0, 10**6), st.sampled_from(KINDS), st.integers(0, 5), st.booleans())
def test_the_coefficients_weigh_the_signals_and_ignore_one_effect_for_all(seed, kind, levels, att):
    effect, signal, share, weight = persons(seed, 30, levels, 0.6 if att else 1.0)
    share[0] = 1.0
    found = rank_weighted(kind, effect, signal, share, weight)
    moved = rank_weighted(kind, effect, signal + 3 * share, share, weight)
    assert_allclose(found.value, moved.value, atol=EXACT)
    assert_allclose(found.scores, moved.scores, atol=EXACT)
    mean = (weight * signal) @ found.coefficient / (weight @ share)
    assert_allclose(found.value, mean, atol=EXACT)


@pytest.mark.parametrize("kind", KINDS)
def test_a_weight_of_two_is_two_persons_alike(kind):
    effect, signal, share, _ = persons(levels=8)
    weight = np.arange(len(effect)) % 2 + 1
    twice = np.repeat(np.arange(len(effect)), weight)
    once = rank_weighted(kind, effect, signal, share, weight.astype(float))
    other = rank_weighted(kind, effect[twice], signal[twice], share[twice], np.ones(len(twice)))
    assert_allclose(once.value, other.value, rtol=EXACT)


@pytest.mark.parametrize("kind", KINDS)
def test_only_the_order_of_predictions_matters(kind):
    effect, *rest = persons()
    assert_allclose(
        rank_weighted(kind, effect, *rest).scores, rank_weighted(kind, np.exp(effect), *rest).scores
    )


def test_the_right_order_gains_what_theory_says():
    u = (np.arange(20_000) + 0.5) / 20_000
    effect = 1 - u
    found = [rank_weighted(k, effect, effect, np.ones(len(u)), np.ones(len(u))) for k in KINDS]
    # TOC(u) = (1 - u) / 2, whose integral is 1/4 and that of u times it 1/12
    assert_allclose([f.value for f in found], [1 / 4, 1 / 12], rtol=1e-3)


@pytest.mark.parametrize("kind", KINDS)
def test_one_prediction_for_all_gains_nothing(kind):
    _, *rest = persons()
    found = rank_weighted(kind, np.full(60, 0.3), *rest)
    assert (found.value, np.abs(found.scores).max(), np.abs(found.coefficient).max()) == (0, 0, 0)
