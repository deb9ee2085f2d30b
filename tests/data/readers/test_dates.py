"""Days and months: forms found or declared, and no other text taken for one."""

import datetime

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from evaluate.data.readers.convert import MISSING, missing, sql_missing
from evaluate.data.readers.dates import (
    DAYS,
    FORMATS,
    MONTHS,
    YEARS,
    date_form,
    dates,
    month_form,
    months,
    sql_date,
    sql_month,
)
from evaluate.errors import DataError

ANY_DAY = st.dates(datetime.date(1000, 1, 1), datetime.date(9999, 12, 31))
CONNECTION = duckdb.connect()
COLUMN = 'Början "den'  # a name that has to be quoted


def text(*cells):
    return pd.Series(cells, dtype="str")


def written(day, form):
    return day.strftime(FORMATS[form])


def in_duckdb(cells, expression):
    """Return what DuckDB makes of cells."""
    table = pa.table({COLUMN: pa.array(list(cells), pa.string())})
    CONNECTION.register("cells", table)
    return [row[0] for row in CONNECTION.execute(f"SELECT {expression} FROM cells").fetchall()]


@given(days=st.lists(ANY_DAY, min_size=1, max_size=8), form=st.sampled_from(DAYS))
def test_written_days_come_back(days, form):
    cells = [written(day, form) for day in days]
    read = dates(text(*cells), form)
    assert_array_equal(read.values, np.array(days, dtype="datetime64[D]"))
    assert not read.not_dates.any()
    assert in_duckdb(cells, sql_date(COLUMN, form)) == days


@given(days=st.lists(ANY_DAY, min_size=1, max_size=8), form=st.sampled_from(DAYS[:3]))
def test_the_form_is_found(days, form):
    cells = text(*(written(day, form) for day in days), "", "NA")
    read = dates(cells)
    assert read.form == date_form(cells) == form
    assert_array_equal(read.values[:-2], np.array(days, dtype="datetime64[D]"))
    assert np.isnat(read.values[-2:]).all()
    assert not read.not_dates.any()


SMALL, YEAR = st.integers(0, 40), st.integers(0, 9999)
ANY_TEXT = (
    st.text("0123456789-/mM :T+.aå", max_size=12)
    | ANY_DAY.map(str)
    | st.builds("{:04d}-{:02d}-{:02d}".format, YEAR, SMALL, SMALL)
    | st.builds("{:04d}{:02d}{:02d}".format, YEAR, SMALL, SMALL)
    | st.builds("{:02d}/{:02d}/{:04d}".format, SMALL, SMALL, YEAR)
    | st.builds("{:d}-{:d}-{:d}".format, *[st.integers(-9, 9999)] * 3)
    | st.builds("{:04d}{}{:02d}".format, YEAR, st.sampled_from(["", "-", "m", "M"]), SMALL)
    | st.builds("{} {:02d}:{:02d}".format, ANY_DAY, *[st.integers(0, 70)] * 2)
)


@pytest.mark.parametrize("form", FORMATS)
@given(cells=st.lists(ANY_TEXT.map(str.strip), min_size=1, max_size=10))
def test_duckdb_reads_the_same_days(form, cells):
    per = "year" if form in YEARS else "month"
    if form in DAYS:
        read = dates(text(*cells), form)
        assert in_duckdb(cells, sql_date(COLUMN, form)) == read.values.tolist()
    else:
        read = months(text(*cells), per)
        expected = read.values.astype("datetime64[D]").tolist()
        assert in_duckdb(cells, sql_month(COLUMN, read.form)) == expected


BAD = {
    "YYYY-MM-DD": [
        "2019-02-30", "2019-13-01", "2019-00-10", "2019-01-00", "19-01-31", "2019-1-31",
        "2019-01-5", "2019/01/31", "2019-01-311", "0000-01-01", "+019-01-31", "-019-01-31",
        "2019-01-3x", "２０１９-01-31", "2019-01- 5", "2019-01-31 24:00", "2019-01-31 8:00",
        "2019-01-31x", "2019-01-31 08:00:60", "infinity", "epoch", "2019-01-31 (BC)",
        "1900-02-29", "2019-01", "43496", "2019-01-31 ", "2019-01-31\n08:00",
    ],
    "YYYYMMDD": [
        "20190230", "20191301", "190131", "2019013", "201901311", "2019-1-1", "00000101",
        "+2190131", "2019 131", "2019.131",
    ],
    "DD/MM/YYYY": [
        "30/02/2019", "1/1/2019", "31/01/19", "31-01-2019", "31.01.2019", "00/01/2019",
        "31/01/0000", " 1/01/2019", "31/13/2019",
    ],
    "MM/DD/YYYY": ["13/01/2019", "02/30/2019", "1/31/2019"],
}  # fmt: skip


@pytest.mark.parametrize(("form", "cell"), [(form, cell) for form in BAD for cell in BAD[form]])
def test_what_is_no_day_is_no_date(form, cell):
    read = dates(text(cell), form)
    assert read.not_dates.all()
    assert np.isnat(read.values).all()
    assert in_duckdb([cell], sql_date(COLUMN, form)) == [None]


