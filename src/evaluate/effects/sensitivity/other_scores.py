"""The study with other probabilities of treatment, or others kept of the same."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

import numpy as np

from evaluate.covariates import Covariates
from evaluate.design.overlap import trim
from evaluate.design.propensity import propensity
from evaluate.effects.observational.sample import with_gender
from evaluate.errors import DesignError
from evaluate.plan.model import Plan
from evaluate.propensities import CrossFit
from evaluate.study import Study

Contrast = tuple[int, int]
Rule = str | tuple[float, float]


def trimmed(study: Study, plan: Plan, name: str, rule: Rule) -> Study:
    """Return the study with others kept of the scores of one set of covariates."""
    found = dict(study.propensities)
    for contrast in study.contrasts:
        key = (name, study.label(contrast))
        if key not in found:
            continue
        one, kept = found[key], np.zeros(study.n, dtype=bool)
        there = np.flatnonzero(np.isin(study.arm, contrast))
        weight = None if study.weight is None else study.weight[there]
        treated, estimand = study.arm[there] == contrast[0], plan.analysis.estimand
        with suppress(DesignError):  # an arm is left empty: the estimators say so
            kept[there] = trim(one.median[there], treated, rule, estimand, weight).keep
        found[key] = replace(one, kept=kept)
    return replace(study, propensities=found)


def scored(
    study: Study, plan: Plan, covariates: Covariates, model: str, seed: int, keep: bool = False
) -> Study:
    """Return the study with scores of another model, or of other covariates."""
    found = dict(study.propensities)
    for contrast in study.contrasts:
        key = (covariates.of, study.label(contrast))
        if key not in found:
            continue
        try:
            one = cross_fitted(study, plan, covariates, contrast, model, seed)
        except DesignError:
            del found[key]
            continue
        found[key] = replace(one, kept=found[key].kept) if keep else one
    return replace(study, propensities=found)


def cross_fitted(
    study: Study, plan: Plan, covariates: Covariates, contrast: Contrast, model: str, seed: int
) -> CrossFit:
    """Estimate the probability of treatment anew, with one split into folds.

    Parameters
    ----------
    study : Study
        The persons.
    plan : Plan
        The programme file.
    covariates : Covariates
        What tells who was likely to be treated.
    contrast : (int, int)
        One of ``study.contrasts``.
    model : {"logit", "boosting"}
        Of the probability.
    seed : int
        Of folds and learner.

    Returns
    -------
    CrossFit
        Nobody trimmed.

    Raises
    ------
    DesignError
        As from `design.propensity.propensity`.
    """
    rows = np.isin(study.arm, contrast)
    columns = with_gender(study, plan, covariates, rows)
    within = None
    if plan.analysis.propensity.within_gender and plan.columns.both_genders:
        gender = np.where(study.groups["women"], "women", "")
        within = np.where(study.groups["men"], "men", gender)[rows]
    fitted = propensity(
        replace(columns, values=columns.values[rows]),
        study.arm[rows] == contrast[0],
        model,
        folds=plan.analysis.cross_fitting.folds,
        splits=1,
        seed=seed,
        weight=None if study.weight is None else study.weight[rows],
        cluster=None if study.cluster is None else study.cluster[rows],
        within=within,
    )
    fold, score = np.full((1, study.n), -1), np.full((1, study.n), np.nan)
    fold[0, rows], score[0, rows] = fitted.fold[:, 0], fitted.score[:, 0]
    return CrossFit(fold, score, rows, fitted.model)
