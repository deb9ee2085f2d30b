"""Honest splits: persons in a random order, each predicted from those before alone."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from evaluate.errors import DesignError
from evaluate.heterogeneity.honest import CELLS, MANY, Honest, draw_orders, honest_effects
from evaluate.heterogeneity.learners import LEARNERS, Boosting, Forest
from evaluate.heterogeneity.linear_learner import Linear

from . import simulated

ROUNDING = 1e-9  # sums in another order
SEEDS = st.integers(0, 2**32 - 1)
QUICK = {"linear": Linear(), "boosting": Boosting(trees=5), "forest": Forest(trees=8, threads=1)}
DIFFERS = {"effect": lambda x: x[:, 0], "p": 4}


def orders(signals, splits=3, folds=5, seed=1):
    return draw_orders(signals, folds, splits, np.random.default_rng(seed))


def kinds(signals):
    return 2 * signals.treated + signals.groups["men"]


def counts(signals, fold):
    """Return the persons of each fold (rows) and kind of arm and gender (columns)."""
    found = np.zeros((fold.max() + 1, 4), dtype=int)
    np.add.at(found, (fold, kinds(signals)), 1)
    return found


@given(seed=SEEDS, n=st.integers(30, 400))
@settings(max_examples=15, deadline=None)
def test_every_fold_has_its_part_of_both_arms_and_genders(seed, n):
    case = simulated.signals(n, seed)
    for fold in orders(case, seed=seed):
        assert (np.ptp(counts(case, fold), axis=0) <= 1).all()


def test_many_persons_are_put_into_cells_that_stay_together():
    case = simulated.signals(2 * MANY, 1)
    order = orders(case, splits=8)
    together = np.unique(order, axis=1).shape[1]
    assert together <= 5 * CELLS
    for fold in order:
        assert (np.ptp(counts(case, fold), axis=0) <= CELLS).all()
    same = (order[0] == order[1]).mean()
    assert 0.1 < same < 0.3  # a fifth, were they independent


@pytest.mark.parametrize("clusters", [20, 2_000])
def test_clusters_are_kept_whole(clusters):
    case = simulated.signals(2 * MANY, 1, clusters=clusters)
    order = orders(case)
    for c in np.unique(case.cluster):
        assert (np.ptp(order[:, case.cluster == c], axis=1) == 0).all()
    assert all(len(np.unique(fold)) == 5 for fold in order)


@pytest.mark.parametrize("clusters", [0, 12])
def test_a_person_is_in_every_place_of_the_order_equally_often(clusters):
    case = simulated.signals(60, 1, clusters=clusters)
    order = orders(case, splits=1_000)
    share = np.stack([(order == k).mean(axis=0) for k in range(5)])
    slack = 5 * np.sqrt(0.2 * 0.8 / 1_000)  # 5 standard deviations, of 300 shares
    assert np.abs(share - 0.2).max() < slack


def test_there_are_no_more_folds_than_persons_in_the_smaller_arm():
    case = simulated.signals(100, 1)
    few = replace(case, treated=np.arange(100) < 3)
    assert set(orders(few, folds=5).ravel()) == {0, 1, 2}
    with pytest.raises(DesignError, match="fewer than two persons"):
        orders(replace(case, treated=np.arange(100) < 1))


def test_women_alone_are_put_into_folds():
    case = simulated.signals(100, 1)
    everyone = np.ones(100, dtype=bool)
    order = orders(replace(case, groups={"all": everyone, "women": everyone, "men": ~everyone}))
    assert (np.bincount(order[0]) == 20).all()


@pytest.mark.parametrize("n", [400, 2 * MANY])
@pytest.mark.parametrize("learner", list(QUICK))
def test_outcomes_of_later_folds_change_no_prediction(learner, n):
    case = simulated.signals(n, 1, **DIFFERS)
    order = orders(case, splits=1)
    one = honest_effects(case, learner, QUICK[learner], order, 3)
    for k in (1, 2):
        later = order[0] >= k
        noise = np.where(later, np.random.default_rng(2).normal(0, 9, n), 0)
        changed = replace(
            case,
            y=case.y + noise,
            signal=case.signal + noise,
            outcome_residual=case.outcome_residual + noise,
        )
        two = honest_effects(changed, learner, QUICK[learner], order, 3)
        upto, after = order[0] <= k, order[0] > k
        assert_array_equal(one.effect[0, upto], two.effect[0, upto])
        assert (one.effect[0, after] != two.effect[0, after]).any()


@pytest.mark.parametrize("learner", list(QUICK))
def test_two_runs_give_the_same_and_fold_0_is_not_predicted(learner):
    case = simulated.signals(300, 1, weighted=True, **DIFFERS)
    order = orders(case)
    one, two = (honest_effects(case, learner, QUICK[learner], order, 3) for _ in range(2))
    assert one.effect.tobytes() == two.effect.tobytes()
    assert_array_equal(np.isnan(one.effect), order == 0)
    assert_array_equal(one.fold, order)


@given(seed=SEEDS, clusters=st.sampled_from([0, 40]), weighted=st.booleans())
@settings(max_examples=10, deadline=None)
def test_linear_effects_of_all_splits_at_once_are_those_one_by_one(seed, clusters, weighted):
    case = simulated.signals(300, seed, clusters=clusters, weighted=weighted, **DIFFERS)
    check_one_by_one(case, orders(case, seed=seed))


def test_linear_effects_by_cells_are_those_one_by_one():
    case = simulated.signals(2 * MANY, 1, **DIFFERS)
    check_one_by_one(case, orders(case))


def check_one_by_one(case, order):
    learn = LEARNERS["linear"]
    at_once = honest_effects(case, "linear", learn, order, 1)
    one_by_one = honest_effects(case, "linear", lambda *given: learn(*given), order, 1)
    assert_allclose(at_once.effect, one_by_one.effect, rtol=0, atol=ROUNDING)


def test_the_mean_is_over_the_splits_that_predicted():
    effect = np.array([[np.nan, 1.0, np.nan], [2.0, 3.0, np.nan]])
    fold = np.where(np.isnan(effect), 0, 1)
    assert_array_equal(Honest("linear", fold, effect).mean, [2.0, 2.0, np.nan])


@pytest.mark.parametrize("learner", list(QUICK))
def test_outcome_regressions_of_all_change_no_prediction_of_few(learner):
    """They were learned from those who are judged too."""
    case = simulated.signals(400, 1, share=0.3, **DIFFERS)
    other = simulated.misled(case, np.column_stack([np.ones(case.m), case.x]))
    order = orders(case, splits=1)
    one, two = (honest_effects(c, learner, QUICK[learner], order, 3) for c in (case, other))
    assert_array_equal(one.effect, two.effect)
