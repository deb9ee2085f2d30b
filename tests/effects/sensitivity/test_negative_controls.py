"""Negative-control groups: comparison persons who should not differ from one another."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from numpy.testing import assert_allclose
from studies import evaluated, plan_for

from evaluate import schemas
from evaluate.effects.sensitivity.negative_controls import negative_control_rows
from evaluate.effects.sensitivity.questions import asked, by_gender, questions
from evaluate.effects.sensitivity.specifications import table_of
from evaluate.plan.model import Plan
from evaluate.plan.observational import Protocol
from evaluate.plan.observational_support import observational_faults

from .persons import plan_of, study_of

RTOL = 1e-8  # two ways to solve the same equations
NAME = "area=3"


def made(seed=1, shift=0.0, n=600, cluster=None, share=0.4):
    """Return the rows of a study whose group of 40 per cent has ``shift`` more, and its parts."""
    plan = plan_of()
    study = by_gender(study_of(plan, n=n, seed=seed), plan)
    rng = np.random.default_rng(seed + 1000)
    apart = rng.random(study.n) < share
    y = study.y + shift * (apart & (study.arm == 0))[:, None] * np.nanstd(study.y, axis=0)
    study = replace(study, y=y, negative={NAME: apart}, cluster=cluster)
    one = asked(study, plan, [q for q in questions(plan) if q.role == "primary"])[0]
    rows = negative_control_rows(study, plan, one, (1, 0))
    return table_of(rows, schemas.REFUTATIONS), study, one


def test_rows_keep_their_schema_and_name_the_group():
    table, _, one = made()
    schemas.REFUTATIONS.validate(table)
    assert set(table["group"]) == {"all", "women", "men"}
    assert set(table["refuter"]) == {"negative_control_group"}
    assert len(table) == 3 * 2 * len(one.questions)
    assert table["note"].str.contains("comparison persons with area=3").all()


def test_the_regression_is_that_of_statsmodels_among_those_compared():
    table, study, one = made()
    here = study.groups["women"] & one.observed & (study.arm == 0)
    x = np.column_stack([study.negative[NAME][here], one.covariates.values[here]])
    fit = sm.OLS(one.y[here, 0], sm.add_constant(x.astype(float))).fit(cov_type="HC1", use_t=True)
    rows = table[(table["group"] == "women") & (table["estimator"] == "regression")]
    row = rows[rows["outcome"] == one.questions[0].outcome].iloc[0]
    assert_allclose([row["mean"], row["sd"]], [fit.params[1], fit.bse[1]], rtol=RTOL)
    assert_allclose(row["p_value"], fit.pvalues[1], rtol=RTOL)


def test_groups_alike_seldom_warn_and_others_do():
    alike = [made(seed)[0]["verdict"].eq("warn").any() for seed in range(30)]
    assert sum(alike) <= 6  # of 30, three groups and two outcomes each
    assert made(shift=0.8)[0]["verdict"].eq("warn").all()


def test_clusters_of_copies_have_the_errors_of_persons():
    """Each person twice, in a cluster of two, is no more information."""
    table, study, _ = made()
    double = np.repeat(np.arange(study.n), 2)
    twice = replace(
        study,
        arm=study.arm[double],
        y=study.y[double],
        covariates=study.covariates.iloc[double].reset_index(drop=True),
        baselines=study.baselines.iloc[double].reset_index(drop=True),
        groups={g: m[double] for g, m in study.groups.items()},
        negative={NAME: study.negative[NAME][double]},
        propensities={},
        cluster=double,
    )
    plan = plan_of()
    again = asked(twice, plan, [q for q in questions(plan) if q.role == "primary"])[0]
    rows = table_of(negative_control_rows(twice, plan, again, (1, 0)), schemas.REFUTATIONS)
    assert_allclose(rows["mean"], table["mean"], rtol=1e-6)
    assert_allclose(rows["sd"], table["sd"], rtol=0.02)  # corrections for few differ


def test_a_group_of_nobody_is_not_assessed():
    table, _, _ = made(share=0.0)
    assert set(table["verdict"]) == {"not assessed"}
    assert table["note"].str.contains("0 persons in the group").all()


def test_a_lottery_has_no_negative_controls():
    plan = Plan.model_validate(plan_for("x", negative_controls={"sex": ["F"]}))
    assert any(fault.startswith("negative_controls: ") for fault in observational_faults(plan))


@pytest.mark.parametrize("codes", [[], "F"])
def test_codes_are_a_list(codes):
    with pytest.raises(ValueError, match="negative_controls"):
        Plan.model_validate(plan_for("x", negative_controls={"sex": codes}))


def test_down_the_whole_road_a_group_that_differs_makes_a_finding_fragile(tmp_path):
    rng = np.random.default_rng(4)
    n = 500
    skill, women = rng.normal(size=n), rng.random(n) < 0.5
    treat = rng.random(n) < 1 / (1 + np.exp(0.4 - 0.4 * skill))
    area = rng.integers(1, 5, n)
    earn = 3.0 * treat + skill + 2.0 * (area == 3) + rng.normal(size=n)
    before = skill + rng.normal(size=n)
    columns = {"treat": treat.astype(int), "area": area, "skill": skill, "earn": earn}
    frame = pd.DataFrame({"sex": np.where(women, "F", "M"), "before": before} | columns)
    plan = plan_for(
        "areas",
        design="observational",
        columns={
            "gender": {"column": "sex", "women": "F", "men": "M"},
            "treatment": {"column": "treat", "control": 0},
        },
        covariates=["skill"],
        negative_controls={"area": [3]},
        outcomes={
            "earn": {"column": "earn", "unit": "SEK", "role": "primary"},
            "before": {"column": "before", "unit": "SEK", "role": "placebo"},
        },
        analysis={
            "estimators": ["aipw", "regression"],
            "propensity": {"model": "logit", "trim": "none"},
            "cross_fitting": {"splits": 1, "learner": "linear"},
        },
        protocol=dict.fromkeys(Protocol.model_fields, "Simulated."),
    )
    found = evaluated(tmp_path, "areas", plan, frame, languages=["en"])
    refuted = found.table("refutations").query("refuter == 'negative_control_group'")
    assert set(refuted["verdict"]) == {"warn"}
    verdict = found.table("verdict").set_index("group").loc["all"]
    assert verdict["verdict"] == "fragile"
    assert "negative_control_group" in verdict["reason"]
    assert "A group that the programme did not reach" in found.text()
