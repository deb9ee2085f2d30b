"""Simulated persons who were selected for treatment, with known effects for women and men.

Nobody is real. Two outcomes: earnings, and works, which is 0 or 1. The effect on earnings is 1
for men and 2 for women, and grows with a covariate that also selects, so that the effects on the
treated and on all differ. Truths are those of the population, from two million persons.
"""

import sys
from collections import defaultdict
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np
from scipy.special import expit

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from simulate import plan_of, study_from

from evaluate.design.propensity_stage import propensity_stage
from evaluate.effects.batches import batches
from evaluate.effects.groups import estimands
from evaluate.effects.sensitivity.refute import (
    Sample,
    data_subset,
    placebo_outcome,
    placebo_treatment,
    random_common_cause,
)

PERSONS, POPULATION, LEVEL = 1_000, 2_000_000, 0.95
ENOUGH = 0.1  # of the trials, that must give an interval for its coverage to be told
SLOW = 5  # trees take so long that only every fifth trial has them
OUTCOMES = ("earnings", "works")
COVARIATES = ("ability", "age", "schooling")
WEIGHTED = ["aipw", "matching", "entropy_balancing", "ipw"]
ALL = [*WEIGHTED, "lin", "regression", "difference_in_means"]
REFUTERS = (random_common_cause, placebo_treatment, data_subset, placebo_outcome)


@dataclass(frozen=True)
class Design:
    """What selects, and how it is analysed.

    Attributes
    ----------
    strength : float
        Of selection: the log odds of treatment have this standard deviation, about.
    estimand : {"att", "ate"}
        For the treated, or for all.
    estimators : list of str
        In the order of the plan.
    hidden : float
        What the standard deviation of a factor that nobody measured adds to the log odds, and
        to earnings.
    bent : float
        How much both selection and outcomes turn on the square of a covariate.
    clusters : int
        Of persons who share part of their outcomes and of their log odds; 0 for none.
    trees : bool
        Whether boosted trees may be chosen, instead of logits and linear regressions.
    matching : dict
        The section of the plan.
    trim : str
        The plan's rule.
    """

    strength: float
    estimand: str = "att"
    estimators: tuple[str, ...] = tuple(ALL)
    hidden: float = 0.0
    bent: float = 0.0
    clusters: int = 0
    trees: bool = False
    matching: tuple[tuple[str, object], ...] = ()
    trim: str = "none"


NEAREST = (("distance", "mahalanobis"),)
DESIGNS = {
    "good overlap, att": Design(0.5),
    "moderate overlap, att": Design(1.0),
    "poor overlap, att": Design(1.75),
    "hardly any overlap, att": Design(2.5),
    "good overlap, ate": Design(0.5, "ate"),
    "moderate overlap, ate": Design(1.0, "ate"),
    "poor overlap, ate": Design(1.75, "ate"),
    "moderate, matching by Mahalanobis, att": Design(
        1.0, estimators=("matching",), matching=NEAREST
    ),
    "moderate, matching by Mahalanobis, ate": Design(
        1.0, "ate", estimators=("matching",), matching=NEAREST
    ),
    "moderate, 60 clusters, att": Design(1.0, estimators=tuple(WEIGHTED), clusters=60),
    "moderate, a confounder left out, att": Design(1.0, hidden=0.7),
    "moderate, bent, straight models, att": Design(1.0, bent=0.5),
    "moderate, bent, trees, att": Design(1.0, estimators=("aipw", "ipw"), bent=0.5, trees=True),
}


def persons(rng, n, design):
    """Draw covariates, gender, log odds, the levels and effects of both outcomes, clusters."""
    x = np.column_stack([rng.normal(size=(n, 2)), rng.random(n) < 0.4])
    women = rng.random(n) < 0.5
    cluster = rng.integers(0, design.clusters, n) if design.clusters else None
    hidden = design.hidden * rng.normal(size=n)
    selects, common = np.zeros((2, n))
    if design.clusters:  # no confounder: what selects says nothing of the outcomes
        selects, common = 0.5 * rng.normal(size=(2, design.clusters))[:, cluster]
    square = design.bent * (x[:, 0] ** 2 - 1)
    index = (x @ [0.8, -0.5, 0.5] + 0.3 * women - 0.35) / 1.03
    odds = design.strength * index + square + hidden + selects - 0.8
    level = x @ [1.0, -0.5, 0.5] + 0.5 * women + square + hidden + common
    gain = 1.0 + women + 0.5 * x[:, 0]
    return x, women, odds, level, gain, cluster


def outcomes(rng, treated, level, gain):
    """Draw earnings and works, shape (n, 2)."""
    earnings = level + gain * treated + rng.normal(size=len(level))
    works = rng.random(len(level)) < chance(level, gain, treated)
    return np.column_stack([earnings, works])


def chance(level, gain, treated):
    """Return the probability of working."""
    return expit(0.7 * (level - 0.5) + 0.4 * gain * treated)


