"""What it changes that the propensity score was estimated and not known."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from evaluate.effects.observational.matching import Matches
from evaluate.effects.observational.neighbours import coordinates, neighbours
from evaluate.errors import DesignError

NEAREST = 2  # persons that a covariance given the score is taken from


@dataclass(frozen=True)
class Propensity:
    """A logit of treatment, fitted by maximum likelihood to the persons who are matched.

    Attributes
    ----------
    probability : ndarray, shape (n,)
        Fitted propensity.
    x : ndarray, shape (n, q)
        The columns of the model, without its constant.
    """

    probability: np.ndarray
    x: np.ndarray


def first_step(
    y: np.ndarray, matches: Matches, propensity: Propensity, effect: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return what an estimated propensity adds to scores, (n, k), and to variances, (k,).

    Parameters
    ----------
    y : ndarray, shape (n, k)
        Outcomes.
    matches : Matches
        On the propensity, on either scale.
    propensity : Propensity
        The fitted model.
    effect : ndarray, shape (k,)
        Effects found by matching.

    Returns
    -------
    tuple of ndarray
        With the average over all a variance falls, never rises; with that over the treated
        it may do either.

    Raises
    ------
    DesignError
        If the match was not on a single score, persons have weights, or the columns of the
        model depend on each other.

    References
    ----------
    Abadie and Imbens (2016), Matching on the estimated propensity score, Econometrica 84(2).
    """
    if matches.z.shape[1] != 1:
        raise DesignError("the errors of an estimated propensity need a match on it alone.")
    if np.ptp(matches.weight) > 0:
        raise DesignError(
            "the errors of an estimated propensity are not known with weights of persons."
        )
    p = propensity.probability
    x = np.column_stack([np.ones(len(p)), propensity.x])
    slope = p * (1 - p)
    information = x.T @ (slope[:, None] * x)
    scale = np.sqrt(np.diag(information))
    if np.linalg.eigvalsh(information / np.outer(scale, scale))[0] < 1e-12:
        raise DesignError(
            "columns of the propensity model depend on each other, or it separates the arms: "
            "name fewer."
        )
    count = (matches.own > 0).sum()
    if matches.estimand == "ate":
        c = _covariance(y, x, matches, True, 1 - p) + _covariance(y, x, matches, False, p)
        drift = np.zeros_like(c)
    else:
        c = _covariance(y, x, matches, True, slope) + _covariance(y, x, matches, False, p**2)
        weighted = slope[:, None] * x
        c += weighted.T @ _contrasts(y, matches, matches.z, effect)
        alike = coordinates(propensity.x, "inverse_variance")
        drift = weighted.T @ _contrasts(y, matches, alike, effect)
    c, drift = c / count, drift / count
    change = (drift * np.linalg.solve(information, drift)).sum(axis=0)
    change -= (c * np.linalg.solve(information, c)).sum(axis=0)
    score = (matches.treated - p)[:, None] * x
    return score @ np.linalg.solve(information, drift - c), change


def _covariance(
    y: np.ndarray, x: np.ndarray, matches: Matches, arm: bool, weight: np.ndarray
) -> np.ndarray:
    """Return the weighted sum of covariances of x and y given the score in one arm, (q, k)."""
    everyone, rows = np.arange(len(y)), np.flatnonzero(matches.treated == arm)
    near = neighbours(matches.z, everyone, rows, min(NEAREST, len(rows)), matches.cell)
    size, mean_x, _ = near.moments(x[rows])
    _, mean_y, _ = near.moments(y[rows])
    v = np.where(near.found & ~matches.pruned & (size > 1), weight / np.maximum(size - 1, 1), 0)
    passed = near.passed(v)[:, None]
    return x[rows].T @ (passed * y[rows]) - mean_x.T @ ((v * size)[:, None] * mean_y)


def _contrasts(y: np.ndarray, matches: Matches, z: np.ndarray, effect: np.ndarray) -> np.ndarray:
    """Return everyone's difference from the nearest in the other arm, less the effect, (n, k)."""
    found = np.zeros_like(y)
    for arm in (True, False):
        of, among = np.flatnonzero(matches.treated == arm), np.flatnonzero(matches.treated != arm)
        near = neighbours(z, of, among, min(matches.ratio, len(among)), matches.cell)
        _, mean, _ = near.moments(y[among])
        difference = (y[of] - mean) * (1 if arm else -1) - effect
        found[of] = np.where((near.found & ~matches.pruned[of])[:, None], difference, 0)
    return found
