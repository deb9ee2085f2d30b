"""The release gate of tables that repeat effects: their rows are emptied as those are."""

from __future__ import annotations

import pandas as pd

from evaluate.release.gate_cells import ALL, Gated, empty_rows, plain, rounded
from evaluate.release.gate_effects import (
    COUNTS,
    Key,
    gate_followers,
    identity_of,
    noted,
    results_of,
)
from evaluate.release.suppression import is_small

TO_ALL = ("relative", "ratio_to_all")  # columns of a row that tell another's numbers


def gate_other(name: str, table: pd.DataFrame, withheld: set[Key], min_cell: int) -> Gated:
    """Empty the rows with a small count of their own, and those whose effects were withheld.

    Parameters
    ----------
    name : str
        Of the table.
    table : DataFrame
        With any of the columns ``n``, ``n_treated``, ``n_control``, and ``outcome``,
        ``month``, ``arm``, ``group``, ``note``.
    withheld : set of tuple
        Outcome, month, arm and group of the effects that were withheld.
    min_cell : int
        The smallest count that passes.
    """
    table = table.reset_index(drop=True)
    small = pd.Series(False, index=table.index)
    for column in (c for c in COUNTS if c in table):
        small |= is_small(table[column].to_numpy(dtype=float, na_value=float("nan")), min_cell)
    numbers = results_of(table)
    identity = identity_of(table, numbers)
    own = empty_rows(
        name, table, dict.fromkeys(table.index[small], True), identity, numbers, min_cell
    )
    rest = gate_followers(name, own.table, withheld, min_cell)
    entries = [*own.withheld, *rest.withheld]
    if "note" not in table or table.empty:
        return Gated(rest.table, entries)
    emptied = rest.table[numbers].isna().all(axis=1) & table[numbers].notna().any(axis=1)
    why = {i: bool(small[i]) for i in table.index[emptied]}
    return Gated(noted(rest.table, why, min_cell), entries)


def gate_power(table: pd.DataFrame, withheld: set[Key], min_cell: int) -> Gated:
    """Empty as any other table, and what is told of all where the effects of all are withheld.

    The detectable effect of the gap over its relative size is the mean of all control, and
    that of women over its ratio to all that of all.

    Parameters
    ----------
    table : DataFrame
        As `schemas.POWER`.
    withheld : set of tuple
        Outcome, month, arm and group of the effects that were withheld.
    min_cell : int
        The smallest count that passes.
    """
    gated = gate_other("power", table, withheld, min_cell)
    why = {
        i: False
        for i, row in enumerate(gated.table.to_dict("records"))
        if (row["outcome"], plain(row["month"]), row["arm"], ALL) in withheld
    }
    identity = identity_of(gated.table, results_of(gated.table))
    of_all = empty_rows("power", gated.table, why, identity, TO_ALL, min_cell)
    return Gated(of_all.table, [*gated.withheld, *of_all.withheld])


def gate_persons_in_waves(
    exact: pd.DataFrame, table: pd.DataFrame, min_cell: int, round_to: int
) -> Gated:
    """Empty the numbers of clusters where these are persons, a few of whom are in several waves.

    Parameters
    ----------
    exact, table : DataFrame
        As `schemas.EFFECTS`, before and after the gate, where a person's rows are a cluster.
    min_cell, round_to : int
        The limits of the release.
    """
    table = table.reset_index(drop=True)
    again = exact["n"].astype("Int64") - exact["n_clusters"].astype("Int64")
    few = is_small(again.to_numpy(dtype=float, na_value=float("nan")), min_cell).any()
    why = dict.fromkeys(range(len(table)), False) if few else {}
    identity = identity_of(table, results_of(table))
    gated = empty_rows("effects", table, why, identity, ("n_clusters",), min_cell)
    clusters = rounded(gated.table["n_clusters"], round_to)
    return Gated(gated.table.assign(n_clusters=clusters), gated.withheld)
