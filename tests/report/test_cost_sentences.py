"""Costs in words: what was moved to the currency and prices of the plan."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from simulate import plan_of

from evaluate.report.cost_sentences import beside, free_arms, one_unit, prices
from evaluate.report.words import Words

STATED = {"currency": "SEK", "price_year": 2022, "outcomes": ["y0"]}


def said(language, stated, **costs):
    plan = plan_of(np.zeros((4, 1)), costs=STATED | costs)
    released = SimpleNamespace(plan=plan, costs=pd.DataFrame({"stated": stated}))
    return prices(released, Words(language)).replace("\u00a0", " ")


def test_nothing_is_said_where_nothing_was_moved():
    assert said("en", [None, None]) == ""


def test_currencies_years_rates_and_index_are_named_with_their_source():
    stated = ["EUR 2019", None, "SEK 2019", "NOK 2020", "EUR 2020"]
    rates = {"EUR": {2019: 10.59, 2020: 10.49}, "NOK": 1.05}
    text = said("en", stated, price_index="kpi", rates=rates)
    assert "in brackets (EUR 2019, EUR 2020, NOK 2020, SEK 2019) were stated in these" in text
    assert "One EUR is taken as 10.59 SEK in 2019, 10.49 SEK in 2020." in text
    assert "One NOK is taken as 1.05 SEK." in text
    assert "Swedish consumer price index (Statistics Sweden" in text
    assert "2019: 334.26; 2020: 335.92; 2022: 371.91." in text


@pytest.mark.parametrize("rate", [100, 1000.5])
def test_rates_are_written_as_they_are(rate):
    expected = {100: "100 SEK", 1000.5: "1,000.5 SEK"}[rate]
    assert f"One EUR is taken as {expected}." in said("en", ["EUR 2022"], rates={"EUR": rate})


def test_it_is_said_in_swedish():
    text = said("sv", ["EUR 2019"], price_index="kpi", rates={"EUR": 10.59})
    assert "inom parentes (EUR 2019) var angivna i dessa, och har räknats om" in text
    assert "En EUR är satt till 10,59 SEK." in text
    assert "konsumentprisindex (Statistiska centralbyrån" in text


@pytest.mark.parametrize(
    ("correlation", "region"), [(np.nan, "The bar through a point"), (0.2, "The ring around")]
)
def test_the_plane_is_told_with_what_stands_around_its_points(correlation, region):
    plan = plan_of(np.zeros((4, 1)), costs=STATED | {"amount": 100})
    row = {
        "outcome": "y0", "arm": "1", "group": "all", "month": np.nan, "basis": "economic",
        "denominator": "offer", "incremental_cost": 100.0, "correlation": correlation,
        "quadrant_ne": 0.9, "quadrant_se": 0.0, "quadrant_nw": 0.1, "quadrant_sw": 0.0,
    }  # fmt: skip
    released = SimpleNamespace(
        plan=plan, cost_effectiveness=pd.DataFrame([row]), month=lambda outcome: None
    )
    found = beside(released, Words("en"), "y0", "1")
    assert found[0].startswith(region)
    assert "90\u00a0% show more effect at more cost" in found[1]


def test_amounts_share_a_unit_in_the_heads_of_a_table_or_have_each_their_own():
    costs = pd.DataFrame({"currency": ["SEK", "SEK"], "price_year": [2022, 2022]})
    assert one_unit(SimpleNamespace(costs=costs)) == "SEK 2022"
    assert one_unit(SimpleNamespace(costs=costs.assign(price_year=[2021, 2022]))) == ""


@pytest.mark.parametrize(
    ("language", "said"), [("en", "recorded for: Control."), ("sv", "bokförd för: Kontroll.")]
)
def test_an_arm_without_records_is_said_to_count_as_free(language, said):
    plan = plan_of(np.zeros((4, 1)), costs=STATED | {"amount": 100})
    plan = plan.model_copy(update={"costs": plan.costs.model_copy(update={"amount": None})})
    of = {"payer": "public", "basis": "economic", "source": "records"}
    costs = pd.DataFrame([of | {"arm": "0", "payer": "employer"}, of | {"arm": "1"}])
    released = SimpleNamespace(
        plan=plan,
        costs=costs,
        cost_effectiveness=pd.DataFrame({"basis": ["economic", "budget"]}),
        arm_columns=["arm=0", "arm=1"],
    )
    assert said in free_arms(released, Words(language))
    released.costs = pd.DataFrame([of | {"arm": "0"}, of | {"arm": "1"}])
    assert free_arms(released, Words(language)) == ""
    released.costs = pd.DataFrame([of | {"arm": "0", "basis": "budget"}, of | {"arm": "1"}])
    assert said in free_arms(released, Words(language))
