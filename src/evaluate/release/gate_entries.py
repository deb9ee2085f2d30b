"""The months of a first entry that are shown: between any two, nobody entered or many did.

How many have entered by each of two months tells how many entered between them, who are persons
as those of any other row are. Which months show it is decided once, for all tables.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import pandas as pd

from evaluate.release.gate_cells import ALL, GAP, MEN, WOMEN, indicator, plain
from evaluate.release.gate_effects import Key, sides

EVENTS = ("n_entered", "n_competing")
SIDES = ("incidence_treated", "incidence_control")
GENDER = "gender"

Hidden = dict[tuple[str, str, str], dict[int, set[str]]]
"""Months not shown by outcome, event and dimension, with the groups whose numbers are small."""


class Done(NamedTuple):
    """Persons observed, those of them who have entered by a month, and those who wait still."""

    n: float
    entered: float
    waiting: float


ByCell = dict[Key, Done]  # by what else tells the row, the group last


def dimension(group: str) -> str:
    """Return what divides persons into groups such as this one."""
    return GENDER if group in (WOMEN, MEN, GAP) else group.split("=")[0]


def hidden_months(
    tables: Mapping[str, pd.DataFrame],
    control: str,
    entered: Mapping[str, int | None],
    min_cell: int,
) -> Hidden:
    """Choose the months that show how many have entered.

    A month is shown where nobody or at least ``min_cell`` persons of every arm entered between
    it and any other that is, and since month 0, and nobody or so many wait still. The primary
    month comes first, then the others from the last one back. Months of women and men, or of
    the levels of another dimension, are among those of all, which they would give away. The
    exits that compete with an entry have months of their own.

    Parameters
    ----------
    tables : mapping of str to DataFrame
        The exact tables, of which ``effects`` and ``incidence`` tell who has entered.
    control : str
        The control arm.
    entered : mapping of str to int or None
        The outcomes that are 1 from a first entry on, with their primary month.
    min_cell : int
        The smallest count that passes.
    """
    found: dict[tuple[str, str, str], dict[int, ByCell]] = {}
    for outcome, event, month, cell, done in (
        *_of_effects(tables.get("effects"), control, entered),
        *_of_incidence(tables.get("incidence")),
    ):
        by_month = found.setdefault((outcome, event, dimension(cell[-1])), {})
        by_month.setdefault(month, {})[cell] = done
    hidden: Hidden = {}
    for place in sorted(found, key=lambda place: place[2] != ALL):
        outcome, event, _ = place
        of_all = hidden.get((outcome, event, ALL), {})
        hidden[place] = _chosen(found[place], entered.get(outcome), of_all, min_cell)
    return hidden


def _chosen(
    by_month: Mapping[int, ByCell],
    first: int | None,
    of_all: Mapping[int, set[str]],
    min_cell: int,
) -> dict[int, set[str]]:
    """Return the months that are not shown, with the groups whose numbers are small."""
    shown: list[ByCell] = []
    hidden: dict[int, set[str]] = {}
    for month in sorted(by_month, key=lambda m: (m != first, -m)):
        cells = by_month[month]
        small = {
            cell[-1]
            for cell, done in cells.items()
            if 0 < done.waiting < min_cell
            or 0 < done.entered < min_cell
            or any(cell in other and _few_between(done, other[cell], min_cell) for other in shown)
        }
        if small or month in of_all:
            hidden[month] = small
        else:
            shown.append(cells)
    return hidden


def _few_between(one: Done, other: Done, min_cell: int) -> bool:
    """Tell whether few entered between two months in which nearly the same are observed."""
    return abs(one.n - other.n) < min_cell and 0 < abs(one.entered - other.entered) < min_cell


Entry = tuple[str, str, int, Key, Done]  # outcome, event, month, cell


def _of_effects(
    table: pd.DataFrame | None, control: str, entered: Mapping[str, int | None]
) -> Iterator[Entry]:
    """Yield who has entered by arm and month, from the shares in the effects."""
    if table is None:
        return
    chosen = table[table["outcome"].isin(list(entered)) & (table["group"] != GAP)]
    arms = sides([str(a) for a in table["arm"].unique()], control)
    for row in chosen.to_dict("records"):
        for side, arm in zip(("treated", "control"), arms[str(row["arm"])], strict=True):
            n = plain(row[f"n_{side}"])
            ones = None if n is None else indicator(row[f"mean_{side}"], n)
            if ones is not None:
                cell = (row["estimand"], row["estimator"], row["arm"], arm, str(row["group"]))
                done = Done(n, ones, n - ones)
                yield str(row["outcome"]), "n_entered", int(row["month"]), cell, done


def _of_incidence(table: pd.DataFrame | None) -> Iterator[Entry]:
    """Yield who has entered, and who has left, by arm and month."""
    if table is None:
        return
    for row in table[table["kind"].isin(SIDES) & table["at_risk"].notna()].to_dict("records"):
        cell = (row["arm"], row["kind"], str(row["group"]))
        for event in EVENTS:
            done = Done(float(row["n"]), float(row[event]), float(row["at_risk"]))
            yield str(row["outcome"]), event, int(row["month"]), cell, done


def entries_withheld(table: pd.DataFrame, hidden: Hidden) -> dict[Key, bool]:
    """Return the places of the effects that show too much, true where a number is small.

    Parameters
    ----------
    table : DataFrame
        As `schemas.EFFECTS`.
    hidden : dict
        From `hidden_months`.
    """
    found: dict[Key, bool] = {}
    for row in table[["outcome", "month", "arm", "group"]].drop_duplicates().to_dict("records"):
        outcome, month, arm, group = (plain(row[c]) for c in ("outcome", "month", "arm", "group"))
        months = hidden.get((outcome, "n_entered", dimension(group)), {})
        if month in months:
            found[outcome, month, arm, group] = group in months[month]
    return found
