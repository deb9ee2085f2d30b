"""A simulated programme that nobody drew, through Snakemake; and input that cannot carry it.

Everybody was registered in January 2022. Those with little schooling and low earnings took part
more often; they started in March, April or May. Earnings rise by 2,000 for women and by 1,000 for
men from the start on, and by nothing before. No person is real.
"""

import os
import re

import numpy as np
import pandas as pd
import pytest
from studies import KEY, evaluated, plan_for, table, write_raw, write_study

from evaluate.errors import EvaluateError
from evaluate.plan.observational import Protocol
from evaluate.release import RELEASED

from .conftest import copy_workflow

NAME, PERSONS = "track", 900
WOMEN, MEN = 2_000.0, 1_000.0
MONTHS = range(-3, 9)  # month 1 is January; those below are before
OBSERVATIONAL = (
    "propensity_models", "overlap", "propensity_histogram", "graph", "event_study",
    "sensitivity", "refutations", "specifications", "verdict", "gap", "conditional_effects",
    "heterogeneity_tests", "sorted_groups", "sorted_profile", "effect_distribution", "policies",
    "policy_tree", "targeting_curve",
)  # fmt: skip
COVARIATES = ["age", "schooling", "income"]
PROTOCOL = {item: {"en": "Simulated.", "sv": "Simulerat."} for item in Protocol.model_fields}


def registered(n=PERSONS, seed=5):
    """Draw the raw table."""
    rng = np.random.default_rng(seed)
    women = rng.random(n) < 0.5
    age = rng.integers(20, 60, n)
    schooling = rng.normal(size=n)
    income = 15_000 + 2_000 * schooling + rng.normal(0, 1_500, n)
    index = -0.5 - 0.6 * schooling - 0.0002 * (income - 15_000) + 0.3 * women
    treated = rng.random(n) < 1 / (1 + np.exp(-index))
    start = rng.integers(3, 6, n)  # March to May
    gain = np.where(women, WOMEN, MEN)
    frame = pd.DataFrame(
        {
            "id": [f"{KEY}{seed:02d}{i:05d}" for i in rng.permutation(n)],
            "sex": np.where(women, "F", "M"),
            "treat": treated.astype(int),
            "registered": "2022-01-10",
            "started": np.where(treated, [f"2022-{m:02d}-15" for m in start], ""),
            "age": age,
            "schooling": schooling.round(3),
            "income": income.round(),
            "sick": (rng.random(n) < 0.2 - 0.03 * schooling.clip(-1, 1)).astype(int),
        }
    )
    for month in MONTHS:
        since = treated & (month >= start)
        earned = income + 300 * month + gain * since + rng.normal(0, 1_500, n)
        frame[f"earn{month}"] = earned.round()
    return frame


def track(**sections):
    """Return the programme file of `registered`."""
    plan = plan_for(
        NAME,
        design="observational",
        columns={
            "person": "id",
            "gender": {"column": "sex", "women": "F", "men": "M"},
            "treatment": {"column": "treat", "control": 0},
            "offered": "registered",
            "started": "started",
        },
        covariates=COVARIATES,
        outcomes={
            "earn": {
                "columns": {month: f"earn{month}" for month in MONTHS},
                "primary_month": 8,
                "unit": "SEK per month",
                "role": "primary",
            },
            "sick": {"column": "sick", "unit": "share", "role": "placebo"},
        },
        analysis={
            "estimators": ["aipw", "entropy_balancing", "regression", "difference_in_means", "did"],
            "propensity": {"model": "logit", "trim": "none"},
            "cross_fitting": {"splits": 1, "learner": "linear"},
        },
        protocol=PROTOCOL,
        graph={
            "edges": [
                *([c, node] for c in COVARIATES for node in ("treatment", "earn")),
                ["schooling", "income"],
                ["treatment", "earn"],
            ]
        },
    )
    return {key: value for key, value in (plan | sections).items() if value is not None}


RULE = re.compile(r"^(?:local)?rule (\w+):$", flags=re.MULTILINE)


