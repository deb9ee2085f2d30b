"""The table `time_reports`: what is taken as it stands, and each rule that a row may break."""

import numpy as np
import pandas as pd
import pytest

from data.registers.people import plan_with
from evaluate.data.readers.read import RawTable
from evaluate.data.registers.time_reports import COLUMNS, time_reports
from evaluate.errors import Problems
from evaluate.plan.costs import Costs

ROW = {
    "role": "caseworker", "month": "2019-03", "hours": "120,5", "persons": "1", "arm": "1",
    "site": "north", "payer": "public",
}  # fmt: skip
ROLES = {
    "caseworker": {"wage_cost": 412, "unit_cost": 464},
    "interpreter": {"wage_cost": {2019: 390, 2020: 402}},
}


def plan_of_hours(roles=None, claim=None, **section):
    plan = plan_with(time_reports={"path": "hours.csv"} | section)
    costs = {"currency": "SEK", "price_year": 2022, "outcomes": ["work"], "roles": roles or ROLES}
    return plan.model_copy(update={"costs": Costs.model_validate(costs | {"claim": claim or {}})})


def read(*changes, without=(), roles=None, **section):
    cells = pd.DataFrame([ROW | change for change in changes], dtype="str")
    raw = RawTable("hours.csv", cells.drop(columns=list(without)), "UTF-8, semicolon")
    return time_reports(raw, plan_of_hours(roles, **section), ["0", "1"])


def faults(*changes, **how):
    with pytest.raises(Problems) as caught:
        read(*changes, **how)
    return caught.value.problems


def test_reports_keep_their_order_and_get_their_types():
    empty = {"arm": "", "site": "", "payer": "EU_fund", "month": "2020-02"}
    found = read({}, empty, {"arm": "1,0", "hours": "0", "persons": "3"})
    assert found["hours"].tolist() == [120.5, 120.5, 0]
    assert found["persons"].tolist() == [1, 1, 3]
    assert found["month"].astype(str).tolist() == ["2019-03-01", "2020-02-01", "2019-03-01"]
    assert found["arm"].tolist()[::2] == ["1", "1"]
    assert found.loc[1, ["arm", "site"]].isna().all()
    assert found["payer"].tolist() == ["public", "eu_fund", "public"]


def test_a_report_without_a_number_of_persons_is_about_one():
    assert read({}, {}, without=["persons"])["persons"].tolist() == [1, 1]
    assert read({"persons": ""}, {"persons": "2"})["persons"].tolist() == [1, 2]


@pytest.mark.parametrize(
    "months",
    [
        ("201903", "202012"),
        ("2019M03", "2020M12"),
        ("2019-03-01", "2020-12-31"),
        ("201903.0", "202012.0"),
    ],
)
def test_months_may_be_written_as_those_of_incomes(months):
    found = read(*({"month": month} for month in months))
    assert found["month"].astype(str).str[:7].tolist() == ["2019-03", "2020-12"]


def test_a_role_may_be_a_number():
    found = read({"role": "2.0"}, {"role": "2"}, roles={2: {"unit_cost": 464}})
    assert found["role"].tolist() == ["2", "2"]


def test_a_month_holds_so_many_hours_for_each_person():
    assert len(read({"hours": "744"}, {"hours": "1488", "persons": "2"})) == 2
    assert (
        len(read({"hours": "672", "month": "2019-02"}, {"hours": "696", "month": "2020-02"})) == 2
    )
    february = faults({"hours": "673", "month": "2019-02"}, {"hours": "696", "month": "2020-02"})
    assert "hours: 1 row above what the month holds, 24 a day for each person" in february[0]
    assert "first in row 1." in february[0]


@pytest.mark.parametrize(
    ("change", "column", "said"),
    [
        ({"hours": "-1"}, "hours", "below zero"),
        ({"hours": "qzk"}, "hours", "missing or not a number"),
        ({"hours": ""}, "hours", "missing or not a number"),
        ({"hours": "inf"}, "hours", "missing or not a number"),
        ({"hours": "744,01"}, "hours", "above what the month holds"),
        ({"month": "2019-13"}, "month", "missing or not a month such as 2019-03"),
        ({"month": "qzk"}, "month", "missing or not a month"),
        ({"month": ""}, "month", "missing or not a month"),
        ({"month": "0219-03"}, "month", "missing or not a month"),
        ({"persons": "0"}, "persons", "below 1"),
        ({"persons": "0,5"}, "persons", "below 1"),
        ({"persons": "1,5"}, "persons", "with a part of a person"),
        ({"persons": "qzk"}, "persons", "neither empty nor a number"),
        ({"arm": "qzk"}, "arm", "neither empty nor an arm of the study: 0, 1"),
        ({"payer": "qzk"}, "payer", "not one of public, municipality, eu_fund"),
        ({"payer": ""}, "payer", "not one of"),
        ({"role": ""}, "role", "empty"),
        ({"role": "qzk"}, "role", "whose role has no price in costs.roles"),
        ({"role": "interpreter", "month": "2021-01"}, "month",
         "of 2021, which costs.roles.interpreter.wage_cost lacks"),
    ],
    ids=lambda value: str(value) if isinstance(value, dict) else "",
)  # fmt: skip
def test_each_rule_names_its_column_and_counts_the_rows(change, column, said):
    told = faults({}, change, {}, change)
    assert len(told) == 1
    assert told[0].startswith(f"hours.csv: column {column}: 2 rows {said}")
    assert "the first in row 2." in told[0]
    assert "qzk" not in told[0]


def test_a_role_like_a_known_one_is_asked_after_and_never_repeated():
    told = faults({}, {"role": "casworker"}, {"role": "qzk"}, {"role": "Caseworker"})
    assert [t for t in told if "Did you mean `caseworker`? Add the role there" in t] == told[:1]
    assert "2 rows whose role has no price in costs.roles, the first in row 2." in told[0]
    assert "1 row whose role" in told[1]
    assert "Roles there: caseworker, interpreter." in told[1]
    assert "casworker" not in "".join(told)


def test_all_faults_are_told_at_once():
    told = faults(
        {"role": "x", "month": "x", "persons": "x"}, {"hours": "x", "arm": "x", "payer": "x"}
    )
    columns = [text.split("column ")[1].split(":")[0] for text in told]
    assert sorted(columns) == ["arm", "hours", "month", "payer", "persons", "role"]


def test_columns_that_are_not_there_are_named_and_nothing_else():
    told = faults({"payer": "x"}, without=["arm", "hours"])
    assert [t.split("`")[1] for t in told] == ["hours", "arm"]
    assert set(COLUMNS) == set(ROW) - {"persons"}


def test_a_comma_of_thousands_or_decimals_has_to_be_declared():
    two = ({"hours": "1,500", "persons": "9"}, {"hours": "2,000", "persons": "9"})
    told = faults(*two)
    assert len(told) == 1
    assert "under data.time_reports" in told[0]
    assert read(*two, decimal=".")["hours"].tolist() == [1500, 2000]
    assert np.isclose(read(*two, decimal=",")["hours"], [1.5, 2]).all()
