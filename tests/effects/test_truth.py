"""Truth: 95 per cent intervals cover known effects in 95 of 100 simulated trials."""

import numpy as np
import pytest
from simulate import draw_within, plan_of, study_from

from evaluate.effects.table import effects

TRIALS = 400
LEVEL = 0.95
SLACK = 4 * np.sqrt(LEVEL * (1 - LEVEL) / TRIALS)  # 4 sd of Binomial(TRIALS, 0.95) / TRIALS

SIZE = np.array([60, 60, 60, 80])  # persons by block, half of them women
SHARE = np.array([0.2, 0.35, 0.5, 0.75])  # offered, by block
LEVELS = np.array([0.0, 1.0, 2.0, 3.0])  # of the outcome without the offer, by block
COMPLIERS = 0.7  # take up the offer; without it nobody takes part
LATE = {"women": 3.0, "men": 1.0, "all": 2.0, "women-men": 2.0}
ITT = {group: COMPLIERS * effect for group, effect in LATE.items()}
GROUPS = tuple(LATE)

BLOCK = np.repeat(np.arange(4), SIZE)
WOMEN = np.arange(SIZE.sum()) % 2 == 0


def trial(rng):
    """Draw a trial within blocks whose shares and levels both rise; no-shows in the offer."""
    n = len(BLOCK)
    x = rng.normal(size=(n, 2))
    arm = draw_within(rng, BLOCK, SHARE)
    takeup = np.where(arm == 1, rng.random(n) < COMPLIERS, 0).astype(float)
    effect = np.where(WOMEN, LATE["women"], LATE["men"])
    spread = np.where(arm == 1, 2.0, 1.0)
    noise = spread * rng.normal(size=n)
    y = LEVELS[BLOCK] + x @ [1.0, -0.5] + effect * takeup + noise
    return study_from(y[:, None], arm, WOMEN, x, BLOCK, takeup=takeup)


def tables(estimators, seed, blocked=True, **analysis):
    """Return estimates, and whether intervals cover, by estimand, estimator and group."""
    found = {}
    for sequence in np.random.SeedSequence(seed).spawn(TRIALS):
        study = trial(np.random.default_rng(sequence))
        columns = {"takeup": {"column": "attended", "taken": 1}}
        if blocked:
            columns["blocks"] = ["site"]
        else:
            study = study_from(study.y, study.arm, WOMEN, study.covariates, takeup=study.takeup)
        plan = plan_of(study.y, columns=columns, analysis={"estimators": estimators} | analysis)
        for row in effects(study, plan).table.itertuples():
            truth = (LATE if row.estimand == "late" else ITT)[row.group]
            covered = row.conf_low <= truth <= row.conf_high
            key = (row.estimand, row.estimator, row.group)
            found.setdefault(key, []).append((row.estimate - truth, row.std_error, covered))
    return {key: np.array(rows, dtype=float).T for key, rows in found.items()}


@pytest.fixture(scope="module")
def lin_and_means():
    return tables(["lin", "difference_in_means"], seed=1)


@pytest.fixture(scope="module")
def unblocked():
    return tables(["difference_in_means"], seed=2, blocked=False)


CASES = [
    *((("itt", e, g)) for e in ("lin", "difference_in_means") for g in GROUPS),
    *((("late", "tsls", g)) for g in GROUPS),
]


@pytest.mark.parametrize("case", CASES, ids="-".join)
def test_interval_covers_the_truth_in_blocks_with_unequal_shares(lin_and_means, case):
    _, _, covered = lin_and_means[case]
    assert len(covered) == TRIALS
    assert abs(covered.mean() - LEVEL) < SLACK


@pytest.mark.parametrize("case", CASES, ids="-".join)
def test_estimates_centre_on_the_truth(lin_and_means, case):
    error, _, _ = lin_and_means[case]
    assert abs(error.mean()) < 4 * error.std() / np.sqrt(TRIALS)


@pytest.mark.parametrize("case", CASES, ids="-".join)
def test_standard_error_is_the_spread_over_trials(lin_and_means, case):
    error, std_error, _ = lin_and_means[case]
    # 4 sd of the standard deviation of TRIALS normal draws, relative to it
    slack = 4 / np.sqrt(2 * TRIALS)
    assert abs(np.sqrt((std_error**2).mean()) / error.std() - 1) < slack


@pytest.mark.parametrize("group", ["all", "women", "men"])
def test_pooling_unlike_blocks_is_biased_and_does_not_cover(unblocked, group):
    # more are offered where the level is higher: pooled, the level counts as effect
    offered = np.average(LEVELS, weights=SIZE * SHARE)
    rest = np.average(LEVELS, weights=SIZE * (1 - SHARE))
    error, _, covered = unblocked["itt", "difference_in_means", group]
    assert offered - rest > 0.8
    assert abs(error.mean() - (offered - rest)) < 4 * error.std() / np.sqrt(TRIALS)
    assert covered.mean() < LEVEL - SLACK
    assert unblocked["late", "tsls", group][2].mean() < LEVEL - SLACK


def test_adjusting_for_covariates_makes_intervals_shorter(lin_and_means):
    for group in GROUPS:
        adjusted = lin_and_means["itt", "lin", group][1].mean()
        assert adjusted < 0.95 * lin_and_means["itt", "difference_in_means", group][1].mean()
