"""What units add to coefficients, made larger by how much each unit decides its own fit."""

from __future__ import annotations

import numpy as np
from scipy import sparse
from scipy.special import factorial, poch

from evaluate.errors import DesignError

ALONE = 1e-8  # of the leverage of all: less is left without a unit that tells a covariate alone
SERIES = 0.02  # leverage of a cluster, below which a series gives its correction to rounding
TERMS = 7


def summed(scores: np.ndarray, cluster: np.ndarray | None, units: int) -> np.ndarray:
    """Add up persons' scores, shape (m, k), by cluster, shape (units, k); or leave them."""
    if cluster is None:
        return scores
    people = sparse.csr_array(
        (np.ones(len(cluster)), (cluster, np.arange(len(cluster)))), shape=(units, len(cluster))
    )
    return np.asarray(people @ scores)


def adjusted(
    v: np.ndarray,
    mass: np.ndarray,
    residual: np.ndarray,
    power: float,
    cluster: np.ndarray | None = None,
    units: int = 0,
) -> np.ndarray:
    """Return what each unit adds to the coefficients of a weighted regression.

    Parameters
    ----------
    v : ndarray, shape (m, k)
        Regressors of which the sum of mass v v' is one.
    mass : ndarray, shape (m,)
        Weights of the regression.
    residual : ndarray, shape (m,)
        Weighted residuals.
    power : float
        Of the inverse of what is left of the sum without a unit: 1 as a jackknife (HC3, of
        clusters CR3 without its factor), 1/2 for errors without bias where errors are alike
        (HC2, CR2), 0 for none.
    cluster : ndarray of int, shape (m,), optional
        Cluster of each person, below ``units``.
    units : int
        Clusters of the study.

    Returns
    -------
    ndarray, shape (m, k) or (units, k)

    Raises
    ------
    DesignError
        If one unit alone tells a covariate.

    References
    ----------
    MacKinnon, Nielsen and Webb (2023), Fast and reliable jackknife and bootstrap methods for
    cluster-robust inference, Journal of Applied Econometrics 38(5); Bell and McCaffrey (2002),
    Bias reduction in standard errors for linear regression with multi-stage samples, Survey
    Methodology 28(2).
    """
    scores = v * residual[:, None]
    if not power:
        return summed(scores, cluster, units)
    leverage = mass * np.einsum("ij,ij->i", v, v)
    if cluster is None:
        if (leverage > 1 - ALONE).any():
            raise DesignError("a covariate tells one person from all others.")
        return np.asarray(scores / ((1 - leverage) ** power)[:, None])
    m = len(cluster)
    found = summed(scores, cluster, units)
    of_cluster = np.bincount(cluster, leverage, minlength=units)
    people = sparse.csr_array((mass, (cluster, np.arange(m))), shape=(units, m))
    step = np.where((of_cluster < SERIES)[:, None], found, 0)
    for term in range(1, TERMS + 1):
        step = people @ (v * np.einsum("ij,ij->i", v, step[cluster])[:, None])
        found = found + poch(power, term) / factorial(term) * step
    order = np.argsort(cluster, kind="stable")
    ends = np.searchsorted(cluster[order], np.arange(units + 1))
    for c in np.flatnonzero(of_cluster >= SERIES):
        rows = order[ends[c] : ends[c + 1]]
        left, turn = np.linalg.eigh(np.eye(v.shape[1]) - (v[rows] * mass[rows, None]).T @ v[rows])
        if left[0] < ALONE:
            raise DesignError("a covariate tells one cluster from all others.")
        found[c] = turn @ (left**-power * (turn.T @ found[c]))
    return found
