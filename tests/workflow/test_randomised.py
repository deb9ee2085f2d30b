"""Randomised designs down the whole road: clusters, waves, few persons, few clusters."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from studies import Evaluated, evaluated, people, plan_for, table, write_raw, write_study

from evaluate import schemas
from evaluate.release import RELEASED

from .conftest import copy_workflow

STUDIES = ("offices", "waves", "small", "schools")
ALWAYS = {
    "flow", "design_checks", "effects", "power", "heterogeneity", "gap", "conditional_effects",
    "heterogeneity_tests", "policies", "targeting_curve",
}  # fmt: skip
ROWS = {  # tables with rows, by study, beside these
    "offices": {"balance", "participation", "compliers", "paths", "bounds", "net_effects"},
    "waves": {"net_effects"},
    "small": {"balance", "participation", "compliers", "net_effects"},
    "schools": set(),
}
SHARE = {"unit": "share", "role": "primary"}


def offices(seed=11, size=16):
    """Draw offices within three sites, three, four and five of eight offered.

    Three of control take part all the same, and some have no outcome, more in month 24.
    """
    rng = np.random.default_rng(seed)
    office = np.repeat(np.arange(24), size)
    offered = np.zeros(24, dtype=int)
    for site, number in enumerate((3, 4, 5)):
        offered[8 * site + rng.permutation(8)[:number]] = 1
    arm, n = offered[office], len(office)
    attended = arm * (rng.random(n) < 0.75)
    attended[rng.choice(np.flatnonzero(arm == 0), 3, replace=False)] = 1
    common = rng.normal(0, 0.05, 24)[office] + 0.15 * attended
    frame = pd.DataFrame(
        {
            "id": [f"P{i:05d}" for i in rng.permutation(n)],
            "sex": np.where(rng.random(n) < 0.5, "F", "M"),
            "site": np.array(["north", "south", "west"])[office // 8],
            "office": office,
            "treat": arm,
            "attended": attended,
            "age": rng.integers(18, 60, n),
            "school": np.where(rng.random(n) < 0.4, "long", "short"),
            "earn0": rng.normal(12_000, 2_000, n).round(),
        }
    )
    for month, lost in ((12, 0.08), (24, 0.15)):
        work = (rng.random(n) < 0.35 + common).astype(float)
        earn = (frame["earn0"] + 2_000 * common + rng.normal(0, 900, n)).round()
        answered = rng.random(n) >= lost
        frame[f"work{month}"] = np.where(answered, work, np.nan)
        frame[f"earn{month}"] = earn.where(answered)
    return frame


def in_waves(seed=12, persons=200):
    """Draw three lotteries; who is not offered comes again with a probability of a half."""
    rng = np.random.default_rng(seed)
    frame = people(persons, seed=seed).assign(wave=1)
    waves, left = [frame], frame
    for wave in (2, 3):
        again = left[(left["treat"] == 0) & (rng.random(len(left)) < 0.5)].assign(wave=wave)
        again["treat"] = rng.permutation(np.arange(len(again)) % 2)
        again["work"] = (rng.random(len(again)) < 0.4 + 0.1 * again["treat"]).astype(int)
        waves.append(left := again)
    return pd.concat(waves, ignore_index=True)


def schools(seed=13):
    """Draw eight schools, half of them offered."""
    frame = people(240, seed=seed)
    frame["school"] = np.arange(len(frame)) % 8
    frame["treat"] = frame["school"] % 2
    frame["earn12"] += 900 * frame["treat"]
    return frame


def plans():
    """Return each study's programme file and raw table."""
    gender = {"column": "sex", "women": "F", "men": "M"}
    person = {"person": "id", "gender": gender, "treatment": {"column": "treat", "control": 0}}
    work = {"work": {"column": "work", **SHARE}}
    earn = {"column": "earn12", "unit": "SEK per month", "role": "primary"}
    return {
        "offices": (
            plan_for(
                "offices",
                columns=person
                | {
                    "takeup": {"column": "attended", "taken": 1},
                    "blocks": ["site"],
                    "cluster": "office",
                },
                covariates=["age", {"column": "school", "kind": "categorical"}],
                outcomes={
                    "work": {"columns": {12: "work12", 24: "work24"}, **SHARE},
                    "earn": {
                        "columns": {12: "earn12", 24: "earn24"},
                        "baseline": "earn0",
                        "unit": "SEK per month",
                        "role": "primary",
                    },
                },
            ),
            offices(),
        ),
        "waves": (plan_for("waves", columns=person | {"wave": "wave"}, outcomes=work), in_waves()),
        "small": (
            plan_for(
                "small",
                columns=person | {"takeup": {"column": "attended", "taken": 1}},
                covariates=["age"],
                outcomes=work | {"earn": earn},
            ),
            people(140, seed=14),
        ),
        "schools": (
            plan_for(
                "schools",
                columns=person | {"cluster": "school"},
                outcomes={"earn": earn},
                analysis={"permutations": 199, "interval": "wild_bootstrap"},
            ),
            schools(),
        ),
    }


