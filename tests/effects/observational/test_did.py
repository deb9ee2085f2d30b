"""Effects by cohort and month: two oracles, properties, errors, coverage."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy import stats

from evaluate.effects.observational.did import group_time
from evaluate.effects.observational.two_periods import logit, two_periods
from evaluate.errors import DesignError
from evaluate.notes import note

# glm stops at 1e-15 of the deviance, so its coefficients are right to some 1e-9 of an error;
# the formulas are equal, and so are the variances' divisors: n, as in did and csdid
RTOL = 1e-8
REFERENCE = Path(__file__).parents[2] / "reference"
METHODS = ["doubly_robust", "regression", "ipw"]
CASES = pd.read_csv(REFERENCE / "did.csv")["case"].unique()


def reference(name="did"):
    return pd.read_csv(REFERENCE / f"{name}.csv").set_index(["case", "term"])


def run(case):
    """Estimate a case of the reference."""
    method, controls, base, anticipation, *more = case.split()
    panel = pd.read_csv(REFERENCE / "did_panel.csv")
    months = [("m" if "missing" in more else "y") + str(t) for t in range(1, 8)]
    return group_time(
        panel[months].to_numpy(),
        panel["cohort"].to_numpy(),
        panel[["age", "urban"]].to_numpy(dtype=float),
        panel["w"].to_numpy() if "weighted" in more else None,
        method=method,
        controls=controls,
        base=base,
        anticipation=int(anticipation),
        small_sample=False,
    )


def simulated(seed, n=240, months=6, starts=(0, 3, 4, 6), trend=1.0):
    """Draw a panel whose trends are parallel at equal x; effects grow and differ by cohort."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 2))
    lean = 0.5 * x[:, [0]] * np.linspace(-1, 1, len(starts))
    odds = np.exp(lean + (np.arange(len(starts)) == 0))
    cut = (odds / odds.sum(axis=1, keepdims=True)).cumsum(axis=1)[:, :-1]
    cohort = np.array(starts)[(cut < rng.random((n, 1))).sum(axis=1)]
    t = np.arange(1, months + 1)
    y = rng.normal(size=(n, 1)) + trend * np.outer(x[:, 0] + 0.5 * x[:, 1], 0.4 * t)
    y = y + rng.normal(size=(n, months)) + effect(cohort[:, None], t)
    return y, cohort, x


def effect(g, t):
    """Return the true ATT(g, t)."""
    return np.where((g > 0) & (t >= g), (t - g + 1) * (1.2 - 0.15 * g), 0.0)


def cells_of(table, case):
    one = table.loc[case]
    return one[one.index.str.startswith("cell")]


@pytest.mark.parametrize("case", CASES)
def test_matches_r(case):
    got, table = run(case), cells_of(reference(), case)
    estimated = got.month != got.base
    names = [f"cell {g} {t}" for g, t in zip(got.cohort, got.month, strict=True)]
    assert set(np.array(names)[estimated]) == set(table.index)
    for i in np.flatnonzero(estimated):
        assert_allclose(got.estimates.value[i], table.loc[names[i], "estimate"], RTOL)
        assert_allclose(got.estimates.std_error[i], table.loc[names[i], "std_error"], RTOL)
    assert (got.estimates.value[~estimated] == 0).all()
    assert (got.estimates.variance[~estimated] == 0).all()
    assert not got.omitted


def test_r_agrees_with_the_port_of_did():
    ours, theirs = reference(), reference("csdid")
    assert len(theirs) == 720
    assert_allclose(ours.loc[theirs.index], theirs, rtol=RTOL)


@pytest.mark.parametrize("method", METHODS)
@settings(max_examples=10)
@given(seed=st.integers(0, 2**32 - 1), scale=st.floats(0.01, 100))
def test_levels_of_persons_and_months_and_the_unit_do_not_matter(method, seed, scale):
    y, cohort, x = simulated(seed % 50)
    rng = np.random.default_rng(seed)
    one = group_time(y, cohort, x, method=method)
    moved = y + rng.normal(size=(len(y), 1)) + rng.normal(size=y.shape[1])
    recoded = 3 + x @ np.array([[2.0, 1.0], [0.0, -0.5]])
    other = group_time(scale * moved, cohort, recoded, method=method)
    assert_allclose(other.estimates.value, scale * one.estimates.value, 1e-7, 1e-9 * scale)
    assert_allclose(other.estimates.scores, scale * one.estimates.scores, 1e-6, 1e-10 * scale)


