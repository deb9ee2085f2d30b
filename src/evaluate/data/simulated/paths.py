"""Paths from state to state, month by month, both with and without taking part.

A path gives the state on a person's monthly days: the same day of the month as the offer, so
many months before or after it. Between two of them a person moves once at most, on a day that
is neither one of them nor near to it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from evaluate.data.simulated.persons import Persons
from evaluate.data.simulated.setting import (
    ABSENT,
    AFTER,
    BEFORE,
    EFFECT_MONTHS,
    EXTRACT,
    GRAIN,
    LEFT,
    NONE,
    OPEN,
    PROGRAMME,
    all_moves,
    group_of,
)

COLUMNS = BEFORE + 1 + AFTER


@dataclass(frozen=True)
class Paths:
    """States on the monthly days, shape (n, `COLUMNS`); column `BEFORE` is the offer's day.

    Attributes
    ----------
    without, with_offer : ndarray of int8
        What would have been without an offer, and with one. They are the same for who would
        not take part.
    """

    without: np.ndarray
    with_offer: np.ndarray

    def observed(self, persons: Persons) -> np.ndarray:
        """Return the paths that came about."""
        return np.where(persons.attended[:, None], self.with_offer, self.without)


def draw_paths(persons: Persons, rng: np.random.Generator) -> Paths:
    """Draw what would have been with and without an offer, from the same chances."""
    following = _following()
    count = len(persons)
    state = np.zeros((2, count), dtype=np.int32)
    paths = np.zeros((2, COLUMNS, count), dtype=np.int8)
    group = [group_of(phase, persons.gender, persons.level).astype(np.int32) for phase in range(3)]
    treated = np.where(persons.would_attend, group[2], group[1])
    for column in range(1, COLUMNS):
        chance = rng.integers(0, GRAIN, count, dtype=np.int32)
        month = column - BEFORE
        for arm in range(2):
            here = group[0] if month <= 0 else group[1]
            if arm and month in EFFECT_MONTHS:
                here = treated
            new = following[(here * (LEFT + 1) + state[arm]) * GRAIN + chance]
            if month <= 0:  # without a spell until registered
                new[column < persons.registered] = NONE
                new[column == persons.registered] = OPEN
            if month == 0:  # who is offered a place is registered
                new[(new < OPEN) | (new > PROGRAMME)] = OPEN
            state[arm] = new
            paths[arm, column] = new
    without, with_offer = (np.ascontiguousarray(p.T) for p in paths)
    return Paths(without, with_offer)


def _following() -> np.ndarray:
    """Return the next state for each group, state and chance in one flat array."""
    ends = all_moves().cumsum(axis=2)
    chance = np.arange(GRAIN)
    return (chance[None, None, :, None] >= ends[:, :, None, :]).sum(axis=3).astype(np.int8).ravel()


def monthly_day(offered: np.ndarray, month: np.ndarray | int) -> np.ndarray:
    """Return the day that lies months after the offer; offers are on days 3 to 26 of a month."""
    begins = offered.astype("datetime64[D]").astype("datetime64[M]")
    first = begins.astype("datetime64[D]").astype(np.int64)
    return (begins + month).astype("datetime64[D]").astype(np.int64) + (offered - first)


@dataclass(frozen=True)
class SpellRows:
    """Spells in the order of persons and days.

    Attributes
    ----------
    person, state : ndarray of int, shape (n,)
        Position of the person; position in `setting.STATES`.
    start, stop : ndarray of int, shape (n,)
        First and last day since 1970-01-01; `ABSENT` where the spell has not ended.
    """

    person: np.ndarray
    state: np.ndarray
    start: np.ndarray
    stop: np.ndarray


def spell_rows(path: np.ndarray, offered: np.ndarray, rng: np.random.Generator) -> SpellRows:
    """Write paths as spells.

    Parameters
    ----------
    path : ndarray of int8, shape (n, `COLUMNS`)
        States on the monthly days.
    offered : ndarray of int, shape (n,)
        Days of the offers.
    rng : Generator
        Draws the days of the moves.

    Returns
    -------
    SpellRows
        Those that begin by the extract date; what has not ended by then is open.
    """
    person, column = np.nonzero(path[:, 1:] != path[:, :-1])
    begins = offered.astype("datetime64[D]").astype("datetime64[M]")
    day_of_month = offered - begins.astype("datetime64[D]").astype(np.int64)
    months = np.arange(begins.min() - BEFORE, begins.max() + COLUMNS)
    first_days = months.astype("datetime64[D]").astype(np.int32)
    position = (begins - months[0]).astype(np.int32)
    start = first_days[position[person] + column - BEFORE] + day_of_month[person]
    start += rng.integers(4, 25, len(start))
    last = np.append(person[1:] != person[:-1], True)[: len(person)]
    stop = np.append(start[1:] - 1, ABSENT)[: len(start)]
    extract = EXTRACT.astype(np.int64)
    stop[last | (stop >= extract)] = ABSENT
    state = path[person, column + 1]
    kept = (state != NONE) & (start <= extract)
    return SpellRows(person[kept], state[kept], start[kept], stop[kept])
