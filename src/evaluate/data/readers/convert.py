"""From the text of a cell to a number or a code."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

MISSING = frozenset({"", ".", "na", "n/a", "nan", "null", "#n/a", "#saknas!", "<na>", "nat"})


@dataclass(frozen=True)
class Numbers:
    """A column read as numbers.

    Attributes
    ----------
    values : ndarray, shape (n,)
        NaN where the cell is missing, not a number, or not finite.
    not_numbers, not_finite : ndarray of bool, shape (n,)
        Cells with a text that is no number; cells with an infinity.
    ambiguous : bool
        Whether a comma may be a decimal mark or a mark of thousands.
    """

    values: np.ndarray
    not_numbers: np.ndarray
    not_finite: np.ndarray
    ambiguous: bool = False


def missing(text: pd.Series) -> np.ndarray:
    """Return which cells are missing: empty, or a common word for missing."""
    return text.str.lower().isin(MISSING).to_numpy()


def codes(text: pd.Series) -> np.ndarray:
    """Return codes in one spelling, "1" for 1, "1.0" and "1,0"; None where missing."""
    plain = text.str.replace(r"^(-?\d+)[.,]0+$", r"\1", regex=True)
    lower = plain.str.lower()
    plain = plain.where(~lower.isin(["true", "false"]), lower)
    return plain.astype(object).where(~missing(text), None).to_numpy()


def numbers(text: pd.Series, decimal: Literal["auto", ".", ","] = "auto") -> Numbers:
    """Read a column as numbers, with a decimal point or comma and spaces between thousands.

    Parameters
    ----------
    text : Series of str, shape (n,)
        The cells.
    decimal : {"auto", ".", ","}
        The decimal mark; with "auto" a column is read with the mark that it uses. Where
        one is declared, the other may stand between thousands.
    """
    absent = missing(text)
    plain = text.where(~absent, "")
    # Minus sign, and spaces (plain, no-break, narrow no-break, thin) between thousands.
    plain = plain.str.replace("\u2212", "-").str.replace(
        r"(?<=\d)[ \u00a0\u202f\u2009](?=\d{3}(?:\D|$))", "", regex=True
    )
    if decimal != "auto":
        other = "," if decimal == "." else "."
        grouped = plain.str.fullmatch(rf"[-+]?\d{{1,3}}(?:\{other}\d{{3}})+(?:\{decimal}\d*)?")
        plain = plain.where(~grouped, plain.str.replace(other, ""))
    has_comma = plain.str.contains(",", regex=False).to_numpy(dtype=bool)
    has_point = plain.str.contains(".", regex=False).to_numpy(dtype=bool)
    comma = decimal == "," or (decimal == "auto" and has_comma.any() and not has_point.any())
    in_thousands = plain[has_comma].str.fullmatch(r"-?[1-9]\d{0,2}(?:,\d{3})+").to_numpy(dtype=bool)
    ambiguous = bool(decimal == "auto" and comma and in_thousands.all())
    wrong_mark = has_point if comma else has_comma
    parsed = pd.to_numeric(
        plain.str.replace(",", ".") if comma else plain, errors="coerce"
    ).to_numpy(dtype=float, na_value=np.nan)
    not_finite = np.isinf(parsed)
    not_numbers = ~absent & (np.isnan(parsed) | wrong_mark)
    values = np.where(not_finite | not_numbers, np.nan, parsed)
    return Numbers(values, not_numbers, not_finite, ambiguous)
