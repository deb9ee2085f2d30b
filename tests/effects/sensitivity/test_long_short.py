"""Long story short: DoubleML, truth with a hidden confounder, and the arithmetic of scores."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from evaluate.effects.imbens_manski import imbens_manski
from evaluate.effects.sensitivity.benchmarks import nearest
from evaluate.effects.sensitivity.long_short import (
    bounds,
    gain,
    long_short,
    multiples,
    robustness_value,
)
from evaluate.errors import DesignError
from evaluate.estimates import Estimates

from .reference import persons, table

RTOL = 1e-10  # the same sums
RTOL_SEARCH = 2e-5  # DoubleML's bounded search for robustness values
WANT = table("doubleml_sensitivity")
CASES = ("ate", "att")


def aipw(y, treated, m, g0, g1, estimand, weight=None):
    """Return the AIPW estimate with scores of persons, and the residuals of the own arm."""
    w = np.ones(len(m)) if weight is None else weight
    w = (w / w.sum())[:, None]
    d, m = treated[:, None].astype(float), m[:, None]
    residual = y - np.where(treated[:, None], g1, g0)
    if estimand == "ate":
        psi = g1 - g0 + (d / m - (1 - d) / (1 - m)) * residual
        value = (w * psi).sum(axis=0)
        scores = w * (psi - value)
    else:
        share = (w * d).sum()
        psi = (d - (1 - d) * m / (1 - m)) * (y - g0) / share
        value = (w * psi).sum(axis=0)
        scores = w * (psi - value * d / share)
    return Estimates(value, scores, np.full(y.shape[1], np.inf)), residual


def prepared(y, treated, m, g0, g1, estimand, weight=None):
    estimate, residual = aipw(y, treated, m, g0, g1, estimand, weight)
    return long_short(estimate, residual, treated, m, estimand, weight)


def trial(short, estimand):
    """Return the trial with the predictions of doubleml_sensitivity.py."""
    d = persons()
    educ = d["educ"].to_numpy() - 2.5
    age = d["age"].to_numpy()
    index = -0.2 + (0.04 if short else 0.008) * (age - 37) + (0 if short else 0.1) * educ
    base = 130 + 0.2 * d["earn0"].to_numpy() + 0.9 * age + (0 if short else 10) * educ
    base = base[:, None]
    y = d[["earn"]].to_numpy()
    treated = d["arm"].to_numpy() == 1
    return prepared(y, treated, 1 / (1 + np.exp(-index)), base, 1.02 * base + 8, estimand)


def as_doubleml(found, treated, estimand):
    """Return the same with the scores of DoubleML 0.11.

    It divides the effect's score by its derivative, -1, but not that of S, so that its lower
    bound has the standard error of the upper one and the other way round; and for the treated
    it takes their share as known in S. `test_scores_are_derivatives_by_weights` tells who is
    right.
    """
    e, s = found.estimate, found.most
    share = treated.mean()
    extra = s.value * ((treated - share) / share / len(treated))[:, None]
    return replace(
        found,
        estimate=Estimates(e.value, -e.scores, e.df),
        most=Estimates(s.value, s.scores + (extra if estimand == "att" else 0), s.df),
    )


@pytest.mark.parametrize("case", CASES)
def test_doubleml(case):
    found = trial(short=False, estimand=case)
    assert_allclose(found.estimate.value, WANT[case, "estimate"], rtol=RTOL)
    assert_allclose(found.estimate.std_error, WANT[case, "std_error"], rtol=RTOL)
    assert_allclose(found.residual_variance, WANT[case, "sigma2"], rtol=RTOL)
    assert_allclose(found.riesz, WANT[case, "nu2"], rtol=RTOL)
    assert_allclose(robustness_value(found, -10, 0.7), WANT[case, "rv"], rtol=RTOL_SEARCH)
    theirs = as_doubleml(found, persons()["arm"].to_numpy() == 1, case)
    at_level = robustness_value(theirs, -10, 0.7, level=0.8)  # one-sided 0.9
    assert_allclose(at_level, WANT[case, "rva"], rtol=RTOL_SEARCH)
    got, of_theirs = bounds(found, 0.05, 0.08, 0.7), bounds(theirs, 0.05, 0.08, 0.7)
    for side, i in (("lower", 0), ("upper", 1)):
        assert_allclose(getattr(got, side).value, WANT[case, f"theta_{side}"], rtol=RTOL)
        end = getattr(of_theirs, side)
        assert_allclose(end.std_error, WANT[case, f"se_{side}"], rtol=RTOL)
        assert_allclose(end.interval(0.8)[i], WANT[case, f"ci_{side}"], rtol=RTOL)


@pytest.mark.parametrize("case", CASES)
def test_gains_of_doubleml(case):
    got = gain(trial(False, case), trial(True, case))
    assert_allclose(got.r2_y, WANT[case, "cf_y"], rtol=RTOL)
    assert_allclose(got.r2_d, WANT[case, "cf_d"], rtol=RTOL)
    assert_allclose(got.rho, WANT[case, "rho"], rtol=RTOL)
    assert_allclose(got.change, WANT[case, "delta_theta"], rtol=RTOL)


SLOPE, HIDDEN = 0.5, 0.8


def confounded(seed, n=800, k=1):
    """Draw outcomes that a hidden h of 1 or -1 moves, as well as treatment; the effect is 1."""
    rng = np.random.default_rng(seed)
    x, h = rng.normal(size=n), rng.choice([-1.0, 1.0], n)
    treated = rng.random(n) < _propensity(x, h)
    y = treated[:, None] + x[:, None] + HIDDEN * h[:, None] + rng.normal(size=(n, k))
    return y, treated, x, h


def _propensity(x, h):
    return 1 / (1 + np.exp(-(SLOPE * x + 0.5 * h)))


def known(x):
    """Return propensity and regressions given x alone, and the mean of h among the treated."""
    up, down = _propensity(x, 1), _propensity(x, -1)
    m = (up + down) / 2
    of_treated, of_control = (up - down) / (up + down), (down - up) / (2 - up - down)
    return m, (x + HIDDEN * of_control)[:, None], (1 + x + HIDDEN * of_treated)[:, None]


def shares(estimand):
    """Return the true strengths of h and what it does to the estimate, by a large sample."""
    _, treated, x, h = confounded(99, n=400_000)
    m, g0, g1 = known(x)
    full = _propensity(x, h)
    g = np.where(treated, g1[:, 0], g0[:, 0]) - x - treated
    variance = ((HIDDEN * h - g) ** 2).mean()
    if estimand == "ate":
        second, longer = (1 / m + 1 / (1 - m)).mean(), (1 / full + 1 / (1 - full)).mean()
        biased = (g1 - g0).mean()
    else:
        second, longer = (m / (1 - m)).mean(), (full / (1 - full)).mean()
        biased = ((g1 - g0)[:, 0] * m).mean() / m.mean()
    bias = biased - 1
    return variance / (variance + 1), 1 - second / longer, bias


@pytest.mark.parametrize("estimand", CASES)
def test_bounds_hold_the_truth_at_the_true_strength(estimand):
    r2_y, r2_d, bias = shares(estimand)
    assert bias > 0.2
    naive, lower_end, inside, low_covers = 0, [], 0, 0
    for seed in range(300):
        y, treated, x, _ = confounded(seed)
        found = prepared(y, treated, *known(x), estimand)
        naive += found.estimate.covers(1, 0.95)[0]
        got = bounds(found, r2_y, r2_d)
        lower_end.append((got.lower.value[0], got.lower.std_error[0], found.most.value[0]))
        low, high = imbens_manski(got.lower, got.upper, 0.95)
        inside += low[0] <= 1 <= high[0]
        wide = bounds(found, 0.9 * r2_y, 0.1 * r2_d)
        low_covers += imbens_manski(wide.lower, wide.upper, 0.95)[0][0] <= 1
    values, errors, _ = np.transpose(lower_end)
    assert naive < 60
    assert inside > 285 - 11  # 3 sd; more where the two strengths do not wholly go together
    assert low_covers < 270  # too little selection allowed for
    assert_allclose(errors.mean(), values.std(), rtol=0.13)  # 3 sd of a standard deviation


@pytest.mark.parametrize("estimand", CASES)
def test_scores_are_derivatives_by_weights(estimand):
    y, treated, x, _ = confounded(5, n=60, k=2)
    w = np.random.default_rng(5).uniform(0.5, 2, 60)

    def ends(weight):
        found = prepared(y, treated, *known(x), estimand, weight)
        return bounds(found, 0.3, 0.4, 0.8)

    base = ends(w)
    for i in (0, 17, 59):
        moved = []
        for step in (1e-5, -1e-5):
            other = w.copy()
            other[i] *= 1 + step
            moved.append(ends(other))
        for side in ("lower", "upper"):
            up, down = (getattr(m, side).value for m in moved)
            score = getattr(base, side).scores[i]
            assert_allclose(score, (up - down) / 2e-5, rtol=1e-4, atol=1e-9)


@given(seed=st.integers(0, 10**6), scale=st.floats(0.01, 100))
@settings(max_examples=25)
def test_units_order_and_copies(seed, scale):
    y, treated, x, _ = confounded(seed, n=80, k=2)
    m, g0, g1 = known(x)
    base = prepared(y, treated, m, g0, g1, "att")
    scaled = prepared(scale * y, treated, m, scale * g0, scale * g1, "att")
    assert_allclose(scaled.most.value, scale * base.most.value, rtol=1e-9)
    rv = robustness_value(base, level=0.95)
    assert_allclose(robustness_value(scaled, level=0.95), rv, rtol=1e-7, atol=1e-12)
    o = np.random.default_rng(seed).permutation(80)
    other = prepared(y[o], treated[o], m[o], g0[o], g1[o], "att")
    assert_allclose(robustness_value(other, level=0.95), rv, rtol=1e-7, atol=1e-12)
    copies = np.random.default_rng(seed).integers(1, 4, 80)
    twice = np.repeat(np.arange(80), copies)
    a = prepared(y, treated, m, g0, g1, "att", copies.astype(float))
    b = prepared(y[twice], treated[twice], m[twice], g0[twice], g1[twice], "att")
    assert_allclose(a.most.value, b.most.value, rtol=1e-9)
    alone = prepared(y[:, 1:], treated, m, g0, g1, "att")
    assert_allclose(alone.most.value, base.most.value[1:], rtol=1e-12)


@pytest.mark.parametrize("level", [None, 0.95])
def test_at_the_robustness_value_the_bound_reaches_none(level):
    y, treated, x, _ = confounded(2, k=3)
    for sign in (1, -1):  # an effect below none is told by its upper bound
        m, g0, g1 = known(x)
        found = prepared(sign * y, treated, m, sign * g0, sign * g1, "ate")
        r = robustness_value(found, level=level)
        assert (r > 0).all()
        got = bounds(found, r, r)
        end = got.lower if sign > 0 else got.upper
        value = end.value if level is None else end.interval(level)[0 if sign > 0 else 1]
        assert_allclose(value, 0, atol=1e-9)
        insignificant = robustness_value(found, null=sign * 1.5, level=0.9999)
        assert (insignificant == 0).all()


def test_the_gap_can_be_moved_by_both():
    """Rows of women and men; hidden selection in opposite directions moves the gap most."""
    y, treated, x, _ = confounded(4, k=2)
    women = np.arange(800) % 2 == 0
    parts = []
    for rows in (women, ~women):
        m, g0, g1 = known(x[rows])
        part = prepared(y[rows], treated[rows], m, g0, g1, "att")
        parts.append(part.summed(np.flatnonzero(rows), 800))
    gap = parts[0] - parts[1]
    assert_allclose(gap.most.value, parts[0].most.value + parts[1].most.value)
    assert_allclose(gap.estimate.value, parts[0].estimate.value - parts[1].estimate.value)
    w, m, g = (bounds(part, 0.1, 0.2) for part in (*parts, gap))
    assert_allclose(g.lower.value, w.lower.value - m.upper.value)
    assert_allclose(g.lower.std_error, (w.lower - m.upper).std_error)


def test_scores_by_cluster():
    y, treated, x, _ = confounded(6, n=40)
    found = prepared(y, treated, *known(x), "ate")
    cluster = np.arange(40) % 7
    want = pd.DataFrame(found.most.scores).groupby(cluster).sum().to_numpy()
    assert_allclose(found.summed(cluster, 7).most.scores, want, atol=1e-12)


def test_multiples_of_what_was_left_out():
    y, treated, x, h = confounded(8, n=4000, k=2)
    m = _propensity(x, h)
    base = (x + HIDDEN * h)[:, None]
    found = prepared(y, treated, m, base, base + 1, "ate")
    gains = [gain(found, prepared(y, treated, *known(x), "ate"))]
    none = type(gains[0])(np.zeros(2), 0.0, np.ones(2), np.zeros(2))
    estimate, significance = multiples(found, [*gains, none], 0.95)
    facts = nearest(("h", "nothing"), estimate, significance)
    for i, fact in enumerate(facts):
        assert fact.benchmark == "h"
        assert fact.significance < fact.estimate
        r2_y = np.minimum(fact.estimate * gains[0].r2_y[i], 1)
        got = bounds(found, r2_y, fact.estimate * gains[0].r2_d)
        assert_allclose(got.lower.value[i], 0, atol=1e-9)
    assert np.isinf(estimate[1]).all()
    assert gains[0].rho[0] > 0.5


def test_poor_overlap_is_told():
    y, treated, x, _ = confounded(1, n=60)
    m, g0, g1 = known(x)
    certain = m.copy()
    certain[:2] = 1.0
    estimate, residual = aipw(y, treated, m, g0, g1, "att")
    with pytest.raises(DesignError, match="no overlap: 2 persons"):
        long_short(estimate, residual, treated, certain, "att")
    zero = m.copy()
    zero[~treated] = np.where(np.arange((~treated).sum()) < 1, 0, zero[~treated])
    long_short(estimate, residual, treated, zero, "att")  # a control like nobody treated
    with pytest.raises(DesignError, match="no overlap: 1 person"):
        long_short(estimate, residual, treated, zero, "ate")
    wrong = np.where(treated, 0.01, 0.99)
    found = prepared(y, treated, wrong, g0, g1, "ate")
    assert not found.debiased
    assert found.riesz > 0
