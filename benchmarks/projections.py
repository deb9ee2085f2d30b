"""How often intervals of group averages and of best linear projections hold the truth."""

from collections import defaultdict

import numpy as np
from benefits import EFFECT, EFFECT_ON_SHARE, Design, number_of, scored
from scipy.special import expit

from evaluate.heterogeneity.projection_rows import conditional_rows

LEVEL = 0.95
DESIGNS = {
    "400 persons, no spread": Design(400),
    "400 persons, spread 0.3": Design(400, spread=0.3),
    "weights, spread 0.3": Design(1_000, weighted=True, spread=0.3),
    "skewed outcome, spread 0.3": Design(1_000, outcome="skewed", spread=0.3),
    "40 clusters, spread 0.3": Design(800, clusters=40, spread=0.3),
    "a fifth treated": Design(400, treated=0.2),
    "a fifth treated, 15 covariates": Design(1_000, treated=0.2, covariates=15),
    "a fifth treated, spread 0.3": Design(1_000, treated=0.2, spread=0.3),
    "a third of 60 clusters": Design(1_200, clusters=60, treated=0.33),
    "weights": Design(400, weighted=True),
    "0 or 1, a third treated": Design(400, outcome="works", treated=0.33),
    "on the treated": Design(600, estimand="att"),
    "on the treated, spread 0.3": Design(1_000, estimand="att", spread=0.3),
    "on all, no lottery": Design(600, estimand="ate"),
    "on all, no lottery, spread 0.3": Design(1_000, estimand="ate", spread=0.3),
}
NAMES = {"x0": 1.0, "x1": 0.5, "x2": 0.0, "men": -1.4}  # slopes, over spread / sqrt(1.74)


def population(design):
    """Return the true average effects in the population that studies are drawn from."""
    x, z = np.random.default_rng(1).normal(size=(2, 2_000_000))
    share = expit(0.5 * x + 0.3 * z) if design.estimand == "att" else np.ones_like(x)
    lean = np.array([0.0, 0.7, -0.7]) + share @ x / share.sum()  # all, women, men
    middle = EFFECT_ON_SHARE if design.outcome == "works" else EFFECT
    of_all, women, men = middle + design.spread * lean / np.sqrt(1.74)
    return {"all": of_all, "women": women, "men": men, "women-men": women - men}


def coverage(name, trials, seed):
    """Return how often each interval held the truth, and how often the joint test finds slopes."""
    design, held = DESIGNS[name], defaultdict(list)
    truth = population(design)
    for sequence in np.random.SeedSequence([seed, len(name), 5]).spawn(number_of(design, trials)):
        case, plan, *_ = scored(design, np.random.default_rng(sequence))
        for row in conditional_rows(plan, case):
            group, kind = row["group"], row["kind"]
            if kind == "average" and group in truth:
                held["average", group].append(row["conf_low"] <= truth[group] <= row["conf_high"])
            elif kind == "projection" and row["term"] in NAMES and np.isfinite(row["estimate"]):
                slope = 0.0 if group == "women-men" else NAMES[row["term"]] * design.spread
                inside = row["conf_low"] <= slope / np.sqrt(1.74) <= row["conf_high"]
                held[f"slope of {row['term']}", group].append(inside)
            elif kind == "joint" and group == "all" and not row["term"] and not design.spread:
                held["test of all slopes", group].append(row["p_value"] <= 1 - LEVEL)
    return {key: float(np.mean(h)) for key, h in held.items()}
