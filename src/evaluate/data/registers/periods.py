"""Calendar months and years of incomes, and amounts laid out by them.

A period is a number: months since January 1970, or the year.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
import pyarrow as pa

from evaluate.data.people import People
from evaluate.data.readers.convert import codes, missing
from evaluate.data.readers.dates import dates, month_form
from evaluate.data.registers.calendar import FIRST, LAST
from evaluate.data.registers.columns import by_text
from evaluate.plan.model import Plan
from evaluate.plan.outcomes import Outcome
from evaluate.plan.sources import Incomes

Per = Literal["month", "year"]
STEP = {"month": 1, "year": 12}
RANGE = np.array([FIRST, LAST]).astype("datetime64[D]")  # what a register can hold


@dataclass
class PeriodColumn:
    """Months or years in the one form that the column is written in.

    Attributes
    ----------
    per : {"month", "year"}
        The length of a period.
    dates : str
        How the plan says that days are written, for months written as days.
    form : str
        The form, once the first rows have shown it.
    """

    per: Per
    dates: str = "auto"
    form: str = ""

    def read(self, column: pa.Array) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return periods, which are missing, which are none; shape (n,)."""

        def periods(texts: pd.Series) -> tuple[np.ndarray, ...]:
            absent = missing(texts)
            plain = (
                pd.Series(codes(texts), dtype=object).fillna("").astype("str")
            )  # 2019 for 2019.0
            if not self.form and not absent.all():
                self.form = month_form(plain[~absent], self.per, self.dates)
            first_day = dates(plain, self.form or "YYYY").values
            known = ~np.isnat(first_day) & (first_day >= RANGE[0]) & (first_day < RANGE[1])
            number = period_of(np.where(known, first_day, RANGE[0]), self.per)
            return number, absent, ~absent & ~known

        period, absent, wrong = by_text(column, periods)
        return period, absent, wrong


def period_of(day: np.ndarray, per: Per) -> np.ndarray:
    """Return the period that each day lies in, shape (n,)."""
    if per == "year":
        return day.astype("datetime64[Y]").astype(np.int32) + 1970
    return day.astype("datetime64[M]").astype(np.int32)


def covered_periods(section: Incomes, plan: Plan) -> tuple[int, int]:
    """Return the first and the last period all of whose days are covered."""
    first, last = plan.data.coverage_of(section), plan.data.extract_of(section)
    begin = np.datetime64(first or FIRST, "D")
    after = np.datetime64(last or LAST - 1, "D") + 1
    # The period before the one of the day before the first is over by then.
    day_before = np.array([begin - 1])
    return (
        int(period_of(day_before, section.per)[0]) + 1,
        int(period_of(np.array([after]), section.per)[0]) - 1,
    )


@dataclass(frozen=True)
class Laid:
    """An amount by person and period.

    Attributes
    ----------
    zero : ndarray of int, shape (n,)
        The period of each person's day zero.
    first : int
        Periods from that one to the first column.
    values : ndarray, shape (n, periods)
        Sums; NaN where the period is not known.
    """

    zero: np.ndarray
    first: int
    values: np.ndarray

    def put(self, place: np.ndarray, period: np.ndarray, amount: np.ndarray) -> None:
        """Set what persons had in periods; those beyond the columns are left out."""
        column = period - self.zero[place] - self.first
        inside = (column >= 0) & (column < self.values.shape[1])
        self.values[place[inside], column[inside]] = amount[inside]


def laid_out(
    outcomes: Sequence[Outcome], people: People, per: Per, covered: tuple[int, int]
) -> Laid:
    """Lay out the periods that outcomes ask for: 0 where they are covered, else missing.

    Parameters
    ----------
    outcomes : sequence of Outcome
        Those with one column of the incomes.
    people : People
        The persons.
    per : {"month", "year"}
        The length of a period.
    covered : (int, int)
        First and last period covered.
    """
    first = min(first_period(outcome, per) for outcome in outcomes)
    last = max((outcome.months or (0, 0))[1] // STEP[per] for outcome in outcomes)
    day_zero = people.day_zero[people.kept]
    absent = np.isnat(day_zero)
    zero = period_of(np.where(absent, np.datetime64(0, "D"), day_zero), per)
    values = np.zeros((len(zero), last - first + 1), order="F")
    for i in range(values.shape[1]):
        period = zero + first + i
        values[absent | (period < covered[0]) | (period > covered[1]), i] = np.nan
    return Laid(zero, first, values)


def first_period(outcome: Outcome, per: Per) -> int:
    """Return the first period that an outcome rests on; what is cumulated begins after 0."""
    return 1 if outcome.measure == "cumulated" else (outcome.months or (0, 0))[0] // STEP[per]


def outcome_columns(name: str, outcome: Outcome, laid: Laid, per: Per) -> dict[str, np.ndarray]:
    """Return an outcome by the names of `Outcome.expand`, each of shape (n,).

    What is cumulated is missing where any period of it is.
    """
    first = first_period(outcome, per)
    values = laid.values[:, first - laid.first :]
    if outcome.measure == "cumulated":
        values = np.cumsum(values, axis=1)
    return {
        column.name: values[:, (column.month or 0) // STEP[per] - first]
        for column in outcome.expand(name)
        if (column.month or 0) % STEP[per] == 0
    }
