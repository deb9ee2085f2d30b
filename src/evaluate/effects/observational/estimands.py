"""Effects of a study without a lottery: every estimator, for all contrasts and groups."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np

from evaluate.effects.fit import Fit
from evaluate.effects.observational.aipw import CrossFitted, aipw
from evaluate.effects.observational.doubt import doubted, reason, worth_of
from evaluate.effects.observational.estimators import (
    balanced,
    clipped_note,
    interacted,
    matched,
    regressed,
    said,
    weighted,
)
from evaluate.effects.observational.sample import Arranged
from evaluate.effects.observational.samples import Contrast, Key, Samples
from evaluate.errors import DesignError
from evaluate.notes import note
from evaluate.plan.model import Plan


def effects_by_group(samples: Samples, estimator: str, y: np.ndarray) -> dict[Key, Fit]:
    """Estimate the effects in every group and contrast, but not the gap.

    Parameters
    ----------
    samples : Samples
        The persons.
    estimator : {"aipw", "matching", "entropy_balancing", "ipw", "regression", "lin"}
        What to estimate with.
    y : ndarray, shape (n, k)
        Outcomes of all persons of the study, known for those observed.

    Returns
    -------
    dict of (group, contrast) to Fit
        With the reason where there is no estimate. Groups share nuisances in "aipw", and are
        estimated each by itself otherwise.
    """
    if estimator == "aipw":
        return _doubly_robust(samples, y)
    estimate = {
        "matching": matched,
        "entropy_balancing": balanced,
        "ipw": weighted,
        "regression": regressed,
        "lin": interacted,
    }[estimator]
    study = samples.study
    return {
        (group, contrast): _one(samples, group, contrast, estimate, y)
        for group in study.groups
        for contrast in study.contrasts
    }


def _one(
    samples: Samples,
    group: str,
    contrast: Contrast,
    estimate: Callable[[Samples, Arranged, np.ndarray], Fit],
    y: np.ndarray,
) -> Fit:
    study = samples.study
    rows = study.groups[group] & samples.observed & np.isin(study.arm, contrast)
    try:
        one = samples.of(group, contrast)
        rows = one.rows
        _enough(one)
        return estimate(samples, one, y if rows.all() else y[rows])
    except DesignError as error:
        return Fit(None, rows, (note("error", reason=error),))


def _enough(one: Arranged, among: np.ndarray | None = None) -> None:
    """Refuse arms with fewer than two persons, or clusters."""
    among = np.ones(len(one.treated), dtype=bool) if among is None else among
    arms = [among & one.treated, among & ~one.treated]
    count = [int(a.sum()) for a in arms]
    if min(count) < 2:
        raise DesignError(
            f"{count[0]:,} treated and {count[1]:,} comparison persons with the outcome are "
            "left: two of each are needed."
        )
    if one.cluster is not None and min(len(np.unique(one.cluster[a])) for a in arms) < 2:
        raise DesignError("an arm lies in one cluster: two are needed.")


def _doubly_robust(samples: Samples, y: np.ndarray) -> dict[Key, Fit]:
    """Average the scores of shared nuisances over all, women, men and the other groups."""
    study, found = samples.study, dict[Key, Fit]()
    for contrast in study.contrasts:
        whole = _one(samples, "all", contrast, _nothing, y)
        if whole.notes:
            found |= {
                (g, contrast): Fit(None, whole.rows & m, whole.notes)
                for g, m in study.groups.items()
            }
            continue
        one = samples.of("all", contrast)
        members = {g: m if one.rows.all() else m[one.rows] for g, m in study.groups.items()}
        groups: dict[str, np.ndarray] = {}
        for group, among in members.items():
            rows = one.rows & study.groups[group]
            try:
                _enough(one, among)
                groups[group] = among
            except DesignError as error:
                found[group, contrast] = Fit(None, rows, (note("error", reason=error),))
        try:
            crossed = _cross_fitted(samples, one, y if one.rows.all() else y[one.rows], groups)
        except DesignError as error:
            reason = (note("error", reason=error),)
            found |= {(g, contrast): Fit(None, one.rows & study.groups[g], reason) for g in groups}
            continue
        each = _learners(crossed, y.shape[1])
        for (group, among), effects in zip(groups.items(), crossed.effects, strict=True):
            told = said(_of_group(samples, one, group, contrast))
            notes = (*told, *_held(samples.plan, one, among))
            own = effects  # of clusters, it has their scores already
            if one.cluster is None:
                own = replace(effects, scores=one.spread(effects.scores))
            fit = Fit(own, one.rows & study.groups[group], notes, each)
            found[group, contrast] = doubted(fit, _doubt(samples.plan, one, among))
    return {(g, c): found[g, c] for g in study.groups for c in study.contrasts}


def _of_group(samples: Samples, one: Arranged, group: str, contrast: Contrast) -> Arranged:
    """Return all persons, with counts of a group: who of it is trimmed, whose values imputed."""
    study = samples.study
    members = study.groups[group]
    if members.all():
        return one
    lost = members & samples.observed & ~one.rows
    trimmed = [int((lost & (study.arm == a)).sum()) for a in contrast]
    count = int(np.isnan(samples.covariates.values[one.rows & members]).sum())
    return replace(one, trimmed=(trimmed[0], trimmed[1]), imputed=count)


def _doubt(plan: Plan, one: Arranged, among: np.ndarray) -> str:
    """Return why the scores of a group make no interval, if so."""
    estimand, w = plan.analysis.estimand, None if one.weight is None else one.weight[among]
    held, _ = one.held(plan.analysis.propensity.clip, estimand)
    worth = worth_of(held[among], one.treated[among], estimand, w)
    return reason(one.median[among], one.treated[among], estimand, worth, w)


def _nothing(samples: Samples, one: Arranged, y: np.ndarray) -> Fit:
    return Fit(None, one.rows)


def _cross_fitted(
    samples: Samples, one: Arranged, y: np.ndarray, groups: Mapping[str, np.ndarray]
) -> CrossFitted:
    analysis = samples.plan.analysis
    if not len(one.fold):
        raise DesignError("the probability of treatment could not be estimated.")
    learner = analysis.cross_fitting.learner
    return aipw(
        y,
        one.treated,
        one.x,
        one.fold,
        one.score,
        analysis.estimand,
        list(groups.values()),
        "logistic" if learner == "linear" else learner,
        weight=one.weight,
        cluster=one.cluster,
        units=one.units or None,
        clip=analysis.propensity.clip,
    )


def _learners(fit: CrossFitted, k: int) -> tuple[str, ...]:
    """Return for each outcome which learners predict it."""
    return tuple(
        "; ".join(dict.fromkeys(note(f"learner_{of_arm[i]}") for of_arm in fit.learners))
        for i in range(k)
    )


def _held(plan: Plan, one: Arranged, among: np.ndarray) -> tuple[str, ...]:
    """Say how many propensities are held at a bound, by their medians over the splits."""
    clip, estimand = plan.analysis.propensity.clip, plan.analysis.estimand
    moved = (one.held(clip, estimand)[0] != one.median) & among
    return clipped_note(int(moved.sum()), clip, estimand)
