"""The release gate of cumulative incidence: months are shown where enough has happened."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from evaluate.release.gate_cells import GAP, MEN, WOMEN, Gated, empty_rows, rounded
from evaluate.release.gate_effects import Key
from evaluate.release.gate_paths import IDENTITY, NUMBERS, noted, resolution, rounded_to
from evaluate.release.suppression import is_small

EVENTS = ("n_entered", "n_competing", "n_after")
SIDES = ("incidence_treated", "incidence_control")
SUMS = ("restricted_mean", "time_lost")
Cell = tuple[str, str, str, str]  # outcome, arm, group, kind


def gate_incidence(
    table: pd.DataFrame, withheld: set[Key], min_cell: int, round_to: int = 1
) -> Gated:
    """Empty months between which few persons entered or left, or in which few are at risk.

    From two cumulative incidences and the persons at risk a reader works out how many entered
    in between. A month is shown where, in both arms and for women and men, none or at least
    ``min_cell`` have entered since the last month that is shown, and none or so many have left,
    and are at risk. All groups and arms of an outcome show the same months, so that none is
    worked out from others. Where the other tables tell how many have entered at all, those who
    entered after they left are counted in the same way.

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
    hidden: dict[tuple[str, int], set[str]] = {}
    for outcome, part in table.groupby("outcome", sort=False):
        for month, groups in _hidden(part, min_cell).items():
            hidden[str(outcome), month] = groups
    gaps = {outcome for outcome, _ in hidden}
    sizes = {_place(r): int(r["n"]) for r in records if r["kind"] in SIDES and pd.notna(r["n"])}
    why: dict[int, bool] = {}
    rounds: dict[int, float] = {}
    for i, row in enumerate(records):
        outcome, month, group = row["outcome"], int(row["month"]), row["group"]
        genders = (WOMEN, MEN) if group == GAP else (group,)
        sums = row["kind"].startswith(SUMS)
        if few[i]:
            why[i] = True
        elif (outcome, month, row["arm"], group) in withheld:
            why[i] = False
        elif (outcome, month) in hidden and not sums:
            why[i] = bool(hidden[outcome, month].intersection(genders))
        elif sums and outcome in gaps and pd.notna(row["estimate"]):
            n = [sizes.get((outcome, row["arm"], g, k), 1) for g in genders for k in SIDES]
            rounds[i] = resolution(min_cell, min(n))
    bare = table.drop(columns=[c for c in EVENTS if c in table])
    gated = empty_rows("incidence", bare, why, IDENTITY, [*NUMBERS, "at_risk"], min_cell)
    out = rounded_to(noted(gated.table, why, min_cell), rounds, min_cell)
    return Gated(out.assign(at_risk=rounded(out["at_risk"], round_to)), gated.withheld)


def _place(row: dict[Any, Any]) -> Cell:
    return row["outcome"], row["arm"], row["group"], row["kind"]


def _hidden(part: pd.DataFrame, min_cell: int) -> dict[int, set[str]]:
    """Return the months of one outcome that are not shown, with the groups that are small."""
    counted = part[part["kind"].isin(SIDES) & part["at_risk"].notna()].fillna({"n_after": 0})
    names = ["at_risk", *EVENTS]
    by_month: dict[int, dict[Cell, np.ndarray]] = {}
    for row in counted.to_dict("records"):
        counts = np.array([row[name] for name in names], dtype=float)
        by_month.setdefault(int(row["month"]), {})[_place(row)] = counts
    shown: dict[Cell, np.ndarray] = {}
    found: dict[int, set[str]] = {}
    for month in sorted(by_month):
        small = set()
        for cell, now in by_month[month].items():
            since = np.abs(now - shown.get(cell, np.zeros(len(now))))
            # at risk and after the other event: all of them; events: since the last month shown
            told = [now[0], now[-1], *since[1:]]
            if is_small(np.array(told), min_cell).any():
                small.add(cell[2])
        if small:
            found[month] = small
        else:
            shown = by_month[month]
    return found
