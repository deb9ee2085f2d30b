"""Draw the assignment anew: within blocks, by unit, as many to each arm as there were.

Drawing persons one by one in random order costs more than all that is computed from the
draws. Here every unit first gets an arm by a random byte of its own; where a block then has
too many or too few in an arm, units picked at random are moved until the numbers are right.
Units are alike in both steps, so every assignment with these numbers is equally likely.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from evaluate.errors import DesignError

CELLS = 64_000_000  # units times draws held at a time
ROWS = (64, 512)  # draws held at a time, at least and at most
MOST_CELLS = 2_000_000_000  # units times draws
FEWEST = 999  # draws, however many units there are
RARE = 0.25  # of an arm's share below which too few are drawn on purpose: see `_thresholds`


@dataclass(frozen=True)
class Units:
    """What was assigned: persons, or clusters.

    Attributes
    ----------
    of : ndarray of int, shape (n,)
        Position of each person's unit.
    arm, block : ndarray of int, shape (units,)
        Arm and block of each unit.
    """

    of: np.ndarray
    arm: np.ndarray
    block: np.ndarray


def assigned_units(arm: np.ndarray, block: np.ndarray | None, cluster: np.ndarray | None) -> Units:
    """Return the units that were assigned.

    Parameters
    ----------
    arm : ndarray of int, shape (n,)
        Arm of each person.
    block, cluster : ndarray of int, shape (n,), or None
        Block and cluster of each person.

    Raises
    ------
    DesignError
        If a cluster holds several arms or blocks, so that it was not assigned as a whole.
    """
    block = np.zeros(len(arm), dtype=int) if block is None else block
    if cluster is None:
        return Units(np.arange(len(arm)), arm, block)
    _, first, of = np.unique(cluster, return_index=True, return_inverse=True)
    for name, values in (("arms", arm), ("blocks", block)):
        mixed = np.bincount(of, values != values[first][of]) > 0
        if mixed.any():
            raise DesignError(
                f"{mixed.sum():,} of {len(first):,} clusters hold persons of several {name}: "
                "they were not assigned as a whole. Name the unit that was."
            )
    return Units(of, arm[first], block[first])


def number_of_assignments(arm: np.ndarray, block: np.ndarray, most: int | None = None) -> int:
    """Return how many assignments have the same number of units per block and arm.

    Counting ends where they are more than ``most``.
    """
    total = 1
    cells, count = np.unique(np.column_stack([block, arm]), axis=0, return_counts=True)
    for b in np.unique(block):
        left = 0
        for n in count[cells[:, 0] == b].tolist():
            left += n
            total *= math.comb(left, n)
            if most is not None and total > most:
                return total
    return total


@dataclass(frozen=True)
class Assignments:
    """Assignments that could have been: drawn at random, or every one of them.

    Attributes
    ----------
    arm : ndarray of uint8, shape (units,)
        The actual arms.
    edges : ndarray of int, shape (blocks + 1,)
        Where each block begins; the last one ends at the number of units.
    number : int
        How many there are.
    every : bool
        Whether they are all assignments, the actual one among them.
    """

    arm: np.ndarray
    edges: np.ndarray
    number: int
    every: bool

    def chunks(self, rng: np.random.Generator) -> Iterator[np.ndarray]:
        """Yield arms drawn, uint8 of shape (draws at a time, units), ``number`` in all."""
        low, high = ROWS
        rows = int(np.clip(CELLS // max(len(self.arm), 1), low, high))
        starts = range(0, self.number, rows)
        sizes = [min(rows, self.number - start) for start in starts]
        if self.every:
            return (_listed(self, s, size) for s, size in zip(starts, sizes, strict=True))
        return _drawn(self.arm, self.edges, sizes, rng)

    def p_value(self, at_least: np.ndarray) -> np.ndarray:
        """Return p-values from how many are at least as extreme as the actual one."""
        return at_least / self.number if self.every else (1 + at_least) / (1 + self.number)


def assignments(arm: np.ndarray, block: np.ndarray, draws: int, exact: bool = True) -> Assignments:
    """Lay out assignments to compare the actual one with.

    Parameters
    ----------
    arm : ndarray of int, shape (units,)
        Actual arms, 0 to 255.
    block : ndarray of int, shape (units,)
        Blocks, in ascending order.
    draws : int
        Assignments to draw; fewer, but 999 or more, where units times draws would exceed
        2,000 million.
    exact : bool
        Where there are no more assignments than ``draws``, list them all instead.

    Returns
    -------
    Assignments
    """
    if (np.diff(block) < 0).any():
        raise ValueError("units must be sorted by block")
    edges = (
        np.flatnonzero(np.diff(block, prepend=-1, append=-1)) if len(block) else np.zeros(1, int)
    )
    arm = arm.astype(np.uint8)
    if exact and (total := number_of_assignments(arm, block, draws)) <= draws:
        return Assignments(arm, edges, total, every=True)
    draws = int(min(draws, max(FEWEST, MOST_CELLS // max(len(arm), 1))))
    return Assignments(arm, edges, draws, every=False)


def _listed(of: Assignments, start: int, size: int) -> np.ndarray:
    """Return some of all assignments: the blocks' own, combined as digits of a number."""
    drawn = np.empty((size, len(of.arm)), dtype=np.uint8)
    number = np.arange(start, start + size)
    for low, high in itertools.pairwise(of.edges):
        own = _arrangements(*np.unique(of.arm[low:high], return_counts=True))
        drawn[:, low:high] = own[number % len(own)]
        number = number // len(own)
    return drawn


