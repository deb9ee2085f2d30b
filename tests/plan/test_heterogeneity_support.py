"""Names in `analysis.heterogeneity` and `analysis.targeting` must be in the plan."""

import numpy as np
import pytest
from simulate import plan_of

from evaluate.plan.support import unsupported, unused

OUTCOMES = {
    "work": {"column": "w", "unit": "share", "role": "primary", "baseline": "w0"},
    "before": {"column": "p", "unit": "SEK", "role": "placebo"},
}


def said(heterogeneity=None, targeting=None, **sections):
    analysis = {"heterogeneity": heterogeneity or {}, "targeting": targeting or {}}
    plan = plan_of(
        np.zeros((4, 1)),
        **(
            {"outcomes": OUTCOMES, "covariates": ["age", "education"], "groups": ["region"]}
            | sections
            | {"analysis": analysis}
        ),
    )
    return "\n".join(map(str, unsupported(plan)))


def test_names_that_are_there_are_refused_nowhere():
    assert said() == ""
    heterogeneity = {
        "outcomes": ["work"],
        "covariates": ["age", "gender", "work before"],
        "composition": ["age", "region", "site"],
    }
    columns = {"blocks": ["site"]}
    targeting = {"covariates": ["education"], "value": {"work": 100.0}}
    assert said(heterogeneity, targeting, columns=columns) == ""


@pytest.mark.parametrize(
    ("heterogeneity", "targeting", "expected"),
    [
        ({"outcomes": ["werk"]}, {}, "heterogeneity.outcomes: `werk` is not an outcome. Did you "
         "mean `work`?"),
        ({"outcomes": ["before"]}, {}, "`before` is a placebo, on which nothing can have"),
        ({"covariates": ["aeg"]}, {}, "heterogeneity.covariates: `aeg` is neither a covariate nor "
         "`gender`. Did you mean `age`?"),
        ({"covariates": ["zzz"]}, {}, "`zzz` is neither a covariate nor `gender`. Covariates: age, "
         "education, work before, gender."),
        ({"composition": ["regoin"]}, {}, "heterogeneity.composition: `regoin` is neither a "
         "covariate, a block nor a group. Did you mean `region`?"),
        ({"composition": ["gender"]}, {}, "heterogeneity.composition: `gender` is neither"),
        ({}, {"covariates": ["educ"]}, "targeting.covariates: `educ` is not a covariate. Did you "
         "mean `education`?"),
        ({}, {"covariates": ["gender"]}, "`gender` is left out: every rule is tried with it"),
        ({}, {"value": {"wrk": 1.0}}, "targeting.value: `wrk` is not an outcome. Did you mean "
         "`work`?"),
        ({}, {"value": {"before": 1.0}}, "targeting.value: `before` is not an outcome."),
    ],
)  # fmt: skip
def test_a_name_that_is_not_there_is_refused_with_the_nearest(heterogeneity, targeting, expected):
    assert expected in said(heterogeneity, targeting)


def test_without_both_genders_gender_is_no_covariate():
    columns = {"gender": None}
    told = said({"covariates": ["gender"]}, columns=columns)
    assert "heterogeneity.covariates: `gender` is not a covariate." in told


def test_the_cross_fitting_of_scores_is_used_in_a_lottery():
    plan = plan_of(np.zeros((4, 1)), analysis={"cross_fitting": {"splits": 2}})
    assert "analysis.cross_fitting" not in unused(plan)
