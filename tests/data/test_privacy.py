"""Privacy: whatever is wrong with a file, no message, log or traceback holds a person's value."""

import contextlib
import io
import traceback
from functools import cache
from pathlib import Path

import pandas as pd
import pytest
from ruamel.yaml import YAML
from typer.testing import CliRunner

from data.extract import people, plan, write
from evaluate.cli import app
from evaluate.data.clean import clean
from evaluate.data.readers.read import read_table
from evaluate.errors import EvaluateError, reported

PLANTED = ["19800101-1234", "Zxqv", "-987 654,321"]
TRACES = ["19800101", "zxqv", "987654", "987,654", "987 654", "9.87654", "9.88e"]
FILE = "data/raw/trial/p.csv"
SECTIONS = {
    "columns": {
        "takeup": {"column": "kom", "taken": 1},
        "blocks": ["ort"],
        "weight": "vikt",
    },
    "assignment": {"share": {"column": "andel"}},
    "outcomes": {
        "earn": {"column": "lön", "baseline": "lön0", "unit": "SEK", "transform": "log"},
        "late": {"columns": {6: "e6", 12: "e12"}, "unit": "share"},
    },
    "covariates": [
        "ålder",
        {"column": "utb", "kind": "categorical"},
        {"column": "år", "kind": "numeric"},
    ],
    "groups": ["grupp"],
    "eligibility": ["ålder > 0", 'utb in ["A", "B"]', "år * 2 > 1 or utb == 'B'"],
    "costs": {"currency": "SEK", "price_year": 2020, "column": "kostnad", "outcomes": ["work"]},
}


def rows():
    """Return sound rows in every kind of column."""
    return [
        row | {
            "kom": row["arm"], "ort": "NS"[i % 3 == 0], "vikt": "1,5", "andel": "0,5",
            "lön0": "10", "e6": "0,5", "e12": f"0,{i + 10}", "utb": "AB"[i % 2], "år": "3",
            "grupp": "xy"[i % 4 == 0], "kostnad": "100",
        }
        for i, row in enumerate(people(24))
    ]  # fmt: skip


COLUMNS = list(rows()[0])


@pytest.fixture
def study(tmp_path, monkeypatch):
    """Stand in a study with one programme and the folder of its raw data."""
    monkeypatch.chdir(tmp_path)
    Path("config/programmes").mkdir(parents=True)
    Path("data/raw/trial").mkdir(parents=True)
    Path("config/config.yaml").write_text("programmes: [trial]\nseed: 1\n")
    return tmp_path


@cache
def plan_text(path, **declared):
    """Return the plan as YAML."""
    content = plan(path, file=declared, **SECTIONS).model_dump(mode="json", exclude_unset=True)
    content["outcomes"]["late"]["columns"] = {6: "e6", 12: "e12"}
    text = io.StringIO()
    YAML().dump(content, text)
    return text.getvalue()


def told(capsys, path=FILE, **declared):
    """Return all that is told of a file: by the package, the log of its rule, the command line."""
    Path("config/programmes/trial.yaml").write_text(plan_text(path, **declared), encoding="utf-8")
    made, text = plan(path, file=declared, **SECTIONS), ""
    with contextlib.suppress(SystemExit), reported("rule.log"):
        try:
            clean(read_table(made.data.participants), made)
        except EvaluateError as error:
            text += "".join(traceback.format_exception(error))
            raise
    text += Path("rule.log").read_text(encoding="utf-8")
    result = CliRunner().invoke(app, ["check"])
    assert isinstance(result.exception, SystemExit | None), result.exception
    assert result.exit_code == ("Traceback" in text)
    captured = capsys.readouterr()
    return text + result.output + captured.out + captured.err


def assert_silent(text):
    assert text
    folded = text.casefold()
    assert not [trace for trace in TRACES if trace in folded]


def test_the_sound_extract_passes(study, capsys):
    write(Path(FILE), rows())
    assert "no problems" in told(capsys)


