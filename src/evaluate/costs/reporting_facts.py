"""What the plan and the tables hold that answers an item of CHEERS 2022, and where it is said."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass

from evaluate.costs.records import PUBLIC, has_records
from evaluate.plan.closed import code_text
from evaluate.plan.costs import Costs
from evaluate.plan.model import Plan

Tables = Collection[str]  # names of those that have rows
TABLES = (
    "costs", "cost_effectiveness", "acceptability", "cost_benefit", "accounts", "cost_sensitivity",
    "heterogeneity", "gap",
)  # fmt: skip
"""The tables on whose rows an answer rests; inputs of the rule `cheers`."""
HERE = "reporting"  # the section of the report that holds the checklist itself


@dataclass(frozen=True)
class Fact:
    """Something in the plan or the tables that answers an item.

    Attributes
    ----------
    text : str
        A key of the programme file, or a table, and what it says.
    sections : tuple of str
        Where the report says it, see `reporting.SECTIONS`.
    """

    text: str
    sections: tuple[str, ...]


Facts = Callable[[Plan, Costs, Tables], list[Fact]]
"""What answers an item, by the plan, its section `costs` and the tables; empty: nothing does."""


def _table(name: str, tables: Tables, *sections: str, what: str = "") -> list[Fact]:
    """Return a table as a fact if it has rows."""
    text = f"{name}.csv: {what}" if what else f"{name}.csv"
    return [Fact(text, sections)] if name in tables else []


def nothing(plan: Plan, costs: Costs, tables: Tables) -> list[Fact]:
    """Give no facts: only people know."""
    return []


def title(plan: Plan, costs: Costs, tables: Tables) -> list[Fact]:
    """Name the plan's title, which stands over the report."""
    return [Fact(f"title: {plan.title.en}", ("title",))]


def summary(plan: Plan, costs: Costs, tables: Tables) -> list[Fact]:
    """Point to the summary, which every report has."""
    return [Fact("summary of effects, costs and checks", ("summary",))]


def analysis_plan(plan: Plan, costs: Costs, tables: Tables) -> list[Fact]:
    """Name the plan by its hash. No plan can be locked yet."""
    return [
        Fact("provenance.json: plan.sha256", ("provenance",)),
        Fact("locked before the outcomes were seen: no", ("limits",)),
    ]


def population(plan: Plan, costs: Costs, tables: Tables) -> list[Fact]:
    """Point to the flow, the criteria, and the balance of the covariates."""
    found = [Fact("flow.csv", ("data",))]
    if plan.eligibility:
        found.append(Fact(f"eligibility: {', '.join(plan.eligibility)}", ("data",)))
    return [*found, Fact("balance.csv", ("design",))] if plan.covariates else found


def comparators(plan: Plan, costs: Costs, tables: Tables) -> list[Fact]:
    """Take the protocol's strategies; a lottery has codes of arms, which say nothing."""
    if plan.protocol is None or not plan.is_observational:
        return []
    return [Fact(f"protocol.strategies: {plan.protocol.item('strategies', 'en')}", ("design",))]


def perspective(plan: Plan, costs: Costs, tables: Tables) -> list[Fact]:
    """Tell whose costs count, and of cost records which payers."""
    payers = f", paid by {', '.join(PUBLIC)}" if has_records(plan) else ""
    own = _table("cost_effectiveness", tables, "costs", what=f"perspective public{payers}")
    return own + _table("accounts", tables, "costs")


def months_of(plan: Plan, outcome: str) -> list[int]:
    """Return the months of an outcome that cost is set against, first to last."""
    columns = [c for c in plan.outcome_columns if c.outcome == outcome]
    return sorted(c.month for c in columns if c.month is not None and c.month > 0)


def time_horizon(plan: Plan, costs: Costs, tables: Tables) -> list[Fact]:
    """Tell the months. An outcome without any has no horizon that the plan knows."""
    months = {name: months_of(plan, name) for name in costs.outcomes}
    if not all(months.values()):
        return []
    found = [
        Fact(f"outcomes.{name}: months {known[0]} to {known[-1]}", ("costs", "effects"))
        for name, known in months.items()
    ]
    if "cost_benefit" in tables:
        years = [f"costs.benefits.{b.outcome}.years: {b.years:g}" for b in costs.benefits]
        years += [f"costs.accounts.years: {costs.accounts.years:g}"] if costs.accounts else []
        found += [Fact(text, ("costs",)) for text in years]
    return found


def discount_rate(plan: Plan, costs: Costs, tables: Tables) -> list[Fact]:
    """Tell the rates; without projected benefits nothing is discounted."""
    if "cost_benefit" not in tables:
        return [Fact("discounting: none, costs and effects are of the months observed", (HERE,))]
    own = [b for b in costs.benefits if b.discount_rate is not None]
    rates = [f"costs.benefits.{b.outcome}.discount_rate: {b.discount_rate:g}" for b in own]
    texts = [f"costs.discount_rate: {costs.discount_rate:g}", *rates]
    return [Fact(text, ("costs",)) for text in texts]


