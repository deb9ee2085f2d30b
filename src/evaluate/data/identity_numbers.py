"""Personal identity numbers: cells shaped like one, and whether that may be accident."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

# Year, month, day (coordination numbers add 60 to it), three digits that are not 000, a check
# digit. Letters, digits and decimal marks at either end make it a part of something else.
_DAY = r"(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01]|6[1-9]|[78]\d|9[01])"
_SERIAL = r"(?:[1-9]\d\d|0[1-9]\d|00[1-9])\d"
_YEAR = r"(?:18|19|20)\d\d"
_DASHES = r"\x{2010}-\x{2015}\x{2212}"  # what word processors make of a hyphen
WRITTEN = (
    r"(?:^|^[.,]|[^\pL\pN_.,]|[^\pN][.,])"
    rf"(?:(?:{_YEAR}|\d\d){_DAY}[-+{_DASHES}]{_SERIAL}|{_YEAR}{_DAY}{_SERIAL})"
    r"(?:[.,]0*)?(?:$|[^\pL\pN_.,])"
)
DIGITS = r"^\d{10}(?:\d\d)?(?:[.,]0+)?$"
CHANCE = 0.03  # of 10 or 12 digits: more of them alike is no accident
CHECKED = 0.25  # of dates among ten digits a check digit fits one in ten by accident
ROWS = 250_000  # at a time
CLOCK = 20  # so many numbers that all end in a time of day are times, not persons


@dataclass(frozen=True)
class IdentityCounts:
    """How many cells of a column are shaped like a personal identity number.

    Attributes
    ----------
    written : int
        Cells that hold one with a hyphen or plus, or twelve digits within a longer text.
    twelve, twelve_like, twelve_clock, twelve_checked : int
        Cells of twelve digits; those shaped like one; of these, those whose end may be a
        time of day, and those whose check digit fits.
    ten, ten_dated, ten_like : int
        Cells of ten digits; those that begin with a date; those whose check digit fits, too.
    """

    written: int = 0
    twelve: int = 0
    twelve_like: int = 0
    twelve_clock: int = 0
    twelve_checked: int = 0
    ten: int = 0
    ten_dated: int = 0
    ten_like: int = 0

    def __add__(self, other: IdentityCounts) -> IdentityCounts:
        """Return the counts of two parts of one column."""
        names = [field.name for field in fields(self)]
        return IdentityCounts(*(getattr(self, n) + getattr(other, n) for n in names))

    @property
    def rows(self) -> int:
        """Rows to report: 0 where what is alike may be accident.

        Ten and twelve digits may be amounts, times or numbers of cases that happen to look
        alike, so they count only where they are more than accident explains.
        """
        are_times = (
            self.twelve_like >= CLOCK
            and self.twelve_clock == self.twelve_like
            and self.twelve_checked < self.twelve_like / 2
        )
        by_twelve = self.twelve_like > CHANCE * self.twelve and not are_times
        by_ten = self.ten_like > max(CHANCE * self.ten, CHECKED * self.ten_dated)
        return self.written + by_twelve * self.twelve_like + by_ten * self.ten_like


def identity_like(text: pd.Series | pa.Array | pa.ChunkedArray) -> np.ndarray:
    """Return which cells hold something shaped like a personal identity number, shape (n,).

    Swedish identity and coordination numbers: ``YYMMDD-NNNN``, ``YYMMDD+NNNN``,
    ``YYYYMMDD-NNNN`` and ``YYYYMMDDNNNN``, also within a text; ``YYMMDDNNNN`` alone and with
    a check digit that fits; the latter two also as a decimal number, ``YYYYMMDDNNNN.0``.

    Parameters
    ----------
    text : Series or Array of str, shape (n,)
        The cells.
    """
    found = [np.zeros(0, dtype=bool)]
    for part in _parts(text):
        like = np.zeros(len(part), dtype=bool)
        shapes = _Shapes(part)
        like[shapes.written] = True
        like[shapes.twelve[shapes.is_twelve_like]] = True
        like[shapes.ten[shapes.is_ten_like]] = True
        found.append(like)
    return np.concatenate(found)


def identity_counts(text: pd.Series | pa.Array | pa.ChunkedArray) -> IdentityCounts:
    """Count the cells that `identity_like` finds, by their shapes."""
    total = IdentityCounts()
    for part in _parts(text):
        total = total + _Shapes(part).counts()
    return total


def _parts(text: pd.Series | pa.Array | pa.ChunkedArray) -> Iterator[pa.Array]:
    """Give a column in parts that the processor's cache has room for."""
    if isinstance(text, pd.Series):
        text = pa.array(text, type=pa.large_string(), from_pandas=True)
    for chunk in text.chunks if isinstance(text, pa.ChunkedArray) else [text]:
        for start in range(0, len(chunk), ROWS):
            yield chunk.slice(start, ROWS).cast(pa.large_string())


