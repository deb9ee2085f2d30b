"""What is paid by the month in registers, as each person's cost: subsidised work, benefits."""

from __future__ import annotations

import numpy as np

from evaluate.costs.records import has_records
from evaluate.plan.accounts import PersonMonths
from evaluate.plan.model import Plan
from evaluate.study import Study

YEAR = 12


def month_costs(study: Study, plan: Plan) -> dict[str, np.ndarray]:
    """Return what each person's months cost, for items that are part of the programme's cost.

    Parameters
    ----------
    study, plan : Study, Plan
        The persons and the programme file.

    Returns
    -------
    dict of str to ndarray, shape (n,)
        By item, in the plan's currency: price times the outcome, added up through the item's
        ``cost_months``. A wave stands for the months since the one before it; an outcome
        without months is that of each month of the first year. NaN where a month is missing.
    """
    if plan.costs is None:
        return {}
    return {name: _cost(study, plan, item) for name, item in plan.costs.by_month.items()}


def _cost(study: Study, plan: Plan, item: PersonMonths) -> np.ndarray:
    assert item.cost_months is not None
    own = [
        (i, column.month or YEAR)
        for i, column in enumerate(plan.outcome_columns)
        if column.outcome == item.outcome and (column.month is None or column.month >= 1)
    ]
    ends = np.minimum([month for _, month in own], item.cost_months)
    months = np.diff(ends, prepend=0)
    used = months > 0
    columns = np.array([i for i, _ in own])[used]
    return item.price * (study.y[:, columns] @ months[used])


def is_of_arms_alone(plan: Plan) -> bool:
    """Tell whether only what an arm cost is known: women and men then cost the same."""
    return has_records(plan) and not (plan.costs and plan.costs.by_month)
