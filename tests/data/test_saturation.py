"""Draws in two levels: who was exposed is an arm of its own, and shares are those drawn."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from studies import plan_for, run_scripts, write_raw, write_study

from evaluate.data.clean import clean, read_tables
from evaluate.errors import EvaluateError, PlanError, Problems
from evaluate.io import read_csv
from evaluate.plan.load import load_plan
from evaluate.plan.model import Plan
from evaluate.schemas import released
from evaluate.study import study_of

COLUMNS = {
    "gender": {"column": "sex", "women": "F", "men": "M"},
    "treatment": {"column": "offer", "control": 0, "arms": [1]},
    "cluster": "market",
}
SATURATION = {"saturation": {"column": "share", "control": 0}}


def persons(markets=24, size=60, seed=2):
    """Draw a raw table of markets with shares 0, a quarter and three quarters."""
    rng = np.random.default_rng(seed)
    drawn = rng.permutation(np.resize([0, 0.25, 0.75], markets))
    market = np.repeat(np.arange(markets), size)
    offer = np.zeros(len(market), dtype=int)
    for m in range(markets):
        here = rng.permutation(np.flatnonzero(market == m))
        offer[here[: round(drawn[m] * size)]] = 1
    level = 0.3 + 0.2 * offer - 0.1 * ((drawn[market] > 0) & (offer == 0))
    return pd.DataFrame(
        {
            "sex": np.where(rng.random(len(market)) < 0.5, "F", "M"),
            "market": [f"m{m}" for m in market],
            "share": drawn[market],
            "offer": offer,
            "age": rng.integers(20, 60, len(market)),
            "work": (rng.random(len(market)) < level).astype(int),
        }
    )


@pytest.fixture
def study(tmp_path, monkeypatch):
    """Return a function that writes a study, stands in it and cleans its data."""
    monkeypatch.chdir(tmp_path)

    def made(frame, **sections):
        outcomes = {"work": {"column": "work", "unit": "share", "role": "primary"}}
        sections = {"columns": COLUMNS, "assignment": SATURATION, "outcomes": outcomes} | sections
        write_study(tmp_path, {"markets": plan_for("markets", **sections)})
        write_raw(tmp_path, "markets", frame)
        plan = load_plan("config/programmes/markets.yaml")
        return clean(read_tables(plan), plan), plan

    return made


def test_those_without_an_offer_beside_others_are_an_arm_of_their_own(study):
    frame = persons()
    cleaned, plan = study(frame)
    exposed = (frame["offer"] == 0) & (frame["share"] > 0)
    arms = cleaned.participants["arm"]
    assert (arms == "exposed").tolist() == exposed.tolist()
    assert (arms == "0").sum() == (frame["share"] == 0).sum()
    assert cleaned.participants["saturation"].tolist() == frame["share"].tolist()
    found = study_of(cleaned.participants, cleaned.outcomes, plan)
    assert found.arms == ("0", "1", "exposed")
    assert [found.label(c) for c in found.contrasts] == ["1", "exposed"]
    assert "arm=exposed" in cleaned.flow


def test_without_a_saturation_a_cluster_has_one_arm(study):
    with pytest.raises(Problems, match="clusters hold more than one arm"):
        study(persons(), assignment={})


def changed(column, rows, value):
    frame = persons()
    frame[column] = frame[column].astype(object)
    frame.loc[rows(frame), column] = value
    return frame


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        (changed("share", lambda f: f.index < 3, None), "3 rows missing, or below 0 or above 1"),
        (changed("share", lambda f: f["share"] == 0.75, 75), "0.25 and not 25"),
        (changed("share", lambda f: f.index == 0, 0.5), "1 of 24 clusters .* more than one share"),
        (changed("share", lambda f: f["share"] == 0.25, 0), "nobody was to be offered"),
        (changed("share", lambda f: f["share"] == 0.75, 1), "where all were to be offered"),
        (changed("share", lambda f: f.index == 0, "many"), "text that is not a number"),
    ],
)
def test_shares_that_cannot_be_are_said_with_their_rows(study, frame, message):
    with pytest.raises(EvaluateError, match=message):
        study(frame)


def test_no_cluster_without_offers_is_said_once_with_the_share_of_the_plan(study):
    frame = persons().query("share > 0")
    with pytest.raises(Problems) as error:
        study(frame)
    (said,) = error.value.problems
    assert "share (assignment.saturation): no cluster has the share `control: 0`;" in said


def test_a_column_that_is_not_there_is_named(study):
    with pytest.raises(Problems, match=r"no column `share` \(assignment.saturation\)"):
        study(persons().drop(columns="share"))


def test_the_name_of_the_arm_is_kept(study):
    frame = persons()
    frame["offer"] = frame["offer"].map({0: "0", 1: "exposed"})
    columns = COLUMNS | {"treatment": {"column": "offer", "control": 0, "arms": ["exposed"]}}
    with pytest.raises(PlanError, match="the code `exposed` is kept"):
        study(frame, columns=columns)


@pytest.mark.parametrize(
    ("sections", "message"),
    [
        ({"columns": {**COLUMNS, "cluster": None}}, "name columns.cluster"),
        ({"assignment": SATURATION | {"share": 0.5}}, "name no other"),
        (
            {"columns": COLUMNS | {"treatment": {"column": "offer", "control": 0, "arms": [1, 2]}}},
            "one arm beside control",
        ),
    ],
)
def test_the_plan_needs_clusters_and_no_other_share(sections, message):
    sections = {"columns": COLUMNS, "assignment": SATURATION} | sections
    columns = {k: v for k, v in sections["columns"].items() if v is not None}
    with pytest.raises(ValueError, match=message):
        Plan.model_validate(plan_for("markets", **sections | {"columns": columns}))


def test_a_study_in_two_levels_runs_to_the_report(study, tmp_path):
    study(persons(), covariates=["age"])
    run_scripts("markets")
    tables = tmp_path / "results/markets/tables"
    effects = read_csv(tables / "effects.csv", released("effects"))
    assert set(effects["arm"]) == {"1", "exposed"}
    found = read_csv(tables / "spillovers.csv", released("spillovers"))
    assert set(found["saturation"]) == {"0.25", "0.75", "all"}
    assert found["estimate"].notna().all()
    total = effects.query("arm == '1' and group == 'all' and estimator == 'difference_in_means'")
    assert total["n_control"].iloc[0] == (persons()["share"] == 0).sum()
    assert read_csv(tables / "net_effects.csv", released("net_effects")).empty
    checks = read_csv(tables / "design_checks.csv", released("design_checks"))
    assert {"sample_ratio", "balance", "balance_within"} <= set(checks["check"])
    ratio = checks.query("check == 'sample_ratio' and group == 'all'")
    assert ratio["text"].item() == "share assigned 0.500, stated 0.500"
