"""Honest splits: effects predicted for persons by what was learned from others before them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from evaluate.effects.observational.folds import draw_folds
from evaluate.errors import DesignError
from evaluate.heterogeneity.renewed import renewed
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


def _fewest(signals: Signals) -> int:
    """Return the number of persons, or clusters, of the smaller arm."""
    arms = (signals.treated, ~signals.treated)
    if signals.cluster is None:
        return int(min(a.sum() for a in arms))
    return min(len(np.unique(signals.cluster[a])) for a in arms)
