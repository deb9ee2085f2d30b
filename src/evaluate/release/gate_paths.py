"""The release gate of the paths: what is withheld by month, and sums that hold withheld months."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from evaluate.notes import note
from evaluate.release.gate_cells import Gated, empty_rows, plain
from evaluate.release.gate_effects import Key, noted
from evaluate.release.suppression import is_small

IDENTITY = ("outcome", "month", "arm", "group", "kind")
RESULTS = ("estimate", "std_error", "conf_low", "conf_high")
NUMBERS = (*RESULTS, "band_low", "band_high", "critical", "n")
STEPS = (1, 1.5, 2, 3, 4, 5, 6, 8)  # times a power of ten
MONTHS = ("first_above", "last_above", "first_below", "last_below")


def gate_paths(table: pd.DataFrame, withheld: set[Key], min_cell: int) -> Gated:
    """Empty the months whose effects were withheld, and what would give them away.

    A sum over months, less those that are shown, is the effect in a month that is not. Where a
    month of a share was withheld for how many have the outcome, the sum stays, rounded so that
    it does not tell ``min_cell`` persons from none, and without its number of persons. Where
    it was withheld for how many there are, or the outcome is no share, the sum goes too, and
    so does the area under waves.

    Parameters
    ----------
    table : DataFrame
        As `schemas.PATHS`, with ``n_least``.
    withheld : set of tuple
        Outcome, month, arm and group of the effects that were withheld.
    min_cell : int
        The smallest count that passes.

    Returns
    -------
    Gated
        Without ``n_least``.
    """
    table = table.reset_index(drop=True)
    small = is_small(table["n_least"].to_numpy(dtype=float, na_value=np.nan), min_cell)
    place = list(zip(table["outcome"], table["arm"], table["group"], strict=True))
    months: dict[tuple[str, ...], set[int]] = {}
    for outcome, month, arm, group in withheld:
        if month is not None:
            months.setdefault((outcome, arm, group), set()).add(month)
    few = {(o, a) for (o, a, _), s in zip(place, small, strict=True) if s}
    why: dict[int, bool] = {}
    rounds: dict[int, float] = {}
    for i, row in enumerate(table.to_dict("records")):
        gone = months.get(place[i], set())
        if small[i]:
            why[i] = True
        elif row["kind"] in MONTHS:
            if not pd.isna(row["estimate"]) and int(row["estimate"]) in gone:
                why[i] = False
        elif not pd.isna(row["month"]):
            if int(row["month"]) in gone:
                why[i] = False
        elif any(m >= 1 for m in gone):
            weighted = row["kind"] == "area"  # a month of a person counts as several
            if place[i][:2] in few or weighted or row["unit"] not in ("months", "years"):
                why[i] = False
            elif not pd.isna(row["estimate"]):
                rounds[i] = resolution(min_cell, int(row["n_least"]))
    numbers = [c for c in NUMBERS if c in table]
    gated = empty_rows("paths", table.drop(columns="n_least"), why, IDENTITY, numbers, min_cell)
    out = noted(gated.table, why, min_cell)
    hidden = [{"table": "paths", "row": _row(out, i), "columns": ["n"],
               "reason": "would give away another cell"} for i in rounds]  # fmt: skip
    out = rounded_to(out, rounds, min_cell)
    out.loc[list(rounds), "n"] = pd.NA
    return Gated(out, [*gated.withheld, *hidden])


def resolution(min_cell: int, n: int) -> float:
    """Return what one month of ``min_cell`` of ``n`` persons is, in months per person."""
    return min_cell / max(n, 1)


def step_around(value: float, least: float) -> float:
    """Return a step to round to that leaves all numbers within ``least`` of a value open.

    A reader who knows all months but one then finds ``least`` more or less as possible as what
    is true, wherever the number lies between two steps.
    """
    power = int(np.floor(np.log10(2 * least)))
    while True:
        for times in STEPS:
            step = times * 10.0**power
            border = step / 2 - abs(value - np.round(value / step) * step)
            if step >= 2 * least and border >= least:
                return step
        power += 1


def rounded_to(table: pd.DataFrame, least: Mapping[int, float], min_cell: int) -> pd.DataFrame:
    """Round the results of some rows, each by what it must leave open, and say so in the note.

    The interval lies around the rounded estimate, of which its ends would else tell more.
    """
    places = list(least)
    known = table["estimate"].to_numpy(dtype=float)
    steps = {i: step_around(float(known[i]), least[i]) for i in places}
    step = np.array([steps[i] for i in places])
    out, notes = table.copy(), list(table["note"])
    value, error, low, high = (out.loc[places, c].to_numpy(dtype=float) for c in RESULTS)
    value, error, margin = (np.round(v / step) * step for v in (value, error, (high - low) / 2))
    error, margin = np.maximum(error, step), np.maximum(margin, step)  # none would be too good
    for column, shown in zip(RESULTS, (value, error, value - margin, value + margin), strict=True):
        out.loc[places, column] = np.round(shown, 10)
    for i in places:
        text = note("rounded", step=f"{steps[i]:g}", n=min_cell)
        notes[i] = f"{notes[i]}; {text}" if isinstance(notes[i], str) and notes[i] else text
    return out.assign(note=pd.array(notes, dtype=object))


def _row(table: pd.DataFrame, i: int, columns: Sequence[str] = IDENTITY) -> dict[str, Any]:
    return {c: plain(table.at[i, c]) for c in columns}
