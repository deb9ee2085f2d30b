"""Days: ages and periods in completed units, as dateutil and the calendar count them."""

import datetime

import numpy as np
import pandas as pd
import pytest
from dateutil.relativedelta import relativedelta
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from data.extract import cleaned, people, prepared
from evaluate.data.days import births, completed
from evaluate.errors import Problems

DAYS = st.dates(datetime.date(1900, 1, 1), datetime.date(2100, 12, 31))
FEBRUARY = datetime.date(2004, 2, 29)


def between(start, end, unit):
    first, last = (np.array([d], dtype="datetime64[D]") for d in (start, end))
    return float(completed(first, last, unit)[0])


@settings(max_examples=500, derandomize=True, deadline=None)
@given(DAYS, DAYS)
@example(FEBRUARY, datetime.date(2005, 2, 28))
@example(FEBRUARY, datetime.date(2008, 2, 28))
@example(datetime.date(2005, 2, 28), datetime.date(2008, 2, 29))
@example(datetime.date(2019, 1, 31), datetime.date(2019, 2, 28))
@example(datetime.date(2019, 12, 31), datetime.date(2020, 2, 29))
def test_completed_units_are_those_of_dateutil(one, other):
    start, end = sorted((one, other))
    gone = relativedelta(end, start)
    assert between(start, end, "years") == gone.years
    assert between(start, end, "months") == 12 * gone.years + gone.months
    assert between(start, end, "days") == (end - start).days


@settings(max_examples=200, derandomize=True, deadline=None)
@given(DAYS, DAYS)
def test_months_back_are_the_most_that_do_not_go_beyond(one, other):
    end, start = sorted((one, other))
    months = between(start, end, "months")
    assert start + relativedelta(months=int(months)) <= end
    assert start + relativedelta(months=int(months) + 1) > end
    assert between(start, end, "years") == months // 12


@pytest.mark.parametrize(
    ("start", "end", "years"),
    [
        ("2000-02-29", "2001-02-27", 0),
        ("2000-02-29", "2001-02-28", 1),
        ("2000-02-29", "2004-02-28", 3),
        ("2000-02-29", "2004-02-29", 4),
        ("2016-05-31", "2020-05-30", 3),
        ("2016-05-31", "2020-05-31", 4),
        ("2020-05-31", "2020-05-30", -1),
    ],
)
def test_a_year_is_completed_on_the_day_of_the_same_number(start, end, years):
    assert between(start, end, "years") == years


def test_a_day_that_is_not_known_gives_no_number():
    known, none = np.array(["2020-01-01", "NaT"], dtype="datetime64[D]")
    for unit in ("years", "months", "days"):
        for pair in ((known, none), (none, known), (none, none)):
            assert np.isnan(completed(*(np.array([d]) for d in pair), unit)).all()


BORN = {
    "days": (["1980-05-17", "1999-12-31", "", "1980-02-30"], ["1980-05-17", "1999-12-31"]),
    "months": (["1980-05", "1999-12", "NA", "1980-13"], ["1980-05-01", "1999-12-01"]),
    "months together": (["198005", "199912", "", "okänd"], ["1980-05-01", "1999-12-01"]),
    "years": (["1980", "1999", "", "80"], ["1980-01-01", "1999-01-01"]),
    "years that cannot be": (["1980", "1999", "", "9999"], ["1980-01-01", "1999-01-01"]),
}


@pytest.mark.parametrize(("cells", "days"), BORN.values(), ids=BORN)
def test_birth_is_read_as_exactly_as_it_is_known(cells, days):
    read = births(pd.Series(cells * 2, dtype="str"))
    assert_array_equal(read.values[:2], np.array(days, dtype="datetime64[D]"))
    assert np.isnat(read.values[2:4]).all()
    assert_array_equal(read.not_dates[:4], [False, False, False, True])


AT = {"columns": {"born": "född", "offered": "dag"}}


@pytest.mark.parametrize(
    ("born", "day", "age"),
    [("1980-03-03", "2020-03-02", 39), ("1980-03-02", "2020-03-02", 40), ("1980", "2020-03-02", 40),
     ("1980-03", "2020-03-02", 40), ("198004", "2020-03-02", 39), ("19800302", "2020-03-01", 39)],
)  # fmt: skip
def test_the_age_is_that_of_the_day_of_the_offer(tmp_path, born, day, age):
    rows = people(16, dag=day, född=born)
    study = cleaned(tmp_path / "p.csv", rows, covariates=["age_at_offer", "ålder"], **AT)
    assert_array_equal(study.participants["covariate.age_at_offer"], age)


def test_age_at_the_offer_serves_criteria_covariates_and_groups(tmp_path):
    rows = [r | {"dag": "2020-03-02", "född": str(1970 + i % 4)} for i, r in enumerate(people())]
    rows[3]["född"] = ""
    study = cleaned(
        tmp_path / "p.csv",
        rows,
        eligibility=["age_at_offer >= 48"],
        covariates=[{"column": "age_at_offer", "kind": "categorical"}],
        groups=["age_at_offer"],
        **AT,
    )
    assert study.participants["group.age_at_offer"].to_list() == ["50", "49", "48"] * 4
    assert study.participants["covariate.age_at_offer"].to_list() == ["50", "49", "48"] * 4
    excluded = study.flow[study.flow["step"] == "excluded"].set_index("reason")["n"]
    assert excluded["age_at_offer >= 48: value missing"] == 1
    assert excluded["not met: age_at_offer >= 48"] == 3


def test_a_raw_column_of_that_name_comes_first(tmp_path):
    rows = people(16, dag="2020-03-02", född="1980", age_at_offer="33")
    rows[0]["age_at_offer"] = "34"
    study = cleaned(tmp_path / "p.csv", rows, covariates=["age_at_offer"], **AT)
    assert study.participants["covariate.age_at_offer"].to_list() == [34, *[33] * 15]


def test_without_birth_or_offer_there_is_no_age(tmp_path):
    with pytest.raises(Problems, match=r"no column `age_at_offer` \(covariates\)"):
        cleaned(tmp_path / "p.csv", people(16, född="1980"), columns={"born": "född"},
                covariates=["age_at_offer"])  # fmt: skip


def test_months_are_counted_from_offer_or_start(tmp_path):
    rows = people(16, dag="2020-03-02", start="2020-04-01")
    rows[2]["start"] = ""
    columns = {"offered": "dag", "started": "start"}
    day = np.datetime64("2020-03-02")
    found = prepared(tmp_path / "p.csv", rows, columns=columns)
    assert (found.people.day_zero == day).all()
    found = prepared(tmp_path / "p.csv", rows, columns=columns | {"time_zero": "started"})
    assert np.isnat(found.people.day_zero).tolist() == [i == 2 for i in range(16)]
    assert found.people.day_zero[0] == np.datetime64("2020-04-01")
    assert np.isnat(prepared(tmp_path / "p.csv", rows).people.day_zero).all()
