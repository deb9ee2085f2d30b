"""Nearest neighbours with all ties, by sorting in one dimension and by a tree in several."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse
from scipy.spatial import cKDTree

from evaluate.errors import DesignError

SAME = 1e-10  # distances this near each other, in standard deviations, are ties
SINGULAR = 1e-9  # smallest eigenvalue of a correlation matrix that can be inverted
CELLS = 2_000_000  # entries of a table of distances held at a time
SLACK = 1e-5  # how much farther the last point looked at must be for no tie to be beyond it
FEW_COLUMNS = 10  # with more, a tree visits most of its leaves: compare with everyone instead


@dataclass(frozen=True)
class Neighbours:
    """Who is near whom, between points: persons with the same covariates share a point.

    Attributes
    ----------
    origin : ndarray of int, shape (a,)
        Point of each person who has neighbours.
    target : ndarray of int, shape (b,)
        Point of each person who may be a neighbour.
    start : ndarray of int, shape (points of origin + 1,)
        Where the neighbours of a point begin; none if it has too few.
    point : ndarray of int, shape (pairs,)
        The neighbouring points of target.
    distance : ndarray, shape (pairs,)
        How far they are, in standard deviations.
    """

    origin: np.ndarray
    target: np.ndarray
    start: np.ndarray
    point: np.ndarray
    distance: np.ndarray

    @property
    def near(self) -> sparse.csr_array:
        """One for each pair of neighbouring points, shape (of origin, of target)."""
        return self.filled(np.ones(len(self.point)))

    def filled(self, values: np.ndarray) -> sparse.csr_array:
        """Return a value for each pair, shape (points of origin, points of target)."""
        shape = (len(self.start) - 1, self.target.max(initial=-1) + 1)
        return sparse.csr_array((values, self.point, self.start), shape=shape)

    def moments(self, values: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return number, means and variances of the neighbours of each person.

        ``values`` has shape (b, k); the others (a,), (a, k) and (a, k), zero for those without.
        """
        size = self.near @ np.bincount(self.target)
        per = np.where(size > 0, size, 1)[:, None]
        mean = (self.near @ group_sums(self.target, values)) / per
        square = (self.near @ group_sums(self.target, values**2)) / per
        spread = np.maximum(square - mean**2, 0) * per / np.maximum(per - 1, 1)
        return size[self.origin], mean[self.origin], spread[self.origin]

    def passed(self, values: np.ndarray) -> np.ndarray:
        """Return for each of those among the sum over whose neighbour they are, (b,)."""
        return (self.near.T @ np.bincount(self.origin, values))[self.target]

    @property
    def found(self) -> np.ndarray:
        """Whether a person has neighbours, shape (a,)."""
        return np.diff(self.start)[self.origin] > 0


def coordinates(x: np.ndarray, metric: str, weight: np.ndarray | None = None) -> np.ndarray:
    """Return coordinates whose straight-line distances are those of a metric.

    Parameters
    ----------
    x : ndarray, shape (n, p)
        What to match on.
    metric : {"score", "inverse_variance", "mahalanobis"}
        A single score, or columns over their standard deviations, or the distance of
        Mahalanobis with the covariance of all n persons.
    weight : ndarray, shape (n,), optional
        Weights of the persons, for standard deviations and covariance.

    Returns
    -------
    ndarray, shape (n, p)
        In standard deviations.

    Raises
    ------
    DesignError
        If a column is constant, or depends on the others where they are to be inverted.
    """
    w = np.ones(len(x)) if weight is None else weight
    centred = x - w @ x / w.sum()
    sd = np.sqrt(w @ centred**2 / w.sum())
    if metric == "score" and x.shape[1] != 1:
        raise DesignError(f"matching on a score takes one column, not {x.shape[1]}.")
    if not (sd > 0).all():
        raise DesignError("a column to match on is the same for everyone: leave it out.")
    z = centred / sd
    if metric != "mahalanobis":
        return z
    values, vectors = np.linalg.eigh((w[:, None] * z).T @ z / w.sum())
    if values[0] < SINGULAR:
        raise DesignError(
            f"the {x.shape[1]} columns to match on depend on each other: leave out those that "
            "the others explain, or match by inverse variance."
        )
    point, first = distinct(x)  # a product of equal rows may differ in its last digit
    return (z[first] @ (vectors / np.sqrt(values)))[point]


