"""Policy trees: against a search of all of them, their limits, and how they are told."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from evaluate.heterogeneity.policy_tree import (
    LEAST,
    Cuts,
    between,
    cuts_of,
    leaf_size,
    learned_tree,
    tree_rows,
)

from .simulated import signals

SEEDS = st.integers(0, 2**32 - 1)
RTOL = 1e-9  # sums in another order


def drawn(seed, m=120, p=3, levels=6):
    rng = np.random.default_rng(seed)
    coarse = rng.integers(levels, size=(m, p)).astype(np.uint8)
    reward = rng.normal(size=m) + 0.5 * (coarse[:, 0] > 2)
    return coarse, reward, np.ones(m), rng.uniform(0.5, 2, m)


def worth(tree, coarse, reward, weight):
    return weight @ (tree.treats(coarse) * reward)


def splits_of(coarse, leaf):
    """Yield every division in two by one threshold that leaves enough on both sides."""
    for j in range(coarse.shape[1]):
        for at in np.unique(coarse[:, j])[:-1]:
            over = coarse[:, j] > at
            if leaf <= over.sum() <= len(over) - leaf:
                yield over


def best(coarse, gain, depth, leaf):
    """Return what the best tree is worth, by trying them all."""
    value = max(gain.sum(), 0.0)
    if depth == 0:
        return value
    return max(
        (
            sum(best(coarse[s], gain[s], depth - 1, leaf) for s in (over, ~over))
            for over in splits_of(coarse, leaf)
        ),
        default=value,
    )


def greedy(coarse, gain, leaf):
    """Return what trees with two splits in a row are worth whose root is the best alone."""
    alone = [
        (sum(max(gain[s].sum(), 0.0) for s in (over, ~over)), over)
        for over in splits_of(coarse, leaf)
    ]
    top = max(worth for worth, _ in alone)
    return [
        sum(best(coarse[s], gain[s], 1, leaf) for s in (over, ~over))
        for worth, over in alone
        if np.isclose(worth, top, RTOL)
    ]


@given(seed=SEEDS)
@settings(max_examples=15, deadline=None)
def test_a_tree_with_one_split_is_the_best_of_all(seed):
    coarse, reward, share, weight = drawn(seed)
    tree, price = learned_tree(coarse, reward, share, weight, 1.0, 1)
    expected = best(coarse, weight * reward, 1, leaf_size(len(reward)))
    assert_allclose(worth(tree, coarse, reward, weight), expected, rtol=RTOL)
    assert price == 0


@given(seed=SEEDS)
@settings(max_examples=15, deadline=None)
def test_a_tree_with_two_takes_the_best_split_at_each_node(seed):
    coarse, reward, share, weight = drawn(seed, m=80)
    tree, _ = learned_tree(coarse, reward, share, weight, 1.0, 2)
    found = worth(tree, coarse, reward, weight)
    leaf = leaf_size(len(reward))
    assert np.isclose(found, greedy(coarse, weight * reward, leaf), RTOL).any()
    assert found <= best(coarse, weight * reward, 2, leaf) * (1 + RTOL)


@given(seed=SEEDS, capacity=st.floats(0.05, 0.9))
@settings(max_examples=15, deadline=None)
def test_under_a_limit_it_is_worth_no_less_than_lots_among_all_whom_it_would_choose(seed, capacity):
    coarse, reward, share, weight = drawn(seed)
    free, _ = learned_tree(coarse, reward, share, weight, 1.0, 2)
    tree, _ = learned_tree(coarse, reward, share, weight, capacity, 2)

    def rationed(one):
        places = weight @ one.treats(coarse) / weight.sum()
        return worth(one, coarse, reward, weight) * min(1, capacity / max(places, 1e-300))

    assert rationed(tree) >= rationed(free) * (1 - RTOL)


def test_a_price_keeps_places_for_those_who_gain_most():
    rng = np.random.default_rng(1)
    coarse = rng.integers(4, size=(4_000, 2)).astype(np.uint8)
    reward = 1 + 2.0 * (coarse[:, 1] == 3) + 0.1 * rng.normal(size=4_000)
    ones = np.ones(4_000)
    tree, price = learned_tree(coarse, reward, ones, ones, 0.3, 2)
    assert_array_equal(tree.treats(coarse), coarse[:, 1] == 3)
    assert 1 < price < 3
    again, _ = learned_tree(coarse, reward, ones, ones, 0.3, 2, price)
    assert_array_equal(again.treats(coarse), tree.treats(coarse))


@pytest.mark.parametrize("gain", [-1.0, 1.0])
def test_leaves_that_agree_are_one(gain):
    coarse, reward, share, weight = drawn(1)
    tree, _ = learned_tree(coarse, gain * (10 + 0 * reward) + 0.1 * reward, share, weight, 1.0, 2)
    assert len(tree.feature) == 1
    assert tree.treat[0] == (gain > 0)


def test_covariates_that_do_not_vary_leave_one_leaf():
    _, reward, share, weight = drawn(1)
    for coarse in (np.zeros((120, 2), dtype=np.uint8), np.empty((120, 0), dtype=np.uint8)):
        tree, _ = learned_tree(coarse, reward, share, weight, 1.0, 2)
        assert_array_equal(tree.feature, [-1])


def test_too_few_persons_teach_no_tree():
    coarse, reward, share, weight = drawn(1, m=2 * LEAST - 1)
    assert learned_tree(coarse, reward, share, weight, 1.0, 2) is None


@given(seed=SEEDS, whole=st.booleans(), scale=st.sampled_from([1e-3, 1.0, 1e4]))
@settings(max_examples=15, deadline=None)
def test_no_threshold_is_a_persons_value(seed, whole, scale):
    rng = np.random.default_rng(seed)
    x = rng.normal(40, 12, (300, 1)) * scale
    x = np.round(x) if whole else x
    (at,) = cuts_of(x).thresholds
    if np.ptp(x) == 0:
        assert not len(at)
        return
    assert not np.isin(at, x).any()
    assert all(a < b for a, b in pairwise(at))
    assert at.min() > x.min()
    assert at.max() < x.max()
    assert_array_equal(Cuts((at,)).coarse(x)[:, 0], (x > at).sum(axis=1))


def test_thresholds_are_round_numbers():
    rng = np.random.default_rng(1)
    income, age = rng.normal(24_000, 6_000, 5_000), rng.integers(18, 60, 5_000)
    men, steady = rng.integers(2, size=5_000), np.full(5_000, 7)
    cuts = cuts_of(np.column_stack([income, age, men, steady]).astype(float)).thresholds
    assert set(cuts[0] % 100) == {0}
    assert set(cuts[1] % 1) == {0.5}
    assert_array_equal(cuts[2], [0.5])
    assert not len(cuts[3])


@given(a=st.floats(-1e6, 1e6), b=st.floats(1e-6, 1e6))
def test_a_number_between_two_lies_between(a, b):
    low, high = a, a + b
    if low < high and low < (low + high) / 2 < high:
        assert low < between(low, high) < high


def test_rows_tell_the_tree_and_who_is_where():
    case = signals(2_000, 3, lambda x: np.where(x[:, 1] > 0, 1.0, np.where(x[:, -1] > 0, 1, -3)))
    cuts = cuts_of(case.x)
    coarse = cuts.coarse(case.x)
    tree, _ = learned_tree(coarse, case.signal, case.share, case.weight, 1.0, 2)
    rows = tree_rows(case, "tree", tree, cuts, case.names, coarse, "told")
    root = rows[0]
    assert (root["parent"], root["branch"], root["n"], root["note"]) == (None, None, 2_000, "told")
    inner = [r for r in rows if r["covariate"]]
    assert {r["covariate"] for r in inner} == {"x1", "men"}
    assert next(r["threshold"] for r in inner if r["covariate"] == "men") == 0.5
    for row in inner:
        below, above = sorted(
            (r for r in rows if r["parent"] == row["node"]), key=lambda r: r["branch"] == "above"
        )
        assert (below["branch"], above["branch"]) == ("below", "above")
        for number in ("n", "n_women", "n_men"):
            assert below[number] + above[number] == row[number]
        assert row["treat"] is None
    x1 = next(r for r in inner if r["covariate"] == "x1")
    over = next(r for r in rows if r["parent"] == x1["node"] and r["branch"] == "above")
    lowest = inner[0] is x1 or x1["branch"] == "below"
    members = case.x[:, 1] > x1["threshold"]
    if x1 is not root:
        members &= (case.x[:, -1] > 0.5) != lowest
    assert over["n"] == members.sum()
    leaves = [r for r in rows if not r["covariate"]]
    treated = sum(r["n"] for r in leaves if r["treat"])
    assert treated == tree.treats(coarse).sum()
    assert_allclose(sum(r["share"] for r in leaves), 1)


def test_rows_of_the_att_count_the_treated():
    case = signals(1_000, 3)
    about = case.__class__(**{**vars(case), "share": case.treated.astype(float)})
    cuts = cuts_of(case.x)
    coarse = cuts.coarse(case.x)
    tree, _ = learned_tree(coarse, about.signal, about.share, about.weight, 1.0, 1)
    assert (
        tree_rows(about, "tree", tree, cuts, case.names, coarse, "")[0]["n"] == case.treated.sum()
    )


def test_the_order_of_persons_changes_nothing():
    coarse, reward, share, weight = drawn(5, m=400)
    tree, _ = learned_tree(coarse, reward, share, weight, 0.4, 2)
    order = np.random.default_rng(1).permutation(400)
    other, _ = learned_tree(coarse[order], reward[order], share, weight[order], 0.4, 2)
    assert_array_equal(other.treats(coarse), tree.treats(coarse))
