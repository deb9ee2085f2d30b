"""Decisions on persons: each excludes or counts whom it should, in its place among the others."""

import numpy as np
import pytest

from data.extract import assessed, cleaned, offers, people
from evaluate.data.person_decisions import DECISIONS
from evaluate.errors import Problems
from evaluate.notes import reason

COLUMNS = {"born": "född", "offered": "dag", "started": "start", "ended": "slut"}
SECTIONS = {"columns": COLUMNS, "data": {"coverage": "2010-01-01", "extract_date": "2022-12-31"}}
SOUND = {"född": "1980-05-17", "dag": "2020-03-02", "start": "2020-04-01", "slut": "2020-08-31"}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "p.csv"


def changed(**values):
    rows = people(16, **SOUND)
    rows[3] |= values
    return rows


DECIDED = {
    "born later": ({"född": "2021-01-01"}, "excluded", reason("age", low=15, high=100)),
    "fourteen": ({"född": "2005-03-03"}, "excluded", reason("age", low=15, high=100)),
    "fifteen": ({"född": "2005-03-02"}, None, None),
    "hundred": ({"född": "1919-03-03"}, None, None),
    "a hundred and one": ({"född": "1919-03-02"}, "excluded", reason("age", low=15, high=100)),
    "birth missing": ({"född": ""}, "noted", reason("missing", column="född")),
    "birth no date": ({"född": "1980-99-17"}, "noted", reason("no_day_missing", column="född")),
    "offer missing": ({"dag": "NA"}, "excluded", reason("missing", column="dag")),
    "offer no date": ({"dag": "2020-02-30"}, "excluded", reason("no_day", column="dag")),
    "offer too early": ({"dag": "2009-12-31"}, "excluded", reason("early", column="dag")),
    "offer on the first day": ({"dag": "2010-01-01"}, None, None),
    "offer too late": ({"dag": "2023-01-01", "start": "", "slut": ""}, "excluded",
                       reason("late", column="dag")),
    "offer on the last day": ({"dag": "2022-12-31", "start": "", "slut": ""}, None, None),
    "start before offer": ({"start": "2020-03-01"}, "noted",
                           reason("earlier", column="start", other="dag")),
    "start on the day": ({"start": "2020-03-02"}, None, None),
    "start no date": ({"start": "x"}, "noted", reason("no_day_missing", column="start")),
    "start after all": ({"start": "2023-01-01", "slut": ""}, "noted",
                        reason("late", column="start")),
    "never started": ({"start": "", "slut": ""}, None, None),
    "end before start": ({"slut": "2020-03-31"}, "noted",
                         reason("earlier", column="slut", other="start")),
    "end no date": ({"slut": "x"}, "noted", reason("no_day_missing", column="slut")),
}  # fmt: skip


@pytest.mark.parametrize(("values", "step", "why"), DECIDED.values(), ids=DECIDED)
def test_a_day_that_cannot_be_is_excluded_or_counted(path, values, step, why):
    study = cleaned(path, changed(**values), **SECTIONS)
    rows = study.flow[(study.flow["n"] > 0) & study.flow["step"].isin(["excluded", "noted"])]
    expected = [[step, why, 1, 0, 1]] if step else []
    assert rows[["step", "reason", "n", "women", "men"]].values.tolist() == expected
    assert len(study.participants) == 16 - (step == "excluded")
    assert len(study.quarantine) == (step == "excluded")


def test_bounds_of_age_are_those_of_the_plan(path):
    sections = SECTIONS | {"data": {"ages": [40, 60]}}
    study = cleaned(path, changed(född="1950-01-01"), **{**sections, "data": {"ages": [39, 60]}})
    assert study.quarantine["reason"].to_list() == ["age at the offer below 39 or above 60"]
    with pytest.raises(Problems, match="nobody has arm"):
        cleaned(path, changed(), **sections)


def test_without_a_day_of_the_offer_no_age_is_judged(path):
    study = cleaned(path, changed(född="2021-01-01"), columns={"born": "född"})
    assert len(study.participants) == 16


def test_a_person_is_excluded_once_for_the_first_reason(path):
    values = {"arm": "", "född": "2021-01-01", "dag": "2023-01-01", "ålder": "5", "ort": ""}
    rows = [{"ort": "A", **r} for r in changed(**values)]
    sections = {**SECTIONS, "columns": {**COLUMNS, "blocks": ["ort"]}, "eligibility": ["ålder > 9"]}
    reasons = []
    for column, mended in (("arm", "1"), ("född", "1980-01-01"), ("dag", "2020-03-02"),
                           ("ålder", "30"), ("ort", "B")):  # fmt: skip
        study = cleaned(path, rows, **sections)
        assert study.quarantine["source_row"].to_list() == [4]
        reasons += study.quarantine["reason"].to_list()
        rows[3][column] = mended
    assert reasons == [
        "arm missing", "age at the offer below 15 or above 100", "dag after the extract date",
        "not met: ålder > 9", "ort missing",
    ]  # fmt: skip
    assert cleaned(path, rows, **sections).quarantine.empty


def test_each_decision_says_what_it_does():
    for decision in DECISIONS:
        assert (decision.__doc__ or "").split()[0] in ("Take", "Count")


def test_criteria_read_days_of_either_table(path):
    persons = [r | {"tillstånd": f"201{i % 8 + 1}-03-02"} for i, r in enumerate(assessed())]
    persons[15]["tillstånd"] = "vet ej"
    criterion = 'years(tillstånd, dag) <= 4 and dag >= "2020-01-01"'
    study = cleaned(path, persons, offers(), columns={"offered": "dag"}, eligibility=[criterion])
    assert study.participants["source_row"].to_list() == [6, 7, 8, 14, 15]
    excluded = study.flow[study.flow["step"] == "excluded"].set_index("reason")["n"]
    assert excluded[reason("unknown", criterion=criterion)] == 1
    assert excluded[reason("unmet", criterion=criterion)] == 10