def pending(workflow, study):
    """Return the rules that a run would take up, without `all`."""
    dry = workflow.run(study, "--dry-run")
    assert dry.returncode == 0, dry.stdout
    return set(RULE.findall(dry.stdout)) - {"all"}


def test_a_study_without_a_lottery_runs_and_its_effects_are_those_planted(tmp_path):
    """One run for all that rests on it, for a run takes a minute."""
    workflow, study = copy_workflow(tmp_path / "code"), tmp_path / "study"
    write_study(study, {NAME: track()}, languages=["sv"])
    write_raw(study, NAME, registered())
    done = workflow.run(study)
    assert done.returncode == 0, done.stdout
    assert {"propensity", "graph", "event_study", "sensitivity"} <= set(RULE.findall(done.stdout))

    results = study / "results" / NAME
    tables = {name: table(results, name) for name in RELEASED}  # each by its schema
    for name in OBSERVATIONAL:
        assert len(tables[name]), name
    assert (results / "report.sv.html").is_file()

    effects = tables["effects"].query("outcome == 'earn' and month == 8")
    rows = effects.set_index(["estimator", "group"])
    truth = {"women": WOMEN, "men": MEN, "women-men": WOMEN - MEN}
    for estimator in ("aipw", "entropy_balancing"):
        for group, effect in truth.items():
            row = rows.loc[estimator, group]
            assert abs(row["estimate"] - effect) < 4 * row["std_error"], (estimator, group)
            assert row["std_error"] < 400
    raw = rows.loc["difference_in_means", "women"]
    assert raw["estimate"] < WOMEN - 4 * raw["std_error"]

    events = tables["event_study"]
    overall = events.query("kind == 'overall'").set_index("group")
    for group, effect in truth.items():
        row = overall.loc[group]
        assert abs(row["estimate"] - effect) < 4 * row["std_error"], group
    trend = events.query("kind == 'pre_trend' and group == 'all'")
    assert (trend["p_value"] > 0.001).all()
    assert set(tables["verdict"]["group"]) >= {"all", "women", "men"}

    # What is there is not made again, and what an edit touches is.
    assert "Nothing to be done" in workflow.run(study, "--dry-run").stdout
    edits = {
        "src/evaluate/effects/observational/entropy_balancing.py": (
            {"effects", "sensitivity", "release", "report"}, {"data", "graph"}
        ),
        "src/evaluate/effects/sensitivity/e_value.py": (
            {"sensitivity", "release"}, {"data", "propensity", "graph", "event_study"}
        ),
        "src/evaluate/heterogeneity/scores.py": (
            {"scores", "gap", "conditional_effects", "release", "report"},
            {"data", "propensity", "effects", "sensitivity", "heterogeneity"},
        ),
        "src/evaluate/heterogeneity/distribution.py": (
            {"conditional_effects", "release"}, {"scores", "gap", "effects", "heterogeneity"}
        ),
        "src/evaluate/design/graph.py": (
            {"graph", "sensitivity", "release"}, {"data", "propensity", "event_study"}
        ),
    }  # fmt: skip
    for name, (reruns, stays) in edits.items():
        path = workflow.code / name
        before, times = path.read_bytes(), path.stat()
        path.write_bytes(before + b"\n")
        found = pending(workflow, study)
        path.write_bytes(before)
        os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
        assert reruns <= found, (name, found)
        assert not stays & found, (name, found)

    # A fault in the data stops the one rule with its reason, and no traceback.
    separated = registered().assign(schooling=lambda d: d["treat"] + d["schooling"].clip(0, 0.9))
    write_raw(study, NAME, separated)
    stopped = workflow.command(study, "run")
    assert stopped.returncode == 1
    assert "tell the" in stopped.stderr
    assert "without error" in stopped.stderr
    assert "Traceback" not in stopped.stdout + stopped.stderr


# Input that cannot carry the design


def refused(tmp_path, plan, frame):
    """Return the message with which a study stops."""
    with pytest.raises(EvaluateError) as stopped:
        evaluated(tmp_path, NAME, plan, frame)
    message = str(stopped.value)
    assert KEY not in message
    return message


