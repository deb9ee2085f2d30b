"""Signals to learn from: nothing of those who are judged is in them."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.linear_model import Ridge
from sklearn.model_selection import LeaveOneOut, cross_val_predict

from evaluate.heterogeneity import renewed as module
from evaluate.heterogeneity.renewed import left_out, renewed

from . import simulated


def of_treated(case):
    """Return the case with effects on the treated: their own outcomes stand for themselves."""
    controls = np.where(case.treated, 0, case.inverse_weight)
    return replace(
        case, estimand="att", share=case.treated.astype(float), inverse_weight=controls
    )  # fmt: skip


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("penalty", [1e-3, 0.3])
def test_predictions_are_those_of_ridges_that_a_person_was_left_out_of(
    monkeypatch, penalty, weighted
):
    """Scikit-learn fits 40 ridges; covariates are scaled as of all 40."""
    monkeypatch.setattr(module, "GRID", np.array([penalty]))
    rng = np.random.default_rng(3)
    x, y = rng.normal(2, [1, 5, 0.1], size=(60, 3)), rng.normal(size=60)
    w = rng.uniform(0.5, 2, 60) if weighted else np.ones(60)
    own = np.arange(60) < 40
    mass = w[own].sum()
    centre = w[own] @ x[own] / mass
    z = (x - centre) / np.sqrt(w[own] @ (x[own] - centre) ** 2 / mass)
    ridge = Ridge(alpha=penalty * mass)
    given = {"sample_weight": w[own]}
    expected = ridge.fit(z[own], y[own], **given).predict(z)
    expected[own] = cross_val_predict(ridge, z[own], y[own], cv=LeaveOneOut(), params=given)
    assert_allclose(left_out(x, y, w, own), expected, atol=1e-10)


def test_the_penalty_is_the_best_for_those_left_out(monkeypatch):
    rng = np.random.default_rng(4)
    x = rng.normal(size=(60, 15))
    for y in (rng.normal(size=60), x.sum(axis=1) + 0.1 * rng.normal(size=60)):
        w, own = np.ones(60), np.ones(60, dtype=bool)
        losses = []
        for penalty in (grid := module.GRID):
            monkeypatch.setattr(module, "GRID", np.array([penalty]))
            losses.append(((y - left_out(x, y, w, own)) ** 2).sum())
        monkeypatch.setattr(module, "GRID", grid)
        chosen = ((y - left_out(x, y, w, own)) ** 2).sum()
        assert_allclose(chosen, min(losses), rtol=1e-12)
        assert min(losses) < max(losses)


@given(seed=st.integers(0, 2**32 - 1), on_treated=st.booleans(), weighted=st.booleans())
@settings(max_examples=20, deadline=None)
def test_only_those_learned_from_have_a_part_in_their_signals(seed, on_treated, weighted):
    case = simulated.signals(90, seed, weighted=weighted, share=0.4)
    case = of_treated(case) if on_treated else case
    rng = np.random.default_rng(seed)
    among = rng.random(90) < 0.6
    noise = np.where(among, 0, rng.normal(0, 9, 90))
    other = simulated.misled(
        replace(case, y=case.y + noise, signal=case.signal + noise), case.x[:, :2]
    )
    one, two = renewed(case, among), renewed(other, among)
    for name in ("signal", "correction", "outcome_residual"):
        assert_array_equal(getattr(one, name)[among], getattr(two, name)[among])


@given(seed=st.integers(0, 2**32 - 1), on_treated=st.booleans())
@settings(max_examples=20, deadline=None)
def test_signals_have_the_form_of_those_they_stand_for(seed, on_treated):
    """What regressions predict is the effect; without them all is inverse weighting."""
    case = simulated.signals(80, seed, share=0.4)
    case = of_treated(case) if on_treated else case
    flat = replace(case, y=np.full(80, 3.0))
    assert_allclose(renewed(flat, np.ones(80, dtype=bool)).signal, 0, atol=1e-9)
    stepped = replace(case, y=2.0 * case.treated)
    assert_allclose(renewed(stepped, np.ones(80, dtype=bool)).signal, 2 * case.share, atol=1e-9)
    nothing = replace(case, x=np.empty((80, 0)))
    d, w = case.treated, case.inverse_weight
    of_others = np.array([np.delete(case.y, i)[np.delete(~d, i)].mean() for i in range(80)])
    of_those = np.array([np.delete(case.y, i)[np.delete(d, i)].mean() for i in range(80)])
    plain = d * (case.y - of_others) if on_treated else of_those - of_others
    expected = plain + w * np.where(d, case.y - of_those, of_others - case.y)
    assert_allclose(renewed(nothing, np.ones(80, dtype=bool)).signal, expected, atol=1e-9)


def test_an_arm_without_persons_to_learn_from_has_the_mean_of_both():
    case = simulated.signals(50, 1)
    found = renewed(case, ~case.treated)
    assert np.isfinite(found.signal).all()


def test_signals_made_anew_vary_with_the_effects():
    """As those of known regressions do, about, though regressions are fitted to 600."""
    case = simulated.signals(2_000, 5, effect=lambda x: 2 * x[:, 1])
    found = renewed(case, np.arange(2_000) < 600)
    slope = np.polyfit(case.x[:600, 1], found.signal[:600], 1)[0]
    error = np.std(found.signal[:600]) / np.sqrt(600)
    assert abs(slope - 2) < 4 * error