def neighbours(
    z: np.ndarray,
    of: np.ndarray,
    among: np.ndarray,
    m: int,
    cell: np.ndarray | None = None,
    radius: float = np.inf,
    box: np.ndarray | None = None,
) -> Neighbours:
    """Find the m nearest of some persons among others, and all who tie with the last.

    Parameters
    ----------
    z : ndarray, shape (n, p)
        Coordinates, see `coordinates`.
    of, among : ndarray of int
        The persons who look, and those they look among; who is in both finds themselves.
    m : int
        How many persons to find at least.
    cell : ndarray of int, shape (n,), optional
        Neighbours are of the same cell.
    radius : float
        Neighbours are no farther than this.
    box : ndarray, shape (n, c), optional
        Columns in which neighbours differ by at most 1.

    Returns
    -------
    Neighbours
        None for those with fewer than m in reach.
    """
    cell = np.zeros(len(z), dtype=int) if cell is None else cell
    key = np.column_stack([z] + ([] if box is None else [box]) + [cell])
    origin, first = distinct(key[of])
    target, second = distinct(key[among])
    count = np.bincount(target)
    seek, find = of[first], among[second]
    rows, points, distances = [], [], []
    order = np.argsort(cell[find], kind="stable")
    codes, begin = np.unique(cell[find][order], return_index=True)
    places = dict(zip(codes.tolist(), np.split(order, begin[1:]), strict=True))
    mine = np.argsort(cell[seek], kind="stable")
    codes, begin = np.unique(cell[seek][mine], return_index=True)
    for code, here in zip(codes.tolist(), np.split(mine, begin[1:]), strict=True):
        if (there := places.get(code)) is None or count[there].sum() < m:
            continue
        q, t = z[seek[here]], z[find[there]]
        if z.shape[1] == 1 and box is None:
            r, i, d = _sorted(q[:, 0], t[:, 0], count[there], m, radius)
        else:
            sides = None if box is None else (box[seek[here]], box[find[there]])
            r, i, d = _searched(q, t, count[there], m, radius, sides)
        rows.append(here[r])
        points.append(there[i])
        distances.append(d)
    row = np.concatenate(rows) if rows else np.empty(0, dtype=int)
    point = np.concatenate(points) if rows else np.empty(0, dtype=int)
    distance = np.concatenate(distances) if rows else np.empty(0)
    order = np.argsort(row, kind="stable")
    start = np.concatenate([[0], np.cumsum(np.bincount(row, minlength=len(seek)))])
    return Neighbours(origin, target, start, point[order], distance[order])