def quick(**sections):
    """Return a plan without months, for what stops before any estimate."""
    outcomes = {"earn": {"column": "earn8", "unit": "SEK per month", "role": "primary"}}
    analysis = {"estimators": ["aipw", "matching", "regression", "difference_in_means"]}
    analysis |= {"cross_fitting": {"splits": 1, "learner": "linear"}, "permutations": 99}
    analysis |= sections.pop("analysis", {})
    return track(**{"outcomes": outcomes, "analysis": analysis, "graph": None} | sections)


def people(n=300):
    """Draw fewer persons, for the same."""
    return registered(n)


def logit(**more):
    return {"propensity": {"model": "logit", "trim": "none"} | more}


def test_covariates_that_tell_the_treated_are_named(tmp_path):
    frame = people().assign(age=lambda d: 30 + 30 * d["treat"] + d.index % 7)
    message = refused(tmp_path, quick(analysis=logit()), frame)
    assert "tell the" in message
    assert "without error" in message
    assert "age" in message


def test_no_overlap_within_the_bounds_stops_with_counts(tmp_path):
    message = refused(tmp_path, quick(analysis=logit(trim=[0.97, 0.99])), people())
    assert re.search(r"trimming to 0\.97-0\.99 leaves an arm empty: \d+ of \d+ treated", message)


def test_a_covariate_measured_after_time_zero_is_named_and_counted(tmp_path):
    frame = people().assign(asked="2022-01-01")
    frame.loc[:11, "asked"] = "2022-02-01"
    late = {"column": "schooling", "measured": "asked"}
    message = refused(tmp_path, quick(covariates=["age", late]), frame)
    assert "schooling" in message
    assert "12" in message
    plan = quick(covariates=["age", {"column": "schooling", "measured": "2022-03-01"}])
    assert "schooling" in refused(tmp_path / "for all", plan, frame)


def test_treatment_with_one_value_within_a_gender_is_told_in_its_rows(tmp_path):
    frame = people().assign(treat=lambda d: d["treat"].where(d["sex"] == "F", 0))
    frame.loc[frame["treat"] == 0, "started"] = ""
    found = evaluated(tmp_path, NAME, quick(analysis=logit(within_gender=True)), frame)
    rows = found.table("effects").query("estimator == 'aipw'").set_index("group")
    assert np.isnan(rows.loc["men", "estimate"])
    assert np.isnan(rows.loc["women-men", "estimate"])
    assert "0 treated" in rows.loc["men", "note"]
    assert np.isfinite(rows.loc["women", "estimate"])
    (model,) = found.table("propensity_models").query("group == 'all'").to_dict("records")
    men = (frame["sex"] == "M").sum()
    assert f"nobody is treated of the {men} persons among men" in model["note"]


def test_more_covariates_than_treated_stop_with_both_numbers(tmp_path):
    frame = people()
    frame["treat"] = frame["treat"] * (frame["treat"].cumsum() <= 12)
    frame.loc[frame["treat"] == 0, "started"] = ""
    rng = np.random.default_rng(3)
    names = [f"x{i}" for i in range(15)]
    frame[names] = rng.normal(size=(len(frame), 15)).round(3)
    message = refused(tmp_path, quick(covariates=names, analysis=logit()), frame)
    assert re.search(r"1[56] covariate columns, and 12 treated", message)


def test_a_caliper_that_prunes_everybody_is_told_in_the_rows(tmp_path):
    plan = quick(analysis=logit() | {"matching": {"caliper": 1e-12}})
    effects = evaluated(tmp_path, NAME, plan, people()).table("effects")
    rows = effects.query("estimator == 'matching' and group == 'all'")
    assert rows["estimate"].isna().all()
    assert rows["note"].str.contains("nobody can be matched").all()
    other = effects.query("estimator == 'aipw' and group == 'all'")
    assert other["estimate"].notna().all()


def test_a_covariate_that_most_lack_is_named_with_its_count(tmp_path):
    frame = people()
    frame["age"] = frame["age"].astype(float).mask(frame.index % 3 > 0)
    message = refused(tmp_path, quick(analysis=logit()), frame)
    assert re.search(r"missing for more than half of 300 persons: age \(200\)", message)
