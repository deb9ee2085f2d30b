"""Differences between arms over their errors, for many assignments and outcomes at once.

All that a difference in means and its error need of a block are sums over the treated of
products of mass and outcome; those of the controls are what is left of the block's totals.
Assignments times such products is one matrix product per block, and what remains is
arithmetic on (assignments, outcomes). A block with one treated unit, or one control, can give
as many values as it has units: they are worked out once, and read off by one product for all
such blocks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

SMALL = 2 - 1e-9  # units expected in an arm, below which a block has no variance of its own
FLOOR = 1e-6  # variance over squared difference, or squared unit, that single precision resolves


@dataclass(frozen=True)
class Sides:
    """Units by block: which are assigned together, and how.

    Attributes
    ----------
    edges : ndarray of int, shape (blocks + 1,)
        Where each block begins.
    treated : ndarray of int, shape (blocks,)
        Units treated in each.
    """

    edges: np.ndarray
    treated: np.ndarray

    @property
    def size(self) -> np.ndarray:
        """Units of each block."""
        return np.diff(self.edges)

    @property
    def odd(self) -> np.ndarray:
        """Whether a block has one treated unit, or one control."""
        return (np.minimum(self.treated, self.size - self.treated) == 1) & (self.size > 1)


@dataclass(frozen=True)
class Group:
    """Outcomes of one group, summed by unit, as columns for each block.

    Attributes
    ----------
    columns : tuple of ndarray, float32
        For each block, a row per unit of its span: k outcomes less their mean in the block;
        their squares; their products with the mass, unless ``alike``; masses by pattern of
        missing outcomes; unless ``alike``, the squares of these, and whether they are above
        zero.
    totals : tuple of ndarray, float32
        Sums of the columns.
    spans : tuple of slice
        Units, within each block, that have any of the outcomes.
    pattern : ndarray of int, shape (k,)
        The pattern of each outcome.
    alike : bool
        Whether every unit has mass one or none: persons without weights.
    """

    columns: tuple[np.ndarray, ...]
    totals: tuple[np.ndarray, ...]
    spans: tuple[slice, ...]
    pattern: np.ndarray
    alike: bool


@dataclass(frozen=True)
class Difference:
    """What is compared between arms: a group's outcomes, or a group's less another's.

    Attributes
    ----------
    groups : tuple of Group
        One or two, with the same outcomes in the same unit.
    shared : tuple of ndarray, or None
        Where units hold persons of both groups, columns by block: the product of their
        outcomes, of the first's outcomes with the second's mass, of the first's mass with the
        second's outcomes, and of the masses, k each.
    between : bool
        Whether the variance is taken between blocks, which have none of their own.
    precise : bool
        Whether blocks are weighted by n1 n0 / n, as a regression does, in place of n.
    """

    groups: tuple[Group, ...]
    shared: tuple[np.ndarray, ...] | None
    between: bool
    precise: bool


@dataclass(frozen=True)
class _Block:
    """Sums over the treated of a block, and what follows for weights and errors.

    Arrays are of shape (draws, k) or (draws, 1). ``first`` and ``second`` are the treated and
    the controls: ``inverse`` of their mass, ``factor`` from squares to a squared error.
    """

    sum: np.ndarray
    weight: np.ndarray
    valid: np.ndarray
    inverse: tuple[np.ndarray, np.ndarray]
    factor: tuple[np.ndarray, np.ndarray]
    spread: np.ndarray | None

    @property
    def effect(self) -> np.ndarray:
        return self.sum * (self.inverse[0] + self.inverse[1])


def statistics(
    differences: Sequence[Difference], tables: Sequence[np.ndarray], z: np.ndarray, sides: Sides
) -> list[np.ndarray]:
    """Return studentised differences.

    Parameters
    ----------
    differences : sequence of Difference
        What to compare.
    tables : sequence of ndarray
        Of each difference, its `table`.
    z : ndarray of uint8, shape (draws, units)
        Assignments, 1 for treatment.
    sides : Sides
        The blocks.

    Returns
    -------
    list of ndarray, float32, shape (draws, k)
        Zero where no block has both arms of a group.

    References
    ----------
    Neyman (1923); Pashley and Miratrix (2021), Insights on variance estimation for blocked and
    matched pairs designs, Journal of Educational and Behavioral Statistics 46(3).
    """
    sums: list[list[np.ndarray]] = [[] for _ in differences]
    if sides.odd.any():
        units = np.repeat(sides.odd, sides.size)
        other = np.repeat(sides.treated > 1, sides.size)[units]  # one control, not one treated
        alone = (z[:, units] ^ other).astype(np.float32)
        for i, (difference, table) in enumerate(zip(differences, tables, strict=True)):
            ends = np.cumsum(_widths(difference))[:-1]
            sums[i] = np.split(alone @ table, ends, axis=1)
    for b in np.flatnonzero(~sides.odd & (sides.treated > 0) & (sides.treated < sides.size)):
        drawn = z[:, sides.edges[b] : sides.edges[b + 1]].astype(np.float32)
        for i, difference in enumerate(differences):
            found = _terms(difference, b, drawn)
            if not sums[i]:
                sums[i] = found
                continue
            for total, term in zip(sums[i], found, strict=True):
                total += term
    return [
        _ratio(difference, found) if found else np.zeros((len(z), _outcomes(difference)))
        for difference, found in zip(differences, sums, strict=True)
    ]


def table(difference: Difference, sides: Sides) -> np.ndarray:
    """Work out what blocks with one treated unit, or one control, add for each such unit.

    Returns
    -------
    ndarray, float32, shape (units of such blocks, sums)
    """
    rows = [np.empty((0, sum(_widths(difference))), dtype=np.float32)]
    for b in np.flatnonzero(sides.odd):
        alone = np.eye(sides.size[b], dtype=np.float32)
        drawn = alone if sides.treated[b] == 1 else 1 - alone
        rows.append(np.hstack(_terms(difference, b, drawn)))
    return np.concatenate(rows)
