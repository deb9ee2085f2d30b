"""What follows from the effects in money: `costs.benefits`, `person_months`, `accounts`, ranges."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Literal, get_args

from pydantic import AfterValidator, Field, model_validator

from evaluate.plan.closed import Closed, Text

if TYPE_CHECKING:
    from evaluate.plan.model import Plan

Share = Annotated[float, Field(ge=0, le=1)]
NotNegative = Annotated[float, Field(ge=0)]
Perspective = Literal["participant", "public", "employer", "society"]
Payer = Literal["public", "municipality", "eu_fund", "employer", "participant"]
Distribution = Literal["uniform", "triangular", "beta", "gamma", "normal", "lognormal"]
PRICE = "price: "  # before the item, among ranges
STOCKS = ("cumulated", "entered", "wait")  # measures that add up over months
OF_EARNINGS = (
    "production", "earnings", "income_tax", "payroll_tax",
    "displaced_production", "displaced_earnings", "displaced_income_tax", "displaced_payroll_tax",
)  # fmt: skip
LINES = (
    *(f"programme_{payer}" for payer in get_args(Payer)),
    *OF_EARNINGS,
    "cost_of_public_funds",
    "total",
)


def _whole(years: float) -> float:
    if not (math.isinf(years) or years.is_integer()):
        raise ValueError("whole years, or .inf")
    return years


Years = Annotated[float, Field(gt=0, allow_inf_nan=True), AfterValidator(_whole)]


class Stream(Closed):
    """For how long an effect goes on."""

    years: Years = Field(description="Horizon in whole years since the offer, or .inf.")
    first: Literal["now", "later"] = Field(
        "now", description="later: each payment comes a year after it arises."
    )
    decay: Share = Field(0.0, description="Share of the effect lost in a year beyond the data.")


class Benefit(Stream):
    """A stream of benefits that follows from an effect."""

    outcome: str
    times_per_year: NotNegative = Field(1.0, description="Units of the outcome in a year.")
    exchange: float = Field(1.0, description="What a unit of the outcome is worth.")
    discount_rate: NotNegative | None = Field(None, description="By default that of the costs.")
    perspective: Perspective = "society"


class PersonMonths(Closed):
    """A use of registers that is paid for by the month, such as subsidised work."""

    item: str | Text = Field(description="What it is called in tables and reports.")
    outcome: str
    price: NotNegative = Field(description="Per unit of the outcome and month.")
    payer: Payer = "public"
    receiver: Literal["participant", "employer"] | None = Field(
        None, description="Who gets it, where it is a transfer; else a resource is used up."
    )
    cost_months: Annotated[int, Field(ge=1)] | None = Field(
        None,
        description="The months since the offer through which it is part of what the programme "
        "cost, person by person; else it is a line of the accounts alone.",
    )

    @property
    def name(self) -> str:
        """The item as the tables write it."""
        return self.item if isinstance(self.item, str) else self.item.en

    def title(self, language: Literal["en", "sv"]) -> str:
        """Return the item as the reports write it."""
        return self.item if isinstance(self.item, str) else str(getattr(self.item, language))


class Earnings(Closed):
    """The outcome that is earnings before tax, and what is paid on it."""

    outcome: str
    times_per_year: NotNegative = Field(12.0, description="Units of the outcome in a year.")
    exchange: float = Field(1.0, description="What a unit of the outcome is in the currency.")
    income_tax: Share = Field(0.0, description="Of earnings, paid by the participant.")
    payroll_tax: NotNegative = Field(0.0, description="On top of earnings, by the employer.")


class Accounts(Stream):
    """The accounts of participants, public sector, employers and society."""

    earnings: Earnings | None = None
    cost_of_public_funds: NotNegative = Field(
        0.0, description="Loss to others for each unit of net public outlay; 0 leaves it out."
    )
    displacement: Share = Field(0.0, description="Share of the earnings lost to others.")


class Range(Closed):
    """The values that an assumption may take."""

    low: NotNegative
    high: Annotated[float, Field(ge=0, allow_inf_nan=False)]
    distribution: Distribution = "uniform"

    @model_validator(mode="after")
    def _in_order(self) -> Range:
        if not self.low < self.high:
            raise ValueError("low must be below high")
        if self.distribution in ("gamma", "lognormal", "beta") and self.low == 0:
            raise ValueError(f"a {self.distribution} distribution needs low above 0")
        if self.distribution == "beta" and self.high >= 1:
            raise ValueError("a beta distribution needs high below 1")
        return self


class Sensitivity(Closed):
    """Ranges of what is assumed.

    Low and high are the bounds of uniform and triangular distributions, whose mode is the
    figure of the plan, and the points of 2.5 and 97.5 per cent of the others.
    """

    discount_rate: Range | None = None
    decay: Range | None = None
    years: Range | None = None
    displacement: Range | None = None
    cost_of_public_funds: Range | None = None
    income_tax: Range | None = None
    payroll_tax: Range | None = None
    programme_cost: Range | None = Field(None, description="A factor on the programme's cost.")
    prices: dict[str, Range] = Field({}, description="By item of `person_months`.")

    @property
    def ranges(self) -> dict[str, Range]:
        """The ranges by name of what is assumed; prices by ``price: ITEM``."""
        named = {k: getattr(self, k) for k in Sensitivity.model_fields if k != "prices"}
        found = {k: v for k, v in named.items() if v is not None}
        return found | {f"{PRICE}{item}": v for item, v in self.prices.items()}


Fault = tuple[tuple[int | str, ...], str]


def account_faults(plan: Plan) -> Iterator[Fault]:
    """Find what the accounts name that is not there, or is no payment by the month.

    Yields
    ------
    tuple
        Key in the programme file, and what is wrong.
    """
    costs = plan.costs
    if costs is None:
        return
    for i, benefit in enumerate(costs.benefits):
        yield from _no_flow(plan, ("costs", "benefits", i, "outcome"), benefit.outcome)
    names = [item.name for item in costs.person_months]
    for i, item in enumerate(costs.person_months):
        at: tuple[int | str, ...] = ("costs", "person_months", i)
        yield from _no_flow(plan, (*at, "outcome"), item.outcome)
        if item.name in LINES or names.count(item.name) > 1:
            yield (*at, "item"), "is the name of another line of the accounts"
        yield from _no_cost(plan, (*at, "cost_months"), item)
    accounts, ranges = costs.accounts, costs.sensitivity
    if accounts is None and any(item.cost_months is None for item in costs.person_months):
        yield ("costs", "person_months"), "needs costs.accounts, with the years that count"
    earnings = accounts.earnings if accounts else None
    if earnings:
        yield from _no_flow(plan, ("costs", "accounts", "earnings", "outcome"), earnings.outcome)
    if accounts and accounts.displacement and earnings is None:
        yield ("costs", "accounts", "displacement"), "is of earnings: name accounts.earnings"
    if ranges is None:
        return
    if accounts is None and not costs.benefits:
        yield ("costs", "sensitivity"), "needs costs.accounts or costs.benefits"
    for name in ranges.prices:
        if name not in names:
            known = ", ".join(names) or "none"
            yield (
                ("costs", "sensitivity", "prices", name),
                f"is no item of person_months; these are: {known}",
            )
    shares = ("decay", "displacement", "income_tax")
    for name, of in ranges.ranges.items():
        if name in shares and of.high > 1:
            yield ("costs", "sensitivity", name), "is a share: high must not be above 1"
        if name in ("displacement", "income_tax", "payroll_tax") and earnings is None:
            yield ("costs", "sensitivity", name), "is of earnings: name accounts.earnings"
        if name == "cost_of_public_funds" and accounts is None:
            yield ("costs", "sensitivity", name), "is of the accounts: name costs.accounts"
        if name == "years" and of.low < 1:
            yield ("costs", "sensitivity", name), "low must be 1 year or more"


def _no_flow(plan: Plan, at: tuple[int | str, ...], name: str) -> Iterator[Fault]:
    outcome = plan.outcomes.get(name)
    if outcome is None:
        yield at, f"is not among {', '.join(plan.outcomes)}"
    elif outcome.is_linked and outcome.measure in STOCKS:
        yield (
            at,
            f"has measure: {outcome.measure}, which adds up over months; name an outcome "
            "by the month, with measure: at or days",
        )
    elif outcome.transform is not None:
        yield at, f"has transform: {outcome.transform}; name one in its own unit"
    elif all(c.month is not None and c.month < 1 for c in outcome.expand(name)):
        yield at, "has no month after the offer"


def _no_cost(plan: Plan, at: tuple[int | str, ...], item: PersonMonths) -> Iterator[Fault]:
    outcome = plan.outcomes.get(item.outcome)
    if item.cost_months is None or outcome is None:
        return
    if item.payer in ("employer", "participant"):
        yield at, f"is of what public payers pay; the payer is {item.payer}"
    months = [c.month for c in outcome.expand(item.outcome) if c.month is not None]
    if months and item.cost_months > max(months):
        yield at, f"is above the last month of {item.outcome}, {max(months)}"
