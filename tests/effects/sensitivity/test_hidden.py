"""The table of hidden factors: what the functions of arrays give, put in the right rows."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from evaluate import schemas
from evaluate.effects.observational.sample import arranged
from evaluate.effects.sensitivity import benchmarks, rosenbaum
from evaluate.effects.sensitivity.hidden import Undone, of_pairs, of_regression
from evaluate.effects.sensitivity.omitted_variable import robustness_value
from evaluate.effects.sensitivity.questions import Case, asked, questions

from .persons import plan_of, stage_of, study_of, tables_of

RTOL = 1e-9  # the same numbers, put in a table
GROUPS = ("all", "women", "men")


@pytest.fixture(scope="module")
def found():
    plan = plan_of()
    study = study_of(plan, n=700)
    tables = tables_of(study, plan)
    return study, plan, tables, stage_of(study, plan, tables).sensitivity


def case_of(study, plan, group="all"):
    one = asked(study, plan, questions(plan))[0]
    there = arranged(study, plan, one.covariates, one.observed, (1, 0), study.groups[group])
    return Case(plan, one.questions, "1", group, there, one.y[there.rows])


def rows_of(table, **equal):
    for column, value in equal.items():
        table = table[table[column] == value]
    return table


def test_the_schema_and_what_is_asked(found):
    *_, table = found
    schemas.SENSITIVITY.validate(table)
    assert set(table["outcome"]) == {"earn", "work"}  # not of placebo outcomes
    for method in ("e_value", "robustness_value", "rosenbaum", "long_story_short"):
        rows = rows_of(table, method=method)
        assert set(GROUPS) <= set(rows["group"])
        assert rows["value"].notna().all()
    assert set(rows_of(table, group="women-men")["method"]) == {"long_story_short"}


@pytest.mark.parametrize("group", GROUPS)
def test_the_regression_and_its_benchmarks(found, group):
    study, plan, _, table = found
    case = case_of(study, plan, group)
    seen = benchmarks.observed(case.y, case.one.treated, case.one.x, case.one.sources)
    rows = rows_of(table, outcome="earn", group=group, estimator="regression")
    value = rows_of(rows, method="robustness_value").iloc[0]
    t, df = seen.found.t[0], seen.found.df
    assert_allclose(value["value"], robustness_value(t, df), rtol=RTOL)
    assert_allclose(value["value_interval"], robustness_value(t, df, level=0.95), rtol=RTOL)
    needed = benchmarks.multiples(seen, 0.95)
    for b, name in enumerate(seen.names):
        three = rows_of(rows, method="benchmark", benchmark=name)
        assert list(three["strength"]) == [1, 2, 3]
        r2_yz, r2_dz = benchmarks.bounds(seen, 2.0)
        assert_allclose(three["r2_outcome"].iloc[1], r2_yz[b, 0], rtol=RTOL)
        assert_allclose(three["r2_treatment"].iloc[1], r2_dz[b, 0], rtol=RTOL)
        assert_allclose(three["value"].iloc[0], needed[0][b, 0], rtol=RTOL)
    assert set(seen.names) == {"age", "skill", "before"} | ({"gender"} if group == "all" else set())


def test_a_factor_that_strong_takes_the_estimate_to_none(found):
    """At the multiple that the table states, the interval that the table states holds zero."""
    study, plan, _, table = found
    case = case_of(study, plan)
    seen = benchmarks.observed(case.y, case.one.treated, case.one.x, case.one.sources)
    row = rows_of(table, outcome="work", group="all", method="benchmark", benchmark="skill").iloc[0]
    r2_yz, r2_dz = benchmarks.bounds(seen, row["value"])
    b = seen.names.index("skill")
    moved = benchmarks.adjusted(seen.found, r2_yz[b], r2_dz[b])
    assert abs(moved.value[1]) < 1e-6


def test_a_categorical_covariate_is_one_benchmark():
    plan = plan_of()
    study = study_of(plan, n=500)
    levels = np.array(["a", "b", "c"])[np.arange(500) % 3]
    covariates = study.covariates.assign(skill=levels)
    study = type(study)(**{**study.__dict__, "covariates": covariates})
    case = case_of(study, plan)
    undone = Undone()
    of_regression(undone, case)
    rows = [r for r in undone.rows if r["method"] == "benchmark" and r["outcome"] == "earn"]
    names = [r["benchmark"] for r in rows if r["strength"] == 1.0]
    assert sorted(names) == ["age", "before", "gender", "skill"]
    columns = np.array([s == "skill" for s in case.one.sources])
    assert columns.sum() == 2


def test_pairs_are_of_one_gender_and_of_two_persons(found):
    study, plan, _, table = found
    case = case_of(study, plan)
    exact = study.groups["men"][case.one.rows].astype(int)
    undone = Undone()
    of_pairs(undone, case, exact)
    earn, work = undone.rows
    assert "signed rank" in earn["note"]
    assert "McNemar" in work["note"]
    assert earn["value"] >= earn["value_interval"] >= 1
    row = rows_of(table, outcome="earn", group="all", method="rosenbaum").iloc[0]
    assert row["value_interval"] == earn["value_interval"]


def test_gamma_where_every_pair_agrees():
    """Twenty pairs, all with the larger outcome among the treated: P = share^20 = 0.025."""
    assert_allclose(
        rosenbaum.largest_gamma_binary(np.ones((20, 1)))[0],
        0.025 ** (1 / 20) / (1 - 0.025 ** (1 / 20)),
        rtol=1e-8,
    )


def test_the_e_value_of_a_share_is_of_adjusted_means(found):
    study, _, tables, table = found
    effects = tables["effects"]
    lead = rows_of(effects, outcome="work", estimator="aipw", group="all").iloc[0]
    treated = study.arm == 1
    without = study.y[treated, 1].mean() - lead["estimate"]
    ratio = study.y[treated, 1].mean() / without
    row = rows_of(table, outcome="work", group="all", method="e_value").iloc[0]
    assert_allclose(row["strength"], ratio, rtol=RTOL)
    assert_allclose(row["value"], ratio + np.sqrt(ratio * (ratio - 1)), rtol=RTOL)


def test_the_long_story_of_the_gap_adds_up_both(found):
    *_, table = found
    rows = rows_of(table, outcome="earn", method="long_story_short").set_index("group")
    assert rows.loc["women-men", "value"] < min(rows.loc[["women", "men"], "value"])


def test_leaving_out_the_confounder_counts_most():
    """And a factor as strong as it widens the bounds, one as strong as age hardly."""
    plan = plan_of(covariates=("age", "skill"))
    study = study_of(plan, n=900)
    table = stage_of(study, plan, tables_of(study, plan)).sensitivity
    rows = rows_of(table, outcome="earn", group="all", method="long_story_short_benchmark")
    one = rows_of(rows, strength=1.0).set_index("benchmark")
    assert one.loc["skill", "r2_outcome"] > 5 * one.loc["age", "r2_outcome"]
    wide = one["high"] - one["low"]
    assert wide["skill"] > 1.2 * wide["age"]
    assert one.loc["skill", "value"] == rows_of(rows, benchmark="skill")["value"].min()


def test_a_hidden_factor_is_seen_only_by_what_it_does_not_have():
    """Robustness values grow with hidden selection: they are no evidence of its absence."""
    values = []
    for hidden in (0.0, 1.0):
        plan = plan_of()
        study = study_of(plan, n=700, hidden=hidden)
        made = stage_of(study, plan, tables_of(study, plan))
        rows = rows_of(made.sensitivity, outcome="earn", group="all", method="robustness_value")
        values.append(rows["value"].iloc[0])
    assert values[1] > values[0]
