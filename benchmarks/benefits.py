"""Simulated programmes whose effects differ between persons by a known rule, or for nobody.

Nobody is real. Scores are the product's own, with propensities, folds and outcome regressions as
in a study; predictions are honest, by the learners of the product.
"""

import sys
from collections import defaultdict
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path

import ihdp
import numpy as np
from scipy.special import expit

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from simulate import plan_of, study_from

from evaluate.design.propensity_stage import propensity_stage
from evaluate.heterogeneity import heterogeneity_tests, sorted_groups
from evaluate.heterogeneity.aggregation import combined, judged
from evaluate.heterogeneity.honest import draw_orders, honest_effects
from evaluate.heterogeneity.learners import LEARNERS
from evaluate.heterogeneity.scores import cases_of, scores_of

LEVEL, EFFECT, EFFECT_ON_SHARE, COVARIATES = 0.95, 0.3, 0.15, 5
SPLITS, OTHERS = 10, 5  # of the learner that leads, and of others


@dataclass(frozen=True)
class Design:
    """A programme and how it is looked into.

    Attributes
    ----------
    persons : int
        In the study.
    clusters : int
        That were assigned, with errors in common; 0 where persons were.
    weighted : bool
        Whether persons have weights, from 0.5 to 2.
    outcome : {"normal", "skewed", "works"}
        Normal with deviation 1, lognormal with a deviation that grows with a covariate, or 0
        and 1.
    estimand : {"itt", "att", "ate"}
        Of a lottery, or of persons selected by the covariates.
    treated : float
        Share of persons, or clusters, that the lottery treats.
    spread : float
        Standard deviation of the conditional effects, over the outcome's.
    learner : {"linear", "boosting", "forest"}
        What predicts.
    covariates : int
        Beside gender, that are known; of fewer than five the others are there all the same.
    surface : {"", "A", "B"}
        Hill's, of the children of `ihdp`, in place of all but ``estimand`` and ``learner``.
    """

    persons: int = 500
    clusters: int = 0
    weighted: bool = False
    outcome: str = "normal"
    estimand: str = "itt"
    treated: float = 0.5
    spread: float = 0.0
    learner: str = "linear"
    covariates: int = COVARIATES
    surface: str = ""


DESIGNS = {
    "500 persons": Design(),
    "500 persons, 2 covariates": Design(covariates=2),
    "500 persons, no covariates": Design(covariates=0),
    "2,000 persons": Design(2_000),
    "50 clusters": Design(clusters=50),
    "200 clusters": Design(2_000, clusters=200),
    "weights": Design(weighted=True),
    "weights, 50 clusters": Design(1_000, weighted=True, clusters=50),
    "skewed outcome": Design(outcome="skewed"),
    "skewed outcome, 2,000": Design(2_000, outcome="skewed"),
    "0 or 1": Design(outcome="works"),
    "0 or 1, 2,000": Design(2_000, outcome="works"),
    "a fifth treated": Design(1_000, treated=0.2),
    "a fifth treated, 20 covariates": Design(1_000, treated=0.2, covariates=20),
    "a third of 60 clusters": Design(1_200, clusters=60, treated=0.33),
    "on the treated": Design(1_000, estimand="att"),
    "on all, no lottery": Design(1_000, estimand="ate"),
    "children, surface A": Design(estimand="att", surface="A"),
    "boosted trees": Design(learner="boosting"),
    "forest": Design(learner="forest"),
}
QUICK, SLOW = 4, {"boosting": 1 / 2, "forest": 2.0}  # times as many trials, by `number_of`
SPREAD = {
    "2,000 persons, spread 0.3": Design(2_000, spread=0.3),
    "500 persons, spread 0.3": Design(500, spread=0.3),
    "500 persons, no spread": Design(500),
    "200 clusters, spread 0.3": Design(2_000, clusters=200, spread=0.3),
    "a fifth of 1,000, spread 0.3": Design(1_000, treated=0.2, spread=0.3),
    "weights, spread 0.3": Design(2_000, weighted=True, spread=0.3),
    "0 or 1, spread 0.2": Design(2_000, outcome="works", spread=0.2),
    "on the treated, spread 0.3": Design(2_000, estimand="att", spread=0.3),
    "children, surface B": Design(estimand="att", surface="B"),
    "boosted trees, spread 0.3": Design(2_000, spread=0.3, learner="boosting"),
}


def draw(design, rng):
    """Draw a study; return it, its plan, and every person's true effect."""
    if design.surface:
        y, treated, x, effect = ihdp.redrawn(design.surface, rng)
        known, women = np.delete(x, ihdp.SEX, axis=1), x[:, ihdp.SEX] == 1
        study = study_from(y[:, None], treated.astype(int), women, known)
        return study, planned(design, y, known), effect
    n = design.persons
    x = rng.normal(size=(n, max(COVARIATES, design.covariates)))
    women = rng.random(n) < 0.5
    lean = (x[:, 0] + 0.5 * x[:, 1] + 0.7 * (2 * women - 1)) / np.sqrt(1.74)
    cluster = rng.integers(design.clusters, size=n) if design.clusters else None
    if design.clusters:
        arm = (rng.permutation(design.clusters) < design.treated * design.clusters)[cluster]
    elif design.estimand != "itt":
        arm = rng.random(n) < expit(0.5 * x[:, 0] + 0.3 * x[:, 2])
    else:
        arm = rng.permutation(n) < design.treated * n
    arm = arm.astype(int)
    if design.outcome == "works":
        effect = EFFECT_ON_SHARE + design.spread / 2 * np.clip(lean, -2, 2)
        chance = np.clip(0.4 + 0.08 * x[:, 0] + arm * effect, 0, 1)
        effect = np.clip(0.4 + 0.08 * x[:, 0] + effect, 0, 1) - np.clip(0.4 + 0.08 * x[:, 0], 0, 1)
        y = (rng.random(n) < chance).astype(float)
    else:
        error = rng.normal(size=n)
        if design.outcome == "skewed":
            error = (np.exp(rng.normal(size=n)) - np.exp(0.5)) / 2.16 * np.exp(0.4 * x[:, 0])
        if design.clusters:
            error += rng.normal(0, 0.4, design.clusters)[cluster]
        effect = EFFECT + design.spread * lean
        y = 0.5 * x[:, 0] + 0.3 * women + arm * effect + error
    weight = rng.uniform(0.5, 2, n) if design.weighted else None
    known = x[:, : design.covariates]
    study = study_from(y[:, None], arm, women, known, weight=weight, cluster=cluster)
    return study, planned(design, y, known), effect


