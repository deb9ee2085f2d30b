"""Which standard errors and p-values a report has, and why: said as the tables have them."""

import dataclasses

import numpy as np
import pandas as pd
import pytest

from evaluate.plan.model import Plan
from evaluate.report import inference
from evaluate.report.method import method
from evaluate.report.released import Released
from evaluate.report.words import Words

EN, SV = Words("en"), Words("sv")


def plan(cluster=None, covariates=("age",), **analysis):
    return Plan.model_validate(
        {
            "title": {"en": "A", "sv": "A"},
            "design": "randomised",
            "data": {"participants": {"path": "p.csv"}},
            "columns": {
                "gender": {"column": "sex", "women": "F", "men": "M"},
                "treatment": {"column": "arm", "control": 0},
                "cluster": cluster,
            },
            "covariates": list(covariates),
            "outcomes": {
                k: {"column": k, "unit": "SEK", "role": "primary"} for k in ("work", "pay")
            },
            "analysis": analysis,
        }
    )


def released(stated, outcomes=("work", "pay"), clusters=None, n=400, of_arm=4):
    """Return effects on all of a plan's lead estimator; no other table has rows."""
    effects = pd.DataFrame(
        {
            "outcome": outcomes,
            "arm": "1",
            "role": "primary",
            "estimand": "itt",
            "estimator": stated.estimators[0],
            "group": "all",
            "estimate": 1.0,
            "p_value_randomisation": 0.2,
            "p_value_adjusted": 0.3,
            "n": n,
            "n_clusters": pd.array([clusters] * len(outcomes), "Int64"),
        }
    )
    nothing = {f.name: pd.DataFrame() for f in dataclasses.fields(Released)}
    fewest = pd.DataFrame(
        {"check": ["assignments"], "group": ["all"], "statistic": [float(of_arm)]}
    )
    given = {"plan": stated, "effects": effects, "design_checks": fewest}
    return Released(**nothing | given)


def said(stated, words=EN, **more):
    return " ".join(inference.brief(released(stated, **more), words))


@pytest.mark.parametrize("words", [EN, SV])
def test_persons_have_the_errors_that_follow_from_the_design(words):
    text = said(plan(), words)
    assert "HC2" in text
    assert words("inference.by_design") in text
    assert "10,000" in text or "10\u00a0000" in text


def test_the_plan_may_name_others_and_the_report_says_what_would_follow():
    text = said(plan(std_error="HC1"))
    assert "The programme file names them; from the design HC2 would follow." in text
    assert "and they follow from the design" in said(plan(std_error="HC2"))


def test_clusters_have_their_errors_estimator_and_number():
    stated = plan(cluster="school")
    few = released(stated, clusters=14)
    assert "Standard errors (CR2) by cluster (school)" in said(stated, clusters=14)
    assert "the assignment of clusters is drawn anew 10,000 times" in said(stated, clusters=14)
    assert "Satterthwaite" in inference.standard_errors(few, EN)
    assert "covariates have common slopes" in inference.estimators(few, EN)
    assert "There are 14 clusters" in inference.few_clusters(few, EN)
    assert "wild" not in inference.few_clusters(few, EN)


def test_very_few_clusters_are_warned_of_with_what_to_do():
    stated = plan(cluster="school")
    text = inference.few_clusters(released(stated, clusters=8), EN)
    assert "analysis.interval: wild_bootstrap" in text
    wild = plan(cluster="school", interval="wild_bootstrap")
    text = inference.few_clusters(released(wild, clusters=8), EN)
    assert "compare the interval with the randomisation test" in text
    assert "CR2" not in text
    assert "MacKinnon" not in text
    fewer = inference.few_clusters(released(wild, clusters=8, of_arm=3), EN)
    assert "The arm with the fewest clusters has 3" in fewer
    assert "MacKinnon and Webb 2018" in fewer
    assert "by the wild cluster bootstrap" in said(wild, clusters=8)
    other = plan(cluster="school", std_error="CR1")
    assert "too small then" in inference.few_clusters(released(other, clusters=8), EN)


@pytest.mark.parametrize(("cluster", "clusters"), [("school", 20), ("school", 60), (None, None)])
def test_enough_clusters_or_none_need_no_warning(cluster, clusters):
    assert inference.few_clusters(released(plan(cluster), clusters=clusters), EN) == ""


@pytest.mark.parametrize(
    ("how", "name"),
    [
        ("westfall_young", "Westfall and Young"),
        ("romano_wolf", "Romano and Wolf"),
        ("holm", "Holm"),
        ("benjamini_hochberg", "Benjamini and Hochberg"),
    ],
)
def test_the_adjustment_is_named_with_the_size_of_the_family(how, name):
    stated = plan(multiplicity=how)
    assert f"takes account of all 2 tests of primary outcomes in each group ({name})" in said(
        stated
    )
    assert name.split()[0] in " ".join(inference.p_values(released(stated), EN))


def test_one_primary_outcome_has_nothing_to_adjust_for():
    alone = released(plan(), outcomes=("work",))
    assert not inference.has_adjusted(alone)
    assert "adjusted" not in said(plan(), outcomes=("work",))
    assert "nothing to adjust" in " ".join(inference.p_values(alone, EN))


def test_no_adjustment_is_said_to_be_the_programme_files_wish():
    stated = plan(multiplicity="none")
    assert not inference.has_adjusted(released(stated))
    assert "asks for no adjustment" in " ".join(inference.p_values(released(stated), EN))


def test_without_drawn_p_values_nothing_is_said_of_them():
    bare = released(plan())
    bare = dataclasses.replace(bare, effects=bare.effects.assign(p_value_randomisation=np.nan))
    assert "randomisation" not in " ".join(inference.brief(bare, EN))


def test_a_very_large_study_has_drawn_fewer_assignments():
    assert "at least 999 times" in said(plan(), n=1_000_000)


@pytest.mark.parametrize("kind", ["classical", "HC0", "HC1", "HC2", "HC3", "CR0", "CR1", "CR2"])
@pytest.mark.parametrize("words", [EN, SV])
def test_every_kind_of_error_is_explained(kind, words):
    cluster = "school" if kind.startswith("CR") else None
    stated = plan(cluster, std_error=kind)
    found = " ".join(method(released(stated, clusters=30 if cluster else None), words))
    assert words(f"kind.{kind}") in found
    assert words(f"inference.kind.{kind}") in found


def test_differences_in_means_of_persons_have_neymans_errors():
    text = inference.standard_errors(released(plan(covariates=())), EN)
    assert "(Neyman)" in text
    assert "HC2" not in text
