"""Pass a whole study through the gate."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from evaluate.plan.closed import code_text
from evaluate.plan.config import Disclosure
from evaluate.plan.model import Plan
from evaluate.release.gate import release
from evaluate.release.gate_checks import gate_checks
from evaluate.release.gate_costs import CostsOf, Month
from evaluate.release.gate_others import gate_persons_in_waves
from evaluate.release.gate_sites import Sites
from evaluate.release.gate_trimmed import trimmed_of
from evaluate.release.suppression import is_small


@dataclass(frozen=True)
class Published:
    """What may be published.

    Attributes
    ----------
    tables : dict of str to DataFrame
        The tables with withheld cells empty.
    disclosure : dict
        What `disclosure.json` holds: the limits, and what was withheld and why.
    """

    tables: dict[str, pd.DataFrame]
    disclosure: dict[str, Any]


def publish(
    tables: Mapping[str, pd.DataFrame],
    participants: pd.DataFrame,
    plan: Plan,
    limits: Disclosure,
    cost_parts: pd.DataFrame | None = None,
) -> Published:
    """Withhold from the tables of all stages what would show fewer persons than the limit.

    Parameters
    ----------
    tables : mapping of str to DataFrame
        The exact tables, by their names in `schemas`.
    participants : DataFrame
        As `schemas.PARTICIPANTS`; gives the persons behind the means of the balance.
    plan : Plan
        The programme file.
    limits : Disclosure
        The limits of the configuration. With waves the least number is taken that many times,
        see `rows_of_a_person`.
    cost_parts : DataFrame, optional
        As `schemas.COST_PARTS`, what the amounts of `costs_by_site` are made of.
    """
    limits = limits.model_copy(
        update={"min_cell": limits.min_cell * rows_of_a_person(participants, plan)}
    )
    groups = {"all": pd.Series(True, index=participants.index)}
    groups |= {str(g): participants["gender"] == g for g in plan.columns.genders}
    arms = participants["arm"]
    persons = {
        (group, str(arm)): int((members & (arms == arm)).sum())
        for group, members in groups.items()
        for arm in arms.unique()
    }
    released = release(
        tables,
        limits,
        control=code_text(plan.columns.treatment.control),
        persons=persons,
        states=states_of(plan),
        entered=entered_of(plan),
        costs_of=costs_of(plan),
        sites=Sites(cost_parts, site_column(plan), costs_of(plan) == "persons"),
        of_accounts=plan.costs.outcomes_of_accounts if plan.costs else (),
        month_costs=month_costs_of(plan),
    )
    published, withheld = dict(released.tables), list(released.withheld)
    if "effects" in tables and plan.columns.repeated and not plan.columns.cluster:
        effects = gate_persons_in_waves(
            tables["effects"], published["effects"], limits.min_cell, limits.round_to
        )
        published["effects"] = effects.table
        withheld += effects.withheld
    if "design_checks" in tables and "flow" in tables:
        sizes = np.array(list(persons.values()), dtype=float)
        small = is_small(sizes, limits.min_cell).any()  # then both genders are withheld
        hidden = set(groups) - {"all"} if small else set()
        hidden |= blocks_withheld(released.withheld, site_column(plan))
        trimmed = trimmed_of(tables, limits.min_cell)
        checks, entries = gate_checks(
            tables["design_checks"],
            tables["flow"],
            hidden,
            limits.min_cell,
            {(arm, group) for arm, group, _ in trimmed.sides},
        )
        published["design_checks"] = checks
        withheld += entries
    return Published(published, {**limits.model_dump(), "withheld": withheld})


def rows_of_a_person(participants: pd.DataFrame, plan: Plan) -> int:
    """Return how many rows a person has at most: several where there are waves or risk sets.

    Counts are then of rows. Of so many times the least number of rows, no fewer than the least
    number of persons can stand behind.
    """
    if not plan.columns.repeated:
        return 1
    return int(participants["person"].value_counts().max())


def site_column(plan: Plan) -> str:
    """Return the column with each person's site, empty where the plan names none."""
    return (plan.costs and plan.costs.site) or ""


def blocks_withheld(withheld: list[dict[str, Any]], column: str) -> set[str]:
    """Return the sites whose persons are withheld, as checks by block name them.

    The share offered at a site would tell the persons of one arm from those of the other.
    """
    return {
        f"{column}={entry['row']['site']}"
        for entry in withheld
        if entry["table"] == "costs_by_site" and "n" in entry["columns"]
    }


def costs_of(plan: Plan) -> CostsOf:
    """Return what the amounts of the costs are made of."""
    costs = plan.costs
    if costs is not None and costs.column is not None:
        return "persons"
    by_person = costs is not None and costs.per == "participant" and plan.columns.takeup is not None
    if costs is not None and by_person and isinstance(costs.amount, int | float):
        return "participants"
    return "programme"


def month_costs_of(plan: Plan) -> dict[str, Month]:
    """Return what is paid by the month and part of the cost: its outcome, through which month."""
    items = plan.costs.by_month if plan.costs else {}
    return {name: (item.outcome, item.cost_months or 0) for name, item in items.items()}


def states_of(plan: Plan) -> dict[str, list[str]]:
    """Return the states of `data.spells.states` whose shares add up to an outcome's."""
    spells = plan.data.spells
    if spells is None:
        return {}
    codes = {name: {code_text(c) for c in listed} for name, listed in spells.states.items()}
    found = {}
    for key, outcome in plan.outcomes.items():
        if outcome.spells is None or outcome.measure != "at":
            continue
        named = {code_text(c) for c in outcome.spells}
        asked = {code for name in named for code in codes.get(name, {name})}
        whole = [name for name, listed in codes.items() if listed <= asked]
        if whole and set().union(*(codes[name] for name in whole)) == asked:
            found[key] = whole
    return found


def entered_of(plan: Plan) -> dict[str, int | None]:
    """Return the outcomes that are 1 from a first entry on, with their primary month."""
    return {
        name: outcome.primary_month
        for name, outcome in plan.outcomes.items()
        if outcome.measure == "entered"
    }
