"""Fit one estimator for one group: pick the rows, arrange the covariates, say what was done."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from evaluate.covariates import Covariates, columns_of, imputed, independent
from evaluate.effects.adjustment import alone, both_arms, difference_in_means, lin
from evaluate.effects.linear import OF_CLUSTERS, Errors
from evaluate.effects.regression import fixed_effects
from evaluate.effects.small_blocks import small_blocks
from evaluate.errors import DesignError
from evaluate.estimates import Estimates
from evaluate.notes import note
from evaluate.study import Study


@dataclass(frozen=True)
class Fit:
    """Effects of one contrast in one group, or why there are none.

    Attributes
    ----------
    effects : Estimates or None
        k values with scores over all persons, or clusters, of the study.
    rows : ndarray of bool, shape (n,)
        The persons used.
    notes : tuple of str
        What was done that a reader must know.
    each : tuple of str, length k or 0
        What there is to know of each outcome besides.
    unsure : str
        Why there is no interval, though there are estimates; empty otherwise. Then scores are NaN.
    """

    effects: Estimates | None
    rows: np.ndarray
    notes: tuple[str, ...] = ()
    each: tuple[str, ...] = ()
    unsure: str = ""


def covariates_for(
    study: Study, outcome: str, without: Sequence[str], name: str = ""
) -> Covariates:
    """Return the covariates of an outcome: the plan's, less some, and its baseline."""
    frame = study.covariates.drop(columns=list(without))
    if outcome in study.baselines:
        frame = frame.assign(**{f"{outcome} before": study.baselines[outcome]})
    return replace(columns_of(frame), of=name)


def fit(
    study: Study,
    errors: Errors,
    estimator: str,
    y: np.ndarray,
    rows: np.ndarray,
    covariates: Covariates,
) -> list[Fit]:
    """Fit all contrasts of one group for outcomes that the same persons have.

    Parameters
    ----------
    study : Study
        The persons.
    errors : Errors
        Which standard errors, with the cluster of every person of the study.
    estimator : {"difference_in_means", "fixed_effects", "ancova", "lin"}
        What to estimate with.
    y : ndarray, shape (n, k)
        Outcomes, known in all ``rows``.
    rows : ndarray of bool, shape (n,)
        The persons of the group.
    covariates : Covariates
        Columns of all persons, NaN where missing.

    Returns
    -------
    list of Fit
        In the order of ``study.contrasts``.
    """
    if estimator == "difference_in_means":
        return [_difference(study, errors, y, rows, contrast) for contrast in study.contrasts]
    return _adjusted(study, errors, estimator, y, rows, covariates)[0]


def fit_shared(
    study: Study,
    errors: Errors,
    y: np.ndarray,
    rows: np.ndarray,
    covariates: Covariates,
) -> list[list[Fit]]:
    """Fit women and men, in this order, by Lin's regression with common covariate slopes."""
    gendered = rows & (study.groups["women"] | study.groups["men"])
    return _adjusted(study, errors, "lin", y, gendered, covariates, apart=study.groups["men"])


def _difference(
    study: Study, errors: Errors, y: np.ndarray, rows: np.ndarray, contrast: tuple[int, int]
) -> Fit:
    rows = rows & np.isin(study.arm, contrast)
    used = _within_blocks(study, rows, contrast)
    if len(_present(study, [rows])) < 2:
        return Fit(None, rows, (_few(study),))
    if not used.any():
        return Fit(None, rows, (note("no_block"),))
    arm, block, errors = study.arm[used], _of(study.block, used), errors.of(used)
    try:
        effects = difference_in_means(
            y[used], arm, contrast, block, _of(study.weight, used), errors
        )
    except DesignError as error:
        return Fit(None, used, (note("error", reason=error),))
    notes = _block_notes(study, rows, used)
    if block is not None:
        _, position = np.unique(block, return_inverse=True)
        small = small_blocks(arm == contrast[0], position, errors.cluster)
        if small.any():
            notes = (*_lost(rows, used), note("small_blocks", n=int(small.sum())))
    return Fit(_spread(effects, used, errors), used, notes)


def _adjusted(
    study: Study,
    errors: Errors,
    estimator: str,
    y: np.ndarray,
    rows: np.ndarray,
    covariates: Covariates,
    apart: np.ndarray | None = None,
) -> list[list[Fit]]:
    """Fit the regressions; ``apart`` marks a second stratum with an intercept of its own."""
    strata = [rows] if apart is None else [rows & ~apart, rows & apart]
    arms = _present(study, strata)
    contrasts = [c for c in study.contrasts if set(c) <= set(arms)]
    used = rows & np.isin(study.arm, arms)
    if estimator == "lin":
        used = _within_blocks(study, used, arms)

    def empty(reason: str) -> list[list[Fit]]:
        return [
            [Fit(None, s & np.isin(study.arm, c), (reason,)) for c in study.contrasts]
            for s in strata
        ]

    if not contrasts:
        return empty(_few(study))
    if not used.any():
        return empty(note("no_block"))
    arm, weight, block = study.arm[used], _of(study.weight, used), _of(study.block, used)
    values, second = covariates.values[used], _of(apart, used)
    x, notes = _adjustment(estimator, values, covariates.names, arm, block, second)
    if study.cluster is None and (single := _singled_out(estimator, x, arm)):
        notes.append(note("single", n=single))
    errors = errors.of(used)
    try:
        if estimator == "lin":
            stratum = None if second is None else second.astype(int)
            found = lin(y[used], arm, x, contrasts, weight, stratum=stratum, errors=errors)
        else:
            found = [fixed_effects(y[used], arm, x, contrasts, block, weight, errors=errors)]
    except DesignError as error:
        return empty(note("error", reason=error))
    if estimator == "lin":
        notes = [*_block_notes(study, rows & np.isin(study.arm, arms), used), *notes]
    fits = empty(_few(study))
    for s, (stratum_rows, effects) in enumerate(zip(strata, found, strict=True)):
        for contrast, estimates in zip(contrasts, effects, strict=True):
            members = used & stratum_rows & np.isin(study.arm, contrast)
            one = Fit(_spread(estimates, used, errors), members, tuple(notes))
            fits[s][study.contrasts.index(contrast)] = one
    return fits


