"""Codebook files: those that come with the package, and what is wrong with one, line by line."""

import json
import re
from pathlib import Path

import jsonschema
import pytest
from ruamel.yaml import YAML

from evaluate.errors import PlanError, Problems
from evaluate.plan.load import load_codebook_file, load_config, load_study
from evaluate.plan.schema import json_schemas
from evaluate.plan.shared_files import CODEBOOK, PRICE_INDEX, shared_path
from evaluate.scaffold import scaffold

SHIPPED = sorted((Path(__file__).parents[2] / "config" / "codebooks").glob("*.yaml"))
NAMES = [path.stem for path in SHIPPED]

BOOK = """\
title: {en: Housing, sv: Bostad}
source: {en: a, sv: b}
status: documented
match: whole
groups:
  own: {en: Own, sv: Egen}
codes:
  - {code: 1, en: House, sv: Hus, group: own}
  - {code: 2, en: Flat, sv: Lägenhet, valid_to: 2010-12-31}
  - {code: 2, en: Room, sv: Rum, valid_from: 2011-01-01}
"""

FAULTS = [
    ("status: documented", "status: sure", 3, "status: `sure` is not among", ""),
    ("match: whole", "match: frst", 4, "match: `frst` is not among whole, first", "`first`"),
    ("match: whole\n", "match: whole\nlabels: {}\n", 5, "labels: unknown key", ""),
    ("codes:\n", "codes: []\nother:\n", 7, "codes: must not be empty", ""),
    (", sv: Hus", "", 8, "codes, item 1, sv: missing, and required", ""),
    ("group: own", "gruop: own", 8, "codes, item 1, gruop: unknown key", "`group`"),
    ("group: own", "group: owned", 8, "codes, item 1, group: `owned`", "names own"),
    ("group: own", "group: Own", 8, "codes, item 1, group: `Own`", "small letters"),
    ("2010-12-31", "31/12/2010", 9, "codes, item 2, valid_to: `31/12/2010`", "must be a day"),
    ("2011-01-01", "2010-06-01", 10, "codes, item 3, code: `2`", "stands in item 2, too"),
    ("valid_from: 2011-01-01", "valid_from: 2011-01-01, valid_to: 2010-01-01", 10,
     "valid_from is after valid_to", ""),
    ("code: 1,", 'code: "",', 8, "codes, item 1, code", "must not be empty"),
    ("match: whole", "match: first", 9, "codes, item 2, code: `21`", "must be one character"),
    ("  own:", "  rent: {en: R, sv: H}\n  own:", 6, "groups.rent", "no code is in this group"),
    ("own", "g1", 6, "groups.g1: ", "a code has this name, too"),
]  # fmt: skip


@pytest.fixture
def study(tmp_path, monkeypatch):
    """Stand in a study with a programme whose spells and a column have codebooks."""
    monkeypatch.chdir(tmp_path)
    scaffold("trial", tmp_path)
    path = Path("config/programmes/trial.yaml")
    named = {"spells": {"path": "s.csv", "extract_date": "2020-12-31", "codebook": "states"}}
    yaml = YAML(typ="safe")
    plan = yaml.load(path)
    plan["data"] |= named | {"codebooks": {"bostad": "housing"}}
    plan["columns"]["offered"] = "day"
    yaml.dump(plan, path)
    Path("config/codebooks").mkdir()
    return tmp_path


def write(name, text):
    Path("config/codebooks", f"{name}.yaml").write_text(text, encoding="utf-8")


@pytest.mark.parametrize("name", NAMES)
def test_a_shipped_codebook_says_where_it_comes_from(name, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)  # a study without codebooks of its own
    book = load_codebook_file(name)
    assert shared_path(CODEBOOK, name).samefile(SHIPPED[NAMES.index(name)])
    for language in ("en", "sv"):
        assert len(getattr(book.source, language)) > 20
        labels = [getattr(entry, language) for entry in book.codes]
        assert all(label == label.strip() != "" for label in labels)
    assert ("confirmed by the user" in " ".join(book.source.en.split())) == (
        book.status == "to_be_confirmed"
    )
    text = SHIPPED[NAMES.index(name)].read_text(encoding="utf-8")
    assert not re.search(r"https?:|www\.|\.se\b", text)
    assert json.loads(json_schemas()["codebook.schema.json"])
    content = json.loads(json.dumps(YAML(typ="safe").load(text), default=str))
    jsonschema.validate(content, json.loads(json_schemas()["codebook.schema.json"]))


