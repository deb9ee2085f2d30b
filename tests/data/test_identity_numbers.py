"""Identity numbers: every shape is found, and days, amounts and other numbers are none."""

import datetime
import re

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluate.data.identity_numbers import IdentityCounts, identity_counts, identity_like

DEFINITE = ("{short}-{end}", "{short}+{end}", "{long}-{end}", "{long}{end}", "{long}{end}.0")
ALL = (*DEFINITE, "{short}{end}", "{short}{end}.0", "{short}{end},00")
AROUND = ("{}", "pnr {}", "{}, avliden", "(nr:{})", "Se akt.{}.", "ö {} ö", "2019-{}")


def check_digit(nine):
    """Return the last digit of ten, by the rule of Luhn, one digit at a time."""
    total = 0
    for at, digit in enumerate(map(int, nine)):
        doubled = digit * (2 - at % 2)
        total += doubled // 10 + doubled % 10
    return -total % 10


@st.composite
def numbers(draw, shapes):
    """Draw simulated identity and coordination numbers in a shape."""
    born = draw(st.dates(datetime.date(1850, 1, 1), datetime.date(2029, 12, 31)))
    day = born.day + draw(st.sampled_from([0, 60]))
    short = f"{born.year % 100:02}{born.month:02}{day:02}"
    serial = f"{draw(st.integers(1, 999)):03}"
    end = f"{serial}{check_digit(short + serial)}"
    shape = draw(st.sampled_from(shapes))
    return shape.format(short=short, long=f"{born.year // 100}{short}", end=end)


def like(*cells):
    return identity_like(pa.array(list(cells), type=pa.string())).tolist()


@given(numbers(ALL))
def test_every_shape_is_found(number):
    assert like(number, "") == [True, False]
    assert identity_counts(pd.Series([number, "", "x"], dtype="str")).rows == 1


@given(numbers(DEFINITE[:4]), st.sampled_from(AROUND))
def test_a_definite_shape_is_found_within_a_text(number, around):
    assert like(around.format(number)) == [True]


@pytest.mark.parametrize("dash", ["\u2010", "\u2011", "\u2013", "\u2014", "\u2212"])
def test_a_dash_of_a_word_processor_is_a_hyphen(dash):
    assert like(f"19700101{dash}1234", f"pnr 700101{dash}1234.") == [True, True]


@given(numbers(DEFINITE), st.sampled_from(["1{}", "{}1", "a{}", "{}a", "12.{}", "{}.5", "_{}"]))
def test_a_part_of_something_longer_is_none(number, around):
    assert like(around.format(number.removesuffix(".0"))) == [False]


@pytest.mark.parametrize(
    "text",
    [
        "197013011234", "19701301-1234", "700132-1234", "700160-1234", "700192-1234",
        "170101011234", "210001011234", "700101-0001", "197001010009", "7001011234",
        "700101-123", "700101_1234", "70-0101-1234", "5566771234", "1.97001011234E+11",
    ],
)  # fmt: skip
def test_what_cannot_be_a_day_a_serial_or_a_check_digit_is_none(text):
    assert like(text) == [False]


FORMS = (
    "%Y-%m-%d", "%Y%m%d", "%d/%m/%Y", "%Y-%m", "%Y%m", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M",
    "%Y-%m-%d %H:%M:%S.%f", "%Y-%m-%d %H:%M:%S.%f+0100", "%Y-%m-%d %H:%M:%S.%f-05:00",
    "%Y%m%d%H%M%S", "%Y%m%dT%H%M%S-0500", "%Y-%m-%d 00:00:00.0",
)  # fmt: skip


@given(st.datetimes(datetime.datetime(1900, 1, 1), datetime.datetime(2100, 1, 1)))
def test_a_day_or_a_time_is_never_one(moment):
    epoch = int(moment.replace(tzinfo=datetime.UTC).timestamp())
    assert not any(like(*(moment.strftime(form) for form in FORMS), f"{epoch}000", f"{epoch}.25"))