def evaluate_all(folder):
    """Take all studies down the road, each in its folder; the first run and the second."""
    return {
        name: evaluated(Path(folder) / name, name, plan, frame, languages=["en"])
        for name, (plan, frame) in plans().items()
    }


@dataclass(frozen=True)
class Twice:
    """All studies, evaluated here, and by another process in another folder."""

    here: dict[str, Evaluated]
    folder: Path
    again: Path


@pytest.fixture(scope="module")
def twice(tmp_path_factory):
    folder, again = (tmp_path_factory.mktemp(name) for name in ("once", "once more"))
    code = (
        f"import sys; sys.path[:0] = {[str(Path(__file__).parents[1])]!r}\n"
        f"from workflow.test_randomised import evaluate_all; evaluate_all({str(again)!r})"
    )
    other = subprocess.Popen(
        [sys.executable, "-c", code],
        env=os.environ | {"PYTHONHASHSEED": "7", "TZ": "Asia/Tokyo", "COLUMNS": "60"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
    )
    here = evaluate_all(folder)
    told = other.communicate()[0]
    assert other.returncode == 0, told
    return Twice(here, folder, again)


@pytest.mark.parametrize("name", STUDIES)
def test_released_tables_match_their_schemas_and_hold_no_small_count(twice, name):
    tables = {of: twice.here[name].table(of) for of in RELEASED}
    assert {of for of, frame in tables.items() if len(frame)} == ALWAYS | ROWS[name]
    for of, frame in tables.items():
        assert not {*schemas.BUILD_ONLY.get(of, ())} & {*frame}
        for column in {"n", "n_treated", "n_control", "women", "men"} & {*frame}:
            assert not frame[column].between(1, 4).any(), (of, column)


def test_the_gate_tells_of_all_tables_what_it_withheld(twice):
    told = json.loads((twice.here["offices"].results / "disclosure.json").read_text())
    assert {"effects", "participation"} <= {entry["table"] for entry in told["withheld"]}


@pytest.mark.parametrize("name", STUDIES)
def test_another_run_gives_the_same_bytes(twice, name):
    made = sorted(p for p in (twice.folder / name).rglob("*") if p.is_file())
    names = [p.relative_to(twice.folder) for p in made]
    assert len(names) > 25
    differ = [p for p in names if (twice.folder / p).read_bytes() != (twice.again / p).read_bytes()]
    assert not differ


def test_offices_were_drawn_within_sites(twice):
    effects = twice.here["offices"].table("effects")
    lead = effects[(effects["estimand"] == "itt") & (effects["estimator"] == "ancova")]
    assert set(lead["std_error_kind"]) == {"CR2"}
    assert set(lead["month"]) == {12, 24}
    assert lead.loc[lead["group"] == "all", "n_clusters"].eq(24).all()
    assert (lead["df"] < 24).all()
    assert lead["p_value_randomisation"].notna().any()
    bounds = twice.here["offices"].table("bounds")
    assert {"lee", "ipw"} <= set(bounds["method"])
    paths = twice.here["offices"].table("paths")
    assert {"effect", "level_treated", "area"} <= set(paths["kind"])


def test_three_of_control_who_took_part_are_in_no_table(twice):
    found = twice.here["offices"]
    exact, shown = found.exact("participation"), found.table("participation")
    few = exact["takers_control"].between(1, 4) & (exact["group"] != "women-men")
    assert few.any()
    hidden = shown.loc[few, ["takeup_control", "compliers", "f", "effect", "ar_low"]]
    assert hidden.isna().all(axis=None)
    late = found.table("effects").query("estimand == 'late'")
    of = ["outcome", "month", "group"]
    both = late.merge(shown, on=of, suffixes=("", "_shown"))
    assert len(both) == len(late)
    assert both["estimate"].isna().equals(both["effect"].isna())
    flow = found.table("flow").set_index("step")
    assert pd.isna(flow.loc["took_part", "arm=0"])


def test_persons_in_several_waves_are_clusters_and_the_least_number_is_of_persons(twice):
    found = twice.here["waves"]
    rows = found.exact("participants")["person"].value_counts()
    effects = found.table("effects")
    everybody = effects[effects["group"] == "all"]
    assert everybody["n"].eq(rows.sum()).all()
    assert everybody["n_clusters"].eq(len(rows)).all()
    told = json.loads((found.results / "disclosure.json").read_text())
    assert told["min_cell"] == 5 * rows.max()


def test_a_trial_of_140_has_its_rows_for_women_men_and_the_gap(twice):
    found = twice.here["small"]
    lead = found.table("effects").query("estimand == 'itt' and estimator == 'lin'")
    assert set(lead["group"]) == {"all", "women", "men", "women-men"}
    assert (
        lead[["estimate", "std_error", "p_value", "p_value_randomisation"]].notna().all(axis=None)
    )
    power = found.table("power")
    gap = power.query("group == 'women-men' and outcome == 'earn'")
    assert (gap["ratio_to_all"] > 1.5).all()
    assert "140" in found.text()


def test_few_schools_take_the_wild_bootstrap(twice):
    effects = twice.here["schools"].table("effects")
    told = effects[effects["estimate"].notna()]
    assert told["note"].str.contains("wild cluster bootstrap").all()
    assert told["n_clusters"].le(8).all()
    inside = (told["conf_low"] <= told["estimate"]) & (told["estimate"] <= told["conf_high"])
    assert inside.all()


@pytest.fixture(scope="module")
def snakemade(tmp_path_factory):
    """Run the rules up to the release of one study with Snakemake."""
    workflow = copy_workflow(tmp_path_factory.mktemp("code"))
    study = tmp_path_factory.mktemp("study")
    plan, frame = plans()["offices"]
    write_study(study, {"offices": plan}, languages=["en"])
    write_raw(study, "offices", frame)
    done = workflow.run(study, "results/offices/tables/effects.csv")
    assert done.returncode == 0, done.stdout
    return workflow, study


def test_rules_make_the_same_tables(twice, snakemade):
    _, study = snakemade
    drawn = {"effects", "design_checks", "paths"}  # from the seed of the configuration
    for name in RELEASED:
        path = f"offices/tables/{name}.csv"
        made = study / "results" / path
        assert len(table(study / "results/offices", name)) == len(twice.here["offices"].table(name))
        if name not in drawn:
            same = twice.folder / "offices/results" / path
            assert made.read_bytes() == same.read_bytes(), name


def test_an_edit_of_the_plan_runs_every_stage_again(snakemade):
    workflow, study = snakemade
    target = "results/offices/tables/effects.csv"
    assert "Nothing to be done" in workflow.run(study, "--dry-run", target).stdout
    plan = study / "config/programmes/offices.yaml"
    before = plan.read_text(encoding="utf-8")
    plan.write_text(before.replace("permutations: 199", "permutations: 299"), encoding="utf-8")
    told = workflow.run(study, "--dry-run", target).stdout
    plan.write_text(before, encoding="utf-8")
    for rule in ("data", "propensity", "graph", "design", "power", "event_study", "sensitivity",
                 "effects", "participation", "paths", "bounds",
                 "saturation", "heterogeneity", "costs", "release"):  # fmt: skip
        assert f"rule {rule}:" in told, rule
