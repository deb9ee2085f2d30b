"""Regressions whose predictions for a person come from persons of the other folds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import expit, logit

from evaluate.errors import DesignError
from evaluate.weighted_bins import fit_trees

FLAT = 1e-10  # of a column's variance: what is left below it is rounding
RIDGE = 1e-9  # of the persons: keeps slopes finite where a covariate tells outcomes apart
CLOSE = 1e-6  # a Newton step this short leaves an error of its square
STEPS = 60
CHUNK = 2048  # rows at a time, so that they stay in the processor's cache


@dataclass(frozen=True)
class Boosting:
    """Settings of the boosted trees; deterministic, without early stopping."""

    trees: int = 100
    rate: float = 0.1
    leaves: int = 15
    smallest: int = 20


@dataclass(frozen=True)
class Cells:
    """Persons sorted by fold and, within it, those to learn from last.

    Attributes
    ----------
    order : ndarray of int, shape (n,)
        The persons in this order.
    whole : tuple of slice
        Places of each fold.
    fitted : tuple of slice
        Places in it of those to learn from.
    """

    order: np.ndarray
    whole: tuple[slice, ...]
    fitted: tuple[slice, ...]

    def others(self, fold: int) -> list[slice]:
        """Return the places of those to learn from outside a fold."""
        return [s for f, s in enumerate(self.fitted) if f != fold]

    def learners(self) -> int:
        """Return the fewest persons that any fold is predicted from."""
        count = [s.stop - s.start for s in self.fitted]
        return sum(count) - max(count)


def binary(y: np.ndarray) -> np.ndarray:
    """Tell which columns hold 0 and 1 only, shape (k,)."""
    return ((y == 0) | (y == 1)).all(axis=0)


def cross_fit(
    y: np.ndarray,
    x: np.ndarray,
    fold: np.ndarray,
    learner: str | Sequence[str] = "linear",
    among: np.ndarray | None = None,
    weight: np.ndarray | None = None,
    boosting: Boosting | None = None,
    seed: int = 0,
) -> np.ndarray:
    """Predict outcomes of all persons from those of other folds, for instance of one arm.

    Parameters
    ----------
    y : ndarray, shape (n, k)
        Outcomes, one column each; used of those in ``among`` only.
    x : ndarray, shape (n, p)
        Covariates.
    fold : ndarray of int, shape (n,)
        Folds, from 0 on.
    learner : str, or one for each outcome
        "linear": least squares, one factorisation per fold for all outcomes. "logistic":
        maximum likelihood for columns of 0 and 1, least squares for others. "boosting":
        gradient-boosted trees, of log loss for columns of 0 and 1.
    among : ndarray of bool, shape (n,), optional
        Whom to learn from; all if not given.
    weight : ndarray, shape (n,), optional
        Weights above zero.
    boosting : Boosting, optional
        Settings of the trees.
    seed : int
        Of the trees, which draw the bounds of their bins from 200,000 persons.

    Returns
    -------
    ndarray, shape (n, k)
        In the unit of the outcomes; of columns of 0 and 1 probabilities, but from "linear".
        Where a covariate tells 0 from 1 the probabilities are near 0 and 1.

    Raises
    ------
    DesignError
        If a fold leaves no more persons to learn from than there are parameters.
    """
    n, k = y.shape
    among = np.ones(n, dtype=bool) if among is None else among
    names = np.array([learner] * k if isinstance(learner, str) else list(learner))
    if unknown := set(names) - {"linear", "logistic", "boosting"}:
        raise ValueError(f"no learner is called {sorted(unknown)}")
    names[(names == "logistic") & ~binary(y[among])] = "linear"
    cells = _cells(fold, among)
    fewest, need = cells.learners(), x.shape[1] + 2
    if fewest < (2 if (names == "boosting").all() else need):
        raise DesignError(
            f"{x.shape[1]} covariates, but a fold leaves only {fewest} persons of an arm to "
            f"learn from, and {need} are needed: name fewer covariates, or take fewer folds."
        )
    settings = boosting or Boosting()
    y, w = y[cells.order], np.ones(n) if weight is None else weight[cells.order]
    x = x[cells.order]
    predicted = np.empty((n, k))
    if (names != "boosting").any():
        z = _standardised(x)
        for name, fit in (("linear", _linear), ("logistic", _logistic)):
            if (mine := names == name).any():
                predicted[:, mine] = fit(y[:, mine], z, w, cells)
    for j in np.flatnonzero(names == "boosting"):
        predicted[:, j] = _boosted(y[:, j], x, w, cells, settings, seed)
    found = np.empty((n, k))
    found[cells.order] = predicted
    return found


def selected(
    y: np.ndarray,
    x: np.ndarray,
    fold: np.ndarray,
    among: np.ndarray,
    weight: np.ndarray | None = None,
    boosting: Boosting | None = None,
    seed: int = 0,
) -> tuple[list[str], np.ndarray, np.ndarray]:
    """Choose each outcome's learner by the loss in persons it did not learn from.

    Parameters
    ----------
    y, x, fold, among, weight, boosting, seed
        As of `cross_fit`.

    Returns
    -------
    names : list of str, length k
        "linear" (for columns of 0 and 1 "logistic") or "boosting".
    predicted : ndarray, shape (n, k)
        The chosen learners' predictions.
    loss : ndarray, shape (2, k)
        Mean squared errors of the two, in the order above, in ``among``, out of fold.

    References
    ----------
    van der Laan and Dudoit (2003), on the cross-validation selector; Chernozhukov et al.
    (2018), section 4, on choosing among learners by out-of-sample fit.
    """
    both = [
        cross_fit(y, x, fold, name, among, weight, boosting, seed)
        for name in ("logistic", "boosting")
    ]
    w = None if weight is None else weight[among]
    loss = np.stack([np.average((y - g)[among] ** 2, axis=0, weights=w) for g in both])
    better = loss[1] < loss[0]
    plain = np.where(binary(y[among]), "logistic", "linear")
    return np.where(better, "boosting", plain).tolist(), np.where(better, both[1], both[0]), loss


def _cells(fold: np.ndarray, among: np.ndarray) -> Cells:
    order = np.lexsort((among, fold))
    size = np.bincount(fold)
    stop = np.cumsum(size)
    mine = np.bincount(fold[among], minlength=len(size))
    bounds = list(zip(stop, size, mine, strict=True))
    return Cells(
        order,
        tuple(slice(int(b - s), int(b)) for b, s, _ in bounds),
        tuple(slice(int(b - m), int(b)) for b, _, m in bounds),
    )


def _standardised(x: np.ndarray) -> np.ndarray:
    """Return a constant and the covariates with mean 0 and deviation 1, shape (n, p + 1)."""
    deviation = x.std(axis=0)
    z = np.ones((len(x), x.shape[1] + 1))
    np.subtract(x, x.mean(axis=0), out=z[:, 1:])
    z[:, 1:] /= np.where(deviation > 0, deviation, 1)
    return z


def _linear(y: np.ndarray, z: np.ndarray, w: np.ndarray, cells: Cells) -> np.ndarray:
    """Predict by least squares: cross-products by fold, and for each the sum of the others'."""
    level = y.mean(axis=0)
    y = y - level
    gram, cross = [], []
    for s in cells.fitted:
        weighted = z[s] * w[s, None]
        gram.append(weighted.T @ z[s])
        cross.append(weighted.T @ y[s])
    predicted = np.empty(y.shape)
    for f, s in enumerate(cells.whole):
        others = [g for g in range(len(gram)) if g != f]
        predicted[s] = z[s] @ _solved(sum(gram[g] for g in others), sum(cross[g] for g in others))
    predicted += level
    return predicted


