"""`evaluate power`: what is asked, what is printed, what is refused."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from simulate import plan_of, study_from
from studies import people, plan_for, write_raw, write_study
from typer.testing import CliRunner

from evaluate import schemas
from evaluate.cli import app
from evaluate.data.stage import run_stage
from evaluate.design.past_trial import (
    components,
    design_effect,
    outcome_column,
    past_trial,
    trial_of,
)
from evaluate.design.power import Clusters, Trial, detectable, persons_needed
from evaluate.design.power_options import Asked, faults_of, planned, steps
from evaluate.effects.table import effects
from evaluate.errors import DesignError, PlanError, Problems
from evaluate.io import write_parquet
from evaluate.plan.load import load_plan, plan_path
from evaluate.study import read_study


def evaluate(*arguments):
    """Run the command in this process; an exception that escapes is a failure."""
    result = CliRunner().invoke(app, ["power", *map(str, arguments)])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def test_the_table_has_all_groups_and_the_ratio_of_the_gap():
    result = evaluate("--persons", 2000, "--women", 0.5, "--baseline", 0.3, "--takeup", 0.5)
    assert result.exit_code == 0
    trial = Trial(2000, women=0.5, baseline=0.3)
    for name, group in (("all", "all"), ("women", "women"), ("women less men", "women-men")):
        found = 100 * detectable(trial, group)
        line = next(x for x in result.output.splitlines() if x.strip().startswith(f"{name}  "))
        assert f"{found:.1f} points" in line
        assert f"{2 * found:.1f} points" in line  # per participant
    assert "must be 2.0 times the average effect" in result.output


def test_without_women_there_is_no_gap():
    output = evaluate("--persons", 500).output
    assert "women" not in output
    assert "0.251 sd" in output


def test_the_persons_needed_are_told_for_every_group():
    output = evaluate("--effect", 0.2, "--women", 0.5).output
    for group, name in (("all", "all"), ("women-men", "women less men")):
        n = persons_needed(Trial(1, women=0.5), 0.2, group)
        assert re.search(rf"{name} +{n:,}\n", output)


def test_the_power_of_a_stated_number_is_told():
    output = evaluate("--effect", 0.2, "--persons", 787).output
    assert "found with a probability of 80% (all)" in output


def test_a_curve_and_a_file(tmp_path):
    path = tmp_path / "power.csv"
    result = evaluate("--women", 0.5, "--over", "500:1500:500", "--csv", path)
    assert result.exit_code == 0
    assert result.output.count("#") > 20
    table = pd.read_csv(path)
    assert table["persons"].unique().tolist() == [500, 1000, 1500]
    assert set(table["group"]) == {"all", "women", "men", "women-men"}
    first = table.query("persons == 500 and group == 'all'")["detectable"].item()
    assert_allclose(first, detectable(Trial(500.0)))


def test_clusters_by_number_and_by_size():
    by_number = evaluate("--persons", 600, "--clusters", 30, "--icc", 0.05).output
    by_size = evaluate("--persons", 600, "--cluster-size", 20, "--icc", 0.05).output
    product = evaluate("--clusters", 30, "--cluster-size", 20, "--icc", 0.05).output
    assert by_number == by_size == product
    assert "30 clusters of 20 persons" in by_number
    assert "design effect 1.95" in by_number


def test_the_gap_within_clusters_says_what_it_takes_for_granted():
    output = evaluate("--clusters", 30, "--cluster-size", 20, "--icc", 0.05, "--women", 0.5).output
    assert "--icc-gender says otherwise" in output


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--persons", 100, "--offered", 50], r"--offered 50: .* A share, not per cent: 0.5"),
        (["--persons", 100, "--offered", 0], "--offered 0: must be above 0"),
        (["--persons", 100, "--women", 1.5], "--women 1.5: must be from 0 to 1"),
        (["--persons", 100, "--baseline", 30], "--baseline 30: .* not per cent: 0.3"),
        (["--persons", 100, "--r2", 1], "--r2 1: must be from 0 to below 1"),
        (["--persons", 100, "--takeup", 0], "--takeup 0: must be above 0 to 1"),
        (["--persons", 100, "--attrition", -0.1], "--attrition -0.1: must be from 0"),
        (["--persons", 100, "--sd", -1], r"--sd -1: must be above 1e-100 to below 1e\+100"),
        (["--persons", 100, "--sd", "nan"], "--sd nan: must be above 1e-100"),
        (["--persons", 100, "--level", 95], "--level 95: .* not per cent: 0.95"),
        (["--persons", 100, "--sd", 1e300], r"--sd 1e\+300: must be above"),
        (["--effect", 1e300], r"--effect 1e\+300: must be from -1e\+100 to 1e\+100"),
        (["--effect", "nan"], "--effect nan: must be from"),
        (["--over", "1:1000000000:1"], "--over 1:1000000000:1: .* at most 200"),
        (["--over", "4:1000000000:1"], "--over 4:1000000000:1: .* at most 200"),
        (["--persons", 1], "--persons 1: must be from 4"),
        (["--persons", 100, "--sd", 1, "--baseline", 0.3], "exclude each other"),
        (["--persons", 100, "--icc", 0.1], "--icc: name --clusters"),
        (["--persons", 100, "--clusters", 10], "--icc: with clusters"),
        (["--persons", 100, "--clusters", 200, "--icc", 0.1], "--clusters 200: more than"),
        (
            ["--persons", 100, "--clusters", 10, "--cluster-size", 10, "--icc", 0.1],
            "name two of them",
        ),
        (
            ["--persons", 100, "--clusters", 10, "--icc", 0.6, "--icc-gender", 0.5],
            "together must be below 1",
        ),
        ([], "name --persons"),
        (["--persons", 100, "--for", "women"], "--for women: must be one of all"),
        (["--persons", 100, "--over", "a:b"], "--over a:b"),
        (["--persons", 100, "--over", "500:100:50"], "--over"),
        (["--persons", 100, "--outcome", "work"], "--outcome is of a programme"),
        (["--effect", 0.9, "--baseline", 0.3], "below 0 or above 1"),
        (["--effect", 0], "effect of zero"),
        (["--effect", 0.1, "--clusters", 20, "--icc", 0.1], "no number of persons"),
        (["--persons", 50, "--blocks", 60], "no degrees of freedom"),
        (["NAME", "--directory", "nowhere"], "nowhere: no such folder"),
    ],
)
def test_what_cannot_be_is_said_with_its_bounds(options, message):
    result = evaluate(*options)
    assert result.exit_code == 1
    assert re.search(message, result.stderr), result.stderr
    assert "Traceback" not in result.output + result.stderr


@pytest.mark.parametrize("options", [["--effect", 1e100], ["--effect", 1e20, "--sd", 1e-99]])
def test_an_effect_that_cannot_be_missed_is_found_with_few_persons(options):
    result = evaluate(*options, "--persons", 100)
    assert result.exit_code == 0
    assert "found with a probability of 100%" in result.output


def test_all_faults_are_said_at_once():
    faults = faults_of(Asked(offered=2.0, r2=-1.0))
    assert len(faults) == 2
    with pytest.raises(Problems):
        planned(Asked(persons=100, offered=2.0))


def test_options_replace_what_another_trial_says():
    base = Trial(600, 0.4, 0.3, baseline=0.2, r2=0.1, clusters=Clusters(icc=0.05, size=20))
    trial = planned(Asked(persons=1000, r2=0.3), base)
    assert (trial.offered, trial.baseline, trial.r2, trial.persons) == (0.4, 0.2, 0.3, 1000)
    assert trial.number_of_clusters == 50
    more = planned(Asked(clusters=60), base)
    assert (more.persons, more.number_of_clusters) == (1200, 60)
    larger = planned(Asked(clusters=60, persons=2400), base)
    assert larger.number_of_clusters == 60
    assert planned(Asked(sd=3.0), base).baseline is None


def test_steps_of_a_curve():
    assert steps("1_000,500") == [500, 1000]
    assert steps("500:1600:500") == [500, 1000, 1500]
    with pytest.raises(PlanError, match="at most"):
        steps("4:1000:1")


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """Clean the data of a programme and stand in its folder."""
    folder = tmp_path_factory.mktemp("finished")
    columns = {
        "person": "id",
        "gender": {"column": "sex", "women": "F", "men": "M"},
        "treatment": {"column": "treat", "control": 0},
        "takeup": {"column": "attended", "taken": 1},
        "blocks": ["site"],
    }
    outcomes = {
        "work": {"column": "work", "unit": "share", "role": "primary"},
        "earn": {
            "columns": {6: "earn6", 12: "earn12"}, "baseline": "earn0", "unit": "SEK per month",
        },
    }  # fmt: skip
    plan = plan_for("last", columns=columns, outcomes=outcomes, covariates=["age"])
    write_study(folder, {"last": plan})
    write_raw(folder, "last", people(400))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        stage = run_stage(load_plan(plan_path("last")), "work")
        build = folder / "build/last"
        write_parquet(
            stage.tables["participants"], build / "participants.parquet", schemas.PARTICIPANTS
        )
        write_parquet(stage.outcomes.to_pandas(), build / "outcomes.parquet", schemas.OUTCOMES)
        yield folder


def test_a_finished_programme_says_what_the_next_would_be(finished):
    trial, column, unit = past_trial("last", None)
    assert (column.name, unit, trial.persons) == ("work", "share", 400)
    raw = people(400)
    assert_allclose(trial.offered, 0.5)
    assert_allclose(trial.women, (raw["sex"] == "F").mean())
    assert_allclose(trial.baseline, raw.loc[raw["treat"] == 0, "work"].mean())
    assert_allclose(trial.takeup, raw.loc[raw["treat"] == 1, "attended"].mean())
    assert trial.blocks == 2
    earn, column, unit = past_trial("last", "earn")
    assert (column.name, unit) == ("earn@12", "SEK per month")
    assert earn.baseline is None
    assert earn.r2 > 0.5  # the baseline predicts it
    assert past_trial("last", "earn@6")[1].name == "earn@6"


def test_the_next_trial_of_the_same_size_finds_what_the_last_would_have(finished):
    plan, build = load_plan(plan_path("last")), finished / "build/last"
    study = read_study(build / "participants.parquet", build / "outcomes.parquet", plan)
    lead = effects(study, plan).table.query(
        "estimator == 'lin' and estimand == 'itt' and month == 12"
    )
    error = lead.query("group == 'all'")["std_error"].item()
    trial, _, _ = past_trial("last", "earn@12")
    # the regression of either arm has slopes of its own, and effects vary
    assert_allclose(detectable(trial), 2.81 * error, rtol=0.15)


def test_the_command_reads_a_finished_programme(finished):
    result = evaluate("last", "--persons", 3000)
    assert result.exit_code == 0
    assert "From build/last: work" in result.output
    assert "have not passed the release gate" in result.output
    assert "3,000 persons" in result.output
    for options, message in (
        (["last", "--outcome", "wrk"], "--outcome wrk: the plan names earn, work"),
        (["first"], "config/programmes/first.yaml: no such file"),
    ):
        refused = evaluate(*options)
        assert refused.exit_code == 1
        assert message in refused.stderr


def test_a_programme_that_was_not_run_is_to_be_run_first(tmp_path, monkeypatch):
    write_study(tmp_path, {"new": plan_for("new")})
    monkeypatch.chdir(tmp_path)
    result = evaluate("new")
    assert result.exit_code == 1
    assert "First `evaluate run new`" in result.stderr


def test_the_outcome_is_the_primary_one_in_its_month(finished):
    plan = load_plan(plan_path("last"))
    assert outcome_column(plan, None).name == "work"
    assert outcome_column(plan, "earn").name == "earn@12"


@pytest.mark.parametrize("scale", [1.0, 1e-12, 1e12])
def test_an_outcome_without_spread_within_arms_is_refused(scale):
    arm = np.arange(40) % 2
    y = scale * (0.1 + 0.2 * arm)[:, None]
    study, plan = study_from(y, arm, np.arange(40) < 20), plan_of(y)
    with pytest.raises(DesignError, match="does not vary within the arms of last; give --baseline"):
        trial_of(study, plan, plan.outcome_columns[0], "last")


def test_variance_components_are_those_drawn():
    rng = np.random.default_rng(1)
    cluster = np.repeat(np.arange(2_000), rng.integers(2, 30, 2_000))
    y = 0.5 * rng.normal(size=2_000)[cluster] + rng.normal(size=len(cluster))
    found = components(y, cluster)
    assert_allclose([found.between, found.within], [0.25, 1.0], rtol=0.1)


def test_clusters_that_were_drawn_say_what_they_share():
    rng = np.random.default_rng(2)
    clusters, size = 600, 20
    cluster, women = np.repeat(np.arange(clusters), size), np.arange(clusters * size) % 2 == 0
    x = rng.normal(size=clusters)[cluster]
    both = np.sqrt(0.1) * rng.normal(size=clusters)[cluster]
    own = np.sqrt(0.05) * rng.normal(size=2 * clusters)[2 * cluster + women]
    y = np.sqrt(0.1) * x + both + own + np.sqrt(0.75) * rng.normal(size=len(cluster))
    study = study_from(y[:, None], cluster % 2, women, x[:, None], cluster=cluster)
    plan = plan_of(y[:, None], columns={"cluster": "c"}, covariates=["x0"])
    trial = trial_of(study, plan, plan.outcome_columns[0])
    found = trial.clusters
    assert (trial.number_of_clusters, found.size_cv, trial.women) == (clusters, 0, 0.5)
    assert_allclose(found.icc, 0.1 + 0.1, atol=0.03)  # x, and the cluster's own
    assert_allclose(found.icc_gender, 0.05, atol=0.02)
    assert_allclose(found.r2, 0.1 / 0.225, atol=0.08)
    assert trial.r2 < 0.02  # the covariate does not vary within clusters
    lead = effects(study, plan).table.query("estimator == 'ancova' and estimand == 'itt'")
    for row in lead.itertuples():
        assert_allclose(detectable(trial, row.group), 2.805 * row.std_error, rtol=0.12)


def test_a_missing_folder_of_the_file_is_said_and_not_made(tmp_path):
    path = tmp_path / "none" / "here" / "power.csv"
    result = evaluate("--persons", 500, "--csv", path)
    assert result.exit_code == 1
    assert f"--csv {path}: the folder {path.parent} is missing. Make it first." in result.stderr
    assert not list(tmp_path.iterdir())


def weighted_trial(weight, arm, seed=3, cluster=None):
    y = np.random.default_rng(seed).normal(size=(len(arm), 1))
    women = np.arange(len(arm)) // 4 % 2 == 0
    study = study_from(y, arm, women, weight=weight, cluster=cluster)
    columns = {"weight": "w"} | ({"cluster": "c"} if cluster is not None else {})
    plan = plan_of(y, columns=columns)
    return trial_of(study, plan, plan.outcome_columns[0]), effects(study, plan).table.iloc[0]


def test_weights_enter_by_their_design_effect():
    rng = np.random.default_rng(4)
    arm, weight = np.arange(4_000) % 4 == 0, rng.lognormal(sigma=0.8, size=4_000)
    trial, row = weighted_trial(weight, arm.astype(int))
    by_arm = [np.mean(weight[a] ** 2) / np.mean(weight[a]) ** 2 for a in (arm, ~arm)]
    assert_allclose(trial.weighting, by_arm @ np.array([0.75, 0.25]))
    # the spread of a sample of 4,000, and of its weighted mean of squares
    assert_allclose(detectable(trial), 2.802 * row["std_error"], rtol=0.06)


def test_weights_that_are_all_one_change_nothing():
    arm = np.arange(400) % 2
    without, _ = weighted_trial(None, arm)
    alike, _ = weighted_trial(np.full(400, 3.0), arm)
    assert without.weighting == 1
    assert_allclose(alike.weighting, 1)
    assert_allclose(detectable(alike), detectable(without))


def test_weights_of_clusters_are_their_sizes():
    rng = np.random.default_rng(6)
    cluster = np.repeat(np.arange(200), 10)
    weight = rng.lognormal(sigma=0.5, size=200)[cluster]
    trial, _ = weighted_trial(weight, cluster % 2, cluster=cluster)
    size = np.bincount(cluster, weight)
    assert_allclose(trial.clusters.size_cv, size.std() / size.mean())


@given(st.lists(st.floats(0.01, 100), min_size=4, max_size=40), st.floats(1e-100, 1e100))
def test_the_design_effect_is_one_or_more_whatever_the_scale(weights, scale):
    weight, offered = np.array(weights), np.arange(len(weights)) % 2 == 0
    found = design_effect(weight, offered)
    assert 1 <= found <= len(weights)
    assert_allclose(design_effect(scale * weight, offered), found)


def test_the_command_states_the_weights_of_a_finished_programme(finished):
    assert "Weights" not in evaluate("last").output
    weighted = plan_for(
        "heavy",
        columns=plan_for("last")["columns"] | {"weight": "w"},
        data={"participants": {"path": "data/raw/last/p.csv"}},
    )
    write_study(finished, {"heavy": weighted})
    stage = run_stage(load_plan(plan_path("heavy")), "work")
    build = finished / "build/heavy"
    persons = stage.tables["participants"]
    write_parquet(persons, build / "participants.parquet", schemas.PARTICIPANTS)
    write_parquet(stage.outcomes.to_pandas(), build / "outcomes.parquet", schemas.OUTCOMES)
    trial, _, _ = past_trial("heavy", None)
    assert trial.weighting > 1.05
    output = evaluate("heavy").output
    assert f"Weights: design effect {trial.weighting:.2f} (Kish). --weighting says" in output
    assert "Weights" not in evaluate("heavy", "--weighting", 1).output
    assert "design effect 1.50" in evaluate("--persons", 900, "--weighting", 1.5).output
    assert "--weighting 0.5: must be from 1" in evaluate("--persons", 9, "--weighting", 0.5).stderr
