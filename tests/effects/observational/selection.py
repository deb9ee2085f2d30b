"""Persons who were selected for treatment by their covariates: drawn, and the references' own."""

from pathlib import Path

import numpy as np
import pandas as pd

REFERENCE = Path(__file__).parents[2] / "reference"
COVARIATES = ["age", "educ", "earn0", "female"]
PUBLISHED = ["age", "educ", "black", "hisp", "marr", "nodegree", "re74", "re75", "u74", "u75"]


def expit(eta):
    return 1 / (1 + np.exp(-eta))


def drawn(rng, n=300, strength=0.7, outcomes=1):
    """Draw outcomes, treatment and two covariates; effects grow with the first of them."""
    x = rng.normal(size=(n, 2))
    treated = rng.random(n) < expit(strength * x.sum(axis=1) / np.sqrt(2) - 0.5)
    y = x @ [1.0, 1.0] + treated * (1 + 0.5 * x[:, 0]) + rng.normal(size=(outcomes, n))
    return y.T.copy(), treated, x


def truth(estimand, strength=0.7):
    """Return the effect in the population that `drawn` draws from."""
    at, mass = np.polynomial.hermite_e.hermegauss(81)
    p = expit(strength * at - 0.5) if estimand == "att" else np.ones(81)
    return float((mass * p) @ (1 + 0.5 * at / np.sqrt(2)) / (mass @ p))


def fitted_logit(treated, x, weight=None):
    """Fit a logit by Newton's method; return its columns and the fitted probabilities."""
    w = np.ones(len(x)) if weight is None else weight
    design = np.column_stack([np.ones(len(x)), x])
    beta = np.zeros(design.shape[1])
    for _ in range(60):
        p = expit(design @ beta)
        curvature = (design * (w * p * (1 - p))[:, None]).T @ design
        beta = beta + np.linalg.solve(curvature, design.T @ (w * (treated - p)))
    return design, expit(design @ beta)


def attended(outcome):
    """Return outcome, treatment, covariates and weights that the R scripts read."""
    d = pd.read_csv(REFERENCE / "trial.csv")
    d = d[~((d["attended"] == 1) & (d["age"] < 35) & (d["id"] % 3 > 0)) & d[outcome].notna()]
    d = d.assign(female=d["sex"] == "F")
    x = d[COVARIATES].to_numpy(dtype=float)
    y = d[outcome].to_numpy(dtype=float)[:, None]
    return y, (d["attended"] == 1).to_numpy(), x, d["w"].to_numpy()


def trained_and_surveyed():
    """Return the 185 trained men of the experiment and the survey's men, with covariates."""
    from causaldata import cps_mixtape, nsw_mixtape

    trained = nsw_mixtape.load_pandas().data.query("treat == 1")
    d = pd.concat([trained, cps_mixtape.load_pandas().data], ignore_index=True)
    d = d.assign(u74=d["re74"] == 0, u75=d["re75"] == 0)
    return d, (d["treat"] == 1).to_numpy()


def columns(d, names):
    return d[names].to_numpy(dtype=float)
