"""Cost and effect side by side: a person's cost as one more outcome column of the same fit."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from evaluate.costs.month_costs import month_costs
from evaluate.costs.programme_costs import basis_of_persons, person_costs
from evaluate.costs.records import bases_of, has_records, nothing_public, per_offer
from evaluate.effects.batches import Batch, batches
from evaluate.effects.fit import Fit
from evaluate.effects.groups import NO_TAKEUP, Key, fits_by_group
from evaluate.effects.table import FLAT
from evaluate.estimates import Estimates
from evaluate.plan.model import Plan
from evaluate.plan.outcomes import OutcomeColumn
from evaluate.study import GAP, Study

ROUNDING = 1e-10  # of a cost, below which what is left of two equal costs is none


@dataclass(frozen=True)
class Pair:
    """Effects of one contrast on an outcome and on costs, in one group.

    Attributes
    ----------
    column : OutcomeColumn
        The outcome, and its month.
    group : str
        All, women, men or the gap.
    contrast : (int, int)
        Positions of the arms.
    offer : Estimates or None
        Per person offered: the outcome, so turned that more is better, then the costs in the
        order of ``bases``. None where there is no effect.
    participant : Estimates or None
        The same over the effect on take-up; None where nothing is known of that.
    """

    column: OutcomeColumn
    group: str
    contrast: tuple[int, int]
    offer: Estimates | None
    participant: Estimates | None


def spending(study: Study, plan: Plan, records: pd.DataFrame | None) -> dict[str, np.ndarray]:
    """Return what the public spent on each person, shape (n,), by basis; the one that leads first.

    Of cost records only the total of an arm is known: every offer of the arm carries the same
    share of it, which has no sampling variance. What is paid by the month is each person's own,
    on the basis that leads.
    """
    assert plan.costs is not None
    if has_records(plan):
        assert records is not None
        bases = bases_of(records, plan.costs)
        if not bases:
            raise nothing_public(records, plan)
        spent = {basis: per_offer(records, study, plan, basis)[study.arm] for basis in bases}
    else:
        spent = {basis_of_persons(study): person_costs(study, plan.costs)}
    lead = next(iter(spent))
    spent[lead] = sum(month_costs(study, plan).values(), start=spent[lead])
    return spent


def pairs(study: Study, plan: Plan, spent: dict[str, np.ndarray]) -> list[Pair]:
    """Estimate effects on outcomes and costs together, by the lead estimator.

    Parameters
    ----------
    study, plan : Study, Plan
        The persons and the programme file; its ``costs.outcomes`` are those paired.
    spent : dict of str to ndarray, shape (n,)
        By basis, NaN where not known; such persons, and those whose take-up is not known, are
        in no estimate.

    Returns
    -------
    list of Pair
        By outcome column in the plan's order, then by contrast with control, then by group.
    """
    costs = np.column_stack(list(spent.values()))
    found: dict[int, list[Pair]] = {}
    for batch in batches(study, plan):
        chosen = [i for i, c in enumerate(batch.columns) if _is_paired(plan, int(c))]
        if chosen:
            own = replace(batch, columns=batch.columns[chosen], y=batch.y[:, chosen])
            found |= _of_batch(study, plan, own, costs)
    return [pair for place in sorted(found) for pair in found[place]]


def _is_paired(plan: Plan, place: int) -> bool:
    assert plan.costs is not None
    column = plan.outcome_columns[place]
    before = column.month is not None and column.month < 1  # nothing was bought then
    return column.outcome in plan.costs.outcomes and not before


def _of_batch(study: Study, plan: Plan, batch: Batch, costs: np.ndarray) -> dict[int, list[Pair]]:
    """Fit outcomes, costs and take-up in one go, and take them apart by outcome."""
    k, more = len(batch.columns), costs.shape[1]
    extra = costs if study.takeup is None else np.column_stack([costs, study.takeup])
    known = batch.observed & ~np.isnan(extra).any(axis=1)
    y = np.where(known[:, None], np.column_stack([batch.y, extra]), 0)
    fits = fits_by_group(study, plan, plan.estimators[0], y, known, batch.covariates)
    found: dict[int, list[Pair]] = {}
    for i, place in enumerate(batch.columns):
        column = plan.outcome_columns[place]
        sign = -1.0 if plan.outcomes[column.outcome].better == "lower" else 1.0
        pick = [i, *range(k, k + more + (study.takeup is not None))]
        own = {key: _picked(one, pick, sign) for key, one in fits.items()}
        flat = {key for key, one in own.items() if _is_flat(one, y[:, i], fits[key])}
        flat |= {(GAP, contrast) for group, contrast in flat if group in ("women", "men")}
        own = {key: None if key in flat else one for key, one in own.items()}
        found[int(place)] = [
            Pair(
                column,
                group,
                contrast,
                _dusted(own[group, contrast], own, contrast, more),
                _dusted(_per_participant(study, own, group, contrast), own, contrast, more),
            )
            for contrast in study.contrasts
            if contrast[1] == 0
            for group in (*study.groups, GAP)
            if "=" not in group and (group, contrast) in own
        ]
    return found


def _picked(one: Fit, pick: list[int], sign: float) -> Estimates | None:
    if one.effects is None:
        return None
    found = one.effects.pick(pick)
    turned = np.where(np.arange(len(pick)) == 0, sign, 1.0)
    return replace(found, value=found.value * turned, scores=found.scores * turned)


def _is_flat(one: Estimates | None, y: np.ndarray, fit: Fit) -> bool:
    return one is not None and not one.std_error[0] > FLAT * np.abs(y[fit.rows]).max(initial=0)


def _per_participant(
    study: Study, own: dict[Key, Estimates | None], group: str, contrast: tuple[int, int]
) -> Estimates | None:
    """Divide the effects by that on take-up; of the gap, women's and men's each by their own."""
    if study.takeup is None:
        return None
    if group == GAP:
        women, men = (_per_participant(study, own, g, contrast) for g in ("women", "men"))
        return women - men if women and men else None
    both = own[group, contrast]
    if both is None or abs(both.value[-1]) < NO_TAKEUP:
        return None
    last = len(both.value) - 1
    return both.over(both.pick([last] * (last + 1)))


def _dusted(
    one: Estimates | None,
    own: dict[Key, Estimates | None],
    contrast: tuple[int, int],
    more: int,
) -> Estimates | None:
    """Return outcome and costs, with costs that are nothing but rounding set to nothing."""
    if one is None:
        return None
    one = one.pick(slice(1 + more))
    whole = own["all", contrast] or one
    dust = ROUNDING * np.abs(whole.value[1 : 1 + more])
    value, scores = one.value.copy(), one.scores.copy()
    value[1:][np.abs(one.value[1:]) < dust] = 0.0
    scores[:, 1:][:, one.std_error[1:] < dust] = 0.0
    return replace(one, value=value, scores=scores, origin=None)
