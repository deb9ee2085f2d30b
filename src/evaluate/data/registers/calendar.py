"""Months counted from a person's day zero, by the calendar.

Month ``m`` begins on the day that is ``m - 1`` calendar months after day zero and ends on the
day before the one that is ``m`` months after it: month 1 begins on day zero, month 0 ends on
the day before. A day that a month does not have becomes its last: one month after 31 January
is 28 or 29 February. Days are counted from 1970-01-01, as numpy does.
"""

from __future__ import annotations

import numpy as np

FIRST, LAST = -51_500, 84_000  # 1829 to 2199: what a register can hold
_DAYS = np.arange(FIRST, LAST).astype("datetime64[D]")
_MONTH = _DAYS.astype("datetime64[M]").astype(np.int32)
_DAY_OF_MONTH = (_DAYS - _DAYS.astype("datetime64[M]")).astype(np.int8)
_FIRST_MONTH = int(_MONTH[0])
_MONTHS = np.arange(_FIRST_MONTH, int(_MONTH[-1]) + 2)
_BEGIN = _MONTHS.astype("datetime64[M]").astype("datetime64[D]").astype(np.int32)
_LENGTH = np.diff(_BEGIN).astype(np.int8)


def month_number(day: np.ndarray) -> np.ndarray:
    """Return the calendar month of each day, counted from January 1970, shape (n,)."""
    return _MONTH[_within(day)]


def add_months(day: np.ndarray, months: int | np.ndarray) -> np.ndarray:
    """Return the day that lies calendar months after another.

    Parameters
    ----------
    day : ndarray of int, shape (n,)
        Days since 1970-01-01.
    months : int or ndarray of int
        How many; shapes are broadcast.

    Returns
    -------
    ndarray of int32
    """
    at = _within(day)
    target = _MONTH[at] - _FIRST_MONTH + months
    target = np.clip(target, 0, len(_LENGTH) - 1)
    return _BEGIN[target] + np.minimum(_DAY_OF_MONTH[at], _LENGTH[target] - 1)


def months_between(zero: np.ndarray, day: np.ndarray) -> np.ndarray:
    """Return how many whole months lie between two days: the greatest m with zero + m <= day.

    Parameters
    ----------
    zero, day : ndarray of int, shape (n,)
        Days since 1970-01-01.

    Returns
    -------
    ndarray of int32, shape (n,)
        Negative where ``day`` is before ``zero``.
    """
    start, end = _within(zero), _within(day)
    month = _MONTH[end] - _FIRST_MONTH
    day_of_month = np.minimum(_DAY_OF_MONTH[start], _LENGTH[month] - 1)
    return month - (_MONTH[start] - _FIRST_MONTH) - (day_of_month > _DAY_OF_MONTH[end])


def _within(day: np.ndarray) -> np.ndarray:
    return np.clip(np.asarray(day), FIRST, LAST - 1) - FIRST
