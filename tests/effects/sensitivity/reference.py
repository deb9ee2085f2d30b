"""What the tests of this folder share: the trial's persons, and R's and DoubleML's numbers."""

from pathlib import Path

import numpy as np
import pandas as pd

REFERENCE = Path(__file__).parents[2] / "reference"
TRIAL = pd.read_csv(REFERENCE / "trial.csv")
SOURCES = ["age", "educ", "earn0", "site", "site"]
GROUPS = ("all", "women", "men")


def table(name):
    return pd.read_csv(REFERENCE / f"{name}.csv").set_index(["case", "term"])["value"]


def persons(group="all"):
    """Return the rows of arms 0 and 1 of a group, as sensitivity.R has them."""
    d = TRIAL[(TRIAL["arm"] < 2) & TRIAL["earn"].notna() & TRIAL["work"].notna()]
    return d if group == "all" else d[d["sex"] == {"women": "F", "men": "M"}[group]]


def arrays(d):
    """Return outcomes earn and work, who was treated, covariates and weights."""
    x = np.column_stack([d[["age", "educ", "earn0"]], d["site"] == 2, d["site"] == 3])
    return d[["earn", "work"]].to_numpy(float), d["arm"].to_numpy() == 1, x, d["w"].to_numpy()


def pairs():
    """Return differences of earn, work and earlier earnings, in the order of the file."""
    d = persons()
    treated, control = d[d["arm"] == 1], d[d["arm"] == 0]
    n = min(len(treated), len(control))
    columns = ["earn", "work", "earn0"]
    found = treated[columns].to_numpy(float)[:n] - control[columns].to_numpy(float)[:n]
    found[:, 2] = 10 * np.round((found[:, 2] + 60) / 10)
    return found


def observational(seed, n=400, k=2, p=3, effect=1.0):
    """Draw persons who select themselves by their covariates."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, p))
    treated = rng.random(n) < 1 / (1 + np.exp(-x.sum(axis=1) / 2))
    noise = rng.normal(size=(n, k))
    y = effect * treated[:, None] + x.sum(axis=1, keepdims=True) + noise
    return y, treated, x
