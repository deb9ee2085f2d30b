"""The table of effects: all outcomes, contrasts, estimators and groups."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from evaluate import schemas
from evaluate.design.default_estimators import with_default
from evaluate.effects.batches import Batch, batches
from evaluate.effects.bounds_table import bound_estimands
from evaluate.effects.drawn import Key, by_randomisation
from evaluate.effects.groups import Estimand, estimands
from evaluate.effects.observational.families import adjusted_by_scores
from evaluate.effects.rows import Row, rows_of
from evaluate.estimates import Estimates
from evaluate.notes import joined, note
from evaluate.plan.model import Plan
from evaluate.study import GAP, Study

BOUNDS = ("lee_lower", "lee_upper", "manski_lower", "manski_upper")  # their rows come last
FLAT = 1e-10  # standard error, relative to the outcome, below which nothing varies


@dataclass(frozen=True)
class Effects:
    """Rows of effects, and how those of different groups covary.

    Attributes
    ----------
    table : DataFrame
        As `schemas.EFFECTS`.
    covariances : DataFrame
        As `schemas.COVARIANCES`: of two rows of the lead estimator's effects of the offer on
        one outcome in two groups. Those that are not listed are zero: groups share nobody.
    """

    table: pd.DataFrame
    covariances: pd.DataFrame


def effects(study: Study, plan: Plan, rng: np.random.Generator | None = None) -> Effects:
    """Estimate everything that the plan names.

    Parameters
    ----------
    study : Study
        The persons.
    plan : Plan
        The programme file.
    rng : Generator, optional
        Source of drawn assignments and weights; without it there are none, and p-values by
        randomisation are empty.

    Returns
    -------
    Effects
        Sorted by outcome, contrast, estimand, estimator and group. An estimate that cannot
        be made has a row whose note says why.
    """
    plan = with_default(plan, study)
    parts: list[Row] = []
    shared: list[pd.DataFrame] = []
    primary: dict[Key, Estimates] = {}
    for batch in batches(study, plan):
        flat: set[tuple[object, ...]] = set()
        found = list(estimands(study, plan, batch))
        for one in found:
            reasons = _reasons(one, batch, flat)
            parts.append(rows_of(study, plan, batch, one, reasons, rng))
        shared.append(_covariances(study, plan, batch, found))
        if plan.is_observational or plan.analysis.multiplicity == "romano_wolf":
            primary |= _primary(study, plan, batch, found)
    for batch, one in bound_estimands(study, plan):
        reasons = _reasons(one, batch, set())
        parts.append(rows_of(study, plan, batch, one, reasons, rng))
    if not parts:  # difference-in-differences alone
        nothing = (schemas.EFFECTS, schemas.COVARIANCES)
        return Effects(*(pd.DataFrame(columns=list(of.columns)) for of in nothing))
    table = pd.DataFrame({key: np.concatenate([part[key] for part in parts]) for key in parts[0]})
    order = _order(table, study, plan)
    covariances = pd.concat(shared, ignore_index=True)
    table = table.iloc[order].reset_index(drop=True)
    covariances = _numbered(covariances, table)
    if plan.is_observational:
        table = adjusted_by_scores(table, study, plan, rng, primary)
    elif rng is not None:
        table = by_randomisation(table, study, plan, rng, primary)
    columns = list(schemas.EFFECTS.columns)
    table["month"] = table["month"].astype("Int64")
    table["n_clusters"] = table["n_clusters"].astype("Int64")
    return Effects(table[columns], covariances)


def _reasons(one: Estimand, batch: Batch, flat: set[tuple[object, ...]]) -> list[str]:
    """Return, column by column, why there is no estimate; empty where there is one.

    ``flat`` remembers the columns without variation, for the gap that comes after.
    """
    fit, k = one.fit, len(batch.columns)
    if fit.effects is None:
        return [joined(list(fit.notes))] * k
    values = batch.y if fit.rows.all() else batch.y[fit.rows]
    low, high = values.min(axis=0), values.max(axis=0)
    constant = low == high
    still = ~(fit.effects.std_error > FLAT * np.maximum(np.abs(low), np.abs(high)))
    found = []
    for i in range(k):
        place = (one.estimand, one.estimator, one.contrast, i)
        reason = note("constant") if constant[i] else note("no_spread") if still[i] else ""
        if not np.isfinite(fit.effects.std_error[i]):
            reason = note("constant") if constant[i] else "" if fit.unsure else note("too_large")
        if reason and one.group in ("women", "men"):
            flat.add(place)
        if not reason and one.group == GAP and place in flat:
            reason = note("no_gap")
        found.append(reason)
    return found


def _primary(study: Study, plan: Plan, batch: Batch, found: list[Estimand]) -> dict[Key, Estimates]:
    """Return the effects of the offer on primary outcomes, one by one."""
    every = plan.outcome_columns
    return {
        (one.estimator, study.label(one.contrast), one.group, int(c)): one.fit.effects.pick([i])
        for one in found
        if one.estimand != "late" and one.fit.effects is not None and one.contrast[1] == 0
        for i, c in enumerate(batch.columns)
        if plan.outcomes[every[c].outcome].role_in(every[c].month) == "primary"
    }


def _covariances(study: Study, plan: Plan, batch: Batch, found: list[Estimand]) -> pd.DataFrame:
    """Return the covariances of the lead estimator's effects in groups that share something."""
    rows: list[tuple[object, ...]] = []
    shares = plan.analysis.slopes == "shared" and plan.estimators[0] == "lin"
    if found and (study.cluster is not None or shares):
        lead = [e for e in found if e.estimand != "late" and e.estimator == found[0].estimator]
        for i, one in enumerate(lead):
            for other in lead[:i]:
                if one.contrast != other.contrast or not _beside(one.group, other.group):
                    continue
                if one.fit.effects is None or other.fit.effects is None:
                    continue
                if one.fit.unsure or other.fit.unsure:
                    continue
                products = np.einsum("ij,ij->j", one.fit.effects.scores, other.fit.effects.scores)
                label = study.label(one.contrast)
                rows += [
                    (int(c), label, other.group, one.group, v)
                    for c, v in zip(batch.columns, products, strict=True)
                ]
    return pd.DataFrame(rows, columns=["column", "arm", "group", "other", "covariance"])


