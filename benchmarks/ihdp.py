"""Hill's response surfaces on the children of the Infant Health and Development Program.

    OMP_NUM_THREADS=1 python benchmarks/ihdp.py

The covariates and who was treated are real, the outcomes simulated, so that the effect is known;
both come with econml. Children of mothers who are not white are taken from the treated, which
leaves 139 of them beside 608. Surface A is linear with a constant effect of 4; surface B is
exponential without treatment and linear with it, with an average effect of 4 on the treated.

Hill (2011), Bayesian nonparametric modeling for causal inference, Journal of Computational and
Graphical Statistics 20(1).
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
import pandas as pd

from evaluate.design.propensity import propensity
from evaluate.effects.observational.abadie_imbens import matched_effects
from evaluate.effects.observational.aipw import aipw
from evaluate.effects.observational.entropy_balancing import entropy_balancing
from evaluate.effects.observational.matching import match
from evaluate.effects.observational.regression import (
    interacted_regression,
    regression_coefficient,
)
from evaluate.effects.observational.weighting import ipw, weighted_difference

SURFACES = ("A", "B")
SEED, FOLDS = 20200618, 5
HELD = (0.03, 0.97)  # probabilities of treatment that are drawn by
SEX = 6  # column of the covariates
BOOSTED = 100  # draws, at most, whose outcomes are learnt by trees: a third of a second each


@dataclass(frozen=True)
class Draws:
    """Draws of one surface: the persons are the same, the outcomes are columns.

    Attributes
    ----------
    y : ndarray, shape (n, draws)
        Outcomes.
    treated : ndarray of bool, shape (n,)
        Who was treated.
    x : ndarray, shape (n, 25)
        Covariates.
    truth : dict of str to ndarray, shape (draws,)
        Average effect on the treated (att) and on all (ate).
    """

    y: np.ndarray
    treated: np.ndarray
    x: np.ndarray
    truth: dict[str, np.ndarray]


def draw(surface, draws, seed=SEED):
    """Draw outcomes of a surface."""
    from econml.data.dgps import ihdp_surface_A, ihdp_surface_B

    of = {"A": ihdp_surface_A, "B": ihdp_surface_B}[surface]
    states = np.random.SeedSequence([seed, SURFACES.index(surface)]).generate_state(draws)
    y, treated, x, effect = zip(*(of(int(state)) for state in states), strict=True)
    arm, effects = treated[0] == 1, np.column_stack(effect)
    truth = {"att": effects[arm].mean(axis=0), "ate": effects.mean(axis=0)}
    return Draws(np.column_stack(y), arm, x[0][:, 1:], truth)  # the first column is constant


@cache
def chances():
    """Return every child's probability of treatment, by a penalised logistic regression."""
    from econml.data.dgps import ihdp_surface_A
    from sklearn.linear_model import LogisticRegression

    _, treated, x, _ = ihdp_surface_A(0)
    z = (x[:, 1:] - x[:, 1:].mean(axis=0)) / x[:, 1:].std(axis=0)
    fitted = LogisticRegression(max_iter=500).fit(z, treated)
    return np.clip(fitted.predict_proba(z)[:, 1], *HELD)


def redrawn(surface, rng):
    """Draw outcomes and who is treated, so that draws are independent studies of these children.

    Returns
    -------
    y : ndarray, shape (n,)
        Outcomes.
    treated : ndarray of bool, shape (n,)
        Drawn by `chances`.
    x : ndarray, shape (n, 25)
        Covariates.
    effect : ndarray, shape (n,)
        Of every child.
    """
    from econml.data.dgps import ihdp_surface_A, ihdp_surface_B

    of = {"A": ihdp_surface_A, "B": ihdp_surface_B}[surface]
    y, was, x, effect = of(int(rng.integers(2**31 - 1)))
    treated = rng.random(len(y)) < chances()
    return y + effect * (treated.astype(int) - was), treated, x[:, 1:], effect


def estimates(data, estimand, boosted=BOOSTED, seed=SEED):
    """Return each estimator's estimates of all draws; by trees of the first ones only."""
    y, treated, x = data.y, data.treated, data.x
    frame = pd.DataFrame(x, columns=[f"x{i}" for i in range(x.shape[1])])
    fitted = propensity(frame, treated, "logit", folds=FOLDS, seed=seed)
    fold, score = fitted.fold.T, fitted.score.T
    (logit,) = fitted.logits
    matches = match(treated, x, "mahalanobis", estimand)
    found = {
        "aipw linear": aipw(y, treated, x, fold, score, estimand).effects[0],
        "ipw": ipw(y, treated, logit.score, estimand, logit=logit.design).effects,
        "entropy_balancing": entropy_balancing(y, treated, x, estimand).effects,
        "matching": matched_effects(y, matches, adjust=x),
        "lin": interacted_regression(y, treated, x, estimand),
        "regression": regression_coefficient(y, treated, x),
        "difference_in_means": weighted_difference(y, treated, np.ones(len(treated))),
    }
    if boosted:
        first = y[:, :boosted]
        trees = aipw(first, treated, x, fold, score, estimand, learner="boosting", seed=seed)
        found["aipw boosting"] = trees.effects[0]
    return found


def judged(data, estimand, found, level=0.95):
    """Return mean error, its root mean square, mean standard error and coverage."""
    truth = data.truth[estimand][: len(found.value)]
    error = found.value - truth
    held = found.covers(truth, level)
    return {
        "bias": error.mean(),
        "rmse": np.sqrt((error**2).mean()),
        "error": found.std_error.mean(),
        "held": held.mean(),
    }


def coverage(name, trials):
    """Return the measures by estimator, for a page of validation: ``surface B, att``."""
    surface, estimand = name.removeprefix("surface ").split(", ")
    data = draw(surface, trials)
    return {
        (estimator, measure): float(value)
        for estimator, found in estimates(data, estimand).items()
        for measure, value in judged(data, estimand, found).items()
    }


def main():
    """Print the measures of 100 draws."""
    for surface in SURFACES:
        for estimand in ("att", "ate"):
            data = draw(surface, 100)
            for name, found in estimates(data, estimand).items():
                said = "  ".join(f"{k} {v:6.3f}" for k, v in judged(data, estimand, found).items())
                print(f"{surface} {estimand} {name:<20}{said}", flush=True)


if __name__ == "__main__":
    main()
