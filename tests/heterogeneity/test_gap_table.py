"""The table of the gap: rows by method and part, what cannot be told, truth from real scores."""

from dataclasses import replace
from functools import cache

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from scipy import stats
from simulate import plan_of, study_from
from simulate_paths import path_trial
from without_lottery import drawn, staged

from evaluate import schemas
from evaluate.heterogeneity.gap_table import composition_rows, gap_table
from evaluate.heterogeneity.scores import cases_of, scores_of
from evaluate.notes import NOTES, note
from heterogeneity.gap_cases import truth, unlike

from .simulated import averages

LEAD = ("gap", "same_composition", "composition")
FAST = {"cross_fitting": {"folds": 2, "splits": 1, "learner": "linear"}}
TRIALS = 50
SLACK = 4 * np.sqrt(0.95 * 0.05 / TRIALS)  # 4 standard deviations of the share of trials


def table_of(study, plan):
    table = gap_table(study, plan, cases_of(scores_of(study, plan, 1), study, plan), 1)
    return schemas.GAP.validate(table)


def lottery(seed=1, n=200, kind="mixed", women=None, arms=2, clusters=0):
    """Return a lottery in which the persons of `unlike` have their effects and errors."""
    case, columns = unlike(seed, n, kind, treated_only=True, clusters=clusters)
    rng, z = np.random.default_rng(seed), columns.values
    x = pd.DataFrame({"age": z[:, 0], "children": z[:, 3]})
    x["education"] = pd.array(np.select([z[:, 1] == 1, z[:, 2] == 1], ["b", "c"], "a"), dtype="str")
    y = np.where(case.treated, case.signal, -case.signal)[:, None] + 0.5 * z[:, [0]]
    women = case.groups["women"] if women is None else women
    arm = case.treated * rng.integers(1, arms, n)
    study = study_from(y, arm, women, x, cluster=case.cluster)
    covariates = ["age", "children", {"column": "education", "kind": "categorical"}]
    cluster = {"cluster": "c"} if clusters else {}
    return study, plan_of(y, covariates=covariates, columns=cluster, analysis=FAST)


@cache
def table():
    return table_of(*lottery())


def test_rows_of_both_methods_add_up():
    found = table()
    for method in ("reweighting", "oaxaca_blinder"):
        rows = found[(found["method"] == method) & (found["covariate"] == "")]
        assert tuple(rows["part"]) == LEAD
        gap, same, rest = rows["estimate"]
        assert_allclose(same + rest, gap)
        assert (rows["conf_low"] < rows["estimate"]).all()
        assert (rows["n_women"] + rows["n_men"] == 200).all()
    each = found[found["covariate"] != ""]
    assert list(each["covariate"]) == ["age", "children", "education"]
    blinder = found[(found["method"] == "oaxaca_blinder") & (found["covariate"] == "")]
    assert_allclose(each["estimate"].sum(), blinder["estimate"].iloc[2])
    assert set(found["unit"]) == {"SEK"}


def test_the_gap_is_that_of_the_scores():
    study, plan = lottery()
    (case,) = cases_of(scores_of(study, plan, 1), study, plan)
    expected = averages(case, ["women-men"])["women-men"]
    row = table()[table()["part"] == "gap"].iloc[0]
    assert_allclose(row["estimate"], expected.value[0])
    assert_allclose(row["std_error"], expected.std_error[0])


def test_two_runs_give_the_same():
    pd.testing.assert_frame_equal(table(), table_of(*lottery()))


def test_every_arm_has_its_rows():
    found = table_of(*lottery(n=300, arms=3))
    assert list(found["arm"].unique()) == ["1", "2"]
    sizes = found.groupby("arm")["n_women"].first()
    assert (sizes < 150).all()


