"""Calibration: do predicted effects tell apart those who gain more from those who gain less?

In the evaluation folds the signals are projected on the predictions. The coefficient is 1 where
predictions are right on average, 0 where they say nothing of the effects. Each fold has a
constant of its own, for its predictions come from a learner of its own.
"""

from __future__ import annotations

import numpy as np
from scipy import optimize, stats

from evaluate.heterogeneity.aggregation import Fold
from evaluate.heterogeneity.signals import Signals

POWER = 0.8


def centred(signals: Signals, fold: Fold) -> np.ndarray:
    """Return the predictions less their mean over those the effect is about, shape (f,)."""
    mass = (signals.weight * signals.share)[fold.rows]
    total = mass.sum()
    if fold.is_flat or not total > 0:
        return np.zeros(len(fold.rows))
    return fold.effect - mass @ fold.effect / total


def calibration(signals: Signals, folds: list[Fold]) -> tuple[float, float]:
    """Project the signals of one split on the predictions, with a constant for each fold.

    Parameters
    ----------
    signals : Signals
        The persons.
    folds : list of Fold
        The evaluation folds of one split.

    Returns
    -------
    coefficient, variance : float
        Of the predictions: the solution of ``sum(w p (signal - share (a + b p))) = 0`` with p
        the centred prediction, which is that of least squares where the share is 1 and holds for
        effects on the treated too. The variance is robust, by cluster where there are any. NaN
        where the predictions of every fold are the same for all.

    References
    ----------
    Chernozhukov, Demirer, Duflo and Fernández-Val (2025), Fisher-Schultz lecture: Generic machine
    learning inference, Econometrica 93(4), on the best linear predictor; Semenova and
    Chernozhukov (2021), Debiased machine learning of conditional average treatment effects,
    Econometrics Journal 24(2).
    """
    rows = np.concatenate([f.rows for f in folds])
    p = np.concatenate([centred(signals, f) for f in folds])
    w, share, signal = (v[rows] for v in (signals.weight, signals.share, signals.signal))
    size = (w * share) @ p**2
    if not size > 0:
        return np.nan, np.nan
    slope = (w * p) @ signal / size
    level = np.concatenate([np.full(len(f.rows), _level(signals, f)) for f in folds])
    scores = np.zeros((signals.m, 1))
    scores[rows, 0] = w * p * (signal - share * (level + slope * p)) / size
    found = signals.by_unit(scores)
    return float(slope), float((found**2).sum())


def _level(signals: Signals, fold: Fold) -> float:
    w, share = signals.weight[fold.rows], signals.share[fold.rows]
    mass = w @ share
    return float(w @ signals.signal[fold.rows] / mass) if mass > 0 else 0.0


def detectable_spread(error: float, covariates: int, folds: int, level: float) -> float:
    """Return the spread of effects that the test would find in 80 of 100 studies, about.

    Parameters
    ----------
    error : float
        Standard error of the average effect.
    covariates : int
        Columns that effects may go by, among which a linear learner must find the right ones.
    folds : int
        Of a split.
    level : float
        Of the test against larger values.

    Returns
    -------
    float
        Standard deviation of the conditional effects, in the unit of the outcome, where they are
        linear in the covariates. A learner of k folds of K has ``s = (deviation / error)**2 k/K``
        units of information, its predictions the correlation root(s / (s + p)) with the effects,
        and a fold t of mean root(deviation**2 / error**2 / K) times that; the mean over splits
        has the variance 1 - 1 / K.
    """
    tails = stats.norm.ppf(level) + stats.norm.ppf(POWER)
    needed = tails * np.sqrt(1 - 1 / folds)
    learned = np.arange(1, folds) / folds

    def lacking(ratio: float) -> float:
        known = ratio**2 * learned
        mean = ratio / np.sqrt(folds) * np.sqrt(known / (known + covariates))
        return float(mean.sum() / np.sqrt(folds - 1) - needed)

    return float(error * optimize.brentq(lacking, 1e-3, 1e6))
