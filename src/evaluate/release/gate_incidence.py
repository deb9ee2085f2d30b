"""The release gate of cumulative incidence: months are shown where enough has happened."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from evaluate.release.gate_cells import GAP, MEN, WOMEN, Gated, empty_rows, rounded
from evaluate.release.gate_effects import Key, noted
from evaluate.release.gate_entries import EVENTS, SIDES, Hidden, dimension
from evaluate.release.gate_paths import IDENTITY, NUMBERS, resolution, rounded_to
from evaluate.release.suppression import is_small

SUMS = ("restricted_mean", "time_lost")
KINDS = dict(zip(EVENTS, (("incidence_", "difference"), ("competing_",)), strict=True))


def gate_incidence(
    table: pd.DataFrame, hidden: Hidden, withheld: set[Key], min_cell: int, round_to: int = 1
) -> Gated:
    """Empty months between which few persons entered or left, or after which few wait.

    From the incidence of two months a reader works out how many entered in between, so that
    the months that are shown are those of `hidden_months`, as in the effects. The exits have
    months of their own; those who still wait are told where both are shown.

    What is averaged over all months would give away one that is not shown; it is rounded so
    that it does not tell ``min_cell`` persons from none.

    Parameters
    ----------
    table : DataFrame
        As `schemas.INCIDENCE`, with the counts of persons.
    hidden : dict
        From `hidden_months`.
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
    sizes = {_place(r): int(r["n"]) for r in records if r["kind"] in SIDES and pd.notna(r["n"])}
    silent = {(outcome, arm, group) for outcome, _, arm, group in withheld}
    why: dict[int, bool] = {}
    rounds: dict[int, float] = {}
    quiet: list[int] = []  # rows without the number of those who wait
    for i, row in enumerate(records):
        outcome, month, arm, group = row["outcome"], int(row["month"]), row["arm"], row["group"]
        kind, genders = row["kind"], (WOMEN, MEN) if group == GAP else (group,)
        months = {e: hidden.get((outcome, e, dimension(group)), {}) for e in EVENTS}
        gone = {event: months[event].get(month) for event in EVENTS}
        own = next((gone[e] for e, kinds in KINDS.items() if kind.startswith(kinds)), None)
        partial = bool(months["n_entered"]) or (outcome, arm, group) in silent
        if few[i]:
            why[i] = True
        elif own is not None:
            why[i] = bool(own.intersection(genders))
        elif (outcome, month, arm, group) in withheld and gone["n_entered"] is None:
            why[i] = False
        elif kind.startswith(SUMS) and partial and pd.notna(row["estimate"]):
            n = [sizes.get((outcome, arm, g, k), 1) for g in genders for k in SIDES]
            rounds[i] = resolution(min_cell, min(n))
        elif any(groups is not None for groups in gone.values()):
            quiet.append(i)
    bare = table.drop(columns=[c for c in EVENTS if c in table])
    bare.loc[quiet, "at_risk"] = pd.NA
    gated = empty_rows("incidence", bare, why, IDENTITY, [*NUMBERS, "at_risk"], min_cell)
    out = rounded_to(noted(gated.table, why, min_cell), rounds, min_cell)
    return Gated(out.assign(at_risk=rounded(out["at_risk"], round_to)), gated.withheld)


def _place(row: dict[Any, Any]) -> Key:
    return row["outcome"], row["arm"], row["group"], row["kind"]
