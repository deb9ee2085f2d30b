"""How much of the programme each person got: columns of the participants, counts of activities."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from evaluate.data.flow import Flow
from evaluate.data.measures import LARGEST
from evaluate.data.values import Values
from evaluate.errors import rows
from evaluate.notes import reason
from evaluate.plan.doses import counted_months
from evaluate.plan.model import Plan


def with_columns(
    participants: pd.DataFrame, people: Values, plan: Plan, flow: Flow
) -> pd.DataFrame:
    """Add the doses that are columns of the participants, as ``dose.NAME``.

    Parameters
    ----------
    participants : DataFrame
        The persons kept, as `schemas.PARTICIPANTS`.
    people : Values
        All rows received; takes the faults of their columns.
    plan : Plan
        The programme file.
    flow : Flow
        Who is kept; those without a known dose are noted in it.
    """
    found = {}
    for name, dose in plan.doses.items():
        if dose.column is None:
            continue
        values = _amounts(people, dose.column, f"doses.{name}", dose.unit, flow)
        flow.note(np.isnan(values), reason("missing", column=dose.column))
        found[f"dose.{name}"] = values[flow.kept]
    return participants.assign(**found)


def with_counts(
    participants: pd.DataFrame, counted: Mapping[str, np.ndarray], plan: Plan, flow: Flow
) -> pd.DataFrame:
    """Add the doses that activities were counted for, by name, NaN where not known.

    Their values have shape (n_kept,), in the order of the participants.
    """
    found = {}
    for name, values in counted.items():
        unknown = np.zeros(len(flow.kept), dtype=bool)
        unknown[flow.kept] = np.isnan(values)
        section = plan.data.activities
        first, last = counted_months(plan.doses[name], section.months if section else 1)
        flow.note(unknown, reason("dose_unknown", dose=name, first=first, last=last))
        found[f"dose.{name}"] = values
    return participants.assign(**found)


def _amounts(people: Values, column: str, key: str, unit: str, flow: Flow) -> np.ndarray:
    values = people.number(column)
    below = flow.kept & (values < 0)
    if below.any():
        people.fault(
            column,
            f"{rows(int(below.sum()))} below 0, which is no amount of a programme ({key}). Is it "
            "a code for missing? Leave these cells empty, or mend them",
        )
    beyond = flow.kept & (values > (1 if unit == "share" else LARGEST)) & np.isfinite(values)
    if beyond.any():
        bound = "1, but the unit is share" if unit == "share" else f"{LARGEST:g}, too large to use"
        people.fault(
            column, f"{rows(int(beyond.sum()))} above {bound} ({key}). Mend them, or the unit"
        )
    flow.note(people.as_numbers(column).not_finite, reason("infinite", column=column))
    return np.where(np.isfinite(values), values, np.nan)
