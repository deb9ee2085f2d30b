"""Simultaneous bands: intervals that hold for all months of a path at once."""

from __future__ import annotations

import numpy as np
from scipy import stats

from evaluate.estimates import Estimates

DRAWS = 65_536  # the critical value's own error is then about 0.3 per cent
CHUNK = 8_192


def joint_t(estimates: Estimates, draws: int, rng: np.random.Generator) -> np.ndarray:
    """Draw the absolute t statistics that estimates have together where every true value is zero.

    Normal draws with the correlation of the estimates, which is that of their scores under
    Gaussian multipliers, over the root of one chi square by its degrees of freedom. Of the
    estimates' degrees of freedom the smallest count.

    Parameters
    ----------
    estimates : Estimates
        k estimates, each with a standard error.
    draws : int
        Number of draws.
    rng : Generator
        Source of the draws.

    Returns
    -------
    ndarray, shape (draws, k)

    References
    ----------
    Hothorn, Bretz and Westfall (2008), Simultaneous inference in general parametric models,
    Biometrical Journal 50(3).
    """
    df, error = float(estimates.df.min()), estimates.std_error
    values, vectors = np.linalg.eigh(estimates.covariance / np.outer(error, error))
    root = vectors * np.sqrt(np.clip(values, 0, None))
    drawn = np.abs(rng.standard_normal((draws, len(error))) @ root.T)
    drawn /= np.sqrt(rng.chisquare(df, draws) / df)[:, None]
    return drawn


def critical_value(
    estimates: Estimates, level: float, rng: np.random.Generator, draws: int = DRAWS
) -> float:
    """Return by how many standard errors a band around all the estimates reaches.

    The ``level`` quantile of the greatest statistic of `joint_t`. One estimate alone gives the
    critical value of its t interval; the value lies between that and Šidák's.

    Parameters
    ----------
    estimates : Estimates
        The k months of one path; those without a standard error are left out.
    level : float
        Probability that the band holds all values.
    rng : Generator
        Draws.
    draws : int
        Number of them.

    Returns
    -------
    float
        In standard errors; NaN where no estimate has one.

    References
    ----------
    Montiel Olea and Plagborg-Møller (2019), Simultaneous confidence bands: theory,
    implementation, and an application to SVARs, Journal of Applied Econometrics 34(1);
    Šidák (1967), Rectangular confidence regions for the means of multivariate normal
    distributions, JASA 62(318).
    """
    known = np.flatnonzero(estimates.variance > 0)
    if not len(known):
        return float("nan")
    chosen = estimates.pick(known)
    df = float(chosen.df.min())
    least = float(stats.t.ppf((1 + level) / 2, df))
    most = float(stats.t.ppf((1 + level ** (1 / len(known))) / 2, df))
    if len(known) == 1:
        return least
    greatest = np.concatenate(
        [
            joint_t(chosen, min(CHUNK, draws - first), rng).max(axis=1)
            for first in range(0, draws, CHUNK)
        ]
    )
    return float(np.clip(np.quantile(greatest, level), least, most))


def band(estimates: Estimates, critical: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the lower and upper ends of a simultaneous band, shape (k,) each."""
    margin = critical * estimates.std_error
    return estimates.value - margin, estimates.value + margin
