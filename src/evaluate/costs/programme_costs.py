"""What the programme spent on each person, and what it cost by arm."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from evaluate import schemas
from evaluate.costs.month_costs import month_costs
from evaluate.costs.records import has_records, lead_basis, record_table
from evaluate.plan.closed import code_text
from evaluate.plan.costs import Costs
from evaluate.plan.model import Plan
from evaluate.study import Study


def person_costs(study: Study, costs: Costs) -> np.ndarray:
    """Return what the programme spent on each person, shape (n,), in the plan's currency.

    A figure per participant counts for those who took part, in whichever arm; where the plan
    names no take-up, for those offered. A figure per arm counts in that arm.
    """
    if study.cost is not None:
        return study.cost
    if isinstance(costs.amount, dict):
        named = {code_text(arm): amount for arm, amount in costs.amount.items()}
        amount = np.array([named.get(arm, 0.0) for arm in study.arms])[study.arm]
    else:
        assert costs.amount is not None
        amount = np.full(study.n, costs.amount)
    offered = study.offered_arms[study.arm].astype(float)
    if costs.per == "participant" and study.takeup is not None:
        return amount * study.takeup
    return amount if isinstance(costs.amount, dict) else amount * offered


def cost_table(study: Study, plan: Plan, records: pd.DataFrame | None = None) -> pd.DataFrame:
    """Sum up the costs by arm.

    Parameters
    ----------
    study : Study
        The persons.
    plan : Plan
        The programme file.
    records : DataFrame, optional
        As `schemas.COST_RECORDS`, for a plan whose costs are those of the table `costs`.

    Returns
    -------
    DataFrame
        As `schemas.COSTS`. A figure of the plan is a unit cost, a person's recorded cost a
        budget cost; both count as public. What is paid by the month has rows of its own, on the
        basis that leads. No rows where the plan names no costs.
    """
    costs = plan.costs
    if costs is None:
        return pd.DataFrame(columns=list(schemas.COSTS.columns))
    by_month = month_costs(study, plan).items()
    if has_records(plan):
        assert records is not None
        table = record_table(records, study).assign(source="records")
        basis = lead_basis(records, plan) if by_month else ""
    else:
        basis = basis_of_persons(study)
        source = "plan" if study.cost is None else "persons"
        labels = {"item": "programme", "payer": "public", "basis": basis, "source": source}
        table = _of_persons(study, costs, person_costs(study, costs), labels)
    months = [
        _of_persons(
            study,
            costs,
            cost,
            {
                "item": name,
                "payer": costs.by_month[name].payer,
                "basis": basis,
                "source": "person_months",
            },
        )
        for name, cost in by_month
    ]
    return pd.concat([table, *months], ignore_index=True)[list(schemas.COSTS.columns)]


def basis_of_persons(study: Study) -> str:
    """Return the basis of costs that are no records: a figure, or each person's own."""
    return "unit_cost" if study.cost is None else "budget"


def _of_persons(
    study: Study, costs: Costs, cost: np.ndarray, labels: Mapping[str, str]
) -> pd.DataFrame:
    """Sum a cost of persons by arm over those of whom it is known, and per person."""
    rows = []
    stated = {"currency": costs.currency, "price_year": costs.price_year, "stated": None}
    for i, arm in enumerate(study.arms):
        members = (study.arm == i) & ~np.isnan(cost)
        taken = members if study.takeup is None else members & (study.takeup == 1)
        counted = study.takeup is not None or i > 0
        total = float(cost[members].sum())
        rows.append(
            {
                **labels,
                **stated,
                "arm": arm,
                "amount": total,
                "per_offer": total / members.sum() if members.any() else None,
                "per_participant": total / taken.sum() if counted and taken.any() else None,
            }
        )
    return pd.DataFrame(rows)
