"""From a study to the doubly robust scores of its primary outcomes, and the file that holds them.

Folds, propensities and outcome regressions are those of the average effects: of an observational
study those that the stage `design` left, of a lottery its shares by block.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from evaluate import schemas
from evaluate.covariates import Covariates, imputed, independent
from evaluate.design.graph_data import standing_column
from evaluate.effects.fit import covariates_for
from evaluate.effects.observational.aipw import clip_propensity, signals
from evaluate.effects.observational.estimators import said
from evaluate.effects.observational.folds import draw_folds
from evaluate.effects.observational.nuisance import binary, cross_fit, selected
from evaluate.effects.observational.sample import arranged, with_gender
from evaluate.errors import DesignError, persons
from evaluate.heterogeneity.signals import Case, NoSignals, Signals
from evaluate.notes import joined, note
from evaluate.plan.model import Plan
from evaluate.plan.outcomes import OutcomeColumn
from evaluate.seeds import generator
from evaluate.study import Study

FEW_FOR_TREES = 1_000  # persons, below whom outcome regressions are straight
FEWEST = 4  # persons of an arm, or clusters


def asked(plan: Plan) -> list[tuple[int, OutcomeColumn]]:
    """Return the outcome columns that are looked into: of each outcome the month that stands."""
    named = plan.analysis.heterogeneity.outcomes
    if named is None:
        named = [k for k, o in plan.outcomes.items() if o.role == "primary"]
    named = named or [k for k, o in plan.outcomes.items() if o.role != "placebo"][:1]
    return [(i, plan.outcome_columns[i]) for i in (standing_column(plan, k) for k in named)]


def scores_of(study: Study, plan: Plan, seed: int) -> pd.DataFrame:
    """Fit the nuisances of every primary outcome and contrast with control.

    Parameters
    ----------
    study : Study
        The persons, with propensities where no lottery decided.
    plan : Plan
        The programme file.
    seed : int
        Of folds of a lottery; those of an observational study are drawn already.

    Returns
    -------
    DataFrame
        As `schemas.PERSON_SCORES`; a contrast without scores has one row that says why.
    """
    parts = []
    for i, column, contrast in _cases(study, plan):
        context = {
            "outcome": column.outcome, "month": column.month, "arm": study.label(contrast)
        }  # fmt: skip
        try:
            parts.append(_person_scores(study, plan, i, contrast, seed).assign(**context))
        except DesignError as error:
            parts.append(pd.DataFrame([context | {"note": note("error", reason=error)}]))
    columns = list(schemas.PERSON_SCORES.columns)
    if not parts:
        return pd.DataFrame(columns=columns)
    table = pd.concat([p.reindex(columns=columns) for p in parts], ignore_index=True)
    return table.assign(month=table["month"].astype("Int64"), note=table["note"].fillna(""))


def cases_of(table: pd.DataFrame, study: Study, plan: Plan) -> list[Case]:
    """Arrange the file of scores with the persons' covariates and groups.

    Parameters
    ----------
    table : DataFrame
        As `schemas.PERSON_SCORES`, of this study.
    study, plan : Study, Plan
        The persons and the programme file.

    Returns
    -------
    list of Signals or NoSignals
        One for each outcome and contrast, in the order of the plan.
    """
    months = table["month"].astype("Int64").fillna(-(10**6))
    parts = dict(list(table.groupby([table["outcome"], months, table["arm"]], sort=False)))
    found: list[Case] = []
    for i, column, contrast in _cases(study, plan):
        label = study.label(contrast)
        unit = plan.outcomes[column.outcome].unit
        month = -(10**6) if column.month is None else column.month
        part = parts[column.outcome, month, label]
        if part["person"].isna().all():
            reason = part["note"].iloc[0]
            found.append(NoSignals(column.outcome, column.month, unit, label, reason))
            continue
        person = part["person"].to_numpy(dtype=int)
        rows = np.zeros(study.n, dtype=bool)
        rows[person] = True
        values, names, sources = _x(study, plan, _covariates(study, plan, column), rows)
        why = part["note"].iloc[0]
        found.append(
            Signals(
                outcome=column.outcome,
                month=column.month,
                unit=unit,
                arm=label,
                estimand=plan.analysis.estimand if plan.is_observational else "itt",
                rows=rows,
                treated=study.arm[rows] == contrast[0],
                y=study.y[rows, i],
                signal=part["signal"].to_numpy(dtype=float),
                share=part["share"].to_numpy(dtype=float),
                outcome_residual=part["outcome_residual"].to_numpy(dtype=float),
                treatment_residual=part["treatment_residual"].to_numpy(dtype=float),
                weight=np.ones(len(person)) if study.weight is None else study.weight[rows],
                x=values,
                names=names,
                sources=sources,
                groups={g: members[rows] for g, members in study.groups.items()},
                block=None if study.block is None else study.block[rows],
                cluster=None if study.cluster is None else study.cluster[rows],
                units=0 if study.cluster is None else study.units,
                notes=(why,) if why else (),
            )
        )
    return found


def _cases(study: Study, plan: Plan) -> Iterator[tuple[int, OutcomeColumn, tuple[int, int]]]:
    for i, column in asked(plan):
        for contrast in study.contrasts:
            if contrast[1] == 0 and study.offered_arms[contrast[0]]:
                yield i, column, contrast


def _covariates(study: Study, plan: Plan, column: OutcomeColumn) -> Covariates:
    own = column.outcome if column.outcome in study.baselines else ""
    without = plan.outcomes[column.outcome].without
    return covariates_for(study, own, without, plan.covariate_set(column.outcome))


def _x(
    study: Study, plan: Plan, covariates: Covariates, rows: np.ndarray
) -> tuple[np.ndarray, tuple[str, ...], tuple[str, ...]]:
    columns = with_gender(study, plan, covariates, rows)
    x = imputed(columns.values[rows])
    kept = columns.pick(independent(x))
    return x[:, independent(x)], kept.names, kept.sources


def _person_scores(
    study: Study, plan: Plan, i: int, contrast: tuple[int, int], seed: int
) -> pd.DataFrame:
    column = plan.outcome_columns[i]
    observed = ~np.isnan(study.y[:, i])
    covariates = _covariates(study, plan, column)
    if plan.is_observational:
        one = arranged(study, plan, covariates, observed, contrast, study.groups["all"])
        if not len(one.fold):
            raise DesignError("the probability of treatment could not be estimated.")
        rows, treated, x = one.rows, one.treated, one.x
        fold, score, estimand = one.fold, one.score, plan.analysis.estimand
        clip, notes = plan.analysis.propensity.clip, list(said(one))
    else:
        rows, probability, notes = _drawn(study, contrast, observed)
        treated = study.arm[rows] == contrast[0]
        x = _x(study, plan, covariates, rows)[0]
        crossing = plan.analysis.cross_fitting
        rng = generator(seed, "scores", column.name, study.label(contrast))
        gender = study.groups["women"][rows] if plan.columns.both_genders else None
        cluster = None if study.cluster is None else study.cluster[rows]
        _enough(treated, cluster)
        smaller = min(_units(cluster, treated), _units(cluster, ~treated))
        folds = min(crossing.folds, smaller)
        fold = draw_folds(treated, folds, crossing.splits, rng, gender, cluster)
        score, estimand, clip = np.tile(probability, (len(fold), 1)), "ate", 0.0
    y = study.y[rows, i][:, None]
    weight = None if study.weight is None else study.weight[rows]
    sums = _summed(y, treated, x, fold, score, estimand, clip, weight, plan)
    return pd.DataFrame(
        {
            "person": np.flatnonzero(rows),
            **{name: values / len(fold) for name, values in sums.items()},
            "note": joined(notes),
        }
    )


def _summed(
    y: np.ndarray,
    treated: np.ndarray,
    x: np.ndarray,
    fold: np.ndarray,
    score: np.ndarray,
    estimand: str,
    clip: float,
    weight: np.ndarray | None,
    plan: Plan,
) -> dict[str, np.ndarray]:
    """Return sums over the splits of signals, shares and residuals, shape (m,) each."""
    learner = plan.analysis.cross_fitting.learner
    if not plan.is_observational and len(y) < FEW_FOR_TREES and learner == "selected":
        learner = "linear"
    plain = "logistic" if binary(y)[0] else "linear"
    names: dict[bool, str] = {}
    w = np.ones(len(y)) if weight is None else weight
    sums = {
        name: np.zeros(len(y))
        for name in ("signal", "share", "outcome_residual", "treatment_residual")
    }
    for split, m in zip(fold, score, strict=True):
        held, _ = clip_propensity(m, treated, estimand, clip) if clip else (m, 0)
        outcome = []
        for arm in (False,) if estimand == "att" else (False, True):
            among = treated == arm
            if learner == "selected" and arm not in names:
                chosen, g, _ = selected(y, x, split, among, weight)
                names[arm] = chosen[0]
            else:
                name = names.setdefault(arm, plain if learner == "linear" else learner)
                g = cross_fit(y, x, split, name, among, weight)
            outcome.append(g)
        signal, share = signals(y, treated, outcome, held, estimand, w)
        if estimand == "att":
            mean = cross_fit(y, x, split, names[False], None, weight)
        else:
            mean = (1 - held)[:, None] * outcome[0] + held[:, None] * outcome[1]
        sums["signal"] += signal[:, 0]
        sums["share"] += share
        sums["outcome_residual"] += (y - mean)[:, 0]
        sums["treatment_residual"] += treated - m
    return sums


def _drawn(
    study: Study, contrast: tuple[int, int], observed: np.ndarray
) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Return who is in either arm of a lottery, and their probability of the first.

    The probability is the share of the block, weighted as the effects are, or that stated by
    person. Blocks with one arm tell nothing and are left out.
    """
    there = observed & np.isin(study.arm, contrast)
    first = study.arm == contrast[0]
    block = np.zeros(study.n, dtype=int) if study.block is None else study.block
    count = np.bincount(block[there], minlength=block.max(initial=0) + 1)
    treated = np.bincount(block[there & first], minlength=len(count))
    both = (treated > 0) & (treated < count)
    rows = there & both[block]
    notes = [note("blocks", n=lost)] if (lost := int(there.sum() - rows.sum())) else []
    if not rows.any():
        raise DesignError(
            f"{persons(int(there.sum()))} with the outcome, but no block with both arms."
        )
    if study.share is not None and len(study.arms) == 2:
        return rows, study.share[rows], notes
    w = np.ones(study.n) if study.weight is None else study.weight
    of_all = np.bincount(block[rows], w[rows], len(count))
    of_first = np.bincount(block[rows & first], w[rows & first], len(count))
    with np.errstate(divide="ignore", invalid="ignore"):
        probability = of_first / of_all
    return rows, probability[block[rows]], notes


def _units(cluster: np.ndarray | None, among: np.ndarray) -> int:
    return int(among.sum()) if cluster is None else len(np.unique(cluster[among]))


def _enough(treated: np.ndarray, cluster: np.ndarray | None) -> None:
    counts = [_units(cluster, treated), _units(cluster, ~treated)]
    if min(counts) < FEWEST:
        noun = "persons" if cluster is None else "clusters"
        raise DesignError(
            f"{counts[0]:,} treated and {counts[1]:,} comparison {noun} with the outcome: "
            f"{FEWEST} of each are needed."
        )
