"""Where persons have too few likes for an interval that holds what it promises."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from evaluate.effects.fit import Fit
from evaluate.effects.observational.weighting import effective_size
from evaluate.notes import note

EDGE = 0.01  # of probability: nobody nearer to 0 or 1 has likes enough
# share of those the effect is about who may be there; of all, who have two ends, half of it
MOST = {"att": 0.01, "ate": 0.005}
FEWEST = 30  # persons that the weights of an arm must be worth
FEWEST_MATCHED = 10  # of those matched, weighted by how often they are used


def beyond(
    score: np.ndarray, treated: np.ndarray, estimand: str, weight: np.ndarray | None = None
) -> tuple[float, int]:
    """Return the share, and the number, of those the effect is about who have next to no likes.

    Parameters
    ----------
    score : ndarray, shape (m,)
        Probability of treatment, before it is held at any bound.
    treated : ndarray of bool, shape (m,)
        Who is treated.
    estimand : {"att", "ate"}
        The effect is about the treated, or about all.
    weight : ndarray, shape (m,), optional
        Weights of the persons.
    """
    goal = treated if estimand == "att" else np.ones(len(treated), dtype=bool)
    out = score > 1 - EDGE
    if estimand == "ate":
        out |= score < EDGE
    w = np.ones(len(treated)) if weight is None else weight
    return float(w[goal & out].sum() / w[goal].sum()), int((goal & out).sum())


def reason(
    score: np.ndarray | None,
    treated: np.ndarray,
    estimand: str,
    worth: float,
    weight: np.ndarray | None = None,
    fewest: int = FEWEST,
) -> str:
    """Return why an estimate has no interval, as a note; empty where it has one.

    In simulations of 300 to 6,000 persons intervals within these bounds held the truth in 95 to
    98 per cent of draws (of inverse probability weights in 91 where overlap was so poor that
    one draw in five was within them), and beyond them in as few as 45.

    Parameters
    ----------
    score : ndarray, shape (m,), or None
        Probability of treatment, where it is known.
    treated : ndarray of bool, shape (m,)
        Who is treated.
    estimand : {"att", "ate"}
        The effect is about the treated, or about all.
    worth : float
        Persons that the weights of the weighted arm are worth; the smaller of two.
    weight : ndarray, shape (m,), optional
        Weights of the persons.
    fewest : int
        Fewest that they must be worth.
    """
    if score is not None:
        share, count = beyond(score, treated, estimand, weight)
        if share > MOST[estimand]:
            return note("without_likes", n=count, most=round(1 / MOST[estimand]))
    return note("worth_few", n=fewest) if worth < fewest else ""


def worth_of(
    score: np.ndarray, treated: np.ndarray, estimand: str, weight: np.ndarray | None = None
) -> float:
    """Return how many persons inverse-probability weights are worth, the smaller of two arms."""
    w = np.ones(len(treated)) if weight is None else weight
    own = np.where(treated, 1 / np.maximum(score, 1e-12), 1 / np.maximum(1 - score, 1e-12))
    own = w * (own if estimand == "ate" else own * score)
    found = effective_size(own[~treated]) if own[~treated].any() else 0.0
    return min(found, effective_size(own[treated])) if estimand == "ate" else found


def doubted(fit: Fit, why: str) -> Fit:
    """Return the same without errors, where there is a reason for that."""
    if not why or fit.effects is None:
        return fit
    nothing = np.full_like(fit.effects.scores, np.nan)
    effects = replace(fit.effects, scores=nothing)
    return replace(fit, effects=effects, notes=(*fit.notes, why), unsure=why)
