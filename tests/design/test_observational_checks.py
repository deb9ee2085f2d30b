"""What stands in the place of a lottery is checked: overlap, weights, balance, missing outcomes."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from scipy import stats
from without_lottery import drawn, plan_without_lottery, staged

from evaluate import schemas
from evaluate.covariates import Covariates
from evaluate.design.observational_balance import observational_balance, standing_columns
from evaluate.design.propensity_models import fit_logit, regressors
from evaluate.design.two_levels import design_tables
from evaluate.design.weighted_balance import prognostic_balance, weighted_balance
from evaluate.io import checked
from evaluate.report.words import Words

LOTTERY = {"sample_ratio", "share_by_gender", "balance", "assignments", "places", "blocks"}


def tables_of(parts, analysis=None, record=None, **sections):
    study, plan, _ = staged(parts, analysis, **sections)
    checks, balance = design_tables(study, plan, None, np.random.default_rng(1), record)
    checks = checked(checks, schemas.DESIGN_CHECKS, "checks").set_index(["check", "group"])
    return checks, checked(balance, schemas.BALANCE, "balance"), study


def test_checks_of_a_lottery_are_not_made():
    checks, _, _ = tables_of(drawn())
    kinds = set(checks.index.get_level_values("check"))
    assert not kinds & LOTTERY
    assert kinds == {
        "overlap", "propensity_model", "effective_size", "balance_before", "balance_after_ipw",
        "balance_after_matching", "balance_after_entropy_balancing", "prognosis:y0",
    }  # fmt: skip
    assert set(checks.index.get_level_values("group")) == {"all", "women", "men"}


def test_every_text_is_known_in_both_languages():
    parts = drawn(slope=3, n=700)
    parts["y"][np.arange(700) % 7 == 0] = np.nan
    day = pd.to_datetime("2020-01-01") + pd.to_timedelta(np.arange(700) % 90, unit="D")
    checks, _, _ = tables_of(parts, record=pd.DataFrame({"offered": day}))
    assert ("time_zero", "all") in checks.index
    for text in checks["text"]:
        assert Words("sv").finding(text) != text


def test_balance_is_that_of_the_weights_refitted_in_each_group():
    parts = drawn(n=700)
    _, balance, study = tables_of(parts, {"propensity": {"model": "logit", "trim": "none"}})
    treated = parts["arm"] == 1
    for group, members in study.groups.items():
        gender = [] if group != "all" else [~parts["women"]]
        x = np.column_stack([parts["x"], *gender])[members].astype(float)
        t = treated[members]
        score = fit_logit(regressors(x, min(t.sum(), (~t).sum()))[0], t, np.ones(len(t))).score
        weight = np.where(t, 1, score / (1 - score))
        names = ("x0", "x1", "x2")
        want = weighted_balance(
            Covariates(parts["x"][members], names, names), t, {group: t | True}, weight, "att"
        )
        rows = balance[(balance["group"] == group) & balance["covariate"].isin(names)]
        for adjusted, kind in ((False, None), (True, "ipw")):
            own = rows[rows["adjusted"] == adjusted]
            own = own[own["weights"].isna() if kind is None else own["weights"] == kind]
            for column in ("mean_treated", "mean_control", "smd", "variance_ratio", "ks"):
                assert_allclose(own[column], want.loc[want["adjusted"] == adjusted, column])
    exact = balance[(balance["weights"] == "entropy_balancing") & (balance["group"] == "women")]
    assert (exact.loc[exact["covariate"].isin(["x0", "x1", "x2"]), "smd"].abs() < 1e-6).all()
    gaps = balance[balance["group"] == "women-men"]
    assert set(gaps["weights"].dropna()) == {"ipw", "entropy_balancing", "matching"}
    assert set(balance.loc[balance["covariate"] == "men", "group"]) == {"all"}


def test_matching_balance_compares_the_treated_with_their_nearest():
    parts = drawn(n=300)
    study, plan, _ = staged(parts, {"propensity": {"model": "logit", "trim": "none"}})
    balance, _ = observational_balance(study, plan)
    treated = parts["arm"] == 1
    x = np.column_stack([parts["x"], ~parts["women"]]).astype(float)
    smaller = min(treated.sum(), (~treated).sum())
    score = fit_logit(regressors(x, smaller)[0], treated, np.ones(300)).score
    controls = np.flatnonzero(~treated)
    matched = []
    for i in np.flatnonzero(treated):
        gap = np.abs(score[controls] - score[i])
        matched.append(parts["x"][controls[gap <= gap.min() + 1e-12], 0].mean())
    row = balance[
        (balance["weights"] == "matching")
        & (balance["group"] == "all")
        & (balance["covariate"] == "x0")
    ].iloc[0]
    assert_allclose(row["mean_control"], np.mean(matched))
    assert_allclose(row["mean_treated"], parts["x"][treated, 0].mean())


def test_the_prognosis_is_of_those_who_have_the_outcome():
    parts = drawn(n=500)
    parts["y"][::5] = np.nan
    checks, balance, _ = tables_of(parts, {"propensity": {"model": "logit", "trim": "none"}})
    known = ~np.isnan(parts["y"][:, 0])
    x = np.column_stack([parts["x"], ~parts["women"]]).astype(float)[known]
    names = ("x0", "x1", "x2", "men")
    t = parts["arm"][known] == 1
    want = prognostic_balance(
        parts["y"][known], ["y0"], Covariates(x, names, names), t, {"all": t | True},
        np.ones(len(t)), "att",
    )  # fmt: skip
    row = balance[(balance["covariate"] == "prognosis:y0") & (balance["group"] == "all")]
    assert_allclose(row.loc[~row["adjusted"].astype(bool), "smd"], want["smd"].iloc[0])
    worst = row.loc[row["adjusted"].astype(bool), "smd"].abs().max()
    assert_allclose(checks.loc[("prognosis:y0", "all"), "statistic"], worst)


def test_poor_overlap_few_persons_and_differences_are_warned_of():
    checks, _, _ = tables_of(drawn(slope=4, n=300))
    assert checks.loc[("overlap", "all"), "verdict"] == "warn"
    assert "trimming" in checks.loc[("overlap", "all"), "text"]
    good, _, _ = tables_of(drawn(slope=0.5, n=3000))
    judged = good[good.index.get_level_values(0) != "balance_before"]
    assert set(judged["verdict"]) == {"pass"}
    few, _, _ = tables_of(
        drawn(slope=2.5, n=300), {"propensity": {"model": "logit", "trim": "none", "clip": 0}}
    )
    assert few.loc[("effective_size", "all"), "verdict"] == "warn"
    after = few.loc["balance_after_ipw"]["statistic"].max()
    assert few.loc["balance_before"]["verdict"].eq("not assessed").all()
    assert (few.loc["balance_after_ipw", "verdict"] == "warn").any() == (after > 0.1)


def test_a_model_that_tells_nearly_all_is_warned_of():
    checks, _, _ = tables_of(
        drawn(slope=8, n=900), {"propensity": {"model": "logit", "trim": "none"}}
    )
    assert checks.loc[("propensity_model", "all"), "verdict"] == "warn"


def test_weights_that_cannot_be_made_are_not_assessed_and_the_reason_is_told():
    parts = drawn(n=400)
    far = parts["arm"] == 1
    parts["x"][far, 1] += 3.2
    checks, balance, _ = tables_of(parts, {"propensity": {"model": "logit", "trim": "none"}})
    row = checks.loc[("balance_after_entropy_balancing", "all")]
    assert row["verdict"] == "not assessed"
    assert row["text"].startswith("no weights: no weights of the ")
    rows = balance[(balance["weights"] == "entropy_balancing") & (balance["group"] == "all")]
    assert rows["smd"].isna().all()
    assert len(rows)


@pytest.mark.parametrize("clustered", [False, True])
def test_outcomes_missing_by_arm_are_tested(clustered):
    parts = drawn(n=600)
    rng = np.random.default_rng(3)
    parts["y"][(parts["arm"] == 1) & (rng.random(600) < 0.3)] = np.nan
    if clustered:
        parts["cluster"] = np.arange(600) // 4
    checks, _, _ = tables_of(parts)
    row = checks.loc[("attrition:y0", "all")]
    absent = np.isnan(parts["y"][:, 0])
    pearson = stats.chi2_contingency(pd.crosstab(absent, parts["arm"]), correction=False).pvalue
    assert row["verdict"] == "warn"
    assert (abs(np.log(row["p_value"] / pearson)) < 1e-8) != clustered


def test_several_arms_have_checks_of_their_own():
    checks, balance, _ = tables_of(drawn(arms=3, n=1200))
    assert ("overlap 2", "women") in checks.index
    assert ("prognosis 1:y0", "all") in checks.index
    assert set(balance["arm"]) == {"1", "2", "1-2"}


def test_late_time_zero_of_the_treated_is_warned_of():
    parts = drawn()
    day = pd.Timestamp("2020-01-01") + pd.to_timedelta(40 * parts["arm"] + np.arange(600) % 5, "D")
    checks, _, _ = tables_of(parts, record=pd.DataFrame({"offered": day}))
    row = checks.loc[("time_zero", "all")]
    assert row["verdict"] == "warn"
    assert 39 < row["statistic"] < 41


def test_one_gender_without_treated_leaves_out_its_balance():
    parts = drawn(n=500)
    parts["arm"][parts["women"]] = 0
    checks, balance, _ = tables_of(parts, {"propensity": {"model": "logit", "trim": "none"}})
    assert set(balance["group"]) == {"all", "men"}
    assert checks.loc[("overlap", "women"), "text"] == "only one arm has persons"


def test_of_several_months_the_primary_one_stands():
    y = np.zeros((4, 6))
    outcomes = {
        "a": {"columns": {6: "y0", 12: "y1", 24: "y2"}, "primary_month": 12, "unit": "SEK"},
        "b": {"columns": {6: "y3", 12: "y4"}, "unit": "SEK"},
        "c": {"column": "y5", "unit": "SEK", "role": "placebo"},
    }
    plan = plan_without_lottery(y, ["x0"], outcomes=outcomes)
    assert standing_columns(plan) == [1, 4]


def test_without_propensities_balance_before_is_still_told():
    study, plan, _ = staged(drawn())
    table, reasons = observational_balance(replace(study, propensities={}), plan)
    assert table["smd"].notna().any()
    assert reasons
