"""Tables that repeat effects, costs by participant, saturations and waves behind the gate."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markets import COLUMNS
from simulate import plan_of, study_from

from evaluate import schemas
from evaluate.design.power_table import power_table
from evaluate.effects.displacement import net_effects
from evaluate.effects.saturation import spillovers
from evaluate.effects.table import effects
from evaluate.io import checked
from evaluate.plan.columns import EXPOSED
from evaluate.plan.config import Disclosure
from evaluate.release.gate import release
from evaluate.release.gate_costs import (
    gate_acceptability,
    gate_cost_effectiveness,
    gate_costs,
)
from evaluate.release.gate_others import gate_persons_in_waves, gate_power
from evaluate.release.publish import publish

from .test_gate import both, effect_rows

RULE = Disclosure()
KEY = ("work", 12, "1")


def power(people):
    """Return effects and the power after the trial, as they are read from `build/`."""
    found = effect_rows(people)
    return found, schemas.POWER.coerce_dtype(power_table(found, "lin"))


FINE = {"0": (80, 40), "1": (90, 50)}


def test_the_power_of_a_withheld_effect_is_withheld_with_a_note():
    found, table = power(both(FINE, {"0": (70, 30), "1": (3, 0)}))
    out = release({"effects": found, "power": table}, RULE, control="0")
    shown = checked(out.tables["power"], schemas.POWER, "power").set_index("group")
    assert shown["detectable"].isna().to_dict() == {
        "all": False, "women": True, "men": True, "women-men": True,
    }  # fmt: skip
    assert shown.loc["men", "note"] == "withheld: fewer than 5 persons"
    assert "give away" in shown.loc["women", "note"]
    assert shown.loc["all", "ratio_to_all"] == 1
    assert shown["power"].notna().all()


def test_the_mean_and_the_error_of_all_do_not_follow_from_another_row():
    """Three of control without a known gender work; their mean is a part of the gap's row."""
    people = both({"0": (80, 0), "1": (90, 50)}, {"0": (70, 0), "1": (60, 20)})
    people["all"]["0"] = (170, 3)
    found, table = power(people)
    out = release({"effects": found, "power": table}, RULE, control="0").tables
    by_group = out["effects"].set_index("group")
    assert by_group["estimate"].isna().to_dict() == {
        "all": True, "women": False, "men": False, "women-men": False,
    }  # fmt: skip
    shown = out["power"].set_index("group")
    assert shown[["relative", "ratio_to_all"]].isna().all(axis=None)
    assert shown.loc[["women", "men", "women-men"], "detectable"].notna().all()


def test_power_with_nothing_withheld_stays_as_it_was():
    _, table = power(both(FINE, FINE))
    gated = gate_power(table, set(), 5)
    assert gated.withheld == []
    pd.testing.assert_frame_equal(gated.table.drop(columns="note"), table.drop(columns="note"))


def test_net_jobs_do_not_tell_of_a_withheld_effect():
    plan = plan_of(np.zeros((1, 1)), outcomes={"work": {"column": "y0", "unit": "share",
                   "role": "primary"}}, analysis={"displacement": [0.1, 0.5],
                   "estimators": ["lin"]})  # fmt: skip
    found = effect_rows(both(FINE, {"0": (70, 30), "1": (3, 0)}))
    table = schemas.NET_EFFECTS.coerce_dtype(net_effects(found, plan))
    out = release({"effects": found, "net_effects": table}, RULE, control="0").tables
    shown = checked(out["net_effects"], schemas.NET_EFFECTS, "net")
    empty = shown.groupby("group")[["effect", "jobs", "jobs_low", "conf_high"]].agg(
        lambda c: c.isna().all()
    )
    assert empty.all(axis=1).to_dict() == {"all": False, "men": True, "women": True}
    assert shown["displacement"].notna().all()


