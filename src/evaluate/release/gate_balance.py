"""The release gate of the balance table, before and after weights."""

from __future__ import annotations

import re

import pandas as pd

from evaluate.release.gate_cells import GAP, MEN, WOMEN, Cells, Gated, empty_rows
from evaluate.release.gate_effects import Key
from evaluate.release.gate_flow import PROGNOSIS, is_of_weights
from evaluate.release.gate_overlap import Blocked, source_of
from evaluate.release.gate_trimmed import Trimmed

STATISTICS = ("mean_treated", "mean_control", "smd", "variance_ratio", "ks")
MEANS = ("mean_treated", "mean_control", "variance_ratio")  # what tells numbers of those kept
IDENTITY = ("covariate", "group", "arm", "adjusted", "weights")
MATCHED = "matching"
Where = set[tuple[str, str, str]]  # contrast, covariate and group


def withheld_before(table: pd.DataFrame, rows: list[list[int]], cells: Cells) -> dict[int, bool]:
    """Return the rows before weights with a withheld count, true where one is small, and gaps."""
    why = {i: cells.any_small(c) for i, c in enumerate(rows) if cells.any_hidden(c)}
    names = list(zip(*(table[c].astype(str) for c in ("covariate", "arm", "group")), strict=True))
    hidden = {names[i] for i in why}
    for i, record in enumerate(table.to_dict("records")):
        covariate, arm, group = names[i]
        of_gender = {(covariate, arm, g) for g in (WOMEN, MEN)}
        if group == GAP and not is_of_weights(record) and of_gender & hidden:
            why[i] = False
    return why


def places(table: pd.DataFrame, rows: dict[int, bool]) -> Where:
    """Return contrast, covariate and group of some rows of the balance."""
    return {
        (str(table["arm"].iloc[i]), str(table["covariate"].iloc[i]), str(table["group"].iloc[i]))
        for i in rows
    }


def gate_balance(
    table: pd.DataFrame,
    rows: list[list[int]],
    cells: Cells,
    withheld: set[Key],
    blocked: Blocked,
    trimmed: Trimmed,
    min_cell: int,
) -> Gated:
    """Empty the statistics of every row with a withheld count, and of its gap.

    After weights a row is emptied with that before. Where few are left out, or few of those kept
    have a value, or lack it, the means go, which are of those kept; standardised differences
    stay. Predicted outcomes have the means of the outcome, and go with its effects.

    Parameters
    ----------
    table : DataFrame
        As `schemas.BALANCE`.
    rows : list of list of int
        From `gate_flow.balance_cells`.
    cells : Cells
        Solved.
    withheld : set of tuple
        Outcome, month, arm and group of the effects that were withheld.
    blocked : set of (str, str)
        From `gate_overlap.blocked_covariates`.
    trimmed : Trimmed
        Who was left out.
    min_cell : int
        The smallest count that passes.
    """
    table = table.reset_index(drop=True)
    why = withheld_before(table, rows, cells)
    before = places(table, why)
    matched = {(row[2], row[3]) for row in trimmed.rows if row[4] == MATCHED}
    means: dict[int, bool] = {}
    for i, record in enumerate(table.to_dict("records")):
        covariate, arm, group = (str(record[c]) for c in ("covariate", "arm", "group"))
        if not is_of_weights(record):
            continue
        is_adjusted = record["adjusted"] is True
        if covariate.startswith(PROGNOSIS):
            if (*_outcome(covariate), arm, group) in withheld:
                why[i] = False
            elif is_adjusted and trimmed.tells(arm, group):
                means[i] = False
        elif (arm, covariate, group) in before:
            why[i] = False
        elif (
            (arm, source_of(covariate)) in blocked
            or trimmed.tells(arm, group)
            or (record["weights"] == MATCHED and (arm, group) in matched)
        ):
            means[i] = False
    whole = empty_rows("balance", table, why, IDENTITY, STATISTICS, min_cell)
    part = empty_rows("balance", whole.table, means, IDENTITY, MEANS, min_cell)
    return Gated(part.table, [*whole.withheld, *part.withheld])


def _outcome(covariate: str) -> tuple[str, int | None]:
    """Return outcome and month of a predicted outcome: ``prognosis:work@12``."""
    name = covariate.removeprefix(PROGNOSIS)
    match = re.fullmatch(r"(.+)@(-?\d+)", name)
    return (match[1], int(match[2])) if match else (name, None)
