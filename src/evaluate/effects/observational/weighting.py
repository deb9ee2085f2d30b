"""Weighting by the inverse of the propensity score, and what all weighted comparisons share."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from evaluate.effects.regression import fixed_effects
from evaluate.errors import DesignError, persons
from evaluate.estimates import Estimates

SOLVED = 1e-6  # of a column's total, what a fitted logit may leave in its equations


@dataclass(frozen=True)
class Weighted:
    """Effects from a weighted comparison of two arms.

    Attributes
    ----------
    effects : Estimates
        k values; scores count that the weights were estimated (M-estimation).
    fixed : Estimates
        The same values with the HC1 errors of the weighted regression on treatment alone,
        which take the weights as given; studies most often report these.
    share : ndarray, shape (n,)
        Weight of each person, 1 in all in either arm.
    effective : tuple of float
        Effective sample size of the treated and of the controls.
    clipped : tuple of int
        Persons whose weight was changed because their propensity was held at the lower bound,
        and at the upper.
    bounds : tuple of float
        The lower and the upper bound.
    """

    effects: Estimates
    fixed: Estimates
    share: np.ndarray
    effective: tuple[float, float]
    clipped: tuple[int, int] = (0, 0)
    bounds: tuple[float, float] = (0.0, 1.0)


def ipw(
    y: np.ndarray,
    treated: np.ndarray,
    propensity: np.ndarray,
    estimand: str,
    weight: np.ndarray | None = None,
    logit: np.ndarray | None = None,
    clip: tuple[float, float] = (0.0, 1.0),
) -> Weighted:
    """Estimate average effects by inverse-probability weighting with weights that sum to one.

    Parameters
    ----------
    y : ndarray, shape (n, k)
        Outcomes, one column each; an estimate carries its column's unit.
    treated : ndarray of bool, shape (n,)
        Who was treated.
    propensity : ndarray, shape (n,)
        Probability of treatment given the covariates, from 0 to 1.
    estimand : {"att", "ate"}
        Average over the treated, or over all.
    weight : ndarray, shape (n,), optional
        Weights of the persons, above zero; a logit must have been fitted with them.
    logit : ndarray, shape (n, q), optional
        Columns of the logit that gave ``propensity``, its constant among them, fitted by
        maximum likelihood to these persons. Then scores count its estimation. Without it they
        take the propensity as known: so it is, to first order, where the model was
        cross-fitted and good; for a logit they would most often be too large.
    clip : (float, float)
        Bounds at which propensities are held.

    Returns
    -------
    Weighted
        With n less the fitted means and slopes as degrees of freedom; shares, effective
        sample sizes and how many propensities were held.

    Raises
    ------
    DesignError
        If an arm is empty, treated and controls share no propensities, a weight is infinite,
        or the logit has no fewer columns than an arm has persons.
    ValueError
        If ``propensity`` does not solve the equations of ``logit``, or bounds are crossed.

    References
    ----------
    Hájek (1971); Lunceford and Davidian (2004), Stratification and weighting via the propensity
    score in estimation of causal treatment effects, Statistics in Medicine 23(19); Stefanski
    and Boos (2002), The calculus of M-estimation, American Statistician 56(1).
    """
    w = person_weights(treated, weight)
    low, high = clip
    if not 0 <= low < high <= 1:
        raise ValueError("bounds of the propensity must be from 0 to 1, the lower first")
    _overlapping(propensity, treated)
    held = np.clip(propensity, low, high)
    factor, slope = _factors(held, treated, estimand)
    slope[held != propensity] = 0
    share = w * factor
    for arm in (treated, ~treated):
        share[arm] /= share[arm].sum()
    scores = share[:, None] * y
    for arm, sign in ((treated, 1.0), (~treated, -1.0)):
        mean = scores[arm].sum(axis=0)
        scores[arm] = sign * (share[arm][:, None] * (y[arm] - mean))
    parameters = 2
    if logit is not None:
        gradient = logit.T @ (slope[:, None] * scores)
        scores = scores + _of_logit(logit, propensity, treated, w) @ gradient
        parameters += logit.shape[1]
    moved = held != propensity if estimand == "ate" else (held != propensity) & ~treated
    clipped = (int((moved & (held == low)).sum()), int((moved & (held == high)).sum()))
    return weighted(y, treated, share, scores, parameters, clipped, clip)


def weighted(
    y: np.ndarray,
    treated: np.ndarray,
    share: np.ndarray,
    scores: np.ndarray,
    parameters: int,
    clipped: tuple[int, int] = (0, 0),
    bounds: tuple[float, float] = (0.0, 1.0),
) -> Weighted:
    """Compare the arms' weighted means, given the scores that count the weights' estimation.

    Parameters
    ----------
    y : ndarray, shape (n, k)
        Outcomes.
    treated : ndarray of bool, shape (n,)
        Who was treated.
    share : ndarray, shape (n,)
        Weight of each person, 1 in all in either arm.
    scores : ndarray, shape (n, k)
        Their squares sum to the variances.
    parameters : int
        Means and slopes that were fitted.
    clipped, bounds
        See `Weighted`.

    Returns
    -------
    Weighted
    """
    fixed = weighted_difference(y, treated, share)
    df = np.full(y.shape[1], float(max(len(treated) - parameters, 1)))
    effective = (effective_size(share[treated]), effective_size(share[~treated]))
    effects = Estimates(fixed.value, scores, df)
    return Weighted(effects, fixed, share, effective, clipped, bounds)


def weighted_difference(
    y: np.ndarray, treated: np.ndarray, share: np.ndarray, kind: str = "HC1"
) -> Estimates:
    """Regress outcomes on treatment alone with weights that are taken as given.

    Parameters
    ----------
    y : ndarray, shape (n, k)
        Outcomes.
    treated : ndarray of bool, shape (n,)
        Who was treated.
    share : ndarray, shape (n,)
        Weights.
    kind : {"HC0", "HC1", "HC2", "HC3"}
        Kind of variance.

    Returns
    -------
    Estimates
        k differences of weighted means with ``n - 2`` degrees of freedom.
    """
    nothing = np.empty((len(treated), 0))
    return fixed_effects(
        y, treated.astype(int), nothing, [(1, 0)], weight=share * len(treated), kind=kind
    )[0]


def effective_size(weight: np.ndarray) -> float:
    """Return how many persons with equal weights would give a mean as exact (Kish 1965)."""
    return float(weight.sum() ** 2 / (weight @ weight))


def person_weights(treated: np.ndarray, weight: np.ndarray | None) -> np.ndarray:
    """Return weights with mean one, shape (n,); an empty arm is a `DesignError`."""
    count = int(treated.sum())
    if count in (0, len(treated)):
        empty = "treated" if count == 0 else "for comparison"
        raise DesignError(
            f"nobody is {empty} among {persons(len(treated))}: both are needed for a contrast."
        )
    return np.ones(len(treated)) if weight is None else weight / weight.mean()


def enough_persons(treated: np.ndarray, parameters: int) -> None:
    """Refuse as many ``parameters`` of a model as the smaller arm has persons."""
    count = int(treated.sum())
    if min(count, len(treated) - count) <= parameters:
        raise DesignError(
            f"{parameters} columns, the constant among them, for {count:,} treated and "
            f"{len(treated) - count:,} comparison persons: name fewer covariates."
        )


def _overlapping(propensity: np.ndarray, treated: np.ndarray) -> None:
    """Refuse propensities that tell the arms apart."""
    if not np.isfinite(propensity).all() or propensity.min() < 0 or propensity.max() > 1:
        raise ValueError("a propensity is not from 0 to 1")
    if propensity[treated].min() > propensity[~treated].max():
        raise DesignError(
            f"no overlap: every one of the {int(treated.sum()):,} treated has a higher propensity "
            f"than all {int((~treated).sum()):,} comparison persons. The covariates tell them "
            "apart: name fewer, or find comparison persons who could have been treated."
        )


def _factors(p: np.ndarray, treated: np.ndarray, estimand: str) -> tuple[np.ndarray, np.ndarray]:
    """Return inverse-probability weights and the slopes of their logarithms in the logit."""
    never = ~treated & (p >= 1)
    if estimand == "ate":
        never |= treated & (p <= 0)
    if never.any():
        raise DesignError(
            f"{persons(int(never.sum()))} would have infinite weight: what they had was "
            "impossible by their propensity. Trim to common support or hold propensities (clip)."
        )
    if estimand == "att":
        odds = p / np.where(treated, 1, 1 - p)
        factor, slope = np.where(treated, 1, odds), np.where(treated, 0.0, 1.0)
    else:
        factor = 1 / np.where(treated, p, 1 - p)
        slope = np.where(treated, p - 1, p)
    for arm, name in ((treated, "treated"), (~treated, "comparison persons")):
        if not factor[arm].sum() > 0:
            raise DesignError(
                f"no overlap: none of the {int(arm.sum()):,} {name} has a weight above zero."
            )
    return factor, slope


def _of_logit(design: np.ndarray, p: np.ndarray, treated: np.ndarray, w: np.ndarray) -> np.ndarray:
    """Return how each person's weight moves the coefficients of a logit, shape (n, q)."""
    enough_persons(treated, design.shape[1])
    size = np.linalg.norm(design, axis=0) / np.sqrt(len(design))
    z = design / np.where(size > 0, size, 1)
    moment = z * (w * (treated - p))[:, None]
    if (np.abs(moment.sum(axis=0)) > SOLVED * (w @ np.abs(z))).any():
        raise ValueError("the propensity does not solve the logit's equations for these persons")
    curvature = (z * (w * p * (1 - p))[:, None]).T @ z
    # columns that explain each other, or tell a few persons apart, leave a direction without
    # curvature, along which no weight moves either
    inverse = np.linalg.pinv(curvature, rcond=1e-13, hermitian=True)
    return np.asarray(moment @ inverse) / np.where(size > 0, size, 1)
