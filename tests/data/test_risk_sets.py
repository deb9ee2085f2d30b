"""Comparison persons are drawn from those at risk, by seed and key, and start time with others."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from evaluate.data.risk_sets import Draws, Register, draw, month_weights, numbers_of

DAY_0 = np.datetime64("2018-01-01")
NEVER = np.datetime64("NaT", "D")
HORIZON = 180  # days of follow-up of the simulation
Z = 4.0  # standard errors: a draw in 16,000 is further off by chance


def register(n: int, seed: int, start_rate: float = 0.03, job_rate: float = 0.05) -> Register:
    """Draw persons who find work, or start, at random days; a start has no effect."""
    rng = np.random.default_rng(seed)
    first = rng.integers(0, 720, n)
    until = first + rng.exponential(30 / job_rate, n).astype(int)
    start = first + rng.exponential(30 / start_rate, n).astype(int) + 1
    treated = start <= until
    return Register(
        DAY_0 + first,
        DAY_0 + until,
        np.where(treated, DAY_0 + start, NEVER),
        np.ones(n, dtype=bool),
        treated,
    )


def keys(n: int) -> pd.Series:
    return pd.Series([f"p{i:06d}" for i in range(n)])


def drawn(found: Register, per_treated: int = 3, seed: int = 1) -> Draws:
    return draw(found, numbers_of(keys(len(found.treated))), per_treated, seed)


def months(days: np.ndarray) -> np.ndarray:
    return days.astype("datetime64[M]")


@given(n=st.integers(2, 80), seed=st.integers(0, 10_000), per_treated=st.integers(1, 6))
@settings(max_examples=60, deadline=None)
def test_all_who_are_drawn_were_at_risk_on_the_day_of_a_start(n, seed, per_treated):
    found = register(n, seed, start_rate=0.3)
    draws = drawn(found, per_treated, seed)
    who, zero = draws.person, draws.zero
    assert (found.registered[who] <= zero).all()
    assert (found.until[who] >= zero).all()
    started = found.started[who]
    assert (np.isnat(started) | (started > zero)).all()
    assert draws.at_risk[who].all()
    assert np.isin(zero, found.started[found.treated]).all()
    pairs = pd.DataFrame({"person": who, "month": months(zero)})
    assert not pairs.duplicated().any()
    starts = pd.Series(found.started[found.treated]).value_counts()
    counts = pd.Series(zero).value_counts()
    assert (counts <= per_treated * starts.reindex(counts.index)).all()


@given(n=st.integers(2, 40), seed=st.integers(0, 10_000))
@settings(max_examples=40, deadline=None)
def test_fewer_are_drawn_only_where_nobody_is_left(n, seed):
    """Brute force: on a day that lacks persons, all at risk were drawn in that month so far."""
    found = register(n, seed, start_rate=0.3)
    draws = drawn(found, 4, seed)
    ever = np.zeros(n, dtype=bool)
    for day, treated in zip(
        *np.unique(found.started[found.treated], return_counts=True), strict=True
    ):
        at_risk = (
            (found.registered <= day)
            & (found.until >= day)
            & ~(found.started <= day)
            & found.eligible
        )
        ever |= at_risk
        if (draws.zero == day).sum() < 4 * treated:
            so_far = (months(draws.zero) == months(day)) & (draws.zero <= day)
            assert np.isin(np.flatnonzero(at_risk), draws.person[so_far]).all()
    assert_array_equal(draws.at_risk, ever)


@given(seed=st.integers(0, 1_000), order=st.randoms(use_true_random=False))
@settings(max_examples=25, deadline=None)
def test_the_order_of_the_rows_does_not_matter(seed, order):
    found = register(60, seed, start_rate=0.2)
    place = list(range(60))
    order.shuffle(place)
    mixed = Register(*(getattr(found, f)[place] for f in Register.__dataclass_fields__))
    name = keys(60)
    other = draw(mixed, numbers_of(name.iloc[place]), 3, 7)
    same = drawn(found, 3, 7)
    moved = name.iloc[place].reset_index(drop=True)
    assert set(zip(name[same.person], same.zero, strict=True)) == set(
        zip(moved[other.person], other.zero, strict=True)
    )


def test_another_seed_draws_others_and_a_later_month_leaves_earlier_ones_alone():
    found = register(400, 3)
    first, again, other = drawn(found), drawn(found), drawn(found, seed=2)
    assert_array_equal(first.person, again.person)
    assert not np.array_equal(first.person, other.person)
    cut = np.datetime64("2018-12-01")
    early = Register(
        found.registered,
        found.until,
        found.started,
        found.eligible,
        found.treated & (found.started < cut),
    )
    part = drawn(early)
    assert_array_equal(part.person, first.person[first.zero < cut])


def test_nobody_is_drawn_who_is_not_eligible_or_where_nobody_starts():
    found = register(300, 5)
    half = np.arange(300) % 2 == 0
    barred = Register(found.registered, found.until, found.started, half, found.treated & half)
    assert half[drawn(barred).person].all()
    nobody = Register(*(getattr(found, f) for f in ("registered", "until", "started", "eligible")),
                      np.zeros(300, dtype=bool))  # fmt: skip
    assert not len(drawn(nobody).person)
    assert not drawn(nobody).at_risk.any()


def test_who_starts_later_and_who_never_does_are_drawn_alike():
    """Of those at risk the same share is drawn, so the future is not chosen by."""
    found = register(20_000, 8, start_rate=0.03)
    draws = drawn(found, 1)
    day = np.datetime64("2019-06-03")
    at_risk = (found.registered <= day) & (found.until >= day) & ~(found.started <= day)
    month = months(draws.zero) == months(day)
    is_drawn = np.isin(np.arange(20_000), draws.person[month])
    later = at_risk & found.treated
    a, b = is_drawn[later].mean(), is_drawn[at_risk & ~found.treated].mean()
    spread = np.sqrt(a * (1 - a) / later.sum() + b * (1 - b) / (at_risk & ~found.treated).sum())
    assert abs(a - b) < Z * spread


def found_work(found: Register, who: np.ndarray, zero: np.ndarray) -> np.ndarray:
    return found.until[who] < zero + HORIZON


def test_without_an_effect_naive_time_zero_finds_one_and_risk_sets_do_not():
    """Treated persons had to stay registered until they started: time in which nobody could."""
    errors, naive, without_later = [], [], []
    for seed in range(10):
        found = register(8_000, seed)
        treated, others = np.flatnonzero(found.treated), np.flatnonzero(~found.treated)
        mean = found_work(found, treated, found.started[treated]).mean()
        draws = drawn(found, 3, seed)
        compared = found_work(found, draws.person, draws.zero)
        errors.append(mean - compared.mean())
        never = ~found.treated[draws.person]
        without_later.append(mean - compared[never].mean())
        by_registration = [
            found_work(found, group, found.registered[group]).mean() for group in (treated, others)
        ]
        naive.append(by_registration[0] - by_registration[1])
    spread = np.std(errors, ddof=1) / np.sqrt(len(errors))
    assert abs(np.mean(errors)) < Z * spread
    assert spread < 0.005  # percentage points, else the test could not fail
    assert np.mean(naive) < -0.2  # a programme without effect seems to keep people out of work
    assert np.mean(without_later) < -0.1  # leaving out who starts later chooses by the future


def test_weights_give_each_month_its_share():
    month = np.array([1, 1, 1, 1, 2, 2, 2, 3])
    treated = np.array([1, 0, 0, 0, 1, 1, 0, 0], dtype=bool)
    kept = np.array([1, 1, 1, 1, 1, 1, 1, 0], dtype=bool)
    weight = month_weights(month, treated, kept, None)
    assert_allclose(weight[treated], 1)
    control = kept & ~treated
    by_month = [weight[control & (month == m)].sum() for m in (1, 2)]
    assert_allclose(by_month[1] / by_month[0], 2)  # as 2 treated to 1
    assert_allclose(weight[control].mean(), 1)


def test_no_weights_are_made_where_each_month_has_its_share():
    month, treated = np.array([1, 1, 2, 2]), np.array([True, False, True, False])
    everybody = np.ones(4, dtype=bool)
    assert month_weights(month, treated, everybody, None) is None
    own = np.array([1.0, 2.0, 3.0, 3.0])
    assert_allclose(month_weights(month, treated, everybody, own), [1, 1.25, 3, 3.75])


@pytest.mark.parametrize("day", ["2020-01-01", "1969-12-31"])
def test_the_day_of_a_start_counts_as_registered_and_as_started(day):
    zero = np.datetime64(day)
    found = Register(
        np.array([zero, zero, zero, zero + 1]),
        np.array([zero, zero, zero - 1, zero + 9]),
        np.array([zero, NEVER, NEVER, NEVER]),
        np.ones(4, dtype=bool),
        np.array([True, False, False, False]),
    )
    assert drawn(found).person.tolist() == [1]
