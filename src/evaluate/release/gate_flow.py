"""The release gate of the flow, and the counts behind the balance table."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Mapping
from typing import Any

import pandas as pd

from evaluate.errors import ReleaseError
from evaluate.release.gate_cells import (
    ALL,
    GAP,
    MEN,
    WOMEN,
    Cells,
    Gated,
    add_indicator,
    empty_counts,
    indicator,
)
from evaluate.release.gate_effects import EffectCells, group_cost, sides

Places = dict[tuple[int, str], int]  # position of the row and column → cell
# Who reached a step of the programme; the fewer are taken as a part of the more.
REACHED = ("accepted", "started", "took_part")
# What goes first. Included and analysed are what the effects stand on.
RANK = {"excluded": 0, "noted": 0, "added": 0, "received": 1, "included": 3, "analysed": 4}
RANK |= dict.fromkeys((*REACHED, "followed"), 2)
PER_RANK = 1e9
BALANCE_COST = 1e10
PROGNOSIS = "prognosis:"


def flow_cells(
    cells: Cells, table: pd.DataFrame, told: Collection[str], always: bool, min_cell: int
) -> Places:
    """Enter the counts of the flow: sums down the steps and across gender and arms.

    The persons who did not take part, or have no outcome, are cells that no table prints but
    a subtraction would, where they are few; so are those who accepted and did not start. In
    the columns in ``told``, those included are there to be read.
    """
    columns = [c for c in map(str, table) if c in ("n", WOMEN, MEN) or c.startswith("arm=")]
    places: Places = {}
    for i, row in enumerate(table.to_dict("records")):
        for column in columns:
            if pd.notna(row[column]):
                rank = RANK[row["step"]] + (0.5 if column == "n" else 0)
                # of those who took part an arm says more than all arms together
                rank += 0.6 if row["step"] in REACHED and column.startswith("arm=") else 0
                cost = rank * PER_RANK + row[column]
                places[i, column] = cells.add(("flow", i, column), int(row[column]), cost)
        across = {c: places[i, c] for c in columns if (i, c) in places}
        if "n" in across:
            genders = [across[g] for g in (WOMEN, MEN) if g in across]
            cells.relate(across["n"], genders, always and len(genders) == 2)
            by_arm = [cell for c, cell in across.items() if c.startswith("arm=")]
            cells.relate(across["n"], by_arm, always)
    steps = table["step"].tolist()
    for column in columns:
        down = {i: places[i, column] for i in range(len(steps)) if (i, column) in places}
        first = [c for i, c in down.items() if steps[i] == "received"]
        parts = [c for i, c in down.items() if steps[i] in ("excluded", "included")]
        included = [c for i, c in down.items() if steps[i] == "included"]
        added = [c for i, c in down.items() if steps[i] == "added"]
        if len(first) == 1 and added:  # rows received and added are those excluded and included
            rows = sum(cells.counts[c] for c in (*first, *added))
            whole = cells.add(("rows", column), rows, 0)
            cells.relate(whole, [*first, *added])
            cells.relate(whole, parts)
        elif len(first) == 1:
            cells.relate(first[0], parts)
        for i, cell in down.items():
            later = REACHED if column in told else (*REACHED, "followed", "analysed")
            if len(included) == 1 and steps[i] in later:
                _few_left(cells, included[0], cell, ("rest", i, column), min_cell)
        reached = [(i, cell) for i, cell in down.items() if steps[i] in REACHED]
        reached.sort(key=lambda place: -cells.counts[place[1]])
        for (i, more), (j, fewer) in itertools.combinations(reached, 2):
            _few_left(cells, more, fewer, ("rest", i, j, column), min_cell)
        analysed = {table["reason"].iloc[i]: c for i, c in down.items() if steps[i] == "analysed"}
        for i, cell in down.items():
            same = analysed.get(table["reason"].iloc[i]) if steps[i] == "followed" else None
            if same is not None:
                cells.relate(cell, [same])
    return places


def _few_left(cells: Cells, total: int, part: int, key: tuple[object, ...], min_cell: int) -> None:
    """Enter the persons of one cell who are not in another, where they are few."""
    rest = cells.counts[total] - cells.counts[part]
    if 0 < rest < min_cell:
        cells.relate(total, [part, cells.add(key, rest, 0)])


def link_flow(cells: Cells, table: pd.DataFrame, places: Places, effects: EffectCells) -> None:
    """Relate the flow to the sizes of the groups in the effects, which add up to it."""
    steps, reasons = table["step"].tolist(), table["reason"].tolist()
    rows = {r: i for i, (s, r) in enumerate(zip(steps, reasons, strict=True)) if s == "analysed"}
    for key, by_arm in effects.sizes.items():
        outcome, month, _, _, group = key
        i = rows.get(outcome if month is None else f"{outcome}@{month}", -1)
        if group == ALL:
            for arm, size in by_arm.items():
                if (i, f"arm={arm}") in places:
                    cells.relate(places[i, f"arm={arm}"], [size])
        elif (i, group) in places:
            cells.relate(places[i, group], list(by_arm.values()))


def gate_flow(
    table: pd.DataFrame, places: Places, cells: Cells, min_cell: int, round_to: int
) -> Gated:
    """Empty the withheld counts of the flow."""
    return empty_counts("flow", table, places, cells, ("step", "reason"), min_cell, round_to)


def balance_cells(
    cells: Cells,
    table: pd.DataFrame,
    persons: Mapping[tuple[str, str], int],
    control: str,
    always: bool,
) -> list[list[int]]:
    """Enter the counts behind a balance table.

    Parameters
    ----------
    cells : Cells
        To enter them in.
    table : DataFrame
        As `schemas.BALANCE`.
    persons : mapping of (str, str) to int
        Number of persons included by group and single arm, control too.
    control : str
        The control arm.
    always : bool
        See `Cells.relate`.

    Returns
    -------
    list of list of int
        The cells of each row. A mean within 0 and 1 that is a whole number of persons is
        taken as an indicator, whatever the covariate is called.

    Raises
    ------
    ReleaseError
        If a number of persons is wanting.
    """
    arms = sides([str(a) for a in table["arm"].unique()], control)
    by_arm: dict[str, dict[str, int]] = {}
    for (group, arm), n in persons.items():
        size = cells.add(("n", group, arm, int(n)), int(n), group_cost(group, n))
        by_arm.setdefault(arm, {})[group] = size
    for groups in by_arm.values():
        cells.relate_groups(groups, always)
    rows: list[list[int]] = []
    absent = _absent(table)
    alike: dict[tuple[str, ...], dict[str, int]] = {}  # one covariate in all groups
    levels: dict[tuple[str, ...], list[int]] = {}  # one categorical covariate in one group
    for row in table.to_dict("records"):
        found: list[int] = []
        rows.append(found)
        covariate, group = str(row["covariate"]), str(row["group"])
        if group == GAP or is_of_weights(row):  # see `gate_balance`
            continue
        for side, arm in zip(("treated", "control"), arms[str(row["arm"])], strict=True):
            if (group, arm) not in persons:
                raise ReleaseError(
                    f"balance: the gate needs the number of persons of {group} in arm {arm}."
                )
            size, n = by_arm[arm][group], int(persons[group, arm])
            found.append(size)
            mean = row[f"mean_{side}"]
            ones = indicator(mean, n)
            if ones is None:  # the mean may be over those whose value is known
                n -= round(n * absent.get((covariate, group, str(row["arm"]), side), 0))
                ones = indicator(mean, n)
            if ones is None:
                continue
            cost = BALANCE_COST * (10 if group == ALL else 1) + n
            pair = add_indicator(cells, ("balance", covariate, group, arm), n, ones, size, cost)
            of_level = cells.index.get(("n", covariate, arm, ones)) if group == ALL else None
            if of_level is not None:  # a level of an exploratory group, whose effects are told
                cells.relate(pair[0], [of_level])
            adjusted = str(row["adjusted"])
            for kind, cell in zip(("ones", "zeros"), pair, strict=True):
                alike.setdefault((covariate, arm, adjusted, kind), {})[group] = cell
            source = covariate.removesuffix(" missing").split("=")[0]
            levels.setdefault((source, group, arm, adjusted), [size]).append(pair[0])
            found += pair
    for groups in alike.values():
        cells.relate_groups(groups)
    for size, *parts in levels.values():
        cells.relate(size, list(dict.fromkeys(parts)))
    return rows


def is_of_weights(row: Mapping[Any, Any]) -> bool:
    """Tell whether a row of the balance is after weights, or of a predicted outcome."""
    return row["adjusted"] is True or str(row["covariate"]).startswith(PROGNOSIS)


def _absent(table: pd.DataFrame) -> dict[tuple[str, str, str, str], float]:
    """Return the shares with a missing value by covariate, group, contrast and side."""
    shares = {}
    for row in table[table["covariate"].str.endswith(" missing")].to_dict("records"):
        covariate = str(row["covariate"]).removesuffix(" missing")
        for side in ("treated", "control"):
            if pd.notna(mean := row[f"mean_{side}"]) and row["adjusted"] is not True:
                shares[covariate, str(row["group"]), str(row["arm"]), side] = float(mean)
    return shares
