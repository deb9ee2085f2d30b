"""The release gate of the bounds: shares who have an outcome would tell how many lack it."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import pandas as pd

from evaluate.release.gate_cells import (
    ALL,
    GAP,
    MEN,
    WOMEN,
    Cells,
    Gated,
    add_indicator,
    empty_rows,
    plain,
)
from evaluate.release.gate_effects import (
    Key,
    gate_followers,
    group_cost,
    identity_of,
    noted,
    results_of,
    sides,
)

MISSING = ("missing_treated", "missing_control")
ESTIMATORS = ("lee_lower", "lee_upper", "manski_lower", "manski_upper")
COST_OF_ALL = 1e6  # beside women and men, which go first; everything else in the register is dearer


def bounds_cells(
    cells: Cells,
    table: pd.DataFrame,
    flow: pd.DataFrame | None,
    places: Mapping[tuple[int, str], int],
    told: Collection[str],
    control: str,
    always: bool,
    min_cell: int,
) -> list[list[int]]:
    """Enter who has an outcome and who lacks it, by group and arm.

    Parameters
    ----------
    cells : Cells
        To enter them in.
    table : DataFrame
        As `schemas.BOUNDS`, with the numbers who lack the outcome.
    flow : DataFrame or None
        As `schemas.FLOW`: those included less those analysed lack the outcome.
    places : mapping of (int, str) to int
        Cells of the flow.
    told : collection of str
        Columns of the flow whose number included other rows tell by arm: there, how many lack
        an outcome is a difference between two n.
    control : str
        The control arm.
    always : bool
        See `Cells.relate`.
    min_cell : int
        The smallest count that passes.

    Returns
    -------
    list of list of int
        The cells of each row; none for the gap, which follows women and men.
    """
    arms = sides([str(a) for a in table["arm"].unique()], control)
    rows: list[list[int]] = []
    alike: dict[Key, dict[str, int]] = {}  # one count in all groups
    lacking: dict[Key, dict[tuple[str, str], int]] = {}  # of an outcome: by group and arm
    for row in table.to_dict("records"):
        found: list[int] = []
        rows.append(found)
        if row["group"] == GAP:
            continue
        outcome, month, group = row["outcome"], plain(row["month"]), str(row["group"])
        for side, arm in zip(("treated", "control"), arms[str(row["arm"])], strict=True):
            if pd.isna(row[f"n_{side}"]) or pd.isna(row[f"missing_{side}"]):
                continue
            n, missing = int(row[f"n_{side}"]), int(row[f"missing_{side}"])
            size = cells.add(("n", group, arm, n), n, group_cost(group, n))
            cost = n + (COST_OF_ALL if group == ALL else 0)
            key = ("response", outcome, month, group, arm)
            have, lack = add_indicator(cells, key, n, n - missing, size, cost)
            alike.setdefault((outcome, month, arm, "have"), {})[group] = have
            alike.setdefault((outcome, month, arm, "lack"), {})[group] = lack
            lacking.setdefault((outcome, month), {})[group, arm] = lack
            found += [size, have, lack]
    for groups in alike.values():
        cells.relate_groups(groups, always)
    if flow is not None:
        _link_flow(cells, flow, places, told, lacking, min_cell)
    return rows


def _link_flow(
    cells: Cells,
    flow: pd.DataFrame,
    places: Mapping[tuple[int, str], int],
    told: Collection[str],
    lacking: Mapping[Key, Mapping[tuple[str, str], int]],
    min_cell: int,
) -> None:
    """Relate those who lack an outcome to the flow.

    Where they are few in all, the flow itself decides whether it tells that.
    """
    steps, reasons = flow["step"].tolist(), flow["reason"].tolist()
    if "included" not in steps:
        return
    included = steps.index("included")
    analysed = {
        r: i for i, (s, r) in enumerate(zip(steps, reasons, strict=True)) if s == "analysed"
    }
    for (outcome, month), by_place in lacking.items():
        row = analysed.get(outcome if month is None else f"{outcome}@{month}", -1)
        parts: dict[str, list[int]] = {}
        for (group, arm), lack in by_place.items():
            parts.setdefault(f"arm={arm}" if group == ALL else group, []).append(lack)
        for column, lack_cells in parts.items():
            if column in told or not {(row, column), (included, column)} <= places.keys():
                continue
            few = sum(cells.counts[c] for c in lack_cells)
            if not 1 <= few < min_cell:
                cells.relate(places[included, column], [places[row, column], *lack_cells])


def gate_bounds(
    table: pd.DataFrame,
    rows: list[list[int]],
    withheld: set[Key],
    cells: Cells,
    min_cell: int,
) -> tuple[Gated, set[Key]]:
    """Empty the numbers of every row with a withheld count, and of its gap.

    A bound of a share tells how many lack it as well as the shares who have it do, so that a
    row is emptied whole.

    Parameters
    ----------
    table : DataFrame
        As `schemas.BOUNDS`.
    rows : list of list of int
        The cells of each row.
    withheld : set of tuple
        Outcome, month, arm and group of the effects that were withheld.
    cells : Cells
        Solved.
    min_cell : int
        The smallest count that passes.

    Returns
    -------
    gated : Gated
        Without the numbers who lack the outcome.
    keys : set of tuple
        Outcome, month, arm and group of the rows that were emptied.
    """
    table = table.reset_index(drop=True)
    table = table.drop(columns=[c for c in MISSING if c in table])
    places = [
        (r["outcome"], plain(r["month"]), r["arm"], r["group"]) for r in table.to_dict("records")
    ]
    why = {i: cells.any_small(c) for i, c in enumerate(rows) if c and cells.any_hidden(c)}
    hidden = {places[i] for i in why}
    for i, (*place, group) in enumerate(places):
        if group == GAP and {(*place, g) for g in (WOMEN, MEN)} & hidden:
            why[i] = False
    numbers = results_of(table)
    identity = identity_of(table, numbers)
    own = empty_rows("bounds", table, why, identity, numbers, min_cell)
    rest = gate_followers("bounds", own.table, withheld, min_cell)
    emptied = {i: False for i, place in enumerate(places) if place in withheld} | why
    out = noted(rest.table, emptied, min_cell) if len(table) else rest.table
    return Gated(out, [*own.withheld, *rest.withheld]), {places[i] for i in emptied}
