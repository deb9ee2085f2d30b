"""The tables that tell of probabilities of treatment: models, overlap, histogram, population."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from evaluate import schemas
from evaluate.covariates import Covariates
from evaluate.design.observational_scores import Scores
from evaluate.design.overlap import (
    ARMS,
    Trim,
    common_support,
    effective_sizes,
    histogram,
    inverse_weights,
    moved_population,
)
from evaluate.design.propensity import MODELS
from evaluate.errors import DesignError
from evaluate.notes import joined, note

Groups = Mapping[str, np.ndarray]


def models_table(
    of: str, label: str, scores: Scores | None, reason: str, model: str = "selected"
) -> pd.DataFrame:
    """Return the models of one contrast as `schemas.PROPENSITY_MODELS`.

    Parameters
    ----------
    of, label : str
        The set of covariates, and the contrast.
    scores : Scores or None
        What was fitted; None where nothing could be.
    reason : str
        Why not.
    model : {"logit", "boosting", "selected"}
        What the plan asked for, where nothing could be fitted.
    """
    if scores is None:
        name = MODELS[0] if model == "selected" else model
        table = pd.DataFrame({"model": [name], "group": "all", "chosen": False})
        said = note("error", reason=reason)
    else:
        table, said = scores.candidates, joined(list(scores.notes))
    table = table.assign(covariates=of, arm=label, note=said or None)
    return table.reindex(columns=list(schemas.PROPENSITY_MODELS.columns))


def overlap_table(
    score: np.ndarray,
    treated: np.ndarray,
    cut: Trim,
    groups: Groups,
    label: str,
    estimand: str,
    clip: float,
    weight: np.ndarray | None = None,
) -> pd.DataFrame:
    """Return who has likes, is trimmed and counts for how much, as `schemas.OVERLAP`.

    Parameters
    ----------
    score : ndarray, shape (n,)
        Median probabilities.
    treated : ndarray of bool, shape (n,)
        Who is treated.
    cut : Trim
        Who is kept.
    groups : mapping of str to ndarray of bool, shape (n,)
        All, women and men.
    label : str
        The contrast.
    estimand : {"att", "ate"}
        What is estimated.
    clip : float
        Probabilities that give weights are held at it, and at one less it. For the ATT only
        those of compared persons near one are.
    weight : ndarray, shape (n,), optional
        Weights of the persons.

    Returns
    -------
    DataFrame
        The common support is that of the group itself. Effective numbers and largest parts are
        of the inverse-probability weights of those kept.
    """
    low = clip if estimand == "ate" else 0.0
    held = np.clip(score, low, 1 - clip)
    moved = (held != score) & cut.keep & (~treated | (estimand == "ate"))
    weights = inverse_weights(held, treated, estimand, weight, cut.keep)
    table = effective_sizes(weights, treated, dict(groups))
    sizes = {(r["group"], r["arm"]): r for r in table.to_dict("records")}
    rows = []
    for group, members in groups.items():
        inside, notes = _supported(score, treated, members)
        for side, here in zip(ARMS, (members & treated, members & ~treated), strict=True):
            n, kept = int(here.sum()), int((here & cut.keep).sum())
            size = sizes[group, side]
            rows.append(
                {
                    "arm": label,
                    "group": group,
                    "side": side,
                    "n": n,
                    "outside": int((here & ~inside).sum()),
                    "kept": kept,
                    "trimmed": n - kept,
                    "clipped": int((here & moved).sum()),
                    "low": cut.low,
                    "high": cut.high,
                    "effective": float(size["effective"]) if kept else np.nan,
                    "largest": float(size["largest"]),
                    "note": joined([*notes, *([] if kept or not n else [note("nobody_kept")])])
                    or None,
                }
            )
    return pd.DataFrame(rows)


def _supported(
    score: np.ndarray, treated: np.ndarray, members: np.ndarray
) -> tuple[np.ndarray, list[str]]:
    """Return who is within the common support of a group, and a note where there is none."""
    try:
        low, high = common_support(score[members], treated[members])
    except DesignError:
        return np.zeros(len(score), dtype=bool), [note("no_support")]
    return (score >= low) & (score <= high), []


def histogram_table(
    score: np.ndarray, treated: np.ndarray, groups: Groups, label: str
) -> pd.DataFrame:
    """Return counts and shares of persons by score, as `schemas.PROPENSITY_HISTOGRAM`."""
    table = histogram(score, treated, dict(groups)).rename(columns={"arm": "side"})
    total = table.groupby(["group", "side"])["n"].transform("sum")
    return table.assign(arm=label, share=table["n"] / total.where(total > 0))


def population_table(
    covariates: Covariates,
    keep: np.ndarray,
    treated: np.ndarray,
    groups: Groups,
    label: str,
    estimand: str,
    weight: np.ndarray | None = None,
) -> pd.DataFrame:
    """Return how trimming changes whom the effect is about, as `schemas.POPULATION`."""
    table = moved_population(covariates, keep, treated, dict(groups), estimand, weight)
    of_gender = table["covariate"].isin(
        [n for n, s in zip(covariates.names, covariates.sources, strict=True) if s == "gender"]
    )
    return table[~of_gender | (table["group"] == "all")].assign(arm=label)
