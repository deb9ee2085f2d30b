"""The release gate of present values and accounts: sums over the months of one or more outcomes."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import pandas as pd

from evaluate.release.gate_cells import Gated, empty_rows
from evaluate.release.gate_costs import CostsOf
from evaluate.release.gate_effects import Key, identity_of, noted, results_of
from evaluate.release.gate_trimmed import Trimmed

ACCOUNTS = "accounts"  # in the place of the outcome, where all outcomes of the accounts count
ENDS = ("conf_low", "conf_high", "net_pv_low", "net_pv_high", "mvpf_low", "mvpf_high")
BOUNDS = ("low", "high")  # of what is assumed: no results


def gate_accounts(
    name: str,
    table: pd.DataFrame,
    withheld: set[Key],
    of_takers: set[Key],
    few: Mapping[str, bool],
    costs_of: CostsOf,
    of_accounts: Collection[str],
    of_costs: Collection[str],
    trimmed: Trimmed,
    min_cell: int,
) -> Gated:
    """Empty the rows that would tell a withheld effect, or how many took part.

    A present value is a known sum of the effects by month: with one of them withheld it would
    tell it. Per participant it is divided by the share of compliers; and so is the cost per
    offer, where it is made of what those who took part cost.

    Parameters
    ----------
    name : str
        Of the table.
    table : DataFrame
        As `schemas.COST_BENEFIT`, `schemas.ACCOUNTS` or `schemas.COST_SENSITIVITY`.
    withheld : set of tuple
        Outcome, month, arm and group of the effects that were withheld.
    of_takers : set of tuple
        Those whose number of participants was withheld.
    few : mapping of str to bool
        The arms whose number of participants is withheld.
    costs_of : {"participants", "persons", "programme"}
        What the amounts are made of.
    of_accounts, of_costs : collection of str
        The outcomes that the accounts are made of; those that are part of the cost.
    trimmed : Trimmed
        Whose numbers kept by trimming are withheld: intervals tell degrees of freedom.
    min_cell : int
        The smallest count that passes.
    """
    table = table.reset_index(drop=True)
    after = {(o, arm, group) for o, month, arm, group in withheld if month is None or month >= 1}
    takers = {(arm, group) for _, _, arm, group in of_takers}
    kept = {(o, arm, group) for o, _, arm, group, *_ in trimmed.rows}
    why: dict[int, bool] = {}
    ends: dict[int, bool] = {}
    for i, row in enumerate(table.to_dict("records")):
        of = _outcomes(row, of_accounts) | set(of_costs)
        place = (row["arm"], row["group"])
        tells = place in takers or row["arm"] in few
        of_those = row["denominator"] == "participant" or costs_of != "programme"
        if {(o, *place) for o in of} & after or (tells and of_those):
            why[i] = False
        elif {(o, *place) for o in of} & kept:
            ends[i] = False
    numbers = [c for c in results_of(table) if c not in BOUNDS]
    identity = identity_of(table, [*numbers, *BOUNDS])
    whole = empty_rows(name, table, why, identity, numbers, min_cell)
    part = empty_rows(name, whole.table, ends, identity, ENDS, min_cell)
    out = noted(part.table, why, min_cell) if "note" in table and len(table) else part.table
    return Gated(out, [*whole.withheld, *part.withheld])


def _outcomes(row: Mapping[Any, Any], of_accounts: Collection[str]) -> set[str]:
    outcome = row.get("outcome", ACCOUNTS)
    return set(of_accounts) if outcome == ACCOUNTS else {outcome}
