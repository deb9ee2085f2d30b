"""The tables on costs: records of what was bought and reports of hours, as one list of records."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

import pandas as pd

from evaluate import schemas
from evaluate.data.privacy import identity_numbers
from evaluate.data.readers.read import RawTable, read_table
from evaluate.data.registers.cost_records import cost_records
from evaluate.data.registers.prices import in_prices_of
from evaluate.data.registers.staff_costs import staff_hours, staff_records, with_claims
from evaluate.data.registers.time_reports import time_reports
from evaluate.errors import EvaluateError, Problems
from evaluate.plan.model import Plan

TABLES = ("costs", "time_reports")


def read_cost_tables(plan: Plan) -> dict[str, RawTable]:
    """Read the tables `costs` and `time_reports`, those that the plan names.

    Raises
    ------
    Problems
        The faults of both, where they cannot be read or hold identity numbers.
    """
    found: dict[str, RawTable] = {}
    faults: list[EvaluateError | str] = []
    for name in TABLES:
        if name in plan.data.tables:
            try:
                found[name] = read_table(plan.data.tables[name], name)
            except EvaluateError as error:
                faults += _told(error)
    if faults := [*faults, *identity_numbers(found, plan)]:
        raise Problems(faults)
    return found


def cost_tables(
    tables: Mapping[str, RawTable], plan: Plan, arms: Collection[str]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return what was bought and worked, in the currency and price year of the plan.

    Parameters
    ----------
    tables : mapping of str to RawTable
        As from `read_cost_tables`.
    plan : Plan
        The programme file.
    arms : collection of str
        The arms of the study, control among them.

    Returns
    -------
    records : DataFrame
        As `schemas.COST_RECORDS`: those of the table `costs`, then those of hours.
    hours : DataFrame
        As `schemas.STAFF_HOURS`.

    Raises
    ------
    Problems
        The faults of both tables.
    """
    records = [pd.DataFrame(columns=list(schemas.COST_RECORDS.columns))]
    hours = pd.DataFrame(columns=list(schemas.STAFF_HOURS.columns))
    faults: list[EvaluateError | str] = []

    def of_costs(raw: RawTable) -> None:
        records.append(in_prices_of(cost_records(raw, plan, arms), plan, raw.path))

    def of_hours(raw: RawTable) -> None:
        nonlocal hours
        if plan.costs is None or not plan.costs.roles:
            return  # nothing to price them with: costs are stated otherwise
        claims = with_claims(time_reports(raw, plan, arms), plan.costs)
        hours = staff_hours(claims)
        records.append(staff_records(claims, plan, raw.path))

    steps: dict[str, Callable[[RawTable], None]] = {"costs": of_costs, "time_reports": of_hours}
    for name, raw in tables.items():
        try:
            steps[name](raw)
        except EvaluateError as error:
            faults += _told(error)
    if faults:
        raise Problems(list(dict.fromkeys(faults)))
    found = [part for part in records if len(part)] or records
    return pd.concat(found, ignore_index=True), hours


def _told(error: EvaluateError) -> list[EvaluateError | str]:
    return list(error.problems) if isinstance(error, Problems) else [error]
