"""Section `costs`: what the programme cost and which outcomes cost is set against."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from evaluate.plan.accounts import Accounts, Benefit, NotNegative, PersonMonths, Sensitivity
from evaluate.plan.closed import Closed, Code, Text
from evaluate.plan.price_index import Currency, Positive, Year

Amount = Annotated[float, Field(ge=0)]


class Threshold(Closed):
    """The range of willingness to pay for one more unit of the outcome."""

    start: float = Field(alias="from")
    to: float
    points: Annotated[int, Field(ge=2)] = 50


class Costs(Closed):
    """Cost of the programme: one figure, a figure per arm, or a person's cost in a column."""

    currency: Currency
    price_year: Year
    price_index: str | None = Field(
        None, description="Of config/price_indexes, by which records of other years are moved."
    )
    rates: dict[Currency, Positive | dict[Year, Positive]] = Field(
        {},
        description="What one unit of another currency is in this one, always or by price year.",
    )
    per: Literal["participant", "offer"] = "participant"
    amount: Amount | dict[Code, Amount] | None = None
    column: str | None = Field(None, description="A person's cost; the table `costs` otherwise.")
    source: Text | None = Field(None, description="Where the figure comes from, printed.")
    outcomes: Annotated[list[str], Field(min_length=1)]
    discount_rate: NotNegative = 0.035
    threshold: Threshold | None = None
    benefits: list[Benefit] = []
    person_months: list[PersonMonths] = []
    accounts: Accounts | None = None
    sensitivity: Sensitivity | None = None

    @model_validator(mode="after")
    def _one_source(self) -> Costs:
        if self.amount is not None and self.column is not None:
            raise ValueError("amount and column exclude each other")
        if self.currency in self.rates:
            raise ValueError(f"rates: {self.currency} is the currency of the costs itself")
        return self

    @property
    def outcomes_of_accounts(self) -> tuple[str, ...]:
        """The outcomes that the accounts are made of."""
        earnings = self.accounts.earnings if self.accounts else None
        named = [item.outcome for item in self.person_months]
        return tuple(dict.fromkeys([*named, *([earnings.outcome] if earnings else [])]))
