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
from evaluate.effects.observational.estimators import said
from evaluate.effects.observational.folds import draw_folds
from evaluate.effects.observational.sample import arranged, with_gender
from evaluate.errors import DesignError
from evaluate.heterogeneity.nuisances import PARTS, Treatment, drawn, person_scores
from evaluate.heterogeneity.signals import Case, NoSignals, Signals
from evaluate.notes import joined, note
from evaluate.plan.model import Plan
from evaluate.plan.outcomes import OutcomeColumn
from evaluate.seeds import generator
from evaluate.study import Study

FEWEST = 4  # persons of an arm, or clusters
ENOUGH = 60_000  # persons times splits, beyond which a lottery's splits add nothing by default


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
                **{name: part[name].to_numpy(dtype=float) for name in PARTS},
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
    """Return covariates as numbers; gender comes first, so that no covariate stands for it."""
    columns = with_gender(study, plan, covariates, rows)
    p = len(covariates.names)
    first = np.r_[np.arange(p, len(columns.names)), np.arange(p)]
    x = imputed(columns.values[rows][:, first])
    keep = independent(x)
    names, sources = ([of[j] for j in first[keep]] for of in (columns.names, columns.sources))
    return x[:, keep], tuple(names), tuple(sources)


def _person_scores(
    study: Study, plan: Plan, i: int, contrast: tuple[int, int], seed: int
) -> pd.DataFrame:
    column = plan.outcome_columns[i]
    observed = ~np.isnan(study.y[:, i])
    covariates = _covariates(study, plan, column)
    if plan.is_observational:
        one = arranged(study, plan, covariates, observed, contrast, study.groups["all"])
        rows, x, notes = one.rows, one.x, list(said(one))
        _enough(study, rows, contrast)
        if not len(one.fold):
            raise DesignError("the probability of treatment could not be estimated.")
        analysis = plan.analysis
        treatment = Treatment(
            one.treated, one.fold, one.score, analysis.estimand, analysis.propensity.clip
        )
    else:
        rows, probability, notes = drawn(study, contrast, observed)
        _enough(study, rows, contrast)
        x = _x(study, plan, covariates, rows)[0]
        rng = generator(seed, "scores", column.name, study.label(contrast))
        treatment = _lottery(study, plan, rows, contrast, probability, rng)
    weight = None if study.weight is None else study.weight[rows]
    block = None if study.block is None or plan.is_observational else study.block[rows]
    learner = plan.analysis.cross_fitting.learner
    found, told = person_scores(study.y[rows, i], x, treatment, learner, weight, block)
    return pd.DataFrame(
        {
            "person": np.flatnonzero(rows),
            **found,
            "note": joined([*notes, *told]),
        }
    )


def _lottery(
    study: Study,
    plan: Plan,
    rows: np.ndarray,
    contrast: tuple[int, int],
    probability: np.ndarray,
    rng: np.random.Generator,
) -> Treatment:
    """Draw folds for the persons of a lottery; of many persons fewer times, by default."""
    stated, treated = plan.analysis.cross_fitting, study.arm[rows] == contrast[0]
    splits = stated.splits
    if "splits" not in stated.model_fields_set:
        splits = min(splits, max(1, ENOUGH // len(treated)))
    gender = study.groups["women"][rows] if plan.columns.both_genders else None
    cluster = None if study.cluster is None else study.cluster[rows]
    folds = min(stated.folds, *_units(study, rows, contrast))
    fold = draw_folds(treated, folds, splits, rng, gender, cluster)
    return Treatment(treated, fold, np.tile(probability, (splits, 1)), "ate", by_lot=True)


def _units(study: Study, rows: np.ndarray, contrast: tuple[int, int]) -> list[int]:
    """Return the persons, or clusters, of either arm."""
    arms = [rows & (study.arm == a) for a in contrast]
    if study.cluster is None:
        return [int(a.sum()) for a in arms]
    return [len(np.unique(study.cluster[a])) for a in arms]


def _enough(study: Study, rows: np.ndarray, contrast: tuple[int, int]) -> None:
    counts = _units(study, rows, contrast)
    if min(counts) < FEWEST:
        noun = "persons" if study.cluster is None else "clusters"
        raise DesignError(
            f"{counts[0]:,} treated and {counts[1]:,} comparison {noun} with the outcome: "
            f"{FEWEST} of each are needed."
        )
