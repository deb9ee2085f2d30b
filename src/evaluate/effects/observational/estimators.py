"""One estimator for one group and contrast, as the plan states it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from evaluate.effects.fit import Fit
from evaluate.effects.linear import OF_CLUSTERS, Errors
from evaluate.effects.observational.abadie_imbens import matched_effects
from evaluate.effects.observational.doubt import FEWEST_MATCHED, doubted, reason
from evaluate.effects.observational.entropy_balancing import entropy_balancing
from evaluate.effects.observational.matching import Matches, match
from evaluate.effects.observational.regression import (
    interacted_regression,
    regression_coefficient,
)
from evaluate.effects.observational.sample import Arranged
from evaluate.effects.observational.samples import Samples
from evaluate.effects.observational.weighting import Weighted, effective_size, ipw
from evaluate.errors import DesignError
from evaluate.estimates import Estimates
from evaluate.notes import note
from evaluate.plan.model import Plan

EVEN = {"att": 0.4, "ate": 0.8}  # of the persons, what weights are worth that are rather even


def said(one: Arranged) -> tuple[str, ...]:
    """Return what was done to the persons and covariates that a reader must know."""
    notes = []
    if sum(one.trimmed):
        notes.append(note("trimmed", treated=one.trimmed[0], control=one.trimmed[1]))
    if one.dropped:
        notes.append(note("dropped", names=", ".join(one.dropped)))
    if one.imputed:
        notes.append(note("imputed", n=one.imputed))
    return tuple(notes)


def clipped_note(count: int, clip: float, estimand: str) -> tuple[str, ...]:
    """Say how many propensities are held at a bound."""
    if not count:
        return ()
    bounds = f"{1 - clip:g}" if estimand == "att" else f"{clip:g} - {1 - clip:g}"
    return (note("clipped", n=count, bounds=bounds),)


def regressed(samples: Samples, one: Arranged, y: np.ndarray) -> Fit:
    """Take the coefficient of treatment in a regression on it and the covariates."""
    errors = _errors(samples, one, "regression")
    found = regression_coefficient(y, one.treated, one.x, one.weight, errors=errors)
    return Fit(_placed(one, found, errors), one.rows, said(one))


def interacted(samples: Samples, one: Arranged, y: np.ndarray) -> Fit:
    """Regress with slopes of their own in either arm."""
    errors, estimand = _errors(samples, one, "lin"), samples.plan.analysis.estimand
    found = interacted_regression(
        y, one.treated, one.x, estimand, one.weight, errors=errors, names=one.names
    )
    return Fit(_placed(one, found, errors), one.rows, said(one))


def _errors(samples: Samples, one: Arranged, estimator: str) -> Errors:
    kind = samples.plan.std_error_of(estimator)
    return Errors(kind, one.cluster, one.units if kind in OF_CLUSTERS else 0)


def _placed(one: Arranged, found: Estimates, errors: Errors) -> Estimates:
    """Give every unit of the study a row of scores; of CR errors clusters have theirs."""
    return found if errors.kind in OF_CLUSTERS else one.all_rows(found)


def balanced(samples: Samples, one: Arranged, y: np.ndarray) -> Fit:
    """Weight by entropy balancing; with HC1 the errors take the weights as given."""
    plan = samples.plan
    kind = plan.std_error_of("entropy_balancing")
    given = kind in ("classical", "HC1")
    found = entropy_balancing(
        y,
        one.treated,
        one.x,
        plan.analysis.estimand,
        one.weight,
        one.names,
        "HC3" if given or kind not in ("HC0", "HC2") else kind,
    )
    effects = found.fixed if given else found.effects
    notes = (*said(one), *_worth(plan, found))
    if given:
        notes = (*notes, note("weights_given"))
    worth = _smaller(plan.analysis.estimand, *found.effective)
    why = reason(None, one.treated, plan.analysis.estimand, worth)
    return doubted(Fit(one.all_rows(effects), one.rows, notes), why)


def _worth(plan: Plan, found: Weighted) -> tuple[str, ...]:
    """Say how many persons the weights of each weighted arm are worth."""
    treated, control = (int(size) for size in found.effective)
    if plan.analysis.estimand == "att":
        return (note("worth", n=control),)
    return (note("worth_both", treated=treated, control=control),)


def weighted(samples: Samples, one: Arranged, y: np.ndarray) -> Fit:
    """Weight by the inverse of the propensity.

    Errors count that a logit was estimated. Where weights are uneven these were too small in
    simulations; there they are no less than those that take the propensity as known.
    """
    analysis = samples.plan.analysis
    clip, estimand = analysis.propensity.clip, analysis.estimand
    score, design = samples.score(one)
    bounds = (clip if estimand == "ate" else 0.0, 1 - clip)
    found = ipw(y, one.treated, score, estimand, one.weight, design, bounds)
    notes = (*said(one), *clipped_note(sum(found.clipped), clip, estimand))
    notes = (*notes, *_worth(samples.plan, found))
    effects, worth = found.effects, _smaller(estimand, *found.effective)
    persons = _smaller(estimand, int(one.treated.sum()), int((~one.treated).sum()))
    if design is not None and worth < EVEN[estimand] * persons:
        known = ipw(y, one.treated, score, estimand, one.weight, None, bounds).effects
        more = known.variance > effects.variance
        effects = replace(effects, scores=np.where(more, known.scores, effects.scores))
        notes = (*notes, note("larger_error"))
    why = reason(score, one.treated, estimand, worth, one.weight)
    return doubted(Fit(one.all_rows(effects), one.rows, notes), why)


def _smaller(estimand: str, treated: float, control: float) -> float:
    """Return the smaller of two arms that are weighted: for the ATT that of comparison."""
    return control if estimand == "att" else min(treated, control)


def matched(samples: Samples, one: Arranged, y: np.ndarray) -> Fit:
    """Match nearest neighbours; errors take a propensity as known.

    What Abadie and Imbens (2016) take off for its estimation made intervals too short in
    simulations (`estimated_score`), so that it is left on.
    """
    plan, stated = samples.plan, samples.plan.analysis.matching
    matches = matches_of(samples, one)
    found = matched_effects(y, matches, one.x if stated.bias_correction else None)
    notes = list(said(one))
    if pruned := int(matches.pruned.sum()):
        notes.append(note("pruned", n=pruned))
    rows = one.rows.copy()
    rows[one.rows] = (matches.own > 0) | (matches.used > 0)
    worth = effective_size(matches.used[~one.treated])
    if plan.analysis.estimand == "ate":
        worth = min(worth, effective_size(matches.used[one.treated]))
    known = one.median if len(one.score) else None
    why = reason(known, one.treated, plan.analysis.estimand, worth, one.weight, FEWEST_MATCHED)
    return doubted(Fit(one.all_rows(found), rows, tuple(notes)), why)


def matches_of(samples: Samples, one: Arranged) -> Matches:
    """Match as the plan says; nothing here depends on an outcome."""
    plan, stated = samples.plan, samples.plan.analysis.matching
    x, metric = one.x, str(stated.distance)
    if stated.distance == "propensity":
        x, metric = samples.score(one)[0][:, None], "score"
    return match(
        one.treated,
        x,
        metric,
        plan.analysis.estimand,
        stated.neighbours,
        stated.replace,
        stated.caliper,
        exact=exact_codes(samples, one),
        weight=one.weight,
        shares=stated.weights,
    )


def exact_codes(samples: Samples, one: Arranged) -> np.ndarray | None:
    """Return codes of the columns in which matches must agree, shape (m, e)."""
    codes = []
    for name in samples.plan.analysis.matching.exact:
        if name == "gender" or name == _gender_column(samples.plan):
            women, men = (samples.study.groups.get(g) for g in ("women", "men"))
            if women is None or men is None:
                continue  # one gender
            codes.append((women + 2 * men)[one.rows])
        elif name in samples.study.covariates:
            column = samples.study.covariates[name][one.rows]
            codes.append(pd.factorize(column, use_na_sentinel=False)[0])
        else:
            raise DesignError(
                f"analysis.matching.exact: `{name}` is not among the covariates. Name it there, "
                "or write gender."
            )
    return np.column_stack(codes) if codes else None


def _gender_column(plan: Plan) -> str:
    return str(getattr(plan.columns.gender, "column", ""))