def _adjustment(
    estimator: str,
    values: np.ndarray,
    names: Sequence[str],
    arm: np.ndarray,
    block: np.ndarray | None,
    apart: np.ndarray | None,
) -> tuple[np.ndarray, list[str]]:
    """Return the columns that a regression adjusts for, and what was done to them.

    Lin's regression gets the blocks as indicators among its covariates; the others absorb
    them, and adjust for what the blocks do not explain.
    """
    if estimator == "fixed_effects":
        return np.empty((len(arm), 0)), []
    x, indicators = imputed(values), np.empty((len(arm), 0))
    if block is not None:
        indicators = np.equal.outer(block, np.unique(block)[1:]).astype(float)
    slopes = arm if estimator == "lin" else np.zeros_like(arm)
    keep = _varies(np.hstack([indicators, x]), slopes, apart)
    among_blocks, kept = keep[: indicators.shape[1]], keep[indicators.shape[1] :]
    notes = []
    if not kept.all():
        dropped = ", ".join(n for n, k in zip(names, kept, strict=True) if not k)
        notes.append(note("dropped", names=dropped))
    if count := int(np.isnan(values).sum()):
        notes.append(note("imputed", n=count))
    x = x[:, kept]
    return (np.hstack([indicators[:, among_blocks], x]) if estimator == "lin" else x), notes


def _singled_out(estimator: str, x: np.ndarray, arm: np.ndarray) -> int:
    """Count the persons whom an indicator tells from all others: they are fitted exactly."""
    binary = x[:, ((x == 0) | (x == 1)).all(axis=0)] == 1
    parts = [arm == a for a in np.unique(arm)] if estimator == "lin" else [arm >= 0]
    found = 0
    for rows in parts:
        ones = binary[rows].sum(axis=0)
        one = binary[rows][:, ones == 1].any(axis=1)
        other = ~binary[rows][:, ones == rows.sum() - 1]
        found += int((one | other.any(axis=1)).sum())
    return found


def _present(study: Study, strata: Sequence[np.ndarray]) -> list[int]:
    """Return the arms with two persons or more, or two clusters, in every stratum."""

    def count(rows: np.ndarray) -> int:
        return len(np.unique(study.cluster[rows])) if study.cluster is not None else rows.sum()

    arms = range(len(study.arms))
    return [a for a in arms if all(count(s & (study.arm == a)) >= 2 for s in strata)]


def _few(study: Study) -> str:
    return note("few" if study.cluster is None else "few_clusters")


def _varies(x: np.ndarray, arm: np.ndarray, apart: np.ndarray | None) -> np.ndarray:
    """Return which covariates can have a slope of their own in every arm."""
    if apart is not None:
        x = np.column_stack([apart, x])
    keep = np.ones(x.shape[1], dtype=bool)
    for a in np.unique(arm):
        keep[keep] = independent(x[arm == a][:, keep])
    return keep if apart is None else keep[1:]


def _within_blocks(study: Study, rows: np.ndarray, arms: Sequence[int]) -> np.ndarray:
    used = rows.copy()
    used[rows] = both_arms(study.arm[rows], _of(study.block, rows), arms)
    return used


def _lost(rows: np.ndarray, used: np.ndarray) -> tuple[str, ...]:
    lost = int(rows.sum() - used.sum())
    return (note("blocks", n=lost),) if lost else ()


def _block_notes(study: Study, rows: np.ndarray, used: np.ndarray) -> tuple[str, ...]:
    single = 0 if study.cluster is not None else alone(study.arm[used], _of(study.block, used))
    return (*_lost(rows, used), *((note("alone", n=single),) if single else ()))


def _spread(effects: Estimates, used: np.ndarray, errors: Errors) -> Estimates:
    """Give every person of the study a row of scores; clusters have theirs already."""
    if errors.kind in OF_CLUSTERS:
        return effects
    scores = np.zeros((len(used), effects.scores.shape[1]))
    scores[used] = effects.scores
    return Estimates(effects.value, scores, effects.df)


def _of(values: np.ndarray | None, rows: np.ndarray) -> np.ndarray | None:
    return None if values is None else values[rows]
