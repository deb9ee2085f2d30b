"""Trained men beside men of a survey: the verdict is fragile, and the placebo says why."""

import contextlib
from pathlib import Path

import pytest
from numpy.testing import assert_allclose
from studies import REPOSITORY, Files, script

from evaluate import schemas
from evaluate.data.demo import fetch
from evaluate.effects.sensitivity.questions import asked, questions
from evaluate.io import read_parquet
from evaluate.plan.load import load_plan
from evaluate.propensities import CrossFit
from evaluate.study import study_of

from .persons import cross_fitted, replaced, stage_of, tables_of

CENT = 0.005  # published with two decimals
NAME = "nsw_cps"
PLAN = REPOSITORY / "config" / "programmes" / f"{NAME}.yaml"


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """Take the programme to the clean study, and judge it with logits and linear regressions."""
    folder = tmp_path_factory.mktemp(NAME)
    (folder / "config" / "programmes").mkdir(parents=True)
    (folder / "data" / "raw" / NAME).mkdir(parents=True)
    fetch(NAME, folder / "data" / "raw" / NAME / f"{NAME}.csv")
    path = folder / "config" / "programmes" / f"{NAME}.yaml"
    path.write_bytes(PLAN.read_bytes())
    with contextlib.chdir(folder):
        plan = load_plan(str(path))
        names = ("participants", "outcomes", "flow", "cleaning", "dose", "states", "quarantine")
        names += ("cost_records", "staff_hours")
        files = Files({n: str(folder / f"{n}.parquet") for n in names})
        files |= {"plan": str(path), "raw": str(folder / "raw.json"), "code": []}
        files["records"] = files.cost_records
        script("data")(str(path), files)
        study = study_of(
            read_parquet(Path(files.participants), schemas.PARTICIPANTS),
            read_parquet(Path(files.outcomes), schemas.OUTCOMES),
            plan,
        )
    folds = plan.analysis.cross_fitting.model_copy(update={"splits": 1, "learner": "linear"})
    model = plan.analysis.propensity.model_copy(update={"model": "logit"})
    analysis = plan.analysis.model_copy(update={"cross_fitting": folds, "propensity": model})
    plan = plan.model_copy(update={"analysis": analysis})
    scores: dict[tuple[str, str], CrossFit] = {
        (one.covariates.of, "1"): cross_fitted(study, plan, one.covariates, (1, 0), "logit", 1)
        for one in asked(study, plan, questions(plan))
    }
    study = replaced(study, propensities=scores)
    return stage_of(study, plan, tables_of(study, plan))


def test_the_verdict_is_fragile_for_the_placebo(found):
    assert set(found.verdict["group"]) == {"all", "men"}
    assert set(found.verdict["verdict"]) == {"fragile"}
    for reason in found.verdict["reason"]:
        assert reason.startswith("the placebo earnings_before differs from zero by ")
        assert "regression" in reason.partition(";")[0]


def test_the_published_placebo(found):
    rows = found.specifications
    rows = rows[(rows["outcome"] == "earnings_before") & (rows["group"] == "all")]
    row = rows[(rows["estimator"] == "regression") & (rows["covariates"] == "all")].iloc[0]
    assert_allclose(row["estimate"], -1134.82, atol=CENT)
    assert_allclose(row["std_error"], 272.44, atol=CENT)
    assert row["role"] == "placebo"


def test_the_raw_comparison_stands_apart(found):
    rows = found.specifications
    rows = rows[(rows["outcome"] == "earnings") & (rows["group"] == "all")]
    raw = rows[rows["estimator"] == "difference_in_means"]
    assert len(raw) == 1
    assert_allclose(raw["estimate"].iloc[0], -8497.52, atol=CENT)
    others = rows[rows["estimator"] != "difference_in_means"]["estimate"]
    assert others.between(0, 4000).all()


def test_all_refuters_pass(found):
    """Which is why no refuter earns a finding anything."""
    assert set(found.refutations["verdict"]) == {"pass"}


def test_a_hidden_factor_as_strong_as_being_black(found):
    rows = found.sensitivity
    rows = rows[(rows["method"] == "benchmark") & (rows["group"] == "all")]
    rows = rows[rows["strength"] == 1].set_index("benchmark")["value"]
    assert rows.idxmin() == "black"
    assert_allclose(rows["black"], 1.4939, atol=1e-3)
