"""Other reasonable analyses than the plan's own, and how they are fitted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from evaluate.covariates import Covariates
from evaluate.effects.fit import Fit, fit
from evaluate.effects.groups import errors_of, gap
from evaluate.effects.observational.estimands import effects_by_group
from evaluate.effects.observational.samples import Samples
from evaluate.effects.sensitivity.other_scores import Contrast, Rule, scored, trimmed
from evaluate.effects.sensitivity.questions import Asked, lead_of
from evaluate.notes import note
from evaluate.plan.model import OBSERVATIONAL, Plan
from evaluate.study import GAP, Study

RULES: tuple[Rule, ...] = ("none", "crump", (0.1, 0.9))
MODELS = ("logit", "boosting")
RAW = "difference_in_means"


@dataclass(frozen=True)
class Specification:
    """One way to analyse an outcome.

    Attributes
    ----------
    estimator : str
        One of those of observational plans.
    trim, propensity, covariates : str
        As in `schemas.SPECIFICATIONS`; ``propensity`` is empty for estimators without scores.
    """

    estimator: str
    trim: str
    propensity: str
    covariates: str


Found = dict[tuple[Specification, str, Contrast], Fit]  # specification, group, contrast


@dataclass(frozen=True)
class Scenario:
    """Persons, scores and covariates that several estimators share."""

    trim: str
    model: str
    covariates: str
    estimators: tuple[str, ...]
    study: Study
    adjusts: Covariates


def adjusted(plan: Plan) -> tuple[str, ...]:
    """Return the adjusted estimators: the plan's, the lead first, and the usual others."""
    every = dict.fromkeys((*plan.estimators, *OBSERVATIONAL))
    return tuple(e for e in every if e not in (RAW, "did"))


def uses_scores(plan: Plan, estimator: str) -> bool:
    """Tell whether an estimator rests on the probability of treatment, beside trimming."""
    if estimator == "matching":
        return plan.analysis.matching.distance == "propensity"
    return estimator in ("aipw", "ipw")


def named(rule: Rule) -> str:
    """Return a rule of trimming as the tables have it: ``crump``, ``0.1-0.9``."""
    return rule if isinstance(rule, str) else f"{rule[0]:g}-{rule[1]:g}"


def own(study: Study, plan: Plan, asked: Asked, estimator: str) -> Specification:
    """Return what the plan itself does with an estimator."""
    if estimator == RAW:
        return Specification(RAW, "none", "", "none")
    scores = [s.model for (name, _), s in study.propensities.items() if name == asked.covariates.of]
    model = scores[0] if scores and uses_scores(plan, estimator) else ""
    return Specification(estimator, named(plan.analysis.propensity.trim), model, "all")


def fit_plan(study: Study, plan: Plan, asked: Asked) -> Found:
    """Fit the plan's own analyses anew, for their scores.

    Parameters
    ----------
    study : Study
        The persons, with propensities.
    plan : Plan
        The programme file.
    asked : Asked
        k outcomes.

    Returns
    -------
    dict of (Specification, group, contrast) to Fit
        k effects each, the gap between women and men among the groups.
    """
    found: Found = {}
    samples = Samples(study, plan, asked.observed, asked.covariates)
    for estimator in adjusted(plan):
        fits = effects_by_group(samples, estimator, asked.y)
        found |= _with_gap(study, plan, own(study, plan, asked, estimator), fits)
    fits = {}
    for group, members in study.groups.items():
        each = fit(study, errors_of(study, plan, RAW), RAW, asked.y, members & asked.observed,
                   asked.covariates)  # fmt: skip
        fits |= {(group, c): one for c, one in zip(study.contrasts, each, strict=True)}
    return found | _with_gap(study, plan, own(study, plan, asked, RAW), fits)


