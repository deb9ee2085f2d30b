"""Cost-effectiveness: cost per additional unit of an outcome, and the choice it speaks for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, islice

import numpy as np
import pandas as pd
from scipy import stats

from evaluate import schemas
from evaluate.costs.acceptability import acceptability, net_benefit, quadrants
from evaluate.costs.joint_draws import joint_draws
from evaluate.costs.month_costs import is_of_arms_alone
from evaluate.costs.pairs import Pair, pairs, spending
from evaluate.costs.ratio import drawn_interval, fieller_set
from evaluate.design.default_estimators import with_default
from evaluate.estimates import Estimates
from evaluate.plan.model import Plan
from evaluate.study import GAP, Study

HELD = 40_000_000  # scores drawn from at a time
NO_COST = ("incremental_cost", "incremental_cost_se", "correlation")


@dataclass(frozen=True)
class CostEffectiveness:
    """What the stage writes.

    Attributes
    ----------
    ratios : DataFrame
        As `schemas.COST_EFFECTIVENESS`.
    acceptability : DataFrame
        As `schemas.ACCEPTABILITY`.
    """

    ratios: pd.DataFrame
    acceptability: pd.DataFrame


@dataclass(frozen=True)
class Drawn:
    """A pair and joint draws of it, shape (draws, 1 + bases), None where nothing is estimated."""

    pair: Pair
    draws: np.ndarray | None


def cost_effectiveness(
    study: Study, plan: Plan, records: pd.DataFrame | None, rng: np.random.Generator
) -> CostEffectiveness:
    """Set the incremental cost against the effects that the plan names.

    A person's cost is one more outcome, estimated with the lead estimator on the same
    persons, so that cost and effect have a covariance. Of cost records only the total of an
    arm is known, so that women and men cannot be told apart, and the gap has no cost.

    Parameters
    ----------
    study, plan : Study, Plan
        The persons and the programme file.
    records : DataFrame or None
        As `schemas.COST_RECORDS`, for a plan whose costs are those of the table `costs`.
    rng : Generator
        For the joint draws.

    Returns
    -------
    CostEffectiveness
        Ratios for all, women, men and the gap, per offer and per participant, where cost and
        effect are divided by the effect on take-up; the ratio is the same. The gap has no ratio:
        a ratio of two gaps is not a price of anything. Where less of an outcome is better, the
        effect is how much less there is. Acceptability of the month that stands for an outcome,
        at the plan's thresholds. Each basis of the costs has rows of its own.
    """
    plan = with_default(plan, study)
    ratios: list[dict[str, object]] = []
    chances: list[dict[str, object]] = []
    if plan.costs is not None:
        spent = spending(study, plan, records)
        found = pairs(study, plan, spent)
        for batch in _held(found):
            batch_of_month = groupby(_drawn(batch, rng), key=lambda d: d.pair.column)
            for column, of_month in batch_of_month:
                of_column = list(of_month)
                for drawn in of_column:
                    ratios += _ratio_rows(study, plan, list(spent), drawn)
                if column.month == plan.outcomes[column.outcome].standing_month:
                    chances += _acceptability_rows(study, plan, list(spent), of_column)
    return CostEffectiveness(
        pd.DataFrame(ratios, columns=list(schemas.COST_EFFECTIVENESS.columns)),
        pd.DataFrame(chances, columns=list(schemas.ACCEPTABILITY.columns)),
    )


def _held(found: Sequence[Pair]) -> Iterator[list[Pair]]:
    """Yield the pairs by outcome column, as many columns together as memory is meant to hold."""
    by_column = [list(g) for _, g in groupby(found, key=lambda p: p.column)]
    sizes = [p.offer.scores.size for p in found if p.offer is not None]
    most = max(1, HELD // max(max(sizes, default=1) * len(by_column[0] if by_column else []), 1))
    columns = iter(by_column)
    while batch := list(islice(columns, most)):
        yield [pair for column in batch for pair in column]


def _drawn(batch: Sequence[Pair], rng: np.random.Generator) -> list[Drawn]:
    draws = iter(joint_draws([p.offer for p in batch if p.offer is not None], rng))
    return [Drawn(pair, None if pair.offer is None else next(draws)) for pair in batch]


def _ratio_rows(
    study: Study, plan: Plan, bases: Sequence[str], drawn: Drawn
) -> list[dict[str, object]]:
    """Return one row per basis and denominator."""
    pair, rows = drawn.pair, []
    assert plan.costs is not None
    per = ["offer", "participant"] if study.takeup is not None else [plan.costs.per]
    for i, basis in enumerate(bases, start=1):
        labels = _labels(study, pair, basis)
        ratio = _ratio(plan, drawn, i)
        for denominator in per:
            of_takers = study.takeup is not None and denominator == "participant"
            one = pair.participant if of_takers else pair.offer
            row = labels | {"denominator": denominator, "icer_set": None}
            if one is not None:
                row |= _values(one.pick([0, i])) | ratio
                if pair.group == GAP and is_of_arms_alone(plan):
                    row |= dict.fromkeys(NO_COST)
            rows.append(row)
    return rows


def _labels(study: Study, pair: Pair, basis: str) -> dict[str, object]:
    return {
        "outcome": pair.column.outcome,
        "month": pair.column.month,
        "arm": study.label(pair.contrast),
        "group": pair.group,
        "perspective": "public",
        "basis": basis,
    }


def _values(one: Estimates) -> dict[str, object]:
    errors = one.std_error
    varies = bool((errors > 0).all())
    return {
        "incremental_cost": one.value[1],
        "incremental_cost_se": errors[1],
        "effect": one.value[0],
        "effect_se": errors[0],
        "correlation": one.covariance[0, 1] / errors.prod() if varies else None,
    }


def _ratio(plan: Plan, drawn: Drawn, i: int) -> dict[str, object]:
    """Return cost over effect with its sets, and where the draws lie in the plane."""
    pair = drawn.pair
    if pair.offer is None or drawn.draws is None or pair.group == GAP:
        return {}
    both, level = pair.offer.pick([0, i]), plan.analysis.level
    effect, cost = drawn.draws[:, 0], drawn.draws[:, i]
    found = fieller_set(both, level)
    low = high = None
    if found.kind == "interval":
        low, high = drawn_interval(both.value[0], both.value[1], effect, cost, level)
    shares = {f"quadrant_{name}": share for name, share in quadrants(effect, cost).items()}
    return shares | {
        "icer": both.value[1] / both.value[0] if both.value[0] else None,
        "icer_low": found.low,
        "icer_high": found.high,
        "icer_set": found.kind,
        "icer_low_drawn": low,
        "icer_high_drawn": high,
    }


def _acceptability_rows(
    study: Study, plan: Plan, bases: Sequence[str], drawn: Sequence[Drawn]
) -> Iterator[dict[str, object]]:
    """Yield the choice between the arms and control at each threshold, by group and basis."""
    assert plan.costs is not None
    outcome = drawn[0].pair.column.outcome
    points = plan.costs.points_of(outcome)
    if points is None:
        return
    threshold = np.array(points)
    for group in dict.fromkeys(d.pair.group for d in drawn):
        of_group = [d for d in drawn if d.pair.group == group]
        arms = [d for d in of_group if d.pair.offer is not None]
        if not arms or (group == GAP and is_of_arms_alone(plan)):
            continue
        for i, basis in enumerate(bases, start=1):
            yield from _choice(study, plan, basis, i, threshold, arms)


def _choice(
    study: Study,
    plan: Plan,
    basis: str,
    i: int,
    threshold: np.ndarray,
    arms: Sequence[Drawn],
) -> Iterator[dict[str, object]]:
    offers = [d.pair.offer for d in arms if d.pair.offer is not None]
    draws = np.stack([d.draws for d in arms if d.draws is not None], axis=-1)
    drawn_net = net_benefit(draws[:, 0], draws[:, i], threshold)
    expected = np.stack([net_benefit(o.value[0], o.value[i], threshold) for o in offers], axis=1)
    intervals = [_interval(o.pick([0, i]), threshold, plan.analysis.level) for o in offers]
    labels = [_labels(study, d.pair, basis) for d in arms]
    choice = None if arms[0].pair.group == GAP else acceptability(drawn_net, expected)
    above = (drawn_net > 0).mean(axis=1)
    for t, worth in enumerate(threshold):
        if choice:
            yield labels[0] | {
                "arm": study.arms[0],
                "threshold": worth,
                "net_benefit": 0.0,
                "probability": choice.probability[t, 0],
                "is_best": bool(choice.best[t] == 0),
                "perfect_information": choice.perfect_information[t],
            }
        for a, (low, high) in enumerate(intervals):
            row = labels[a] | {
                "threshold": worth,
                "net_benefit": expected[t, a],
                "conf_low": low[t],
                "conf_high": high[t],
                "probability": above[t, a],
            }
            if choice:
                row |= {
                    "probability": choice.probability[t, a + 1],
                    "is_best": bool(choice.best[t] == a + 1),
                    "perfect_information": choice.perfect_information[t],
                }
            yield row


def _interval(
    both: Estimates, threshold: np.ndarray, level: float
) -> tuple[np.ndarray, np.ndarray]:
    """Return the ends of the intervals of net benefit, linear in effect and cost."""
    weights = np.stack([threshold, -np.ones_like(threshold)])
    error = np.sqrt(np.einsum("it,ij,jt->t", weights, both.covariance, weights))
    margin = stats.t.ppf((1 + level) / 2, both.df[0]) * error
    return both.value @ weights - margin, both.value @ weights + margin