def test_an_outcome_by_month_says_when_the_gap_opens():
    study, plan, _ = path_trial(np.random.default_rng(3), n=400, months=6)
    plan = plan.model_copy(update={"analysis": plan.analysis.model_copy(update={"level": 0.9})})
    found = table_of(study, plan)
    timing = found[found["method"] == "timing"]
    assert list(timing["part"]) == ["early", "late", "late-early", "opens"]
    assert list(timing["month_from"]) == [1, 4, 1, 1]
    assert (timing["month"] == 6).all()
    assert (timing["unit"] == ["SEK per month"] * 3 + ["month"]).all()
    late = timing.iloc[1]
    margin = stats.t.ppf(0.95, late["df"]) * late["std_error"]
    assert_allclose(late["conf_high"] - late["estimate"], margin)
    assert (found["level"] == 0.9).all()


def test_without_a_lottery_the_treated_are_compared():
    study, plan, _ = staged(drawn(n=500))
    found = table_of(study, plan)
    rows = found[(found["method"] == "oaxaca_blinder") & (found["covariate"] == "")]
    assert rows["estimate"].notna().all()
    assert_allclose(rows["estimate"].iloc[1:].sum(), rows["estimate"].iloc[0])


@pytest.mark.parametrize("women", [0, 1, 5, 199])
def test_without_women_or_men_enough_rows_say_why(women):
    found = table_of(*lottery(women=np.arange(200) < women))
    rows = found[found["method"].isin(["reweighting", "oaxaca_blinder"])]
    assert len(rows) == 6
    parts = rows[rows["part"] != "gap"]
    assert parts["estimate"].isna().all()
    few = note("gap_few", n=10) if women else NOTES["no_gap"]
    assert (parts["note"] == few).all()
    gap = rows[rows["part"] == "gap"]
    expected = {0: NOTES["no_gap"], 5: ""}.get(women, note("gap_few", n=2))
    assert (gap["note"] == expected).all()
    assert gap["estimate"].notna().all() == (women == 5)


def test_twelve_persons_say_why():
    found = table_of(*lottery(seed=3, n=12))
    parts = found[found["part"].isin(["same_composition", "composition"])]
    assert len(parts) == 4
    assert parts["estimate"].isna().all()
    assert parts["note"].str.startswith("not estimated: ").all()


def test_no_scores_say_why():
    study, plan = lottery()
    alone = replace(study, y=np.where(study.arm[:, None] == 1, np.nan, study.y))
    found = table_of(alone, plan)
    rows = found[found["method"] == "reweighting"]
    assert tuple(rows["part"]) == LEAD
    assert rows["estimate"].isna().all()
    assert rows["note"].str.startswith("not estimated: ").all()


def test_a_programme_for_one_gender_has_no_rows():
    study, plan = lottery()
    alone = plan.model_copy(update={"columns": plan.columns.model_copy(update={"gender": "women"})})
    study = replace(study, groups={"all": study.groups["all"], "women": study.groups["all"]})
    assert table_of(study, alone).empty


def test_women_of_one_cluster_have_no_interval():
    study, plan = lottery(seed=4, clusters=20)
    study = replace(study, cluster=np.where(study.groups["women"], 0, study.cluster))
    found = table_of(study, plan)
    assert (found.loc[found["part"] == "gap", "note"] == NOTES["gap_few_clusters"]).all()


@pytest.mark.parametrize("kind", ["composition", "effect"])
def test_intervals_from_the_products_own_scores_hold_the_truth(kind):
    held = []
    gap, same = truth(kind)
    for seed in range(TRIALS):
        study, plan = lottery(seed, 500, kind)
        (case,) = cases_of(scores_of(study, plan, seed), study, plan)
        rows = [r for r in composition_rows(study, plan, case) if not r.get("covariate")]
        expected = [gap, same, gap - same] * 2
        held.append(
            [r["conf_low"] <= v <= r["conf_high"] for r, v in zip(rows, expected, strict=True)]
        )
    assert (np.abs(np.mean(held, axis=0) - 0.95) < SLACK).all(), np.mean(held, axis=0)
