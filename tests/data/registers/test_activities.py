"""Decisions on activities, against a loop over the rows; what is counted adds up."""

import datetime

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.registers.people import COVERAGE, EXTRACT, batches, people, person_of, plan_with
from evaluate import schemas
from evaluate.data.codebook import codebook_of
from evaluate.data.registers.activities import activity_dose
from evaluate.data.registers.decisions import people_table
from evaluate.data.registers.engine import engine
from evaluate.errors import DataError, PlanError
from evaluate.io import checked
from evaluate.plan.codebook import CodebookFile

NAMES = ("person", "date", "kind", "time")
ZERO = datetime.date(2019, 1, 31)
KINDS = {"meeting": [1, 2], "referral": ["R"]}


def run(folder, rows, who, plan=None, book=None, weight=None, names=NAMES):
    plan = plan or plan_with(activities={"path": "a.csv", "kinds": KINDS, "months": 3})
    with engine(folder / "engine") as connection:
        people_table(connection, who)
        found = activity_dose(connection, batches(names, rows), plan, who, book, weight)
    checked(found.table, schemas.DOSE, "dose")
    return found


def counts(found, step):
    rows = found.tally.cleaning
    return rows[rows["step"] == step].set_index("reason")["n"].to_dict()


def of(found, kind, month, arm="0", group="all"):
    rows = found.table.set_index(["kind", "month", "arm", "group"])
    return rows.loc[(kind, month, arm, group)]


def test_each_decision_has_its_rows_and_the_first_that_holds_counts(tmp_path):
    who = people([ZERO, ZERO, ZERO, None], kept=[True, True, False, True])
    day = "2019-02-10"
    rows = [
        ("p0", day, "1", ""),
        ("", day, "1", ""),
        ("x", "2019-02-30", "1", ""),
        ("p2", day, "1", ""),
        ("p3", "2019-02-30", "1", ""),
        ("p0", "2019-02-30", "1", ""),
        ("p0", "", "1", ""),
        ("p0", "2020-04-01", "1", ""),
        ("p0", "2018-12-31", "1", ""),
        ("p0", "2019-01-30", "1", ""),
        ("p0", day, "1", ""),
        ("old0", day, "1.0", ""),
        ("p1", "2019-01-31", "7", ""),
        ("p1", "2020-03-31", "", ""),
    ]
    found = run(tmp_path, rows, who)
    assert counts(found, "excluded") == {
        "person key missing": 1,
        "person not among the participants": 1,
        "person excluded from the study": 1,
        "person without a day in offered": 1,
        "unreadable date": 1,
        "date missing": 1,
        "after the extract date": 1,
        "before what the register covers": 1,
        "before the offer": 1,
        "exact duplicate": 2,
    }
    assert counts(found, "noted") == {
        "kind missing": 1,
        "code in no named kind": 1,
        "after month 3: not counted": 1,
    }
    assert counts(found, "received") == {"": 14}
    assert counts(found, "kept") == {"": 3}
    rejected = found.tally.quarantine.to_pandas()
    assert set(rejected["table"].astype(str)) == {"activities"}
    at = rejected.set_index("source_row")["reason"].astype(str)
    assert at[2] == "person key missing"
    assert at[10] == "before the offer"
    assert at[11] == at[12] == "exact duplicate"
    assert sorted(at.index) == list(range(2, 13))


def test_rows_that_differ_in_a_column_the_plan_does_not_name_are_no_duplicates(tmp_path):
    who = people([ZERO, ZERO])
    rows = [("p0", ZERO, "1", "09:00"), ("p0", ZERO, "1", "13:00"), ("p0", ZERO, "1", "09:00")]
    found = run(tmp_path, rows, who)
    assert counts(found, "excluded") == {"exact duplicate": 1}
    assert of(found, "meeting", 1)["mean"] == 2
    found = run(tmp_path, [row[:3] for row in rows], who, names=NAMES[:3])
    assert counts(found, "excluded") == {"exact duplicate": 2}


def test_before_the_start_where_months_are_counted_from_it(tmp_path):
    columns = {"started": "started", "time_zero": "started"}
    plan = plan_with(activities={"path": "a.csv"}, columns=columns)
    found = run(tmp_path, [("p0", "2019-01-30", "1", "")], people([ZERO, ZERO]), plan)
    assert counts(found, "excluded") == {"before the start": 1}


