"""Honest splits: effects predicted for persons by what was learned from others before them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from evaluate.heterogeneity.signals import Signals

Predict = Callable[[np.ndarray], np.ndarray]  # covariates (m, p) to effects (m,)
Learn = Callable[[Signals, np.ndarray, int], Predict]
"""Learns conditional effects from some persons: signals, a mask of shape (m,), a seed."""


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
