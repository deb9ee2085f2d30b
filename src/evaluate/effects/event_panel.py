"""Outcomes counted from each person's time zero, laid out by calendar month."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

QUARTER = 3
ENOUGH = 0.8  # of those who start, in cohorts that can be estimated


@dataclass(frozen=True)
class Panel:
    """One outcome by calendar month.

    Attributes
    ----------
    y : ndarray, shape (n, T)
        The outcome in months that somebody is observed in, NaN where a person is not.
    when : ndarray of int, shape (T,)
        Ascending numbers of these months, above 0.
    cohort : ndarray of int, shape (n,)
        Month of start on the same scale, which may lie before the first of them; 0 for never.
    step : int
        Months that one value stands for.
    """

    y: np.ndarray
    when: np.ndarray
    cohort: np.ndarray
    step: int


def calendar_panel(
    y: np.ndarray,
    months: Sequence[int],
    zero: np.ndarray,
    started: np.ndarray,
    step: int = 1,
) -> Panel:
    """Lay out an outcome by calendar month.

    Month m of a person is the calendar month in which it begins: m - 1 after that of time zero.
    With a step, values are means over so many calendar months, of persons observed in as many of
    them as anybody is.

    Parameters
    ----------
    y : ndarray, shape (n, k)
        The outcome in k months counted from time zero, NaN where missing.
    months : sequence of int, length k
        These months; month 1 begins on day zero.
    zero : ndarray of int, shape (n,)
        Calendar month of time zero, any count of months.
    started : ndarray, shape (n,)
        Month of start in the same count: that of time zero, and the whole months from there to
        the start. NaN for never.
    step : int
        Months that are joined: 3 for quarters of the calendar, where the count begins with a
        January.

    Returns
    -------
    Panel
    """
    place = (zero[:, None] + np.asarray(months) - 1) // step
    starts = np.floor_divide(started, step)
    first = int(min(place.min(), np.nanmin(starts, initial=np.inf)))
    length = int(place.max()) - first + 1
    rows = np.broadcast_to(np.arange(len(y))[:, None], place.shape)
    known = ~np.isnan(y)
    at = (rows[known], place[known] - first)
    total, count = np.zeros((len(y), length)), np.zeros((len(y), length), dtype=np.int32)
    np.add.at(total, at, y[known])
    np.add.at(count, at, 1)
    most = count.max(axis=0, initial=0)
    seen = most > 0
    whole = (count == most)[:, seen]
    value = np.where(whole, total[:, seen] / most[seen], np.nan)
    when = 1 + step * np.flatnonzero(seen)
    cohort = np.where(np.isnan(starts), 0, 1 + step * (np.nan_to_num(starts) - first)).astype(int)
    return Panel(value, when, cohort, step)


def step_for(started: np.ndarray, groups: Sequence[np.ndarray], fewest: int) -> int:
    """Return by how many months starts are joined into cohorts: one, or quarters.

    Quarters, where months leave more than a fifth of those of a group who start in cohorts that
    are too small, and quarters do not.

    Parameters
    ----------
    started : ndarray, shape (n,)
        Month of start, in a count that begins with a January; NaN for never.
    groups : sequence of ndarray of bool, shape (n,)
        All, women, men.
    fewest : int
        Persons in a cohort that can be estimated.
    """
    for group in groups:
        own = started[group & ~np.isnan(started)]
        by_month, by_quarter = (_in_large(own // step, fewest) for step in (1, QUARTER))
        if by_month < ENOUGH <= by_quarter:
            return QUARTER
    return 1


def _in_large(cohort: np.ndarray, fewest: int) -> float:
    """Return the share of persons in cohorts that are large enough."""
    size = np.unique(cohort, return_counts=True)[1]
    return float(size[size >= fewest].sum() / max(size.sum(), 1))
