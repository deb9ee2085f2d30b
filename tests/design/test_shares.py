"""The numbers assigned against the lottery as recorded: by cluster, by cell, by probability."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from scipy import stats
from simulate import plan_of, study_from

from evaluate import schemas
from evaluate.design.checks import design_checks
from evaluate.io import checked
from evaluate.report.words import Words

FEW = {"permutations": 99}


def trial(n=200, clusters=40, blocks=2, seed=1):
    """Draw clusters of unequal sizes, half of each block's to the offer."""
    rng = np.random.default_rng(seed)
    cluster = np.append(np.arange(clusters), rng.integers(0, clusters, n - clusters))
    block = np.arange(clusters) % blocks
    arm = np.empty(clusters, dtype=int)
    for b in range(blocks):
        arm[block == b] = rng.permutation(np.arange((block == b).sum()) % 2)
    return {
        "y": rng.normal(size=(n, 1)),
        "arm": arm[cluster],
        "women": rng.random(n) < 0.5,
        "block": block[cluster],
        "cluster": cluster,
    }


def checks_of(study, record=None, **sections):
    plan = plan_of(study.y, **({"analysis": FEW} | sections))
    found = design_checks(study, plan, np.random.default_rng(1), record)
    return checked(found, schemas.DESIGN_CHECKS, "checks").set_index(["check", "group"])


def test_clusters_are_counted_where_they_were_assigned():
    parts = trial()
    parts["arm"][parts["cluster"] < 4] = 1  # 22 or so of 40
    found = checks_of(study_from(**parts), assignment={"share": 0.4})
    treated = len(np.unique(parts["cluster"][parts["arm"] == 1]))
    row = found.loc[("sample_ratio", "all")]
    assert_allclose(row["statistic"], treated / 40)
    assert_allclose(row["p_value"], stats.binomtest(treated, 40, 0.4).pvalue)
    # Numbers of women and men follow from the clusters': their shares are compared by drawing.
    groups = found.loc["sample_ratio"].index.tolist()
    assert groups == ["all", "0", "1"]
    in_block = parts["block"] == 0
    count = len(np.unique(parts["cluster"][in_block & (parts["arm"] == 1)]))
    assert_allclose(found.loc[("sample_ratio", "0"), "statistic"], count / 20)


def test_probabilities_of_clusters_are_tested_by_cluster():
    parts = trial()
    study = replace(study_from(**parts), share=np.where(parts["block"] == 0, 0.5, 0.25))
    row = checks_of(study, assignment={"column": "p"}).loc[("sample_ratio", "all")]
    z = (20 - 15) / np.sqrt(20 * 0.25 + 20 * 0.1875)
    assert_allclose(row["p_value"], 2 * stats.norm.sf(z))


def test_a_person_in_two_waves_was_drawn_twice():
    wave = np.repeat([0, 1], 50)
    person = np.append(np.arange(50), np.arange(20, 70))
    arm = np.random.default_rng(1).permutation(np.arange(100) % 2)
    study = study_from(np.zeros((100, 1)), arm, block=wave, cluster=person)
    assert study.drawn is None
    assert study.units == 70
    row = checks_of(study, assignment={"share": 0.5}).loc[("sample_ratio", "all")]
    assert row["p_value"] == 1


