"""Columns tested one by one, and where assignments cannot differ."""

import numpy as np

from evaluate.design.permutation import joint_test, separate_tests

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
