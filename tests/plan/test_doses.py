"""The section `doses`: what is a dose, and what is none, said before anything runs."""

import re

import pytest
from studies import plan_for

from evaluate.errors import Problems
from evaluate.plan.doses import counted_months
from evaluate.plan.load import load_plan
from evaluate.plan.model import Plan
from evaluate.plan.support import unused

BASE = {
    "design": "randomised",
    "data": {
        "participants": {"path": "p.csv"},
        "activities": {"path": "a.csv", "kinds": {"meeting": [1, 2], "referral": ["R"]},
                       "months": 6},
        "extract_date": "2022-01-01",
    },
    "columns": {
        "person": "id",
        "gender": {"column": "sex", "women": "F", "men": "M"},
        "treatment": {"column": "treat", "control": 0},
        "takeup": {"column": "attended", "taken": 1},
        "offered": "day",
        "blocks": ["site"],
    },
    "covariates": ["age", "visits0"],
    "groups": ["education"],
}  # fmt: skip
HOURS = {"column": "hours", "unit": "hours"}
MEETINGS = {"activities": ["meeting"], "unit": "meetings"}


def plan(dose, name="dose", **sections):
    return Plan.model_validate(plan_for("a", **(BASE | sections | {"doses": {name: dose}})))


def test_doses_are_columns_or_activities_over_months():
    both = Plan.model_validate(
        plan_for("a", **BASE | {"doses": {"hours": HOURS, "all": {"activities": True, "unit": "n"},
                                          "early": MEETINGS | {"months": [2, 3]}}})
    )  # fmt: skip
    assert both.doses["hours"].column == "hours"
    assert both.doses["all"].activities is True
    assert counted_months(both.doses["all"], 6) == (1, 6)
    assert counted_months(both.doses["early"], 6) == (2, 3)
    assert Plan.model_validate(plan_for("a", **BASE)).doses == {}


@pytest.mark.parametrize(
    ("dose", "said"),
    [
        ({"unit": "n"}, "name either column or activities"),
        (HOURS | {"activities": True}, "name either column or activities"),
        (HOURS | {"months": [1, 2]}, "months go with activities"),
        (MEETINGS | {"months": [3, 2]}, "the first must not be after the last"),
        (MEETINGS | {"months": [0, 2]}, "greater than or equal to 1"),
        ({"column": "hours"}, "Field required"),
        (MEETINGS | {"activities": []}, "at least 1 item"),
        (HOURS | {"unit": "share", "unit_title": {"en": "s"}}, "the unit share has names"),
        (MEETINGS | {"months": [1, 7]}, "data.activities counts 6 months"),
        (MEETINGS | {"activities": ["meetin"]}, "Did you mean `meeting`?"),
        (HOURS | {"column": "age"}, "`age` is a covariate, measured before time zero"),
        (HOURS | {"column": "treat"}, "`treat` is columns.treatment, the treatment itself"),
        (HOURS | {"column": "attended"}, "columns.takeup, which is a dose without being named"),
        (HOURS | {"column": "earn0"}, "outcomes.before, measured before time zero"),
        (HOURS | {"column": "work"}, "outcomes.work, the outcome"),
        (HOURS | {"column": "education"}, "among the groups, measured before time zero"),
        (HOURS | {"column": "site"}, "a block, measured before time zero"),
        (HOURS | {"column": "day"}, "columns.offered, measured before time zero"),
        (HOURS | {"column": "id"}, "columns.person, no amount"),
    ],
)
def test_what_is_no_dose_is_refused(dose, said):
    with pytest.raises(ValueError, match=re.escape(said)):
        plan(dose)


def test_take_up_is_a_dose_by_itself():
    with pytest.raises(ValueError, match=r"take-up is a dose by columns\.takeup"):
        plan(HOURS, "takeup")


def test_outcomes_of_months_before_are_measured_before():
    earn = {"columns": {-3: "e0", 6: "e6"}, "unit": "SEK", "primary_month": 6}
    with pytest.raises(ValueError, match=r"`e0` is outcomes\.earn, measured before time zero"):
        plan(HOURS | {"column": "e0"}, outcomes={"earn": earn})


def test_activities_need_their_table():
    data = {"participants": {"path": "p.csv"}}
    with pytest.raises(ValueError, match=r"needs the table data\.activities"):
        plan(MEETINGS, data=data)
    assert plan(HOURS, data=data).doses


def test_the_message_names_file_line_and_key(tmp_path):
    text = """\
title: {en: a, sv: a}
design: randomised
data: {participants: {path: p.csv}}
columns: {treatment: {column: treat, control: 0}}
outcomes: {work: {column: work, unit: share}}
doses:
  hours:
    column: treat
    unit: hours
"""
    path = tmp_path / "a.yaml"
    path.write_text(text)
    with pytest.raises(Problems) as error:
        load_plan(path)
    (problem,) = error.value.problems
    assert "a.yaml, line 8: doses.hours.column" in problem
    assert "the treatment itself" in problem


def test_doses_of_one_gender_are_said_to_be_unused():
    columns = BASE["columns"] | {"gender": "women"}
    assert "doses" in unused(plan(HOURS, columns=columns))
    assert "doses" not in unused(plan(HOURS))
