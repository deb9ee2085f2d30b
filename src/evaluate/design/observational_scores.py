"""The model of treatment that the plan asks for, fitted to one contrast."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from evaluate.covariates import Covariates
from evaluate.design.propensity import Propensity, folds_of, measured, propensity
from evaluate.design.propensity_models import knots_of
from evaluate.errors import DesignError
from evaluate.notes import note
from evaluate.plan.model import Plan

UNKNOWN = "unknown"  # gender


@dataclass(frozen=True)
class Scores:
    """Cross-fitted probabilities of the n persons of a contrast.

    Attributes
    ----------
    model : {"logit", "boosting"}
        The one used.
    fold, score : ndarray, shape (splits, n)
        Folds, and probabilities from the other folds.
    candidates : DataFrame
        As `schemas.PROPENSITY_MODELS`, without ``covariates``, ``arm`` and ``note``.
    notes : tuple of str
        What a reader must know of the fits.
    """

    model: str
    fold: np.ndarray
    score: np.ndarray
    candidates: pd.DataFrame
    notes: tuple[str, ...]


def scores_of(
    covariates: Covariates,
    treated: np.ndarray,
    plan: Plan,
    *,
    seed: int,
    groups: Mapping[str, np.ndarray],
    weight: np.ndarray | None = None,
    cluster: np.ndarray | None = None,
) -> Scores:
    """Estimate the probability of treatment as the plan says.

    Parameters
    ----------
    covariates : Covariates
        Columns of the n persons, gender among them.
    treated : ndarray of bool, shape (n,)
        Who is treated.
    plan : Plan
        The programme file: the model, whether within gender, folds and splits.
    seed : int
        Of folds and learners.
    groups : mapping of str to ndarray of bool, shape (n,)
        All, and women and men where there are such.
    weight, cluster : ndarray, shape (n,), optional
        As for `propensity`.

    Returns
    -------
    Scores
        Where a model of women or of men cannot be fitted, both are fitted together, and the
        notes say why. Persons of unknown gender have their scores from a model of everybody.

    Raises
    ------
    DesignError
        See `propensity`.
    """
    stated, splitting = plan.analysis.propensity, plan.analysis.cross_fitting
    gender = np.full(len(treated), UNKNOWN, dtype=object)
    for name in ("women", "men"):
        gender[groups.get(name, np.zeros(len(treated), dtype=bool))] = name
    _, stratum = np.unique(gender.astype(str), return_inverse=True)
    fold = folds_of(treated, stratum, splitting.folds, splitting.splits, seed, cluster)
    model = stated.model if covariates.names else "logit"

    def fitted(rows: np.ndarray, model: str, within: np.ndarray | None = None) -> Propensity:
        part = Covariates(covariates.values[rows], covariates.names, covariates.sources)
        return propensity(
            part, treated[rows], model, seed=seed, within=within, fold=fold[rows],
            weight=None if weight is None else weight[rows],
        )  # fmt: skip

    everybody, notes = np.ones(len(treated), dtype=bool), []
    found = None
    if stated.within_gender and {"women", "men"} <= groups.keys():
        known = gender != UNKNOWN
        try:
            found = fitted(known, model, gender[known])
        except DesignError as error:
            notes.append(note("genders_together", reason=error))
    if found is None:
        found = fitted(everybody, model)
        scores, used = found.scores, found.model
    else:
        scores, used = _with_unknown(found, known, fitted), found.model
        if not known.all():
            notes.append(note("gender_unknown", n=int((~known).sum())))
    w = np.ones(len(treated)) if weight is None else weight / weight.mean()
    both = {g: m for g, m in groups.items() if 0 < treated[m].sum() < m.sum()}
    candidates = measured(scores, treated, w, both)
    candidates["chosen"] = candidates["model"] == used
    return Scores(used, fold.T, scores[used].T, candidates, (*notes, *_said(found, covariates)))


def _with_unknown(found: Propensity, known: np.ndarray, fitted: object) -> dict[str, np.ndarray]:
    """Give those of unknown gender the scores of a model of everybody, from the same folds."""
    if known.all():
        return found.scores
    whole = {name: np.empty((len(known), s.shape[1])) for name, s in found.scores.items()}
    for name, scores in whole.items():
        of_all = fitted(np.ones(len(known), dtype=bool), name)  # type: ignore[operator]
        scores[known], scores[~known] = found.scores[name], of_all.scores[name][~known]
    return whole


def _said(found: Propensity, covariates: Covariates) -> list[str]:
    """Return what was done to covariates and fits."""
    notes = []
    if found.dropped:
        notes.append(note("dropped", names=", ".join(found.dropped)))
    curved = any(knots_of(np.nan_to_num(x)) is not None for x in covariates.values.T)
    if curved and not found.splines:
        notes.append(note("no_splines"))
    if found.penalised:
        notes.append(note("ridge", n=found.penalised, of=found.fits))
    return notes
