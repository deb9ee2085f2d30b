"""Whether the gap between women and men opens early or late: the months of an outcome."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from evaluate.design.default_estimators import with_default
from evaluate.effects.bands import band, critical_value
from evaluate.effects.path_tables import numbers
from evaluate.effects.paths import (
    GENDERS,
    Point,
    after,
    effects_by_month,
    followed,
    missing,
    one_outcome,
    side_by_side,
    summed,
)
from evaluate.notes import joined, note
from evaluate.plan.model import Plan
from evaluate.study import GAP, Study

Row = dict[str, object]
Gaps = dict[tuple[int, int], list[Point]]  # by contrast, in the order of the months


def gaps_by_month(study: Study, plan: Plan, outcome: str) -> Gaps:
    """Estimate the gap in all months of an outcome at once, by the lead estimator.

    Parameters
    ----------
    study, plan : Study, Plan
        The persons and the programme file.
    outcome : str
        Name of an outcome of the plan.

    Returns
    -------
    dict of (int, int) to list of Point
        By contrast, from month 1 on; nothing where the outcome has fewer than two months or
        there is one gender.
    """
    plan = with_default(plan, study)
    chosen = one_outcome(study, plan, outcome)
    if chosen is None or not plan.columns.both_genders:
        return {}
    own, alone = chosen
    if sum((c.month or 0) >= 1 for c in alone.outcome_columns) < 2:
        return {}
    if not plan.is_observational:  # there nuisances of everybody are shared
        own = replace(own, groups={g: own.groups[g] for g in GENDERS})
    found = effects_by_month(own, alone)
    return {contrast: after(points) for (g, contrast), points in found.items() if g == GAP}


def month_rows(
    study: Study, points: Sequence[Point], level: float, rng: np.random.Generator
) -> Iterator[Row]:
    """Tell whether a gap opens early or late.

    Parameters
    ----------
    study : Study
        The persons.
    points : sequence of Point
        The gap by month, of one contrast from `gaps_by_month`.
    level : float
        Of intervals and of the band.
    rng : Generator
        Draws of the band.

    Yields
    ------
    dict
        A row of `schemas.GAP`: ``early``, the mean gap in the months up to half of the last (or
        in the first, where that is later); ``late``, in those after; ``late-early``, from scores
        of the same persons; ``opens``, the first month from which the band that holds for all
        months at once stays on one side of zero. Months without an interval have no band: they
        are named, and nothing is said of them.
    """
    if len(points) < 2:
        yield {"method": "timing", "part": "late-early", "note": note("gap_one_month")}
        return
    month = np.array([p.month for p in points])
    early = month <= max(month[0], month[-1] / 2)
    first, second = early / early.sum(), ~early / (~early).sum()
    for part, by in (("early", first), ("late", second), ("late-early", second - first)):
        used = [p for p, share in zip(points, by, strict=True) if share]
        shown: Row = {"method": "timing", "part": part} | _behind(study, used)
        if lacking := missing(used):
            yield shown | {"note": note("month_missing", month=lacking.month)}
            continue
        mean = summed(used, by[by != 0])
        told = {"df": float(mean.df[0]), "p_value": float(mean.p_value[0])}
        yield shown | numbers(mean, 0, level) | (told if mean.variance[0] > 0 else {})
    yield _opens(study, points, level, rng)


def _opens(study: Study, points: Sequence[Point], level: float, rng: np.random.Generator) -> Row:
    """Find the month from which the band stays off zero; a flat gap is zero without error."""
    beside = side_by_side(points)
    low, high = band(beside, critical_value(beside, level, rng))
    moves = beside.variance > 0
    told = moves | np.array([p.flat for p in points])
    side = np.where(moves, (low > 0).astype(int) - (high < 0), 0)[told]
    shown: Row = {"method": "timing", "part": "opens", "unit": "month"} | _behind(study, points)
    notes = [str(shown["note"])] if shown["note"] else []
    notes += [
        note("month_missing", month=p.month) for p, t in zip(points, told, strict=True) if not t
    ]
    if not moves.any():
        return shown | {"note": joined(notes)}
    if side[-1] == 0:
        return shown | {"note": joined([*notes, note("gap_never")])}
    other = np.flatnonzero(side != side[-1])
    first = int(other[-1]) + 1 if len(other) else 0
    opens = np.array([p.month for p in points])[told][first]
    return shown | {"estimate": float(opens), "note": joined(notes)}


def _behind(study: Study, points: Sequence[Point]) -> Row:
    """Return the months and the persons behind them, in the month with the fewest."""
    n = np.array([[(p.rows & study.groups[g]).sum() for p in points] for g in GENDERS])
    notes = [text for p in points for text in p.notes]
    if followed(points) < len(points):
        both = n.sum(axis=0)
        notes.insert(0, note("persons_vary", low=f"{both.min():,}", high=f"{both.max():,}"))
    return {
        "month_from": points[0].month,
        "month_to": points[-1].month,
        "n_women": int(n[0].min()),
        "n_men": int(n[1].min()),
        "note": joined(notes),
        "least": min(p.least for p in points),
    }
