"""Offers: each row of the assignment table is the offer that counts, or is counted as another."""

import traceback

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from data.extract import DAY, assessed, cleaned, offers, people, prepared
from evaluate.errors import PlanError, Problems
from evaluate.notes import reason
from evaluate.schemas import CLEANING, FLOW, QUARANTINE

OFFERED = {"columns": {"offered": "dag"}}
CAN_BE = {"data": {"coverage": "2010-01-01", "extract_date": "2022-12-31"}}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "p.csv"


def with_offers(*more, **changed):
    """Return offers of all 16; ``changed`` by person (p3=...), ``more`` rows at the end."""
    rows = offers()
    for person, values in changed.items():
        rows[int(person[1:])] |= values
    return [*rows, *({"id": "p0", "arm": "0", "dag": DAY} | row for row in more)]


def out(study, table):
    rows = study.quarantine[study.quarantine["table"] == table]
    return dict(zip(rows["source_row"], rows["reason"], strict=True))


def test_the_arm_comes_from_the_assignment_whatever_its_order(path):
    whole = cleaned(path, people(), columns={"offered": None})
    rows = [offers()[i] for i in np.random.default_rng(1).permutation(16)]
    study = cleaned(path, assessed(), rows, **OFFERED)
    assert_array_equal(study.participants["arm"], whole.participants["arm"])
    assert_array_equal(study.participants["source_row"], np.arange(1, 17))
    assert study.cleaning["step"].to_list() == ["received", "kept"]
    assert (study.cleaning["n"] == 16).all()
    assert study.quarantine.empty
    FLOW.validate(study.flow)
    CLEANING.validate(study.cleaning)
    QUARANTINE.validate(study.quarantine)


OTHER = {"id": "p0", "arm": "1", "dag": "2020-05-05"}
DECIDED = {
    # more offers at the end; offers changed; assignment out; participants out
    "duplicate": ([{}], {}, {17: "duplicate"}, {}),
    "no key": ([{"id": ""}], {}, {17: "no_key"}, {}),
    "no key twice": ([{"id": "NA"}, {"id": "NA"}], {}, {17: "no_key", 18: "no_key"}, {}),
    "not a participant": ([{"id": "x1"}], {}, {17: "not_participant"}, {}),
    "no day": ([], {"p3": {"dag": ""}}, {4: "missing"}, {4: "no_offer"}),
    "unreadable": ([], {"p3": {"dag": "2020-02-30"}}, {4: "unreadable_day"}, {4: "no_offer"}),
    "too early": ([], {"p3": {"dag": "2009-12-31"}}, {4: "before_coverage"}, {4: "no_offer"}),
    "first day": ([], {"p3": {"dag": "2010-01-01"}}, {}, {}),
    "too late": ([], {"p3": {"dag": "2023-01-01"}}, {4: "after_extract"}, {4: "no_offer"}),
    "last day": ([], {"p3": {"dag": "2022-12-31"}}, {}, {}),
    "no arm": ([], {"p3": {"arm": "NA"}}, {4: "missing_arm"}, {4: "no_offer"}),
    "two arms": ([{"arm": "1", "dag": "2020-05-05"}], {}, {1: "several_arms", 17: "several_arms"},
                 {1: "several_arms"}),
    "two arms, one of them never": ([{"arm": "1", "dag": "?"}], {}, {17: "unreadable_day"}, {}),
    "later": ([{"dag": "2020-05-05"}], {}, {17: "later_offer"}, {}),
    "earlier": ([{"dag": "2019-05-05"}], {}, {1: "later_offer"}, {}),
    "same day": ([{"more": "1"}], {}, {17: "later_offer"}, {}),
    "none": ([], {"p3": {"id": "p4", "arm": "0", "dag": "2020-01-01"}}, {5: "later_offer"},
             {4: "not_randomised"}),
}  # fmt: skip


