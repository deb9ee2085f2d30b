"""What is paid by the month in registers, as a part of what the programme cost each person."""

import numpy as np
import pandas as pd
import pytest
from money import monthly_plan, trial
from numpy.testing import assert_allclose
from simulate import plan_of
from studies import evaluated, people, plan_for, run_notebook_code

from evaluate import schemas
from evaluate.costs.cost_benefit import cost_benefit, estimated
from evaluate.costs.effectiveness import cost_effectiveness
from evaluate.costs.month_costs import is_of_arms_alone, month_costs
from evaluate.costs.programme_costs import cost_table
from evaluate.effects.table import effects
from evaluate.io import checked

RECORD = {
    "item": "coaching", "arm": "1", "site": None, "payer": "public", "basis": "economic",
    "quantity": 10.0, "unit": "hour", "unit_price": 3000.0, "currency": "SEK", "price_year": 2022,
    "fixed": None, "stated": None,
}  # fmt: skip
RECORDS = checked(pd.DataFrame([RECORD]), schemas.COST_RECORDS, "")


def paid(cost_months, **keys):
    return {"item": "subsidy", "outcome": "earn", "price": 2.0, "cost_months": cost_months} | keys


def by_records(cost_months=12):
    made = monthly_plan(person_months=[paid(cost_months)])
    data = made.data.model_dump() | {"costs": {"path": "costs.csv"}}
    return made.model_copy(update={"data": made.data.model_validate(data)})


@pytest.mark.parametrize(
    ("cost_months", "months"),
    [(12, [3, 3, 3, 3]), (9, [3, 3, 3, 0]), (7, [3, 3, 1, 0]), (1, [1, 0, 0, 0])],
)
def test_a_wave_stands_for_the_months_since_the_one_before_through_the_last_that_counts(
    cost_months, months
):
    study, plan = trial(n=40), monthly_plan(amount=1, person_months=[paid(cost_months)])
    assert_allclose(month_costs(study, plan)["subsidy"], 2.0 * study.y @ months)
    study.y[0, 3] = np.nan  # unknown only where it counts
    assert np.isnan(month_costs(study, plan)["subsidy"][0]) == (months[3] > 0)
    assert not np.isnan(month_costs(study, plan)["subsidy"][1:]).any()


def test_an_outcome_without_months_is_that_of_each_month_of_the_first_year():
    study = trial(n=40, months=1)
    item = {"item": "aid", "outcome": "y0", "price": 5, "cost_months": 6}
    costs = {"currency": "SEK", "price_year": 2022, "amount": 1, "outcomes": ["y0"]}
    plan = plan_of(study.y, costs=costs | {"person_months": [item]})
    assert_allclose(month_costs(study, plan)["aid"], 5 * 6 * study.y[:, 0])


def ratios(study, plan, records=None):
    found = cost_effectiveness(study, plan, records, np.random.default_rng(1)).ratios
    found = checked(found, schemas.COST_EFFECTIVENESS, "")
    return found[found["month"] == 12].set_index(["group", "denominator"])


def test_its_incremental_cost_is_the_sum_of_the_effects_by_month_at_their_price():
    """The estimator is linear in the outcomes, so that a price times effects is the cost."""
    study, plan = trial(), by_records()
    found, table = ratios(study, plan, RECORDS), effects(study, plan).table
    itt = table[(table["estimand"] == "itt") & (table["estimator"] == plan.estimators[0])]
    by_month = itt.groupby("group")["estimate"].sum()
    each = 30_000 / (study.arm == 1).sum()
    for group in ("all", "women", "men"):
        expected = each + 2.0 * 3 * by_month[group]
        assert_allclose(found.loc[(group, "offer"), "incremental_cost"], expected)
    gap = found.loc[("women-men", "offer"), "incremental_cost"]
    assert_allclose(gap, 6.0 * (by_month["women"] - by_month["men"]))
    assert (found["incremental_cost_se"] > 0).all()
    # The outcome is part of the cost, so that their errors go together.
    assert (found["correlation"].dropna().abs() < 1).all()
    assert (found.xs("offer", level="denominator")["correlation"] > 0.2).all()


def test_without_them_the_gap_has_no_cost_of_records():
    study, plan = trial(), by_records()
    alone = plan.model_copy(update={"costs": plan.costs.model_copy(update={"person_months": []})})
    assert is_of_arms_alone(alone)
    assert not is_of_arms_alone(plan)
    assert np.isnan(ratios(study, alone, RECORDS).loc[("women-men", "offer"), "incremental_cost"])


