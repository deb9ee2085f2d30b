"""Reporting of the economic evaluation: which items of CHEERS 2022 the report answers, and where.

An item is answered by what the plan and the tables hold, its facts, or by what the plan states
in `costs.reporting`. Nothing is called answered for a table that has no rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import pandas as pd

from evaluate import schemas
from evaluate.costs import reporting_facts as facts
from evaluate.costs.reporting_facts import HERE, Fact, Facts, Tables
from evaluate.plan.closed import Text
from evaluate.plan.costs import Costs
from evaluate.plan.model import Plan
from evaluate.plan.reporting import Absent

Status = Literal["answered", "absent", "missing"]
SECTIONS = (
    "title", "summary", "data", "design", "effects", "heterogeneity", "costs", "method", "limits",
    "provenance", HERE,
)  # fmt: skip


@dataclass(frozen=True)
class Item:
    """One item of the statement, numbered by its place in `ITEMS`.

    Attributes
    ----------
    name : str
        In this program's words.
    facts : callable
        What answers it without further words; empty where nothing does.
    key : str
        Of `costs.reporting`, or `source` of `costs`: what the plan may state.
    asks_why : bool
        Whether the statement asks for a reason, too, which no fact gives.
    sections : tuple of str
        Where else the report speaks of what the plan states.
    """

    name: str
    facts: Facts = facts.nothing
    key: str = ""
    asks_why: bool = False
    sections: tuple[str, ...] = ()

    @property
    def path(self) -> str:
        """The key in the programme file; without cost and effect in `outcomes` all else is idle."""
        if not self.key:
            return "costs.outcomes"
        return f"costs.{self.key}" if self.key == "source" else f"costs.reporting.{self.key}"

    def stated(self, costs: Costs) -> Text | Absent | None:
        """Return what the plan states."""
        home = costs if self.key == "source" else costs.reporting
        found: Text | Absent | None = getattr(home, self.key) if self.key else None
        return found


ITEMS = (
    Item("title", facts.title),
    Item("summary", facts.summary),
    Item("background", key="background"),
    Item("analysis_plan", facts.analysis_plan),
    Item("population", facts.population),
    Item("setting", key="setting"),
    Item("comparators", facts.comparators, "comparators", sections=("data",)),
    Item("perspective", facts.perspective, "perspective", asks_why=True),
    Item("time_horizon", facts.time_horizon, "time_horizon", asks_why=True),
    Item("discount_rate", facts.discount_rate, "discount_rate", asks_why=True),
    Item("outcomes", facts.outcomes, "outcomes"),
    Item("measurement", facts.measurement),
    Item("valuation", facts.valuation, "valuation"),
    Item("resources", facts.resources, "source", sections=("costs",)),
    Item("currency", facts.currency),
    Item("model", facts.model),
    Item("analysis", facts.analysis),
    Item("heterogeneity", facts.heterogeneity, "heterogeneity"),
    Item("distributional_effects", facts.distributional_effects, "distributional_effects"),
    Item("uncertainty", facts.uncertainty),
    Item("engagement", key="engagement"),
    Item("inputs", facts.inputs),
    Item("results", facts.results),
    Item("effect_of_uncertainty", facts.effect_of_uncertainty, "effect_of_uncertainty"),
    Item("effect_of_engagement", key="effect_of_engagement"),
    Item("findings", key="generalisability", sections=("summary", "limits")),
    Item("funding", key="funding"),
    Item("conflicts_of_interest", key="conflicts_of_interest"),
)
"""The 28 items in the order of the statement, named in this program's words."""