def planned(design, y, known):
    """Return the programme file of a study."""
    analysis = {"heterogeneity": {"splits": SPLITS}, "cross_fitting": {"splits": 1}}
    selected = {}
    if design.estimand != "itt":
        selected = {"design": "observational"}
        analysis["estimand"] = design.estimand
    names = [f"x{i}" for i in range(known.shape[1])]
    return plan_of(y[:, None], covariates=names, analysis=analysis, **selected)


def scored(design, rng):
    """Draw a study; return its signals, plan, true effects, and a seed for what follows."""
    study, plan, effect = draw(design, rng)
    seed = int(rng.integers(2**31 - 1))
    if design.estimand != "itt":
        study = replace(study, propensities=propensity_stage(study, plan, seed).propensities)
    (case,) = cases_of(scores_of(study, plan, seed), study, plan)
    return case, plan, effect, seed


def looked_into(design, rng):
    """Draw a study; return its signals, honest predictions, plan and true effects."""
    case, plan, effect, seed = scored(design, rng)
    asked = plan.analysis.heterogeneity
    splits = asked.splits if design.learner == asked.learner else OTHERS
    order = draw_orders(case, asked.folds, splits, rng)
    honest = honest_effects(case, design.learner, LEARNERS[design.learner], order, seed)
    return case, honest, plan, effect[case.rows]


def rejections(name, trials, seed):
    """Return how often each test finds differences at 5 per cent where there are none."""
    design, found = DESIGNS[name], defaultdict(list)
    for case, honest, plan, _ in studies(design, len(name), trials, seed):
        for test, rejected in verdicts(case, honest, plan).items():
            found[test, "all"].append(rejected)
    return {key: float(np.mean(f)) for key, f in found.items()}


def sorted_apart(name, trials, seed):
    """Return how often intervals of sorted groups hold the median of the splits' true effects.

    Also how often each test finds the differences that there are.
    """
    design, found = SPREAD[name], defaultdict(list)
    for case, honest, plan, effect in studies(design, len(name), trials, seed):
        truth = true_effects(case, honest, plan, effect)
        for row in sorted_groups.sorted_rows(plan, case, honest):
            target = truth[row["group"], row["sorted_group"]]
            if np.isfinite(row["estimate"]):
                held = row["conf_low"] <= target <= row["conf_high"]
                found[f"group {row['sorted_group']}", row["group"]].append(held)
        for test, rejected in verdicts(case, honest, plan).items():
            found[f"{test} finds", "all"].append(rejected)
    return {key: float(np.mean(f)) for key, f in found.items()}


def studies(design, place, trials, seed):
    """Yield simulated studies, as `looked_into` returns them."""
    sequences = np.random.SeedSequence([seed, place, 3]).spawn(number_of(design, trials))
    for sequence in sequences:
        yield looked_into(design, np.random.default_rng(sequence))


def number_of(design, trials):
    """Return how many studies are drawn: more of lotteries of few, fewer where trees learn."""
    if design.learner in SLOW:
        return int(trials * SLOW[design.learner])
    quick = design.persons < 1_000 and design.estimand == "itt"
    return trials * (QUICK if quick else 1)


def verdicts(case, honest, plan):
    """Return whether each test finds differences at 5 per cent."""
    judged_by = heterogeneity_tests.judge(case, honest, plan.analysis.heterogeneity.groups)
    return {test: combined(z).p_value <= 1 - LEVEL for test, z in judged_by.z.items()}


def true_effects(case, honest, plan, effect):
    """Return the median over splits of the true effects in each sorted group."""
    groups = plan.analysis.heterogeneity.groups
    genders = {"all": np.ones(case.m, dtype=bool), **case.groups}
    mass = case.weight * case.share
    truth = defaultdict(list)
    for _, folds in groupby(judged(honest), key=lambda f: f.split):
        label = np.full(case.m, -1)
        for fold in folds:
            label[fold.rows] = sorted_groups.sorted_label(case, fold, groups)
        for gender in ("all", "women", "men"):
            one = [
                mass[among] @ effect[among] / max(mass[among].sum(), 1e-9)
                for among in (genders[gender] & (label == g) for g in range(groups))
            ]
            one.append(one[0] - one[-1])
            truth[gender].append(one)
    truth["women-men"] = np.array(truth["women"]) - np.array(truth["men"])
    names = [*map(str, range(1, groups + 1)), "top-bottom"]
    return {
        (gender, name): value
        for gender, values in truth.items()
        for name, value in zip(names, np.median(values, axis=0), strict=True)
    }
