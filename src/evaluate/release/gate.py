"""The release gate: from exact tables in `build/` to those that may be published.

No count of 1 to ``min_cell - 1`` persons passes, neither printed nor by exact arithmetic from
what is printed. The counts of all tables are cells of one register (`gate_cells`), with the
sums that relate them; `suppression` chooses what is withheld.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import pandas as pd

from evaluate.errors import ReleaseError
from evaluate.release.gate_bounds import bounds_cells, gate_bound_effects, gate_bounds
from evaluate.release.gate_cells import Cells, Gated, empty_rows, rounded
from evaluate.release.gate_cleaning import cleaning_cells, gate_cleaning
from evaluate.release.gate_effects import (
    COUNTS,
    EffectCells,
    Key,
    effect_cells,
    gate_effects,
    gate_followers,
    gate_heterogeneity,
    identity_of,
    results_of,
    small_numbers_out,
)
from evaluate.release.gate_flow import (
    Places,
    balance_cells,
    flow_cells,
    gate_balance,
    gate_flow,
    link_flow,
)
from evaluate.release.gate_incidence import gate_incidence
from evaluate.release.gate_months import DoseCells, dose_cells, gate_dose, gate_states, states_cells
from evaluate.release.gate_spillovers import gate_spillovers
from evaluate.release.gate_paths import gate_paths
from evaluate.release.suppression import is_small

if TYPE_CHECKING:
    from evaluate.plan.config import Disclosure


@dataclass(frozen=True)
class Released:
    """What may be published.

    Attributes
    ----------
    tables : dict of str to DataFrame
        The tables by name, in their columns, with withheld cells empty.
    withheld : list of dict
        For `disclosure.json`: ``table``, ``row`` (its identifying columns), ``columns`` and
        ``reason``; never a number that was withheld.
    """

    tables: dict[str, pd.DataFrame]
    withheld: list[dict[str, Any]]


def release(
    tables: Mapping[str, pd.DataFrame],
    disclosure: Disclosure,
    *,
    control: str = "control",
    persons: Mapping[tuple[str, str], int] | None = None,
    states: Mapping[str, Sequence[str]] | None = None,
    gender_relation: Literal["always", "exact"] = "always",
) -> Released:
    """Pass the tables of a programme through the gate, all at once.

    Parameters
    ----------
    tables : mapping of str to DataFrame
        Tables of `schemas` by name: ``effects``, ``balance``, ``flow``, ``cleaning``, ``dose``,
        ``states``, ``heterogeneity``, ``costs``, ``cost_effectiveness`` and any other.
    disclosure : Disclosure
        The limits.
    control : str
        The control arm, as the flow names it; it links the flow to the effects.
    persons : mapping of (str, str) to int, optional
        Number of persons included by group and single arm, control too: what the means of
        the balance table are over.
    states : mapping of str to sequence of str, optional
        The states that an outcome is made of: its share is the sum of theirs.
    gender_relation : {"always", "exact"}
        Whether ``all`` less women and men gives away a group even where gender is not known
        for some, whose number a reader may have from the flow; or only where they add up.
        The same holds for the levels of exploratory groups.

    Returns
    -------
    Released
        Rows of effects, balance and costs are emptied whole, counts of the flow and of the
        cleaning one by one; of the states the share, and the count where that is small; of the
        dose the row, or the share alone where nothing else shows the small number.

    Raises
    ------
    ReleaseError
        If there is a balance table and a number of ``persons`` is wanting.

    References
    ----------
    Hundepool et al. (2012), Statistical Disclosure Control, chapters 4 and 5.
    """
    min_cell, always = disclosure.min_cell, gender_relation == "always"
    cells, effects = Cells(), EffectCells([], {})
    places: Places = {}
    cleaning: Places = {}
    dose = DoseCells([], [])
    rows: dict[str, list[list[int]]] = {}  # cells of each row of a table
    if "effects" in tables:
        effects = effect_cells(cells, tables["effects"], control, always)
    if "balance" in tables:
        if persons is None:
            raise ReleaseError("balance: the gate needs the numbers of persons by group and arm.")
        rows["balance"] = balance_cells(cells, tables["balance"], persons, control, always)
    if "flow" in tables:
        places = flow_cells(cells, tables["flow"], always, min_cell)
        link_flow(cells, tables["flow"], places, effects, min_cell)
    if "bounds" in tables:
        rows["bounds"] = bounds_cells(
            cells, tables["bounds"], tables.get("flow"), places, control, always, min_cell
        )
    if "cleaning" in tables:
        cleaning = cleaning_cells(cells, tables["cleaning"], min_cell)
    if "dose" in tables:
        dose = dose_cells(cells, tables["dose"], always, min_cell)
    if "states" in tables:
        rows["states"] = states_cells(cells, tables["states"], states or {}, always)
    cells.solve(min_cell)

    gated: dict[str, Gated] = {}
    groups: set[Key] = set()
    if "effects" in tables:
        gated["effects"], groups = gate_effects(tables["effects"], effects, cells, min_cell)
    few = _few_participants(tables, places, cells)
    for name, table in tables.items():
        if name == "flow":
            gated[name] = gate_flow(table, places, cells, min_cell, disclosure.round_to)
        elif name == "balance":
            gated[name] = gate_balance(table, rows[name], cells, min_cell)
        elif name == "cleaning":
            gated[name] = gate_cleaning(table, cleaning, cells, min_cell, disclosure.round_to)
        elif name == "dose":
            gated[name] = gate_dose(table, dose, cells, min_cell)
        elif name == "states":
            gated[name] = gate_states(table, rows[name], cells, min_cell)
        elif name == "heterogeneity":
            gated[name] = gate_heterogeneity(table, groups, min_cell)
        elif name == "spillovers":
            gated[name] = gate_spillovers(table, groups, min_cell)
        elif name == "paths":
            gated[name] = gate_paths(table, groups, min_cell)
        elif name == "incidence":
            gated[name] = gate_incidence(table, groups, min_cell, disclosure.round_to)
        elif name == "bounds":
            gated[name], keys = gate_bounds(table, rows[name], groups, cells, min_cell)
            if "effects" in gated:
                gated["effects"] = gate_bound_effects(gated["effects"], keys, min_cell)
        elif name == "costs":
            gated[name] = gate_costs(table, few, min_cell)
        elif name != "effects":
            gated[name] = gate_other(name, table, groups, min_cell)
    return Released(
        {n: _rounded(n, gated[n].table, disclosure.round_to) for n in tables},
        [entry for name in tables for entry in gated[name].withheld],
    )


def gate_other(name: str, table: pd.DataFrame, groups: set[Key], min_cell: int) -> Gated:
    """Empty the rows with a small count of their own, and those whose effects were withheld.

    Parameters
    ----------
    name : str
        Of the table.
    table : DataFrame
        With any of the columns ``n``, ``n_treated``, ``n_control``, and ``outcome``,
        ``month``, ``arm``, ``group``.
    groups : set of tuple
        Outcome, month, arm and group of the effects that were withheld.
    min_cell : int
        The smallest count that passes.
    """
    table = table.reset_index(drop=True)
    counts = [c for c in COUNTS if c in table]
    small = pd.Series(False, index=table.index)
    for column in counts:
        small |= is_small(table[column].to_numpy(dtype=float, na_value=float("nan")), min_cell)
    numbers = results_of(table)
    identity = identity_of(table, numbers)
    own = empty_rows(
        name, table, dict.fromkeys(table.index[small], True), identity, numbers, min_cell
    )
    rest = gate_followers(name, own.table, groups, min_cell)
    out = rest.table
    if "note" in out and len(out):
        out = out.assign(
            note=[small_numbers_out(n, min_cell) if isinstance(n, str) else n for n in out["note"]]
        )
    return Gated(out, [*own.withheld, *rest.withheld])


def gate_costs(table: pd.DataFrame, arms: set[str], min_cell: int) -> Gated:
    """Empty the cost per participant of arms whose participants were withheld.

    The amount divided by it would be their number.
    """
    table = table.reset_index(drop=True)
    why = {i: False for i, arm in enumerate(table["arm"].astype(str)) if arm in arms}
    return empty_rows(
        "costs",
        table,
        why,
        ("item", "arm", "payer", "basis", "currency", "price_year"),
        ("per_participant",),
        min_cell,
    )


def _few_participants(tables: Mapping[str, pd.DataFrame], places: Places, cells: Cells) -> set[str]:
    """Return the arms whose number of participants is withheld in the flow."""
    steps = tables["flow"]["step"].tolist() if "flow" in tables else []
    return {
        column.removeprefix("arm=")
        for (i, column), cell in places.items()
        if steps[i] == "took_part" and column.startswith("arm=") and cells.hidden[cell]
    }


def _rounded(name: str, table: pd.DataFrame, round_to: int) -> pd.DataFrame:
    if name in ("flow", "cleaning") or round_to <= 1:
        return table
    return table.assign(**{c: rounded(table[c], round_to) for c in COUNTS if c in table})
