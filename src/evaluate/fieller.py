"""Intervals for a ratio of two estimates that hold when the denominator may be zero."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

RatioSet = Literal["interval", "unbounded", "whole line"]


@dataclass(frozen=True)
class FiellerSet:
    """The ratios that the data do not reject.

    Attributes
    ----------
    kind : {"interval", "unbounded", "whole line"}
        ``interval``: from low to high. ``unbounded``: everything outside the open stretch
        from low to high, that is up to low and from high on. ``whole line``: every ratio.
    low, high : float
        The ends, NaN for the whole line.
    """

    kind: RatioSet
    low: float
    high: float


def fieller(
    numerator: float, denominator: float, covariance: np.ndarray, quantile: float
) -> FiellerSet:
    """Invert the test that ``numerator - ratio * denominator`` is zero.

    Parameters
    ----------
    numerator, denominator : float
        The two estimates.
    covariance : ndarray, shape (2, 2)
        Their covariance, numerator first.
    quantile : float
        Quantile of t, such as 1.96.

    Returns
    -------
    FiellerSet
        The interval is bounded exactly when the denominator differs from zero at the level.

    References
    ----------
    Fieller (1954), Some problems in interval estimation, JRSS B 16(2); Willan and O'Brien
    (1996) for cost-effectiveness ratios.
    """
    t2 = quantile**2
    (v_aa, v_ab), (_, v_bb) = covariance
    # ratio is in the set where a * ratio**2 - 2 * b * ratio + c <= 0
    a = denominator**2 - t2 * v_bb
    b = numerator * denominator - t2 * v_ab
    c = numerator**2 - t2 * v_aa
    room = b**2 - a * c
    if a > 0:
        root = np.sqrt(max(room, 0.0))
        return FiellerSet("interval", float((b - root) / a), float((b + root) / a))
    if a == 0 or room <= 0:
        return FiellerSet("whole line", float("nan"), float("nan"))
    root = np.sqrt(room)
    return FiellerSet("unbounded", float((b + root) / a), float((b - root) / a))
