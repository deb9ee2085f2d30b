"""Payments over time: what follows from effects by month, what it is worth today, when it pays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from scipy import optimize

Persistence = Literal["none", "constant", "decaying"]
PERSISTENCE: tuple[Persistence, ...] = ("none", "constant", "decaying")
YEAR = 12
LAST = 3  # months whose mean stands for those beyond the data
AHEAD = 200  # years that are looked through where payments have no end
DUST = 1e-9  # of the payments added up, below which a sum is none: what rounding leaves


@dataclass(frozen=True)
class Stream:
    """Payments by month that each of k estimates gives rise to.

    Attributes
    ----------
    monthly : ndarray, shape (months, k)
        What one unit of an estimate pays in each month since the offer; whole years.
    tail : float
        What each year after these pays, as a share of the year before; 0 where payments end.
    is_annual : bool
        Whether a year is paid at its beginning: the months have a twelfth each, for the month of
        breaking even alone.
    """

    monthly: np.ndarray
    tail: float = 0.0
    is_annual: bool = False

    @property
    def yearly(self) -> np.ndarray:
        """The payments by year since the offer, shape (years, k)."""
        months, k = self.monthly.shape
        return self.monthly.reshape(months // YEAR, YEAR, k).sum(axis=1)

    def of(self, estimates: np.ndarray) -> Stream:
        """Return the one stream that the estimates, shape (k,), give rise to."""
        return replace(self, monthly=(self.monthly @ estimates)[:, None])

    def times(self, factor: float) -> Stream:
        """Return the same payments, so many times."""
        return replace(self, monthly=factor * self.monthly)

    @property
    def when_paid(self) -> np.ndarray:
        """What is paid in each month, an annual payment in the first of its year."""
        if not self.is_annual:
            return self.monthly
        paid = np.zeros_like(self.monthly)
        paid[::YEAR] = self.yearly
        return paid


def once() -> Stream:
    """Return a payment in the first month, such as the cost of the programme."""
    monthly = np.zeros((YEAR, 1))
    monthly[0] = 1.0
    return Stream(monthly)


def stream(
    months: Sequence[int] | None,
    persistence: Persistence,
    years: float,
    decay: float = 0.0,
    later: bool = False,
) -> Stream:
    """Return the payments by month of an outcome that was observed in some months.

    A wave stands for the months since the one before it. Beyond the data the mean of the last
    three months stands: not at all, always, or less by a share in each year after the data.

    Parameters
    ----------
    months : sequence of int, length k, or None
        Months since the offer in which the outcome was observed, in order. None for an
        outcome without months: it is taken as that of the first year.
    persistence : {"none", "constant", "decaying"}
        What is taken to follow beyond the data.
    years : float
        Whole years since the offer that count, or infinity.
    decay : float
        What is lost in a year beyond the data, 0 to 1.
    later : bool
        Whether all payments come a year later than the months in which they arise.

    Returns
    -------
    Stream
        With a column for each of ``months``.
    """
    waves = np.array([YEAR] if months is None else list(months))
    last = int(waves[-1])
    seen = np.zeros((last, len(waves)))
    seen[np.arange(last), np.searchsorted(waves, np.arange(1, last + 1))] = 1.0
    endless, shift = np.isinf(years), YEAR * later
    # Without an end the first whole year after the data repeats.
    filled = _whole_years(last) + YEAR if endless else YEAR * int(years) - shift
    path = np.zeros((max(filled, 0), len(waves)))
    path[:last] = seen[: len(path)]
    lasting = 0.0 if persistence == "none" else 1.0 if persistence == "constant" else 1.0 - decay
    if persistence != "none" and len(path) > last:
        after = np.arange(len(path) - last) // YEAR + 1
        path[last:] = lasting ** after[:, None] * seen[-LAST:].mean(axis=0)
    path = np.vstack([np.zeros((shift, len(waves))), path])
    return Stream(path, lasting if endless else 0.0, months is None)


def _whole_years(months: int) -> int:
    return -(-months // YEAR) * YEAR


def present_value(payments: Stream, rate: float) -> np.ndarray:
    """Return the payments' value on the day of the offer, shape (k,).

    Payments are discounted by whole years since the offer: those of the first year count in
    full, those of the second over 1 + rate.

    Parameters
    ----------
    payments : Stream
        What is paid.
    rate : float
        Discount rate a year, above -1.

    Returns
    -------
    ndarray, shape (k,)
        NaN for payments without an end whose sum has no bound.
    """
    yearly, factor = payments.yearly, 1.0 / (1.0 + rate)
    years = factor ** np.arange(len(yearly))
    value = years @ yearly
    if payments.tail:
        ratio = payments.tail * factor
        beyond = ratio / (1.0 - ratio) if ratio < 1.0 else np.inf
        last = years[-1] * yearly[-1]
        with np.errstate(invalid="ignore"):
            value = value + np.where(last == 0, 0.0, last * beyond)
    return np.where(np.isinf(value), np.nan, value)


def _lengthened(flow: Stream, years: int) -> Stream:
    """Write out more years of a stream."""
    known = len(flow.monthly) // YEAR
    if known >= years:
        return flow
    power = flow.tail ** np.arange(1, years - known + 1)
    more = (power[:, None, None] * flow.monthly[-YEAR:]).reshape(-1, flow.monthly.shape[1])
    return replace(flow, monthly=np.vstack([flow.monthly, more]))


def internal_rate(flows: Sequence[Stream]) -> float:
    """Return the yearly rate at which the payments, each in its own month, add up to nothing.

    What is paid by month is not added up by year first: the gains of the first year would be
    set against the outlay, and the rate be that of what is left of it.

    Parameters
    ----------
    flows : sequence of Stream
        Costs below zero and benefits above, of one column each.

    Returns
    -------
    float
        NaN where there is none, where gains come before outlays, or where several may be:
        payments change their sign more than once, and so do their sums over time. Infinity where
        no month has an outlay.

    References
    ----------
    Norstrom (1972), A sufficient condition for a unique nonnegative internal rate of return,
    Journal of Financial and Quantitative Analysis 7(3).
    """
    years = max(len(flow.yearly) for flow in flows)
    known = [_lengthened(flow, years) for flow in flows]
    paid = sum(flow.when_paid[:, 0] for flow in known)
    last_years = [(flow.when_paid[-YEAR:, 0], flow.tail) for flow in known if flow.tail]
    tails = [(last, tail) for last, tail in last_years if last.any()]
    written = [_lengthened(flow, years + AHEAD * bool(tails)).when_paid[:, 0] for flow in flows]
    gross, signs = sum(map(np.abs, written)), sum(written)
    signs = np.where(np.abs(signs) <= DUST * np.max(gross, initial=0.0), 0.0, signs)
    if not (signs < 0).any():
        return float("inf") if (signs > 0).any() else float("nan")
    once_only = _changes(signs) == 1
    lays_out_first = signs[signs != 0][0] < 0  # else it is a loan, whose rate says the opposite
    if not lays_out_first or not (once_only or _changes(np.cumsum(signs)) == 1):
        return float("nan")

    def net(factor: float) -> float:
        """Return the sum at a discount factor of a year."""
        monthly = factor ** (1 / YEAR)
        value = float(np.polynomial.polynomial.polyval(monthly, paid))
        for last, tail in tails:
            beyond = factor ** (years - 1) * tail * factor / (1.0 - tail * factor)
            value += beyond * float(np.polynomial.polynomial.polyval(monthly, last))
        return value

    # Sums that change their sign once have one root at rates from zero on, and perhaps others.
    bound = min((1.0 / tail for _, tail in tails), default=1.0) * (1 - DUST * bool(tails))
    low, high = DUST, bound if once_only else min(1.0, bound)
    while once_only and not tails and net(low) * net(high) > 0 and high < 1e6:
        high *= 2
    if net(low) * net(high) > 0:
        return float("nan")
    return 1.0 / float(optimize.brentq(net, low, high, xtol=1e-15, rtol=1e-13)) - 1.0


def _changes(values: np.ndarray) -> int:
    """Count the changes of sign, zeros left out."""
    signs = np.sign(values[values != 0])
    return int((signs[1:] != signs[:-1]).sum())


def break_even_month(flows: Sequence[Stream], rate: float) -> int | None:
    """Return the first month from which on the payments so far are worth nothing less than zero.

    Parameters
    ----------
    flows : sequence of Stream
        Costs below zero and benefits above, of one column each.
    rate : float
        Discount rate a year.

    Returns
    -------
    int or None
        None where that is not reached within the years of the streams, or within 200 years of
        those without an end.
    """
    years = max(len(flow.monthly) // YEAR for flow in flows)
    if any(flow.tail for flow in flows):
        years = max(years, AHEAD)
    payments = np.array([_lengthened(flow, years).monthly[:, 0] for flow in flows])
    payments *= (1.0 + rate) ** -np.repeat(np.arange(years), YEAR)
    so_far = np.cumsum(payments.sum(axis=0))
    below = np.flatnonzero(so_far < -DUST * np.abs(payments).sum())
    first = int(below[-1]) + 2 if len(below) else 1
    return first if first <= len(so_far) else None
