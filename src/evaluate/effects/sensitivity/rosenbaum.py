"""Rosenbaum's bounds: how much hidden selection a comparison of matched pairs can bear.

Within a pair, hidden selection may make the odds of being the treated one up to Gamma times
those of the other. Pairs are of one treated and one control person, none of them twice.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import special, stats

HALVINGS = 100  # of a range of numbers, at most
ROUNDING = 1e-9  # of a count that is whole but for rounding


@dataclass(frozen=True)
class PValues:
    """One-sided p-values, in the direction found, for g sizes of hidden selection.

    Attributes
    ----------
    gamma : ndarray, shape (g,)
        Sizes of hidden selection, 1 for none.
    direction : ndarray, shape (k,)
        1 where the treated are found to have more, -1 where they have less.
    lower, upper : ndarray, shape (g, k)
        Least and largest p-value of no effect that hidden selection of that size allows.
    """

    gamma: np.ndarray
    direction: np.ndarray
    lower: np.ndarray
    upper: np.ndarray


@dataclass(frozen=True)
class HodgesLehmann:
    """Ranges of an additive effect, for g sizes of hidden selection.

    Attributes
    ----------
    gamma : ndarray, shape (g,)
        Sizes of hidden selection.
    least, most : ndarray, shape (g, k)
        Range of the Hodges-Lehmann estimate; both are the estimate where gamma is 1.
    low, high : ndarray, shape (g, k)
        Confidence interval, whatever the selection of that size; infinite with few pairs.
    """

    gamma: np.ndarray
    least: np.ndarray
    most: np.ndarray
    low: np.ndarray
    high: np.ndarray


def signed_rank(difference: np.ndarray, gamma: np.ndarray) -> PValues:
    """Bound the p-values of Wilcoxon's signed rank test.

    Parameters
    ----------
    difference : ndarray, shape (pairs, k)
        Outcome of the treated less that of the control; zeros are left out, ties share ranks.
    gamma : ndarray, shape (g,)
        Sizes of hidden selection, from 1 on.

    Returns
    -------
    PValues
        By the normal approximation.

    References
    ----------
    Rosenbaum (2002), Observational Studies, second edition, section 4.3.3.
    """
    gamma = np.asarray(gamma, dtype=float)
    found, total, squares, direction = _rank_sums(difference)
    sides = []
    for share in (1 / (1 + gamma)[:, None], (gamma / (1 + gamma))[:, None]):
        spread = np.sqrt(squares * share * (1 - share))
        with np.errstate(divide="ignore", invalid="ignore"):
            deviate = np.where(total > 0, (found - share * total) / spread, -np.inf)
        sides.append(stats.norm.sf(deviate))
    return PValues(gamma, direction, sides[0], sides[1])


def largest_gamma(difference: np.ndarray, level: float = 0.95) -> np.ndarray:
    """Return the largest hidden selection that leaves the signed rank test significant.

    Parameters
    ----------
    difference : ndarray, shape (pairs, k)
        As for `signed_rank`.
    level : float
        The upper bound of the one-sided p-value is held against ``(1 - level) / 2``.

    Returns
    -------
    ndarray, shape (k,)
        1 where the finding is not significant even without hidden selection.
    """
    found, total, squares, _ = _rank_sums(difference)
    spread = stats.norm.ppf((1 + level) / 2) ** 2 * squares
    # The share at which the deviate is critical is the lesser root of a quadratic equation.
    a, b = total**2 + spread, 2 * found * total + spread
    with np.errstate(divide="ignore", invalid="ignore"):
        share = 2 * found**2 / (b + np.sqrt(np.maximum(b**2 - 4 * a * found**2, 0)))
        return np.where(total > 0, np.fmax(share / (1 - share), 1), 1.0)


def _rank_sums(
    difference: np.ndarray,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return sums of ranks in the direction found, of all ranks, of their squares; direction."""
    size = np.abs(difference)
    ranks = np.stack([_ranks(column) for column in size.T], axis=1)
    above, total = (ranks * (difference > 0)).sum(axis=0), ranks.sum(axis=0)
    direction = np.where(2 * above >= total, 1, -1)
    return np.where(direction > 0, above, total - above), total, (ranks**2).sum(axis=0), direction


def _ranks(size: np.ndarray) -> np.ndarray:
    ranks = np.zeros(len(size))
    some = size > 0
    ranks[some] = stats.rankdata(size[some])
    return ranks


def mcnemar(difference: np.ndarray, gamma: np.ndarray) -> PValues:
    """Bound the p-values of McNemar's test for outcomes that are 0 or 1.

    Parameters
    ----------
    difference : ndarray of {-1, 0, 1}, shape (pairs, k)
        Outcome of the treated less that of the control.
    gamma : ndarray, shape (g,)
        Sizes of hidden selection, from 1 on.

    Returns
    -------
    PValues
        Exact, from the binomial distribution of the pairs that differ.

    References
    ----------
    Rosenbaum (2002), section 4.3.2.
    """
    gamma = np.asarray(gamma, dtype=float)
    found, total, direction = _signs(difference)
    lower, upper = (
        stats.binom.sf(found - 1, total, share[:, None])
        for share in (1 / (1 + gamma), gamma / (1 + gamma))
    )
    return PValues(gamma, direction, lower, upper)