@pytest.mark.parametrize(
    "time",
    [" 00:00", "T08:15", " 23:59:59", " 00:00:00.000", " 08:00:00,5", "T08:00:00Z", " 08:00+01",
     " 08:00:00+01:00", " 08:00:00-0100"],
)  # fmt: skip
def test_a_time_may_stand_after_an_iso_day(time):
    if time.endswith("+01"):
        assert dates(text(f"2019-01-31{time}")).not_dates.all()
        return
    read = dates(text(f"2019-01-31{time}", "2019-02-30 00:00"))
    assert_array_equal(read.values, np.array(["2019-01-31", "NaT"], dtype="datetime64[D]"))
    assert_array_equal(read.not_dates, [False, True])
    assert in_duckdb([f"2019-01-31{time}"], sql_date(COLUMN, read.form)) == [
        datetime.date(2019, 1, 31)
    ]


def test_leap_days_are_days():
    cells = ["2020-02-29", "2000-02-29", "1900-02-29", "2019-02-29"]
    assert_array_equal(dates(text(*cells)).not_dates, [False, False, True, True])


@pytest.mark.parametrize("word", [*sorted(MISSING), "NA", "Null", "#SAKNAS!"])
def test_missing_is_no_wrong_date(word):
    for read in (dates(text(word, "2019-01-31")), months(text(word, "2019-01"))):
        assert np.isnat(read.values).tolist() == [True, False]
    assert not dates(text(word)).not_dates.any()
    assert not months(text(word)).not_months.any()
    assert in_duckdb([word, "x"], sql_missing(COLUMN)) == missing(text(word, "x")).tolist()


@pytest.mark.parametrize(
    ("cells", "form", "wrong"),
    [
        (["2019-01-31", "20190131", "2019-02-01"], "YYYY-MM-DD", [False, True, False]),
        (["2019-01-31", "20190131", "20190201"], "YYYYMMDD", [True, False, False]),
        (["01/02/2019", "2019-01-31", "01/02/2019"], "DD/MM/YYYY", [False, True, False]),
        (["x", "y"], "YYYY-MM-DD", [True, True]),
        (["", "NA"], "YYYY-MM-DD", [False, False]),
        ([], "YYYY-MM-DD", []),
    ],
)
def test_a_column_has_the_form_that_most_of_its_rows_have(cells, form, wrong):
    read = dates(text(*cells))
    assert read.form == form
    assert read.not_dates.tolist() == wrong


def test_rows_count_not_different_texts():
    cells = ["2019-01-31"] * 10 + ["20190101", "20190102", "20190103"]
    assert dates(text(*cells)).form == "YYYY-MM-DD"


@pytest.mark.parametrize("cells", [["12/31/2019"], ["01/02/2019", "03/04/2019", "01/13/2019"]])
def test_months_before_days_have_to_be_declared(cells):
    with pytest.raises(DataError, match=r"^p.csv: column x: 1 row .* `dates: MM/DD/YYYY`") as error:
        dates(text(*cells), where="p.csv: column x")
    assert not any(cell in str(error.value) for cell in cells)
    with pytest.raises(DataError, match="declare"):
        date_form(cells)
    assert not dates(text(*cells), "MM/DD/YYYY").not_dates.any()


def test_a_declared_form_is_not_found_otherwise():
    assert dates(text("2019-01-31"), "YYYYMMDD").not_dates.all()
    assert date_form(["2019-01-31"], "YYYYMMDD") == "YYYYMMDD"


@pytest.mark.parametrize(
    ("cells", "per", "declared", "form"),
    [
        (["2019-01", "2019-12"], "month", "auto", "YYYY-MM"),
        (["201901", "201912"], "month", "auto", "YYYYMM"),
        (["2019M01", "2019m12"], "month", "auto", "YYYYmMM"),
        (["2019-01-31", "2019-12-01"], "month", "auto", "YYYY-MM-DD"),
        (["20190131", "20191201"], "month", "auto", "YYYYMMDD"),
        (["31/01/2019", "01/12/2019"], "month", "auto", "DD/MM/YYYY"),
        (["01/31/2019", "12/01/2019"], "month", "MM/DD/YYYY", "MM/DD/YYYY"),
        (["2019", "2020"], "year", "auto", "YYYY"),
    ],
)
def test_months_and_years_are_read(cells, per, declared, form):
    expected = ["2019-01", "2020-01"] if per == "year" else ["2019-01", "2019-12"]
    assert month_form(cells, per, declared) == form
    read = months(text(*cells, "", "x"), per, declared)
    assert read.form == form
    assert_array_equal(read.values, np.array([*expected, "NaT", "NaT"], dtype="datetime64[M]"))
    assert read.not_months.tolist() == [False, False, False, True]
    firsts = [datetime.date.fromisoformat(f"{month}-01") for month in expected]
    assert in_duckdb([*cells, "", "x"], sql_month(COLUMN, form)) == [*firsts, None, None]


@pytest.mark.parametrize("cell", ["2019-13", "201900", "2019-1", "19-01", "2019Q1", "2019", "708"])
def test_what_is_no_month_is_said(cell):
    read = months(text(cell, "2019-01", "2019-02"))
    assert read.not_months.tolist() == [True, False, False]


@pytest.mark.parametrize("cell", ["19", "0000", "2019-01", "2019.0", "20190", "x"])
def test_what_is_no_year_is_said(cell):
    assert months(text(cell, "2019"), "year").not_months.tolist() == [True, False]


def test_forms_are_written_one_way():
    assert set(FORMATS) == {*DAYS, *MONTHS, *YEARS}
