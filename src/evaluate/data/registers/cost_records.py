"""The table `costs`: what was bought, for which arm, who paid, at which price."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import pandas as pd

from evaluate import schemas
from evaluate.data.readers.convert import codes, missing
from evaluate.data.readers.read import RawTable
from evaluate.data.registers.record_columns import (
    YEARS,
    amounts,
    arm_codes,
    fault,
    one_of,
    texts,
)
from evaluate.errors import EvaluateError, Problems
from evaluate.plan.model import Plan

COLUMNS = tuple(name for name in schemas.COST_RECORDS.columns if name != "stated")
FIXED = {"1": True, "true": True, "yes": True, "ja": True} | {
    "0": False, "false": False, "no": False, "nej": False,
}  # fmt: skip


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
    table = {name: texts(raw.cells[name]) for name in COLUMNS}
    table["site"] = codes(raw.cells["site"])  # spelled as in the persons' columns
    table["payer"] = one_of(raw, "payer", schemas.PAYERS, faults)
    table["basis"] = one_of(raw, "basis", schemas.BASES, faults)
    table["fixed"] = _fixed(raw, faults)
    for name in ("quantity", "unit_price", "price_year"):
        table[name] = amounts(raw, name, plan.data.costs.decimal, "costs", faults)
    table["arm"] = arm_codes(raw, arms, faults)
    fault(raw, "item", pd.isna(table["item"]), "empty", faults)
    fault(raw, "unit_price", table["unit_price"] < 0, "below zero", faults)
    shaped = raw.cells["currency"].str.fullmatch("[A-Z]{3}").to_numpy(dtype=bool)
    fault(raw, "currency", ~shaped, "not a code of three capitals such as SEK", faults)
    year = table["price_year"]
    with np.errstate(invalid="ignore"):
        off = (year < YEARS[0]) | (year > YEARS[1]) | (year % 1 != 0)
    fault(raw, "price_year", ~np.isnan(year) & off, "not a year such as 2022", faults)
    if faults:
        raise Problems(faults)
    return pd.DataFrame(table).assign(stated=None)


def _fixed(raw: RawTable, faults: list[EvaluateError]) -> np.ndarray:
    """Return whether a cost does not vary with the number of persons, None where not stated."""
    found = raw.cells["fixed"].str.lower()
    unknown = ~found.isin(FIXED).to_numpy() & ~missing(found)
    fault(raw, "fixed", unknown, "neither empty nor true or false", faults)
    return np.array([FIXED.get(text) for text in found], dtype=object)
