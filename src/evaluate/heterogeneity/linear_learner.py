"""Effects linear in covariates, their squares and products with gender, shrunken by a ridge.

Everything rests on sums over cells of persons, of which any order of folds is made: to learn
again in other splits costs next to nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from evaluate.heterogeneity.signals import Signals

CLIP = 0.01  # share of the persons at either end whose covariates are held at its bound
SECOND = 0.5  # size of squares and products beside the covariates: they are shrunken more
MOST = 150  # terms: products, then squares, are left out where there would be more
GRID = np.logspace(-3, 3, 25)  # penalties, over the mean variance of the terms
FLAT = 1e-10


@dataclass(frozen=True)
class Basis:
    """Terms of a linear effect, made from covariates alone.

    Attributes
    ----------
    low, high, mean, deviation : ndarray, shape (p,)
        Bounds, and moments within them, of each covariate; the deviation of one that does not
        vary is infinite.
    squared : ndarray of bool, shape (p,)
        Covariates whose squares are terms.
    square : ndarray, shape (2, squares)
        Mean and deviation of the squares.
    gender : ndarray of bool, shape (p,)
        The covariate that the others are multiplied with; none where there are many terms.
    """

    low: np.ndarray
    high: np.ndarray
    mean: np.ndarray
    deviation: np.ndarray
    squared: np.ndarray
    square: np.ndarray
    gender: np.ndarray

    @property
    def terms(self) -> int:
        """Number of terms, with the constant."""
        products = (~self.gender).sum() if self.gender.any() else 0
        return int(1 + len(self.low) + self.squared.sum() + products)

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """Return the terms of persons with covariates ``x``, the constant first."""
        z = (np.clip(x, self.low, self.high) - self.mean) / self.deviation
        parts = [np.ones((len(x), 1)), z]
        if self.squared.any():
            parts.append(SECOND * (z[:, self.squared] ** 2 - self.square[0]) / self.square[1])
        if self.gender.any():
            parts.append(SECOND * z[:, self.gender] * z[:, ~self.gender])
        return np.hstack(parts)


@dataclass(frozen=True)
class Sums:
    """Sums of q terms over the persons of each fold of each split.

    Attributes
    ----------
    gram : ndarray, shape (splits, folds, q, q)
        Of weight, share and products of terms.
    cross : ndarray, shape (splits, folds, q)
        Of weight, signal and terms.
    meat : ndarray, shape (splits, folds, 3, q, q)
        Of weight squared, products of terms, and of the signal with itself, the signal with the
        share (twice) and the share with itself: within persons, or within clusters. What the
        variance of `cross` is made of, whatever the average effect.
    """

    gram: np.ndarray
    cross: np.ndarray
    meat: np.ndarray

    def coefficients(self, penalty: float | None) -> np.ndarray:
        """Learn from folds 0 to k - 1, for each k above zero; shape (splits, folds - 1, q)."""
        gram, cross, meat = (
            np.cumsum(s, axis=1)[:, :-1] for s in (self.gram, self.cross, self.meat)
        )
        found = np.empty(cross.shape)
        for at in np.ndindex(*cross.shape[:2]):
            found[at] = ridge(gram[at], cross[at], meat[at], penalty)
        return found


@dataclass(frozen=True)
class Linear:
    """Ridge regression of the signals, in the form of `evaluate.heterogeneity.honest.Learn`.

    Attributes
    ----------
    penalty : float or None
        As of `ridge`.
    """

    penalty: float | None = None

    def __call__(self, signals: Signals, among: np.ndarray, seed: int) -> Predictor:
        """Learn from some persons."""
        basis = basis_of(signals)
        gram, cross, meat = (s[0] for s in _cell_sums(signals, basis, np.where(among, 0, -1)))
        return Predictor(basis, ridge(gram, cross, meat, self.penalty))

    def along(self, signals: Signals, order: np.ndarray) -> np.ndarray:
        """Return the effects of all splits, shape (splits, m); NaN in fold 0."""
        effect = np.full(order.shape, np.nan)
        basis = basis_of(signals)
        for splits, cell in _cells(order):
            part, place = order[splits], np.arange(len(order))[splits]
            beta = _sums(signals, basis, part, cell).coefficients(self.penalty)
            for rows in _rows(cell):
                fold = part[:, rows[0]]
                mine = np.flatnonzero(fold > 0)
                chosen = beta[mine, fold[mine] - 1]
                effect[np.ix_(place[mine], rows)] = chosen @ basis(signals.x[rows]).T
        return effect


@dataclass(frozen=True)
class Predictor:
    """A linear effect."""

    basis: Basis
    beta: np.ndarray

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """Return the effects of persons with covariates ``x``, shape (m, p)."""
        return self.basis(x) @ self.beta


def basis_of(signals: Signals) -> Basis:
    """Return the terms for these persons: of covariates alone, no outcome has a part in them."""
    x, p = signals.x, signals.x.shape[1]
    low, high = np.quantile(x, [CLIP, 1 - CLIP], axis=0)
    least, most = x.min(axis=0), x.max(axis=0)
    two = ((x == least) | (x == most)).all(axis=0)
    low, high = (np.where(two | (low == high), a, b) for a, b in ((least, low), (most, high)))
    share = signals.weight / signals.weight.sum()
    mean, deviation, of_square = np.empty(p), np.empty(p), np.empty((2, p))
    for j in range(p):
        held = np.clip(x[:, j], low[j], high[j])
        mean[j] = share @ held
        size = np.sqrt(share @ (held - mean[j]) ** 2)
        deviation[j] = size if size > FLAT * max(abs(mean[j]), 1e-300) else np.inf
        z = ((held - mean[j]) / deviation[j]) ** 2
        of_square[:, j] = share @ z, np.sqrt(share @ (z - share @ z) ** 2)
    gender = signals.is_man & np.isfinite(deviation)
    gender &= np.cumsum(gender) == 1
    squared = ~two & np.isfinite(deviation) & (of_square[1] > 1e-6)
    if p + squared.sum() + gender.any() * (p - 1) > MOST:
        gender = np.zeros(p, dtype=bool)
    if p + squared.sum() > MOST:
        squared = np.zeros(p, dtype=bool)
    return Basis(low, high, mean, deviation, squared, of_square[:, squared], gender)


def ridge(
    gram: np.ndarray,
    cross: np.ndarray,
    meat: np.ndarray,
    penalty: float | None = None,
) -> np.ndarray:
    """Return the coefficients of terms, the constant's first and not shrunken, shape (q,).

    Parameters
    ----------
    gram, cross, meat : ndarray, shapes (q, q), (q,), (3, q, q)
        As of `Sums`, of the persons to learn from.
    penalty : float, optional
        Over the mean variance of the terms; by default the one of `GRID` with the smallest
        estimated loss in other persons.

    Notes
    -----
    The loss in other persons is that in these, of `share * effect**2 - 2 * signal * effect`,
    plus twice the covariance of coefficients and `cross`. With `meat` as its variance this holds
    for signals of unequal variance, weights and clusters, as Mallows' criterion does not.

    References
    ----------
    Hoerl and Kennard (1970), Ridge regression, Technometrics 12(1); Takeuchi (1976) and Stone
    (1977), Journal of the Royal Statistical Society B 39(1), on the criterion.
    """
    mass = gram[0, 0]
    if not mass > 0:
        return np.full(cross.shape, np.nan)
    mean, level = gram[0, 1:] / mass, cross[0] / mass
    inner = gram[1:, 1:] / mass - np.outer(mean, mean)
    value, vector = np.linalg.eigh(inner)
    size = value.mean() if len(value) else 0.0
    if not size > 0:
        return np.append(level, np.zeros(len(mean)))
    value = np.maximum(value, 0)
    right = vector.T @ (cross[1:] / mass - mean * level)
    if penalty is None:
        turned = vector.T @ np.column_stack([-mean, np.eye(len(mean))])
        noise = np.stack([((turned @ m) * turned).sum(axis=1) for m in meat], axis=1) / mass**2
        noise = noise @ np.array([1, -level, level**2])
        kept = 1 / (value + size * GRID[:, None])
        loss = (value * kept**2 - 2 * kept) @ right**2 + 2 * kept @ noise
        chosen = kept[loss.argmin()]
    else:
        chosen = 1 / (value + size * penalty)
    slopes = vector @ (chosen * right)
    return np.append(level - mean @ slopes, slopes)


def _cells(order: np.ndarray) -> Iterator[tuple[slice, np.ndarray]]:
    """Yield splits together with cells of persons that all of them keep together.

    One lot of splits if cells are few beside the persons; else every split with its own folds.
    """
    splits, m = order.shape
    cell = order[0]
    for fold in order[1:]:
        cell = np.unique(cell * (int(fold.max()) + 1) + fold, return_inverse=True)[1]
        if 20 * (int(cell.max()) + 1) > m:
            for s in range(splits):
                yield slice(s, s + 1), order[s]
            return
    yield slice(0, splits), cell


def _rows(cell: np.ndarray) -> list[np.ndarray]:
    """Return the persons of each cell; those with a negative one are left out."""
    order = np.argsort(cell, kind="stable")
    order = order[np.searchsorted(cell[order], 0) :]
    return np.split(order, np.flatnonzero(np.diff(cell[order])) + 1)


def _cell_sums(
    signals: Signals, basis: Basis, cell: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the sums of each cell."""
    rows = _rows(cell)
    q = basis.terms
    gram, cross = np.empty((len(rows), q, q)), np.empty((len(rows), q))
    meat = np.empty((len(rows), 3, q, q))
    for c, mine in enumerate(rows):
        z = basis(signals.x[mine])
        weighted = z * signals.weight[mine, None]
        told, about = (weighted * v[mine, None] for v in (signals.signal, signals.share))
        gram[c] = about.T @ z
        cross[c] = told.sum(axis=0)
        if signals.cluster is not None:
            told, about = _by_cluster(told, about, signals.cluster[mine])
        both = told.T @ about
        meat[c] = told.T @ told, both + both.T, about.T @ about
    return gram, cross, meat


def _by_cluster(
    told: np.ndarray, about: np.ndarray, cluster: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    order = np.argsort(cluster, kind="stable")
    first = np.flatnonzero(np.diff(cluster[order], prepend=-1))
    return np.add.reduceat(told[order], first), np.add.reduceat(about[order], first)


def _sums(signals: Signals, basis: Basis, order: np.ndarray, cell: np.ndarray) -> Sums:
    folds = int(order.max()) + 1
    first = np.array([mine[0] for mine in _rows(cell)])
    member = (order[:, None, first] == np.arange(folds)[:, None]).astype(float)

    def joined(sums: np.ndarray) -> np.ndarray:
        flat = member.reshape(-1, len(first)) @ sums.reshape(len(first), -1)
        return flat.reshape(len(order), folds, *sums.shape[1:])

    return Sums(*(joined(s) for s in _cell_sums(signals, basis, cell)))
