"""Distribution of predicted effects by gender: shares, moments, round bounds, nobody."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from evaluate import schemas
from evaluate.heterogeneity.distribution import (
    BINS,
    distribution_rows,
    predicted_effects,
    round_edges,
)
from evaluate.heterogeneity.honest import Honest, draw_orders, honest_effects
from evaluate.heterogeneity.learners import LEARNERS
from evaluate.io import checked

from . import simulated

PLAN = SimpleNamespace()


def learned(case, splits=4):
    order = draw_orders(case, 5, splits, np.random.default_rng(1))
    return honest_effects(case, "linear", LEARNERS["linear"], order, 1)


def table_of(case, honest):
    rows = distribution_rows(PLAN, case, honest)
    of_case = {"outcome": case.outcome, "month": case.month, "arm": case.arm, "unit": case.unit}
    columns = list(schemas.EFFECT_DISTRIBUTION.columns)
    table = pd.DataFrame([of_case | row for row in rows], columns=columns)
    return checked(table.assign(note=table["note"].fillna("")), schemas.EFFECT_DISTRIBUTION, "")


def known(case, effect, splits=3):
    """Return predictions that are some effects and, in each fold, an error of its level."""
    order = draw_orders(case, 5, splits, np.random.default_rng(1))
    level = np.random.default_rng(2).normal(size=(splits, 5))
    shifted = effect + np.take_along_axis(level, order, axis=1)
    return Honest("linear", order, np.where(order == 0, np.nan, shifted))


def of_one_gender(case):
    everyone = np.ones(case.m, dtype=bool)
    return replace(case, groups={"all": everyone, "women": everyone, "men": ~everyone})


@pytest.mark.parametrize("weighted", [False, True])
def test_bins_are_shared_and_hold_everybody(weighted):
    case = simulated.signals(2_000, 1, lambda x: x[:, 0] - 0.5 * x[:, -1], weighted=weighted)
    honest = learned(case)
    table = table_of(case, honest)
    bins = table[table["kind"] == "bin"]
    bounds = bins.groupby("group")[["low", "high"]].agg(list)
    assert set(bounds.index) == {"women", "men"}
    assert bounds.loc["women"].tolist() == bounds.loc["men"].tolist()
    low, high = bounds.loc["women"]
    assert 8 <= len(low) <= BINS
    assert low[1:] == high[:-1]
    assert_allclose(bins.groupby("group")["value"].sum(), 1)
    effect = predicted_effects(case, honest)
    there = np.isfinite(effect)
    for group in ("women", "men"):
        mine = case.groups[group] & there
        count = np.histogram(np.clip(effect[mine], low[0], high[-1]), [*low, high[-1]])[0]
        rows = bins[bins["group"] == group]
        assert rows["n"].tolist() == count.tolist()
        w = case.weight[mine]
        inside = (effect[mine] >= low[3]) & (effect[mine] < high[3])
        assert_allclose(rows["value"].iloc[3], w[inside].sum() / w.sum(), rtol=1e-9)
        mean, sd = (table[(table["group"] == group) & (table["kind"] == k)] for k in ("mean", "sd"))
        assert_allclose(mean["value"], np.average(effect[mine], weights=w))
        variance = np.average((effect[mine] - mean["value"].item()) ** 2, weights=w)
        assert_allclose(sd["value"], np.sqrt(variance))
        assert mean["n"].item() == mine.sum()


def test_the_level_of_a_fold_is_no_difference_between_persons():
    case = simulated.signals(3_000, 1)
    truth = np.where(case.groups["women"], 2.0, 1.0)
    effect = predicted_effects(case, known(case, truth))
    there = np.isfinite(effect)
    women = case.groups["women"]
    gap = effect[there & women].mean() - effect[there & ~women].mean()
    assert_allclose(gap, 1, atol=1e-3)
    assert effect[there & women].std() < 0.02  # folds have equal parts of women but for one
    assert_allclose(effect[there].mean(), case.average().value[0], atol=0.01)


def test_a_person_whom_no_split_predicted_is_left_out():
    case = simulated.signals(100, 1)
    honest = known(case, np.arange(100.0), splits=1)
    effect = predicted_effects(case, honest)
    assert (np.isnan(effect) == (honest.fold[0] == 0)).all()
    table = table_of(case, honest)
    assert table[table["kind"] == "mean"]["n"].sum() == 80


def test_effects_on_the_treated_are_those_of_the_treated():
    case = simulated.signals(1_000, 1)
    case = replace(case, share=case.treated * 1.0, signal=case.signal * case.treated)
    truth = np.where(case.treated, 1.0, 50.0)
    table = table_of(case, known(case, truth))
    assert table[table["kind"] == "mean"]["n"].iloc[0] <= case.treated.sum()
    assert table[(table["kind"] == "sd")]["value"].iloc[0] < 1e-9


@given(
    low=st.floats(-1e6, 1e6),
    width=st.one_of(st.just(0.0), st.floats(1e-6, 1e6)),
    n=st.integers(1, 300),
)
@example(low=0.0, width=0.0, n=5)
@example(low=0.1, width=0.0, n=5)
@example(low=-1.0, width=2.0, n=1)
@settings(max_examples=200, deadline=None)
def test_bounds_are_round_few_and_around_most(low, width, n):
    values = low + width * np.linspace(0, 1, n)
    edges = round_edges(values)
    assert 2 <= len(edges) <= BINS + 1
    step = np.diff(edges)
    assert (step > 0).all()
    assert_allclose(step, step[0], rtol=1e-6)
    digits = f"{step[0]:.0e}"[0], f"{step[0]:.1e}"[:3]
    assert digits[0] in "125" or digits[1] == "2.5"
    ends = np.quantile(values, [0.005, 0.995])
    slack = 1e-12 * abs(ends).max() + 1e-9 * step[0]
    assert edges[0] <= ends[0] + slack
    assert edges[-1] >= ends[1] - slack


def test_the_outer_bins_say_that_they_hold_those_beyond():
    case = of_one_gender(simulated.signals(1_000, 1))
    truth = np.linspace(0, 1, 1_000)
    truth[3] = -50
    table = table_of(case, known(case, truth, splits=6))
    bins = table[table["kind"] == "bin"]
    assert bins["low"].iloc[0] > -10
    assert bins["note"].iloc[0] == "with those beyond it"
    assert (bins["note"].iloc[1:-1] == "").all()
    assert bins["n"].sum() == np.isfinite(known(case, truth, splits=6).mean).sum()


def test_equal_effects_are_one_bin():
    case = of_one_gender(simulated.signals(200, 1))
    table = table_of(case, known(case, np.zeros(200)))
    bins = table[table["kind"] == "bin"]
    assert bins["value"].tolist() == [1.0]
    assert bins["low"].item() <= case.average().value[0] <= bins["high"].item()


def test_one_gender_has_no_rows_by_gender():
    case = of_one_gender(simulated.signals(200, 1))
    assert set(table_of(case, learned(case))["group"]) == {"all"}


def test_nobody_predicted_is_a_row_that_says_so():
    case = simulated.signals(200, 1)
    honest = learned(case)
    nobody = replace(honest, effect=np.full(honest.effect.shape, np.nan))
    table = table_of(case, nobody)
    assert table["group"].tolist() == ["women", "men"]
    assert table["value"].isna().all()
    assert (table["note"] == "not estimated: nobody's effect could be predicted").all()
    men = case.groups["men"]
    women = replace(honest, effect=np.where(men, np.nan, honest.effect))
    row = table_of(case, women).query("group == 'men'")
    assert row["note"].str.startswith("not estimated").all()
