"""Outcomes missing by arm, for all, women and men, drawn anew as they were assigned."""

import numpy as np
from numpy.testing import assert_allclose
from simulate import plan_of, study_from

from evaluate import schemas
from evaluate.design.checks import design_checks
from evaluate.io import checked

ANALYSIS = {"permutations": 499}


def trial(n=400, seed=1, **parts):
    rng = np.random.default_rng(seed)
    found = {
        "y": rng.normal(size=(n, 2)),
        "arm": rng.permutation(np.arange(n) % 2),
        "women": np.arange(n) % 4 < 2,
    }
    return rng, found | parts


def checks_of(parts):
    plan = plan_of(parts["y"], analysis=ANALYSIS)
    found = design_checks(study_from(**parts), plan, np.random.default_rng(2))
    return checked(found, schemas.DESIGN_CHECKS, "checks").set_index(["check", "group"])


def test_missing_outcomes_are_compared_among_women_and_among_men():
    rng, parts = trial()
    gone = parts["women"] & (parts["arm"] == 1) & (rng.random(400) < 0.3)
    parts["y"][gone, 0] = np.nan
    found = checks_of(parts)
    assert found.loc["attrition:y0", "verdict"].to_dict() == {"all": "warn", "women": "warn"}
    assert "attrition:y1" not in found.index
    row = found.loc[("attrition:y0", "women")]
    share = gone[parts["women"] & (parts["arm"] == 1)].mean()
    assert_allclose(row["statistic"], share)
    assert row["text"] == f"outcome missing: 0.000 in arm 0, {share:.3f} in arm 1"
    assert row["least"] == gone.sum()


def test_an_outcome_that_a_whole_arm_lacks_is_said():
    _, parts = trial(n=12)
    parts["y"][parts["arm"] == 1, 0] = np.nan
    found = checks_of(parts).loc["attrition:y0"]
    assert set(found["verdict"]) == {"warn"}  # whatever the p-value of a few
    assert found.loc["all", "text"] == (
        "nobody in arm 1 has the outcome; missing: 0.000 in arm 0, 1.000 in arm 1"
    )


def test_one_gender_has_the_rows_of_all():
    _, parts = trial(women=np.ones(400, dtype=bool))
    parts["y"][::7, 0] = np.nan
    found = checks_of(parts).loc["attrition:y0"]
    assert found.index.tolist() == ["all", "women"]
    assert found.loc["all", "p_value"] == found.loc["women", "p_value"]


def test_clusters_that_lack_an_outcome_together_are_drawn_together():
    cluster = np.repeat(np.arange(20), 20)
    arm = np.random.default_rng(5).permutation(np.arange(20) % 2)
    _, parts = trial(arm=arm[cluster], cluster=cluster)
    some = np.flatnonzero(arm == 1)[:3]
    parts["y"][np.isin(cluster, some), 0] = np.nan
    row = checks_of(parts).loc[("attrition:y0", "all")]
    # Three of ten clusters in one arm and none in the other: 2 x C(10, 3) / C(20, 3).
    assert_allclose(row["p_value"], 2 * 120 / 1140, atol=4 * np.sqrt(0.21 * 0.79 / 499))
    alone = checks_of({k: v for k, v in parts.items() if k != "cluster"})
    assert alone.loc[("attrition:y0", "all"), "p_value"] < 0.01
