"""Effects of matching with the errors of Abadie and Imbens, as values and scores."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from evaluate.effects.observational.estimated_score import Propensity, first_step
from evaluate.effects.observational.matching import Matches, slopes
from evaluate.effects.observational.neighbours import neighbours
from evaluate.errors import DesignError, persons
from evaluate.estimates import Estimates


@dataclass(frozen=True)
class Gaps:
    """Each person against their matches.

    Attributes
    ----------
    difference : ndarray, shape (n, k)
        Treated less untreated: an outcome and its matches' mean, corrected for bias.
    square : ndarray, shape (n, k)
        Weighted mean over a person's matches of the square of (difference less the effect).
        Zero unless asked for.
    effect : ndarray, shape (k,)
        The average difference.
    """

    difference: np.ndarray
    square: np.ndarray
    effect: np.ndarray


def matched_effects(
    y: np.ndarray,
    matches: Matches,
    adjust: np.ndarray | None = None,
    variance_neighbours: int = 2,
    propensity: Propensity | None = None,
) -> Estimates:
    """Estimate average effects by matching.

    Parameters
    ----------
    y : ndarray, shape (n, k)
        Outcomes, one column each; an estimate carries its column's unit.
    matches : Matches
        See `matching.match`.
    adjust : ndarray, shape (n, q), optional
        Covariates to correct for where matches differ in them, by regression on the matches.
    variance_neighbours : int
        How many nearest of the own arm (all ties taken) a person's conditional variance comes
        from; 0 for one variance of all, from the pairs, under an effect that is the same for
        everyone.
    propensity : Propensity, optional
        The model of the score that was matched on, where it was estimated from these persons.

    Returns
    -------
    Estimates
        k values. Scores of shape (n, k), zero for those neither matched nor used; each
        column's squares sum to the variance of Abadie and Imbens, and columns covary as what
        persons contribute: own difference from the effect, and own deviation from
        neighbours as often as used. Degrees of freedom are persons matched or used less 2.

    Raises
    ------
    DesignError
        If too few are used for the correction, an arm has one person, or the propensity
        model comes with weights of persons or cannot be inverted.

    Notes
    -----
    The variance is that of the average over the population that the persons come from. With
    weights ``own`` (w), use K and squared use K2 it is the sum of w^2 (difference - effect)^2
    and (K^2 + 2 w K - K2) sigma^2 over the square of the sum of w.

    References
    ----------
    Abadie and Imbens (2006), Large sample properties of matching estimators for average
    treatment effects, Econometrica 74(1); (2011), Bias-corrected matching estimators for
    average treatment effects, Journal of Business and Economic Statistics 29(1); (2016),
    Matching on the estimated propensity score, Econometrica 84(2).
    """
    y = y - y.mean(axis=0)  # only differences count; squares of what is left are smaller
    gaps = _gaps(y, matches, adjust, squares=variance_neighbours == 0)
    own, k = matches.own[:, None], matches.used[:, None]
    again = k**2 - matches.used_squares[:, None]
    total = own.sum()
    sigma2, deviation = _conditional(y, matches, max(variance_neighbours, 1))
    if variance_neighbours == 0:
        sigma2 = np.broadcast_to(own.T @ gaps.square / (2 * total), y.shape)
    sign = np.where(matches.treated, 1.0, -1.0)[:, None]
    distinct = own * (gaps.difference - gaps.effect)
    target = (distinct**2).sum(axis=0) + ((again + 2 * own * k) * sigma2).sum(axis=0)
    scores = distinct + sign * np.sqrt(np.maximum(again, 0)) * deviation
    scores, target = scores / total, target / total**2
    if propensity is not None:
        moved, change = first_step(y, matches, propensity, gaps.effect)
        # a finite sample may estimate a reduction larger than the variance itself
        possible = target + change > 0
        scores = scores + np.where(possible, moved, 0)
        target = target + np.where(possible, change, 0)
    involved = int(((matches.own > 0) | (matches.used > 0)).sum())
    df = np.full(y.shape[1], float(max(involved - 2, 1)))
    return Estimates(gaps.effect, _scaled(scores, target), df)


def _gaps(y: np.ndarray, matches: Matches, adjust: np.ndarray | None, squares: bool) -> Gaps:
    """Compare persons with their matches, outcomes less what the regressions explain."""
    n, k = y.shape
    here, mean, square = np.zeros((n, k)), np.zeros((n, k)), np.zeros((n, k))
    for side in matches.sides:
        rest = y
        if adjust is not None:
            arm = np.zeros(n, dtype=bool)
            arm[side.among] = True
            rest = y - (adjust - adjust.mean(axis=0)) @ slopes(y, adjust, arm, matches.used)
        here[side.of] = rest[side.of]
        mean[side.of] = side.mean(rest, matches.weight)
        if squares:
            square[side.of] = side.mean(rest, matches.weight, power=2)
    sign = np.where(matches.treated, 1.0, -1.0)[:, None]
    difference = sign * (here - mean)
    effect = matches.own @ difference / matches.own.sum()
    if not squares:
        return Gaps(difference, square, effect)
    # the mean of (sign (here - match) - effect)^2 over the matches
    level = sign * here - effect
    return Gaps(difference, level**2 - 2 * level * sign * mean + square, effect)


def _conditional(y: np.ndarray, matches: Matches, m: int) -> tuple[np.ndarray, np.ndarray]:
    """Return variances given the covariates, from nearest neighbours in the own arm, (n, k).

    And deviations from the neighbours' mean whose squares have these as expectations.
    """
    sigma2, deviation = np.zeros_like(y), np.zeros_like(y)
    for arm in (True, False):
        rows = np.flatnonzero(matches.treated == arm)
        needed = matches.used[rows] > 0
        if not needed.any():
            continue
        if len(rows) < 2:
            raise DesignError(
                f"an arm of {persons(len(rows))} has no variance: matching needs two."
            )
        take = min(m + 1, len(rows))
        seekers = rows[needed]
        near = neighbours(matches.z, seekers, rows, take, matches.cell)
        alone = seekers[~near.found]
        for of, found in ((seekers, near), (alone, None)):
            if not len(of):
                continue
            # who is with too few in a cell looks in the whole arm
            found = found or neighbours(matches.z, of, rows, take)
            size, mean, spread = found.moments(y[rows])
            some = found.found
            sigma2[of[some]] = spread[some]
            factor = np.sqrt(size / np.maximum(size - 1, 1))[:, None]
            deviation[of[some]] = (factor * (y[of] - mean))[some]
    return sigma2, deviation


def _scaled(scores: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Scale columns so that their squares sum to the target."""
    square = (scores**2).sum(axis=0)
    even = np.sqrt(target / len(scores))
    factor = np.sqrt(target / np.where(square > 0, square, 1))
    return np.where(square > 0, factor * scores, even)
