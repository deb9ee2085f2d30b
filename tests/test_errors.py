"""Errors: a message a user can act on, in the log and on the screen, and exit code 1."""

import re

import pytest

from evaluate.errors import DataError, EvaluateError, PlanError, Problems, reported, rows


@pytest.mark.parametrize(("count", "text"), [(0, "0 rows"), (1, "1 row"), (12345, "12,345 rows")])
def test_rows_are_counted_in_words(count, text):
    assert rows(count) == text


def test_problems_hold_each_message():
    problems = Problems([PlanError("a."), "b."])
    assert problems.problems == ["a.", "b."]
    assert str(problems) == "- a.\n- b."
    assert isinstance(problems, EvaluateError)


@pytest.mark.parametrize("error", [DataError("p.csv: no."), Problems(["one.", "två."])])
def test_an_error_is_reported_and_ends_with_code_1(tmp_path, capsys, error):
    log = tmp_path / "rule.log"
    with pytest.raises(SystemExit) as stop, reported(log):
        raise error
    assert stop.value.code == 1
    assert log.read_text(encoding="utf-8") == f"{error}\n"
    assert capsys.readouterr().err == f"evaluate: {error}\n"


def test_what_ends_well_says_so(tmp_path):
    log = tmp_path / "rule.log"
    with reported(log):
        pass
    assert log.read_text() == "done\n"


def fault(log):
    with reported(log):
        float("Zxqv 19800101-1234")


def test_a_fault_of_the_program_tells_its_place_and_no_value(tmp_path, capsys):
    log = tmp_path / "rule.log"
    with pytest.raises(SystemExit) as stop:
        fault(log)
    assert stop.value.code == 2
    told = log.read_text(encoding="utf-8")
    assert capsys.readouterr().err == f"evaluate: {told}"
    assert "a fault of the program (ValueError)" in told
    assert re.search(r"test_errors.py:\d+ fault", told)
    assert not any(value in told for value in ("Zxqv", "19800101", str(tmp_path)))


def test_a_fault_of_the_program_is_raised_on_request(tmp_path, monkeypatch):
    monkeypatch.setenv("EVALUATE_DEBUG", "1")
    with pytest.raises(ValueError, match="Zxqv"):
        fault(tmp_path / "rule.log")
    assert not (tmp_path / "rule.log").exists()
