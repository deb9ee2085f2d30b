"""The release gate: from exact tables in `build/` to those that may be published.

No count of 1 to ``min_cell - 1`` persons passes, neither printed nor by exact arithmetic from
what is printed. The counts of all tables are cells of one register (`gate_register`), with the
sums that relate them; `suppression` chooses what is withheld.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import pandas as pd

from evaluate.release.gate_balance import places, withheld_before
from evaluate.release.gate_benefits import NUMBERS as BENEFITS
from evaluate.release.gate_benefits import gate_benefits
from evaluate.release.gate_bounds import ESTIMATORS, gate_bounds
from evaluate.release.gate_cells import Gated
from evaluate.release.gate_costs import (
    CostsOf,
    Month,
)
from evaluate.release.gate_effects import (
    NUMBERS,
    RESULTS,
    Key,
    empty_effects_at,
    gate_effects,
)
from evaluate.release.gate_elsewhere import elsewhere
from evaluate.release.gate_entries import Hidden, entries_withheld, hidden_months
from evaluate.release.gate_kept import empty_kept_rows, few_in_notes
from evaluate.release.gate_others import gate_other
from evaluate.release.gate_overlap import (
    blocked_covariates,
    hidden_groups,
)
from evaluate.release.gate_participation import gate_participation
from evaluate.release.gate_register import Register, register
from evaluate.release.gate_rounding import round_counts
from evaluate.release.gate_sites import Sites
from evaluate.release.gate_trimmed import trimmed_of
from evaluate.release.gates_of_tables import GATES, Judged

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


KEPT = ("effects", "power", "paths", "heterogeneity", "net_effects")
"""Tables that tell how many persons the effects are of, see `gate_kept`."""


def release(
    tables: Mapping[str, pd.DataFrame],
    disclosure: Disclosure,
    *,
    control: str = "control",
    persons: Mapping[tuple[str, str], int] | None = None,
    states: Mapping[str, Sequence[str]] | None = None,
    entered: Mapping[str, int | None] | None = None,
    gender_relation: Literal["always", "exact"] = "always",
    costs_of: CostsOf = "programme",
    sites: Sites | None = None,
    of_accounts: Collection[str] = (),
    month_costs: Mapping[str, Month] | None = None,
) -> Released:
    """Pass the tables of a programme through the gate, all at once.

    Parameters
    ----------
    tables : mapping of str to DataFrame
        Tables of `schemas` by name: those of `GATES`, ``effects``, ``bounds``,
        ``participation`` and any other.
    disclosure : Disclosure
        The limits.
    control : str
        The control arm, as the flow names it; it links the flow to the effects.
    persons : mapping of (str, str) to int, optional
        Number of persons included by group and single arm, control too: what the means of
        the balance table are over.
    states : mapping of str to sequence of str, optional
        The states that an outcome is made of: its share is the sum of theirs.
    entered : mapping of str to int or None, optional
        The outcomes that are 1 from a first entry on, with the primary month, which is shown
        before others.
    gender_relation : {"always", "exact"}
        Whether ``all`` less women and men gives away a group even where gender is not known
        for some, whose number a reader may have from the flow; or only where they add up.
        The same holds for the levels of exploratory groups.
    costs_of : {"participants", "persons", "programme"}
        What costs are made of: a price times those who took part; what persons cost; else.
    sites : Sites, optional
        What amounts by site are made of; needed where there are any.
    of_accounts : collection of str
        The outcomes that the accounts are made of.
    month_costs : mapping of str to (str, int), optional
        By item what is paid by the month and part of the cost: the outcome, through which month.

    Returns
    -------
    Released
        Rows of effects, balance and costs are emptied whole, counts of the flow and of the
        cleaning one by one; of the states the share, and the count where that is small; of the
        dose the row, or the share alone where nothing else shows the small number; of
        participation the share of an arm, and all effects on participants.

    Raises
    ------
    ReleaseError
        If there is a balance table and a number of ``persons`` is wanting.

    References
    ----------
    Hundepool et al. (2012), Statistical Disclosure Control, chapters 4 and 5.
    """
    min_cell, round_to, flow = disclosure.min_cell, disclosure.round_to, tables.get("flow")
    always, sites = gender_relation == "always", sites or Sites()
    found = register(tables, min_cell, control, persons, states or {}, always, sites.column)
    entries = hidden_months(tables, control, entered or {}, min_cell)
    gated, withheld, of_takers = _effects(tables, found, entries, min_cell)
    few_columns = found.hidden_in_flow(flow, "took_part").items()
    few = {c.removeprefix("arm="): small for c, small in few_columns if c.startswith("arm=")}
    trimmed, overlap = trimmed_of(tables, min_cell), tables.get("overlap")
    balance = tables.get("balance")
    before = {} if balance is None else withheld_before(balance, found.balance, found.cells)
    judged = Judged(
        found,
        min_cell,
        round_to,
        disclosure.dominance,
        entries,
        withheld,
        of_takers,
        few=few,
        shows_included=not found.hidden_in_flow(flow, "included"),
        costs_of=costs_of,
        trimmed=trimmed,
        few_kept=blocked_covariates(tables.get("population"), overlap, trimmed, min_cell),
        groups=hidden_groups(overlap, found.overlap, found.cells),
        exact_effects=tables.get("effects"),
        before=set() if balance is None else places(balance, before),
        elsewhere=elsewhere(tables, found, withheld, of_takers, few, costs_of, trimmed, min_cell),
        exact=tables,
        sites=sites,
        of_accounts=of_accounts,
        month_costs=month_costs or {},
    )
    for name, table in tables.items():
        if name in GATES:
            gated[name] = GATES[name](table, judged)
        elif name in BENEFITS:
            gated[name] = gate_benefits(
                name, table, judged.elsewhere, min_cell, found.conditional, found.cells, tables
            )
        elif name not in gated:
            gated[name] = gate_other(name, table, withheld, min_cell)
    for name in KEPT:
        if name in gated:
            gated[name] = empty_kept_rows(name, gated[name], trimmed, min_cell)
    return Released(
        {n: round_counts(n, gated[n].table, round_to) for n in tables},
        [entry for name in tables for entry in gated[name].withheld],
    )


def _effects(
    tables: Mapping[str, pd.DataFrame], found: Register, entries: Hidden, min_cell: int
) -> tuple[dict[str, Gated], set[Key], set[Key]]:
    """Gate the effects, and what empties some of them: entries, bounds and participation.

    Returns
    -------
    gated : dict of str to Gated
        Of these tables.
    withheld, of_takers : set of tuple
        As in `Judged`.
    """
    gated: dict[str, Gated] = {}
    withheld: set[Key] = set()
    of_takers: set[Key] = set()
    if "effects" in tables:
        table = tables["effects"]
        noted = few_in_notes(table, min_cell)
        own, withheld = gate_effects(noted, found.effects, found.cells, min_cell)
        keys = entries_withheld(table, entries)
        gated["effects"] = empty_effects_at(own, keys, NUMBERS, min_cell)
        withheld |= set(keys)
    if "bounds" in tables:
        gated["bounds"], rows = gate_bounds(
            tables["bounds"], found.bounds, withheld, found.cells, min_cell
        )
        if effects := gated.get("effects"):
            of_bounds = effects.table["estimator"].isin(ESTIMATORS)
            keys = dict.fromkeys(rows, False)
            gated["effects"] = empty_effects_at(effects, keys, NUMBERS, min_cell, of_bounds)
    if "participation" in tables:
        gated["participation"], of_takers = gate_participation(
            tables["participation"], found.participation, withheld, found.cells, min_cell
        )
        if effects := gated.get("effects"):
            late = effects.table["estimand"] == "late"
            keys = dict.fromkeys(of_takers, False)
            gated["effects"] = empty_effects_at(effects, keys, RESULTS, min_cell, late)
    return gated, withheld, of_takers
