"""The table of paths: effects and levels by month with their bands, and what they add up to."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import pandas as pd

from evaluate import schemas
from evaluate.design.default_estimators import with_default
from evaluate.effects.bands import band, critical_value
from evaluate.effects.paths import (
    Point,
    after,
    area_weights,
    effects_by_month,
    followed,
    levels,
    missing,
    one_outcome,
    side_by_side,
    step_of,
    summed,
)
from evaluate.estimates import Estimates
from evaluate.notes import joined, note
from evaluate.plan.model import Plan
from evaluate.study import GAP, Study

GROUPS = ("all", "women", "men", GAP)
NUMBERS = ("estimate", "std_error", "conf_low", "conf_high", "band_low", "band_high", "critical")
Row = dict[str, object]
Draws = Callable[..., np.random.Generator]  # from names of a place to its generator


def path_table(study: Study, plan: Plan, draws: Draws) -> pd.DataFrame:
    """Return the paths of all outcomes with two months or more.

    Parameters
    ----------
    study : Study
        The persons.
    plan : Plan
        The programme file.
    draws : callable
        Gives the generator of an outcome, arm and group, for the band's critical value.

    Returns
    -------
    DataFrame
        As `schemas.PATHS`. By month: ``effect`` of the lead estimator with its interval and,
        from month 1 on, a band that holds for all these months at once; ``level_treated`` and
        ``level_control``. Without a month: ``cumulated``, the sum of the effects over the
        months, with that of the levels; ``cumulated_observed``, the sum over the first months,
        up to the last that everybody of month 1 is observed in, where that is fewer;
        ``area`` under the path of waves; ``first_above``, ``last_above``, ``first_below``,
        ``last_below``: the first and last month, if any, whose band lies above or below zero.
    """
    plan, rows = with_default(plan, study), list[Row]()
    for outcome in plan.outcomes:
        chosen = one_outcome(study, plan, outcome)
        if chosen is None:
            continue
        own, alone = chosen
        found = effects_by_month(own, alone)
        for contrast in own.contrasts:
            for group in (g for g in GROUPS if (g, contrast) in found):
                points = found[group, contrast]
                label = study.label(contrast)
                context = {"outcome": outcome, "arm": label, "group": group}
                sides = levels(own, group, contrast, points)
                rng = draws(outcome, label, group)
                for row in _rows(alone, outcome, points, sides, rng):
                    rows.append(context | row)
    table = pd.DataFrame(rows, columns=list(schemas.PATHS.columns))
    return table.assign(level=plan.analysis.level)


def _rows(
    plan: Plan,
    outcome: str,
    effects: Sequence[Point],
    sides: tuple[Sequence[Point], Sequence[Point]],
    rng: np.random.Generator,
) -> Iterator[Row]:
    """Yield the rows of one outcome, contrast and group."""
    level, unit = plan.analysis.level, plan.outcomes[outcome].unit
    lead: Row = {"estimator": plan.estimators[0], "unit": unit}
    beside = side_by_side(effects)
    since = np.array([p.month >= 1 for p in effects])
    critical = critical_value(beside.pick(np.flatnonzero(since)), level, rng)
    ends = np.stack(band(beside, critical))
    ends[:, ~since | ~(beside.variance > 0)] = np.nan
    for i, point in enumerate(effects):
        extra = {"band_low": ends[0, i], "band_high": ends[1, i]}
        extra["critical"] = critical if np.isfinite(ends[0, i]) else np.nan
        yield lead | {"kind": "effect"} | numbers(beside, i, level) | extra | _of(point)
    for kind, points in zip(("level_treated", "level_control"), sides, strict=True):
        told = side_by_side(points)
        for i, point in enumerate(points):
            shown = {"kind": kind, "unit": unit} | numbers(told, i, level) | _of(point)
            yield shown | ({"estimate": told.value[i]} if point.flat else {})
    yield from _sums(plan, outcome, effects, sides, lead)
    months = np.array([p.month for p in effects])
    for kind, beyond in (("above", ends[0] > 0), ("below", ends[1] < 0)):
        for end in ("first", "last") if beyond.any() else ():
            month = months[beyond][0 if end == "first" else -1]
            found: Row = {"kind": f"{end}_{kind}", "estimate": month, "unit": "month"}
            yield lead | found | _behind(after(effects), telling=False)


def _sums(
    plan: Plan,
    outcome: str,
    effects: Sequence[Point],
    sides: tuple[Sequence[Point], Sequence[Point]],
    lead: Row,
) -> Iterator[Row]:
    """Yield what effects and levels add up to over the months, where that means something."""
    stated, level = plan.outcomes[outcome], plan.analysis.level
    chosen = after(effects)
    months = [p.month for p in chosen]
    incomes = plan.data.incomes
    yearly = incomes is not None and incomes.per == "year"
    step = step_of(stated, months, yearly)
    parts: list[tuple[str, Sequence[Point], np.ndarray]] = []
    if step is not None:
        one = np.ones(len(chosen))
        parts = [("cumulated", chosen, one)]
        parts += [
            (f"cumulated_{side}", after(points), one)
            for side, points in zip(("treated", "control"), sides, strict=True)
        ]
        if 1 < (same := followed(chosen)) < len(chosen):
            parts.append(("cumulated_observed", chosen[:same], one[:same]))
    elif len(chosen) > 1 and stated.columns is not None:
        parts = [("area", chosen, area_weights(months))]
    times = "years" if step == 12 else "months"
    unit = times if stated.unit == "share" else f"{stated.unit} x {times}"
    for kind, points, by in parts:
        shown = lead | {"kind": kind, "unit": unit} | _behind(points, from_zero=kind == "area")
        if "treated" in kind or "control" in kind:
            shown["estimator"] = None
        if lacking := missing(points):
            yield shown | {"note": note("month_missing", month=lacking.month)}
            continue
        total = summed(points, by)
        if total.variance[0] > 0:
            shown |= numbers(total, 0, level)
        yield shown


def numbers(estimates: Estimates, i: int, level: float) -> Row:
    """Return estimate, standard error and interval; nothing without a standard error."""
    if not estimates.variance[i] > 0:
        return {}
    low, high = estimates.interval(level)
    told = (estimates.value, estimates.std_error, low, high)
    return {name: float(v[i]) for name, v in zip(NUMBERS, told, strict=False)}


def _of(point: Point) -> Row:
    return {
        "month": point.month,
        "n": point.n,
        "n_least": point.least,
        "note": joined([point.reason] if point.reason else list(point.notes)),
    }


def _behind(points: Sequence[Point], telling: bool = True, from_zero: bool = False) -> Row:
    """Return the persons behind several months, and what a reader must know of them."""
    n = [p.n for p in points]
    first = 0 if from_zero else points[0].month  # an area begins with no effect at time zero
    notes = [note("months", first=first, last=points[-1].month)]
    if telling:
        if followed(points) < len(points):
            notes.append(note("persons_vary", low=f"{min(n):,}", high=f"{max(n):,}"))
        notes += [text for p in points for text in p.notes]
    return {"n": min(n), "n_least": min(p.least for p in points), "note": joined(notes)}