def _solved(gram: np.ndarray, cross: np.ndarray) -> np.ndarray:
    """Return coefficients, the constant's first; 0 for what does not vary among the fitted."""
    mass, mean = gram[0, 0], gram[0] / gram[0, 0]
    inner = gram[1:, 1:] - mass * np.outer(mean[1:], mean[1:])
    right = cross[1:] - np.outer(mean[1:], cross[0])
    size = np.diag(inner)
    scale = np.where(size > FLAT * mass, 1 / np.sqrt(np.maximum(size, FLAT * mass)), 0)
    value, vector = np.linalg.eigh(inner * np.outer(scale, scale))
    largest = value[-1:].max(initial=0)
    inverse = np.where(value > FLAT * largest, 1 / np.maximum(value, 1e-300), 0)
    slopes = scale[:, None] * (vector @ (inverse[:, None] * (vector.T @ (scale[:, None] * right))))
    return np.vstack([cross[0] / mass - mean[1:] @ slopes, slopes])


def _logistic(y: np.ndarray, z: np.ndarray, w: np.ndarray, cells: Cells) -> np.ndarray:
    """Predict probabilities; each fold's search starts where that of all persons ended."""
    start = np.zeros((z.shape[1], y.shape[1]))
    predicted = np.empty(y.shape)
    start[:, _varies(y, cells.fitted)] = _newton(
        y[:, _varies(y, cells.fitted)], z, w, cells.fitted, None
    )
    for f, s in enumerate(cells.whole):
        others = cells.others(f)
        varies = _varies(y, others)
        predicted[s] = y[max(others, key=lambda o: o.stop - o.start).start]
        beta = _newton(y[:, varies], z, w, others, start[:, varies])
        predicted[s.start : s.stop, varies] = expit(z[s] @ beta)
    return predicted


