"""The table of effects and its scores: all outcomes, contrasts, estimators and groups."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from scipy import stats

from evaluate.covariates import Covariates
from evaluate.effects.fit import Fit, covariates_for, fit, fit_shared
from evaluate.notes import joined, note
from evaluate.plan.model import Plan
from evaluate.study import GAP, Study

WEAK_F = 10.0  # Staiger and Stock's rule of thumb
FLAT = 1e-10  # standard error, relative to the outcome, below which nothing varies


@dataclass(frozen=True)
class Batch:
    """Outcome columns that the same persons have and the same covariates adjust."""

    columns: np.ndarray
    observed: np.ndarray
    covariates: Covariates


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
        alike[(own, tuple(outcome.without), observed[:, i].tobytes())].append(i)
    for (own, without, _), columns in alike.items():
        covariates = covariates_for(study, own, without)
        yield Batch(np.array(columns), observed[:, columns[0]], covariates)


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
        y = np.where(batch.observed[:, None], study.y[:, batch.columns], 0)
        for estimator in plan.estimators:
            fits = fits_by_group(study, plan, estimator, y, batch.observed, batch.covariates)
            for group, contrast in fits:
                one = fits[group, contrast]
                labels = {"estimand": "itt", "estimator": estimator, "group": group}
                _append(rows, scores, study, plan, batch.columns, contrast, one, y, labels)
        if study.takeup is not None:
            late = _late_by_group(study, plan, batch, y)
            for (group, contrast), one in late.items():
                labels = {"estimand": "late", "estimator": "tsls", "group": group}
                _append(rows, scores, study, plan, batch.columns, contrast, one, y, labels)
    table = pd.DataFrame(rows)
    order = _order(table, study, plan)
    table = table.iloc[order].drop(columns="column").reset_index(drop=True)
    return Effects(table, np.column_stack(scores)[:, order])


def fits_by_group(
    study: Study,
    plan: Plan,
    estimator: str,
    y: np.ndarray,
    observed: np.ndarray,
    covariates: Covariates,
) -> dict[tuple[str, tuple[int, int]], Fit]:
    """Fit every group, and the gap between women and men from their scores."""
    found: dict[tuple[str, tuple[int, int]], Fit] = {}
    for group, members in study.groups.items():
        fits = fit(study, plan.analysis, estimator, y, members & observed, covariates)
        found |= {(group, c): f for c, f in zip(study.contrasts, fits, strict=True)}
    if not plan.columns.both_genders:
        return found
    shared = plan.analysis.slopes == "shared" and estimator == "lin"
    if shared:
        both = fit_shared(study, plan.analysis, y, observed, covariates)
        for gender, fits in zip(("women", "men"), both, strict=True):
            found |= {(gender, c): f for c, f in zip(study.contrasts, fits, strict=True)}
    for contrast in study.contrasts:
        found[GAP, contrast] = gap(found["women", contrast], found["men", contrast], shared)
    return found


def gap(women: Fit, men: Fit, shared: bool = False) -> Fit:
    """Return women's effects less men's; ``shared`` says that one regression gave both."""
    rows = women.rows | men.rows
    if women.effects is None or men.effects is None:
        return Fit(None, rows, (note("no_gap"),))
    difference = women.effects - men.effects
    if shared:
        difference = replace(difference, df=women.effects.df)
    return Fit(difference, rows, (*women.notes, *men.notes))


def _late_by_group(
    study: Study, plan: Plan, batch: Batch, y: np.ndarray
) -> dict[tuple[str, tuple[int, int]], Fit]:
    """Divide effects of the offer by its effect on take-up, with the lead estimator."""
    assert study.takeup is not None
    observed = batch.observed & ~np.isnan(study.takeup)
    with_takeup = np.column_stack([y, np.nan_to_num(study.takeup)])
    lead = plan.estimators[0]
    fits = fits_by_group(study, plan, lead, with_takeup, observed, batch.covariates)
    against_control = [c for c in study.contrasts if c[1] == 0]
    found = {
        (group, c): _wald(one, lead)
        for (group, c), one in fits.items()
        if c in against_control and group != GAP
    }
    if plan.columns.both_genders:
        for c in against_control:
            found[GAP, c] = gap(found["women", c], found["men", c])
    return found


def _wald(fit: Fit, estimator: str) -> Fit:
    if fit.effects is None:
        return fit
    k = len(fit.effects.value) - 1
    first = fit.effects.pick([k] * k)
    size, error = first.value[0], first.std_error[0]
    if abs(size) < FLAT:
        return Fit(None, fit.rows, (note("no_takeup"),))
    notes = [*fit.notes, note("wald", estimator=estimator)]
    if error > 0 and (f := (size / error) ** 2) < WEAK_F:
        notes.append(note("weak", f=f"{f:.1f}"))
    return Fit(fit.effects.pick(slice(k)).over(first), fit.rows, tuple(notes))


def _append(
    rows: list[dict[str, object]],
    scores: list[np.ndarray],
    study: Study,
    plan: Plan,
    columns: np.ndarray,
    contrast: tuple[int, int],
    one: Fit,
    y: np.ndarray,
    labels: dict[str, str],
) -> None:
    """Write one row per outcome column."""
    level = plan.analysis.level
    group = labels["group"]
    treated, control = (one.rows & (study.arm == a) for a in contrast)
    means = _means(study, y, treated, control, group)
    exploratory = group != GAP and "=" in group
    mixed = _shares_differ(study, one.rows, contrast) if group == "all" else None
    lead = plan.estimators[0] if labels["estimand"] == "late" else labels["estimator"]
    ends = one.effects.interval(level) if one.effects else (np.empty(0), np.empty(0))
    for i, index in enumerate(columns):
        column = plan.outcome_columns[index]
        outcome = plan.outcomes[column.outcome]
        notes = [*one.notes, *([note("shares", p=_rounded(mixed))] if mixed is not None else [])]
        estimates = one.effects if _can_be_told(one, i, y, notes) else None
        row: dict[str, object] = {
            "outcome": column.outcome,
            "month": column.month,
            "arm": study.label(contrast),
            "role": "exploratory" if exploratory else outcome.role_in(column.month),
            **labels,
            "estimate": np.nan, "std_error": np.nan, "conf_low": np.nan, "conf_high": np.nan,
            "p_value": np.nan, "p_value_randomisation": np.nan, "p_value_adjusted": np.nan,
            "df": np.nan,
            "level": level,
            "std_error_kind": plan.analysis.std_error_of(lead),
            "n": int(one.rows.sum()),
            "n_treated": int(treated.sum()),
            "n_control": int(control.sum()),
            "n_clusters": None,
            "mean_treated": means[0][i],
            "mean_control": means[1][i],
            "unit": outcome.unit,
            "prespecified": not exploratory,
            "note": joined(notes),
            "column": index,
        }  # fmt: skip
        if estimates is not None:
            row |= {
                "estimate": estimates.value[i],
                "std_error": estimates.std_error[i],
                "conf_low": ends[0][i],
                "conf_high": ends[1][i],
                "p_value": estimates.p_value[i],
                "df": estimates.df[i],
            }
        rows.append(row)
        scores.append(np.zeros(study.n) if estimates is None else estimates.scores[:, i])


def _can_be_told(one: Fit, i: int, y: np.ndarray, notes: list[str]) -> bool:
    """Tell whether an estimate means something; if not, leave the reason in the notes."""
    if one.effects is None:
        return False
    values = y[one.rows, i]
    if np.ptp(values) == 0:
        notes[:] = [note("constant")]
        return False
    if not one.effects.std_error[i] > FLAT * np.abs(values).max():
        notes[:] = [note("no_spread")]
        return False
    return True


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


def _shares_differ(study: Study, rows: np.ndarray, contrast: tuple[int, int]) -> float | None:
    """Return the p-value of equal shares offered to women and men, where it is below 0.05."""
    if not {"women", "men"} <= study.groups.keys():
        return None
    counts = [
        [int((rows & study.groups[g] & (study.arm == a)).sum()) for a in contrast]
        for g in ("women", "men")
    ]
    if not (np.sum(counts, axis=0).all() and np.sum(counts, axis=1).all()):
        return None
    p = float(stats.chi2_contingency(counts, correction=False).pvalue)
    return p if p < 0.05 else None


def _rounded(p: float) -> str:
    return f"{p:.3f}" if p >= 0.001 else "< 0.001"


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
