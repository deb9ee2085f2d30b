"""The check of a programme tells what was decided on the rows of every table of persons."""

import re

import numpy as np
import pandas as pd
import pytest
from studies import KEY, people, plan_for, write_raw, write_study

from evaluate.check import check_programme
from evaluate.data.simulated.study import study as simulated


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
        "assignment: excluded: unreadable date (1 row)",
    ]
    assert not any(KEY in line for line in found.lines)


def test_problems_of_all_files_come_at_once(study):
    for file in ("a.csv", "k.csv"):
        (study / "data/raw/lottery" / file).unlink()
    problems = check_programme("lottery").problems
    assert [p.split(":")[0] for p in problems] == [f"data/raw/lottery/{f}" for f in
                                                   ("a.csv", "k.csv")]  # fmt: skip
    assert "data.assignment.path" in problems[0]


def test_a_wrong_key_table_is_said_on_a_line_of_its_own(study):
    (study / "data/raw/lottery/k.csv").write_text("a,b\nx,y\n", encoding="utf-8")
    (problem,) = check_programme("lottery").problems
    assert problem.startswith("data/raw/lottery/k.csv: none of the columns")


def test_cost_records_that_a_run_refuses_are_refused(tmp_path, monkeypatch):
    made = simulated(tmp_path, 300)
    path = tmp_path / "data/raw/simulated/costs.csv"
    path.write_bytes(path.read_bytes().replace(b"SEK", b"EUR"))
    monkeypatch.chdir(made.directory)
    (problem,) = check_programme("simulated").problems
    assert "costs.csv: column currency: " in problem
    plan = made.directory / "config/programmes/simulated.yaml"
    text = plan.read_text(encoding="utf-8")
    assert "\n  currency: SEK\n" in text
    text = text.replace("\n  currency: SEK\n", "\n  currency: SEK\n  rates: {EUR: 10.6}\n")
    plan.write_text(text, encoding="utf-8")
    assert not check_programme("simulated").problems


def test_what_the_checklist_of_costs_lacks_is_said_and_stops_nothing(study):
    path = study / "config/programmes/lottery.yaml"
    costs = (
        "costs:\n  currency: SEK\n  price_year: 2022\n  amount: 1\n  outcomes: [work]\n"
        "  reporting:\n    funding: {en: The agency., sv: Myndigheten.}\n"
    )
    assert not [line for line in check_programme("lottery").lines if "CHEERS" in line]
    path.write_text(path.read_text(encoding="utf-8") + costs, encoding="utf-8")
    found = check_programme("lottery")
    assert found.problems == []
    missing, reasons = (line for line in found.lines if "CHEERS 2022" in line)
    assert "costs.reporting.conflicts_of_interest" in missing
    assert "costs.source" in missing
    assert "costs.reporting.funding" not in missing
    assert reasons.endswith(
        "gives no reason: costs.reporting.perspective, costs.reporting.discount_rate"
    )


@pytest.mark.parametrize(
    ("column", "said"),
    [
        ("person", "costs.site: `person`: is columns.person, the key of persons, and no site"),
        ("born", r"column born: \d+ different sites \(costs.site\).* Is it a key\?"),
        ("wave", r"costs.csv: column site: none of its \d+ sites is among the \d+ of persons"),
        ("offce", r"no column `offce` \(costs.site\) .* Did you mean `office`\?"),
    ],
)
def test_a_column_that_holds_no_sites_is_refused(tmp_path, monkeypatch, column, said):
    made = simulated(tmp_path, 700)
    monkeypatch.chdir(made.directory)
    plan = made.directory / "config/programmes/simulated.yaml"
    text = plan.read_text(encoding="utf-8")
    assert "\n  site: office\n" in text
    text = text.replace("\n  site: office\n", f"\n  site: {column}\n")
    plan.write_text(text, encoding="utf-8")
    (problem,) = check_programme("simulated").problems
    assert re.search(said, problem), problem


def test_sites_without_persons_are_told(tmp_path, monkeypatch):
    made = simulated(tmp_path, 300)
    path = tmp_path / "data/raw/simulated/costs.csv"
    rows = path.read_text(encoding="cp1252").splitlines(keepends=True)
    path.write_text("".join([*rows, rows[1].replace(rows[1].split(";")[2], "X")]), "cp1252")
    monkeypatch.chdir(made.directory)
    found = check_programme("simulated")
    assert not found.problems
    assert [line for line in found.lines if "sites of the records have no person" in line]


def test_an_arm_that_nothing_is_recorded_of_is_told(tmp_path, monkeypatch):
    made = simulated(tmp_path, 300)
    monkeypatch.chdir(made.directory)
    free = "costs: no record of arm 0 that the public paid: an offer of it counts as free"
    assert not [line for line in check_programme("simulated").lines if line.startswith(free)]
    path = tmp_path / "data/raw/simulated/time_reports.csv"
    head, *rows = path.read_text(encoding="cp1252").splitlines(keepends=True)
    kept = [row for row in rows if row.split(";")[4] != "0"]
    assert len(kept) < len(rows)
    path.write_text("".join([head, *kept]), "cp1252")
    found = check_programme("simulated")
    assert not found.problems
    assert [line for line in found.lines if line.startswith(free)]


