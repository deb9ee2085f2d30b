"""Cell suppression: which counts to withhold so that no small one can be worked out."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from scipy import linalg, sparse

TOL = 1e-9  # entries are 0 and 1 in sign, blocks have at most some thousand cells


def is_small(counts: np.ndarray, min_cell: int) -> np.ndarray:
    """Return which counts are of 1 to ``min_cell - 1`` persons; an empty one is not."""
    counts = np.asarray(counts, dtype=float)
    return (counts >= 1) & (counts < min_cell)


def withhold(
    counts: np.ndarray,
    relations: np.ndarray | sparse.sparray,
    min_cell: int,
    cost: np.ndarray,
    together: np.ndarray | None = None,
) -> np.ndarray:
    """Choose the cells to withhold: the small ones, and others that would give them away.

    Parameters
    ----------
    counts : ndarray, shape (m,)
        Numbers of persons; NaN where a cell is empty already.
    relations : ndarray or sparse array of {-1, 0, 1}, shape (r, m)
        What a reader knows: ``relations @ counts`` is zero, or another known number.
    min_cell : int
        Cells of 1 to ``min_cell - 1`` persons are withheld; zero is not.
    cost : ndarray, shape (m,)
        The loss if a cell is withheld to protect another; ``inf``: only if all else fails.
    together : ndarray of int, shape (m,), optional
        Cells with the same label appear in the same rows, so they go together.

    Returns
    -------
    ndarray of bool, shape (m,)
        The cells to withhold. No small cell follows exactly from the others and the
        relations: cell i would if the unit vector e_i were in the row space of the relations
        restricted to the withheld cells. Nor is the sum of the cells that are withheld in one
        relation, which a reader knows, itself small.

    Notes
    -----
    Greedy: the cheapest cell that breaks a derivation goes first, so more may be withheld than
    need be. Bounds are beyond this rule: that counts are not negative can narrow a withheld
    one to an interval, and the sum of cells over several relations may be small. Only withheld
    cells are looked at, block by connected block.

    References
    ----------
    Hundepool et al. (2012), Statistical Disclosure Control, chapter 4.
    """
    state = _State(counts, relations, min_cell, cost, together)
    pending = set(np.flatnonzero(state.primary).tolist())
    state.hide(sorted(pending))
    while pending:
        state.lift_small_sums()
        rows, columns = state.block(min(pending))
        if not state.break_derivations(rows, columns):
            pending -= set(columns)
    return state.hidden & ~np.isnan(state.counts)


class _State:
    """The cells hidden so far and the relations that must be looked at again."""

    def __init__(
        self,
        counts: np.ndarray,
        relations: np.ndarray | sparse.sparray,
        min_cell: int,
        cost: np.ndarray,
        together: np.ndarray | None,
    ) -> None:
        self.counts = np.asarray(counts, dtype=float)
        self.min_cell = min_cell
        self.primary = is_small(self.counts, min_cell)
        self.hidden = np.isnan(self.counts)
        matrix = sparse.csr_array(relations)
        matrix.eliminate_zeros()
        self.cells = [c.tolist() for c in np.split(matrix.indices, matrix.indptr[1:-1])]
        self.signs = [s.tolist() for s in np.split(matrix.data, matrix.indptr[1:-1])]
        self.relations: list[list[int]] = [[] for _ in self.counts]
        for r, cells in enumerate(self.cells):
            for c in cells:
                self.relations[c].append(r)
        # A zero hides nobody: it is a last resort before the cells that cost infinity.
        order = np.lexsort([np.asarray(cost, dtype=float), self.counts == 0, np.isinf(cost)])
        self.rank = np.argsort(order)
        labels = np.arange(len(self.counts)) if together is None else np.asarray(together)
        self.label = labels.tolist()
        self.bundle: dict[int, list[int]] = {}
        for c, label in enumerate(self.label):
            self.bundle.setdefault(label, []).append(c)
        self.stale: set[int] = set()

    def hide(self, cells: Iterable[int]) -> None:
        """Hide cells and all that appear in the same rows."""
        for cell in cells:
            for c in self.bundle[self.label[cell]]:
                self.hidden[c] = True
                self.stale.update(self.relations[c])

    def lift_small_sums(self) -> None:
        """Hide more in every relation whose hidden cells are few persons in all."""
        while self.stale:
            r = min(self.stale)
            self.stale.remove(r)
            cells, signs = self.cells[r], self.signs[r]
            unknown = [i for i, c in enumerate(cells) if self.hidden[c]]
            if len({signs[i] for i in unknown}) != 1:
                continue
            total = sum(self.counts[cells[i]] for i in unknown)
            public = [c for c in cells if not self.hidden[c]]
            if 1 <= total < self.min_cell and public:
                self.hide([min(public, key=self.rank.__getitem__)])

    def block(self, start: int) -> tuple[list[int], list[int]]:
        """Return the relations and the hidden cells that hang together with a hidden cell."""
        columns, rows, queue = {start}, set(), [start]
        while queue:
            for r in self.relations[queue.pop()]:
                if r in rows:
                    continue
                rows.add(r)
                new = {c for c in self.cells[r] if self.hidden[c]} - columns
                columns |= new
                queue += new
        return sorted(rows), sorted(columns)

    def break_derivations(self, rows: list[int], columns: list[int]) -> bool:
        """Hide one cell of each way to work out a small cell; tell whether any was hidden."""
        if not rows:
            return False
        place = {c: j for j, c in enumerate(columns)}
        a = np.zeros((len(rows), len(columns)))
        for i, r in enumerate(rows):
            for c, sign in zip(self.cells[r], self.signs[r], strict=True):
                if c in place:
                    a[i, place[c]] = sign
        q, triangle, pivot = linalg.qr(a.T, mode="economic", pivoting=True)
        rank = int((np.abs(np.diag(triangle)) > TOL).sum())
        q, triangle = q[:, :rank], triangle[:rank, :rank]
        in_row_space = (q**2).sum(axis=1) > 1 - TOL
        chosen: set[int] = set()
        for j in np.flatnonzero(in_row_space & self.primary[columns]):
            y = linalg.solve_triangular(triangle, q[j])
            used: dict[int, float] = {}
            for i, weight in zip(pivot[:rank], y, strict=True):
                for c, sign in zip(self.cells[rows[i]], self.signs[rows[i]], strict=True):
                    used[c] = used.get(c, 0.0) + weight * sign
            public = [c for c, w in used.items() if abs(w) > TOL and not self.hidden[c]]
            if public and chosen.isdisjoint(public):
                chosen.add(min(public, key=self.rank.__getitem__))
        self.hide(sorted(chosen))
        return bool(chosen)
