"""The table `time_reports`: hours that staff worked, by role and month."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Mapping

import numpy as np
import pandas as pd

from evaluate import schemas
from evaluate.data.readers.convert import codes
from evaluate.data.readers.dates import months
from evaluate.data.readers.read import RawTable
from evaluate.data.registers.record_columns import (
    YEARS,
    amounts,
    arm_codes,
    fault,
    one_of,
)
from evaluate.errors import EvaluateError, Problems
from evaluate.plan.costs import Role
from evaluate.plan.model import Plan

COLUMNS = ("role", "month", "hours", "arm", "site", "payer")
HOURS_A_DAY = 24
NEAR = 0.6  # the likeness from which a role is taken for a slip of a known one


def time_reports(raw: RawTable, plan: Plan, arms: Collection[str]) -> pd.DataFrame:
    """Check the time reports and give them their types.

    Nothing is left out or added up: two reports that are alike may be of two persons.

    Parameters
    ----------
    raw : RawTable
        The table `time_reports` as received.
    plan : Plan
        The programme file; its `costs.roles` price the hours.
    arms : collection of str
        The arms of the study, control among them.

    Returns
    -------
    DataFrame
        ``role``, ``month`` (datetime64[s], its first day), ``hours``, ``persons`` (1 where the
        table does not say), ``arm``, ``site``, ``payer``; in the order of the table.

    Raises
    ------
    Problems
        One `DataError` for each rule that rows break, with their number.
    """
    section, costs = plan.data.time_reports, plan.costs
    assert section is not None
    assert costs is not None
    if absent := raw.missing_columns([("the table time_reports", name) for name in COLUMNS]):
        raise Problems(absent)
    faults: list[EvaluateError] = []
    role = codes(raw.cells["role"])
    month = _months(raw, section.dates, faults)
    hours = amounts(raw, "hours", section.decimal, "time_reports", faults)
    persons = np.ones(len(hours))
    if "persons" in raw.cells:
        persons = amounts(raw, "persons", section.decimal, "time_reports", faults, empty=1.0)
    with np.errstate(invalid="ignore"):
        fault(raw, "hours", hours < 0, "below zero", faults)
        fault(raw, "persons", persons < 1, "below 1", faults)
        parts = (persons >= 1) & (persons % 1 != 0)
        fault(raw, "persons", parts, "with a part of a person", faults)
        above = hours > HOURS_A_DAY * days_of(month) * persons
        above &= (persons >= 1) & ~parts
    fault(raw, "hours", above, "above what the month holds, 24 a day for each person", faults)
    _known_roles(raw, role, costs.priced, faults)
    _known_years(raw, role, month, costs.priced, faults)
    table = {
        "role": role,
        "month": month.astype("datetime64[s]"),
        "hours": hours,
        "persons": persons,
        "arm": arm_codes(raw, arms, faults),
        "site": codes(raw.cells["site"]),  # spelled as in the persons' columns
        "payer": one_of(raw, "payer", schemas.PAYERS, faults),
    }
    if faults:
        raise Problems(faults)
    return pd.DataFrame(table)


def days_of(month: np.ndarray) -> np.ndarray:
    """Return the number of days of each month, NaN where there is none, shape (n,)."""
    first, after = (m.astype("datetime64[D]") for m in (month, month + 1))
    return np.where(np.isnat(month), np.nan, (after - first) / np.timedelta64(1, "D"))


def years_of(month: np.ndarray) -> np.ndarray:
    """Return the calendar year of each month, shape (n,)."""
    return month.astype("datetime64[Y]").astype(int) + 1970


def _months(raw: RawTable, declared: str, faults: list[EvaluateError]) -> np.ndarray:
    """Return months, shape (n,), NaT where a cell holds none."""
    plain = pd.Series(codes(raw.cells["month"]), dtype=object).fillna("").astype("str")
    month = months(plain, "month", declared).values
    known = ~np.isnat(month)
    known[known] = (years_of(month[known]) >= YEARS[0]) & (years_of(month[known]) <= YEARS[1])
    fault(raw, "month", ~known, "missing or not a month such as 2019-03", faults)
    return np.where(known, month, np.datetime64("NaT", "M"))


def _known_roles(
    raw: RawTable, role: np.ndarray, priced: Mapping[str, Role], faults: list[EvaluateError]
) -> None:
    """Find roles without a price; the text of a cell may be a name and is not repeated."""
    absent = pd.isna(role)
    fault(raw, "role", absent, "empty", faults)
    unknown = ~absent & ~np.isin(role.astype(str), list(priced))
    near = np.full(len(role), "", dtype=object)
    for text in np.unique(role[unknown].astype(str)):
        found = difflib.get_close_matches(text, list(priced), n=1, cutoff=NEAR)
        near[unknown & (role == text)] = found[0] if found else ""
    for name in dict.fromkeys(near[unknown]):
        todo = f"Did you mean `{name}`? " if name else f"Roles there: {', '.join(priced)}. "
        todo += "Add the role there, or mend the data."
        what = "whose role has no price in costs.roles"
        fault(raw, "role", unknown & (near == name), what, faults, todo)


def _known_years(
    raw: RawTable,
    role: np.ndarray,
    month: np.ndarray,
    priced: Mapping[str, Role],
    faults: list[EvaluateError],
) -> None:
    """Find hours of years for which the plan has no price."""
    known = ~np.isnat(month)
    year = np.where(known, years_of(np.where(known, month, np.datetime64(0, "M"))), 0)
    for name, prices in priced.items():
        for key in ("wage_cost", "unit_cost"):
            by_year = getattr(prices, key)
            if not isinstance(by_year, Mapping):
                continue
            lost = known & (role == name) & ~np.isin(year, list(by_year))
            at = f"costs.roles.{name}.{key}"
            lacking = ", ".join(map(str, np.unique(year[lost])))
            what = f"of {lacking}, which {at} lacks"
            fault(raw, "month", lost, what, faults, "Add the price of the year there.")
