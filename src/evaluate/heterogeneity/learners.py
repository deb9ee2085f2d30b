"""What learns how effects differ, and the honest splits that each is given."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from evaluate.heterogeneity.forest import Forest
from evaluate.heterogeneity.honest import Honest, Learn, Predict, draw_orders, honest_effects
from evaluate.heterogeneity.linear_learner import Linear
from evaluate.heterogeneity.signals import Signals
from evaluate.notes import note
from evaluate.plan.model import Plan
from evaluate.seeds import generator
from evaluate.weighted_bins import fit_trees

OTHER_SPLITS = {"linear": 5, "boosting": 5, "forest": 3}  # where nothing but a test rests on them
LIKELY = 0.01  # shares expected are held above this


@dataclass(frozen=True)
class Boosting:
    """Boosted trees of the signals, in the form of `evaluate.heterogeneity.honest.Learn`.

    Few leaves and slow steps, for a signal says little of its person's effect.

    References
    ----------
    Kennedy (2023), Towards optimal doubly robust estimation of heterogeneous causal effects,
    Electronic Journal of Statistics 17(2).
    """

    trees: int = 50
    rate: float = 0.05
    leaves: int = 4
    smallest: int = 20
    smallest_share: float = 0.05

    def __call__(self, signals: Signals, among: np.ndarray, seed: int) -> Predict:
        """Learn from some persons."""
        target, w = responses(signals, among)
        level = float(w @ target / w.sum()) if w.sum() > 0 else np.nan
        leaf = max(self.smallest, int(self.smallest_share * len(target)))
        if len(target) < 2 * leaf or not signals.x.shape[1] or np.isnan(level):
            return lambda x: np.full(len(x), level)

        from sklearn.ensemble import HistGradientBoostingRegressor  # a second to import

        trees = HistGradientBoostingRegressor(
            max_iter=self.trees,
            learning_rate=self.rate,
            max_leaf_nodes=self.leaves,
            min_samples_leaf=leaf,
            early_stopping=False,
            random_state=seed,
        )
        bins = fit_trees(trees, signals.x[among], target, w)

        def predict(x: np.ndarray) -> np.ndarray:
            return np.asarray(trees.predict(bins(x))) if len(x) else np.empty(0)

        return predict


LEARNERS: dict[str, Learn] = {"linear": Linear(), "boosting": Boosting(), "forest": Forest()}


def responses(signals: Signals, among: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return what regressions of effects on covariates explain, and their weights.

    Parameters
    ----------
    signals : Signals
        The persons.
    among : ndarray of bool, shape (m,)
        Those to learn from.

    Returns
    -------
    response, weight : ndarray, shape (persons learned from,)
        The signals, weighted as the persons are, where the effect is about all. Where it is
        about the treated, a person's share is replaced by the probability p of treatment in the
        weight, and the signal less the share times the average effect is divided by p: the same
        in expectation, in a form that any regression can use.
    """
    signal, share, w = (v[among] for v in (signals.signal, signals.share, signals.weight))
    if (share == 1).all():
        return signal, w
    mass = w @ share
    level = w @ signal / mass if mass > 0 else np.nan
    expected = (signals.treated - signals.treatment_residual)[among]
    expected = np.clip(expected, LIKELY, 1)
    return level + (signal - share * level) / expected, w * expected


def learners_of(plan: Plan) -> dict[str, Learn]:
    """Return the learners with the plan's settings, the one that leads first."""
    asked = plan.analysis.heterogeneity
    forest = Forest(trees=asked.trees, persons=asked.forest_persons)
    found: dict[str, Learn] = {**LEARNERS, "forest": forest}
    return {asked.learner: found.pop(asked.learner), **found}


def drawn_note(plan: Plan, case: Signals, learner: str) -> list[str]:
    """Return the note of a forest that learns from some persons only; empty if it is none."""
    most = plan.analysis.heterogeneity.forest_persons
    return [note("forest_drawn", n=f"{most:,}")] if learner == "forest" and case.m > most else []


def honest_by_learner(plan: Plan, case: Signals, seed: int) -> dict[str, Honest]:
    """Predict effects by every learner, the one that leads first.

    Parameters
    ----------
    plan : Plan
        Its section `analysis.heterogeneity` has folds, splits and the learner that leads.
    case : Signals
        Persons of one outcome and contrast.
    seed : int
        Of the programme; orders of another outcome or contrast are others.

    Returns
    -------
    dict of str to Honest
        By learner. The others have the first `OTHER_SPLITS` of the orders of the one that leads.

    Raises
    ------
    DesignError
        As `draw_orders`.
    """
    asked = plan.analysis.heterogeneity
    place = ("honest", case.outcome, str(case.month), case.arm)
    order = draw_orders(case, asked.folds, asked.splits, generator(seed, *place))
    own = int(generator(seed, *place, "learners").integers(2**31 - 1))
    learners = learners_of(plan)
    splits = {**OTHER_SPLITS, asked.learner: len(order)}
    return {
        name: honest_effects(case, name, learn, order[: splits[name]], own)
        for name, learn in learners.items()
    }
