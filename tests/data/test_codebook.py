"""Codebooks: what a code means on a day, against one reading of the entries at a time."""

import datetime

import duckdb
import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from evaluate.data.codebook import (
    codebook_of,
    judge,
    judge_numbered,
    labels,
    load_codebook,
    periods,
)
from evaluate.plan.codebook import CodebookFile

DAYS = st.dates(datetime.date(2000, 1, 1), datetime.date(2009, 12, 31))
CODES = ["1", "2", "30", "3", "x", "1.0", None]


def book(entries, match="whole"):
    """Return a codebook with the groups that its entries name."""
    groups = {e["group"] for e in entries if e.get("group")}
    text = {"en": "a", "sv": "b"}
    file = CodebookFile.model_validate(
        {
            "title": text,
            "source": text,
            "status": "documented",
            "match": match,
            "groups": dict.fromkeys(groups, text),
            "codes": [{"en": "E", "sv": "S"} | entry for entry in entries],
        }
    )
    return codebook_of("book", file)


@st.composite
def books(draw):
    """Draw codebooks whose codes have one period or several, some of them open."""
    entries = []
    for code in draw(st.lists(st.sampled_from(["1", "2", "3"]), min_size=1, unique=True)):
        days = sorted(draw(st.lists(DAYS, min_size=2, max_size=6, unique=True)))
        bounds = [days[i : i + 2] for i in range(0, len(days) - 1, 2)]
        for at, (first, last) in enumerate(bounds):
            entry = {"code": code, "group": draw(st.sampled_from([None, "own", "rent"]))}
            if at > 0 or draw(st.booleans()):
                entry["valid_from"] = first.isoformat()
            if at < len(bounds) - 1 or draw(st.booleans()):
                entry["valid_to"] = last.isoformat()
            entries.append(entry)
    return book(draw(st.permutations(entries)), draw(st.sampled_from(["whole", "first"])))


def expected(code, day, found):
    """Read one code, entry by entry."""
    if code is None:
        return None, False, False
    code = code.removesuffix(".0")
    code = code[0] if found.match == "first" else code
    entries = sorted((e for e in found.file.codes if e.text == code), key=lambda e: e.first)
    if not entries:
        return None, True, False
    if day is not None:
        entries = [e for e in entries if e.first <= day <= e.last]
    return (entries[-1].group or code, False, False) if entries else (None, False, True)


ROWS = st.lists(st.tuples(st.sampled_from(CODES), st.none() | DAYS), min_size=1, max_size=30)


@given(books(), ROWS)
def test_a_code_means_what_its_entry_of_that_day_says(found, rows):
    codes = np.array([code for code, _ in rows], dtype=object)
    days = np.array([day for _, day in rows], dtype="datetime64[D]")
    for at, judged in ((days, [d for _, d in rows]), (None, [None] * len(rows))):
        made = judge(codes, at, found)
        told = list(zip(made.value, made.unknown, made.outside, strict=True))
        assert told == [expected(c, d, found) for c, d in zip(codes, judged, strict=True)]


@given(books(), ROWS)
def test_a_database_that_joins_the_periods_finds_the_same(found, rows):
    frame = pd.DataFrame(rows, columns=["code", "day"]).dropna()
    frame["code"] = frame["code"].str.removesuffix(".0")
    frame["day"] = pd.to_datetime(frame["day"])
    if frame.empty:
        return
    key = "left(f.code, 1)" if found.match == "first" else "f.code"
    with duckdb.connect() as connection:
        connection.register("f", frame.reset_index(names="row"))
        connection.register("p", periods(found))
        joined = connection.execute(
            f"SELECT row, value FROM f JOIN p ON p.code = {key} "
            "AND f.day BETWEEN valid_from AND valid_to ORDER BY row"
        ).fetchall()
    days = frame["day"].to_numpy().astype("datetime64[D]")
    value = judge(frame["code"].to_numpy(dtype=object), days, found).value
    by_row = dict(zip(frame.index, value, strict=True))
    assert joined == [(row, v) for row, v in by_row.items() if v is not None]


def test_the_first_and_last_day_belong_to_a_period():
    found = book([{"code": 1, "valid_from": "2005-01-01", "valid_to": "2005-01-31"}])
    days = ["2004-12-31", "2005-01-01", "2005-01-31", "2005-02-01", "NaT"]
    made = judge(np.full(5, "1", dtype=object), np.array(days, dtype="datetime64[D]"), found)
    assert made.outside.tolist() == [True, False, False, True, False]
    assert made.value.tolist() == [None, "1", "1", None, "1"]


def test_an_open_period_holds_days_beyond_all_calendars():
    found = book([{"code": 1, "valid_from": "2005-01-01"}, {"code": 2}])
    days = np.array(["-0001-01-01", "9999-12-31", "12000-01-01"], dtype="datetime64[D]")
    assert judge(np.full(3, "1", dtype=object), days, found).outside.tolist() == [
        True,
        False,
        False,
    ]
    assert not judge(np.full(3, "2", dtype=object), days, found).outside.any()


def test_codes_that_are_numbered_already_are_read_alike():
    found = book([{"code": 1, "group": "own"}, {"code": 2}])
    codes = np.array(["2", None, "1", "9", "2"], dtype=object)
    texts = np.array(["9", "2", "1"], dtype=object)
    numbered = judge_numbered(np.array([1, -1, 2, 0, 1]), texts, None, found)
    made = judge(codes, None, found)
    assert made.value.tolist() == numbered.value.tolist() == ["2", None, "own", None, "2"]
    assert made.unknown.tolist() == numbered.unknown.tolist() == [False, False, False, True, False]


def test_no_rows_are_no_fault():
    found = book([{"code": 1}])
    made = judge(np.array([], dtype=object), np.array([], dtype="datetime64[D]"), found)
    assert len(made.value) == len(made.unknown) == len(made.outside) == 0


def test_a_label_is_that_of_the_latest_meaning():
    found = book(
        [
            {"code": 1, "en": "New", "sv": "Ny", "valid_from": "2005-01-01", "group": "own"},
            {"code": 1, "en": "Old", "sv": "Gammal", "valid_to": "2004-12-31"},
        ]
    )
    assert labels(found, "en") == {"1": "New", "own": "a"}
    assert labels(found, "sv") == {"1": "Ny", "own": "b"}


def test_levels_of_education_are_read_in_either_coding():
    found = load_codebook("education_sun2000")
    codes = np.array(["206", "327", "413", "537", "640", "999", "3", "7", "8", "US"], dtype=object)
    made = judge(codes, None, found)
    assert made.value.tolist() == [
        "compulsory", "upper_secondary", "upper_secondary", "tertiary", "tertiary", "unknown",
        "upper_secondary", "tertiary", None, None,
    ]  # fmt: skip
    assert made.unknown.tolist() == [False] * 8 + [True, True]
