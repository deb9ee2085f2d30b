"""The release gate of what is said of effects: refuters, other analyses, the verdict, the graph."""

from __future__ import annotations

import numpy as np
import pandas as pd

from evaluate.notes import note
from evaluate.release.gate_cells import Gated, plain
from evaluate.release.gate_effects import Key, noted, small_numbers_out
from evaluate.release.gate_kept import empty_kept, few_in_notes, kept_in
from evaluate.release.gate_others import gate_other
from evaluate.release.gate_trimmed import SIDES, Trimmed

NOT_ASSESSED = "not assessed"
PLACE = ("outcome", "month", "arm", "group")
ANALYSIS = ("estimator", "trim", "propensity", "covariates")


def gate_sensitivity(
    table: pd.DataFrame, withheld: set[Key], trimmed: Trimmed, min_cell: int
) -> Gated:
    """Empty the rows of withheld effects; round those that tell withheld numbers of persons."""
    gated = gate_other("sensitivity", table, withheld, min_cell)
    return empty_kept("sensitivity", gated, kept_in(gated.table, trimmed.rows), {}, min_cell)


def gate_refutations(table: pd.DataFrame, withheld: set[Key], min_cell: int) -> Gated:
    """Empty the rows of withheld effects, whose refuters are then not assessed."""
    gated = gate_other("refutations", table, withheld, min_cell)
    out = _not_assessed(gated.table, withheld)
    return Gated(out, gated.withheld)


def gate_verdict(table: pd.DataFrame, withheld: set[Key], min_cell: int) -> Gated:
    """Take the verdict on withheld effects back, and small numbers out of the reasons."""
    table = table.reset_index(drop=True)
    out = _not_assessed(table, withheld)
    changed = _places(table, withheld)
    if table.empty:
        return Gated(out, [])
    reasons = [
        note("protects", n=min_cell) if i in changed else small_numbers_out(str(text), min_cell)
        for i, text in enumerate(table["reason"])
    ]
    entries = [
        {
            "table": "verdict",
            "row": {c: plain(table[c].iloc[i]) for c in PLACE},
            "columns": ["verdict", "reason"],
            "reason": "would give away another cell",
        }
        for i in changed
    ]
    return Gated(out.assign(reason=pd.array(reasons, dtype=object)), entries)


def gate_graph(table: pd.DataFrame, min_cell: int) -> Gated:
    """Take small numbers out of the notes; nothing else is of counted persons."""
    return Gated(table.copy() if table.empty else noted(table, {}, min_cell), [])


def gate_specifications(
    table: pd.DataFrame,
    effects: pd.DataFrame | None,
    withheld: set[Key],
    trimmed: Trimmed,
    min_cell: int,
) -> Gated:
    """Empty the rows of withheld effects, and numbers of persons that differ by few.

    Analyses differ by whom they leave out. Where two numbers of one group, those of its effects
    among them, differ by fewer than ``min_cell``, no analysis of that outcome, month and
    contrast tells its numbers, of any group, but such as the effects tell.

    Parameters
    ----------
    table : DataFrame
        As `schemas.SPECIFICATIONS`.
    effects : DataFrame or None
        As `schemas.EFFECTS`, exact.
    withheld : set of tuple
        Outcome, month, arm and group of the effects that were withheld.
    trimmed : Trimmed
        Who was left out.
    min_cell : int
        The smallest count that passes.
    """
    if table.empty:
        return Gated(table.copy(), [])
    table = table.reset_index(drop=True)
    gated = gate_other("specifications", few_in_notes(table, min_cell), withheld, min_cell)
    numbers: dict[tuple[Key, str], set[int]] = {}
    for source in (table, effects):
        for row in () if source is None else source.to_dict("records"):
            place = tuple(plain(row[c]) for c in PLACE)
            for side in SIDES:
                if pd.notna(row[f"n_{side}"]):
                    numbers.setdefault((place, side), set()).add(int(row[f"n_{side}"]))
    near = {
        place[:3]
        for (place, _), found in numbers.items()
        if (np.diff(sorted(found)) < min_cell).any()
    } | {place[:3] for place in trimmed.places}
    untold: dict[Key, set[str]] = {}  # by analysis, whatever the group
    records, shown = table.to_dict("records"), _numbers_of(effects)
    blocked = {place[:3] for place in trimmed.places}  # there the effects tell none
    for row in records:
        place = tuple(plain(row[c]) for c in PLACE)
        told = {} if place[:3] in blocked else shown.get(place, {})
        own = {side for side in SIDES if row[f"n_{side}"] not in told.get(side, set())}
        if place[:3] in near:
            untold.setdefault((*place[:3], *(row[c] for c in ANALYSIS)), set()).update(own)
    rows = {}
    for i, row in enumerate(records):
        key = (*(plain(row[c]) for c in PLACE[:3]), *(row[c] for c in ANALYSIS))
        if sides := untold.get(key):
            rows[i] = sides
    return empty_kept("specifications", gated, rows, {}, min_cell)


def _numbers_of(effects: pd.DataFrame | None) -> dict[Key, dict[str, set[int]]]:
    """Return the numbers of persons that the effects of a place tell, by side."""
    found: dict[Key, dict[str, set[int]]] = {}
    for row in () if effects is None else effects.to_dict("records"):
        own = found.setdefault(tuple(plain(row[c]) for c in PLACE), {})
        for side in SIDES:
            if pd.notna(row[f"n_{side}"]):
                own.setdefault(side, set()).add(int(row[f"n_{side}"]))
    return found


def _places(table: pd.DataFrame, withheld: set[Key]) -> list[int]:
    records = table.to_dict("records")
    return [i for i, row in enumerate(records) if tuple(plain(row[c]) for c in PLACE) in withheld]


def _not_assessed(table: pd.DataFrame, withheld: set[Key]) -> pd.DataFrame:
    changed = table.index.isin(_places(table, withheld))
    return table.assign(verdict=table["verdict"].mask(changed, NOT_ASSESSED))
