"""Outcomes of persons summed by the units that were assigned, block after block."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from evaluate.design.assignments import Units
from evaluate.effects.studentised import Difference, Group
from evaluate.effects.unit_blocks import Blocks

VARIES = 1e-9  # of a column's length
ENOUGH = 2 - 1e-9  # units expected in an arm, from which a block has a variance of its own
TINY = 1e-300
DOUBLE = 2_000  # units up to whom double precision costs little; ties are of weight there


@dataclass(frozen=True)
class Layout:
    """Units in the order in which they are drawn, and the persons in them.

    Attributes
    ----------
    treated : ndarray of uint8, shape (units,)
        Whether each was.
    block : ndarray of int, shape (units,)
        Blocks from 0 on, in ascending order.
    blocks : Blocks
        The same by block.
    persons : sparse array, shape (units, n)
        Weight of each person, in the person's unit; the mean over units of their sum is one.
    alike : bool
        Whether each unit is one person without a weight.
    """

    treated: np.ndarray
    block: np.ndarray
    blocks: Blocks
    persons: sparse.csr_array
    alike: bool

    @property
    def dtype(self) -> type[np.floating]:
        """Precision of the columns."""
        return np.float64 if len(self.treated) <= DOUBLE else np.float32

    def by_block(self, values: np.ndarray) -> np.ndarray:
        """Sum over the units of each block."""
        units = np.arange(len(self.block))
        members = sparse.csr_array((np.ones(len(units)), (self.block, units)))
        return np.asarray(members @ values)


def layout(units: Units, weight: np.ndarray | None, groups: Sequence[np.ndarray]) -> Layout:
    """Put units in an order: by block, and within blocks those of a group side by side.

    Parameters
    ----------
    units : Units
        What was assigned; arm 1 is the treated.
    weight : ndarray, shape (n,), or None
        Weights of the persons.
    groups : sequence of ndarray of bool, shape (n,)
        Groups of persons, those first that should be closest.
    """
    n, count = len(units.of), len(units.arm)
    belongs = [np.bincount(units.of, rows, count) > 0 for rows in groups]
    apart = [b for b in belongs if not b.all()]
    order = np.lexsort((*apart[::-1], units.block))
    _, block = np.unique(units.block[order], return_inverse=True)
    place = np.empty(count, dtype=int)
    place[order] = np.arange(count)
    w = np.ones(n) if weight is None else weight
    persons = sparse.csr_array((w * (count / w.sum()), (place[units.of], np.arange(n))))
    edges = np.flatnonzero(np.diff(block, prepend=-1, append=-1))
    treated = units.arm[order].astype(np.uint8)
    blocks = Blocks(edges, np.bincount(block, treated).astype(int))
    return Layout(treated, block, blocks, persons, alike=weight is None and count == n)


@dataclass(frozen=True)
class _Summed:
    """Outcomes (units, k) less their mean in the block, and masses (units, patterns)."""

    y: np.ndarray
    length: np.ndarray
    mass: np.ndarray
    pattern: np.ndarray


def difference(
    y: np.ndarray, groups: Sequence[np.ndarray], of: Layout, precise: bool
) -> tuple[Difference, np.ndarray]:
    """Arrange outcomes of a group, or of one and another whose difference is subtracted.

    Parameters
    ----------
    y : ndarray, shape (n, k)
        Outcomes of the persons of the layout, NaN where missing.
    groups : sequence of ndarray of bool, shape (n,)
        One group, or two.
    of : Layout
        The units.
    precise : bool
        As of `Difference`.

    Returns
    -------
    difference : Difference
        Each outcome in its own unit of spread.
    defined : ndarray of bool, shape (k,)
        Whether the outcome varies within blocks, and some block holds both arms.
    """
    summed = [_summed(y, rows, of) for rows in groups]
    length = np.linalg.norm(np.vstack([s.y for s in summed]), axis=0)
    varies = length > VARIES * np.maximum(np.max([s.length for s in summed], axis=0), TINY)
    some = np.sum([np.count_nonzero(s.mass, axis=0)[s.pattern] for s in summed], axis=0)
    unit = np.where(varies, length / np.sqrt(np.maximum(some, 1)), np.inf)
    summed = [_Summed(s.y / unit, s.length, s.mass, s.pattern) for s in summed]
    both = [_both_arms(s, of)[s.pattern] for s in summed]
    defined = np.logical_and.reduce([varies, *both])
    arranged = tuple(_group(s, of) for s in summed)
    shared = None if of.alike or len(summed) < 2 else _shared(summed[0], summed[1], of)
    return Difference(arranged, shared, _between(summed, of), precise), defined


def _summed(y: np.ndarray, rows: np.ndarray, of: Layout) -> _Summed:
    present = rows[:, None] & ~np.isnan(y)
    known: dict[bytes, int] = {}
    pattern = np.array(
        [known.setdefault(np.packbits(p).tobytes(), len(known)) for p in present.T], dtype=int
    )
    first = np.unique(pattern, return_index=True)[1]
    mass = np.asarray(of.persons @ present[:, first].astype(float))
    total = np.asarray(of.persons @ np.where(present, y, 0))
    mean = of.by_block(total) / np.maximum(of.by_block(mass), TINY)[:, pattern]
    centred = total - mean[of.block] * mass[:, pattern]
    return _Summed(centred, np.linalg.norm(total, axis=0), mass, pattern)


def _both_arms(summed: _Summed, of: Layout) -> np.ndarray:
    """Return of which patterns some block holds both arms, shape (patterns,)."""
    has, treated = summed.mass > 0, of.treated[:, None] == 1
    arms = [of.by_block(has & side) > 0 for side in (treated, ~treated)]
    return np.asarray(np.logical_and(*arms).any(axis=0))


def _between(groups: Sequence[_Summed], of: Layout) -> bool:
    """Tell whether most persons are in blocks that expect fewer than two units in an arm.

    It depends on the design alone, not on who was assigned.
    """
    blocks = of.blocks
    share = (blocks.fewest / blocks.size)[:, None]
    small, all_of = 0.0, 0.0
    for group in groups:
        units, mass = of.by_block(group.mass > 0), of.by_block(group.mass)
        usable = (units > 1) & (share > 0)
        small += mass[usable & (units * share < ENOUGH)].sum()
        all_of += mass[usable].sum()
    return small > all_of / 2


def _group(summed: _Summed, of: Layout) -> Group:
    """Lay the columns side by side; only for units from a block's first to its last."""
    some = np.flatnonzero(summed.mass.any(axis=1))
    rows, spans = np.zeros(len(of.treated), dtype=bool), []
    for low, high in itertools.pairwise(of.blocks.edges):
        here = some[slice(*np.searchsorted(some, (low, high)))] - low
        spans.append(slice(here[0], here[-1] + 1) if len(here) else slice(0, 0))
        rows[low:high][spans[-1]] = True
    y, mass = (values[rows].astype(of.dtype) for values in (summed.y, summed.mass))
    kinds = [y, y**2]
    if of.alike:
        kinds += [mass]
    else:
        kinds += [y * mass[:, summed.pattern], mass, mass**2, (mass > 0).astype(of.dtype)]
    stacked = np.hstack(kinds)
    ends = np.cumsum([0, *(s.stop - s.start for s in spans)])
    columns = tuple(stacked[low:high] for low, high in itertools.pairwise(ends))
    totals = tuple(c.sum(axis=0, dtype=float).astype(of.dtype) for c in columns)
    return Group(columns, totals, tuple(spans), summed.pattern, of.alike)


def _shared(one: _Summed, two: _Summed, of: Layout) -> tuple[np.ndarray, ...] | None:
    """Return products of two groups' outcomes and masses, where any unit holds both."""
    m1, m2 = one.mass[:, one.pattern], two.mass[:, two.pattern]
    if not ((m1 > 0) & (m2 > 0)).any():
        return None
    products = np.hstack([one.y * two.y, one.y * m2, m1 * two.y, m1 * m2]).astype(of.dtype)
    return tuple(products[low:high] for low, high in itertools.pairwise(of.blocks.edges))
