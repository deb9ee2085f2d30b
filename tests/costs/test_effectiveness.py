"""Costs by arm, and the cost of one more unit, on studies small enough for a hand."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from scipy import stats
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


def found_with(study, plan, seed=1, records=None, **costs):
    model = plan.costs.model_validate(plan.costs.model_dump(by_alias=True) | costs)
    plan = plan.model_copy(update={"costs": model})
    return cost_effectiveness(study, plan, records, np.random.default_rng(seed))


def test_intervals_of_draws_are_near_fiellers_and_given_where_these_are_bounded():
    found = found_with(*trial()).ratios.query("group != 'women-men'")
    assert set(found["icer_set"]) == {"interval"}
    assert_allclose(found["icer_low_drawn"], found["icer_low"], rtol=0.1)
    assert_allclose(found["icer_high_drawn"], found["icer_high"], rtol=0.1)
    unsure = found_with(*trial(gain=0.0)).ratios.query("group == 'all'")
    assert unsure["icer_low_drawn"].isna().all()
    assert unsure["quadrant_ne"].between(0.05, 0.95).all()


def test_quadrants_and_correlation_are_those_of_cost_and_effect():
    study, plan = trial()
    row = found_with(study, plan).ratios.set_index(["group", "denominator"]).loc[("all", "offer")]
    assert row[["quadrant_ne", "quadrant_nw", "quadrant_se", "quadrant_sw"]].sum() == 1
    offered = study.arm == 1  # control costs nothing, so that cost varies among those offered
    y, t = study.y[offered, 0], study.takeup[offered]
    control = study.y[~offered, 0].var(ddof=1) / (~offered).sum()
    n = offered.sum()
    covariance = np.cov(y, 100 * t) / n
    wanted = covariance[0, 1] / np.sqrt((covariance[0, 0] + control) * covariance[1, 1])
    assert_allclose(row["correlation"], wanted, rtol=0.01)


THRESHOLD = {"from": 0, "to": 200, "points": 5}


def test_probabilities_by_threshold_are_those_of_the_normal_distribution_but_for_chance():
    study, plan = trial(n=2_000, gain=0.6)
    found = found_with(study, plan, threshold=THRESHOLD)
    table = checked(found.acceptability, schemas.ACCEPTABILITY, "")
    assert table["threshold"].unique().tolist() == [0, 50, 100, 150, 200]
    effect = found.ratios.query("denominator == 'offer'").set_index("group")
    for group in ("all", "women", "men"):
        row, rows = effect.loc[group], table[(table["group"] == group) & (table["arm"] == "1")]
        t = rows["threshold"].to_numpy()
        net = t * row["effect"] - row["incremental_cost"]
        v_e, v_c = row["effect_se"] ** 2, row["incremental_cost_se"] ** 2
        both = row["correlation"] * np.sqrt(v_e * v_c)
        error = np.sqrt(t**2 * v_e - 2 * t * both + v_c)
        assert_allclose(rows["net_benefit"], net)
        assert_allclose((rows["conf_high"] - rows["conf_low"]) / 2 / error, 1.96, rtol=0.01)
        assert_allclose(rows["probability"], stats.norm.cdf(net / error), atol=0.05)
        z = np.abs(net) / error
        loss = error * (stats.norm.pdf(z) - z * stats.norm.sf(z))
        assert_allclose(rows["perfect_information"], loss, atol=0.1 * error.max())
        control = table[(table["group"] == group) & (table["arm"] == "0")]
        assert_allclose(control["probability"].to_numpy() + rows["probability"].to_numpy(), 1)
        assert (rows["is_best"].to_numpy() == (net > 0)).all()


def test_the_gap_has_a_net_benefit_and_no_choice():
    gap = found_with(*trial(), threshold=THRESHOLD).acceptability.query("group == 'women-men'")
    assert set(gap["arm"]) == {"1"}
    assert gap[["net_benefit", "conf_low", "conf_high", "probability"]].notna().all(axis=None)
    assert gap[["is_best", "perfect_information"]].isna().all(axis=None)


def test_several_arms_are_chosen_between_with_control():
    rng = np.random.default_rng(1)
    arm = rng.permutation(np.arange(900) % 3)
    y = (np.array([0, 0.3, 0.5])[arm] + rng.normal(size=900))[:, None]
    plan = plan_of(y, columns={"gender": None}, costs=COSTS | {"amount": {1: 10.0, 2: 40.0}})
    found = found_with(study_from(y, arm), plan, threshold={"from": 0, "to": 1_000, "points": 3})
    table = found.acceptability
    sums = table.groupby("threshold")["probability"].sum()
    assert_allclose(sums, 1)
    assert table.groupby("threshold")["is_best"].sum().tolist() == [1, 1, 1]
    assert table.query("threshold == 0 and is_best")["arm"].tolist() == ["0"]
    assert table.query("threshold == 1000 and is_best")["arm"].tolist() == ["2"]


def test_thresholds_by_outcome_and_no_threshold_no_choice():
    study, plan = trial()
    assert found_with(study, plan).acceptability.empty
    found = found_with(study, plan, threshold={"y0": THRESHOLD}).acceptability
    assert len(found["threshold"].unique()) == 5
    with pytest.raises(ValueError, match="threshold: z not among outcomes: y0"):
        found_with(study, plan, threshold={"z": THRESHOLD})
    with pytest.raises(ValueError, match="to must be above from"):
        found_with(study, plan, threshold={"from": 5, "to": 5})


def test_where_less_is_better_the_effect_is_how_much_less_there_is():
    study, plan = trial()
    outcome = plan.outcomes["y0"].model_copy(update={"better": "lower"})
    turned = plan.model_copy(update={"outcomes": {"y0": outcome}})
    one, other = ratios(study, plan), ratios(replace(study, y=-study.y), turned)
    same = ["effect", "effect_se", "incremental_cost", "icer", "icer_low", "icer_high"]
    assert_allclose(one[same].astype(float), other[same].astype(float))


def test_the_same_seed_gives_the_same_draws():
    study, plan = trial()
    one, same, other = (found_with(study, plan, seed=s, threshold=THRESHOLD) for s in (1, 1, 2))
    pd.testing.assert_frame_equal(one.acceptability, same.acceptability)
    assert not one.acceptability.equals(other.acceptability)


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
