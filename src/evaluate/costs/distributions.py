"""Distributions of what is assumed, from two figures that a reader can judge."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import optimize, stats

from evaluate.plan.accounts import Range

TAIL = 0.025  # below the low figure, and above the high one
WIDE = 1e4  # shapes looked through: beyond, a gamma or beta is all but a point


def distribution(of: Range, mode: float) -> Any:
    """Return the distribution that a range names.

    Parameters
    ----------
    of : Range
        Bounds of a uniform or triangular distribution; the points of 2.5 and 97.5 per cent of
        a normal, lognormal, gamma or beta one.
    mode : float
        The plan's own figure: the mode of a triangular distribution, within its bounds.

    Returns
    -------
    frozen distribution of `scipy.stats`
        With ``ppf``.

    References
    ----------
    Briggs, Claxton and Sculpher (2006), Decision Modelling for Health Economic Evaluation,
    chapter 4, for which of them goes with what.
    """
    low, high = of.low, of.high
    width, z = high - low, float(stats.norm.ppf(1 - TAIL))
    if of.distribution == "uniform":
        return stats.uniform(low, width)
    if of.distribution == "triangular":
        return stats.triang(float(np.clip((mode - low) / width, 0, 1)), low, width)
    if of.distribution == "normal":
        return stats.norm((low + high) / 2, width / 2 / z)
    if of.distribution == "lognormal":
        middle, spread = np.log(low * high) / 2, np.log(high / low) / 2 / z
        return stats.lognorm(spread, scale=np.exp(middle))
    if of.distribution == "gamma":
        return _gamma(low, high)
    return _beta(low, high)


def _gamma(low: float, high: float) -> Any:
    """Find the gamma distribution with these two points: their ratio gives the shape."""

    def off(power: float) -> float:
        shape = 10.0**power
        ends = stats.gamma.ppf([TAIL, 1 - TAIL], shape)
        return float(np.log(max(ends[1], 1e-300) / max(ends[0], 1e-300)) - np.log(high / low))

    shape = 10.0 ** float(optimize.brentq(off, -2, 8))
    return stats.gamma(shape, scale=low / stats.gamma.ppf(TAIL, shape))


def _beta(low: float, high: float) -> Any:
    """Find the beta distribution with these two points."""

    def off(logs: np.ndarray) -> np.ndarray:
        a, b = np.exp(np.clip(logs, -10, np.log(WIDE) * 2))
        return np.asarray(stats.beta.cdf([low, high], a, b) - [TAIL, 1 - TAIL])

    mean, sd = (low + high) / 2, (high - low) / 4
    size = mean * (1 - mean) / sd**2 - 1
    start = np.log(np.maximum([mean * size, (1 - mean) * size], 0.1))
    found = optimize.least_squares(off, start, xtol=1e-15, ftol=1e-15, gtol=1e-15)
    return stats.beta(*np.exp(found.x))
