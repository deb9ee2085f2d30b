"""Months by the calendar, against dateutil."""

import datetime

import numpy as np
from dateutil.relativedelta import relativedelta
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from evaluate.data.registers.calendar import add_months, month_number, months_between

EPOCH = datetime.date(1970, 1, 1)
DAY = st.dates(datetime.date(1900, 1, 1), datetime.date(2150, 12, 31))


def number(day: datetime.date) -> np.ndarray:
    return np.array([(day - EPOCH).days])


@given(DAY, st.integers(-400, 400))
def test_months_are_added_as_dateutil_adds_them(day, months):
    assert add_months(number(day), months) == number(day + relativedelta(months=months))


@given(DAY, DAY)
def test_months_between_is_the_greatest_that_does_not_pass(zero, day):
    months = int(months_between(number(zero), number(day))[0])
    assert zero + relativedelta(months=months) <= day < zero + relativedelta(months=months + 1)


def test_the_last_day_of_a_short_month_stands_for_those_it_lacks():
    zero = number(datetime.date(2019, 1, 31))
    days = add_months(zero, np.arange(1, 4)).astype("datetime64[D]").astype(str)
    assert_array_equal(days, ["2019-02-28", "2019-03-31", "2019-04-30"])


@given(DAY)
def test_the_number_of_a_month_counts_from_1970(day):
    assert month_number(number(day)) == (day.year - 1970) * 12 + day.month - 1
