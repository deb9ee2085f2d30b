"""Honest splits: effects predicted for persons by what was learned from others before them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from evaluate.effects.observational.folds import draw_folds
from evaluate.errors import DesignError
from evaluate.heterogeneity.signals import Signals
from evaluate.seeds import generator

Predict = Callable[[np.ndarray], np.ndarray]  # covariates (m, p) to effects (m,)
Learn = Callable[[Signals, np.ndarray, int], Predict]
"""Learns conditional effects from some persons: signals, a mask of shape (m,), a seed."""

MOST = 20_000  # persons, above whom signals to learn from are not made anew
MANY = 5_000  # persons, above whom cells are drawn once and put in another order by each split
FEW = 1_000  # persons of the smaller arm, below whom signals to learn from are made anew
CELLS = 40  # in a fold: 1 pair of persons in 200 then never meets, with five folds


@dataclass(frozen=True)
class Honest:
    """Predicted effects, of persons who were not learned from.

    In each split persons, or whole clusters, are put into folds in a random order. A learner is
    fitted to the folds before a person's; those of the first fold are learned from alone.

    Attributes
    ----------
    learner : {"linear", "boosting", "forest"}
        What predicted.
    fold : ndarray of int, shape (splits, m)
        Place of each person's fold in the order, from 0 on.
    effect : ndarray, shape (splits, m)
        Predicted effect; NaN in fold 0.
    """

    learner: str
    fold: np.ndarray
    effect: np.ndarray

    @property
    def mean(self) -> np.ndarray:
        """Each person's mean over the splits that predicted it, shape (m,); NaN if none did."""
        found = np.isfinite(self.effect)
        total = np.where(found, self.effect, 0).sum(axis=0)
        with np.errstate(invalid="ignore"):
            return total / np.where(found.any(axis=0), found.sum(axis=0), np.nan)


def draw_orders(signals: Signals, folds: int, splits: int, rng: np.random.Generator) -> np.ndarray:
    """Put persons, or whole clusters, into folds in a random order, several times over.

    Parameters
    ----------
    signals : Signals
        The persons; each fold gets its part of treated and compared women and men.
    folds : int
        Folds wanted, three or more; no more are drawn than the smaller arm has persons or
        clusters.
    splits : int
        Orders, one or more.
    rng : Generator
        Where the draws come from.

    Returns
    -------
    ndarray of int, shape (splits, m)
        Place of each person's fold, from 0 on. Of many persons those of a cell, drawn once, stay
        together in every split, so that one pass over the data serves them all.

    Raises
    ------
    DesignError
        If an arm has fewer than two persons, or clusters.
    """
    folds = min(folds, _fewest(signals))
    if folds < 2:
        raise DesignError("fewer than two persons, or clusters, of an arm: nothing can be learned.")
    cells = CELLS * folds
    kind = {"stratum": signals.groups["men"].astype(int)} if signals.both_genders else {}
    if signals.m <= MANY or _fewest(signals) <= cells:
        return draw_folds(signals.treated, folds, splits, rng, cluster=signals.cluster, **kind)
    (cell,) = draw_folds(signals.treated, cells, 1, rng, cluster=signals.cluster, **kind)
    return np.stack([(rng.permutation(cells) % folds)[cell] for _ in range(splits)])


def honest_effects(
    signals: Signals, learner: str, learn: Learn, order: np.ndarray, seed: int
) -> Honest:
    """Predict every person's effect, split by split, from the folds before its own.

    Parameters
    ----------
    signals : Signals
        The persons.
    learner : {"linear", "boosting", "forest"}
        Name of the learner.
    learn : Learn
        What learns; one with a method ``along`` does all splits at once.
    order : ndarray of int, shape (splits, m)
        As of `draw_orders`.
    seed : int
        Of what the learner draws; each fit has its own.

    Returns
    -------
    Honest
        Effects in the unit of the outcome. Given the covariates and the order, those of a fold
        depend on the outcomes of the folds before it alone; through outcome regressions, which
        are fitted to later folds too, they do not either where an arm has few persons, see
        `renewed`.

    References
    ----------
    Wager (2024), Sequential validation of treatment heterogeneity, arXiv 2405.05534; Luedtke and
    van der Laan (2016), Statistical inference for the mean outcome under a possibly non-unique
    optimal treatment strategy, Annals of Statistics 44(2).
    """
    along = getattr(learn, "along", None)
    few = _fewest(signals) < FEW and signals.m <= MOST
    if along is not None and not few:
        return Honest(learner, order, along(signals, order))
    effect = np.full(order.shape, np.nan)
    seeds = generator(seed, learner).integers(2**31 - 1, size=(len(order), order.max() + 1))
    for split, fold in enumerate(order):
        for k in range(1, fold.max() + 1):
            mine = fold == k
            past = renewed(signals, fold < k) if few else signals
            predict = learn(past, fold < k, int(seeds[split, k]))
            effect[split, mine] = predict(signals.x[mine])
    return Honest(learner, order, effect)


def renewed(signals: Signals, among: np.ndarray) -> Signals:
    """Return signals whose outcome regressions are fitted to some of the persons again.

    A person's outcome regression was fitted to others, also of folds that are judged later. What
    is learned from its error would know their outcomes, and agree with them more than by chance:
    with a fifth of 800 treated and 20 covariates the tests of one effect for everybody rejected
    in 8 to 10 per cent, with signals renewed (and departures balanced) in 4 to 5.

    Parameters
    ----------
    signals : Signals
        The persons.
    among : ndarray of bool, shape (m,)
        Those who are learned from.

    Returns
    -------
    Signals
        Residuals of either arm are regressed on the covariates among these persons, and what
        they explain is moved from the correction into the regression. Whatever is straight in
        the covariates in an error of a regression is so replaced by these persons' own.

    References
    ----------
    Wager (2024), Sequential validation of treatment heterogeneity, arXiv 2405.05534, where all
    that is learned comes from the folds before.
    """
    x = np.column_stack([np.ones(signals.m), signals.x])
    plain, correction = signals.signal - signals.correction, signals.correction.copy()
    for arm in (signals.treated, ~signals.treated):
        own = among & arm & (signals.inverse_weight > 0)
        if own.any():
            fit = x @ _straight(
                x[own],
                (signals.weight * signals.inverse_weight)[own],
                (signals.weight * signals.correction)[own],
            )
            plain = plain + signals.share * fit
            correction[arm] -= (signals.inverse_weight * fit)[arm]
    w = signals.weight
    level = x @ _straight(x[among], w[among], (w * signals.outcome_residual)[among])
    return replace(
        signals,
        signal=plain + correction,
        correction=correction,
        outcome_residual=signals.outcome_residual - level,
    )


def _straight(x: np.ndarray, mass: np.ndarray, response: np.ndarray) -> np.ndarray:
    """Return the coefficients of weighted least squares of response / mass."""
    size = np.sqrt(np.maximum(mass @ x**2, 1e-300))
    gram = (x * mass[:, None] / size).T @ (x / size)
    return np.asarray(np.linalg.pinv(gram, 1e-10, hermitian=True) @ (response @ x / size) / size)


def _fewest(signals: Signals) -> int:
    """Return the number of persons, or clusters, of the smaller arm."""
    arms = (signals.treated, ~signals.treated)
    if signals.cluster is None:
        return int(min(a.sum() for a in arms))
    return min(len(np.unique(signals.cluster[a])) for a in arms)
