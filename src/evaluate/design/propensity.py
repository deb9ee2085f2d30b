"""The probability of treatment given covariates, each person's from a fit without the person."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import expit

from evaluate.covariates import Covariates, columns_of, imputed, independent
from evaluate.design.observational_faults import (
    refuse_missing,
    refuse_one_arm,
    refuse_wide,
    separated,
)
from evaluate.design.propensity_models import Logit, fit_boosting, fit_logit, regressors

MODELS = ("logit", "boosting")
SMALLEST = 1e-15  # probability at which the measures of a model stop


@dataclass(frozen=True)
class Propensity:
    """Probabilities of treatment.

    Attributes
    ----------
    model : {"logit", "boosting"}
        The one used.
    scores : dict of str to ndarray, shape (n, splits)
        By model, each person's probability from a fit without the person's fold.
    fold : ndarray of int, shape (n, splits)
        Folds.
    logits : tuple of Logit
        Fitted to all persons, or to those of each group: in sample.
    candidates : DataFrame
        Per model and group ``model, group, log_loss, brier, calibration_intercept,
        calibration_slope, auc, chosen``, out of fold, means over the splits.
    penalised : int
        Fits of the logit, of those in ``fits``, that needed a light ridge.
    fits : int
        Fits of the logit.
    dropped : tuple of str
        Columns that are constant or explained by others, by group where fitted within.
    splines : bool
        Whether continuous covariates have splines in every logit.
    """

    model: str
    scores: dict[str, np.ndarray]
    fold: np.ndarray
    logits: tuple[Logit, ...]
    candidates: pd.DataFrame
    penalised: int
    fits: int
    dropped: tuple[str, ...]
    splines: bool

    @property
    def score(self) -> np.ndarray:
        """Out-of-fold probabilities of the model used, shape (n, splits)."""
        return self.scores[self.model]

    @property
    def in_sample(self) -> np.ndarray:
        """Probabilities of the logit fitted to everybody, shape (n,)."""
        score = np.empty(len(self.fold))
        for logit in self.logits:
            score[logit.rows] = logit.score
        return score

    def through(self, slope: np.ndarray) -> np.ndarray:
        """Return how persons move estimates by way of the in-sample logit, shape (n, k).

        ``slope``, shape (n, k), is the derivative of the estimates in each person's linear
        predictor; see `Logit.through`.
        """
        moved = np.empty_like(slope, dtype=float)
        for logit in self.logits:
            moved[logit.rows] = logit.through(slope[logit.rows])
        return moved


def propensity(
    covariates: Covariates | pd.DataFrame,
    treated: np.ndarray,
    model: str = "selected",
    *,
    folds: int = 5,
    splits: int = 1,
    seed: int = 0,
    weight: np.ndarray | None = None,
    cluster: np.ndarray | None = None,
    within: np.ndarray | None = None,
    fold: np.ndarray | None = None,
    threads: int = 1,
) -> Propensity:
    """Estimate the probability of treatment, cross-fitted.

    Parameters
    ----------
    covariates : Covariates or DataFrame, shape (n, ...)
        Columns, NaN where missing, or what `covariates.columns_of` takes. The logit fills in
        means; knots, means and spreads are of all persons: they do not rest on treatment.
    treated : ndarray of bool, shape (n,)
        Who is treated.
    model : {"logit", "boosting", "selected"}
        ``selected`` fits both and takes the one with the lower out-of-fold log loss.
    folds, splits : int
        Folds of a split, and splits drawn.
    seed : int
        From it each split has a seed of its own for folds and learner.
    weight : ndarray, shape (n,), optional
        Weights above zero.
    cluster : ndarray, shape (n,), optional
        Clusters, each wholly in one fold.
    within : ndarray, shape (n,), optional
        Groups, such as gender, that each have models of their own.
    fold : ndarray of int, shape (n, splits), optional
        Folds dealt before, in place of ``folds``, ``splits`` and ``cluster``.
    threads : int
        Of boosting, at most.

    Returns
    -------
    Propensity

    Raises
    ------
    DesignError
        If the covariates predict treatment perfectly, a group or the others of a fold have
        one arm only, there are no fewer columns than persons in the smaller arm, or a
        covariate is missing for more than half.

    References
    ----------
    Rosenbaum and Rubin (1983), The central role of the propensity score in observational
    studies for causal effects, Biometrika 70(1); Chernozhukov et al. (2018), Double/debiased
    machine learning for treatment and structural parameters, Econometrics Journal 21(1).
    """
    x = covariates if isinstance(covariates, Covariates) else columns_of(covariates)
    n = len(treated)
    refuse_missing(x)
    w = np.ones(n) if weight is None else weight * n / weight.sum()
    names, group = np.unique(
        np.full(n, "all") if within is None else within.astype(str), return_inverse=True
    )
    logits, dropped, splines, columns = [], [], True, []
    for g, name in enumerate(names):
        rows = np.flatnonzero(group == g)
        among = "" if within is None else f" among {name}"
        refuse_one_arm(treated[rows], among)
        values = imputed(x.values[rows])
        keep = independent(values)
        smaller = int(min(treated[rows].sum(), (~treated[rows]).sum()))
        refuse_wide(int(keep.sum()), treated[rows], among)
        design, curved = regressors(values[:, keep], smaller)
        logit = fit_logit(design, treated[rows], w[rows], rows)
        if logit.separates:
            raise separated(x.names, values, treated[rows], among)
        logits.append(logit)
        columns.append(keep)
        splines &= curved
        dropped += [f"{c}{among}" for c, k in zip(x.names, keep, strict=True) if not k]
    if fold is None:
        fold = folds_of(treated, group, folds, splits, seed, cluster)
    splits, folds = fold.shape[1], int(fold.max()) + 1
    wanted = MODELS if model == "selected" else (model,)
    scores = {m: np.empty((n, splits)) for m in wanted}
    penalised = sum(logit.penalty > 0 for logit in logits)
    fits = len(logits)
    for s, sequence in enumerate(np.random.SeedSequence(seed).spawn(splits)):
        learner = int(sequence.generate_state(1)[0] >> 1)
        for name, logit, keep in zip(names, logits, columns, strict=True):
            rows = logit.rows
            among = "" if within is None else f" among {name}"
            for f in range(folds):
                out = fold[rows, s] == f
                if not out.any():
                    continue
                refuse_one_arm(treated[rows][~out], f"{among} outside a fold")
                refuse_wide(int(keep.sum()), treated[rows][~out], f"{among} outside a fold")
                others = np.where(out, 0, w[rows])
                if "logit" in wanted:
                    fit = fit_logit(
                        logit.design, treated[rows], others, rows, logit.coefficient, logit.penalty
                    )
                    scores["logit"][rows[out], s] = fit.score[out]
                    penalised, fits = penalised + (fit.penalty > 0), fits + 1
                if "boosting" in wanted:
                    score = fit_boosting(x.values[rows], treated[rows], others, learner, threads)
                    scores["boosting"][rows[out], s] = score[out]
    parts = {"all": np.ones(n, dtype=bool)}
    if len(names) > 1:
        parts |= {str(name): group == g for g, name in enumerate(names)}
    table = measured(scores, treated, w, parts)
    whole = table[table["group"] == "all"].set_index("model")
    used = str(whole["log_loss"].idxmin())
    if whole["auc"].to_dict()[used] > 1 - 1e-12:
        raise separated(x.names, x.values, treated, "")
    table["chosen"] = table["model"] == used
    return Propensity(
        used, scores, fold, tuple(logits), table, penalised, fits, tuple(dropped), splines
    )


def folds_of(
    treated: np.ndarray,
    group: np.ndarray,
    folds: int,
    splits: int,
    seed: int,
    cluster: np.ndarray | None = None,
) -> np.ndarray:
    """Deal persons to folds several times over, see `deal`, shape (n, splits)."""
    sequences = np.random.SeedSequence(seed).spawn(splits)
    return np.column_stack(
        [deal(treated, group, folds, np.random.default_rng(s), cluster) for s in sequences]
    )


def deal(
    treated: np.ndarray,
    group: np.ndarray,
    folds: int,
    rng: np.random.Generator,
    cluster: np.ndarray | None = None,
) -> np.ndarray:
    """Deal persons to folds at random, in equal numbers of each arm and group.

    Clusters stay together; they are dealt in turn to the folds, ordered by their numbers of
    persons in each arm and group, so that folds are alike as far as clusters allow.

    Returns
    -------
    ndarray of int, shape (n,)
        From 0 to ``folds`` less one.
    """
    n = len(treated)
    cell = 2 * group + treated
    if cluster is None:
        unit, units, counts = np.arange(n), n, [cell]
    else:
        _, unit = np.unique(cluster, return_inverse=True)
        units = int(unit.max()) + 1
        counts = [np.bincount(unit, cell == c, units) for c in range(int(cell.max()) + 1)]
    order = np.lexsort([rng.random(units), *counts])
    dealt = np.empty(units, dtype=int)
    dealt[order] = rng.permutation(folds)[np.arange(units) % folds]
    return np.asarray(dealt[unit])


def calibration(score: np.ndarray, treated: np.ndarray, weight: np.ndarray) -> tuple[float, float]:
    """Return how treatment depends on a score's logit: intercept at slope one, and slope.

    Zero and one for a score that is right on average and neither too bold nor too timid.

    References
    ----------
    Cox (1958), Two further applications of a model for binary regression, Biometrika 45;
    Van Calster et al. (2016), A calibration hierarchy for risk models was defined, Journal
    of Clinical Epidemiology 74.
    """
    p = np.clip(score, SMALLEST, 1 - SMALLEST)
    logit = np.log(p / (1 - p))
    intercept = 0.0
    for _ in range(50):
        q = expit(logit + intercept)
        move = weight @ (treated - q) / (weight @ (q * (1 - q)))
        intercept += float(np.clip(move, -1, 1))
        if abs(move) < 1e-12:
            break
    if np.ptp(logit) < 1e-12:
        return intercept, float("nan")
    design = np.column_stack([np.ones(len(p)), (logit - logit.mean()) / logit.std()])
    fit = fit_logit(design, treated, weight)
    slope = float("nan") if fit.penalty else float(fit.coefficient[1] / logit.std())
    return intercept, slope


def measured(
    scores: Mapping[str, np.ndarray],
    treated: np.ndarray,
    weight: np.ndarray,
    groups: Mapping[str, np.ndarray],
) -> pd.DataFrame:
    """Return `measures` of each model, scores of shape (n, splits), by group: means of splits."""
    rows = []
    for model, by_split in scores.items():
        for name, part in groups.items():
            found = [measures(score, treated[part], weight[part]) for score in by_split[part].T]
            rows.append({"model": model, "group": name, **pd.DataFrame(found).mean().to_dict()})
    return pd.DataFrame(rows)


def measures(score: np.ndarray, treated: np.ndarray, w: np.ndarray) -> dict[str, float]:
    """Return how well a score predicts: losses, calibration, and the area under the curve."""
    p = np.clip(score, SMALLEST, 1 - SMALLEST)
    loss = -np.average(np.where(treated, np.log(p), np.log1p(-p)), weights=w)
    intercept, slope = calibration(score, treated, w)
    return {
        "log_loss": float(loss),
        "brier": float(np.average((treated - score) ** 2, weights=w)),
        "calibration_intercept": intercept,
        "calibration_slope": slope,
        "auc": _auc(score, treated, w),
    }


def _auc(score: np.ndarray, treated: np.ndarray, w: np.ndarray) -> float:
    """Return the chance that a treated person's score is the higher; ties are half."""
    _, place = np.unique(score, return_inverse=True)
    of_treated, of_control = (np.bincount(place, w * arm) for arm in (treated, ~treated))
    below = np.cumsum(of_control) - of_control / 2
    return float(of_treated @ below / (of_treated.sum() * of_control.sum()))
