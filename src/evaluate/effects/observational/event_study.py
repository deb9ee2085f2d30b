"""Effects by cohort and month, averaged: since the start, by cohort, by month, overall."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy import stats

from evaluate.effects.observational.did import GroupTime
from evaluate.errors import DesignError
from evaluate.estimates import Estimates

SINGULAR = 1e-10  # of the greatest eigenvalue of a correlation


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
    n_cohorts, n_treated : ndarray of int, shape (m,)
        Cohorts averaged over, and the persons in them.
    """

    at: np.ndarray
    estimates: Estimates
    overall: Estimates
    before: np.ndarray
    n_cohorts: np.ndarray
    n_treated: np.ndarray

    def among(self, rows: np.ndarray) -> Path:
        """Return the same with scores by all persons, those outside a group having zero.

        Parameters
        ----------
        rows : ndarray of bool, shape (persons,)
            Who was in the group that was estimated.
        """
        return replace(
            self,
            estimates=among(self.estimates, rows),
            overall=among(self.overall, rows),
        )

    def __sub__(self, other: Path) -> Path:
        """Return the differences where both have an effect: women less men.

        Both have scores by the same persons. ``overall`` is the difference of the two as they
        are, each over its own months; the counts are of the smaller.
        """
        at, i, j = np.intersect1d(self.at, other.at, return_indices=True)
        return Path(
            at,
            self.estimates.pick(i) - other.estimates.pick(j),
            self.overall - other.overall,
            self.before[i] & other.before[j],
            np.minimum(self.n_cohorts[i], other.n_cohorts[j]),
            np.minimum(self.n_treated[i], other.n_treated[j]),
        )


@dataclass(frozen=True)
class JointTest:
    """A test that several effects are all zero: Wald statistic, its rank, p-value."""

    statistic: float
    df: int
    p_value: float


def among(estimates: Estimates, rows: np.ndarray) -> Estimates:
    """Return estimates of a group with scores by all persons, shape (persons, k)."""
    scores = np.zeros((len(rows), estimates.scores.shape[1]), order="F")
    scores[rows] = estimates.scores
    return Estimates(estimates.value, scores, estimates.df)


def event_study(cells: GroupTime, balance: int | None = None) -> Path:
    """Average effects by months since the start, cohorts weighted by their size.

    Parameters
    ----------
    cells : GroupTime
        Effects by cohort and month.
    balance : int, optional
        Take only the cohorts that are followed for this many months after the start, and no
        later months, so that from the start on all values are of the same persons.

    Returns
    -------
    Path
        By months since the start, 0 being the month of start; ``overall`` is the mean of
        the values from 0 on.

    Raises
    ------
    DesignError
        If no cohort is followed for ``balance`` months.

    References
    ----------
    Callaway and Sant'Anna (2021), section 3.1.
    """
    since = cells.month - cells.cohort
    use = np.ones(len(since), dtype=bool)
    if balance is not None:
        followed = cells.cohort[since == balance]
        use = np.isin(cells.cohort, followed) & (since <= balance)
        if not len(followed):
            raise DesignError(f"no cohort is followed for {balance} months: ask for fewer.")
    at = np.unique(since[use])
    path = _path(cells, at, use[:, None] & (since[:, None] == at), at < -cells.anticipation)
    return replace(path, overall=_mean(path.estimates.pick(at >= 0)))


def by_cohort(cells: GroupTime) -> Path:
    """Average effects by cohort, over the months from its start on.

    Parameters
    ----------
    cells : GroupTime
        Effects by cohort and month.

    Returns
    -------
    Path
        By month of start; ``overall`` weights the cohorts by their size, so that it is the
        average effect on a person who starts.

    References
    ----------
    Callaway and Sant'Anna (2021), section 3.1.
    """
    after = cells.month >= cells.cohort
    at = np.unique(cells.cohort[after])
    path = _path(cells, at, after[:, None] & (cells.cohort[:, None] == at))
    overall = _weighted(cells, path.estimates, at, np.ones((len(at), 1), dtype=bool))
    return replace(path, overall=overall)


