"""One outcome by all analyses: the plan's own as released, the others as fitted by hand."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from evaluate.design.overlap import trim
from evaluate.effects.observational.regression import regression_coefficient
from evaluate.effects.sensitivity.alternatives import fit_alternatives, fit_plan
from evaluate.effects.sensitivity.questions import asked, of_rows, questions, smaller
from evaluate.effects.sensitivity.specifications import most_left_out

from .persons import plan_of, stage_of, study_of, tables_of

RTOL = 1e-9  # the same formula on the same persons
COPIED = ["estimate", "std_error", "conf_low", "conf_high", "p_value", "n", "n_treated", "note"]


@pytest.fixture(scope="module")
def found():
    plan = plan_of(propensity={"model": "logit", "trim": "crump"})
    study = study_of(plan, n=600)
    tables = tables_of(study, plan)
    return study, plan, tables, stage_of(study, plan, tables)


def test_the_plans_own_rows_are_those_of_the_effects(found):
    _, plan, tables, made = found
    rows = made.specifications.set_index(["outcome", "estimator", "group"])
    effects = tables["effects"].set_index(["outcome", "estimator", "group"])
    lead = rows[rows["lead"]]
    assert set(lead.index) == {
        (o, "aipw", g) for o in plan.outcomes for g in ("all", "women", "men", "women-men")
    }
    for key, row in lead.iterrows():
        for column in COPIED:
            a, b = row[column], effects.loc[key, column]
            assert a == b or (a != a and b != b)
    raw = rows[rows["covariates"] == "none"]
    assert_allclose(raw["estimate"], effects.loc[raw.index, "estimate"], rtol=0)
    assert set(raw["trim"]) == {"none"}


def test_at_most_sixty_of_an_outcome_and_group(found):
    *_, made = found
    key = ["outcome", "month", "arm", "group"]
    sizes = made.specifications.groupby(key, dropna=False).size()
    assert sizes.between(10, 60).all()
    labels = [*key, "estimator", "trim", "propensity", "covariates"]
    assert not made.specifications.duplicated(labels).any()


@pytest.mark.parametrize("rule", [("none", "none"), ((0.1, 0.9), "0.1-0.9")])
def test_other_trimming_by_hand(found, rule):
    study, _, _, made = found
    rows = made.specifications
    row = rows[
        (rows["outcome"] == "earn")
        & (rows["group"] == "all")
        & (rows["estimator"] == "regression")
        & (rows["trim"] == rule[1])
        & (rows["covariates"] == "all")
    ].iloc[0]
    treated = study.arm == 1
    keep = trim(study.propensities["", "1"].median, treated, rule[0], "att").keep
    x = np.column_stack([study.covariates.to_numpy(), study.groups["men"]])
    by_hand = regression_coefficient(study.y[keep][:, [0]], treated[keep], x[keep], kind="HC2")
    assert_allclose(row["estimate"], by_hand.value[0], rtol=RTOL)
    assert_allclose(row["std_error"], by_hand.std_error[0], rtol=RTOL)
    assert row["n"] == keep.sum()


def test_one_covariate_less_by_hand(found):
    study, _, _, made = found
    rows = made.specifications
    row = rows[
        (rows["outcome"] == "earn")
        & (rows["group"] == "men")
        & (rows["estimator"] == "regression")
        & (rows["covariates"] == "without skill")
    ].iloc[0]
    here = study.propensities["", "1"].kept & study.groups["men"]
    x = study.covariates[["age", "before"]].to_numpy()[here]
    by_hand = regression_coefficient(study.y[here][:, [0]], study.arm[here] == 1, x, kind="HC2")
    assert_allclose(row["estimate"], by_hand.value[0], rtol=RTOL)
    left = rows[rows["covariates"].str.startswith("without")]
    assert set(left["outcome"]) == {"earn", "work"}  # of placebo outcomes nothing is left out
    assert set(left["estimator"]) == {"aipw", "regression"}


def test_a_covariate_that_matters_matters(found):
    """Without the confounder the lead is further off; without one that is none it stays."""
    *_, made = found
    rows = made.specifications
    rows = rows[(rows["outcome"] == "earn") & (rows["group"] == "all")]
    rows = rows[rows["estimator"] == "aipw"].set_index("covariates")["estimate"]
    lead = made.specifications.query("outcome == 'earn' and group == 'all' and lead")
    value = lead["estimate"].iloc[0]
    assert rows["without skill"] - value > 0.05
    assert rows["without skill"] - value > 3 * abs(rows["without age"] - value)


def test_another_model_where_the_plan_lets_the_data_choose():
    plan = plan_of(propensity={"model": "selected", "trim": "none"})
    study = study_of(plan, n=300)
    one = next(a for a in asked(study, plan, questions(plan)) if a.questions[0].role == "primary")
    mine = fit_plan(study, plan, one)
    others = fit_alternatives(study, plan, one, mine, [], 1)
    models = {s.propensity for s, _, _ in others if s.estimator == "aipw"}
    assert models == {"logit", "boosting"}
    assert {s.propensity for s, _, _ in others if s.estimator == "regression"} == {""}


def test_where_there_is_no_room_the_strongest_are_left_out():
    plan = plan_of(propensity={"model": "selected", "trim": "none"})
    study = study_of(plan, n=200)
    one = asked(study, plan, questions(plan)[:1])[0]
    assert most_left_out(plan, one, {}) == ["age", "skill", "before"]
    many = [c.model_copy(update={"column": f"c{i}"}) for i, c in enumerate(plan.covariate_list * 9)]
    wide = plan.model_copy(update={"covariates": many})
    sources = tuple(c.column for c in many)
    covariates = type(one.covariates)(np.zeros((study.n, 27)), sources, sources)
    one = type(one)(one.questions, one.y, one.observed, covariates)
    left = most_left_out(wide, one, {"c20": 1.0, "c3": 0.5})
    assert 2 < len(left) < 27
    assert {"c20", "c3"} <= set(left)


def test_a_large_study_is_made_smaller_within_arms():
    plan = plan_of()
    study = study_of(plan, n=600)
    part = smaller(study, 3, most=200)
    assert part.n == 200
    assert abs(part.arm.mean() - study.arm.mean()) < 0.01
    assert smaller(study, 3) is study
    again = smaller(study, 3, most=200)
    assert np.array_equal(part.y, again.y)
    rows = np.arange(600) < 50
    kept = of_rows(study, rows)
    assert np.array_equal(
        kept.propensities["", "1"].score, study.propensities["", "1"].score[:, :50]
    )
