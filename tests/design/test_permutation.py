"""Columns tested one by one, by person or by cluster, and where assignments cannot differ."""

import itertools

import numpy as np
import pytest
from numpy.testing import assert_allclose

from evaluate.design.permutation import joint_test, separate_tests
from evaluate.errors import DesignError

DRAWS = 999


def trial(n=120):
    rng = np.random.default_rng(3)
    block = np.arange(n) % 4
    arm = rng.permutation(np.arange(n) % 3)
    return rng.normal(size=(n, 3)), arm, block


def test_a_column_alone_is_the_joint_test_of_it():
    x, arm, block = trial()
    p, draws = separate_tests(x[:, :1], arm, block, DRAWS, np.random.default_rng(1))
    joint = joint_test(x[:, :1], arm, block, DRAWS, np.random.default_rng(1))
    assert draws == DRAWS
    assert p[0] == joint.p_value


def test_columns_share_their_draws():
    x, arm, block = trial()
    together, _ = separate_tests(x, arm, block, DRAWS, np.random.default_rng(1))
    alone = [
        separate_tests(x[:, [j]], arm, block, DRAWS, np.random.default_rng(1))[0][0]
        for j in range(3)
    ]
    assert together.tolist() == alone


def test_a_column_that_blocks_explain_tells_nothing():
    x, arm, block = trial()
    columns = np.column_stack([x[:, 0], block == 1])
    p, _ = separate_tests(columns.astype(float), arm, block, DRAWS, np.random.default_rng(1))
    assert p[1] == 1
    assert p[0] < 1


def test_a_column_that_is_the_arm_is_as_unequal_as_can_be():
    _, arm, block = trial()
    p, _ = separate_tests(
        (arm == 1).astype(float)[:, None], arm, block, DRAWS, np.random.default_rng(1)
    )
    assert p[0] < 0.01


def clustered(rng, clusters=24, persons=10, within=1.0):
    """Draw covariates that persons of a cluster share in part, and assign clusters in blocks."""
    cluster = np.repeat(np.arange(clusters), persons)
    arm = np.zeros(clusters, dtype=int)
    for b in (0, 1):
        arm[rng.permutation(np.flatnonzero(np.arange(clusters) % 2 == b))[: clusters // 4]] = 1
    x = rng.normal(size=(clusters, 3))[cluster] + within * rng.normal(size=(len(cluster), 3))
    return x, arm[cluster], cluster % 2, cluster


def test_clusters_of_one_person_are_persons():
    x, arm, block = trial()
    alone = np.random.default_rng(2).permutation(len(arm)) + 5
    order = np.argsort(alone)  # clusters come in the order of their numbers
    persons = joint_test(x[order], arm[order], block[order], DRAWS, np.random.default_rng(1))
    clusters = joint_test(x, arm, block, DRAWS, np.random.default_rng(1), cluster=alone)
    assert_allclose(clusters.statistic, persons.statistic)
    assert clusters.p_value == persons.p_value


def test_persons_who_share_a_cluster_are_not_taken_for_independent():
    by_cluster, by_person = [], []
    for seed in range(200):
        rng = np.random.default_rng(seed)
        x, arm, block, cluster = clustered(rng)
        by_cluster.append(joint_test(x, arm, block, 199, rng, cluster).p_value)
        by_person.append(joint_test(x, arm, block, 199, rng).p_value)
    assert abs(np.mean(np.array(by_cluster) <= 0.05) - 0.05) < 0.046  # 3 sd of Binomial(200, 0.05)
    assert np.mean(np.array(by_person) <= 0.05) > 0.5


def test_few_assignments_of_clusters_are_all_compared():
    cluster = np.repeat(np.arange(6), [1, 2, 3, 1, 2, 3])
    x = np.random.default_rng(4).normal(size=(12, 1))
    arm = (cluster >= 3).astype(int)
    p, draws = separate_tests(x, arm, None, DRAWS, np.random.default_rng(1), cluster)
    assert draws == 20
    total = np.bincount(cluster, x[:, 0] - x[:, 0].mean())
    sums = [total[list(s)].sum() for s in itertools.combinations(range(6), 3)]
    assert_allclose(p[0], np.mean(np.abs(sums) >= abs(total[3:].sum()) - 1e-9))


def test_clusters_in_several_arms_are_refused():
    x, arm, block = trial()
    with pytest.raises(DesignError, match="not assigned as a whole"):
        joint_test(x, arm, block, DRAWS, np.random.default_rng(1), cluster=np.arange(120) // 10)
