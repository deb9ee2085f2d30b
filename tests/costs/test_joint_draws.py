"""Joint draws: the moments of the scores they come from, and a resample that estimates anew."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from simulate import plan_of, study_from

from evaluate.costs import joint_draws as module
from evaluate.costs.joint_draws import DRAWS, HIGHER, LOW, joint_draws
from evaluate.effects.batches import batches
from evaluate.effects.groups import fits_by_group
from evaluate.estimates import Estimates

MANY = 40_000
SHARE = HIGHER / 2**16
NEAR = 5 / np.sqrt(MANY)  # five standard errors of a moment of standardised draws, about


def estimates(units=60, k=3, seed=1):
    rng = np.random.default_rng(seed)
    scores = rng.exponential(size=(units, k)) - 1
    return Estimates(rng.normal(size=k), scores / np.sqrt(units), np.full(k, 50.0))


def test_multipliers_have_mean_0_variance_1_and_third_moment_1():
    points, chances = np.array([LOW, LOW + np.sqrt(5)]), np.array([1 - SHARE, SHARE])
    moments = [chances @ points**power for power in (1, 2, 3)]
    assert_allclose(moments, [0, 1, 1], atol=5 / 2**17)  # a chance is held to half of 1 in 2**16


@pytest.mark.parametrize("normal", [False, True])
def test_draws_have_the_covariance_of_the_estimates(normal, monkeypatch):
    if normal:
        monkeypatch.setattr(module, "MANY", 10)
    one = estimates()
    (drawn,) = joint_draws([one], np.random.default_rng(2), MANY)
    error = one.std_error
    assert_allclose((drawn.mean(axis=0) - one.value) / error, 0, atol=NEAR)
    standard = (drawn - one.value) / error
    wanted = one.covariance / np.outer(error, error)
    assert_allclose(np.cov(standard.T), wanted, atol=2 * NEAR)
    skewness = (standard**3).mean(axis=0)
    wanted = 0 if normal else (one.scores**3).sum(axis=0) / error**3
    assert_allclose(skewness, wanted, atol=6 * NEAR)


def test_estimates_of_the_same_units_are_drawn_together(monkeypatch):
    """Two estimates that are one and the same move as one, and chunks change nothing of that."""
    monkeypatch.setattr(module, "HELD", 600)
    one, other = estimates(), estimates(seed=3)
    first, second, third = joint_draws([one, other, one], np.random.default_rng(2), 500)
    assert_allclose(first, third)
    together = np.corrcoef(first[:, 0], second[:, 0])[0, 1]
    wanted = one.scores[:, 0] @ other.scores[:, 0] / one.std_error[0] / other.std_error[0]
    assert abs(together - wanted) < 5 / np.sqrt(500)


def test_no_estimates_need_no_draws():
    assert joint_draws([], np.random.default_rng(1)) == []


@pytest.mark.parametrize("clusters", [0, 40])
def test_draws_spread_like_a_resample_within_blocks_that_estimates_anew(clusters):
    """Persons, or whole clusters, drawn with replacement within blocks and arms as designed."""
    rng = np.random.default_rng(5)
    n, resamples = 480, 3_000
    cluster = np.arange(n) % clusters if clusters else None
    unit = np.arange(n) if cluster is None else cluster
    block = unit % 2
    arm = (unit // 2) % 2
    shock = rng.normal(size=unit.max() + 1)[unit] * (0.5 if clusters else 0)
    taken = arm * (rng.random(n) < 0.7)
    y = np.column_stack([0.4 * taken + shock + rng.normal(size=n), rng.gamma(2, 500, n) * taken])
    estimator = "difference_in_means" if not clusters else "ancova"
    analysis = {"estimators": [estimator]} | ({"std_error": "CR1"} if clusters else {})
    plan = plan_of(y, columns={"gender": None}, analysis=analysis)
    study = study_from(y, arm, block=None if clusters else block, cluster=cluster)
    (batch,) = batches(study, plan)
    fits = fits_by_group(study, plan, estimator, batch.y, batch.observed, batch.covariates)
    one = fits["all", (1, 0)].effects
    (drawn,) = joint_draws([one], np.random.default_rng(2), DRAWS)
    cells = [np.unique(unit[(block == b) & (arm == a)]) for b in (0, 1) for a in (0, 1)]
    rows = [np.flatnonzero(unit == u) for u in range(unit.max() + 1)]
    again = np.empty((resamples, 2))
    for r in range(resamples):
        chosen = [rows[u] for c in cells for u in rng.choice(c, len(c))]
        some = np.concatenate(chosen)
        treated = arm[some] == 1
        if clusters:
            again[r] = y[some][treated].mean(axis=0) - y[some][~treated].mean(axis=0)
        else:
            both = [
                y[some][treated & (block[some] == b)].mean(axis=0)
                - y[some][~treated & (block[some] == b)].mean(axis=0)
                for b in (0, 1)
            ]
            again[r] = np.mean(both, axis=0)
    # Standard deviations of so many draws are within 3 per cent of theirs; of 40 clusters those
    # of a resample are short by the factor of its own degrees of freedom, about 5 per cent.
    assert_allclose(drawn.std(axis=0), again.std(axis=0), rtol=0.06 if not clusters else 0.12)
    apart = np.corrcoef(drawn.T)[0, 1] - np.corrcoef(again.T)[0, 1]
    assert abs(apart) < 0.08
