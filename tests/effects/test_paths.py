"""Paths over months: the effects of the table, exact sums, and what cannot be told."""

from functools import cache

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from simulate import arrays, plan_of, study_from
from simulate_paths import draws_of, path_trial, plan_by_month

from evaluate import schemas
from evaluate.effects.path_tables import path_table
from evaluate.effects.paths import area_weights, step_of
from evaluate.effects.table import effects
from evaluate.notes import note
from evaluate.plan.model import Plan
from evaluate.study import GAP

EXACT = 1e-9  # relative: the same arithmetic in another order
FREEDOM = 0.01
ESTIMATE = ["estimate", "std_error", "conf_low", "conf_high"]


@cache
def trial(**design):
    study, plan, _ = path_trial(np.random.default_rng(7), **design)
    return study, plan, path_table(study, plan, draws_of)


def waves(y, months, unit="SEK", **sections):
    """Return a plan with one outcome by waves."""
    columns = {m: f"y{i}" for i, m in enumerate(months)}
    plan = plan_of(y, **sections).model_dump(exclude_unset=True)
    return Plan.model_validate(plan | {"outcomes": {"y": {"columns": columns, "unit": unit}}})


def of(table, kind, group="all"):
    return table[(table["kind"] == kind) & (table["group"] == group)]


@pytest.mark.parametrize("design", [{}, {"lost": 0.3}, {"clusters": 10}], ids=str)
def test_effects_are_those_of_the_table(design):
    study, plan, table = trial(**design)
    path = table[table["kind"] == "effect"]
    made = effects(study, plan, np.random.default_rng(1)).table
    made = made[(made["estimator"] == plan.estimators[0]) & (made["estimand"] == "itt")]
    both = path.merge(made, on=["outcome", "month", "arm", "group"], suffixes=("", "_made"))
    assert len(both) == len(path) == 4 * 12
    for column in [*ESTIMATE, "n"]:
        assert np.allclose(both[column].astype(float), both[f"{column}_made"].astype(float)), column


@pytest.mark.parametrize("group", ["all", "women", "men", GAP])
@pytest.mark.parametrize("design", [{}, {"clusters": 10}], ids=str)
def test_the_sum_is_the_effect_on_the_sum_where_everybody_is_observed(design, group):
    study, plan, table = trial(**design)
    total = study_from(
        study.y.sum(axis=1, keepdims=True), study.arm, study.groups["women"],
        study.covariates, cluster=study.cluster,
    )  # fmt: skip
    alone = plan_of(total.y, **plan.model_dump(include={"covariates"}), columns={
        "cluster": plan.columns.cluster} if design else {})  # fmt: skip
    made = effects(total, alone, np.random.default_rng(1)).table
    made = made[(made["estimator"] == plan.estimators[0]) & (made["group"] == group)].iloc[0]
    found = of(table, "cumulated", group).iloc[0]
    for column in ESTIMATE:
        # of a gap the degrees of freedom are Welch's, here the fewest of the months
        near = FREEDOM if group == GAP and column.startswith("conf") else EXACT
        assert found[column] == pytest.approx(made[column], rel=near), column
    for side in ("treated", "control"):
        level = of(table, f"cumulated_{side}", group).iloc[0]
        assert level["estimate"] == pytest.approx(
            of(table, f"level_{side}", group)["estimate"].sum()
        )


def test_levels_differ_by_the_difference_in_means():
    d = arrays(5, outcomes=4)
    plan = waves(d["y"], (3, 6, 9, 12), columns={"blocks": ["b"], "weight": "w"},
                 analysis={"estimators": ["difference_in_means"]})  # fmt: skip
    study = study_from(d["y"], d["arm"], d["women"], d["x"], d["block"], d["weight"])
    table = path_table(study, plan, draws_of)
    for group in ("all", "women", "men", GAP):
        levels = [
            of(table, f"level_{s}", group)["estimate"].to_numpy() for s in ("treated", "control")
        ]
        assert np.allclose(levels[0] - levels[1], of(table, "effect", group)["estimate"])
    assert set(table.loc[table["kind"] == "level_control", "n"]) == {
        *(int((study.groups[g] & (study.arm == 0)).sum()) for g in ("all", "women", "men"))
    }


