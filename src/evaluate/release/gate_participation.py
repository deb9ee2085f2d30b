"""The release gate of take-up: behind every effect on participants is how many there are.

The effect of the offer over that on participants is the share of compliers, which is the share
who took part among those offered less that among control. A table that prints one of them prints
the counts behind both.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

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

SIDES = ("treated", "control")
SHARES = ("takeup_treated", "takeup_control")
TAKERS = ("takers_treated", "takers_control")
ESTIMATES = (
    "compliers", "compliers_se", "df", "f", "effect", "conf_low", "conf_high", "ar_low", "ar_high",
    "ar_set",
)  # fmt: skip
COST, PER_ALL = 2e11, 4  # beside the flow and the balance, which go first, and the effects
Row = tuple[list[int], list[int]]  # cells of those offered, of control
ByArm = dict[tuple[str, str], int]  # cell by group and arm


def taking_part(cells: Cells, group: str, arm: str, n: int, takers: int) -> list[int]:
    """Enter the persons of a group and arm, those who took part and the others."""
    size = cells.add(("n", group, arm, n), n, group_cost(group, n))
    cost = COST * (PER_ALL if group == ALL else 1) + n
    return [size, *add_indicator(cells, ("takeup", group, arm), n, takers, size, cost)]


def participation_cells(
    cells: Cells,
    table: pd.DataFrame,
    flow: pd.DataFrame | None,
    places: Mapping[tuple[int, str], int],
    control: str,
    always: bool,
    min_cell: int,
) -> list[Row]:
    """Enter who took part and who did not, by group and arm.

    Parameters
    ----------
    cells : Cells
        To enter them in.
    table : DataFrame
        As `schemas.PARTICIPATION`, with the numbers who took part.
    flow : DataFrame or None
        As `schemas.FLOW`: it says how many took part in all.
    places : mapping of (int, str) to int
        Cells of the flow.
    control : str
        The control arm.
    always : bool
        See `Cells.relate`.
    min_cell : int
        The smallest count that passes.

    Returns
    -------
    list of tuple
        The cells of each row, by arm; none for the gap, which follows women and men.
    """
    arms = sides([str(a) for a in table["arm"].unique()], control)
    rows: list[Row] = []
    alike: dict[Key, dict[str, int]] = {}  # one count in all groups
    by_outcome: dict[Key, ByArm] = {}
    for row in table.to_dict("records"):
        found: Row = ([], [])
        rows.append(found)
        if row["group"] == GAP:
            continue
        outcome, month, group = row["outcome"], plain(row["month"]), str(row["group"])
        for side, arm, own in zip(SIDES, arms[str(row["arm"])], found, strict=True):
            if pd.isna(row[f"n_{side}"]) or pd.isna(row[f"takers_{side}"]):
                continue
            own += taking_part(cells, group, arm, int(row[f"n_{side}"]), int(row[f"takers_{side}"]))
            for kind, cell in zip(("n", "takers", "others"), own, strict=True):
                alike.setdefault((outcome, month, arm, kind), {})[group] = cell
            by_outcome.setdefault((outcome, month), {})[group, arm] = own[1]
    for (*_, kind), groups in alike.items():
        cells.relate_groups(groups, always and kind == "n")
    if flow is not None:
        _link_flow(cells, flow, places, list(by_outcome.values()), min_cell)
    return rows


def _link_flow(
    cells: Cells,
    flow: pd.DataFrame,
    places: Mapping[tuple[int, str], int],
    takers: Collection[ByArm],
    min_cell: int,
) -> None:
    """Relate those who took part and have an outcome to all who took part.

    Those who lack it are a cell where they are few, unless everybody who took part has another
    outcome, which tells it already.
    """
    steps = flow["step"].tolist()
    if "took_part" not in steps:
        return
    row = steps.index("took_part")
    every = [c.removeprefix("arm=") for c in map(str, flow) if c.startswith("arm=")]
    columns = [(WOMEN, WOMEN, every), (MEN, MEN, every), *((f"arm={a}", ALL, [a]) for a in every)]
    for column, group, arms in columns:
        if (row, column) not in places:
            continue
        total = places[row, column]
        found = [
            [by_arm[group, a] for a in arms]
            for by_arm in takers
            if all((group, a) in by_arm for a in arms)
        ]
        rests = [cells.counts[total] - sum(cells.counts[c] for c in parts) for parts in found]
        for parts, rest in zip(found, rests, strict=True):
            if not rest:
                cells.relate(total, parts)
            elif 0 < rest < min_cell and 0 not in rests:
                key = ("took part", column, frozenset(parts))
                cells.relate(total, [*parts, cells.add(key, rest, 0)])


def gate_participation(
    table: pd.DataFrame, rows: list[Row], withheld: set[Key], cells: Cells, min_cell: int
) -> tuple[Gated, set[Key]]:
    """Empty what would tell a withheld number of persons who took part, or did not.

    The share of its arm, and all estimates, from which it follows with the other share.

    Parameters
    ----------
    table : DataFrame
        As `schemas.PARTICIPATION`.
    rows : list of tuple
        The cells of each row, by arm.
    withheld : set of tuple
        Outcome, month, arm and group of the effects that were withheld.
    cells : Cells
        Solved.
    min_cell : int
        The smallest count that passes.

    Returns
    -------
    gated : Gated
        Without the numbers who took part.
    keys : set of tuple
        Outcome, month, arm and group whose effect on participants must not be seen elsewhere.
    """
    table = table.reset_index(drop=True).drop(columns=[c for c in TAKERS if c in table])
    place = [
        (r["outcome"], plain(r["month"]), r["arm"], r["group"]) for r in table.to_dict("records")
    ]
    both = [[*treated, *control] for treated, control in rows]
    why = {i: cells.any_small(c) for i, c in enumerate(both) if c and cells.any_hidden(c)}
    hidden = {place[i] for i in why}
    for i, (*at, group) in enumerate(place):
        if group == GAP and {(*at, g) for g in (WOMEN, MEN)} & hidden:
            why[i] = False
    numbers = results_of(table)
    identity = identity_of(table, numbers)
    sizes = {i: why[i] for i, c in enumerate(rows) if cells.any_hidden([s[0] for s in c if s])}
    parts = [(sizes, numbers), (why, ESTIMATES)]
    for k, share in enumerate(SHARES):
        own = {i: cells.any_small(r[k]) for i, r in enumerate(rows) if cells.any_hidden(r[k])}
        parts.append((own, (share,)))
    entries: list[dict[str, Any]] = []
    for chosen, columns in parts:
        gated = empty_rows("participation", table, chosen, identity, columns, min_cell)
        table, entries = gated.table, [*entries, *gated.withheld]
    rest = gate_followers("participation", table, withheld, min_cell)
    follow = {i: False for i, at in enumerate(place) if at in withheld}
    out = noted(rest.table, follow | why, min_cell)
    return Gated(out, [*entries, *rest.withheld]), {place[i] for i in why}
