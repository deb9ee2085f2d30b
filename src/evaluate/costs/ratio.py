"""Cost over effect, with the set of ratios that the data do not reject."""

from __future__ import annotations

import numpy as np
from scipy import stats

from evaluate.estimates import Estimates
from evaluate.fieller import FiellerSet, fieller


def fieller_set(pair: Estimates, level: float) -> FiellerSet:
    """Return the ratios of the second value to the first that are not rejected.

    Parameters
    ----------
    pair : Estimates
        Effect and cost.
    level : float
        Such as 0.95.
    """
    quantile = stats.t.ppf((1 + level) / 2, pair.df[0])
    order = pair.pick([1, 0])
    return fieller(order.value[0], order.value[1], order.covariance, quantile)


def drawn_interval(
    effect: float, cost: float, effects: np.ndarray, costs: np.ndarray, level: float
) -> tuple[float, float]:
    """Return the ends of the bootstrap interval of cost over effect.

    Draws are put in order by their direction in the plane, seen from the estimate, and not by
    their ratio: a draw with an effect below zero has a ratio that is no longer one of the same
    scale, but a direction like any other.

    Parameters
    ----------
    effect, cost : float
        The estimates.
    effects, costs : ndarray, shape (draws,)
        Drawn together.
    level : float
        Share of the draws between the ends.

    Returns
    -------
    low, high : float
        NaN where the directions between the ends do not all have an effect of the estimate's
        sign: the interval of such a ratio is no ordinary one.

    References
    ----------
    Willan and Briggs (2006), Statistical Analysis of Cost-Effectiveness Data, chapter 4.
    """
    scales = [np.abs(d).max() or 1.0 for d in (effects, costs)]
    x, y = effect / scales[0], cost / scales[1]
    u, v = effects / scales[0], costs / scales[1]
    turn = np.arctan2(x * v - y * u, x * u + y * v)
    tail = (1 - level) / 2
    ends = np.quantile(turn, [tail, 1 - tail]) + np.arctan2(y, abs(x)) * np.sign(x)
    if x == 0 or np.abs(ends).max() >= np.pi / 2:
        return float("nan"), float("nan")
    low, high = sorted(np.tan(ends) * scales[1] / scales[0])
    return float(low), float(high)
