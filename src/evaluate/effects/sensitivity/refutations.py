"""The table of refuters: where the answer is known, or should not change."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import numpy as np

from evaluate.design.propensity_models import fit_logit
from evaluate.effects.observational.aipw import average, clip_propensity, signals
from evaluate.effects.sensitivity.questions import Case
from evaluate.effects.sensitivity.refute import (
    Estimator,
    Refutation,
    Sample,
    data_subset,
    placebo_outcome,
    placebo_treatment,
    random_common_cause,
)
from evaluate.errors import DesignError
from evaluate.estimates import Estimates
from evaluate.notes import note
from evaluate.plan.model import Plan

DRAWS = 100
FEWER = 5_000  # persons among whom the doubly robust estimate is made anew
MATERIAL = 0.5  # standard errors by which an answer is wrong
CHANCE = 3.0  # standard errors of the mean of the draws
REFUTERS: dict[str, Callable[..., Refutation]] = {
    "random_common_cause": random_common_cause,
    "placebo_treatment": placebo_treatment,
    "data_subset": data_subset,
    "placebo_outcome": placebo_outcome,
}
STAYS = ("random_common_cause", "data_subset")  # the estimate should stay; else it is nothing
Row = dict[str, object]


def refutation_rows(
    case: Case,
    errors: Mapping[str, Sequence[float]],
    seed: int,
    draws: int = DRAWS,
) -> list[Row]:
    """Return what the refuters say of the regression and of a doubly robust estimate.

    The latter has a logit for treatment and linear regressions for outcomes, all of them fitted
    anew in every draw; of more than 5,000 persons it is made of 5,000 drawn at random.

    Parameters
    ----------
    case : Case
        The persons of one contrast and group, with k outcomes.
    errors : mapping of str to sequence of float, length k
        By estimator the standard errors in the table of effects.
    seed : int
        Of the draws.
    draws : int
        Of each refuter.

    Returns
    -------
    list of dict
        As `schemas.REFUTATIONS`. The verdict is ``warn`` where the mean of the draws is wrong
        by more than half a standard error of the estimate, and by more than three of its own:
        so far off an interval of 95 per cent would hold the truth in 92 per cent or fewer. The
        p-value, of what is expected among the draws, is not what decides.

    Notes
    -----
    All four can pass although hidden selection is gross: they look for errors of the estimator,
    not of what it is given. A pass is no evidence of a finding.
    """
    rows: list[Row] = []
    one = case.one
    whole = Sample(case.y, one.treated, one.x, one.weight)
    for estimator in ("regression", "aipw"):
        sample, refit = whole, _refit(case.plan) if estimator == "aipw" else None
        notes = ""
        if refit and len(one.treated) > FEWER:
            rows_drawn = _drawn(one.treated, FEWER, seed)
            sample, notes = whole.rows(rows_drawn), note("drawn", n=f"{len(rows_drawn):,}")
        for name, refuter in REFUTERS.items():
            try:
                found = refuter(sample, draws, seed, refit)
            except DesignError as error:
                rows += [
                    _labels(case, j, estimator, name)
                    | {"verdict": "not assessed", "note": note("error", reason=error)}
                    for j in range(len(case.questions))
                ]
                continue
            for j in range(len(case.questions)):
                scale = np.sqrt(len(whole.treated) / len(sample.treated))
                size = found.sd[j] if name not in STAYS else scale * errors[estimator][j]
                rows.append(
                    _labels(case, j, estimator, name)
                    | {
                        "expected": found.expected[j],
                        "mean": found.mean[j],
                        "sd": found.sd[j],
                        "p_value": found.p_value[j],
                        "draws": found.draws,
                        "failed": found.failed,
                        "verdict": judged(found, j, size),
                        "note": notes,
                    }
                )
    return rows


def judged(found: Refutation, j: int, error: float) -> str:
    """Return whether an answer is wrong by more than chance, and enough to matter."""
    off = abs(found.mean[j] - found.expected[j])
    if not np.isfinite(off) or not np.isfinite(error):
        return "not assessed"
    beyond = off > CHANCE * found.sd[j] / np.sqrt(found.draws)
    return "warn" if beyond and off > MATERIAL * error else "pass"


def _labels(case: Case, j: int, estimator: str, refuter: str) -> Row:
    return case.labels(j) | {"estimator": estimator, "refuter": refuter}


def _drawn(treated: np.ndarray, most: int, seed: int) -> np.ndarray:
    """Return the places of some persons, as many of either arm as its part."""
    rng = np.random.default_rng(seed)
    places = []
    for arm in (treated, ~treated):
        here = np.flatnonzero(arm)
        count = max(2, round(most * len(here) / len(treated)))
        places.append(rng.choice(here, min(count, len(here)), replace=False))
    return np.sort(np.concatenate(places))


def _refit(plan: Plan) -> Estimator:
    return partial(
        doubly_robust, estimand=plan.analysis.estimand, clip=plan.analysis.propensity.clip
    )


def doubly_robust(
    y: np.ndarray,
    treated: np.ndarray,
    x: np.ndarray,
    weight: np.ndarray | None = None,
    estimand: str = "att",
    clip: float = 0.01,
) -> Estimates:
    """Estimate effects from a logit for treatment and linear regressions, without folds.

    Parameters
    ----------
    y : ndarray, shape (n, k)
        Outcomes.
    treated : ndarray of bool, shape (n,)
        Who was treated.
    x : ndarray, shape (n, p)
        Covariates.
    weight : ndarray, shape (n,), optional
        Weights above zero.
    estimand : {"att", "ate"}
        For the treated, or for all.
    clip : float
        Where probabilities are held.

    Returns
    -------
    Estimates
        k values.

    Raises
    ------
    DesignError
        If an arm is empty, or the arms share no probabilities.

    References
    ----------
    Robins, Rotnitzky and Zhao (1994), Estimation of regression coefficients when some
    regressors are not always observed, JASA 89.
    """
    n = len(treated)
    if treated.all() or not treated.any():
        raise DesignError(f"one arm is empty: {int(treated.sum())} of {n} persons are treated.")
    w = np.ones(n) if weight is None else weight / weight.mean()
    z = np.ones((n, x.shape[1] + 1))
    spread = x.std(axis=0)
    z[:, 1:] = (x - x.mean(axis=0)) / np.where(spread > 0, spread, 1)
    m, _ = clip_propensity(fit_logit(z, treated, w).score, treated, estimand, clip)
    arms = (~treated,) if estimand == "att" else (~treated, treated)
    outcome = []
    for arm in arms:
        weighted = z[arm] * w[arm, None]
        inverse = np.linalg.pinv(weighted.T @ z[arm], hermitian=True)
        outcome.append(z @ (inverse @ (weighted.T @ y[arm])))
    signal, share = signals(y, treated, outcome, m, estimand, w)
    value, scores = average(signal, share, w)
    return Estimates(value, scores, np.full(len(value), float(n - 1)))
