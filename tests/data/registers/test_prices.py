"""Cost records moved to the currency and prices of the plan."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from simulate import plan_of

from evaluate import schemas
from evaluate.data.registers.prices import in_prices_of
from evaluate.errors import Problems
from evaluate.io import checked
from evaluate.plan.load import load_price_index

RECORD = {
    "item": "coaching", "arm": "1", "site": None, "payer": "public", "basis": "budget",
    "quantity": 10.0, "unit": "hour", "unit_price": 40.0, "currency": "SEK", "price_year": 2022,
    "fixed": None, "stated": None,
}  # fmt: skip
INDEX = """\
title: {en: Prices, sv: Priser}
source: {en: Made up, sv: Hittat på}
currency: SEK
years: {2019: 100, 2020: 110, 2022: 150}
"""


@pytest.fixture(autouse=True)
def _study(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "config" / "price_indexes").mkdir(parents=True)
    (tmp_path / "config" / "price_indexes" / "own.yaml").write_text(INDEX, encoding="utf-8")


def moved(*changes, **costs):
    table = pd.DataFrame([RECORD | change for change in changes])
    stated = {"currency": "SEK", "price_year": 2022, "outcomes": ["y0"]} | costs
    plan = plan_of(np.zeros((4, 1)), costs=stated)
    return checked(in_prices_of(table, plan, "costs.csv"), schemas.COST_RECORDS, "")


def test_prices_are_exchanged_in_their_own_year_and_then_moved():
    rates = {"EUR": {2019: 10.5, 2022: 10.6}, "NOK": 1.05}
    found = moved(
        {}, {"price_year": 2019}, {"currency": "EUR"}, {"currency": "EUR", "price_year": 2019},
        {"currency": "NOK", "price_year": 2020}, price_index="own", rates=rates,
    )  # fmt: skip
    expected = [40, 40 * 1.5, 40 * 10.6, 40 * 10.5 * 1.5, 40 * 1.05 * 150 / 110]
    assert_allclose(found["unit_price"], expected)
    assert set(found["currency"]) == {"SEK"}
    assert set(found["price_year"]) == {2022}
    told = ["", "SEK 2019", "EUR 2022", "EUR 2019", "NOK 2020"]
    assert found["stated"].fillna("").tolist() == told


def test_what_the_plan_says_nothing_of_stays():
    changes = [{"currency": "EUR", "price_year": 2020}, {"price_year": 2019}, {"currency": "USD"}]
    same = moved(*changes)
    assert_allclose(same["unit_price"], 40)
    assert same["currency"].tolist() == ["EUR", "SEK", "USD"]
    by_rate = moved(*changes, rates={"EUR": 10})
    assert_allclose(by_rate["unit_price"], [400, 40, 40])
    assert by_rate["price_year"].tolist() == [2020, 2019, 2022]
    assert by_rate["stated"].fillna("").tolist() == ["EUR 2020", "", ""]
    by_index = moved(*changes, price_index="own")
    assert_allclose(by_index["unit_price"], [40, 60, 40])
    assert by_index["price_year"].tolist() == [2020, 2022, 2022]


@given(
    prices=st.lists(st.floats(0, 1e9), min_size=1, max_size=6),
    year=st.sampled_from([2019, 2020]),
    rate=st.floats(1e-3, 1e3),
)
def test_quantities_and_sums_follow_the_prices(prices, year, rate):
    """Nothing but the price changes, in proportion."""
    changes = [{"unit_price": p, "currency": "EUR", "price_year": year} for p in prices]
    found = moved(*changes, price_index="own", rates={"EUR": rate})
    factor = rate * 150 / {2019: 100, 2020: 110}[year]
    assert_allclose(found["unit_price"], factor * np.array(prices), rtol=1e-12)
    assert_allclose(found["quantity"], 10)


FAULTS = [
    ({"price_year": 2021}, {"price_index": "own"},
     "costs.csv: column price_year: 1 row of 2021, which the price index own lacks; it has "
     "2019, 2020, 2022."),
    ({"currency": "EUR"}, {"rates": {"EUR": {2019: 10.5}}},
     "column price_year: 1 row of 2022, which costs.rates.EUR lacks; it has 2019."),
    ({"price_year": 2019}, {"price_index": "own", "price_year": 2023},
     "costs.price_year: 2023 is not in the price index own"),
    ({"price_year": 2019, "currency": "EUR"}, {"price_index": "own", "currency": "EUR"},
     "costs.price_index: own is about prices in SEK, and costs are in EUR"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "costs", "said"), FAULTS)
def test_a_year_or_currency_that_is_lacking_is_told(change, costs, said):
    with pytest.raises(Problems) as error:
        moved(change, **costs)
    assert said in str(error.value)


def test_the_shipped_index_is_about_swedish_prices_of_every_year():
    index = load_price_index("kpi")
    assert index.currency == "SEK"
    assert sorted(index.years) == list(range(min(index.years), max(index.years) + 1))
    assert_allclose(index.years[2022] / index.years[2019], 371.91 / 334.26)
    assert "Statistics Sweden" in index.source.en