@pytest.mark.parametrize("design", [{}, {"lost": 0.3}], ids=str)
def test_the_band_holds_the_interval_and_one_critical_value(design):
    _, _, table = trial(**design)
    for group in ("all", "women", "men", GAP):
        rows = of(table, "effect", group)
        critical = rows["critical"].unique()
        assert len(critical) == 1
        assert np.allclose(rows["band_high"] - rows["estimate"], critical[0] * rows["std_error"])
        assert (rows["band_low"] < rows["conf_low"]).all()
        assert (rows["conf_high"] < rows["band_high"]).all()
    assert table.loc[table["kind"] != "effect", ["band_low", "critical"]].isna().all(axis=None)


def test_months_before_time_zero_have_no_band_and_are_in_no_sum():
    study, _, _ = trial()
    outcome = {"incomes": "amount", "months": [-5, 6], "unit": "SEK per month"}
    plan = plan_by_month(12, covariates=["x0"], outcomes={"y": outcome})
    table = path_table(study, plan, draws_of)
    rows = of(table, "effect").set_index("month")
    assert rows.loc[:0, "estimate"].notna().all()
    assert rows.loc[:0, ["band_low", "critical"]].isna().all(axis=None)
    assert rows.loc[1:, "band_low"].notna().all()
    summed = of(table, "cumulated").iloc[0]
    assert summed["estimate"] == pytest.approx(rows.loc[1:, "estimate"].sum())
    assert summed["note"] == note("months", first=1, last=6)
    assert summed["unit"] == "SEK per month x months"


def test_says_where_months_have_other_persons_and_sums_the_months_that_all_have():
    _, _, table = trial(lost=0.3)
    rows, summed = of(table, "effect"), of(table, "cumulated").iloc[0]
    low, high = int(rows["n"].min()), int(rows["n"].max())
    assert low < high == 140
    assert note("persons_vary", low=low, high=high) in summed["note"]
    assert summed["n"] == low
    seen = of(table, "cumulated_observed").iloc[0]
    assert seen["estimate"] == pytest.approx(rows["estimate"].iloc[:6].sum())
    assert seen["note"] == note("months", first=1, last=6)
    assert of(trial()[2], "cumulated_observed").empty


@given(months=st.lists(st.integers(1, 120), min_size=2, max_size=8, unique=True).map(sorted))
def test_the_area_of_waves_is_that_of_trapezoids(months):
    effect = np.random.default_rng(1).normal(size=len(months))
    expected = np.trapezoid(np.append(0, effect), np.append(0, months))
    assert area_weights(months) @ effect == pytest.approx(expected)


def test_waves_have_an_area_and_no_sum():
    d = arrays(6, outcomes=3)
    study = study_from(d["y"], d["arm"], d["women"])
    table = path_table(study, waves(d["y"], (6, 12, 36)), draws_of)
    assert not table["kind"].str.startswith("cumulated").any()
    effect = of(table, "effect")["estimate"].to_numpy()
    row = of(table, "area").iloc[0]
    assert row["estimate"] == pytest.approx(effect @ [6, 15, 12])
    assert row["unit"] == "SEK x months"


@pytest.mark.parametrize(
    ("outcome", "months", "step"),
    [
        ({"spells": [1], "months": [1, 6], "unit": "share"}, range(1, 7), 1),
        ({"spells": [1], "months": [3, 6], "unit": "share"}, range(3, 7), 1),
        ({"spells": [1], "months": [1, 6], "measure": "entered", "unit": "share"}, range(1, 7),
         None),
        ({"spells": [1], "months": [1, 6], "measure": "wait", "unit": "days"}, range(1, 7), None),
        ({"incomes": "x", "months": [1, 36], "unit": "SEK per year"}, (12, 24, 36), 12),
        ({"columns": {1: "a", 2: "b", 3: "c"}, "unit": "share"}, (1, 2, 3), 1),
        ({"columns": {2: "a", 3: "b", 4: "c"}, "unit": "share"}, (2, 3, 4), None),
        ({"columns": {12: "a", 24: "b"}, "unit": "share"}, (12, 24), None),
    ],
)  # fmt: skip
def test_only_months_that_follow_one_another_are_added_up(outcome, months, step):
    stated = plan_by_month(3, outcomes={"y": outcome}).outcomes["y"]
    assert step_of(stated, list(months), yearly="incomes" in outcome) == step


