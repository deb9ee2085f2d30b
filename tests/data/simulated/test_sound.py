"""An extract without faults: what it holds agrees with itself and with the plan."""

import re

import numpy as np
import pandas as pd
import pytest

from data.simulated.raw import COVERAGE, EXTRACT, TABLES, owner, table, text
from evaluate.data.codebook import judge, load_codebook
from evaluate.data.simulated.identity import IDENTITY_NUMBERS, check_digit
from evaluate.plan.load import load_plan

IDENTITY = re.compile(r"(?<!\d)(\d{6}|\d{8})[-+ ]?\d{4}(?!\d)")


def spells_of(study):
    spells = table(study.raw, "spells")
    spells["person"] = owner(study.raw, spells["person"])
    return spells.sort_values(["person", "start"], ignore_index=True)


def test_spells_are_disjoint_and_inside_what_the_register_covers(large):
    spells = spells_of(large)
    last = spells["end"].fillna(EXTRACT)
    assert (spells["start"] >= COVERAGE).all()
    assert (last <= EXTRACT).all()
    assert (spells["start"] <= last).all()
    same = spells["person"] == spells["person"].shift(-1)
    assert (spells["start"].shift(-1)[same] > last[same]).all()
    assert not spells["end"].isna()[same].any()  # only a person's last spell is open


def test_spells_are_in_the_order_of_their_days(large):
    assert table(large.raw, "spells")["start"].is_monotonic_increasing


def test_every_person_has_spells_and_is_registered_at_the_offer(large):
    spells = spells_of(large)
    assert set(spells["person"]) == set(text(large.raw, "persons")["person"])
    offers = table(large.raw, "assignment").assign(
        person=lambda rows: owner(large.raw, rows["person"])
    )
    at = spells.merge(offers[["person", "offered"]])
    at = at[(at["start"] <= at["offered"]) & (at["end"].fillna(EXTRACT) >= at["offered"])]
    assert len(at) == len(offers)
    assert set(at["state"]) == {"11", "14", "68"}


@pytest.mark.parametrize(
    ("name", "column", "day", "book"),
    [
        ("spells", "state", "start", "simulated_states"),
        ("activities", "kind", "date", "simulated_activities"),
    ],
)
def test_codes_are_in_their_codebook_on_their_day(large, name, column, day, book):
    rows = table(large.raw, name)
    found = judge(
        rows[column].to_numpy(dtype=object),
        rows[day].to_numpy().astype("datetime64[D]"),
        load_codebook(book),
    )
    assert not found.unknown.any()
    assert not found.outside.any()


def test_both_codes_of_a_subsidised_job_are_used(large):
    assert {"78", "30"} < set(text(large.raw, "spells")["state"])


def test_activities_come_after_the_offer_and_are_told_apart(large):
    offers = table(large.raw, "assignment")
    offers["person"] = owner(large.raw, offers["person"])
    rows = table(large.raw, "activities")
    assert rows["record"].is_unique
    assert (rows["date"] <= EXTRACT).all()
    rows["person"] = owner(large.raw, rows["person"])
    joined = rows.merge(offers[["person", "offered"]])
    assert (joined["date"] >= joined["offered"]).all()
    assert rows.duplicated(["person", "date", "kind"]).any()  # two meetings on one day are two


def test_every_key_leads_to_a_person_and_no_row_is_twice(large):
    persons = text(large.raw, "persons")
    assert persons["person"].is_unique
    for name in ("assignment", "spells", "activities", "incomes"):
        rows = text(large.raw, name)
        assert owner(large.raw, rows["person"]).isin(persons["person"]).all(), name
        assert rows["person"].str.startswith("TMP").any(), name
        assert not rows.duplicated().any(), name
    keys = text(large.raw, "keys")
    assert keys["old"].is_unique
    assert keys["new"].isin(keys["old"]).any()  # chains


def test_a_person_has_one_offer_and_one_income_a_month(large):
    for name, columns in (("assignment", ["person"]), ("incomes", ["person", "period"])):
        rows = text(large.raw, name)
        rows["person"] = owner(large.raw, rows["person"])
        assert not rows.duplicated(columns).any()


def test_incomes_are_those_of_persons_in_a_job(large):
    incomes = text(large.raw, "incomes")
    missing = (incomes["amount"] == "").mean()
    assert missing == pytest.approx(0.01, abs=0.002)
    amounts = incomes["amount"].str.replace(",", ".").replace("", np.nan).astype(float)
    assert 15_000 < amounts.median() < 25_000
    assert incomes["period"].max() == "2020-06"


