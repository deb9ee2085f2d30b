"""Truth: what the design chooses for matched pairs, and for triples, covers known effects."""

import numpy as np
import pytest
from simulate import plan_of, study_from

from evaluate.effects.table import effects

TRIALS = 500
LEVEL = 0.95
SLACK = 4 * np.sqrt(LEVEL * (1 - LEVEL) / TRIALS)  # 4 sd of Binomial(TRIALS, 0.95) / TRIALS
EFFECT = {"women": 2.0, "men": 1.0, "women-men": 1.0}
GROUPS = ("all", *EFFECT)

DESIGNS = {  # treated and control in each block, blocks, whether they mix women and men, lead
    "pairs of one gender": ((1, 1), 70, False, "ancova"),
    "pairs of any gender": ((1, 1), 70, True, "ancova"),
    "triples": ((1, 2), 50, False, "difference_in_means"),
}


def trial(rng, sizes, blocks, is_mixed):
    """Draw blocks that are alike in the outcome, which varies more among those offered."""
    each = sum(sizes)
    block = np.repeat(np.arange(blocks), each)
    arm = np.concatenate([rng.permutation(np.arange(each) < sizes[0]) for _ in range(blocks)])
    women = rng.random(len(block)) < 0.5 if is_mixed else block % 2 == 0
    x = rng.normal(size=(len(block), 2)) + [0, 0.5] * rng.normal(size=(blocks, 2))[block]
    gain = np.where(women, EFFECT["women"], EFFECT["men"])
    noise = np.where(arm, 2.0, 1.0) * rng.normal(size=len(block))
    y = 0.8 * (block % 5) + x @ [1.0, -0.5] + gain * arm + noise
    return study_from(y[:, None], arm.astype(int), women, x, block), gain.mean()


@pytest.fixture(scope="module", params=DESIGNS)
def found(request):
    """Return the lead, and by group errors, standard errors and what was covered."""
    sizes, blocks, is_mixed, lead = DESIGNS[request.param]
    rows = {group: [] for group in GROUPS}
    for sequence in np.random.SeedSequence(7).spawn(TRIALS):
        study, average = trial(np.random.default_rng(sequence), sizes, blocks, is_mixed)
        plan = plan_of(study.y, columns={"blocks": ["b"]}, covariates=["x0", "x1"])
        table = effects(study, plan).table
        assert table["estimator"].iloc[0] == lead
        for row in table[table["estimator"] == lead].itertuples():
            truth = average if row.group == "all" else EFFECT[row.group]
            covered = row.conf_low <= truth <= row.conf_high
            rows[row.group].append((row.estimate - truth, row.std_error, covered))
    return {group: np.array(r, dtype=float).T for group, r in rows.items()}


@pytest.mark.parametrize("group", GROUPS)
def test_intervals_of_the_default_cover_the_truth(found, group):
    error, std_error, covered = found[group]
    assert len(covered) == TRIALS
    assert np.isfinite(std_error).all()
    assert abs(covered.mean() - LEVEL) < SLACK
    assert abs(error.mean()) < 4 * error.std() / np.sqrt(TRIALS)


@pytest.mark.parametrize("group", GROUPS)
def test_standard_error_of_the_default_is_the_spread_over_trials(found, group):
    error, std_error, _ = found[group]
    slack = 4 / np.sqrt(2 * TRIALS)  # 4 sd of the spread of TRIALS normal draws
    assert abs(np.sqrt((std_error**2).mean()) / error.std() - 1) < slack


def test_named_regressions_of_triples_are_no_surer_than_they_should_be():
    sizes, blocks, is_mixed, _ = DESIGNS["triples"]
    covered = {group: [] for group in GROUPS}
    for sequence in np.random.SeedSequence(8).spawn(TRIALS):
        study, average = trial(np.random.default_rng(sequence), sizes, blocks, is_mixed)
        named = {"estimators": ["ancova"]}
        plan = plan_of(study.y, columns={"blocks": ["b"]}, covariates=["x0", "x1"], analysis=named)
        for row in effects(study, plan).table.itertuples():
            assert row.std_error_kind == "HC3"
            truth = average if row.group == "all" else EFFECT[row.group]
            covered[row.group].append(row.conf_low <= truth <= row.conf_high)
    for held in covered.values():
        assert LEVEL - SLACK / 2 < np.mean(held) < 0.99