BOOK = """
title: {en: Schooling, sv: Skolgång}
source: {en: Simulated, sv: Simulerad}
status: documented
match: whole
groups: {short: {en: short, sv: kort}, long: {en: long, sv: lång}}
codes:
  - {code: "1", en: one, sv: ett, group: short}
  - {code: "2", en: two, sv: två, group: short, valid_to: "2019-12-31"}
  - {code: "3", en: three, sv: tre, group: long}
"""


@pytest.fixture
def book(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "config" / "codebooks").mkdir(parents=True)
    (tmp_path / "config" / "codebooks" / "skola.yaml").write_text(BOOK, encoding="utf-8")


def coded(n=16, **values):
    rows = [r | SOUND | {"utb": "13"[i % 2]} for i, r in enumerate(people(n))]
    rows[3] |= values
    return rows


@pytest.mark.parametrize(
    ("values", "columns", "why"),
    [
        ({"utb": "2"}, COLUMNS, "code_outside"),
        ({"utb": "2", "dag": "2019-12-31"}, COLUMNS, None),
        ({"utb": "2"}, {}, "code_outside"),  # then of the extract date
        ({"utb": "9"}, COLUMNS, "code_unknown"),
        ({"utb": "9"}, {}, "code_unknown"),
        ({"utb": ""}, COLUMNS, None),
    ],
)
def test_codes_are_judged_on_the_day_of_the_offer(path, book, values, columns, why):
    study = cleaned(
        path,
        coded(**values),
        columns=columns,
        data={"extract_date": "2022-12-31", "codebooks": {"utb": "skola"}},
        covariates=["utb"],
        groups=["utb"],
    )
    noted = study.flow[study.flow["step"] == "noted"]
    expected = [[reason(why, column="utb", book="skola"), 1]] if why else []
    assert noted[["reason", "n"]].values.tolist() == expected
    groups = study.participants["group.utb"]
    assert groups.isna().sum() == (why is not None or values["utb"] == "")
    assert set(groups.dropna()) == {"short", "long"}
    assert study.participants["covariate.utb"].dropna().to_list() == groups.dropna().to_list()


def test_groups_of_a_codebook_serve_criteria_blocks_and_missing(path, book):
    sections = {
        "data": {"extract_date": "2022-12-31", "codebooks": {"utb": "skola"}},
        "columns": {"blocks": ["utb"]},
        "eligibility": ['utb in ["short", "long"]'],
    }
    study = cleaned(path, coded(utb="9"), **sections)
    assert study.quarantine["reason"].to_list() == ['utb in ["short", "long"]: value missing']
    assert set(study.participants["block"]) == {"utb=short", "utb=long"}
    study = cleaned(path, coded(utb="9"), **{**sections, "eligibility": []})
    assert study.quarantine["reason"].to_list() == ["utb missing"]


def test_gender_keeps_the_codes_of_the_plan(path, book, tmp_path):
    text = BOOK.replace('"1"', '"K"').replace('"3"', '"M"')
    (tmp_path / "config" / "codebooks" / "skola.yaml").write_text(text, encoding="utf-8")
    rows = people()
    rows[0]["kön"] = ""
    study = cleaned(path, rows, data={"codebooks": {"kön": "skola"}})
    assert study.participants["gender"].value_counts().to_dict() == {"women": 7, "men": 8}
    assert study.flow.loc[study.flow["step"] == "noted", "reason"].to_list() == ["kön missing"]


def test_a_codebook_that_is_not_there_is_named_with_the_other_faults(path):
    with pytest.raises(Problems) as error:
        cleaned(path, people(), data={"codebooks": {"utb": "nirgends"}}, covariates=["ort"])
    text = str(error.value)
    assert "nirgends" in text
    assert "`ort` (covariates)" in text
    assert "`utb` (data.codebooks)" in text


FULL = {
    "columns": {"offered": "dag", "started": "start", "takeup": {"column": "kom", "taken": 1},
                "accepted": {"column": "svar", "taken": "ja"}},
}  # fmt: skip


def test_the_flow_follows_persons_from_offer_to_analysis(path):
    rows = [r | {"svar": "ja" if r["arm"] == "1" or i < 2 else "nej", "kom": r["arm"],
                 "start": "2020-04-01" if r["arm"] == "1" and i > 3 else ""}
            for i, r in enumerate(offers())]  # fmt: skip
    rows[0]["svar"] = ""
    persons = assessed(17)
    persons[5]["lön"] = ""
    study = cleaned(path, persons, rows, **FULL)
    after = study.flow.iloc[-7:].reset_index(drop=True)
    assert after["step"].to_list() == [
        "noted", "included", "accepted", "started", "took_part", "analysed", "analysed",
    ]  # fmt: skip
    assert after["n"].to_list() == [1, 16, 9, 6, 8, 15, 16]
    assert after["arm=0"].to_list() == [1, 8, 1, 0, 0, 7, 8]
    assert after["women"].to_list() == [1, 8, 4, 3, 4, 8, 8]
    assert study.quarantine["reason"].to_list() == [reason("not_randomised")]


def test_an_answer_of_nobody_is_a_fault(path):
    rows = people(16, svar="nej")
    with pytest.raises(Problems, match="column svar: no row has `ja`"):
        cleaned(path, rows, columns={"accepted": {"column": "svar", "taken": "ja"}})


def test_who_is_received_is_everyone_in_the_order_of_the_file(path):
    study = cleaned(path, people()[::-1])
    np.testing.assert_array_equal(study.outcomes["earn"], (1000 + 37.5 * np.arange(16))[::-1])
