"""The release gate of who the compliers are: means over those who took part are counts of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from evaluate.release.gate_cells import ALL, WOMEN, Cells, Gated, add_indicator, empty_rows
from evaluate.release.gate_effects import Key, noted, sides
from evaluate.release.gate_flow import BALANCE_COST
from evaluate.release.gate_participation import SIDES, taking_part

BEHIND = tuple(f"{who}_{side}" for who in ("n", "takers", "ones", "both") for side in SIDES)
COST = 5e9  # beside the flow, which goes first, and the balance
PER_ALL = 1.5
KINDS = ("n", "takers", "others", "ones", "zeros", "both", "neither")
GENDER = "gender=women"  # a characteristic of all, which tells the group of women


@dataclass(frozen=True)
class CompliersCells:
    """The cells behind each row of a table of compliers.

    Attributes
    ----------
    sizes : list of list of int
        Persons by arm.
    all : list of list of int
        Persons of both arms with and without the characteristic: what ``mean_all`` shows.
    compliers : list of list of int
        Persons by arm who took part and who did not; of the former those with and without the
        characteristic: what ``mean_compliers`` shows.
    """

    sizes: list[list[int]] = field(default_factory=list)
    all: list[list[int]] = field(default_factory=list)
    compliers: list[list[int]] = field(default_factory=list)


def compliers_cells(
    cells: Cells, table: pd.DataFrame, control: str, always: bool, min_cell: int
) -> CompliersCells:
    """Enter who has a characteristic, and who of them took part.

    The mean of compliers is that among those offered who took part, less what control who took
    part anyway tells of them; with no such control it is a share of a known number.

    Parameters
    ----------
    cells : Cells
        To enter them in; those of the balance table are there already.
    table : DataFrame
        As `schemas.COMPLIERS`, with the counts behind it.
    control : str
        The control arm.
    always : bool
        See `Cells.relate`.
    min_cell : int
        The smallest count that passes.
    """
    arms = sides([str(a) for a in table["arm"].unique()], control)
    missing = _missing(table)
    found = CompliersCells()
    alike: dict[Key, dict[str, int]] = {}  # one count in all groups
    levels: dict[Key, list[int]] = {}  # one categorical covariate in one group
    for row in table.to_dict("records"):
        covariate, group, label = str(row["covariate"]), str(row["group"]), str(row["arm"])
        source = covariate.removesuffix(" missing").split("=")[0]
        by_side = []
        for side, arm in zip(SIDES, arms[label], strict=True):
            absent = missing.get((covariate, group, label, side), (0, 0))
            own = _entered(cells, row, side, arm, absent, min_cell)
            for kind, cell in zip(KINDS, own, strict=False):
                what = "" if kind in KINDS[:3] else covariate
                alike.setdefault((what, arm, kind), {})[group] = cell
            if len(own) == len(KINDS):
                levels.setdefault((source, group, arm, own[0]), []).append(own[3])
                levels.setdefault((source, group, arm, own[1]), []).append(own[5])
            by_side.append(own)
        treated, control_side = by_side
        found.sizes.append([treated[0], control_side[0]])
        found.compliers.append(
            [c for own in by_side for k, c in enumerate(own) if KINDS[k] not in ("ones", "zeros")]
        )
        found.all.append(_of_both_arms(cells, (covariate, group, label), treated, control_side))
    for (_, _, kind), groups in alike.items():
        cells.relate_groups(groups, always and kind == "n")
    for (*_, whole), parts in levels.items():
        cells.relate(whole, list(dict.fromkeys(parts)))
    for (covariate, arm, kind), groups in list(alike.items()):
        # who has the characteristic is a group with rows of its own
        same = alike.get(("", arm, {"ones": "n", "both": "takers"}.get(kind, "")), {})
        name = WOMEN if covariate == GENDER else covariate
        if name in same and ALL in groups:
            cells.relate(groups[ALL], [same[name]])
    return found


def _missing(table: pd.DataFrame) -> dict[Key, tuple[int, int]]:
    """Return how many lack a value, and of those who took part, by covariate, place and side."""
    return {
        (str(row["covariate"]).removesuffix(" missing"), row["group"], row["arm"], side): (
            int(row[f"ones_{side}"]),
            int(row[f"both_{side}"]),
        )
        for row in table[table["covariate"].str.endswith(" missing")].to_dict("records")
        for side in SIDES
        if pd.notna(row[f"ones_{side}"])
    }


def _entered(
    cells: Cells,
    row: Mapping[Any, Any],
    side: str,
    arm: str,
    absent: tuple[int, int],
    min_cell: int,
) -> list[int]:
    """Enter one arm of a row: the cells of `KINDS`, of the first three where it is no indicator.

    Those with a characteristic who did not take part are what the balance table leaves: a cell
    where they are few.
    """
    covariate, group = str(row["covariate"]), str(row["group"])
    n, taken = int(row[f"n_{side}"]), int(row[f"takers_{side}"])
    size, takers, others = taking_part(cells, group, arm, n, taken)
    if pd.isna(row[f"ones_{side}"]):
        return [size, takers, others]
    ones, both = int(row[f"ones_{side}"]), int(row[f"both_{side}"])
    cost = BALANCE_COST * (10 if group == ALL else 1) + n
    # the key of the balance table, whose cells these are if they are of the same persons
    pair = add_indicator(cells, ("balance", covariate, group, arm), n - absent[0], ones, size, cost)
    key, cost = ("compliers", covariate, group, arm, n), COST * (PER_ALL if group == ALL else 1)
    part = add_indicator(cells, key, taken - absent[1], both, takers, cost + taken)
    for whole, some in zip(pair, part, strict=True):
        rest = cells.counts[whole] - cells.counts[some]
        if 0 < rest < min_cell:
            cells.relate(whole, [some, cells.add(("others", whole, some), rest, 0)])
    return [size, takers, others, *pair, *part]


def _of_both_arms(cells: Cells, key: Key, treated: list[int], control: list[int]) -> list[int]:
    """Enter who has a characteristic and who has not in both arms together."""
    found = []
    for kind, *pair in list(zip(KINDS, treated, control, strict=False))[3:5]:
        count = sum(cells.counts[c] for c in pair)
        cell = cells.add(("both arms", kind, *key), count, COST + count, ("both arms", *key))
        cells.relate(cell, pair)
        found.append(cell)
    return found


def gate_compliers(
    table: pd.DataFrame,
    found: CompliersCells,
    cells: Cells,
    min_cell: int,
    shows_included: bool = True,
) -> Gated:
    """Empty the means that would tell a withheld count.

    Parameters
    ----------
    table : DataFrame
        As `schemas.COMPLIERS`, with the counts behind it, which are taken away.
    found : CompliersCells
        The cells of each row.
    cells : Cells
        Solved.
    min_cell : int
        The smallest count that passes.
    shows_included : bool
        Whether the flow shows how many were included, which ``n`` would tell.
    """
    table = table.reset_index(drop=True).drop(columns=[c for c in BEHIND if c in table])
    parts = (
        (found.sizes, ("mean_all", "mean_compliers", "std_error", "n")),
        (found.all, ("mean_all",)),
        (found.compliers, ("mean_compliers", "std_error")),
    )
    why: dict[int, bool] = {}
    entries: list[dict[str, Any]] = []
    identity = ("covariate", "arm", "group")
    for rows, numbers in parts:
        hidden = {i: cells.any_small(c) for i, c in enumerate(rows) if c and cells.any_hidden(c)}
        gated = empty_rows("compliers", table, hidden, identity, numbers, min_cell)
        table, entries = gated.table, [*entries, *gated.withheld]
        why |= {i: small or why.get(i, False) for i, small in hidden.items()}
    table = noted(table, why, min_cell)
    if not shows_included:
        every = dict.fromkeys(range(len(table)), False)
        gated = empty_rows("compliers", table, every, identity, ("n",), min_cell)
        table, entries = gated.table, [*entries, *gated.withheld]
    return Gated(table, entries)
