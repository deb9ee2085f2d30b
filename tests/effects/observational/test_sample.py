"""Who is compared, and with what columns, before any estimator."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal

from evaluate.effects.fit import covariates_for
from evaluate.effects.observational.sample import arranged
from evaluate.errors import DesignError

from .programmes import BOTH, plan_of, scored, study_from


@pytest.fixture
def case():
    rng = np.random.default_rng(3)
    n = 200
    x = rng.normal(size=(n, 2))
    treated = rng.random(n) < 1 / (1 + np.exp(-x[:, 0]))
    women = rng.random(n) < 0.5
    plan = plan_of({"y": "primary"}, ["a", "b"], BOTH)
    study = study_from(x.sum(axis=1), treated, x, ["a", "b"], women)
    return scored(study, plan), plan


def of(study, plan, group="all", observed=None, **options):
    covariates = covariates_for(study, "", [])
    observed = np.ones(study.n, dtype=bool) if observed is None else observed
    return arranged(study, plan, covariates, observed, (1, 0), study.groups[group], **options)


def test_gender_is_a_column_where_a_group_holds_both(case):
    study, plan = case
    assert of(study, plan).names == ("a", "b", "men")
    assert_array_equal(of(study, plan).x[:, 2], study.groups["men"])
    assert of(study, plan, "women").names == ("a", "b")
    alone = replace(study, groups=study.groups | {"g=women": study.groups["women"]})
    assert of(alone, plan, "g=women").names == ("a", "b")


def test_gender_that_is_missing_is_a_level_of_its_own(case):
    study, plan = case
    women = study.groups["women"].copy()
    women[:20] = False
    men = ~women
    men[:20] = False
    one = of(replace(study, groups=study.groups | {"women": women, "men": men}), plan)
    assert one.names[-2:] == ("men", "gender missing")
    assert_array_equal(one.x[:20, -1], 1)


def test_who_is_trimmed_or_lacks_the_outcome_is_left_out_and_counted(case):
    study, plan = case
    own = study.propensities["", "1"]
    kept, observed = own.kept.copy(), np.ones(study.n, dtype=bool)
    kept[:30], observed[25:50] = False, False
    study = replace(study, propensities={("", "1"): replace(own, kept=kept)})
    one = of(study, plan, observed=observed)
    assert_array_equal(np.flatnonzero(one.rows), np.arange(50, study.n))
    first = study.arm[:25]  # the others lack the outcome
    assert one.trimmed == (int(first.sum()), int((first == 0).sum()))
    assert_array_equal(one.score, own.score[:, 50:])
    assert_array_equal(one.fold, own.fold[:, 50:])
    assert of(study, plan, observed=observed, trimmed=False).rows.sum() == study.n - 25


def test_what_is_missing_is_imputed_and_marked_and_what_adds_nothing_left_out(case):
    study, plan = case
    a = study.covariates["a"].copy()
    a[:10] = np.nan
    frame = pd.DataFrame({"a": a, "twice": 2 * study.covariates["b"], "b": study.covariates["b"]})
    one = of(replace(study, covariates=frame.assign(same=1.0)), plan)
    assert one.names == ("a", "a missing", "twice", "men")
    assert one.dropped == ("b", "same")
    assert one.imputed == 10
    assert np.allclose(one.x[:10, 0], a[10:].mean())


def test_scores_of_clusters_are_sums_over_their_persons(case):
    study, plan = case
    cluster = np.arange(study.n) % 11
    one = of(replace(study, cluster=cluster), plan, "women")
    scores = np.random.default_rng(1).normal(size=(one.rows.sum(), 2))
    found = one.spread(scores)
    want = np.zeros((11, 2))
    np.add.at(want, cluster[one.rows], scores)
    assert np.allclose(found, want * np.sqrt(11 / 10))


@pytest.mark.parametrize("trim", ["crump", (0.1, 0.9)])
def test_without_scores_nobody_can_be_trimmed(case, trim):
    study, _ = case
    bare = replace(study, propensities={})
    stated = plan_of({"y": "primary"}, ["a", "b"], BOTH, propensity={"trim": trim})
    with pytest.raises(DesignError, match="could not be estimated"):
        of(bare, stated)
    untrimmed = plan_of({"y": "primary"}, ["a", "b"], BOTH, propensity={"trim": "none"})
    assert of(bare, untrimmed).rows.all()


def test_an_empty_arm_is_named(case):
    study, plan = case
    group = study.groups["women"] & (study.arm == 0)
    with pytest.raises(DesignError, match="0 treated"):
        of(replace(study, groups=study.groups | {"g=x": group}), plan, "g=x")


def test_what_is_held_at_the_bounds_is_counted(case):
    one = of(*case)
    for estimand, low in (("ate", 0.4), ("att", 0.0)):
        held, count = one.held(0.4, estimand)
        assert count == ((one.median < low) | (one.median > 0.6)).sum() > 0
        assert held.min() >= low
        assert held.max() <= 0.6
