"""Faults in single rows: what each of them adds to a table, or changes in it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from evaluate.data.simulated.coded import (
    EMPTY_DAY,
    NEVER_DAY,
    NO_DAY,
    NO_DAY_EITHER,
    Coded,
    Keys,
    amount_texts,
    day,
    special_day,
)
from evaluate.data.simulated.identity import IDENTITY_NUMBERS
from evaluate.data.simulated.persons import SUN_LIST, Persons
from evaluate.data.simulated.setting import (
    COVERAGE,
    EXTRACT,
    HINDERED,
    KINDS,
    LEFT,
    OPEN,
    PROGRAMME,
)
from evaluate.data.simulated.tables import EXPIRED_CODE, FIRST_PERIOD, PERIODS, UNKNOWN_CODE

FIRST_COVERED = int(COVERAGE.astype(np.int64))
LAST_COVERED = int(EXTRACT.astype(np.int64))
PERIOD_COVERED = tuple(
    int((d.astype("datetime64[M]") - FIRST_PERIOD).astype(np.int64)) for d in (COVERAGE, EXTRACT)
)
Condition = Callable[[Coded, np.ndarray], np.ndarray]
DAY_COLUMNS = {"persons": "born", "assignment": "offered", "spells": "start", "activities": "date"}


@dataclass(frozen=True)
class Chosen:
    """A table and the rows of it that a fault starts from, one for each person.

    Attributes
    ----------
    table : str
        Its name.
    coded : Coded
        The table.
    rows : ndarray of int, shape (k,)
        Positions of the rows.
    who : ndarray of int, shape (k,)
        Positions of their persons.
    persons, keys : Persons, Keys
        All persons and their keys.
    rng : Generator
        Of this fault.
    """

    table: str
    coded: Coded
    rows: np.ndarray
    who: np.ndarray
    persons: Persons
    keys: Keys
    rng: np.random.Generator

    def up_to(self, low: int, high: int) -> np.ndarray:
        """Draw whole numbers, one for each row, both ends among them."""
        return self.rng.integers(low, high + 1, len(self.rows))

    def value(self, column: str) -> np.ndarray:
        """Return the positions that stand in the rows."""
        return self.coded.columns[column][self.rows]

    def repeated(self) -> Coded:
        """Return the table with a copy of each row at its end."""
        return self.coded.extended(self.coded.rows(self.rows))

    def added(self, **columns: np.ndarray | int) -> Coded:
        """Return the table with new rows at its end, like those chosen but for some columns."""
        extra = self.coded.rows(self.rows)
        if "record" in extra.columns:
            columns["record"] = len(self.coded) + np.arange(len(extra))
        return self.coded.extended(extra.changed(np.arange(len(extra)), **columns))

    def changed(self, **columns: np.ndarray | int) -> Coded:
        """Return the table with other positions in the rows."""
        return self.coded.changed(self.rows, **columns)


def _is_registered(spells: Coded, rows: np.ndarray) -> np.ndarray:
    return np.isin(spells.columns["state"][rows], (OPEN, HINDERED, PROGRAMME))


def _is_long(spells: Coded, rows: np.ndarray) -> np.ndarray:
    """Tell which spells have an end, ten days and another state below them."""
    columns = spells.columns
    length = columns["end"][rows] - columns["start"][rows]
    closed = columns["end"][rows] < special_day(EMPTY_DAY)
    return closed & (length >= 10) & (columns["state"][rows] != LEFT)


def _is_followed(spells: Coded, rows: np.ndarray) -> np.ndarray:
    """Tell which spells the next one of the same person follows at once."""
    following = np.minimum(rows + 1, len(spells) - 1)
    same = spells.person[following] == spells.person[rows]
    return same & (spells.columns["start"][following] == spells.columns["end"][rows] + 1)


def _duplicates(c: Chosen) -> Coded:
    return c.repeated()


def _overlaps(c: Chosen) -> Coded:
    is_registered = _is_registered(c.coded, c.rows)
    state = np.where(is_registered, LEFT, OPEN)
    return c.added(start=c.value("start") + 3, end=c.value("end") - 3, state=state)


def _negative_lengths(c: Chosen) -> Coded:
    return c.added(end=c.value("start") - c.up_to(1, 20))


def _open_ends(c: Chosen) -> Coded:
    never = np.arange(len(c.rows)) % 2
    return c.changed(end=np.where(never, special_day(NEVER_DAY), special_day(EMPTY_DAY)))


def _before_coverage(c: Chosen) -> Coded:
    if c.table == "incomes":
        return c.added(period=PERIOD_COVERED[0] - c.up_to(1, 12))
    start = FIRST_COVERED - c.up_to(100, 400)
    return _on_days(c, start, start + c.up_to(5, 60))


def _after_extract(c: Chosen) -> Coded:
    if c.table == "incomes":
        return c.added(period=PERIOD_COVERED[1] + c.up_to(1, 12))
    start = LAST_COVERED + c.up_to(1, 100)
    return _on_days(c, start, start + c.up_to(5, 60))


def _on_days(c: Chosen, start: np.ndarray, stop: np.ndarray) -> Coded:
    columns = {DAY_COLUMNS[c.table]: day(start)}
    if c.table == "spells":
        columns["end"] = day(stop)
    return c.added(**columns)


def _impossible_ages(c: Chosen) -> Coded:
    age = np.where(np.arange(len(c.rows)) % 2, 3, 125)
    return c.changed(born=day(c.persons.offered[c.who] - age * 366))


def _two_arms(c: Chosen) -> Coded:
    return c.added(arm=1 - c.value("arm"), offered=c.value("offered") + c.up_to(30, 90))


def _later_offers(c: Chosen) -> Coded:
    return c.added(offered=c.value("offered") + c.up_to(30, 90))


def _early_activities(c: Chosen) -> Coded:
    return c.added(date=day(c.persons.offered[c.who] - c.up_to(1, 90)))


def _unknown_codes(c: Chosen) -> Coded:
    if c.table == "activities":
        return c.added(kind=len(KINDS) + 1)
    if c.table == "persons":
        return c.changed(education=len(SUN_LIST) + 1)
    return c.changed(state=UNKNOWN_CODE)


def _expired_codes(c: Chosen) -> Coded:
    return c.added(kind=len(KINDS)) if c.table == "activities" else c.changed(state=EXPIRED_CODE)


def _unknown_persons(c: Chosen) -> Coded:
    return c.added(person=c.keys.unknown + c.who)


def _missing_keys(c: Chosen) -> Coded:
    return c.added(**{"old" if c.table == "keys" else "person": c.keys.empty})


def _unreadable_dates(c: Chosen) -> Coded:
    either = np.arange(len(c.rows)) % 2
    if c.table == "incomes":
        return c.added(period=PERIODS + either)
    no_day = np.where(either, special_day(NO_DAY_EITHER), special_day(NO_DAY))
    if c.table == "persons":
        return c.changed(born=no_day)
    return c.added(**{DAY_COLUMNS[c.table]: no_day})


def _key_conflicts(c: Chosen) -> Coded:
    old = c.keys.unknown + c.who
    return _two_key_rows(c, (old, c.who), (old, np.roll(c.who, 1)))


def _key_cycles(c: Chosen) -> Coded:
    one = c.keys.unknown + c.who
    other = one + c.keys.persons
    return _two_key_rows(c, (one, other), (other, one))


def _two_key_rows(c: Chosen, *pairs: tuple[np.ndarray, np.ndarray]) -> Coded:
    old, new = (np.concatenate(column) for column in zip(*pairs, strict=True))
    extra = Coded(np.tile(c.who, len(pairs)), {"old": old, "new": new}, c.coded.texts)
    return c.coded.extended(extra)


def _missing_gender(c: Chosen) -> Coded:
    return c.changed(sex=2)


def _unreadable_amounts(c: Chosen) -> Coded:
    return c.changed(amount=len(amount_texts()) - 1)


def _identity_numbers(c: Chosen) -> Coded:
    return c.changed(remark=2 + np.arange(len(c.rows)) % len(IDENTITY_NUMBERS))


PLANTERS: Mapping[str, Callable[[Chosen], Coded]] = {
    "duplicates": _duplicates,
    "overlaps": _overlaps,
    "negative_lengths": _negative_lengths,
    "open_ends": _open_ends,
    "before_coverage": _before_coverage,
    "after_extract": _after_extract,
    "impossible_ages": _impossible_ages,
    "two_arms": _two_arms,
    "later_offers": _later_offers,
    "early_activities": _early_activities,
    "unknown_codes": _unknown_codes,
    "expired_codes": _expired_codes,
    "unknown_persons": _unknown_persons,
    "missing_keys": _missing_keys,
    "unreadable_dates": _unreadable_dates,
    "key_conflicts": _key_conflicts,
    "key_cycles": _key_cycles,
    "missing_gender": _missing_gender,
    "unreadable_amounts": _unreadable_amounts,
    "identity_numbers": _identity_numbers,
}
# Which rows a fault can start from, where not every one will do.
CONDITIONS: Mapping[tuple[str, str], Condition] = {
    ("overlaps", "spells"): _is_long,
    ("open_ends", "spells"): _is_followed,
    ("unknown_codes", "spells"): _is_registered,
    ("expired_codes", "spells"): _is_registered,
}
# Rows that a run has to count for each person, where not one.
COUNTED_ROWS = {"two_arms": 2, "key_conflicts": 2, "key_cycles": 2}