@pytest.mark.parametrize(
    ("costs_of", "empty"),
    [("participants", ["0", "1"]), ("persons", ["0"]), ("programme", [])],
)
def test_amounts_go_where_they_tell_how_many_took_part(costs_of, empty):
    costs = pd.DataFrame(
        {
            "item": "programme", "arm": ["0", "1", "2"], "payer": "public", "basis": "unit_cost",
            "amount": [300.0, 9000.0, 8000.0], "per_offer": [3.0, 90.0, 80.0],
            "per_participant": [100.0, 100.0, 100.0], "currency": "SEK", "price_year": 2022,
        }
    )  # fmt: skip
    gated = gate_costs(costs, {"0": True, "1": False}, costs_of, set(), {}, 5)
    shown = gated.table.set_index("arm")
    assert shown.index[shown["amount"].isna()].tolist() == empty
    assert shown["per_participant"].isna().tolist() == [True, True, False]
    assert shown["amount"].isna().equals(shown["per_offer"].isna())
    assert {e["row"]["arm"] for e in gated.withheld} == {"0", "1"}


@pytest.mark.parametrize("costs_of", ["participants", "persons"])
def test_cost_per_offer_goes_where_it_is_the_price_of_those_who_took_part(costs_of):
    table = pd.DataFrame(
        {
            "outcome": "work", "month": 12, "arm": "1", "group": np.repeat(["all", "men"], 2),
            "perspective": "public", "basis": "unit_cost", "incremental_cost": 80.0,
            "incremental_cost_se": 1.0, "effect": 0.1, "effect_se": 0.1,
            "denominator": ["offer", "participant"] * 2, "icer": 800.0, "icer_low": 1.0,
            "icer_high": 2.0, "icer_set": "interval", "icer_low_drawn": 1.0,
            "icer_high_drawn": 2.0, "correlation": 0.5, "quadrant_ne": 1.0, "quadrant_nw": 0.0,
            "quadrant_se": 0.0, "quadrant_sw": 0.0,
        }
    )  # fmt: skip
    gated = gate_cost_effectiveness(table, set(), {(*KEY, "men")}, costs_of, {}, 5)
    shown = gated.table.set_index(["group", "denominator"])
    assert shown.loc["all"].notna().all(axis=None)
    assert shown.loc[("men", "participant"), ["effect", "incremental_cost"]].isna().all()
    per_offer = shown.loc[("men", "offer")]
    assert per_offer["effect"] == 0.1
    gone = per_offer[["incremental_cost", "icer", "icer_set"]].isna()
    assert gone.all() == gone.any() == (costs_of == "participants")


@pytest.mark.parametrize("costs_of", ["participants", "programme"])
def test_a_choice_goes_where_the_effect_of_an_arm_does_or_a_price_tells_who_took_part(costs_of):
    """At a worth of nothing the net benefit is the cost; probabilities of all arms add up."""
    arms, groups = ["0", "1", "2"], ["all", "women", "men"]
    places = pd.MultiIndex.from_product([groups, [0.0, 1e6], arms])
    table = pd.DataFrame(
        {
            "outcome": "work", "month": 12, "arm": places.get_level_values(2),
            "group": places.get_level_values(0), "perspective": "public", "basis": "unit_cost",
            "threshold": places.get_level_values(1), "net_benefit": 1.0, "conf_low": 0.0,
            "conf_high": 2.0, "probability": 0.3, "is_best": True, "perfect_information": 1.0,
        }
    )  # fmt: skip
    table = checked(table, schemas.ACCEPTABILITY, "acceptability")
    withheld, takers = {("work", 12, "2", "women")}, {("work", 12, "1", "men")}
    gated = gate_acceptability(table, withheld, takers, costs_of, {}, 5)
    numbers = ["net_benefit", "conf_low", "conf_high", "probability", "is_best",
               "perfect_information"]  # fmt: skip
    gone = gated.table[numbers].isna().all(axis=1).groupby(gated.table["group"]).all()
    assert gone.to_dict() == {"all": False, "women": True, "men": costs_of == "participants"}
    assert gated.table["threshold"].notna().all()
    assert len(gated.withheld) == 6 * int(gone.sum())
    checked(gated.table, schemas.ACCEPTABILITY, "acceptability")


