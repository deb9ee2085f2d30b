"""A linear estimate and the regression behind it: where all standard errors are made."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from evaluate.effects.clusters import bias_reduced, cluster_scores
from evaluate.effects.scores import robust_scores
from evaluate.errors import DesignError
from evaluate.estimates import Estimates

OF_CLUSTERS = ("CR0", "CR1", "CR2")


@dataclass(frozen=True)
class Errors:
    """Which standard errors to make.

    Attributes
    ----------
    kind : {"neyman", "classical", "HC0", "HC1", "HC2", "HC3", "CR0", "CR1", "CR2"}
        CR1 is Stata's, CR2 that of Bell and McCaffrey.
    cluster : ndarray of int, shape (n,), or None
        Cluster of each person of the regression.
    units : int
        Clusters of the study, not only of this regression.
    keep : bool
        Whether estimates keep the regression behind them, for a bootstrap.
    """

    kind: str = "HC2"
    cluster: np.ndarray | None = None
    units: int = 0
    keep: bool = False

    def of(self, rows: np.ndarray) -> Errors:
        """Return the same for some of the persons, by a mask of shape (n,)."""
        return self if self.cluster is None else replace(self, cluster=self.cluster[rows])


@dataclass(frozen=True)
class Regression:
    """A least-squares fit of k outcomes, after multiplication by the roots of the weights.

    Attributes
    ----------
    residual : ndarray, shape (n, k)
        Residuals times the roots.
    q : ndarray, shape (n, p)
        Orthonormal basis of the regressors, within each part.
    part : ndarray of int, shape (n,)
        Parts that share no parameter, from 0 on: arms, or cells of arm and block.
    pool : ndarray of int, shape (n,)
        Persons whose residuals stand in for each other where one is fitted exactly.
    weight : ndarray, shape (n,)
        Weights, above zero.
    parameters : int
        Parameters fitted in all parts, absorbed ones included.
    leverage : ndarray, shape (n,)
        Diagonal of the projection.
    """

    residual: np.ndarray
    q: np.ndarray
    part: np.ndarray
    pool: np.ndarray
    weight: np.ndarray
    parameters: int
    leverage: np.ndarray

    @property
    def df(self) -> int:
        """Persons less parameters."""
        return len(self.weight) - self.parameters


@dataclass(frozen=True)
class Linear:
    """k linear estimates, the regression behind them, and its clusters.

    Attributes
    ----------
    value : ndarray, shape (k,)
        The estimates.
    c : ndarray, shape (n,)
        Weight of each weighted outcome in them.
    fit : Regression
        What left the residuals.
    cluster : ndarray of int, shape (n,)
        Cluster of each person of the regression.
    """

    value: np.ndarray
    c: np.ndarray
    fit: Regression
    cluster: np.ndarray

    def pick(self, columns: slice | np.ndarray | list[int]) -> Linear:
        """Return some of the estimates."""
        fit = replace(self.fit, residual=self.fit.residual[:, columns])
        return replace(self, value=self.value[columns], fit=fit)

    def __sub__(self, other: Linear) -> Linear:
        """Return the difference of estimates from two regressions that share no person."""
        p = max(self.fit.q.shape[1], other.fit.q.shape[1])
        q, part = [
            np.concatenate(pair)
            for pair in (
                [np.pad(f.q, ((0, 0), (0, p - f.q.shape[1]))) for f in (self.fit, other.fit)],
                [self.fit.part, other.fit.part + self.fit.part.max() + 1],
            )
        ]
        fit = Regression(
            residual=np.concatenate([self.fit.residual, other.fit.residual]),
            q=q,
            part=part,
            pool=part,
            weight=np.concatenate([self.fit.weight, other.fit.weight]),
            parameters=self.fit.parameters + other.fit.parameters,
            leverage=np.concatenate([self.fit.leverage, other.fit.leverage]),
        )
        return Linear(
            self.value - other.value,
            np.concatenate([self.c, -other.c]),
            fit,
            np.concatenate([self.cluster, other.cluster]),
        )


def estimate(value: np.ndarray, c: np.ndarray, fit: Regression, errors: Errors) -> Estimates:
    """Give a linear estimate its scores.

    Parameters
    ----------
    value : ndarray, shape (k,)
        The estimates, ``c`` times the weighted outcomes.
    c : ndarray, shape (n,)
        Weight of each weighted outcome in them.
    fit : Regression
        What left the residuals.
    errors : Errors
        Which standard errors.

    Returns
    -------
    Estimates
        With a row of scores per person, or per cluster of the study. Degrees of freedom are
        persons less parameters; for CR0 and CR1 the clusters less one, for CR2
        Satterthwaite's.

    Raises
    ------
    DesignError
        If there are no more persons, or clusters, than parameters.
    """
    n, k = fit.residual.shape
    if fit.df < 1:
        raise DesignError(f"as many parameters as persons ({n}): name fewer covariates.")
    if errors.kind in OF_CLUSTERS:
        return _by_cluster(value, c, fit, errors)
    df = np.full(k, float(fit.df))
    if errors.kind == "classical":
        return Estimates(value, fit.residual * np.sqrt(c @ c / fit.df), df)
    scores = np.zeros((n, k))
    for pool in np.unique(fit.pool[c != 0]):
        rows = fit.pool == pool
        left = round(rows.sum() - fit.leverage[rows].sum())
        scores[rows] = robust_scores(
            c[rows], fit.residual[rows], fit.leverage[rows], left, errors.kind, n / fit.df
        )
    return Estimates(value, scores, df)


def _by_cluster(value: np.ndarray, c: np.ndarray, fit: Regression, errors: Errors) -> Estimates:
    cluster = errors.cluster
    assert cluster is not None
    n, k = fit.residual.shape
    clusters = len(np.unique(cluster))
    if clusters <= fit.parameters and not _is_saturated(fit):
        raise DesignError(
            f"{fit.parameters} parameters and {clusters} clusters: name fewer covariates."
        )
    root = np.sqrt(fit.weight)
    origin = Linear(value, c, fit, cluster) if errors.keep else None
    if errors.kind == "CR2":
        corrected, working = bias_reduced(
            root * c, fit.q, fit.weight, cluster, fit.part, errors.units
        )
        scores = cluster_scores(corrected / root, fit.residual, cluster, errors.units)
        return Estimates(value, scores, np.full(k, working.df), working, origin)
    scores = cluster_scores(c, fit.residual, cluster, errors.units)
    if errors.kind == "CR1":
        scores = scores * np.sqrt(clusters / (clusters - 1) * (n - 1) / fit.df)
    return Estimates(value, scores, np.full(k, clusters - 1.0), origin=origin)


def _is_saturated(fit: Regression) -> bool:
    """Tell whether nothing but means was fitted; their cells are counted elsewhere."""
    return fit.q.shape[1] == 1
