"""Slopes of two arms compared: draws against one fit after another."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from evaluate.heterogeneity import two_regressions
from evaluate.heterogeneity.two_regressions import DRAWS, FEWEST_DRAWS, Arm, drawn_walds, wald
from evaluate.seeds import generator

N, P = 90, 2


def case(clustered, seed=1):
    """Return arms, an outcome, and units that may have persons of both arms."""
    rng = np.random.default_rng(seed)
    x = np.column_stack([np.ones(N), rng.normal(size=(N, 1 + P))])
    treated, mass = rng.random(N) < 0.4, rng.uniform(0.5, 2, N)
    arms = Arm(x, mass * treated, P, 1), Arm(x, mass * ~treated, P, -1)
    unit = rng.permutation(N) % 15 if clustered else None
    return arms, rng.normal(size=N) + x.sum(axis=1), unit


def fitted(x, mass, y):
    """Return residuals and leverage of weighted least squares."""
    root = np.sqrt(mass)
    q, _ = np.linalg.qr(x * root[:, None])
    beta = np.linalg.lstsq(x * root[:, None], y * root, rcond=None)[0]
    return y - x @ beta, (q**2).sum(axis=1)


@pytest.mark.parametrize("clustered", [False, True])
def test_each_draw_is_the_statistic_of_residuals_with_its_signs(clustered):
    arms, y, unit = case(clustered)
    mass, d = arms[0].mass + arms[1].mass, arms[0].mass > 0
    held, z = arms[0].x[:, :-P], arms[0].x[:, -P:]
    same = np.column_stack([held * d[:, None], held * ~d[:, None], z])
    left, leverage = fitted(same, mass, y)
    left = left if clustered else left / (1 - leverage)
    units = 15 if clustered else N
    signs = generator(units, "signs", str(P)).choice([-1.0, 1.0], size=(units, DRAWS))
    of_person = signs if unit is None else signs[unit]
    expected = [wald(arms, left * sign, unit) for sign in of_person.T[:40]]
    assert_allclose(drawn_walds(arms, y, unit)[:40], expected, rtol=1e-9)


@pytest.mark.parametrize("clustered", [False, True])
def test_the_slopes_and_their_variance_are_those_of_each_arm_alone(clustered):
    arms, y, unit = case(clustered)
    slopes, scores = np.zeros(P), np.zeros((N, P))
    for arm, sign in zip(arms, (1, -1), strict=True):
        rows = arm.mass > 0
        x, w = arm.x[rows], arm.mass[rows]
        back = np.linalg.inv(x.T @ np.diag(w) @ x)
        slopes += sign * (back @ x.T @ (w * y[rows]))[-P:]
        scores[rows] = sign * (w * fitted(x, w, y[rows])[0])[:, None] * (x @ back)[:, -P:]
    if clustered:
        scores = np.array([scores[unit == u].sum(axis=0) for u in range(15)])
    expected = slopes @ np.linalg.inv(scores.T @ scores) @ slopes
    assert_allclose(wald(arms, y, unit), expected, rtol=1e-9)


def test_draws_are_the_same_each_time_and_fewer_where_they_are_work(monkeypatch):
    arms, y, unit = case(True)
    assert drawn_walds(arms, y, unit).tobytes() == drawn_walds(arms, y, unit).tobytes()
    assert len(drawn_walds(arms, y, unit)) == DRAWS
    monkeypatch.setattr(two_regressions, "WORK", 1)
    assert len(drawn_walds(arms, y, unit)) == FEWEST_DRAWS


def test_a_slope_that_one_unit_tells_alone_cannot_be_compared():
    arms, _, unit = case(True)
    assert arms[0].can_tell(unit)
    assert arms[0].can_tell(None)
    first = np.flatnonzero(arms[0].mass)[0]
    alone = np.column_stack([arms[0].x, np.arange(N) == first]).astype(float)
    assert not Arm(alone, arms[0].mass, P, 1).can_tell(None)
    of_unit = np.column_stack([arms[0].x, unit == 3]).astype(float)
    assert not Arm(of_unit, arms[0].mass, P, 1).can_tell(unit)
    double = np.column_stack([arms[0].x, arms[0].x[:, -1]])
    assert not Arm(double, arms[0].mass, P, 1).can_tell(None)
