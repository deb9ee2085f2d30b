"""The check of a programme tells what was decided on the rows of every table of persons."""

import pytest
from studies import KEY, people, plan_for, write_raw, write_study

from evaluate.check import check_programme


@pytest.fixture
def study(tmp_path, monkeypatch):
    """Give a study whose arms stand in an assignment table, with a few faults."""
    monkeypatch.chdir(tmp_path)
    frame = people(60)
    offers = frame[["id", "treat"]].assign(day="2020-03-02")
    offers.loc[len(offers)] = [f"{KEY}unknown", 1, "2020-03-02"]
    offers.loc[len(offers)] = offers.loc[0]
    offers.loc[3, "day"] = "2020-02-30"
    plan = plan_for("lottery")
    raw = "data/raw/lottery"
    plan["data"] |= {"assignment": {"path": f"{raw}/a.csv"}, "keys": {"path": f"{raw}/k.csv"}}
    plan["columns"]["offered"] = "day"
    write_study(tmp_path, {"lottery": plan})
    write_raw(tmp_path, "lottery", frame.drop(columns="treat"))
    offers.to_csv(tmp_path / raw / "a.csv", index=False)
    (tmp_path / raw / "k.csv").write_text("old,new\nx,y\nx,z\n", encoding="utf-8")
    return tmp_path


def test_what_was_decided_is_told_by_table(study):
    found = check_programme("lottery")
    assert found.problems == []
    assert found.lines[0].startswith("no problems: 59 persons (")
    assert found.lines[0].endswith("), 1 row excluded")
    assert found.lines[1:] == [
        "excluded: no valid offer (1 row)",
        "keys: excluded: old key that leads to several new ones (2 rows)",
        "assignment: excluded: exact duplicate (1 row)",
        "assignment: excluded: person not among the participants (1 row)",
        "assignment: excluded: a date that is none (1 row)",
    ]
    assert not any(KEY in line for line in found.lines)


def test_problems_of_all_files_come_at_once(study):
    for file in ("a.csv", "k.csv"):
        (study / "data/raw/lottery" / file).unlink()
    problems = check_programme("lottery").problems
    assert [p.split(":")[0] for p in problems] == [f"data/raw/lottery/{f}" for f in
                                                   ("a.csv", "k.csv")]  # fmt: skip
    assert "data.assignment.path" in problems[0]
