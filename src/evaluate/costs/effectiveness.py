"""Cost per offer and participant, and cost per additional unit of an outcome."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
from scipy import stats

from evaluate import schemas
from evaluate.costs.records import has_records, per_offer, record_table
from evaluate.design.default_estimators import with_default
from evaluate.effects.fit import Fit, covariates_for
from evaluate.effects.groups import NO_TAKEUP, Key, fits_by_group
from evaluate.effects.table import FLAT
from evaluate.estimates import Estimates
from evaluate.fieller import FiellerSet, fieller
from evaluate.plan.closed import code_text
from evaluate.plan.costs import Costs
from evaluate.plan.model import Plan
from evaluate.study import GAP, Study

ROUNDING = 1e-10  # of a cost, below which what is left of two equal costs is none
NO_COST = {"incremental_cost": None, "incremental_cost_se": None}


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
        budget cost; both count as public. No rows where the plan names no costs.
    """
    costs = plan.costs
    if costs is None:
        return pd.DataFrame(columns=list(schemas.COSTS.columns))
    if has_records(plan):
        assert records is not None
        return record_table(records, study)
    cost = person_costs(study, costs)
    rows = []
    for i, arm in enumerate(study.arms):
        members = (study.arm == i) & ~np.isnan(cost)
        taken = members if study.takeup is None else members & (study.takeup == 1)
        counted = study.takeup is not None or i > 0
        total = float(cost[members].sum())
        rows.append(
            {
                "item": "programme",
                "arm": arm,
                "payer": "public",
                "basis": "unit_cost" if study.cost is None else "budget",
                "amount": total,
                "per_offer": total / members.sum() if members.any() else None,
                "per_participant": total / taken.sum() if counted and taken.any() else None,
                "currency": costs.currency,
                "price_year": costs.price_year,
                "stated": None,
            }
        )
    return pd.DataFrame(rows)


def is_before(month: int | None) -> bool:
    """Tell whether a month is before day zero: nothing was bought then."""
    return month is not None and month < 1


def cost_effectiveness(
    study: Study, plan: Plan, records: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Set the incremental cost against the effects that the plan names.

    A person's cost is one more outcome, estimated with the lead estimator on the same
    persons, so that cost and effect have a covariance. Of cost records only the total of an
    arm is known: every offer of the arm carries the same share of it, which has no sampling
    variance, and women and men cannot be told apart, so the gap has no cost.

    Parameters
    ----------
    study, plan, records
        As for `cost_table`.

    Returns
    -------
    DataFrame
        As `schemas.COST_EFFECTIVENESS`, for all, women, men and the gap. Per participant,
        cost and effect are divided by the effect on take-up; the ratio is the same. The gap
        has no ratio: a ratio of two gaps is not a price of anything.
    """
    plan, costs = with_default(plan, study), plan.costs
    columns = list(schemas.COST_EFFECTIVENESS.columns)
    if costs is None:
        return pd.DataFrame(columns=columns)
    is_total = has_records(plan)
    basis = "unit_cost" if study.cost is None else "budget"
    if is_total:
        assert records is not None
        by_arm, basis = per_offer(records, study, plan)
        spent = by_arm[study.arm]
    else:
        spent = person_costs(study, costs)
    rows: list[dict[str, object]] = []
    for i, column in enumerate(plan.outcome_columns):
        if column.outcome not in costs.outcomes or is_before(column.month):
            continue
        y = np.column_stack([study.y[:, i], spent])
        if study.takeup is not None:
            y = np.column_stack([y, study.takeup])
        observed = ~np.isnan(y).any(axis=1)
        outcome = plan.outcomes[column.outcome]
        covariates = covariates_for(
            study, column.outcome, outcome.without, plan.covariate_set(column.outcome)
        )
        y = np.where(observed[:, None], y, 0)
        fits = fits_by_group(study, plan, plan.estimators[0], y, observed, covariates)
        fits = _varying(fits, y[:, 0])
        for contrast in [c for c in study.contrasts if c[1] == 0]:
            groups = [g for g in (*study.groups, GAP) if "=" not in g and (g, contrast) in fits]
            for group in groups:
                labels = {
                    "outcome": column.outcome,
                    "month": column.month,
                    "arm": study.label(contrast),
                    "group": group,
                    "perspective": "public",
                    "basis": basis,
                }
                no_cost = NO_COST if is_total and group == GAP else {}
                rows += [
                    labels | numbers | no_cost
                    for numbers in _rows(study, costs, fits, group, contrast, plan.analysis.level)
                ]
    return pd.DataFrame(rows, columns=columns)


def _varying(fits: dict[Key, Fit], y: np.ndarray) -> dict[Key, Fit]:
    """Empty effects on an outcome that does not vary, and the gaps that stand on them."""

    def is_flat(one: Fit) -> bool:
        return one.effects is not None and not (
            one.effects.std_error[0] > FLAT * np.abs(y[one.rows]).max()
        )

    flat = {key for key, one in fits.items() if is_flat(one)}
    flat |= {(GAP, contrast) for group, contrast in flat if group in ("women", "men")}
    return {key: replace(f, effects=None) if key in flat else f for key, f in fits.items()}


def _rows(
    study: Study,
    costs: Costs,
    fits: dict[Key, Fit],
    group: str,
    contrast: tuple[int, int],
    level: float,
) -> list[dict[str, object]]:
    """Return one row per denominator."""
    denominators = ["offer", "participant"] if study.takeup is not None else [costs.per]
    both = fits[group, contrast].effects
    if both is None:
        return [{"denominator": d, "icer_set": None} for d in denominators]
    ratio = None if group == GAP else _ratio(both, level)
    rows: list[dict[str, object]] = []
    for denominator in denominators:
        found: Estimates | None = both
        if study.takeup is not None and denominator == "participant":
            if group == GAP:
                women, men = (_per_participant(fits[g, contrast]) for g in ("women", "men"))
                found = women - men if women and men else None
            else:
                found = _per_participant(fits[group, contrast])
        if found is None:
            rows.append({"denominator": denominator, "icer_set": None})
            continue
        whole = fits["all", contrast].effects or both
        dust = ROUNDING * max(abs(both.value[1]), abs(whole.value[1]))
        cost, error = (0.0 if abs(v) < dust else v for v in (found.value[1], found.std_error[1]))
        rows.append(
            {
                "incremental_cost": cost,
                "incremental_cost_se": error,
                "effect": found.value[0],
                "effect_se": found.std_error[0],
                "denominator": denominator,
                "icer": both.value[1] / both.value[0] if ratio and both.value[0] else None,
                "icer_low": ratio.low if ratio else None,
                "icer_high": ratio.high if ratio else None,
                "icer_set": ratio.kind if ratio else None,
            }
        )
    return rows


def _per_participant(fit: Fit) -> Estimates | None:
    """Divide the effects on outcome and cost by the effect on take-up."""
    if fit.effects is None or abs(fit.effects.value[2]) < NO_TAKEUP:
        return None
    return fit.effects.pick([0, 1]).over(fit.effects.pick([2, 2]))


def _ratio(both: Estimates, level: float) -> FiellerSet:
    quantile = stats.t.ppf((1 + level) / 2, both.df[0])
    order = both.pick([1, 0])
    return fieller(order.value[0], order.value[1], order.covariance, quantile)