def groups(name):
    return {entry.text: entry.group for entry in load_codebook_file(name).codes}


def test_levels_of_education_are_grouped_by_their_first_digit():
    book = load_codebook_file("education_sun2000")
    assert book.match == "first"
    levels = {"compulsory": "12", "upper_secondary": "34", "tertiary": "567"}
    expected = {digit: group for group, digits in levels.items() for digit in digits}
    assert expected.items() <= groups("education_sun2000").items()
    seven = groups("education_seven_levels")
    assert expected == {code: group for code, group in seven.items() if code.isdigit()}


def test_sex_and_states_are_grouped_for_the_plan():
    assert groups("sex") == {"1": "men", "M": "men", "2": "women", "K": "women"}
    states = groups("registration_states")
    assert states["11"] == "registered_unemployed"
    assert states["31"] == states["41"] == "unsubsidised_work"
    assert states["33"] == "subsidised_work"
    assert groups("deregistration_reasons")["6"] == "left_unknown"


def test_what_nobody_has_documented_is_to_be_confirmed():
    status = {name: load_codebook_file(name).status for name in NAMES}
    assert {n for n, s in status.items() if s == "to_be_confirmed"} == {
        "registration_states",
        "deregistration_reasons",
    }


def test_the_sound_book_is_read(study):
    write("housing", BOOK)
    book = load_codebook_file("housing")
    assert [entry.text for entry in book.codes] == ["1", "2", "2"]
    assert book.codes[1].last.isoformat() == "2010-12-31"


@pytest.mark.parametrize(("old", "new", "line", "key", "said"), FAULTS)
def test_a_fault_is_told_with_file_line_and_key(study, old, new, line, key, said):
    text = BOOK.replace("code: 2,", "code: 21,") if "first" in new else BOOK
    text = text.replace("code: 1,", "code: g1,") if new == "g1" else text
    assert old in text
    write("housing", text.replace(old, new))
    with pytest.raises(Problems) as error:
        load_codebook_file("housing")
    told = [p for p in error.value.problems if key in p]
    assert told, error.value.problems
    assert f"config/codebooks/housing.yaml, line {line}: " in told[0]
    assert said in told[0]


def test_the_books_of_the_study_go_before_the_shipped_ones(study):
    write("sex", BOOK)
    assert load_codebook_file("sex").title.en == "Housing"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("registration_state", "Did you mean `registration_states`?"),
        ("zzz", "Codebooks: deregistration_reasons,"),
        ("../programmes/trial", "the name of a codebook has small letters a to z"),
    ],
)
def test_an_unknown_name_is_told_with_the_nearest_one(study, name, said):
    with pytest.raises(PlanError, match=re.escape(said)):
        shared_path(CODEBOOK, name)


def test_a_study_is_told_of_its_codebooks_before_anything_runs(study):
    write("housing", BOOK.replace("status: documented", "status: sure"))
    with pytest.raises(Problems) as error:
        load_study(load_config().model_dump())
    told = "\n".join(error.value.problems)
    assert "trial.yaml: data.spells.codebook: codebook `states`: no config/codebooks/" in told
    assert "config/codebooks/housing.yaml, line 3: status: `sure` is not among" in told
    write("housing", BOOK)
    write("states", BOOK)
    load_study(load_config().model_dump())


def test_a_price_index_is_found_and_told_like_a_codebook(study):
    assert shared_path(PRICE_INDEX, "kpi").name == "kpi.yaml"
    with pytest.raises(
        PlanError, match=r"price index `kpy`: no config/price_indexes/kpy\.yaml\. Did"
    ):
        shared_path(PRICE_INDEX, "kpy")
