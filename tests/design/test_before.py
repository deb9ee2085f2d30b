"""Baselines, months and days before the offer: alike in the arms, or warned of."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from simulate import plan_of, study_from

from evaluate import schemas
from evaluate.design.checks import design_checks, record_of
from evaluate.io import checked
from evaluate.plan.model import Plan

ANALYSIS = {"permutations": 499}
GROUPS = ["all", "women", "men"]


def trial(n=200, seed=1, **parts):
    rng = np.random.default_rng(seed)
    found = {
        "y": rng.normal(size=(n, 1)),
        "arm": rng.permutation(np.arange(n) % 2),
        "women": np.arange(n) % 4 < 2,
    }
    return rng, study_from(**(found | parts))


def checks_of(study, plan, record=None):
    table = design_checks(study, plan, np.random.default_rng(2), record)
    return checked(table, schemas.DESIGN_CHECKS, "checks").set_index(["check", "group"])


def with_baseline(study, before, **outcomes):
    """Return checks of a study whose outcome y0 has a baseline."""
    y0 = {"column": "y0", "baseline": "before", "unit": "share"}
    plan = plan_of(study.y, analysis=ANALYSIS, outcomes={"y0": y0} | outcomes)
    return checks_of(replace(study, baselines=pd.DataFrame({"y0": before})), plan)


def test_a_baseline_is_compared_for_all_women_and_men():
    rng, study = trial()
    before = np.where(rng.random(200) < 0.1, np.nan, rng.normal(50, 5, 200))
    found = with_baseline(study, before).loc["placebo:y0"]
    assert found.index.tolist() == GROUPS
    assert set(found["verdict"]) == {"pass"}
    means = [np.nanmean(before[study.arm == a]) for a in (0, 1)]
    assert found.loc["all", "text"] == (
        f"mean before the offer: {means[0]:.2f} in arm 0, {means[1]:.2f} in arm 1"
    )
    assert_allclose(found.loc["all", "statistic"], means[1] - means[0])


def test_a_baseline_that_differs_is_warned_of_where_it_does():
    rng, study = trial()
    women = study.groups["women"]
    before = rng.normal(size=200) + 1.5 * study.arm * women
    found = with_baseline(study, before).loc["placebo:y0"]
    assert found["verdict"].tolist() == ["warn", "warn", "pass"]


def test_a_difference_is_that_within_blocks():
    rng, _ = trial()
    block = np.repeat([0, 1], 100)
    arm = np.concatenate([rng.permutation(100) < 80, rng.permutation(100) < 20]).astype(int)
    before = 3.0 * block + rng.normal(size=200)
    row = with_baseline(trial(arm=arm, block=block)[1], before).loc[("placebo:y0", "all")]
    within = [before[(block == b) & (arm == 1)].mean() - before[(block == b) & (arm == 0)].mean()
              for b in (0, 1)]  # fmt: skip
    assert_allclose(row["statistic"], np.mean(within))
    assert row["verdict"] == "pass"


def test_a_share_before_the_offer_says_how_few_it_tells_of():
    _, study = trial()
    before = np.zeros(200)
    before[np.flatnonzero(study.arm == 1)[:3]] = 1
    before[np.flatnonzero(study.arm == 0)[:8]] = 1
    assert with_baseline(study, before).loc[("placebo:y0", "all"), "least"] == 3


def test_a_placebo_outcome_has_its_rows_among_the_effects():
    _, study = trial(y=np.random.default_rng(3).normal(size=(200, 2)))
    placebo = {"column": "before", "unit": "share", "role": "placebo"}
    found = with_baseline(study, study.y[:, 1], y1=placebo)
    assert "placebo:y0" not in found.index


def clusters(effect=1.0, seed=1, n=400, count=20):
    """Draw clusters of one size whose members are alike."""
    rng = np.random.default_rng(seed)
    cluster = np.repeat(np.arange(count), n // count)
    arm = rng.permutation(np.arange(count) % 2)[cluster]
    alike = effect * rng.normal(size=count)[cluster]
    return rng, study_from(
        np.zeros((n, 1)), arm, women=rng.random(n) < 0.5, cluster=cluster
    ), alike + rng.normal(size=n)  # fmt: skip


def test_clusters_that_differ_are_no_sign_of_a_faulty_lottery():
    """Persons taken one by one would warn in most trials, clusters in one of twenty."""
    warned = np.zeros(2)
    for seed in range(60):
        _, study, before = clusters(seed=seed)
        for i, drawn in enumerate((study, replace(study, cluster=None))):
            warned[i] += (
                with_baseline(drawn, before).loc[("placebo:y0", "all"), "verdict"] == "warn"
            )
    assert warned[0] <= 8  # of 60 at 5 per cent: 9 or more once in 450
    assert warned[1] > 25


def plan_with_months(study, **columns):
    data = {
        "participants": {"path": "p.csv"},
        "incomes": {"path": "i.csv", "extract_date": "2021-06-30", "coverage": "2015-01-01"},
    }
    outcomes = {"pay": {"incomes": "amount", "months": [-3, 2], "unit": "SEK"}}
    columns = {"person": "id", "offered": "day", "started": "start"} | columns
    return plan_of(study.y, analysis=ANALYSIS, data=data, outcomes=outcomes, columns=columns)


def test_months_before_the_offer_are_tested_at_once():
    rng, study = trial(y=np.random.default_rng(3).normal(size=(200, 6)))
    study.y[rng.random(200) < 0.2, 0] = np.nan
    found = checks_of(study, plan_with_months(study)).loc["placebo:pay"]
    assert found.index.tolist() == GROUPS
    assert found.loc["all", "text"] == "4 months before the offer at once"
    assert set(found["verdict"]) == {"pass"}
    study.y[:, 2] += 1.0 * study.arm  # month -1
    assert checks_of(study, plan_with_months(study)).loc[("placebo:pay", "all"), "p_value"] < 0.01


def test_months_before_the_start_may_be_after_the_offer():
    _, study = trial(y=np.random.default_rng(3).normal(size=(200, 6)))
    assert "placebo:pay" not in checks_of(study, plan_with_months(study, time_zero="started")).index


def offered_on(day, start=None):
    zero = np.datetime64("2020-03-02")
    found = {"lottery.offered": zero + day.astype("timedelta64[D]"), "arm": "0"}
    if start is not None:
        missing = np.isnan(start)
        started = zero + np.where(missing, 0, start).astype("timedelta64[D]")
        found["lottery.started"] = np.where(missing, np.datetime64("NaT"), started)
    return record_of(pd.DataFrame(found))


def test_offers_on_other_days_than_controls_are_warned_of():
    rng, study = trial()
    day = rng.integers(0, 60, 200)
    plan = plan_of(study.y, analysis=ANALYSIS)
    row = checks_of(study, plan, offered_on(day)).loc[("offer_day", "all")]
    assert row["verdict"] == "pass"
    late = day + 20 * study.arm
    row = checks_of(study, plan, offered_on(late)).loc[("offer_day", "all")]
    assert row["verdict"] == "warn"
    difference = late[study.arm == 1].mean() - late[study.arm == 0].mean()
    assert row["text"] == (
        f"day of the offer {difference:.2f} days later for those offered than for control, within "
        f"blocks; at most {np.ptp(late)} days between the first and the last offer of a block"
    )


def test_one_day_of_the_offer_in_each_block_needs_no_test():
    block = np.repeat([0, 1], 100)
    _, study = trial(block=block)
    found = checks_of(study, plan_of(study.y, analysis=ANALYSIS), offered_on(30 * block))
    row = found.loc[("offer_day", "all")]
    assert (row["verdict"], row["text"]) == ("pass", "one day of the offer in each block")
    assert pd.isna(row["p_value"])


def test_starts_before_the_offer_are_counted_by_arm():
    _, study = trial()
    start = np.full(200, np.nan)
    start[study.arm == 1] = 30
    start[np.flatnonzero(study.arm == 1)[:12]] = -4
    plan = plan_of(study.y, analysis=ANALYSIS)
    row = checks_of(study, plan, offered_on(np.zeros(200), start)).loc[
        ("start_before_offer", "all")
    ]
    assert row["text"] == "started before the offer: 0.000 in arm 0, 0.120 in arm 1"
    assert row["verdict"] == "warn"
    assert row["least"] == 12
    start[start < 0] = 3
    row = checks_of(study, plan, offered_on(np.zeros(200), start)).loc[
        ("start_before_offer", "all")
    ]
    assert row["verdict"] == "pass"


@pytest.mark.parametrize("gender", ["women", "men"])
def test_an_arm_without_women_is_said(gender):
    rng, study = trial()
    members = study.groups[gender]
    some = replace(study, arm=np.where(members, 0, study.arm))
    found = with_baseline(some, rng.normal(size=200)).loc["placebo:y0"]
    assert found.loc[gender, "verdict"] == "not assessed"
    assert found.loc[gender, "text"] == "only one arm has persons"


def test_the_plan_of_the_tests_is_one():
    assert isinstance(plan_with_months(trial(y=np.zeros((200, 6)))[1]), Plan)
