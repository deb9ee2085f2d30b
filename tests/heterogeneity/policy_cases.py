"""The persons on whom R values rules; no person is real."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from evaluate.heterogeneity.policies import Money
from evaluate.heterogeneity.signals import Signals

REFERENCE = Path(__file__).parents[1] / "reference"


def dr(d, y, g0, g1, estimand):
    t, m = d["treated"], d["m"]
    if estimand == "ATT":
        return ((t - (1 - t) * m / (1 - m)) * (y - g0)).to_numpy()
    return (g1 - g0 + t / m * (y - g1) - (1 - t) / (1 - m) * (y - g0)).to_numpy()


def correction(d, estimand):
    """Return the residuals of outcome regressions by inverse probability, and that weight."""
    t, m = d["treated"], d["m"]
    of_treated, other = (0 * m, m) if estimand == "ATT" else (1 / m, 1)
    inverse = t * of_treated + (1 - t) * other / (1 - m)
    return (
        inverse * np.where(t, d["y"] - d["g1"], d["g0"] - d["y"])
    ).to_numpy(), inverse.to_numpy()


def persons(estimand, clustered):
    """Return the persons that R read, with costs."""
    d = pd.read_csv(REFERENCE / "policy_persons.csv")
    treated, women, w = d["treated"].to_numpy() == 1, d["men"].to_numpy() == 0, d["weight"]
    means = [np.average(d["spent"][a], weights=w[a]) for a in (~treated, treated)]
    share = treated.astype(float) if estimand == "ATT" else np.ones(len(d))
    case = Signals(
        "work", None, "SEK", "1", estimand.lower(), np.ones(len(d), dtype=bool), treated,
        d["y"].to_numpy(), dr(d, d["y"], d["g0"], d["g1"], estimand), share,
        *correction(d, estimand),
        (d["y"] - (1 - d["m"]) * d["g0"] - d["m"] * d["g1"]).to_numpy(),
        (treated - d["m"]).to_numpy(), w.to_numpy(),
        d[["x", "men"]].to_numpy(), ("x", "men"), ("x", "gender"),
        {"all": np.ones(len(d), dtype=bool), "women": women, "men": ~women},
        None, d["cluster"].to_numpy() if clustered else None, 24 if clustered else 0,
    )  # fmt: skip
    money = Money("SEK", dr(d, d["spent"], *means, estimand), 40.0)
    return case, money, d["predicted"].to_numpy()
