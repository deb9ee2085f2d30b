"""Folds: even in every kind of person, whole in clusters, at random."""

import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluate.effects.observational.folds import draw_folds
from evaluate.errors import DesignError


def counts(fold, *kinds):
    """Persons by fold and kind, shape (folds, kinds)."""
    _, kind = np.unique(np.column_stack(kinds), axis=0, return_inverse=True)
    table = np.zeros((fold.max() + 1, kind.max() + 1), dtype=int)
    np.add.at(table, (fold, kind.ravel()), 1)
    return table


@given(seed=st.integers(0, 2**32 - 1), folds=st.integers(2, 6))
def test_each_fold_has_its_part_of_every_kind(seed, folds):
    rng = np.random.default_rng(seed)
    treated, women = rng.random(90) < 0.3, rng.random(90) < 0.4
    for fold in draw_folds(treated, folds, 3, rng, women):
        for table in (counts(fold, treated, women), counts(fold, np.zeros(90))):
            assert table.shape[0] == folds
            assert (np.ptp(table, axis=0) <= 1).all()
        # two kinds of an arm, each within one
        assert (np.ptp(counts(fold, treated), axis=0) <= 1).all()


@given(seed=st.integers(0, 2**32 - 1))
def test_clusters_stay_whole_and_folds_even(seed):
    rng = np.random.default_rng(seed)
    cluster = rng.integers(0, 60, 900)
    treated = rng.random(900) < 0.3 + 0.4 * (cluster % 2)
    for fold in draw_folds(treated, 5, 2, rng, cluster=cluster):
        assert all(len(np.unique(fold[cluster == c])) == 1 for c in np.unique(cluster))
        table = counts(fold, treated)
        assert (np.ptp(table, axis=0) < 0.25 * table.mean(axis=0)).all()


def test_clusters_alike_are_dealt_evenly():
    cluster = np.repeat(np.arange(40), 3)
    fold = draw_folds(cluster % 2 == 0, 5, 1, np.random.default_rng(1), cluster=cluster)[0]
    assert (counts(fold, cluster % 2) == 12).all()


def test_clusters_of_one_are_persons():
    rng = np.random.default_rng(2)
    treated = rng.random(203) < 0.4
    fold = draw_folds(treated, 5, 1, rng, cluster=np.arange(203))[0]
    assert (np.ptp(counts(fold, treated), axis=0) <= 1).all()


def test_any_two_persons_may_share_a_fold_or_not():
    treated = np.arange(20) % 2 == 0
    rng = np.random.default_rng(3)
    for cluster in (None, np.arange(20)):
        fold = draw_folds(treated, 2, 600, rng, cluster=cluster)
        together = (fold[:, [0]] == fold[:, 1:]).mean(axis=0)
        same_arm = treated[1:]
        # nine others of the arm for four places, ten of the other arm for five
        assert abs(together[same_arm] - 4 / 9).max() < 0.1
        assert abs(together[~same_arm] - 1 / 2).max() < 0.1


def test_the_same_seed_draws_the_same_and_splits_differ():
    treated = np.arange(50) % 3 == 0
    one, two = (draw_folds(treated, 5, 2, np.random.default_rng(7)) for _ in range(2))
    assert (one == two).all()
    assert (one[0] != one[1]).any()


def test_many_small_clusters_are_quick():
    rng = np.random.default_rng(4)
    cluster = rng.integers(0, 60_000, 120_000)
    start = time.process_time()
    draw_folds(rng.random(120_000) < 0.3, 5, 1, rng, cluster=cluster)
    assert time.process_time() - start < 2


def test_too_few_to_fold():
    treated = np.arange(30) < 3
    rng = np.random.default_rng(5)
    with pytest.raises(DesignError, match="3 treated persons, fewer than 5 folds"):
        draw_folds(treated, 5, 1, rng)
    with pytest.raises(DesignError, match="2 comparison clusters with persons, fewer than 3"):
        draw_folds(
            treated, 3, 1, rng, cluster=np.where(treated, np.arange(30), 3 + (np.arange(30) % 2))
        )
    with pytest.raises(DesignError, match="two folds or more"):
        draw_folds(treated, 1, 1, rng)