def test_shares_add_up_to_months():
    study, _, _ = path_trial(np.random.default_rng(1), months=4)
    study = study_from((study.y > 0).astype(float), study.arm, study.groups["women"])
    outcome = {"spells": [1], "months": [1, 4], "unit": "share"}
    table = path_table(study, plan_by_month(4, outcomes={"y": outcome}), draws_of)
    assert of(table, "cumulated")["unit"].tolist() == ["months"]
    assert of(table, "effect")["unit"].tolist() == ["share"] * 4


def test_the_first_and_last_month_that_the_band_tells_from_zero():
    rng = np.random.default_rng(3)
    arm = np.arange(200) % 2
    gain = np.array([-3.0, -3.0, 0.0, 0.0, 3.0, 3.0, 0.0])
    y = rng.normal(size=(200, 7)) + gain * arm[:, None]
    table = path_table(study_from(y, arm), plan_by_month(7, columns={"gender": "women"}), draws_of)
    told = table.set_index("kind").loc[["first_below", "last_below", "first_above", "last_above"]]
    assert told["estimate"].tolist() == [1, 2, 5, 6]
    assert set(told["unit"]) == {"month"}


def test_a_month_in_which_all_have_one_value_counts_as_no_effect_in_the_sum():
    study, plan, _ = path_trial(np.random.default_rng(1))
    study.y[:, 2] = 5.0
    table = path_table(study, plan, draws_of)
    month = of(table, "effect").iloc[2]
    assert month[ESTIMATE].isna().all()
    assert month["note"] == note("constant")
    level = of(table, "level_control").iloc[2]
    assert level["estimate"] == pytest.approx(5)
    assert np.isnan(level["std_error"])
    assert level["note"] == note("no_interval")
    rest = of(table, "effect")["estimate"].sum()
    assert of(table, "cumulated").iloc[0]["estimate"] == pytest.approx(rest)
    assert np.isnan(of(table, "effect", GAP).iloc[2]["estimate"])


def test_a_month_without_an_estimate_leaves_the_sum_empty_and_says_which():
    study, plan, _ = path_trial(np.random.default_rng(1))
    study.y[study.groups["women"] & (study.arm == 1), 4] = np.nan
    table = path_table(study, plan, draws_of)
    assert of(table, "effect", "women").iloc[4]["note"] == note("few")
    for group in ("women", GAP):
        summed = of(table, "cumulated", group).iloc[0]
        assert np.isnan(summed["estimate"])
        assert summed["note"] == note("month_missing", month=5)
    assert of(table, "effect", GAP).iloc[4]["note"] == note("no_gap")
    assert of(table, "cumulated", "men")["estimate"].notna().all()


def test_outcomes_of_one_month_have_no_path():
    d = arrays(1)
    study = study_from(d["y"], d["arm"])
    assert path_table(study, plan_of(d["y"]), draws_of).empty


@pytest.mark.parametrize("arms", [2, 3])
def test_every_contrast_and_group_has_its_rows_and_the_schema(arms):
    d = arrays(3, n=120, arms=arms, outcomes=3)
    study = study_from(d["y"], d["arm"], d["women"])
    table = schemas.PATHS.validate(path_table(study, waves(d["y"], (1, 2, 3)), draws_of))
    assert set(table["arm"]) == ({"1"} if arms == 2 else {"1", "2", "1-2"})
    count = table[table["kind"] == "effect"].groupby(["arm", "group"]).size()
    assert (count == 3).all()
    assert len(count) == 4 * table["arm"].nunique()


def test_two_runs_are_the_same():
    study, plan, table = trial()
    pd.testing.assert_frame_equal(table, path_table(study, plan, draws_of))


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 10**6), by=st.floats(0.01, 100))
def test_the_unit_of_the_outcome_scales_the_path(seed, by):
    study, plan, _ = path_trial(np.random.default_rng(seed), n=60, months=3)
    scaled = study_from(by * study.y, study.arm, study.groups["women"], study.covariates)
    one, other = (path_table(s, plan, draws_of) for s in (study, scaled))
    told = ~one["kind"].str.startswith(("first", "last"))
    numbers = [*ESTIMATE, "band_low", "band_high"]
    expected = by * one.loc[told, numbers].astype(float)
    assert np.allclose(other.loc[told, numbers].astype(float), expected, equal_nan=True)
