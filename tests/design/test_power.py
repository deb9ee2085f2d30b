"""Power before a trial: statsmodels, simulated trials, the gap, clusters, what cannot be."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy import stats
from simulate import plan_of, study_from
from statsmodels.stats.power import TTestIndPower

from evaluate.covariates import columns_of
from evaluate.design.power import (
    Clusters,
    Trial,
    degrees_of_freedom,
    detectable,
    persons_needed,
    power,
    std_error,
)
from evaluate.effects.groups import fits_by_group
from evaluate.errors import DesignError
from evaluate.study import GAP

RTOL = 1e-9  # the same noncentral t
DRAWS = 3_000  # outcomes drawn for one assignment
SLACK = 4 * np.sqrt(0.8 * 0.2 / DRAWS)  # 4 sd of Binomial(DRAWS, 0.8) / DRAWS


@pytest.mark.parametrize("offered", [0.5, 0.3, 0.1])
@pytest.mark.parametrize("n", [20, 140, 2_000])
def test_two_means_agree_with_the_t_test_of_statsmodels(n, offered):
    trial = Trial(n, offered=offered)
    first = n * offered
    options = {"nobs1": first, "ratio": (n - first) / first, "alpha": 0.05}
    assert_allclose(TTestIndPower().power(detectable(trial), **options), 0.8, rtol=RTOL)
    assert_allclose(power(trial, 0.3), TTestIndPower().power(0.3, **options), rtol=RTOL)


@pytest.mark.parametrize("effect", [0.1, -0.2, 0.5])
def test_persons_needed_agree_with_statsmodels(effect):
    exact = 2 * TTestIndPower().solve_power(effect_size=abs(effect), alpha=0.05, power=0.8)
    assert persons_needed(Trial(1), effect) == np.ceil(exact)


def test_the_gap_of_half_women_must_be_twice_the_average_effect():
    trial = Trial(4_000, women=0.5)
    assert_allclose(detectable(trial, GAP) / detectable(trial), 2, rtol=1e-4)
    assert persons_needed(Trial(1, women=0.5), 0.2, GAP) / persons_needed(
        Trial(1), 0.2
    ) == pytest.approx(4, rel=0.01)


trials = st.builds(
    Trial,
    persons=st.integers(200, 5_000).map(float),
    offered=st.floats(0.2, 0.8),
    women=st.floats(0.2, 0.8),
    sd=st.floats(0.1, 100),
    r2=st.floats(0, 0.9),
    covariates=st.integers(0, 20),
    attrition=st.floats(0, 0.3),
    clusters=st.none()
    | st.builds(
        Clusters,
        icc=st.floats(0, 0.3),
        number=st.integers(20, 60),
        size_cv=st.floats(0, 1),
        icc_gender=st.floats(0, 0.1),
    ),
)


@settings(max_examples=30, deadline=None)
@given(trial=trials, group=st.sampled_from(["all", "women", "men", GAP]))
def test_the_detectable_effect_is_found_with_the_power(trial, group):
    found = detectable(trial, group)
    assert_allclose(power(trial, found, group), 0.8, rtol=1e-6)
    assert power(trial, -found, group) == power(trial, found, group)
    assert power(trial, 1.1 * found, group) > 0.8
    assert_allclose(detectable(replace(trial, sd=2 * trial.sd), group), 2 * found)


@settings(max_examples=20, deadline=None)
@given(trial=trials)
def test_more_of_what_helps_finds_smaller_effects(trial):
    found = detectable(trial)
    assert detectable(replace(trial, persons=2 * trial.persons)) <= found * (1 + 1e-9)
    assert detectable(replace(trial, r2=trial.r2 + 0.05)) <= found * (1 + 1e-9)
    assert detectable(replace(trial, level=0.9)) < found
    assert detectable(replace(trial, power=0.9)) > found
    assert detectable(trial, "women") >= found * (1 - 1e-9)


@settings(max_examples=20, deadline=None)
@given(trial=trials, scale=st.floats(1.5, 4))
def test_persons_needed_are_just_enough(trial, scale):
    floor = detectable(replace(trial, persons=1e10))
    effect = scale * max(floor, 0.02 * trial.sd)
    n = persons_needed(trial, effect)
    assert power(replace(trial, persons=float(n)), effect) >= 0.8
    if n > 60:
        assert power(replace(trial, persons=n - 1.0), effect) < 0.8


def test_clusters_of_one_size_needed_are_whole():
    n = persons_needed(Trial(1, clusters=Clusters(icc=0.05, size=20)), 0.1)
    assert n % 20 == 0


def test_the_design_effect_is_kishs():
    one = std_error(Trial(1_000))
    several = std_error(Trial(1_000, clusters=Clusters(icc=0.1, number=50)))
    assert_allclose((several / one) ** 2, 1 + (20 - 1) * 0.1)
    unequal = std_error(Trial(1_000, clusters=Clusters(icc=0.1, number=50, size_cv=0.5)))
    assert_allclose((unequal / one) ** 2, 1 + (1.25 * 20 - 1) * 0.1)
    assert degrees_of_freedom(Trial(1_000, clusters=Clusters(icc=0.1, number=50))) == 48


def found_by(trial, y, arm, women, cluster=None):
    """Return how often effects are significant, by group, in trials analysed by the package."""
    columns = {"cluster": "c"} if cluster is not None else {}
    study, plan = study_from(y, arm, women, cluster=cluster), plan_of(y, columns=columns)
    every = np.ones(len(y), dtype=bool)
    none = columns_of(study.covariates)
    fits = fits_by_group(study, plan, "difference_in_means", y, every, none)
    return {g: (fits[g, (1, 0)].effects.p_value < 1 - trial.level).mean() for g in trial.groups}


GAINS = {  # of women and of men, so that the effect of a group is the detectable one
    "all": (1, 1),
    "women": (1, 0),
    "men": (0, 1),
    GAP: (1, 0),
}


@pytest.mark.parametrize("group", GAINS)
@pytest.mark.parametrize("offered", [0.5, 0.25])
def test_simulated_trials_of_persons_find_the_detectable_effect_in_80_of_100(group, offered):
    trial = Trial(160, offered=offered, women=0.4, sd=2.0)
    rng = np.random.default_rng(11)
    women = np.arange(160) % 5 < 2
    arm = (np.arange(160) // 5 % 4 < 4 * offered).astype(int)
    gain = detectable(trial, group) * np.where(women, *GAINS[group])
    y = 2.0 * rng.normal(size=(160, DRAWS)) + (gain * arm)[:, None]
    assert abs(found_by(trial, y, arm, women)[group] - 0.8) < SLACK


@pytest.mark.parametrize("group", GAINS)
def test_simulated_trials_of_a_share_find_the_detectable_effect_in_80_of_100(group):
    trial = Trial(800, women=0.5, baseline=0.2)
    rng = np.random.default_rng(12)
    women, arm = np.arange(800) % 2 == 0, np.arange(800) // 2 % 2
    level = 0.2 + detectable(trial, group) * np.where(women, *GAINS[group]) * arm
    y = (rng.random((800, DRAWS)) < level[:, None]).astype(float)
    # means of 0 and 1 are only nearly normal
    assert abs(found_by(trial, y, arm, women)[group] - 0.8) < SLACK + 0.01


@pytest.mark.parametrize("group", GAINS)
@pytest.mark.parametrize(
    ("number", "icc_gender", "offered"), [(24, 0.0, 0.5), (24, 0.05, 0.25), (10, 0.0, 0.5)]
)
def test_simulated_trials_of_clusters_find_the_detectable_effect_in_80_of_100(
    group, number, icc_gender, offered
):
    size, icc = 20, 0.1
    clusters = Clusters(icc=icc, number=number, icc_gender=icc_gender)
    trial = Trial(number * size, offered=offered, women=0.5, clusters=clusters)
    rng = np.random.default_rng(13)
    cluster, women = np.repeat(np.arange(number), size), np.arange(number * size) % 2 == 0
    arm = (cluster < offered * number).astype(int)
    both = np.sqrt(icc) * rng.normal(size=(number, DRAWS))[cluster]
    own = np.sqrt(icc_gender) * rng.normal(size=(2 * number, DRAWS))[2 * cluster + women]
    rest = np.sqrt(1 - icc - icc_gender) * rng.normal(size=(number * size, DRAWS))
    gain = detectable(trial, group) * np.where(women, *GAINS[group]) * arm
    y = both + own + rest + gain[:, None]
    assert abs(found_by(trial, y, arm, women, cluster)[group] - 0.8) < SLACK


def test_unequal_clusters_have_the_standard_error_stated():
    rng = np.random.default_rng(14)
    sizes = np.resize([5, 10, 15, 50], 40)
    cluster = np.repeat(np.arange(40), sizes)
    arm = (cluster // 4) % 2
    clusters = Clusters(icc=0.1, number=40, size_cv=sizes.std() / sizes.mean())
    trial = Trial(float(sizes.sum()), clusters=clusters)
    y = np.sqrt(0.1) * rng.normal(size=(40, DRAWS))[cluster]
    y += np.sqrt(0.9) * rng.normal(size=(len(cluster), DRAWS))
    difference = y[arm == 1].mean(axis=0) - y[arm == 0].mean(axis=0)
    # 4 sd of the standard deviation of DRAWS normal draws, relative to it
    assert abs(difference.std() / std_error(trial) - 1) < 4 / np.sqrt(2 * DRAWS)


def test_few_degrees_of_freedom_cost_more_than_the_normal_says():
    few = Trial(400, clusters=Clusters(icc=0.05, number=6))
    normal = (stats.norm.ppf(0.975) + stats.norm.ppf(0.8)) * std_error(few)
    assert detectable(few) > 1.3 * normal


def test_a_share_that_cannot_rise_enough_has_no_detectable_effect():
    assert np.isnan(detectable(Trial(12, baseline=0.9)))


@pytest.mark.parametrize(
    ("trial", "effect", "message"),
    [
        (Trial(100), 0.0, "effect of zero"),
        (Trial(100, baseline=0.3), 0.9, "below 0 or above 1"),
        (Trial(100, baseline=0.3), -0.4, "below 0 or above 1"),
        (Trial(100, clusters=Clusters(icc=0.1, number=20)), 0.1, "no number of persons"),
    ],
)
def test_what_no_number_of_persons_finds_is_said(trial, effect, message):
    with pytest.raises(DesignError, match=message):
        persons_needed(trial, effect)


@pytest.mark.parametrize(
    ("trial", "message"),
    [
        (Trial(10, covariates=8), "no degrees of freedom"),
        (Trial(100, blocks=99), "no degrees of freedom"),
        (Trial(100, clusters=Clusters(icc=0.1, number=3)), "two or more"),
        (Trial(100, clusters=Clusters(icc=0.1, number=10), blocks=9), "no degrees of freedom"),
    ],
)
def test_too_few_for_a_test_is_said(trial, message):
    with pytest.raises(DesignError, match=message):
        detectable(trial)