@dataclass(frozen=True)
class Answer:
    """What the checklist says of one item.

    Attributes
    ----------
    item : Item
        The item.
    status : {"answered", "absent", "missing"}
        Whether it is answered, absent for a reason that the plan states, or neither.
    facts : list of Fact
        What answers it without further words.
    stated : Text or None
        The plan's words: of an answer, or of the reason why it is absent.
    lacks_why : bool
        Whether the reason that the statement asks for is not stated.
    """

    item: Item
    status: Status
    facts: list[Fact]
    stated: Text | None = None
    lacks_why: bool = False

    @property
    def where(self) -> list[str]:
        """The sections of the report, in its order."""
        if self.status == "missing":
            return []
        found = {section for fact in self.facts for section in fact.sections}
        if self.stated is not None:
            found |= {*self.item.sections, HERE} if self.status == "answered" else {HERE}
        return [section for section in SECTIONS if section in found]

    @property
    def text(self) -> str:
        """What the table says: keys and tables with what they hold, and the plan's words."""
        if self.status == "missing":
            return f"not answered: state {self.item.path}"
        if self.status == "absent":
            assert self.stated is not None
            return f"absent, because: {self.stated.en}"
        said = [fact.text for fact in self.facts]
        if self.stated is not None:
            said.append(f"{self.item.path}: {self.stated.en}")
        if self.lacks_why:
            said.append(f"reason not stated: {self.item.path}")
        return "; ".join(said)


def answer(item: Item, plan: Plan, costs: Costs, tables: Tables) -> Answer:
    """Say whether an item is answered. What is there is never called absent."""
    known, stated = item.facts(plan, costs, tables), item.stated(costs)
    if isinstance(stated, Text):
        return Answer(item, "answered", known, stated)
    if known:
        return Answer(item, "answered", known, lacks_why=item.asks_why)
    if isinstance(stated, Absent):
        return Answer(item, "absent", [], stated.absent)
    if item.name == "effect_of_engagement" and isinstance(costs.reporting.engagement, Absent):
        return Answer(item, "absent", [], costs.reporting.engagement.absent)
    return Answer(item, "missing", [])


def answers(plan: Plan, tables: Tables) -> list[Answer]:
    """Return the answers to all items in their order; none where the plan names no costs.

    Parameters
    ----------
    plan : Plan
        The programme file.
    tables : collection of str
        The tables that have rows.

    References
    ----------
    Husereau, Drummond, Augustovski et al. (2022), Consolidated Health Economic Evaluation
    Reporting Standards 2022 (CHEERS 2022) statement, BMJ 376, e067975.
    """
    costs = plan.costs
    return [] if costs is None else [answer(item, plan, costs, tables) for item in ITEMS]


def checklist(plan: Plan, tables: Tables) -> pd.DataFrame:
    """Return the answers as `schemas.CHEERS`; parameters as for `answers`."""
    rows = [
        {
            "item": number,
            "name": found.item.name,
            "status": found.status,
            "where": ", ".join(found.where) or None,
            "answer": found.text,
        }
        for number, found in enumerate(answers(plan, tables), 1)
    ]
    return pd.DataFrame(rows, columns=list(schemas.CHEERS.columns))


def expected_tables(plan: Plan) -> set[str]:
    """Return the tables that a run of the plan will fill, for a check before it."""
    if plan.costs is None:
        return set()
    divided = plan.columns.both_genders or bool(plan.groups)
    found = {"costs", "cost_effectiveness"} | ({"heterogeneity"} if divided else set())
    found |= {"cost_benefit", "cost_sensitivity"} if plan.costs.benefits else set()
    if plan.costs.accounts or plan.costs.person_months:
        found |= {"cost_benefit", "accounts", "cost_sensitivity"}
    found |= {"acceptability"} if plan.costs.threshold is not None else set()
    return found | ({"gap"} if plan.columns.both_genders else set())


def to_state(plan: Plan) -> tuple[list[str], list[str]]:
    """Return the keys of items that will not be answered, and of reasons not stated."""
    found = answers(plan, expected_tables(plan))
    missing = [a.item.path for a in found if a.status == "missing"]
    return missing, [a.item.path for a in found if a.lacks_why]