MONTHS = {"subsidy": ("subsidised", 6), "benefit": ("registered", 12)}


def test_a_cost_goes_that_would_tell_a_withheld_month():
    costs = pd.DataFrame(
        {
            "item": np.repeat(["coaching", "subsidy", "benefit"], 2), "arm": ["0", "1"] * 3,
            "payer": "public", "basis": "economic", "amount": 90.0, "per_offer": 9.0,
            "per_participant": 9.0, "currency": "SEK", "price_year": 2022,
        }
    )  # fmt: skip
    for key, gone in (
        (("subsidised", 6, "1", "all"), {"subsidy"}),
        (("subsidised", 7, "1", "all"), set()),  # after the last month that is part of the cost
        (("subsidised", -1, "1", "all"), set()),
        (("subsidised", 6, "1", "women"), set()),  # of all nothing is told
        (("registered", None, "1", "all"), {"benefit"}),
    ):
        gated = gate_costs(costs, {}, "programme", {key}, MONTHS, 5)
        empty = gated.table[["amount", "per_offer", "per_participant"]].isna()
        assert empty.all(axis=1).equals(empty.any(axis=1))
        assert set(costs.loc[empty.all(axis=1), "item"]) == gone, key
        assert empty.all(axis=1).sum() == 2 * len(gone)


def test_cost_and_choice_of_a_group_go_that_would_tell_a_withheld_month():
    groups = ["all", "women", "men", "women-men"]
    withheld = {("subsidised", 3, "1", g) for g in ("women", "men", "women-men")}
    withheld |= {("registered", 13, "1", "all")}
    names = dict.fromkeys(schemas.COST_EFFECTIVENESS.columns, 1.0)
    texts = {"outcome": "work", "month": 12, "arm": "1", "perspective": "public",
             "basis": "economic", "icer_set": "interval"}  # fmt: skip
    places = pd.MultiIndex.from_product([groups, ["offer", "participant"]])
    table = pd.DataFrame(
        names | texts | {"group": places.get_level_values(0)}, index=range(len(places))
    ).assign(denominator=places.get_level_values(1))
    gated = gate_cost_effectiveness(table, withheld, set(), "programme", MONTHS, 5)
    shown = gated.table.set_index(["group", "denominator"])
    assert shown.loc["all"].notna().all(axis=None)
    for group in groups[1:]:
        assert shown.loc[group, ["incremental_cost", "icer", "correlation"]].isna().all(axis=None)
        assert shown.loc[group, ["effect", "effect_se"]].notna().all(axis=None)
    named = dict.fromkeys(schemas.ACCEPTABILITY.columns, 1.0) | {"is_best": True}
    table = pd.DataFrame(
        named | {k: v for k, v in texts.items() if k != "icer_set"} | {"group": groups},
        index=range(len(groups)),
    )
    gated = gate_acceptability(table, withheld, set(), "programme", MONTHS, 5)
    assert gated.table["net_benefit"].isna().tolist() == [False, True, True, True]


def markets(seed, persons=24, level=0.1):
    """Return a study in two levels with a share as its outcome, and its saturations."""
    rng = np.random.default_rng(seed)
    drawn = np.resize([0.0, 0.25, 0.75], 24)
    market = np.repeat(np.arange(24), persons)
    offered = np.tile(np.arange(persons), 24) < np.repeat(drawn * persons, persons)
    women = rng.random(len(market)) < 0.4
    y = (rng.random(len(market)) < level + 0.1 * offered).astype(float)[:, None]
    arm = np.where(drawn[market] == 0, 0, np.where(offered, 1, 2))
    found = study_from(y, arm, women, cluster=market)
    study = type(found)(**{**found.__dict__, "arms": ("0", "1", EXPOSED)})
    plan = plan_of(
        y,
        columns=COLUMNS,
        assignment={"saturation": {"column": "share", "control": 0}},
        outcomes={"work": {"column": "y0", "unit": "share", "role": "primary"}},
        analysis={"estimators": ["difference_in_means"]},
    )
    return study, plan, drawn[market]


