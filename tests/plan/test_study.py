"""A study as a whole: its programmes, the schemas for editors, how it is begun."""

import json
from pathlib import Path

import jsonschema
import pytest
from ruamel.yaml import YAML

from evaluate.errors import PlanError, Problems
from evaluate.plan.load import load_config, load_plan, load_study
from evaluate.plan.schema import json_schemas
from evaluate.scaffold import demo_study, scaffold

REPO = Path(__file__).parents[2]
SCHEMAS = REPO / "workflow" / "schemas"
DEMO = sorted((REPO / "config" / "programmes").glob("*.yaml"))
CONFIG = {"programmes": ["a", "b"], "seed": 1}
PLAN = """\
title: {en: A, sv: B}
design: randomised
data: {participants: {path: p.csv}}
columns: {treatment: {column: t, control: 0}}
outcomes: {work: {column: w, unit: share}}
"""


@pytest.fixture
def study(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("config/programmes").mkdir(parents=True)
    for name in CONFIG["programmes"]:
        Path(f"config/programmes/{name}.yaml").write_text(PLAN)
    return tmp_path


def test_a_sound_study_gives_its_plans_in_order(study):
    config, plans = load_study(CONFIG)
    assert config.seed == 1
    assert list(plans) == ["a", "b"]


def test_faults_of_all_programmes_come_at_once(study):
    Path("config/programmes/a.yaml").write_text(PLAN.replace("randomised", "random"))
    Path("config/programmes/b.yaml").write_text(PLAN + "columns: {}\n")
    with pytest.raises(Problems) as error:
        load_study(CONFIG | {"programmes": ["a", "b", "c"]})
    files = [problem.split(".yaml")[0] for problem in error.value.problems]
    assert files == [f"config/programmes/{name}" for name in "abc"]


def test_what_is_not_there_yet_stops_a_study(study):
    Path("config/programmes/b.yaml").write_text(PLAN.replace("randomised", "follow_up"))
    with pytest.raises(Problems, match=r"b\.yaml: design: follow_up is not available yet"):
        load_study(CONFIG)


def test_a_fault_of_the_configuration_is_shown_in_its_file(study):
    Path("config/config.yaml").write_text("programmes: [a]\nseed: one\n")
    with pytest.raises(Problems, match=r"config.yaml, line 2: seed: `one`: must be a whole num"):
        load_study({"programmes": ["a"], "seed": "one"})


@pytest.mark.parametrize("name", sorted(json_schemas()))
def test_the_schemas_for_editors_are_those_of_the_models(name):
    said = "write evaluate.plan.schema.json_schemas() to workflow/schemas"
    assert (SCHEMAS / name).read_text(encoding="utf-8") == json_schemas()[name], said


@pytest.mark.parametrize("name", sorted(json_schemas()))
def test_the_schemas_are_valid(name):
    jsonschema.Draft202012Validator.check_schema(json.loads(json_schemas()[name]))


def as_json(path):
    content = YAML(typ="safe").load(path.read_text(encoding="utf-8"))
    return json.loads(json.dumps(content))  # the keys of JSON are texts


@pytest.mark.parametrize("path", DEMO, ids=lambda p: p.stem)
def test_the_schema_accepts_the_demo(path):
    jsonschema.validate(as_json(path), json.loads(json_schemas()["programme.schema.json"]))


@pytest.mark.parametrize("fault", [{"desing": 1}, {"design": "random"}, {"simulated": "yes"}])
def test_the_schema_refuses_what_the_model_refuses(fault):
    schema = json.loads(json_schemas()["programme.schema.json"])
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(as_json(DEMO[0]) | fault, schema)


def test_a_new_programme_loads(tmp_path):
    made = scaffold("north", tmp_path)
    assert all(path.exists() for path in made)
    assert load_plan(made[0]).data.participants.path == "data/raw/north/participants.csv"
    assert load_config(tmp_path / "config/config.yaml").programmes == ["north"]


def test_every_choice_that_the_template_offers_loads(tmp_path):
    path = scaffold("north", tmp_path)[0]
    lines = path.read_text(encoding="utf-8").splitlines()
    offered = [
        line.replace("# ", "", 1) if line.lstrip().startswith("# ") and i > 5 else line
        for i, line in enumerate(lines)
    ]
    text = "\n".join(offered).replace("covariates: []", "covariates:")
    path.write_text(text, encoding="utf-8")
    plan = load_plan(path)
    assert plan.costs.amount == 38600
    assert plan.outcomes["earnings"].primary_month == 12


def test_the_schema_beside_a_new_programme_is_found_from_it(tmp_path):
    for path in (tmp_path / "config/programmes/north.yaml", tmp_path / "config/config.yaml"):
        scaffold("north", tmp_path) if not path.exists() else None
        schema = path.read_text(encoding="utf-8").splitlines()[0].split("$schema=")[1]
        assert (path.parent / schema).is_file()


def test_a_second_programme_joins_and_comments_stay(tmp_path):
    config = tmp_path / "config" / "config.yaml"
    scaffold("north", tmp_path)
    before = config.read_text(encoding="utf-8")
    long = before + "# a list of one line, long enough to be folded by a writer that folds lines\n"
    config.write_text(long, encoding="utf-8")
    scaffold("south", tmp_path)
    after = config.read_text(encoding="utf-8")
    assert after.replace("[north, south]", "[north]").split() == long.split()
    assert load_config(config).programmes == ["north", "south"]


def test_nothing_is_overwritten(tmp_path):
    path = scaffold("north", tmp_path)[0]
    path.write_text("mine", encoding="utf-8")
    with pytest.raises(PlanError, match="the programme exists"):
        scaffold("north", tmp_path)
    assert path.read_text(encoding="utf-8") == "mine"


@pytest.mark.parametrize("name", ["", "a b", "../x", "å", "a/b", "a.yaml"])
def test_a_name_that_is_none_is_refused(tmp_path, name):
    with pytest.raises(PlanError, match="letters, digits"):
        scaffold(name, tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("config", "said"),
    [("programmes: north\n", "no list `programmes`"), ("a:\n\tb: 1\n", "tab"), ("", "empty")],
)
def test_a_broken_configuration_leaves_no_half_programme(tmp_path, config, said):
    path = tmp_path / "config" / "config.yaml"
    path.parent.mkdir()
    path.write_text(config)
    with pytest.raises(PlanError, match=said):
        scaffold("north", tmp_path)
    assert list(path.parent.iterdir()) == [path]


def test_the_demo_is_copied_where_it_is_not(tmp_path):
    assert demo_study(tmp_path / "demo") == tmp_path / "demo"
    assert load_plan(tmp_path / "demo/config/programmes/jobs2.yaml").columns.both_genders