def by_month(cells: GroupTime) -> Path:
    """Average effects by calendar month, cohorts that have started weighted by their size.

    Parameters
    ----------
    cells : GroupTime
        Effects by cohort and month.

    Returns
    -------
    Path
        By calendar month; ``overall`` is the mean of the values.

    References
    ----------
    Callaway and Sant'Anna (2021), section 3.1.
    """
    after = cells.month >= cells.cohort
    at = np.unique(cells.month[after])
    path = _path(cells, at, after[:, None] & (cells.month[:, None] == at))
    return replace(path, overall=_mean(path.estimates))


def overall(cells: GroupTime) -> Estimates:
    """Average all effects from the start on, a month of a large cohort counting for more.

    Parameters
    ----------
    cells : GroupTime
        Effects by cohort and month.

    Returns
    -------
    Estimates
        One value. Cohorts that start early have more months in it; `by_cohort` gives the
        average over persons.
    """
    after = cells.month >= cells.cohort
    return _weighted(cells, cells.estimates, cells.cohort, after[:, None])


def pre_trend(estimates: Estimates, before: np.ndarray) -> JointTest:
    """Test that the placebo effects before the start are all zero.

    Parameters
    ----------
    estimates : Estimates
        Effects by cohort and month, or a path of them; scores by persons or clusters.
    before : ndarray of bool, shape (k,)
        Which are placebo effects: ``GroupTime.before`` or ``Path.before``.

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
    return joint_test(estimates.pick(chosen))


def joint_test(estimates: Estimates) -> JointTest:
    """Test that several effects are all zero.

    Parameters
    ----------
    estimates : Estimates
        k effects with standard errors. Those that others determine do not count.

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
    error, df = estimates.std_error, float(estimates.df.min())
    size, direction = np.linalg.eigh(estimates.covariance / np.outer(error, error))
    known = size > SINGULAR * size[-1]
    rank = int(known.sum())
    z = (estimates.value / error) @ direction[:, known]
    statistic = float((z**2 / size[known]).sum())
    room = df - rank + 1
    p = stats.f.sf(statistic * room / (df * rank), rank, room) if room > 0 else np.nan
    return JointTest(statistic, rank, float(p))


def _path(
    cells: GroupTime, at: np.ndarray, use: np.ndarray, before: np.ndarray | None = None
) -> Path:
    """Average the effects in each column of ``use`` (k, m); overall is the caller's."""
    estimates = _weighted(cells, cells.estimates, cells.cohort, use)
    treated = np.array([np.isin(cells.started, cells.cohort[u]).sum() for u in use.T])
    cohorts = np.array([len(np.unique(cells.cohort[u])) for u in use.T])
    before = np.zeros(len(at), dtype=bool) if before is None else before
    before = before & (estimates.variance > 0)
    return Path(at, estimates, estimates.pick([]), before, cohorts, treated)


def _weighted(
    cells: GroupTime, effects: Estimates, cohort: np.ndarray, use: np.ndarray
) -> Estimates:
    """Average effects (k) on cohorts, by the cohorts' sizes, over each column of ``use`` (k, m).

    The sizes are estimated, too: one person more in cohort g moves an average by the difference
    between g's effects and the average, over the sum of sizes.
    """
    levels, code = np.unique(cells.started, return_inverse=True)
    place = np.searchsorted(levels, cohort)
    size = np.bincount(code, cells.weight)[place][:, None] * use
    total = size.sum(axis=0)
    value = effects.value @ size / total
    pull = np.zeros((len(levels), use.shape[1]))
    np.add.at(pull, place, use * (effects.value[:, None] - value) / total)
    scores = effects.scores @ (size / total)
    scores += cells.weight[:, None] * pull[code]
    return Estimates(value, scores, np.full(len(value), len(code) - 1.0))


def _mean(estimates: Estimates) -> Estimates:
    return Estimates(
        estimates.value.mean(keepdims=True),
        estimates.scores.mean(axis=1, keepdims=True),
        estimates.df.min(keepdims=True),
    )
