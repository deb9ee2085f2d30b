"""Privacy: whatever is wrong with a file, no message, log or traceback holds a person's value.

Keys become pseudonyms, and identity numbers stop a run where nobody expects them.
"""

import contextlib
import hmac
import io
import traceback
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML
from typer.testing import CliRunner

from data.extract import people, plan, write
from evaluate.cli import app
from evaluate.data import privacy
from evaluate.data.clean import clean
from evaluate.data.identity_numbers import identity_counts
from evaluate.data.privacy import (
    KEY_VARIABLE,
    identity_faults,
    identity_numbers,
    pseudonyms,
    random_secret,
    secret_of_study,
)
from evaluate.data.readers.read import RawTable, read_table
from evaluate.errors import DataError, EvaluateError, PlanError, reported

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


SECRET = b"simulated secret of a study"
KEYS = st.lists(st.text(min_size=1) | st.none(), max_size=20)


@given(KEYS)
def test_a_pseudonym_is_the_keyed_hash_of_the_key(keys):
    found = pseudonyms(np.array(keys, dtype=object), SECRET)
    expected = [k and hmac.digest(SECRET, k.encode(), "sha256").hex()[:24] for k in keys]
    assert found.tolist() == expected


def test_pseudonyms_of_another_study_have_nothing_in_common():
    keys = np.array([f"p{i}" for i in range(1_000)], dtype=object)
    first, second = (set(pseudonyms(keys, secret)) for secret in (SECRET, random_secret()))
    assert len(first) == len(second) == 1_000
    assert not first & second
    assert random_secret() != random_secret()


def test_two_keys_with_one_pseudonym_stop_the_run(monkeypatch):
    monkeypatch.setattr(privacy, "PSEUDONYM", 1)
    keys = np.array([f"p{i}" for i in range(17)], dtype=object)
    with pytest.raises(DataError, match=KEY_VARIABLE) as error:
        pseudonyms(keys, SECRET)
    assert "p1" not in str(error.value)


@pytest.mark.parametrize(
    ("value", "secret"),
    [
        (None, None),
        ("", None),
        ("  ", None),
        ("0123456789abcdef", b"0123456789abcdef"),
        (" lösenord i studien\n", "lösenord i studien".encode()),
    ],
)
def test_the_secret_is_what_the_environment_holds(monkeypatch, value, secret):
    monkeypatch.delenv(KEY_VARIABLE, raising=False)
    if value is not None:
        monkeypatch.setenv(KEY_VARIABLE, value)
    assert secret_of_study() == secret


def test_a_secret_that_is_too_short_is_not_told(monkeypatch):
    monkeypatch.setenv(KEY_VARIABLE, "Zxqv0123456789a")
    with pytest.raises(PlanError, match=f"{KEY_VARIABLE}: shorter than 16") as error:
        secret_of_study()
    assert_silent(str(error.value))


def test_identity_numbers_stop_the_run_where_none_should_be():
    number = ["", "19800101-1234", "pnr 198001011234"]
    cells = {"id": number, "note": number, "pnr": number, "day": [n[:8] for n in number]}
    raw = RawTable("data/raw/trial/p.csv", pd.DataFrame(cells, dtype="str"), "UTF-8, comma")
    (told,) = map(str, identity_numbers({"participants": raw}, plan(file={"identifiers": ["pnr"]})))
    assert told.startswith("data/raw/trial/p.csv: column note: 2 rows with a number shaped like")
    assert "`identifiers`" in told
    assert_silent(told)
    through = plan(file={"identifiers": ["pnr", "note"]})
    assert identity_numbers({"participants": raw}, through) == []


def test_a_name_of_a_column_that_is_an_identity_number_is_not_told():
    number = pd.Series(["19800101-1234"], dtype="str")
    counts = {"19800101-1234": identity_counts(number), "note": identity_counts(number)}
    told = [str(fault) for fault in identity_faults("p.csv", counts)]
    assert len(told) == 2
    assert "Is the first line the header?" in told[0]
    assert "column note: 1 row " in told[1]
    assert_silent("\n".join(told))