@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 10_000), level=st.sampled_from([0.02, 0.1, 0.3]))
def test_no_small_count_of_one_saturation_follows_from_the_level_of_control(seed, level):
    study, plan, saturation = markets(seed, level=level)
    tables = {
        "effects": schemas.EFFECTS.coerce_dtype(effects(study, plan).table),
        "spillovers": schemas.SPILLOVERS.coerce_dtype(spillovers(study, plan, saturation)),
    }
    out = release(tables, RULE, control="0").tables
    of_control = out["effects"].query("arm == '1'").set_index("group")["mean_control"]
    for row in out["spillovers"].dropna(subset="estimate").to_dict("records"):
        if row["effect"] == "direct" or row["group"] == "women-men":
            continue
        share = row["estimate"] + of_control[row["group"]]
        with_work = round(share * row["n_treated"])
        if not np.isnan(share):
            assert not 1 <= with_work < 5, row
            assert not 1 <= row["n_treated"] - with_work < 5, row


def in_waves(women, rows):
    """Return participants of whom each of the first has several rows."""
    person = np.repeat(np.arange(len(rows)), rows)
    gender = np.where(np.asarray(women)[person], "women", "men")
    arm = np.where(np.arange(len(person)) % 2, "1", "0")
    return pd.DataFrame({"person": person.astype(str), "arm": arm, "gender": gender})


@settings(max_examples=20, deadline=None)
@given(
    rows=st.lists(st.integers(1, 4), min_size=30, max_size=60),
    women=st.integers(0, 30),
    with_work=st.integers(0, 60),
)
def test_what_is_shown_of_waves_is_of_no_fewer_persons_than_the_least(rows, women, with_work):
    people = in_waves(np.arange(len(rows)) < women, rows)
    y = np.arange(len(people)) < with_work
    plan = plan_of(
        np.zeros((1, 1)),
        columns={"wave": "wave", "person": "id"},
        outcomes={"work": {"column": "y0", "unit": "share", "role": "primary"}},
    )
    groups = {"all": np.ones(len(people), bool)}
    groups |= {g: (people["gender"] == g).to_numpy() for g in ("women", "men")}

    arms = {a: (people["arm"] == a).to_numpy() for a in ("0", "1")}
    counted = {
        g: {a: (int((m & of).sum()), int((m & of & y).sum())) for a, of in arms.items()}
        for g, m in groups.items()
    }
    found = effect_rows(counted, month=None)
    out = publish({"effects": found}, people, plan, RULE).tables["effects"]
    for row in out.dropna(subset="n").query("group != 'women-men'").to_dict("records"):
        for of in arms.values():
            here = groups[row["group"]] & of
            for part in (here & y, here & ~y):
                persons = people.loc[part, "person"].nunique()
                assert persons == 0 or persons >= RULE.min_cell


def test_the_number_of_persons_in_waves_does_not_tell_that_few_came_again():
    table = effect_rows(both(FINE, FINE)).assign(n_clusters=[337, 167, 170, 337])
    gated = gate_persons_in_waves(table, table, 5, 1)  # three of the women twice
    assert gated.table["n_clusters"].isna().all()
    assert {tuple(e["columns"]) for e in gated.withheld} == {("n_clusters",)}
    assert gated.table["n"].notna().all()
    many = table.assign(n_clusters=[300, 150, 150, 300])
    rounded = gate_persons_in_waves(many, many, 5, 20)
    assert rounded.withheld == []
    assert rounded.table["n_clusters"].tolist() == [300, 160, 160, 300]
