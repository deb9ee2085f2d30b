"""From the text of a cell to a number or a code."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

MISSING = frozenset({"", ".", "na", "n/a", "nan", "null", "#n/a", "#saknas!", "<na>", "nat"})
NUMBER = r"^-?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?$|^-?(?i:inf|infinity)$"
SPACED = r"^[-+]?[0-9]+( [0-9]{3})+([.,][0-9]*)?$"
SPACES = "[\u00a0\u202f\u2009]"  # no-break, narrow no-break, thin


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
    return _flags(_missing(_array(text)))


def sql_missing(column: str) -> str:
    """Return a DuckDB expression: whether a column of text is missing.

    Parameters
    ----------
    column : str
        Its name, which is put in quotation marks here.
    """
    words = ", ".join(f"'{word}'" for word in sorted(MISSING))
    return f"""(lower("{column.replace('"', '""')}") IN ({words}))"""


def codes(text: pd.Series) -> np.ndarray:
    """Return codes in one spelling, "1" for 1, "1.0" and "1,0"; None where missing."""
    cells = _array(text)
    plain = pc.replace_substring_regex(cells, r"^(-?[0-9]+)[.,]0+$", r"\1")
    lower = pc.ascii_lower(plain)
    is_truth = pc.is_in(lower, value_set=pa.array(["true", "false"], lower.type))
    plain = pc.if_else(is_truth, lower, plain)
    return pc.if_else(_missing(cells), None, plain).to_numpy(zero_copy_only=False)


def numbers(text: pd.Series, decimal: Literal["auto", ".", ","] = "auto") -> Numbers:
    """Read a column as numbers, with a decimal point or comma and spaces between thousands.

    Parameters
    ----------
    text : Series of str, shape (n,)
        The cells.
    decimal : {"auto", ".", ","}
        The decimal mark; with "auto" a column is read with the mark that it uses. Where it
        is declared, or shown by cells such as 1.234,50, the other may stand between thousands.
    """
    cells = _array(text)
    absent = _missing(cells)
    plain = _tidied(pc.if_else(absent, "", cells))
    if decimal != "auto":
        plain = _without_groups(plain, decimal)
    has_comma, has_point = (pc.match_substring(plain, mark) for mark in ",.")
    uses_comma, uses_point = (pc.any(has).as_py() for has in (has_comma, has_point))
    comma = decimal == "," or (decimal == "auto" and uses_comma and not uses_point)
    right_mark = pc.invert(has_point if comma else has_comma)
    pointed = pc.replace_substring(plain, ",", ".") if comma else plain
    is_number = pc.and_(pc.match_substring_regex(pointed, NUMBER), right_mark)
    parsed = pc.if_else(is_number, pointed, None).cast(pa.float64()).to_numpy(zero_copy_only=False)
    not_numbers = ~_flags(absent) & ~_flags(is_number)
    if decimal == "auto" and not_numbers.any():
        shown = _mark_shown(plain.filter(pa.array(not_numbers)))
        if shown is not None:
            return numbers(text, shown)
    not_finite = np.isinf(parsed)
    return Numbers(
        np.where(not_finite, np.nan, parsed),
        not_numbers,
        not_finite,
        decimal == "auto" and comma and _may_be_thousands(plain.filter(has_comma)),
    )


def _array(text: pd.Series) -> pa.Array:
    found = pa.array(text, pa.large_string())
    return found.combine_chunks() if isinstance(found, pa.ChunkedArray) else found


def _flags(flags: pa.Array) -> np.ndarray:
    return flags.to_numpy(zero_copy_only=False).astype(bool)


def _missing(cells: pa.Array) -> pa.Array:
    words = pa.array(sorted(MISSING), cells.type)
    return pc.or_(pc.is_in(pc.utf8_lower(cells), value_set=words), pc.is_null(cells))


def _tidied(cells: pa.Array) -> pa.Array:
    """Return numbers with a plain minus, no plus, and no spaces between thousands."""
    if not pc.all(pc.string_is_ascii(cells)).as_py():
        cells = pc.replace_substring(cells, "\u2212", "-")
        cells = pc.replace_substring_regex(cells, SPACES, " ")
    if pc.any(pc.match_substring(cells, " ")).as_py():
        spaced = pc.match_substring_regex(cells, SPACED)
        cells = pc.if_else(spaced, pc.replace_substring(cells, " ", ""), cells)
    if pc.any(pc.starts_with(cells, "+")).as_py():
        cells = pc.replace_substring_regex(cells, r"^\+([0-9.,a-zA-Z])", r"\1")
    return cells


def _grouped(decimal: str, groups: str) -> str:
    """Return the pattern of a number whose other mark stands between thousands."""
    other = "," if decimal == "." else "."
    return rf"^-?[0-9]{{1,3}}(\{other}[0-9]{{3}}){groups}"


def _without_groups(cells: pa.Array, decimal: Literal[".", ","]) -> pa.Array:
    other = "," if decimal == "." else "."
    grouped = pc.match_substring_regex(cells, _grouped(decimal, rf"+(\{decimal}[0-9]*)?$"))
    return pc.if_else(grouped, pc.replace_substring(cells, other, ""), cells)


def _mark_shown(cells: pa.Array) -> Literal[".", ","] | None:
    """Return the decimal mark that cells with both marks show, or with one mark repeated."""
    marks: tuple[Literal[".", ","], ...] = (".", ",")
    shown = [
        mark
        for mark in marks
        if pc.any(
            pc.or_(
                pc.match_substring_regex(cells, _grouped(mark, rf"+\{mark}[0-9]*$")),
                pc.match_substring_regex(cells, _grouped(mark, "{2,}$")),
            )
        ).as_py()
    ]
    return shown[0] if len(shown) == 1 else None


def _may_be_thousands(cells: pa.Array) -> bool:
    """Return whether all commas may as well stand between thousands."""
    pattern = r"^-?[1-9][0-9]{0,2}(,[0-9]{3})+$"
    return bool(pc.all(pc.match_substring_regex(cells, pattern)).as_py())
