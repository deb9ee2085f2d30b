"""Who benefits, down the whole road, on input that can carry it and on input that cannot.

What cannot be estimated has a row that says why, or stops with a message; nobody meets a
traceback, and no note holds a person's key. Nobody is real.
"""

import contextlib
import json

import numpy as np
import pytest
from studies import KEY, evaluated, people, plan_for, write_raw, write_study

from evaluate.errors import EvaluateError
from evaluate.plan.load import load_study

from .test_observational import NAME as TRACK
from .test_observational import quick, registered

NAME = "who"
NUMBERS = {
    "gap": "estimate",
    "conditional_effects": "estimate",
    "heterogeneity_tests": "statistic",
    "sorted_groups": "estimate",
    "sorted_profile": "difference",
    "effect_distribution": "value",
    "policies": "gain",
    "targeting_curve": "gain",
}  # table and the number that each of its rows has, unless its note says why not
TABLES = (*NUMBERS, "policy_tree")


def plan(**sections):
    """Return a small programme file: one outcome, two covariates, few splits."""
    analysis = {
        "permutations": 99,
        "heterogeneity": {"splits": 2, "trees": 20, "folds": 3} | sections.pop("heterogeneity", {}),
        "cross_fitting": {"splits": 1, "learner": "linear"},
    } | sections.pop("analysis", {})
    outcomes = {"earn": {"column": "earn12", "unit": "SEK per month", "role": "primary"}}
    chosen = {"covariates": ["age", "earn0"], "outcomes": outcomes, "analysis": analysis}
    return plan_for(NAME, **chosen | sections)


def road(folder, frame, **sections):
    """Take a study down the road, and hold every table against what is promised of all."""
    found = evaluated(folder, NAME, plan(**sections), frame, languages=["sv"])
    for name in TABLES:
        promised(name, found.table(name))
    return found


def promised(name, table):
    """Check that every row has a number or says why not, and that no note tells of a person."""
    notes = table["note"].fillna("")
    assert not notes.str.contains(KEY).any(), name
    assert not notes.str.contains("Error|Traceback|nan").any(), name
    if name in NUMBERS:
        told = table[NUMBERS[name]].notna()
        if "statistic" in table:
            told |= table["statistic"].notna()
        silent = table[~told & (notes == "")]
        assert silent.empty, (name, silent.to_dict("records")[:3])


def averages(found):
    rows = found.table("conditional_effects").query("kind == 'average'")
    return rows.set_index("group")


def test_few_persons_have_rows_that_say_why(tmp_path):
    """Of 240 persons nothing is learned, but effects by group and the gap are told."""
    found = road(tmp_path, people(240), groups=["education"])
    tests = found.table("heterogeneity_tests")
    assert (tests["verdict"] == "not assessed").all()
    assert tests["note"].str.contains("120").any()
    assert averages(found).loc[["all", "women", "men", "women-men"], "estimate"].notna().all()
    effects = found.table("effects").query("outcome == 'earn' and estimator == 'lin'")
    effects = effects.set_index("group")["estimate"]
    for group, row in averages(found).iterrows():
        assert abs(row["estimate"] - effects[group]) < 3 * row["std_error"], group
    assert found.table("gap")["method"].nunique() >= 3
    for name in ("sorted_groups", "sorted_profile", "effect_distribution"):
        assert found.table(name).empty


def test_twelve_participants(tmp_path):
    found = road(tmp_path, people(12))
    listed = json.loads((found.results / "disclosure.json").read_text(encoding="utf-8"))
    assert {entry["table"] for entry in listed["withheld"]} & set(TABLES)
    released = averages(found)
    assert released.loc[["women", "men"], "n"].isna().all()


def test_a_group_of_three_is_withheld_with_a_sibling(tmp_path):
    frame = people(240)
    frame["level"] = np.where(frame.index % 2, "a", "b")
    frame.loc[frame.index[:3], "level"] = "c"
    found = road(tmp_path, frame, groups=["level"])
    released = averages(found)
    assert released.loc[["level=c"], "n"].isna().all()
    assert released.loc[["level=a", "level=b"], "n"].isna().any()
    assert "level=c" in set(found.table("conditional_effects")["group"])
    exact = found.exact("conditional_effects").query("group == 'level=c'")
    assert (exact["note"] != "").all() or exact["estimate"].notna().all()


def test_a_level_of_one_arm_alone_says_so(tmp_path):
    frame = people(240).assign(level=lambda d: np.where(d.index % 2, "a", "b"))
    treated = frame.index[frame["treat"] == 1]
    frame.loc[treated[:20], "level"] = "only offered"
    found = road(tmp_path, frame, groups=["level"])
    row = averages(found).loc["level=only offered"]
    assert np.isnan(row["estimate"])
    assert row["note"] != ""


