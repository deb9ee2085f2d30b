"""Matching without replacement: each takes the nearest who is left, one after the other."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from evaluate.effects.observational.neighbours import SAME, Nearest, Neighbours

Taker = Callable[[int], list[tuple[int, float]]]
FIRST = 8  # points looked at before looking at twice as many


def without_replacement(
    z: np.ndarray,
    of: np.ndarray,
    among: np.ndarray,
    m: int,
    cell: np.ndarray | None = None,
    radius: float = np.inf,
    box: np.ndarray | None = None,
) -> Neighbours:
    """Give each person in turn the m nearest others who nobody before has taken.

    Parameters
    ----------
    z, among, m, cell, radius, box
        As in `neighbours.neighbours`.
    of : ndarray of int
        The persons who look, in the order in which they choose.

    Returns
    -------
    Neighbours
        Every person a point of their own. Exactly m each, or none where fewer are left in
        reach. Which of two equally near is taken hangs on their order in ``among`` and is the
        same every time: shuffle them for a choice at random.
    """
    cell = np.zeros(len(z), dtype=int) if cell is None else cell
    start = np.zeros(len(of) + 1, dtype=int)
    pairs: list[list[tuple[int, float]]] = [[] for _ in of]
    for code in np.unique(cell[of]):
        here, there = np.flatnonzero(cell[of] == code), np.flatnonzero(cell[among] == code)
        q, t = z[of[here]], z[among[there]]
        if z.shape[1] == 1 and box is None:
            take = _on_a_line(q[:, 0], t[:, 0], m, radius)
        else:
            sides = None if box is None else (box[of[here]], box[among[there]])
            take = _in_space(q, t, m, radius, sides)
        for row, person in enumerate(here):
            pairs[person] = [(int(there[i]), d) for i, d in take(row)]
    start[1:] = np.cumsum([len(p) for p in pairs])
    flat = [pair for p in pairs for pair in p]
    point = np.array([i for i, _ in flat], dtype=int)
    distance = np.array([d for _, d in flat], dtype=float)
    return Neighbours(np.arange(len(of)), np.arange(len(among)), start, point, distance)


def _on_a_line(q: np.ndarray, t: np.ndarray, m: int, radius: float) -> Taker:
    """Return what takes the nearest left of a sorted list, skipping those gone."""
    order = np.argsort(t, kind="stable")
    values, place = t[order].tolist(), np.searchsorted(t[order], q).tolist()
    seek, size, rank = q.tolist(), len(t), order.tolist()
    # position i + 1; ends at 0 and size + 1, which are never taken
    lower, upper = list(range(size + 2)), list(range(size + 2))

    def left_from(i: int, step: list[int]) -> int:
        root = i
        while step[root] != root:
            root = step[root]
        while step[i] != root:
            step[i], i = root, step[i]
        return root

    def take(row: int) -> list[tuple[int, float]]:
        at = seek[row]
        found: list[tuple[int, float]] = []
        down, up = left_from(place[row], lower), left_from(place[row] + 1, upper)
        while len(found) < m:
            below = at - values[down - 1] if down > 0 else np.inf
            above = values[up - 1] - at if up <= size else np.inf
            if min(below, above) > radius + SAME or (down == 0 and up > size):
                return []
            if below < above:
                found.append((down, below))
                down = left_from(down - 1, lower)
            else:
                found.append((up, above))
                up = left_from(up + 1, upper)
        for i, _ in found:
            lower[i], upper[i] = i - 1, i + 1
        return [(rank[i - 1], d) for i, d in found]

    return take


def _in_space(
    q: np.ndarray,
    t: np.ndarray,
    m: int,
    radius: float,
    box: tuple[np.ndarray, np.ndarray] | None,
) -> Taker:
    """Return what takes the nearest left among points, looking ever farther."""
    gone = np.zeros(len(t), dtype=bool)
    search = Nearest(t)
    k = min(len(t), m + FIRST)
    distances, nearest = search.nearest(q, k)

    def take(row: int) -> list[tuple[int, float]]:
        d, i = distances[row], nearest[row]
        while True:
            free = ~gone[i] & (d <= radius + SAME)
            if box is not None:
                free &= np.abs(box[0][row] - box[1][i]).max(axis=1) <= 1 + SAME
            found = np.flatnonzero(free)
            if len(found) >= m:
                found = found[:m]
                gone[i[found]] = True
                return [(int(i[f]), float(d[f])) for f in found]
            whole = len(i) == len(t)
            if whole or d[-1] > radius + SAME:
                return []
            one_d, one_i = search.nearest(q[[row]], min(len(t), 2 * len(i)))
            d, i = one_d[0], one_i[0]

    return take
