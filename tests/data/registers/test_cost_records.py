"""The table `costs`: what is taken as it stands, and each rule that a row may break."""

import numpy as np
import pandas as pd
import pytest

from data.registers.people import plan_with
from evaluate import schemas
from evaluate.data.readers.read import RawTable
from evaluate.data.registers.cost_records import COLUMNS, cost_records
from evaluate.errors import Problems
from evaluate.io import checked

ROW = {
    "item": "coaching", "arm": "1", "site": "north", "payer": "public", "basis": "budget",
    "quantity": "12", "unit": "hour", "unit_price": "450,50", "currency": "SEK",
    "price_year": "2021", "fixed": "0",
}  # fmt: skip


def read(*changes, decimal="auto", without=()):
    cells = pd.DataFrame([ROW | change for change in changes], dtype="str")
    plan = plan_with(costs={"path": "costs.csv", "decimal": decimal})
    raw = RawTable("costs.csv", cells.drop(columns=list(without)), "UTF-8, semicolon")
    found = cost_records(raw, plan, ["0", "1"])
    return checked(found, schemas.COST_RECORDS, "cost_records")


def faults(*changes, **how):
    with pytest.raises(Problems) as caught:
        read(*changes, **how)
    return caught.value.problems


def test_records_keep_their_order_and_get_their_types():
    found = read({}, {"arm": "", "fixed": "ja", "site": "", "payer": "EU_fund"}, {"arm": "1,0"})
    assert tuple(found.columns) == (*COLUMNS, "stated")
    assert found["unit_price"].tolist() == [450.5] * 3
    assert found["price_year"].tolist() == [2021] * 3
    assert found["arm"].tolist()[::2] == ["1", "1"]
    assert found.loc[1, ["arm", "site"]].isna().all()
    assert found["payer"].tolist() == ["public", "eu_fund", "public"]
    assert found["fixed"].tolist() == [False, True, False]


def test_alike_records_are_two_purchases_and_a_quantity_may_take_one_back():
    found = read({}, {}, {"quantity": "-2"})
    assert found["quantity"].tolist() == [12, 12, -2]


@pytest.mark.parametrize("text", ["", "NA"])
def test_what_may_be_empty_is(text):
    found = read({"arm": text, "site": text, "unit": text, "fixed": text}, {})
    assert found.loc[0, ["arm", "site", "unit", "fixed"]].isna().all()


@pytest.mark.parametrize(
    ("change", "column", "said"),
    [
        ({"payer": "qzk"}, "payer", "not one of public, municipality, eu_fund"),
        ({"payer": ""}, "payer", "not one of"),
        ({"basis": "qzk"}, "basis", "not one of budget, unit_cost, economic"),
        ({"arm": "qzk"}, "arm", "neither empty nor an arm of the study: 0, 1"),
        ({"item": ""}, "item", "empty"),
        ({"quantity": "qzk"}, "quantity", "missing or not a number"),
        ({"quantity": "inf"}, "quantity", "missing or not a number"),
        ({"unit_price": ""}, "unit_price", "missing or not a number"),
        ({"unit_price": "-3"}, "unit_price", "below zero"),
        ({"currency": "qzk"}, "currency", "not a code of three capitals"),
        ({"currency": ""}, "currency", "not a code of three capitals"),
        ({"price_year": "21"}, "price_year", "not a year"),
        ({"price_year": "2021.5"}, "price_year", "not a year"),
        ({"price_year": ""}, "price_year", "missing or not a number"),
        ({"fixed": "qzk"}, "fixed", "neither empty nor true or false"),
    ],
    ids=lambda value: str(value) if isinstance(value, dict) else "",
)
def test_each_rule_names_its_column_and_counts_the_rows(change, column, said):
    told = faults({}, change, {}, change)
    assert len(told) == 1
    assert told[0].startswith(f"costs.csv: column {column}: 2 rows {said}")
    assert "the first in row 2" in told[0]
    assert "qzk" not in told[0]


def test_all_faults_are_told_at_once():
    told = faults({"payer": "x", "basis": "x"}, {"quantity": "x", "fixed": "x", "arm": "x"})
    columns = [text.split("column ")[1].split(":")[0] for text in told]
    assert sorted(columns) == ["arm", "basis", "fixed", "payer", "quantity"]


def test_columns_that_are_not_there_are_named_and_nothing_else():
    told = faults({"payer": "x"}, without=["arm", "fixed"])
    assert [t.split("`")[1] for t in told] == ["arm", "fixed"]


def test_a_comma_of_thousands_or_decimals_has_to_be_declared():
    told = faults({"unit_price": "1,500"}, {"unit_price": "2,000"})
    assert len(told) == 1
    assert "Declare `decimal" in told[0]
    assert read({"unit_price": "1,500"}, decimal=".")["unit_price"].tolist() == [1500]
    assert np.isclose(read({"unit_price": "1,500"}, decimal=",")["unit_price"], 1.5).all()