def outcomes(plan: Plan, costs: Costs, tables: Tables) -> list[Fact]:
    """Name the outcomes that cost is set against."""
    return [Fact(f"costs.outcomes: {', '.join(costs.outcomes)}", ("effects", "costs"))]


def measurement(plan: Plan, costs: Costs, tables: Tables) -> list[Fact]:
    """Tell the source of each outcome: states of spells, incomes, a column."""
    found = []
    for name in costs.outcomes:
        stated = plan.outcomes[name]
        source = f"column: {stated.column}"
        if stated.spells is not None:
            source = f"spells: {', '.join(map(code_text, stated.spells))}, {stated.measure}"
        elif stated.incomes is not None:
            source = f"incomes: {stated.incomes}, {stated.measure}"
        elif stated.columns is not None:
            source = f"columns: {', '.join(stated.columns.values())}"
        found.append(Fact(f"outcomes.{name}.{source}", ("effects",)))
    return found


def valuation(plan: Plan, costs: Costs, tables: Tables) -> list[Fact]:
    """Tell the units of the outcomes, and what one more is taken to be worth."""
    units = [f"outcomes.{n}.unit: {plan.outcomes[n].unit}" for n in costs.outcomes]
    found = [Fact(text, ("costs",)) for text in units]
    if "cost_benefit" in tables:
        for b in costs.benefits:
            worth = f"exchange {b.exchange:g}, {b.times_per_year:g} times a year"
            found.append(Fact(f"costs.benefits.{b.outcome}: {worth}", ("costs",)))
    values = plan.analysis.targeting.value
    texts = [f"analysis.targeting.value.{name}: {v:g}" for name, v in values.items()]
    return found + [Fact(text, ("heterogeneity",)) for text in texts]


def resources(plan: Plan, costs: Costs, tables: Tables) -> list[Fact]:
    """Tell how costs were valued: records say it themselves, a figure needs a source."""
    if has_records(plan):
        return [Fact("data.costs: quantity times unit_price by item, payer and basis", ("costs",))]
    if costs.source is None:
        return []
    where = f"column: {costs.column}" if costs.column else f"amount per {costs.per}"
    return [Fact(f"costs.{where}", ("costs",))]


def currency(plan: Plan, costs: Costs, tables: Tables) -> list[Fact]:
    """Tell currency, price year, price index, and the currencies that have rates."""
    texts = [f"costs.currency: {costs.currency}", f"costs.price_year: {costs.price_year}"]
    texts += [f"costs.price_index: {costs.price_index}"] if costs.price_index else []
    texts += [f"costs.rates: {', '.join(costs.rates)}"] if costs.rates else []
    return [Fact(text, ("costs",)) for text in texts]


def model(plan: Plan, costs: Costs, tables: Tables) -> list[Fact]:
    """Say that there is no decision model, or what is projected."""
    projected = _table("cost_benefit", tables, "costs", what="benefits beyond the months observed")
    return projected or [Fact("decision model: none", (HERE,))]


def analysis(plan: Plan, costs: Costs, tables: Tables) -> list[Fact]:
    """Point to the chapter on method."""
    return [Fact(f"analysis.level: {plan.analysis.level:g}, see method", ("method",))]


def heterogeneity(plan: Plan, costs: Costs, tables: Tables) -> list[Fact]:
    """Name the tables that tell groups apart."""
    found = _table("heterogeneity", tables, "heterogeneity", what="effects between groups")
    if plan.columns.both_genders:
        by_gender = "women, men, women-men"
        found += _table("cost_effectiveness", tables, "costs", what=by_gender)
    return found


def distributional_effects(plan: Plan, costs: Costs, tables: Tables) -> list[Fact]:
    """Name the tables that tell who has the gains and who bears the costs."""
    found = _table("gap", tables, "heterogeneity", what="women less men, and what it is made of")
    return found + _table("accounts", tables, "costs")


def uncertainty(plan: Plan, costs: Costs, tables: Tables) -> list[Fact]:
    """Name the tables that say how sure the results are."""
    fieller = "standard errors and the set of Fieller"
    found = _table("cost_effectiveness", tables, "costs", "method", what=fieller)
    found += _table("acceptability", tables, "costs")
    return found + effect_of_uncertainty(plan, costs, tables)


def inputs(plan: Plan, costs: Costs, tables: Tables) -> list[Fact]:
    """Name the tables of what the ratio of cost and effect is made of."""
    found = _table("costs", tables, "costs")
    return found + _table("cost_effectiveness", tables, "costs")


def results(plan: Plan, costs: Costs, tables: Tables) -> list[Fact]:
    """Name the tables of the main results."""
    found = _table("cost_effectiveness", tables, "summary", "costs")
    return found + _table("cost_benefit", tables, "costs")


def effect_of_uncertainty(plan: Plan, costs: Costs, tables: Tables) -> list[Fact]:
    """Name the table of other assumptions; intervals alone do not tell what these would do."""
    return _table("cost_sensitivity", tables, "costs")
