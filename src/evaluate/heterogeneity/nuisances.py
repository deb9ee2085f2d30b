"""Outcome regressions behind the doubly robust scores, and a lottery's probabilities."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from evaluate.covariates import independent
from evaluate.effects.observational.aipw import clip_propensity, signals
from evaluate.effects.observational.nuisance import cross_fit, selected
from evaluate.errors import DesignError
from evaluate.notes import note
from evaluate.study import Study

FEW_FOR_TREES = 1_000  # persons of a lottery, below whom outcome regressions are straight
BY_BLOCK = 10  # persons of the smaller arm for each block that has a level of its own
SAME = 1e-6  # as far apart probabilities in a block may be and be called one
PARTS = (
    "signal",
    "share",
    "correction",
    "inverse_weight",
    "outcome_residual",
    "treatment_residual",
)


@dataclass(frozen=True)
class Treatment:
    """Who of m persons is treated, with folds and probabilities by split.

    Attributes
    ----------
    treated : ndarray of bool, shape (m,)
        Who was offered, or treated.
    fold : ndarray of int, shape (splits, m)
        Folds.
    score : ndarray, shape (splits, m)
        Probability of treatment, drawn or predicted from other folds.
    estimand : {"att", "ate"}
        On the treated, or on all, as also by lottery.
    clip : float
        Bound of the probabilities.
    by_lot : bool
        Whether a lottery drew them.
    """

    treated: np.ndarray
    fold: np.ndarray
    score: np.ndarray
    estimand: str
    clip: float = 0.0
    by_lot: bool = False


@dataclass(frozen=True)
class Regression:
    """How an outcome is predicted from covariates, shape (m, q), by those ``among``."""

    y: np.ndarray
    x: np.ndarray
    learner: str
    among: np.ndarray | None
    weight: np.ndarray | None

    def __call__(self, fold: np.ndarray) -> np.ndarray:
        """Predict all persons, shape (m, 1), each from other folds than their own, shape (m,)."""
        return cross_fit(self.y, self.x, fold, self.learner, self.among, self.weight)


def person_scores(
    y: np.ndarray,
    x: np.ndarray,
    treatment: Treatment,
    learner: str,
    weight: np.ndarray | None = None,
    block: np.ndarray | None = None,
) -> tuple[dict[str, np.ndarray], list[str]]:
    """Return what each person tells of the effect, as a mean over the splits.

    Outcome regressions of a study without a lottery are those of `aipw`. Of a lottery none
    needs to be right, so that they are chosen for precision, by the loss in persons that they
    were not fitted to: means, covariates, or covariates and blocks, straight or by trees.

    Parameters
    ----------
    y : ndarray, shape (m,)
        The outcome.
    x : ndarray, shape (m, p)
        Covariates.
    treatment : Treatment
        Arms, folds and probabilities.
    learner : {"linear", "boosting", "selected"}
        Of the outcome; "linear" is logistic for outcomes of 0 and 1.
    weight : ndarray, shape (m,), optional
        Weights above zero.
    block : ndarray of int, shape (m,), optional
        Blocks of a lottery.

    Returns
    -------
    parts : dict of str to ndarray, shape (m,)
        `PARTS`, as of `Signals`.
    notes : list of str
        What a reader must know.

    Raises
    ------
    DesignError
        If there is no overlap; without a lottery also if covariates are too many for an arm.
    """
    t, y = treatment, y[:, None]
    w = np.ones(len(y)) if weight is None else weight
    sums = {name: np.zeros(len(y)) for name in PARTS}
    arms: list[Regression] = []
    known: list[np.ndarray] = []
    notes: list[str] = []
    for arm in (False,) if t.estimand == "att" else (False, True):
        one = Regression(y, x, learner, t.treated == arm, weight)
        if t.by_lot:
            one, predicted, told = _precise(one, t, block)
            notes += told
        else:
            one, predicted = _as_averages(one, t.fold[0])
        arms.append(one)
        known.append(predicted)
    for s, (split, m) in enumerate(zip(t.fold, t.score, strict=True)):
        held = m if t.by_lot else clip_propensity(m, t.treated, t.estimand, t.clip)[0]
        outcome = [predict(split) for predict in arms] if s else known
        signal, share = signals(y, t.treated, outcome, held, t.estimand, w)
        inverse, correction = _correction(y[:, 0], t, outcome, held)
        sums["inverse_weight"] += inverse
        sums["correction"] += correction
        if t.estimand == "att":
            mean = replace(arms[0], among=None)(split)
        else:
            mean = (1 - held)[:, None] * outcome[0] + held[:, None] * outcome[1]
        sums["signal"] += signal[:, 0]
        sums["share"] += share
        sums["outcome_residual"] += (y - mean)[:, 0]
        sums["treatment_residual"] += t.treated - m
    return {name: values / len(t.fold) for name, values in sums.items()}, notes


def _correction(
    y: np.ndarray, t: Treatment, outcome: Sequence[np.ndarray], held: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return inverse probability weights, and their product with residuals of the outcome."""
    inverse, residual = np.zeros((2, len(y)))
    first, other = t.treated, ~t.treated
    inverse[other] = (held[other] if t.estimand == "att" else 1) / (1 - held[other])
    residual[other] = (outcome[0][:, 0] - y)[other]
    if t.estimand == "ate":
        inverse[first] = 1 / held[first]
        residual[first] = (y - outcome[1][:, 0])[first]
    return inverse, inverse * residual


