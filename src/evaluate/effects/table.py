"""The table of effects and its scores: all outcomes, contrasts, estimators and groups."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from evaluate.effects.fit import covariates_for
from evaluate.effects.groups import Batch, Estimand, estimands
from evaluate.notes import joined, note
from evaluate.plan.model import Plan
from evaluate.study import GAP, Study

FLAT = 1e-10  # standard error, relative to the outcome, below which nothing varies
ALPHA = 0.05  # below this, unequal shares of women and men are named in the rows of all
NUMBERS = (
    "estimate", "std_error", "conf_low", "conf_high", "p_value", "p_value_randomisation",
    "p_value_adjusted", "df",
)  # fmt: skip


@dataclass(frozen=True)
class Effects:
    """Rows of effects and, column by column, their scores.

    Attributes
    ----------
    table : DataFrame
        As `schemas.EFFECTS`.
    scores : ndarray, shape (n, rows)
        Scores of each row of the table over all persons, zero where it is empty.
    """

    table: pd.DataFrame
    scores: np.ndarray

    @property
    def score_columns(self) -> pd.DataFrame:
        """The scores as `schemas.SCORES`: a column's name is the number of its row."""
        return pd.DataFrame(self.scores, columns=[str(i) for i in range(self.scores.shape[1])])


def batches(study: Study, plan: Plan) -> Iterator[Batch]:
    """Split the outcome columns into batches that one factorisation serves."""
    alike: dict[tuple[str, tuple[str, ...], bytes], list[int]] = defaultdict(list)
    observed = ~np.isnan(study.y)
    for i, column in enumerate(plan.outcome_columns):
        outcome = plan.outcomes[column.outcome]
        own = column.outcome if column.outcome in study.baselines else ""
        alike[own, tuple(outcome.without), observed[:, i].tobytes()].append(i)
    for (own, without, _), columns in alike.items():
        known = observed[:, columns[0]]
        y = np.where(known[:, None], study.y[:, columns], 0)
        yield Batch(np.array(columns), y, known, covariates_for(study, own, without))


def effects(study: Study, plan: Plan) -> Effects:
    """Estimate everything that the plan names.

    Parameters
    ----------
    study : Study
        The persons.
    plan : Plan
        The programme file.

    Returns
    -------
    Effects
        Sorted by outcome, contrast, estimand, estimator and group. An estimate that cannot
        be made has a row whose note says why.
    """
    rows: list[dict[str, object]] = []
    scores: list[np.ndarray] = []
    for batch in batches(study, plan):
        flat: set[tuple[object, ...]] = set()
        for one in estimands(study, plan, batch):
            reasons = _reasons(one, batch, flat)
            rows += _rows(study, plan, batch, one, reasons)
            told = np.array([not reason for reason in reasons])
            found = one.fit.effects
            scores.append(np.zeros_like(batch.y) if found is None else found.scores * told)
    table = pd.DataFrame(rows)
    order = _order(table, study, plan)
    table = table.iloc[order].drop(columns="column").reset_index(drop=True)
    return Effects(table, np.hstack(scores)[:, order])


def _reasons(one: Estimand, batch: Batch, flat: set[tuple[object, ...]]) -> list[str]:
    """Return, column by column, why there is no estimate; empty where there is one.

    ``flat`` remembers the columns without variation, for the gap that comes after.
    """
    fit, k = one.fit, len(batch.columns)
    if fit.effects is None:
        return [joined(list(fit.notes))] * k
    values = batch.y[fit.rows]
    constant = np.ptp(values, axis=0) == 0
    still = ~(fit.effects.std_error > FLAT * np.abs(values).max(axis=0))
    found = []
    for i in range(k):
        place = (one.estimand, one.estimator, one.contrast, i)
        reason = note("constant") if constant[i] else note("no_spread") if still[i] else ""
        if reason and one.group in ("women", "men"):
            flat.add(place)
        if not reason and one.group == GAP and place in flat:
            reason = note("no_gap")
        found.append(reason)
    return found