class _Shapes:
    """Positions of the cells of each shape; most cells are set aside by their length."""

    def __init__(self, cells: pa.Array) -> None:
        length = pc.fill_null(pc.binary_length(cells), 0).to_numpy(zero_copy_only=False)
        ten = np.flatnonzero(length == 10)
        for position in (4, 7, 2):  # where a date has its marks
            byte = _bytes(cells, ten, position)
            ten = ten[(byte >= ord("0")) & (byte <= ord("9"))]
        long = np.flatnonzero(length > 10)
        long = long[~_are_timestamps(cells, long, length[long])]
        number, text = _matching(cells, long, DIGITS), _matching(cells, long, WRITTEN)
        whole = pc.replace_substring_regex(cells.take(pa.array(number)), r"[.,]0+$", "")
        width = pc.binary_length(whole).to_numpy()
        self.written = np.setdiff1d(text, number, assume_unique=True)
        self.twelve = number[width == 12]
        digits = _digits(whole.filter(pa.array(width == 12)), 12)
        end = digits[:, 8] * 10 + digits[:, 9], digits[:, 10] * 10 + digits[:, 11]
        self.is_twelve_like = np.isin(digits[:, 0] * 10 + digits[:, 1], (18, 19, 20))
        self.is_twelve_like &= _are_dated(digits[:, 2:])
        self.is_clock = (end[0] < 24) & (end[1] < 60)
        self.is_checked = _are_checked(digits[:, 2:])
        ten = np.concatenate([_matching(cells, ten, DIGITS), number[width == 10]])
        plain = pc.utf8_slice_codeunits(cells.take(pa.array(ten)), 0, 10)
        digits = _digits(plain, 10)
        self.ten = ten
        self.is_ten_dated = _are_dated(digits)
        self.is_ten_like = self.is_ten_dated & _are_checked(digits)

    def counts(self) -> IdentityCounts:
        """Return how many cells have each shape."""
        like = self.is_twelve_like
        return IdentityCounts(
            written=len(self.written),
            twelve=len(self.twelve),
            twelve_like=int(like.sum()),
            twelve_clock=int((like & self.is_clock).sum()),
            twelve_checked=int((like & self.is_checked).sum()),
            ten=len(self.ten),
            ten_dated=int(self.is_ten_dated.sum()),
            ten_like=int(self.is_ten_like.sum()),
        )


def _bytes(cells: pa.Array, at: np.ndarray, position: int) -> np.ndarray:
    """Return one byte of each of the cells ``at``, which are long enough."""
    if not len(at):
        return np.zeros(0, dtype=np.uint8)
    _, offsets, content = cells.buffers()
    starts = np.frombuffer(offsets, dtype=np.int64)[cells.offset :][at]
    return np.frombuffer(content, dtype=np.uint8)[starts + position]


def _are_timestamps(cells: pa.Array, at: np.ndarray, length: np.ndarray) -> np.ndarray:
    """Return which cells are marked as `2019-01-31 00:00:00` is: no number has room there."""
    found = (length >= 19) & (length <= 26)
    for position, mark in ((4, "-"), (7, "-"), (13, ":"), (16, ":")):
        found[found] = _bytes(cells, at[found], position) == ord(mark)
    return found


def _matching(cells: pa.Array, at: np.ndarray, pattern: str) -> np.ndarray:
    if not len(at):
        return at
    found = pc.match_substring_regex(cells.take(pa.array(at)), pattern)
    return at[found.to_numpy(zero_copy_only=False)]


def _digits(numbers: pa.Array, width: int) -> np.ndarray:
    """Return numbers of one width as a matrix of digits, shape (n, width)."""
    if not len(numbers):
        return np.zeros((0, width), dtype=np.uint8)
    _, offsets, content = numbers.buffers()
    start = np.frombuffer(offsets, dtype=np.int64)[numbers.offset]
    size = len(numbers) * width
    text = np.frombuffer(content, dtype=np.uint8)[start : start + size]
    return text.reshape(-1, width) - np.uint8(ord("0"))


def _are_dated(digits: np.ndarray) -> np.ndarray:
    """Return which ten digits begin with a day, or that of a coordination number."""
    month = digits[:, 2] * 10 + digits[:, 3]
    day = digits[:, 4] * 10 + digits[:, 5]
    day = np.where(day > 60, day - 60, day)
    is_numbered = (digits[:, 6:9] > 0).any(axis=1)
    return (month >= 1) & (month <= 12) & (day >= 1) & (day <= 31) & is_numbered


def _are_checked(digits: np.ndarray) -> np.ndarray:
    """Return for which ten digits the last one is the check digit (Luhn) of the others."""
    doubled = digits * np.array([2, 1] * 5, dtype=np.uint8)
    return np.where(doubled > 9, doubled - 9, doubled).sum(axis=1) % 10 == 0
