"""Blocks of assigned units, and which of the few assignments of a small block was drawn."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np

FEW = 20  # assignments of a block, up to which all that it can add is worked out beforehand


@dataclass(frozen=True)
class Blocks:
    """Units sorted by block, and how many of each block were treated.

    Attributes
    ----------
    edges : ndarray of int, shape (blocks + 1,)
        Where each block begins; the last one ends at the number of units.
    treated : ndarray of int, shape (blocks,)
        Units treated.
    """

    edges: np.ndarray
    treated: np.ndarray

    @property
    def size(self) -> np.ndarray:
        """Units of each block."""
        return np.diff(self.edges)

    @property
    def fewest(self) -> np.ndarray:
        """Units of the smaller arm of each block."""
        return np.minimum(self.treated, self.size - self.treated)

    @cached_property
    def single(self) -> np.ndarray:
        """Blocks with one treated unit, or one control."""
        return np.flatnonzero(self.fewest == 1)

    @cached_property
    def listed(self) -> np.ndarray:
        """Other blocks with few assignments: of six units at most."""
        small = np.flatnonzero((self.fewest > 1) & (self.size <= FEW))
        number = [math.comb(int(self.size[b]), int(self.treated[b])) for b in small]
        return small[np.array(number, dtype=int) <= FEW]

    @property
    def others(self) -> np.ndarray:
        """Blocks with many assignments."""
        rest = self.fewest > 0
        rest[self.single] = rest[self.listed] = False
        return np.flatnonzero(rest)

    @cached_property
    def assignments(self) -> list[tuple[int, np.ndarray]]:
        """Blocks with few assignments, and these, uint8 of shape (assignments, units)."""
        found = []
        for b in self.single:
            unit = np.eye(self.size[b], dtype=np.uint8)
            found.append((int(b), unit if self.treated[b] == 1 else 1 - unit))
        for b in self.listed:
            sets = np.array(list(itertools.combinations(range(self.size[b]), self.treated[b])))
            drawn = np.zeros((len(sets), self.size[b]), dtype=np.uint8)
            np.put_along_axis(drawn, sets, 1, axis=1)
            found.append((int(b), drawn))
        return found

    def which(self, z: np.ndarray) -> np.ndarray:
        """Tell which of these assignments those of all units hold.

        Parameters
        ----------
        z : ndarray of uint8, shape (draws, units)
            1 for treatment.

        Returns
        -------
        ndarray of uint8, shape (draws, rows of all ``assignments``)
            1 for the one that each block has.
        """
        by_control = np.repeat(self.treated[self.single] > 1, self.size[self.single])
        found = z[:, self._units(self.single)] ^ by_control
        if not len(self.listed):
            return found
        units, starts, digit, of, number = self._numbers
        drawn = np.add.reduceat(z[:, units] * digit, starts, axis=1, dtype=np.uint8)
        return np.hstack([found, drawn[:, of] == number])

    @cached_property
    def _numbers(self) -> tuple[np.ndarray, ...]:
        """Read the listed blocks' units as binary digits, and their assignments as numbers."""
        size, listed = self.size[self.listed], self.assignments[len(self.single) :]
        starts = np.cumsum(size) - size
        digit = (1 << (np.arange(size.sum()) - np.repeat(starts, size))).astype(np.uint8)
        of = np.repeat(np.arange(len(listed)), [len(drawn) for _, drawn in listed])
        numbers = [drawn @ (1 << np.arange(drawn.shape[1])) for _, drawn in listed]
        return self._units(self.listed), starts, digit, of, np.concatenate(numbers).astype(np.uint8)

    def _units(self, blocks: np.ndarray) -> np.ndarray:
        """Return the units of some blocks."""
        chosen = np.zeros(len(self.size), dtype=bool)
        chosen[blocks] = True
        return np.flatnonzero(np.repeat(chosen, self.size))
