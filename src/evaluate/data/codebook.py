"""What a code of a register means on a day; what is unknown or outside its period is counted."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from evaluate.plan.closed import code_text
from evaluate.plan.codebook import CodebookFile, Match, Status
from evaluate.plan.config import Language
from evaluate.plan.load import load_codebook_file

BEGIN, END = (np.datetime64(d, "D").astype(np.int64) for d in ("0001-01-01", "9999-12-31"))
DAYS = END - BEGIN + 2  # one more than there are, for a day that is not known


@dataclass(frozen=True)
class Codebook:
    """The codes of one column, each with the periods in which it has a meaning.

    Attributes
    ----------
    name : str
        The file's name, without its suffix.
    status : {"documented", "to_be_confirmed"}
        Whether a user has to confirm it, which the report then says.
    match : {"whole", "first"}
        Whether the whole value is the code, or its first character.
    file : CodebookFile
        Titles, sources and labels.
    codes : ndarray of str, shape (k,)
        The codes, each once.
    owner : ndarray of int64, shape (p,)
        For each period, the position of its code; in order of code, then of time.
    first, last : ndarray of datetime64[D], shape (p,)
        First and last day of each period.
    value : ndarray of str, shape (p,)
        What the code is read as: its group, or itself where it has none.
    """

    name: str
    status: Status
    match: Match
    file: CodebookFile
    codes: np.ndarray
    owner: np.ndarray
    first: np.ndarray
    last: np.ndarray
    value: np.ndarray


@dataclass(frozen=True)
class Judged:
    """Codes as a codebook reads them.

    Attributes
    ----------
    value : ndarray of object, shape (n,)
        Group, or the code itself where it has none; None where the code is missing,
        unknown or outside its periods.
    unknown : ndarray of bool, shape (n,)
        Codes that are not in the codebook. A missing code is not unknown.
    outside : ndarray of bool, shape (n,)
        Codes that are in the codebook, but not on that day.
    """

    value: np.ndarray
    unknown: np.ndarray
    outside: np.ndarray


def load_codebook(name: str) -> Codebook:
    """Read a codebook: the study's own ``config/codebooks/NAME.yaml``, or the one shipped.

    Raises
    ------
    PlanError
        If there is none of that name, with the nearest one.
    Problems
        With one `PlanError` for each fault of the file: file, line, key, what is allowed.
    """
    return codebook_of(name, load_codebook_file(name))


def codebook_of(name: str, file: CodebookFile) -> Codebook:
    """Arrange the entries of a codebook as arrays."""
    entries = sorted(file.codes, key=lambda entry: (entry.text, entry.first))
    codes = sorted({entry.text for entry in entries})
    place = {code: at for at, code in enumerate(codes)}
    return Codebook(
        name=name,
        status=file.status,
        match=file.match,
        file=file,
        codes=np.array(codes, dtype=object),
        owner=np.array([place[entry.text] for entry in entries], dtype=np.int64),
        first=np.array([entry.first for entry in entries], dtype="datetime64[D]"),
        last=np.array([entry.last for entry in entries], dtype="datetime64[D]"),
        value=np.array([entry.group or entry.text for entry in entries], dtype=object),
    )


def judge(codes: np.ndarray, days: np.ndarray | None, book: Codebook) -> Judged:
    """Read codes with a codebook.

    Parameters
    ----------
    codes : ndarray of str, shape (n,)
        The codes, None where missing.
    days : ndarray of datetime64[D], shape (n,), or None
        The day of each code; without one (None, NaT) periods are not judged and the latest
        meaning counts.
    book : Codebook
        The codebook.
    """
    number, texts = pd.factorize(codes)
    return judge_numbered(number, np.asarray(texts, dtype=object), days, book)


def judge_numbered(
    number: np.ndarray, texts: np.ndarray, days: np.ndarray | None, book: Codebook
) -> Judged:
    """Read codes that are numbered already, as `judge` does.

    Parameters
    ----------
    number : ndarray of int, shape (n,)
        Position of each code in ``texts``, -1 where it is missing.
    texts : ndarray of str, shape (m,)
        The different codes.
    days, book
        As for `judge`.
    """
    place = {code: at for at, code in enumerate(book.codes)}
    spelled = (code_text(text) for text in texts)
    found = [place.get(t[:1] if book.match == "first" else t, -1) for t in spelled]
    code = np.array([*found, -1], dtype=np.int64)[number]
    is_known = code >= 0
    # A period is found by its code and first day at once; the last one before a day is it.
    day = np.full(len(code), DAYS - 1) if days is None else _day_number(days)
    starts = book.owner * DAYS + _day_number(book.first)
    period = np.searchsorted(starts, np.where(is_known, code, 0) * DAYS + day, side="right") - 1
    inside = is_known & (book.owner[period] == code) & (_day_number(book.first)[period] <= day)
    inside &= (day == DAYS - 1) | (day <= _day_number(book.last)[period])
    value = np.full(len(code), None, dtype=object)
    value[inside] = book.value[period[inside]]
    return Judged(value, (number >= 0) & ~is_known, is_known & ~inside)


def periods(book: Codebook) -> pd.DataFrame:
    """Return the periods of a codebook as a small table, to be joined in a database.

    A row per code and period: ``code`` and ``value`` as text, ``valid_from`` and
    ``valid_to``, both days included, as datetime64[s]. With ``book.match == "first"`` it is
    the first character of a value that is joined.
    """
    return pd.DataFrame(
        {
            "code": book.codes[book.owner],
            "valid_from": book.first.astype("datetime64[s]"),
            "valid_to": book.last.astype("datetime64[s]"),
            "value": book.value,
        }
    )


def labels(book: Codebook, language: Language) -> dict[str, str]:
    """Return the label of every code, in its latest meaning, and of every group."""
    entries = sorted(book.file.codes, key=lambda entry: entry.first)
    found = {entry.text: str(getattr(entry, language)) for entry in entries}
    groups = {name: str(getattr(text, language)) for name, text in book.file.groups.items()}
    return found | groups


def _day_number(days: np.ndarray) -> np.ndarray:
    """Return days since year 1; one beyond all days where there is none."""
    number = np.clip(days.astype("datetime64[D]").astype(np.int64), BEGIN, END) - BEGIN
    return np.where(np.isnat(days), DAYS - 1, number)
