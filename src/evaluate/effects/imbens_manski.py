"""Intervals for an effect of which only bounds are known."""

from __future__ import annotations

import numpy as np
from scipy.special import stdtr, stdtrit

from evaluate.estimates import Estimates

STEPS = 50  # halvings of the range in which the multiple of the standard error lies


def imbens_manski(
    lower: Estimates, upper: Estimates, level: float
) -> tuple[np.ndarray, np.ndarray]:
    """Return intervals that hold the effect, not both bounds, with probability ``level``.

    Parameters
    ----------
    lower, upper : Estimates
        The bounds, k each.
    level : float
        Such as 0.95.

    Returns
    -------
    low, high : ndarray, shape (k,)
        Wide bounds are extended by the one-sided multiple of their standard errors, for the
        effect can be near one of them only; where the two are one estimate, this is its
        ordinary interval. Quantiles are of t with the lesser degrees of freedom.

    References
    ----------
    Imbens and Manski (2004), Confidence intervals for partially identified parameters,
    Econometrica 72(6). Valid whatever the distance of the bounds because an estimated lower
    bound never exceeds the upper one: Stoye (2009), More on confidence intervals for partially
    identified parameters, Econometrica 77(4), lemma 3.
    """
    error = np.maximum(lower.std_error, upper.std_error)
    df = np.minimum(lower.df, upper.df)
    with np.errstate(divide="ignore", invalid="ignore"):
        apart = np.maximum(upper.value - lower.value, 0) / error
    apart = np.where(np.isnan(apart), 0, apart)
    few, many = stdtrit(df, level), stdtrit(df, (1 + level) / 2)
    for _ in range(STEPS):
        middle = (few + many) / 2
        enough = stdtr(df, middle + apart) - stdtr(df, -middle) >= level
        few, many = np.where(enough, few, middle), np.where(enough, middle, many)
    return lower.value - many * lower.std_error, upper.value + many * upper.std_error
