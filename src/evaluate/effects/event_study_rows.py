"""Rows of the event study: from effects by cohort and month to the table's numbers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from evaluate.effects.bands import band, critical_value
from evaluate.effects.observational.did import GroupTime
from evaluate.effects.observational.event_path import Path, among, pre_trend
from evaluate.effects.observational.event_study import by_cohort, by_month, event_study
from evaluate.effects.observational.few_persons import degrees, strata_of_clusters
from evaluate.errors import DesignError
from evaluate.estimates import Estimates
from evaluate.notes import joined, note
from evaluate.study import GAP

Row = dict[str, object]
Group = tuple[GroupTime, np.ndarray]  # effects, and who of the study's persons are in them


def empty_row(reason: str, group: str = "all") -> Row:
    """Return the row of a group that has no estimates."""
    return {"group": group, "kind": "overall", "note": reason}


def rows_of(
    cells: GroupTime,
    group: str,
    cluster: np.ndarray | None,
    units: int,
    rows: np.ndarray,
    notes: Sequence[str],
    level: float,
    rng: np.random.Generator,
) -> Iterator[Row]:
    """Yield the rows of one group.

    Parameters
    ----------
    cells : GroupTime
        Effects by cohort and month.
    group : str
        Its name.
    cluster, units : ndarray of int, shape (persons,), or None; int
        Cluster of each person of the study; number of rows of scores.
    rows : ndarray of bool, shape (persons,)
        Who is in the group.
    notes : sequence of str
        What was done that a reader must know.
    level : float
        Of intervals and bands.
    rng : Generator
        Draws of the band.
    """
    first = _first(cells)
    yield from ({"group": group} | row for row in _group_time(cells, cluster, units, rows, level))
    paths = {k: p.among(rows, cluster, units) for k, p in _paths(cells).items()}
    for row in _averages(paths, first, notes, level, rng):
        yield {"group": group} | row


def rows_of_gap(
    women: Group,
    men: Group,
    cluster: np.ndarray | None,
    units: int,
    notes: Sequence[str],
    level: float,
    rng: np.random.Generator,
) -> Iterator[Row]:
    """Yield the rows of women's effects less men's, where both have them.

    Parameters
    ----------
    women, men : (GroupTime, ndarray)
        Effects and persons of each, on one scale of months.
    cluster, units, notes, level, rng
        As in `rows_of`.
    """
    paths = [
        {k: p.among(rows, cluster, units) for k, p in _paths(cells).items()}
        for cells, rows in (women, men)
    ]
    gap = {kind: paths[0][kind] - paths[1][kind] for kind in paths[0]}
    first = min(_first(women[0]), _first(men[0]))
    for row in _averages(gap, first, notes, level, rng):
        yield {"group": GAP} | row


def _paths(cells: GroupTime) -> dict[str, Path]:
    return {"event": event_study(cells), "cohort": by_cohort(cells), "calendar": by_month(cells)}


def _first(cells: GroupTime) -> int:
    """Return the month of the first start."""
    return int(cells.started[cells.started > 0].min())


def _group_time(
    cells: GroupTime,
    cluster: np.ndarray | None,
    units: int,
    rows: np.ndarray,
    level: float,
) -> Iterator[Row]:
    """Yield effects by cohort and calendar month, and those that cannot be estimated."""
    estimates, first = cells.estimates, _first(cells)
    if cluster is not None:
        stratum = np.unique(cells.started, return_inverse=True)[1]
        estimates = among(estimates, rows, cluster, units)
        units_of = strata_of_clusters(cluster[rows], stratum, units)
        estimates = Estimates(
            estimates.value, estimates.scores, degrees(estimates.scores, units_of)
        )
    found: list[tuple[int, int, Row]] = []
    numbers = _numbers(estimates, level)
    for i in np.flatnonzero(cells.month != cells.base):
        g, t = int(cells.cohort[i]), int(cells.month[i])
        sizes = cells.n_treated[i], cells.n_control[i]
        counts = {"n": sum(sizes), "n_treated": sizes[0], "n_control": sizes[1]}
        found.append((g, t, numbers[i] | counts | {"note": ""}))
    for omitted in cells.omitted:
        t = cells.started.max() + 1 if omitted.month is None else omitted.month
        found.append((omitted.cohort, int(t), {"note": omitted.reason}))
    alone = {o.cohort for o in cells.omitted if o.month is None}
    for g, t, row in sorted(found, key=lambda f: f[:2]):
        month = None if g in alone else t - first + 1
        yield {"kind": "group_time", "cohort": g - first + 1, "month": month} | row


def _averages(
    paths: dict[str, Path],
    first: int,
    notes: Sequence[str],
    level: float,
    rng: np.random.Generator,
) -> Iterator[Row]:
    """Yield the averages along all three lines, the overall one, and the test before the start."""
    event = paths["event"]
    critical = critical_value(event.estimates, level, rng)
    low, high = band(event.estimates, critical)
    most = int(event.n_cohorts.max())
    numbers = _numbers(event.estimates, level)
    for i, at in enumerate(event.at.tolist()):
        row: Row = {"kind": "event", "month": at + 1} | _counts(event, i)
        if event.estimates.variance[i] > 0:
            row |= numbers[i]
            row |= {"band_low": low[i], "band_high": high[i], "critical": critical, "note": ""}
            if event.n_cohorts[i] < most:
                row["note"] = note("some_cohorts", n=event.n_cohorts[i], all=most)
        else:
            row |= {"estimate": event.estimates.value[i], "note": note("base_month")}
        yield row
    for kind, name in (("cohort", "cohort"), ("calendar", "month")):
        path = paths[kind]
        numbers = _numbers(path.estimates, level)
        for i, at in enumerate(path.at.tolist()):
            place: Row = {"kind": kind, name: at - first + 1, "note": ""}
            yield place | numbers[i] | _counts(path, i)
    of_persons = paths["cohort"]
    behind = dict(zip(("n_treated", "n_control", "n"), of_persons.sizes, strict=True))
    said = joined(list(notes))
    yield {"kind": "overall", "note": said} | _numbers(of_persons.overall, level)[0] | behind
    yield {"kind": "pre_trend"} | _pre_trend(event)


def _pre_trend(event: Path) -> Row:
    """Return the test that all effects before the start are zero, with its smallest basis."""
    try:
        test = pre_trend(event.estimates, event.before, event.stratum)
    except DesignError:
        return {"note": note("no_pre_trend")}
    row: Row = {"statistic": test.statistic, "df": test.df, "p_value": test.p_value, "note": ""}
    if np.isnan(test.p_value):
        row |= {"statistic": np.nan, "note": note("few_for_test")}
    before = np.flatnonzero(event.before)
    least = before[np.argmin(np.minimum(event.n_treated, event.n_control)[before])]
    return row | _counts(event, int(least))


def _counts(path: Path, i: int) -> Row:
    return {"n": path.n[i], "n_treated": path.n_treated[i], "n_control": path.n_control[i]}


def _numbers(estimates: Estimates, level: float) -> list[Row]:
    """Return estimate, error, interval and p-value of each; what does not vary has no error."""
    low, high = estimates.interval(level)
    moves = estimates.variance > 0
    columns = {
        "std_error": estimates.std_error,
        "conf_low": low,
        "conf_high": high,
        "p_value": estimates.p_value,
    }
    told: dict[str, np.ndarray] = {k: np.where(moves, v, np.nan) for k, v in columns.items()}
    told = {"estimate": estimates.value} | told
    return [{k: float(v[i]) for k, v in told.items()} for i in range(len(estimates.value))]
