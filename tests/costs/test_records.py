"""Costs by record on studies small enough for a hand."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from simulate import plan_of, study_from

from evaluate import schemas
from evaluate.costs.effectiveness import cost_effectiveness
from evaluate.costs.programme_costs import cost_table
from evaluate.effects.table import effects
from evaluate.errors import DataError
from evaluate.io import checked

# Four persons in control, four in arm 1, two of whom take part, and eight in arm 2, all of whom do.
ARM = np.repeat([0, 1, 2], [4, 4, 8])
TAKEUP = np.array([0, 0, 0, 0, 1, 1, 0, 0, *[1] * 8], dtype=float)
RECORD = {
    "item": "coaching", "arm": "1", "site": None, "payer": "public", "basis": "budget",
    "quantity": 10.0, "unit": "hour", "unit_price": 40.0, "currency": "SEK", "price_year": 2022,
    "fixed": None, "stated": None,
}  # fmt: skip
COSTS = {"currency": "SEK", "price_year": 2022, "outcomes": ["y0"]}


def records(*changes):
    table = pd.DataFrame([RECORD | change for change in changes])
    return checked(table, schemas.COST_RECORDS, "cost_records")


def plan_with(y, gender=True, takeup=True):
    columns = {} if gender else {"gender": None}
    columns |= {"takeup": {"column": "t", "taken": 1}} if takeup else {}
    made = plan_of(y, columns=columns, costs=COSTS)
    data = made.data.model_dump() | {"costs": {"path": "costs.csv"}}
    return made.model_copy(update={"data": made.data.model_validate(data)})


def table(*changes, takeup=True):
    y = np.arange(16.0)[:, None]
    study = study_from(y, ARM, takeup=TAKEUP if takeup else None)
    found = cost_table(study, plan_with(y, gender=False, takeup=takeup), records(*changes))
    return checked(found, schemas.COSTS, "costs")


def test_an_item_costs_its_quantity_times_its_price_in_the_arm_that_it_names():
    found = table({}, {"quantity": 2.0}, {"arm": "2", "unit_price": 100.0})
    assert found["arm"].tolist() == ["1", "2"]
    assert_allclose(found["amount"], [480, 1000])
    assert_allclose(found["per_offer"], [120, 125])
    assert_allclose(found["per_participant"], [240, 125])


def test_items_payers_bases_currencies_and_price_years_have_rows_of_their_own():
    changes = [
        {}, {"item": "rent"}, {"payer": "employer"}, {"basis": "economic"},
        {"currency": "EUR"}, {"price_year": 2021},
    ]  # fmt: skip
    found = table(*changes, *changes)
    assert len(found) == 6
    assert_allclose(found["amount"], 800)
    assert found["item"].tolist() == ["coaching"] * 5 + ["rent"]


def test_a_record_without_arm_is_divided_among_those_offered_by_their_number():
    found = table({"arm": None, "quantity": 1.0, "unit_price": 1200.0}, {})
    found = found.set_index("arm")
    assert_allclose(found.loc[["1", "2"], "amount"], [400 + 400, 800])
    assert "0" not in found.index
    assert_allclose(found["per_offer"].loc["2"], 100)


def test_control_carries_what_is_recorded_for_it():
    found = table({"arm": "0"}, {}).set_index("arm")
    assert_allclose(found["per_offer"], [100, 100])
    assert np.isnan(found.loc["0", "per_participant"])
    without = table({"arm": "0"}, {}, takeup=False).set_index("arm")
    assert_allclose(without["per_participant"], [np.nan, 100])


def test_a_credit_note_is_taken_off_and_cannot_make_a_cost_negative():
    assert_allclose(table({}, {"quantity": -4.0})["amount"], 240)
    with pytest.raises(DataError, match="1 of 2 sums by item, arm, payer and basis are below zero"):
        table({}, {"quantity": -14.0}, {"item": "rent"})


def trial(n=400, seed=1, women=True, gain=2.0, arms=2):
    rng = np.random.default_rng(seed)
    arm = rng.permutation(np.arange(n) % arms)
    takeup = np.where(arm >= 1, rng.random(n) < 0.7, 0).astype(float)
    y = gain * takeup[:, None] + rng.normal(size=(n, 1))
    study = study_from(y, arm, women=rng.random(n) < 0.5 if women else None, takeup=takeup)
    return study, plan_with(y)


def ratios(study, plan, *changes):
    found = cost_effectiveness(study, plan, records(*changes), np.random.default_rng(1)).ratios
    found = checked(found, schemas.COST_EFFECTIVENESS, "")
    return found.set_index(["arm", "group", "denominator"])


@pytest.mark.parametrize("estimator", ["lin", "difference_in_means", "ancova"])
def test_the_incremental_cost_per_offer_is_the_difference_of_the_arms_totals(estimator):
    study, plan = trial(arms=3)
    x = pd.DataFrame({"x": np.random.default_rng(1).normal(size=study.n)})
    study.y[::7] = np.nan  # who has no outcome has cost all the same
    analysis = plan.analysis.model_copy(update={"estimators": [estimator]})
    plan = plan.model_copy(update={"analysis": analysis, "covariates": ["x"]})
    found = ratios(
        replace(study, covariates=x),
        plan,
        {"arm": "0", "quantity": 100.0},
        {"arm": "1", "quantity": 1000.0},
        {"arm": "2", "quantity": 3000.0},
        {"arm": None, "quantity": 500.0},
    )
    n = np.bincount(study.arm)
    for arm in (1, 2):
        total = 40 * [100, 1000, 3000][arm] + 40 * 500 * n[arm] / n[1:].sum()
        cost = total / n[arm] - 40 * 100 / n[0]
        for group in ("all", "women", "men"):
            row = found.loc[(str(arm), group, "offer")]
            assert_allclose(row["incremental_cost"], cost)
            assert row["incremental_cost_se"] == 0
            assert_allclose(row["icer"], cost / row["effect"])
            assert row["icer_low"] < row["icer"] < row["icer_high"]


def test_women_and_men_cannot_be_told_apart_in_a_total():
    found = ratios(*trial(), {})
    costs = ["incremental_cost", "incremental_cost_se"]
    for denominator in ("offer", "participant"):
        gap = found.loc[("1", "women-men", denominator)]
        assert gap[costs].isna().all()
        assert gap[["effect", "effect_se"]].notna().all()


def test_per_participant_it_is_divided_by_the_effect_on_takeup_and_so_has_an_error():
    study, plan = trial()
    found = ratios(study, plan, {})
    rows = effects(study, plan).table.set_index(["group", "estimand"])
    for group in ("all", "women", "men"):
        row = found.loc[("1", group, "participant")]
        offered = study.groups[group] & (study.arm == 1)
        share = study.takeup[offered].mean()
        assert_allclose(row["incremental_cost"], 400 / (study.arm == 1).sum() / share)
        assert row["incremental_cost_se"] > 0
        assert_allclose(row["effect"], rows.loc[(group, "late"), "estimate"])


def test_bases_stand_side_by_side_and_economic_cost_leads():
    study, plan = trial()
    economic = {"basis": "economic", "quantity": 30.0}
    found = ratios(study, plan, {}, economic, {"basis": "unit_cost", "quantity": 20.0})
    assert list(dict.fromkeys(found["basis"])) == ["economic", "unit_cost", "budget"]
    rows = found.loc[("1", "all", "offer")].set_index("basis")
    assert_allclose(rows["incremental_cost"], [1200 / 200, 800 / 200, 400 / 200])
    assert rows["effect"].nunique() == 1
    assert set(ratios(study, plan, {"basis": "unit_cost"})["basis"]) == {"unit_cost"}


def test_a_basis_that_does_not_lead_is_left_out_in_another_currency():
    found = ratios(*trial(), {"basis": "economic"}, {"currency": "EUR"})
    assert set(found["basis"]) == {"economic"}


def test_the_public_perspective_leaves_out_what_employers_and_participants_pay():
    study, plan = trial()
    shared = [{}, {"payer": "municipality"}, {"payer": "eu_fund"}]
    found = ratios(study, plan, *shared, {"payer": "employer"}, {"payer": "participant"})
    assert_allclose(found.loc[("1", "all", "offer"), "incremental_cost"], 1200 / 200)
    with pytest.raises(DataError, match="column payer"):
        ratios(study, plan, {"payer": "employer"})


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"currency": "EUR"}, "column currency: 2 rows on the basis budget .* costs.currency, SEK"),
        ({"price_year": 2019}, "column price_year: 2 rows .* than costs.price_year, 2022"),
    ],
)
def test_another_currency_or_price_year_is_refused_where_it_counts(change, said):
    study, plan = trial()
    with pytest.raises(DataError, match=said):
        ratios(study, plan, {}, change, change)
    found = ratios(study, plan, {"basis": "economic"}, change)
    assert_allclose(found.loc[("1", "all", "offer"), "incremental_cost"], 400 / 200)