def _beside(group: str, other: str) -> bool:
    """Tell whether two groups are levels of one dimension."""
    dimensions = [
        "gender" if g in ("women", "men") else g.partition("=")[0] for g in (group, other)
    ]
    return "all" not in dimensions and GAP not in dimensions and len(set(dimensions)) == 1


def _numbered(covariances: pd.DataFrame, table: pd.DataFrame) -> pd.DataFrame:
    """Name the rows of the table that covary by their numbers."""
    first = table["position"].min()
    lead = table[(table["estimand"] != "late") & (table["position"] == first)]
    places = {
        (c, a, g): i
        for i, c, a, g in zip(lead.index, lead["column"], lead["arm"], lead["group"], strict=True)
    }
    pairs = [
        (places[c, a, g], places[c, a, o], v)
        for c, a, g, o, v in covariances.itertuples(index=False)
    ]
    return pd.DataFrame(pairs, columns=list(schemas.COVARIANCES.columns))


def _order(table: pd.DataFrame, study: Study, plan: Plan) -> np.ndarray:
    """Sort the rows as a reader expects them."""
    groups = list(study.groups)
    position = {g: i for i, g in enumerate([*groups[:3], GAP, *groups[3:]])}
    labels = {study.label(c): i for i, c in enumerate(study.contrasts)}
    estimators = {name: i for i, name in enumerate((*plan.estimators, "tsls", *BOUNDS))}
    table["position"] = table["estimator"].map(estimators)
    keys = [
        table["column"].to_numpy(),
        table["arm"].map(labels).to_numpy(),
        table["estimator"].isin(BOUNDS).to_numpy(),
        (table["estimand"] == "late").to_numpy(),
        table["position"].to_numpy(),
        table["group"].map(position).to_numpy(),
    ]
    return np.lexsort(keys[::-1])
