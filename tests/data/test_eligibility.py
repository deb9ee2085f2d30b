"""Eligibility: a closed grammar that judges each row as plain Python would."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from evaluate.data.eligibility import holds, parse
from evaluate.data.readers.convert import codes, numbers
from evaluate.data.readers.dates import dates
from evaluate.errors import PlanError

TABLE = pd.DataFrame(
    {
        "a": ["1", "2,5", "", "-3", "0"],
        "b": ["2", "2", "2", "", "0"],
        "land": ["SY", "AF", "IQ", "", "SY"],
        "år i landet": ["1", "2", "3", "4", "5"],
        "class": ["1", "01", "1.0", "x", "NA"],
        "flag": ["True", "false", "TRUE", "", "no"],
        "permit": ["2016-02-29", "2015-12-31", "2020-03-02", "", "2016-02-30"],
        "offer": ["20200228", "20200228", "20200302", "20200302", "20200302"],
        "days": ["3", "4", "5", "6", "7"],
    },
    dtype="str",
)


def judge(text, table=TABLE):
    return holds(
        parse(text),
        lambda column: numbers(table[column]).values,
        lambda column: codes(table[column]),
        lambda column: dates(table[column]).values,
    )


@pytest.mark.parametrize(
    ("text", "met", "unknown"),
    [
        ("a >= 1", "11000", "00100"),
        ("a > 1", "01000", "00100"),
        ("a != 1", "01011", "00100"),
        ("1 <= a <= 2.5", "11000", "00100"),
        ("-3 <= a < 0", "00010", "00100"),
        ("a < b", "10000", "00110"),
        ("a * 2 + 1 >= b - 1", "11001", "00110"),
        ("a / b > 0.6", "01000", "00110"),
        ("-a > 2", "00010", "00100"),
        ("not (a == 1 and b == 2)", "01001", "00110"),
        ("a == 1 or b == 0", "10001", "00110"),
        ('land == "SY"', "10001", "00010"),
        ('"SY" != land', "01100", "00010"),
        ('land in ["SY", "AF"]', "11001", "00010"),
        ('land not in ("SY", "AF")', "00100", "00010"),
        ("land in []", "00000", "00010"),
        ("a in [1, 2.5, -3]", "10010", "00100"),
        ("`år i landet` >= 4", "00011", "00000"),
        ("`class` == '1'", "10100", "00001"),
        ("`class` in [1]", "10100", "00001"),
        ("`class` == '01'", "01000", "00001"),
        ("flag == 'true'", "10100", "00010"),
        ("flag == 'no'", "00001", "00010"),
        ("land == 'a`b`c'", "00000", "00010"),
        ("1 < 2 and a >= 1", "11000", "00100"),
        ("  a >= 1  ", "11000", "00100"),
        ("a > 1 / 0", "00000", "00100"),
        ("years(permit, offer) == 3", "10000", "00011"),
        ("years(permit, offer) <= 4", "11100", "00011"),
        ("months(permit, offer) == 47", "10000", "00011"),
        ("days(permit, offer) == 0", "00100", "00011"),
        ("days(offer, permit) < 0", "11000", "00011"),
        ("1 <= years(permit, offer) + 1 < 5 and days > 3", "00100", "00011"),
        ("1 <= years(permit, offer) + 1 <= 5 and days > 3", "01100", "00011"),
        ('years("2015-12-31", offer) >= 4', "11111", "00000"),
        ('days(permit, "2016-03-01") == 1', "10000", "00011"),
        ('offer >= "2020-03-01"', "00111", "00000"),
        ('"2020-02-28" >= offer', "11000", "00000"),
        ('"2020-01-01" <= offer <= "2020-02-28"', "11000", "00000"),
        ('offer == "2020-02-28"', "11000", "00000"),
        ('offer != "2020-02-28"', "00111", "00000"),
        ('permit < "2016-01-01"', "01000", "00011"),
        ('not permit < "2016-01-01"', "10100", "00011"),
        ('offer in ["20200228"]', "11000", "00000"),
        ('offer == "20200228"', "11000", "00000"),
        ('`permit` != "2016-02-30"', "11100", "00010"),
        ("days == 3", "10000", "00000"),
        ("days(`permit`, offer) == days - 5", "00100", "00011"),
    ],
)
def test_rows_are_judged(text, met, unknown):
    got = judge(text)
    assert_array_equal(got[0], [c == "1" for c in met])
    assert_array_equal(got[1], [c == "1" for c in unknown])


def test_an_infinity_is_unknown_whichever_way_it_is_asked():
    table = pd.DataFrame({"a": ["inf", "1"]}, dtype="str")
    for text in ("a > 5", "not (a <= 5)"):
        met, unknown = judge(text, table)
        assert_array_equal(met, [False, False])
        assert_array_equal(unknown, [True, False])


@pytest.mark.parametrize(
    "text",
    [
        "f(a) > 1", "a.b > 1", "a[0] > 1", "(lambda: a)() > 1", "(a := 1) > 0", "f'{a}' == 'x'",
        "a ** 9999999 > 1", "a % 2 == 0", "a // 2 == 0", "a is None", "a == None", "a == True",
        "a == 1j", "a == b'x'", "a == ...", "[x for x in a] == 1", "{a: 1} == 1", "a in {1}",
        "a if a else a", "await a", "yield a", "*a > 1", "a @ b > 1", "a | b > 1", "~a > 1",
        "+a > 1", "__import__('os').system('x') == 0", "years(a) > 1", "years(a, b, c) > 1",
        "years(a, b=c) > 1", "years(*a) > 1", "weeks(a, b) > 1", "years.x(a, b) > 1",
        "years(a, b)(c, d) > 1",
    ],
)  # fmt: skip
def test_nothing_beyond_the_grammar_is_read(text):
    with pytest.raises(PlanError, match=r"eligibility: .* Allowed are columns"):
        parse(text)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is not a criterion"),
        ("a >=", "is not a criterion"),
        ("a = 1", "is not a criterion"),
        ("import os", "is not a criterion"),
        ("a > 1; b > 2", "is not a criterion"),
        ("`a > 1", "is not a criterion"),
        ("år i landet > 1", "is not a criterion"),
        ("a in [b]", "is not a criterion"),
        ("a < 1" + "0" * 400, "is not a criterion"),
        ("a" + "+1" * 5000 + " > 3", "is not a criterion"),
        ("(" * 500 + "a > 1" + ")" * 500, "is not a criterion"),
        ("a", "neither true nor false"),
        ("a + 1", "neither true nor false"),
        ("-a", "neither true nor false"),
        ("a and b > 1", "neither true nor false"),
        ("1 > 2", "names no column"),
        ("a >= 'x'", "compares a text where a number belongs"),
        ("a + 'x' > 1", "compares a text where a number belongs"),
        ("a + 1 == 'x'", "compares a text with no column"),
        ("a in 'xyz'", "needs a column and a list"),
        ("a + 1 in [2]", "needs a column and a list"),
        ("years(a, 1) > 1", "years, months and days stand between two days"),
        ("years(a, '2019') > 1", "years, months and days stand between two days"),
        ("years(a, '2019-02-29') > 1", "years, months and days stand between two days"),
        ("years(a, b + 1) > 1", "years, months and days stand between two days"),
        ("years(a, years(a, b)) > 1", "years, months and days stand between two days"),
        ("years(a, b)", "neither true nor false"),
        ("years('2019-01-01', '2020-01-01') > 1", "names no column"),
        ("a + 1 >= '2019-01-01'", "compares a text where a number belongs"),
        ("years(a, b) == '2019-01-01'", "compares a text with no column"),
        ("years(a, b) in [1]", "needs a column and a list"),
        ("a >= '2019-02-29'", "compares a text where a number belongs"),
        ("a >= '20190131'", "compares a text where a number belongs"),
    ],
)
def test_what_is_no_criterion_is_refused_before_any_data(text, said):
    with pytest.raises(PlanError, match=said) as error:
        parse(text)
    assert len(str(error.value)) < 250


NAMES = st.sampled_from(["x", "y"])
NUMBERS = st.one_of(NAMES, st.integers(-3, 3).map(str))
SUMS = st.recursive(
    NUMBERS,
    lambda inner: st.tuples(inner, st.sampled_from("+-*"), inner).map(
        "({0[0]} {0[1]} {0[2]})".format
    ),
    max_leaves=3,
)
COMPARED = st.one_of(
    st.tuples(SUMS, st.sampled_from(["<", "<=", ">", ">=", "==", "!="]), SUMS).map(" ".join),
    st.tuples(SUMS, SUMS, SUMS).map("{0[0]} <= {0[1]} < {0[2]}".format),
    st.lists(st.integers(-3, 3), max_size=3).map("x in {}".format),
    st.lists(st.integers(-3, 3), max_size=3).map("y not in {}".format),
    st.sampled_from(["c == 'u'", "'u' != c", "c in ['u', 'v']", "c not in ['v']"]),
)
CRITERIA = st.recursive(
    COMPARED,
    lambda inner: st.one_of(
        inner.map("not ({})".format),
        st.tuples(inner, st.sampled_from(["and", "or"]), inner).map(
            "({0[0]}) {0[1]} ({0[2]})".format
        ),
    ),
    max_leaves=4,
)
NUMBER = st.one_of(st.none(), st.integers(-4, 4))
ROWS = st.lists(
    st.tuples(NUMBER, NUMBER, st.sampled_from([None, "u", "v", "w"])), min_size=1, max_size=8
)


@settings(max_examples=150, derandomize=True, deadline=None)
@given(text=CRITERIA, rows=ROWS)
def test_each_row_is_judged_as_by_python(text, rows):
    table = pd.DataFrame(
        {n: ["" if row[i] is None else str(row[i]) for row in rows] for i, n in enumerate("xyc")},
        dtype="str",
    )
    try:
        criterion = parse(text)
    except PlanError as error:
        assert "names no column" in str(error)  # noqa: PT017
        return
    met, unknown = judge(text, table)
    for i, row in enumerate(rows):
        values = dict(zip("xyc", row, strict=True))
        assert unknown[i] == any(values[c] is None for c in criterion.columns)
        assert met[i] == (not unknown[i] and bool(eval(text, {}, values)))
    assert not (met & unknown).any()
    assert isinstance(met, np.ndarray)
