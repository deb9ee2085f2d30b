"""Doubly robust scores of a study: as the average effects, whatever the study lacks."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from simulate import arrays, draw_within, plan_of, study_from
from without_lottery import drawn, staged

from evaluate import schemas
from evaluate.effects.table import effects
from evaluate.heterogeneity.estimable import average
from evaluate.heterogeneity.nuisances import Treatment, person_scores
from evaluate.heterogeneity.nuisances import drawn as drawn_share
from evaluate.heterogeneity.scores import asked, cases_of, scores_of
from evaluate.heterogeneity.signals import NoSignals
from evaluate.io import read_parquet, write_parquet
from evaluate.notes import note
from evaluate.plan.columns import EXPOSED

from .simulated import averages, told

SAME = 1e-10  # the same folds, propensities and regressions
GROUPS = ("all", "women", "men", "women-men")


def cases(study, plan, seed=1):
    return cases_of(scores_of(study, plan, seed), study, plan)


def case_of(study, plan, seed=1):
    """Return the only case, which has scores."""
    (case,) = told(cases(study, plan, seed))
    return case


def rows_of(study, plan, estimator):
    table = effects(study, plan, np.random.default_rng(1)).table
    lead = table[(table["estimator"] == estimator) & (table["arm"] == "1")]
    return lead.set_index("group")[["estimate", "std_error"]]


def observational(splits=1, learner="linear", estimand="att", seed=1, **parts):
    crossed = {"folds": 3, "splits": splits, "learner": learner}
    analysis = {"estimators": ["aipw"], "estimand": estimand, "cross_fitting": crossed}
    study, plan, _ = staged(drawn(seed) | parts, analysis)
    return study, plan


def lottery(seed=1, n=400, gain=None, **extra):
    """Draw a lottery with a covariate that predicts, and a plan."""
    rng = np.random.default_rng(seed)
    x, women = rng.normal(size=(n, 2)), rng.random(n) < 0.5
    arm = rng.permutation(np.arange(n) % 2)
    effect = np.full(n, 0.5) if gain is None else gain(x)
    y = x[:, 0] + effect * arm + rng.normal(size=n)
    parts = {"y": y[:, None], "arm": arm, "women": women, "x": x} | extra
    return study_from(**parts), plan_of(parts["y"])


@pytest.mark.parametrize("estimand", ["att", "ate"])
@pytest.mark.parametrize("learner", ["linear", "selected"])
@pytest.mark.parametrize("binary", [False, True])
@pytest.mark.parametrize("weighted", [False, True])
def test_averages_are_the_doubly_robust_effects(estimand, learner, binary, weighted):
    parts = drawn(1)
    extra = {"weight": np.random.default_rng(2).uniform(0.5, 2, 600)} if weighted else {}
    if binary:
        extra["y"] = (parts["y"] > 0.5).astype(float)
    study, plan = observational(1, learner, estimand, **extra)
    expected = rows_of(study, plan, "aipw")
    found = averages(case_of(study, plan), GROUPS)
    for group in GROUPS:
        assert_allclose(found[group].value[0], expected.loc[group, "estimate"], rtol=SAME)
        assert_allclose(found[group].std_error[0], expected.loc[group, "std_error"], rtol=SAME)


@pytest.mark.parametrize("estimand", ["att", "ate"])
def test_probabilities_are_held_at_the_bounds_of_the_averages(estimand):
    analysis = {
        "estimators": ["aipw"],
        "estimand": estimand,
        "cross_fitting": {"folds": 3, "splits": 1},
        "propensity": {"model": "logit", "trim": "none", "clip": 0.3},
    }
    study, plan, _ = staged(drawn(1), analysis)
    expected, case = rows_of(study, plan, "aipw"), case_of(study, plan)
    score = case.treated - case.treatment_residual
    assert (score > 0.7).any()
    assert (score < 0.3).any()
    assert_allclose(case.average().value[0], expected.loc["all", "estimate"], rtol=SAME)


def test_over_several_splits_means_are_near_the_medians():
    study, plan = observational(3)
    expected = rows_of(study, plan, "aipw")
    found = averages(case_of(study, plan), GROUPS)
    for group in GROUPS:
        error = expected.loc[group, "std_error"]
        assert abs(found[group].value[0] - expected.loc[group, "estimate"]) < 0.25 * error
        assert found[group].std_error[0] == pytest.approx(error, rel=0.1)


def test_persons_in_several_rows_are_one_cluster():
    cluster = np.arange(600) // 2
    analysis = {"estimators": ["aipw"], "cross_fitting": {"folds": 3, "splits": 1}}
    study, plan, _ = staged(
        drawn(1) | {"cluster": cluster}, analysis, columns={"cluster": "person"}
    )
    expected = rows_of(study, plan, "aipw")
    case = case_of(study, plan)
    for group in ("all", "women"):
        one = average(case, case.groups[group])
        assert_allclose(one.value[0], expected.loc[group, "estimate"], rtol=SAME)
        assert_allclose(one.std_error[0], expected.loc[group, "std_error"], rtol=SAME)
        assert one.scores.shape == (300, 1)


@pytest.mark.parametrize("extra", ["", "weight", "block", "cluster"])
def test_of_a_lottery_they_are_near_lins_regression(extra):
    rng = np.random.default_rng(5)
    parts = {
        "": {},
        "weight": {"weight": rng.uniform(0.5, 2, 400)},
        "block": {"block": np.arange(400) % 3},
        "cluster": {"cluster": np.arange(400) // 2 // 4},
    }[extra]
    if extra == "cluster":
        parts["arm"] = rng.permutation(np.arange(50) % 2)[parts["cluster"]]
    study, _ = lottery(1, **parts)
    sections = {"columns": {"cluster": "c"}} if extra == "cluster" else {}
    plan = plan_of(study.y, analysis={"estimators": ["lin"]}, **sections)
    expected, found = rows_of(study, plan, "lin"), averages(case_of(study, plan), ["all"])["all"]
    error = expected.loc["all", "std_error"]
    assert abs(found.value[0] - expected.loc["all", "estimate"]) < 0.3 * error
    assert found.std_error[0] == pytest.approx(error, rel=0.15)


def test_blocks_are_levelled_where_they_are_large():
    """Outcomes differ by block far more than within: errors are those within blocks."""
    rng = np.random.default_rng(1)
    block = np.arange(600) % 4
    arm = draw_within(rng, block, np.array([0.2, 0.4, 0.5, 0.7]))
    y = 20.0 * block + arm + rng.normal(size=600)
    study = study_from(y[:, None], arm, block=block)
    found = case_of(
        study, plan_of(y[:, None], columns={"gender": None, "blocks": ["site"]})
    ).average()
    assert found.std_error[0] < 0.15
    assert found.covers(1.0, 0.9999)[0]


def test_arms_that_are_few_or_alone_in_their_blocks_are_told():
    study, plan = lottery(1, n=40, arm=(np.arange(40) < 3).astype(int))
    (case,) = cases(study, plan)
    assert isinstance(case, NoSignals)
    assert "3 treated and 37 comparison persons" in case.reason
    cluster = np.arange(40) // 8
    study, plan = lottery(1, n=40, cluster=cluster, arm=(cluster < 2).astype(int))
    (case,) = cases(study, plan)
    assert "2 treated and 3 comparison clusters" in case.reason
    block = np.arange(60) % 3
    arm = np.where(block == 2, 0, np.arange(60) // 3 % 2)
    study, plan = lottery(1, n=60, block=block, arm=arm)
    case = case_of(study, plan)
    assert case.notes == ("20 persons in blocks with one arm left out",)
    assert_array_equal(case.rows, block < 2)
    study, plan = lottery(1, n=60, block=np.arange(60) // 30, arm=np.arange(60) // 30)
    (case,) = cases(study, plan)
    assert note("no_block") in case.reason  # a note, so that the reports translate it


def test_an_arm_without_the_outcome_is_told_in_words_of_the_reports():
    y = np.where(np.arange(60) % 2, np.nan, np.arange(60.0))
    study, plan = lottery(1, n=60, y=y[:, None], arm=np.arange(60) % 2)
    (case,) = cases(study, plan)
    assert note("few") in case.reason


def test_more_covariates_than_persons_leave_means():
    rng = np.random.default_rng(1)
    study, plan = lottery(1, n=30, x=rng.normal(size=(30, 40)))
    case = case_of(study, plan)
    assert "covariates are too many" in case.notes[0]
    assert case.average().covers(0.5, 0.9999)[0]


def test_useless_covariates_do_not_cost_precision():
    """With 60 persons and 20 covariates of no use, regressions would only add noise."""
    found = []
    for seed in range(20):
        rng = np.random.default_rng(seed)
        arm, y = rng.permutation(np.arange(60) % 2), rng.normal(size=60)
        study = study_from(y[:, None], arm, x=rng.normal(size=(60, 20)))
        found.append(case_of(study, plan_of(y[:, None], columns={"gender": None})).average())
    assert np.mean([f.std_error[0] for f in found]) < 1.15 * 2 / np.sqrt(60)


def test_missing_outcomes_leave_persons_out():
    study, plan = lottery()
    study.y[:50] = np.nan
    case = case_of(study, plan)
    assert_array_equal(case.rows, np.arange(400) >= 50)
    assert_array_equal(case.y, study.y[50:, 0])


def test_every_arm_is_compared_with_control_but_for_those_exposed():
    parts = arrays(1, n=240, arms=3, outcomes=1)
    study, plan = study_from(**parts), plan_of(parts["y"])
    found = told(cases(study, plan))
    assert [c.arm for c in found] == ["1", "2"]
    for place, case in enumerate(found, start=1):
        assert set(study.arm[case.rows]) == {0, place}
        assert case.average().covers(place, 0.9999)[0]
    exposed = replace(study, arms=("0", "1", EXPOSED))
    assert [c.arm for c in cases(exposed, plan)] == ["1"]


def test_probabilities_are_the_shares_of_blocks_by_weight():
    parts = arrays(2, n=200, outcomes=1)
    study = study_from(**parts)
    rows, probability, _ = drawn_share(study, (1, 0), np.ones(200, dtype=bool))
    for b in range(3):
        here = parts["block"] == b
        share = np.average(parts["arm"][here], weights=parts["weight"][here])
        assert_allclose(probability[here[rows]], share)
    stated = replace(study, weight=None, share=np.where(parts["women"], 0.3, 0.6))
    assert_allclose(drawn_share(stated, (1, 0), rows)[1], stated.share)
    alike = replace(study, weight=None, share=np.full(200, 0.5))
    assert not (drawn_share(alike, (1, 0), rows)[1] == 0.5).all()  # shares of blocks
    weighted = replace(study, share=stated.share)  # the weights stand for it
    assert_allclose(drawn_share(weighted, (1, 0), rows)[1], probability)


def test_inverse_weights_for_a_probability_by_person_are_not_counted_twice():
    """Offers go to those who would work anyway: weights mend it, the shares must not again."""
    found = []
    for seed in range(60):
        rng = np.random.default_rng(seed)
        able = rng.random(400) < 0.5
        chance = np.where(able, 0.8, 0.2)
        arm = (rng.random(400) < chance).astype(int)
        y = 2.0 * able + 0.5 * arm + rng.normal(size=400)
        weight = np.where(arm == 1, 1 / chance, 1 / (1 - chance))
        study = replace(study_from(y[:, None], arm, weight=weight), share=chance)
        case = case_of(study, plan_of(y[:, None], columns={"gender": None, "weight": "w"}))
        found.append(case.average().value[0])
    assert abs(np.mean(found) - 0.5) < 4 * np.std(found) / np.sqrt(60)


def test_no_covariate_stands_for_gender():
    study, plan = lottery()
    men = study.groups["men"].astype(float)
    study = replace(study, covariates=study.covariates.assign(sex=men))
    case = case_of(study, plan)
    assert case.names == ("men", "x0", "x1")
    assert_array_equal(case.x[:, case.is_man][:, 0] == 1, study.groups["men"])


def test_missing_covariates_are_means_with_an_indicator():
    study, plan = lottery()
    study.covariates.loc[:49, "x0"] = np.nan
    case = case_of(study, plan)
    assert case.names == ("men", "x0", "x0 missing", "x1")
    assert_allclose(case.x[:50, 1], study.covariates["x0"].mean())


def test_the_file_gives_the_same_cases_in_every_run(tmp_path):
    parts = arrays(1, n=240, arms=3, outcomes=2)
    study, plan = study_from(**parts), plan_of(parts["y"])
    table = scores_of(study, plan, 3)
    pd.testing.assert_frame_equal(table, scores_of(study, plan, 3))
    path = tmp_path / "scores.parquet"
    write_parquet(table, path, schemas.PERSON_SCORES)
    read = read_parquet(path, schemas.PERSON_SCORES)
    for one, other in zip(cases_of(table, study, plan), cases_of(read, study, plan), strict=True):
        assert (one.outcome, one.arm) == (other.outcome, other.arm)
        assert_array_equal(one.signal, other.signal)
    assert not (table["signal"] == scores_of(study, plan, 4)["signal"]).all()


def test_a_month_stands_for_each_outcome_that_is_asked_for():
    outcomes = {
        "pay": {"columns": {3: "a", 6: "b"}, "unit": "SEK", "role": "secondary"},
        "work": {"column": "w", "unit": "share", "role": "primary"},
        "before": {"column": "p", "unit": "SEK", "role": "placebo"},
    }

    def names(**heterogeneity):
        analysis = {"heterogeneity": heterogeneity}
        plan = plan_of(np.zeros((4, 1)), outcomes=outcomes, analysis=analysis)
        return [column.name for _, column in asked(plan)]

    assert names() == ["work"]
    assert names(outcomes=["pay", "work"]) == ["pay@6", "work"]
    outcomes["work"]["role"] = "secondary"
    assert names() == ["pay@6"]
    del outcomes["pay"], outcomes["work"]
    assert names() == []


def test_a_single_split_is_enough_for_many_persons_unless_the_plan_says_so(monkeypatch):
    monkeypatch.setattr("evaluate.heterogeneity.scores.ENOUGH", 400)
    study, plan = lottery()
    single = plan_of(study.y, analysis={"cross_fitting": {"splits": 1}})
    five = plan_of(study.y, analysis={"cross_fitting": {"splits": 5}})
    assert_array_equal(case_of(study, plan).signal, case_of(study, single).signal)
    assert not (case_of(study, plan).signal == case_of(study, five).signal).all()


@pytest.mark.parametrize("learner", ["selected", "boosting"])
def test_a_lottery_without_covariates_compares_means(learner):
    y = np.random.default_rng(1).normal(size=2_000)
    treated = np.arange(2_000) % 2 == 0
    fold = (np.arange(2_000) // 2 % 2)[None, :]
    treatment = Treatment(treated, fold, np.full((1, 2_000), 0.5), "ate", by_lot=True)
    parts, notes = person_scores(y, np.empty((2_000, 0)), treatment, learner)
    assert not notes
    assert_allclose(parts["signal"].mean(), y[treated].mean() - y[~treated].mean(), rtol=1e-9)
