"""A simulated study: its programme file, its configuration, the command, the demo's plan."""

import re
from pathlib import Path

import pandas as pd
import pytest
from studies import REPOSITORY
from typer.testing import CliRunner

from data.simulated.raw import TABLES, text
from evaluate.cli import app
from evaluate.data.simulated.study import plan_text, simulate, study
from evaluate.errors import PlanError
from evaluate.plan.load import load_config, load_plan, shared_faults
from evaluate.plan.support import unsupported, unused


def evaluate(*arguments):
    result = CliRunner().invoke(app, list(arguments))
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def test_the_plan_loads_and_asks_for_nothing_that_is_not_there(small):
    plan = load_plan(small.plan)
    assert unsupported(plan) == []
    assert unused(plan) == []
    assert shared_faults(small.plan, plan) == []
    assert plan.simulated
    assert plan.title.en.startswith("Simulated")
    assert plan.title.sv.startswith("Simulerat")
    assert set(plan.data.tables) == {"participants", *TABLES} - {"persons"}


def test_the_plan_names_columns_and_codes_that_are_there(small):
    plan = load_plan(small.plan)
    columns = {c for name in ("persons", "assignment") for c in text(small.raw, name).columns}
    named = [
        plan.columns.gender.column, plan.columns.treatment.column, plan.columns.takeup.column,
        plan.columns.accepted.column, plan.columns.offered, plan.columns.started,
        plan.columns.ended, plan.columns.born, *plan.columns.blocks, plan.assignment.probability,
        *(c.column for c in plan.covariate_list if c.column != "age_at_offer"),
    ]  # fmt: skip
    assert set(named) <= columns
    states = {str(code) for codes in plan.data.spells.states.values() for code in codes}
    assert set(text(small.raw, "spells")["state"]) <= states
    kinds = {str(code) for codes in plan.data.activities.kinds.values() for code in codes}
    assert set(text(small.raw, "activities")["kind"]) == kinds
    for name, section in plan.data.tables.items():
        file = {"participants": "persons"}.get(name, name)
        assert section.path == f"data/raw/simulated/{file}.csv"


def test_every_outcome_has_a_measure_of_its_own(small):
    plan = load_plan(small.plan)
    assert {o.measure for o in plan.outcomes.values()} == {"at", "days", "cumulated", "entered"}
    assert plan.outcomes["work"].role == "primary"
    assert plan.outcomes["work"].months == (-6, 18)


def test_a_second_programme_joins_the_configuration(tmp_path):
    for name in ("one", "two"):
        study(tmp_path, 200, name=name)
    assert load_config(tmp_path / "config/config.yaml").programmes == ["one", "two"]


def test_nothing_that_is_there_is_written_over(tmp_path):
    study(tmp_path, 200, name="one")
    before = (tmp_path / "data/raw/one/persons.csv").read_bytes()
    with pytest.raises(PlanError, match="the programme exists"):
        study(tmp_path, 200, seed=2, name="one")
    assert (tmp_path / "data/raw/one/persons.csv").read_bytes() == before
    real = tmp_path / "data/raw/real"
    real.mkdir()
    (real / "persons.csv").write_text("from the agency", encoding="utf-8")
    with pytest.raises(PlanError, match="holds files that are not simulated"):
        study(tmp_path, 200, name="real")
    assert (real / "persons.csv").read_text(encoding="utf-8") == "from the agency"
    assert not (tmp_path / "config/programmes/real.yaml").exists()


def test_what_was_begun_can_be_written_again(tmp_path):
    made = study(tmp_path, 200, name="one")
    made.plan.unlink()
    assert study(tmp_path, 300, name="one").extract.truth.persons == 300


def test_other_formats_have_their_names_in_the_plan(tmp_path):
    made = simulate("trial", tmp_path, 200, faults="none", form="parquet")
    plan = load_plan(made.plan)
    for section in plan.data.tables.values():
        pd.read_parquet(tmp_path / section.path)


def test_the_demo_has_the_same_plan():
    demo = (REPOSITORY / "config/programmes/establishment.yaml").read_text(encoding="utf-8")
    own = plan_text("establishment")
    assert demo == own.replace("$schema=../schemas/", "$schema=../../workflow/schemas/")


def test_the_demo_makes_every_table_of_its_plan():
    """The rule of the demo names its outputs: a table that it lacks is looked for in vain."""
    rules = (REPOSITORY / "workflow/rules/demo.smk").read_text(encoding="utf-8")
    made = re.findall(r'"(\w+)"', re.search(r"SIMULATED = \[(.*?)\]", rules, re.DOTALL)[1])
    plan = load_plan(REPOSITORY / "config/programmes/establishment.yaml")
    asked = [Path(table.path).stem for table in plan.data.tables.values()]
    assert sorted(made) == sorted(asked)


def test_the_command_says_simulated_first_and_what_it_wrote(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = evaluate("simulate", "trial", "--persons", "400", "--seed", "9", "--truth")
    assert result.exit_code == 0
    assert result.output.startswith("Simulated")
    assert "wrote config/programmes/trial.yaml" in result.output
    assert "faults, 45 kinds and tables" in result.output
    assert (tmp_path / "data/raw/trial/truth.json").is_file()
    assert load_config().programmes == ["trial"]


def test_the_command_plants_the_faults_that_are_named(tmp_path):
    folder = ("--directory", str(tmp_path))
    faults = ("--fault", "overlaps", "--fault", "truncated:spells")
    result = evaluate("simulate", "trial", "--persons", "300", *faults, *folder)
    assert result.exit_code == 0
    assert "planted 2 faults, 2 kinds and tables" in result.output
    assert not (tmp_path / "data/raw/trial/spells.csv").read_bytes().endswith(b"\n")
    result = evaluate("simulate", "sound", "--persons", "300", "--faults", "none", *folder)
    assert "planted 0 faults" in result.output
    assert not (tmp_path / "data/raw/sound/truth.json").exists()


def test_the_command_refuses_in_words(tmp_path):
    result = evaluate("simulate", "a/b", "--directory", str(tmp_path))
    assert result.exit_code == 1
    assert "letters, digits" in result.stderr
    result = evaluate("simulate", "x", "--fault", "typo", "--directory", str(tmp_path))
    assert result.exit_code == 1
    assert "no such fault" in result.stderr
    assert not list(tmp_path.iterdir())
