"""Outcomes by month: in which state a person is, for how many days, since when."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from evaluate.data.registers.calendar import add_months, months_between
from evaluate.data.registers.episodes import OPEN, Spells
from evaluate.plan.outcomes import Outcome


@dataclass(frozen=True)
class Window:
    """The months of some persons, and which of them the register covers.

    Attributes
    ----------
    zero : ndarray of int, shape (n,)
        Day zero; any day where it is absent.
    absent : ndarray of bool, shape (n,)
        Persons without a day zero.
    months : range
        The months.
    edge : ndarray of int, shape (n, len(months) + 1)
        The first day of each month, and of the one after the last.
    first_day, last_day : int
        What the register covers.
    """

    zero: np.ndarray
    absent: np.ndarray
    months: range
    edge: np.ndarray
    first_day: int
    last_day: int

    @property
    def last(self) -> np.ndarray:
        """The last day of each month, shape (n, months)."""
        return self.edge[:, 1:] - 1

    @property
    def observed(self) -> np.ndarray:
        """Whether the last day of the month is covered, shape (n, months)."""
        covered = (self.last <= self.last_day) & (self.last >= self.first_day)
        return covered & ~self.absent[:, None]

    @property
    def observed_whole(self) -> np.ndarray:
        """Whether all days of the month are covered, shape (n, months)."""
        return self.observed & (self.edge[:, :-1] >= self.first_day)

    @property
    def observed_since(self) -> np.ndarray:
        """Whether all days from day zero to the end of the month are covered."""
        return self.observed & (self.zero >= self.first_day)[:, None]


def window(zero: np.ndarray, months: range, first_day: int, last_day: int) -> Window:
    """Lay out the months of persons.

    Parameters
    ----------
    zero : ndarray of datetime64[D], shape (n,)
        Day zero, NaT where it is absent.
    months : range
        The months; month 1 begins on day zero.
    first_day, last_day : int
        What the register covers, in days since 1970-01-01.
    """
    absent = np.isnat(zero)
    day = np.where(absent, 0, zero.astype(np.int64)).astype(np.int32)
    steps = np.arange(months.start - 1, months.stop)
    edge = np.empty((len(day), len(steps)), dtype=np.int32, order="F")
    for i, m in enumerate(steps):
        edge[:, i] = add_months(day, int(m))
    return Window(day, absent, months, edge, first_day, last_day)


def state_at(spells: Spells, place: np.ndarray, at: Window) -> np.ndarray:
    """Return the code on the last day of each month, plus 1; 0 where there is no spell.

    Parameters
    ----------
    spells : Spells
        No two of a person's share a day.
    place : ndarray of int, shape (spells,)
        Row of each spell's person in ``at``.
    at : Window
        The months.

    Returns
    -------
    ndarray of uint16, shape (n, months)
    """
    zero = at.zero[place]
    low = np.maximum(months_between(zero, spells.start) + 1, at.months.start)
    high = np.minimum(months_between(zero, spells.stop + 1), at.months.stop - 1)
    row, month = _spread(low, high)
    state = np.zeros((len(at.zero), len(at.months)), dtype=np.uint16, order="F")
    state[place[row], month - at.months.start] = spells.code[row] + 1
    return state


def days_in(spells: Spells, place: np.ndarray, at: Window) -> np.ndarray:
    """Return the days of each month that lie in the spells, shape (n, months).

    Parameters
    ----------
    spells : Spells
        Those of the states that count.
    place : ndarray of int, shape (spells,)
        Row of each spell's person in ``at``.
    at : Window
        The months.
    """
    zero = at.zero[place]
    low = np.maximum(months_between(zero, spells.start) + 1, at.months.start)
    high = np.minimum(months_between(zero, spells.stop) + 1, at.months.stop - 1)
    row, month = _spread(low, high)
    who, column = place[row], month - at.months.start
    first = np.maximum(spells.start[row], at.edge[who, column])
    last = np.minimum(spells.stop[row], at.edge[who, column + 1] - 1)
    cell = column.astype(np.int64) * len(at.zero) + who
    days = np.bincount(cell, weights=last - first + 1, minlength=at.edge[:, 1:].size)
    return days.astype(np.uint8).reshape(len(at.months), -1).T


def first_entry(spells: Spells, place: np.ndarray, at: Window) -> np.ndarray:
    """Return the first day from day zero on in one of the spells, `OPEN` where there is none."""
    since = spells.stop >= at.zero[place]
    entry = np.full(len(at.zero), OPEN, dtype=np.int32)
    day = np.maximum(spells.start, at.zero[place])
    np.minimum.at(entry, place[since], day[since])
    return entry


def _spread(low: np.ndarray, high: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return each row once for each month from ``low`` to ``high``, and those months."""
    width = np.maximum(high - low + 1, 0)
    row = np.repeat(np.arange(len(width)), width)
    start = np.cumsum(width) - width
    return row, np.arange(len(row)) - start[row] + low[row]


def outcome_columns(
    outcomes: Mapping[str, Outcome],
    members: Mapping[str, np.ndarray],
    spells: Spells,
    place: np.ndarray,
    at: Window,
    state: np.ndarray,
) -> dict[str, pa.Array]:
    """Return the columns of the outcomes that come from spells.

    Parameters
    ----------
    outcomes : mapping of str to Outcome
        Those that name ``spells``.
    members : mapping of str to ndarray of bool, shape (codes,)
        For each outcome, the codes that count.
    spells, place, at
        As for `state_at`.
    state : ndarray, shape (n, months)
        From `state_at`.

    Returns
    -------
    dict of str to Array, shape (n,)
        By the names of `Outcome.expand`; null where the month is not observed.
    """
    columns: dict[str, pa.Array] = {}
    for name, outcome in outcomes.items():
        values, observed = _measured(outcome, members[name], spells, place, at, state)
        for column in outcome.expand(name):
            i = _month(column.month) - at.months.start
            columns[column.name] = pa.array(values[:, i], mask=~observed[:, i])
    return columns


def _measured(
    outcome: Outcome,
    member: np.ndarray,
    spells: Spells,
    place: np.ndarray,
    at: Window,
    state: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Return an outcome in all months of the window, and where it is observed."""
    if outcome.measure in ("at", "cumulated"):
        in_state = np.append(False, member)[state]
        if outcome.measure == "at":
            return in_state.astype(np.uint8), at.observed
        since = np.array(at.months) >= 1
        return np.cumsum(in_state & since, axis=1, dtype=np.uint16), at.observed_since
    own = member[spells.code]
    chosen, who = spells.where(own), place[own]
    if outcome.measure == "days":
        return days_in(chosen, who, at), at.observed_whole
    entry = first_entry(chosen, who, at)
    if outcome.measure == "entered":
        return (entry[:, None] <= at.last).astype(np.uint8), at.observed_since
    waited = np.minimum(entry[:, None], at.edge[:, 1:]) - at.zero[:, None]
    return np.maximum(waited, 0).astype(np.uint16), at.observed_since


def _month(month: int | None) -> int:
    assert month is not None
    return month


def all_months(outcomes: Sequence[Outcome]) -> range:
    """Return the months from the first to the last that any of the outcomes asks for."""
    spans = [o.months for o in outcomes if o.months]
    # What is cumulated is counted from month 1 on.
    since = [1 for o in outcomes if o.measure == "cumulated"]
    return range(min([s[0] for s in spans] + since), max(s[1] for s in spans) + 1)
