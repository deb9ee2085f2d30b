"""Paths of an outcome over its months: effects and levels whose scores stand side by side."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from evaluate.effects.arm_means import means, two_arms
from evaluate.effects.batches import batches
from evaluate.effects.groups import fits_by_group
from evaluate.effects.observational.levels import levels_with_treatment
from evaluate.estimates import Estimates
from evaluate.notes import joined, note
from evaluate.plan.model import Plan
from evaluate.plan.outcomes import Outcome
from evaluate.study import GAP, Study

FLAT = 1e-10  # standard error, relative to the outcome, below which nothing varies
GENDERS = ("women", "men")
Key = tuple[str, tuple[int, int]]  # group and contrast


@dataclass(frozen=True)
class Point:
    """One month of a path.

    Attributes
    ----------
    month, column : int
        The month, and its column among those of the study.
    estimate : Estimates or None
        One value with its scores.
    reason : str
        Why there is none, or no interval; empty otherwise.
    flat : bool
        Everybody has the same value: an effect is then zero without error.
    n, least : int
        Persons behind it; in the smallest of the arms, by gender for the gap, it rests on.
    rows : ndarray of bool, shape (persons,)
        The persons; one array for months that the same persons have.
    notes : tuple of str
        What was done that a reader must know.
    level : Estimates or None
        Of an observational study the level with treatment of those the effect is about.
    """

    month: int
    column: int
    estimate: Estimates | None
    reason: str
    flat: bool
    n: int
    least: int
    rows: np.ndarray
    notes: tuple[str, ...] = ()
    level: Estimates | None = None


def one_outcome(study: Study, plan: Plan, outcome: str) -> tuple[Study, Plan] | None:
    """Return study and plan with the months of one outcome and the groups by gender.

    None where the outcome has fewer than two months.
    """
    places = [i for i, c in enumerate(plan.outcome_columns) if c.outcome == outcome]
    if len(places) < 2:
        return None
    groups = {g: m for g, m in study.groups.items() if g in ("all", *GENDERS)}
    own = plan.model_copy(update={"outcomes": {outcome: plan.outcomes[outcome]}})
    scores = dict(study.propensities)
    for (name, arm), found in study.propensities.items():
        if name == plan.covariate_set(outcome):  # it may be named for another outcome
            scores[own.covariate_set(outcome), arm] = found
    return replace(study, y=study.y[:, places], groups=groups, propensities=scores), own


def effects_by_month(study: Study, plan: Plan) -> dict[Key, list[Point]]:
    """Estimate the effects on one outcome in all its months, by the lead estimator.

    Parameters
    ----------
    study, plan : Study, Plan
        With one outcome alone, see `one_outcome`.

    Returns
    -------
    dict of (str, (int, int)) to list of Point
        By group and contrast, in the order of the months: all, women, men and the gap.
    """
    months = [c.month for c in plan.outcome_columns]
    found: dict[Key, dict[int, Point]] = {}
    for batch in batches(study, plan):
        fits = fits_by_group(
            study, plan, plan.estimators[0], batch.y, batch.observed, batch.covariates
        )
        above = levels_with_treatment(study, plan, batch, fits) if plan.is_observational else {}
        for (group, contrast), fit in fits.items():
            level = above.get((group, contrast))
            path = found.setdefault((group, contrast), {})
            sizes = _sizes(study, fit.rows, contrast, group)
            values = batch.y[fit.rows] if fit.rows.any() else np.zeros((1, batch.y.shape[1]))
            for i, column in enumerate(batch.columns):
                one, own = values[:, i], fit.effects
                reason, flat = "", bool(np.ptp(one) == 0)
                each = fit.each[i].split("; ") if fit.each else []
                if own is None:
                    reason = joined(list(fit.notes))
                elif fit.unsure:
                    reason = fit.unsure
                elif not own.std_error[i] > FLAT * np.abs(one).max():
                    reason = note("constant" if flat else "no_spread")
                if group == GAP and not reason:
                    parts = [found[g, contrast][int(column)] for g in GENDERS]
                    flat = all(p.flat for p in parts)
                    reason = note("no_gap") if any(p.reason for p in parts) else ""
                month = months[column]
                assert month is not None
                path[int(column)] = Point(
                    month,
                    int(column),
                    own and own.pick(slice(i, i + 1)),
                    reason,
                    flat,
                    sum(sizes),
                    min(sizes),
                    fit.rows,
                    (*fit.notes, *each),
                    level and level.pick(slice(i, i + 1)),
                )
    return {k: sorted(path.values(), key=lambda p: p.month) for k, path in found.items()}


def _sizes(study: Study, rows: np.ndarray, contrast: tuple[int, int], group: str) -> list[int]:
    """Return the numbers of persons by arm; for the gap by arm and gender."""
    genders = [study.groups[g] for g in GENDERS] if group == GAP else [rows]
    return [int((rows & g & (study.arm == a)).sum()) for a in contrast for g in genders]


def levels(
    study: Study, group: str, contrast: tuple[int, int], effects: Sequence[Point]
) -> tuple[list[Point], list[Point]]:
    """Return the levels of both arms in the months of effects, for the same persons.

    They are means by which blocks count alike in both arms, see `arm_means`: their difference
    is the difference in means. Of the gap they are women's less men's. Of an observational
    study the level of the arm is of those whom the effect is about, and that of comparison
    what it would be without the effect.
    """
    if any(p.level is not None for p in effects):
        return _without_effect(study, contrast, effects)
    if group == GAP:
        parts = [
            levels(study, "all", contrast, [replace(p, rows=r) for p, r in _of(study, g, effects)])
            for g in GENDERS
        ]
        treated, control = (
            [_less(w, m) for w, m in zip(parts[0][k], parts[1][k], strict=True)] for k in (0, 1)
        )
        return treated, control
    found: tuple[dict[int, Point], dict[int, Point]] = ({}, {})
    alike: dict[int, list[Point]] = {}
    for point in effects:
        alike.setdefault(id(point.rows), []).append(point)
    for points in alike.values():
        rows, columns = points[0].rows, [p.column for p in points]
        sides, notes = two_arms(study, rows, contrast)
        for k, a in enumerate(contrast):
            n = int((rows & (study.arm == a)).sum())
            y = study.y[sides[k].persons][:, columns] if sides else np.zeros((1, len(points)))
            mean = means(sides[k], y) if sides else None
            for i, p in enumerate(points):
                still = mean and not mean.std_error[i] > FLAT * np.abs(y[:, i]).max()
                reason = joined(list(notes)) if mean is None else ""
                reason = note("no_interval") if still else reason
                own = mean and mean.pick(slice(i, i + 1))
                found[k][p.column] = replace(
                    p, estimate=own, reason=reason, flat=bool(still), n=n, least=n, notes=notes
                )
    return [found[0][p.column] for p in effects], [found[1][p.column] for p in effects]


def _without_effect(
    study: Study, contrast: tuple[int, int], effects: Sequence[Point]
) -> tuple[list[Point], list[Point]]:
    """Return levels with treatment, and the same less the effects."""
    found: tuple[list[Point], list[Point]] = ([], [])
    for p in effects:
        both: list[Estimates | None] = [None, None]
        if p.level is not None and p.estimate is not None:
            both = [p.level, replace(p.level - p.estimate, df=p.estimate.df)]
        for k, (a, estimate) in enumerate(zip(contrast, both, strict=True)):
            n = int((p.rows & (study.arm == a)).sum())
            still = estimate is not None and not estimate.variance[0] > 0
            reason = p.reason if estimate is None else note("no_interval") if still else ""
            own = replace(p, estimate=estimate, reason=reason, flat=still, n=n, least=n)
            found[k].append(replace(own, level=None))
    return found


def _of(study: Study, gender: str, points: Sequence[Point]) -> Iterator[tuple[Point, np.ndarray]]:
    """Yield points with the persons of a gender, again one array for the same persons."""
    own: dict[int, np.ndarray] = {}
    for p in points:
        yield p, own.setdefault(id(p.rows), p.rows & study.groups[gender])


def _less(women: Point, men: Point) -> Point:
    """Return women's level less men's."""
    n, least = women.n + men.n, min(women.least, men.least)
    notes, flat = tuple(dict.fromkeys((*women.notes, *men.notes))), women.flat and men.flat
    common = replace(women, n=n, least=least, notes=notes, flat=flat)
    if women.estimate is None or men.estimate is None:
        return replace(common, estimate=None, reason=note("no_gap"))
    reason = note("no_interval") if flat else ""
    return replace(common, estimate=women.estimate - men.estimate, reason=reason)


def side_by_side(points: Sequence[Point]) -> Estimates:
    """Return the points as one set of estimates; whose without an interval have no scores."""
    told = [p.estimate for p in points if p.estimate is not None]
    units = len(told[0].scores) if told else 0
    value = np.full(len(points), np.nan)
    scores = np.zeros((units, len(points)))
    df = np.ones(len(points))
    for i, point in enumerate(points):
        if point.estimate is not None:
            value[i], df[i] = point.estimate.value[0], point.estimate.df[0]
            if not point.reason:
                scores[:, i] = point.estimate.scores[:, 0]
    return Estimates(value, scores, df)


def summed(points: Sequence[Point], by: np.ndarray) -> Estimates:
    """Return the sum of the points times ``by``, shape (k,): exact, scores being linear.

    The degrees of freedom are the fewest of the months.
    """
    beside = side_by_side(points)
    moves = beside.df[beside.variance > 0]
    df = np.array([moves.min(initial=np.inf)])
    return Estimates(by @ beside.value[:, None], beside.scores @ by[:, None], df)


def after(points: Sequence[Point]) -> list[Point]:
    """Return the points of month 1 and later."""
    return [p for p in points if p.month >= 1]


def missing(points: Sequence[Point]) -> Point | None:
    """Return the first point that a sum needs and lacks."""
    return next((p for p in points if p.estimate is None or (p.reason and not p.flat)), None)


def followed(points: Sequence[Point]) -> int:
    """Return how many of the first months are observed for the same persons."""
    same = [np.array_equal(p.rows, points[0].rows) for p in points]
    return same.index(False) if False in same else len(same)


def step_of(outcome: Outcome, months: Sequence[int], yearly: bool) -> int | None:
    """Return the months that one value stands for, where values may be added up over time.

    None where they are of single waves, or are cumulated already.
    """
    if outcome.measure not in ("at", "days"):
        return None
    step = 12 if yearly and outcome.incomes is not None else 1
    regular = np.all(np.diff(months) == step)
    if len(months) < 2 or not regular or not (outcome.is_linked or months[0] == step):
        return None
    return step


def area_weights(months: Sequence[int]) -> np.ndarray:
    """Return by what the effects in some months add up to the area under their path.

    The path runs in straight lines from no effect at time zero; shape (k,), in months.
    """
    edge = np.array([0, *months], dtype=float)
    width = np.diff(edge)
    return np.asarray((width + np.append(width[1:], 0)) / 2)
