"""Arms, genders and outcomes that leave nothing to estimate: said before anything is."""

from __future__ import annotations

from collections.abc import Collection, Iterable

import numpy as np
import pandas as pd

from evaluate.data.flow import Flow
from evaluate.data.joined import Joined
from evaluate.data.people import People
from evaluate.errors import DataError, rows
from evaluate.plan.columns import GenderColumn
from evaluate.plan.model import Plan


def nobody_left(tables: Joined, plan: Plan, flow: Flow) -> list[DataError]:
    """Find arms and genders that nobody is left in."""
    faults = []
    left = f"among the {flow.kept.sum():,} rows that the decisions of the plan leave"
    if out := "; ".join(f"{why} ({rows(n)})" for why, n in flow.excluded):
        left += f" (excluded: {out})"
    drawn_in_two_levels = plan.assignment.saturation is not None and flow.kept.any()
    for arm in flow.arms:
        if drawn_in_two_levels and arm == flow.arms[0]:
            continue  # pure control comes of the clusters' shares: `saturation_faults` says so
        if not (flow.kept & (flow.arm == arm)).any():
            column = plan.columns.treatment.column
            where = f"{tables.path(column)}: column {column}"
            faults.append(DataError(f"{where}: nobody has arm `{arm}` {left}."))
    if isinstance(plan.columns.gender, GenderColumn):
        column = plan.columns.gender.column
        for gender, other in (("women", "men"), ("men", "women")):
            if not (flow.kept & (flow.gender == gender)).any():
                faults.append(
                    DataError(
                        f"{tables.path(column)}: column {column}: no {gender} {left}. For a "
                        f"programme with {other} only, write `gender: {other}`."
                    )
                )
    return faults


def constant_outcomes(
    tables: Joined, plan: Plan, outcomes: pd.DataFrame, faulty: Collection[str]
) -> list[DataError]:
    """Find outcomes with nothing to estimate; a month of several may be constant."""
    faults = []
    for column in plan.outcome_columns:
        if not column.source or column.source in faulty:
            continue
        values = outcomes[column.name].dropna()
        where = f"{tables.path(column.source)}: column {column.source} (outcomes.{column.outcome})"
        if values.empty:
            faults.append(DataError(f"{where}: no value in any of {len(outcomes):,} rows."))
        elif values.nunique() == 1 and column.month is None:
            faults.append(
                DataError(
                    f"{where}: the same value in all {len(values):,} rows that have one. "
                    "Is it the right column?"
                )
            )
    return faults


def without_day_zero(plan: Plan, people: People, arms: Iterable[str]) -> list[DataError]:
    """Find arms in which nobody has the day from which the months of linked tables count."""
    column = plan.columns.day_zero
    counted = plan.data.activities or any(o.is_linked for o in plan.outcomes.values())
    if column is None or not counted:
        return []
    has_day = people.kept & ~np.isnat(people.day_zero)
    return [
        DataError(
            f"column {column} (columns.{plan.columns.time_zero}): nobody in arm `{arm}` has a day, "
            "so that no month of linked tables can be counted there, and no effect estimated. "
            "Where control has no start, count from the offer: `time_zero: offered`."
        )
        for arm in arms
        if not (has_day & (people.arm == arm)).any()
    ]


def never_observed(plan: Plan, outcomes: pd.DataFrame) -> list[DataError]:
    """Find outcomes of linked tables of which no month is observed for anybody."""
    faults = []
    for key, outcome in plan.outcomes.items():
        names = [c.name for c in plan.outcome_columns if c.outcome == key]
        if outcome.is_linked and outcomes[names].isna().all(axis=None):
            faults.append(
                DataError(
                    f"outcomes.{key}: none of its months is observed for any of "
                    f"{len(outcomes):,} persons. Look at extract_date, coverage and the days of "
                    f"columns.{plan.columns.time_zero}."
                )
            )
    return faults


def followed_column(plan: Plan) -> str | None:
    """Return the column that says who was followed: of the first primary linked outcome.

    It is that of the primary month, or else of the last.
    """
    for key, outcome in plan.outcomes.items():
        if outcome.is_linked and outcome.role == "primary" and outcome.months:
            month = outcome.primary_month
            return f"{key}@{outcome.months[1] if month is None else month}"
    return None
