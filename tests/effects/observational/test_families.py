"""P-values adjusted over a family without drawing an assignment."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose

from evaluate.effects.multiplicity import benjamini_hochberg, holm
from evaluate.effects.table import effects

from .programmes import plan_of, scored, study_from


def case(multiplicity, outcomes=3, alike=False):
    rng = np.random.default_rng(2)
    n = 300
    x = rng.normal(size=(n, 1))
    treated = rng.random(n) < 1 / (1 + np.exp(-x[:, 0]))
    noise = rng.normal(size=(n, 1 if alike else outcomes)) * np.ones(outcomes)
    y = x + 0.25 * treated[:, None] + noise + 1e-9 * rng.normal(size=(n, outcomes))
    plan = plan_of(
        {f"y{i}": "primary" for i in range(outcomes)} | {"other": "secondary"},
        ["a"],
        estimators=["aipw", "regression", "difference_in_means"],
        cross_fitting={"learner": "linear"},
        propensity={"trim": "none"},
        multiplicity=multiplicity,
        permutations=999,
    )
    study = study_from(np.column_stack([y, y[:, :1]]), treated, x, ["a"])
    return scored(study, plan), plan


def families(study, plan, seed=1):
    rng = None if seed is None else np.random.default_rng(seed)
    table = effects(study, plan, rng).table
    return table, table[table["role"] == "primary"].groupby("estimator", sort=False)


@pytest.mark.parametrize(
    ("name", "adjust"), [("holm", holm), ("benjamini_hochberg", benjamini_hochberg)]
)
def test_steps_on_p_values_take_those_of_t(name, adjust):
    table, groups = families(*case(name))
    for _, rows in groups:
        assert_allclose(rows["p_value_adjusted"], adjust(rows["p_value"].to_numpy(dtype=float)))
    assert table["p_value_randomisation"].isna().all()
    assert table.loc[table["role"] == "secondary", "p_value_adjusted"].isna().all()


@pytest.mark.parametrize("name", ["westfall_young", "romano_wolf"])
def test_by_default_the_scores_are_multiplied(name):
    table, groups = families(*case(name))
    for _, rows in groups:
        p, adjusted = rows["p_value"].to_numpy(), rows["p_value_adjusted"].to_numpy()
        assert (adjusted >= p).all()
        assert (adjusted <= np.minimum(holm(p) + 0.05, 1)).all()
    assert table["p_value_randomisation"].isna().all()


def test_one_outcome_three_times_costs_nothing():
    _, groups = families(*case("westfall_young", alike=True))
    for _, rows in groups:
        assert_allclose(rows["p_value_adjusted"], rows["p_value"], atol=0.03)


def test_none_and_no_draws_leave_it_empty():
    assert families(*case("none"))[0]["p_value_adjusted"].isna().all()
    assert families(*case("romano_wolf"), seed=None)[0]["p_value_adjusted"].isna().all()


def test_an_estimate_without_interval_has_no_adjusted_p_value():
    study, plan = case("westfall_young")
    own = study.propensities["", "1"]
    score = np.where((study.arm == 1) & (np.arange(study.n) % 5 == 0), 0.995, own.score)
    bad = replace(study, propensities={("", "1"): replace(own, score=score, model="boosting")})
    table = effects(bad, plan, np.random.default_rng(1)).table.set_index("estimator")
    assert table.loc["aipw", "estimate"].notna().all()
    assert table.loc["aipw", "p_value_adjusted"].isna().all()
    primary = table[table["role"] == "primary"]
    assert primary.loc["regression", "p_value_adjusted"].notna().all()


def test_arm_against_arm_is_in_no_family():
    rng = np.random.default_rng(4)
    x, arm = rng.normal(size=(300, 1)), np.arange(300) % 3
    plan = plan_of({"y": "primary"}, ["a"], estimators=["regression"], propensity={"trim": "none"})
    study = study_from(x + rng.normal(size=(300, 1)), arm, x, ["a"], arms=3)
    table, _ = families(study, plan)
    table = table.set_index("arm")
    assert table.loc[["1", "2"], "p_value_adjusted"].notna().all()
    assert np.isnan(table.loc["1-2", "p_value_adjusted"])
