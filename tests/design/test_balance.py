"""Balance: by hand, against statsmodels, and the joint test against all assignments."""

import itertools

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from simulate import draw_within
from statsmodels.stats.weightstats import DescrStatsW

from evaluate.covariates import columns_of
from evaluate.design.balance import balance
from evaluate.design.permutation import joint_test

TRIALS = 400
DRAWS = 99
LEVEL = 0.1
RTOL = 1e-5  # the statistic is summed in single precision
SLACK = 4 * np.sqrt(LEVEL * (1 - LEVEL) / TRIALS)  # 4 sd of Binomial(TRIALS, LEVEL) / TRIALS
CONTRAST = (1, 0)


def covariate(*values):
    return columns_of(pd.DataFrame({"x": np.array(values, dtype=float)}))


def test_difference_and_ratio_by_hand():
    # Treated 2, 4, 6: mean 4, variance 4. Control 1, 2, 3: mean 2, variance 1.
    found = balance(covariate(2, 4, 6, 1, 2, 3), np.array([1, 1, 1, 0, 0, 0]), CONTRAST).iloc[0]
    assert found["mean_treated"] == 4
    assert found["mean_control"] == 2
    assert_allclose(found["smd"], 2 / np.sqrt(2.5))
    assert found["variance_ratio"] == 4


def test_blocks_by_hand():
    # Within block 0 treated 1 and control 0, within block 1 treated 11 and control 10: the
    # difference is 1 in both, though blocks and arms go together.
    x = covariate(1, 0, 0, 0, 11, 11, 11, 10)
    arm, block = np.array([1, 0, 0, 0, 1, 1, 1, 0]), np.repeat([0, 1], 4)
    found = balance(x, arm, CONTRAST, block).iloc[0]
    spread = np.sqrt((np.var([1, 11, 11, 11], ddof=1) + np.var([0, 0, 0, 10], ddof=1)) / 2)
    assert_allclose(found["smd"], 1 / spread)


def test_a_block_with_one_arm_tells_nothing():
    x, arm = covariate(3, 1, 2, 50, 70), np.array([1, 0, 0, 1, 1])
    found = balance(x, arm, CONTRAST, np.array([0, 0, 0, 1, 1])).iloc[0]
    spread = np.sqrt((np.var([3, 50, 70], ddof=1) + np.var([1, 2], ddof=1)) / 2)
    assert_allclose(found["smd"], (3 - 1.5) / spread)
    apart = balance(x, arm, CONTRAST, np.array([0, 1, 1, 2, 2])).iloc[0]
    assert np.isnan(apart["smd"])


def test_weights_agree_with_statsmodels():
    rng = np.random.default_rng(1)
    x, arm, w = rng.normal(size=60), np.arange(60) % 2, rng.uniform(0.5, 3, 60)
    found = balance(covariate(*x), arm, CONTRAST, weight=w).iloc[0]
    treated, control = (DescrStatsW(x[arm == a], w[arm == a], ddof=0) for a in CONTRAST)
    assert_allclose(found["mean_treated"], treated.mean)
    assert_allclose(found["variance_ratio"], treated.var / control.var)
    spread = np.sqrt((treated.var + control.var) / 2 * 30 / 29)
    assert_allclose(found["smd"], (treated.mean - control.mean) / spread)


def test_scaling_all_weights_changes_nothing():
    rng = np.random.default_rng(2)
    x, arm, w = rng.normal(size=30), np.arange(30) % 2, rng.uniform(0.5, 3, 30)
    one = balance(covariate(*x), arm, CONTRAST, weight=w)
    assert_allclose(balance(covariate(*x), arm, CONTRAST, weight=7 * w)["smd"], one["smd"])


def test_missing_values_are_left_out_and_have_a_row_of_their_own():
    x = covariate(2, 4, 6, np.nan, 1, 2, 3, 9)
    arm = np.array([1, 1, 1, 1, 0, 0, 0, 0])
    found = balance(x, arm, CONTRAST).set_index("covariate")
    assert found.loc["x", "mean_treated"] == 4
    assert found.loc["x missing", "mean_treated"] == 0.25
    assert found.loc["x missing", "mean_control"] == 0


def test_every_level_of_a_categorical_covariate_has_a_row():
    frame = pd.DataFrame({"site": pd.Series(["a", "b", "c", "a", "b", "c"], dtype=object)})
    found = balance(columns_of(frame, all_levels=True), np.array([1, 1, 1, 0, 0, 0]), CONTRAST)
    assert found["covariate"].tolist() == ["site=a", "site=b", "site=c"]
    assert_allclose(found["smd"], 0, atol=1e-12)


def test_a_constant_covariate_has_no_standardised_difference():
    found = balance(covariate(5, 5, 5, 5), np.array([1, 1, 0, 0]), CONTRAST).iloc[0]
    assert np.isnan(found["smd"])
    assert np.isnan(found["variance_ratio"])


def statistic(x, arm, block):
    """Return Mahalanobis' distance between arms within blocks, as a textbook writes it."""
    within = x - np.stack([x[block == b].mean(axis=0) for b in block])
    inverse = np.linalg.inv(within.T @ within)
    sums = [within[arm == a].sum(axis=0) for a in np.unique(arm)]
    count = [(arm == a).sum() for a in np.unique(arm)]
    return sum(s @ inverse @ s / n for s, n in zip(sums, count, strict=True))