@pytest.mark.parametrize(("more", "changed", "rows", "persons"), DECIDED.values(), ids=DECIDED)
def test_what_is_no_offer_is_counted_and_kept_in_the_quarantine(path, more, changed, rows, persons):
    why = {key: reason(key) for key in {*rows.values(), *persons.values()} - {"missing_arm"}
           if key != "missing"}  # fmt: skip
    why |= {"missing": reason("missing", column="dag")}
    why |= {"missing_arm": reason("missing", column="arm")}
    study = cleaned(path, assessed(), with_offers(*more, **changed), **OFFERED, **CAN_BE)
    assert out(study, "assignment") == {row: why[key] for row, key in rows.items()}
    assert out(study, "participants") == {row: why[key] for row, key in persons.items()}
    table = study.cleaning.set_index("step")["n"]
    assert table["received"] == 16 + len(more)
    assert table["kept"] == table["received"] - len(rows) == len(study.participants)
    if rows:
        excluded = study.cleaning[study.cleaning["step"] == "excluded"]
        assert excluded.set_index("reason")["n"].to_dict() == {
            why[key]: list(rows.values()).count(key) for key in rows.values()
        }


TWO = {
    "one more": ([OTHER], "0", {17: "later_arm"}),
    "an earlier one": ([OTHER | {"dag": "2019-01-01"}], "1", {1: "later_arm"}),
    "of the same day": ([OTHER | {"dag": DAY}], "0", {17: "later_arm"}),
    "and back": ([OTHER, OTHER | {"arm": "0", "dag": "2020-06-06"}], "0",
                 {17: "later_arm", 18: "later_offer"}),
}  # fmt: skip


@pytest.mark.parametrize(("more", "arm", "rows"), TWO.values(), ids=TWO)
def test_the_first_of_two_arms_can_be_the_one_that_counts(path, more, arm, rows):
    sections = {"data": {"assignment": {"two_arms": "first"}}, **OFFERED}
    study = cleaned(path, assessed(), with_offers(*more), **sections)
    assert study.participants["arm"][0] == arm
    assert len(study.participants) == 16
    assert out(study, "assignment") == {row: reason(why) for row, why in rows.items()}


def test_without_a_day_the_first_row_of_the_file_counts(path):
    study = cleaned(path, assessed(), with_offers({"dag": "2001-01-01"}))
    assert out(study, "assignment") == {17: reason("later_offer")}


def test_of_many_offers_of_one_day_the_first_row_counts(path):
    more = [{"w": str(i), "dag": (DAY, "2020-05-05")[i % 2]} for i in range(2, 200)]
    rows = [{"w": "1", **row} for row in with_offers(*more)]
    study = cleaned(path, assessed(), rows, columns={"offered": "dag", "weight": "w"})
    assert study.participants["weight"][0] == 1
    assert list(out(study, "assignment")) == list(range(17, 215))


def test_a_row_repeated_under_an_earlier_key_is_a_duplicate(path):
    rows = with_offers({"id": "q1"}, {"id": "q1", "dag": "2020-05-05"})
    study = cleaned(path, assessed(), rows, [{"old": "q1", "new": "p0"}], **OFFERED)
    assert out(study, "assignment") == {17: reason("duplicate"), 18: reason("later_offer")}


def test_the_table_has_days_of_its_own(path):
    data = {"assignment": {"extract_date": "2020-01-01"}, "extract_date": "2022-01-01"}
    with pytest.raises(Problems, match="nobody has arm"):
        cleaned(path, assessed(), offers(), data=data, **OFFERED)
    data = {"assignment": {"coverage": "2020-03-02"}, "coverage": "2021-01-01"}
    assert len(cleaned(path, assessed(), offers(), data=data, **OFFERED).participants) == 16


def test_rows_of_persons_unknown_count_in_n_alone(path):
    rows = with_offers({"id": "x3"}, {"id": "x2"}, {}, p1={"id": "x1"})
    study = cleaned(path, assessed(), rows, **OFFERED)
    counts = study.cleaning.set_index(["step", "reason"]).drop(columns="table")
    assert counts.loc[("received", "")].to_list() == [19, 9, 7, 15, 8, 7]
    unknown = counts.loc[("excluded", reason("not_participant"))]
    assert unknown.to_list() == [3, 0, 0, 0, 0, 0]
    assert counts.loc[("excluded", reason("duplicate"))].to_list() == [1, 1, 0, 1, 1, 0]
    assert counts.loc[("kept", "")].to_list() == [15, 8, 7, 15, 8, 7]


