"""The gate of each table, and what it goes by."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pandas as pd

from evaluate.release.gate_accounts import gate_accounts
from evaluate.release.gate_balance import gate_balance
from evaluate.release.gate_cells import Gated
from evaluate.release.gate_cleaning import gate_cleaning
from evaluate.release.gate_compliers import gate_compliers
from evaluate.release.gate_costs import (
    CostsOf,
    Month,
    gate_acceptability,
    gate_cost_effectiveness,
    gate_costs,
)
from evaluate.release.gate_effects import (
    Key,
    gate_heterogeneity,
)
from evaluate.release.gate_elsewhere import Elsewhere
from evaluate.release.gate_entries import Hidden
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
from evaluate.release.gate_months import gate_dose, gate_states
from evaluate.release.gate_others import gate_power
from evaluate.release.gate_overlap import (
    Blocked,
    gate_histogram,
    gate_models,
    gate_overlap,
    gate_population,
)
from evaluate.release.gate_paths import gate_paths
from evaluate.release.gate_register import Register
from evaluate.release.gate_sites import Sites, gate_sites
from evaluate.release.gate_spillovers import gate_spillovers
from evaluate.release.gate_trimmed import Trimmed

if TYPE_CHECKING:
    from evaluate.plan.config import Dominance


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
    dominance : Dominance
        The limit of the largest contributors.
    sites : Sites
        What amounts by site are made of.
    of_accounts : collection of str
        The outcomes that the accounts are made of.
    month_costs : mapping of str to (str, int)
        By item what is paid by the month and part of the cost: the outcome, through which month.
    """

    register: Register
    min_cell: int
    round_to: int
    dominance: Dominance
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
    sites: Sites = field(default_factory=Sites)
    of_accounts: Collection[str] = ()
    month_costs: Mapping[str, Month] = field(default_factory=dict)


def _gate_money(name: str) -> Callable[[pd.DataFrame, Judged], Gated]:
    return lambda t, j: gate_accounts(
        name,
        t,
        j.effects,
        j.of_takers,
        j.few,
        j.costs_of,
        j.of_accounts,
        {outcome for outcome, _ in j.month_costs.values()},
        j.trimmed,
        j.min_cell,
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
    "costs": lambda t, j: gate_costs(t, j.few, j.costs_of, j.effects, j.month_costs, j.min_cell),
    "costs_by_site": lambda t, j: gate_sites(
        t, j.register.sites.rows, j.register.cells, j.sites, j.dominance, j.min_cell
    ),
    "cost_effectiveness": lambda t, j: gate_cost_effectiveness(
        t, j.effects, j.of_takers, j.costs_of, j.month_costs, j.min_cell
    ),
    "acceptability": lambda t, j: gate_acceptability(
        t, j.effects, j.of_takers, j.costs_of, j.month_costs, j.min_cell
    ),
    **{name: _gate_money(name) for name in ("cost_benefit", "accounts", "cost_sensitivity")},
}
"""The gate of each table; those of effects, bounds and participation are one, see `_effects`, and
those of who benefits another, see `gate_benefits`."""