def drawn(
    study: Study, contrast: tuple[int, int], observed: np.ndarray
) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Return who is in either arm of a lottery, and their probability of the first.

    The probability is the share of the block, weighted as the effects are, which is more precise
    than the one that was meant. Where it is stated by person and differs within a block, and no
    weight stands for it, the stated one is taken. Blocks with one arm tell nothing and are left
    out.

    Parameters
    ----------
    study : Study
        The persons.
    contrast : (int, int)
        One of ``study.contrasts``.
    observed : ndarray of bool, shape (n,)
        Who has the outcome.

    Returns
    -------
    rows : ndarray of bool, shape (n,)
        The m persons.
    probability : ndarray, shape (m,)
        Above 0 and below 1.
    notes : list of str
        What a reader must know.

    Raises
    ------
    DesignError
        If no block holds both arms.
    """
    there = observed & np.isin(study.arm, contrast)
    first = study.arm == contrast[0]
    block = np.zeros(study.n, dtype=int) if study.block is None else study.block
    cells = int(block.max(initial=0)) + 1
    count = np.bincount(block[there], minlength=cells)
    treated = np.bincount(block[there & first], minlength=cells)
    both = (treated > 0) & (treated < count)
    rows = there & both[block]
    notes = [note("blocks", n=lost)] if (lost := int(there.sum() - rows.sum())) else []
    if not rows.any():
        why = note("few" if study.block is None else "no_block")  # which the reports translate
        raise DesignError(why.removeprefix("not estimated: "))
    if study.share is not None and study.weight is None and len(study.arms) == 2:
        low, high = np.full(cells, np.inf), np.full(cells, -np.inf)
        np.minimum.at(low, block[rows], study.share[rows])
        np.maximum.at(high, block[rows], study.share[rows])
        if (high - low > SAME).any() and low.min() > 0 and high.max() < 1:
            return rows, study.share[rows], notes
    w = np.ones(study.n) if study.weight is None else study.weight
    of_all = np.bincount(block[rows], w[rows], cells)
    of_first = np.bincount(block[rows & first], w[rows & first], cells)
    at = block[rows]
    return rows, of_first[at] / of_all[at], notes


def _as_averages(one: Regression, fold: np.ndarray) -> tuple[Regression, np.ndarray]:
    """Return the regression of the average effects, and its predictions in the first split."""
    if one.learner == "selected":
        assert one.among is not None
        names, predicted, _ = selected(one.y, one.x, fold, one.among, one.weight)
        return replace(one, learner=names[0]), predicted
    one = replace(one, learner="logistic" if one.learner == "linear" else one.learner)
    return one, one(fold)


def _precise(
    one: Regression, t: Treatment, block: np.ndarray | None
) -> tuple[Regression, np.ndarray, list[str]]:
    """Return the regression with the least loss out of fold in the first split."""
    assert one.among is not None
    designs = _designs(one.x, block, int(min(t.treated.sum(), (~t.treated).sum())))
    straight = [replace(one, x=x, learner="logistic") for x in designs]
    trees = replace(one, x=designs[-1], learner="boosting")
    if one.learner == "linear" or not trees.x.shape[1]:
        tried = straight[1:] or straight
    elif one.learner == "boosting":
        tried = [trees]
    else:
        tried = straight if len(one.y) < FEW_FOR_TREES else [*straight, trees]
    found: list[tuple[float, Regression, np.ndarray]] = []
    for candidate in tried:
        try:
            predicted = candidate(t.fold[0])
        except DesignError:  # more covariates than persons
            continue
        w = None if one.weight is None else one.weight[one.among]
        loss = np.average(((one.y - predicted)[one.among] ** 2)[:, 0], weights=w)
        found.append((float(loss), candidate, predicted))
    notes = [] if len(found) == len(tried) else [note("covariates_too_many")]
    if not found:
        means = replace(one, x=np.empty((len(one.y), 0)), learner="linear")
        return means, means(t.fold[0]), notes
    _, best, predicted = min(found, key=lambda f: f[0])
    return best, predicted, notes


def _designs(x: np.ndarray, block: np.ndarray | None, smaller: int) -> Sequence[np.ndarray]:
    """Return nothing, the covariates, and with them blocks that are large enough."""
    designs = [np.empty((len(x), 0))]
    if x.shape[1]:
        designs.append(x)
    if block is not None:
        names = np.unique(block)
        if 1 < len(names) <= smaller / BY_BLOCK:
            whole = np.hstack([x, np.equal.outer(block, names[1:]).astype(float)])
            designs.append(whole[:, independent(whole)])
    return designs
