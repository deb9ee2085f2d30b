"""The release gate of cumulative incidence: months are shown where enough has happened."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from evaluate.release.gate_cells import GAP, MEN, WOMEN, Gated, empty_rows, rounded
from evaluate.release.gate_effects import Key
from evaluate.release.gate_paths import IDENTITY, NUMBERS, noted, resolution, rounded_to
from evaluate.release.suppression import is_small

SIDES = ("incidence_treated", "incidence_control")
SUMS = ("restricted_mean", "time_lost")
EVENTS = {"n_entered": ("incidence_", "difference"), "n_competing": ("competing_",)}
Cell = tuple[str, str, str, str]  # outcome, arm, group, kind
Hidden = dict[int, set[str]]  # months that are not shown, with the groups that are small


def gate_incidence(
    table: pd.DataFrame, withheld: set[Key], min_cell: int, round_to: int = 1
) -> Gated:
    """Empty months between which few persons entered or left, or after which few wait.

    From the incidence of two months a reader works out how many entered in between. A month is
    shown where, in both arms and for women and men, none or at least ``min_cell`` have entered
    since the last month that is shown, and none or so many wait when it ends. The same holds,
    apart, of the exits; those who still wait are told where both are shown. All groups and
    arms of an outcome show the same months, so that none is worked out from others.

    What is averaged over all months would give away one that is not shown; it is rounded so
    that it does not tell ``min_cell`` persons from none.

    Parameters
    ----------
    table : DataFrame
        As `schemas.INCIDENCE`, with the counts of persons.
    withheld : set of tuple
        Outcome, month, arm and group of the effects that were withheld.
    min_cell, round_to : int
        The smallest count that passes; to what persons at risk are rounded.

    Returns
    -------
    Gated
        Without the counts.
    """
    table = table.reset_index(drop=True)
    few = is_small(table["n"].to_numpy(dtype=float, na_value=np.nan), min_cell)
    records: list[dict[Any, Any]] = table.to_dict("records")
    hidden = {
        (str(outcome), event): _hidden(part, event, min_cell)
        for outcome, part in table.groupby("outcome", sort=False)
        for event in EVENTS
    }
    sizes = {_place(r): int(r["n"]) for r in records if r["kind"] in SIDES and pd.notna(r["n"])}
    why: dict[int, bool] = {}
    rounds: dict[int, float] = {}
    quiet: list[int] = []  # rows without the number of those who wait
    for i, row in enumerate(records):
        outcome, month, group, kind = row["outcome"], int(row["month"]), row["group"], row["kind"]
        genders = (WOMEN, MEN) if group == GAP else (group,)
        gone = {event: hidden[outcome, event].get(month) for event in EVENTS}
        own = next((gone[e] for e, kinds in EVENTS.items() if kind.startswith(kinds)), None)
        if few[i]:
            why[i] = True
        elif (outcome, month, row["arm"], group) in withheld:
            why[i] = False
        elif own is not None:
            why[i] = bool(own.intersection(genders))
        elif kind.startswith(SUMS) and hidden[outcome, "n_entered"] and pd.notna(row["estimate"]):
            n = [sizes.get((outcome, row["arm"], g, k), 1) for g in genders for k in SIDES]
            rounds[i] = resolution(min_cell, min(n))
        elif any(groups is not None for groups in gone.values()):
            quiet.append(i)
    bare = table.drop(columns=[c for c in EVENTS if c in table])
    bare.loc[quiet, "at_risk"] = pd.NA
    gated = empty_rows("incidence", bare, why, IDENTITY, [*NUMBERS, "at_risk"], min_cell)
    out = rounded_to(noted(gated.table, why, min_cell), rounds, min_cell)
    return Gated(out.assign(at_risk=rounded(out["at_risk"], round_to)), gated.withheld)


def _place(row: dict[Any, Any]) -> Cell:
    return row["outcome"], row["arm"], row["group"], row["kind"]


def _hidden(part: pd.DataFrame, event: str, min_cell: int) -> Hidden:
    """Return the months in which an event of one outcome is not shown."""
    counted = part[part["kind"].isin(SIDES) & part["at_risk"].notna()]
    by_month: dict[int, dict[Cell, tuple[float, float]]] = {}
    for row in counted.to_dict("records"):
        counts = float(row["at_risk"]), float(row[event])
        by_month.setdefault(int(row["month"]), {})[_place(row)] = counts
    shown: dict[Cell, tuple[float, float]] = {}
    found: Hidden = {}
    for month in sorted(by_month):
        small = set()
        for cell, (waiting, done) in by_month[month].items():
            since = abs(done - shown.get(cell, (0, 0))[1])
            if is_small(np.array([waiting, since]), min_cell).any():
                small.add(cell[2])
        if small:
            found[month] = small
        else:
            shown = by_month[month]
    return found
