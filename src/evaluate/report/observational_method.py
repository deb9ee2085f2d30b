"""How the numbers of an observational study were made, and what they cannot tell."""

from __future__ import annotations

from evaluate.report.inference import estimators, p_values, standard_errors
from evaluate.report.released import Released
from evaluate.report.words import Words


def method(released: Released, words: Words) -> list[str]:
    """Say how the numbers were made: estimators, probabilities, errors, what was asked of them."""
    plan = released.plan
    found = [f"{words('method.design')} {estimators(released, words)}"]
    if plan.covariates:
        names = ", ".join(words.covariate(c.column) for c in plan.covariate_list)
        found.append(words("method.covariates", names=names))
        imputed = plan.analysis.missing_covariates == "impute"
        found.append(words("method.imputed" if imputed else "method.dropped"))
        found += [*_probabilities(released, words)]
    for estimator in plan.estimators:
        found.append(_estimator(released, words, estimator))
    found += [standard_errors(released, words), *p_values(released, words)]
    if plan.columns.weight:
        found.append(words("method.weights", weight=plan.columns.weight))
    if plan.columns.both_genders:
        found.append(words("method.gap"))
    found.append(words("method.missing_outcomes"))
    if len(released.paths):
        found.append(words("method.bands"))
    if len(released.incidence):
        found.append(words("method.incidence"))
    stated = {
        "graph": len(released.graph) > 0,
        "event_study": len(released.event_study) > 0,
        "refutations": len(released.refutations) > 0,
    }
    found += [words(f"method.{key}") for key, holds in stated.items() if holds]
    known = dict.fromkeys(released.sensitivity["method"])
    for key in ("e_value", "robustness_value", "rosenbaum", "long_story_short"):
        if key in known:
            found.append(words(f"method.{key}"))
    if len(released.verdict):
        found.append(words("method.verdict"))
    if plan.costs:
        found.append(words("method.fieller"))
    return found


def limits(released: Released, words: Words) -> list[str]:
    """Say what only an observational study cannot tell, before the limits of every study."""
    plan = released.plan
    stated = {
        "unmeasured": True,
        "no_trial": True,
        "trimmed_population": bool((released.overlap["trimmed"].fillna(0) > 0).any()),
        "models": True,
        "no_time_zero": plan.columns.day_zero is None,
        "no_placebo": all(o.role != "placebo" for o in plan.outcomes.values()),
        "no_graph": plan.graph is None,
        "interference": True,
    }
    return [words(f"limits.{key}") for key, holds in stated.items() if holds]


def _probabilities(released: Released, words: Words) -> list[str]:
    """Say how probabilities were fitted, who was left out by them, and where they are held."""
    plan = released.plan
    propensity, fitting = plan.analysis.propensity, plan.analysis.cross_fitting
    found = [words(f"method.propensity.{propensity.model}")]
    if propensity.within_gender:
        found.append(words("method.propensity.within_gender"))
    found.append(words("method.cross_fitting", folds=fitting.folds, splits=fitting.splits))
    trim = propensity.trim
    if isinstance(trim, str):
        found.append(words(f"method.trim.{trim}_{plan.analysis.estimand}"))
    else:
        low, high = (words.number(bound, 3) for bound in trim)
        found.append(words("method.trim.bounds", low=low, high=high))
    if propensity.clip > 0:
        low, high = words.number(propensity.clip, 3), words.number(1 - propensity.clip, 3)
        found.append(words(f"method.clip.{plan.analysis.estimand}", low=low, high=high))
    else:
        found.append(words("method.clip.none"))
    return [" ".join(found[: 1 + propensity.within_gender]), *found[1 + propensity.within_gender :]]


def _estimator(released: Released, words: Words, estimator: str) -> str:
    """Say what an estimator does, with the choices that the plan made for it."""
    plan = released.plan
    kind = words(f"kind.{plan.std_error_of(estimator)}")
    if estimator == "matching":
        chosen = plan.analysis.matching
        nearest = "nearest" if chosen.neighbours > 1 else "nearest_one"
        found = [
            words(
                f"method.matching_{plan.analysis.estimand}",
                kind=kind,
                nearest=words(f"method.{nearest}", n=chosen.neighbours),
                distance=words(f"method.distance.{chosen.distance}"),
            ),
            words("method.replace" if chosen.replace else "method.no_replace"),
        ]
        if chosen.caliper is not None:
            found.append(words("method.caliper", caliper=words.number(chosen.caliper)))
        if chosen.exact:
            found.append(words("method.exact", names=", ".join(chosen.exact)))
        if chosen.bias_correction:
            found.append(words("method.bias_correction"))
        return " ".join(found)
    suffix = f"_{plan.analysis.estimand}" if estimator in ("aipw", "ipw", "lin") else ""
    text = words(f"method.{estimator}{suffix}", kind=kind)
    if estimator == "aipw":
        learner = words(f"method.learner.{plan.analysis.cross_fitting.learner}")
        text = f"{text} {learner}"
    return text
