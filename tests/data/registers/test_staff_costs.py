"""Hours as cost records: what a hand works out, and what holds of any reports."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from evaluate import schemas
from evaluate.data.registers.staff_costs import (
    claimed_hours,
    staff_hours,
    staff_records,
    told_of_hours,
    with_claims,
)
from evaluate.errors import Problems
from evaluate.io import checked

from .test_time_reports import plan_of_hours

REPORT = {
    "role": "caseworker", "month": "2019-03", "hours": 100.0, "persons": 1.0, "arm": "1",
    "site": "north", "payer": "public",
}  # fmt: skip
ROLES = {"caseworker": {"wage_cost": 400, "unit_cost": 464}}
INDEX = """\
title: {en: Prices, sv: Priser}
source: {en: Made up, sv: Hittat på}
currency: SEK
years: {2019: 100, 2020: 110, 2022: 150}
"""


def claims(*changes, roles=None, claim=None, **costs):
    table = pd.DataFrame([REPORT | change for change in changes])
    table["month"] = table["month"].to_numpy(dtype="datetime64[M]").astype("datetime64[s]")
    plan = plan_of_hours(roles or ROLES, claim)
    plan = plan.model_copy(update={"costs": plan.costs.model_copy(update=costs)})
    return with_claims(table, plan.costs), plan


def records(*changes, **costs):
    found = staff_records(*claims(*changes, **costs), "hours.csv")
    return checked(found, schemas.COST_RECORDS, "cost_records")


def hours(*changes, **costs):
    return checked(staff_hours(claims(*changes, **costs)[0]), schemas.STAFF_HOURS, "staff_hours")


def test_hours_are_economic_at_the_wage_and_claimed_at_the_unit_cost():
    found = records({}, {"hours": 160.0, "month": "2019-04"})
    assert found["basis"].tolist() == ["economic"] * 2 + ["unit_cost"] * 2
    assert_allclose(found["quantity"], [100, 160, 100, 155.16])
    assert_allclose(found["unit_price"], [400, 400, 464, 464])
    by_basis = (found["quantity"] * found["unit_price"]).groupby(found["basis"]).sum()
    assert_allclose(by_basis["economic"], 260 * 400)
    assert_allclose(by_basis["unit_cost"], 255.16 * 464)
    assert set(found["item"]) == {"caseworker"}
    assert set(found["unit"]) == {"hour"}
    assert set(found["price_year"]) == {2022}  # a price without years is of the plan's
    assert found["arm"].tolist() == ["1"] * 4


def test_a_role_with_one_price_has_one_account():
    roles = {"caseworker": {"wage_cost": 400}, "leader": {"unit_cost": 464}}
    found = records({}, {"role": "leader", "hours": 200.0}, roles=roles)
    assert found["item"].tolist() == ["caseworker", "leader"]
    assert found["basis"].tolist() == ["economic", "unit_cost"]
    assert_allclose(found["quantity"], [100, 155.16])
    table = hours({}, {"role": "leader", "hours": 200.0}, roles=roles)
    assert_allclose(table["hours_claimed"], [np.nan, 155.16])
    assert_allclose(table["hours_above_month"], [np.nan, 44.84])
    only = records({"hours": 200.0}, roles={"caseworker": {"wage_cost": 400}})
    assert only["basis"].tolist() == ["economic"]
    assert_allclose(only["quantity"], 200)


def test_the_limit_of_a_month_is_for_each_person():
    assert_allclose(hours({"hours": 310.0, "persons": 2.0})["hours_claimed"], 310)
    assert_allclose(hours({"hours": 320.0, "persons": 2.0})["hours_above_month"], 320 - 310.32)
    # Two reports are of two persons: what one lacks the other cannot use.
    assert_allclose(hours({"hours": 160.0}, {"hours": 140.0})["hours_above_month"], 4.84)


def test_the_limit_of_a_year_cuts_the_last_months_and_begins_anew():
    changes = [{"month": f"2019-{m:02d}", "hours": 150.0} for m in (3, 1, 2)]
    changes.append({"month": "2020-01", "hours": 150.0})
    found = claims(*changes, claim={"hours_a_year": 400})[0]
    assert_allclose(found["claimed"], [100, 150, 150, 150])
    assert_allclose(found["above_year"], [50, 0, 0, 0])
    assert_allclose(found["above_month"], 0)


def test_the_limit_of_a_year_is_for_the_mean_number_of_persons_over_months_reported():
    # Two in January, one in February: 1.5 persons, 150 hours of 200.
    changes = [{"hours": 80.0, "persons": 2.0, "month": "2019-01"},
               {"hours": 120.0, "month": "2019-02"}]  # fmt: skip
    found = claims(*changes, claim={"hours_a_year": 100})[0]
    assert_allclose(found["claimed"], [80, 70])
    # As two reports of one person each in January it is the same.
    split = [{"hours": 40.0, "month": "2019-01"}] * 2 + changes[1:]
    found = claims(*split, claim={"hours_a_year": 100})[0]
    assert_allclose(found["claimed"].sum(), 150)


@pytest.mark.parametrize("change", [{"site": "south"}, {"site": None}, {"arm": None},
                                    {"payer": "eu_fund"}, {"month": "2020-03"}])  # fmt: skip
def test_a_year_site_arm_or_payer_has_its_own_limit(change):
    limit = {"hours_a_year": 100}
    assert_allclose(claims({}, change, claim=limit)[0]["claimed"], [100, 100])
    again = claims({}, {"month": "2019-04"}, claim=limit)[0]
    assert_allclose(again["claimed"], [100, 0])


def test_the_esf_limits_of_the_months_keep_a_full_year_below_that_of_the_year():
    changes = [{"month": f"2019-{m:02d}", "hours": 200.0} for m in range(1, 13)]
    found = hours(*changes)
    assert_allclose(found["hours_claimed"], 12 * 155.16)
    assert_allclose(found["hours_above_year"], 0)


def test_the_flat_rate_is_a_share_of_the_claimed_staff_cost_by_arm_and_payer():
    changes = [{}, {"hours": 160.0, "month": "2019-04"}, {"arm": None}, {"payer": "eu_fund"}]
    found = records(*changes, claim={"flat_rate": 0.4})
    flat = found[found["item"] == "flat rate"]
    assert flat["basis"].tolist() == ["unit_cost"] * 3
    amount = flat["quantity"] * flat["unit_price"]
    assert_allclose(amount, [0.4 * 464 * 255.16, 0.4 * 464 * 100, 0.4 * 464 * 100])
    assert flat["arm"].isna().tolist() == [False, True, False]
    assert flat["payer"].tolist() == ["public", "public", "eu_fund"]
    without = records(*changes, roles={"caseworker": {"wage_cost": 400}}, claim={"flat_rate": 0.4})
    assert "flat rate" not in set(without["item"])


def test_prices_by_year_worked_are_moved_to_the_price_year(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "config" / "price_indexes").mkdir(parents=True)
    (tmp_path / "config" / "price_indexes" / "own.yaml").write_text(INDEX, encoding="utf-8")
    by_year = {2019: 390, 2020: 402}
    roles = {"caseworker": {"wage_cost": by_year, "unit_cost": by_year}, "leader": {"wage_cost": 5}}
    changes = ({}, {"month": "2020-01"}, {"role": "leader"})
    found = records(*changes, roles=roles, claim={"flat_rate": 0.1})
    assert found["price_year"].tolist() == [2019, 2020, 2022, 2019, 2020, 2019, 2020]
    moved = records(*changes, roles=roles, claim={"flat_rate": 0.1}, price_index="own")
    assert set(moved["price_year"]) == {2022}
    prices = [390 * 1.5, 402 * 150 / 110]
    assert_allclose(moved["unit_price"], [*prices, 5, *prices, 100 * prices[0], 100 * prices[1]])
    told = ["SEK 2019", "SEK 2020", "", *["SEK 2019", "SEK 2020"] * 2]
    assert moved["stated"].fillna("").tolist() == told


def test_a_year_that_the_index_lacks_is_told_with_the_column_it_comes_from(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "config" / "price_indexes").mkdir(parents=True)
    (tmp_path / "config" / "price_indexes" / "own.yaml").write_text(INDEX, encoding="utf-8")
    with pytest.raises(Problems) as error:
        records({"month": "2021-01"}, roles={"caseworker": {"wage_cost": {2021: 9}}},
                price_index="own")  # fmt: skip
    expected = "hours.csv: priced by costs.roles, wage_cost: column month: 1 row of 2021, which the"
    assert expected in str(error.value)


def test_hours_are_told_by_role_arm_payer_and_year():
    found = hours({}, {"hours": 160.0, "month": "2019-04"}, {"month": "2020-01"}, {"arm": None})
    assert found["year"].tolist() == [2019, 2020, 2019]
    assert_allclose(found["hours_reported"], [260, 100, 100])
    assert_allclose(found["hours_claimed"], [255.16, 100, 100])
    assert_allclose(found["hours_above_month"], [4.84, 0, 0])
    assert found["arm"].isna().tolist() == [False, False, True]


def test_the_check_says_what_is_cut_and_which_role_has_no_report():
    roles = ROLES | {"leader": {"unit_cost": 500}}
    table, plan = claims({"hours": 160.0}, roles=roles)
    told = told_of_hours(staff_hours(table), plan)
    expected = "time reports: 160.00 hours, 155.16 claimed, 4.84 above what may be claimed"
    assert told == [expected, "costs.roles.leader: no time report of this role"]


@st.composite
def reports(draw):
    n = draw(st.integers(1, 30))
    persons = np.array(draw(st.lists(st.integers(1, 5), min_size=n, max_size=n)), dtype=float)
    of_person = draw(st.lists(st.floats(0, 672), min_size=n, max_size=n))
    month = draw(st.lists(st.integers(588, 611), min_size=n, max_size=n))  # of 2019 and 2020
    cell = draw(st.lists(st.integers(0, 2), min_size=n, max_size=n))
    return (np.array(of_person) * persons, persons, np.array(month, dtype="datetime64[M]"),
            np.array(cell))  # fmt: skip


@given(made=reports(), a_month=st.floats(1, 700), a_year=st.floats(1, 4000))
def test_what_is_claimed_and_cut_is_what_was_reported_and_no_limit_is_passed(made, a_month, a_year):
    worked, persons, month, cell = made
    found = claimed_hours(worked, persons, month, cell, a_month=a_month, a_year=a_year)
    assert_allclose(found.hours + found.above_month + found.above_year, worked, atol=1e-9)
    for part in (found.hours, found.above_month, found.above_year):
        assert (part >= 0).all()
    rounding = 1e-6  # of sums of at most 100,000 hours in double precision
    assert (found.hours <= persons * a_month + rounding).all()
    year = month.astype("datetime64[Y]")
    for c in np.unique(cell):
        for y in np.unique(year[cell == c]):
            own = (cell == c) & (year == y)
            mean = persons[own].sum() / len(np.unique(month[own]))
            limit, in_month = mean * a_year, np.minimum(worked, persons * a_month)[own].sum()
            assert_allclose(found.hours[own].sum(), min(limit, in_month), atol=rounding)


@given(made=reports(), seed=st.integers(0, 100))
def test_the_order_of_reports_does_not_matter_to_the_sums(made, seed):
    order = np.random.default_rng(seed).permutation(len(made[0]))
    sums = []
    for rows in (order, np.arange(len(order))):
        own = [part[rows] for part in made]
        found = claimed_hours(*own, a_month=155.16, a_year=1200.0)
        sums.append(np.bincount(own[3], found.hours, minlength=3))
    assert_allclose(*sums, atol=1e-6)
