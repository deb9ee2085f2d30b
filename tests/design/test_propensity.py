"""Probability of treatment: as in R, the same however arranged, refused, and near the truth."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.linear_model import LogisticRegression

from evaluate.covariates import Covariates, columns_of
from evaluate.design import propensity as module
from evaluate.design.propensity import calibration, deal, propensity
from evaluate.design.propensity_models import RIDGE, fit_logit, knots_of, natural_spline, regressors
from evaluate.errors import DesignError

RTOL = 1e-8  # two Newton's methods, R's stops when the deviance no longer changes
REFERENCE = Path(__file__).parents[1] / "reference"
ORACLE = pd.read_csv(REFERENCE / "propensity.csv").set_index(["case", "term"])["value"]
TRIAL = pd.read_csv(REFERENCE / "trial.csv")
TREATED = (TRIAL["arm"] > 0).to_numpy()
SEEDS = st.integers(0, 2**32 - 1)
draws = settings(max_examples=10, deadline=None)


def named(x):
    names = tuple(f"x{j}" for j in range(x.shape[1]))
    return Covariates(np.asarray(x, dtype=float), names, names)


def of_trial():
    frame = TRIAL[["age", "educ", "earn0"]].astype(float)
    frame = frame.assign(female=(TRIAL["sex"] == "F").astype(float))
    return columns_of(frame.assign(site=TRIAL["site"].astype(str)))


def drawn(seed, n=400, p=3, slope=0.7, level=-0.5):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, p))
    chance = 1 / (1 + np.exp(-level - slope * x[:, 0] + 0.5 * slope * x[:, 1]))
    return x, rng.random(n) < chance, chance


def standard(x):
    return np.column_stack([np.ones(len(x)), (x - x.mean(axis=0)) / x.std(axis=0)])


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("case", ["logit", "splines"])
def test_in_sample_probabilities_are_those_of_glm(case, weighted):
    x = of_trial().values
    smaller = int((~TREATED).sum()) if case == "splines" else 0
    design, splines = regressors(x, smaller)
    assert splines == (case == "splines")
    weight = TRIAL["w"].to_numpy() if weighted else np.ones(len(TRIAL))
    fit = fit_logit(design, TREATED, weight)
    want = ORACLE[f"{case} weighted" if weighted else case]
    assert len(want) == 60
    assert_allclose(fit.score[:60], want, rtol=RTOL)
    assert fit.penalty == 0


def test_the_whole_function_fits_the_same_logit():
    weight = TRIAL["w"].to_numpy()
    got = propensity(of_trial(), TREATED, "logit", weight=weight, folds=2)
    assert_allclose(got.in_sample[:60], ORACLE["splines weighted"], rtol=RTOL)
    assert (got.penalised, got.fits, got.splines, got.dropped) == (0, 3, True, ())


def test_influence_gives_the_sandwich_errors_of_slopes():
    x = of_trial().values
    fit = fit_logit(standard(x), TREATED, np.ones(len(x)))
    pick = fit.design @ np.linalg.inv(fit.design.T @ fit.design)  # a slope is an estimate, too
    errors = np.sqrt((fit.through(pick) ** 2).sum(axis=0))[1:] / x.std(axis=0)
    assert_allclose(errors, ORACLE["slopes"], rtol=RTOL)


@pytest.mark.parametrize("case", ["measures", "measures weighted"])
def test_measures_are_those_of_glm_and_proc(case):
    fit = fit_logit(standard(of_trial().values), TREATED, np.ones(len(TRIAL)))
    score = 1 / (1 + np.exp(-0.3 - 3 * np.log(fit.score / (1 - fit.score))))
    weight = TRIAL["w"].to_numpy() if "weighted" in case else np.ones(len(TRIAL))
    got = module.measures(score, TREATED, weight)
    for name, want in ORACLE[case].items():
        assert_allclose(got[name], want, rtol=1e-7 if "calibration" in name else RTOL)


def test_a_light_ridge_is_that_of_scikit_learn():
    x, treated, _ = drawn(5, n=120)
    design = standard(x)
    fit = fit_logit(design, treated, np.ones(120), penalty=RIDGE)
    peer = LogisticRegression(C=1 / RIDGE, solver="newton-cholesky", tol=1e-10, max_iter=200)
    peer.fit(design[:, 1:], treated)
    assert_allclose(fit.score, peer.predict_proba(design[:, 1:])[:, 1], rtol=1e-7)


def test_a_spline_is_linear_outside_its_knots_and_smooth_at_them():
    x = np.sort(np.random.default_rng(0).normal(size=200))
    knots = knots_of(x)
    outside = np.r_[knots[0] - np.arange(3), knots[-1] + np.arange(3)]
    curves = natural_spline(outside, knots)
    for side in (curves[:3], curves[3:]):
        assert_allclose(np.diff(side, n=2, axis=0), 0, atol=1e-9)
    step = 1e-4
    for knot in knots:
        near = natural_spline(knot + step * np.arange(-2, 3), knots)
        second = np.diff(near, n=2, axis=0) / step**2
        assert np.abs(np.diff(second, axis=0)).max() < 0.05


@pytest.mark.parametrize("model", ["logit", "boosting"])
def test_scores_do_not_rest_on_the_persons_own_fold(model):
    x, treated, _ = drawn(1)
    base = propensity(named(x), treated, model, seed=4)
    other = base.fold[:, 0] == 2
    flipped = treated.copy()
    inside = np.flatnonzero(other)
    flipped[inside] = np.random.default_rng(0).permutation(treated[inside])
    # the same folds: the arms' places within the fold change, so give them
    patched = pytest.MonkeyPatch()
    with patched.context() as m:
        m.setattr(module, "deal", lambda *_: base.fold[:, 0])
        got = propensity(named(x), flipped, model, seed=4)
    assert_allclose(got.score[other], base.score[other], rtol=1e-9)
    assert not np.allclose(got.score[~other], base.score[~other])


def test_a_group_has_models_of_its_own():
    x, treated, _ = drawn(2, n=600)
    women = np.arange(600) % 3 == 0
    label = np.where(women, "women", "men")
    got = propensity(named(x), treated, seed=1, within=label, folds=3)
    alone = fit_logit(regressors(x[women], 60)[0], treated[women], np.ones(200))
    assert_allclose(got.in_sample[women], alone.score, rtol=1e-9)
    assert list(got.candidates["group"].unique()) == ["all", "men", "women"]
    assert {c: len(f) for c, f in got.scores.items()} == {"logit": 600, "boosting": 600}
    slope = np.random.default_rng(0).normal(size=(600, 2))
    through = got.through(slope)
    assert_allclose(through[women], alone.through(slope[women]), rtol=1e-6, atol=1e-12)


@given(seed=SEEDS)
@draws
def test_folds_hold_equal_numbers_of_each_arm_and_group(seed):
    rng = np.random.default_rng(seed)
    treated, group = rng.random(203) < 0.3, rng.integers(0, 2, 203)
    fold = deal(treated, group, 5, rng)
    for cell in range(4):
        counts = np.bincount(fold[2 * group + treated == cell], minlength=5)
        assert np.ptp(counts) <= 1


@given(seed=SEEDS)
@draws
def test_clusters_stay_together(seed):
    rng = np.random.default_rng(seed)
    cluster = rng.integers(0, 40, 600)
    treated = rng.random(600) < np.where(cluster % 2, 0.2, 0.6)
    fold = deal(treated, np.zeros(600, dtype=int), 5, rng, cluster)
    assert all(len(np.unique(fold[cluster == c])) == 1 for c in range(40))
    sizes = np.bincount(fold, treated, minlength=5)
    assert np.ptp(sizes) <= 2 * np.bincount(cluster, treated).max()


def test_the_same_seed_gives_the_same_and_each_split_another():
    x, treated, _ = drawn(3)
    one = propensity(named(x), treated, splits=2, seed=9, folds=2)
    two = propensity(named(x), treated, splits=2, seed=9, folds=2)
    for name, score in one.scores.items():
        assert_array_equal(score, two.scores[name])
        assert not np.allclose(score[:, 0], score[:, 1])
    assert not np.array_equal(
        one.score, propensity(named(x), treated, splits=2, seed=8, folds=2).score
    )
    single = propensity(named(x), treated, seed=9, folds=2)
    assert_array_equal(single.fold[:, 0], one.fold[:, 0])


@given(seed=SEEDS, unit=st.floats(0.01, 100))
@draws
def test_units_and_order_of_covariates_do_not_matter(seed, unit):
    x, treated, _ = drawn(seed, n=200)
    base = propensity(named(x), treated, "logit", folds=2)
    got = propensity(named(3 + unit * x[:, ::-1]), treated, "logit", folds=2)
    assert_allclose(got.in_sample, base.in_sample, rtol=1e-6)
    assert_allclose(got.score, base.score, rtol=1e-5)


@given(seed=SEEDS)
@draws
def test_weights_are_copies(seed):
    x, treated, _ = drawn(seed, n=150)
    times = np.random.default_rng(seed).integers(1, 4, 150)
    design = standard(x)
    weighted = fit_logit(design, treated, times.astype(float))
    copied = fit_logit(np.repeat(design, times, axis=0), np.repeat(treated, times),
                       np.ones(times.sum()))  # fmt: skip
    assert_allclose(weighted.score, copied.score[np.cumsum(times) - 1], rtol=1e-7)


def test_columns_that_add_nothing_are_dropped_and_named():
    x, treated, _ = drawn(6)
    twice = np.column_stack([x, x[:, 0] + x[:, 1], np.ones(400)])
    got = propensity(named(twice), treated, "logit", folds=2)
    want = propensity(named(x), treated, "logit", folds=2)
    assert got.dropped == ("x3", "x4")
    assert_allclose(got.score, want.score, rtol=1e-9)


def test_a_level_without_treated_persons_needs_a_ridge_and_says_so():
    x, treated, _ = drawn(7)
    never = np.zeros(400)
    never[np.flatnonzero(~treated)[:30]] = 1
    got = propensity(named(np.column_stack([x, never])), treated, "logit")
    assert (got.penalised, got.fits) == (6, 6)
    assert got.score[never == 1].max() < 0.1
    assert np.abs(got.score - propensity(named(x), treated, "logit").score).max() < 0.9


def test_a_level_that_is_in_one_fold_only_needs_a_ridge_there():
    x, treated, _ = drawn(8)
    rare = np.zeros(400)
    fold = propensity(named(x), treated, "logit").fold[:, 0]
    rare[np.flatnonzero((fold == 1) & treated)[:3]] = 1
    rare[np.flatnonzero((fold == 1) & ~treated)[:3]] = 1
    got = propensity(named(np.column_stack([x, rare])), treated, "logit")
    assert got.penalised == 1
    assert np.isfinite(got.score).all()


def test_columns_that_are_all_but_the_same_need_a_ridge():
    x, treated, _ = drawn(8)
    noise = np.random.default_rng(0).normal(size=400)
    for size, penalty in ((1e-3, 0), (1e-5, RIDGE)):
        design = standard(np.column_stack([x, x[:, 0] + size * noise]))
        assert fit_logit(design, treated, np.ones(400)).penalty == penalty


def test_missing_values_are_filled_and_marked():
    x, treated, _ = drawn(9)
    frame = pd.DataFrame(x, columns=["a", "b", "c"])
    frame.loc[::3, "a"] = np.nan
    got = propensity(frame, treated, folds=2)
    assert np.isfinite(got.score).all()
    assert np.isfinite(got.in_sample).all()


def test_errors_tell_what_is_wrong_without_values():
    x, treated, _ = drawn(10)
    with pytest.raises(DesignError, match=r"tell the \d+ treated from the \d+ compared"):
        propensity(named(np.column_stack([x, treated])), treated)
    apart = np.where(treated, 1, -1) * (0.5 + np.abs(x[:, 0]))
    with pytest.raises(DesignError, match="no treated person has a like"):
        propensity(named(np.column_stack([x, apart])), treated, "logit")
    many, half = np.random.default_rng(3).normal(size=(40, 18)), np.arange(40) < 20
    many[half, 0] += 2  # too many columns can tell apart what is not out of fold
    with pytest.raises(DesignError, match="tell the 20 treated from the 20 compared persons"):
        propensity(named(many), half)
    men = np.where(treated | (np.arange(400) % 2 > 0), "men", "women")
    with pytest.raises(DesignError, match=r"nobody is treated of the \d+ persons among women"):
        propensity(named(x), treated, within=men)
    few = treated & (np.cumsum(treated) <= 3)
    with pytest.raises(DesignError, match="3 covariate columns, and 3 treated"):
        propensity(named(x), few)
    frame = pd.DataFrame(x, columns=["a", "b", "c"])
    frame.loc[:250, "b"] = np.nan
    with pytest.raises(DesignError, match=r"more than half of 400 persons: b \(251\)\."):
        propensity(frame, treated)
    one = np.where(treated, 0, 1 + np.arange(400) % 5)
    with pytest.raises(DesignError, match=r"nobody is treated .* outside a fold"):
        propensity(named(x[:, :1]), treated, cluster=one)


def test_trees_that_predict_perfectly_are_refused():
    rng = np.random.default_rng(11)
    x = (rng.random((1000, 2)) < [0.3, 0.6]).astype(float)
    treated = x[:, 0] != x[:, 1]  # opposite corners, which no sum of slopes tells
    weight = rng.uniform(0.5, 2, 1000)
    assert propensity(named(x), treated, "logit", weight=weight).candidates["auc"][0] < 0.9
    with pytest.raises(DesignError, match="without error"):
        propensity(named(x), treated, weight=weight)


def test_calibration_tells_level_from_boldness():
    _, treated, chance = drawn(12, n=40_000)
    logit, ones = np.log(chance / (1 - chance)), np.ones(40_000)
    assert_allclose(calibration(chance, treated, ones), (0, 1), atol=0.05)
    bold = 1 / (1 + np.exp(-2 * logit))
    assert_allclose(calibration(bold, treated, ones)[1], 0.5, atol=0.03)
    high = 1 / (1 + np.exp(-logit - 1))
    assert_allclose(calibration(high, treated, ones), (-1, 1), atol=0.05)


def test_the_better_model_is_selected():
    rng = np.random.default_rng(13)
    x = rng.normal(size=(2000, 3))
    linear = 1 / (1 + np.exp(-x[:, 0]))
    corners = np.where((x[:, 0] > 0) ^ (x[:, 1] > 0), 0.8, 0.2)
    for chance, want in ((linear, "logit"), (corners, "boosting")):
        got = propensity(named(x), rng.random(2000) < chance)
        assert got.model == want
        table = got.candidates.set_index("model")
        assert table["log_loss"].idxmin() == want
        assert list(table.index[table["chosen"]]) == [want]
        assert np.abs(got.score[:, 0] - chance).mean() < 0.12


def test_out_of_fold_log_loss_of_noise_is_no_better_than_none():
    rng = np.random.default_rng(14)
    x, treated = rng.normal(size=(600, 8)), np.arange(600) % 3 == 0
    none = -(np.log(1 / 3) + 2 * np.log(2 / 3)) / 3
    table = propensity(named(x), treated).candidates.set_index("model")
    assert (table["log_loss"] > none).all()
    assert (np.abs(table["auc"] - 0.5) < 0.1).all()


def test_slopes_cover_their_truth():
    hits = []
    for seed in range(300):
        x, treated, _ = drawn(seed, n=500)
        fit = fit_logit(np.column_stack([np.ones(500), x]), treated, np.ones(500))
        pick = fit.design @ np.linalg.inv(fit.design.T @ fit.design)
        error = np.sqrt((fit.through(pick) ** 2).sum(axis=0))
        hits.append(np.abs(fit.coefficient - [-0.5, 0.7, -0.35, 0]) < 1.96 * error)
    assert np.abs(np.mean(hits, axis=0) - 0.95).max() < 0.051  # 4 sd of Binomial(300, 0.95) / 300
