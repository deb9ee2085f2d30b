"""Difference-in-differences of two months and two groups, doubly robust."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy import special

from evaluate.errors import DesignError, persons

Method = Literal["doubly_robust", "regression", "ipw"]

CERTAIN = 0.999  # propensity from which nobody comparable is taken to exist
FLAT = 1e-10  # of the greatest eigenvalue: a direction in which covariates do not vary
CONVERGED = 1e-20  # Newton decrement: the propensities' error is then far below rounding
STEPS = 60
ROOM = 0.05  # least part of a person's own change that the models are taken to leave


@dataclass(frozen=True)
class Changes:
    """Effects on the changes since a common or several earlier months.

    Attributes
    ----------
    value : ndarray, shape (k,)
        Effects on the treated, in the unit of the outcome.
    scores : ndarray, shape (k, n)
        Each person's, whose squares sum to the variance, by effect.
    trimmed : int
        Controls without weight, being too much like the treated.
    """

    value: np.ndarray
    scores: np.ndarray
    trimmed: int


def two_periods(
    change: np.ndarray,
    treated: np.ndarray,
    z: np.ndarray,
    weight: np.ndarray,
    method: Method = "doubly_robust",
    trim: float = 1.0,
    leverage: bool = False,
) -> Changes:
    """Compare the changes of the treated with those of controls at equal covariates.

    With r the change less its regression on z among controls, the effect is the treated's mean
    of r less that of the controls, weighted by the odds of their propensity. The error of
    either model enters the scores through the slope of the effect in its coefficients.

    Parameters
    ----------
    change : ndarray, shape (k, n)
        Outcome in a later month less that in an earlier one, by pair of months.
    treated : ndarray of bool, shape (n,)
        The others are controls.
    z : ndarray, shape (n, p)
        Constant and covariates of order one; those that do not vary here are left out.
    weight : ndarray, shape (n,)
        Weights above zero, of order one.
    method : {"doubly_robust", "regression", "ipw"}
        Both models; the controls' regression alone; the propensity alone, weights normalised.
    trim : float
        Controls with this propensity or more have no weight.
    leverage : bool
        Whether each person's part of the scores makes up for what the person draws the means
        to itself, as HC2 does, or the models, as HC3; else sums of squares divide by n, not
        n - 1.

    Returns
    -------
    Changes

    Raises
    ------
    DesignError
        If covariates tell some treated from all controls, or vary among the treated alone.

    References
    ----------
    Sant'Anna and Zhao (2020), Doubly robust difference-in-differences estimators, Journal of
    Econometrics 219(1), the estimator with a logit and least squares; MacKinnon and White
    (1985), Some heteroskedasticity-consistent covariance matrix estimators with improved finite
    sample properties, Journal of Econometrics 29(3).
    """
    size, direction = np.linalg.eigh(z.T @ z)
    varies = size > FLAT * size[-1]
    z = z @ (direction[:, varies] / np.sqrt(size[varies]))
    w1, w0 = np.where(treated, weight, 0), np.where(treated, 0, weight)
    w1 /= w1.sum()
    odds, trimmed, own = np.zeros(len(weight)), 0, w1
    if method != "regression":
        p, inverse = logit(treated, z, weight)
        alone = int((p[treated] >= CERTAIN).sum())
        if alone:
            raise DesignError(f"covariates leave nobody comparable for {persons(alone)} treated")
        trimmed = int((p[~treated] >= trim).sum())
        odds = np.where(p < trim, w0 * p / (1 - p), 0)
        odds /= odds.sum()
        own = own + odds
    slope = w1 - odds  # of the effect in each person's change
    residual = change
    if method != "ipw":
        size, direction = np.linalg.eigh((z.T * w0) @ z)
        if size[0] <= FLAT * size[-1]:
            raise DesignError("a covariate varies among the treated alone")
        root = direction / np.sqrt(size)
        residual = change - ((change * w0) @ z @ root @ root.T) @ z.T
        slope = slope - w0 * (z @ (root @ (root.T @ (z.T @ slope))))
        own = np.maximum(own, w0 * ((z @ root) ** 2).sum(axis=1))
    eta1, eta0 = residual @ w1, residual @ odds
    scores = residual * slope
    scores -= np.outer(eta1, w1)
    if method != "regression":
        scores += np.outer(eta0, odds)
        moved = (residual * odds) @ z - np.outer(eta0, odds @ z)  # slope in the propensity's
        scores -= (moved @ inverse) @ (z * (weight * (treated - p))[:, None]).T
    if leverage:
        room = np.maximum(1 - own, ROOM)
        scores /= np.sqrt(room) if z.shape[1] == 1 else room
    return Changes(eta1 - eta0, scores, trimmed)


def logit(treated: np.ndarray, z: np.ndarray, weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Fit propensities by maximum likelihood.

    Parameters
    ----------
    treated : ndarray of bool, shape (n,)
        Both values occur.
    z : ndarray, shape (n, p)
        Constant and covariates, orthonormal or nearly so.
    weight : ndarray, shape (n,)
        Weights above zero.

    Returns
    -------
    p : ndarray, shape (n,)
        Propensities.
    inverse : ndarray, shape (p, p)
        Inverse information. Directions in which propensities run off to zero or one lose
        theirs; they are left where they are and have zeros.
    """
    beta, step, best = np.zeros(z.shape[1]), np.zeros(z.shape[1]), -np.inf
    for _ in range(STEPS):
        eta = z @ beta
        likelihood = float(weight @ (treated * eta - np.logaddexp(0, eta)))
        if likelihood < best - 1e-9 * abs(best):
            step /= 2
            beta -= step
            continue
        best, p = float(likelihood), special.expit(eta)
        size, direction = np.linalg.eigh((z.T * (weight * p * (1 - p))) @ z)
        known = size > FLAT * size[-1]
        root = direction[:, known] / np.sqrt(size[known])
        inverse = root @ root.T
        gradient = z.T @ (weight * (treated - p))
        step = inverse @ gradient
        if gradient @ step < CONVERGED:
            break
        beta += step
    return p, inverse
