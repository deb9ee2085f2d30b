"""The release gate of cumulative incidence: months are shown where enough has happened."""

from __future__ import annotations

import numpy as np
import pandas as pd

from evaluate.release.gate_cells import GAP, MEN, WOMEN, Gated, empty_rows, rounded
from evaluate.release.gate_effects import Key
from evaluate.release.gate_paths import IDENTITY, NUMBERS, noted, resolution, rounded_to
from evaluate.release.suppression import is_small

EVENTS = ("n_entered", "n_competing", "n_after")
SIDES = {"incidence_treated": "treated", "incidence_control": "control"}
Cell = tuple[str, str, str]  # arm, side, group


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
    hidden: dict[tuple[str, int], set[str]] = {}
    for outcome, part in table.groupby("outcome", sort=False):
        for month, groups in _hidden(part, min_cell).items():
            hidden[str(outcome), month] = groups
    sizes = {
        (r.outcome, r.arm, r.group, r.kind): r.n for r in table.itertuples() if r.kind in SIDES
    }
    why: dict[int, bool] = {}
    rounds: dict[int, float] = {}
    for i, row in enumerate(table.itertuples()):
        month, group = int(row.month), str(row.group)
        key = (str(row.outcome), month)
        sums = str(row.kind).startswith(("restricted_mean", "time_lost"))
        if few[i]:
            why[i] = True
        elif (row.outcome, month, row.arm, row.group) in withheld:
            why[i] = False
        elif key in hidden and not sums:
            own = {WOMEN, MEN} if group == GAP else {group}
            why[i] = bool(own & hidden[key])
        elif sums and any(o == row.outcome for o, _ in hidden) and pd.notna(row.estimate):
            parts = (WOMEN, MEN) if group == GAP else (group,)
            n = [sizes.get((row.outcome, row.arm, g, k)) for g in parts for k in SIDES]
            known = [int(v) for v in n if v is not None and pd.notna(v)]
            rounds[i] = resolution(min_cell, min(known, default=1))
    numbers = [*NUMBERS, "at_risk"]
    bare = table.drop(columns=[c for c in EVENTS if c in table])
    gated = empty_rows("incidence", bare, why, IDENTITY, numbers, min_cell)
    out = rounded_to(noted(gated.table, why, min_cell), rounds, min_cell)
    return Gated(out.assign(at_risk=rounded(out["at_risk"], round_to)), gated.withheld)


def _hidden(part: pd.DataFrame, min_cell: int) -> dict[int, set[str]]:
    """Return the months of one outcome that are not shown, with the groups that are small."""
    counted = part[part["kind"].isin(SIDES) & part["at_risk"].notna()]
    if counted.empty:
        return {}
    names = ["at_risk", *(c for c in EVENTS if c in counted)]
    cells: dict[Cell, pd.DataFrame] = {}
    for (arm, kind, group), rows in counted.groupby(["arm", "kind", "group"], sort=False):
        own = rows.set_index("month")[names].sort_index().astype("Float64")
        cells[str(arm), SIDES[str(kind)], str(group)] = own.astype(float).fillna(0)
    months = sorted({int(m) for m in counted["month"]})
    shown = {cell: pd.Series(0.0, index=names[1:]) for cell in cells}
    found: dict[int, set[str]] = {}
    for month in months:
        small = {
            cell[2]
            for cell, counts in cells.items()
            if month in counts.index and _is_few(counts.loc[month], shown[cell], min_cell)
        }
        if small:
            found[month] = small
            continue
        for cell, counts in cells.items():
            if month in counts.index:
                shown[cell] = counts.loc[month, names[1:]]
    return found


def _is_few(now: pd.Series, shown: pd.Series, min_cell: int) -> bool:
    """Tell whether few are at risk, or few have done something since the last month shown."""
    since = (now[shown.index] - shown).abs()
    counts = [now["at_risk"], *since, *([now["n_after"]] if "n_after" in now else [])]
    return bool(is_small(np.array(counts, dtype=float), min_cell).any())
