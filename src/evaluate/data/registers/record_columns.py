"""Columns of the tables on costs: a rule that rows break is a fault, for nothing is left out."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import pandas as pd

from evaluate.data.readers.convert import codes, missing, numbers
from evaluate.data.readers.read import RawTable
from evaluate.data.registers.amounts import Decimal
from evaluate.errors import DataError, EvaluateError, rows

YEARS = (1900, 2200)


def texts(cells: pd.Series) -> np.ndarray:
    """Return texts, None where missing, shape (n,)."""
    return cells.astype(object).where(~missing(cells), None).to_numpy()


def one_of(
    raw: RawTable, name: str, allowed: Collection[str], faults: list[EvaluateError]
) -> np.ndarray:
    """Return the words of a column in small letters, shape (n,); others go to the faults."""
    found = raw.cells[name].str.lower()
    what = f"not one of {', '.join(allowed)}"
    fault(raw, name, ~found.isin(allowed).to_numpy(), what, faults)
    return found.astype(object).to_numpy()


def arm_codes(raw: RawTable, arms: Collection[str], faults: list[EvaluateError]) -> np.ndarray:
    """Return the arm of each row, None where it is empty, shape (n,); others go to the faults."""
    found = codes(raw.cells["arm"])
    stated = found != None  # noqa: E711 (element by element)
    unknown = stated & ~np.isin(found.astype(str), list(arms))
    named = ", ".join(sorted(arms))
    fault(raw, "arm", unknown, f"neither empty nor an arm of the study: {named}", faults)
    return found


def amounts(
    raw: RawTable,
    name: str,
    decimal: Decimal,
    table: str,
    faults: list[EvaluateError],
    empty: float | None = None,
) -> np.ndarray:
    """Return the numbers of a column, shape (n,); what is none goes to the faults.

    Parameters
    ----------
    raw : RawTable
        The table.
    name : str
        The column.
    decimal : {"auto", ".", ","}
        As the plan declares it.
    table : str
        Name of the table under `data`, for messages.
    faults : list of EvaluateError
        To add to.
    empty : float, optional
        What an empty cell stands for; without it such a cell is a fault.
    """
    read = numbers(raw.cells[name], decimal)
    if read.ambiguous:
        faults.append(
            DataError(
                f"{raw.path}: column {name}: the comma may be a decimal mark or a mark of "
                'thousands in all rows that have one. Declare `decimal: ","` or `decimal: "."` '
                f"under data.{table}."
            )
        )
    if empty is None:
        fault(raw, name, np.isnan(read.values), "missing or not a number", faults)
        return read.values
    fault(raw, name, read.not_numbers | read.not_finite, "neither empty nor a number", faults)
    return np.where(missing(raw.cells[name]), empty, read.values)


def fault(
    raw: RawTable,
    name: str,
    wrong: np.ndarray,
    what: str,
    faults: list[EvaluateError],
    todo: str = "Mend the data, or ask for a new delivery.",
) -> None:
    """Add a fault where rows break a rule: how many, the first of them, what to do."""
    if count := int(wrong.sum()):
        faults.append(
            DataError(
                f"{raw.path}: column {name}: {rows(count)} {what}, the first in row "
                f"{int(np.argmax(wrong)) + 1}. {todo}"
            )
        )
