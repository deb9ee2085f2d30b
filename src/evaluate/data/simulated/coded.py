"""Tables as positions in lists of texts: quick to draw, to damage and to write."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from evaluate.data.simulated.setting import ABSENT

FIRST_DAY, LAST_DAY = np.datetime64("1885-01-01"), np.datetime64("2055-01-01")
# How a form puts year, month and day together.
DAY_FORMS = {"YYYY-MM-DD": r"\1-\2-\3", "YYYYMMDD": r"\1\2\3", "DD/MM/YYYY": r"\3/\2/\1"}
# Positions in a list of days after the days themselves: nothing, then `NOT_DAYS`.
EMPTY_DAY, NEVER_DAY, NO_DAY, NO_DAY_EITHER = range(4)
NOT_DAYS = {
    "YYYY-MM-DD": ("9999-12-31", "2018-02-31", "okänt"),
    "YYYYMMDD": ("99991231", "20180231", "okänt"),
    "DD/MM/YYYY": ("31/12/9999", "31/02/2018", "okänt"),
}
STEP = 37.5  # kronor between two amounts that are drawn
MOST = 80_000.0
BAD_AMOUNT = "12x50"


@dataclass(frozen=True)
class Coded:
    """A table, each of whose columns holds positions in a list of texts.

    Attributes
    ----------
    person : ndarray of int, shape (n,)
        Position of each row's person; rows of one person lie side by side.
    columns : mapping of str to ndarray of int, shape (n,)
        The columns, in the order of the file.
    texts : mapping of str to StringArray
        The texts of each column.
    """

    person: np.ndarray
    columns: Mapping[str, np.ndarray]
    texts: Mapping[str, pa.StringArray]

    def __len__(self) -> int:
        return len(self.person)

    def rows(self, chosen: np.ndarray) -> Coded:
        """Return the chosen rows."""
        columns = {name: values[chosen] for name, values in self.columns.items()}
        return replace(self, person=self.person[chosen], columns=columns)

    def extended(self, extra: Coded) -> Coded:
        """Return this table with the rows of another after its own."""
        columns = {n: np.concatenate([v, extra.columns[n]]) for n, v in self.columns.items()}
        person = np.concatenate([self.person, extra.person])
        return replace(self, person=person, columns=columns)

    def changed(self, rows: np.ndarray, **columns: np.ndarray | int) -> Coded:
        """Return this table with other positions in some rows."""
        made = dict(self.columns)
        for name, values in columns.items():
            made[name] = made[name].copy()
            made[name][rows] = values
        return replace(self, columns=made)

    def sorted_by(self, column: str) -> Coded:
        """Return this table in the order of a column of fewer than 65,536 texts."""
        return self.rows(np.argsort(self.columns[column].astype(np.uint16), kind="stable"))

    @property
    def table(self) -> pa.Table:
        """The texts."""
        names = list(self.columns)
        return pa.table([self.texts[n].take(pa.array(self.columns[n])) for n in names], names=names)


@cache
def day_texts(form: str) -> pa.StringArray:
    """Return the days from `FIRST_DAY` in a form, then nothing, then `NOT_DAYS`."""
    iso = pa.array(np.datetime_as_string(np.arange(FIRST_DAY, LAST_DAY)))
    days = pc.replace_substring_regex(iso, r"(\d+)-(\d+)-(\d+)", DAY_FORMS[form])
    return pa.concat_arrays([days, pa.array(["", *NOT_DAYS[form]])])


def day(days: np.ndarray) -> np.ndarray:
    """Return the positions of days since 1970-01-01; of `ABSENT` that of the empty text."""
    positions = days - int(FIRST_DAY.astype(np.int64))
    return np.where(days == ABSENT, special_day(EMPTY_DAY), positions).astype(np.int32)


def special_day(which: int) -> int:
    """Return the position of `EMPTY_DAY`, `NEVER_DAY`, `NO_DAY` or `NO_DAY_EITHER`."""
    return int((LAST_DAY - FIRST_DAY).astype(np.int64)) + which


@cache
def amount_texts() -> pa.StringArray:
    """Return amounts with a decimal comma in steps of `STEP`, then nothing, then no amount."""
    amounts = np.arange(0, MOST + STEP, STEP)
    return pa.array([*(f"{a:.2f}".replace(".", ",") for a in amounts), "", BAD_AMOUNT])


def amount(amounts: np.ndarray) -> np.ndarray:
    """Return the positions of the nearest amounts."""
    return np.rint(np.clip(amounts, 0, MOST) / STEP).astype(np.int32)


def texts(*values: object) -> pa.StringArray:
    """Return a list of texts."""
    return pa.array([str(value) for value in values], pa.string())


def numbered(prefix: str, numbers: np.ndarray, digits: int = 8) -> pa.StringArray:
    """Return texts such as SIM00000012, one for each number."""
    width = len(prefix) + digits
    letters = np.empty((len(numbers), width), dtype=np.uint8)
    letters[:, : len(prefix)] = np.frombuffer(prefix.encode("ascii"), dtype=np.uint8)
    for place in range(digits):
        letters[:, width - 1 - place] = 48 + numbers // 10**place % 10
    offsets = np.arange(0, width * (len(numbers) + 1), width, dtype=np.int32)
    return pa.StringArray.from_buffers(
        len(numbers), pa.py_buffer(offsets), pa.py_buffer(np.ascontiguousarray(letters))
    )


@dataclass(frozen=True)
class Keys:
    """The keys of some persons: their own, the two they had before, two of nobody each, none.

    Attributes
    ----------
    texts : StringArray
        All of them, in this order.
    persons : int
        How many persons there are.
    """

    texts: pa.StringArray
    persons: int

    @property
    def unknown(self) -> int:
        """Position of the first key that belongs to nobody; twice as many as persons follow."""
        return 3 * self.persons

    @property
    def empty(self) -> int:
        """Position of the key that is missing."""
        return 5 * self.persons


def keys_of(first: int, count: int) -> Keys:
    """Return the keys of persons by their number; no register has keys of this shape."""
    number = first + 1 + np.arange(count)
    prefixes: Sequence[str] = ("SIM", "TMP", "TMQ", "UNK", "UNL")
    parts = [numbered(prefix, number) for prefix in prefixes]
    return Keys(pa.concat_arrays([*parts, pa.array([""])]), count)
