"""Causal forest: econml's on the same nuisances, the same whatever the threads."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from evaluate.heterogeneity.forest import FEWEST, LEAF, PART, TREE, Forest

from . import simulated
from .test_learners import TWO, everyone, looked_up

ROUNDING = 1e-9  # the residuals are formed in another order


def peer(case, **settings):
    """Return econml's effects by the outcome and treatment models of the case."""
    from econml.dml import CausalForestDML

    outcome = looked_up(case.y - case.outcome_residual)
    treatment = looked_up(case.treated - case.treatment_residual, probability=True)
    model = CausalForestDML(
        model_y=outcome, model_t=treatment, discrete_treatment=True, cv=2, **settings
    )
    person = np.arange(case.m)[:, None].astype(float)
    model.fit(case.y, case.treated * 1, X=case.x, W=person, sample_weight=case.weight)
    return model.effect(case.x)


@pytest.mark.parametrize("weighted", [False, True])
def test_effects_are_those_of_econml_on_the_same_nuisances(weighted):
    case = simulated.signals(1_600, 1, **TWO, weighted=weighted)
    found = Forest(trees=24, threads=1)(case, everyone(case), 5)(case.x)
    same = peer(
        case, n_estimators=24, criterion="het", max_samples=min(PART, TREE / case.m),
        min_samples_leaf=LEAF, inference=False, subforest_size=1, max_depth=None,
        random_state=5, n_jobs=1,
    )  # fmt: skip
    assert_allclose(found, same, atol=ROUNDING)


def test_effects_sort_persons_as_econmls_larger_forest_does():
    case = simulated.signals(3_000, 1, **TWO)
    found = Forest()(case, everyone(case), 5)(case.x)
    larger = peer(case, n_estimators=200, random_state=1, n_jobs=2)
    assert np.corrcoef(found, larger)[0, 1] > 0.9


@pytest.mark.parametrize("threads", [1, 2])
def test_threads_and_runs_change_no_bit(threads):
    case = simulated.signals(800, 1, **TWO)
    one = Forest(trees=40, threads=1)(case, everyone(case), 5)(case.x)
    for _ in range(3):
        two = Forest(trees=40, threads=threads)(case, everyone(case), 5)(case.x)
        assert one.tobytes() == two.tobytes()
    other = Forest(trees=40, threads=threads)(case, everyone(case), 6)(case.x)
    assert (one != other).any()


def test_weights_matter():
    case = simulated.signals(800, 1, **TWO)
    women = case.groups["women"]
    heavy = replace(case, weight=np.where(women, 1.0, 1e-6))
    effect = Forest(trees=20)(heavy, everyone(case), 5)(case.x)
    alone = Forest(trees=20)(case, women, 5)(case.x)
    assert np.corrcoef(effect, alone)[0, 1] > 0.8


def test_many_persons_are_drawn_from():
    case = simulated.signals(3_000, 1)
    forest = Forest(persons=1_000)
    among = np.arange(3_000) >= 500
    rows = forest.drawn(among, 1)
    assert len(np.unique(rows)) == 1_000
    assert rows.min() >= 500
    assert_array_equal(rows, forest.drawn(among, 1))
    assert_array_equal(forest.drawn(np.arange(3_000) < 900, 1), np.arange(900))
    noise = np.zeros(3_000)
    noise[np.setdiff1d(np.flatnonzero(among), rows)] = 100
    changed = replace(case, outcome_residual=case.outcome_residual + noise)
    one, two = (forest(c, among, 1)(case.x[:9]) for c in (case, changed))
    assert_array_equal(one, two)


def test_too_few_persons_have_the_effect_of_all():
    case = simulated.signals(200, 1)
    among = np.arange(200) < FEWEST - 1
    d, y = case.treatment_residual[among], case.outcome_residual[among]
    assert_allclose(Forest()(case, among, 1)(case.x), (y @ d) / (d @ d))
    none = replace(case, treatment_residual=np.zeros(200))
    assert np.isnan(Forest()(none, everyone(case), 1)(case.x)).all()