def test_costs_have_a_row_for_each_arm_of_what_is_known():
    study, plan = trial(), by_records()
    study.y[study.arm == 0, 0] = np.where(np.arange((study.arm == 0).sum()) < 50, np.nan, 1.0)
    table = checked(cost_table(study, plan, RECORDS), schemas.COSTS, "costs").set_index("item")
    assert table["source"].tolist() == ["records", "person_months", "person_months"]
    rows = table.loc["subsidy"].set_index("arm")
    cost = month_costs(study, plan)["subsidy"]
    for i, arm in enumerate(study.arms):
        own = cost[study.arm == i]
        assert_allclose(rows.loc[arm, "amount"], np.nansum(own))
        assert_allclose(rows.loc[arm, "per_offer"], np.nanmean(own))
    assert rows["basis"].tolist() == ["economic", "economic"]
    figure = cost_table(study, monthly_plan(amount=10, person_months=[paid(12)]))
    assert figure["source"].tolist() == ["plan", "plan", "person_months", "person_months"]


def test_a_figure_per_participant_has_it_on_top():
    study = trial()
    alone, both = (
        ratios(study, monthly_plan(amount=900, **more))
        for more in ({}, {"person_months": [paid(12)]})
    )
    more = both["incremental_cost"] - alone["incremental_cost"]
    whole = ratios(study, by_records(), RECORDS)["incremental_cost"]
    each = 30_000 / (study.arm == 1).sum()
    assert_allclose(more["all", "offer"], whole["all", "offer"] - each)
    assert both.loc[("all", "offer"), "correlation"] > alone.loc[("all", "offer"), "correlation"]


def test_benefits_are_set_against_it_in_the_months_in_which_it_is_paid():
    benefit = {"outcome": "earn", "times_per_year": 12, "years": 5}
    study, records = trial(), None
    rows = {}
    for months in (12, 7):
        plan = monthly_plan(amount=900, person_months=[paid(months)], benefits=[benefit])
        made = estimated(study, plan, records, np.random.default_rng(1))
        table, _ = cost_benefit(made)
        rows[months] = table.set_index(["group", "denominator", "persistence"])
    effect = effects(study, plan).table.query("estimand == 'itt'")
    effect = effect[effect["estimator"] == plan.estimators[0]]
    alone, _ = cost_benefit(
        estimated(study, monthly_plan(amount=900, benefits=[benefit]), None,
                  np.random.default_rng(1))
    )  # fmt: skip
    alone = alone.set_index(["group", "denominator", "persistence"])
    for group in ("all", "women"):
        place = (group, "offer", "none")
        by_wave = effect.query(f"group == '{group}'")["estimate"].to_numpy()
        for months, weights in ((12, [3, 3, 3, 3]), (7, [3, 3, 1, 0])):
            more = rows[months].loc[place, "cost_pv"] - alone.loc[place, "cost_pv"]
            assert_allclose(more, 2.0 * by_wave @ weights)  # within the first year
            lost = alone.loc[place, "net_pv"] - rows[months].loc[place, "net_pv"]
            assert_allclose(lost, more)
        assert_allclose(rows[12].loc[place, "benefit_pv"], alone.loc[place, "benefit_pv"])


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """Evaluate a trial whose subsidised months are paid for, a figure for the rest."""
    persons = people(600, seed=9).assign(sub=lambda t: np.arange(len(t)) % 3 == 0)
    outcomes = plan_for("paid")["outcomes"] | {
        "sub": {"columns": {6: "sub", 12: "sub"}, "unit": "share", "role": "secondary"}
    }
    item = {"item": {"en": "Wage subsidy", "sv": "Lönestöd"}, "outcome": "sub", "price": 9000}
    costs = {
        "currency": "SEK", "price_year": 2022, "amount": 1000, "per": "offer",
        "outcomes": ["work"], "person_months": [item | {"cost_months": 12}],
    }  # fmt: skip
    plan = plan_for("paid", outcomes=outcomes, costs=costs)
    return evaluated(tmp_path_factory.mktemp("paid"), "paid", plan, persons.astype({"sub": int}))


def test_the_report_names_what_is_paid_by_the_month_and_the_notebook_runs(found):
    for language, name, said in (
        ("en", "Wage subsidy, 9,000", "has not been observed that long"),
        ("sv", "Lönestöd, 9 000", "inte har följts så länge"),
    ):
        text = found.text(language).replace("\u00a0", " ")
        assert name in text
        assert said in " ".join(text.split())
    run_notebook_code(found.results, "5_costs")
    costs = found.table("costs").query("source == 'person_months'")
    assert costs["item"].tolist() == ["Wage subsidy"] * 2
    assert_allclose(costs["per_offer"], 9000 * 12 / 3, rtol=0.15)
