"""Rows of conditional effects: what is in them, and why some are empty."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from simulate import plan_of, study_from
from without_lottery import drawn, staged

from evaluate import schemas
from evaluate.effects.multiplicity import holm
from evaluate.heterogeneity.estimable import FEWEST, FEWEST_CLUSTERS, average
from evaluate.heterogeneity.projection_rows import conditional_rows, joint_test
from evaluate.heterogeneity.scores import cases_of, scores_of
from evaluate.io import checked

from .simulated import gains, signals, told

RTOL = 1e-12


def effect(x):
    return 0.5 + 0.3 * x[:, 0] + 0.4 * x[:, -1]


def plan(**sections):
    return plan_of(np.zeros((4, 1)), **sections)


def table(case, stated=None):
    """Return the rows as a table that keeps its schema, by kind, group and term."""
    rows = pd.DataFrame(conditional_rows(stated or plan(), case))
    rows = rows.assign(outcome=case.outcome, month=pd.NA, arm=case.arm, unit=case.unit)
    rows = rows.reindex(columns=list(schemas.CONDITIONAL_EFFECTS.columns))
    whole = checked(rows.astype({"month": "Int64"}), schemas.CONDITIONAL_EFFECTS, "rows")
    return whole.set_index(["kind", "group", "term"]).sort_index()


def grouped(case, name, level):
    """Return a case with one more exploratory group, from a level for each person."""
    own = {f"{name}={v}": level == v for v in np.unique(level)}
    return replace(case, groups=case.groups | own)


def test_averages_come_first_and_gender_alone_is_planned():
    case = grouped(signals(400, 1, effect), "site", np.arange(400) % 3)
    rows = table(case, plan(groups=["site"]))
    for group in ("all", "women", "men", "site=0"):
        row, expected = rows.loc["average", group, ""], average(case, case.groups[group])
        assert_allclose(row["estimate"], expected.value[0], rtol=RTOL)
        assert_allclose(row["std_error"], expected.std_error[0], rtol=RTOL)
        assert_allclose([row["conf_low"], row["conf_high"]], np.ravel(expected.interval(0.95)))
        assert row["n"] == case.groups[group].sum() == row["n_treated"] + row["n_control"]
        assert row["prespecified"] == (group != "site=0")
    women, men = (rows.loc["average", g, ""] for g in ("women", "men"))
    gap = rows.loc["average", "women-men", ""]
    assert_allclose(gap["estimate"], women["estimate"] - men["estimate"])
    assert_allclose(gap["std_error"], np.hypot(women["std_error"], men["std_error"]))
    assert (rows["note"] == "").all()
    planned = rows["prespecified"]
    assert set(rows.loc["projection"][planned.loc["projection"]].index.unique("term")) == {
        "constant", "men",
    }  # fmt: skip


def test_the_projections_of_women_and_men_and_their_difference():
    case = signals(600, 2, effect, weighted=True)
    rows = table(case)["estimate"].loc["projection"]
    women = case.groups["women"]
    z = np.column_stack([np.ones(women.sum()), case.x[women, :-1]])
    w = case.weight[women]
    slopes = np.linalg.solve((z.T * w) @ z, (z.T * w) @ case.signal[women])
    assert_allclose(rows["women"][list(case.names[:-1])], slopes[1:], rtol=1e-9)
    assert "men" not in rows["women"].index
    assert_allclose(rows["women-men"], rows["women"] - rows["men"])
    errors = table(case)["std_error"].loc["projection"]
    assert_allclose(errors["women-men"], np.hypot(errors["women"], errors["men"]))


def test_the_plan_names_covariates():
    case = signals(400, 1, effect)
    named = plan(analysis={"heterogeneity": {"covariates": ["x0", "gender"]}})
    rows = table(case, named).loc["projection"]
    assert list(rows.loc["all"].index) == ["constant", "men", "x0"]
    assert list(rows.loc["women"].index) == ["constant", "x0"]
    assert (joint_test(case, named).df, joint_test(case, plan()).df) == (2, 6)
    assert joint_test(case, named).p_value <= joint_test(case, plan()).p_value


@pytest.mark.parametrize("clusters", [0, 60])
def test_joint_rows_are_the_joint_test(clusters):
    case = grouped(signals(400, 1, effect, clusters=clusters), "site", np.arange(400) % 3)
    stated = plan(groups=["site"])
    rows = table(case, stated).loc["joint"]
    found = joint_test(case, stated)
    row = rows.loc["all", ""]
    assert_allclose(
        row[["statistic", "df", "df_error", "p_value"]].tolist(), list(vars(found).values())
    )
    assert row["p_value"] < 0.05
    beside = joint_test(case, stated, beside_gender=True)
    assert found.statistic != beside.statistic
    assert 0.001 <= rows.loc["all", "site"]["p_value"] <= 1


def test_effects_that_differ_by_level_are_found():
    level = np.arange(900) % 3
    case = grouped(signals(900, 1), "site", level)
    case = gains(case, level == 2)
    assert table(case, plan(groups=["site"])).loc["joint", "all", "site"]["p_value"] < 1e-4


def test_p_values_are_adjusted_as_the_plan_says():
    case = grouped(signals(400, 1, effect), "site", np.arange(400) % 4)
    for how in ("holm", "none", "romano_wolf"):
        rows = table(case, plan(groups=["site"], analysis={"multiplicity": how}))
        slopes = rows.loc["projection", "all"].drop("constant")
        sites = rows.loc["average"].filter(like="site", axis=0)
        for family in (slopes, sites):
            assert len(family) >= 4
            if how == "none":
                assert family["p_value_adjusted"].isna().all()
            elif how == "holm":
                assert_allclose(family["p_value_adjusted"], holm(family["p_value"].to_numpy()))
            else:
                assert (family["p_value_adjusted"] >= family["p_value"]).all()
                assert (
                    family["p_value_adjusted"] <= holm(family["p_value"].to_numpy()) + 0.01
                ).all()
        assert rows.loc["average", "women", ""].isna()["p_value_adjusted"]
        assert rows.loc[("projection", "all", "constant")].isna()["p_value_adjusted"]


def test_the_same_rows_in_every_run():
    case = signals(300, 1, effect)
    pd.testing.assert_frame_equal(table(case), table(case))


def test_three_persons_and_a_level_in_one_arm_are_told():
    case = signals(400, 1)
    three = np.where(np.isin(np.arange(400), np.r_[0, 1, 2]), "few", "many")
    case = grouped(case, "kind", three)
    case = grouped(case, "side", np.where(case.treated & (case.x[:, 0] > 0.5), "in", "out"))
    rows = table(case, plan(groups=["kind", "side"]))
    few, alone = (rows.loc["average", g, ""] for g in ("kind=few", "side=in"))
    assert (few["n"], few["n_treated"] + few["n_control"]) == (3, 3)
    assert np.isnan(few["estimate"])
    assert few["note"] in (
        f"not estimated: fewer than {FEWEST} persons of the group in one of the arms",
        "not estimated: everybody in the group is in the same arm",
    )
    assert alone["note"] == "not estimated: everybody in the group is in the same arm"
    assert alone["n_control"] == 0
    for name in ("kind", "side"):
        joint = rows.loc["joint", "all", name]
        assert joint["note"].endswith("not tested: fewer than two levels have an estimate")
        assert np.isnan(joint["p_value"])


def test_a_covariate_that_is_constant_among_women_has_a_reason():
    case = signals(400, 1, effect)
    x = case.x.copy()
    x[case.groups["women"], 0] = 1.0
    rows = table(replace(case, x=x)).loc["projection"]
    assert rows.loc["women", "x0"]["note"] == (
        "not estimated: the covariate has one value only in the group"
    )
    assert rows.loc["women-men", "x0"]["note"].startswith("not estimated: it needs an estimate")
    told = [("all", "x0"), ("men", "x0"), ("women", "x1"), ("women-men", "x1")]
    assert rows.loc[told, "std_error"].gt(0).all()


def test_rare_values_and_what_others_explain_have_no_slope():
    case = signals(400, 1, effect)
    x = case.x.copy()
    x[:, 1], x[:, 3] = np.arange(400) < 30, 2 * x[:, 0] - 1
    rows = table(replace(case, x=x)).loc["projection", "all"]
    assert rows.loc["x1", "note"] == (
        f"not estimated: fewer than {FEWEST} persons of an arm have one of the two values of the "
        "covariate"
    )
    assert rows.loc["x3", "note"] == "not estimated: the covariates before it leave nothing of it"
    assert rows.loc[["constant", "x0", "x2", "men"], "std_error"].gt(0).all()


def test_too_many_slopes_and_levels_are_refused_with_the_bound():
    case = signals(200, 1, p=40)
    smaller = min(case.treated.sum(), (~case.treated).sum())
    rows = table(case).loc["projection", "all"]
    expected = f"40 slopes, and the persons or clusters of the smaller arm carry {smaller // 5}."
    assert rows["note"].str.startswith(f"not estimated: {expected}").all()
    assert rows["estimate"].isna().all()
    assert np.isnan(joint_test(case, plan()).p_value)
    assert joint_test(case, plan(analysis={"heterogeneity": {"covariates": ["x1"]}})).p_value > 0


def test_no_family_is_larger_than_the_bound(monkeypatch):
    monkeypatch.setattr("evaluate.heterogeneity.projection_rows.MOST", 2)
    case = grouped(signals(400, 1), "site", np.arange(400) % 3)
    sites = table(case, plan(groups=["site"])).loc["average"].filter(like="site", axis=0)
    assert sites["p_value_adjusted"].isna().all()
    assert (sites["note"] == "p-value not adjusted: more than 2 of them").all()
    assert sites["p_value"].notna().all()


def test_twelve_participants_have_rows_that_say_why():
    rng = np.random.default_rng(1)
    arm = np.arange(12) % 2
    study = study_from(rng.normal(size=(12, 1)), arm, arm[::-1] == 1, rng.normal(size=(12, 2)))
    study.groups.update({"site=a": np.arange(12) < 3, "site=b": np.arange(12) >= 3})
    stated = plan_of(study.y, groups=["site"])
    (case,) = told(cases_of(scores_of(study, stated, 1), study, stated))
    rows = table(case, stated)
    assert rows["estimate"].isna().all()
    assert rows["note"].str.contains("not estimated|not tested").all()


def test_few_clusters_and_an_outcome_of_one_value():
    few = signals(200, 1, clusters=2 * FEWEST_CLUSTERS - 2)
    note = table(few).loc["average", "all", ""]["note"]
    assert note == (
        f"not estimated: the group has persons in fewer than {FEWEST_CLUSTERS} clusters of one of "
        "the arms"
    )
    alike = signals(200, 1)
    alike = replace(alike, y=np.ones(200), signal=np.zeros(200))
    rows = table(alike)
    assert rows.loc["average", "all", ""]["note"] == "not estimated: the outcome has one value only"
    assert rows["p_value"].isna().all()


def test_without_a_gender_or_covariates_there_are_few_rows():
    case = signals(200, 1)
    case = replace(
        case, x=np.empty((200, 0)), names=(), sources=(), groups={"all": case.groups["all"]}
    )
    rows = table(case)
    assert list(rows.index) == [
        ("average", "all", ""), ("joint", "all", ""), ("projection", "all", "constant"),
    ]  # fmt: skip
    assert rows.loc["joint", "all", ""]["note"].startswith("not estimated: there is no covariate")


def test_where_likes_are_few_there_is_a_value_without_an_interval():
    """The propensities are so far from each other that effects.csv has no interval either."""
    parts = drawn(1, slope=4.0)
    analysis = {"propensity": {"trim": "none", "model": "logit"}}
    study, stated, _ = staged(parts, analysis)
    (case,) = told(cases_of(scores_of(study, stated, 1), study, stated))
    rows = table(case, stated)
    row = rows.loc["average", "all", ""]
    assert np.isfinite(row["estimate"])
    assert np.isnan(row["std_error"])
    assert "no interval" in row["note"]
    assert "no interval" in rows.loc["projection", "all", "x0"]["note"]
    assert np.isnan(rows.loc["joint", "all", ""]["p_value"])
