"""Amounts of a linked table as they arrive: with a decimal point or comma, the plain ones fast."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from evaluate.data.readers.convert import missing, numbers
from evaluate.errors import DataError, rows

Decimal = Literal["auto", ".", ","]
PLAIN = {".": r"^-?\d+(\.\d*)?$", ",": r"^-?\d+(,\d*)?$"}
THOUSANDS = r"^-?[1-9]\d{0,2}(,\d{3})+$"
DIGITS = r"[-+]?[\d\s.,]+"


@dataclass
class AmountColumn:
    """Amounts in the one form that the column is written in.

    Attributes
    ----------
    decimal : {"auto", ".", ","}
        The decimal mark that the plan declares, or auto: the one that the column uses.
    points, commas, thousands, both : int
        With auto, the rows so far with a point, with a comma, with a comma that may stand
        between thousands, with point and comma.
    """

    decimal: Decimal = "auto"
    points: int = 0
    commas: int = 0
    thousands: int = 0
    both: int = 0

    def read(self, column: pa.Array) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return amounts, which are no numbers, which are infinite; shape (n,).

        NaN stands where the amount is missing, no number, or infinite.
        """
        try:
            # Arrow reads what has a point or no mark, and would read nan and inf, too.
            values = pc.cast(column, pa.float64()).to_numpy(zero_copy_only=False)
            if self.decimal != "," and np.isfinite(values).all():
                if self.decimal == "auto":
                    self.points += _count(pc.match_substring(column, "."))
                nothing = np.zeros(len(values), dtype=bool)
                return values, nothing, nothing
        except pa.ArrowInvalid:
            pass
        return self._read_apart(column)

    def _read_apart(self, column: pa.Array) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Read what is plain at once, and the rest with all its marks and words."""
        values = np.full(len(column), np.nan)
        wrong = np.zeros(len(column), dtype=bool)
        left = pc.not_equal(column, "").to_numpy(zero_copy_only=False)
        for mark in (".", ",") if self.decimal == "auto" else (self.decimal,):
            plain = pc.match_substring_regex(column, PLAIN[mark]).to_numpy(zero_copy_only=False)
            plain = np.flatnonzero(plain & left)
            cells = column.take(pa.array(plain))
            if self.decimal == "auto":
                self._marks(cells)
            if mark == ",":
                cells = pc.replace_substring(cells, ",", ".")
            values[plain] = pc.cast(cells, pa.float64()).to_numpy(zero_copy_only=False)
            left[plain] = False
        infinite = np.isinf(values)  # more digits than a number holds
        values[infinite] = np.nan
        others = np.flatnonzero(left)
        if len(others):
            values[others], wrong[others], infinite[others] = self._read_others(
                column.take(pa.array(others))
            )
        return values, wrong, infinite

    def _read_others(self, cells: pa.Array) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Read cells one by one: words for missing, spaces and marks between thousands."""
        texts = cells.to_pandas().astype("str")
        if self.decimal != "auto":
            read = numbers(texts, self.decimal)
            return read.values, read.not_numbers, read.not_finite
        comma, point = (texts.str.contains(m, regex=False).to_numpy(dtype=bool) for m in ",.")
        values, wrong = np.full(len(texts), np.nan), comma & point
        infinite = np.zeros(len(texts), dtype=bool)
        for chosen in (comma & ~point, ~comma):  # each with one mark, which is the decimal one
            read = numbers(texts[chosen], "auto")
            values[chosen], wrong[chosen], infinite[chosen] = (
                read.values, read.not_numbers, read.not_finite,
            )  # fmt: skip
        self.both += int(texts[comma & point].str.fullmatch(DIGITS).sum())
        self._marks(cells.filter(pa.array(~wrong & ~missing(texts))))
        return values, wrong, infinite

    def _marks(self, cells: pa.Array) -> None:
        self.points += _count(pc.match_substring(cells, "."))
        self.commas += _count(pc.match_substring(cells, ","))
        self.thousands += _count(pc.match_substring_regex(cells, THOUSANDS))

    def check(self, where: str, key: str) -> DataError | None:
        """Say where the column, read to its end, does not show its decimal mark.

        Parameters
        ----------
        where : str
            File and column.
        key : str
            Section of the plan to declare it in.
        """
        declare = f'Declare `decimal: ","` or `decimal: "."` under {key}.'
        if self.both or (self.points and self.commas):
            with_comma, with_point = rows(self.commas + self.both), rows(self.points + self.both)
            return DataError(
                f"{where}: {with_comma} with a comma and {with_point} with a point; one of them "
                f"stands between thousands, or is a slip. {declare}"
            )
        if self.commas and self.commas == self.thousands:
            return DataError(
                f"{where}: the comma may be a decimal mark or a mark of thousands in all "
                f"{rows(self.commas)} that have one. {declare}"
            )
        return None


def _count(chosen: pa.Array) -> int:
    return int(pc.sum(chosen).as_py() or 0)
