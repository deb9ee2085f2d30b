"""Simulated scores with a known effect of every person; no person is real."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from evaluate.effects.observational.folds import draw_folds
from evaluate.estimates import Estimates
from evaluate.heterogeneity.nuisances import Treatment, person_scores
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


def gains(case: Signals, more: np.ndarray) -> Signals:
    """Add to the effects of persons, shape (m,), what their outcome regressions know."""
    p = case.treated - case.treatment_residual
    return replace(
        case,
        y=case.y + more * case.treated,
        signal=case.signal + more,
        outcome_residual=case.outcome_residual + more * (case.treated - p),
    )


def misled(case: Signals, x: np.ndarray, seed: int = 1) -> Signals:
    """Add an error that is straight in columns, shape (m, k), to the outcome regressions."""
    rng = np.random.default_rng(seed)
    of_other, of_treated = (x @ rng.normal(size=x.shape[1]) for _ in range(2))
    m = case.treated - case.treatment_residual
    moved = case.inverse_weight * np.where(case.treated, -of_treated, of_other)
    return replace(
        case,
        signal=case.signal + of_treated - of_other + moved,
        correction=case.correction + moved,
        outcome_residual=case.outcome_residual - (1 - m) * of_other - m * of_treated,
    )


def estimated(n: int, p: int, share: float, seed: int, outcome: str = "straight") -> Signals:
    """Draw a lottery of one effect whose outcome regressions are estimated across folds."""
    rng = np.random.default_rng([seed, n])
    x = rng.normal(size=(n, p))
    treated = rng.permutation(n) < share * n
    y = 0.3 * treated + rng.normal(size=n)
    if outcome == "straight":
        y += x.sum(axis=1) / np.sqrt(p)
    elif outcome == "works":
        y = (y + 0.3 * x[:, 0] > 0.2).astype(float)
    fold = draw_folds(treated, 5, 1, rng)
    given = Treatment(treated, fold, np.full(fold.shape, share), "ate", 0.01, by_lot=True)
    learner = "linear" if outcome == "straight" else "selected"
    parts = person_scores(y, x, given, learner)[0]
    names = tuple(f"x{j}" for j in range(p))
    base = signals(n, seed)
    return replace(base, y=y, treated=treated, x=x, names=names, sources=names, **parts)


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
