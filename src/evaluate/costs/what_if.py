"""`evaluate costs NAME --what-if MONTHS`: the effect with which a programme would pay back."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pandas as pd

from evaluate import schemas
from evaluate.costs.accounts import benefit_assumed
from evaluate.costs.records import has_records
from evaluate.errors import PlanError
from evaluate.io import read_csv
from evaluate.plan.accounts import Accounts, Earnings
from evaluate.plan.costs import Costs
from evaluate.plan.load import load_plan, plan_path
from evaluate.plan.model import Plan

LONGEST = 1200


def what_if(name: str, months: int) -> list[str]:
    """Say what constant effect would pay back the programme's cost within some months.

    Parameters
    ----------
    name : str
        A programme, by its file in the current folder.
    months : int
        Months since the offer.

    Returns
    -------
    list of str
        A line for each benefit of the plan, and for earnings in the accounts of the public
        sector and of society, with the estimated effect beside it. All numbers are of the
        plan, or released.

    Raises
    ------
    PlanError
        If the plan, or what it takes from ``results/``, lacks what is needed.
    """
    path = plan_path(name)
    plan = load_plan(path)
    if not 1 <= months <= LONGEST:
        raise PlanError(f"--what-if {months}: from 1 to {LONGEST} months.")
    costs = plan.costs
    if costs is None:
        raise PlanError(f"{path}: costs: missing. Name what the programme cost.")
    earnings = costs.accounts.earnings if costs.accounts else None
    if not costs.benefits and earnings is None:
        raise PlanError(
            f"{path}: costs: name benefits, or accounts.earnings: what an effect is worth."
        )
    tables = Path("results") / name / "tables"
    found: list[str] = []
    for arm, (cost, per) in _costs(plan, costs, tables).items():
        head = f"{name}, arm {arm}: {_figure(cost)} {costs.currency} per {per}"
        found.append(f"{head}, to be paid back within {months} months by a constant effect:")
        effects = _effects(tables, arm, per, plan)
        for benefit in costs.benefits:
            assumed = benefit_assumed(costs, benefit)
            unit = benefit.times_per_year / 12 * benefit.exchange
            worth = unit * _months(assumed.discount_rate, months, assumed.later)
            found.append(_line(plan, benefit.outcome, benefit.perspective, cost, worth, effects))
        if costs.accounts and earnings:
            for perspective in ("public", "society"):
                worth, burden = _of_earnings(costs, costs.accounts, earnings, months, perspective)
                needed = cost * (1 + burden)
                found.append(_line(plan, earnings.outcome, perspective, needed, worth, effects))
    if costs.accounts and len(costs.by_month) < len(costs.person_months):
        found.append(
            "Items of person_months that are no part of the cost are left out: only the outcome "
            "named pays back."
        )
    return found


def needed_effect(cost: float, worth: float) -> float:
    """Return the effect whose payments are worth the cost; infinity where they are worth nothing.

    Parameters
    ----------
    cost : float
        To be paid back.
    worth : float
        Present value of what one unit of the effect pays within the months.
    """
    return cost / worth if worth > 0 else math.inf


def _months(rate: float, months: int, later: bool) -> float:
    """Return the present value of one a month, by whole years since the offer."""
    month = np.arange(12 * later, months)
    return float(((1 + rate) ** -(month // 12)).sum())


def _of_earnings(
    costs: Costs, accounts: Accounts, earnings: Earnings, months: int, perspective: str
) -> tuple[float, float]:
    """Return what a unit of earnings is worth, and what funds add to the cost for each unit."""
    unit = earnings.times_per_year / 12 * earnings.exchange * (1 - accounts.displacement)
    lasting = unit * _months(costs.discount_rate, months, accounts.first == "later")
    taxes = lasting * (earnings.income_tax + earnings.payroll_tax)
    if perspective == "public":
        return taxes, 0.0
    funds = accounts.cost_of_public_funds
    return lasting * (1 + earnings.payroll_tax) + funds * taxes, funds


def _costs(plan: Plan, costs: Costs, tables: Path) -> dict[str, tuple[float, str]]:
    """Return what each arm cost the public more than control, and per what."""
    if not has_records(plan) and isinstance(costs.amount, int | float):
        arms = plan.columns.treatment.arms or ["offered"]
        return {str(arm): (float(costs.amount), costs.per) for arm in arms}
    rows = _read(tables / "cost_effectiveness.csv", "cost_effectiveness", plan)
    rows = rows[rows["group"] == "all"].drop_duplicates(["arm", "denominator"])
    known = rows[rows["incremental_cost"].notna()]
    if known.empty:
        raise PlanError(
            f"{tables / 'cost_effectiveness.csv'}: the cost is not there, or was withheld."
        )
    last = known.drop_duplicates("arm", keep="last").to_dict("records")
    return {str(r["arm"]): (float(r["incremental_cost"]), str(r["denominator"])) for r in last}


def _read(path: Path, name: str, plan: Plan) -> pd.DataFrame:
    if not path.is_file():
        raise PlanError(
            f"{path}: no such file. The plan's costs are not one figure: run the programme first, "
            "with `evaluate run`."
        )
    return read_csv(path, schemas.released(name))


def _effects(tables: Path, arm: str, per: str, plan: Plan) -> pd.DataFrame | None:
    """Return the released effects that go with the cost; None where nothing was run."""
    path = tables / "effects.csv"
    if not path.is_file():
        return None
    rows = read_csv(path, schemas.released("effects"))
    rows = rows[rows["group"] == "all"]
    if arm != "offered":
        rows = rows[rows["arm"] == arm]
    of_takers = per == "participant" and (rows["estimand"] == "late").any()
    estimators = rows["estimator"].drop_duplicates()
    chosen = "tsls" if of_takers else str(estimators.iloc[0]) if len(estimators) else ""
    return rows[rows["estimator"] == chosen]


def _line(
    plan: Plan,
    outcome: str,
    perspective: str,
    cost: float,
    worth: float,
    effects: pd.DataFrame | None,
) -> str:
    unit = plan.outcomes[outcome].unit
    effect = needed_effect(cost, worth)
    told = f"  {outcome}, for {perspective}: "
    told += f"{_figure(effect)} {unit}" if math.isfinite(effect) else "no effect would"
    return f"{told}; estimated {_estimated(plan, outcome, effects)}."


def _estimated(plan: Plan, outcome: str, effects: pd.DataFrame | None) -> str:
    """Return the effect in the month that stands for the outcome, with its interval."""
    if effects is None:
        return "nothing yet, run the programme with `evaluate run`"
    month = plan.outcomes[outcome].standing_month
    rows = effects[effects["outcome"] == outcome]
    rows = rows[rows["month"].isna() if month is None else rows["month"] == month]
    if rows.empty or pd.isna(rows["estimate"].iloc[0]):
        return "nothing that is released"
    row = rows.iloc[0]
    told = _figure(row["estimate"])
    if pd.notna(row["conf_low"]):
        told += f" ({_figure(row['conf_low'])} to {_figure(row['conf_high'])})"
    return told if month is None else f"{told} in month {month}"


def _figure(value: float) -> str:
    return f"{value:,.4g}" if abs(value) < 1000 else f"{value:,.0f}"
