"""Incomes by month and year, against sums row by row; what is not known is missing, not zero."""

import datetime
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from data.registers.people import COVERAGE, EXTRACT, batches, people, person_of, plan_with
from evaluate.data.registers.decisions import people_table
from evaluate.data.registers.engine import engine
from evaluate.data.registers.incomes import income_months
from evaluate.errors import DataError, Problems

NAMES = ("person", "period", "wage", "benefit", "employer")
ZERO = datetime.date(2019, 1, 31)
OUTCOMES = {
    "wage": {"incomes": "wage", "months": [-1, 5], "unit": "SEK per month"},
    "summed": {"incomes": "wage", "measure": "cumulated", "months": [1, 5], "unit": "SEK"},
    "benefit": {"incomes": "benefit", "months": [2, 2], "unit": "SEK per month"},
}


def plan_of(outcomes=OUTCOMES, **incomes):
    return plan_with(outcomes, incomes={"path": "i.csv"} | incomes)


def run(folder, rows, who, plan=None, names=NAMES):
    plan = plan or plan_of()
    with engine(folder / "engine") as connection:
        people_table(connection, who)
        return income_months(connection, batches(names, rows), plan, who)


def counts(found, step):
    rows = found.tally.cleaning
    return rows[rows["step"] == step].set_index("reason")["n"].to_dict()


def test_each_decision_has_its_rows_and_the_first_that_holds_counts(tmp_path):
    who = people([ZERO, ZERO, ZERO, None], kept=[True, True, False, True])
    rows = [
        ("p0", "2019-02", "100", "0", "a"),
        ("", "2019-02", "100", "0", "a"),
        ("x", "2019-13", "100", "0", "a"),
        ("p2", "2019-02", "100", "0", "a"),
        ("p3", "2019-13", "100", "0", "a"),
        ("p0", "2019-13", "100", "0", "a"),
        ("p0", "", "100", "0", "a"),
        ("p0", "2020-04", "100", "0", "a"),
        ("p0", "2018-12", "100", "0", "a"),
        ("p0", "2019-02", "much", "0", "a"),
        ("p0", "2019-02", "100", "inf", "a"),
        ("old0", "2019-02", "100.0", "0", "a"),
        ("p0", "2019-02", "100", "0", "b"),
        ("p1", "2019-03", "-40", "", "a"),
    ]
    found = run(tmp_path, rows, who)
    assert counts(found, "excluded") == {
        "person key missing": 1,
        "person not among the participants": 1,
        "person excluded from the study": 1,
        "person without a day in offered": 1,
        "unreadable period": 1,
        "period missing": 1,
        "after the last whole period covered": 1,
        "before the first whole period covered": 1,
        "wage not a number": 1,
        "benefit infinite": 1,
        "exact duplicate": 1,
    }
    assert counts(found, "noted") == {"wage below zero": 1, "benefit missing": 1}
    assert counts(found, "kept") == {"": 3}
    rejected = found.tally.quarantine.to_pandas().set_index("source_row")["reason"].astype(str)
    assert sorted(rejected.index) == list(range(2, 13))
    assert rejected[12] == "exact duplicate"


def test_rows_of_a_month_add_up_and_a_month_without_a_row_is_zero(tmp_path):
    rows = [
        ("p0", "2019-02", "100.5", "7", "a"),
        ("old0", "201902", "50", "", "b"),
        ("p0", "2019-04", "-30", "", "a"),
    ]
    plan = plan_of(OUTCOMES | {"benefit": OUTCOMES["benefit"] | {"months": [1, 2]}})
    found = run(tmp_path, [r for r in rows if "-" in r[1]], people([ZERO, ZERO]), plan).columns
    assert found["wage@1"][0] == 100.5
    assert found["wage@2"][0] == 0
    assert found["wage@3"][0] == -30
    assert [found[f"summed@{m}"][0] for m in range(1, 6)] == [100.5, 100.5, 70.5, 70.5, 70.5]
    assert found["benefit@1"][0] == 7
    assert all(values[1] == 0 for name, values in found.items() if name != "wage@-1")


