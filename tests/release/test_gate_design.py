"""Checks of the design by gender, and the rows of one person in several waves."""

import pandas as pd
import pytest
from studies import plan_for

from evaluate.plan.model import Plan
from evaluate.release.gate_checks import gate_checks
from evaluate.release.publish import rows_of_a_person

FLOW = pd.DataFrame(
    {"step": ["included", "analysed"], "reason": ["", "work"], "arm=0": [90, 70], "arm=1": [90, 80]}
)


def checks(check, least):
    return pd.DataFrame(
        {
            "check": check,
            "group": ["all", "women", "men"],
            "statistic": 0.1,
            "p_value": 0.4,
            "verdict": "pass",
            "text": "missing: 0.1 in arm 0, 0.2 in arm 1",
            "least": pd.array(least, dtype="Int64"),
        }
    )


@pytest.mark.parametrize(
    ("least", "hidden"),
    [
        ([10, 6, 9], [False, False, False]),
        ([10, 3, 9], [False, True, True]),  # else women's were all less men's
        ([10, 6, 1], [False, True, True]),
        ([10, None, 9], [False, False, False]),
    ],
)
@pytest.mark.parametrize("check", ["attrition:work", "placebo:work"])
def test_few_persons_of_a_gender_hide_those_of_the_other(check, least, hidden):
    gated, entries = gate_checks(checks(check, least), FLOW, (), min_cell=5)
    assert gated["statistic"].isna().tolist() == hidden
    assert (gated["text"] == "withheld").tolist() == hidden
    assert len(entries) == sum(hidden)
    assert "least" not in gated
    assert gated["p_value"].tolist() == [0.4] * 3


def test_shares_of_a_withheld_group_are_withheld_of_every_check_that_tells_them():
    for check, hidden in (("placebo:work", 2), ("assignments", 2), ("balance", 0)):
        gated, _ = gate_checks(checks(check, [20] * 3), FLOW, {"women", "men"}, min_cell=5)
        assert gated["statistic"].isna().sum() == hidden


def test_rows_of_one_person_count_as_one_person():
    plan = plan_for("x", columns=plan_for("x")["columns"] | {"wave": "wave"})
    participants = pd.DataFrame({"person": ["1", "2", "2", "3", "3", "3"]})
    assert rows_of_a_person(participants, Plan.model_validate(plan)) == 3
    assert rows_of_a_person(participants, Plan.model_validate(plan_for("x"))) == 1
