"""Sample ratio: against scipy's exact and asymptotic tests, and a count by hand."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import stats

from evaluate.design.sample_ratio import expected_shares, probability_test, ratio_test
from evaluate.plan.assignment import Assignment, ShareColumn

ARMS = ("0", "1", "2")


def test_two_arms_have_the_exact_binomial_test():
    # By hand: 8 of 10 at one half; 0 to 2 and 8 to 10 are as unlikely: 2 (45 + 10 + 1) / 1024.
    test = ratio_test(np.array([2, 8]), np.array([0.5, 0.5]))
    assert_allclose(test.p_value, 112 / 1024, rtol=1e-12)
    assert test.statistic == 0.8


@pytest.mark.parametrize(("control", "treated", "share"), [(299, 600, 0.667), (3, 1, 0.1)])
def test_two_arms_agree_with_scipy(control, treated, share):
    test = ratio_test(np.array([control, treated]), np.array([1 - share, share]))
    oracle = stats.binomtest(treated, control + treated, share)
    assert_allclose(test.p_value, oracle.pvalue, rtol=1e-12)
    assert_allclose(test.statistic, treated / (control + treated))


def test_a_perfect_split_has_p_of_one():
    assert ratio_test(np.array([50, 50]), np.array([0.5, 0.5])).p_value == 1


def test_one_share_covers_all_arms_with_an_offer():
    pooled = ratio_test(np.array([40, 25, 35]), np.array([0.5, 0.5]))
    assert_allclose(pooled.p_value, stats.binomtest(60, 100, 0.5).pvalue)


def test_several_arms_have_pearsons_test():
    counts, shares = np.array([30, 50, 40]), np.array([0.25, 0.5, 0.25])
    test = ratio_test(counts, shares)
    # By hand: 30 expected and 30, 60 and 50, 30 and 40.
    assert_allclose(test.statistic, 0 + 100 / 60 + 100 / 30)
    assert_allclose(test.p_value, stats.chi2.sf(test.statistic, 2))


def test_shares_by_arm_leave_the_rest_to_control():
    shares = expected_shares(Assignment(share={1: 0.25, "2": 0.5}), ARMS)
    assert_allclose(shares, [0.25, 0.25, 0.5])
    stated = expected_shares(Assignment(share={0: 0.2, 1: 0.4, 2: 0.4}), ARMS)
    assert_allclose(stated, [0.2, 0.4, 0.4])


def test_no_share_and_a_column_have_no_shares_by_arm():
    assert expected_shares(Assignment(), ARMS) is None
    assert expected_shares(Assignment(share=ShareColumn(column="p")), ARMS) is None


def test_a_column_of_probabilities_has_the_normal_test_of_its_sum():
    probability = np.repeat([0.2, 0.5, 0.8], 40)
    treated = np.arange(120) % 2 == 0
    test = probability_test(treated, probability)
    assert_allclose(test.p_value, 1)  # 60 expected and 60
    treated[:24] = True  # 12 more, in units of the root of 40 (0.16 + 0.25 + 0.16)
    z = 12 / np.sqrt(40 * 0.57)
    assert_allclose(probability_test(treated, probability).p_value, 2 * stats.norm.sf(z))


def test_the_tests_hold_their_level():
    rng = np.random.default_rng(1)
    trials, level = 2_000, 0.05
    slack = 4 * np.sqrt(level * (1 - level) / trials)
    probability = rng.uniform(0.2, 0.8, 400)
    found = [
        [
            probability_test(rng.random(400) < probability, probability).p_value,
            ratio_test(rng.multinomial(300, [0.2, 0.3, 0.5]), np.array([0.2, 0.3, 0.5])).p_value,
        ]
        for _ in range(trials)
    ]
    sizes = (np.array(found) < level).mean(axis=0)
    assert (np.abs(sizes - level) < slack).all(), sizes
    # The exact test may be on the safe side of its level, never beyond.
    exact = [ratio_test(rng.multinomial(80, [0.4, 0.6]), np.array([0.4, 0.6])).p_value
             for _ in range(trials)]  # fmt: skip
    assert np.mean(np.array(exact) < level) < level + slack
