"""Costs by arm, and the cost of one more unit, on studies small enough for a hand."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from simulate import plan_of, study_from
from studies import evaluated, plan_for

from evaluate import schemas
from evaluate.costs.effectiveness import cost_effectiveness
from evaluate.costs.programme_costs import cost_table
from evaluate.effects.table import effects
from evaluate.io import checked

COSTS = {"currency": "SEK", "price_year": 2022, "outcomes": ["y0"]}
# Four persons in control, four in arm 1, two of whom take part, and four in arm 2, all of whom do.
ARM = np.repeat([0, 1, 2], 4)
TAKEUP = np.array([0, 0, 0, 0, 1, 1, 0, 0, 1, 1, 1, 1], dtype=float)


def table(takeup=True, cost=None, **costs):
    y = np.arange(12.0)[:, None]
    columns = {"gender": None} | ({"takeup": {"column": "t", "taken": 1}} if takeup else {})
    plan = plan_of(y, columns=columns, costs=COSTS | costs)
    study = study_from(y, ARM, takeup=TAKEUP if takeup else None)
    found = cost_table(replace(study, cost=cost), plan)
    return checked(found, schemas.COSTS, "costs").set_index("arm")


def expect(found, amount, per_offer, per_participant):
    assert_allclose(found["amount"], amount)
    assert_allclose(found["per_offer"], per_offer)
    assert_allclose(found["per_participant"], per_participant)


def test_a_figure_per_participant_counts_for_those_who_took_part():
    expect(table(amount=100), [0, 200, 400], [0, 50, 100], [np.nan, 100, 100])


def test_a_figure_per_participant_without_takeup_counts_for_those_offered():
    found = table(takeup=False, amount=100)
    expect(found, [0, 400, 400], [0, 100, 100], [np.nan, 100, 100])


def test_a_figure_per_offer_counts_for_all_offered_and_falls_on_those_who_came():
    found = table(per="offer", amount=100)
    expect(found, [0, 400, 400], [0, 100, 100], [np.nan, 200, 100])


def test_a_figure_per_arm_counts_in_that_arm_and_in_control_if_named():
    found = table(per="offer", amount={0: 10, 1: 100, "2": 300})
    expect(found, [40, 400, 1200], [10, 100, 300], [np.nan, 200, 300])
    found = table(amount={1: 100, 2: 300})
    expect(found, [0, 200, 1200], [0, 50, 300], [np.nan, 100, 300])


def test_recorded_costs_are_summed_and_are_budget_costs():
    cost = np.array([1, 1, 1, 1, 10, 10, 4, 4, 5, 5, 5, np.nan])
    found = table(cost=cost, column="cost")
    expect(found, [4, 28, 15], [1, 7, 5], [np.nan, 14, 5])
    assert set(found["basis"]) == {"budget"}


def test_no_costs_give_empty_tables():
    y = np.arange(12.0)[:, None]
    plan, study = plan_of(y, columns={"gender": None}), study_from(y, ARM)
    assert checked(cost_table(study, plan), schemas.COSTS, "").empty
    assert checked(
        cost_effectiveness(study, plan, None, np.random.default_rng(1)).ratios,
        schemas.COST_EFFECTIVENESS,
        "",
    ).empty


def trial(n=400, seed=1, women=True, gain=2.0):
    rng = np.random.default_rng(seed)
    arm = rng.permutation(np.arange(n) % 2)
    takeup = np.where(arm == 1, rng.random(n) < 0.7, 0).astype(float)
    y = gain * takeup[:, None] + rng.normal(size=(n, 1))
    study = study_from(y, arm, women=rng.random(n) < 0.5 if women else None, takeup=takeup)
    columns = {"takeup": {"column": "t", "taken": 1}} | ({} if women else {"gender": None})
    return study, plan_of(y, columns=columns, costs=COSTS | {"amount": 100.0})


def ratios(study, plan):
    found = checked(
        cost_effectiveness(study, plan, None, np.random.default_rng(1)).ratios,
        schemas.COST_EFFECTIVENESS,
        "",
    )
    return found.set_index(["group", "denominator"])


def test_effects_are_those_of_the_effects_table_per_offer_and_per_participant():
    study, plan = trial()
    found = ratios(study, plan)
    rows = effects(study, plan).table.set_index(["group", "estimand"])
    for group in ("all", "women", "men", "women-men"):
        for denominator, estimand in (("offer", "itt"), ("participant", "late")):
            told = rows.loc[(group, estimand)]
            row = found.loc[(group, denominator)]
            assert_allclose(row["effect"], told["estimate"])
            assert_allclose(row["effect_se"], told["std_error"])


def test_the_ratio_and_its_set_do_not_depend_on_the_denominator():
    found = ratios(*trial())
    for group in ("all", "women", "men"):
        offer, participant = found.loc[(group, "offer")], found.loc[(group, "participant")]
        assert_allclose(offer["icer"], offer["incremental_cost"] / offer["effect"])
        assert_allclose(offer["icer"], participant["incremental_cost"] / participant["effect"])
        same = ["icer", "icer_low", "icer_high", "icer_set"]
        pd.testing.assert_series_equal(offer[same], participant[same], check_names=False)


def test_the_gap_has_costs_and_effects_and_no_ratio():
    gap = ratios(*trial()).loc[("women-men", "offer")]
    assert gap[["incremental_cost", "effect"]].notna().all()
    assert gap[["icer", "icer_low", "icer_high", "icer_set"]].isna().all()


def test_participants_who_all_cost_the_same_have_that_cost_and_no_error():
    row = ratios(*trial()).loc[("all", "participant")]
    assert_allclose(row["incremental_cost"], 100)
    assert_allclose(row["incremental_cost_se"], 0, atol=1e-9)


def test_without_an_effect_the_cost_is_unbounded():
    kinds = {ratios(*trial(gain=0.0, seed=s)).loc[("all", "offer"), "icer_set"] for s in range(4)}
    assert kinds == {"unbounded"}


@pytest.mark.parametrize("estimator", ["lin", "difference_in_means", "ancova"])
@pytest.mark.parametrize("all_work", [True, False], ids=["all in work", "as assigned"])
def test_an_outcome_that_does_not_vary_in_a_group_has_no_cost_there(estimator, all_work):
    study, plan = trial()
    women = study.groups["women"]
    study.y[women, 0] = 1.0 if all_work else study.arm[women]
    analysis = plan.analysis.model_copy(update={"estimators": [estimator]})
    found = ratios(study, plan.model_copy(update={"analysis": analysis}))
    told = ["incremental_cost", "effect", "icer", "icer_low", "icer_high", "icer_set"]
    for group in ("women", "women-men"):
        assert found.loc[group, told].isna().all().all(), group
    for group in ("all", "men"):
        assert found.loc[group, told[:3]].notna().all().all(), group


@pytest.mark.parametrize("estimator", ["lin", "difference_in_means"])
def test_where_nobody_takes_part_there_is_nothing_per_participant(estimator):
    study, plan = trial()
    study.takeup[study.groups["women"]] = 0
    x = pd.DataFrame({"x": np.random.default_rng(1).normal(size=study.n)})
    analysis = plan.analysis.model_copy(update={"estimators": [estimator]})
    plan = plan.model_copy(update={"analysis": analysis, "covariates": ["x"]})
    found = ratios(replace(study, covariates=x), plan)
    for group in ("women", "women-men"):
        assert found.loc[(group, "participant"), ["incremental_cost", "effect"]].isna().all()
        assert found.loc[(group, "offer"), ["incremental_cost", "effect"]].notna().all()
    assert_allclose(found.loc[("women", "offer"), "incremental_cost"], 0, atol=1e-9)


@pytest.mark.parametrize("unit", [0.01, 1000.0])
def test_another_currency_scales_costs_and_leaves_effects(unit):
    study, plan = trial()
    cheap = plan.model_copy(update={"costs": plan.costs.model_copy(update={"amount": 100 * unit})})
    one, other = ratios(study, plan), ratios(study, cheap)
    costs = ["incremental_cost", "icer", "icer_low", "icer_high"]
    assert_allclose(other[costs], unit * one[costs], atol=1e-9 * unit)
    assert_allclose(other[["effect", "effect_se"]], one[["effect", "effect_se"]])


def test_persons_without_outcome_or_takeup_cost_nothing_here_and_have_no_effect():
    study, plan = trial()
    y, takeup = study.y.copy(), study.takeup.copy()
    y[::10], takeup[1::10] = np.nan, np.nan
    known = (np.arange(len(y)) % 10) > 1
    found = ratios(replace(study, y=y, takeup=takeup), plan)
    offered, cost = study.arm[known] == 1, 100 * study.takeup[known]
    difference = cost[offered].mean() - cost[~offered].mean()
    assert_allclose(found.loc[("all", "offer"), "incremental_cost"], difference)


def lottery(offered, took_part, employed, control, employed_without):
    """Return a raw table with exactly these counts; who took part is employed first."""
    treat = np.repeat([1, 0], [offered, control])
    rank = np.concatenate([np.arange(offered), np.arange(control)])
    return pd.DataFrame(
        {
            "treat": treat,
            "attended": ((treat == 1) & (rank < took_part)).astype(int),
            "work": (rank < np.where(treat == 1, employed, employed_without)).astype(int),
        }
    )


@pytest.mark.parametrize(
    ("counts", "per_offer", "icer"),
    [
        # 8 points more among all offered, all of whom take part: 38,600 / 0.08.
        ((1000, 1000, 480, 1000, 400), 38_600, 482_500),
        # Half take part, 4 points per offer, so 8 points on participants: the same.
        ((1000, 500, 440, 1000, 400), 19_300, 482_500),
        # 3,087 of 3,625 take part, 8 points per offer: 38,600 x 3,087 / 3,625 / 0.08.
        ((3625, 3087, 1290, 3625, 1000), 38_600 * 3087 / 3625, 410_890.3),
    ],
    ids=["all take part", "half take part", "3,087 of 3,625"],
)
def test_one_more_person_in_work_costs_what_a_pencil_says(tmp_path, counts, per_offer, icer):
    plan = plan_for(
        "pencil",
        columns={
            "treatment": {"column": "treat", "control": 0},
            "takeup": {"column": "attended", "taken": 1},
        },
        outcomes={"work": {"column": "work", "unit": "share", "role": "primary"}},
        costs={"currency": "SEK", "price_year": 2022, "amount": 38600, "outcomes": ["work"]},
    )
    found = evaluated(tmp_path, "pencil", plan, lottery(*counts))
    rows = found.table("cost_effectiveness").set_index("denominator")
    for denominator, cost in (("offer", per_offer), ("participant", 38_600)):
        told = rows.loc[denominator, ["incremental_cost", "icer"]].astype(float)
        assert_allclose(told, [cost, icer], rtol=1e-6)
    costs = found.table("costs").set_index("arm").loc["1"]
    assert_allclose(costs[["per_offer", "per_participant"]].astype(float), [per_offer, 38_600])
    assert f"{round(icer):,}" in found.text("en").replace("\u00a0", " ")
    assert f"{round(icer):,}".replace(",", " ") in found.text("sv").replace("\u00a0", " ")