def test_what_is_in_no_named_kind_is_other_and_the_kinds_add_up(tmp_path):
    who = people([ZERO] * 4)
    rows = [("p0", ZERO, kind, i) for i, kind in enumerate(["1", "2", "R", "7", ""])]
    found = run(tmp_path, rows, who)
    assert list(dict.fromkeys(found.table["kind"])) == ["meeting", "referral", "other", "all"]
    means = [of(found, kind, 1)["mean"] for kind in ("meeting", "referral", "other", "all")]
    assert means == [1, 0.5, 1, 2.5]
    none = run(tmp_path, rows[:2], who)
    assert list(dict.fromkeys(none.table["kind"])) == ["meeting", "referral", "all"]
    assert of(none, "referral", 1)["mean"] == 0


def test_without_named_kinds_each_code_of_a_kept_row_is_one(tmp_path):
    who, plan = people([ZERO] * 2), plan_with(activities={"path": "a.csv", "months": 1})
    rows = [("p0", ZERO, "b", ""), ("p0", ZERO, "a", ""), ("x", ZERO, "c", "")]
    found = run(tmp_path, rows, who, plan)
    assert list(dict.fromkeys(found.table["kind"])) == ["a", "b", "all"]
    alone = run(tmp_path, rows[:1], who, plan)
    assert list(dict.fromkeys(alone.table["kind"])) == ["b"]
    early = datetime.date(2018, 1, 1)
    assert run(tmp_path, [("p0", early, "c", "")], who, plan).table.empty


def test_codes_that_are_rather_texts_are_refused_and_not_shown(tmp_path):
    plan = plan_with(activities={"path": "a.csv"})
    rows = [("p0", ZERO, f"qzk{i}", "") for i in range(60)]
    with pytest.raises(DataError, match=r"a\.csv: column kind: more than 50") as caught:
        run(tmp_path, rows, people([ZERO, ZERO]), plan)
    assert "qzk" not in str(caught.value)
    named = plan_with(activities={"path": "a.csv", "kinds": KINDS})
    assert counts(run(tmp_path, rows, people([ZERO, ZERO]), named), "kept") == {"": 60}


@pytest.mark.parametrize("kinds", [{"all": [1]}, {}])
def test_all_is_the_name_of_all_kinds(tmp_path, kinds):
    plan = plan_with(activities={"path": "a.csv", "kinds": kinds})
    with pytest.raises(PlanError, match=r"data\.activities\.kinds"):
        run(tmp_path, [("p0", ZERO, "all", "")], people([ZERO, ZERO]), plan)


def test_a_code_outside_its_period_or_the_codebook_is_counted_and_kept(tmp_path):
    file = CodebookFile.model_validate(
        {
            "title": {"en": "Kinds", "sv": "Slag"},
            "source": {"en": "Simulated", "sv": "Simulerat"},
            "status": "to_be_confirmed",
            "match": "whole",
            "codes": [
                {"code": 1, "en": "meeting", "sv": "möte", "valid_to": "2019-02-28"},
                {"code": "R", "en": "referral", "sv": "anvisning"},
            ],
        }
    )
    activities = {"path": "a.csv", "kinds": KINDS, "months": 3, "codebook": "kinds"}
    rows = [
        ("p0", "2019-02-28", "1", ""),
        ("p0", "2019-03-01", "1", ""),
        ("p0", "2019-03-01", "2", ""),
        ("p0", "2019-03-01", "R", ""),
        ("p0", "2019-03-01", "", ""),
        ("x", "2019-03-01", "2", ""),
    ]
    plan = plan_with(activities=activities)
    found = run(tmp_path, rows, people([ZERO, ZERO]), plan, codebook_of("kinds", file))
    noted = counts(found, "noted")
    assert noted["code not in the codebook kinds"] == 1
    assert noted["code outside its period in the codebook kinds"] == 1
    assert counts(found, "kept") == {"": 5}


def test_a_file_whose_rows_are_all_from_before_gives_zeros_and_no_error(tmp_path):
    found = run(tmp_path, [("p0", datetime.date(2018, 1, 1), "1", "")], people([ZERO, ZERO]))
    assert of(found, "all", 0)["mean"] == 0
    assert of(found, "all", 0)["n"] == 1


def test_keys_that_no_participant_has_stop_the_run(tmp_path):
    rows = [("x", ZERO, "1", ""), ("y", ZERO, "1", "")]
    with pytest.raises(DataError, match=r"none of 2 rows can be used: 2 rows person not among"):
        run(tmp_path, rows, people([ZERO, ZERO]))


