"""Scores of women and men with unlike covariates, whose gap is known; no person is real."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from evaluate.covariates import Covariates
from evaluate.heterogeneity.signals import Signals

REFERENCE = Path(__file__).parents[1] / "reference"
SOURCES = ("age", "education", "education", "children")
NAMES = ("age", "education=b", "education=c", "children")


def case_of(
    signal: np.ndarray,
    women: np.ndarray,
    share: np.ndarray | None = None,
    weight: np.ndarray | None = None,
    cluster: np.ndarray | None = None,
    **fields: object,
) -> Signals:
    """Return scores of persons as they are, treated in turn."""
    n = len(signal)
    plain: dict[str, object] = {
        "outcome": "y0",
        "month": None,
        "unit": "SEK",
        "arm": "1",
        "estimand": "itt",
        "rows": np.ones(n, dtype=bool),
        "treated": np.arange(n) % 2 == 0 if share is None or share.all() else share > 0,
        "y": signal,
        "signal": signal,
        "share": np.ones(n) if share is None else share,
        "correction": np.zeros(n),
        "inverse_weight": np.zeros(n),
        "outcome_residual": signal,
        "treatment_residual": signal,
        "weight": np.ones(n) if weight is None else weight,
        "x": np.empty((n, 0)),
        "names": (),
        "sources": (),
        "groups": {"all": np.ones(n, dtype=bool), "women": women, "men": ~women},
        "cluster": cluster,
        "units": 0 if cluster is None else int(cluster.max()) + 1,
    }
    return Signals(**(plain | fields))  # type: ignore[arg-type]


def columns_of_values(z: np.ndarray) -> Covariates:
    """Name four columns: a number, a factor of three levels, an indicator."""
    return Covariates(z, NAMES, SOURCES)


def unlike(
    seed: int,
    n: int = 400,
    kind: str = "mixed",
    treated_only: bool = False,
    weighted: bool = False,
    clusters: int = 0,
) -> tuple[Signals, Covariates]:
    """Draw women and men who differ in age and education, on which effects depend.

    The gap in effects is wholly by composition, wholly of the effect (with the same composition),
    or mixed.
    """
    rng = np.random.default_rng(seed)
    age, child, u = rng.normal(size=n), rng.random(n) < 0.4, rng.random(n)
    alike = kind == "effect"
    women = rng.random(n) < 1 / (1 + np.exp(-(0.0 if alike else 0.7) * age))
    edges = np.where((women | alike)[:, None], [0.3, 0.6], [0.5, 0.8])
    level = (u[:, None] > edges).sum(axis=1)
    z = np.column_stack([age, level == 1, level == 2, child]).astype(float)
    effect = 0.5 + 0.6 * age + 0.4 * z[:, 2]
    if kind != "composition":
        effect = effect + women * 0.5
    if kind == "mixed":
        effect = effect + women * (0.3 * z[:, 1] - 0.4 * age)
    cluster = rng.integers(clusters, size=n) if clusters else None
    error = rng.normal(size=n) * (1 + 0.5 * (age > 0))
    if cluster is not None:
        error += rng.normal(0, 0.5, clusters)[cluster]
    weight = np.exp(0.4 * rng.normal(size=n)) if weighted else np.ones(n)
    treated = rng.random(n) < 0.5
    if treated_only:
        signal = np.where(treated, effect + error, -error)
        share = treated.astype(float)
    else:
        signal, share = effect + np.where(treated, 2, -2) * error, np.ones(n)
    case = case_of(signal, women, share, weight, cluster, treated=treated)
    return case, columns_of_values(z)


def truth(kind: str, seed: int = 1) -> tuple[float, float]:
    """Return the gap, and what remains of it at the same composition, of a million persons."""
    case, columns = unlike(seed, 1_000_000, kind)
    age, b, c, _ = columns.values.T
    women = case.groups["women"]
    more = {"composition": 0 * age, "effect": 0 * age + 0.5, "mixed": 0.5 + 0.3 * b - 0.4 * age}
    effect = 0.5 + 0.6 * age + 0.4 * c + women * more[kind]
    return float(effect[women].mean() - effect[~women].mean()), float(more[kind].mean())


def from_trial(about: str, weighted: bool, clustered: bool) -> tuple[Signals, Covariates]:
    """Return the scores of ``gap_decomposition.R``."""
    trial = pd.read_csv(REFERENCE / "trial.csv")
    trial = trial[(trial["arm"] < 2) & trial["earn"].notna()]
    z, earn = trial["arm"].to_numpy(dtype=float), trial["earn"].to_numpy(dtype=float)
    share = np.ones(len(z)) if about == "all" else z
    signal = 2 * (2 * z - 1) * earn if about == "all" else z * earn - (1 - z) * 0.8 * earn
    levels = [(trial["educ"] == level).to_numpy(dtype=float) for level in (2, 3, 4)]
    x = np.column_stack([trial["age"], *levels, trial["earn0"]])
    names = ("age", "factor(educ)2", "factor(educ)3", "factor(educ)4", "earn0")
    cluster = pd.factorize(trial["site"])[0] if clustered else None
    women = (trial["sex"] == "F").to_numpy()
    weight = trial["w"].to_numpy(dtype=float) if weighted else None
    case = case_of(signal, women, share, weight, cluster, treated=z > 0)
    return case, Covariates(x, names, ("age", "educ", "educ", "educ", "earn0"))
