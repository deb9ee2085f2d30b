"""The targeting curve: each point against places given out one by one."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from evaluate.heterogeneity.honest import Honest
from evaluate.heterogeneity.policy_values import EFFECT, NET, Places, amounts, first, valued
from evaluate.heterogeneity.targeting_costs import Money
from evaluate.heterogeneity.targeting_curve import SHARES, curve_rows

from .simulated import signals

RTOL = 1e-9


def case_of(clusters=0, att=False, n=300):
    case = signals(n, 1, lambda x: 0.5 * x[:, 0], clusters=clusters, weighted=True)
    return replace(case, estimand="att", share=case.treated.astype(float)) if att else case


def honest_of(case, digits=12, splits=1):
    rng = np.random.default_rng(2)
    fold = np.stack([rng.permutation(np.arange(case.m) % 4) for _ in range(splits)])
    effect = np.where(fold > 0, np.round(case.x[:, 0] + case.x[:, 1], digits), np.nan)
    return Honest("linear", fold, effect)


def curve(case, money=None, honest=None, splits=20):
    predicted = {"predicted": honest} if honest else {}
    rows = curve_rows(case, amounts(case, money), predicted, splits, money, 0.95)
    return pd.DataFrame(rows).set_index(["order", "share"])


def one_by_one(case, amount, fold, effect, share):
    """Value the first of each fold with the effect at the margin of them all."""
    place = np.zeros(case.m)
    mass = case.weight * case.share
    for k in range(1, fold.max() + 1):
        mine = np.flatnonzero(fold == k)
        place[mine], _ = first(effect[mine], mass[mine], share)
    rows = np.flatnonzero(fold > 0)
    return rows, place[rows]


@pytest.mark.parametrize("digits", [12, 0])
@pytest.mark.parametrize("att", [False, True])
@pytest.mark.parametrize("clusters", [0, 40])
def test_a_point_is_the_first_in_order(clusters, att, digits):
    case = case_of(clusters, att)
    honest = honest_of(case, digits)
    money = Money("SEK", 2 * case.share + case.x[:, 2], 10.0)
    table = curve(case, money, honest).loc["predicted"]
    amount = amounts(case, money)
    for share in SHARES:
        rows, place = one_by_one(case, amount, honest.fold[0], honest.effect[0], share)
        mass = (case.weight * case.share)[rows]
        # the effect at the margin, from what is gained by a tenth more and lost by a tenth less
        near = np.zeros(len(rows))
        for end, sign in ((min(share + 0.1, 1), 1), (max(share - 0.1, 0), -1)):
            near += sign * one_by_one(case, amount, honest.fold[0], honest.effect[0], end)[1]
        w = case.weight[rows]
        margin = (w * near) @ amount[rows] / (mass @ near)
        adjusted = place[:, None] * (amount[rows] - np.outer(case.share[rows], margin))
        found = valued(case, amount, rows, Places(place, adjusted=adjusted))
        plain = valued(case, amount, rows, Places(place))
        point = table.loc[share]
        assert_allclose(point["gain"], plain.value[EFFECT], rtol=RTOL, atol=1e-12)
        error = np.sqrt((found.scores**2).sum(axis=0))
        assert_allclose(point["std_error"], error[EFFECT], rtol=1e-6)
        assert_allclose(point["net_gain"], plain.value[NET], rtol=RTOL, atol=1e-12)
        assert_allclose(point["net_gain"], 10 * point["gain"] - point["cost"])
        assert_allclose(point["women_among_treated"], plain.share[3], rtol=RTOL)
        width = (point["net_high"] - point["net_low"]) / error[NET]
        assert_allclose(width, (point["conf_high"] - point["conf_low"]) / error[EFFECT], rtol=1e-6)


def test_places_for_all_are_the_average_in_any_order():
    case = case_of()
    table = curve(case, honest=honest_of(case, splits=3))
    whole = table.xs(1.0, level="share")
    for order in ("women_first", "men_first", "random"):
        assert_allclose(whole.loc[order, "gain"], case.average().value[0])
        assert_allclose(whole.loc[order, "std_error"], case.average().std_error[0])
    assert set(table.index.levels[0]) == {"predicted", "women_first", "men_first", "random"}
    assert (table.loc["predicted", "splits"] == 3).all()
    assert table.loc["random", "splits"].isna().all()


def test_women_first_are_women_only_while_there_are_any():
    case = case_of()
    table = curve(case).loc["women_first"]
    women = case.weight @ case.groups["women"] / case.weight.sum()
    alone = table[table.index <= women]
    assert (alone["women_among_treated"] == 1).all()
    assert_allclose(alone["gain"], alone.index * case.average(case.groups["women"]).value[0])
    rest = table[table.index > women]
    assert_allclose(rest["women_among_treated"], women / rest.index)


def test_random_places_are_a_part_of_the_average():
    case = case_of(clusters=40)
    table = curve(case).loc["random"]
    assert_allclose(table["gain"], SHARES * case.average().value[0])
    assert_allclose(table["std_error"], SHARES * case.average().std_error[0])


def test_predictions_that_are_all_the_same_are_lots():
    case = case_of()
    honest = honest_of(case)
    flat = replace(honest, effect=np.where(honest.fold > 0, 0.5, np.nan))
    found = curve(case, honest=flat).loc["predicted"]
    assert_allclose(found["gain"], SHARES * found["gain"].iloc[-1])
    assert_allclose(found["std_error"], SHARES * found["std_error"].iloc[-1])


def test_one_gender_has_no_order_by_it_and_no_costs_no_money():
    case = case_of()
    table = curve(replace(case, groups={"all": case.groups["all"]}), honest=honest_of(case))
    assert set(table.index.levels[0]) == {"predicted", "random"}
    assert table["women_among_treated"].isna().all()
    assert "cost" not in table
    assert "net_gain" not in table


def test_no_more_splits_are_judged_than_asked_for():
    case = case_of()
    assert (
        curve(case, honest=honest_of(case, splits=4), splits=2).loc["predicted", "splits"] == 2
    ).all()