@pytest.mark.parametrize("text", ["", "NA", "much", "inf"])
def test_a_month_with_an_amount_that_is_not_known_is_missing_not_zero(tmp_path, text):
    rows = [("p0", "2019-03", text, "5", "a"), ("p0", "2019-03", "100", "5", "b")]
    found = run(tmp_path, rows, people([ZERO, ZERO])).columns
    assert np.isnan(found["wage@2"][0])
    assert found["wage@3"][0] == 0
    assert_array_equal([found[f"summed@{m}"][0] for m in (1, 2, 3)], [0, np.nan, np.nan])
    # a row that is kept says what its other amounts are; one that is rejected says nothing
    assert_array_equal(found["benefit@2"][0], 10 if text in ("", "NA") else np.nan)


def test_the_month_of_the_offer_is_month_0_whatever_its_length(tmp_path):
    zeros = [datetime.date(2019, 1, 31), datetime.date(2019, 1, 1), datetime.date(2020, 2, 29)]
    rows = [(f"p{i}", "2019-02", "1", "", "") for i in (0, 1)]
    rows += [("p2", "2020-01", "3", "", ""), ("p2", "2020-03", "2", "", "")]
    found = run(tmp_path, rows, people(zeros)).columns
    assert found["wage@1"].tolist() == [1, 1, 2]
    assert_array_equal(found["wage@-1"], [np.nan, np.nan, 3])
    assert_array_equal(found["wage@2"], [0, 0, np.nan])


def test_a_month_counts_as_observed_when_all_its_days_are_covered(tmp_path):
    zeros = [datetime.date(2019, 2, 1), datetime.date(2019, 12, 31)]
    rows = [("p0", period, "9", "", "") for period in ("2019-01", "2019-09")]
    rows.append(("p1", "2020-03", "9", "", ""))
    whole = run(tmp_path, rows, people(zeros))
    assert whole.columns["wage@-1"][0] == 9
    assert whole.columns["wage@3"][1] == 9
    cut = {"coverage": "2019-01-02", "extract_date": "2020-03-30"}
    found = run(tmp_path, rows, people(zeros), plan_of(**cut))
    assert np.isnan(found.columns["wage@-1"][0])
    assert np.isnan(found.columns["wage@3"][1])
    assert found.columns["wage@2"][1] == 0
    assert counts(found, "excluded") == {
        "after the last whole period covered": 1,
        "before the first whole period covered": 1,
    }


def test_incomes_that_are_all_from_other_periods_stop_the_run(tmp_path):
    """A wrong delivery would otherwise give everybody an income of nought."""
    rows = [("p0", "2012-01", "9", "", ""), ("p1", "2012-03", "9", "", "")]
    cut = {"coverage": "2019-01-01", "extract_date": "2020-03-30"}
    with pytest.raises(
        DataError, match="none of 2 rows can be used: 2 rows before the first whole"
    ):
        run(tmp_path, rows, people([ZERO, ZERO]), plan_of(**cut))


COVERED = {"coverage": "2017-01-01", "extract_date": "2021-11-30"}


def test_yearly_incomes_are_those_of_the_calendar_year_of_the_month(tmp_path):
    outcomes = {
        "year": {"incomes": "wage", "months": [12, 12], "unit": "SEK"},
        "before": {"incomes": "wage", "months": [-12, -12], "unit": "SEK", "role": "placebo"},
        "two": {"incomes": "wage", "measure": "cumulated", "months": [24, 24], "unit": "SEK"},
        "three": {"incomes": "wage", "measure": "cumulated", "months": [36, 36], "unit": "SEK"},
    }
    plan = plan_of(outcomes, per="year", **COVERED)
    zeros = [datetime.date(2018, 1, 1), datetime.date(2018, 12, 31), None]
    rows = [
        ("p0", year, amount, "", "")
        for year, amount in (("2017", 1), ("2018", 2), ("2019.0", 4), ("2020", 8), ("2021", 16))
    ]
    found = run(tmp_path, [*rows, ("p0", "201", "5", "", "")], people(zeros), plan)
    first = {name: values[0] for name, values in found.columns.items()}
    assert_array_equal(list(first.values()), [4, 1, 12, np.nan])
    assert list(first) == ["year@12", "before@-12", "two@24", "three@36"]
    assert found.columns["year@12"][1] == 0
    assert all(np.isnan(values[2]) for values in found.columns.values())
    several = outcomes | {"year": outcomes["year"] | {"months": [12, 30]}}
    again = run(tmp_path, rows, people(zeros), plan_of(several, per="year", **COVERED))
    assert [name for name in again.columns if name.startswith("year")] == ["year@12", "year@24"]
    assert_array_equal(again.columns["year@24"][0], 8)
    assert counts(found, "excluded") == {
        "unreadable period": 1,
        "after the last whole period covered": 1,
    }


