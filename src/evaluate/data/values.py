"""The values of the columns of the persons, each column read once."""

from __future__ import annotations

import datetime
from collections.abc import Mapping

import numpy as np
import pandas as pd

from evaluate.data.codebook import Codebook, Judged, judge, load_codebook
from evaluate.data.days import completed, read_days
from evaluate.data.distinct import Distinct, distinct
from evaluate.data.joined import AGE, Joined
from evaluate.data.readers.convert import Numbers, codes, missing, numbers
from evaluate.data.readers.dates import Dates
from evaluate.errors import DataError, EvaluateError, rows
from evaluate.plan.columns import Columns


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
    stands in the assignment table: then it is that of the person's offer.
    """

    def __init__(
        self,
        tables: Joined,
        columns: Columns,
        faults: list[EvaluateError],
        books: Mapping[str, Codebook] | None = None,
        extract_date: datetime.date | None = None,
    ) -> None:
        self.tables = tables
        self.columns = columns
        self.faults = faults
        self.books = books or {}
        self.extract_date = extract_date
        self.faulty: set[str] = set()
        self._distinct: dict[str, Distinct] = {}
        self._numbers: dict[str, Numbers] = {}
        self._codes: dict[str, np.ndarray] = {}
        self._judged: dict[str, Judged] = {}
        self._dates: dict[str, Dates] = {}

    def absent(self, column: str) -> np.ndarray:
        """Return where a column is missing, shape (n,)."""
        if column in self.books or self._is_derived(column):
            return pd.isna(self.code(column))
        text, place = self._cells(column)
        return self.tables.by_person(column, missing(text)[place], True)

    def code(self, column: str) -> np.ndarray:
        """Return a column as codes, None where missing, shape (n,).

        Codes of a codebook are read as the groups that it puts them in.
        """
        if column not in self._codes:
            if self._is_derived(column):
                age = pd.Series(self.age).astype("Int64").astype("str")
                found = age.astype(object).where(~np.isnan(self.age), None).to_numpy()
            else:
                text, place = self._cells(column)
                found = self.tables.by_person(column, codes(text)[place], None)
            if column in self.books:
                self._judged[column] = judge(found, self._days(), self.books[column])
                found = self._judged[column].value
            self._codes[column] = found
        return self._codes[column]

    def judged(self, column: str) -> Judged:
        """Return what the codebook of a column says of its codes."""
        self.code(column)
        return self._judged[column]

    def number(self, column: str) -> np.ndarray:
        """Return a column as floats, NaN where missing, shape (n,); a text is a fault."""
        read = self.as_numbers(column)
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
        return read.values

    def as_numbers(self, column: str) -> Numbers:
        """Return a column as far as it is numbers, without a fault."""
        if column not in self._numbers:
            if self._is_derived(column):
                nowhere = np.zeros(len(self.tables), dtype=bool)
                self._numbers[column] = Numbers(self.age, nowhere, nowhere)
            elif column in self.books:
                text = pd.Series(self.code(column), dtype="str").fillna("")
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
        return self._day(column).values

    def not_date(self, column: str) -> np.ndarray:
        """Return where a column has a text that is no date, shape (n,)."""
        return self._day(column).not_dates

    @property
    def age(self) -> np.ndarray:
        """The age at the offer in completed years, NaN where not known, shape (n,)."""
        born, offered = self.columns.born, self.columns.offered
        assert born is not None
        assert offered is not None
        return completed(self.date(born), self.date(offered), "years")

    def _cells(self, column: str) -> Distinct:
        if column not in self._distinct:
            self._distinct[column] = distinct(self.tables.cells(column))
        return self._distinct[column]

    def _is_derived(self, column: str) -> bool:
        """Return whether a column is worked out, as no raw table has it."""
        return column == AGE and not self.tables.has(AGE)

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
            return self.date(self.columns.offered)
        if self.extract_date is None:
            return None
        return np.full(len(self.tables), np.datetime64(self.extract_date))

    def fault(self, column: str, what: str) -> None:
        """Add a fault of a column to the shared list, once."""
        self.faulty.add(column)
        fault = f"{self.tables.path(column)}: column {column}: {what}."
        if fault not in map(str, self.faults):  # a column may be named twice
            self.faults.append(DataError(fault))
