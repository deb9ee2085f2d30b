"""Simulated scores with a known effect of every person; no person is real."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from evaluate.estimates import Estimates
from evaluate.heterogeneity.signals import Case, Signals
from evaluate.study import GAP

Effect = Callable[[np.ndarray], np.ndarray]


def covariates(n: int, p: int, rng: np.random.Generator) -> np.ndarray:
    """Draw an indicator of men and p - 1 standard normal covariates."""
    x = rng.normal(size=(n, p))
    x[:, -1] = rng.random(n) < 0.5
    return x


def signals(
    n: int,
    seed: int,
    effect: Effect = lambda x: np.full(len(x), 0.5),
    p: int = 6,
    share: float = 0.5,
    clusters: int = 0,
    weighted: bool = False,
) -> Signals:
    """Draw a lottery whose outcome regressions are known: scores are right but for noise.

    The last covariate is that of men. ``effect`` gives every person's effect from the
    covariates, shape (n, p); errors are standard normal, correlated within clusters.
    """
    rng = np.random.default_rng(seed)
    x = covariates(n, p, rng)
    treated = rng.random(n) < share
    tau = effect(x)
    cluster = np.sort(rng.integers(clusters, size=n)) if clusters else None
    error = rng.normal(size=n)
    if cluster is not None:
        treated = (rng.permutation(clusters) % 2 == 0)[cluster]
        error += rng.normal(0, 0.5, clusters)[cluster]
    baseline = 0.5 * x[:, 0]
    y = baseline + tau * treated + error
    residual = y - baseline - np.where(treated, tau, 0)
    d = treated.astype(float)
    m = np.full(n, 0.5 if clusters else share)
    correction = (d / m - (1 - d) / (1 - m)) * residual
    men = x[:, -1] == 1
    return Signals(
        outcome="work",
        month=None,
        unit="share",
        arm="1",
        estimand="itt",
        rows=np.ones(n, dtype=bool),
        treated=treated,
        y=y,
        signal=tau + correction,
        share=np.ones(n),
        correction=correction,
        inverse_weight=d / m + (1 - d) / (1 - m),
        outcome_residual=y - baseline - tau * m,
        treatment_residual=d - m,
        weight=rng.uniform(0.5, 2, n) if weighted else np.ones(n),
        x=x,
        names=(*(f"x{j}" for j in range(p - 1)), "men"),
        sources=(*(f"x{j}" for j in range(p - 1)), "gender"),
        groups={"all": np.ones(n, dtype=bool), "women": ~men, "men": men},
        cluster=cluster,
        units=clusters,
    )


def told(cases: Sequence[Case]) -> list[Signals]:
    """Return the cases that have scores."""
    return [c for c in cases if isinstance(c, Signals)]


def averages(case: Signals, groups: Sequence[str]) -> dict[str, Estimates]:
    """Return the effects in groups by name; ``women-men`` is the gap."""
    found = {g: case.average(case.groups[g]) for g in groups if g != GAP}
    if GAP in groups:
        women, men = (case.average(case.groups[g]) for g in ("women", "men"))
        found[GAP] = women - men
    return {g: found[g] for g in groups}