def fit_alternatives(
    study: Study, plan: Plan, asked: Asked, mine: Found, left_out: Sequence[str], seed: int
) -> Found:
    """Fit what else would have been reasonable: other trimming, other scores, less covariates.

    Outcomes are predicted by the learner that the plan's own analysis chose, where it chose one
    for all.

    Parameters
    ----------
    study, plan, asked
        As for `fit_plan`.
    mine : dict
        What that gave.
    left_out : sequence of str
        Covariates of the plan to leave out, one at a time.
    seed : int
        Of folds and learners.

    Returns
    -------
    dict of (Specification, group, contrast) to Fit
        Where nobody is left to compare, a fit without effects that says so.
    """
    found: Found = {}
    plan = _with_learner(plan, mine)
    held: dict[tuple[str, str, bytes], dict[tuple[str, Contrast], Fit]] = {}
    for scenario in _scenarios(study, plan, asked, left_out, seed):
        there = scenario.study
        kept = b"".join(
            np.packbits(s.kept).tobytes()
            for (name, _), s in there.propensities.items()
            if name == asked.covariates.of
        )
        samples = Samples(there, plan, asked.observed, scenario.adjusts)
        for estimator in scenario.estimators:
            model = scenario.model if uses_scores(plan, estimator) else ""
            key = (estimator + scenario.covariates, model, kept)
            if key not in held:
                held[key] = effects_by_group(samples, estimator, asked.y)
            chosen = Specification(estimator, scenario.trim, model, scenario.covariates)
            found |= _with_gap(there, plan, chosen, held[key])
    return found


def _with_learner(plan: Plan, mine: Found) -> Plan:
    """Return the plan with the learner of outcomes that was chosen, if it was one."""
    told = {text for fit in mine.values() for text in fit.each}
    learner: Literal["linear", "boosting"] = "linear"
    if told == {note("learner_boosting")}:
        learner = "boosting"
    elif not told or any(note("learner_boosting") in text for text in told):
        return plan
    return plan.model_copy(
        update={
            "analysis": plan.analysis.model_copy(
                update={
                    "cross_fitting": plan.analysis.cross_fitting.model_copy(
                        update={"learner": learner}
                    )
                }
            )
        }
    )


def _with_gap(
    study: Study, plan: Plan, chosen: Specification, fits: dict[tuple[str, Contrast], Fit]
) -> Found:
    found = {(chosen, group, contrast): one for (group, contrast), one in fits.items()}
    if plan.columns.both_genders:
        for contrast in study.contrasts:
            women, men = fits["women", contrast], fits["men", contrast]
            found[chosen, GAP, contrast] = gap(study, women, men)
    return found


def _scenarios(
    study: Study, plan: Plan, asked: Asked, left_out: Sequence[str], seed: int
) -> Iterator[Scenario]:
    """Yield other trimming of the plan's scores, other scores, and fewer covariates."""
    stated = plan.analysis.propensity.trim
    rules = list(dict.fromkeys((stated, *RULES)))
    every = adjusted(plan)
    on_scores = tuple(e for e in every if uses_scores(plan, e))
    chosen = own(study, plan, asked, "aipw").propensity
    models = [chosen]
    if plan.analysis.propensity.model == "selected":
        models += [m for m in MODELS if m != chosen]
    for model in models:
        others = study if model == chosen else scored(study, plan, asked.covariates, model, seed)
        for rule in rules:
            if model == chosen and rule == stated:
                continue
            there = trimmed(others, plan, asked.covariates.of, rule)
            estimators = every if model == chosen else on_scores
            yield Scenario(named(rule), model, "all", estimators, there, asked.covariates)
    lead = lead_of(plan) if lead_of(plan) in every else every[0]
    for name in left_out:
        fewer = asked.covariates.without([name])
        there = study
        if uses_scores(plan, lead):
            there = scored(study, plan, fewer, chosen, seed, keep=True)
        both = tuple(dict.fromkeys((lead, "regression")))
        yield Scenario(named(stated), chosen, f"without {name}", both, there, fewer)
