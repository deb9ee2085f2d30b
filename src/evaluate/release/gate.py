"""The release gate: from exact tables in `build/` to those that may be published.

No count of 1 to ``min_cell - 1`` persons passes, neither printed nor by exact arithmetic from
what is printed. The counts of all tables are cells of one register (`gate_register`), with the
sums that relate them; `suppression` chooses what is withheld.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import pandas as pd

from evaluate.release.gate_accounts import gate_accounts
from evaluate.release.gate_balance import gate_balance, places, withheld_before
from evaluate.release.gate_benefits import NUMBERS as BENEFITS
from evaluate.release.gate_benefits import gate_benefits
from evaluate.release.gate_bounds import ESTIMATORS, gate_bounds
from evaluate.release.gate_cells import Gated
from evaluate.release.gate_cleaning import gate_cleaning
from evaluate.release.gate_compliers import gate_compliers
from evaluate.release.gate_costs import CostsOf, gate_cost_effectiveness, gate_costs
from evaluate.release.gate_effects import (
    NUMBERS,
    RESULTS,
    Key,
    empty_effects_at,
    gate_effects,
    gate_heterogeneity,
)
from evaluate.release.gate_elsewhere import Elsewhere, elsewhere
from evaluate.release.gate_entries import Hidden, entries_withheld, hidden_months
from evaluate.release.gate_event_study import gate_event_study
from evaluate.release.gate_findings import (
    gate_graph,
    gate_refutations,
    gate_sensitivity,
    gate_specifications,
    gate_verdict,
)
from evaluate.release.gate_flow import gate_flow
from evaluate.release.gate_incidence import gate_incidence
from evaluate.release.gate_kept import empty_kept_rows, few_in_notes
from evaluate.release.gate_months import gate_dose, gate_states
from evaluate.release.gate_others import gate_other, gate_power
from evaluate.release.gate_overlap import (
    Blocked,
    blocked_covariates,
    gate_histogram,
    gate_models,
    gate_overlap,
    gate_population,
    hidden_groups,
)
from evaluate.release.gate_participation import gate_participation
from evaluate.release.gate_paths import gate_paths
from evaluate.release.gate_register import Register, register
from evaluate.release.gate_rounding import round_counts
from evaluate.release.gate_spillovers import gate_spillovers
from evaluate.release.gate_trimmed import Trimmed, trimmed_of

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


@dataclass(frozen=True)
class Judged:
    """What the gates of single tables go by.

    Attributes
    ----------
    register : Register
        The cells, solved.
    min_cell, round_to : int
        The limits.
    entries : dict
        The months that must not show how many have entered, see `hidden_months`.
    effects, of_takers : set of tuple
        Outcome, month, arm and group of the effects that were withheld; of those whose numbers
        of participants were.
    few : dict of str to bool
        Arms whose number of participants is withheld in the flow, true where it is small.
    shows_included : bool
        Whether the flow shows how many were included.
    costs_of : str
        What costs are made of.
    trimmed : Trimmed
        Whose numbers kept by trimming are withheld.
    few_kept : set of (str, str)
        Contrasts and covariates with few persons of a value among those kept, or left out.
    groups : set of (str, str)
        Contrasts and groups whose size is withheld in the table of overlap.
    exact_effects : DataFrame or None
        As `schemas.EFFECTS`, before the gate.
    before : set of (str, str, str)
        Contrast, covariate and group of the rows of balance before weights that are withheld.
    elsewhere : Elsewhere
        What the tables of who benefits go by.
    exact : mapping of str to DataFrame
        All tables, before the gate.
    of_accounts : collection of str
        The outcomes that the accounts are made of.
    """

    register: Register
    min_cell: int
    round_to: int
    entries: Hidden
    effects: set[Key]
    of_takers: set[Key]
    few: dict[str, bool]
    shows_included: bool
    costs_of: CostsOf
    trimmed: Trimmed = field(default_factory=Trimmed)
    few_kept: Blocked = field(default_factory=set)
    groups: set[tuple[str, str]] = field(default_factory=set)
    exact_effects: pd.DataFrame | None = None
    before: set[tuple[str, str, str]] = field(default_factory=set)
    elsewhere: Elsewhere = field(default_factory=Elsewhere)
    exact: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    of_accounts: Collection[str] = ()


def _gate_money(name: str) -> Callable[[pd.DataFrame, Judged], Gated]:
    return lambda t, j: gate_accounts(
        name, t, j.effects, j.of_takers, j.few, j.costs_of, j.of_accounts, j.trimmed, j.min_cell
    )


GATES: dict[str, Callable[[pd.DataFrame, Judged], Gated]] = {
    "flow": lambda t, j: gate_flow(t, j.register.flow, j.register.cells, j.min_cell, j.round_to),
    "balance": lambda t, j: gate_balance(
        t, j.register.balance, j.register.cells, j.effects, j.few_kept, j.trimmed, j.min_cell
    ),
    "cleaning": lambda t, j: gate_cleaning(
        t, j.register.cleaning, j.register.cells, j.min_cell, j.round_to
    ),
    "dose": lambda t, j: gate_dose(t, j.register.dose, j.register.cells, j.min_cell),
    "states": lambda t, j: gate_states(t, j.register.states, j.register.cells, j.min_cell),
    "compliers": lambda t, j: gate_compliers(
        t, j.register.compliers, j.register.cells, j.min_cell, j.shows_included
    ),
    "heterogeneity": lambda t, j: gate_heterogeneity(t, j.effects, j.min_cell),
    "power": lambda t, j: gate_power(t, j.effects, j.min_cell),
    "spillovers": lambda t, j: gate_spillovers(t, j.effects, j.min_cell),
    "paths": lambda t, j: gate_paths(t, j.effects, j.min_cell),
    "incidence": lambda t, j: gate_incidence(t, j.entries, j.effects, j.min_cell, j.round_to),
    "overlap": lambda t, j: gate_overlap(
        t, j.register.overlap, j.register.cells, j.trimmed, j.min_cell
    ),
    "propensity_models": lambda t, j: gate_models(t, j.groups, j.min_cell),
    "propensity_histogram": lambda t, j: gate_histogram(t, j.groups, j.min_cell, j.round_to),
    "population": lambda t, j: gate_population(
        t, j.few_kept, j.groups, j.before, j.trimmed, j.min_cell
    ),
    "graph": lambda t, j: gate_graph(t, j.min_cell),
    "event_study": lambda t, j: gate_event_study(t, j.min_cell),
    "sensitivity": lambda t, j: gate_sensitivity(t, j.effects, j.trimmed, j.min_cell),
    "refutations": lambda t, j: gate_refutations(t, j.effects, j.min_cell),
    "specifications": lambda t, j: gate_specifications(
        t, j.exact_effects, j.effects, j.trimmed, j.min_cell
    ),
    "verdict": lambda t, j: gate_verdict(t, j.effects, j.min_cell),
    "costs": lambda t, j: gate_costs(t, j.few, j.costs_of, j.min_cell),
    "cost_effectiveness": lambda t, j: gate_cost_effectiveness(
        t, j.effects, j.of_takers, j.costs_of, j.min_cell
    ),
    **{name: _gate_money(name) for name in ("cost_benefit", "accounts", "cost_sensitivity")},
}
"""The gate of each table; those of effects, bounds and participation are one, see `_effects`, and
those of who benefits another, see `gate_benefits`."""

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
    of_accounts: Collection[str] = (),
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
    of_accounts : collection of str
        The outcomes that the accounts are made of.

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
    found = register(tables, min_cell, control, persons, states or {}, gender_relation == "always")
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
        of_accounts=of_accounts,
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
