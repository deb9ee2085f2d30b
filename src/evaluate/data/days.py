"""Days as the raw tables have them: of birth, offer, start and end; time gone by in between."""

from __future__ import annotations

import numpy as np
import pandas as pd

from evaluate.data.joined import Joined
from evaluate.data.readers.convert import missing
from evaluate.data.readers.dates import MONTHS, Dates, dates, months
from evaluate.data.registers.calendar import months_between
from evaluate.errors import DataError, EvaluateError

BORN = (1850, 2150)  # what can be the year of birth of a person in a register


def read_days(
    tables: Joined, column: str, faults: list[EvaluateError], is_birth: bool = False
) -> Dates:
    """Read a column as days, one for each row of the table that has it.

    A form of days that has to be declared, and texts of which none is a date, are faults.
    """
    text, declared = tables.cells(column), tables.how(column).dates
    where = f"{tables.path(column)}: column {column}"
    try:
        read = (births if is_birth else dates)(text, declared, where)
        if not read.not_dates.any() or not np.isnat(read.values).all():
            return read
        fault = DataError(
            f"{where}: nothing in it is a date. Is it the right column, and `dates` declared as "
            "the file writes a day?"
        )
    except DataError as error:
        nothing = np.full(len(text), np.datetime64("NaT", "D"))
        read, fault = Dates(nothing, np.zeros(len(text), dtype=bool), declared), error
    if str(fault) not in map(str, faults):
        faults.append(fault)
    return read


def births(text: pd.Series, declared: str = "auto", where: str = "") -> Dates:
    """Read a column with days, months (1980-05 or 198005) or years of birth.

    A month or a year counts from its first day: with a year of birth alone, the age is the
    one that a person reaches in the year of the offer.

    Parameters
    ----------
    text : Series of str, shape (n,)
        The cells. They are read in the way in which most of them can be.
    declared : str
        How the table writes a day.
    where : str
        File and column, for messages.
    """
    by_year, by_month = months(text, "year"), months(text, "month", declared)
    known_year, known_month = (~np.isnat(read.values) for read in (by_year, by_month))
    if known_year.sum() > known_month.sum():
        read = by_year
    elif by_month.form in MONTHS:
        read = by_month
    else:
        return dates(text, declared, where)
    year = read.values.astype("datetime64[Y]").astype(int) + 1970
    known = ~np.isnat(read.values) & (year >= BORN[0]) & (year <= BORN[1])
    first = np.where(known, read.values.astype("datetime64[D]"), np.datetime64("NaT", "D"))
    return Dates(first, ~missing(text) & ~known, read.form)


def completed(start: np.ndarray, end: np.ndarray, unit: str) -> np.ndarray:
    """Return how many whole units have gone by from one day to another.

    A month or a year is completed on the day with the same number, or on the last day of a
    month that does not have it: from 29 February to 28 February is a year, as in Swedish law
    (SFS 1930:173). Where the second day comes first, the number is negative: the greatest one
    that, added to the first day, does not go beyond the second.

    Parameters
    ----------
    start, end : ndarray of datetime64[D], shape (n,)
        NaT where not known.
    unit : {"years", "months", "days"}
        What is counted.

    Returns
    -------
    ndarray of float, shape (n,)
        NaN where one of the days is not known.
    """
    unknown = np.isnat(start) | np.isnat(end)
    first, last = (
        np.where(unknown, 0, d.astype("datetime64[D]").astype(int)) for d in (start, end)
    )
    count = last - first if unit == "days" else months_between(first, last)
    if unit == "years":
        count = count // 12
    return np.where(unknown, np.nan, count.astype(float))
