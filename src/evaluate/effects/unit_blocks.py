"""Blocks of assigned units, and which of the few assignments of a small block was drawn."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np

FEW = 20  # assignments of a block, up to which all that it can add is worked out once


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
    def few(self) -> np.ndarray:
        """Whether a block has two arms of which one is a single unit, or few assignments."""
        sizes = zip(self.size.tolist(), self.treated.tolist(), strict=True)
        number = [math.comb(n, n1) if n <= FEW else FEW + 1 for n, n1 in sizes]
        return (self.fewest == 1) | ((self.fewest > 1) & (np.array(number) <= FEW))

    @property
    def many(self) -> np.ndarray:
        """Whether a block has two arms and is not among the ``few``."""
        return (self.fewest > 0) & ~self.few

    def assignments(self, b: int) -> np.ndarray:
        """Return the assignments of one of the ``few``, float32, a row for each."""
        n, n1 = int(self.size[b]), int(self.treated[b])
        if n1 == n - 1:
            return 1 - np.eye(n, dtype=np.float32)
        drawn = np.zeros((math.comb(n, n1), n), dtype=np.float32)
        sets = np.array(list(itertools.combinations(range(n), n1)))
        np.put_along_axis(drawn, sets, 1, axis=1)
        return drawn

    def which(self, z: np.ndarray) -> np.ndarray:
        """Return which of their assignments each of the ``few`` blocks has.

        Parameters
        ----------
        z : ndarray of uint8, shape (draws, units)
            Assignments, 1 for treatment.

        Returns
        -------
        ndarray of float32, shape (draws, assignments of all these blocks)
            1 where it is drawn, in the order of `assignments`, block after block.
        """
        found = np.empty((len(z), len(self._unit)), dtype=np.float32)
        single = self._unit >= 0
        found[:, single] = z[:, self._unit[single]] == self._marked[single]
        if not single.all():
            code = np.add.reduceat(z * self._power, self.edges[:-1], axis=1, dtype=np.uint8)
            found[:, ~single] = code[:, self._block[~single]] == self._marked[~single]
        return found