def test_a_table_without_any_day_stops_the_run(tmp_path):
    rows = [("p0", "", "1", ""), ("p1", "", "1", "")]
    with pytest.raises(DataError, match=r"none of 2 rows can be used: 2 rows date missing"):
        run(tmp_path, rows, people([ZERO, ZERO]))


UNUSABLE = {
    "person key missing", "person not among the participants", "unreadable date",
    "date missing",
}  # fmt: skip
KEYS = st.sampled_from(["p0", "p1", "p2", "p3", "p4", "p5", "p6", "old0", "x", ""])
DAYS = st.sampled_from(
    ["2018-12-31", "2019-01-01", "2019-01-31", "2019-02-28", "2019-03-01", "2019-03-30",
     "2019-03-31", "2019-04-30", "2020-02-29", "2020-03-31", "2020-04-01", "2019-02-29", "", "x"]
)  # fmt: skip
CODES = st.sampled_from(["1", "1.0", "2", "R", "9", "", "NA"])
ZEROS = st.sampled_from([None, ZERO, datetime.date(2019, 2, 28), datetime.date(2019, 12, 31)])


def judged(row, who, seen):
    """Say why a row is excluded, None where it is kept."""
    key, day, code, time = row
    person = person_of(key, who)
    if key == "":
        return "person key missing"
    if person is None:
        return "person not among the participants"
    if not who.kept[person]:
        return "person excluded from the study"
    if np.isnat(who.day_zero[person]):
        return "person without a day in offered"
    if day == "":
        return "date missing"
    try:
        date = datetime.date.fromisoformat(day)
    except ValueError:
        return "unreadable date"
    if date > EXTRACT:
        return "after the extract date"
    if date < COVERAGE:
        return "before what the register covers"
    if date < who.day_zero[person].astype(object):
        return "before the offer"
    same = (person, date, {"1.0": "1", "NA": ""}.get(code, code), time)
    if same in seen:
        return "exact duplicate"
    seen.add(same)
    return None


@settings(max_examples=60)
@given(
    rows=st.lists(st.tuples(KEYS, DAYS, CODES, st.sampled_from("ab")), min_size=1, max_size=60),
    zeros=st.lists(ZEROS, min_size=7, max_size=7),
    kept=st.lists(st.sampled_from([True, True, False]), min_size=7, max_size=7),
)
def test_every_row_is_judged_once_and_the_totals_reconcile(tmp_path_factory, rows, zeros, kept):
    who = people(zeros, kept)
    if not any(day[:2] == "20" for _, day, *_ in rows):
        rows = [*rows, ("x", "2019-01-01", "1", "a")]  # for the form of the dates
    seen: set = set()
    reasons = [judged(row, who, seen) for row in rows]
    mostly_unreadable = reasons.count("unreadable date") * 2 > len(rows)
    nobody = (UNUSABLE | {"person excluded from the study"}).issuperset(reasons)
    if mostly_unreadable or (nobody and UNUSABLE & set(reasons)):
        with pytest.raises(DataError, match=r"can be used|Declare"):
            run(tmp_path_factory.mktemp("a"), rows, who)
        return
    found = run(tmp_path_factory.mktemp("a"), rows, who)
    excluded = {why: reasons.count(why) for why in set(reasons) - {None}}
    assert counts(found, "excluded") == excluded
    assert counts(found, "kept") == {"": reasons.count(None)}

    rejected = found.tally.quarantine.to_pandas()
    told = dict(zip(rejected["source_row"], rejected["reason"].astype(str), strict=True))
    assert told == {i: why for i, why in enumerate(reasons, 1) if why is not None}
    table = found.tally.cleaning.set_index("step").drop(columns=["table", "reason"])
    gone = table.loc[["excluded"]].sum() if "excluded" in table.index else 0 * table.loc["kept"]
    columns = ["n", "women", "men"]
    left = table.loc["received", columns] - gone[columns] - table.loc["kept", columns]
    assert (left == 0).all()
    assert (table["n"] >= table["women"] + table["men"]).all()
    assert (table["persons"] <= table["n"]).all()


def test_of_rows_alike_the_first_in_the_file_stays(tmp_path):
    rows = [("p0", ZERO, "1", ""), ("p1", ZERO, "1", ""), ("old0", ZERO, "1", "")] * 2
    found = run(tmp_path, rows, people([ZERO, ZERO]))
    assert sorted(found.tally.quarantine["source_row"].to_pylist()) == [3, 4, 5, 6]
