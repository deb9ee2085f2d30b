"""Effects by cohort and month, averaged: since the start, by cohort, by month, overall."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from evaluate.effects.observational.did import GroupTime
from evaluate.effects.observational.event_path import Path
from evaluate.effects.observational.few_persons import degrees
from evaluate.errors import DesignError
from evaluate.estimates import Estimates


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
    use = use[:, None] & (since[:, None] == at)
    path = _path(cells, at, use, at < -cells.anticipation)
    return _with_overall(
        cells, path, _mean(path.estimates.pick(at >= 0), path.stratum), use[:, at >= 0]
    )


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
    use = after[:, None] & (cells.cohort[:, None] == at)
    path = _path(cells, at, use)
    overall = _weighted(cells, path.estimates, at, np.ones((len(at), 1), dtype=bool))
    return _with_overall(cells, path, overall, use)


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
    use = after[:, None] & (cells.month[:, None] == at)
    path = _path(cells, at, use)
    return _with_overall(cells, path, _mean(path.estimates, path.stratum), use)


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


def _path(
    cells: GroupTime, at: np.ndarray, use: np.ndarray, before: np.ndarray | None = None
) -> Path:
    """Average the effects in each column of ``use`` (k, m); overall is the caller's."""
    estimates = _weighted(cells, cells.estimates, cells.cohort, use)
    n_treated, n_control, n = _persons(cells, use)
    cohorts = np.array([len(np.unique(cells.cohort[u])) for u in use.T])
    before = np.zeros(len(at), dtype=bool) if before is None else before
    before = before & (estimates.variance > 0)
    stratum = np.unique(cells.started, return_inverse=True)[1] if cells.small_sample else None
    return Path(
        at, estimates, estimates.pick([]), before, cohorts, n_treated, n_control, n, (0, 0, 0),
        stratum,
    )  # fmt: skip


def _with_overall(cells: GroupTime, path: Path, overall: Estimates, use: np.ndarray) -> Path:
    """Add the average of all effects in ``use`` (k, m), with the persons it rests on."""
    n_treated, n_control, n = _persons(cells, np.any(use, axis=1)[:, None])
    return replace(path, overall=overall, sizes=(int(n_treated[0]), int(n_control[0]), int(n[0])))


def _persons(cells: GroupTime, use: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Count the treated, controls and both that each column of ``use`` (k, m) rests on."""
    own = {g: np.packbits(cells.started == g) for g in np.unique(cells.cohort).tolist()}
    found = np.zeros((3, use.shape[1]), dtype=int)
    for j, column in enumerate(use.T):
        sides = np.zeros((2, cells.used.shape[1]), dtype=np.uint8)
        for i in np.flatnonzero(column):
            mine = own[int(cells.cohort[i])]
            sides |= cells.used[i] & np.stack([mine, ~mine])
        both = np.vstack([sides, sides[0] | sides[1]])
        found[:, j] = np.unpackbits(both, axis=1).sum(axis=1)
    return found[0], found[1], found[2]


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
    few = cells.small_sample
    return Estimates(
        value, scores, degrees(scores, code) if few else np.full(len(value), len(code) - 1.0)
    )


def _mean(estimates: Estimates, stratum: np.ndarray | None) -> Estimates:
    scores = estimates.scores.mean(axis=1, keepdims=True)
    df = estimates.df.min(keepdims=True) if stratum is None else degrees(scores, stratum)
    return Estimates(estimates.value.mean(keepdims=True), scores, df)