def largest_gamma_binary(difference: np.ndarray, level: float = 0.95) -> np.ndarray:
    """Return the largest hidden selection that leaves McNemar's test significant.

    Parameters
    ----------
    difference : ndarray of {-1, 0, 1}, shape (pairs, k)
        As for `mcnemar`.
    level : float
        As for `largest_gamma`.

    Returns
    -------
    ndarray, shape (k,)
        1 where the finding is not significant even without hidden selection.
    """
    found, total, _ = _signs(difference)
    # P(at least so many) as a function of the share is a distribution function: beta's.
    share = special.betaincinv(np.maximum(found, 1), total - found + 1, (1 - level) / 2)
    return np.where(total > 0, np.maximum(share / (1 - share), 1), 1.0)


def _signs(difference: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    above, below = (difference > 0).sum(axis=0), (difference < 0).sum(axis=0)
    return np.maximum(above, below), above + below, np.where(above >= below, 1, -1)


def hodges_lehmann(difference: np.ndarray, gamma: np.ndarray, level: float = 0.95) -> HodgesLehmann:
    """Return the range of an additive effect for each size of hidden selection.

    Parameters
    ----------
    difference : ndarray, shape (pairs, k)
        Outcome of the treated less that of the control.
    gamma : ndarray, shape (g,)
        Sizes of hidden selection, from 1 on.
    level : float
        Of the confidence intervals, by the normal approximation without ties.

    Returns
    -------
    HodgesLehmann
        In the units of the outcomes.

    References
    ----------
    Rosenbaum (1993), Hodges-Lehmann point estimates of treatment effect in observational
    studies, Journal of the American Statistical Association 88(424).

    Notes
    -----
    The signed rank statistic at an effect is the number of averages of two differences, a pair
    with itself included, that exceed it: all ends are ordered ones of these.
    """
    gamma = np.asarray(gamma, dtype=float)
    n = len(difference)
    count = n * (n + 1) / 2
    share = 1 / (1 + gamma)
    margin = stats.norm.ppf((1 + level) / 2) * np.sqrt(
        share * (1 - share) * n * (n + 1) * (2 * n + 1) / 6
    )
    below = count * share
    first = np.ceil(below - ROUNDING)
    second = np.floor(below + ROUNDING) + 1
    outer = np.floor(below - margin + ROUNDING) + 1
    ends = np.empty((4, len(gamma), difference.shape[1]))
    for i, column in enumerate(difference.T):
        d = np.sort(column)
        wanted = np.concatenate([first, second, outer])
        up, down = _ordered_average(d, wanted), -_ordered_average(-d[::-1], wanted)
        for end, found in ((0, up), (1, down)):
            one, two, limit = np.split(found, 3)
            ends[end, :, i], ends[end + 2, :, i] = (one + two) / 2, limit
    return HodgesLehmann(gamma, *ends)


def _ordered_average(d: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Return the averages of two of the ordered ``d`` with the given places, from 1 on."""
    places, back = np.unique(wanted, return_inverse=True)
    found = np.full(len(places), -np.inf)
    for i, place in enumerate(places):
        if place < 1:
            continue
        low, high = d[0] - 1.0, d[-1]
        for _ in range(HALVINGS):
            middle = (low + high) / 2
            if not low < middle < high:
                break
            pairs = np.searchsorted(d, 2 * middle - d, side="right").sum()
            pairs += np.searchsorted(d, middle, side="right")
            low, high = (low, middle) if pairs >= 2 * place else (middle, high)
        partner = np.searchsorted(d, 2 * high - d, side="right") - 1
        some = partner >= 0
        found[i] = ((d[some] + d[partner[some]]) / 2).max()
    return found[back]


def amplified(gamma: np.ndarray, odds_of_treatment: float) -> np.ndarray:
    """Return what hidden selection means for a variable that also moves the outcome.

    Parameters
    ----------
    gamma : ndarray
        Sizes of hidden selection, below ``odds_of_treatment``.
    odds_of_treatment : float
        Times by which the variable raises the odds of treatment within a pair.

    Returns
    -------
    ndarray
        Times by which it must raise the odds of the larger outcome to do the same.

    References
    ----------
    Rosenbaum and Silber (2009), Amplification of sensitivity analysis in matched observational
    studies, Journal of the American Statistical Association 104(488).
    """
    gamma = np.asarray(gamma, dtype=float)
    with np.errstate(divide="ignore"):
        needed = (gamma * odds_of_treatment - 1) / (odds_of_treatment - gamma)
    return np.where(gamma < odds_of_treatment, needed, np.inf)
