"""A path of effects along one line, the gap of two, and tests that it is zero."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy import sparse, stats

from evaluate.effects.observational.few_persons import (
    SINGULAR,
    degrees,
    hotelling,
    strata_of_clusters,
)
from evaluate.errors import DesignError
from evaluate.estimates import Estimates


@dataclass(frozen=True)
class Path:
    """Averages of effects, in order along one line.

    Attributes
    ----------
    at : ndarray of int, shape (m,)
        Months since the start, cohorts, or calendar months.
    estimates : Estimates
        m values, scores of shape (n, m) by persons, the estimated shares of the cohorts
        included. Zero with zero scores where the base is compared with itself.
    overall : Estimates
        One value: the average from the start on.
    before : ndarray of bool, shape (m,)
        Placebo effects: no effect may show yet.
    n_cohorts : ndarray of int, shape (m,)
        Cohorts averaged over.
    n_treated, n_control, n : ndarray of int, shape (m,)
        Persons of these cohorts with the months needed, those they are compared with, and both:
        one who is compared with before an own start is in either.
    sizes : tuple of int
        The same three of ``overall``.
    stratum : ndarray of int, shape (n,)
        Rows of the scores that are alike: month of start; None where few persons are not
        allowed for.
    """

    at: np.ndarray
    estimates: Estimates
    overall: Estimates
    before: np.ndarray
    n_cohorts: np.ndarray
    n_treated: np.ndarray
    n_control: np.ndarray
    n: np.ndarray
    sizes: tuple[int, int, int]
    stratum: np.ndarray | None

    def among(self, rows: np.ndarray, cluster: np.ndarray | None = None, units: int = 0) -> Path:
        """Return the same with scores by all persons, or clusters, of the study.

        Parameters
        ----------
        rows : ndarray of bool, shape (persons,)
            Who was in the group that was estimated; those outside have zero.
        cluster : ndarray of int, shape (persons,), optional
            Whose persons' scores are summed, times the root of G / (G - 1) of the G clusters
            that the group has persons in.
        units : int
            Number of clusters in the study.
        """
        found = [among(e, rows, cluster, units) for e in (self.estimates, self.overall)]
        stratum = None
        if self.stratum is not None and cluster is None:
            stratum = np.full(len(rows), -1)
            stratum[rows] = self.stratum
        elif self.stratum is not None and cluster is not None:
            stratum = strata_of_clusters(cluster[rows], self.stratum, units)
            found = [replace(e, df=degrees(e.scores, stratum)) for e in found]
        return replace(self, estimates=found[0], overall=found[1], stratum=stratum)

    def __sub__(self, other: Path) -> Path:
        """Return the differences where both have an effect: women less men.

        Both have scores by the same persons or clusters. ``overall`` is the difference of the
        two as they are, each over its own months. Counts are the sums, of cohorts the smaller.
        """
        at, i, j = np.intersect1d(self.at, other.at, return_indices=True)
        beside = self.estimates.pick(i) - other.estimates.pick(j)
        overall, stratum = self.overall - other.overall, None
        if self.stratum is not None and other.stratum is not None:
            pairs = np.column_stack([self.stratum, other.stratum])
            stratum = np.unique(pairs, axis=0, return_inverse=True)[1]
            beside = replace(beside, df=degrees(beside.scores, stratum))
            overall = replace(overall, df=degrees(overall.scores, stratum))
        return Path(
            at,
            beside,
            overall,
            self.before[i] & other.before[j],
            np.minimum(self.n_cohorts[i], other.n_cohorts[j]),
            self.n_treated[i] + other.n_treated[j],
            self.n_control[i] + other.n_control[j],
            self.n[i] + other.n[j],
            (
                self.sizes[0] + other.sizes[0],
                self.sizes[1] + other.sizes[1],
                self.sizes[2] + other.sizes[2],
            ),
            stratum,
        )


@dataclass(frozen=True)
class JointTest:
    """A test that several effects are all zero: Wald statistic, its rank, p-value."""

    statistic: float
    df: int
    p_value: float


def among(
    estimates: Estimates, rows: np.ndarray, cluster: np.ndarray | None = None, units: int = 0
) -> Estimates:
    """Return estimates of a group with scores by all persons, or sums by cluster, see `Path`."""
    if cluster is None:
        scores = np.zeros((len(rows), estimates.scores.shape[1]), order="F")
        scores[rows] = estimates.scores
        return Estimates(estimates.value, scores, estimates.df)
    own = cluster[rows]
    g = len(np.unique(own))
    size = np.full(len(own), np.sqrt(g / max(g - 1, 1)))
    people = sparse.csr_array((size, (own, np.arange(len(own)))), shape=(units, len(own)))
    df = np.full(len(estimates.value), max(g - 1.0, 1.0))
    return Estimates(estimates.value, np.asarray(people @ estimates.scores), df)


def pre_trend(
    estimates: Estimates, before: np.ndarray, stratum: np.ndarray | None = None
) -> JointTest:
    """Test that the placebo effects before the start are all zero.

    Parameters
    ----------
    estimates : Estimates
        Effects by cohort and month, or a path of them; scores by persons or clusters.
    before : ndarray of bool, shape (k,)
        Which are placebo effects: ``GroupTime.before`` or ``Path.before``.
    stratum : ndarray of int, shape (units,), optional
        Rows of the scores that are alike, where few persons are allowed for: ``Path.stratum``
        or ``GroupTime.started``.

    Returns
    -------
    JointTest
        As `joint_test`. Passing it does not show that trends are parallel.

    Raises
    ------
    DesignError
        If there is no placebo effect: one month alone before the first start.

    References
    ----------
    Callaway and Sant'Anna (2021), section 4; Roth (2022), Pretest with caution, American
    Economic Review: Insights 4(3).
    """
    chosen = np.flatnonzero(before & (estimates.variance > 0))
    if not len(chosen):
        raise DesignError("no month before the base: trends before the start cannot be tested.")
    return joint_test(estimates.pick(chosen), stratum)


def joint_test(estimates: Estimates, stratum: np.ndarray | None = None) -> JointTest:
    """Test that several effects are all zero.

    Parameters
    ----------
    estimates : Estimates
        k effects with standard errors. Those that others determine do not count.
    stratum : ndarray of int, shape (units,), optional
        Rows of the scores that are alike, from which degrees of freedom follow, see
        `few_persons.hotelling`; without them those of the estimates count.

    Returns
    -------
    JointTest
        The Wald statistic with p from Hotelling's distribution, chi square where degrees of
        freedom are many; p is NaN where they are fewer than the effects.

    References
    ----------
    Hotelling (1931), The generalization of Student's ratio, Annals of Mathematical
    Statistics 2(3).
    """
    if stratum is not None:
        statistic, rank, _, p = hotelling(estimates.value, estimates.scores, stratum)
        return JointTest(statistic, rank, p)
    error, df = estimates.std_error, float(estimates.df.min())
    size, direction = np.linalg.eigh(estimates.covariance / np.outer(error, error))
    known = size > SINGULAR * size[-1]
    rank = int(known.sum())
    z = (estimates.value / error) @ direction[:, known]
    statistic = float((z**2 / size[known]).sum())
    room = df - rank + 1
    p = stats.f.sf(statistic * room / (df * rank), rank, room) if room > 0 else np.nan
    return JointTest(statistic, rank, float(p))