def test_the_name_of_a_codebook_that_none_can_have_is_said(study):
    path = study / "config/programmes/lottery.yaml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("data:", "data:\n  codebooks: {sex: kodår}", 1), encoding="utf-8")
    (problem,) = check_programme("lottery").problems
    assert "codebook `kodår`: the name of a codebook has small letters" in problem


def test_a_file_whose_last_line_does_not_end_is_told(tmp_path, monkeypatch):
    """Cut off in its last cell it cannot be told from a whole one; so much can be said."""
    made = simulated(tmp_path, 300)
    monkeypatch.chdir(tmp_path)
    assert not [line for line in check_programme("simulated").lines if "line end" in line]
    path = made.raw / "incomes.csv"
    path.write_bytes(path.read_bytes().rstrip()[:-1])
    found = check_programme("simulated")
    assert [line for line in found.lines if "incomes.csv: its last line has no line end" in line]


def test_a_fault_of_the_program_is_told_without_its_words(study, monkeypatch):
    def broken(*_, **__):
        raise KeyError("Zxqv")

    monkeypatch.delenv("EVALUATE_DEBUG", raising=False)
    monkeypatch.setattr("evaluate.data.stage.run_stage", broken)
    (told,) = check_programme("lottery").problems
    assert told.startswith("a fault of the program (KeyError)")
    assert "Zxqv" not in told


def test_an_arm_without_the_day_that_months_count_from_is_told(tmp_path, monkeypatch):
    made = simulated(tmp_path, 300)
    monkeypatch.chdir(tmp_path)
    text = made.plan.read_text(encoding="utf-8")
    made.plan.write_text(text.replace("  born:", "  time_zero: started\n  born:"), "utf-8")
    (told,) = check_programme("simulated").problems
    assert "column started (columns.started): nobody in arm `0` has a day" in told


PROTOCOL = dict.fromkeys(
    ("eligibility", "strategies", "assignment", "time_zero", "follow_up", "outcome", "contrast",
     "analysis"), "as stated",
)  # fmt: skip


def observational(tmp_path, frame, columns=None, **sections):
    """Write an observational study of a frame and check it."""
    plan = plan_for("track", design="observational", protocol=PROTOCOL, **sections)
    plan["columns"] |= columns or {}
    write_study(tmp_path, {"track": plan})
    write_raw(tmp_path, "track", frame)
    return check_programme("track", seed=1)


def registered(n=60):
    """Return persons registered in January, of whom those treated start by the end of March."""
    frame = people(n)
    day = pd.Series(np.arange(n) % 28 + 1).astype("str").str.zfill(2)
    month = pd.Series(np.arange(n) % 2 + 2).astype("str")
    start = ("2020-0" + month + "-" + day).where(frame["treat"] == 1, "")
    return frame.assign(first="2020-01-01", last="", start=start)


def test_what_is_there_of_an_observational_study_is_told(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    found = observational(
        tmp_path,
        registered(),
        columns={"started": "start", "time_zero": "started"},
        risk_sets={"registered": "first", "until": "last", "per_treated": 1},
        covariates=["age", "education"],
    )
    assert found.problems == []
    told = "\n".join(found.lines)
    assert found.lines[0].startswith("no problems: ")
    assert "rows of" in found.lines[0]
    assert "protocol: complete" in found.lines
    assert "graph: none; the report will say that no graph was stated" in found.lines
    drawn = (
        r"^risk sets: 2 calendar months with starts; 30 treated, 30 comparison rows of \d+ "
        r"persons, 1.0 for each treated \(1 asked for\)$"
    )
    assert re.search(drawn, told, re.M)
    assert re.search(r"^risk sets: \d+ rows of comparison persons who start later$", told, re.M)
    assert re.search(r"^women: \d+ in arm 0, \d+ in arm 1$", told, re.M)
    assert "read but not used" not in told
    assert KEY not in told
    assert "2020-" not in told


def test_what_cannot_be_estimated_without_a_lottery_is_told(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    frame = registered()
    frame.loc[frame["sex"] == "M", "treat"] = 0
    frame.loc[:40, "age"] = np.nan
    wide = {f"x{i}": np.random.default_rng(i).normal(size=60) for i in range(20)}
    found = observational(
        tmp_path,
        frame.assign(**wide),
        covariates=["age", *wide],
        graph={"edges": [["age", "treatment"], ["age", "work"], ["treatment", "work"]]},
    )
    assert found.problems == []
    told = "\n".join(found.lines)
    assert "graph: 3 edges" in found.lines
    assert "time zero: no column has it" in told
    assert "men: all in arm 0; nothing is estimated for them" in told
    assert "covariates.age: missing for 68%; with it no probability" in told
    assert re.search(r"^covariates: 2\d columns, and \d+ persons in arm 1: too few", told, re.M)


def test_treated_who_start_long_after_time_zero_are_told_of(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    columns = {"offered": "first", "started": "start"}
    found = observational(tmp_path, registered(), columns=columns, covariates=["age"])
    assert any(
        line.startswith("time zero: 30 treated start in a later month") and "risk_sets" in line
        for line in found.lines
    )
