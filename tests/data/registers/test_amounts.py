"""Amounts read in batches, against the reader of single columns."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from evaluate.data.readers.convert import numbers
from evaluate.data.registers.amounts import AmountColumn

PLAIN = ["1", "-2", "0", "12345678", "", "NA", "x", "1e3", "inf", "-inf", "+5", "\u22123", "nan"]
POINT = ["1.5", "-0.25", "12.", "1 234.5", "1\u00a0234.75"]
COMMA = ["1,5", "-0,25", "12,", "1 234,5", "1\u00a0234,75", "2,50"]


def read(texts, decimal="auto"):
    column = AmountColumn(decimal)
    return column, column.read(pa.array(texts, pa.string()))


@given(st.lists(st.sampled_from(PLAIN + POINT)) | st.lists(st.sampled_from(PLAIN + COMMA)))
def test_a_column_with_one_mark_is_read_as_single_columns_are(texts):
    column, (values, wrong, infinite) = read(texts)
    wanted = numbers(pd.Series(texts, dtype="str"))
    assert_array_equal(values, wanted.values)
    assert_array_equal(wrong, wanted.not_numbers)
    assert_array_equal(infinite, wanted.not_finite)
    assert column.check("f", "data.incomes") is None


@given(st.lists(st.sampled_from([*PLAIN, *POINT, *COMMA, "1.234,5", "1,234.5", "1.234.567"])))
def test_a_declared_mark_is_read_as_single_columns_are(texts):
    for decimal in (".", ","):
        column, (values, wrong, infinite) = read(texts, decimal)
        wanted = numbers(pd.Series(texts, dtype="str"), decimal)
        assert_array_equal(values, wanted.values)
        assert_array_equal(wrong, wanted.not_numbers)
        assert_array_equal(infinite, wanted.not_finite)
        assert column.check("f", "data.incomes") is None


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ([["1,234", "5"], ["2,000", "-1,500"]], "3 rows that have one"),
        ([["1,5"], ["2.5"]], "1 row with a comma and 1 row with a point"),
        ([["1", "2"], ["1.234,50"]], "1 row with a comma and 1 row with a point"),
        ([["1 234,5"], ["x"], ["2.5", "2"]], "1 row with a comma and 1 row with a point"),
    ],
)
def test_a_mark_that_is_not_clear_is_told_after_the_last_batch(parts, said):
    column = AmountColumn()
    for part in parts:
        column.read(pa.array(part, pa.string()))
    fault = str(column.check("i.csv: column wage", "data.incomes"))
    assert fault.startswith("i.csv: column wage: ")
    assert said in fault
    assert 'Declare `decimal: ","` or `decimal: "."` under data.incomes.' in fault


def test_a_text_with_both_marks_is_no_number_and_no_reason_to_stop():
    column, (values, wrong, _) = read(["1.5", "see p. 3, note 2"])
    assert wrong.tolist() == [False, True]
    assert np.isnan(values[1])
    assert column.check("f", "data.incomes") is None


def test_one_comma_that_cannot_be_thousands_decides_for_the_column():
    column, (values, *_) = read(["1,234", "1,5"])
    assert values.tolist() == [1.234, 1.5]
    assert column.check("f", "data.incomes") is None


def test_more_digits_than_a_number_holds_are_infinite():
    _, (values, wrong, infinite) = read(["9" * 400, "1,5"])
    assert infinite.tolist() == [True, False]
    assert not wrong.any()
    assert np.isnan(values[0])
