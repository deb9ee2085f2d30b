"""Accounts by payer: who gives what to whom because of the programme, month by month."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from evaluate.costs.joint import Layout
from evaluate.costs.records import PUBLIC
from evaluate.costs.streams import Persistence, Stream, once, present_value, stream
from evaluate.plan.accounts import Accounts, Benefit, PersonMonths
from evaluate.plan.costs import Costs

PARTIES = ("participant", "public", "employer", "others")
SOCIETY = "society"
PERSPECTIVES = (*PARTIES, SOCIETY)
PROGRAMME = "programme_"  # before the payer, in lines of what the programme cost
FUNDS = "cost_of_public_funds"
MONTHS = 12.0


@dataclass(frozen=True)
class Assumed:
    """What is assumed beside the estimates.

    Attributes
    ----------
    discount_rate, years, decay, later
        See `streams.stream`.
    displacement, cost_of_public_funds, income_tax, payroll_tax : float
        See `plan.accounts`.
    programme_cost : float
        A factor on what the programme cost.
    prices : dict of str to float
        Price of a person-month by item.
    """

    discount_rate: float
    years: float
    decay: float
    later: bool
    displacement: float = 0.0
    cost_of_public_funds: float = 0.0
    income_tax: float = 0.0
    payroll_tax: float = 0.0
    programme_cost: float = 1.0
    prices: dict[str, float] | None = None


@dataclass(frozen=True)
class Part:
    """Payments that follow from some of the estimates."""

    columns: np.ndarray
    payments: Stream

    def times(self, factor: float) -> Part:
        """Return the same payments, so many times."""
        return Part(self.columns, self.payments.times(factor))


@dataclass(frozen=True)
class Flow:
    """A line of the accounts: what a party gives, and another takes.

    Attributes
    ----------
    line : str
        Its name.
    giver, taker : str or None
        Of `PARTIES`. Without a giver something is produced, without a taker used up.
    parts : tuple of Part
        Payments that add up to it.
    """

    line: str
    giver: str | None
    taker: str | None
    parts: tuple[Part, ...]

    def sign(self, perspective: str) -> int:
        """Return how the line counts for a party: taken 1, given -1; for society the sum."""
        if perspective == SOCIETY:
            return (self.taker is not None) - (self.giver is not None)
        return (self.taker == perspective) - (self.giver == perspective)


def assumed_in(costs: Costs, accounts: Accounts) -> Assumed:
    """Return what the plan assumes for the accounts."""
    earnings = accounts.earnings
    return Assumed(
        discount_rate=costs.discount_rate,
        years=accounts.years,
        decay=accounts.decay,
        later=accounts.first == "later",
        displacement=accounts.displacement,
        cost_of_public_funds=accounts.cost_of_public_funds,
        income_tax=earnings.income_tax if earnings else 0.0,
        payroll_tax=earnings.payroll_tax if earnings else 0.0,
        prices={item.name: item.price for item in costs.person_months},
    )


def party_of(payer: str) -> str:
    """Return the party that a payer belongs to: municipalities and EU funds are public."""
    return "public" if payer in PUBLIC else payer


def flows(costs: Costs, layout: Layout, assumed: Assumed, persistence: Persistence) -> list[Flow]:
    """Return the lines of the accounts.

    Parameters
    ----------
    costs : Costs
        Of the plan, with ``accounts``.
    layout : Layout
        What stands where among the estimates.
    assumed : Assumed
        The assumptions, in the place of the plan's.
    persistence : {"none", "constant", "decaying"}
        Of all effects.

    References
    ----------
    Boardman, Greenberg, Vining and Weimer (2018), Cost-Benefit Analysis, 5th edition; for the
    accounts of training programmes Heckman, LaLonde and Smith (1999), Handbook of Labor
    Economics 3A, section 10.
    """

    def lasting(outcome: str, factor: float) -> Part:
        paid = stream(
            layout.months[outcome], persistence, assumed.years, assumed.decay, assumed.later
        )
        return Part(layout.outcomes[outcome], paid).times(factor)

    found = programme(layout, assumed.programme_cost)
    prices = assumed.prices or {}
    for item in costs.person_months:
        part = lasting(item.outcome, prices[item.name])
        found.append(Flow(item.name, party_of(item.payer), item.receiver, (part,)))
    earnings = costs.accounts.earnings if costs.accounts else None
    if earnings:
        paid = lasting(earnings.outcome, earnings.times_per_year / MONTHS * earnings.exchange)
        found += _of_earnings(paid, assumed, "", "participant")
        if assumed.displacement:
            lost = paid.times(-assumed.displacement)
            found += _of_earnings(lost, assumed, "displaced_", "others")
    if assumed.cost_of_public_funds:
        outlay = [
            part.times(-assumed.cost_of_public_funds * flow.sign("public"))
            for flow in found
            if flow.sign("public")
            for part in flow.parts
        ]
        found.append(Flow(FUNDS, "others", None, tuple(outlay)))
    return found


def programme(layout: Layout, factor: float = 1.0) -> list[Flow]:
    """Return what the programme cost each payer, spent in the first month."""
    return [
        Flow(
            f"{PROGRAMME}{payer}",
            party_of(payer),
            None,
            (Part(np.array([i]), once()).times(factor),),
        )
        for i, payer in enumerate(layout.payers)
    ]


def _of_earnings(paid: Part, assumed: Assumed, prefix: str, earner: str) -> list[Flow]:
    """Return what earnings move: production, pay, and taxes on it."""
    income_tax, payroll_tax = assumed.income_tax, assumed.payroll_tax
    lines: list[tuple[str, str | None, str, float]] = [
        ("production", None, "employer", 1 + payroll_tax),
        ("earnings", "employer", earner, 1.0),
        ("income_tax", earner, "public", income_tax),
        ("payroll_tax", "employer", "public", payroll_tax),
    ]
    return [
        Flow(f"{prefix}{line}", giver, taker, (paid.times(share),))
        for line, giver, taker, share in lines
        if share
    ]


def benefit_flows(
    costs: Costs, benefit: Benefit, layout: Layout, assumed: Assumed, persistence: Persistence
) -> list[Flow]:
    """Return a benefit of the plan, and what the programme cost the public.

    The giver of the cost is the perspective itself, whoever pays, for which both count. What is
    paid by the month and part of the cost is paid in its months.
    """
    paid = stream(
        layout.months[benefit.outcome], persistence, assumed.years, assumed.decay, assumed.later
    )
    factor = benefit.times_per_year / MONTHS * benefit.exchange
    part = Part(layout.outcomes[benefit.outcome], paid).times(factor)
    party = benefit.perspective if benefit.perspective != SOCIETY else "participant"
    spent = [f for f in programme(layout, assumed.programme_cost) if f.giver == "public"]
    months = [_of_months(item, layout, assumed) for item in costs.by_month.values()]
    if months:
        spent.append(Flow(f"{PROGRAMME}months", "public", None, tuple(months)))
    return [
        *(Flow(f.line, party, None, f.parts) for f in spent),
        Flow("benefit", None, party, (part,)),
    ]


def _of_months(item: PersonMonths, layout: Layout, assumed: Assumed) -> Part:
    """Return what is paid by the month, through the last one that is part of the cost."""
    paid = stream(layout.months[item.outcome], "none", assumed.years)
    monthly = paid.monthly.copy()
    monthly[item.cost_months :] = 0.0
    factor = item.price * assumed.programme_cost
    return Part(layout.outcomes[item.outcome], replace(paid, monthly=monthly)).times(factor)


def benefit_assumed(costs: Costs, benefit: Benefit) -> Assumed:
    """Return what the plan assumes for a benefit."""
    rate = costs.discount_rate if benefit.discount_rate is None else benefit.discount_rate
    return Assumed(rate, benefit.years, benefit.decay, benefit.first == "later")


def weights(found: Sequence[Flow], size: int, rate: float) -> np.ndarray:
    """Return the present value of each line as a sum of estimates, shape (lines, size)."""
    rows = np.zeros((len(found), size))
    for row, flow in zip(rows, found, strict=True):
        for part in flow.parts:
            row[part.columns] += present_value(part.payments, rate)
    return rows


def signs(found: Sequence[Flow], perspective: str) -> np.ndarray:
    """Return how each line counts in a perspective, shape (lines,)."""
    return np.array([flow.sign(perspective) for flow in found], dtype=float)


def net_streams(found: Sequence[Flow], perspective: str, estimates: np.ndarray) -> list[Stream]:
    """Return the payments of a perspective, of one column each, given the estimates."""
    return [
        part.payments.of(flow.sign(perspective) * estimates[part.columns])
        for flow in found
        if flow.sign(perspective)
        for part in flow.parts
    ]