def every_assignment(arm, block):
    """Return all ways to draw the same number of each arm within each block."""
    ways = [sorted(set(itertools.permutations(arm[block == b]))) for b in np.unique(block)]
    for chosen in itertools.product(*ways):
        drawn = np.empty_like(arm)
        for b, values in zip(np.unique(block), chosen, strict=True):
            drawn[block == b] = values
        yield drawn


@pytest.mark.parametrize(
    ("arm", "block"),
    [
        ([1, 1, 1, 0, 0, 0, 0, 0], [0] * 8),
        ([1, 1, 0, 0, 1, 0, 0, 0, 0], [0, 0, 0, 0, 1, 1, 1, 1, 1]),
        ([0, 1, 2, 0, 1, 2, 0], [0] * 7),
    ],
    ids=["one block", "two blocks", "three arms"],
)
def test_few_assignments_are_all_compared(arm, block):
    arm, block = np.array(arm), np.array(block)
    x = np.random.default_rng(5).normal(size=(len(arm), 2))
    actual = statistic(x, arm, block)
    all_of_them = [statistic(x, a, block) for a in every_assignment(arm, block)]
    exact = np.mean(np.array(all_of_them) >= actual * (1 - 1e-9))
    test = joint_test(x, arm, block, 40_000, np.random.default_rng(1))
    assert_allclose(test.p_value, exact)
    assert_allclose(test.statistic, actual * (len(arm) - len(np.unique(block))), rtol=RTOL)
    assert (test.draws, test.covariates) == (len(all_of_them), 2)


@pytest.mark.parametrize("n", [12, 240, 2400])
def test_arms_that_are_exactly_alike_have_p_of_one(n):
    x, arm = np.tile([0.0, 1.0, 1.0], n // 3)[:, None], np.arange(n) // 3 % 2
    assert joint_test(x, arm, None, DRAWS, np.random.default_rng(1)).p_value == 1


def test_assignments_as_unequal_as_the_actual_one_count():
    # Of 12 persons 6 have x = 1, 5 of them treated: 2 (6 * 6 + 1) of 924 draws are as unequal.
    x, arm = np.repeat([1.0, 0.0], 6)[:, None], np.array([1, 1, 1, 1, 1, 0, 1, 0, 0, 0, 0, 0])
    draws, exact = 40_000, 74 / 924
    found = joint_test(x, arm, None, draws, np.random.default_rng(1)).p_value
    assert abs(found - exact) < 4 * np.sqrt(exact * (1 - exact) / draws) + 1 / draws


def trial(rng, shift=0.0):
    """Draw covariates that go with the block, and arms whose share rises with it."""
    block = np.repeat([0, 1, 2], [30, 40, 50])
    arm = draw_within(rng, block, np.array([0.2, 0.5, 0.8]))
    x = rng.normal(size=(len(block), 2)) + block[:, None] + shift * arm[:, None]
    return x, arm, block


def p_values(trials, seed, shift=0.0, blocks=True):
    rng = np.random.default_rng(seed)
    for _ in range(trials):
        x, arm, block = trial(rng, shift)
        yield joint_test(x, arm, block if blocks else None, DRAWS, rng).p_value


def test_within_blocks_the_test_holds_its_level_where_shares_differ():
    found = np.array(list(p_values(TRIALS, seed=1)))
    assert abs(np.mean(found <= LEVEL) - LEVEL) < SLACK


def test_without_the_blocks_the_same_trials_look_unbalanced():
    found = np.array(list(p_values(20, seed=1, blocks=False)))
    assert np.mean(found <= LEVEL) > 0.9


def test_arms_that_differ_are_found():
    found = np.array(list(p_values(20, seed=2, shift=1.5)))
    assert np.mean(found <= LEVEL) == 1


def test_units_and_copies_of_covariates_change_nothing():
    x, arm, block = trial(np.random.default_rng(3))
    one = joint_test(x, arm, block, DRAWS, np.random.default_rng(1))
    scaled = np.column_stack([1e6 * x[:, 0], x[:, 1] - 7, x.sum(axis=1)])
    other = joint_test(scaled, arm, block, DRAWS, np.random.default_rng(1))
    assert_allclose(other.statistic, one.statistic, rtol=RTOL)
    assert (other.p_value, other.covariates) == (one.p_value, 2)


def test_missing_covariates_count_as_their_mean():
    x, arm, block = trial(np.random.default_rng(4))
    x[::7, 0] = np.nan
    filled = np.where(np.isnan(x), np.nanmean(x, axis=0), x)
    found = [joint_test(v, arm, block, DRAWS, np.random.default_rng(1)) for v in (x, filled)]
    assert found[0] == found[1]


def test_covariates_without_variation_leave_nothing_to_test():
    x, arm = np.ones((20, 2)), np.arange(20) % 2
    test = joint_test(x, arm, None, DRAWS, np.random.default_rng(1))
    assert (test.p_value, test.covariates) == (1, 0)


def test_the_draws_follow_from_the_seed():
    x, arm, block = trial(np.random.default_rng(6))
    found = [joint_test(x, arm, block, DRAWS, np.random.default_rng(9)).p_value for _ in range(2)]
    assert found[0] == found[1]


def test_a_covariate_that_nobody_has_is_told_as_unknown():
    found = balance(covariate(np.nan, np.nan, np.nan, np.nan), np.array([1, 1, 0, 0]), CONTRAST)
    by_name = found.set_index("covariate")
    assert by_name.loc["x"].isna().all()
    assert by_name.loc["x missing", "mean_treated"] == 1
