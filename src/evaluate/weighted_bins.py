"""Covariates in bins of equal weight, for boosted trees of persons with weights.

scikit-learn's histogram trees find the same bins, by a search for each bound of each covariate
that takes four fifths of the time of a fit to some hundred persons.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

BINS = 255  # of scikit-learn's trees, besides one for missing values


@dataclass(frozen=True)
class Bins:
    """Bounds of the bins of p covariates.

    Attributes
    ----------
    bounds : tuple of ndarray, optional
        Ascending, for each covariate; a bin holds its upper bound. Without them, covariates stay
        as they are.
    """

    bounds: tuple[np.ndarray, ...] | None = None

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """Return the bins, from 0 on, of covariates of shape (n, p); NaN where missing."""
        if self.bounds is None:
            return x
        binned = np.empty(x.shape)
        for j, bounds in enumerate(self.bounds):
            known = ~np.isnan(x[:, j])
            binned[:, j] = np.where(known, np.searchsorted(bounds, x[:, j]), np.nan)
        return binned


def fit_trees(trees: Any, x: np.ndarray, y: np.ndarray, weight: np.ndarray) -> Bins:
    """Fit histogram trees to persons with weights.

    Parameters
    ----------
    trees : HistGradientBoostingClassifier or HistGradientBoostingRegressor
        Fitted in place.
    x : ndarray, shape (n, p)
        Covariates, NaN where missing.
    y : ndarray, shape (n,)
        What to predict.
    weight : ndarray, shape (n,)
        Weights above zero.

    Returns
    -------
    Bins
        What covariates must go through before these trees predict from them.
    """
    if (weight == weight[0]).all():
        trees.fit(x, y)
        return Bins()
    bins = bins_of(x, weight)
    trees.fit(bins(x), y, weight)
    return bins


def bins_of(x: np.ndarray, weight: np.ndarray) -> Bins:
    """Find the bins, of about equal weight, that boosted trees divide by.

    Parameters
    ----------
    x : ndarray, shape (n, p)
        Covariates of those to learn from, NaN where missing.
    weight : ndarray, shape (n,)
        Weights above zero.

    Returns
    -------
    Bins
        At most `BINS`, so that trees fitted to them make no others. Values in between where there
        are no more values than bins; otherwise quantiles of the weighted distribution, the mean of
        two values where its step meets one.
    """
    return Bins(tuple(_bounds(column, weight) for column in x.T))


def _bounds(column: np.ndarray, weight: np.ndarray) -> np.ndarray:
    known = ~np.isnan(column)
    values, place = np.unique(column[known], return_inverse=True)
    if len(values) <= BINS:
        return (values[1:] + values[:-1]) / 2
    below = np.cumsum(np.bincount(place, weight[known]))
    wanted = below[-1] * np.arange(1, BINS) / BINS
    first = np.searchsorted(below, wanted)
    after = np.minimum(np.searchsorted(below, wanted, side="right"), len(values) - 1)
    return np.unique((values[first] + values[after]) / 2)
