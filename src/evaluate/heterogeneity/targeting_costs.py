"""What a place costs each person's account, and what it is worth, in the plan's currency."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from evaluate.costs.programme_costs import person_costs
from evaluate.costs.records import has_records, per_offer
from evaluate.effects.observational.aipw import clip_propensity, signals
from evaluate.effects.observational.nuisance import cross_fit
from evaluate.heterogeneity.signals import Signals
from evaluate.notes import note
from evaluate.plan.model import Plan
from evaluate.study import Study

ROOM = 10  # persons of an arm for each covariate, below which costs are predicted by means
HELD = 0.01  # probabilities of treatment that are nearer to 0 or 1 are held here


@dataclass(frozen=True)
class Money:
    """Costs of the persons of a case.

    Attributes
    ----------
    currency : str
        Of costs and value.
    cost : ndarray, shape (m,)
        Doubly robust scores of the cost: in any group the weighted ratio of means of it and
        ``Signals.share`` is what a place there costs more than none.
    value : float or None
        What one more unit of the outcome is worth; None where the plan does not say.
    notes : tuple of str
        What a reader must know.
    """

    currency: str
    cost: np.ndarray
    value: float | None
    notes: tuple[str, ...] = ()


def money_of(
    study: Study,
    plan: Plan,
    case: Signals,
    fold: np.ndarray,
    records: pd.DataFrame | None = None,
) -> Money | str:
    """Treat the cost as one more outcome of the same persons.

    Parameters
    ----------
    study, plan : Study, Plan
        The persons and the programme file.
    case : Signals
        Those of one outcome and contrast.
    fold : ndarray of int, shape (m,)
        Folds, for predictions of the cost from other persons.
    records : DataFrame, optional
        As `schemas.COST_RECORDS`, where the plan's costs are those of the table `costs`: every
        offer then carries the same share of the total.

    Returns
    -------
    Money or str
        A note that says why there is none.
    """
    if plan.costs is None:
        return note("policy_no_costs")
    value = plan.analysis.targeting.value.get(case.outcome)
    if has_records(plan):
        if records is None:
            return note("policy_cost_records")
        by_arm = per_offer(records, study, plan)
        difference = by_arm[study.arms.index(case.arm)] - by_arm[0]
        return Money(plan.costs.currency, difference * case.share, value)
    spent = person_costs(study, plan.costs)[case.rows]
    known = ~np.isnan(spent)
    lost = int((~known).sum())
    if min((known & case.treated).sum(), (known & ~case.treated).sum()) < 2:
        return note("policy_cost_unknown", n=lost)
    notes = (note("policy_costs_missing", n=lost),) if lost else ()
    return Money(plan.costs.currency, _signal(case, spent, known, fold), value, notes)


def _signal(case: Signals, spent: np.ndarray, known: np.ndarray, fold: np.ndarray) -> np.ndarray:
    predicted = [
        _predicted(case, spent, known & arm, fold) for arm in (~case.treated, case.treated)
    ]
    own = np.where(case.treated, predicted[1], predicted[0])
    y = np.where(known, spent, own)[:, None]
    m = case.treated - case.treatment_residual
    estimand = "att" if case.estimand == "att" else "ate"
    if case.estimand != "itt":
        m, _ = clip_propensity(np.clip(m, 0, 1), case.treated, estimand, HELD)
    found, _ = signals(y, case.treated, [g[:, None] for g in predicted], m, estimand, case.weight)
    return found[:, 0]


def _predicted(case: Signals, spent: np.ndarray, among: np.ndarray, fold: np.ndarray) -> np.ndarray:
    """Predict costs of an arm for all: from other folds, or by a mean where persons are few."""
    there = spent[among]
    if np.ptp(there) == 0:
        return np.full(case.m, there[0])
    fewest = min(int((among & (fold != k)).sum()) for k in np.unique(fold))
    if fewest < ROOM * (case.x.shape[1] + 2) or fold.max() == 0:
        return np.full(case.m, np.average(there, weights=case.weight[among]))
    y = np.where(among, spent, 0)[:, None]
    return cross_fit(y, case.x, fold, "linear", among, case.weight)[:, 0]