@pytest.mark.parametrize("method", METHODS)
def test_the_order_of_persons_does_not_matter(method):
    y, cohort, x = simulated(1)
    order = np.random.default_rng(1).permutation(len(y))
    one = group_time(y, cohort, x, method=method)
    other = group_time(y[order], cohort[order], x[order], method=method)
    assert_allclose(other.estimates.value, one.estimates.value, rtol=1e-9, atol=1e-12)
    assert_allclose(other.estimates.scores, one.estimates.scores[order], rtol=1e-7, atol=1e-12)


@pytest.mark.parametrize("method", METHODS)
def test_weights_are_copies(method):
    y, cohort, x = simulated(2)
    y[::7, 2] = np.nan
    times = np.random.default_rng(2).integers(1, 4, len(y))
    person = np.repeat(np.arange(len(y)), times)
    options = {"method": method, "small_sample": False}
    one = group_time(y, cohort, x, times.astype(float), **options)
    other = group_time(y[person], cohort[person], x[person], **options)
    sums = np.zeros_like(one.estimates.scores)
    np.add.at(sums, person, other.estimates.scores)
    assert_allclose(one.estimates.value, other.estimates.value, rtol=1e-8, atol=1e-12)
    assert_allclose(one.estimates.scores, sums, rtol=1e-7, atol=1e-12)


def test_a_month_changes_no_other_months_effects():
    y, cohort, x = simulated(3)
    one = group_time(y, cohort, x)
    y[:, 4] = 0
    other = group_time(y, cohort, x)
    same = (one.month != 5) & (one.base != 5)
    assert same.sum() > 5
    assert_allclose(one.estimates.value[same], other.estimates.value[same], rtol=1e-12)
    assert (one.estimates.value[~same & (one.month != one.base)] != 0).all()


def test_without_covariates_it_is_a_difference_of_mean_changes():
    y, cohort, _ = simulated(4)
    for method in METHODS:
        got = group_time(y, cohort, method=method)
        for i in np.flatnonzero(got.month != got.base):
            t, b, g = got.month[i], got.base[i], got.cohort[i]
            change = y[:, t - 1] - y[:, b - 1]
            ours = change[cohort == g]
            theirs = change[(cohort == 0) | ((cohort > max(t, b)) & (cohort != g))]
            assert_allclose(got.estimates.value[i], ours.mean() - theirs.mean(), rtol=1e-9)
            welch = stats.ttest_ind(ours, theirs, equal_var=False)
            assert_allclose(got.estimates.value[i] / got.estimates.std_error[i], welch.statistic)
            assert_allclose(got.estimates.df[i], welch.df)
            assert_allclose(got.estimates.p_value[i], welch.pvalue)
            assert (got.n_treated[i], got.n_control[i]) == (len(ours), len(theirs))
        plain = group_time(y, cohort, method=method, small_sample=False)
        i = len(plain.cohort) - 1
        t, b, g = plain.month[i], plain.base[i], plain.cohort[i]
        change = y[:, t - 1] - y[:, b - 1]
        sides = change[cohort == g], change[(cohort == 0) | (cohort > max(t, b))]
        variance = sum(side.var() / len(side) for side in sides)
        assert_allclose(plain.estimates.variance[i], variance, rtol=1e-9)
        assert plain.estimates.df[i] == sum(map(len, sides)) - 1


def test_persons_who_draw_a_model_to_themselves_count_for_more():
    y, cohort, x = simulated(4, n=120)
    x[:, 1] = 0
    x[np.flatnonzero(cohort == 0)[0], 1] = 12  # a control alone with such a covariate
    plain, got = (group_time(y, cohort, x, small_sample=s) for s in (False, True))
    assert_allclose(got.estimates.value, plain.estimates.value)
    told = plain.estimates.variance > 0
    rise = got.estimates.variance[told] / plain.estimates.variance[told]
    assert (rise > 1).all()
    assert (got.estimates.df[told] < plain.estimates.df[told]).all()
    i = np.flatnonzero(told)[-1]
    ours = cohort == got.cohort[i]  # whose part of the mean is one each: as if each were left out
    size = got.estimates.scores / np.where(plain.estimates.scores == 0, 1, plain.estimates.scores)
    assert_allclose(size[ours, i], 1 / (1 - 1 / ours.sum()))


def test_either_model_suffices():
    rng = np.random.default_rng(5)
    n = 200_000
    x = rng.normal(size=(n, 1))
    z = np.column_stack([np.ones(n), x])
    p_linear, p_other = (1 / (1 + np.exp(-e)) for e in (x[:, 0], x[:, 0] ** 2 + x[:, 0] - 1.5))
    for p, bent in ((p_linear, 1.0), (p_other, 0.0)):
        treated = rng.random(n) < p
        change = 1.0 * treated + x[:, 0] + bent * x[:, 0] ** 2 + rng.normal(size=n)
        got = {m: two_periods(change[None], treated, z, np.ones(n), m) for m in METHODS}
        off = {m: abs(e.value[0] - 1) / np.sqrt((e.scores**2).sum()) for m, e in got.items()}
        assert off["doubly_robust"] < 3.5
        assert off["regression" if bent else "ipw"] > 8


