"""Costs by site on studies small enough for a hand, and what must add up in any."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from simulate import plan_of, study_from

from evaluate import schemas
from evaluate.costs.programme_costs import cost_table
from evaluate.costs.sites import cost_parts, costs_by_site, unmatched
from evaluate.errors import DataError
from evaluate.io import checked

# Four persons in control, four in arm 1, two of whom take part, eight in arm 2, all of whom do.
ARM = np.repeat([0, 1, 2], [4, 4, 8])
TAKEUP = np.array([0, 0, 0, 0, 1, 1, 0, 0, *[1] * 8], dtype=float)
SITE = np.array([*"aabb", *"aaab", *"aabbbbbb"], dtype=object)
RECORD = {
    "item": "coaching", "arm": "1", "site": "a", "payer": "public", "basis": "budget",
    "quantity": 10.0, "unit": "hour", "unit_price": 40.0, "currency": "SEK", "price_year": 2022,
    "fixed": None, "stated": None,
}  # fmt: skip
NONE = schemas.NO_SITE
COSTS = {"currency": "SEK", "price_year": 2022, "outcomes": ["y0"], "site": "office"}
# A sum of a few hundred amounts differs by the order in which they are added up.
ROUNDING = 1e-12


def records(*changes):
    table = pd.DataFrame([RECORD | change for change in changes])
    return checked(table, schemas.COST_RECORDS, "cost_records")


def plan_with(site="office", takeup=True, **costs):
    columns = {"gender": None}
    columns |= {"takeup": {"column": "t", "taken": 1}} if takeup else {}
    made = plan_of(np.zeros((16, 1)), columns=columns, costs=COSTS | {"site": site} | costs)
    data = made.data.model_dump() | {"costs": {"path": "costs.csv"}}
    return made.model_copy(update={"data": made.data.model_validate(data)})


def study_of(site=SITE, arm=ARM, takeup=TAKEUP, cost=None):
    study = study_from(np.zeros((len(arm), 1)), arm, takeup=takeup)
    return replace(study, site=site, cost=cost)


def by_site(study, plan, found=None):
    parts = checked(cost_parts(study, plan, found), schemas.COST_PARTS, "parts")
    return checked(costs_by_site(parts, study, plan), schemas.COSTS_BY_SITE, "sites")


def table(*changes, site=SITE, plan=None):
    return by_site(study_of(site), plan or plan_with(), records(*changes))


def row(found, *place, payers="public"):
    (one,) = found[(found[["site", "arm"]] == list(place)).all(axis=1)].query(
        "payers == @payers"
    ).to_dict("records")  # fmt: skip
    return one


def test_what_a_site_spent_is_divided_by_its_own_persons():
    found = table({}, {"site": "b", "quantity": 5.0}, {"arm": "2", "site": "b"})
    a, b = row(found, "a", "1"), row(found, "b", "1")
    assert (a["amount"], a["share"], a["n"], a["n_participants"]) == (400, 2 / 3, 3, 2)
    assert_allclose([a["per_offer"], a["per_participant"]], [400 / 3, 200])
    assert (b["amount"], b["n"], b["n_participants"], b["per_offer"]) == (200, 1, 0, 200)
    assert np.isnan(b["per_participant"])
    assert row(found, "b", "2")["per_participant"] == 400 / 6


def test_a_site_where_nothing_was_recorded_has_no_cost_per_person():
    found = table({"arm": "2"}, {"arm": "2", "site": "c"})
    b, c = row(found, "b", "2"), row(found, "c", "2")
    assert (b["amount"], b["n"]) == (0, 6)
    assert np.isnan(b["per_offer"])
    assert (c["amount"], c["n"]) == (400, 0)
    assert np.isnan(c["per_offer"])
    assert set(found["arm"]) == {"2"}


def test_records_without_a_site_have_a_row_of_their_own_and_cost_nobody_there():
    found = table({}, {"site": None, "quantity": 30.0})
    none = row(found, NONE, "1")
    assert (none["amount"], none["share"], none["n"]) == (1200, 0.75, 0)
    assert np.isnan(none["per_offer"])
    assert found["site"].iloc[-1] == NONE
    unknown = SITE.copy()
    unknown[4] = None
    assert row(table({}, site=unknown), NONE, "1")["n"] == 1


def test_a_record_without_arm_is_divided_as_it_is_in_all():
    found = table({"arm": None, "quantity": 1.0, "unit_price": 1200.0}, {})
    assert row(found, "a", "1")["amount"] == 400 + 400
    assert row(found, "a", "2")["amount"] == 800
    parts = cost_parts(study_of(), plan_with(), records({"arm": None}, {}))
    assert (parts.groupby("arm")["common"].sum() > 0).all()


def test_the_public_pays_a_part_of_what_all_pay():
    payers = ["public", "municipality", "eu_fund", "employer", "participant"]
    found = table(*[{"payer": payer} for payer in payers])
    assert row(found, "a", "1")["amount"] == 3 * 400
    assert row(found, "a", "1", payers="all")["amount"] == 5 * 400


def test_bases_currencies_and_years_are_not_added_up():
    found = table({}, {"basis": "economic"}, {"currency": "EUR"}, {"price_year": 2021})
    public = found.query("payers == 'public' and site == 'a'")
    assert len(public) == 4
    assert_allclose(public["amount"], 400)
    assert_allclose(public["share"], 1)


def test_items_are_what_an_amount_is_made_of_however_many_their_records():
    parts = cost_parts(
        study_of(), plan_with(), records({}, {}, {"quantity": -5.0}, {"item": "rent"})
    )
    assert parts.set_index("part")["amount"].to_dict() == {"coaching": 600, "rent": 400}


def test_without_the_column_of_persons_there_are_amounts_and_no_persons():
    found = table({}, {"site": "b"}, site=None, plan=plan_with(site=None))
    assert_allclose(found.query("payers == 'all'")["share"], 0.5)
    assert found[["n", "n_participants", "per_offer", "per_participant"]].isna().all(axis=None)


def test_where_nothing_is_known_by_site_there_are_no_rows():
    found = table({"site": None}, site=None, plan=plan_with(site=None))
    assert found.empty
    figure = plan_of(np.zeros((4, 1)), costs=COSTS | {"amount": 100})
    parts = cost_parts(study_of(), figure)
    assert parts.empty
    assert costs_by_site(parts, study_of(), figure).empty


def test_sites_that_no_person_has_are_told_and_none_in_common_is_refused():
    with pytest.raises(DataError, match=r"costs\.csv: column site: none of its 2 sites .* 2 of p"):
        table({"site": "A"}, {"site": "B"})
    with pytest.raises(DataError, match=r"no record has a site, .* column office \(costs\.site\)"):
        table({"site": None})
    assert unmatched(records({}, {"site": "x"}), study_of()) == [
        "costs.site: 1 of 2 sites of the records have no person",
        "costs.site: 1 of 2 sites of persons have no record",
    ]
    assert unmatched(records({}, {"site": "b"}), study_of()) == []
    assert unmatched(records({}), study_of(None)) == []


def test_costs_by_person_are_those_of_the_persons_of_a_site():
    cost = np.array([0, 0, 0, 0, 10, 20, 30, 40, *[100] * 8], dtype=float)
    cost[8] = np.nan
    plan = plan_with(column="spent")
    found = by_site(study_of(cost=cost), plan)
    a = row(found, "a", "1")
    assert (a["amount"], a["n"], a["n_participants"], a["per_offer"]) == (60, 3, 2, 20)
    assert a["per_participant"] == 30
    assert row(found, "a", "2")["n"] == 1  # whose cost is known
    assert row(found, "a", "0")["per_offer"] == 0
    assert len(cost_parts(study_of(cost=cost), plan)) == 4 + 7
    assert cost_parts(study_of(site=None, cost=cost), plan_with(site=None, column="spent")).empty


def test_rows_of_one_person_in_several_waves_are_one_contributor():
    study = replace(study_of(cost=np.full(16, 5.0)), cluster=np.arange(16) // 2)
    plan = plan_with(column="spent")
    columns = plan.columns.model_copy(update={"person": "id", "wave": "w"})
    parts = cost_parts(study, plan.model_copy(update={"columns": columns}))
    assert len(parts.query("arm == '2'")) == 4
    assert_allclose(parts.query("arm == '2'")["amount"], 10)


SITES = st.sampled_from([None, "a", "b", "c", "d"])
AMOUNTS = st.builds(
    lambda item, arm, site, payer, basis, quantity: {
        "item": item, "arm": arm, "site": site, "payer": payer, "basis": basis,
        "quantity": float(quantity), "unit_price": 7.0,
    },
    st.sampled_from(["coaching", "rent", "travel"]), st.sampled_from([None, "0", "1", "2"]),
    SITES, st.sampled_from(schemas.PAYERS), st.sampled_from(schemas.BASES), st.integers(0, 500),
)  # fmt: skip


@settings(max_examples=40, deadline=None)
@given(st.lists(AMOUNTS, min_size=1, max_size=25), st.booleans())
def test_over_sites_and_no_site_amounts_add_up_to_the_costs(changes, with_persons):
    changes = [*changes, {"site": "a"}]
    study = study_of(SITE if with_persons else None)
    plan = plan_with("office" if with_persons else None)
    found, costs = by_site(study, plan, records(*changes)), cost_table(
        study, plan, records(*changes)
    )  # fmt: skip
    places = ["arm", "basis"]
    for payers, paid in (
        ("all", schemas.PAYERS),
        ("public", ("public", "municipality", "eu_fund")),
    ):
        of_sites = found[found["payers"] == payers].groupby(places)["amount"].sum()
        whole = costs[costs["payer"].isin(paid)].groupby(places)["amount"].sum()
        whole = whole.reindex(of_sites.index, fill_value=0.0)
        assert set(of_sites.index) == set(costs.groupby(places)["amount"].sum().index)
        divided = any(change.get("arm", "1") is None for change in changes)
        assert_allclose(of_sites, whole, rtol=ROUNDING if divided else 0, atol=0)
        share = found[found["payers"] == payers].groupby(places)["share"].sum(min_count=1)
        assert_allclose(share.dropna(), 1)
    if with_persons:
        rows = found[found["payers"] == "all"]
        whole = rows.groupby(places)["n"].sum(min_count=1).dropna()
        assert_array_equal(whole, np.bincount(ARM)[whole.index.get_level_values(0).astype(int)])
    per = found.dropna(subset="per_offer")
    assert_allclose(per["per_offer"] * per["n"].astype(float), per["amount"])


@settings(max_examples=20, deadline=None)
@given(
    st.lists(st.integers(0, 900), min_size=16, max_size=16),
    st.lists(SITES, min_size=16, max_size=16),
)
def test_over_sites_costs_by_person_add_up_to_the_costs(cost, site):
    cost, site = np.array(cost, dtype=float), np.array(site, dtype=object)
    cost[cost > 800] = np.nan
    study, plan = study_of(site, cost=cost), plan_with(column="spent")
    found, costs = by_site(study, plan), cost_table(study, plan).set_index("arm")
    rows = found[found["payers"] == "public"].groupby("arm")[["amount", "n"]].sum()
    assert_array_equal(rows["amount"], costs["amount"])
    of_all = costs["amount"] / costs["per_offer"].where(costs["amount"] > 0)
    assert_allclose(rows["n"].astype(float)[of_all.notna()], of_all.dropna())
