"""Doubly robust effects beside DoubleML's, on the same folds, with the same learners.

    OMP_NUM_THREADS=1 python benchmarks/aipw.py            beside DoubleML, n = 100,000 x 20
    OMP_NUM_THREADS=1 python benchmarks/aipw.py --large    n = 1,000,000 x 20

All, women, men and gap. DoubleML is compared with where it is installed; the project does not
need it. The time is the processor's.
"""

import importlib
import importlib.util
import resource
import sys
import time

import numpy as np
import pandas as pd
from scipy.special import expit

from evaluate.effects.observational.aipw import aipw
from evaluate.effects.observational.folds import draw_folds
from evaluate.effects.observational.nuisance import Boosting, cross_fit

PERSONS, LARGE, COVARIATES, FOLDS = 100_000, 1_000_000, 20, 5
TREES = Boosting()


def draw(rng, n):
    """Draw earnings, a 0/1 outcome, treatment, covariates and gender."""
    x = rng.normal(size=(n, COVARIATES))
    women = rng.random(n) < 0.5
    treated = rng.random(n) < expit(x[:, :4] @ [0.5, -0.4, 0.3, 0.2] - 0.8)
    level = x[:, :5].sum(axis=1) + 0.3 * x[:, 0] ** 2
    earnings = level + treated * (1 + women) + rng.normal(size=n)
    works = rng.random(n) < expit(0.5 * level + 0.4 * treated)
    return np.column_stack([earnings, works]), treated, x, women


def ours(y, treated, x, women, fold, estimand, learner):
    """Return all, women, men and gap, each with its error."""

    def propensity(split):
        return cross_fit(treated[:, None] * 1.0, x, split, "logistic")[:, 0]

    groups = [np.ones(len(y), dtype=bool), women, ~women]
    found = aipw(y, treated, x, fold[None], propensity, estimand, groups, learner).effects
    return [(e.value[0], e.std_error[0]) for e in (*found, found[1] - found[2])]


def doubleml_irm(y, treated, x, women, fold, estimand, learner):
    """Return the same from DoubleML: its gates for the ATE, a fit per group for the ATT."""
    import doubleml
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
    from sklearn.linear_model import LinearRegression, LogisticRegression

    two = bool(((y == 0) | (y == 1)).all())
    trees = HistGradientBoostingClassifier if two else HistGradientBoostingRegressor
    boosting = trees(
        max_iter=TREES.trees,
        learning_rate=TREES.rate,
        max_leaf_nodes=TREES.leaves,
        min_samples_leaf=TREES.smallest,
        early_stopping=False,
        random_state=0,
    )
    logistic = LogisticRegression(C=np.inf, solver="newton-cholesky", tol=1e-10, max_iter=500)
    plain = logistic if two else LinearRegression()
    data = doubleml.DoubleMLData.from_arrays(x, y[:, 0], treated * 1.0)
    everyone = np.arange(len(y))
    splits = [(everyone[fold != f], everyone[fold == f]) for f in range(FOLDS)]

    def fitted(**settings):
        model = doubleml.DoubleMLIRM(
            data,
            boosting if learner == "boosting" else plain,
            logistic,
            n_folds=FOLDS,
            score="ATE" if estimand == "ate" else "ATTE",
            draw_sample_splitting=False,
            **settings,
        )
        model.set_sample_splitting([splits])
        return model

    model = fitted().fit()
    found = [(model.coef[0], model.se[0])]
    if estimand == "ate":
        gate = model.gate(pd.DataFrame({"women": women, "men": ~women}))
        found += list(zip(gate.coef, gate.se, strict=True))
    else:  # its predictions serve the groups, too
        external = {
            "d": {f"ml_{m}": model.predictions[f"ml_{m}"][:, :, 0] for m in ("g0", "g1", "m")}
        }
        for group in (women, ~women):
            part = fitted(weights=group * 1.0).fit(external_predictions=external)
            found.append((part.coef[0], part.se[0]))
    gap = found[1][0] - found[2][0]
    return [*found, (gap, np.hypot(found[1][1], found[2][1]))]


def timed(call, *arguments):
    """Return the processor's time of a call, and what it returns."""
    start = time.process_time()
    found = call(*arguments)
    return time.process_time() - start, np.array(found)


def beside():
    """Print the time of each job, its peer's, and the largest difference of the two."""
    rng = np.random.default_rng(1)
    y, treated, x, women = draw(rng, PERSONS)
    fold = draw_folds(treated, FOLDS, 1, rng)[0]
    peer = importlib.util.find_spec("doubleml") is not None
    if peer:
        importlib.import_module("doubleml")  # not counted
    for estimand in ("ate", "att"):
        for column, learner in ((0, "linear"), (1, "logistic"), (0, "boosting"), (1, "boosting")):
            job = (y[:, [column]], treated, x, women, fold, estimand, learner)
            seconds, mine = timed(ours, *job)
            line = f"{estimand} {('earnings', 'works')[column]:<9}{learner:<9}{seconds:7.2f} s"
            if peer:
                theirs, other = timed(doubleml_irm, *job)
                apart = np.abs(mine / other - 1).max()
                line += f"   DoubleML {theirs:7.2f} s, {theirs / seconds:5.1f} x"
                line += f"   differ by {apart:.0e}"
            print(line, flush=True)


def large():
    """Print time and peak memory of a million persons, both outcomes at once."""
    rng = np.random.default_rng(1)
    y, treated, x, women = draw(rng, LARGE)
    fold = draw_folds(treated, FOLDS, 1, rng)[0]
    for estimand in ("ate", "att"):
        seconds, _ = timed(ours, y, treated, x, women, fold, estimand, "logistic")
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
        print(f"{estimand} {LARGE:,} x {COVARIATES}, two outcomes {seconds:6.1f} s {peak:5.2f} GB")


if __name__ == "__main__":
    large() if "--large" in sys.argv else beside()
