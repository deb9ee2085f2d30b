"""What benefits, accounts and ranges name must be there, and be payments by the month."""

import re

import pytest
from pydantic import ValidationError

from evaluate.plan.model import Plan
from evaluate.plan.support import unused

OUTCOMES = {
    "earn": {"incomes": "amount", "months": [1, 6], "unit": "SEK per month"},
    "found": {"spells": ["work"], "measure": "entered", "months": [1, 6], "unit": "share"},
    "log_earn": {"column": "l", "transform": "log", "unit": "log SEK"},
    "before": {"columns": {-1: "b"}, "unit": "SEK per month"},
}
TABLE = {"path": "t.csv", "extract_date": "2020-01-01"}


def plan(**costs):
    stated = {"currency": "SEK", "price_year": 2022, "amount": 100, "outcomes": ["earn"]}
    return Plan.model_validate(
        {
            "title": {"en": "Simulated", "sv": "Simulerat"},
            "design": "randomised",
            "data": {"participants": {"path": "p.csv"}, "spells": TABLE, "incomes": TABLE},
            "columns": {
                "person": "id", "offered": "day", "treatment": {"column": "arm", "control": 0}
            },
            "outcomes": OUTCOMES,
            "costs": stated | costs,
        }
    )  # fmt: skip


ITEM = {"item": "aid", "outcome": "earn", "price": 10}
YEARS = {"years": 5}
EARNINGS = {"earnings": {"outcome": "earn"}, "years": 5}


@pytest.mark.parametrize(
    ("costs", "said"),
    [
        ({"benefits": [{"outcome": "pay", "years": 5}]}, "is not among earn, found"),
        ({"benefits": [{"outcome": "found", "years": 5}]}, "has measure: entered, which adds up"),
        ({"benefits": [{"outcome": "log_earn", "years": 5}]}, "has transform: log"),
        ({"benefits": [{"outcome": "before", "years": 5}]}, "has no month after the offer"),
        ({"benefits": [{"outcome": "earn", "years": 1.5}]}, "whole years, or .inf"),
        ({"benefits": [{"outcome": "earn", "years": 5, "decay": 1.5}]}, "decay"),
        ({"discount_rate": -0.1}, "discount_rate"),
        ({"person_months": [ITEM]}, "needs costs.accounts"),
        ({"person_months": [ITEM, ITEM], "accounts": YEARS}, "the name of another line"),
        ({"person_months": [ITEM | {"item": "total"}], "accounts": YEARS}, "name of another line"),
        ({"person_months": [ITEM | {"cost_months": 0}]}, "cost_months"),
        ({"person_months": [ITEM | {"cost_months": 7}]}, "above the last month of earn, 6"),
        (
            {"person_months": [ITEM | {"cost_months": 6, "payer": "employer"}]},
            "is of what public payers pay; the payer is employer",
        ),
        ({"accounts": YEARS | {"displacement": 0.2}}, "name accounts.earnings"),
        ({"accounts": EARNINGS | {"earnings": {"outcome": "found"}}}, "accounts.earnings.outcome"),
        ({"sensitivity": {"decay": {"low": 0, "high": 1}}}, "needs costs.accounts or"),
        (
            {"accounts": EARNINGS, "sensitivity": {"prices": {"aid": {"low": 0, "high": 1}}}},
            "is no item of person_months; these are: none",
        ),
        ({"accounts": YEARS, "sensitivity": {"income_tax": {"low": 0, "high": 1}}}, "of earnings"),
        ({"accounts": YEARS, "sensitivity": {"decay": {"low": 0, "high": 2}}}, "is a share"),
        ({"accounts": YEARS, "sensitivity": {"years": {"low": 0, "high": 2}}}, "1 year or more"),
        ({"accounts": YEARS, "sensitivity": {"decay": {"low": 2, "high": 1}}}, "below high"),
        (
            {
                "accounts": YEARS,
                "sensitivity": {"decay": {"low": 0, "high": 1, "distribution": "gamma"}},
            },
            "needs low above 0",
        ),
        (
            {"benefits": [{"outcome": "earn", "years": 5}],
             "sensitivity": {"cost_of_public_funds": {"low": 0, "high": 1}}},
            "is of the accounts",
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_is_named(costs, said):
    with pytest.raises(ValidationError, match=re.escape(said)):
        plan(**costs)


def test_years_may_have_no_end_and_items_names_in_two_languages():
    item = ITEM | {"item": {"en": "Aid", "sv": "Stöd"}}
    made = plan(accounts=EARNINGS | {"years": float("inf")}, person_months=[item])
    assert made.costs.accounts.years == float("inf")
    assert made.costs.person_months[0].name == "Aid"
    assert made.costs.person_months[0].title("sv") == "Stöd"
    assert made.costs.outcomes_of_accounts == ("earn",)


def test_an_item_that_is_part_of_the_cost_needs_no_accounts():
    item = ITEM | {"cost_months": 6}
    costs = plan(person_months=[item]).costs
    assert list(costs.by_month) == ["aid"]
    assert costs.outcomes_of_accounts == ()
    both = plan(person_months=[item, ITEM | {"item": "other"}], accounts=EARNINGS).costs
    assert list(both.by_month) == ["aid"]
    assert both.outcomes_of_accounts == ("earn",)


def test_a_discount_rate_is_used_where_something_lasts():
    rate = {"discount_rate": 0.03}
    own = {"outcome": "earn", "years": 5, "discount_rate": 0.05}
    assert "costs.discount_rate" in unused(plan(**rate))
    assert "costs.discount_rate" in unused(plan(benefits=[own], **rate))
    assert "costs.discount_rate" not in unused(plan(accounts=YEARS, **rate))
    shared = {"outcome": "earn", "years": 5}
    assert "costs.discount_rate" not in unused(plan(benefits=[own, shared], **rate))
