"""Who was likely to be treated: scores of every person, and the tables that tell of them."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from evaluate import schemas
from evaluate.covariates import Covariates, columns_of
from evaluate.design.observational_scores import Scores, scores_of
from evaluate.design.observational_tables import (
    histogram_table,
    models_table,
    overlap_table,
    population_table,
)
from evaluate.design.overlap import Trim, common_support, trim
from evaluate.effects.fit import covariates_for
from evaluate.effects.observational.sample import with_gender
from evaluate.errors import DesignError
from evaluate.plan.model import Plan
from evaluate.propensities import CrossFit, Key, Propensities
from evaluate.study import Study

GENDERS = ("all", "women", "men")


@dataclass(frozen=True)
class PropensityStage:
    """What the rule `propensity` makes.

    Attributes
    ----------
    propensities : mapping
        By set of covariates and contrast; empty where a lottery decided. Contrasts of two arms,
        and sets of covariates of single outcomes, of which none can be estimated are not there:
        ``models`` says why.
    models, overlap, histogram, population : DataFrame
        As `schemas.PROPENSITY_MODELS`, `OVERLAP`, `PROPENSITY_HISTOGRAM` and `POPULATION`; the
        last three are of the main set of covariates.
    """

    propensities: Propensities
    models: pd.DataFrame
    overlap: pd.DataFrame
    histogram: pd.DataFrame
    population: pd.DataFrame


@dataclass
class _Tables:
    """Parts of the tables, filled contrast by contrast."""

    models: list[pd.DataFrame] = field(default_factory=list)
    overlap: list[pd.DataFrame] = field(default_factory=list)
    histogram: list[pd.DataFrame] = field(default_factory=list)
    population: list[pd.DataFrame] = field(default_factory=list)


def propensity_stage(study: Study, plan: Plan, seed: int) -> PropensityStage:
    """Estimate who was likely to be treated, and tell who has likes in the other arm.

    Probabilities are of all persons of a contrast, whatever outcomes they lack. Trimming goes by
    the median of the splits.

    Parameters
    ----------
    study : Study
        The persons.
    plan : Plan
        The programme file.
    seed : int
        Of folds and learners; each set of covariates and contrast has its own from it.

    Returns
    -------
    PropensityStage

    Raises
    ------
    DesignError
        If with the main set of covariates an arm cannot be told from control by chance: the
        covariates separate the two, they share no range of probabilities, trimming leaves an
        arm empty, there are more columns than persons, or most persons lack a covariate.
    """
    found: dict[Key, CrossFit] = {}
    parts = _Tables()
    if plan.is_observational:
        main = main_set(plan)
        for name, covariates in covariate_sets(study, plan):
            for contrast in study.contrasts:
                one = _estimated(study, plan, covariates, contrast, seed, name == main, parts)
                if one is not None:
                    found[name, study.label(contrast)] = one
    return PropensityStage(
        found,
        _joined(parts.models, schemas.PROPENSITY_MODELS),
        _joined(parts.overlap, schemas.OVERLAP),
        _joined(parts.histogram, schemas.PROPENSITY_HISTOGRAM),
        _joined(parts.population, schemas.POPULATION),
    )


def main_set(plan: Plan) -> str:
    """Return the set of covariates that overlap and balance are shown for.

    The plan's own where an outcome is adjusted for these; otherwise that of the first primary
    outcome.
    """
    names = {key: plan.covariate_set(key) for key in plan.outcomes}
    if "" in names.values():
        return ""
    primary = [key for key, outcome in plan.outcomes.items() if outcome.role == "primary"]
    return names[(primary or list(names))[0]]


def covariate_sets(study: Study, plan: Plan) -> Iterator[tuple[str, Covariates]]:
    """Yield the sets of covariates that the outcomes need, the main one first."""
    main = main_set(plan)
    for name in dict.fromkeys([main, *(plan.covariate_set(key) for key in plan.outcomes)]):
        yield name, set_of(study, plan, name)


def set_of(study: Study, plan: Plan, name: str) -> Covariates:
    """Return the covariates of a set by its name, without gender."""
    if not name:
        return columns_of(study.covariates)
    own = name if name in study.baselines else ""
    return covariates_for(study, own, plan.outcomes[name].without, name)


def levels_of(study: Study, plan: Plan, rows: np.ndarray) -> Covariates:
    """Return all levels of the plan's covariates, and gender, of some persons."""
    levels = columns_of(study.covariates, all_levels=True)
    return _some(with_gender(study, plan, levels, rows), rows)


