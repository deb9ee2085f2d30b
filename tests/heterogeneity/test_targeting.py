"""Targeting from scores to rows: rules, their limits, and intervals that hold out of sample."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from simulate import plan_of, study_from

from evaluate import schemas
from evaluate.heterogeneity.honest import draw_orders, honest_effects
from evaluate.heterogeneity.learners import LEARNERS
from evaluate.heterogeneity.policy_values import Places, amounts, first, of_rows, valued
from evaluate.heterogeneity.targeting import targeting_rows
from evaluate.io import checked
from evaluate.notes import note

from .simulated import signals

COSTS = {"currency": "SEK", "price_year": 2020, "amount": 30, "per": "offer", "outcomes": ["y0"]}
TRIALS = 500
SLACK = 4 / np.sqrt(2 * TRIALS)  # 4 standard errors of a standard deviation of 1


def least_squares(case, among, seed):
    """Learn effects linear in covariates, as the simplest learner there is."""
    w, share = case.weight[among], case.share[among]
    z = np.column_stack([np.ones(among.sum()), case.x[among]])
    gram = (z * (w * share)[:, None]).T @ z + 1e-6 * np.eye(z.shape[1])
    beta = np.linalg.solve(gram, (z * w[:, None]).T @ case.signal[among])
    return lambda x: np.column_stack([np.ones(len(x)), x]) @ beta


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setitem(LEARNERS, "linear", least_squares)


def case_of(n=600, seed=1, splits=3, folds=4, att=False, one_gender=False, **settings):
    case = replace(signals(n, seed, **settings), outcome="y0")
    case = replace(case, groups=case.groups | {"education=long": case.x[:, 0] > 0})
    if att:
        case = replace(case, estimand="att", share=case.treated.astype(float))
    if one_gender:
        case = replace(
            case, x=case.x[:, :-1], names=case.names[:-1], sources=case.sources[:-1],
            groups={"all": case.groups["all"]},
        )  # fmt: skip
    honest = None
    if splits:
        order = draw_orders(case, folds, splits, np.random.default_rng(seed))
        honest = honest_effects(case, "linear", least_squares, order, seed)
    return case, honest


def rows_of(case, honest, seed=1, costs=None, takeup=None, **settings):
    """Return the three tables, checked against their schemas."""
    plan = plan_of(case.y[:, None], analysis={"targeting": settings}, costs=costs)
    study = study_from(
        case.y[:, None], case.treated.astype(int), case.groups.get("women"), takeup=takeup
    )
    found = targeting_rows(plan, study, case, honest, seed)
    tables = []
    for name in ("policies", "policy_tree", "targeting_curve"):
        schema = getattr(schemas, name.upper())
        rows = getattr(found, name.removeprefix("policy_").removeprefix("targeting_"))
        table = pd.DataFrame(rows)
        assert set(table) <= set(schema.columns)
        table = table.assign(outcome="y0", month=None, arm="1")
        table = table.assign(unit="SEK") if "unit" in schema.columns else table
        tables.append(checked(table.reindex(columns=list(schema.columns)), schema, name))
    return tables


def worth(table, against="no_one"):
    return table[table["against"] == against].set_index("policy")


DIFFERS = {"effect": lambda x: 0.3 + 0.8 * (x[:, 1] > 0)}


def test_rules_of_a_study_of_women_and_men():
    case, honest = case_of(**DIFFERS)
    table, tree, curve = rows_of(case, honest, capacity=0.4)
    one = worth(table)
    assert list(one.index) == [
        "everyone", "present", "women", "men", "education=long",
        "highest_predicted", "tree", "highest_predicted_without_gender", "tree_without_gender",
    ]  # fmt: skip
    assert set(one.index[one["uses_gender"]]) == {"women", "men", "highest_predicted", "tree"}
    others = one.drop(index=["everyone", "present"])
    assert (others["share_treated"] <= 0.4 + 1e-9).all()
    assert_allclose(one.loc["highest_predicted", "share_treated"], 0.4)
    assert_allclose(one.loc["everyone", "gain"], case.average().value[0])
    assert one.loc["women", "women_among_treated"] == 1
    assert note("policy_rationed") in one.loc["women", "note"]
    assert note("policy_beyond") in one.loc["everyone", "note"]
    assert note("policy_no_costs") in one.loc["tree", "note"]
    money = ["value_of_unit", "cost_difference", "net_gain", "cost_per_unit", "currency"]
    assert table[money].isna().all(axis=None)
    assert (one["splits"].dropna() == 3).all()
    assert set(tree["tree"]) == {"tree", "tree_without_gender"}
    assert "men" not in set(tree.loc[tree["tree"] == "tree_without_gender", "covariate"])
    assert len(curve) == 5 * 20
    point = curve[(curve["order"] == "predicted") & np.isclose(curve["share"], 0.4)].iloc[0]
    for number in ("gain", "std_error"):
        assert_allclose(point[number], one.loc["highest_predicted", number], rtol=0.01)


def test_a_rule_that_knows_whom_it_helps_is_worth_more():
    case, honest = case_of(2_000, **DIFFERS)
    one = worth(rows_of(case, honest, capacity=0.5)[0], "random")
    for name in ("highest_predicted", "tree"):
        assert one.loc[name, "conf_low"] > 0.1
        assert abs(one.loc[name, "gain"] - 0.2) < 4 * one.loc[name, "std_error"]  # 0.5 * 0.8 / 2


def test_a_value_below_the_cost_keeps_places_empty():
    case, honest = case_of(2_000, **DIFFERS)
    worthless, dear = (
        worth(rows_of(case, honest, costs=COSTS, value={"y0": v}, capacity=0.9)[0]) for v in (0, 50)
    )
    for name in ("highest_predicted", "tree"):
        assert worthless.loc[name, "share_treated"] == 0
        assert note("policy_same") in worthless.loc[name, "note"]
        assert (
            0.35 < dear.loc[name, "share_treated"] < 0.7
        )  # 50 * 1.1 is more than 30, 50 * 0.3 less
        assert dear.loc[name, "net_gain"] > dear.loc["everyone", "net_gain"]
    assert_allclose(dear["cost_difference"], 30 * dear["share_treated"])
    assert (dear["currency"] == "SEK").all()


def test_a_place_without_a_value_has_a_cost_per_unit():
    case, honest = case_of(2_000, **DIFFERS)
    one = worth(rows_of(case, honest, costs=COSTS)[0])
    assert_allclose(one["cost_per_unit"], one["cost_difference"] / one["gain"])
    assert one[["value_of_unit", "net_gain"]].isna().all(axis=None)


def test_present_places_are_the_capacity_where_none_is_stated():
    case, honest = case_of()
    table = rows_of(case, honest)[0]
    assert_allclose(table["capacity"], worth(table).loc["present", "share_treated"])


def test_the_att_judges_places_of_the_treated():
    case, honest = case_of(att=True)
    one = worth(rows_of(case, honest)[0])
    assert (one["capacity"] == 1).all()
    assert (one.loc[["everyone", "present"], "share_treated"] == 1).all()
    assert (one.loc["everyone", "n"], one.loc["present", "gain"]) == (
        case.treated.sum(), one.loc["everyone", "gain"],
    )  # fmt: skip
    assert_allclose(one.loc["highest_predicted", "share_treated"], 1)


def test_rules_without_gender_do_not_know_it():
    case, honest = case_of(effect=lambda x: np.where(x[:, -1] > 0, 0.0, 2.0))
    other = replace(case, groups=case.groups | {
        "women": case.groups["men"], "men": case.groups["women"]})  # fmt: skip
    one, swapped = (worth(rows_of(c, honest, capacity=0.5)[0]) for c in (case, other))
    names = ["highest_predicted_without_gender", "tree_without_gender"]
    assert_allclose(one.loc[names, "gain"], swapped.loc[names, "gain"])
    assert_allclose(one.loc[names, "share_treated_women"], swapped.loc[names, "share_treated_men"])
    assert one.loc["highest_predicted", "women_among_treated"] > 0.9
    assert one.loc[names, "women_among_treated"].between(0.3, 0.7).all()


def test_a_rule_goes_by_the_covariates_that_are_named():
    case, honest = case_of(2_000, **DIFFERS)
    table, tree, _ = rows_of(case, honest, covariates=["x2"], capacity=0.5)
    assert set(tree["covariate"].dropna()) <= {"x2", "men", ""}
    one = worth(table, "random")
    assert abs(one.loc["highest_predicted", "gain"]) < 0.1
    free = worth(rows_of(case, honest, capacity=0.5)[0], "random")
    assert free.loc["highest_predicted", "gain"] > 0.15


def test_two_runs_are_the_same_and_persons_may_be_in_clusters():
    case, honest = case_of(clusters=60, weighted=True)
    one, two = (rows_of(case, honest, capacity=0.3) for _ in range(2))
    for a, b in zip(one, two, strict=True):
        pd.testing.assert_frame_equal(a, b)
    everyone = worth(one[0]).loc["everyone"]
    assert_allclose(everyone["std_error"], case.average().std_error[0])


def test_one_gender_has_no_rules_by_it():
    table, tree, curve = rows_of(*case_of(one_gender=True))
    assert not {"women", "men", "tree_without_gender"} & set(table["policy"])
    assert table[["share_treated_women", "women_among_treated"]].isna().all(axis=None)
    assert set(tree["tree"]) == {"tree"}
    assert set(curve["order"]) == {"predicted", "random"}


def test_where_nothing_is_learned_simple_rules_stand():
    case, _ = case_of(24, splits=0)
    table, tree, curve = rows_of(case, None)
    learned = worth(table).loc[["highest_predicted", "tree", "tree_without_gender"]]
    assert learned["gain"].isna().all()
    assert (learned["note"].str.contains(note("policy_unlearned"))).all()
    assert np.isfinite(worth(table).loc["women", "gain"])
    assert tree.empty
    assert set(curve["order"]) == {"women_first", "men_first", "random"}


def test_few_persons_and_fewer_places():
    case, honest = case_of(16, folds=4)
    table, tree, _ = rows_of(case, honest, capacity=0.01)
    one = worth(table)
    assert tree.empty
    assert note("policy_unlearned") in one.loc["tree", "note"]
    assert_allclose(one.loc["highest_predicted", "share_treated"], 0.01)


def test_covariates_that_do_not_vary_teach_nothing():
    case, _ = case_of()
    case = replace(case, x=np.zeros((case.m, 0)), names=(), sources=())
    order = draw_orders(case, 4, 3, np.random.default_rng(1))
    honest = honest_effects(case, "linear", least_squares, order, 1)
    table, tree, _ = rows_of(case, honest, capacity=0.5)
    lots = worth(table, "random").loc[["highest_predicted", "tree"]]
    assert_allclose(lots["gain"], 0, atol=1e-9)
    assert lots["std_error"].isna().all()  # with so many places by lot they are the same
    assert (tree["covariate"] == "").all()


def test_a_group_in_one_arm_is_left_out():
    case, honest = case_of()
    alone = case.groups | {"site=far": case.treated & (case.x[:, 0] > 1)}
    row = worth(rows_of(replace(case, groups=alone), honest)[0]).loc["site=far"]
    assert note("few") in row["note"]
    assert pd.isna(row["gain"])


def errors_of(sequential):
    """Return gains over lots, of which there are none, in units of their errors; one split."""
    found = []
    for seed in range(TRIALS):
        case = signals(240, seed, p=4)
        amount = amounts(case, None)
        fold = draw_orders(case, 4, 1, np.random.default_rng(seed))[0]
        place, margin = np.zeros(case.m), np.zeros(case.m, dtype=bool)
        for k in range(int(sequential), fold.max() + 1):
            mine = np.flatnonzero(fold == k)
            learned = least_squares(case, fold < k if sequential else fold != k, 0)
            place[mine], margin[mine] = first(learned(case.x[mine]), case.weight[mine], 0.5)
        rows = np.flatnonzero(fold >= int(sequential))
        places = of_rows(Places(place, np.zeros(case.m, dtype=int), margin), rows)
        one = valued(case, amount, rows, places)
        everyone = valued(case, amount, rows, Places(np.ones(len(rows))))
        value, scores = one.minus(one.at_random(everyone))
        found.append(value[0] / np.sqrt((scores[:, 0] ** 2).sum()))
    return np.array(found)


def test_errors_of_rules_learned_in_sequence_are_right_and_those_of_crossed_folds_too_small():
    assert abs(errors_of(sequential=True).std() - 1) < SLACK
    assert errors_of(sequential=False).std() > 1 + SLACK
