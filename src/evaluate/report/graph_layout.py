"""Where the boxes and arrows of a causal graph stand: layers from causes to effects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

Edge = tuple[str, str]
Slot = tuple[
    str, ...
]  # a box, by its name; or an edge where it passes a layer: cause, effect, layer
SWEEPS = 12
THREAD = 9.0  # points that an arrow takes where it passes between boxes


@dataclass(frozen=True)
class Layout:
    """Boxes in layers, in points; the origin is at the lower left.

    Attributes
    ----------
    layer : dict of str to int
        Of each box, 0 at the left.
    y : dict of tuple to float
        Middle of each box and of each place where an arrow passes a layer.
    height : float
        From the lower edge of the lowest box to the upper edge of the highest.
    """

    layer: dict[str, int]
    y: dict[Slot, float]
    height: float

    def way(self, edge: Edge) -> list[tuple[int, float]]:
        """Return the layers that an arrow passes and how high, its ends included."""
        first, last = self.layer[edge[0]], self.layer[edge[1]]
        passed = [(i, self.y[_thread(edge, i)]) for i in range(first + 1, last)]
        return [(first, self.y[edge[0],]), *passed, (last, self.y[edge[1],])]


def layers(boxes: Sequence[str], edges: Sequence[Edge]) -> dict[str, int]:
    """Return the layer of each box: right of its causes; what nothing causes, near its effects.

    Parameters
    ----------
    boxes : sequence of str
        All boxes.
    edges : sequence of (str, str)
        Without circles.
    """
    found = dict.fromkeys(boxes, 0)
    for _ in boxes:
        for cause, effect in edges:
            found[effect] = max(found[effect], found[cause] + 1)
    caused = {effect for _, effect in edges}
    for box in boxes:
        after = [found[effect] for cause, effect in edges if cause == box]
        if box not in caused and after:
            found[box] = min(after) - 1
    return found


def arrange(
    boxes: Sequence[str], edges: Sequence[Edge], heights: Mapping[str, float], gap: float
) -> Layout:
    """Place boxes so that few arrows cross and none runs through a box.

    Parameters
    ----------
    boxes : sequence of str
        All boxes; of two that could stand either way the first stands above.
    edges : sequence of (str, str)
        Without circles.
    heights : mapping of str to float
        Of the boxes.
    gap : float
        Between boxes of a layer at least.

    References
    ----------
    Sugiyama, Tagawa and Toda (1981), Methods for visual understanding of hierarchical system
    structures, IEEE Transactions on Systems, Man, and Cybernetics 11(2).
    """
    layer = layers(boxes, edges)
    rows: list[list[Slot]] = [[] for _ in range(max(layer.values(), default=0) + 1)]
    for box in boxes:
        rows[layer[box]].append((box,))
    near: dict[Slot, list[Slot]] = {}
    for edge in edges:
        chain: list[Slot] = [(edge[0],)]
        for i in range(layer[edge[0]] + 1, layer[edge[1]]):
            rows[i].append(_thread(edge, i))
            chain.append(_thread(edge, i))
        chain.append((edge[1],))
        for a, b in pairwise(chain):
            near.setdefault(a, []).append(b)
            near.setdefault(b, []).append(a)
    place = {slot: i for i, row in enumerate(rows) for slot in row}
    rows = min(_orders(rows, near, place), key=lambda r: _crossings(r, near))

    def tall(slot: Slot) -> float:
        return heights[slot[0]] if len(slot) == 1 else THREAD

    y: dict[Slot, float] = {}
    for row in rows:
        steps = _steps([tall(s) for s in row], gap)
        y |= {s: float(v) for s, v in zip(row, steps.mean() - steps, strict=True)}
    for sweep in range(SWEEPS):
        for row in rows if sweep % 2 == 0 else rows[::-1]:
            wished = np.array([np.mean([y[n] for n in near.get(s, [s])]) for s in row])
            steps = _steps([tall(s) for s in row], gap)
            y |= {s: float(v) for s, v in zip(row, _apart(wished, steps), strict=True)}
    low = min(y[s] - tall(s) / 2 for row in rows for s in row)
    high = max(y[s] + tall(s) / 2 for row in rows for s in row)
    return Layout(layer, {s: v - low for s, v in y.items()}, high - low)


def _thread(edge: Edge, layer: int) -> Slot:
    return (*edge, str(layer))


def _orders(
    rows: list[list[Slot]], near: Mapping[Slot, list[Slot]], place: Mapping[Slot, int]
) -> list[list[list[Slot]]]:
    """Return orders of the layers, each nearer the means of their neighbours' places."""
    found = [rows]
    for sweep in range(SWEEPS):
        rows = [list(row) for row in rows]
        at = {slot: (i + 0.5) / len(row) for row in rows for i, slot in enumerate(row)}
        right = sweep % 2 == 0
        for row in rows if right else rows[::-1]:

            def mean(slot: Slot, right: bool = right, at: dict[Slot, float] = at) -> float:
                beside = [n for n in near.get(slot, []) if (place[n] < place[slot]) == right]
                return float(np.mean([at[n] for n in beside])) if beside else at[slot]

            row.sort(key=mean)
            at |= {slot: (i + 0.5) / len(row) for i, slot in enumerate(row)}
        found.append(rows)
    return found


def _crossings(rows: list[list[Slot]], near: Mapping[Slot, list[Slot]]) -> int:
    """Count how often arrows between neighbouring layers cross."""
    count = 0
    for left, right in pairwise(rows):
        at = {slot: i for i, slot in enumerate(right)}
        ends = [(i, at[n]) for i, slot in enumerate(left) for n in near.get(slot, []) if n in at]
        count += sum(a < c and b > d for a, b in ends for c, d in ends)
    return count


def _steps(heights: Sequence[float], gap: float) -> np.ndarray:
    """Return how far below the first each box has to stand, shape (boxes,)."""
    half = np.array(heights) / 2
    return np.concatenate([[0.0], np.cumsum(half[:-1] + half[1:] + gap)])


def _apart(wished: np.ndarray, steps: np.ndarray) -> np.ndarray:
    """Return places nearest to those wished, falling and at least the steps apart."""
    blocks: list[tuple[float, int]] = []  # mean, size: pooled where the order is broken
    for value in wished + steps:
        mean, size = float(value), 1
        while blocks and blocks[-1][0] < mean:
            before, count = blocks.pop()
            mean = (mean * size + before * count) / (size + count)
            size += count
        blocks.append((mean, size))
    return np.concatenate([np.full(size, mean) for mean, size in blocks]) - steps
