"""The table `costs`: what was bought, for which arm, who paid, at which price."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import pandas as pd

from evaluate import schemas
from evaluate.data.readers.convert import codes, missing, numbers
from evaluate.data.readers.read import RawTable
from evaluate.data.registers.amounts import Decimal
from evaluate.errors import DataError, EvaluateError, Problems, rows
from evaluate.plan.model import Plan

COLUMNS = tuple(name for name in schemas.COST_RECORDS.columns if name != "stated")
FIXED = {"1": True, "true": True, "yes": True, "ja": True} | {
    "0": False, "false": False, "no": False, "nej": False,
}  # fmt: skip
YEARS = (1900, 2200)


def cost_records(raw: RawTable, plan: Plan, arms: Collection[str]) -> pd.DataFrame:
    """Check the cost records and give them their types.

    The quantity may be below zero, as in a credit note; a price may not. Nothing is left out
    or added up here: two records that are alike may be two purchases.

    Parameters
    ----------
    raw : RawTable
        The table `costs` as received.
    plan : Plan
        The programme file.
    arms : collection of str
        The arms of the study, control among them.

    Returns
    -------
    DataFrame
        As `schemas.COST_RECORDS`, in the order of the table, at the prices stated there.

    Raises
    ------
    Problems
        One `DataError` for each rule that rows break, with their number.
    """
    assert plan.data.costs is not None
    if absent := raw.missing_columns([("the table costs", name) for name in COLUMNS]):
        raise Problems(absent)
    faults: list[EvaluateError] = []
    table = {name: _text(raw.cells[name]) for name in COLUMNS}
    for name in ("arm", "site"):  # spelled as in the persons' columns
        table[name] = codes(raw.cells[name])
    table["payer"] = _one_of(raw, "payer", schemas.PAYERS, faults)
    table["basis"] = _one_of(raw, "basis", schemas.BASES, faults)
    table["fixed"] = _fixed(raw, faults)
    for name in ("quantity", "unit_price", "price_year"):
        table[name] = _numbers(raw, name, plan.data.costs.decimal, faults)

    stated = table["arm"] != None  # noqa: E711 (element by element)
    unknown = stated & ~np.isin(table["arm"].astype(str), list(arms))
    named = ", ".join(sorted(arms))
    _fault(raw, "arm", unknown, f"neither empty nor an arm of the study: {named}", faults)
    _fault(raw, "item", pd.isna(table["item"]), "empty", faults)
    _fault(raw, "unit_price", table["unit_price"] < 0, "below zero", faults)
    shaped = raw.cells["currency"].str.fullmatch("[A-Z]{3}").to_numpy(dtype=bool)
    _fault(raw, "currency", ~shaped, "not a code of three capitals such as SEK", faults)
    year = table["price_year"]
    with np.errstate(invalid="ignore"):
        off = (year < YEARS[0]) | (year > YEARS[1]) | (year % 1 != 0)
    _fault(raw, "price_year", ~np.isnan(year) & off, "not a year such as 2022", faults)
    if faults:
        raise Problems(faults)
    return pd.DataFrame(table).assign(stated=None)


def _text(cells: pd.Series) -> np.ndarray:
    """Return texts, None where missing, shape (n,)."""
    return cells.astype(object).where(~missing(cells), None).to_numpy()


def _one_of(
    raw: RawTable, name: str, allowed: Collection[str], faults: list[EvaluateError]
) -> np.ndarray:
    found = raw.cells[name].str.lower()
    what = f"not one of {', '.join(allowed)}"
    _fault(raw, name, ~found.isin(allowed).to_numpy(), what, faults)
    return found.astype(object).to_numpy()


def _fixed(raw: RawTable, faults: list[EvaluateError]) -> np.ndarray:
    """Return whether a cost does not vary with the number of persons, None where not stated."""
    found = raw.cells["fixed"].str.lower()
    unknown = ~found.isin(FIXED).to_numpy() & ~missing(found)
    _fault(raw, "fixed", unknown, "neither empty nor true or false", faults)
    return np.array([FIXED.get(text) for text in found], dtype=object)


def _numbers(raw: RawTable, name: str, decimal: Decimal, faults: list[EvaluateError]) -> np.ndarray:
    read = numbers(raw.cells[name], decimal)
    if read.ambiguous:
        faults.append(
            DataError(
                f"{raw.path}: column {name}: the comma may be a decimal mark or a mark of "
                'thousands in all rows that have one. Declare `decimal: ","` or `decimal: "."` '
                "under data.costs."
            )
        )
    _fault(raw, name, np.isnan(read.values), "missing or not a number", faults)
    return read.values


def _fault(
    raw: RawTable, name: str, wrong: np.ndarray, what: str, faults: list[EvaluateError]
) -> None:
    if count := int(wrong.sum()):
        faults.append(
            DataError(
                f"{raw.path}: column {name}: {rows(count)} {what}, the first in row "
                f"{int(np.argmax(wrong)) + 1}. Mend the data, or ask for a new delivery."
            )
        )