def drawn(rng, design, n=PERSONS):
    """Draw a study and its plan, with propensities."""
    x, women, odds, level, gain, cluster = persons(rng, n, design)
    treated = rng.random(n) < expit(odds)
    y = outcomes(rng, treated, level, gain)
    study = study_from(y, treated.astype(int), women, x, cluster=cluster)
    study.covariates.columns = list(COVARIATES)
    straight = {} if design.trees else {"model": "logit"}
    learner = "selected" if design.trees else "linear"
    plan = plan_of(
        y,
        design="observational",
        columns={"cluster": "c"} if design.clusters else {},
        covariates=list(COVARIATES),
        outcomes={name: {"column": name, "unit": "points", "role": "primary"} for name in OUTCOMES},
        analysis={
            "estimators": list(design.estimators),
            "estimand": design.estimand,
            "propensity": {"trim": design.trim, **straight},
            "cross_fitting": {"splits": 1, "learner": learner},
            "matching": dict(design.matching),
        },
    )
    seed = int(rng.integers(2**31))
    return replace(study, propensities=propensity_stage(study, plan, seed).propensities), plan


@cache
def truth(design):
    """Return what each estimator estimates in the population, by group and outcome.

    By estimand: the plan's, and the coefficient of a linear regression.
    """
    rng = np.random.default_rng(1)
    many = replace(design, clusters=POPULATION if design.clusters else 0)
    x, women, odds, level, gain, _ = persons(rng, POPULATION, many)
    p = expit(odds)
    treated = rng.random(POPULATION) < p
    effect = np.column_stack([gain, chance(level, gain, 1) - chance(level, gain, 0)])
    mass = p if design.estimand == "att" else np.ones(POPULATION)
    found = {}
    for group, rows in {"all": slice(None), "women": women, "men": ~women}.items():
        found[design.estimand, group] = mass[rows] @ effect[rows] / mass[rows].sum()
        columns = [np.ones(POPULATION), treated, x, women] if group == "all" else None
        z = np.column_stack(columns or [np.ones(POPULATION), treated, x])[rows]
        mean = np.column_stack([level + gain * treated, chance(level, gain, treated)])[rows]
        found["regression_coefficient", group] = np.linalg.solve(z.T @ z, z.T @ mean)[1]
    for estimand in (design.estimand, "regression_coefficient"):
        found[estimand, "women-men"] = found[estimand, "women"] - found[estimand, "men"]
    return found


def coverage(name, trials, seed):
    """Return, by estimator, outcome and group, how often the interval held the truth.

    Of the intervals that are given: where more than one in a hundred of those an effect is about
    have no like, the product gives none. How often it gives one is in rows of its own.
    """
    design = DESIGNS[name]
    hits, given = defaultdict(list), defaultdict(list)
    right = truth(design)
    trials = max(trials // (SLOW if design.trees else 1), 1)
    for sequence in np.random.SeedSequence([seed, *name.encode()]).spawn(trials):
        study, plan = drawn(np.random.default_rng(sequence), design)
        for batch in batches(study, plan):
            for one in estimands(study, plan, batch):
                effects, of = one.fit.effects, one.estimator
                known = effects is not None and bool(np.isfinite(effects.std_error).all())
                given[f"{of}, interval given", one.group].append(known)
                if effects is None or not known:
                    continue
                held = effects.covers(right[one.estimand, one.group], LEVEL)
                for column, hit in zip(batch.columns, held, strict=True):
                    hits[f"{of} {OUTCOMES[column]}", one.group].append(hit)
    found = {key: float(np.mean(h)) for key, h in hits.items() if len(h) >= ENOUGH * trials}
    scarce = {what for (what, _), g in given.items() if not all(g)}
    found |= {key: float(np.mean(g)) for key, g in given.items() if key[0] in scarce}
    rows = [f"{e}{tail}" for e in ALL for tail in (" earnings", " works", ", interval given")]
    return {key: found[key] for key in sorted(found, key=lambda key: rows.index(key[0]))}


REFUTED = {
    "all confounders measured": Design(1.0),
    "a confounder left out": Design(1.0, hidden=0.7),
}


def alarms(name, trials, seed, draws=199):
    """Return how often refuters of a regression reject at 5 per cent, by refuter and outcome."""
    design, cried = REFUTED[name], defaultdict(list)
    for sequence in np.random.SeedSequence([seed, *name.encode()]).spawn(trials):
        rng = np.random.default_rng(sequence)
        x, women, odds, level, gain, _ = persons(rng, 400, design)
        treated = rng.random(len(odds)) < expit(odds)
        y = outcomes(rng, treated, level, gain)
        sample = Sample(y, treated, np.column_stack([x, women]))
        for refuter in REFUTERS:
            found = refuter(sample, draws, int(rng.integers(2**31)))
            for outcome, p in zip(OUTCOMES, found.p_value, strict=True):
                cried[f"{found.refuter} {outcome}", "all"].append(p <= 1 - LEVEL)
    return {key: float(np.mean(c)) for key, c in cried.items()}