@pytest.mark.parametrize("value", PLANTED)
@pytest.mark.parametrize("column", COLUMNS)
def test_a_value_in_one_row_of_any_column_is_not_told(study, capsys, column, value):
    planted = rows()
    planted[0][column] = value
    write(Path(FILE), planted)
    assert_silent(told(capsys))


@pytest.mark.parametrize("column", COLUMNS)
def test_a_value_in_every_row_of_any_column_is_not_told(study, capsys, column):
    write(Path(FILE), [row | {column: "Zxqv"} for row in rows()])
    assert_silent(told(capsys))


def planted_everywhere():
    """Return rows with a recognisable value in every cell but the codes."""
    return [
        row | dict.fromkeys(("id", "lön", "ort"), PLANTED[i % 3]) | {"utb": "Zxqv"}
        for i, row in enumerate(rows())
    ]


FILES = {
    "no header": lambda p: write(p, planted_everywhere(), header=False),
    "another delimiter": lambda p: write(p, planted_everywhere(), delimiter=":"),
    "ragged": lambda p: p.write_text(write(p, planted_everywhere()).read_text() + "Zxqv;1\n"),
    "unclosed": lambda p: p.write_text(write(p, planted_everywhere()).read_text() + '"Zxqv;1\n'),
    "names twice": lambda p: p.write_text("Zxqv;a;Zxqv\n1;2;3\n"),
    "nameless": lambda p: p.write_text("Zxqv;;19800101-1234\n1;2;3\n"),
    "no line end": lambda p: p.write_text("Zxqv;19800101-1234;987654.321"),
    "one column": lambda p: p.write_text("Zxqv\n19800101-1234\n"),
    "NUL": lambda p: p.write_text("id;Zxqv\x00\n19800101-1234;1\n"),
    "UTF-16 without mark": lambda p: p.write_bytes("id;Zxqv\nZxqv;1\n".encode("utf-16-le")),
    "two encodings": lambda p: p.write_bytes("Zxqvå;å\n".encode() + "Zxqvå;1\n".encode("cp1252")),
    "neither encoding": lambda p: p.write_bytes(b"id;Zxqv\n\x81Zxqv;19800101-1234\n"),
    "a person per column": lambda p: p.write_text("id;Zxqv;Zxqw;ort\n1;2;3;4\n"),
    "header only": lambda p: p.write_text("Zxqv;19800101-1234\n"),
}


@pytest.mark.parametrize("make", FILES.values(), ids=FILES)
def test_a_value_in_a_file_that_is_no_table_is_not_told(study, capsys, make):
    make(Path(FILE))
    assert_silent(told(capsys))


@pytest.mark.parametrize(
    "declared",
    [*({"delimiter": mark} for mark in (",", "\t", "|", ":")),
     *({"encoding": name} for name in ("utf-16-le", "ascii", "idna", "utf-7", "cp850"))],
    ids=str,
)  # fmt: skip
def test_a_value_read_in_the_wrong_way_is_not_told(study, capsys, declared):
    write(Path(FILE), planted_everywhere())
    assert_silent(told(capsys, **declared))


@pytest.mark.parametrize("suffix", [".parquet", ".xlsx"])
@pytest.mark.parametrize("fault", ["no header", "names twice", "values"])
def test_a_value_in_another_format_is_not_told(study, capsys, suffix, fault):
    path = Path(FILE).with_suffix(suffix)
    table = pd.DataFrame(planted_everywhere())
    if fault == "no header":
        table.columns = list(table.iloc[0] + [f" {i}" for i in range(table.shape[1])])
    if fault == "names twice":
        table.columns = ["Zxqv", "Zxqv ", *table.columns[2:]]
    if suffix == ".parquet":
        table.to_parquet(path)
    else:
        table.to_excel(path, index=False)
    assert_silent(told(capsys, path))


def test_a_column_is_suggested_only_where_the_header_is_one(study, capsys):
    write(Path(FILE), [{"ortt": "A", "Vikt": "19800101-1234"}])
    assert "Did you mean `Vikt`" in told(capsys)
    write(Path(FILE), [{"ortt": "A", "vikta": "19800101-1234"}])
    assert "Did you mean" not in told(capsys)
