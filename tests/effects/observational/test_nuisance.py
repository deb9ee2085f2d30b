"""Cross-fitted predictions: scikit-learn's, one outcome and fold at a time."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy.special import expit
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.linear_model import LinearRegression, LogisticRegression

from evaluate.effects.observational.nuisance import Boosting, cross_fit, selected
from evaluate.errors import DesignError

LINEAR = 1e-10  # cross-products against a singular value decomposition, standardised columns
LOGISTIC = 1e-6  # the ridge of 1e-9, against none
TREES = Boosting(trees=15, leaves=6)
FOLDS = 4


def draw(seed, n=300, p=3):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, p)) * [1, 100, 0.01][:p] + [0, 5000, 1][:p]
    z = (x - x.mean(axis=0)) / x.std(axis=0)
    y = np.column_stack(
        [
            z.sum(axis=1) + rng.normal(size=n),
            1e4 + 300 * z[:, 0] ** 2 + rng.normal(size=n),
            rng.random(n) < expit(z[:, 0] - 0.5),
            rng.random(n) < expit(z[:, 1] + 1),
        ]
    ).astype(float)
    fold = rng.permutation(np.arange(n) % FOLDS)
    return y, x, fold, rng.random(n) < 0.6, rng.uniform(0.5, 3, n)


def plain(make, y, x, fold, among, weight):
    """Fit fold by fold and outcome by outcome with scikit-learn."""
    found = np.empty(y.shape)
    for j in range(y.shape[1]):
        for f in range(FOLDS):
            rows = among & (fold != f)
            model = make(y[:, j]).fit(x[rows], y[rows, j], sample_weight=weight[rows])
            two = hasattr(model, "predict_proba")
            here = x[fold == f]
            found[fold == f, j] = model.predict_proba(here)[:, 1] if two else model.predict(here)
    return found


def two(y):
    return set(np.unique(y)) == {0.0, 1.0}


def test_linear_is_least_squares():
    y, x, fold, among, weight = draw(1)
    expected = plain(lambda _: LinearRegression(), y, x, fold, among, weight)
    got = cross_fit(y, x, fold, "linear", among, weight)
    assert_allclose(got, expected, rtol=LINEAR, atol=LINEAR)


def test_logistic_is_maximum_likelihood_for_columns_of_0_and_1():
    y, x, fold, among, weight = draw(2)
    z = (x - x.mean(axis=0)) / x.std(axis=0)

    def make(column):
        exact = LogisticRegression(C=np.inf, solver="newton-cholesky", tol=1e-12)
        return exact if two(column) else LinearRegression()

    expected = plain(make, y, z, fold, among, weight)
    got = cross_fit(y, x, fold, "logistic", among, weight)
    assert_allclose(got, expected, rtol=LOGISTIC)


def test_boosting_is_that_of_scikit_learn():
    y, x, fold, among, weight = draw(3)

    def make(column):
        trees = HistGradientBoostingClassifier if two(column) else HistGradientBoostingRegressor
        return trees(max_iter=15, max_leaf_nodes=6, early_stopping=False, random_state=0)

    expected = plain(make, y, x, fold, among, weight)
    got = cross_fit(y, x, fold, "boosting", among, weight, TREES)
    assert_allclose(got, expected, rtol=1e-12)


@given(seed=st.integers(0, 2**32 - 1), learner=st.sampled_from(["linear", "logistic"]))
def test_nobody_is_predicted_from_the_own_fold_or_from_others_than_asked(seed, learner):
    y, x, fold, among, weight = draw(seed, n=120)
    base = cross_fit(y, x, fold, learner, among, weight)
    changed = y.copy()
    changed[fold == 1] = 1 - changed[fold == 1]
    changed[~among] = 1 - changed[~among]
    got = cross_fit(changed, x, fold, learner, among, weight)
    assert_allclose(got[fold == 1], base[fold == 1], rtol=1e-7, atol=1e-7)
    assert not np.allclose(got[fold == 0], base[fold == 0])


@given(seed=st.integers(0, 2**32 - 1), learner=st.sampled_from(["linear", "logistic"]))
def test_columns_and_order_do_not_matter(seed, learner):
    y, x, fold, among, weight = draw(seed, n=120)
    base = cross_fit(y, x, fold, learner, among, weight)
    order = np.random.default_rng(seed).permutation(len(y))
    shuffled = cross_fit(
        y[order][:, ::-1], x[order], fold[order], learner, among[order], weight[order]
    )
    assert_allclose(shuffled[:, ::-1], base[order], rtol=1e-7, atol=1e-9)
    for j in range(y.shape[1]):
        one = cross_fit(y[:, [j]], x, fold, learner, among, weight)
        assert_allclose(one[:, 0], base[:, j], rtol=1e-7, atol=1e-9)


def test_unit_of_a_covariate_and_of_an_outcome():
    y, x, fold, among, _ = draw(4)
    base = cross_fit(y, x, fold, "logistic", among)
    moved = cross_fit(y, 1e4 * x - 7, fold, "logistic", among)
    assert_allclose(moved, base, rtol=1e-7)
    scaled = cross_fit(1e6 * y[:, :2] + 5, x, fold, "linear", among)
    assert_allclose(scaled, 1e6 * base[:, :2] + 5, rtol=1e-9)


@pytest.mark.parametrize("learner", ["linear", "logistic"])
def test_a_column_that_is_constant_outside_a_fold_has_no_slope_there(learner):
    y, x, fold, among, weight = draw(5)
    rare = (fold == 2) & (np.arange(len(y)) % 7 == 0)
    copy = 2 * x[:, [0]] + 1
    wide = np.column_stack([x, rare, copy])
    base = cross_fit(y, x, fold, learner, among, weight)
    got = cross_fit(y, wide, fold, learner, among, weight)
    assert_allclose(got[fold == 2], base[fold == 2], rtol=1e-6)
    assert np.isfinite(got).all()


def test_an_outcome_told_apart_is_predicted_at_the_ends():
    _, x, fold, among, _ = draw(6)
    y = np.column_stack([x[:, 0] > 0.3, np.zeros(len(x)), np.ones(len(x))]).astype(float)
    got = cross_fit(y, x, fold, "logistic", among)
    assert ((got >= 0) & (got <= 1)).all()
    assert ((got[:, 0] > 0.5) == (y[:, 0] == 1)).mean() > 0.95
    assert (got[:, 1] == 0).all()
    assert (got[:, 2] == 1).all()


def test_learners_by_outcome():
    y, x, fold, among, _ = draw(7)
    names = ["boosting", "linear", "logistic", "linear"]
    mixed = cross_fit(y, x, fold, names, among, boosting=TREES)
    for j, name in enumerate(names):
        one = cross_fit(y[:, [j]], x, fold, name, among, boosting=TREES)
        assert_allclose(mixed[:, j], one[:, 0], rtol=1e-12)
    with pytest.raises(ValueError, match="no learner"):
        cross_fit(y, x, fold, "forest")


def test_the_better_learner_out_of_fold_is_chosen():
    rng = np.random.default_rng(8)
    x = rng.normal(size=(1500, 3))
    y = np.column_stack([x[:, 0] + rng.normal(size=1500), 3 * (abs(x[:, 0]) > 1)])
    y = np.column_stack([y, y[:, 1] > 0, rng.random(1500) < expit(x[:, 1])]).astype(float)
    fold, among = np.arange(1500) % FOLDS, rng.random(1500) < 0.7
    names, predicted, loss = selected(y, x, fold, among)
    assert names == ["linear", "boosting", "boosting", "logistic"]
    for j, name in enumerate(names):
        own = cross_fit(y[:, [j]], x, fold, name, among)[:, 0]
        assert_allclose(predicted[:, j], own, rtol=1e-9)
        best = np.mean((y[among, j] - own[among]) ** 2)
        assert_allclose(loss[:, j].min(), best, rtol=1e-9)


def test_more_covariates_than_persons_to_learn_from():
    rng = np.random.default_rng(9)
    y, x, fold = rng.normal(size=(40, 1)), rng.normal(size=(40, 12)), np.arange(40) % 4
    among = np.arange(40) < 16
    with pytest.raises(DesignError, match=r"12 covariates, .* only 12 persons .* 14 are needed"):
        cross_fit(y, x, fold, "linear", among)
    assert np.isfinite(cross_fit(y, x, fold, "boosting", among)).all()


def test_without_covariates_the_prediction_is_the_mean_of_the_others():
    y, _, fold, among, weight = draw(10)
    got = cross_fit(y, np.empty((len(y), 0)), fold, "logistic", among, weight)
    for f in range(FOLDS):
        rows = among & (fold != f)
        mean = np.average(y[rows], axis=0, weights=weight[rows])
        assert_allclose(got[fold == f], np.tile(mean, ((fold == f).sum(), 1)), rtol=1e-9)