def groups_within(study: Study, rows: np.ndarray) -> dict[str, np.ndarray]:
    """Return all, women and men among some persons, those that there are."""
    groups = {g: study.groups[g][rows] for g in GENDERS if g in study.groups}
    return {g: members for g, members in groups.items() if members.any()}


def _estimated(
    study: Study,
    plan: Plan,
    covariates: Covariates,
    contrast: tuple[int, int],
    seed: int,
    is_main: bool,
    parts: _Tables,
) -> CrossFit | None:
    """Estimate one contrast with one set; None where it cannot be and may be left out."""
    rows = np.isin(study.arm, contrast)
    label, stated = study.label(contrast), plan.analysis.propensity
    columns = _some(with_gender(study, plan, covariates, rows), rows)
    treated = study.arm[rows] == contrast[0]
    place = [zlib.crc32(name.encode()) for name in ("propensity", covariates.of, label)]
    own = int(np.random.SeedSequence([seed, *place]).generate_state(1)[0])
    weight = None if study.weight is None else study.weight[rows]
    groups = groups_within(study, rows)
    try:
        scores = scores_of(
            columns,
            treated,
            plan,
            seed=own,
            weight=weight,
            cluster=None if study.cluster is None else study.cluster[rows],
            groups=groups,
        )
        median = np.median(scores.score, axis=0)
        common_support(median, treated)
        cut = trim(median, treated, stated.trim, plan.analysis.estimand, weight)
    except DesignError as error:
        if is_main and contrast[1] == 0:
            raise DesignError(f"{_where(plan, study, covariates.of, contrast)}: {error}") from None
        told = models_table(covariates.of, label, None, str(error), stated.model)
        parts.models.append(told)
        return None
    parts.models.append(models_table(covariates.of, label, scores, ""))
    if is_main:
        _describe(study, plan, rows, label, treated, scores, cut, weight, groups, parts)
    return _placed(rows, scores, cut)


def _describe(
    study: Study,
    plan: Plan,
    rows: np.ndarray,
    label: str,
    treated: np.ndarray,
    scores: Scores,
    cut: Trim,
    weight: np.ndarray | None,
    groups: dict[str, np.ndarray],
    parts: _Tables,
) -> None:
    """Add the tables of overlap of a contrast."""
    analysis, median = plan.analysis, np.median(scores.score, axis=0)
    parts.overlap.append(
        overlap_table(
            median, treated, cut, groups, label, analysis.estimand, analysis.propensity.clip, weight
        )
    )
    parts.histogram.append(histogram_table(median, treated, groups, label))
    if not cut.keep.all():
        levels = levels_of(study, plan, rows)
        parts.population.append(
            population_table(levels, cut.keep, treated, groups, label, analysis.estimand, weight)
        )


def _placed(rows: np.ndarray, scores: Scores, cut: Trim) -> CrossFit:
    """Give every person of the study a place."""
    n, splits = len(rows), len(scores.score)
    fold, score, kept = np.full((splits, n), -1), np.full((splits, n), np.nan), np.zeros(n, bool)
    fold[:, rows], score[:, rows], kept[rows] = scores.fold, scores.score, cut.keep
    return CrossFit(fold, score, kept, scores.model)


def _some(covariates: Covariates, rows: np.ndarray) -> Covariates:
    return replace(covariates, values=covariates.values[rows])


def _where(plan: Plan, study: Study, name: str, contrast: tuple[int, int]) -> str:
    """Say in the plan's words whose probability cannot be estimated."""
    arms = f"arm `{study.arms[contrast[0]]}` against `{study.arms[contrast[1]]}`"
    of = f"outcomes.{name}" if name else "covariates"
    return f"{of}, {arms}"


def _joined(tables: list[pd.DataFrame], schema: object) -> pd.DataFrame:
    columns = list(schema.columns)  # type: ignore[attr-defined]
    if not tables:
        return pd.DataFrame(columns=columns)
    return pd.concat(tables, ignore_index=True)[columns]