def _arrangements(arms: np.ndarray, count: np.ndarray) -> np.ndarray:
    """Return all orders of so many units of each arm, a row for each."""
    n = int(count.sum())
    if len(arms) == 1:
        return np.full((1, n), arms[0])
    rest = _arrangements(arms[1:], count[1:])
    found = []
    for places in itertools.combinations(range(n), int(count[0])):
        rows = np.full((len(rest), n), arms[0])
        rows[:, np.delete(np.arange(n), places)] = rest
        found.append(rows)
    return np.concatenate(found)


def _drawn(
    arm: np.ndarray, edges: np.ndarray, sizes: list[int], rng: np.random.Generator
) -> Iterator[np.ndarray]:
    """Draw by arms' ranks: in each block the largest arm is 0 and the smaller ones follow."""
    arms, n = np.unique(arm), len(arm)
    size = np.diff(edges)
    block = np.repeat(np.arange(len(size)), size)
    count = np.stack([np.bincount(block[arm == a], minlength=len(size)) for a in arms], axis=1)
    ranked = np.argsort(-count, axis=1, kind="stable")
    count = np.take_along_axis(count, ranked, axis=1)
    free = size.copy()
    steps = []
    for rank in reversed(range(1, len(arms))):
        steps.append((rank, count[:, rank], _thresholds(count[:, rank], free)[block]))
        free = free - count[:, rank]
    names = arms[ranked]  # of each block's ranks
    for rows in sizes:
        drawn = np.zeros((rows, n), dtype=np.uint8)
        for rank, wanted, threshold in steps:
            words = rng.integers(0, 2**64 - 1, -(-rows * n // 8), dtype=np.uint64, endpoint=True)
            hit = words.view(np.uint8)[: rows * n].reshape(rows, n) < threshold
            if rank < len(arms) - 1:
                hit &= drawn == 0
            got = np.add.reduceat(
                hit.view(np.uint8), edges[:-1], axis=1, dtype=np.min_scalar_type(size.max())
            )
            drawn += hit.view(np.uint8) * np.uint8(rank)
            missing = wanted - got.astype(int)
            _move(drawn, 0, rank, missing, edges, rng)
            _move(drawn, rank, 0, -missing, edges, rng)
        if len(arms) == 2:
            drawn *= names[block, 1] - names[block, 0]  # wraps around, as does the sum
            drawn += names[block, 0]
        else:
            drawn = names[block, drawn]
        yield drawn


def _thresholds(count: np.ndarray, free: np.ndarray) -> np.ndarray:
    """Return by block the byte below which a unit is drawn.

    Numbers are put right by picking units until one fits, which takes long to take back units
    of a rare arm: there, three standard deviations too few are drawn, as others fit often.
    """
    p = count / np.maximum(free, 1)
    short = np.where(p < RARE, 3 * np.sqrt(count * (1 - p)), 0)
    return np.floor(256 * np.maximum(count - short, 0) / np.maximum(free, 1)).astype(np.uint8)


def _move(
    drawn: np.ndarray,
    old: int,
    new: int,
    number: np.ndarray,
    edges: np.ndarray,
    rng: np.random.Generator,
) -> None:
    """Move ``number`` units, by draw and block, from one arm to another, each equally likely.

    All draws and blocks pick one unit at a time, and pick again where it was of another arm.
    """
    units, flat = drawn.shape[1], drawn.reshape(-1)
    row, block = np.nonzero(number > 0)
    left = number[row, block]
    first, size = row * units + edges[block], np.diff(edges)[block]
    while len(left):
        at = first + (rng.random(len(left)) * size).astype(np.intp)
        fits = flat[at] == old
        flat[at[fits]] = new
        left = left - fits
        go_on = left > 0
        if not go_on.all():
            left, first, size = left[go_on], first[go_on], size[go_on]