def distinct(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the point of each row, numbered, and the first row of each point."""
    rows = np.ascontiguousarray(rows, dtype=float) + 0.0  # no negative zeros
    whole = np.dtype((np.void, rows.itemsize * rows.shape[1]))
    keys = rows[:, 0] if (rows[:, 1:] == rows[:1, 1:]).all() else rows.view(whole)[:, 0]
    _, first, point = np.unique(keys, return_index=True, return_inverse=True)
    return point, first


def group_sums(group: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Return sums of rows by group, shape (groups, k) or (groups,)."""
    if values.ndim == 1:
        return np.bincount(group, values)
    n = len(group)
    of = sparse.csr_array((np.ones(n), (group, np.arange(n))), shape=(group.max() + 1, n))
    return of @ values


def _sorted(
    q: np.ndarray, t: np.ndarray, count: np.ndarray, m: int, radius: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Find neighbours on a line: rows of q, of t, and distances."""
    order = np.argsort(t)
    t, count = t[order], count[order]
    place = np.searchsorted(t, q)
    nearby = place[:, None] + np.arange(-m, m)
    inside = (nearby >= 0) & (nearby < len(t))
    nearby = np.clip(nearby, 0, len(t) - 1)
    d = np.where(inside, np.abs(t[nearby] - q[:, None]), np.inf)
    if m == 1:
        reach = d.min(axis=1)
    else:
        closest = np.argsort(d, axis=1)
        tally = np.cumsum(np.take_along_axis(count[nearby], closest, axis=1), axis=1)
        last = (tally >= m).argmax(axis=1)[:, None]
        reach = np.take_along_axis(np.take_along_axis(d, closest, axis=1), last, axis=1)[:, 0]
    low = np.searchsorted(t, q - reach - SAME)
    high = np.searchsorted(t, q + reach + SAME, side="right")
    number = np.where(reach <= radius + SAME, high - low, 0)
    row = np.repeat(np.arange(len(q)), number)
    step = np.arange(len(row)) - np.repeat(np.cumsum(number) - number, number)
    found = low[row] + step
    return row, order[found], np.abs(t[found] - q[row])


def _searched(
    q: np.ndarray,
    t: np.ndarray,
    count: np.ndarray,
    m: int,
    radius: float,
    box: tuple[np.ndarray, np.ndarray] | None,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Find neighbours in several dimensions: rows of q, of t, and distances.

    Takes the k nearest points, and twice as many for those where the last of them might
    still tie or too few are in reach.
    """
    todo = np.arange(len(q))
    if box is not None:
        bound = 1 + 2 * SAME
        apart, i = cKDTree(box[1]).query(
            box[0], range(1, m + 1), p=np.inf, distance_upper_bound=bound
        )
        held = np.where(np.isfinite(apart), np.append(count, 0)[i], 0)
        todo = todo[held.sum(axis=1) >= m]
    search = Nearest(t)
    k, parts = min(len(t), m + 2), []
    while len(todo):
        left = []
        for rows in np.array_split(todo, len(todo) * k // CELLS + 1):
            d, i = search.nearest(q[rows], k)
            allowed = d <= radius + SAME
            if box is not None:
                apart = np.abs(box[0][rows][:, None, :] - box[1][i]).max(axis=2)
                allowed &= apart <= 1 + SAME
            enough = np.cumsum(np.where(allowed, count[i], 0), axis=1) >= m
            last = np.take_along_axis(d, enough.argmax(axis=1)[:, None], axis=1)[:, 0]
            reach = np.where(enough.any(axis=1), last, np.inf)
            over = d[:, -1] > np.minimum(reach, radius) + SLACK
            done = over | (k == len(t))
            take = allowed & (d <= reach[:, None] + SAME)
            take &= (done & np.isfinite(reach))[:, None]
            row, column = np.nonzero(take)
            parts.append((rows[row], i[row, column], d[row, column]))
            left.append(rows[~done])
        todo, k = np.concatenate(left), min(len(t), 2 * k)
    if not parts:
        return np.empty(0, dtype=int), np.empty(0, dtype=int), np.empty(0)
    row, found, distance = (np.concatenate(p) for p in zip(*parts, strict=True))
    return row, found, distance


class Nearest:
    """The k nearest of a set of points, by a tree or, in many dimensions, by comparing all."""

    def __init__(self, t: np.ndarray) -> None:
        self.t = t
        self.tree = cKDTree(t) if t.shape[1] <= FEW_COLUMNS else None
        self.square = (t**2).sum(axis=1)

    def nearest(self, q: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the k smallest distances from each row of q, ascending, and to which rows."""
        if self.tree is not None:
            return self.tree.query(q, range(1, k + 1))
        found = np.empty((len(q), k), dtype=int)
        for rows in np.array_split(np.arange(len(q)), len(q) * len(self.t) // CELLS + 1):
            # the square of q is the same for all of a row, so the order does not need it
            rough = self.square - 2 * q[rows] @ self.t.T
            found[rows] = _smallest(rough, k)
        d = np.sqrt(((q[:, None, :] - self.t[found]) ** 2).sum(axis=2))
        order = np.argsort(d, axis=1, kind="stable")
        return np.take_along_axis(d, order, axis=1), np.take_along_axis(found, order, axis=1)


def _smallest(values: np.ndarray, k: int) -> np.ndarray:
    if k >= values.shape[1]:
        return np.broadcast_to(np.arange(values.shape[1]), values.shape)
    return np.argpartition(values, k - 1, axis=1)[:, :k]
