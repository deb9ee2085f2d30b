"""Doses in the clean study: from columns, from activities, with what is not known counted."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from data.extract import FILE, cleaned, people, plan
from data.simulated.raw import sound_study
from data.test_stage import run
from evaluate import schemas
from evaluate.errors import Problems
from evaluate.io import checked
from evaluate.plan.load import load_plan
from evaluate.plan.model import Plan
from evaluate.study import study_of

HOURS = {"hours": {"column": "tim", "unit": "hours"}}


@pytest.fixture
def path(tmp_path):
    return tmp_path / FILE


def rows(*values, n=16):
    found = people(n, tim="2,5")
    for row, value in zip(found, values, strict=False):
        row["tim"] = value
    return found


def noted(study):
    flow = study.flow[study.flow["step"] == "noted"]
    return dict(zip(flow["reason"], flow["n"], strict=True))


def test_a_column_is_read_and_what_is_missing_is_counted(path):
    study = cleaned(path, rows("", "0", "inf"), doses=HOURS)
    assert_array_equal(study.participants["dose.hours"], [np.nan, 0, np.nan] + [2.5] * 13)
    assert noted(study) == {"tim missing": 2, "tim infinite, taken as missing": 1}
    checked(study.participants, schemas.PARTICIPANTS, "participants")
    found = study_of(study.participants, study.outcomes, plan(doses=HOURS))
    assert_array_equal(found.doses["hours"], study.participants["dose.hours"])


@pytest.mark.parametrize(
    ("values", "unit", "said"),
    [
        (("-1", "-2,5"), "hours", "column tim: 2 rows below 0, which is no amount of a programme"),
        (("mycket",), "hours", "column tim: 1 row with a text that is not a number"),
        (("1e200",), "hours", "column tim: 1 row above 1e+150, too large to use"),
        (("0",), "share", "column tim: 15 rows above 1, but the unit is share (doses.hours)"),
    ],
)
def test_what_is_no_amount_stops_the_run(path, values, unit, said):
    doses = {"hours": {"column": "tim", "unit": unit}}
    with pytest.raises(Problems) as error:
        cleaned(path, rows(*values), doses=doses)
    assert any(said in problem for problem in error.value.problems)
    assert not any("-2,5" in problem or "mycket" in problem for problem in error.value.problems)


def test_a_column_that_is_not_there_is_named_with_its_key(path):
    with pytest.raises(Problems, match=r"doses\.hours\.column"):
        cleaned(path, people(), doses=HOURS)


def test_rows_that_are_left_out_may_have_any_dose(path):
    study = cleaned(path, rows("-1"), doses=HOURS, eligibility=["ålder >= 21"])
    assert (study.participants["dose.hours"] == 2.5).all()


def test_activities_become_doses_of_the_persons(tmp_path):
    small = sound_study(tmp_path, 400)
    content = load_plan(small.plan).model_dump(mode="json", exclude_unset=True, by_alias=True)
    doses = {
        "all": {"activities": True, "unit": "activities"},
        "first": {"activities": True, "months": [1, 2], "unit": "activities"},
    }
    named = Plan.model_validate(content | {"doses": doses})
    stage = run(small, named)
    persons, flow = stage.tables["participants"], stage.tables["flow"]
    checked(persons, schemas.PARTICIPANTS, "participants")
    every, first = persons["dose.all"], persons["dose.first"]
    assert (first <= every)[every.notna()].all()
    assert first.sum() > 0
    table = stage.tables["dose"]
    kind = "all" if (table["kind"] == "all").any() else table["kind"].iloc[0]
    table = table[(table["kind"] == kind) & (table["month"] == 0)].set_index(["arm", "group"])
    for arm in persons["arm"].unique():
        own = every[persons["arm"] == arm].dropna()
        assert len(own) == table.loc[(arm, "all"), "n"]
        if persons["weight"].isna().all():
            assert own.mean() == pytest.approx(table.loc[(arm, "all"), "mean"], 1e-12)
    said = flow[(flow["step"] == "noted") & flow["reason"].str.startswith("dose all not known")]
    assert said["n"].sum() == every.isna().sum()