def test_a_covariate_constant_among_women(tmp_path):
    frame = people(240).assign(children=lambda d: (d["sex"] == "M") * (d.index % 3))
    found = road(tmp_path, frame, covariates=["age", "children"])
    women = found.table("conditional_effects").query("kind == 'projection' and group == 'women'")
    assert "children" not in set(women[women["estimate"].notna()]["term"])
    parts = found.table("gap").query("method == 'oaxaca_blinder' and part == 'same_composition'")
    assert len(parts) == 1


def test_more_groups_than_a_correction_can_bear(tmp_path):
    frame = people(300)
    rng = np.random.default_rng(3)
    names = [f"g{i}" for i in range(10)]
    for name in names:
        frame[name] = rng.choice(list("abcdefghijkl"), len(frame))
    found = road(tmp_path, frame, groups=names)
    rows = found.table("conditional_effects")
    assert rows["group"].str.contains("=").sum() > 100
    joint = found.table("heterogeneity_tests").query("test == 'groups'")
    assert len(joint)


def test_one_gender_has_no_gap_and_no_rules_of_gender(tmp_path):
    columns = plan_for(NAME)["columns"] | {"gender": "men"}
    found = road(tmp_path, people(240).drop(columns="sex"), columns=columns)
    assert found.table("gap").empty
    assert not {"women", "men"} & set(found.table("policies")["policy"])
    assert averages(found).loc["all", "estimate"] > 0


def test_clusters_weights_and_several_arms(tmp_path):
    frame = people(600, arms=3)
    frame["office"] = frame.groupby(["site", "treat"]).cumcount() % 12
    frame["office"] = frame["site"] + frame["treat"].astype(str) + frame["office"].astype(str)
    columns = plan_for(NAME)["columns"] | {
        "treatment": {"column": "treat", "control": 0, "arms": [1, 2]},
        "blocks": ["site"], "cluster": "office", "weight": "w",
    }  # fmt: skip
    found = road(tmp_path, frame, columns=columns)
    rows = found.table("conditional_effects").query("kind == 'average' and group == 'all'")
    assert set(rows["arm"]) == {"1", "2"}
    assert (rows["df_error"].fillna(rows["df"]) < 72).all()
    assert (found.table("heterogeneity_tests").groupby("arm")["verdict"].nunique() == 1).all()


def test_without_covariates(tmp_path):
    found = road(tmp_path, people(240), covariates=None)
    assert averages(found)["estimate"].notna().all()
    terms = set(found.table("conditional_effects")["term"].dropna()) - {""}
    assert terms <= {"constant", "men"}


def test_missing_outcomes_and_covariates(tmp_path):
    frame = people(240)
    frame["earn12"] = frame["earn12"].mask(frame.index % 9 == 0)
    frame["age"] = frame["age"].astype(float).mask(frame.index % 7 == 0)
    found = road(tmp_path, frame)
    assert averages(found).loc["all", "n"] == frame["earn12"].notna().sum()
    assert averages(found)["estimate"].notna().all()


def test_no_primary_outcome_takes_the_first(tmp_path):
    outcomes = {"earn": {"column": "earn12", "unit": "SEK per month", "role": "secondary"}}
    found = road(tmp_path, people(240), outcomes=outcomes)
    assert set(found.table("conditional_effects")["outcome"]) == {"earn"}


def test_a_study_without_a_lottery_has_every_table(tmp_path):
    """Of 700 persons there is enough to learn; few splits, as the road is what is tried."""
    sections = quick(analysis={
        "propensity": {"model": "logit", "trim": "none"}, "estimators": ["aipw"],
        "heterogeneity": {"splits": 2, "trees": 20, "folds": 3},
    })  # fmt: skip
    found = evaluated(tmp_path, TRACK, sections, registered(900), languages=["sv"])
    for name in TABLES:
        promised(name, found.table(name))
        assert len(found.table(name)), name
    effects = found.table("effects").query("outcome == 'earn' and estimator == 'aipw'")
    effects = effects.set_index("group")["estimate"]
    for group, row in averages(found).iterrows():
        assert abs(row["estimate"] - effects[group]) < 3 * row["std_error"], group


@pytest.mark.parametrize(
    ("key", "wrong"),
    [("covariates", "agee"), ("composition", "agee"), ("outcomes", "earning")],
)
def test_a_name_that_the_plan_does_not_hold_is_told_before_anything_runs(tmp_path, key, wrong):
    write_study(tmp_path, {NAME: plan(heterogeneity={key: [wrong]})})
    write_raw(tmp_path, NAME, people(20))
    with contextlib.chdir(tmp_path), pytest.raises(EvaluateError) as stopped:
        load_study({"programmes": [NAME], "languages": ["en"], "seed": 1})
    assert f"analysis.heterogeneity.{key}: `{wrong}`" in str(stopped.value)
    assert "Did you mean" in str(stopped.value)
