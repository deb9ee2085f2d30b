"""Persons whom trimming leaves out, or who are not matched: few of them are not to be told.

A raw comparison is of all persons, the others of those kept. Where few are left out, one number
less the other would tell how many, and a mean less the other what they are like. Then the number
kept is withheld, with what tells it, and the effect stays.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from evaluate.release.gate_cells import ALL, GAP, MEN, WOMEN, Cells, indicator, plain
from evaluate.release.gate_effects import Key
from evaluate.release.suppression import is_small

SIDES = ("treated", "control")
RAW = ("difference_in_means",)  # of all persons
ATT, ATE = "att", "ate"
CellsBySide = dict[Key, list[int]]  # cells of a row, by what tells it and the side last
BySide = dict[Key, set[str]]
Counted = dict[tuple[str, str, str], int]  # by contrast, group and side


@dataclass(frozen=True)
class Trimmed:
    """What must not be told of those kept.

    Attributes
    ----------
    sides : set of (str, str, str)
        Contrast, group and side whose number kept is withheld in the table of overlap.
    clipped : set of (str, str, str)
        Those whose number held at a bound is.
    rows : dict of tuple to set of str
        Outcome, month, arm, group and estimator of effects whose numbers of persons are, with
        the sides.
    means : dict of tuple to set of str
        Those whose means of the outcome are.
    estimand : {"att", "ate"}
        For the ATT the means of those kept are of the treated.
    """

    sides: set[tuple[str, str, str]] = field(default_factory=set)
    clipped: set[tuple[str, str, str]] = field(default_factory=set)
    rows: BySide = field(default_factory=dict)
    means: BySide = field(default_factory=dict)
    estimand: str = ATE

    @property
    def places(self) -> set[Key]:
        """Outcome, month, arm and group of the rows."""
        return {row[:4] for row in self.rows}

    def tells(self, arm: str, group: str) -> bool:
        """Tell whether means of those kept in a group would tell how many they are."""
        groups = (WOMEN, MEN) if group == GAP else (group,)
        sides = SIDES[:1] if self.estimand == ATT else SIDES
        return any((arm, g, side) in self.sides for g in groups for side in sides)


def trimmed_of(tables: Mapping[str, pd.DataFrame], min_cell: int) -> Trimmed:
    """Find where few persons are left out, and what would tell how many.

    Parameters
    ----------
    tables : mapping of str to DataFrame
        The exact tables, of which ``overlap``, ``propensity_histogram`` and ``effects`` are used.
    min_cell : int
        The smallest count that passes.
    """
    overlap, effects = tables.get("overlap"), tables.get("effects")
    if overlap is None or overlap.empty:
        return Trimmed()
    cells = Cells()
    sides, clipped = _of_overlap(cells, overlap, tables.get("propensity_histogram"), min_cell)
    estimand = ATE
    rows: CellsBySide = {}
    means: CellsBySide = {}
    if effects is not None and len(effects):
        estimand = ATE if (effects["estimand"] == ATE).any() else ATT
        rows, means = _of_effects(cells, effects, _counts(overlap, "n"))
    cells.solve(min_cell)
    return Trimmed(
        {place for place, cell in sides.items() if cells.hidden[cell]},
        {place for place, cell in clipped.items() if cells.hidden[cell]},
        _hidden(cells, rows),
        _hidden(cells, means),
        estimand,
    )


def _hidden(cells: Cells, rows: CellsBySide) -> BySide:
    """Return the sides of each row with a withheld cell; a gap has those of women and men."""
    found: BySide = {}
    for (*row, side), own in rows.items():
        if cells.any_hidden(own):
            found.setdefault(tuple(row), set()).add(side)
    for (*context, group, estimator), own_sides in list(found.items()):
        if group in (WOMEN, MEN):
            found.setdefault((*context, GAP, estimator), set()).update(own_sides)
    return found


def _counts(overlap: pd.DataFrame, column: str) -> Counted:
    return {
        (str(r["arm"]), str(r["group"]), str(r["side"])): int(r[column])
        for r in overlap.to_dict("records")
        if pd.notna(r[column])
    }


def _of_overlap(
    cells: Cells, overlap: pd.DataFrame, histogram: pd.DataFrame | None, min_cell: int
) -> tuple[dict[tuple[str, str, str], int], dict[tuple[str, str, str], int]]:
    """Enter who is left out, and whose probability is held at a bound."""
    sides: dict[tuple[str, str, str], int] = {}
    clipped: dict[tuple[str, str, str], int] = {}
    alike: dict[tuple[str, str, str], dict[str, int]] = {}
    for row in overlap.to_dict("records"):
        arm, group, side = place = (str(row["arm"]), str(row["group"]), str(row["side"]))
        if pd.isna(row["n"]) or pd.isna(row["kept"]):
            continue
        n, kept, held = int(row["n"]), int(row["kept"]), int(row["clipped"] or 0)
        tails = _tails(histogram, row)
        few = [t for t in tails if is_small(pd.Series([t]).to_numpy(), min_cell).any()]
        sides[place] = _lost(cells, arm, side, group, n, kept, min([*few, n - kept]))
        cost = 1e9 if group == ALL else 1.0
        pair = [
            cells.add((kind, *place), count, cost + count, ("clipped", *place))
            for kind, count in (("clipped", held), ("not clipped", kept - held))
        ]
        clipped[place] = pair[0]
        for kind, cell in zip(
            ("lost", "clipped", "not clipped"), (sides[place], *pair), strict=True
        ):
            alike.setdefault((arm, side, kind), {})[group] = cell
    for groups in alike.values():
        cells.relate_groups(groups, always=True)
    return sides, clipped


def _lost(
    cells: Cells, arm: str, side: str, group: str, n: int, kept: int, fewest: int | None = None
) -> int:
    """Return the cell of those left out; ``fewest`` of them may be told apart."""
    cost = float("inf") if group == ALL else 1e6 + n - kept
    persons = None if fewest in (None, n - kept) else (fewest or 0, 0, 0)
    return cells.add(("lost", arm, side, group, n, kept), n - kept, cost, persons=persons)


def _tails(histogram: pd.DataFrame | None, row: Mapping[Any, Any]) -> list[int]:
    """Return how many the histogram tells are below and above bounds that are its own edges."""
    if histogram is None or histogram.empty:
        return []
    own = histogram["arm"] == row["arm"]
    for column in ("group", "side"):
        own &= histogram[column] == row[column]
    bins = histogram[own]
    found = []
    if (bins["low"] - row["low"]).abs().min() < 1e-9:
        found.append(int(bins.loc[bins["high"] <= row["low"] + 1e-9, "n"].sum()))
    if (bins["high"] - row["high"]).abs().min() < 1e-9:
        found.append(int(bins.loc[bins["low"] >= row["high"] - 1e-9, "n"].sum()))
    return found


def _of_effects(
    cells: Cells, effects: pd.DataFrame, everybody: Counted
) -> tuple[CellsBySide, CellsBySide]:
    """Enter who is left out of each row, and how many of them have the outcome."""
    rows: CellsBySide = {}
    means: CellsBySide = {}
    by_place: dict[Key, list[dict[Any, Any]]] = {}
    for row in effects[effects["group"] != GAP].to_dict("records"):
        place = tuple(plain(row[c]) for c in ("outcome", "month", "arm", "group"))
        by_place.setdefault(place, []).append(row)
    alike: dict[Key, dict[str, int]] = {}
    for place, found in by_place.items():
        *context, arm, group = place
        raw = [r for r in found if r["estimator"] in RAW]
        others = [r for r in found if r["estimator"] not in RAW]
        for side in SIDES:
            sizes = [int(r[f"n_{side}"]) for r in others if pd.notna(r[f"n_{side}"])]
            whole = [int(r[f"n_{side}"]) for r in raw if pd.notna(r[f"n_{side}"])]
            n = max([*whole, *([] if whole else [everybody.get((arm, group, side), 0)])])
            if not sizes or max(sizes) > n:
                continue
            kept = max(sizes)
            lost = _lost(cells, arm, side, group, n, kept)
            alike.setdefault((*context, arm, side, "lost"), {})[group] = lost
            ones = _ones(raw, side, n)
            ones_kept = _ones([r for r in others if r[f"n_{side}"] == kept], side, kept)
            with_outcome: list[int] = []
            if ones is not None and ones_kept is not None:
                key = (*place, side, n, kept)
                for kind, count in (
                    ("ones", ones - ones_kept),
                    ("zeros", n - kept - ones + ones_kept),
                ):
                    cell = cells.add((f"lost {kind}", *key), max(count, 0), 10.0, ("lost", *key))
                    with_outcome.append(cell)
                    alike.setdefault((*context, arm, side, kind), {})[group] = cell
                cells.relate(lost, with_outcome)
            for row in others:
                if pd.isna(row[f"n_{side}"]):
                    continue
                name = (*place, str(row["estimator"]))
                size = int(row[f"n_{side}"])
                own = [lost] if size == kept else [_pruned(cells, name, side, kept, size)]
                rows[*name, side] = own
                told = (
                    with_outcome if size == kept else _of_pruned(cells, row, side, kept, ones_kept)
                )
                means[*name, side] = [*own, *told]
    for (*_, kind), groups in alike.items():
        cells.relate_groups(groups, always=kind == "lost")
    return rows, means


def _ones(rows: list[dict[Any, Any]], side: str, n: int) -> int | None:
    """Return how many of the n have an outcome that is a share of persons."""
    shares = [r[f"mean_{side}"] for r in rows if r["unit"] == "share"]
    return indicator(shares[0], n) if shares else None


def _pruned(cells: Cells, name: Key, side: str, kept: int, size: int) -> int:
    """Return the cell of those kept who are not in a row: without a match, or no match of any."""
    return cells.add(("pruned", *name, side), kept - size, 1.0)


def _of_pruned(
    cells: Cells, row: Mapping[Any, Any], side: str, kept: int, ones_kept: int | None
) -> list[int]:
    """Enter those pruned with and without the outcome."""
    size = int(row[f"n_{side}"])
    ones = _ones([dict(row)], side, size)
    if ones is None or ones_kept is None:
        return []
    name = tuple(plain(row[c]) for c in ("outcome", "month", "arm", "group", "estimator"))
    pair = {"ones": ones_kept - ones, "zeros": kept - size - ones_kept + ones}
    return [
        cells.add((f"pruned {kind}", *name, side), max(count, 0), 1.0)
        for kind, count in pair.items()
    ]
