"""A causal forest on the residuals of outcome and treatment: who gains, never how surely."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from evaluate.heterogeneity.honest import Predict
from evaluate.heterogeneity.signals import Signals

TREE = 1_000  # persons that a tree is grown on, at most: time grows faster than their number
PART = 0.45  # of the persons learned from, that a tree is grown on where they are few
LEAF = 20  # persons in a leaf, at least; fewer where a fortieth of the persons are
FEWEST = 40  # persons, below whom the effect is that of all
THREADS = 2


@dataclass(frozen=True)
class Forest:
    """Causal forest, in the form of `evaluate.heterogeneity.honest.Learn`.

    Trees are grown on one half of their persons and filled with the other. Predictions are of
    persons outside the folds learned from; the forest's own intervals are not used.

    Attributes
    ----------
    trees : int
        Trees of each forest.
    persons : int
        Persons drawn to learn from where there are more.
    threads : int
        Of the processor, for growing; the predictions do not depend on it.

    References
    ----------
    Athey, Tibshirani and Wager (2019), Generalized random forests, Annals of Statistics 47(2);
    Nie and Wager (2021), Quasi-oracle estimation of heterogeneous treatment effects, Biometrika
    108(2).
    """

    trees: int = 100
    persons: int = 20_000
    threads: int = THREADS

    def __call__(self, signals: Signals, among: np.ndarray, seed: int) -> Predict:
        """Learn from some persons."""
        rows = self.drawn(among, seed)
        y, d, w = (
            values[rows]
            for values in (signals.outcome_residual, signals.treatment_residual, signals.weight)
        )
        x = signals.x
        spread = w @ d**2
        level = float(w @ (y * d) / spread) if spread > 0 else np.nan
        if len(rows) < FEWEST or not x.shape[1] or not spread > 0:
            return lambda x: np.full(len(x), level)

        from econml.grf import CausalForest  # seconds to import

        forest = CausalForest(
            n_estimators=self.trees,
            criterion="het",
            max_samples=min(PART, TREE / len(rows)),
            min_samples_leaf=min(LEAF, max(len(rows) // FEWEST, 2)),
            honest=True,
            inference=False,
            subforest_size=1,
            n_jobs=self.threads,
            random_state=seed,
        ).fit(x[rows], d, y, sample_weight=None if (w == w[0]).all() else w)

        forest.n_jobs = 1  # threads add up predictions of trees in the order they end

        def predict(x: np.ndarray) -> np.ndarray:
            if not len(x):
                return np.empty(0)
            effect = np.asarray(forest.predict(x), dtype=float).reshape(len(x))
            return np.where(np.isfinite(effect), effect, level)

        return predict

    def drawn(self, among: np.ndarray, seed: int) -> np.ndarray:
        """Return the places of those learned from: all of a mask, or as many as there may be."""
        rows = np.flatnonzero(among)
        if len(rows) <= self.persons:
            return rows
        chosen = np.random.default_rng(seed).choice(len(rows), self.persons, replace=False)
        return rows[np.sort(chosen)]