def test_a_cluster_in_two_waves_was_drawn_twice():
    wave, cluster = np.repeat([0, 1], 8), np.tile(np.arange(8) // 2, 2)
    arm = np.array([0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0])
    study = study_from(np.zeros((16, 1)), arm, block=wave, cluster=cluster)
    assert study.drawn.tolist() == [0, 0, 2, 2, 4, 4, 6, 6, 1, 1, 3, 3, 5, 5, 7, 7]
    row = checks_of(study, assignment={"share": 0.5}).loc[("sample_ratio", "all")]
    assert_allclose(row["p_value"], 1)
    assert checks_of(study).loc[("assignments", "all"), "text"] == (
        "clusters: 4 in arm 0, 4 in arm 1; 36 assignments possible"
    )


def record_of(cell, places, eligible):
    return pd.DataFrame(
        {"cell": cell, "probability": places / eligible, "places": places, "eligible": eligible}
    )


def in_cells(offered=(10, 10), n=(40, 40)):
    cell = np.repeat([0, 1], n)
    arm = np.concatenate([np.repeat([1, 0], [k, m - k]) for k, m in zip(offered, n, strict=True)])
    study = study_from(np.zeros((len(arm), 1)), arm, block=cell)
    return study, np.array(["site=a", "site=b"])[cell]


def test_as_many_offers_as_places_agree():
    study, cell = in_cells()
    found = checks_of(study, record_of(cell, np.full(80, 10.0), np.full(80, 40.0))).loc["places"]
    assert_allclose(found["p_value"], 1)
    assert found["text"].tolist() == [
        "0 of 2 cells of the lottery with another number of offers than places",
        "share assigned 0.250, by the places 0.250",
        "share assigned 0.250, by the places 0.250",
    ]
    assert set(found["verdict"]) == {"pass"}


def test_one_offer_more_than_places_is_no_chance_where_all_are_there():
    study, cell = in_cells(offered=(11, 10))
    found = checks_of(study, record_of(cell, np.full(80, 10.0), np.full(80, 40.0))).loc["places"]
    assert_allclose(found["p_value"], [0, 0, 1])
    assert found["verdict"].tolist() == ["warn", "warn", "pass"]


@pytest.mark.parametrize(("offered", "n", "drawn", "eligible"), [(4, 40, 10, 60), (9, 30, 20, 90)])
def test_of_those_left_the_number_offered_is_hypergeometric(offered, n, drawn, eligible):
    study, cell = in_cells(offered=(offered, 5), n=(n, 20))
    first = cell == "site=a"
    places, lottery = np.where(first, drawn, 5.0), np.where(first, eligible, 20.0)
    found = checks_of(study, record_of(cell, places, lottery)).loc["places"]
    gone = (drawn - offered, eligible - drawn - (n - offered))
    oracle = stats.fisher_exact([[offered, n - offered], gone]).pvalue
    assert_allclose(found.loc["site=a", "p_value"], oracle)
    assert_allclose(found.loc["all", "p_value"], min(1, 2 * oracle))


def test_one_cell_has_one_row():
    study, _ = in_cells()
    record = record_of(np.full(80, ""), np.full(80, 20.0), np.full(80, 80.0))
    assert checks_of(study, record).loc["places"].index.tolist() == ["all"]


def test_the_stated_probability_is_held_against_the_rule():
    study, cell = in_cells()
    stated = np.full(80, 0.25)
    stated[:3] = 0.4
    record = record_of(cell, np.full(80, 10.0), np.full(80, 40.0))
    row = checks_of(
        replace(study, share=stated), record, assignment={"column": "p", "rule": {"places": "n"}}
    ).loc[("probability_by_rule", "all")]
    assert row["verdict"] == "warn"
    assert row["least"] == 3
    assert row["text"].endswith("differ by at most 0.150; by more than 0.001 for 3 persons")
    stated[1:3] = 0.25
    assignment = {"column": "p", "rule": {"places": "n"}}
    row = checks_of(replace(study, share=stated), record, assignment=assignment)
    text = row.loc[("probability_by_rule", "all"), "text"]
    assert text.endswith("by more than 0.001 for 1 person")
    assert Words("en").finding(text).endswith("by more than 0.001 for 1 person")
    assert Words("sv").finding(text).endswith("med mer än 0,001 för 1 person")


def test_other_probabilities_within_a_block_are_warned_of_unless_weighted():
    study, _ = in_cells()
    share = np.where(np.arange(80) % 40 < 20, 0.5, 0.2)
    assignment = {"column": "p"}
    name = ("probability_within_blocks", "all")
    same = checks_of(replace(study, share=np.full(80, 0.25)), assignment=assignment).loc[name]
    assert same["verdict"] == "pass"
    differ = checks_of(replace(study, share=share), assignment=assignment).loc[name]
    assert differ["verdict"] == "warn"
    assert_allclose(differ["statistic"], 0.3)
    assert "differs within 2 of 2 blocks, by at most 0.300: blocks must be" in differ["text"]
    inverse = 1 / np.where(study.arm > 0, share, 1 - share)
    for weight, verdict in ((inverse * 7, "pass"), (np.ones(80), "warn")):
        weighted = replace(study, share=share, weight=weight)
        found = checks_of(weighted, assignment=assignment, columns={"weight": "w"}).loc[name]
        assert found["verdict"] == verdict


def test_few_assignments_find_nothing():
    """Of 3 against 3 clusters 20 assignments are mirror images in pairs: p is 0.1 at least."""
    for counts, number, verdict in (
        ((3, 3), 20, "warn"),
        ((2, 5), 21, "pass"),
        ((1, 20), 21, "warn"),
    ):
        arm = np.repeat(np.repeat([0, 1], counts), 2)
        cluster = np.repeat(np.arange(sum(counts)), 2)
        study = study_from(np.zeros((len(arm), 1)), arm, cluster=cluster)
        row = checks_of(study).loc[("assignments", "all")]
        assert row["text"] == (
            f"clusters: {counts[0]} in arm 0, {counts[1]} in arm 1; {number} assignments possible"
        )
        assert row["verdict"] == verdict
        assert row["least"] == 2 * min(counts)


def test_many_assignments_of_persons_need_not_be_told():
    study = study_from(**{k: v for k, v in trial().items() if k != "cluster"})
    assert "assignments" not in checks_of(study).index
    found = checks_of(study_from(**trial())).loc[("assignments", "all")]
    assert found["text"].endswith("more than 1,000,000 assignments possible")


def test_blocks_without_an_arm_are_counted():
    parts = {k: v for k, v in trial(blocks=1).items() if k != "cluster"}
    parts["block"] = np.repeat([0, 1, 2], [150, 44, 6])
    parts["arm"][parts["block"] == 2] = 1
    found = checks_of(study_from(**parts)).loc["blocks"]
    assert found.loc["all", "text"].startswith("1 of 3 blocks lack an arm: 6 persons")
    assert found.loc["all", "least"] == 6
    assert found.loc["all", "verdict"] == "warn"
    assert set(found.index) == {"all", "women", "men"}


def test_shares_by_gender_are_compared_within_blocks():
    """Women are in the block where few are offered: the shares differ, and the lottery is sound."""
    rng = np.random.default_rng(1)
    block = np.repeat([0, 1], 200)
    arm = np.concatenate(
        [rng.permutation(np.arange(200) < 40), rng.permutation(np.arange(200) < 160)]
    )
    women = rng.random(400) < np.where(block == 0, 0.8, 0.2)
    parts = {"y": np.zeros((400, 1)), "arm": arm.astype(int), "women": women}
    pooled = checks_of(study_from(**parts)).loc[("share_by_gender", "women-men")]
    row = checks_of(study_from(**parts, block=block)).loc[("share_by_gender", "women-men")]
    assert pooled["verdict"] == "warn"
    assert row["verdict"] == "pass"
    assert_allclose(row["statistic"], arm[women].mean() - arm[~women].mean())


def test_shares_by_gender_that_no_draw_could_change_are_not_tested():
    pairs = np.arange(40) // 2
    arm, women = np.arange(40) % 2, pairs % 2 == 0  # pairs of one gender
    row = checks_of(study_from(np.zeros((40, 1)), arm, women, block=pairs))
    row = row.loc[("share_by_gender", "women-men")]
    assert row["verdict"] == "not assessed"
    assert pd.isna(row["p_value"])
    assert row["text"].endswith("no draw within blocks would give other shares")
    assert "Not tested" in Words("en").finding(row["text"])
    sites = np.arange(40) // 20
    arm[sites == 1] = 0  # women are where nobody is offered
    row = checks_of(study_from(np.zeros((40, 1)), arm, sites == 1, block=sites))
    assert row.loc[("share_by_gender", "women-men"), "verdict"] == "not assessed"
    mixed = pairs % 2 == np.arange(40) % 2
    row = checks_of(study_from(np.zeros((40, 1)), np.arange(40) % 2, mixed, block=pairs))
    assert row.loc[("share_by_gender", "women-men"), "verdict"] != "not assessed"


def test_clusters_of_one_composition_leave_nothing_to_test():
    cluster = np.arange(40) // 4
    women = np.arange(40) % 2 == 0  # two in each
    row = checks_of(study_from(np.zeros((40, 1)), (cluster % 2), women, cluster=cluster))
    assert row.loc[("share_by_gender", "women-men"), "verdict"] == "not assessed"


def test_one_possible_assignment_is_told_in_the_singular():
    block = np.repeat([0, 1], 6)
    row = checks_of(study_from(np.zeros((12, 1)), block, block=block)).loc[("assignments", "all")]
    assert row["text"] == "persons: 6 in arm 0, 6 in arm 1; 1 assignment possible"
    assert row["verdict"] == "warn"
    assert Words("sv").finding(row["text"]).endswith("1 möjlig fördelning")
