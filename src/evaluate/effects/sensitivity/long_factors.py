"""Hidden factors behind a doubly robust estimate, told by leaving covariates out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from evaluate.effects.observational.aipw import clip_propensity
from evaluate.effects.observational.nuisance import cross_fit
from evaluate.effects.observational.sample import Arranged
from evaluate.effects.sensitivity.long_short import Gain, LongShort, gain, long_short
from evaluate.errors import DesignError
from evaluate.estimates import Estimates


@dataclass(frozen=True)
class LongFactors:
    """The estimates of some groups, and how strong covariates are in them.

    Attributes
    ----------
    found : dict of str to LongShort
        By group, with the scores of the study's units.
    gains : dict of str to dict of str to Gain
        By group and covariate.
    """

    found: dict[str, LongShort]
    gains: dict[str, dict[str, Gain]]


def long_factors(
    one: Arranged,
    y: np.ndarray,
    groups: Mapping[str, np.ndarray],
    effects: Mapping[str, Estimates],
    estimand: str,
    clip: float,
    drawn: np.ndarray | None = None,
) -> LongFactors:
    """Prepare the long story short of augmented inverse propensity weighting.

    Parameters
    ----------
    one : Arranged
        m persons of a contrast, of all groups together.
    y : ndarray, shape (m, k)
        Their outcomes.
    groups : mapping of str to ndarray of bool, shape (m,)
        All, women and men.
    effects : mapping of str to Estimates
        The k effects by group, with scores of the study's units; a group without them is
        left out.
    estimand : {"att", "ate"}
        What is estimated.
    clip : float
        Where probabilities are held.
    drawn : ndarray of bool, shape (m,), optional
        Persons among whom covariates are left out; all where not given.

    Returns
    -------
    LongFactors

    Raises
    ------
    DesignError
        If the models cannot be fitted to these persons.

    Notes
    -----
    Outcomes and treatment are predicted by linear and logistic models out of fold, once with
    all covariates and once without each, in one split into folds. Effects may come from other
    models: their bounds take the probabilities that they rest on, and the residuals of the linear
    models, which are the wider where trees predict better.
    """
    fold = one.fold[0] if len(one.fold) else np.arange(len(one.treated)) % 5
    here = np.ones(len(fold), dtype=bool) if drawn is None else drawn
    residual = _residual(y, one.treated, one.x, fold, one.weight)
    score = one.median if len(one.score) else _score(one.treated, one.x, fold, one.weight)
    score, _ = clip_propensity(score, one.treated, estimand, clip)
    found: dict[str, LongShort] = {}
    gains: dict[str, dict[str, Gain]] = {}
    for group, members in groups.items():
        if group in effects:
            plain = _long(residual, one.treated, score, one.weight, members, estimand)
            spread = one.spread(_placed(plain.most.scores, members))
            most = replace(plain.most, scores=spread, df=effects[group].df)
            found[group] = replace(plain, estimate=effects[group], most=most)
            gains[group] = {}
    weight = None if one.weight is None else one.weight[here]
    parts = {group: groups[group][here] for group in found}
    y, treated, x, fold = y[here], one.treated[here], one.x[here], fold[here]
    residual = residual if drawn is None else _residual(y, treated, x, fold, weight)
    whole = _strengths(residual, treated, x, fold, weight, parts, estimand, clip)
    for source in dict.fromkeys(one.sources):
        rest = x[:, np.array([s != source for s in one.sources], dtype=bool)]
        without = _residual(y, treated, rest, fold, weight)
        short = _strengths(without, treated, rest, fold, weight, parts, estimand, clip)
        for group in found:
            if np.ptp(x[parts[group]][:, [s == source for s in one.sources]], axis=0).any():
                gains[group][source] = gain(whole[group], short[group])
    return LongFactors(found, gains)


def gap(found: LongFactors) -> tuple[LongShort, dict[str, np.ndarray]]:
    """Return women's effects less men's, and how far each covariate's like could move them.

    Hidden selection may work in opposite directions among women and men: what it can do to the
    gap is the sum of what it can do to both.

    Returns
    -------
    LongShort
        The gap, of k outcomes.
    dict of str to ndarray, shape (k,)
        Bias by a factor as strong as the covariate among women, and so among men.
    """
    women, men = found.found["women"], found.found["men"]
    bias = {}
    for source in found.gains["women"]:
        if source in found.gains["men"]:
            bias[source] = sum(
                _bias(found.found[g], found.gains[g][source]) for g in ("women", "men")
            )
    return women - men, {k: np.asarray(v) for k, v in bias.items()}


def _bias(found: LongShort, one: Gain) -> np.ndarray:
    with np.errstate(divide="ignore", invalid="ignore"):
        return found.most.value * np.sqrt(one.r2_y * one.r2_d / (1 - one.r2_d))


def _residual(
    y: np.ndarray, treated: np.ndarray, x: np.ndarray, fold: np.ndarray, weight: np.ndarray | None
) -> np.ndarray:
    """Return outcomes less what the regression of the own arm predicts out of fold, (m, k)."""
    rest = np.empty_like(y, dtype=float)
    for arm in (treated, ~treated):
        rest[arm] = (y - cross_fit(y, x, fold, "logistic", arm, weight))[arm]
    return rest


def _score(
    treated: np.ndarray, x: np.ndarray, fold: np.ndarray, weight: np.ndarray | None
) -> np.ndarray:
    """Return probabilities of treatment by a logit, out of fold, shape (m,)."""
    return cross_fit(treated[:, None].astype(float), x, fold, "logistic", weight=weight)[:, 0]


def _strengths(
    residual: np.ndarray,
    treated: np.ndarray,
    x: np.ndarray,
    fold: np.ndarray,
    weight: np.ndarray | None,
    groups: Mapping[str, np.ndarray],
    estimand: str,
    clip: float,
) -> dict[str, LongShort]:
    score = _score(treated, x, fold, weight)
    score = np.clip(score, clip if estimand == "ate" else 0.0, 1 - clip)
    return {g: _long(residual, treated, score, weight, m, estimand) for g, m in groups.items()}


def _long(
    residual: np.ndarray,
    treated: np.ndarray,
    score: np.ndarray,
    weight: np.ndarray | None,
    members: np.ndarray,
    estimand: str,
) -> LongShort:
    """Return the strengths of a group, without its estimate."""
    if min(treated[members].sum(), (~treated[members]).sum()) == 0:
        raise DesignError("a group has one arm only.")
    k = residual.shape[1]
    nothing = Estimates(np.zeros(k), np.zeros((int(members.sum()), k)), np.full(k, np.inf))
    w = None if weight is None else weight[members]
    return long_short(nothing, residual[members], treated[members], score[members], estimand, w)


def _placed(scores: np.ndarray, members: np.ndarray) -> np.ndarray:
    found = np.zeros((len(members), scores.shape[1]))
    found[members] = scores
    return found
