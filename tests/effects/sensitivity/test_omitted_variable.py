"""Omitted variable bias: R, published values, hidden variables that were built or drawn."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from evaluate.effects.sensitivity.benchmarks import bounds, multiples, nearest, observed
from evaluate.effects.sensitivity.omitted_variable import (
    Coefficient,
    adjusted,
    contours,
    extreme_robustness_value,
    partial_r2,
    robustness_value,
)
from evaluate.errors import DesignError

from .reference import GROUPS, SOURCES, arrays, observational, persons, table

RTOL = 1e-8  # lm of some hundred persons against another factorisation
RTOL_SEARCH = 1e-7  # R searches where the package has a formula, and minimises within
CASES = [(g, w) for g in GROUPS for w in ("", " weighted")]
WANT = table("sensitivity")


def seen(group, words):
    y, treated, x, w = arrays(persons(group))
    return observed(y, treated, x, SOURCES, w if words else None)


def of(case, group, what):
    return np.array([WANT[case, f"{y} {group} {what}"] for y in ("earn", "work")])


@pytest.mark.parametrize(("group", "words"), CASES)
def test_coefficients_and_robustness_values(group, words):
    got = seen(group, words).found
    assert_allclose(got.value, of(f"coefficient{words}", group, "estimate"), rtol=RTOL)
    assert_allclose(got.std_error, of(f"coefficient{words}", group, "std_error"), rtol=RTOL)
    assert (got.df == of(f"coefficient{words}", group, "df")).all()
    rv = f"rv{words}"
    assert_allclose(robustness_value(got.t, got.df), of(rv, group, "1"), rtol=RTOL)
    assert_allclose(robustness_value(got.t, got.df, q=0.5), of(rv, group, "half"), rtol=RTOL)
    at_level = robustness_value(got.t, got.df, level=0.95)
    assert_allclose(at_level, of(rv, group, "significance"), rtol=RTOL_SEARCH)
    assert_allclose(partial_r2(got.t, got.df), of(rv, group, "extreme"), rtol=RTOL)
    assert_allclose(extreme_robustness_value(got.t, got.df), partial_r2(got.t, got.df), rtol=RTOL)


@pytest.mark.parametrize(("group", "words"), CASES)
@pytest.mark.parametrize("shares", [(0.02, 0.01), (0.2, 0.3), (0.9, 0.5)])
def test_adjusted_is_the_regression_with_the_hidden_variable(group, words, shares):
    got = adjusted(seen(group, words).found, *shares)
    case = f"hidden {shares[0]:g} {shares[1]:g}{words}"
    assert_allclose(got.value, of(case, group, "estimate"), rtol=RTOL)
    assert_allclose(got.std_error, of(case, group, "std_error"), rtol=RTOL)


@pytest.mark.parametrize(("group", "words"), CASES)
def test_benchmarks_and_multiples(group, words):
    got = seen(group, words)
    r2_yz, r2_dz = bounds(got, kd=3, ky=2)
    estimate, significance = multiples(got, level=0.95)
    assert got.names == ("age", "educ", "earn0", "site")
    for i, name in enumerate(got.names):
        case = f"benchmark{words}"
        assert_allclose(got.r2_yx[i], of(case, group, f"{name} r2_yx"), rtol=RTOL, atol=1e-12)
        assert_allclose(got.r2_dx[i], of(case, group, f"{name} r2_dx")[0], rtol=RTOL, atol=1e-12)
        assert_allclose(r2_yz[i], of(case, group, f"{name} r2_yz"), rtol=RTOL, atol=1e-12)
        assert_allclose(r2_dz[i], of(case, group, f"{name} r2_dz"), rtol=RTOL, atol=1e-12)
        case = f"multiple{words}"
        assert_allclose(estimate[i], of(case, group, f"{name} estimate"), rtol=RTOL_SEARCH)
        assert_allclose(significance[i], of(case, group, f"{name} significance"), rtol=RTOL_SEARCH)


def test_published_darfur():
    """Cinelli and Hazlett (2020), section 5: estimate, error and benchmarks by gender."""
    found = Coefficient(np.array([0.097316]), np.array([0.023257]), 783.0)
    assert_allclose(partial_r2(found.t, 783), 0.0219, atol=5e-5)
    assert_allclose(robustness_value(found.t, 783), 0.139, atol=5e-4)
    assert_allclose(robustness_value(found.t, 783, level=0.95), 0.076, atol=5e-4)
    for times, r2_dz, r2_yz, value, t in [
        (1, 0.00916, 0.12464, 0.0752, 3.44),
        (2, 0.01833, 0.24932, 0.0529, 2.60),
        (3, 0.02749, 0.37404, 0.0304, 1.63),
    ]:
        got = adjusted(found, r2_yz, r2_dz)
        assert_allclose(got.value, value, atol=1e-4, err_msg=str(times))
        assert_allclose(got.t, t, atol=0.01)


def test_published_example_of_a_large_t():
    assert_allclose(robustness_value(np.array([5.0]), 102), 0.387467, atol=1e-6)


@given(
    t=st.floats(0.1, 60),
    df=st.integers(4, 5000),
    a=st.floats(0, 1),
    b=st.floats(0, 1),
)
def test_no_weaker_variable_makes_it_insignificant(t, df, a, b):
    level = 0.95
    found = Coefficient(np.array([t]), np.array([1.0]), float(df))
    r = robustness_value(found.t, df, level=level)[0] * (1 - 1e-9)
    moved = adjusted(found, a * r, b * r)
    low, _ = moved.interval(level)
    if r > 0:
        assert low[0] > -1e-7 * t


def test_extreme_scenario_is_worse_than_any_other():
    found = seen("all", "").found
    r = extreme_robustness_value(found.t, found.df)
    assert_allclose(adjusted(found, 1.0, r).value, 0, atol=1e-10)
    assert (r <= robustness_value(found.t, found.df)).all()
    high = extreme_robustness_value(np.array([40.0]), 50, level=0.95)
    assert_allclose(high, robustness_value(np.array([40.0]), 50, level=0.95))  # same, so precise


def test_contours_are_a_table_of_adjusted_values():
    found = seen("all", "").found
    got = contours(found, ["earn", "work"], most_yz=0.3, most_dz=0.2, steps=4)
    assert len(got) == 32
    row = got[(got["outcome"] == "work") & (got["r2_dz"] == 0.2)].iloc[1]
    want = adjusted(found, row["r2_yz"], 0.2)
    assert row["r2_yz"] == pytest.approx(0.1)
    assert_allclose([row["estimate"], row["t"]], [want.value[1], want.t[1]], rtol=1e-12)
    first = got[(got["r2_dz"] == 0) & (got["r2_yz"] == 0)]
    assert_allclose(first["estimate"], found.value, rtol=1e-12)


def test_the_nearest_benchmark_gives_the_sentence():
    """A hidden factor just that many times as strong brings the estimate to zero."""
    y, treated, x = observational(3)
    got = observed(y, treated, x, ["age", "education", "education"])
    facts = nearest(got.names, *multiples(got, 0.95))
    assert {f.benchmark for f in facts} == {"education"}
    for i, f in enumerate(facts):
        r2_yz, r2_dz = bounds(got, f.estimate)
        assert_allclose(adjusted(got.found, r2_yz[1], r2_dz[1]).value[i], 0, atol=1e-9)
        assert f.significance < f.estimate
    nothing = nearest(("a",), np.array([[np.inf]]), np.array([[np.inf]]))
    assert nothing[0].benchmark is None


def test_the_benchmark_bounds_a_variable_that_was_left_out():
    """Truth: x0 is as strong as x1, but for chance; leaving it out overstates the effect of 1."""
    within = {0.3: 0, 2.0: 0}
    for seed in range(60):
        y, treated, x = observational(seed, n=2000, k=1)
        got = observed(y, treated, x[:, 1:], ["x1", "x2"])
        assert got.found.value[0] > 1
        for times in within:
            r2_yz, r2_dz = bounds(got, times)
            within[times] += adjusted(got.found, r2_yz[0], r2_dz[0]).value[0] < 1
    assert within[2.0] >= 58
    assert within[0.3] <= 2


@given(seed=st.integers(0, 10**6), scale=st.floats(0.01, 100), shift=st.floats(-5, 5))
def test_strengths_have_no_unit_and_persons_no_order(seed, scale, shift):
    y, treated, x = observational(seed, n=60)
    base = observed(y, treated, x, ["a", "b", "c"])
    order = np.random.default_rng(seed).permutation(60)
    other = observed((scale * y + shift)[order], treated[order], x[order], ["a", "b", "c"])
    assert_allclose(other.found.value, scale * base.found.value, rtol=1e-8)
    assert_allclose(other.r2_yx, base.r2_yx, rtol=1e-6, atol=1e-9)
    assert_allclose(other.r2_dx, base.r2_dx, rtol=1e-6, atol=1e-9)
    alone = observed(y[:, :1], treated, x, ["a", "b", "c"])
    assert_allclose(alone.r2_yx, base.r2_yx[:, :1], rtol=1e-9, atol=1e-12)


def test_a_column_that_others_explain_adds_nothing():
    y, treated, x = observational(1)
    twice = np.column_stack([x, x[:, 0] + x[:, 1]])
    got = observed(y, treated, twice, ["a", "b", "c", "sum"])
    want = observed(y, treated, x, ["a", "b", "c"])
    assert got.found.df == want.found.df
    assert_allclose(got.found.value, want.found.value, rtol=1e-10)
    assert_allclose(got.found.std_error, want.found.std_error, rtol=1e-10)
    assert (got.r2_dx[[0, 1, 3]] == 0).all()  # each can be had from the others
    assert_allclose(got.r2_dx[2], want.r2_dx[2], rtol=1e-10)
    assert np.isinf(multiples(got, 0.95)[0][[0, 1, 3]]).all()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda y, t, x: (y, x[:, 0] > 0, np.column_stack([x, x[:, 0] > 0])), "who was treated"),
        (lambda y, t, x: (y[:5], np.arange(5) % 2 == 0, x[:5]), "as many parameters as persons"),
        (lambda y, t, x: (y, t | True, x), "one arm is empty: 400 of 400"),
    ],
)
def test_designs_that_carry_no_estimate(change, message):
    y, treated, x = change(*observational(0))
    with pytest.raises(DesignError, match=message):
        observed(y, treated, x, list("abcd")[: x.shape[1]])
