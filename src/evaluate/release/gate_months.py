"""The release gate of the tables by month: dose and states."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from evaluate.release.gate_cells import (
    ALL,
    GAP,
    MEN,
    WHOLE,
    WOMEN,
    Cells,
    Gated,
    add_indicator,
    empty_rows,
)

# What goes first: before the effects. All kinds together go before a kind, a single month
# before all of them, women or men before everybody.
DOSE_COST, STATES_COST = 3e8, 2e10
PER_MONTHS, PER_KIND, PER_ALL = 100, 10, 10
DOSE = ("n", "mean", "std_error", "conf_low", "conf_high", "share_any")

Groups = dict[tuple[Hashable, ...], dict[str, int]]  # one count in all groups


@dataclass(frozen=True)
class DoseCells:
    """The cells of each row of a dose table.

    Attributes
    ----------
    shares : list of list of int
        Persons observed, with and without an activity: what ``share_any`` shows.
    means : list of list of int
        Persons observed and activities, and the persons with any where mean and error tell
        how many they are: what the other numbers show.
    """

    shares: list[list[int]]
    means: list[list[int]]


def dose_cells(cells: Cells, table: pd.DataFrame, always: bool, min_cell: int) -> DoseCells:
    """Enter the persons with and without an activity, and the activities that they had.

    Activities are rows of the persons who had any. Those of the kinds add up to those of all
    kinds, and those of the single months to those of all months where everybody is observed
    throughout.

    Parameters
    ----------
    cells : Cells
        To enter them in.
    table : DataFrame
        As `schemas.DOSE`, with ``n_any``.
    always : bool
        See `Cells.relate`.
    min_cell : int
        The smallest count that passes.
    """
    found = DoseCells([], [])
    sizes: Groups = {}
    alike: Groups = {}
    months: dict[tuple[Hashable, ...], dict[int, int]] = {}
    kinds: dict[tuple[Hashable, ...], dict[str, int]] = {}
    for row in table.to_dict("records"):
        found.shares.append([])
        found.means.append([])
        if row["group"] == GAP or pd.isna(row["n"]) or pd.isna(row["n_any"]):
            continue
        kind, month, arm, group = (row[c] for c in ("kind", "month", "arm", "group"))
        n, some = int(row["n"]), int(row["n_any"])
        everybody = PER_ALL if group == ALL else 1
        size = cells.add(("n", group, arm, n), n, STATES_COST * everybody * PER_MONTHS + n)
        cost = DOSE_COST * everybody / (PER_KIND if kind == ALL else 1)
        cost = cost * (PER_MONTHS if month == 0 else 1) + n
        pair = add_indicator(cells, ("dose", kind, month, group, arm), n, some, size, cost)
        found.shares[-1] += [size, *pair]
        found.means[-1].append(size)
        sizes.setdefault((kind, month, arm), {})[group] = size
        for name, cell in zip(("any", "none"), pair, strict=True):
            alike.setdefault((kind, month, arm, name), {})[group] = cell
        total = _whole(row["mean"], n)
        # Where nearly everybody had one at most, the activities tell how many had any.
        told = total is None or pd.isna(row["std_error"]) or total - some < 2 * min_cell
        if told:
            found.means[-1] += pair
        if total is not None:
            key = ("activities", kind, month, group, arm)
            cell = cells.add(key, total, cost, persons=(some, 0, 0))
            found.means[-1].append(cell)
            if told:
                cells.relate(cell, pair[:1], always=True)
            alike.setdefault((kind, month, arm, "activities"), {})[group] = cell
            months.setdefault((kind, arm, group), {})[int(month)] = cell
            kinds.setdefault((month, arm, group), {})[str(kind)] = cell
    for groups in sizes.values():
        cells.relate_groups(groups, always)
    for groups in alike.values():
        cells.relate_groups(groups)
    for by_month in months.values():
        if 0 in by_month:
            cells.relate(by_month[0], [cell for month, cell in by_month.items() if month])
    for by_kind in kinds.values():
        if ALL in by_kind:
            cells.relate(by_kind[ALL], [cell for kind, cell in by_kind.items() if kind != ALL])
    return found


def _whole(mean: Any, n: int) -> int | None:
    """Return the total behind a mean over ``n`` persons, None where it is not whole."""
    if pd.isna(mean):
        return None
    total = round(float(mean) * n)
    return total if abs(float(mean) * n - total) < WHOLE * max(1, total) else None


def gate_dose(table: pd.DataFrame, found: DoseCells, cells: Cells, min_cell: int) -> Gated:
    """Empty the rows or shares with a withheld count, and their gaps; take ``n_any`` away."""
    table = table.reset_index(drop=True).drop(columns="n_any")
    place = ("kind", "month", "arm")
    rows = _withheld(table, found.means, cells, place)
    shares = _withheld(table, found.shares, cells, place)
    whole = empty_rows("dose", table, rows, (*place, "group"), DOSE, min_cell)
    rest = {i: small for i, small in shares.items() if i not in rows}
    part = empty_rows("dose", whole.table, rest, (*place, "group"), ("share_any",), min_cell)
    return Gated(part.table, [*whole.withheld, *part.withheld])


def states_cells(
    cells: Cells, table: pd.DataFrame, made_of: Mapping[str, Sequence[str]], always: bool
) -> list[list[int]]:
    """Enter the persons in each state.

    Parameters
    ----------
    cells : Cells
        To enter them in; the effects are there already.
    table : DataFrame
        As `schemas.STATES`.
    made_of : mapping of str to sequence of str
        The states that an outcome of the effects is made of.
    always : bool
        See `Cells.relate`.

    Returns
    -------
    list of list of int
        Of each row the cells of the persons observed, in the state and not in it.
    """
    rows: list[list[int]] = []
    sizes: Groups = {}
    alike: Groups = {}
    together: dict[tuple[Any, ...], dict[str, int]] = {}  # states of one month, arm and group
    for row in table.to_dict("records"):
        found: list[int] = []
        rows.append(found)
        if row["group"] == GAP or pd.isna(row["n"]) or pd.isna(row["share"]):
            continue
        state, month, arm, group = (row[c] for c in ("state", "month", "arm", "group"))
        n, share = int(row["n"]), float(row["share"])
        # A weighted share is of no whole number of persons, yet of somebody.
        inside = max(round(share * n), 1) if share > 0 and n else 0
        cost = STATES_COST * (PER_ALL if group == ALL else 1)
        size = cells.add(("n", group, arm, n), n, cost * PER_MONTHS + n)
        key = ("state", state, month, group, arm)
        pair = add_indicator(cells, key, n, inside, size, cost + inside)
        found += [size, *pair]
        sizes.setdefault((month, arm), {})[group] = size
        alike.setdefault((state, month, arm), {})[group] = pair[0]
        together.setdefault((month, arm, group, n, size), {})[state] = pair[0]
    for groups in sizes.values():
        cells.relate_groups(groups, always)
    for groups in alike.values():
        cells.relate_groups(groups)
    for (month, arm, group, n, size), by_state in together.items():
        cells.relate(size, list(by_state.values()), always=True)
        for outcome, names in made_of.items():
            parts = [by_state[name] for name in names if name in by_state]
            ones = int(sum(cells.counts[p] for p in parts))
            same = cells.index.get(("ones", outcome, month, group, arm, n, ones))
            if same is not None:
                cells.relate(same, parts)
    return rows


def gate_states(table: pd.DataFrame, rows: list[list[int]], cells: Cells, min_cell: int) -> Gated:
    """Empty the withheld shares and their gaps, and the number of persons where it is withheld."""
    table = table.reset_index(drop=True)
    identity = ("state", "month", "arm", "group")
    shares = _withheld(table, rows, cells, identity[:3])
    sizes = _withheld(table, [found[:1] for found in rows], cells, identity[:3])
    few = empty_rows("states", table, sizes, identity, ("n", "share"), min_cell)
    rest = {i: small for i, small in shares.items() if i not in sizes}
    found = empty_rows("states", few.table, rest, identity, ("share",), min_cell)
    return Gated(found.table, [*few.withheld, *found.withheld])


def _withheld(
    table: pd.DataFrame, rows: list[list[int]], cells: Cells, place: Sequence[str]
) -> dict[int, bool]:
    """Return the rows with a withheld cell, true where it is small, and the gaps of these."""
    why = {i: cells.any_small(c) for i, c in enumerate(rows) if c and cells.any_hidden(c)}
    names = [(*(r[c] for c in place), r["group"]) for r in table.to_dict("records")]
    hidden = {names[i] for i in why}
    for i, (*at, group) in enumerate(names):
        if group == GAP and {(*at, g) for g in (WOMEN, MEN)} & hidden:
            why[i] = False
    return why
