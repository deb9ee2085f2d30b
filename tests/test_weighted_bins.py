"""Trees of persons with weights are scikit-learn's, from bins found in one pass."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

from evaluate.weighted_bins import BINS, bins_of, fit_trees

SETTINGS = {"max_iter": 20, "max_leaf_nodes": 6, "early_stopping": False, "random_state": 0}


def draw(seed, n):
    rng = np.random.default_rng(seed)
    x = np.column_stack([rng.normal(size=n), rng.integers(4, size=n), rng.lognormal(size=n)])
    x[rng.random(n) < 0.1, 2] = np.nan
    y = x[:, 0] + (x[:, 1] == 2) + np.where(np.isnan(x[:, 2]), 1, 0) + rng.normal(size=n)
    return x, y, rng.uniform(0.2, 3, n)


@pytest.mark.parametrize("n", [200, 3_000])  # fewer and more values than bins
@pytest.mark.parametrize("weighted", [True, False])
def test_predictions_are_those_of_scikit_learn(n, weighted):
    x, y, weight = draw(n, n)
    weight = weight if weighted else np.full(n, 2.0)
    new, _, _ = draw(n + 1, 500)
    trees, plain = (HistGradientBoostingRegressor(**SETTINGS) for _ in range(2))
    bins = fit_trees(trees, x, y, weight)
    plain.fit(x, y, sample_weight=weight if weighted else None)
    assert_allclose(trees.predict(bins(new)), plain.predict(new), rtol=1e-12)


def test_probabilities_are_those_of_scikit_learn():
    x, y, weight = draw(5, 2_000)
    trees, plain = (HistGradientBoostingClassifier(**SETTINGS) for _ in range(2))
    bins = fit_trees(trees, x, y > 0, weight)
    plain.fit(x, y > 0, sample_weight=weight)
    assert_allclose(trees.predict_proba(bins(x)), plain.predict_proba(x), rtol=1e-12)


@given(seed=st.integers(0, 2**32 - 1))
def test_bins_keep_the_order_and_share_the_weight(seed):
    x, _, weight = draw(seed, 1_000)
    binned = bins_of(x, weight)(x)
    assert_array_equal(np.isnan(binned), np.isnan(x))
    for column, code in zip(x.T, binned.T, strict=True):
        known = ~np.isnan(column)
        assert (np.diff(code[known][np.argsort(column[known], kind="stable")]) >= 0).all()
        assert code[known].max() < BINS
    mass = np.bincount(binned[:, 0].astype(int), weight)
    assert mass.max() <= weight.sum() / BINS + 2 * weight.max()