def test_columns_of_the_plan_may_stand_in_either_table(path):
    rows = [r | {"ort": "AB"[i % 2], "lön": "1,5", "p": "0,25", "w": "2"} for i, r in
            enumerate(offers())]  # fmt: skip
    persons = [{k: v for k, v in r.items() if k != "lön"} | {"lön0": str(i)} for i, r in
               enumerate(assessed())]  # fmt: skip
    rows[4]["lön"] = "7,25"
    study = cleaned(
        path,
        persons,
        rows[::-1],
        columns={"blocks": ["ort"], "weight": "w"},
        assignment={"share": {"column": "p"}},
        outcomes={"earn": {"column": "lön", "baseline": "lön0", "unit": "SEK"}},
        covariates=["ålder", "ort"],
        groups=["ort"],
        eligibility=['ort in ["A", "B"]', "w > 1"],
    )
    assert study.participants["block"].to_list() == ["ort=A", "ort=B"] * 8
    assert study.participants["group.ort"].to_list() == ["A", "B"] * 8
    assert_array_equal(study.participants["share"], 0.25)
    assert_array_equal(study.participants["weight"], 2)
    assert_array_equal(study.outcomes["earn"][3:6], [1.5, 7.25, 1.5])
    assert_array_equal(study.participants["baseline.earn"], np.arange(16))


def test_the_arm_may_stay_with_the_participants(path):
    rows = [{k: v for k, v in r.items() if k != "arm"} for r in offers(15)]
    study = cleaned(path, people(), rows)
    assert len(study.participants) == 16  # who has no offer still has an arm
    study = cleaned(path, people(), [*rows, rows[0]], **OFFERED)
    assert out(study, "participants") == {16: reason("missing", column="dag")}
    assert out(study, "assignment") == {16: reason("duplicate")}


def test_the_key_may_have_another_name(path):
    rows = [{"pnr": r["id"], **{k: v for k, v in r.items() if k != "id"}} for r in offers()]
    data = {"assignment": {"person": "pnr"}}
    assert len(cleaned(path, assessed(), rows, data=data).participants) == 16


def test_the_assignment_may_be_written_in_another_way(path):
    rows = [r | {"dag": "03/02/2020", "w": "1.250"} for r in offers()]
    data = {"assignment": {"dates": "MM/DD/YYYY", "decimal": "."}}
    columns = {"offered": "dag", "weight": "w"}
    found = prepared(path, assessed(), rows, data=data, columns=columns)
    assert (found.people.day_zero == np.datetime64("2020-03-02")).all()
    assert_array_equal(found.participants["weight"], 1.25)


def said(path, *tables, **sections):
    with pytest.raises(Problems) as error:
        cleaned(path, *tables, **sections)
    return error.value.problems


def test_a_column_in_both_tables_is_an_error_that_names_both(path):
    (fault,) = said(path, people(), offers())
    both = f"{path} and {path.parent / 'assignment.csv'}"
    assert fault.startswith(f"{both}: both have a column `arm` (columns.treatment)")


def test_a_column_in_neither_table_is_named_once(path):
    found = said(path, assessed(), offers(), columns={"blocks": ["plats"], "offered": "dagg"})
    both = f"{path} and {path.parent / 'assignment.csv'}"
    assert len(found) == 2
    assert all(fault.startswith(f"{both}: no column `") for fault in found)
    assert any("`dagg` (columns.offered)" in f and "Did you mean `dag`" in f for f in found)


def test_a_table_without_the_key_is_named(path):
    rows = [{"idd": r["id"], "arm": r["arm"], "dag": DAY} for r in offers()]
    (fault,) = said(path, assessed(), rows, **OFFERED)
    assert fault.startswith(f"{path.parent / 'assignment.csv'}: no column `id` (columns.person)")
    (fault,) = said(path, assessed(), rows, data={"assignment": {"person": "xyz"}})
    assert "no column `xyz` (data.assignment.person)" in fault


