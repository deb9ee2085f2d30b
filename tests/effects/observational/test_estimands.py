"""The wired estimators: the pure functions' numbers, by group, and what is said of them."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose

from evaluate.design.propensity_models import fit_logit, regressors
from evaluate.effects.adjustment import difference_in_means
from evaluate.effects.fit import covariates_for
from evaluate.effects.groups import fits_by_group
from evaluate.effects.observational.abadie_imbens import matched_effects
from evaluate.effects.observational.aipw import aipw
from evaluate.effects.observational.doubt import reason
from evaluate.effects.observational.entropy_balancing import entropy_balancing
from evaluate.effects.observational.matching import match
from evaluate.effects.observational.regression import (
    interacted_regression,
    regression_coefficient,
)
from evaluate.effects.observational.weighting import ipw
from evaluate.effects.table import effects
from evaluate.notes import note

from .programmes import BOTH, plan_of, scored, study_from

ESTIMATORS = ["aipw", "matching", "entropy_balancing", "ipw", "regression", "lin"]
ALL = [*ESTIMATORS, "difference_in_means"]
LINEAR = {"learner": "linear"}
each = pytest.mark.parametrize("estimator", ESTIMATORS)
each_estimand = pytest.mark.parametrize("estimand", ["att", "ate"])
RTOL = 1e-9  # the same sums in another order


def drawn(seed=1, n=600, arms=2, strength=0.6):
    """Draw persons who choose an arm; women gain 2 by it and men 1."""
    rng = np.random.default_rng(seed)
    x = np.column_stack([rng.normal(size=n).round(2), rng.normal(size=n).round(2)])
    women = rng.random(n) < 0.5
    utility = np.outer(strength * x.sum(axis=1) - 0.3 * women - 0.3, np.arange(arms))
    arm = np.argmax(utility + rng.gumbel(size=(n, arms)), axis=1)
    gain = (arm > 0) * (1.0 + women)
    y = np.column_stack([x.sum(axis=1) + gain + rng.normal(size=n) for _ in range(2)])
    return y, arm, x, women


def case(seed=1, analysis=None, n=600, arms=2, **options):
    y, arm, x, women = drawn(seed, n, arms)
    chosen = {"cross_fitting": LINEAR, "estimators": ALL, "propensity": {"trim": "none"}}
    plan = plan_of(
        {"u": "primary", "v": "primary"}, ["a", "b"], BOTH,
        options.pop("columns", None), **(chosen | (analysis or {})),
    )  # fmt: skip
    study = study_from(y, arm, x, ["a", "b"], women, arms=arms, **options)
    return scored(study, plan), plan


def fits(study, plan, estimator):
    observed = np.isfinite(study.y).all(axis=1)
    covariates = covariates_for(study, "", [])
    return fits_by_group(study, plan, estimator, np.nan_to_num(study.y), observed, covariates)


def pure(study, plan, estimator, group):
    """Return the estimates of a group from the functions of arrays."""
    rows, estimand = study.groups[group], plan.analysis.estimand
    x = study.covariates.to_numpy()[rows]
    if group == "all":
        x = np.column_stack([x, study.groups["men"]])
    y, treated, kind = study.y[rows], study.arm[rows] == 1, plan.std_error_of(estimator)
    clip = (0.01 if estimand == "ate" else 0, 0.99)
    if estimator in ("ipw", "matching"):
        smaller = min(treated.sum(), (~treated).sum())
        design, _ = regressors(x, smaller)
        score = fit_logit(design, treated, np.ones(len(y))).score
        if estimator == "ipw":
            one = ipw(y, treated, score, estimand, None, design, clip)
            known = ipw(y, treated, score, estimand, None, None, clip).effects
            worth = one.effective[1] if estimand == "att" else min(one.effective)
            most = (~treated).sum() if estimand == "att" else smaller
            if worth >= {"att": 0.4, "ate": 0.8}[estimand] * most:
                return one.effects
            bigger = known.variance > one.effects.variance
            return replace(one.effects, scores=np.where(bigger, known.scores, one.effects.scores))
        return matched_effects(y, match(treated, score[:, None], "score", estimand), x)
    if estimator == "entropy_balancing":
        return entropy_balancing(y, treated, x, estimand).effects
    if estimator == "regression":
        return regression_coefficient(y, treated, x, kind=kind)
    return interacted_regression(y, treated, x, estimand, kind=kind)


@each_estimand
@each
def test_the_table_has_the_numbers_of_the_pure_functions(estimator, estimand):
    study, plan = case(analysis={"estimand": estimand})
    found = fits(study, plan, estimator)
    if estimator == "aipw":
        own = study.propensities["", "1"]
        x = np.column_stack([study.covariates, study.groups["men"]])
        groups = list(study.groups.values())
        treated = study.arm == 1
        crossed = aipw(study.y, treated, x, own.fold, own.score, estimand, groups, "logistic")
        want = dict(zip(study.groups, crossed.effects, strict=True))
    else:
        want = {g: pure(study, plan, estimator, g) for g in study.groups}
    for group, one in want.items():
        fit = found[group, (1, 0)]
        assert_allclose(fit.effects.value, one.value, rtol=RTOL)
        assert_allclose(fit.effects.std_error, one.std_error, rtol=RTOL)
        assert_allclose(fit.effects.df, one.df)
        outside = ~study.groups[group]
        assert not fit.rows[outside].any()
        assert (fit.effects.scores[outside] == 0).all()
    gap = found["women-men", (1, 0)].effects
    assert_allclose(gap.value, want["women"].value - want["men"].value, rtol=RTOL)
    errors = np.hypot(want["women"].std_error, want["men"].std_error)
    assert_allclose(gap.std_error, errors, rtol=RTOL)


def test_the_raw_difference_is_of_all_and_says_so():
    study, plan = case(analysis={"propensity": {"trim": "crump"}})
    own = study.propensities["", "1"]
    study = replace(
        study, propensities={("", "1"): replace(own, kept=own.kept & (study.y[:, 0] > 0))}
    )
    table = effects(study, plan).table.query("outcome == 'u' and group == 'all'")
    row = table.set_index("estimator").loc["difference_in_means"]
    want = difference_in_means(study.y[:, :1], study.arm, (1, 0))
    assert_allclose(row["estimate"], want.value[0])
    assert (row["n"], row["estimand"]) == (study.n, "att")
    assert row["note"] == note("raw")
    others = table[table["estimator"].isin(ESTIMATORS)]
    assert (others["n"] < study.n).all()
    assert others["note"].str.contains("left out by trimming: ").all()


@each
def test_the_order_of_persons_does_not_matter(estimator):
    study, plan = case(2, n=300)
    order = np.random.default_rng(4).permutation(study.n)
    own = study.propensities["", "1"]
    shuffled = replace(
        study,
        arm=study.arm[order],
        y=study.y[order],
        covariates=study.covariates.iloc[order].reset_index(drop=True),
        groups={g: m[order] for g, m in study.groups.items()},
        propensities={
            ("", "1"): replace(
                own, fold=own.fold[:, order], score=own.score[:, order], kept=own.kept[order]
            )
        },
    )
    one, other = fits(study, plan, estimator), fits(shuffled, plan, estimator)
    for key, fit in one.items():
        assert_allclose(other[key].effects.value, fit.effects.value, rtol=1e-7, atol=1e-9)
        assert_allclose(other[key].effects.std_error, fit.effects.std_error, rtol=1e-7)


@pytest.mark.parametrize("estimator", [e for e in ESTIMATORS if e != "matching"])
def test_a_person_with_weight_two_counts_as_two(estimator):
    """Matching counts persons, not weights, when it looks for a number of neighbours."""
    y, arm, x, women = drawn(5, 400)
    weight = np.where(np.arange(400) % 3 == 0, 2.0, 1.0)
    copies = np.repeat(np.arange(400), weight.astype(int))
    plan = case()[1]
    once = study_from(y, arm, x, ["a", "b"], women, weight)
    own = scored(once, plan).propensities["", "1"]
    twice = study_from(y[copies], arm[copies], x[copies], ["a", "b"], women[copies])
    spread = replace(
        own, fold=own.fold[:, copies], score=own.score[:, copies], kept=own.kept[copies]
    )
    # knots and standard deviations of the logit are of persons, so the plain scores serve
    one = replace(once, propensities={("", "1"): replace(own, model="boosting")})
    two = replace(twice, propensities={("", "1"): replace(spread, model="boosting")})
    for key, fit in fits(one, plan, estimator).items():
        assert_allclose(fits(two, plan, estimator)[key].effects.value, fit.effects.value, rtol=1e-6)


@each
def test_every_arm_has_its_contrasts(estimator):
    study, plan = case(3, arms=3, n=900)
    found = fits(study, plan, estimator)
    assert {c for _, c in found} == {(1, 0), (2, 0), (1, 2)}
    for contrast in study.contrasts:
        fit = found["all", contrast]
        assert fit.effects is not None
        assert set(study.arm[fit.rows]) == set(contrast)
        error = fit.effects.value - (0.0 if contrast[1] else 1.5)
        assert (np.abs(error) < 5 * fit.effects.std_error).all()


@each
def test_who_lacks_the_outcome_is_left_out(estimator):
    study, plan = case(6)
    y = study.y.copy()
    y[::7] = np.nan
    some = replace(study, y=y)
    fit = fits(some, plan, estimator)["all", (1, 0)]
    assert not fit.rows[::7].any()
    changed = np.nan_to_num(y)
    observed = np.isfinite(y).all(axis=1)
    changed[::7] = 1e6  # whatever stands there
    again = fits_by_group(some, plan, estimator, changed, observed, covariates_for(study, "", []))
    assert_allclose(again["all", (1, 0)].effects.value, fit.effects.value, rtol=1e-7)


@each
def test_clusters_make_the_errors_and_the_degrees_of_freedom(estimator):
    rng = np.random.default_rng(8)
    cluster = np.repeat(np.arange(60), 10)
    study, plan = case(7, columns={"cluster": "village"}, cluster=cluster)
    shared = rng.normal(size=60)[cluster][:, None]
    study = replace(study, y=study.y + shared)
    plain_plan = plan_of(
        {"u": "primary", "v": "primary"}, ["a", "b"], BOTH,
        estimators=ALL, cross_fitting=LINEAR, propensity={"trim": "none"},
    )  # fmt: skip
    fit = fits(study, plan, estimator)["all", (1, 0)]
    assert fit.effects.scores.shape == (60, 2)
    assert (fit.effects.df <= 59).all()
    alone = fits(replace(study, cluster=None), plain_plan, estimator)["all", (1, 0)]
    assert_allclose(fit.effects.value, alone.effects.value, rtol=1e-8)
    if estimator not in ("regression", "lin"):
        people = alone.effects.scores
        want = np.zeros((60, 2))
        np.add.at(want, cluster, people)
        used = len(np.unique(cluster[fit.rows]))
        ratio = fit.effects.std_error / np.sqrt((want**2).sum(axis=0))
        if estimator == "aipw":  # splits are put together after persons are
            assert_allclose(ratio, np.sqrt(60 / 59), rtol=0.02)
        else:
            assert_allclose(ratio, np.sqrt(used / (used - 1)), rtol=0.01)


def test_covariances_of_women_and_men_are_given_where_clusters_hold_both():
    cluster = np.repeat(np.arange(60), 10)
    study, plan = case(7, columns={"cluster": "village"}, cluster=cluster)
    found = effects(study, plan)
    assert set(found.table["estimator"].iloc[found.covariances["row"]]) == {"aipw"}
    assert len(found.covariances) == 2  # one per outcome
    alone = case(7)
    assert effects(*alone).covariances.empty


def test_one_gender_has_equal_rows_and_no_gap():
    y, arm, x, _ = drawn(9, 300)
    plan = plan_of({"u": "primary", "v": "primary"}, ["a", "b"], "women", cross_fitting=LINEAR)
    study = study_from(y, arm, x, ["a", "b"])
    study = scored(replace(study, groups=study.groups | {"women": study.groups["all"]}), plan)
    table = effects(study, plan).table
    assert set(table["group"]) == {"all", "women"}
    wide = table.pivot(index=["outcome", "estimator"], columns="group", values="estimate")
    assert_allclose(wide["all"], wide["women"])


def test_exact_on_gender_compares_women_with_women():
    """Then it does not matter by how much the genders differ."""
    stated = {"exact": ["gender"], "bias_correction": False}
    for matching, same in ((stated, True), (stated | {"exact": []}, False)):
        study, plan = case(10, {"matching": matching})
        apart = replace(study, y=study.y + 1_000 * study.groups["women"][:, None])
        one, other = (fits(s, plan, "matching")["all", (1, 0)] for s in (study, apart))
        assert np.allclose(one.effects.value, other.effects.value) == same


def test_who_is_pruned_by_a_caliper_is_counted():
    stated = {"caliper": 0.02, "distance": "mahalanobis"}
    study, plan = case(11, {"matching": stated})
    fit = fits(study, plan, "matching")["all", (1, 0)]
    treated = study.arm == 1
    pruned = int((treated & ~fit.rows).sum())
    assert pruned > 0
    assert note("pruned", n=pruned) in fit.notes
    table = effects(study, plan).table.query("estimator == 'matching' and group == 'all'")
    assert (table["n_treated"] == treated.sum() - pruned).all()


def test_a_caliper_that_prunes_all_leaves_a_row_with_the_reason():
    study, plan = case(12, {"matching": {"caliper": 1e-9, "distance": "mahalanobis"}}, n=120)
    table = effects(study, plan).table.query("estimator == 'matching'")
    assert table["estimate"].isna().all()
    rows = table[table["group"] == "all"]
    assert rows["note"].str.contains("nobody can be matched").all()


def test_hc1_of_entropy_balancing_takes_the_weights_as_given():
    study, plan = case(13, {"std_error": "HC1"})
    x = np.column_stack([study.covariates, study.groups["men"]])
    want = entropy_balancing(study.y, study.arm == 1, x, "att").fixed
    fit = fits(study, plan, "entropy_balancing")["all", (1, 0)]
    assert_allclose(fit.effects.std_error, want.std_error)
    assert note("weights_given") in fit.notes
    kinds = effects(study, plan).table.groupby("estimator")["std_error_kind"].first()
    assert kinds["entropy_balancing"] == kinds["regression"] == "HC1"
    assert kinds["aipw"] == kinds["ipw"] == "influence"
    assert kinds["matching"] == "abadie_imbens"
    default = effects(*case(13)).table.groupby("estimator")["std_error_kind"].first()
    assert (default["entropy_balancing"], default["regression"]) == ("HC3", "HC2")


def test_learners_are_named_by_outcome():
    study, plan = case(14)
    y = study.y.copy()
    y[:, 1] = y[:, 1] > 1
    table = effects(replace(study, y=y), plan).table.query("estimator == 'aipw'")
    told = table.groupby("outcome")["note"].first()
    assert told["u"] == note("learner_linear")
    assert told["v"] == note("learner_logistic")


@pytest.mark.parametrize("estimator", ["aipw", "ipw"])
def test_without_likes_there_is_an_estimate_but_no_interval(estimator):
    study, plan = case(15)
    own = study.propensities["", "1"]
    score = own.score.copy()
    treated = np.flatnonzero(study.arm == 1)
    score[:, treated[: len(treated) // 50 + 1]] = 0.995
    study = replace(study, propensities={("", "1"): replace(own, score=score, model="boosting")})
    table = effects(study, plan, np.random.default_rng(1)).table
    row = table.query(f"estimator == '{estimator}' and group == 'all' and outcome == 'u'").iloc[0]
    assert np.isfinite(row["estimate"])
    assert row[["std_error", "conf_low", "conf_high", "p_value", "p_value_adjusted"]].isna().all()
    assert "no interval: " in row["note"]
    women = np.flatnonzero((study.arm == 1) & study.groups["women"])
    assert len(women) > 0
    gap = table.query(f"estimator == '{estimator}' and group == 'women-men' and outcome == 'u'")
    assert gap["estimate"].notna().all()  # of two estimates there is a difference,
    assert gap["std_error"].isna().all()  # if not its error
    assert gap["note"].str.contains("no interval: ").all()


@pytest.mark.parametrize(("estimand", "share", "given"), [
    ("att", 0.008, True), ("att", 0.012, False), ("ate", 0.004, True), ("ate", 0.008, False),
])  # fmt: skip
def test_an_effect_on_all_bears_fewer_without_likes(estimand, share, given):
    score, treated = np.full(1000, 0.5), np.arange(1000) < 500
    goal = 500 if estimand == "att" else 1000
    score[: round(share * goal)] = 0.995
    assert (reason(score, treated, estimand, 100.0) == "") is given


def test_weights_worth_few_make_no_interval():
    study, plan = case(16, n=60)
    for estimator in ("aipw", "ipw", "entropy_balancing"):
        fit = fits(study, plan, estimator)["women", (1, 0)]
        if fit.effects is not None:
            assert fit.unsure
            assert np.isnan(fit.effects.std_error).all()
            assert fit.notes[-1] == fit.unsure


def test_a_group_without_an_arm_has_a_row_with_the_reason():
    study, plan = case(17, n=200)
    arm = np.where(study.groups["men"], 0, study.arm)
    study = scored(replace(study, arm=arm), plan)
    table = effects(study, plan).table.query("outcome == 'u'")
    men = table[table["group"].isin(["men", "women-men"])]
    assert len(men) == 2 * len(ALL)
    assert men["estimate"].isna().all()
    assert (men["note"] != "").all()
    women = table[(table["group"] == "women") & (table["estimator"] != "matching")]
    assert women["estimate"].notna().all()


def test_without_a_propensity_there_are_rows_with_the_reason():
    study, plan = case(18, {"propensity": {"trim": "crump"}}, n=100)
    table = effects(replace(study, propensities={}), plan).table
    adjusted = table[table["estimator"].isin(ESTIMATORS)]
    assert adjusted["estimate"].isna().all()
    assert adjusted.query("group != 'women-men'")["note"].str.contains("could not be").all()
    assert table[table["estimator"] == "difference_in_means"]["estimate"].notna().all()


def test_more_covariates_than_persons_is_a_reason_not_a_crash():
    y, arm, _, women = drawn(19, 60)
    x = np.random.default_rng(1).normal(size=(60, 40))
    names = [f"x{i}" for i in range(40)]
    plan = plan_of({"u": "primary", "v": "primary"}, names, BOTH, propensity={"trim": "none"})
    table = effects(study_from(y, arm, x, names, women), plan).table
    assert table[table["estimator"] != "difference_in_means"]["estimate"].isna().all()
    assert (table[table["estimate"].isna()]["note"] != "").all()


def test_an_outcome_without_variation_is_said():
    study, plan = case(20, n=200)
    y = study.y.copy()
    y[:, 1] = 3.0
    table = effects(replace(study, y=y), plan, np.random.default_rng(1)).table
    flat = table[table["outcome"] == "v"]
    assert flat["estimate"].isna().all()
    assert flat.query("group == 'all'")["note"].isin([note("constant")]).all()
    assert table.query("outcome == 'u' and group == 'all'")["estimate"].notna().all()


def test_did_has_its_own_table():
    study, plan = case(21, {"estimators": ["aipw", "did"]}, n=200)
    assert set(effects(study, plan).table["estimator"]) == {"aipw"}
    alone = plan.model_copy(
        update={"analysis": plan.analysis.model_copy(update={"estimators": ["did"]})}
    )
    assert effects(study, alone).table.empty


TRIALS = 100
TOLD = ("aipw", "entropy_balancing", "ipw")


def test_intervals_hold_the_effects_of_women_and_men_and_the_gap():
    """Women gain 2 and men 1; 4 sd of Binomial(TRIALS, 0.95) / TRIALS is 0.09."""
    held = np.zeros((len(TOLD), 3))
    for trial in range(TRIALS):
        study, plan = case(1_000 + trial, n=500)
        for e, estimator in enumerate(TOLD):
            found = fits(study, plan, estimator)
            for i, (group, truth) in enumerate((("women", 2), ("men", 1), ("women-men", 1))):
                held[e, i] += found[group, (1, 0)].effects.covers(truth, 0.95)[0]
    assert (held / TRIALS > 0.95 - 0.09).all(), held
