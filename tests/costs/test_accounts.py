"""Accounts add up, transfers cancel, and nobody's account depends on who is asked first."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from evaluate.costs.accounts import (
    PARTIES,
    SOCIETY,
    assumed_in,
    flows,
    net_streams,
    signs,
    weights,
)
from evaluate.costs.joint import Layout
from evaluate.costs.streams import PERSISTENCE, present_value
from evaluate.plan.costs import Costs

LAYOUT = Layout(
    ("public", "employer"),
    {"earn": np.arange(2, 6), "aid": np.array([6])},
    {"earn": (1, 2, 3, 15), "aid": None},
)
SHARE = st.floats(0, 1)
MONEY = st.floats(-1e5, 1e5)


RECEIVERS = st.sampled_from(["participant", "employer", None])


@st.composite
def plans(draw, receiver=RECEIVERS):
    return Costs.model_validate(
        {
            "currency": "SEK",
            "price_year": 2022,
            "amount": 1,
            "outcomes": ["earn"],
            "discount_rate": draw(st.floats(0.001, 0.2)),
            "person_months": [
                {
                    "item": "aid",
                    "outcome": "aid",
                    "price": draw(st.floats(0, 1e4)),
                    "payer": draw(st.sampled_from(["public", "municipality", "employer"])),
                    "receiver": draw(receiver),
                }
            ],
            "accounts": {
                "earnings": {
                    "outcome": "earn",
                    "income_tax": draw(SHARE),
                    "payroll_tax": draw(SHARE),
                },
                "displacement": draw(SHARE),
                "cost_of_public_funds": draw(SHARE),
                "years": draw(st.sampled_from([1, 3, 40, np.inf])),
                "decay": draw(st.floats(0.01, 1)),
                "first": draw(st.sampled_from(["now", "later"])),
            },
        }
    )


def amounts(costs, estimates, persistence="decaying", **changed):
    assumed = assumed_in(costs, costs.accounts)
    assumed = type(assumed)(**(assumed.__dict__ | changed))
    lines = flows(costs, LAYOUT, assumed, persistence)
    return lines, weights(lines, LAYOUT.size, assumed.discount_rate) @ estimates


ESTIMATES = st.lists(MONEY, min_size=LAYOUT.size, max_size=LAYOUT.size).map(np.array)


@given(plans(), ESTIMATES, st.sampled_from(PERSISTENCE))
def test_the_parties_accounts_add_up_to_that_of_society_line_by_line(costs, estimates, kind):
    lines, amount = amounts(costs, estimates, kind)
    by_party = [signs(lines, party) for party in PARTIES]
    assert (sum(by_party) == signs(lines, SOCIETY)).all()
    for flow, sign in zip(lines, signs(lines, SOCIETY), strict=True):
        is_transfer = flow.giver is not None and flow.taker is not None
        assert (sign == 0) == is_transfer
    whole = sum(sign @ amount for sign in by_party)
    assert_allclose(whole, signs(lines, SOCIETY) @ amount, atol=1e-9 * np.abs(amount).sum())


@given(plans(receiver=st.just("participant")), ESTIMATES, st.floats(0, 1))
def test_society_does_not_see_who_pays_taxes_or_gets_a_transfer(costs, estimates, tax):
    costs = costs.model_copy(
        update={"accounts": costs.accounts.model_copy(update={"cost_of_public_funds": 0.0})}
    )
    lines, amount = amounts(costs, estimates)
    moved, other = amounts(costs, estimates, income_tax=tax, prices={"aid": 77.0})
    found = [signs(f, SOCIETY) @ a for f, a in ((lines, amount), (moved, other))]
    assert_allclose(*found, rtol=1e-12, atol=1e-9)


@given(plans(), ESTIMATES, st.floats(0.01, 10))
def test_a_dearer_programme_is_worth_that_much_less_to_its_payer_and_to_society(
    costs, estimates, more
):
    lines, amount = amounts(costs, estimates)
    dearer = estimates + more * np.eye(LAYOUT.size)[1]  # paid by employers
    _, other = amounts(costs, dearer)
    for party, lost in (("employer", more), (SOCIETY, more), ("participant", 0), ("others", 0)):
        sign = signs(lines, party)
        assert_allclose(sign @ other, sign @ amount - lost, rtol=1e-9, atol=1e-6)


def test_what_a_pencil_says_of_one_year_of_earnings():
    """Earnings of 1,000 for a year: 300 and 314.2 of taxes, a tenth displaced, funds at 0.3."""
    costs = Costs.model_validate(
        {
            "currency": "SEK", "price_year": 2022, "amount": 1, "outcomes": ["aid"],
            "discount_rate": 0.05,
            "accounts": {
                "earnings": {
                    "outcome": "aid", "times_per_year": 1, "income_tax": 0.3,
                    "payroll_tax": 0.3142,
                },
                "displacement": 0.1, "cost_of_public_funds": 0.3, "years": 1,
            },
        }
    )  # fmt: skip
    estimates = np.array([812, 0, 0, 0, 0, 0, 1000.0])
    lines, amount = amounts(costs, estimates, "none")
    found = {f.line: a for f, a in zip(lines, amount, strict=True)}
    outlay = 812 - 0.9 * 614.2
    assert_allclose(found["production"], 1314.2)
    assert_allclose(found["displaced_income_tax"], -30)
    assert_allclose(found["cost_of_public_funds"], 0.3 * outlay)
    accounts = {p: signs(lines, p) @ amount for p in (*PARTIES, SOCIETY)}
    assert_allclose(accounts["participant"], 700)
    assert_allclose(accounts["public"], -outlay)
    assert_allclose(accounts["employer"], 0, atol=1e-9)
    assert_allclose(accounts["others"], -70 - 0.3 * outlay)
    assert_allclose(accounts[SOCIETY], 0.9 * 1314.2 - 812 - 0.3 * outlay)


@given(plans(), ESTIMATES, st.sampled_from(PARTIES))
def test_streams_of_a_party_are_worth_what_its_lines_are(costs, estimates, party):
    lines, amount = amounts(costs, estimates)
    streams = net_streams(lines, party, estimates)
    worth = sum(present_value(s, costs.discount_rate)[0] for s in streams)
    scale = 1e-9 * (1 + np.abs(amount).sum())
    assert_allclose(worth, signs(lines, party) @ amount, atol=scale)


@pytest.mark.parametrize("kind", PERSISTENCE)
def test_without_displacement_and_cost_of_funds_others_have_no_account(kind):
    costs = Costs.model_validate(
        {
            "currency": "SEK", "price_year": 2022, "amount": 1, "outcomes": ["earn"],
            "accounts": {"earnings": {"outcome": "earn", "payroll_tax": 0.3}, "years": 2},
        }
    )  # fmt: skip
    lines, _ = amounts(costs, np.ones(LAYOUT.size), kind)
    assert [f.line for f in lines] == [
        "programme_public", "programme_employer", "production", "earnings", "payroll_tax",
    ]  # fmt: skip
    assert not signs(lines, "others").any()
