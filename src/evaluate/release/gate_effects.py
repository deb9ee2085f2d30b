"""The release gate of the effects, and of the tables that stand on their rows."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from evaluate.notes import note
from evaluate.release.gate_cells import (
    ALL,
    GAP,
    MEN,
    WOMEN,
    Cells,
    Gated,
    add_indicator,
    empty_rows,
    indicator,
    plain,
)

CONTEXT = ("outcome", "month", "arm", "estimand", "estimator")
NUMBERS = (
    "estimate", "std_error", "conf_low", "conf_high", "p_value", "p_value_randomisation",
    "p_value_adjusted", "df", "n", "n_treated", "n_control", "n_clusters", "mean_treated",
    "mean_control",
)  # fmt: skip
RESULTS = tuple(c for c in NUMBERS if not c.startswith(("n", "mean_")))  # all but n and levels
COST = 1e12  # beside the flow and the balance, which go before an effect does
STATISTICS = ("statistic", "p_value", "detectable")
# Columns of other tables that are numbers but no results.
SETTINGS = {
    "level", "threshold", "discount_rate", "horizon_years", "price_year", "month", "power",
    "displacement", "strength",
}  # fmt: skip
NAMING = ("month", "displacement", "strength")  # numbers that tell rows apart

COUNTS = ("n", "n_treated", "n_control")
TEXTS = {"note", "text"}

Key = tuple[Any, ...]  # outcome, month, arm, group


@dataclass(frozen=True)
class EffectCells:
    """The cells of each row, and the sizes of the groups by arm.

    Attributes
    ----------
    rows : list of list of int
        Cells of each row of the table.
    sizes : dict
        Cell by (outcome, month, estimand, estimator, group), then by single arm.
    """

    rows: list[list[int]]
    sizes: dict[Key, dict[str, int]]


def sides(labels: Sequence[str], control: str) -> dict[str, tuple[str, str]]:
    """Return the two arms of each contrast: ``2`` is 2 against control, ``2-1`` is a pair."""
    known = set(labels)
    pairs = {f"{a}-{b}": (a, b) for a in known for b in known if a != b}
    return {label: pairs.get(label, (label, control)) for label in known}


def group_cost(group: str, n: float) -> float:
    """Return the loss of a group's effects: everybody's go last."""
    return np.inf if group == ALL else COST + n


def effect_cells(cells: Cells, table: pd.DataFrame, control: str, always: bool) -> EffectCells:
    """Enter the counts of a table of effects, and what they add up to."""
    arms = sides([str(a) for a in table["arm"].unique()], control)
    rows: list[list[int]] = []
    sizes: dict[Key, dict[str, int]] = {}
    alike: dict[Key, dict[str, int]] = {}  # one count in all groups of a fit
    for row in table.to_dict("records"):
        found: list[int] = []
        rows.append(found)
        if row["group"] == GAP:
            continue
        outcome, month, arm, estimand, estimator = context = _context(row)
        group = str(row["group"])
        for side, a in zip(("treated", "control"), arms[arm], strict=True):
            n = row[f"n_{side}"]
            if pd.isna(n):
                continue
            n = int(n)
            size = cells.add(("n", group, a, n), n, group_cost(group, n))
            sizes.setdefault((outcome, month, estimand, estimator, group), {})[a] = size
            alike.setdefault((*context, side, "n"), {})[group] = size
            found.append(size)
            ones = indicator(row[f"mean_{side}"], n) if row["unit"] == "share" else None
            if ones is not None:
                key = (outcome, month, group, a)
                pair = add_indicator(cells, key, n, ones, size, group_cost(group, n))
                alike.setdefault((*context, side, "ones"), {})[group] = pair[0]
                alike.setdefault((*context, side, "zeros"), {})[group] = pair[1]
                found += pair
    for (*_, kind), groups in alike.items():
        cells.relate_groups(groups, always and kind == "n")
    return EffectCells(rows, sizes)


def _context(row: Mapping[Any, Any]) -> Key:
    return tuple(plain(row[c]) for c in CONTEXT)


def gate_effects(
    table: pd.DataFrame, found: EffectCells, cells: Cells, min_cell: int
) -> tuple[Gated, set[Key]]:
    """Empty the numbers of every row with a withheld count.

    Returns
    -------
    gated : Gated
        The table, with a note in the rows that were emptied.
    withheld : set of tuple
        Outcome, month, arm and group of these rows, under any estimator.
    """
    table = table.reset_index(drop=True)
    why = {i: cells.any_small(c) for i, c in enumerate(found.rows) if cells.any_hidden(c)}
    records = table.to_dict("records")
    hidden = {(*_context(records[i]), records[i]["group"]) for i in why}
    for i, row in enumerate(records):
        if row["group"] == GAP and {(*_context(row), g) for g in (WOMEN, MEN)} & hidden:
            why[i] = False
    gated = empty_rows("effects", table, why, (*CONTEXT, "group"), NUMBERS, min_cell)
    notes = [small_numbers_out(str(n), min_cell) if pd.notna(n) else n for n in table["note"]]
    for i in why:
        notes[i] = note("withheld" if why[i] else "protects", n=min_cell)
    # A column without a note stays as it is: its type must not change.
    out = gated.table
    if why or list(table["note"].dropna()) != [n for n in notes if pd.notna(n)]:
        out = out.assign(note=notes)
    keys = {(*_context(records[i])[:3], records[i]["group"]) for i in why}
    return Gated(out, gated.withheld), keys


def small_numbers_out(text: str, min_cell: int) -> str:
    """Replace small counts in a note, such as of persons in blocks with one arm."""

    def fewer(match: re.Match[str]) -> str:
        small = 0 < int(match[1]) < min_cell
        return f"fewer than {min_cell} {match[2]}" if small else match[0]

    return re.sub(r"(?<![\d.,-])(\d+) (persons|missing covariate values)", fewer, text)


def noted(table: pd.DataFrame, why: Mapping[int, bool], min_cell: int) -> pd.DataFrame:
    """Say in the notes what is withheld, and take small numbers out of the others."""
    notes: list[Any] = [
        small_numbers_out(str(n), min_cell) if pd.notna(n) else None for n in table["note"]
    ]
    for i, own in why.items():
        notes[i] = note("withheld" if own else "protects", n=min_cell)
    return table.assign(note=pd.array(notes, dtype=object))


def is_withheld(text: object, min_cell: int) -> bool:
    """Tell whether a note says that its row is withheld already."""
    return text in (note("withheld", n=min_cell), note("protects", n=min_cell))


def empty_effects_at(
    effects: Gated,
    keys: Mapping[Key, bool],
    numbers: Sequence[str],
    min_cell: int,
    chosen: pd.Series | None = None,
) -> Gated:
    """Empty numbers of the effects that would tell what another rule or table withholds.

    Parameters
    ----------
    effects : Gated
        The table of effects, gated already.
    keys : mapping of tuple to bool
        Outcome, month, arm and group of what is withheld; true where a count is small.
    numbers : sequence of str
        The columns to empty.
    min_cell : int
        The smallest count that passes.
    chosen : Series of bool, optional
        The rows of the table that would tell it, such as those of some estimators; by default
        all.
    """
    table = effects.table
    rows = np.ones(len(table), dtype=bool) if chosen is None else chosen.to_numpy(dtype=bool)
    why = {
        i: keys[_place(row)]
        for i, row in enumerate(table.to_dict("records"))
        if rows[i] and _place(row) in keys and not is_withheld(row["note"], min_cell)
    }
    if not why:
        return effects
    gated = empty_rows("effects", table, why, (*CONTEXT, "group"), numbers, min_cell)
    return Gated(noted(gated.table, why, min_cell), [*effects.withheld, *gated.withheld])


def gate_heterogeneity(table: pd.DataFrame, withheld: set[Key], min_cell: int) -> Gated:
    """Empty the tests of a dimension of which a level's effects are withheld."""
    dimensions = {
        (o, m, a, "gender" if g in (WOMEN, MEN, GAP) else g.split("=")[0])
        for o, m, a, g in withheld
    }
    why = {
        i: False
        for i, row in enumerate(table.to_dict("records"))
        if (*_place(row)[:3], row["dimension"]) in dimensions
    }
    identity = ("outcome", "month", "arm", "estimator", "dimension", "levels")
    return empty_rows("heterogeneity", table, why, identity, STATISTICS, min_cell)


