"""The values of the columns of the persons, each column read once."""

from __future__ import annotations

import copy
import datetime
from collections.abc import Mapping

import numpy as np
import pandas as pd

from evaluate.data.codebook import Codebook, Judged, judge, load_codebook
from evaluate.data.days import completed, read_days
from evaluate.data.distinct import Distinct, distinct
from evaluate.data.joined import (
    AGE,
    AGE_AT_ZERO,
    AT_TIME_ZERO,
    DAYS_REGISTERED,
    TIME_ZERO,
    Joined,
)
from evaluate.data.readers.convert import Numbers, codes, missing, numbers
from evaluate.data.readers.dates import Dates
from evaluate.errors import DataError, EvaluateError, rows
from evaluate.plan.columns import Columns


def _whole(found: np.ndarray) -> np.ndarray:
    """Return whole numbers as codes, None where missing, shape (n,)."""
    text = pd.Series(found).astype("Int64").astype("str").astype(object)
    return text.where(~np.isnan(found), None).to_numpy()


def read_books(names: Mapping[str, str], faults: list[EvaluateError]) -> dict[str, Codebook]:
    """Read codebooks, each named for a column; those that are none go to the faults."""
    books = {}
    for column, name in names.items():
        try:
            books[column] = load_codebook(name)
        except EvaluateError as fault:
            if str(fault) not in map(str, faults):
                faults.append(fault)
    return books


