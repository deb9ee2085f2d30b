"""Privacy of a whole study: no value of a person is in anything that a run leaves or says."""

import contextlib
import traceback
from pathlib import Path

import pandas as pd
import pytest
from planted import KIND, NUMBER, TEXT, TRACES, held, traces, write_planted
from studies import run_scripts
from typer.testing import CliRunner

from evaluate.cli import app
from evaluate.errors import EvaluateError, reported

NAME = "trial"
RAW = Path("data/raw") / NAME


def study(folder, monkeypatch, *, is_linked):
    """Stand in a study with planted values."""
    monkeypatch.chdir(write_planted(folder, NAME, linked=is_linked))
    Path("logs").mkdir()


def run():
    """Run all rules; return all that is told, and whether they came to an end."""
    told, ended = "", False
    with contextlib.suppress(SystemExit), reported("logs/rule.log"):
        try:
            run_scripts(NAME)
            ended = True
        except EvaluateError as error:
            told = "".join(traceback.format_exception(error))
            raise
    result = CliRunner().invoke(app, ["check", NAME])
    assert isinstance(result.exception, SystemExit | None), result.exception
    assert result.exit_code == 0 or not ended, result.output
    return told + Path("logs/rule.log").read_text(encoding="utf-8") + result.output, ended


@pytest.mark.parametrize("is_linked", [False, True])
def test_no_planted_value_leaves_the_raw_tables(tmp_path, monkeypatch, is_linked):
    study(tmp_path, monkeypatch, is_linked=is_linked)
    told, ended = run()
    assert ended, told
    assert not traces(told)
    assert len(list(Path("results").rglob("*.csv"))) > 5
    assert not held(map(Path, ("build", "results", "logs")))


def test_the_search_finds_what_is_planted(tmp_path, monkeypatch):
    study(tmp_path, monkeypatch, is_linked=True)
    found = {kind for kind in TRACES if any(line.endswith(kind) for line in held([Path("data")]))}
    assert found == set(TRACES)
    frame = pd.read_csv(RAW / "p.csv")
    Path("build").mkdir()
    frame.to_parquet("build/participants.parquet")
    frame.to_parquet("build/other.parquet")
    kinds = {line.partition(": ")[2] for line in held([Path("build")])}
    assert kinds == set(TRACES) - {"old key", "rare code"}
    assert "build/participants.parquet: income" not in held([Path("build")])


def cut(path):
    content = path.read_bytes()
    within = content[: len(content) * 2 // 3]
    path.write_bytes(within[: max(within.rfind(b","), within.rfind(b";"))])


def text_in(path, column, value, rows=slice(3, 4)):
    frame = pd.read_csv(path, dtype="str")
    frame.loc[frame.index[rows], column] = value
    frame.to_csv(path, index=False)


def lines(path, change):
    path.write_text("\n".join(change(path.read_text().splitlines())) + "\n")


def again(rows):
    """Put the header of another delivery into the middle of a file."""
    half = len(rows) // 2
    return [*rows[:half], ",".join(reversed(rows[0].split(","))), *rows[half:]]


def lacking(path, column):
    pd.read_csv(path, dtype="str").drop(columns=column).to_csv(path, index=False)


PARTICIPANTS = {
    "cut off": cut,
    "a field too many": lambda p: lines(p, lambda rows: [*rows, rows[5] + ",1"]),
    "no header": lambda p: lines(p, lambda rows: rows[1:]),
    "a quotation mark": lambda p: lines(p, lambda rows: [*rows, f'"{TEXT}']),
    "two encodings": lambda p: p.write_bytes(p.read_bytes() + "å".encode() + b"\xe5\n"),
    "a text for an amount": lambda p: text_in(p, "earn12", TEXT),
    "a text for an arm": lambda p: text_in(p, "treat", TEXT),
    "a text for a gender": lambda p: text_in(p, "sex", TEXT),
    "a key twice": lambda p: lines(p, lambda rows: [*rows, rows[1].replace(",M,", ",F,") + "0"]),
    "no column of keys": lambda p: lacking(p, "id"),
    "empty": lambda p: p.write_text(""),
}


@pytest.mark.parametrize("fault", PARTICIPANTS.values(), ids=PARTICIPANTS)
def test_no_planted_value_is_told_where_the_participants_stop_the_run(
    tmp_path, monkeypatch, capsys, fault
):
    study(tmp_path, monkeypatch, is_linked=False)
    fault(RAW / "p.csv")
    told, ended = run()
    captured = capsys.readouterr()
    assert not ended
    assert told
    assert not traces(told + captured.out + captured.err)
    assert not held(p for p in map(Path, ("build", "results", "logs")) if p.is_dir())


LINKED = {
    "spells cut off": ("spells", cut),
    "a header in the middle": ("spells", lambda p: lines(p, again)),
    "a field too many": ("activities", lambda p: lines(p, lambda rows: [*rows, f"{rows[5]},1"])),
    "a quotation mark": ("spells", lambda p: lines(p, lambda rows: [*rows, f'"{TEXT}'])),
    "two encodings": ("spells", lambda p: p.write_bytes(p.read_bytes() + "å".encode() + b"\xe5\n")),
    "no column of keys": ("spells", lambda p: lacking(p, "id")),
    "no column of days": ("activities", lambda p: lacking(p, "date")),
    "no column of amounts": ("incomes", lambda p: lacking(p, "salary")),
    "no column of old keys": ("keys", lambda p: lacking(p, "old")),
    "a text for an amount": ("incomes", lambda p: text_in(p, "salary", TEXT, slice(None))),
    "a text for an arm": ("assignment", lambda p: text_in(p, "treat", TEXT)),
    "a number for a state": ("spells", lambda p: text_in(p, "state", NUMBER)),
    "a number for a kind": ("activities", lambda p: text_in(p, "kind", f"{KIND} {NUMBER}")),
    "a number beside the plan": ("p", lambda p: text_in(p, "education", NUMBER)),
    "empty": ("incomes", lambda p: p.write_text("")),
}


@pytest.mark.parametrize(("table", "fault"), LINKED.values(), ids=LINKED)
def test_no_planted_value_is_told_where_a_linked_table_stops_the_run(
    tmp_path, monkeypatch, capsys, table, fault
):
    study(tmp_path, monkeypatch, is_linked=True)
    fault(RAW / f"{table}.csv")
    told, ended = run()
    captured = capsys.readouterr()
    assert not ended
    assert told
    assert not traces(told + captured.out + captured.err)
    assert not held(p for p in map(Path, ("build", "results", "logs")) if p.is_dir())