def test_a_wrong_file_as_assignment_is_told_from_a_wrong_name(path):
    found = said(path, people(), [{"x": "1", "y": "2"}], **OFFERED)
    assert found[0].startswith(f"{path.parent / 'assignment.csv'}: none of the columns")


def test_codes_and_arms_are_judged_in_all_rows(path):
    found = said(path, assessed(), with_offers({"id": "x1", "arm": "7"}))
    assert found[0].startswith(f"{path.parent / 'assignment.csv'}: column arm (columns.treatment)")
    assert "2 different values beside control" in found[0]
    assert said(path, assessed(), with_offers(p3={"arm": "7"}),
                columns={"treatment": {"column": "arm", "control": 0, "arms": [1]}})[0].endswith(
        "1 row with a value that is neither control nor an arm. The plan names 0, 1.")  # fmt: skip


def test_a_column_of_days_without_any_is_named_once(path):
    found = said(path, assessed(), [r | {"dag": "vet ej"} for r in offers()], **OFFERED)
    assert sum("column dag: nothing in it is a date" in fault for fault in found) == 1
    assert not any("vet ej" in fault for fault in found)


def test_further_tables_need_the_key_of_a_person(path):
    with pytest.raises(PlanError, match=r"columns\.person"):
        cleaned(path, assessed(), offers(), columns={"person": None})


def test_faults_of_both_tables_come_at_once(path):
    rows = with_offers(p3={"w": "x"}, p4={"arm": "9"})
    persons = assessed()
    persons[0]["lön"], persons[1]["kön"] = "text", "?"
    found = said(path, persons, [{"w": "1", **r} for r in rows], columns={"weight": "w"})
    for column in ("arm", "w", "lön", "kön"):
        assert any(f"column {column}" in fault for fault in found)


PLANTED = ["19800101-1234", "Zxqv", "-987 654,321"]
TRACES = ["19800101", "zxqv", "987654", "987,654", "987 654"]
SECRET = {
    "columns": {"offered": "dag", "born": "född", "started": "start", "ended": "slut",
                "blocks": ["ort"], "weight": "w", "takeup": {"column": "kom", "taken": 1},
                "accepted": {"column": "svar", "taken": 1}},
    "eligibility": ['years(född, dag) > 1 and start >= "2019-01-01"', "w > 0", 'ort != "C"'],
    "data": {"coverage": "2010-01-01", "extract_date": "2022-12-31"},
}  # fmt: skip
OFFER = {"start": "2020-04-01", "slut": "2020-05-01", "ort": "A", "w": "1", "kom": "1", "svar": "1"}
TABLES = {
    "p": assessed(16, född="1980-01-31"),
    "a": offers(16, **OFFER),
    "k": [{"old": "q1", "new": "p1"}, {"old": "q2", "new": "q1"}, {"old": "z", "new": "zz"}],
}
PLACES = [(name, column) for name, rows in TABLES.items() for column in rows[0]]


@pytest.mark.parametrize("everywhere", [False, True])
@pytest.mark.parametrize(("name", "column"), PLACES)
def test_no_value_is_told_by_an_error_or_a_count(path, name, column, everywhere):
    for value in PLANTED:
        tables = {n: [dict(row) for row in rows] for n, rows in TABLES.items()}
        for row in tables[name] if everywhere else tables[name][:1]:
            row[column] = value
        try:
            study = cleaned(path, *tables.values(), **SECRET)
            told = "".join(t.to_csv() for t in (study.flow, study.cleaning, study.quarantine))
        except Problems as error:
            told = "".join(traceback.format_exception(error))
        assert not [trace for trace in TRACES if trace in told.casefold()]


def test_the_tables_without_a_planted_value_pass(path):
    assert len(cleaned(path, *TABLES.values(), **SECRET).participants) == 16
