"""Cells of persons who would fare alike without the offer, by their covariates."""

from __future__ import annotations

import numpy as np
from scipy import stats

FOLDS = 5
RIDGE = 1.0  # on a slope's square per standard deviation: what one person weighs
MOST = 5  # cells
LEAST = 10  # persons with the outcome in each cell and arm
ROUNDED = 10  # decimals of the largest prediction beyond which two are the same


def prognosis(y: np.ndarray, train: np.ndarray, x: np.ndarray, fold: np.ndarray) -> np.ndarray:
    """Predict outcomes without the offer by ridge regression, for each fold from the others.

    Parameters
    ----------
    y : ndarray, shape (m, k)
        Outcomes, known where ``train`` is true.
    train : ndarray of bool, shape (m,)
        The persons of control who have them.
    x : ndarray, shape (m, p)
        Covariates without missing values.
    fold : ndarray of int, shape (m,)
        Fold of each person; predictions do not rest on the person's own.

    Returns
    -------
    ndarray, shape (m, k)
    """
    spread = x.std(axis=0)
    z = (x - x.mean(axis=0)) / np.where(spread > 0, spread, 1)
    predicted = np.zeros_like(y, dtype=float)
    for f in np.unique(fold):
        rows, into = train & (fold != f), fold == f
        if rows.any():
            centre, level = z[rows].mean(axis=0), y[rows].mean(axis=0)
            own = z[rows] - centre
            inner = own.T @ own + RIDGE * np.eye(z.shape[1])
            slope = np.linalg.solve(inner, own.T @ (y[rows] - level))
            predicted[into] = level + (z[into] - centre) @ slope
    return predicted


def folds(treated: np.ndarray, unit: np.ndarray) -> np.ndarray:
    """Deal the units of either arm to folds in turn; a cluster stays together, shape (m,)."""
    _, first, place = np.unique(unit, return_index=True, return_inverse=True)
    side = treated[first]
    turn = np.where(side, np.cumsum(side), np.cumsum(~side)) - 1
    return np.asarray((turn % FOLDS)[place])


def cells(score: np.ndarray, fold: np.ndarray, full: np.ndarray, treated: np.ndarray) -> np.ndarray:
    """Divide persons into cells of equal size by their rank within their fold.

    A rank within the fold does not depend on the person's own outcome, not even by the fold
    that it is left out of (Abadie, Chingos and West 2018, Endogenous stratification in
    randomized experiments, Review of Economics and Statistics 100(4)).

    Parameters
    ----------
    score : ndarray, shape (m,)
        Predictions by `prognosis`; equal ones stay together.
    fold : ndarray of int, shape (m,)
        Folds.
    full : ndarray of bool, shape (m,)
        Who has the outcome.
    treated : ndarray of bool, shape (m,)
        Who is in the arm.

    Returns
    -------
    ndarray of int, shape (m,)
        As many cells as leave at least 10 persons with the outcome in each arm of each, up to
        5; all zero where there are too few for two.
    """
    score = np.round(score / (np.abs(score).max() or 1), ROUNDED)
    rank = np.zeros(len(score))
    for f in np.unique(fold):
        here = fold == f
        rank[here] = (stats.rankdata(score[here]) - 0.5) / here.sum()
    for count in range(MOST, 1, -1):
        _, cell = np.unique((rank * count).astype(int), return_inverse=True)
        held = np.bincount(2 * cell + treated, full, minlength=2 * (cell.max() + 1))
        if cell.max() and held.min() >= LEAST:
            return np.asarray(cell)
    return np.zeros(len(score), dtype=int)