@given(st.decimals(-(10**10), 10**10, places=2), st.sampled_from(["{}", "{:,}", "{:f}", "{:.0f}"]))
def test_an_amount_is_never_one_of_the_definite_shapes(amount, form):
    text = form.format(amount)
    cells = [text, text.replace(".", ","), text.replace(",", " "), f"{text} kr"]
    found = identity_counts(pd.Series(cells, dtype="str"))
    assert found.written == found.twelve_like == 0


@pytest.mark.parametrize(
    ("low", "high"),
    [
        (10**9, 10**10),
        (10**11, 10**12),
        (5_560_000_000, 5_569_999_999),  # organisations
        (700_000_000, 709_999_999),  # telephones, with a leading zero
        (1_501_000_000, 1_513_000_000),  # seconds since 1970, which begin like days of 2015
        (1_700_000_000, 1_713_000_000),
    ],
)
@pytest.mark.parametrize("rows", [40, 3_000])
def test_a_column_of_other_long_numbers_is_let_through(low, high, rows):
    drawn = np.random.default_rng(1).integers(low, high, rows)
    assert identity_counts(pa.array([f"{i:010}" for i in drawn])).rows == 0


def test_a_column_of_times_without_marks_is_let_through():
    start = np.datetime64("2018-12-31T00:01", "m")
    times = start + np.random.default_rng(1).integers(0, 500_000, 500)
    cells = pd.Series([re.sub(r"\D", "", str(time)) for time in times], dtype="str")
    assert identity_like(cells).mean() > 0.9
    assert identity_counts(cells).rows == 0


def drawn(shape, rows, seed=1):
    """Draw a column of simulated identity numbers."""
    rng = np.random.default_rng(seed)
    cells = []
    for day, serial in zip(rng.integers(0, 20_000, rows), rng.integers(1, 999, rows), strict=True):
        born = datetime.date(1950, 1, 1) + datetime.timedelta(days=int(day))
        short = f"{born:%y%m%d}"
        end = f"{serial:03}{check_digit(f'{short}{serial:03}')}"
        cells.append(shape.format(short=short, long=f"{born:%Y%m%d}", end=end))
    return cells


@pytest.mark.parametrize("shape", ALL)
def test_a_column_of_them_is_found_in_every_row(shape):
    assert identity_counts(pa.array(drawn(shape, 500))).rows == 500


def test_persons_whose_numbers_end_in_a_time_of_day_are_no_times():
    cells = [c for c in drawn("{long}{end}", 2_000) if int(c[8:10]) < 24 and int(c[10:]) < 60]
    assert len(cells) > 100
    assert identity_counts(pa.array(cells)).rows == len(cells)


def test_one_behind_a_time_is_found():
    assert like(f"2019-01-31 12:00:00 {drawn(DEFINITE[0], 1)[0]} ringde") == [True]


@pytest.mark.parametrize("shape", ALL)
def test_a_few_of_them_among_days_and_amounts_are_found(shape):
    cells = drawn(shape, 3) + [f"2019-01-{i % 28 + 1:02}" for i in range(500)]
    cells += [str(i * 997) for i in range(500)]
    assert identity_counts(pa.array(cells)).rows == 3


@pytest.mark.parametrize("shape", ["{short}{end}", "{long}{end}"])
def test_a_part_of_them_among_as_long_numbers_is_found(shape):
    width = len(shape.format(short="700101", long="19700101", end="1234"))
    others = np.random.default_rng(2).integers(10 ** (width - 1), 10**width, 1_000)
    found = identity_counts(pa.array([*drawn(shape, 100), *map(str, others)])).rows
    assert 100 <= found < 115


@given(st.lists(numbers(ALL) | st.sampled_from(["", "2019-01-31", "1234567890", "å"]) | st.none()))
def test_counts_of_the_parts_of_a_column_add_up(cells):
    whole = pa.array(cells, type=pa.string())
    parts = [whole.slice(at, 3) for at in range(0, len(whole), 3)]
    chunked = pa.chunked_array([p.cast(pa.large_string()) for p in parts], type=pa.large_string())
    series = pd.Series(cells, dtype="object")
    added = sum((identity_counts(part) for part in parts), IdentityCounts())
    assert added == identity_counts(whole) == identity_counts(chunked) == identity_counts(series)
    assert identity_like(chunked).tolist() == identity_like(whole).tolist()
    assert len(identity_like(whole)) == len(cells)