@pytest.mark.parametrize("gone_in", [5, 3])
@pytest.mark.parametrize("base", ["universal", "varying"])
@pytest.mark.parametrize("controls", ["not_yet_treated", "never_treated"])
def test_a_person_without_one_of_the_months_is_left_out_and_counted(controls, base, gone_in):
    y, cohort, x = simulated(6)
    options = {"controls": controls, "base": base}
    gone = np.random.default_rng(6).random(len(y)) < 0.1
    y[gone, gone_in - 1] = np.nan
    got = group_time(y, cohort, x, **options)
    kept = group_time(y[~gone], cohort[~gone], x[~gone], **options)
    full = group_time(np.nan_to_num(y), cohort, x, **options)
    hit = (got.month == gone_in) | (got.base == gone_in)
    for rows, other, at in ((~gone, kept, hit), (np.full(len(y), True), full, ~hit)):
        ours, theirs = (e.scores[:, at] for e in (got.estimates, other.estimates))
        assert_allclose(got.estimates.value[at], other.estimates.value[at], rtol=1e-9, atol=1e-12)
        assert_allclose(ours[rows], theirs, rtol=1e-7, atol=1e-12)
        assert (ours[~rows] == 0).all()
    assert (got.n_missing[hit] > 0).all()
    assert (got.n_missing[~hit] == 0).all()
    total = got.n_treated + got.n_control + got.n_missing
    assert (total == full.n_treated + full.n_control).all()


def test_a_month_that_nobody_has_is_told():
    y, cohort, x = simulated(7)
    y[:, 3] = np.nan
    got = group_time(y, cohort, x)
    assert [(o.cohort, o.month) for o in got.omitted] == [(3, 4), (4, 4), (6, 4)]
    assert 4 not in got.month
    assert {o.reason for o in got.omitted} == {note("few_with_both", n=4)}


def test_effects_on_few_persons_are_omitted_where_that_is_asked():
    y, cohort, x = simulated(7)
    sizes = {g: int((cohort == g).sum()) for g in (3, 4, 6)}
    fewest = sorted(sizes.values())[0] + 1
    got = group_time(y, cohort, x, fewest=fewest)
    small = [g for g, n in sizes.items() if n < fewest]
    assert [(o.cohort, o.month) for o in got.omitted] == [(g, None) for g in small]
    assert got.omitted[0].reason == note("small_cohort", n=fewest)
    assert not np.isin(got.cohort, small).any()
    plain = group_time(y, cohort, x)  # who start in small cohorts are compared with all the same
    same = ~np.isin(plain.cohort, small)
    assert_allclose(got.estimates.value, plain.estimates.value[same])


def test_months_may_have_numbers_of_their_own():
    y, cohort, x = simulated(8)
    one = group_time(y, cohort, x, base="varying")
    later = np.where(cohort > 0, cohort + 100, 0)
    other = group_time(y, later, x, base="varying", months=np.arange(101, 107))
    assert_allclose(other.estimates.value, one.estimates.value, rtol=1e-12)
    assert (other.month == one.month + 100).all()


def test_a_start_after_the_last_month_is_never():
    y, cohort, x = simulated(9)
    later = np.where(cohort == 0, np.where(np.arange(len(y)) % 2, 0, 9), cohort)
    one, other = (group_time(y, c, x, controls="never_treated") for c in (cohort, later))
    assert_allclose(one.estimates.scores, other.estimates.scores, rtol=1e-12)


def test_the_last_cohort_is_a_control_only_where_nobody_never_starts():
    y, cohort, x = simulated(10)
    some = cohort > 0
    got = group_time(y[some], cohort[some], x[some])
    assert got.cohort[got.month >= got.cohort].max() == 4
    assert got.month.max() == 5
    assert {o.reason for o in got.omitted} == {note("no_controls")}
    assert (6, 6) in {(o.cohort, o.month) for o in got.omitted}


def test_controls_out_of_reach_have_no_weight():
    y, cohort, x = simulated(11, n=400, starts=(0, 4))
    odd = (cohort == 0) & (np.arange(len(y)) % 5 == 0)
    got = group_time(y, cohort, np.column_stack([x, odd]), method="ipw")
    kept = group_time(y[~odd], cohort[~odd], x[~odd], method="ipw")
    assert_allclose(got.estimates.value, kept.estimates.value, rtol=1e-6, atol=1e-12)
    assert_allclose(got.estimates.std_error, kept.estimates.std_error, rtol=1e-6, atol=1e-12)


