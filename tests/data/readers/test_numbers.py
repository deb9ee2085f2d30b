"""Numbers and codes: what a cell says, in both decimal conventions."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from evaluate.data.readers.convert import MISSING, codes, missing, numbers
from evaluate.plan.closed import code_text

draws = settings(max_examples=40, derandomize=True, deadline=None)
SPACES = ["", " ", "\u00a0", "\u202f", "\u2009"]
VALUES = st.lists(st.integers(-(10**12), 10**12), min_size=1, max_size=8)


def text(*cells):
    return pd.Series(cells, dtype="str")


def written(value, space, mark, decimals):
    """Write hundredths as a spreadsheet does."""
    whole, part = divmod(abs(value), 100)
    fraction = f"{mark}{part:02d}" if decimals else ""
    return f"{'-' if value < 0 else ''}{f'{whole:,}'.replace(',', space)}{fraction}"


@draws
@given(values=VALUES, space=st.sampled_from(SPACES), mark=st.sampled_from(".,"))
def test_written_numbers_come_back(values, space, mark):
    read = numbers(text(*(written(v, space, mark, decimals=True) for v in values)))
    assert not read.not_numbers.any()
    assert not read.ambiguous
    assert_array_equal(read.values, [float(f"{v}e-2") for v in values])


@draws
@given(values=VALUES, mark=st.sampled_from(".,"))
def test_with_a_declared_mark_the_other_may_stand_between_thousands(values, mark):
    other = "," if mark == "." else "."
    read = numbers(text(*(written(v, other, mark, decimals=True) for v in values)), mark)
    assert not read.not_numbers.any()
    assert_array_equal(read.values, [float(f"{v}e-2") for v in values])


@draws
@given(values=VALUES, mark=st.sampled_from(".,"))
def test_a_cell_with_both_marks_shows_which_one_is_decimal(values, mark):
    other = "," if mark == "." else "."
    cells = [written(v, other, mark, decimals=True) for v in [*values, 123456789]]
    read = numbers(text(*cells, "1234", f"5{mark}5"))
    assert not read.not_numbers.any()
    assert not read.ambiguous
    assert_array_equal(read.values[: len(values)], [float(f"{v}e-2") for v in values])
    assert_array_equal(read.values[-2:], [1234, 5.5])


@pytest.mark.parametrize(
    ("cells", "values"),
    [
        (("1.234.567", "1.234"), (1234567, 1234)),
        (("1,234,567", "1,234"), (1234567, 1234)),
        (("1.234.567", "1,5"), (1234567, 1.5)),
        (("1 234 567", "1 234,5"), (1234567, 1234.5)),
    ],
)
def test_a_mark_that_comes_twice_stands_between_thousands(cells, values):
    read = numbers(text(*cells))
    assert not read.not_numbers.any()
    assert not read.ambiguous
    assert_array_equal(read.values, values)


@pytest.mark.parametrize(
    ("cells", "wrong"),
    [
        (("1.234,50", "1,234.50"), (True, True)),
        (("1.234,50", "1.5"), (False, True)),
        (("1,234.50", "1,5"), (False, True)),
        (("1.234,50", "x", ""), (False, True, False)),
    ],
)
def test_cells_that_contradict_the_mark_are_no_numbers(cells, wrong):
    assert_array_equal(numbers(text(*cells)).not_numbers, wrong)


@draws
@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=8))
def test_any_float_comes_back_as_it_is_printed(values):
    assert_array_equal(numbers(text(*map(repr, values))).values, values)
    comma = numbers(text(*(repr(v).replace(".", ",") for v in values)), ",")
    assert_array_equal(comma.values, values)


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ("5", 5), ("+5", 5), ("-5", -5), ("−5", -5), ("1e3", 1000), ("5.", 5), ("0,5", 0.5),
        ("1 234,50", 1234.5), ("1 234 567", 1234567), ("1\u00a0234,5", 1234.5),
    ],
)  # fmt: skip
def test_a_number_is_read(cell, value):
    assert numbers(text(cell)).values == [value]


@pytest.mark.parametrize(
    "cell",
    ["x", "5 kr", "50 %", "1.23,50", "1,234.500,1", "1,2,3", "1.2.3", "12 34", "1  234", "5-",
     "(5)", "0x1f", "1_000", "True", "2019-01-31", "--5", "1 2345"],
)  # fmt: skip
def test_a_text_is_no_number(cell):
    read = numbers(text(cell))
    assert read.not_numbers.all()
    assert np.isnan(read.values).all()


@pytest.mark.parametrize(
    ("cells", "decimal", "wrong"),
    [
        (("1,5", "2.5"), "auto", [True, False]),
        (("1,5", "2"), ".", [True, False]),
        (("1.5", "2"), ",", [True, False]),
        (("1,234", "2"), ".", [False, False]),
    ],
)
def test_one_column_has_one_mark(cells, decimal, wrong):
    assert_array_equal(numbers(text(*cells), decimal).not_numbers, wrong)


@pytest.mark.parametrize(
    ("cells", "is_ambiguous"),
    [
        (("1,234", "12,345", "7"), True),
        (("1,234", "1,5"), False),
        (("0,234",), False),
        (("1,234", "1 000,500"), False),
        (("1.234",), False),
    ],
)
def test_a_comma_that_may_mark_thousands_is_ambiguous(cells, is_ambiguous):
    assert numbers(text(*cells)).ambiguous is is_ambiguous
    assert not numbers(text(*cells), ",").ambiguous


def test_infinity_is_neither_missing_nor_a_text():
    read = numbers(text("inf", "-Infinity", "1e999", "1"))
    assert_array_equal(read.not_finite, [True, True, True, False])
    assert_array_equal(read.values, [np.nan, np.nan, np.nan, 1])
    assert not read.not_numbers.any()


@pytest.mark.parametrize("cell", ["", ".", "NA", "NaN", "null", "#N/A", "#SAKNAS!", "<NA>"])
def test_missing_is_missing_everywhere(cell):
    assert missing(text(cell)).all()
    assert codes(text(cell))[0] is None
    assert not numbers(text(cell)).not_numbers.any()


@pytest.mark.parametrize(
    ("cell", "code"),
    [("1", 1), ("1.0", 1), ("1,0", 1), ("1.00", "1"), ("-1", -1), ("01", "01"), ("1.5", 1.5),
     ("true", True), ("TRUE", True), ("False", False), ("no", "no"), ("K", "K"), ("1", 1.0),
     ("True", "true"), ("2019-01-31", "2019-01-31")],
)  # fmt: skip
def test_a_code_has_one_spelling_in_plan_and_data(cell, code):
    assert codes(text(cell))[0] == code_text(code)


@draws
@given(st.text(max_size=6).map(str.strip).filter(lambda t: t.lower() not in MISSING))
def test_any_text_is_the_same_code_in_plan_and_data(cell):
    assert codes(text(cell))[0] == code_text(cell)
