"""From raw cells to the study's persons: a list of decisions, each counted in the flow."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import pandas as pd

from evaluate.data import persons
from evaluate.data.eligibility import Criterion, holds, parse
from evaluate.data.flow import Flow
from evaluate.data.measures import Measures
from evaluate.data.readers.read import RawTable
from evaluate.errors import DataError, EvaluateError, PlanError, Problems
from evaluate.notes import reason
from evaluate.plan.columns import GenderColumn
from evaluate.plan.model import Plan


@dataclass(frozen=True)
class Cleaned:
    """A clean study: the tables of `schemas` with the same names."""

    participants: pd.DataFrame
    outcomes: pd.DataFrame
    flow: pd.DataFrame
    quarantine: pd.DataFrame


def clean(raw: RawTable, plan: Plan) -> Cleaned:
    """Turn a raw table into a clean study.

    Parameters
    ----------
    raw : RawTable
        The participants as received.
    plan : Plan
        The programme file.

    Returns
    -------
    Cleaned
        Persons and outcomes in the same order, the flow that reconciles, the quarantine.

    Raises
    ------
    Problems
        All faults of the data that were found, each a `DataError`.
    """
    faults: list[EvaluateError] = []
    criteria = _criteria(plan, faults)
    absent = raw.missing_columns(_columns(plan, criteria))
    if absent or faults:
        raise Problems([*faults, *absent])
    arms, arm = persons.arms(raw, plan.columns.treatment, faults)
    gender = persons.genders(raw, plan.columns.gender, faults)
    codes_known = not faults
    measures = Measures(raw, plan.data.participants.decimal, faults)

    flow = Flow(gender, arm, arms, plan.columns.genders)
    flow.exclude(persons.duplicates(raw, plan.columns.person, faults), reason("duplicate"))
    if plan.columns.person:
        flow.exclude(measures.absent(plan.columns.person), reason("no_key"))
    flow.exclude(pd.isna(arm), reason("missing", column=plan.columns.treatment.column))
    for criterion in criteria:
        met, unknown = holds(criterion, measures.number, measures.code)
        flow.exclude(unknown, reason("unknown", criterion=criterion.text))
        flow.exclude(~met, reason("unmet", criterion=criterion.text))
    for column in plan.columns.blocks:
        flow.exclude(measures.absent(column), reason("missing", column=column))
    if plan.analysis.missing_covariates == "drop":
        for covariate in plan.covariate_list:
            flow.exclude(
                measures.absent(covariate.column), reason("missing", column=covariate.column)
            )
    if isinstance(plan.columns.gender, GenderColumn):
        flow.note(pd.isna(gender), reason("missing", column=plan.columns.gender.column))

    if codes_known:
        faults += _nobody(raw, plan, flow)
    if not flow.kept.any():
        raise Problems(faults)  # what follows would be found wanting for lack of rows
    participants = measures.participants(plan, flow, arm, gender)
    outcomes = measures.outcomes(plan, flow)
    faults += _constant(raw, plan, outcomes, measures.faulty)
    if faults:
        raise Problems(faults)

    flow.mark("included", "", flow.kept)
    if plan.columns.takeup:
        took_part = np.zeros(len(arm), dtype=bool)
        took_part[flow.kept] = participants["takeup"] == 1
        flow.mark("took_part", "", took_part)
    for name in map(str, outcomes.columns):
        observed = np.zeros(len(arm), dtype=bool)
        observed[flow.kept] = outcomes[name].notna()
        flow.mark("analysed", name, observed)
    return Cleaned(participants, outcomes, flow.table, flow.quarantine)


def _criteria(plan: Plan, faults: list[EvaluateError]) -> list[Criterion]:
    criteria = []
    for text in plan.eligibility:
        try:
            criteria.append(parse(text))
        except PlanError as fault:
            faults.append(fault)
    return criteria


def _columns(plan: Plan, criteria: list[Criterion]) -> list[tuple[str, str]]:
    """Return every column that the plan names, after its key."""
    columns, gender = plan.columns, plan.columns.gender
    wanted: list[tuple[str, str | None]] = [
        ("columns.person", columns.person),
        ("columns.gender", gender.column if isinstance(gender, GenderColumn) else None),
        ("columns.treatment", columns.treatment.column),
        ("columns.takeup", columns.takeup.column if columns.takeup else None),
        *(("columns.blocks", name) for name in columns.blocks),
        ("columns.weight", columns.weight),
        ("assignment", plan.assignment.probability),
        *(("eligibility", name) for criterion in criteria for name in criterion.columns),
        *(("covariates", c.column) for c in plan.covariate_list),
        *((f"outcomes.{c.outcome}", c.source) for c in plan.outcome_columns),
        *((f"outcomes.{key}.baseline", o.baseline) for key, o in plan.outcomes.items()),
        *(("groups", name) for name in plan.groups),
        ("costs.column", plan.costs.column if plan.costs else None),
    ]
    return [(key, name) for key, name in dict.fromkeys(wanted) if name is not None]


def _nobody(raw: RawTable, plan: Plan, flow: Flow) -> list[DataError]:
    """Find arms and genders that nobody is left in."""
    faults = []
    left = f"among the {flow.kept.sum():,} rows that the decisions of the plan leave"
    for arm in flow.arms:
        if not (flow.kept & (flow.arm == arm)).any():
            column = plan.columns.treatment.column
            faults.append(DataError(f"{raw.path}: column {column}: nobody has arm `{arm}` {left}."))
    if isinstance(plan.columns.gender, GenderColumn):
        column = plan.columns.gender.column
        for gender, other in (("women", "men"), ("men", "women")):
            if not (flow.kept & (flow.gender == gender)).any():
                faults.append(
                    DataError(
                        f"{raw.path}: column {column}: no {gender} {left}. For a programme "
                        f"with {other} only, write `gender: {other}`."
                    )
                )
    return faults


def _constant(
    raw: RawTable, plan: Plan, outcomes: pd.DataFrame, faulty: Collection[str]
) -> list[DataError]:
    """Find outcomes with nothing to estimate; a month of several may be constant."""
    faults = []
    for column in plan.outcome_columns:
        if column.source in faulty:
            continue
        values = outcomes[column.name].dropna()
        where = f"{raw.path}: column {column.source} (outcomes.{column.outcome})"
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