class Values:
    """The columns of the persons, each read once; faults go to the shared list.

    What is returned has one value for each row of the participants, also where the column
    stands in the assignment table: then it is that of the person's offer. After `at` a person
    may have several rows, each with a time zero of its own.
    """

    def __init__(
        self,
        tables: Joined,
        columns: Columns,
        faults: list[EvaluateError],
        books: Mapping[str, Codebook] | None = None,
        extract_date: datetime.date | None = None,
        registered: str | None = None,
    ) -> None:
        self.tables = tables
        self.columns = columns
        self.faults = faults
        self.books = books or {}
        self.extract_date = extract_date
        self.registered = registered
        self.faulty: set[str] = set()
        self._distinct: dict[str, Distinct] = {}
        self._numbers: dict[str, Numbers] = {}
        self._codes: dict[str, np.ndarray] = {}
        self._judged: dict[str, Judged] = {}
        self._dates: dict[str, Dates] = {}
        self._row: np.ndarray | slice = slice(None)
        self._zero: np.ndarray | None = None

    def at(self, row: np.ndarray, zero: np.ndarray) -> Values:
        """Return the same columns for other rows, each followed from a day of its own.

        Parameters
        ----------
        row : ndarray of int, shape (m,)
            Position among the participants as received.
        zero : ndarray of datetime64[D], shape (m,)
            Time zero of each.
        """
        other = copy.copy(self)
        other._row, other._zero = row, zero
        return other

    def __len__(self) -> int:
        return len(np.arange(len(self.tables))[self._row])

    @property
    def zero(self) -> np.ndarray:
        """Time zero, the day from which months are counted; NaT where there is none, (n,)."""
        column = self.columns.day_zero
        if self._zero is not None:
            return self._zero
        if column is None:
            return np.full(len(self.tables), np.datetime64("NaT", "D"))
        return self.date(column)

    @property
    def source_row(self) -> np.ndarray:
        """Row of the participants as received, from 1, shape (n,)."""
        return np.arange(1, len(self.tables) + 1)[self._row]

    def absent(self, column: str) -> np.ndarray:
        """Return where a column is missing, shape (n,)."""
        if column == TIME_ZERO and self._is_of_zero(column):
            return np.isnat(self.zero)
        if column in self.books or self._is_derived(column) or self._is_of_zero(column):
            return pd.isna(self.code(column))
        text, place = self._cells(column)
        return self.tables.by_person(column, missing(text)[place], True)[self._row]

    def code(self, column: str) -> np.ndarray:
        """Return a column as codes, None where missing, shape (n,).

        Codes of a codebook are read as the groups that it puts them in.
        """
        if column == TIME_ZERO and self._is_of_zero(column):
            day = pd.Series(self.zero.astype("datetime64[D]").astype(str), dtype=object)
            return day.where(~np.isnat(self.zero), None).to_numpy()
        if self._is_of_zero(column):
            return _whole(self._since(column))
        return self._code(column)[self._row]

    def judged(self, column: str) -> Judged:
        """Return what the codebook of a column says of its codes."""
        self._code(column)
        judged = self._judged[column]
        value, unknown, outside = judged.value, judged.unknown, judged.outside
        return Judged(value[self._row], unknown[self._row], outside[self._row])

    def _code(self, column: str) -> np.ndarray:
        """Return a column as codes for the rows as received."""
        if column not in self._codes:
            if self._is_derived(column):
                found = _whole(self._age)
            else:
                text, place = self._cells(column)
                found = self.tables.by_person(column, codes(text)[place], None)
            if column in self.books:
                self._judged[column] = judge(found, self._days(), self.books[column])
                found = self._judged[column].value
            self._codes[column] = found
        return self._codes[column]

    def number(self, column: str) -> np.ndarray:
        """Return a column as floats, NaN where missing, shape (n,); a text is a fault."""
        if self._is_of_zero(column):
            return self._since(column)
        read = self._numbers_of(column)
        if read.not_numbers.any():
            self.fault(
                column,
                f"{rows(int(read.not_numbers.sum()))} with a text that is not a number. Mend the "
                "data, declare `decimal`, or for an outcome name the `event` that counts as 1",
            )
        if read.ambiguous:
            self.fault(
                column,
                "the comma may be a decimal mark or a mark of thousands in all "
                'rows that have one. Declare `decimal: ","` or `decimal: "."` in the plan',
            )
        return read.values[self._row]

    def as_numbers(self, column: str) -> Numbers:
        """Return a column as far as it is numbers, without a fault."""
        if self._is_of_zero(column):
            values = self._since(column)
            nowhere = np.zeros(len(values), dtype=bool)
            return Numbers(values, nowhere, nowhere)
        read = self._numbers_of(column)
        return Numbers(
            read.values[self._row],
            read.not_numbers[self._row],
            read.not_finite[self._row],
            read.ambiguous,
        )

    def _numbers_of(self, column: str) -> Numbers:
        """Return a column of the rows as received, as far as it is numbers."""
        if column not in self._numbers:
            if self._is_derived(column):
                nowhere = np.zeros(len(self.tables), dtype=bool)
                self._numbers[column] = Numbers(self._age, nowhere, nowhere)
            elif column in self.books:
                text = pd.Series(self._code(column), dtype="str").fillna("")
                self._numbers[column] = numbers(text)
            else:
                text, place = self._cells(column)
                read = numbers(text, self.tables.how(column).decimal)
                self._numbers[column] = Numbers(
                    self.tables.by_person(column, read.values[place], np.nan),
                    self.tables.by_person(column, read.not_numbers[place], False),
                    self.tables.by_person(column, read.not_finite[place], False),
                    read.ambiguous,
                )
        return self._numbers[column]

    def date(self, column: str) -> np.ndarray:
        """Return a column as days, NaT where missing or no date, shape (n,)."""
        if column == TIME_ZERO and self._is_of_zero(column):
            return self.zero
        return self._day(column).values[self._row]

    def not_date(self, column: str) -> np.ndarray:
        """Return where a column has a text that is no date, shape (n,)."""
        return self._day(column).not_dates[self._row]

    @property
    def age(self) -> np.ndarray:
        """The age at the offer in completed years, NaN where not known, shape (n,)."""
        return self._age[self._row]

    @property
    def _age(self) -> np.ndarray:
        born, offered = self.columns.born, self.columns.offered
        assert born is not None
        assert offered is not None
        return completed(self._day(born).values, self._day(offered).values, "years")

    def _cells(self, column: str) -> Distinct:
        if column not in self._distinct:
            self._distinct[column] = distinct(self.tables.cells(column))
        return self._distinct[column]

    def _is_derived(self, column: str) -> bool:
        """Return whether a column is worked out, as no raw table has it."""
        return column == AGE and not self.tables.has(AGE)

    def _is_of_zero(self, column: str) -> bool:
        """Return whether a column is worked out for each row from its time zero."""
        return column in AT_TIME_ZERO and not self.tables.has(column)

    def _since(self, column: str) -> np.ndarray:
        """Return what was gone by at time zero: years of age, days registered, shape (n,)."""
        start = {AGE_AT_ZERO: self.columns.born, DAYS_REGISTERED: self.registered}.get(column)
        zero = self.zero
        if start is None:
            return np.full(len(zero), np.nan)
        return completed(self.date(start), zero, "years" if column == AGE_AT_ZERO else "days")

    def _day(self, column: str) -> Dates:
        if column not in self._dates:
            read = read_days(self.tables, column, self.faults, column == self.columns.born)
            self._dates[column] = Dates(
                self.tables.by_person(column, read.values, np.datetime64("NaT")),
                self.tables.by_person(column, read.not_dates, False),
                read.form,
            )
        return self._dates[column]

    def _days(self) -> np.ndarray | None:
        """Return the day on which a code of each person counts: of the offer, or the last."""
        if self.columns.offered is not None:
            return self._day(self.columns.offered).values
        if self.extract_date is None:
            return None
        return np.full(len(self.tables), np.datetime64(self.extract_date))

    def fault(self, column: str, what: str) -> None:
        """Add a fault of a column to the shared list, once."""
        self.faulty.add(column)
        fault = f"{self.tables.path(column)}: column {column}: {what}."
        if fault not in map(str, self.faults):  # a column may be named twice
            self.faults.append(DataError(fault))
