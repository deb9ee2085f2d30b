"""Days and months: which form a column writes them in, and what they are.

One column has one form. What is not written in it, or is no day of the calendar, is no date:
2019-02-30, two-digit years, 2019-1-5.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from evaluate.data.readers.convert import missing
from evaluate.errors import DataError, rows

# A form is a picture: Y, M and D are digits, any other character is itself.
ISO = "YYYY-MM-DD"
AMERICAN = "MM/DD/YYYY"
DAYS = (ISO, "YYYYMMDD", "DD/MM/YYYY", AMERICAN)
MONTHS = ("YYYY-MM", "YYYYMM", "YYYYmMM")
YEARS = ("YYYY",)
FORMATS = {
    ISO: "%Y-%m-%d", "YYYYMMDD": "%Y%m%d", "DD/MM/YYYY": "%d/%m/%Y", AMERICAN: "%m/%d/%Y",
    "YYYY-MM": "%Y-%m", "YYYYMM": "%Y%m", "YYYYmMM": "%Ym%m", "YYYY": "%Y",
}  # fmt: skip
TIME = r"[ T]([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9]([.,][0-9]+)?)?(Z|[+-][0-9]{2}:?[0-9]{2})?"


@dataclass(frozen=True)
class Dates:
    """A column read as days.

    Attributes
    ----------
    values : ndarray of datetime64[D], shape (n,)
        NaT where the cell is missing or no date.
    not_dates : ndarray of bool, shape (n,)
        Cells with a text that is no date.
    form : str
        The form of the column.
    """

    values: np.ndarray
    not_dates: np.ndarray
    form: str


@dataclass(frozen=True)
class Months:
    """A column read as months or years.

    Attributes
    ----------
    values : ndarray of datetime64[M], shape (n,)
        The month, or the first one of the year; NaT where missing or neither.
    not_months : ndarray of bool, shape (n,)
        Cells with a text that is no month, or no year.
    form : str
        The form of the column.
    """

    values: np.ndarray
    not_months: np.ndarray
    form: str


def date_form(texts: Iterable[str], declared: str = "auto", where: str = "") -> str:
    """Return the form that a column writes days in: the one that reads most of it.

    Parameters
    ----------
    texts : iterable of str
        The column, or some of it.
    declared : str
        The form that the plan declares; auto to find it.
    where : str
        File and column, for the message.

    Raises
    ------
    DataError
        If days are written with strokes and the second part is above 12: then the month may
        come first, which has to be declared.
    """
    if declared != "auto":
        return declared
    return _date_form(_Texts.of(pd.Series(list(texts), dtype="str")), where)


def _date_form(texts: _Texts, where: str) -> str:
    form, read = _form(texts, [form for form in DAYS if form != AMERICAN])
    if form == "DD/MM/YYYY" or not read:
        wrong = np.isnat(_read(texts.different, "DD/MM/YYYY"))
        above_12 = texts.count(wrong & ~np.isnat(_read(texts.different, AMERICAN)))
        if above_12:
            raise DataError(
                f"{where or 'a column of days'}: {rows(above_12)} with a month above 12, were "
                "they written as 31/12/2019. If the month comes first, declare "
                "`dates: MM/DD/YYYY`; if not, mend the data."
            )
    return form


def month_form(
    texts: Iterable[str], per: Literal["month", "year"] = "month", declared: str = "auto"
) -> str:
    """Return the form that a column writes months in (2019-01, 201901, 2019M01, a day) or years.

    Parameters
    ----------
    texts : iterable of str
        The column, or some of it.
    per : {"month", "year"}
        What the rows are of.
    declared : str
        The form of days that the plan declares, where months are written as days.
    """
    return _month_form(_Texts.of(pd.Series(list(texts), dtype="str")), per, declared)


def _month_form(texts: _Texts, per: str, declared: str) -> str:
    if per == "year":
        return _form(texts, YEARS)[0]
    days = [form for form in DAYS if form != AMERICAN] if declared == "auto" else [declared]
    return _form(texts, (*MONTHS, *days))[0]


def dates(text: pd.Series, declared: str = "auto", where: str = "") -> Dates:
    """Read a column as days.

    Parameters
    ----------
    text : Series of str, shape (n,)
        The cells.
    declared : str
        The form, or auto: see `date_form`.
    where : str
        File and column, for messages.
    """
    texts, absent = _Texts.of(text), missing(text)
    form = _date_form(texts, where) if declared == "auto" else declared
    values = _read(texts.different, form)[texts.which]
    return Dates(values, ~absent & np.isnat(values), form)


def months(
    text: pd.Series, per: Literal["month", "year"] = "month", declared: str = "auto"
) -> Months:
    """Read a column as months or years, see `month_form`."""
    texts, absent = _Texts.of(text), missing(text)
    form = _month_form(texts, per, declared)
    values = _read(texts.different, form)[texts.which]
    return Months(values.astype("datetime64[M]"), ~absent & np.isnat(values), form)


def sql_date(column: str, form: str) -> str:
    """Return a DuckDB expression of type DATE, NULL where a text is no date.

    It reads what `dates` reads.

    Parameters
    ----------
    column : str
        Name of a column of text, which is put in quotation marks here.
    form : str
        The form, of `date_form` or `month_form`; a month is its first day.
    """
    name = '"' + column.replace('"', '""') + '"'
    if form != ISO:
        return f"({_sql(f'lower({name})' if 'm' in form else name, form)})"
    return (
        f"(CASE WHEN strlen({name}) <= 10 THEN {_sql(name, ISO)} "
        f"WHEN regexp_full_match({name}, '.{{10}}{TIME}') "
        f"THEN {_sql(f'substr({name}, 1, 10)', ISO)} END)"
    )


def sql_month(column: str, form: str) -> str:
    """Return a DuckDB expression of type DATE, the first day of the month or year.

    Parameters
    ----------
    column : str
        Name of a column of text.
    form : str
        The form, of `month_form`.
    """
    return f"CAST(date_trunc('month', {sql_date(column, form)}) AS DATE)"


def _sql(text: str, form: str) -> str:
    """Return an expression that reads days, and none but in this very spelling."""
    read = f"try_strptime({text}, '{FORMATS[form]}')"
    same = f"strftime({read}, '{FORMATS[form]}') = {text}"
    return f"CASE WHEN {same} AND {read} >= '0001-01-01' THEN CAST({read} AS DATE) END"


@dataclass(frozen=True)
class _Texts:
    """The different texts of a column, each read once, and which of them a row has."""

    different: pa.Array
    which: np.ndarray

    @classmethod
    def of(cls, text: pd.Series) -> _Texts:
        cells = pa.array(text, pa.large_string())
        encoded = cells.dictionary_encode()
        if isinstance(encoded, pa.ChunkedArray):
            # Not pa.chunked_array([cells]), which would go through a list of Python's texts.
            encoded = encoded.unify_dictionaries().combine_chunks()
        return cls(encoded.dictionary, encoded.indices.to_numpy(zero_copy_only=False))

    def count(self, flags: np.ndarray) -> int:
        """Return how many rows have a text with a flag."""
        return int(flags[self.which].sum())


def _form(texts: _Texts, forms: Sequence[str]) -> tuple[str, int]:
    """Return the form that reads most rows, the first where several do, and how many."""
    read = [texts.count(~np.isnat(_read(texts.different, form))) for form in forms]
    best = int(np.argmax(read))
    return forms[best], read[best]


def _read(cells: pa.Array, form: str) -> np.ndarray:
    """Return days, shape (n,), NaT where a cell is not of the form or no day."""
    if form == ISO:
        cells = pc.replace_substring_regex(cells, f"^(.{{10}}){TIME}$", r"\1")
    if form == "YYYYmMM":
        cells = pc.ascii_lower(cells)
    fits = pc.equal(pc.binary_length(cells), len(form)).to_numpy(zero_copy_only=False)
    values = np.full(len(cells), np.datetime64("NaT", "D"))
    fitting = cells.filter(pa.array(fits))
    _, ends, data = fitting.buffers()
    if not len(fitting):
        return values
    start = np.frombuffer(ends, dtype=np.int64)[fitting.offset]
    characters = np.frombuffer(data, dtype=np.uint8)[start : start + len(fitting) * len(form)]
    values[fits] = _days(characters.reshape(-1, len(form)), form)
    return values


def _days(characters: np.ndarray, form: str) -> np.ndarray:
    """Return days from characters, shape (n, length of the form)."""
    is_right = np.ones(len(characters), dtype=bool)
    part = {letter: np.zeros(len(characters), dtype=np.int64) for letter in "YMD"}
    for character, letter in zip(characters.T, form, strict=True):
        if letter in part:
            digit = character - ord("0")  # wraps around below 0, to above 9
            is_right &= digit <= 9
            part[letter] = part[letter] * 10 + digit
        else:
            is_right &= character == ord(letter)
    month = part["M"] if "M" in form else np.ones_like(part["M"])
    day = part["D"] if "D" in form else np.ones_like(part["D"])
    is_right &= (part["Y"] >= 1) & (month >= 1) & (month <= 12) & (day >= 1) & (day <= 31)
    first = ((part["Y"] - 1970) * 12 + month - 1).astype("datetime64[M]")
    found = first.astype("datetime64[D]") + (day - 1)
    is_right &= found.astype("datetime64[M]") == first  # no 30 February
    return np.where(is_right, found, np.datetime64("NaT"))
