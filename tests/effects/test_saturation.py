"""Two-level draws: known direct and displacement effects, identities, plain formulas, errors."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st
from markets import COLUMNS, estimated, market_trial, truth
from numpy.testing import assert_allclose
from simulate import plan_of, study_from

from evaluate import schemas
from evaluate.costs.programme_costs import person_costs
from evaluate.effects.saturation import spillovers
from evaluate.io import checked
from evaluate.plan.columns import EXPOSED
from evaluate.plan.costs import Costs

RTOL = 1e-9  # two ways to the same least squares
TRIALS = 32  # benchmarks/validate.py has many more
LEVEL = 0.95
SLACK = 4 * np.sqrt(LEVEL * (1 - LEVEL) / TRIALS)  # 4 sd of Binomial(TRIALS, 0.95) / TRIALS


@pytest.fixture(scope="module")
def simulated():
    rows = []
    for seed in range(TRIALS):
        table = estimated(*market_trial(seed))
        for key, row in table.iterrows():
            target = truth(*key)
            held = row["conf_low"] <= target <= row["conf_high"]
            rows.append((*key, row["estimate"] - target, row["std_error"], held))
    names = ["saturation", "effect", "group", "error", "std_error", "held"]
    return pd.DataFrame(rows, columns=names).groupby(["saturation", "effect", "group"])


def test_intervals_hold_the_truth_that_was_built_in(simulated):
    coverage = simulated["held"].mean()
    assert len(coverage) == 3 * 4 * 4
    assert ((coverage - LEVEL).abs() < SLACK).all(), coverage[(coverage - LEVEL).abs() >= SLACK]


def test_estimates_centre_on_the_truth(simulated):
    error = simulated["error"]
    assert (error.mean().abs() < 4 * error.std() / np.sqrt(TRIALS)).all()


def test_standard_errors_are_the_spread_over_trials(simulated):
    stated = np.sqrt(simulated["std_error"].apply(lambda s: (s**2).mean()))
    # 4 sd of the standard deviation of TRIALS normal draws, relative to it
    slack = 4 / np.sqrt(2 * TRIALS)
    assert ((simulated["error"].std() / stated - 1).abs() < slack).all()


def test_one_saturation_agrees_with_a_regression_of_statsmodels():
    parts, saturation = market_trial(1, shares=(0.5,))
    table = estimated(parts, saturation, analysis={"std_error": "CR1"})
    arm, y = parts["arm"], parts["y"][:, 0]
    x = np.column_stack([np.ones(len(y)), arm == 1, arm == 2]).astype(float)
    fit = sm.OLS(y, x).fit()
    assert_allclose(table.loc[("0.5", "total", "all"), "estimate"], fit.params[1], rtol=RTOL)
    assert_allclose(table.loc[("0.5", "displacement", "all"), "estimate"], fit.params[2], rtol=RTOL)
    direct = fit.params[1] - fit.params[2]
    assert_allclose(table.loc[("0.5", "direct", "all"), "estimate"], direct, rtol=RTOL)
    # the same comparison alone, by cluster with Stata's correction
    for effect, kinds in (("total", (0, 1)), ("displacement", (0, 2)), ("direct", (2, 1))):
        rows = np.isin(arm, kinds)
        two = sm.OLS(y[rows], sm.add_constant((arm[rows] == kinds[1]).astype(float)))
        one = two.fit(cov_type="cluster", cov_kwds={"groups": parts["cluster"][rows]}, use_t=True)
        row = table.loc[("0.5", effect, "all")]
        assert_allclose(row["std_error"], one.bse[1], rtol=1e-8)
        assert row["n"] == rows.sum()


@settings(max_examples=5, deadline=None)
@given(seed=st.integers(0, 10_000), low=st.sampled_from([0.25, 0.5]))
def test_the_overall_effect_is_that_on_the_offered_and_the_displaced_together(seed, low):
    parts, saturation = market_trial(seed, markets=12, size=16, shares=(low, 0.75))
    table = estimated(parts, saturation)
    for level in (low, 0.75):
        total, displaced, overall, direct = (
            table.loc[(f"{level:g}", e, "all"), "estimate"]
            for e in ("total", "displacement", "overall", "direct")
        )
        assert_allclose(overall, level * total + (1 - level) * displaced, atol=1e-9)
        assert_allclose(direct, total - displaced, atol=1e-9)
    pooled = [table.loc[(f"{s:g}", "direct", "all"), "estimate"] for s in (low, 0.75)]
    assert_allclose(table.loc[("all", "direct", "all"), "estimate"], np.mean(pooled), atol=1e-9)


def test_the_gap_is_womens_effect_less_mens():
    table = estimated(*market_trial(3))["estimate"].unstack()
    assert_allclose(table["women-men"], table["women"] - table["men"], atol=1e-9)


def test_blocks_of_markets_and_covariates_are_used():
    parts, saturation = market_trial(4, markets=48)
    parts["block"] = parts["cluster"] % 2
    parts["x"] = np.random.default_rng(4).normal(size=(len(saturation), 1))
    table = estimated(parts, saturation, columns={"blocks": ["region"]}, covariates=["x0"])
    assert (table["estimator"] == "ancova").all()
    assert table["estimate"].notna().all()


def test_markets_where_all_were_offered_have_no_displacement():
    parts, saturation = market_trial(5, shares=(0.5, 1.0))
    table = estimated(parts, saturation)
    effects = table.loc["1"].index.get_level_values("effect").unique()
    assert set(effects) == {"total", "overall"}
    assert_allclose(
        table.loc[("1", "total", "all"), "estimate"], table.loc[("1", "overall", "all"), "estimate"]
    )


def test_one_market_of_a_share_has_a_row_that_says_why_it_is_empty():
    parts, saturation = market_trial(6, markets=12)
    saturation = np.where(saturation == 0.75, 0.25, saturation)
    saturation[(parts["cluster"] == parts["cluster"][saturation == 0.25][0])] = 0.75
    table = estimated(parts, saturation)
    row = table.loc[("0.75", "total", "all")]
    assert pd.isna(row["estimate"])
    assert "fewer than two clusters" in row["note"]


def test_without_a_saturation_there_are_no_rows():
    parts, saturation = market_trial(7)
    study, plan = study_from(**parts), plan_of(parts["y"], columns=COLUMNS)
    table = spillovers(study, plan, saturation)
    assert checked(table, schemas.SPILLOVERS, "spillovers").empty


def test_those_exposed_were_offered_nothing_and_cost_nothing():
    parts, _ = market_trial(8)
    study = replace(study_from(**parts), arms=("0", "1", EXPOSED))
    assert study.offered_arms.tolist() == [False, True, False]
    costs = Costs(currency="SEK", price_year=2022, amount=100, outcomes=["y0"])
    assert person_costs(study, costs).tolist() == (100.0 * (parts["arm"] == 1)).tolist()
