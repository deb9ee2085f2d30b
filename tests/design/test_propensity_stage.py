"""Scores of every set and contrast, and the tables of overlap: as the pure functions say."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from without_lottery import drawn, plan_without_lottery, staged

from evaluate import schemas
from evaluate.covariates import Covariates
from evaluate.design.overlap import crump_alpha, histogram, inverse_weights
from evaluate.design.propensity import propensity
from evaluate.errors import DesignError
from evaluate.io import checked
from evaluate.propensities import propensities_of, table_of

LOGIT = {"model": "logit"}


def with_propensity(**choices):
    return {"propensity": LOGIT | choices}


def test_scores_are_those_of_the_pure_function_with_gender_among_the_covariates():
    parts = drawn()
    study, _, found = staged(parts)
    one = found.propensities["", "1"]
    x = np.column_stack([parts["x"], ~parts["women"]]).astype(float)
    names = ("x0", "x1", "x2", "men")
    want = propensity(
        Covariates(x, names, names), parts["arm"] == 1, "logit", fold=one.fold.T, seed=0
    )
    assert_allclose(one.score, want.score.T)
    assert one.fold.shape == (2, study.n)
    assert set(np.unique(one.fold)) == {0, 1, 2}
    assert one.model == "logit"
    checked(table_of(found.propensities), schemas.PROPENSITY, "propensity")
    again = propensities_of(table_of(found.propensities), study.n)["", "1"]
    assert_array_equal(again.score, one.score)
    assert_array_equal(again.kept, one.kept)


def test_a_lottery_has_no_propensities():
    _, _, found = staged(drawn(), design="randomised", analysis={})
    assert found.propensities == {}
    assert len(found.overlap) == 0


def test_the_seed_decides_and_a_set_has_its_own_folds():
    parts = drawn(p=3)
    outcomes = {
        "y0": {"column": "y0", "unit": "SEK"},
        "before": {"column": "x1", "unit": "SEK", "role": "placebo", "without": ["x1"]},
    }
    parts["y"] = np.column_stack([parts["y"], parts["x"][:, 1]])
    first, second = (staged(parts, outcomes=outcomes)[2] for _ in range(2))
    assert list(first.propensities) == [("", "1"), ("before", "1")]
    for key, one in first.propensities.items():
        assert_array_equal(one.score, second.propensities[key].score)
    own, other = first.propensities.values()
    assert (own.fold != other.fold).any()
    assert set(first.models["covariates"]) == {"", "before"}
    assert set(first.overlap["arm"]) == {"1"}
    assert len(first.overlap) == 6  # of the main set only


@pytest.mark.parametrize("estimand", ["att", "ate"])
def test_overlap_counts_who_is_outside_trimmed_clipped_and_worth(estimand):
    parts = drawn(slope=2.5, n=800)
    analysis = with_propensity(clip=0.3) | {"estimand": estimand}
    study, _, found = staged(parts, analysis)
    one = found.propensities["", "1"]
    score, treated = np.median(one.score, axis=0), parts["arm"] == 1
    alpha = crump_alpha(score, treated, estimand)
    low = alpha if estimand == "ate" else 0
    kept = (score >= low) & (score <= 1 - alpha)
    assert_array_equal(one.kept, kept)
    held = np.clip(score, 0.3 if estimand == "ate" else 0, 0.7)
    weight = inverse_weights(held, treated, estimand, keep=kept)
    table = checked(found.overlap, schemas.OVERLAP, "overlap").set_index(["group", "side"])
    for group, members in study.groups.items():
        inside = (score >= max(score[members & a].min() for a in (treated, ~treated))) & (
            score <= min(score[members & a].max() for a in (treated, ~treated))
        )
        for side, arm in (("treated", treated), ("control", ~treated)):
            here, row = members & arm, table.loc[group, side]
            assert row["n"] == here.sum()
            assert row["kept"] == (here & kept).sum()
            assert row["trimmed"] == (here & ~kept).sum()
            assert row["outside"] == (here & ~inside).sum()
            moved = (held != score) & kept & here & (~treated | (estimand == "ate"))
            assert row["clipped"] == moved.sum()
            w = weight[here & kept]
            assert_allclose(row["effective"], w.sum() ** 2 / (w**2).sum())
            assert_allclose(row["largest"], w.max() / w.sum())
    assert table["clipped"].sum() > 0
    bins = checked(found.histogram, schemas.PROPENSITY_HISTOGRAM, "histogram")
    want = histogram(score, treated, study.groups)
    assert_array_equal(bins["n"], want["n"])
    assert_allclose(bins.groupby(["group", "side"])["share"].sum(), 1)
    moved = checked(found.population, schemas.POPULATION, "population")
    row = moved[(moved["covariate"] == "x0") & (moved["group"] == "men")].iloc[0]
    of = study.groups["men"] & (treated | (estimand == "ate"))
    x = parts["x"][:, 0]
    assert_allclose(row["mean_before"], x[of].mean())
    assert_allclose(row["mean_after"], x[of & kept].mean())
    assert_allclose(row["difference"], (x[of & kept].mean() - x[of].mean()) / x[of].std())


def test_bounds_or_none_in_place_of_crumps():
    parts = drawn(slope=2.5, n=800)
    one = staged(parts, with_propensity(trim=[0.2, 0.7]))[2]
    score = one.propensities["", "1"].median
    assert_array_equal(one.propensities["", "1"].kept, (score >= 0.2) & (score <= 0.7))
    assert set(one.overlap["low"]) == {0.2}
    nobody = staged(parts, with_propensity(trim="none"))[2]
    assert nobody.propensities["", "1"].kept.all()
    assert len(nobody.population) == 0


def test_within_gender_each_has_a_model_of_its_own():
    parts = drawn(n=900)
    within = staged(parts, with_propensity(within_gender=True, trim="none"))[2]
    one, women = within.propensities["", "1"], parts["women"]
    names = ("x0", "x1", "x2")
    of_women = propensity(
        Covariates(parts["x"][women], names, names), parts["arm"][women] == 1, "logit",
        fold=one.fold.T[women],
    )  # fmt: skip
    assert_allclose(one.score[:, women], of_women.score.T)
    assert set(within.models["group"]) == {"all", "women", "men"}
    assert within.models["note"].str.contains("men left out|left out: men").all()


def test_a_gender_without_treated_is_fitted_with_the_other_and_the_table_says_so():
    parts = drawn(n=800)
    parts["arm"][parts["women"] & (np.arange(800) > 3)] = 0
    _, _, found = staged(parts, with_propensity(within_gender=True, trim="none"))
    assert found.models["note"].str.startswith("women and men fitted together: ").all()
    parts["arm"][parts["women"]] = 0
    _, _, found = staged(parts, with_propensity(within_gender=True, trim="none"))
    assert (
        found.models["note"].str.contains("nobody is treated of the 4.. persons among women").all()
    )
    overlap = found.overlap.set_index(["group", "side"])
    assert overlap.loc[("women", "treated"), "n"] == 0
    assert overlap.loc[("women", "control"), "note"].startswith("the two arms share no range")


def test_several_arms_have_every_contrast_and_those_in_neither_arm_no_score():
    parts = drawn(arms=3, n=900)
    _, _, found = staged(parts)
    assert list(found.propensities) == [("", "1"), ("", "2"), ("", "1-2")]
    one = found.propensities["", "1"]
    other = parts["arm"] == 2
    assert np.isnan(one.score[:, other]).all()
    assert (one.fold[:, other] == -1).all()
    assert not one.kept[other].any()
    assert np.isfinite(one.score[:, ~other]).all()


def test_clusters_stay_in_one_fold_and_weights_count():
    parts = drawn(n=900)
    cluster = np.arange(900) // 6
    study, _, found = staged(parts | {"cluster": cluster})
    fold = found.propensities["", "1"].fold
    for split in fold:
        assert (pd.Series(split).groupby(study.cluster).nunique() == 1).all()
    weight = np.where(parts["women"], 1.0, 3.0)
    plain = staged(parts)[2].propensities["", "1"]
    weighted = staged(parts | {"weight": weight}, columns={"weight": "w"})[2]
    assert (plain.score != weighted.propensities["", "1"].score).any()


def test_boosting_is_chosen_where_it_predicts_better():
    parts = drawn(n=1500, slope=0.0)
    x = parts["x"]
    chance = np.where((x[:, 0] > 0) ^ (x[:, 1] > 0), 0.85, 0.15)
    parts["arm"] = (np.random.default_rng(5).random(1500) < chance).astype(int)
    analysis = {"propensity": {"model": "selected"}, "cross_fitting": {"folds": 2, "splits": 1}}
    _, _, found = staged(parts, analysis)
    assert found.propensities["", "1"].model == "boosting"
    models = checked(found.models, schemas.PROPENSITY_MODELS, "models")
    of_all = models[models["group"] == "all"].set_index("model")
    assert of_all["chosen"].to_dict() == {"logit": False, "boosting": True}
    assert of_all.loc["boosting", "log_loss"] < of_all.loc["logit", "log_loss"]


def test_no_covariates_give_the_share_treated():
    parts = drawn() | {"x": np.empty((600, 0))}
    parts["women"] = None
    _, _, found = staged(parts, columns={"gender": None}, covariates=[])
    one = found.propensities["", "1"]
    assert one.kept.all()
    assert np.ptp(one.score) < 0.02


def test_one_gender_has_rows_of_its_own():
    parts = drawn() | {"women": None}
    _, _, found = staged(parts, columns={"gender": None})
    assert set(found.overlap["group"]) == {"all"}


def separated(parts):
    parts["x"][:, 2] = parts["arm"]


def nearly_wide(parts):
    parts["x"] = np.random.default_rng(1).normal(size=(600, 40))
    parts["arm"] = (np.arange(600) < 30).astype(int)


def mostly_missing(parts):
    parts["x"] = parts["x"].astype(float)
    parts["x"][:320, 0] = np.nan


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (separated, r"x2: of all \d+ treated above that of all \d+ compared"),
        (nearly_wide, r"41 covariate columns, and 30 treated and 570 compared"),
        (mostly_missing, r"missing for more than half of 600 persons: x0 \(320\)"),
    ],
)
def test_what_cannot_be_estimated_stops_with_the_covariate_and_the_numbers(spoil, message):
    parts = drawn()
    spoil(parts)
    with pytest.raises(DesignError, match=message) as error:
        staged(parts)
    assert str(error.value).startswith("covariates, arm `1` against `0`: ")


def test_no_overlap_stops_with_the_numbers():
    parts = drawn()
    with pytest.raises(DesignError, match=r"trimming to 0.999-1 leaves an arm empty: 0 of \d+"):
        staged(parts, with_propensity(trim=[0.999, 1.0]))


def test_a_set_of_one_outcome_that_fails_is_left_out_and_the_table_says_why():
    parts = drawn()
    parts["x"] = np.column_stack([parts["x"][:, :2], parts["arm"]])
    parts["y"] = np.column_stack([parts["y"], parts["y"]])
    outcomes = {
        "y0": {"column": "y0", "unit": "SEK", "role": "primary", "without": ["x2"]},
        "y1": {"column": "y1", "unit": "SEK", "role": "secondary", "without": ["x1"]},
    }
    _, _, found = staged(parts, outcomes=outcomes)
    assert list(found.propensities) == [("y0", "1")]
    row = found.models[found.models["covariates"] == "y1"].iloc[0]
    assert row["note"].startswith("not estimated: the covariates tell the ")
    assert "; " not in row["note"]
    assert np.isnan(row["log_loss"])


def test_persons_of_unknown_gender_have_scores_from_everybody():
    parts = drawn(n=900)
    study, _, _ = staged(parts)
    unknown = np.arange(900) < 15
    groups = study.groups | {
        "women": study.groups["women"] & ~unknown,
        "men": study.groups["men"] & ~unknown,
    }
    from dataclasses import replace

    from evaluate.design.propensity_stage import propensity_stage

    plan = plan_without_lottery(
        parts["y"], analysis=with_propensity(within_gender=True, trim="none")
    )
    found = propensity_stage(replace(study, groups=groups), plan, 7)
    one = found.propensities["", "1"]
    assert np.isfinite(one.score).all()
    assert found.models["note"].str.contains("15 persons of unknown gender").all()
