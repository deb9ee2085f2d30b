"""Costs of a place: one more outcome of the same persons."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from simulate import plan_of, study_from

from evaluate.heterogeneity.targeting_costs import Money, money_of
from evaluate.notes import note

from .simulated import signals

COSTS = {"currency": "SEK", "price_year": 2020, "outcomes": ["y0"]}
NO_FOLDS = np.zeros(400, dtype=int)


def case_and_study(n=400, takeup=None, cost=None, **settings):
    case = replace(signals(n, 1, **settings), outcome="y0")
    study = study_from(case.y[:, None], case.treated.astype(int), case.groups["women"])
    return case, replace(study, takeup=takeup, cost=cost)


def money(case, study, fold=NO_FOLDS, records=None, **costs):
    plan = plan_of(
        case.y[:, None],
        costs=COSTS | costs,
        analysis={"targeting": {"value": {"y0": 100}}},
    )
    return money_of(study, plan, case, fold, records)


def average(case, scores):
    return case.weight @ scores / (case.weight @ case.share)


def test_a_figure_per_offer_is_everybodys():
    found = money(*case_and_study(), amount=30, per="offer")
    assert_allclose(found.cost, 30)
    assert (found.currency, found.value, found.notes) == ("SEK", 100, ())


def test_a_figure_per_arm_is_the_difference():
    assert_allclose(money(*case_and_study(), amount={0: 5, 1: 30}, per="offer").cost, 25)


@pytest.mark.parametrize("weighted", [False, True])
def test_a_figure_per_participant_follows_take_up(weighted):
    rng = np.random.default_rng(2)
    case, study = case_and_study(weighted=weighted)
    taken = np.where(case.treated, rng.random(400) < 0.8, rng.random(400) < 0.1).astype(float)
    found = money(case, replace(study, takeup=taken), amount=30)
    means = [
        np.average(30 * taken[a], weights=case.weight[a]) for a in (case.treated, ~case.treated)
    ]
    assert_allclose(average(case, found.cost), means[0] - means[1])


def test_regression_of_the_cost_keeps_its_level_and_sharpens_it():
    rng = np.random.default_rng(3)
    case, study = case_and_study(4_000)
    spent = np.where(case.treated, 20 + 10 * case.x[:, 0], 5) + rng.normal(size=4_000)
    study = replace(study, cost=spent)
    fold = rng.permutation(np.arange(4_000) % 5)
    whole, raw = (money(case, study, f, column="spent").cost for f in (fold, 0 * fold))
    assert whole.std() < 0.8 * raw.std()
    women = case.groups["women"]
    truth = np.mean(15 + 10 * case.x[women, 0])
    assert abs(whole[women].mean() - truth) < 4 * whole[women].std() / np.sqrt(women.sum())


def test_unknown_costs_are_predicted_and_counted():
    case, study = case_and_study()
    spent = np.where(case.treated, 20.0, 5.0)
    spent[:7] = np.nan
    found = money(case, replace(study, cost=spent), column="spent")
    assert_allclose(found.cost, 15)
    assert found.notes == (note("policy_costs_missing", n=7),)


def test_the_att_of_costs_is_over_the_treated():
    rng = np.random.default_rng(4)
    case, study = case_and_study()
    spent = np.where(case.treated, 20.0, 5.0) + rng.normal(size=400)
    att = replace(case, estimand="att", share=case.treated.astype(float))
    found = money(att, replace(study, cost=spent), column="spent")
    expected = spent[case.treated].mean() - spent[~case.treated].mean()
    assert_allclose(average(att, found.cost), expected)


def test_records_give_every_offer_its_part_of_the_total():
    case, study = case_and_study()
    records = pd.DataFrame(
        {
            "item": "course", "arm": ["1", "0"], "payer": "public", "basis": "economic",
            "currency": "SEK", "price_year": 2020, "stated": None,
            "quantity": [float(case.treated.sum()), float((~case.treated).sum())],
            "unit_price": [12.0, 2.0],
        }
    )  # fmt: skip
    found = money(case, study, records=records)
    assert isinstance(found, Money)
    assert_allclose(found.cost, 10)
    assert money(case, study) == note("policy_cost_records")


def test_no_costs_are_told():
    case, study = case_and_study()
    assert money_of(study, plan_of(case.y[:, None]), case, NO_FOLDS) == note("policy_no_costs")
    spent = np.where(case.treated, np.nan, 5.0)
    found = money(case, replace(study, cost=spent), column="spent")
    assert found == note("policy_cost_unknown", n=int(case.treated.sum()))
