"""Bounds for all, women, men and the gap between them, by every method."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from evaluate.covariates import imputed, independent
from evaluate.effects.adjustment import Contrast, both_arms
from evaluate.effects.batches import Batch, batches
from evaluate.effects.bounds import Bounds, lee, manski
from evaluate.effects.comparison import Comparison, compare
from evaluate.effects.prognosis import cells, folds, prognosis
from evaluate.effects.response_weights import FLOOR, weighted_by_response
from evaluate.errors import DesignError
from evaluate.estimates import Estimates
from evaluate.notes import note
from evaluate.plan.model import Plan
from evaluate.study import GAP, Study

METHODS = ("lee", "lee_tightened", "manski", "ipw")
TRIMMED = ("trimmed_control", "trimmed_offer")  # notes, by which arm is trimmed
HELD = 2_000_000  # persons times outcome columns held at a time
FLAT = 1e-10  # standard error, relative to the outcome, below which nothing varies


@dataclass(frozen=True)
class Bounded:
    """Bounds of one group and contrast by one method, or why there are none.

    Attributes
    ----------
    method : {"lee", "lee_tightened", "manski", "ipw"}
        How; by ``ipw`` both ends are the one estimate.
    group : str
        ``all``, ``women``, ``men`` or the gap.
    contrast : (int, int)
        The arm and control.
    rows : ndarray of bool, shape (n,)
        The persons compared, with or without the outcome.
    ends : Bounds or None
        k values each, NaN where there is none, with scores over all units of the study.
    trimmed : ndarray, shape (k,)
        Share trimmed.
    response : Estimates or None
        Difference in the share who have the outcome, one value.
    shares : (float, float)
        Shares who have it in the arm and in control; in the gap women's less men's.
    notes : sequence of tuple of str, length k
        What was done, or why there is no estimate.
    """

    method: str
    group: str
    contrast: Contrast
    rows: np.ndarray
    ends: Bounds | None
    trimmed: np.ndarray
    response: Estimates | None
    shares: tuple[float, float]
    notes: Sequence[tuple[str, ...]]


@dataclass(frozen=True)
class _Sample:
    """The persons of a group and contrast; ``reason`` says why they cannot be compared."""

    rows: np.ndarray
    observed: np.ndarray
    notes: tuple[str, ...]
    compared: Comparison | None = None
    x: np.ndarray | None = None
    about_x: tuple[str, ...] = ()
    response: Estimates | None = None
    shares: tuple[float, float] = (np.nan, np.nan)
    reason: str = ""


@dataclass(frozen=True)
class _Found:
    """What a method gives, with notes by column; ``reasons`` are empty where there is a value."""

    ends: Bounds
    trimmed: np.ndarray
    notes: list[tuple[str, ...]]
    reasons: list[str]


def bounds(
    study: Study, plan: Plan, methods: Sequence[str] = METHODS
) -> Iterator[tuple[Batch, Bounded]]:
    """Bound effects on the outcomes that somebody lacks.

    Parameters
    ----------
    study : Study
        The persons.
    plan : Plan
        The programme file.
    methods : sequence of str
        By which, of ``METHODS``.

    Yields
    ------
    batch : Batch
        Some outcome columns that the same persons have.
    found : Bounded
        Their bounds by one method, for an arm against control in one group: all, women, men,
        and then the gap, whose lower bound is women's lower less men's upper one. Manski's
        come with the columns given as a share alone. None of a study without a lottery: they take
    the arms as alike.
    """
    if plan.is_observational:
        return
    groups = {g: members for g, members in study.groups.items() if "=" not in g}
    for batch in batches(study, plan):
        if batch.observed.all():
            continue
        units = [plan.outcomes[plan.outcome_columns[i].outcome].unit for i in batch.columns]
        shares = np.array([i for i, unit in enumerate(units) if unit == "share"], dtype=int)
        for contrast in (c for c in study.contrasts if c[1] == 0):
            samples = {g: _sample(study, batch, m, contrast) for g, m in groups.items()}
            for method in methods:
                columns = shares if method == "manski" else np.arange(len(units))
                step = max(1, HELD // max(study.n, 1))
                for start in range(0, len(columns), step):
                    part = some_columns(batch, columns[start : start + step])
                    found = {g: _bounded(method, g, contrast, part.y, samples[g]) for g in samples}
                    if plan.columns.both_genders:
                        found[GAP] = _gap(found["women"], found["men"])
                    for one in found.values():
                        yield part, one


def some_columns(batch: Batch, columns: np.ndarray) -> Batch:
    """Return a batch of some of its columns."""
    return replace(batch, columns=batch.columns[columns], y=batch.y[:, columns])


def _sample(study: Study, batch: Batch, members: np.ndarray, contrast: Contrast) -> _Sample:
    """Pick the persons of a group and contrast, with or without the outcome."""

    def of(values: np.ndarray | None, rows: np.ndarray) -> np.ndarray | None:
        return None if values is None else values[rows]

    asked = members & np.isin(study.arm, contrast)
    rows = asked.copy()
    rows[asked] = both_arms(study.arm[asked], of(study.block, asked), contrast)
    arm, block, observed = study.arm[rows], of(study.block, rows), batch.observed[rows]
    lost = int(asked.sum() - rows.sum())
    notes = (note("blocks", n=lost),) if lost else ()
    if asked.any() and not rows.any():
        return _Sample(asked, observed, notes, reason=note("no_block"))
    if min((observed & (arm == a)).sum() for a in contrast) < 2:
        return _Sample(rows, observed, notes, reason=note("few"))
    unit = np.flatnonzero(rows) if study.cluster is None else study.cluster[rows]
    try:
        compared = compare(arm, contrast, block, of(study.weight, rows), unit, study.units)
    except DesignError as error:
        return _Sample(rows, observed, notes, reason=note("error", reason=error))
    if compared.alone:
        notes = (*notes, note("alone", n=compared.alone))
    values = batch.covariates.values[rows]
    absent = int(np.isnan(values).sum())
    x = imputed(values)
    if block is not None:
        x = np.hstack([np.equal.outer(block, np.unique(block)[1:]).astype(float), x])
    have = observed[:, None].astype(float)
    shares = [min(float(compared.mean(have, side)[0]), 1.0) for side in (True, False)]
    return _Sample(
        rows=rows,
        observed=observed,
        notes=notes,
        compared=compared,
        x=x[:, independent(x)],
        about_x=(note("imputed", n=absent),) if absent else (),
        response=compared.difference(have),
        shares=(shares[0], shares[1]),
    )


def _bounded(
    method: str, group: str, contrast: Contrast, y: np.ndarray, sample: _Sample
) -> Bounded:
    """Apply one method to the outcomes of a batch, shape (n, k)."""

    def made(ends: Bounds | None, trimmed: np.ndarray, notes: list[tuple[str, ...]]) -> Bounded:
        return Bounded(
            method, group, contrast, sample.rows, ends, trimmed, sample.response, sample.shares,
            notes,
        )  # fmt: skip

    k, own = y.shape[1], y[sample.rows]
    if sample.compared is None or sample.x is None:
        return made(None, np.full(k, np.nan), [(sample.reason,)] * k)
    given = (own, sample.observed, sample.compared)
    if method == "lee":
        found = _lee(*given)
    elif method == "lee_tightened":
        found = _tightened(*given, sample.x, sample.about_x)
    elif method == "manski":
        found = _manski(*given)
    else:
        found = _reweighted(*given, sample.x, sample.about_x)
    reasons = found.reasons
    if method != "manski":
        still = _still(own[sample.observed], found.ends)
        reasons = [why or reason for reason, why in zip(reasons, still, strict=True)]
    told = np.array([not reason for reason in reasons], dtype=bool)
    notes = [
        (reason,) if reason else (*sample.notes, *told_notes)
        for reason, told_notes in zip(reasons, found.notes, strict=True)
    ]
    return made(_told(told, found.ends), np.where(told, found.trimmed, np.nan), notes)


def _still(known: np.ndarray, ends: Bounds) -> list[str]:
    """Return, column by column, why an outcome that does not vary has no estimate."""
    error = np.maximum(ends.lower.std_error, ends.upper.std_error)
    still = ~(error > FLAT * np.abs(known).max(axis=0))
    constant = np.ptp(known, axis=0) == 0
    return [
        note("constant") if c else note("no_spread") if s else ""
        for c, s in zip(constant, still, strict=True)
    ]


def _told(told: np.ndarray, ends: Bounds) -> Bounds:
    """Leave out some of the bounds: no value, and scores of zero."""
    lower, upper = (
        Estimates(np.where(told, e.value, np.nan), np.where(told, e.scores, 0), e.df)
        for e in (ends.lower, ends.upper)
    )
    return Bounds(lower, upper, ends.trimmed, ends.directions)


def _directions(found: Bounds) -> list[str]:
    if len(found.directions) == 2:
        return [note("trimmed_both")]
    return [note(TRIMMED[d]) for d in found.directions]


def _lee(y: np.ndarray, observed: np.ndarray, compared: Comparison) -> _Found:
    found, k = lee(y, observed, compared), y.shape[1]
    return _Found(found, np.full(k, found.trimmed), [tuple(_directions(found))] * k, [""] * k)


def _tightened(
    y: np.ndarray,
    observed: np.ndarray,
    compared: Comparison,
    x: np.ndarray,
    about_x: tuple[str, ...],
) -> _Found:
    """Trim within cells of persons whose predicted outcome is alike, column by column."""
    fold = folds(compared.treated, compared.unit[compared.pair])
    predicted = prognosis(y, observed & ~compared.treated, x, fold)
    ends: list[Bounds] = []
    notes: list[tuple[str, ...]] = []
    reasons: list[str] = []
    for i in range(y.shape[1]):
        cell = cells(predicted[:, i], fold, observed, compared.treated)
        count = int(cell.max()) + 1
        found = lee(y[:, [i]], observed, compared, cell, small=count > 1)
        ends.append(found)
        notes.append((note("cells", count=count), *_directions(found), *about_x))
        if x.shape[1]:
            reasons.append("" if count > 1 else note("few_cells"))
        else:
            reasons.append(note("no_cells"))
    lower, upper = (_stacked([getattr(e, end) for e in ends]) for end in ("lower", "upper"))
    trimmed = np.array([e.trimmed for e in ends])
    return _Found(Bounds(lower, upper), trimmed, notes, reasons)


def _stacked(parts: list[Estimates]) -> Estimates:
    return Estimates(
        np.concatenate([p.value for p in parts]),
        np.hstack([p.scores for p in parts]),
        np.concatenate([p.df for p in parts]),
    )


def _manski(y: np.ndarray, observed: np.ndarray, compared: Comparison) -> _Found:
    known, k = y[observed], y.shape[1]
    inside = (known.min(axis=0) >= 0) & (known.max(axis=0) <= 1)
    reasons = ["" if i else note("no_share") for i in inside]
    return _Found(manski(y, observed, compared), np.full(k, np.nan), [()] * k, reasons)


def _reweighted(
    y: np.ndarray,
    observed: np.ndarray,
    compared: Comparison,
    x: np.ndarray,
    about_x: tuple[str, ...],
) -> _Found:
    found, k = weighted_by_response(y, observed, x, compared), y.shape[1]
    notes = [*about_x]
    if not x.shape[1]:
        notes.append(note("equal_weights"))
    if found.cut:
        notes.append(note("cut", n=found.cut, most=f"{1 / FLOOR:.0f}"))
    if not found.converged:
        notes.append(note("unconverged"))
    ends = Bounds(found.effects, found.effects)
    return _Found(ends, np.full(k, np.nan), [tuple(notes)] * k, [""] * k)


def _gap(women: Bounded, men: Bounded) -> Bounded:
    """Return what women's effect less men's may be: the ends that are furthest apart."""
    k = len(women.notes)
    response, ends, told = None, None, np.zeros(k, dtype=bool)
    if women.response is not None and men.response is not None:
        response = women.response - men.response
    if women.ends is not None and men.ends is not None:
        lower = women.ends.lower - men.ends.upper
        upper = women.ends.upper - men.ends.lower
        told = np.isfinite(lower.value)
        ends = _told(told, Bounds(lower, upper))
    notes = [
        (*w, *m) if t else w if w == m else (note("no_gap"),)
        for w, m, t in zip(women.notes, men.notes, told, strict=True)
    ]
    return Bounded(
        method=women.method,
        group=GAP,
        contrast=women.contrast,
        rows=women.rows | men.rows,
        ends=ends,
        trimmed=np.full(k, np.nan),
        response=response,
        shares=(women.shares[0] - men.shares[0], women.shares[1] - men.shares[1]),
        notes=notes,
    )
