"""Early or late: sums of the gaps by month, the month from which a band stays off zero."""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from numpy.testing import assert_allclose
from simulate_paths import path_trial

from evaluate.effects.bands import critical_value
from evaluate.effects.paths import Point
from evaluate.effects.table import effects
from evaluate.estimates import Estimates
from evaluate.heterogeneity import gap_months
from evaluate.heterogeneity.gap_months import gaps_by_month, month_rows
from evaluate.notes import note
from evaluate.study import GAP

TRIALS = 60
SLACK = 4 * np.sqrt(0.95 * 0.05 / TRIALS)  # 4 standard deviations of the share of trials


@pytest.fixture(autouse=True)
def few_draws(monkeypatch):
    """Draw less for a band: its critical value is then off by one per cent."""
    monkeypatch.setattr(gap_months, "critical_value", partial(critical_value, draws=4_000))


def rng():
    return np.random.default_rng(1)


def rows_of(study, plan):
    (points,) = gaps_by_month(study, plan, "y").values()
    return {row["part"]: row for row in month_rows(study, points, 0.95, rng())}


@pytest.mark.parametrize("clusters", [0, 20])
def test_early_and_late_are_means_of_the_gaps_of_the_table(clusters):
    study, plan, _ = path_trial(rng(), months=8, clusters=clusters)
    found = rows_of(study, plan)
    table = effects(study, plan, rng()).table
    lead = table[(table["estimator"] == plan.estimators[0]) & (table["group"] == GAP)]
    by_month = lead.set_index("month")["estimate"].astype(float)
    assert_allclose(found["early"]["estimate"], by_month.loc[1:4].mean(), rtol=1e-9)
    assert_allclose(found["late"]["estimate"], by_month.loc[5:8].mean(), rtol=1e-9)
    difference = by_month.loc[5:8].mean() - by_month.loc[1:4].mean()
    assert_allclose(found["late-early"]["estimate"], difference, rtol=1e-9)
    months = [(found[p]["month_from"], found[p]["month_to"]) for p in found]
    assert months == [(1, 4), (5, 8), (1, 8), (1, 8)]
    assert found["early"]["n_women"] == found["early"]["n_men"] == 70


def test_the_difference_has_the_error_of_a_difference_for_the_same_persons():
    study, plan, _ = path_trial(rng(), months=8)
    by = np.repeat([-0.25, 0.25], 4)
    whole = replace(study, y=np.column_stack([study.y @ by, study.y[:, 1:]]))
    (points,) = gaps_by_month(whole, plan, "y").values()
    found = rows_of(study, plan)["late-early"]
    assert_allclose(found["estimate"], points[0].estimate.value[0], rtol=1e-9)
    assert_allclose(found["std_error"], points[0].estimate.std_error[0], rtol=1e-9)
    parts = [rows_of(study, plan)[p]["std_error"] for p in ("early", "late")]
    assert found["std_error"] < 0.99 * np.hypot(*parts)


@pytest.mark.parametrize(
    ("months", "early"),
    [([6, 12], [6]), ([1, 2, 24], [1, 2]), ([12, 18], [12]), ([1, 2, 3], [1]), ([3, 6, 9], [3])],
    ids=str,
)
def test_the_first_half_is_of_time_not_of_columns(months, early):
    points = points_of(np.zeros(len(months)), months)
    found = {r["part"]: r for r in month_rows(study_of(), points, 0.95, rng())}
    assert (found["early"]["month_from"], found["early"]["month_to"]) == (early[0], early[-1])
    assert found["late"]["month_from"] == months[len(early)]


def study_of(n=40):
    return path_trial(rng(), n=n, months=2)[0]


