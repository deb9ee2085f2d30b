"""Payments over time: figures that a pencil gives, plain sums of cash flows, and properties."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy import optimize

from evaluate.costs.streams import (
    Stream,
    break_even_month,
    internal_rate,
    once,
    present_value,
    stream,
)

COST = once().of(np.array([-812.0]))
GAIN = np.array([211.18 / 12])  # a month
RATES = st.floats(0.0, 0.3)


def gains(persistence, years, decay=0.0, months=None, later=False):
    return stream(months, persistence, years, decay, later).of(GAIN)


@pytest.mark.parametrize(
    ("persistence", "years", "decay", "worth", "rate"),
    [
        ("constant", 40, 0.0, 3805, "35 %"),  # an annuity due of 40 payments
        ("decaying", np.inf, 0.1, 1478, "21.6 %"),  # 211.18 / (1 - 0.9 / 1.05)
    ],
)
def test_a_gain_of_211_18_a_year_is_worth_what_a_pencil_says(
    persistence, years, decay, worth, rate
):
    gain = gains(persistence, years, decay)
    value = present_value(gain, 0.05)[0]
    assert round(value) == worth
    assert round(value + present_value(COST, 0.05)[0]) == worth - 812
    digits = 1 if "." in rate else 0
    assert f"{100 * internal_rate([COST, gain]):.{digits}f} %" == rate


def test_what_ends_with_the_data_is_one_year_of_payments():
    assert_allclose(present_value(gains("none", 40), 0.05), 211.18)
    assert_allclose(present_value(gains("none", np.inf), 0.05), 211.18)


def test_a_wave_stands_for_the_months_since_the_one_before_and_the_last_for_those_after():
    found = stream([6, 12], "constant", 2).monthly
    assert_allclose(found[:, 0], [1] * 6 + [0] * 18)
    assert_allclose(found[:, 1], [0] * 6 + [1] * 18)


def test_beyond_the_data_stands_the_mean_of_the_last_three_months():
    found = stream(range(1, 7), "decaying", 2, decay=0.5).of(np.array([9, 9, 9, 1, 2, 6.0]))
    assert_allclose(found.monthly[:, 0], [9, 9, 9, 1, 2, 6] + [1.5] * 12 + [0.75] * 6)


def test_later_moves_everything_by_a_year_within_the_horizon():
    now, later = gains("constant", 10), gains("constant", 10, later=True)
    assert_allclose(later.yearly[1:], now.yearly[:-1])
    assert later.yearly[0] == 0
    assert_allclose(present_value(later, 0.05), 211.18 * (1 - 1.05**-9) / 0.05)


def plain_cash(effects, persistence, years, decay, later):
    """Return the cash by month, written out one month at a time."""
    cash, last = [], len(effects)
    for month in range(1, 12 * years + 1):
        arose = month - 12 * later
        if arose < 1:
            cash.append(0.0)
        elif arose <= last:
            cash.append(effects[arose - 1])
        elif persistence == "none":
            cash.append(0.0)
        else:
            year = (arose - last - 1) // 12 + 1
            kept = (1 - decay) ** year if persistence == "decaying" else 1
            cash.append(np.mean(effects[-3:]) * kept)
    return cash


EFFECTS = st.lists(st.floats(-5, 5), min_size=1, max_size=30)
KINDS = st.sampled_from(["none", "constant", "decaying"])


@given(EFFECTS, KINDS, st.integers(1, 12), st.floats(0, 1), st.booleans(), RATES)
def test_present_values_are_plain_sums_of_discounted_cash(
    effects, persistence, years, decay, later, rate
):
    cash = plain_cash(effects, persistence, years, decay, later)
    expected = sum(c / (1 + rate) ** (t // 12) for t, c in enumerate(cash))
    months = range(1, len(effects) + 1)
    found = stream(months, persistence, years, decay, later).of(np.array(effects))
    assert_allclose(present_value(found, rate), expected, atol=1e-9)


@given(EFFECTS, st.floats(0.02, 0.9), st.booleans(), st.floats(0.01, 0.3))
def test_without_an_end_it_is_the_limit_of_many_years(effects, decay, later, rate):
    months = range(1, len(effects) + 1)

    def worth(years):
        found = stream(months, "decaying", years, decay, later).of(np.array(effects))
        return present_value(found, rate)

    assert_allclose(worth(np.inf), worth(1500), atol=1e-8)


def test_what_has_no_bound_has_no_value():
    assert np.isnan(present_value(gains("constant", np.inf), 0.0)).all()
    assert_allclose(present_value(gains("constant", np.inf), 0.05), 211.18 * 1.05 / 0.05)


@given(st.floats(1, 1000), st.lists(st.floats(0, 100), min_size=2, max_size=30), st.integers(2, 40))
def test_the_internal_rate_is_the_root_that_scipy_finds_in_plain_cash(cost, effects, years):
    cash = np.array(plain_cash(effects, "constant", years, 0.0, False))
    cash[0] -= cost
    assume(cash[0] < -0.01)
    assume(cash[1:].sum() > 0.01)
    flows = [
        once().of(np.array([-cost])),
        stream(range(1, len(effects) + 1), "constant", years).of(np.array(effects)),
    ]

    def net(rate):
        return sum(c * (1 + rate) ** (-month / 12) for month, c in enumerate(cash))

    rate = internal_rate(flows)
    assume(-0.9 < rate < 50)
    assert_allclose(rate, optimize.brentq(net, -0.95, 100, xtol=1e-13), rtol=1e-6, atol=1e-9)


def test_there_is_no_rate_where_nothing_pays_back_and_none_is_needed_where_nothing_is_laid_out():
    assert np.isnan(internal_rate([COST]))
    assert np.isnan(internal_rate([COST, gains("constant", 10).of(np.array([-1.0]))]))
    assert internal_rate([gains("constant", 10)]) == np.inf
    cheap = once().of(np.array([-10.0]))  # met by the first payment
    assert internal_rate([cheap, gains("constant", 10)]) == np.inf
    assert internal_rate([cheap, gains("constant", 10, months=[12])]) == np.inf
    assert np.isnan(internal_rate([once().of(np.array([0.0]))]))
    loan = [once().of(np.array([812.0])), gains("constant", 10, later=True).of(np.array([-1.0]))]
    assert np.isnan(internal_rate(loan))


def test_gains_of_the_first_year_do_not_shrink_the_outlay_that_the_rate_is_of():
    # 1,000 a month, at once, for 24 months: an annuity due that is worth 12 payments.
    cost, gain = once().of(np.array([-12_000.0])), stream([24], "none", 2).of(np.array([1000.0]))
    monthly = 1 / (1 + internal_rate([cost, gain])) ** (1 / 12)
    assert_allclose((1 - monthly**24) / (1 - monthly), 12)
    endless = stream([12], "decaying", np.inf, 0.2).of(np.array([1000.0]))
    rate = internal_rate([cost, endless])
    year = (1 - 1 / (1 + rate)) / (1 - (1 + rate) ** (-1 / 12))
    assert_allclose(year / (1 - 0.8 / (1 + rate)), 12)


def test_there_is_no_rate_where_there_may_be_several():
    def paid(*years):
        monthly = np.repeat(np.array(years, dtype=float) / 12, 12)
        return Stream(monthly[:, None], is_annual=True)

    # 10 and 20 per cent both make these nothing.
    assert np.isnan(internal_rate([paid(-100, 230, -132)]))
    # Two changes of sign, but the sums change theirs once: 1 - 0.5 v - v**2 has one root above 0.
    found = internal_rate([paid(-100, 120, -1)])
    assert_allclose(-100 + 120 / (1 + found) - 1 / (1 + found) ** 2, 0, atol=1e-9)


def test_it_pays_from_the_month_on_in_which_what_was_gained_is_no_less_than_the_cost():
    # 812 / 17.598 a month, undiscounted: in month 47.
    assert break_even_month([COST, gains("constant", 40)], 0.0) == 47
    assert break_even_month([COST, gains("none", 40)], 0.05) is None
    assert break_even_month([COST, gains("constant", 3)], 0.0) is None
    assert break_even_month([gains("constant", 3)], 0.05) == 1
    lost = [COST, gains("constant", 40), stream(None, "constant", 40, later=True).of(-2 * GAIN)]
    assert break_even_month(lost, 0.0) is None


@given(st.floats(1, 3000), st.sampled_from([3, 40, np.inf]), RATES, st.floats(0.01, 0.5))
def test_it_breaks_even_within_the_horizon_exactly_where_it_is_worth_its_cost(
    cost, years, rate, decay
):
    flows = [once().of(np.array([-cost])), gains("decaying", years, decay)]
    net = sum(present_value(flow, rate)[0] for flow in flows)
    assume(abs(net) > 1e-3)
    assert (break_even_month(flows, rate) is not None) == (net > 0)