def _varies(y: np.ndarray, rows: Sequence[slice]) -> np.ndarray:
    """Tell which columns of 0 and 1 hold both."""
    ones = sum(y[s].sum(axis=0) for s in rows)
    return (ones > 0) & (ones < sum(s.stop - s.start for s in rows))


def _newton(
    y: np.ndarray, z: np.ndarray, w: np.ndarray, rows: Sequence[slice], start: np.ndarray | None
) -> np.ndarray:
    """Return the logistic coefficients of each column, shape (p + 1, k), by Newton's steps."""
    mass = sum(w[s].sum() for s in rows)
    if start is None:
        start = np.zeros((z.shape[1], y.shape[1]))
        start[0] = logit(sum(w[s] @ y[s] for s in rows) / mass)
    beta = start
    ridge = np.full((len(beta), 1), RIDGE * mass)
    ridge[0] = 0
    beta, before, least = beta.copy(), beta.copy(), np.full(y.shape[1], np.inf)
    searching = np.ones(y.shape[1], dtype=bool)
    for _ in range(STEPS):
        if not searching.any():
            break
        here = beta[:, searching]
        loss, slope, bend = _likelihood(y[:, searching], z, w, rows, here)
        loss = loss + (ridge * here**2).sum(axis=0) / 2
        bend = bend + np.diag(ridge[:, 0])
        step = np.linalg.solve(bend, (slope - ridge * here).T[..., None])[..., 0].T
        worse = loss > least[searching] * (1 + 1e-12)
        there = np.where(worse, (here + before[:, searching]) / 2, here + step)
        before[:, searching] = np.where(worse, before[:, searching], here)
        least[searching] = np.where(worse, least[searching], loss)
        beta[:, searching] = there
        searching[searching] = np.abs(there - here).max(axis=0) > CLOSE
    return beta


def _likelihood(
    y: np.ndarray, z: np.ndarray, w: np.ndarray, rows: Sequence[slice], beta: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return minus the log likelihood, its downward slope and its curvature, by column."""
    p, k = beta.shape
    loss, slope, bend = np.zeros(k), np.zeros((p, k)), np.zeros((k, p, p))
    for s in rows:
        for first in range(s.start, s.stop, CHUNK):
            part = slice(first, min(first + CHUNK, s.stop))
            a, b, mass = z[part], y[part], w[part, None]
            eta = a @ beta
            chance = expit(eta)
            loss += (mass * (np.logaddexp(0, eta) - b * eta)).sum(axis=0)
            slope += a.T @ (mass * (b - chance))
            spread = mass * chance * (1 - chance)
            for j in range(k):
                bend[j] += (a * spread[:, [j]]).T @ a
    return loss, slope, bend


def _boosted(
    y: np.ndarray, x: np.ndarray, w: np.ndarray, cells: Cells, settings: Boosting, seed: int
) -> np.ndarray:
    """Predict one outcome by boosted trees."""
    from sklearn.ensemble import (  # a second to import
        HistGradientBoostingClassifier,
        HistGradientBoostingRegressor,
    )

    two = bool(binary(y[np.concatenate([np.r_[s] for s in cells.fitted])][:, None])[0])
    make: Callable = HistGradientBoostingClassifier if two else HistGradientBoostingRegressor
    predicted = np.empty(len(y))
    for f, s in enumerate(cells.whole):
        others = np.concatenate([np.r_[o] for o in cells.others(f)])
        target = y[others]
        if (target == target[0]).all():
            predicted[s] = target[0]
            continue
        trees = make(
            max_iter=settings.trees,
            learning_rate=settings.rate,
            max_leaf_nodes=settings.leaves,
            min_samples_leaf=settings.smallest,
            early_stopping=False,
            random_state=seed,
        )
        asked = fit_trees(trees, x[others], target, w[others])(x[s])
        predicted[s] = trees.predict_proba(asked)[:, 1] if two else trees.predict(asked)
    return predicted
