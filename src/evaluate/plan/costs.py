"""Section `costs`: what the programme cost and which outcomes cost is set against."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from evaluate.plan.accounts import Accounts, Benefit, NotNegative, PersonMonths, Sensitivity
from evaluate.plan.closed import Closed, Code, Text, code_text
from evaluate.plan.price_index import Currency, Positive, Year
from evaluate.plan.reporting import Reporting

Amount = Annotated[float, Field(ge=0)]
ByYear = Annotated[dict[Year, Positive], Field(min_length=1)]
Price = Positive | ByYear


class Threshold(Closed):
    """The range of willingness to pay for one more unit of the outcome."""

    start: Amount = Field(0.0, alias="from")
    to: Annotated[float, Field(gt=0)]
    points: Annotated[int, Field(ge=2, le=1_000)] = 50

    @model_validator(mode="after")
    def _upwards(self) -> Threshold:
        if self.to <= self.start:
            raise ValueError("to must be above from")
        return self


class Role(Closed):
    """What an hour of a role in the time reports costs, always or by the year worked."""

    wage_cost: Price | None = Field(
        None, description="To the employer, contributions included: an economic cost."
    )
    unit_cost: Price | None = Field(
        None, description="As claimed by a standard scale of unit costs, such as the ESF's."
    )

    @model_validator(mode="after")
    def _has_a_price(self) -> Role:
        if self.wage_cost is None and self.unit_cost is None:
            raise ValueError("name wage_cost, unit_cost, or both")
        return self


class Claim(Closed):
    """How hours become a claim: at most so many for a person, and a share on top of them.

    What is left out are the hours of Delegated Regulation (EU) 2015/2195 for Sweden.
    """

    hours_a_month: Positive = Field(155.16, description="At most, for a person and month.")
    hours_a_year: Positive = Field(1862, description="At most, for a person and calendar year.")
    flat_rate: Annotated[float, Field(gt=0, le=1)] | None = Field(
        None, description="Share of the claimed staff cost that is added for all other costs."
    )


class Costs(Closed):
    """Cost of the programme: one figure, a figure per arm, or a person's cost in a column."""

    currency: Currency
    price_year: Year
    price_index: str | None = Field(
        None, description="Of config/price_indexes, by which records of other years are moved."
    )
    rates: dict[Currency, Positive | ByYear] = Field(
        {},
        description="What one unit of another currency is in this one, always or by price year.",
    )
    per: Literal["participant", "offer"] = "participant"
    amount: Amount | dict[Code, Amount] | None = None
    column: str | None = Field(
        None, description="A person's cost; the tables `costs` and `time_reports` otherwise."
    )
    roles: dict[Code, Role] = Field(
        {}, description="What an hour in the table `time_reports` costs, by role."
    )
    claim: Claim = Claim()
    site: str | None = Field(
        None,
        description="The column with each person's site, named as in the column `site` of the "
        "records, for costs per person by site.",
    )
    source: Text | None = Field(None, description="Where the figure comes from, printed.")
    outcomes: Annotated[list[str], Field(min_length=1)]
    discount_rate: NotNegative = 0.035
    threshold: Threshold | dict[str, Threshold] | None = Field(
        None,
        description="What one more unit of an outcome may be worth; by outcome, if units differ.",
    )
    population: Annotated[int, Field(ge=1)] | None = Field(
        None, description="How many persons the decision is about: what information is worth."
    )
    benefits: list[Benefit] = []
    person_months: list[PersonMonths] = []
    accounts: Accounts | None = None
    sensitivity: Sensitivity | None = None
    reporting: Reporting = Field(
        Reporting(), description="What the checklist of the report asks and no data tell."
    )

    @model_validator(mode="after")
    def _one_source(self) -> Costs:
        if self.amount is not None and self.column is not None:
            raise ValueError("amount and column exclude each other")
        if isinstance(self.threshold, dict):
            unknown = sorted(set(self.threshold) - set(self.outcomes))
            if unknown:
                known = ", ".join(self.outcomes)
                raise ValueError(f"threshold: {', '.join(unknown)} not among outcomes: {known}")
        if self.currency in self.rates:
            raise ValueError(f"rates: {self.currency} is the currency of the costs itself")
        named = [code_text(role) for role in self.roles]
        if doubles := sorted({name for name in named if named.count(name) > 1}):
            raise ValueError(f"roles: {', '.join(doubles)} more than once")
        return self

    def points_of(self, outcome: str) -> list[float] | None:
        """Return the thresholds at which an outcome is looked at; None where the plan has none."""
        named = self.threshold
        one = named.get(outcome) if isinstance(named, dict) else named
        if one is None:
            return None
        step = (one.to - one.start) / (one.points - 1)
        return [one.start + i * step for i in range(one.points)]

    @property
    def priced(self) -> dict[str, Role]:
        """The roles, named as the data would spell them."""
        return {code_text(name): role for name, role in self.roles.items()}

    @property
    def by_month(self) -> dict[str, PersonMonths]:
        """What is paid by the month and part of what the programme cost, by item."""
        return {item.name: item for item in self.person_months if item.cost_months}

    @property
    def outcomes_of_accounts(self) -> tuple[str, ...]:
        """The outcomes that the accounts are made of."""
        if self.accounts is None:
            return ()
        earnings = self.accounts.earnings
        named = [item.outcome for item in self.person_months]
        return tuple(dict.fromkeys([*named, *([earnings.outcome] if earnings else [])]))