def _rows(
    study: Study, plan: Plan, batch: Batch, one: Estimand, reasons: list[str]
) -> list[dict[str, object]]:
    """Return one row per outcome column of a batch."""
    fit, level = one.fit, plan.analysis.level
    treated, control = (fit.rows & (study.arm == a) for a in one.contrast)
    means = _means(study, batch.y, treated, control, one.group)
    exploratory = one.group != GAP and "=" in one.group
    notes = [*fit.notes, *(_mixed(study, one) if one.group == "all" else [])]
    lead = plan.estimators[0] if one.estimand == "late" else one.estimator
    numbers = np.full((len(NUMBERS), len(batch.columns)), np.nan)
    if found := fit.effects:
        numbers[:5] = (found.value, found.std_error, *found.interval(level), found.p_value)
        numbers[7] = found.df
        numbers[:, [bool(reason) for reason in reasons]] = np.nan
    rows, columns = [], plan.outcome_columns
    for i, index in enumerate(batch.columns):
        column = columns[index]
        outcome = plan.outcomes[column.outcome]
        row: dict[str, object] = {
            "outcome": column.outcome,
            "month": column.month,
            "arm": study.label(one.contrast),
            "role": "exploratory" if exploratory else outcome.role_in(column.month),
            "estimand": one.estimand,
            "estimator": one.estimator,
            "group": one.group,
            **dict(zip(NUMBERS, numbers[:, i], strict=True)),
            "level": level,
            "std_error_kind": plan.analysis.std_error_of(lead),
            "n": int(fit.rows.sum()),
            "n_treated": int(treated.sum()),
            "n_control": int(control.sum()),
            "n_clusters": None,
            "mean_treated": means[0][i],
            "mean_control": means[1][i],
            "unit": outcome.unit,
            "prespecified": not exploratory,
            "note": reasons[i] or joined(notes),
            "column": index,
        }
        rows.append(row)
    return rows


def _means(
    study: Study, y: np.ndarray, treated: np.ndarray, control: np.ndarray, group: str
) -> list[np.ndarray]:
    """Return the weighted mean outcomes by arm; for the gap, women's less men's."""
    w = np.ones(study.n) if study.weight is None else study.weight

    def mean(rows: np.ndarray) -> np.ndarray:
        total = w[rows].sum()
        return w[rows] @ y[rows] / total if total else np.full(y.shape[1], np.nan)

    if group == GAP:
        women, men = study.groups["women"], study.groups["men"]
        return [mean(arm & women) - mean(arm & men) for arm in (treated, control)]
    return [mean(arm) for arm in (treated, control)]


def _mixed(study: Study, one: Estimand) -> list[str]:
    """Return a note where women and men were offered clearly unequal shares."""
    if not {"women", "men"} <= study.groups.keys():
        return []
    counts = [
        [int((one.fit.rows & study.groups[g] & (study.arm == a)).sum()) for a in one.contrast]
        for g in ("women", "men")
    ]
    if not (np.sum(counts, axis=0).all() and np.sum(counts, axis=1).all()):
        return []
    p = float(stats.chi2_contingency(counts, correction=False).pvalue)
    if p >= ALPHA:
        return []
    return [note("shares", p=f"= {p:.3f}" if p >= 0.001 else "< 0.001")]


def _order(table: pd.DataFrame, study: Study, plan: Plan) -> np.ndarray:
    """Sort the rows as a reader expects them."""
    groups = list(study.groups)
    position = {g: i for i, g in enumerate([*groups[:3], GAP, *groups[3:]])}
    labels = {study.label(c): i for i, c in enumerate(study.contrasts)}
    estimators = {name: i for i, name in enumerate((*plan.estimators, "tsls"))}
    keys = [
        table["column"].to_numpy(),
        table["arm"].map(labels).to_numpy(),
        (table["estimand"] != "itt").to_numpy(),
        table["estimator"].map(estimators).to_numpy(),
        table["group"].map(position).to_numpy(),
    ]
    return np.lexsort(keys[::-1])
