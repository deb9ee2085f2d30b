"""Degrees of freedom of variances that are sums over strata, for effects on few persons."""

from __future__ import annotations

import numpy as np
from scipy import stats

SINGULAR = 1e-10  # of the greatest eigenvalue of a correlation


def welch(parts: np.ndarray, sizes: np.ndarray, otherwise: np.ndarray) -> np.ndarray:
    """Return degrees of freedom of variances that add up over independent strata.

    Parameters
    ----------
    parts : ndarray, shape (strata, k)
        Each stratum's part of the variances.
    sizes : ndarray, shape (strata, k)
        Degrees of freedom of each part; below 1 they count as 1.
    otherwise : ndarray, shape (k,)
        For estimates without a variance.

    Returns
    -------
    ndarray, shape (k,)

    References
    ----------
    Satterthwaite (1946), An approximate distribution of estimates of variance components,
    Biometrics Bulletin 2(6); Welch (1947), Biometrika 34(1-2).
    """
    total = parts.sum(axis=0)
    squares = (parts**2 / np.maximum(sizes, 1)).sum(axis=0)
    return np.asarray(np.where(total > 0, total**2 / np.where(squares > 0, squares, 1), otherwise))


def degrees(scores: np.ndarray, stratum: np.ndarray) -> np.ndarray:
    """Return Welch's degrees of freedom of estimates from their scores by stratum.

    Parameters
    ----------
    scores : ndarray, shape (units, k)
        Zero for those an estimate does not rest on; a stratum of m others has m - 1 of its own.
    stratum : ndarray of int, shape (units,)
        Units alike: those of one month of start.

    Returns
    -------
    ndarray, shape (k,)
    """
    levels = np.unique(stratum)
    parts, sizes = np.empty((2, len(levels), scores.shape[1]))
    for i, level in enumerate(levels):
        own = scores[stratum == level]
        parts[i], sizes[i] = (own**2).sum(axis=0), (own != 0).sum(axis=0) - 1
    return welch(parts, sizes, np.full(scores.shape[1], len(stratum) - 1.0))


def strata_of_clusters(cluster: np.ndarray, stratum: np.ndarray, units: int) -> np.ndarray:
    """Return the stratum of each cluster: its persons' where they share one, else a common one.

    Parameters
    ----------
    cluster, stratum : ndarray of int, shape (n,)
        Cluster of each person, 0 to ``units`` less one; stratum, 0 or above.
    units : int
        Number of clusters.

    Returns
    -------
    ndarray of int, shape (units,)
        -1 for clusters of several strata, and for those without persons.
    """
    low, high = np.full(units, stratum.max(initial=0) + 1), np.full(units, -1)
    np.minimum.at(low, cluster, stratum)
    np.maximum.at(high, cluster, stratum)
    return np.where(low == high, low, -1)


def hotelling(
    value: np.ndarray, scores: np.ndarray, stratum: np.ndarray
) -> tuple[float, int, float, float]:
    """Test that several estimates are all zero, where variances come from few units by stratum.

    Parameters
    ----------
    value : ndarray, shape (k,)
        Estimates.
    scores : ndarray, shape (units, k)
        Their cross-product is the covariance.
    stratum : ndarray of int, shape (units,)
        Units alike.

    Returns
    -------
    statistic, rank, df, p_value : float, int, float, float
        Wald statistic, rank of the covariance, degrees of freedom of Hotelling's distribution
        that has its mean and total variance; p is NaN where they are fewer than the rank.

    References
    ----------
    Zhang (2013), Tests of linear hypotheses in the ANOVA under heteroscedasticity,
    International Journal of Advanced Statistics and Probability 1(2); Pustejovsky and Tipton
    (2018), Small-sample methods for cluster-robust variance estimation and hypothesis testing
    in fixed effects models, Journal of Business & Economic Statistics 36(4).
    """
    error = np.sqrt((scores**2).sum(axis=0))
    size, direction = np.linalg.eigh((scores.T @ scores) / np.outer(error, error))
    known = size > SINGULAR * size[-1]
    turn = direction[:, known] / np.sqrt(size[known]) / error[:, None]
    rank, alike = int(known.sum()), scores @ turn  # scores of estimates alike and independent
    statistic = float(((value @ turn) ** 2).sum())
    spread = 0.0
    for level in np.unique(stratum):
        own = alike[stratum == level]
        own = own[(own != 0).any(axis=1)]
        part = own.T @ own
        spread += (np.trace(part) ** 2 + (part**2).sum()) / max(len(own) - 1, 1)
    df = rank * (rank + 1) / spread
    room = df - rank + 1
    p = stats.f.sf(statistic * room / (df * rank), rank, room) if room > 0 else np.nan
    return statistic, rank, float(df), float(p)