def points_of(t, months=None, lacking=(), flat=()):
    """Return gaps with t statistics as given and independent scores."""
    n, found = 40, []
    for i, value in enumerate(t):
        scores = np.zeros((n, 1))
        scores[i] = 1.0
        estimate = Estimates(np.array([float(value)]), scores, np.array([200.0]))
        reason = "none" if i in lacking else "the same value" if i in flat else ""
        found.append(
            Point(
                month=months[i] if months is not None else i + 1,
                column=i,
                estimate=None if i in lacking else estimate,
                reason=reason,
                flat=i in flat,
                n=n,
                least=10,
                rows=np.ones(n, dtype=bool),
            )
        )
    return found


@pytest.mark.parametrize(
    ("t", "opens"),
    [
        ([0, 0, 9, 9], 3),
        ([9, 9, 9, 9], 1),
        ([-9, -9, 9, 9], 3),
        ([9, 0, 9, 9], 3),
        ([0, -9, -9, -9], 2),
        ([9, 9, 9, 0], None),
        ([0, 0, 0, 2.2], None),  # its own interval leaves out zero, the band does not
    ],
    ids=str,
)
def test_it_opens_where_the_band_leaves_zero_and_stays(t, opens):
    found = list(month_rows(study_of(), points_of(t), 0.95, rng()))[-1]
    assert found["part"] == "opens"
    assert found["unit"] == "month"
    assert found.get("estimate") == opens
    assert found["note"] == ("" if opens else note("gap_never"))


def test_a_month_without_an_estimate_is_named():
    found = {
        r["part"]: r
        for r in month_rows(study_of(), points_of([0, 9, 9, 9], lacking=[2]), 0.95, rng())
    }
    missing = note("month_missing", month=3)
    assert found["late"]["note"] == found["late-early"]["note"] == missing
    assert "estimate" not in found["late"]
    assert "estimate" in found["early"]
    assert found["opens"]["estimate"] == 2
    assert found["opens"]["note"] == missing


def test_a_month_in_which_all_are_alike_is_a_gap_of_zero():
    points = points_of([9, 9, 0, 9], flat=[2])
    found = {r["part"]: r for r in month_rows(study_of(), points, 0.95, rng())}
    assert found["opens"]["estimate"] == 4
    assert_allclose(found["late"]["estimate"], 4.5)
    assert_allclose(found["late"]["std_error"], 0.5)


def test_persons_who_are_lost_on_the_way_are_told():
    study, plan, _ = path_trial(rng(), months=8, lost=0.3)
    found = rows_of(study, plan)
    assert "persons by month" in found["late-early"]["note"]
    assert found["early"]["n_women"] == 70 > found["late"]["n_women"]


@pytest.mark.parametrize("genders", ["both", "women"])
def test_one_month_or_one_gender_says_so(genders):
    study, plan, _ = path_trial(rng(), months=2)
    if genders == "both":
        columns = {"y": plan.outcomes["y"].model_copy(update={"months": [0, 1]})}
        plan = plan.model_copy(update={"outcomes": columns})
    else:
        alone = plan.columns.model_copy(update={"gender": "women"})
        plan = plan.model_copy(update={"columns": alone})
    assert gaps_by_month(study, plan, "y") == {}
    (row,) = month_rows(study, [], 0.95, rng())
    assert row["note"] == note("gap_one_month")


def test_intervals_hold_the_truth_and_bands_do_not_open_for_nothing():
    """Women's effects are -0.3, then 0.5; men's are half of that."""
    held, opened = [], 0
    for seed in range(TRIALS):
        study, plan, truth = path_trial(np.random.default_rng(seed), n=100, months=4)
        found = rows_of(study, plan)
        gap = truth[GAP]
        expected = {"early": gap[:2].mean(), "late": gap[2:].mean()}
        expected["late-early"] = expected["late"] - expected["early"]
        held.append(
            [found[p]["conf_low"] <= v <= found[p]["conf_high"] for p, v in expected.items()]
        )
        alike = replace(study, y=study.y - np.outer(study.arm * study.groups["women"], gap))
        opened += "estimate" in rows_of(alike, plan)["opens"]
    assert (np.abs(np.mean(held, axis=0) - 0.95) < SLACK).all(), np.mean(held, axis=0)
    assert opened / TRIALS < 0.05 + SLACK
