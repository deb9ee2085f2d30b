"""The cells of all tables in one register, so that no table gives away another's."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse

from evaluate.release.suppression import is_small, withhold

WHOLE = 1e-6  # how far a share times its number of persons may be from a whole number
ALL, WOMEN, MEN, GAP = "all", "women", "men", "women-men"
Persons = tuple[float, float, float]  # distinct: women, men, of gender not known


@dataclass
class Cells:
    """Counts of persons, or of their rows, and what they add up to, filled table by table.

    A count that several rows publish is one cell: its key is what it counts. The keys of
    group sizes hold the count itself, so that outcomes and estimators that use the same
    persons are withheld alike.
    """

    index: dict[Hashable, int] = field(default_factory=dict)
    counts: list[float] = field(default_factory=list)
    persons: list[Persons] = field(default_factory=list)
    costs: list[float] = field(default_factory=list)
    labels: list[Hashable] = field(default_factory=list)
    unprinted: set[int] = field(default_factory=set)
    relations: dict[tuple[int, frozenset[int]], None] = field(default_factory=dict)
    hidden: np.ndarray = field(default_factory=lambda: np.zeros(0, dtype=bool))
    small: np.ndarray = field(default_factory=lambda: np.zeros(0, dtype=bool))

    def add(
        self,
        key: Hashable,
        count: float,
        cost: float,
        together: Hashable | None = None,
        persons: Persons | None = None,
    ) -> int:
        """Return the cell with this key; ``together`` names what is withheld as one.

        Where rows are counted, ``persons`` is how many distinct persons are behind them.
        """
        if key not in self.index:
            self.index[key] = len(self.counts)
            self.counts.append(count)
            self.persons.append((count, 0, 0) if persons is None else persons)
            self.costs.append(cost)
            self.labels.append(key if together is None else together)
        return self.index[key]

    def add_unprinted(self, key: Hashable, count: float, persons: Persons) -> int:
        """Return a cell that no table prints: it may be worked out, and hides others."""
        cell = self.add(key, count, 0, persons=persons)
        self.unprinted.add(cell)
        return cell

    def relate(self, total: int, parts: Sequence[int], always: bool = False) -> None:
        """Note that a cell is the sum of others, where it is.

        With ``always``, also where it is not: what is missing, such as persons whose gender is
        not known, is then taken as a number that a reader has from elsewhere.
        """
        if not parts or total in parts:
            return
        if always or self.counts[total] == sum(self.counts[p] for p in parts):
            self.relations[total, frozenset(parts)] = None

    def relate_groups(self, groups: Mapping[str, int], always: bool = False) -> None:
        """Relate the cell of ``all`` to those of women and men and of each dimension."""
        if ALL not in groups:
            return
        genders = [groups[g] for g in (WOMEN, MEN) if g in groups]
        self.relate(groups[ALL], genders, always and len(genders) == 2)
        dimensions: dict[str, list[int]] = {}
        for group, cell in groups.items():
            if "=" in group:
                dimensions.setdefault(group.split("=")[0], []).append(cell)
        for levels in dimensions.values():
            self.relate(groups[ALL], levels, always)

    def solve(self, min_cell: int) -> None:
        """Choose the cells to withhold."""
        counts = np.array(self.counts, dtype=float)
        persons = np.array(self.persons, dtype=float).reshape(-1, 3)
        self.small = is_small(persons.sum(axis=1), min_cell)
        terms = [
            (r, cell, sign)
            for r, (total, parts) in enumerate(self.relations)
            for cell, sign in [(total, 1), *((p, -1) for p in sorted(parts))]
        ]
        rows, columns, signs = zip(*terms, strict=True) if terms else ((), (), ())
        matrix = sparse.coo_array((signs, (rows, columns)), (len(self.relations), len(counts)))
        numbers = {label: i for i, label in enumerate(dict.fromkeys(self.labels))}
        together = np.array([numbers[label] for label in self.labels], dtype=int)
        costs = np.array(self.costs, dtype=float)
        unprinted = np.isin(np.arange(len(counts)), list(self.unprinted))
        self.hidden = withhold(counts, matrix, min_cell, costs, together, persons, unprinted)

    def any_hidden(self, cells: Sequence[int]) -> bool:
        """Tell whether one of the cells is withheld."""
        return bool(self.hidden[list(cells)].any())

    def any_small(self, cells: Sequence[int]) -> bool:
        """Tell whether one of the cells is withheld because it is small."""
        return bool(self.small[list(cells)].any())


@dataclass(frozen=True)
class Gated:
    """A table with its withheld cells empty, and the list of them.

    Attributes
    ----------
    table : DataFrame
        In the columns and types that it came in.
    withheld : list of dict
        ``table``, ``row`` (its identifying columns), ``columns`` and ``reason``.
    """

    table: pd.DataFrame
    withheld: list[dict[str, Any]]


def reason(small: bool, min_cell: int) -> str:
    """Say why a cell is withheld."""
    return f"fewer than {min_cell} persons" if small else "would give away another cell"


def plain(value: Any) -> Any:
    """Return a cell of a table as JSON knows it: empty is None, whole numbers are int."""
    if value is None or pd.isna(value):
        return None
    if hasattr(value, "item"):
        value = value.item()
    return int(value) if isinstance(value, float) and value.is_integer() else value


def empty_rows(
    name: str,
    table: pd.DataFrame,
    why: Mapping[int, bool],
    identity: Sequence[str],
    numbers: Sequence[str],
    min_cell: int,
) -> Gated:
    """Empty the numbers of some rows.

    Parameters
    ----------
    name : str
        Of the table, for the list.
    table : DataFrame
        Left as it is.
    why : mapping of int to bool
        Positions of the rows to empty; true where a count of their own is small.
    identity, numbers : sequence of str
        Columns that tell the row; columns to empty.
    min_cell : int
        For the reason.
    """
    table = table.reset_index(drop=True)
    if not why:
        return Gated(table.copy(), [])
    identity = [c for c in identity if c in table]
    numbers = [c for c in numbers if c in table]
    chosen = table.index.isin(list(why))
    entries = []
    for i, record in zip(sorted(why), table[chosen].to_dict("records"), strict=True):
        filled = [c for c in numbers if plain(record[c]) is not None]
        if filled:
            row = {c: plain(record[c]) for c in identity}
            text = reason(why[i], min_cell)
            entries.append({"table": name, "row": row, "columns": filled, "reason": text})
    return Gated(table.assign(**{c: table[c].mask(chosen) for c in numbers}), entries)


def empty_counts(
    name: str,
    table: pd.DataFrame,
    places: Mapping[tuple[int, str], int],
    cells: Cells,
    identity: Sequence[str],
    min_cell: int,
    round_to: int,
) -> Gated:
    """Empty the withheld counts of a table one by one, and round the others.

    Parameters
    ----------
    name : str
        Of the table, for the list.
    table : DataFrame
        Left as it is.
    places : mapping of (int, str) to int
        Cell by position of the row and column.
    cells : Cells
        Solved.
    identity : sequence of str
        Columns that tell the row.
    min_cell, round_to : int
        The limits of the release.
    """
    table = table.reset_index(drop=True)
    by_row: dict[int, list[str]] = {}
    for (i, column), cell in places.items():
        if cells.hidden[cell]:
            by_row.setdefault(i, []).append(column)
    entries = []
    for i in sorted(by_row):
        row = {c: plain(table[c].iloc[i]) for c in identity}
        for small in (True, False):
            columns = [c for c in by_row[i] if bool(cells.small[places[i, c]]) == small]
            if columns:
                text = reason(small, min_cell)
                entries.append({"table": name, "row": row, "columns": columns, "reason": text})
    out = table.copy()
    for column in dict.fromkeys(c for _, c in places):
        chosen = table.index.isin([i for i, columns in by_row.items() if column in columns])
        out[column] = rounded(out[column].mask(chosen), round_to)
    return Gated(out, entries)


def rounded(counts: pd.Series, round_to: int) -> pd.Series:
    """Return counts as the nearest multiple of ``round_to``, halves up."""
    if round_to <= 1:
        return counts
    return (counts + round_to // 2) // round_to * round_to


def indicator(mean: Any, n: int) -> int | None:
    """Return how many of ``n`` persons are 1 if ``mean`` may be a share of ones, else None."""
    if n <= 0 or mean is None or pd.isna(mean) or not -WHOLE <= mean <= 1 + WHOLE:
        return None
    ones = round(mean * n)
    return ones if abs(mean * n - ones) < WHOLE else None


def add_indicator(
    cells: Cells, key: tuple[Hashable, ...], n: int, ones: int, size: int, cost: float
) -> tuple[int, int]:
    """Add the persons with and without an attribute; ``size`` is the cell of both."""
    together = ("indicator", *key, n, ones)
    pair = (
        cells.add(("ones", *key, n, ones), ones, cost, together),
        cells.add(("zeros", *key, n, ones), n - ones, cost, together),
    )
    cells.relate(size, pair)
    return pair
