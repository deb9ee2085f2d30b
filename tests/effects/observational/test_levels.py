"""Paths, costs and tests of groups on top of effects without a lottery."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from evaluate.costs.effectiveness import cost_effectiveness
from evaluate.design.power_table import power_table
from evaluate.effects.bounds_table import bounds_table
from evaluate.effects.displacement import net_effects
from evaluate.effects.incidence_table import incidence_table
from evaluate.effects.participation import participation
from evaluate.effects.path_tables import path_table
from evaluate.effects.table import effects
from evaluate.heterogeneity.equality import equality_table

from .programmes import BOTH, plan_of, scored, study_from

MONTHS = 4


def draws(*names):
    return np.random.default_rng(len("".join(names)))


def case(estimand="att", estimator="aipw", missing=False, n=500, outcomes=("y",), **sections):
    rng = np.random.default_rng(7)
    x = rng.normal(size=(n, 2))
    women = rng.random(n) < 0.5
    treated = rng.random(n) < 1 / (1 + np.exp(-0.6 * x.sum(axis=1)))
    y = np.column_stack(
        [
            x.sum(axis=1) + m * treated * (1 + women) + rng.normal(size=n)
            for m in range(1, MONTHS + 1)
        ]
    )
    if missing:
        y[: n // 10, 2:] = np.nan
    months = {m: f"y{m}" for m in range(1, MONTHS + 1)}
    stated = {"columns": months, "unit": "SEK", "role": "primary", "primary_month": MONTHS}
    plan = plan_of(
        dict.fromkeys(outcomes, stated | sections.pop("outcome", {})),
        ["a", "b"],
        BOTH,
        costs=sections.pop("costs", None),
        estimand=estimand,
        estimators=[estimator, "regression"] if estimator != "regression" else [estimator],
        cross_fitting={"learner": "linear"},
        propensity={"trim": "none"},
    )
    study = study_from(np.tile(y, len(outcomes)), treated, x, ["a", "b"], women)
    return scored(study, plan), plan


@pytest.mark.parametrize("estimand", ["att", "ate"])
@pytest.mark.parametrize("estimator", ["aipw", "ipw", "matching", "entropy_balancing"])
def test_paths_are_the_effects_and_levels_differ_by_them(estimand, estimator):
    study, plan = case(estimand, estimator)
    paths = path_table(study, plan, draws)
    table = effects(study, plan).table.query(f"estimator == '{estimator}'")
    by = ["group", "month"]
    kinds = {k: rows.set_index(by) for k, rows in paths.groupby("kind")}
    want = table.set_index(by)
    effect = kinds["effect"].loc[want.index]
    for column in ("estimate", "std_error", "conf_low", "n"):
        assert_allclose(effect[column].astype(float), want[column].astype(float))
    above, below = kinds["level_treated"], kinds["level_control"]
    difference = above["estimate"] - below["estimate"]
    assert_allclose(difference.loc[want.index], want["estimate"])
    total = kinds["area"]["estimate"] if "area" in kinds else kinds["cumulated"]["estimate"]
    assert total.notna().all()
    if estimand == "att" and estimator != "matching":
        rows = study.arm == 1
        assert_allclose(above.loc[("all", 1), "estimate"], study.y[rows, 0].mean())
    if estimand == "ate" and estimator == "aipw":  # of all, not of those treated
        assert_allclose(above.loc[("all", 2), "estimate"], 2 * 1.5, atol=0.4)


def test_months_that_some_lack_have_their_own_persons():
    study, plan = case(missing=True)
    paths = path_table(study, plan, draws).query("kind == 'effect' and group == 'all'")
    assert paths["n"].tolist() == [500, 500, 450, 450]
    assert paths["estimate"].notna().all()
    assert bounds_table(study, plan).empty  # they take the arms as alike


def test_an_outcome_that_shares_a_set_of_covariates_finds_its_scores():
    study, plan = case(outcomes=("first", "second"), outcome={"without": ["b"]})
    assert set(study.propensities) == {("first", "1")}
    paths = path_table(study, plan, draws).query("kind == 'effect'")
    wide = paths.pivot(index=["group", "month"], columns="outcome", values="estimate")
    assert_allclose(wide["first"], wide["second"])
    assert wide.notna().all().all()


def test_costs_are_one_more_outcome():
    costs = {"currency": "SEK", "price_year": 2022, "amount": 600, "outcomes": ["y"]}
    study, plan = case(costs=costs)
    table = cost_effectiveness(study, plan, None, np.random.default_rng(1)).ratios.query(
        "group == 'all'"
    )
    assert (table["denominator"] == "participant").all()
    assert_allclose(table["incremental_cost"].astype(float), 600)
    own = effects(study, plan).table.query("group == 'all' and estimator == 'aipw'")
    assert_allclose(table["effect"].astype(float), own["estimate"])
    assert_allclose(table["icer"].astype(float), 600 / own["estimate"])


def test_tests_of_groups_and_power_go_by_the_lead_estimator():
    study, plan = case()
    found = effects(study, plan)
    table = equality_table(found.table, found.covariances, plan)
    gap = found.table.query("group == 'women-men' and estimator == 'aipw'")
    assert table["estimator"].eq("aipw").all()
    assert_allclose(table["statistic"], (gap["estimate"] / gap["std_error"]) ** 2)
    assert_allclose(table["p_value"], gap["p_value"])
    power = power_table(found.table, plan.estimators[0])
    assert len(power) == 4 * MONTHS
    assert power["detectable"].notna().all()


def test_what_rests_on_a_lottery_has_no_rows():
    study, plan = case(missing=True)
    assert participation(study, plan).empty
    assert incidence_table(study, plan, draws).empty
    found = effects(study, plan, np.random.default_rng(1)).table
    assert not found["estimator"].str.startswith(("lee", "manski")).any()
    assert found["p_value_randomisation"].isna().all()
    share = found.assign(unit="share")
    assert set(net_effects(share, plan)["group"]) == {"all", "women", "men"}
