"""Scores by cluster: what the persons of a cluster share counts once."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy import sparse

from evaluate.estimates import Working

SPENT = 1e-10  # eigenvalue of what a fit leaves of a cluster, below which it leaves nothing


def cluster_scores(
    c: np.ndarray,
    residual: np.ndarray,
    cluster: np.ndarray,
    units: int,
) -> np.ndarray:
    """Add up ``c * residual`` by cluster.

    Parameters
    ----------
    c : ndarray, shape (n,)
        Weight of each person in a linear estimate, corrected or not.
    residual : ndarray, shape (n, k)
        Residuals, one column per outcome.
    cluster : ndarray of int, shape (n,)
        Cluster of each person, below ``units``.
    units : int
        Clusters of the study.

    Returns
    -------
    ndarray, shape (units, k)
    """
    people = sparse.csr_array((c, (cluster, np.arange(len(c)))), shape=(units, len(c)))
    return np.asarray(people @ residual)


def bias_reduced(
    c: np.ndarray,
    q: np.ndarray,
    weight: np.ndarray,
    cluster: np.ndarray,
    part: np.ndarray,
    units: int,
) -> tuple[np.ndarray, Working]:
    """Correct the weights of an estimate so that its variance by cluster is unbiased (CR2).

    Unbiased if persons are alike and independent, the working model; nearly so otherwise.

    Parameters
    ----------
    c : ndarray, shape (n,)
        Weight of each person in the estimate ``c @ y``.
    q : ndarray, shape (n, p)
        Orthonormal basis of the weighted regression, within each part.
    weight : ndarray, shape (n,)
        Weights of the regression, above zero.
    cluster : ndarray of int, shape (n,)
        Cluster of each person, below ``units``.
    part : ndarray of int, shape (n,)
        Parts of the regression that share no parameter, from 0 on.
    units : int
        Clusters of the study.

    Returns
    -------
    corrected : ndarray, shape (n,)
        Its product with the residuals, by cluster, gives the scores.
    working : Working
        The scores' covariance under the working model, for the degrees of freedom.

    References
    ----------
    Bell and McCaffrey (2002), Bias reduction in standard errors for linear regression with
    multi-stage samples, Survey Methodology 28(2); Pustejovsky and Tipton (2018), Small-sample
    methods for cluster-robust variance estimation and hypothesis testing in fixed effects
    models, Journal of Business & Economic Statistics 36(4).
    """
    n, p = q.shape
    root = np.sqrt(weight)[:, None]
    plain = bool((weight == weight[0]).all())
    v, wv = (q, q) if plain else (q / root, q * root)
    parts = int(part.max()) + 1
    crossed = np.stack([wv[part == j].T @ wv[part == j] for j in range(parts)])
    corrected = c.copy()
    for rows in _alike(cluster * parts + part):
        inner = crossed[part[rows[:, 0]]]
        corrected[rows] = _corrected(c[rows], v[rows], wv[rows], None if plain else inner)

    def shared(columns: np.ndarray) -> np.ndarray:
        place = cluster * parts + part
        people = sparse.csr_array((corrected, (place, np.arange(n))), shape=(units * parts, n))
        return np.asarray(people @ columns).reshape(units, parts * p)

    own = np.bincount(cluster, corrected**2, minlength=units)
    left = shared(v)
    if plain:
        return corrected, Working(own, left, -np.eye(parts * p))
    one, core = np.eye(parts * p), np.zeros((parts * p, parts * p))
    for j in range(parts):
        core[j * p : (j + 1) * p, j * p : (j + 1) * p] = crossed[j]
    both = np.block([[core, -one], [-one, np.zeros_like(core)]])
    return corrected, Working(own, np.hstack([left, shared(wv)]), both)


def _alike(piece: np.ndarray) -> Iterator[np.ndarray]:
    """Yield the rows of pieces of one size together, shape (pieces, size)."""
    order = np.argsort(piece, kind="stable")
    _, start, size = np.unique(piece[order], return_index=True, return_counts=True)
    for length in np.unique(size):
        yield order[start[size == length][:, None] + np.arange(length)]


def _corrected(
    c: np.ndarray, v: np.ndarray, wv: np.ndarray, inner: np.ndarray | None
) -> np.ndarray:
    """Multiply ``c``, shape (m, s), by the inverse root of what the fit leaves of m clusters.

    Outside the span of what was fitted the root is the identity, so that a large cluster
    costs no more than its regressors. What the fit leaves nothing of counts for nothing.
    """
    m, size, _ = v.shape
    spanned = v if inner is None else np.concatenate([v, wv], axis=2)
    if size > spanned.shape[2]:
        basis = np.linalg.qr(spanned)[0]
    else:
        basis = np.broadcast_to(np.eye(size), (m, size, size))
    turned = basis.transpose(0, 2, 1)
    a, b = turned @ v, turned @ wv
    if inner is None:
        left = np.eye(a.shape[1]) - a @ a.transpose(0, 2, 1)
    else:
        mixed = a @ b.transpose(0, 2, 1)
        left = np.eye(a.shape[1]) - mixed - mixed.transpose(0, 2, 1)
        left = left + a @ inner @ a.transpose(0, 2, 1)
    value, vector = np.linalg.eigh(left)
    gain = np.where(value > SPENT, 1 / np.sqrt(np.maximum(value, SPENT)), 0) - 1
    along = vector.transpose(0, 2, 1) @ (turned @ c[..., None])
    return c + (basis @ (vector @ (gain[..., None] * along)))[..., 0]
