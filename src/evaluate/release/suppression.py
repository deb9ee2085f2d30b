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
    persons: np.ndarray | None = None,
    unprinted: np.ndarray | None = None,
) -> np.ndarray:
    """Choose the cells to withhold: the small ones, and others that would give them away.

    Parameters
    ----------
    counts : ndarray, shape (m,)
        Numbers of persons, or of their rows; NaN where a cell is empty already.
    relations : ndarray or sparse array of {-1, 0, 1}, shape (r, m)
        What a reader knows: ``relations @ counts`` is zero, or another known number.
    min_cell : int
        Cells of 1 to ``min_cell - 1`` persons are withheld; zero is not.
    cost : ndarray, shape (m,)
        The loss if a cell is withheld to protect another; ``inf``: only if all else fails.
    together : ndarray of int, shape (m,), optional
        Cells with the same label appear in the same rows, so they go together.
    persons : ndarray, shape (m, k), optional
        Distinct persons behind each count in k groups that share nobody, such as women and
        men, where rows are counted; by default the counts.
    unprinted : ndarray of bool, shape (m,), optional
        Cells that no table prints, so that they hide others and need no hiding themselves.

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
    need be. At the end, cells that follow from the rest are shown again. Bounds are beyond this
    rule: that counts are not negative can narrow a withheld one to an interval, and the sum of
    cells over several relations may be small. Only withheld cells are looked at, block by
    connected block.

    References
    ----------
    Hundepool et al. (2012), Statistical Disclosure Control, chapter 4.
    """
    state = _State(counts, relations, min_cell, cost, together, persons, unprinted)
    pending = set(np.flatnonzero(state.primary).tolist())
    state.hide(sorted(pending))
    while pending:
        state.lift_small_sums()
        rows, columns = state.block(min(pending))
        if not state.break_derivations(rows, columns):
            pending -= set(columns)
    state.show_what_follows()
    return state.hidden & ~state.empty


class _State:
    """The cells hidden so far and the relations that must be looked at again."""

    def __init__(
        self,
        counts: np.ndarray,
        relations: np.ndarray | sparse.sparray,
        min_cell: int,
        cost: np.ndarray,
        together: np.ndarray | None,
        persons: np.ndarray | None,
        unprinted: np.ndarray | None,
    ) -> None:
        self.counts = np.asarray(counts, dtype=float)
        by_group = self.counts[:, None] if persons is None else np.asarray(persons, dtype=float)
        self.persons = by_group
        self.overlap = (by_group.sum(axis=1) != self.counts) & ~np.isnan(self.counts)
        self.min_cell = min_cell
        self.primary = is_small(by_group.sum(axis=1), min_cell)
        nothing = np.zeros(len(self.counts), dtype=bool)
        self.unprinted = nothing if unprinted is None else np.asarray(unprinted, dtype=bool)
        self.empty = np.isnan(self.counts)
        self.primary &= ~self.unprinted
        self.hidden = self.empty | self.unprinted
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
            public = [c for c in self.cells[r] if not self.hidden[c]]
            if public and self.is_small_sum(r):
                self.hide([min(public, key=self.rank.__getitem__)])

    def is_small_sum(self, r: int) -> bool:
        """Tell whether the hidden cells of a relation, whose sum is known, are few persons."""
        cells, signs = self.cells[r], self.signs[r]
        unknown = [i for i, c in enumerate(cells) if self.hidden[c]]
        if len({signs[i] for i in unknown}) != 1:
            return False
        behind = self.persons[[cells[i] for i in unknown]]
        # Rows of the same persons may lie in several cells: then there are at least as many
        # persons of each group as in the cell that has most of it.
        total = behind.max(axis=0).sum() if self.overlap[cells].any() else behind.sum()
        return bool(1 <= total < self.min_cell)

    def adds_up(self, r: int) -> bool:
        """Tell whether a relation holds exactly, without another number that is known."""
        return bool(np.dot(self.signs[r], self.counts[self.cells[r]]) == 0)

    def show_what_follows(self) -> None:
        """Show cells again that a reader can work out anyway; none of them is small."""
        left = set(np.flatnonzero(self.hidden).tolist())
        while left:
            rows, columns = self.block(min(left))
            left -= set(columns)
            known = np.zeros(len(self.hidden), dtype=bool)
            # A relation whose rest a reader might know is no proof that they do.
            known[columns] = self.derived([r for r in rows if self.adds_up(r)], columns)[0]
            for label in dict.fromkeys(self.label[c] for c in columns):
                cells = self.bundle[label]
                stays = self.primary | self.empty | self.unprinted
                if not known[cells].all() or stays[cells].any():
                    continue
                self.hidden[cells] = False
                if any(self.is_small_sum(r) for c in cells for r in self.relations[c]):
                    self.hidden[cells] = True

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

    def derived(
        self, rows: list[int], columns: list[int]
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Return which hidden cells follow from the rest, and the factors of the relations."""
        place = {c: j for j, c in enumerate(columns)}
        a = np.zeros((len(rows), len(columns)))
        for i, r in enumerate(rows):
            for c, sign in zip(self.cells[r], self.signs[r], strict=True):
                if c in place:
                    a[i, place[c]] = sign
        if not a.size:
            return np.zeros(len(columns), dtype=bool), a, a, np.zeros(0, dtype=int)
        q, triangle, pivot = linalg.qr(a.T, mode="economic", pivoting=True)
        rank = int((np.abs(np.diag(triangle)) > TOL).sum())
        q, triangle = q[:, :rank], triangle[:rank, :rank]
        return (q**2).sum(axis=1) > 1 - TOL, q, triangle, pivot[:rank]

    def break_derivations(self, rows: list[int], columns: list[int]) -> bool:
        """Hide one cell of each way to work out a small cell; tell whether any was hidden."""
        known, q, triangle, pivot = self.derived(rows, columns)
        chosen: set[int] = set()
        for j in np.flatnonzero(known & self.primary[columns]):
            y = linalg.solve_triangular(triangle, q[j])
            used: dict[int, float] = {}
            for i, weight in zip(pivot, y, strict=True):
                for c, sign in zip(self.cells[rows[i]], self.signs[rows[i]], strict=True):
                    used[c] = used.get(c, 0.0) + weight * sign
            public = [c for c, w in used.items() if abs(w) > TOL and not self.hidden[c]]
            if public and chosen.isdisjoint(public):
                chosen.add(min(public, key=self.rank.__getitem__))
        self.hide(sorted(chosen))
        return bool(chosen)