def test_controls_too_much_like_the_cohort_have_no_weight_and_are_counted():
    y, cohort, x = simulated(12, starts=(0, 4))
    z, ones = np.column_stack([np.ones(len(y)), x]), np.ones(len(y))
    treated, change = cohort == 4, y[:, 5] - y[:, 2]
    p, _ = logit(treated, z, ones)
    like = ~treated & (p >= 0.4)
    assert like.sum() > 5
    got = two_periods(change[None], treated, z, ones, "ipw", trim=0.4)
    assert got.trimmed == like.sum()
    odds = np.where(treated | like, 0, p / (1 - p))
    assert_allclose(got.value[0], change[treated].mean() - np.average(change, weights=odds))
    assert group_time(y, cohort, x).n_trimmed.max() == 0
    assert (group_time(y, cohort, x, trim=0.4).n_trimmed == like.sum()).all()


def panel(*sizes, months=5):
    """Return a panel with so many persons in cohort 0, 2, 3, ..."""
    cohort = np.repeat([0, *range(2, len(sizes) + 1)], sizes)
    rng = np.random.default_rng(0)
    return rng.normal(size=(len(cohort), months)), cohort, rng.normal(size=(len(cohort), 3))


@pytest.mark.parametrize(
    ("sizes", "options", "message"),
    [
        ((30,), {}, "nobody starts within the months"),
        ((30, 20), {"anticipation": 1}, "most often no month before the start"),
        ((0, 20), {}, "most often nobody is left who has not started"),
        ((0, 20, 20), {"controls": "never_treated"}, "most often nobody is left"),
        ((30, 4), {}, "fewer than 5 persons start in the months of the cohort"),
        ((4, 20), {}, "fewer than 5 persons with both months"),
    ],
)
def test_what_cannot_be_estimated_is_told(sizes, options, message):
    with pytest.raises(DesignError, match=message):
        group_time(*panel(*sizes), **options)


def test_a_cohort_that_cannot_be_estimated_leaves_the_others():
    y, cohort, x = panel(30, 20, 20)
    early = np.where(cohort == 2, 1, cohort)
    got = group_time(y, early, x)
    assert [(o.cohort, o.month, o.reason) for o in got.omitted] == [
        (1, None, note("no_month_before"))
    ]
    assert set(got.cohort) == {3}
    y[early == 3, 4] = np.nan
    got = group_time(y, early, x)
    assert (3, 5, note("few_with_both", n=5)) in {
        (o.cohort, o.month, o.reason) for o in got.omitted
    }


def test_who_has_started_is_no_control():
    y, cohort, x = panel(30, 20, 20)
    got = group_time(y, np.where(cohort == 2, 1, cohort), x)
    assert set(got.n_control) == {30}
    assert set(np.unpackbits(got.used, axis=1)[:, : len(y)].sum(axis=1)) == {50}


@pytest.mark.parametrize(
    ("method", "message"),
    [
        ("doubly_robust", "nobody comparable for 20 persons"),
        ("ipw", "nobody comparable for 20 persons"),
        ("regression", "a covariate varies among the treated alone"),
    ],
)
def test_a_covariate_that_tells_the_cohort_apart(method, message):
    y, cohort, x = panel(40, 20)
    x[:, 0] = cohort > 0
    if method == "regression":
        x[:, 0] *= np.arange(len(y)) % 2
    with pytest.raises(DesignError, match=message):
        group_time(y, cohort, x, method=method)


@pytest.mark.parametrize("controls", ["not_yet_treated", "never_treated"])
def test_intervals_cover_the_truth(controls):
    trials, hits = 300, 0
    for seed in range(trials):
        y, cohort, x = simulated(seed, n=300)  # some 50 in a cohort
        got = group_time(y, cohort, x, base="varying", controls=controls)
        hits = hits + got.estimates.covers(effect(got.cohort, got.month), 0.95)
    share = hits / trials
    # 4 sd of Binomial(300, 0.95) / 300 is 0.050; of the mean over 15 effects, less than half
    assert np.abs(share - 0.95).max() < 0.050
    assert abs(share.mean() - 0.95) < 0.020


def test_trends_that_differ_by_x_need_x():
    y, cohort, x = simulated(1, n=5_000, trend=2.0)
    bare, adjusted = group_time(y, cohort), group_time(y, cohort, x)
    truth = effect(bare.cohort, bare.month)
    off = [np.abs(e.estimates.value - truth)[e.month == 6].max() for e in (bare, adjusted)]
    assert off[0] > 0.8
    assert off[1] < 0.4