@pytest.mark.parametrize("months", [[1, 1], [6, 11], [13, 23]])
def test_yearly_incomes_have_no_other_months(tmp_path, months):
    outcomes = {"wage": {"incomes": "wage", "months": months, "unit": "SEK"}}
    with pytest.raises(Problems, match=r"outcomes\.wage\.months: the incomes are yearly.*\[12, 24"):
        run(tmp_path, [], people([ZERO, ZERO]), plan_of(outcomes, per="year"))


def test_a_logarithm_needs_what_is_above_zero(tmp_path):
    outcomes = {
        "log": {"incomes": "wage", "months": [1, 2], "transform": "log", "unit": "log SEK"},
        "wage": OUTCOMES["wage"],
    }
    rows = [("p0", "2019-02", "100", "", ""), ("p0", "2019-03", "10", "", "")]
    who = people([ZERO, None])
    found = run(tmp_path, rows, who, plan_of(outcomes)).columns
    assert_allclose([found["log@1"][0], found["log@2"][0]], np.log([100, 10]))
    assert np.isnan(found["log@1"][1])
    said = r"i\.csv: column wage \(outcomes\.log\): 2 months of persons at or below 0"
    with pytest.raises(Problems, match=said):
        run(tmp_path, rows, people([ZERO, ZERO]), plan_of(outcomes))


def test_a_decimal_mark_that_is_not_clear_has_to_be_declared(tmp_path):
    rows = [("p0", "2019-02", "1,500", "1.500,25", ""), ("p0", "2019-03", "2", "", "")]
    with pytest.raises(Problems) as caught:
        run(tmp_path, rows, people([ZERO, ZERO]))
    assert [text.split(":")[1] for text in caught.value.problems] == [
        " column wage", " column benefit",
    ]  # fmt: skip
    assert all("under data.incomes" in text for text in caught.value.problems)
    found = run(tmp_path, rows, people([ZERO, ZERO]), plan_of(decimal=","))
    assert found.columns["wage@1"][0] == 1.5
    assert found.columns["summed@2"][0] == 3.5


@pytest.mark.parametrize(
    "texts",
    [
        ["2019-02", "2019-03"],
        ["201902", "201903"],
        ["2019M02", "2019M03"],
        ["2019-02-01", "2019-03-31"],
        ["01/02/2019", "31/03/2019"],
        ["201902.0", "201903.0"],
    ],
)
def test_months_are_read_in_the_one_form_of_the_column(tmp_path, texts):
    other = "2019-02" if "-" not in texts[0] else "201902"
    rows = [("p0", text, "7", "", i) for i, text in enumerate([*texts, *texts, other])]
    found = run(tmp_path, rows, people([ZERO, ZERO]))
    assert [found.columns[f"wage@{m}"][0] for m in (1, 2, 3)] == [14, 14, 0]
    assert counts(found, "excluded") == {"unreadable period": 1}


def test_a_primary_month_that_yearly_incomes_do_not_have_is_a_fault(tmp_path):
    outcome = {"incomes": "wage", "months": [0, 12], "primary_month": 6, "unit": "SEK"}
    with pytest.raises(Problems, match=r"outcomes.wage.primary_month: .* month 6 has none"):
        run(tmp_path, [], people([ZERO]), plan_of({"wage": outcome}, per="year"))


KEYS = st.sampled_from(["p0", "p1", "p2", "p3", "old0", "x", ""])
PERIODS = st.sampled_from(
    ["2018-12", "2019-01", "2019-02", "2019-03", "2019-04", "2020-03", "2020-04", "2019-00", ""]
)
AMOUNTS = st.sampled_from(["100", "0.1", "0.2", "0.7", "-3", "1e3", "", "x", "inf", "1 234.5"])
ZEROS = st.sampled_from(
    [None, ZERO, datetime.date(2019, 1, 1), datetime.date(2019, 3, 31), datetime.date(2020, 1, 31)]
)
NUMBERS = {"": math.nan, "1 234.5": 1234.5}


def index_of(day):
    return 12 * day.year + day.month - 1


