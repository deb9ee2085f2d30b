"""Best linear projection of the conditional effects on covariates, from doubly robust scores."""

from __future__ import annotations

import numpy as np
from scipy import linalg

from evaluate.covariates import COLLINEAR
from evaluate.effects.observational.few_persons import degrees
from evaluate.errors import DesignError
from evaluate.estimates import Estimates
from evaluate.heterogeneity.leverage import adjusted, summed


def best_linear_projection(
    signal: np.ndarray,
    share: np.ndarray,
    weight: np.ndarray,
    features: np.ndarray,
    treated: np.ndarray,
    cluster: np.ndarray | None = None,
    units: int = 0,
    corrected: bool = True,
) -> Estimates:
    """Project the effects of persons on a constant and covariates.

    The coefficients are those of the weighted least squares of the signals, which for effects on
    the treated are regressed on ``share`` times the covariates with them. Covariates count from
    their mean among those whom the effect is about, so that the constant is the average effect,
    with the error of that average.

    Parameters
    ----------
    signal, share, weight : ndarray, shape (m,)
        As of `Signals`.
    features : ndarray, shape (m, p)
        Covariates, linearly independent of each other and a constant among those with a share.
    treated : ndarray of bool, shape (m,)
        Arm of each person.
    cluster : ndarray of int, shape (m,), optional
        Cluster of each person, below ``units``.
    units : int
        Clusters of the study.
    corrected : bool
        Whether slopes have jackknife errors: of persons HC3, of clusters CR3 with the factor
        (G - 1) / G; otherwise HC0, or CR1 with the factor G / (G - 1). The constant has the
        latter in any case.

    Returns
    -------
    Estimates
        The average effect, then p slopes in the unit of the outcome by that of the covariate.
        Scores are of persons, shape (m, p + 1), or clusters, shape (units, p + 1). Degrees of
        freedom are Welch's for variances that are sums over the two arms, at most
        ``m - p - 1`` of slopes, ``m - 1`` of the constant, or G - 1.

    Raises
    ------
    DesignError
        If there are no more persons than coefficients, or one unit alone tells a covariate.

    References
    ----------
    Semenova and Chernozhukov (2021), Debiased machine learning of conditional average treatment
    effects and other causal functions, Econometrics Journal 24(2); MacKinnon, Nielsen and Webb
    (2023), Fast and reliable jackknife and bootstrap methods for cluster-robust inference,
    Journal of Applied Econometrics 38(5).
    """
    m, p = features.shape
    mass = weight * share
    count = m if cluster is None else len(np.unique(cluster))
    if (mass > 0).sum() < p + 2 or count < 3:
        raise DesignError(f"{p} covariates are more than the persons can carry.")
    total = mass.sum()
    mean = mass @ features / total
    centred = features - mean
    spread = np.sqrt(mass @ centred**2 / total)
    v = np.column_stack([np.ones(m), centred / np.where(spread > 0, spread, 1)])
    gram = (v * mass[:, None]).T @ v
    try:
        root = linalg.cholesky(gram, lower=True)
    except linalg.LinAlgError:
        root = np.zeros_like(gram)
    if np.diag(root).min() < COLLINEAR * np.sqrt(total):
        raise DesignError("the covariates explain each other.")
    back = linalg.solve_triangular(root, np.eye(p + 1), lower=True).T
    v = v @ back  # now the sum of mass v v' is one
    turned = v.T @ (weight * signal)
    value = back @ turned
    residual = weight * (signal - share * (v @ turned))
    if corrected:
        scores = adjusted(v, mass, residual, 1, cluster, units) / _factor(cluster)
    else:
        scores = summed(v * residual[:, None], cluster, units) * _factor(cluster)
    scores = scores @ back.T
    own = weight * (signal - value[0] * share) / total
    scores[:, 0] = summed(own[:, None], cluster, units)[:, 0] * _factor(cluster)
    scale = np.concatenate([[1.0], 1 / np.where(spread > 0, spread, 1)])
    most = np.full(p + 1, float(count - 1))
    if cluster is None:
        most[1:] = max(m - p - 1, 1)
    scores *= scale
    df = np.minimum(degrees(scores, arm_of_units(treated, cluster, units)), most)
    return Estimates(value * scale, scores, np.maximum(df, 1.0))


def arm_of_units(treated: np.ndarray, cluster: np.ndarray | None, units: int) -> np.ndarray:
    """Return the arm of each person, or cluster: 0, 1, or 2 of clusters with persons of both."""
    if cluster is None:
        return treated.astype(int)
    has = np.zeros((2, units), dtype=bool)
    has[0, cluster[~treated]], has[1, cluster[treated]] = True, True
    return np.where(has[0] & has[1], 2, has[1].astype(int))


def _factor(cluster: np.ndarray | None) -> float:
    if cluster is None:
        return 1.0
    g = len(np.unique(cluster))
    return float(np.sqrt(g / max(g - 1, 1)))