def _place(row: Mapping[Any, Any]) -> Key:
    columns = ("outcome", "month", "arm", "group")
    return tuple(plain(row.get(c)) for c in columns)


def gate_followers(name: str, table: pd.DataFrame, withheld: set[Key], min_cell: int) -> Gated:
    """Empty the results of the rows whose outcome, month, arm and group were withheld.

    A table that lacks the month or the arm is emptied if any of them was withheld.
    """
    shared = [c for c in ("outcome", "month", "arm", "group") if c in table]
    if not {"outcome", "group"} <= set(shared):
        return Gated(table.copy(), [])
    pick = [("outcome", "month", "arm", "group").index(c) for c in shared]
    keys = {tuple(k[p] for p in pick) for k in withheld}
    why = {
        i: False
        for i, row in enumerate(table.to_dict("records"))
        if tuple(_place(row)[p] for p in pick) in keys
    }
    numbers = results_of(table)
    return empty_rows(name, table, why, identity_of(table, numbers), numbers, min_cell)


def results_of(table: pd.DataFrame) -> list[str]:
    """Return the columns of any table that hold results: counts, and floats but settings."""
    return [
        c
        for c in map(str, table)
        if c in COUNTS
        or c in ("icer_set", "ar_set")
        or (pd.api.types.is_float_dtype(table[c]) and c not in SETTINGS)
    ]


def identity_of(table: pd.DataFrame, numbers: Sequence[str]) -> list[str]:
    """Return the columns of any table that tell its rows: the month and short texts."""
    return [
        c
        for c in map(str, table)
        if c in NAMING
        or not (c in numbers or c in TEXTS or pd.api.types.is_numeric_dtype(table[c]))
    ]
