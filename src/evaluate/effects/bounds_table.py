"""Where outcomes are missing: bounds and reweighted effects, and whom each row speaks of."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from evaluate.covariates import imputed, independent
from evaluate.effects.adjustment import Contrast, both_arms
from evaluate.effects.batches import Batch, batches
from evaluate.effects.bounds import Bounds, lee, manski
from evaluate.effects.comparison import Comparison, compare
from evaluate.effects.fit import Fit
from evaluate.effects.groups import Estimand
from evaluate.effects.imbens_manski import imbens_manski
from evaluate.effects.prognosis import cells, folds, prognosis
from evaluate.effects.response_weights import FLOOR, weighted_by_response
from evaluate.errors import DesignError
from evaluate.estimates import Estimates
from evaluate.notes import joined, note
from evaluate.plan.model import Plan
from evaluate.study import GAP, Study

POPULATION = {
    "lee": "always observed",
    "lee_tightened": "always observed",
    "manski": "all",
    "ipw": "all",
}
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
    notes : tuple of str, length k
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
    notes: tuple[str, ...]


@dataclass(frozen=True)
class _Sample:
    """The persons of a group and contrast; ``compared`` is empty where ``reason`` is not."""

    rows: np.ndarray
    compared: Comparison | None
    observed: np.ndarray
    x: np.ndarray
    response: Estimates | None
    shares: tuple[float, float]
    notes: tuple[str, ...]
    about_x: tuple[str, ...]
    reason: str = ""


Found = tuple[Bounds, np.ndarray, list[list[str]]]  # ends, shares trimmed, notes by column


def bounds(study: Study, plan: Plan) -> Iterator[tuple[Batch, Bounded]]:
    """Bound effects on the outcomes that somebody lacks.

    Parameters
    ----------
    study : Study
        The persons.
    plan : Plan
        The programme file.

    Yields
    ------
    batch : Batch
        Some outcome columns that the same persons have.
    found : Bounded
        Their bounds by one method, for an arm against control in one group: all, women, men,
        and then the gap, whose lower bound is women's lower less men's upper one. Manski's
        come with the columns given as a share alone.
    """
    for batch in batches(study, plan):
        if batch.observed.all():
            continue
        outcomes = [plan.outcomes[plan.outcome_columns[i].outcome] for i in batch.columns]
        is_share = np.array([o.unit == "share" for o in outcomes])
        for contrast in (c for c in study.contrasts if c[1] == 0):
            groups = [g for g in study.groups if "=" not in g]
            samples = {g: _sample(study, batch, study.groups[g], contrast) for g in groups}
            for method in POPULATION:
                columns = np.flatnonzero(is_share) if method == "manski" else np.arange(len(is_share))
                step = max(1, HELD // max(study.n, 1))
                for start in range(0, len(columns), step):
                    part = _some(batch, columns[start : start + step])
                    found = {
                        g: _bounded(method, g, contrast, part.y, s) for g, s in samples.items()
                    }
                    if plan.columns.both_genders:
                        found[GAP] = _gap(found["women"], found["men"])
                    for one in found.values():
                        yield part, one


def bound_estimands(study: Study, plan: Plan) -> Iterator[tuple[Batch, Estimand]]:
    """Yield Lee's and Manski's bounds as rows of the table of effects, ends one by one.

    Their estimators are ``lee_lower``, ``lee_upper``, ``manski_lower`` and ``manski_upper``;
    their persons are those who have the outcomes. A column without bounds has no scores and
    the value NaN; its reason is among the notes of its batch, which then has one column.
    """
    for batch, one in bounds(study, plan):
        if one.method not in ("lee", "manski"):
            continue
        rows = one.rows & batch.observed
        for i in range(len(batch.columns)):
            alone = _some(batch, np.array([i]))
            for name in ("lower", "upper"):
                end: Estimates | None = getattr(one.ends, name) if one.ends else None
                told = end is not None and np.isfinite(end.value[i])
                fit = Fit(end.pick([i]) if end and told else None, rows, (one.notes[i],))
                yield alone, Estimand("itt", f"{one.method}_{name}", one.group, one.contrast, fit)


def bounds_table(study: Study, plan: Plan) -> pd.DataFrame:
    """Return the table of bounds.

    Returns
    -------
    DataFrame
        As `schemas.BOUNDS`: one row per outcome column with missing values, arm, method and
        group. No rows where nobody lacks an outcome.
    """
    parts = [_rows(study, plan, batch, one) for batch, one in bounds(study, plan)]
    if not parts:
        return pd.DataFrame({name: [] for name in COLUMNS})
    table = pd.concat(parts, ignore_index=True)
    place = {g: i for i, g in enumerate([*list(study.groups)[:3], GAP])}
    methods = {m: i for i, m in enumerate(POPULATION)}
    arms = {study.label(c): i for i, c in enumerate(study.contrasts)}
    keys = [table["group"].map(place), table["method"].map(methods), table["arm"].map(arms)]
    order = np.lexsort([*keys, table["column"]])
    return table.iloc[order][list(COLUMNS)].reset_index(drop=True)


COLUMNS = (
    "outcome", "month", "arm", "role", "group", "method", "lower", "upper", "lower_se",
    "upper_se", "conf_low", "conf_high", "level", "response_treated", "response_control",
    "response_difference", "response_p_value", "trimmed_share", "population", "n", "n_treated",
    "n_control", "missing_treated", "missing_control", "unit", "note",
)  # fmt: skip


def _rows(study: Study, plan: Plan, batch: Batch, one: Bounded) -> pd.DataFrame:
    """Return one row per outcome column of a batch."""
    k, level = len(batch.columns), plan.analysis.level
    columns = [plan.outcome_columns[i] for i in batch.columns]
    outcomes = [plan.outcomes[c.outcome] for c in columns]
    sides = [one.rows & (study.arm == a) for a in one.contrast]
    missing = [int((side & ~batch.observed).sum()) for side in sides]
    told = np.zeros(k, dtype=bool)
    numbers = np.full((6, k), np.nan)
    if one.ends is not None:
        low, up = one.ends.lower, one.ends.upper
        numbers[:] = (low.value, up.value, low.std_error, up.std_error,
                      *imbens_manski(low, up, level))  # fmt: skip
        told = np.isfinite(low.value) & np.isfinite(up.value)
        numbers[:, ~told] = np.nan
    response = one.response
    return pd.DataFrame(
        {
            "outcome": [c.outcome for c in columns],
            "month": pd.array([c.month for c in columns], dtype="Int64"),
            "arm": study.label(one.contrast),
            "role": [o.role_in(c.month) for c, o in zip(columns, outcomes, strict=True)],
            "group": one.group,
            "method": one.method,
            **dict(zip(COLUMNS[6:12], numbers, strict=True)),
            "level": level,
            "response_treated": one.shares[0],
            "response_control": one.shares[1],
            "response_difference": np.nan if response is None else response.value[0],
            "response_p_value": np.nan if response is None else response.p_value[0],
            "trimmed_share": np.where(told, one.trimmed, np.nan),
            "population": POPULATION[one.method],
            "n": int(one.rows.sum()),
            "n_treated": int(sides[0].sum()),
            "n_control": int(sides[1].sum()),
            "missing_treated": None if one.group == GAP else missing[0],
            "missing_control": None if one.group == GAP else missing[1],
            "unit": [o.unit for o in outcomes],
            "note": list(one.notes),
            "column": batch.columns,
        }
    ).astype({"missing_treated": "Int64", "missing_control": "Int64"})


def _some(batch: Batch, columns: np.ndarray) -> Batch:
    return replace(batch, columns=batch.columns[columns], y=batch.y[:, columns])


def _sample(study: Study, batch: Batch, members: np.ndarray, contrast: Contrast) -> _Sample:
    """Pick the persons of a group and contrast, with or without the outcome."""
    asked = members & np.isin(study.arm, contrast)

    def of(values: np.ndarray | None, rows: np.ndarray) -> np.ndarray | None:
        return None if values is None else values[rows]

    rows = asked.copy()
    rows[asked] = both_arms(study.arm[asked], of(study.block, asked), contrast)
    observed = batch.observed[rows]
    lost = int(asked.sum() - rows.sum())
    notes = [note("blocks", n=lost)] if lost else []

    def empty(reason: str) -> _Sample:
        shown = rows if rows.any() else asked
        nothing = np.empty((0, 0))
        return _Sample(shown, None, observed, nothing, None, (np.nan, np.nan), (), (), reason)

    arm = study.arm[rows]
    if min((observed & (arm == a)).sum() for a in contrast) < 2:
        return empty(note("no_block") if asked.any() and not rows.any() else note("few"))
    unit = np.flatnonzero(rows) if study.cluster is None else study.cluster[rows]
    block, weight = of(study.block, rows), of(study.weight, rows)
    try:
        compared = compare(arm, contrast, block, weight, unit, study.units)
    except DesignError as error:
        return empty(note("error", reason=error))
    if compared.alone:
        notes.append(note("alone", n=compared.alone))
    values = batch.covariates.values[rows]
    x = imputed(values)
    if block is not None:
        x = np.hstack([np.equal.outer(block, np.unique(block)[1:]).astype(float), x])
    x = x[:, independent(x)]
    absent = int(np.isnan(values).sum())
    have = observed.astype(float)[:, None]
    shares = (float(compared.mean(have, True)[0]), float(compared.mean(have, False)[0]))
    about_x = (note("imputed", n=absent),) if absent else ()
    response = compared.difference(have)
    return _Sample(rows, compared, observed, x, response, shares, tuple(notes), about_x)


def _bounded(
    method: str, group: str, contrast: Contrast, y: np.ndarray, sample: _Sample
) -> Bounded:
    """Apply one method to the outcomes of a batch, shape (n, k)."""
    k = y.shape[1]
    parts: dict[str, Callable[[np.ndarray, _Sample], Found]] = {
        "lee": _lee, "lee_tightened": _tightened, "manski": _manski, "ipw": _reweighted
    }  # fmt: skip

    def made(ends: Bounds | None, trimmed: np.ndarray, notes: list[str]) -> Bounded:
        place = (method, group, contrast, sample.rows)
        return Bounded(*place, ends, trimmed, sample.response, sample.shares, tuple(notes))

    if sample.compared is None:
        return made(None, np.full(k, np.nan), [sample.reason] * k)
    own = y[sample.rows]
    ends, trimmed, notes = parts[method](own, sample)
    known = own[sample.observed]
    size = np.abs(known).max(axis=0)
    varies = np.maximum(ends.lower.std_error, ends.upper.std_error) > FLAT * size
    reasons = [n[0] if n and not np.isfinite(v) else "" for n, v in zip(notes, ends.lower.value, strict=True)]
    if method != "manski":
        flat = np.ptp(known, axis=0) == 0
        for i in range(k):
            if not reasons[i] and (flat[i] or not varies[i]):
                reasons[i] = note("constant") if flat[i] else note("no_spread")
    told = np.array([not reason for reason in reasons], dtype=bool)
    ends = replace(ends, lower=_where(told, ends.lower), upper=_where(told, ends.upper))
    texts = [
        reason or joined([*sample.notes, *own_notes])
        for reason, own_notes in zip(reasons, notes, strict=True)
    ]
    return made(ends, trimmed, texts)


def _where(told: np.ndarray, end: Estimates) -> Estimates:
    """Leave out some of the estimates: no value, and scores of zero."""
    return Estimates(np.where(told, end.value, np.nan), np.where(told, end.scores, 0), end.df)


def _directions(found: Bounds, contrast: tuple[str, str]) -> list[str]:
    if len(found.directions) == 2:
        return [note("both_ways")]
    return [note("trimmed", side=contrast[1 - d]) for d in found.directions]


def _lee(y: np.ndarray, sample: _Sample) -> Found:
    assert sample.compared is not None
    found = lee(y, sample.observed, sample.compared)
    k = y.shape[1]
    return found, np.full(k, found.trimmed), [_directions(found, SIDES)] * k


SIDES = ("offered", "control")


def _tightened(y: np.ndarray, sample: _Sample) -> Found:
    """Trim within cells of persons whose predicted outcome is alike, column by column."""
    assert sample.compared is not None
    compared, s, x = sample.compared, sample.observed, sample.x
    fold = folds(compared.treated, compared.unit[compared.pair])
    predicted = prognosis(y, s & ~compared.treated, x, fold)
    ends: list[Bounds] = []
    notes: list[list[str]] = []
    for i in range(y.shape[1]):
        cell = cells(predicted[:, i], fold, s, compared.treated)
        found = lee(y[:, [i]], s, compared, cell)
        count = int(cell.max()) + 1
        if count < 2:
            nothing = np.array([False])
            found = Bounds(_where(nothing, found.lower), _where(nothing, found.upper))
            notes.append([note("few_cells") if x.shape[1] else note("no_cells")])
        else:
            notes.append([note("cells", count=count), *_directions(found, SIDES), *sample.about_x])
        ends.append(found)
    both = [_stacked([getattr(e, end) for e in ends]) for end in ("lower", "upper")]
    return Bounds(*both), np.array([e.trimmed for e in ends]), notes


def _stacked(parts: list[Estimates]) -> Estimates:
    return Estimates(
        np.concatenate([p.value for p in parts]),
        np.hstack([p.scores for p in parts]),
        np.concatenate([p.df for p in parts]),
    )


def _manski(y: np.ndarray, sample: _Sample) -> Found:
    assert sample.compared is not None
    found = manski(y, sample.observed, sample.compared)
    known = y[sample.observed]
    inside = (known.min(axis=0) >= 0) & (known.max(axis=0) <= 1)
    found = Bounds(_where(inside, found.lower), _where(inside, found.upper))
    notes = [[] if i else [note("no_share")] for i in inside]
    return found, np.full(y.shape[1], np.nan), notes


def _reweighted(y: np.ndarray, sample: _Sample) -> Found:
    assert sample.compared is not None
    found = weighted_by_response(y, sample.observed, sample.x, sample.compared)
    notes = list(sample.about_x)
    if not sample.x.shape[1]:
        notes.append(note("equal_weights"))
    if found.cut:
        notes.append(note("cut", n=found.cut, most=f"{1 / FLOOR:.0f}"))
    if not found.converged:
        notes.append(note("unconverged"))
    k = y.shape[1]
    return Bounds(found.effects, found.effects), np.full(k, np.nan), [notes] * k


def _gap(women: Bounded, men: Bounded) -> Bounded:
    """Return what women's effect less men's may be: the ends that are furthest apart."""
    rows = women.rows | men.rows
    trimmed = np.full(len(women.trimmed), np.nan)
    shares = tuple(w - m for w, m in zip(women.shares, men.shares, strict=True))
    response = None
    if women.response is not None and men.response is not None:
        response = women.response - men.response
    none = np.full(len(women.notes), False)
    ends, told = None, none
    if women.ends is not None and men.ends is not None:
        lower = women.ends.lower - men.ends.upper
        upper = women.ends.upper - men.ends.lower
        told = np.isfinite(lower.value)
        ends = Bounds(_where(told, lower), _where(told, upper))
    notes = tuple(
        joined([part for part in (w, m) if part]) if t else note("no_gap")
        for w, m, t in zip(women.notes, men.notes, told, strict=True)
    )
    return Bounded(
        women.method, GAP, women.contrast, rows, ends, trimmed, response, shares, notes
    )