def looped(rows, who):
    """Go through the rows one by one: why each is rejected, and what each month holds."""
    reasons, seen, sums, unknown = [], set(), {}, set()
    for key, period, *amounts, employer in rows:
        person = person_of(key, who)
        at = None
        if period and period != "2019-00":
            at = 12 * int(period[:4]) + int(period[5:]) - 1
        why = None
        if key == "":
            why = "person key missing"
        elif person is None:
            why = "person not among the participants"
        elif not who.kept[person]:
            why = "person excluded from the study"
        elif np.isnat(who.day_zero[person]):
            why = "person without a day in offered"
        elif at is None:
            why = "unreadable period" if period else "period missing"
        elif at > index_of(EXTRACT):
            why = "after the last whole period covered"
        elif at < index_of(COVERAGE):
            why = "before the first whole period covered"
        else:
            for name, amount in zip(("wage", "benefit"), amounts, strict=True):
                if why is None and amount in ("x", "inf"):
                    why = f"{name} " + ("not a number" if amount == "x" else "infinite")
                    unknown.add((person, at))
        values = [NUMBERS.get(a) if a in NUMBERS else a for a in amounts]
        same = (person, at, *amounts, employer)
        if why is None and same in seen:
            why = "exact duplicate"
        reasons.append(why)
        if why is None:
            seen.add(same)
            for name, value in zip(("wage", "benefit"), values, strict=True):
                sums.setdefault((name, person, at), []).append(float(value))
    return reasons, sums, unknown


@settings(max_examples=60)
@given(
    rows=st.lists(st.tuples(KEYS, PERIODS, AMOUNTS, AMOUNTS, st.sampled_from("ab")), max_size=50),
    zeros=st.lists(ZEROS, min_size=4, max_size=4),
    kept=st.lists(st.sampled_from([True, True, False]), min_size=4, max_size=4),
)
def test_months_and_totals_are_those_of_a_loop_over_the_rows(tmp_path_factory, rows, zeros, kept):
    kept[0] = True
    who = people(zeros, kept)
    # For the forms of the columns, and so that one row names a participant.
    rows = [*rows, ("x", "2019-01", "1.5", "1.5", "a"), ("p0", "2019-01", "1.5", "1.5", "z")]
    reasons, sums, unknown = looped(rows, who)
    if reasons.count("unreadable period") * 2 > len(rows):
        with pytest.raises(DataError, match="Declare"):
            run(tmp_path_factory.mktemp("i"), rows, who)
        return
    found = run(tmp_path_factory.mktemp("i"), rows, who)
    assert counts(found, "excluded") == {w: reasons.count(w) for w in set(reasons) - {None}}
    assert counts(found, "kept") == {"": reasons.count(None)}
    rejected = found.tally.quarantine.to_pandas()
    told = dict(zip(rejected["source_row"], rejected["reason"].astype(str), strict=True))
    assert told == {i: why for i, why in enumerate(reasons, 1) if why is not None}

    places = np.flatnonzero(kept)

    def month(name, person, m):
        if zeros[person] is None:
            return math.nan
        at = index_of(zeros[person]) + m
        if not index_of(COVERAGE) <= at <= index_of(EXTRACT) or (person, at) in unknown:
            return math.nan
        return sum(sums.get((name, person, at), [0.0]))

    for name, values in found.columns.items():
        outcome, m = name.split("@")
        column = "benefit" if outcome == "benefit" else "wage"
        months = range(1, int(m) + 1) if outcome == "summed" else [int(m)]
        wanted = [sum(month(column, i, k) for k in months) for i in places]
        assert_allclose(values, wanted, atol=1e-9, err_msg=name)


def test_the_bytes_are_the_same_in_every_run_and_chunk(tmp_path, monkeypatch):
    rng = np.random.default_rng(1)
    rows = [
        (f"p{rng.integers(20)}", f"2019-{rng.integers(1, 13):02d}", rng.random(), 0, i)
        for i in range(9000)
    ]
    who = people([ZERO] * 20)
    first = run(tmp_path, rows, who).columns
    monkeypatch.setattr("evaluate.data.registers.ordered.CHUNK", 2_048)
    again = run(tmp_path, rows, who).columns
    for name, values in first.items():
        assert_array_equal(values, again[name], strict=True)


def test_a_table_that_no_outcome_uses_is_cleaned_all_the_same(tmp_path):
    work = {"work": {"column": "work", "unit": "hours"}}
    rows = [("p0", "2019-02", "x", "", "a")] * 2
    found = run(tmp_path, rows, people([ZERO, ZERO]), plan_of(work))
    assert found.columns == {}
    assert counts(found, "excluded") == {"exact duplicate": 1}
