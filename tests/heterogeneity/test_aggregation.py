"""From folds to one statistic: exact moments under sign flips, size over splits, intervals."""

from itertools import product

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import stats

from evaluate.heterogeneity.aggregation import (
    Fold,
    combined,
    fold_statistic,
    in_sequence,
    judged,
    judged_units,
    median_over_splits,
)
from evaluate.heterogeneity.honest import Honest
from heterogeneity.simulated import signals

STUDIES, SPLITS = 4_000, 20
LOW, HIGH = 0.035, 0.065  # size at 5 per cent; its error over 4,000 studies is 0.0034


def honest_of(case, folds=5, splits=3, seed=1, levels=0):
    """Predict by chance; of a few levels where asked."""
    rng = np.random.default_rng(seed)
    if case.cluster is None:
        fold = np.stack([rng.permutation(case.m) % folds for _ in range(splits)])
    else:
        fold = np.stack(
            [(rng.permutation(case.units) % folds)[case.cluster] for _ in range(splits)]
        )
    effect = rng.normal(size=fold.shape) if not levels else rng.integers(levels, size=fold.shape)
    return Honest("linear", fold, np.where(fold > 0, effect.astype(float), np.nan))


def test_the_statistic_of_a_fold_has_mean_0_and_variance_1_over_all_signs():
    case = signals(9, 1)
    u = np.random.default_rng(1).exponential(size=9)
    signs = np.array(list(product((-1, 1), repeat=9)))
    t = np.array([fold_statistic(case, np.arange(9), u * s) for s in signs])
    assert_allclose([t.mean(), t.var()], [0, 1], atol=1e-12)


def test_the_scores_of_a_cluster_are_one():
    case = signals(60, 1, clusters=12)
    u = np.random.default_rng(1).normal(size=60)
    summed = np.bincount(case.cluster, u)
    expected = summed.sum() / np.sqrt((summed**2).sum())
    assert_allclose(fold_statistic(case, np.arange(60), u), expected)


def test_a_fold_of_two_persons_or_without_scores_says_nothing():
    case = signals(9, 1)
    assert np.isnan(fold_statistic(case, np.arange(2), np.ones(2)))
    assert np.isnan(fold_statistic(case, np.arange(9), np.zeros(9)))


def test_folds_that_say_nothing_are_left_out():
    assert in_sequence([1.0, np.nan, 2.0, 3.0]) == pytest.approx(6 / np.sqrt(3))
    assert np.isnan(in_sequence([np.nan]))


def test_one_split_is_its_own_test():
    one = combined(np.array([1.7]))
    assert (one.statistic, one.p_value) == (1.7, pytest.approx(stats.norm.sf(1.7)))
    assert one.p_low == one.p_high == one.p_value


@pytest.mark.parametrize("shared", [0.6, 0.75, 0.9])
@pytest.mark.parametrize("splits", [5, SPLITS])
def test_size_whatever_the_splits_have_in_common(shared, splits):
    rng = np.random.default_rng(splits)
    own = rng.normal(size=(STUDIES, splits)) * np.sqrt(1 - shared)
    z = np.sqrt(shared) * rng.normal(size=(STUDIES, 1)) + own
    rejected = np.mean([combined(one).p_value <= 0.05 for one in z])
    assert LOW <= rejected <= HIGH


def test_splits_without_a_statistic_are_left_out():
    z = np.array([1.0, np.nan, 2.0])
    assert combined(z) == combined(z[[0, 2]])
    assert np.isnan(combined(np.array([np.nan])).p_value)


def test_highest_predictions_come_first_and_every_judged_person_once():
    case = signals(100, 1)
    honest = honest_of(case, levels=3)
    folds = list(judged(honest))
    assert len(folds) == 12
    assert all((np.diff(f.effect) <= 0).all() for f in folds)
    for split in range(3):
        rows = np.concatenate([f.rows for f in folds if f.split == split])
        assert np.array_equal(np.sort(rows), np.flatnonzero(honest.fold[split] > 0))


def test_equal_predictions_do_not_stand_in_the_order_of_the_file():
    case = signals(200, 1)
    (fold, *_) = judged(honest_of(case, folds=2, splits=1, levels=1))
    assert fold.is_flat
    assert abs(stats.spearmanr(fold.rows, np.arange(len(fold.rows))).statistic) < 0.4


def test_predictions_apart_by_rounding_are_the_same():
    rows = np.arange(3)
    assert Fold(0, rows, 0.3 + np.array([1e-14, 0, 0])).is_flat
    assert not Fold(0, rows, 0.3 + np.array([1e-6, 0, 0])).is_flat


def test_judged_units_are_clusters():
    case = signals(200, 1, clusters=20)
    assert judged_units(case, honest_of(case)) == 16
    assert judged_units(signals(200, 1), honest_of(signals(200, 1))) == 160


def test_one_split_has_the_interval_of_its_variance():
    found = median_over_splits(np.array([[2.0]]), np.array([[0.25]]), np.array([10.0]), 0.95)
    assert_allclose(found.std_error, 0.5)
    assert_allclose(found.conf_high, 2 + 0.5 * stats.t.ppf(0.975, 10))
    assert_allclose(found.p_value, 2 * stats.t.sf(4, 10))


@pytest.mark.parametrize("shared", [0.6, 0.8, 1.0])
def test_intervals_hold_what_the_splits_share(shared):
    rng = np.random.default_rng(7)
    own = rng.normal(size=(SPLITS, STUDIES)) * np.sqrt(1 - shared)
    value = np.sqrt(shared) * rng.normal(size=STUDIES) + own
    found = median_over_splits(value, np.ones_like(value), np.full(STUDIES, np.inf), 0.95)
    held = np.mean((found.conf_low <= 0) & (found.conf_high >= 0))
    assert 0.94 <= held <= 0.96


def test_intervals_are_no_narrower_where_splits_estimate_their_own():
    value = np.random.default_rng(1).normal(size=(20, 3))
    variance = np.full((20, 3), 0.7)
    df = np.full(3, 50.0)
    same = median_over_splits(value, variance, df, 0.95)
    own = median_over_splits(value, variance, df, 0.95, same_target=False)
    assert (same.std_error <= own.std_error).all()
    assert (same.std_error >= own.std_error / np.sqrt(2) - 1e-12).all()
    assert_allclose(own.std_error, np.sqrt(0.7))


def test_a_split_whose_predictions_hardly_differ_does_not_widen_the_calibration():
    value, variance = np.ones((9, 1)), np.ones((9, 1))
    variance[0] = 1e6
    found = median_over_splits(value, variance, np.array([50.0]), 0.95, same_target=False)
    assert_allclose(found.std_error, 1)


def test_splits_without_a_value_are_left_out_of_that_estimate():
    value = np.array([[1.0, np.nan], [3.0, np.nan]])
    found = median_over_splits(value, np.ones((2, 2)), np.array([5.0, 5.0]), 0.95)
    assert found.estimate[0] == 2
    assert np.isnan(found.estimate[1])
    assert np.isnan(found.std_error[1])