def test_the_lottery_has_the_stated_share_in_every_block(large):
    rows = text(large.raw, "assignment")
    rows["share"] = rows["share"].str.replace(",", ".").astype(float)
    rows["offer"] = rows["arm"].astype(int)
    blocks = rows.groupby(["office", "wave"])
    size, offered = blocks["offer"].size(), blocks["offer"].sum()
    assert (abs(offered - blocks["share"].first() * size) <= 1).all()
    assert (offered >= 2).all()
    assert (size - offered >= 2).all()
    assert rows["share"].nunique() == 6
    assert (blocks["offered"].nunique() == 1).all()


def test_only_who_was_offered_a_place_took_part(large):
    rows = table(large.raw, "assignment")
    assert set(rows.loc[rows["arm"] == "0", "attended"]) == {"nej"}
    took = rows["attended"] == "ja"
    assert (rows.loc[took, "accepted"] == "ja").all()
    assert (rows.loc[took, "started"] > rows.loc[took, "offered"]).all()
    assert rows.loc[~took, ["started", "ended"]].isna().all(axis=None)
    assert (rows["arm"] == "1").sum() > (rows["accepted"] == "ja").sum() > took.sum()


def test_the_criteria_of_the_plan_exclude_some_and_keep_most(large):
    persons = table(large.raw, "persons")
    offers = table(large.raw, "assignment")
    offers["person"] = owner(large.raw, offers["person"])
    rows = persons.merge(offers)
    permit = rows["offered"] - rows["permit"]
    age = rows["offered"] - rows["born"]
    sound = (permit < pd.Timedelta(days=4 * 365)) & (age < pd.Timedelta(days=65 * 365.25))
    assert load_plan(large.plan).eligibility == [
        "years(permit, offered) < 4",
        "years(born, offered) < 65",
    ]
    assert sound.sum() == large.extract.truth.counted
    assert 0.94 < sound.mean() < 0.98
    assert 0.93 < len(rows) / len(persons) < 0.97
    assert not permit.between(pd.Timedelta(days=4 * 365), pd.Timedelta(days=4 * 365 + 2)).any()


def test_there_are_women_and_men_at_all_levels_of_education(large):
    persons = text(large.raw, "persons")
    assert persons["sex"].value_counts(normalize=True)["2"] == pytest.approx(0.52, abs=0.02)
    assert set(persons["education"].str[:1]) == {"1", "2", "3", "5", "6", ""}


def test_no_value_has_the_shape_of_an_identity_number(large):
    for name in TABLES:
        content = (large.raw / f"{name}.csv").read_text(encoding="latin-1")
        assert not IDENTITY.search(content), name


def test_the_planted_identity_numbers_are_those_of_nobody_alive():
    for number in IDENTITY_NUMBERS:
        assert IDENTITY.fullmatch(number)
        assert 1820 <= int(number[:4]) < 1840
        assert int(number[9:12]) >= 980
        digits = number.replace("-", "")[2:]
        assert check_digit(digits[:9]) == int(digits[9])
    assert check_digit("811218987") == 6  # the tax agency's published example


def test_costs_follow_the_persons(large):
    costs = text(large.raw, "costs")
    offers = text(large.raw, "assignment")
    quantity = costs["quantity"].str.replace(",", ".").astype(float)
    mentors = costs["item"] == "Mentor och matchning"
    assert quantity[mentors].sum() == 14 * (offers["attended"] == "ja").sum()
    assert set(costs["payer"]) == {"public", "municipality", "eu_fund", "employer", "participant"}
    assert set(costs["basis"]) == {"economic", "budget"}


def test_hours_of_caseworkers_follow_the_persons(large):
    reports, offers = text(large.raw, "time_reports"), text(large.raw, "assignment")
    hours = reports["hours"].str.replace(",", ".").astype(float)
    by_role = hours.groupby([reports["role"], reports["arm"]]).sum()
    offered, took_part = offers["arm"] == "1", offers["attended"] == "ja"
    expected = {
        ("Handläggare", "0"): 6 * (~offered).sum(),
        ("Handläggare", "1"): 7.5 * offered.sum(),
        ("Projekthandläggare", "1"): 18 * took_part.sum(),
    }
    rounding = 0.005 * len(reports)  # hours are written with two decimals
    assert by_role.to_dict() == pytest.approx(expected, abs=rounding)
    month = pd.to_datetime(reports["month"], format="%Y-%m")
    assert not reports.duplicated(["role", "month", "arm", "site"]).any()
    waves = pd.to_datetime(offers["wave"], format="%Y-%m")
    assert month.between(waves.min(), waves.max() + pd.DateOffset(months=3)).all()
    by_person = hours / reports["persons"].astype(int)
    assert by_person.max() < 1.5 * 130 + 0.01
    assert (by_person > 155.16).any()  # some are above what may be claimed
