"""Tests of differences in effects: found where they are, not found where not, verdicts, schema."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from simulate import plan_of

from evaluate import schemas
from evaluate.heterogeneity import heterogeneity_tests as tests
from evaluate.heterogeneity.aggregation import combined, judged
from evaluate.heterogeneity.calibration import centred
from evaluate.heterogeneity.honest import draw_orders, honest_effects
from evaluate.heterogeneity.learners import LEARNERS
from evaluate.io import checked
from heterogeneity.simulated import gains, misled, signals
from heterogeneity.test_aggregation import honest_of

STUDIES, LEVEL = 250, 0.05
SLACK = 3.5 * np.sqrt(LEVEL * (1 - LEVEL) / STUDIES)  # deviations of the share that rejects


def plan(covariates=6, **sections):
    names = [f"x{j}" for j in range(covariates - 1)]
    return plan_of(np.zeros((4, 1)), covariates=names, **sections)


def learned(case, splits=5, seed=1, folds=5):
    order = draw_orders(case, folds, splits, np.random.default_rng(seed))
    return honest_effects(case, "linear", LEARNERS["linear"], order, seed)


def rows_of(case, honest=None, **sections):
    rows = tests.test_rows(plan(**sections), case, {"linear": honest or learned(case)})
    return {row["test"]: row for row in rows}


def test_large_differences_are_found_by_every_test():
    case = signals(1_000, 1, effect=lambda x: x[:, 0])
    found = rows_of(case)
    assert {row["verdict"] for row in found.values()} == {"found"}
    assert tests.found(found.values())
    assert abs(found["calibration"]["estimate"] - 1) < 0.3


def test_none_are_found_where_predictions_are_chance():
    case = signals(1_000, 1)
    found = rows_of(case, honest_of(case, splits=20))
    assert found["calibration"]["verdict"] == "not found"
    assert not tests.found(found.values())
    assert "would be found in 80 of 100 studies" in found["calibration"]["note"]


def test_rows_are_those_of_the_schema():
    case = signals(400, 1)
    rows = tests.test_rows(plan(), case, {"linear": learned(case), "forest": honest_of(case)})
    context = {"outcome": "work", "month": None, "arm": "1", "unit": "share"}
    columns = list(schemas.HETEROGENEITY_TESTS.columns)
    table = pd.DataFrame([context | row for row in rows], columns=columns)
    table = table.replace("", None).assign(note=table["note"])  # as the stage does
    table = checked(table, schemas.HETEROGENEITY_TESTS, "tests")
    assert (table["lead"].sum(), len(table)) == (1, 9)
    told = table.dropna(subset="p_value")
    assert ((told["p_value"] <= 0.05) == (told["verdict"] == "found")).all()
    assert (told["p_low"].dropna() <= told["p_high"].dropna()).all()


def test_verdicts_are_at_the_level_of_the_plan():
    case = signals(400, 3)
    found = rows_of(case)
    p = found["calibration"]["p_value"]
    for level in (1 - p * 1.01, 1 - p * 0.99):
        if 0.5 < level < 1:
            row = rows_of(case, analysis={"level": level})["calibration"]
            assert (row["verdict"] == "found") == (p <= 1 - level)


def test_the_z_of_a_split_by_hand():
    """Residuals of an arm are fitted by predictions again: a departure is of what is then said."""
    case = signals(200, 1, share=0.3)
    honest = learned(case, splits=1)
    average, plain = case.average().value[0], case.signal - case.correction
    t = []
    for fold in judged(honest):
        p, rows = centred(case, fold), fold.rows
        u, total = p * (plain[rows] - average), p @ (plain[rows] - average)
        for arm in (case.treated[rows], ~case.treated[rows]):
            q, r = case.inverse_weight[rows][arm], case.correction[rows][arm]
            slope, level = np.polyfit(p[arm], r / q, 1, w=np.sqrt(q))
            total += p @ (level + slope * p) + p[arm] @ (r - q * (level + slope * p[arm]))
            z = np.column_stack([np.ones(arm.sum()), p[arm]])
            lack = [-(q @ p[arm]), p @ p - q @ p[arm] ** 2]
            u[arm] += (p[arm] + z @ np.linalg.solve((z.T * q) @ z, lack)) * r
        assert_allclose(u.sum(), total)
        t.append(total / np.sqrt((u**2).sum()))
    found = tests.judge(case, honest, 5)
    assert_allclose(found.z["calibration"], sum(t) / 2)


@pytest.mark.parametrize("settings", [{}, {"clusters": 60, "weighted": True}])
def test_what_regressions_miss_along_the_predictions_adds_nothing_to_departures(settings):
    case = signals(400, 2, share=0.2, **settings)
    for fold in judged(learned(case, splits=1)):
        prediction = np.zeros(case.m)
        prediction[fold.rows] = fold.effect
        other = misled(case, np.column_stack([np.ones(case.m), prediction]))
        c = np.cos(np.arange(len(fold.rows)))  # any coefficients with mean zero
        mass = case.weight[fold.rows]
        c -= mass @ c / mass.sum()
        one, two = (tests.departures(k, fold, c[:, None], 0.3).sum() for k in (case, other))
        plain = [(mass * c) @ k.signal[fold.rows] for k in (case, other)]
        assert_allclose(one, two, rtol=1e-6)
        assert abs(plain[0] - plain[1]) > 1e-3


@pytest.mark.parametrize("kind", ["persons", "clusters, weights", "treated"])
def test_an_effect_the_same_for_all_changes_nothing(kind):
    clusters = {"clusters": 60, "weighted": True} if kind.startswith("clusters") else {}
    case = signals(400, 1, **clusters)
    if kind == "treated":
        case = replace(case, share=case.treated.astype(float))
    honest = learned(case)
    moved = replace(case, signal=case.signal + 7 * case.share)
    one, other = (tests.judge(c, honest, 5) for c in (case, moved))
    for test in tests.HONEST:
        assert_allclose(one.z[test], other.z[test], rtol=1e-6)
        assert_allclose(one.value[test], other.value[test], atol=1e-8)
        assert_allclose(one.variance[test], other.variance[test], rtol=1e-6)


def test_size_is_5_per_cent():
    p = {test: [] for test in tests.HONEST}
    for seed in range(STUDIES):
        case = signals(250, 1_000 + seed, p=4)
        for test, z in tests.judge(case, learned(case, 5, seed), 5).z.items():
            p[test].append(combined(z).p_value)
    for test in tests.HONEST:
        assert abs(np.mean(np.array(p[test]) <= LEVEL) - LEVEL) < SLACK


def test_a_learner_that_finds_nothing_is_not_assessed_by_calibration():
    case = signals(400, 1)
    found = rows_of(case, honest_of(case, levels=1))
    assert found["calibration"]["verdict"] == "not assessed"
    assert "in 3 of 3 splits the learner found nothing" in found["calibration"]["note"]


def test_twelve_persons_are_not_assessed():
    case = signals(12, 1)
    found = rows_of(case, honest_of(case, folds=3))
    assert {row["verdict"] for row in found.values()} == {"not assessed"}
    assert found["calibration"]["lead"] is True
    assert "8 persons or clusters" in found["autoc"]["note"]


def with_sites(case, sites, gain=0.0):
    """Put the persons at sites, of which the first gains more."""
    site = np.arange(case.m) % sites
    groups = case.groups | {f"site={s}": site == s for s in range(sites)}
    return gains(replace(case, groups=groups), gain * (site == 0))


def test_equal_effects_over_groups():
    case = signals(600, 1)
    same, differ = (
        rows_of(with_sites(case, 4, gain), groups=["site"])["groups"] for gain in (0.0, 1.5)
    )
    assert (same["verdict"], differ["verdict"]) == ("not found", "found")


def test_small_groups_are_left_out_and_said():
    case = with_sites(signals(600, 1), 2)
    few = np.arange(600) < 3
    case = replace(case, groups=case.groups | {"site=5": few})
    row = rows_of(case, groups=["site"])["groups"]
    assert row["note"] == "1 groups with fewer than 10 persons or clusters in an arm left out"
    assert np.isfinite(row["p_value"])


def test_without_two_levels_groups_are_not_tested():
    row = rows_of(with_sites(signals(600, 1), 1), groups=["site"])["groups"]
    assert row["verdict"] == "not assessed"
    assert "no exploratory group with two levels" in row["note"]
    assert "groups" not in rows_of(signals(600, 1))
