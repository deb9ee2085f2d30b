"""The tables of the stage: one row per check and group, and what the words of a row say."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from scipy import stats
from simulate import plan_of, study_from

from evaluate import schemas
from evaluate.design.checks import balance_table, design_checks
from evaluate.io import checked

ANALYSIS = {"permutations": 99}


def trial(n=200, arms=2, seed=1):
    rng = np.random.default_rng(seed)
    arm = rng.permutation(np.arange(n) % arms)
    women = rng.random(n) < 0.5
    x = rng.normal(size=(n, 2))
    return rng, {"y": rng.normal(size=(n, 2)), "arm": arm, "women": women, "x": x}


def checks_of(parts, seed=1, **sections):
    plan = plan_of(parts["y"], analysis=ANALYSIS, **sections)
    table = design_checks(study_from(**parts), plan, np.random.default_rng(seed))
    return checked(table, schemas.DESIGN_CHECKS, "checks").set_index(["check", "group"])


def test_every_check_is_made_for_all_women_and_men():
    _, parts = trial()
    found = checks_of(parts, assignment={"share": 0.5})
    groups = ["all", "women", "men"]
    expected = [("sample_ratio", g) for g in groups] + [("share_by_gender", "women-men")]
    expected += [("balance", g) for g in groups]
    assert found.index.tolist() == expected


def test_blocks_each_have_their_sample_ratio():
    _, parts = trial()
    found = checks_of(parts | {"block": np.arange(200) % 3}, assignment={"share": 0.5})
    assert {("sample_ratio", name) for name in "012"} <= set(found.index)


def test_without_a_stated_share_nothing_is_compared():
    _, parts = trial()
    row = checks_of(parts).loc[("sample_ratio", "all")]
    assert row["verdict"] == "not assessed"
    assert pd.isna(row["p_value"])


def test_a_wrong_share_is_warned_of():
    _, parts = trial()
    row = checks_of(parts, assignment={"share": 0.7}).loc[("sample_ratio", "all")]
    assert row["verdict"] == "warn"
    assert_allclose(row["p_value"], stats.binomtest(100, 200, 0.7).pvalue)


def test_shares_by_gender_have_pearsons_test():
    _, parts = trial()
    parts["women"] = (parts["arm"] == 1) | (np.arange(200) % 3 == 0)
    row = checks_of(parts).loc[("share_by_gender", "women-men")]
    counts = pd.crosstab(parts["women"], parts["arm"])
    assert_allclose(row["p_value"], stats.chi2_contingency(counts, correction=False).pvalue)
    assert row["verdict"] == "warn"


def test_one_gender_has_no_share_by_gender():
    _, parts = trial()
    found = checks_of(parts | {"women": None}, columns={"gender": None})
    assert set(found.index.get_level_values("group")) == {"all"}


def test_outcomes_missing_in_one_arm_more_than_in_the_other_are_warned_of():
    rng, parts = trial()
    parts["y"][(parts["arm"] == 1) & (rng.random(200) < 0.4), 0] = np.nan
    parts["y"][rng.random(200) < 0.2, 1] = np.nan
    found = checks_of(parts)
    assert found.loc[("attrition:y0", "all"), "verdict"] == "warn"
    assert found.loc[("attrition:y1", "all"), "verdict"] == "pass"


def test_the_gap_of_balance_is_womens_difference_less_mens():
    _, parts = trial(arms=3)
    plan = plan_of(parts["y"])
    table = checked(balance_table(study_from(**parts), plan), schemas.BALANCE, "balance")
    assert set(table["arm"]) == {"1", "2", "1-2"}
    wide = table.pivot(index=["covariate", "arm"], columns="group", values="smd")
    assert_allclose(wide["women-men"], wide["women"] - wide["men"])
    assert len(table) == 2 * 3 * 4


@pytest.mark.parametrize("covariates", [None])
def test_no_covariates_give_an_empty_balance_and_no_joint_test(covariates):
    _, parts = trial()
    parts["x"] = covariates
    assert balance_table(study_from(**parts), plan_of(parts["y"])).empty
    assert "balance" not in checks_of(parts).index.get_level_values("check")
