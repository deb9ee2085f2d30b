"""Means of one arm that can be set against the other's: blocks, weights, clusters."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from simulate import arrays, study_from

from evaluate.effects.adjustment import difference_in_means
from evaluate.effects.arm_means import linear, means, two_arms
from evaluate.notes import note

EXACT = 1e-10


def two_means(study, rows=None):
    rows = np.ones(study.n, dtype=bool) if rows is None else rows
    sides, notes = two_arms(study, rows, (1, 0))
    return [means(side, study.y[side.persons]) for side in sides], notes


@settings(max_examples=25)
@given(seed=st.integers(0, 10**6), weighted=st.booleans(), blocked=st.booleans())
def test_their_difference_is_the_difference_in_means(seed, weighted, blocked):
    d = arrays(seed)
    block, weight = d["block"] if blocked else None, d["weight"] if weighted else None
    study = study_from(d["y"], d["arm"], block=block, weight=weight)
    (treated, control), notes = two_means(study)
    expected = difference_in_means(d["y"], d["arm"], (1, 0), block, weight)
    assert np.allclose(treated.value - control.value, expected.value, rtol=0, atol=EXACT)
    assert np.allclose((treated - control).std_error, expected.std_error, rtol=EXACT)
    assert not notes


def test_both_arms_stand_for_the_same_blocks():
    arm = np.array([1, 1, 1, 0, 1, 0, 0, 0])
    block = np.repeat([0, 1], 4)
    y = np.where(block == 0, 10.0, 20.0)[:, None] + np.array([0, 1, 2, 3, 4, 5, 6, 7])[:, None]
    (treated, control), _ = two_means(study_from(y, arm, block=block))
    assert treated.value[0] == pytest.approx((11 + 24) / 2)
    assert control.value[0] == pytest.approx((13 + 26) / 2)


@settings(max_examples=15)
@given(seed=st.integers(0, 10**6))
def test_of_clusters_the_variance_is_that_of_their_sums(seed):
    rng = np.random.default_rng(seed)
    cluster = np.repeat(np.arange(12), rng.integers(2, 9, 12))
    arm, y = cluster % 2, rng.normal(size=(len(cluster), 2))
    (treated, _), _ = two_means(study_from(y, arm, cluster=cluster))
    rows = arm == 1
    residual = (y - y[rows].mean(axis=0))[rows] / rows.sum()
    sums = np.stack([residual[cluster[rows] == c].sum(axis=0) for c in range(1, 12, 2)])
    assert np.allclose(treated.variance, 6 / 5 * (sums**2).sum(axis=0))
    assert treated.scores.shape == (12, 2)
    assert np.all(treated.df == 5)


def test_matched_pairs_keep_the_distance_from_the_arm():
    rng = np.random.default_rng(1)
    block, arm = np.repeat(np.arange(20), 2), np.tile([0, 1], 20)
    y = rng.normal(size=(40, 1)) + 3 * block[:, None]
    (treated, _), notes = two_means(study_from(y, arm, block=block))
    own = y[arm == 1, 0]
    assert treated.std_error[0] == pytest.approx(own.std() / np.sqrt(20))
    assert treated.df[0] == 19
    assert notes == (note("alone", n=40),)


@pytest.mark.parametrize(
    ("arm", "block", "cluster", "reason"),
    [
        ([1, 0, 0, 0], None, None, "few"),
        ([1, 1, 0, 0], [0, 0, 1, 1], None, "no_block"),
        ([1, 1, 0, 0], None, [0, 0, 1, 2], "few_clusters"),
    ],
)
def test_says_why_there_is_no_estimate(arm, block, cluster, reason):
    as_array = [None if v is None else np.array(v) for v in (block, cluster)]
    study = study_from(np.zeros((4, 1)), np.array(arm), block=as_array[0], cluster=as_array[1])
    assert two_arms(study, np.ones(4, dtype=bool), (1, 0)) == (None, (note(reason),))


def test_counts_whom_blocks_with_one_arm_leave_out():
    arm, block = np.array([1, 1, 0, 0, 1, 1, 1]), np.array([0, 0, 0, 0, 1, 1, 1])
    study = study_from(np.arange(7.0)[:, None], arm, block=block)
    sides, notes = two_arms(study, np.ones(7, dtype=bool), (1, 0))
    assert [len(s.persons) for s in sides] == [2, 2]
    assert notes == (note("blocks", n=3),)


def test_scores_of_those_who_are_not_used_are_zero():
    d = arrays(1)
    study = study_from(d["y"], d["arm"], d["women"])
    (treated, _), _ = two_means(study, d["women"])
    assert not treated.scores[~(d["women"] & (d["arm"] == 1))].any()


def test_influence_need_not_be_of_means():
    d = arrays(2)
    study = study_from(d["y"], d["arm"])
    sides, _ = two_arms(study, np.ones(study.n, dtype=bool), (1, 0))
    y = study.y[sides[0].persons]
    mean = means(sides[0], y)
    square = linear(sides[0], mean.value**2, 2 * mean.value * (y - mean.value))
    assert np.allclose(square.std_error, 2 * np.abs(mean.value) * mean.std_error)
