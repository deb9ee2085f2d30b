"""An estimate is a value and its scores; everything else is arithmetic on the two."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from scipy import linalg, stats


@dataclass(frozen=True)
class Working:
    """Covariance of an estimate's scores under persons alike and independent: Satterthwaite's.

    It is ``diag(own) + basis @ core @ basis.T``, shape (units, units), held in parts.

    Attributes
    ----------
    own : ndarray, shape (units,)
        Each unit's part of its own.
    basis : ndarray, shape (units, m)
        Directions that units share through what was fitted.
    core : ndarray, shape (m, m)
        Symmetric.
    """

    own: np.ndarray
    basis: np.ndarray
    core: np.ndarray

    @property
    def df(self) -> float:
        """Degrees of freedom: squared trace over trace of the square.

        References
        ----------
        Bell and McCaffrey (2002), Bias reduction in standard errors for linear regression
        with multi-stage samples, Survey Methodology 28(2).
        """
        mixed = self.basis @ self.core
        diagonal = (mixed * self.basis).sum(axis=1)
        inner = self.basis.T @ mixed
        trace = self.own.sum() + diagonal.sum()
        square = (self.own**2).sum() + 2 * self.own @ diagonal + (inner * inner.T).sum()
        return float(trace**2 / square) if square > 0 else 0.0

    def times(self, factor: float) -> Working:
        """Return that of scores times the root of ``factor``."""
        return Working(self.own * factor, self.basis, self.core * factor)

    def __add__(self, other: Working) -> Working:
        """Return that of a sum or difference of two estimates from other persons."""
        basis = np.hstack([self.basis, other.basis])
        core = linalg.block_diag(self.core, other.core)
        return Working(self.own + other.own, basis, core)


@dataclass(frozen=True)
class Estimates:
    """k estimates that share their units.

    Attributes
    ----------
    value : ndarray, shape (k,)
        The estimates, each in the unit of its outcome.
    scores : ndarray, shape (units, k)
        One row per unit of the study: its persons, or the clusters that were assigned. Zero
        for those an estimate does not use, scaled so that ``scores.T @ scores`` is the
        covariance of the values.
    df : ndarray, shape (k,)
        Degrees of freedom of the t distribution that goes with each value.
    working : Working or None
        What the estimates' variance would be by design alone, for clusters.
    origin : object
        The regression behind the estimates, where a bootstrap of clusters asks for it.
    """

    value: np.ndarray
    scores: np.ndarray
    df: np.ndarray
    working: Working | None = None
    origin: Any = None

    @property
    def covariance(self) -> np.ndarray:
        """Covariance of the values, shape (k, k)."""
        return self.scores.T @ self.scores

    @cached_property
    def variance(self) -> np.ndarray:
        """Variances of the values, shape (k,)."""
        return np.einsum("ij,ij->j", self.scores, self.scores)

    @cached_property
    def std_error(self) -> np.ndarray:
        """Standard errors of the values, shape (k,)."""
        return np.sqrt(self.variance)

    @cached_property
    def p_value(self) -> np.ndarray:
        """Two-sided p-values of no effect from t with ``df``, shape (k,)."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return 2 * stats.t.sf(np.abs(self.value / self.std_error), self.df)

    def interval(self, level: float) -> tuple[np.ndarray, np.ndarray]:
        """Return the lower and upper ends of the ``level`` confidence intervals."""
        margin = stats.t.ppf((1 + level) / 2, self.df) * self.std_error
        return self.value - margin, self.value + margin

    def covers(self, truth: float | np.ndarray, level: float) -> np.ndarray:
        """Tell for each value whether its interval holds the truth."""
        low, high = self.interval(level)
        return (low <= truth) & (truth <= high)

    def detectable(self, level: float, power: float = 0.8) -> np.ndarray:
        """Return the smallest true effects found significant with the given power.

        References
        ----------
        Bloom (1995), Minimum detectable effects, Evaluation Review 19(5).
        """
        multiple = stats.t.ppf((1 + level) / 2, self.df) + stats.t.ppf(power, self.df)
        return multiple * self.std_error

    def __sub__(self, other: Estimates) -> Estimates:
        """Return the differences; persons may be shared, wholly or in part.

        The degrees of freedom are Satterthwaite's for a sum of two variances, from the design
        where both come with their working covariance; both may not rest on the same persons.
        """
        scores = self.scores - other.scores
        if self.working and other.working:
            working = self.working + other.working
            df = np.full(len(self.df), working.df)
            return Estimates(self.value - other.value, scores, df, working)
        v, w = self.variance, other.variance
        with np.errstate(divide="ignore", invalid="ignore"):
            df = (v + w) ** 2 / (v**2 / self.df + w**2 / other.df)
        df = np.where(np.isfinite(df), df, np.minimum(self.df, other.df))
        return Estimates(self.value - other.value, scores, df)

    def over(self, other: Estimates) -> Estimates:
        """Return the ratios with their delta-method scores.

        Reliable where ``other`` is far from zero in its own standard errors; for an
        interval that holds without that, see `evaluate.fieller`.
        """
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = self.value / other.value
            scores = (self.scores - ratio * other.scores) / other.value
        same = self.working is not None and np.ptp(other.value) == 0
        working = self.working.times(other.value[0] ** -2) if same and self.working else None
        return Estimates(ratio, scores, np.minimum(self.df, other.df), working)

    def pick(self, columns: slice | np.ndarray | list[int]) -> Estimates:
        """Return some of the estimates, in the order asked for."""
        origin = self.origin.pick(columns) if self.origin else None
        return Estimates(
            self.value[columns], self.scores[:, columns], self.df[columns], self.working, origin
        )
