"""Plans of observational studies: what they must say, what they cannot ask for."""

import pytest
from pydantic import ValidationError

from evaluate.plan.model import Plan
from evaluate.plan.observational import Protocol
from evaluate.plan.support import unsupported, unused

PROTOCOL = {
    "eligibility": "Registered for six months",
    "strategies": {"en": "A track, or none", "sv": "Ett spår, eller inget"},
    "assignment": "By the case worker",
    "time_zero": "The start",
    "follow_up": "A year",
    "outcome": "Work",
    "contrast": "On those who took part",
    "analysis": "Doubly robust",
}
DAYS = {"started": "start", "time_zero": "started"}
SETS = {"registered": "in", "until": "ut"}


def plan(**sections) -> Plan:
    columns = {"person": "id", "treatment": {"column": "treat", "control": 0}}
    content = {
        "title": {"en": "Simulated", "sv": "Simulerat"},
        "design": "observational",
        "data": {"participants": {"path": "p.csv"}, **sections.pop("data", {})},
        "columns": columns | sections.pop("columns", {}),
        "covariates": ["age", "work0"],
        "outcomes": {"work": {"column": "work1", "unit": "share", "role": "primary"}},
        "protocol": PROTOCOL,
    }
    content |= sections
    return Plan.model_validate({k: v for k, v in content.items() if v is not None})


def said(**sections) -> str:
    return "\n".join(map(str, unsupported(plan(**sections))))


def test_a_whole_plan_is_refused_nothing():
    assert said() == ""
    assert said(columns=DAYS, risk_sets=SETS) == ""
    exact = {"matching": {"exact": ["gender", "work0"]}}
    assert said(analysis=exact, graph={"edges": [["age", "treatment"]]}) == ""


def test_the_protocol_is_required_and_of_observational_studies_alone():
    assert said(protocol=None).startswith("protocol: missing, and required for design: obs")
    for key, value in (("protocol", PROTOCOL), ("graph", {"edges": []}), ("risk_sets", SETS)):
        sections = {"protocol": None, "columns": DAYS} | {key: value}
        refused = said(design="randomised", **sections)
        assert refused.startswith(f"{key}: is of observational studies, and the design is random")


@pytest.mark.parametrize("item", list(PROTOCOL))
def test_every_item_of_the_protocol_says_something(item):
    for empty in (" ", "", {"en": "x", "sv": " "}):
        with pytest.raises(ValidationError, match="must say something"):
            plan(protocol=PROTOCOL | {item: empty})
    with pytest.raises(ValidationError, match="Field required"):
        plan(protocol={k: v for k, v in PROTOCOL.items() if k != item})


def test_an_item_may_have_a_text_for_each_language():
    found = Protocol.model_validate(PROTOCOL)
    assert found.item("strategies", "sv") == "Ett spår, eller inget"
    assert found.item("strategies", "en") == "A track, or none"
    assert found.item("outcome", "sv") == "Work"


@pytest.mark.parametrize(
    ("sections", "key", "mend"),
    [
        ({"columns": {"blocks": ["site"]}}, "columns.blocks", "among the covariates"),
        ({"columns": {"takeup": {"column": "t", "taken": 1}}}, "columns.takeup", "who did"),
        ({"columns": {"accepted": {"column": "t", "taken": 1}}}, "columns.accepted", "who took"),
        ({"columns": {"wave": "w"}}, "columns.wave", "risk_sets"),
        ({"assignment": {"share": 0.5}}, "assignment", "Leave it out"),
        ({"data": {"assignment": {"path": "a.csv"}}}, "data.assignment", "into the participants"),
        ({"covariates": None}, "covariates", "required for design: observational"),
        ({"analysis": {"estimators": ["ancova"]}}, "analysis.estimators", "aipw, matching"),
        ({"analysis": {"estimators": ["did"]}}, "analysis.estimators", "Name another first"),
        ({"analysis": {"estimators": ["aipw", "did"]}}, "analysis.estimators", "Name columns.sta"),
        ({"analysis": {"propensity": {"within_gender": True}}}, "analysis.propensity", "women"),
        ({"analysis": {"matching": {"exact": ["site"]}}}, "analysis.matching.exact", "age, work0"),
        (
            {"analysis": {"interval": "wild_bootstrap"}, "columns": {"cluster": "c"}},
            "analysis.interval",
            "Leave it out",
        ),
        (
            {"covariates": [{"column": "age", "measured": "2020-01-31"}]},
            "covariates.age.measured",
            "columns.offered",
        ),
        ({"risk_sets": SETS}, "risk_sets", "`time_zero: started`"),
        (
            {"risk_sets": SETS, "columns": DAYS | {"offered": "d"}},
            "risk_sets",
            "Leave it out",
        ),
        (
            {"risk_sets": SETS, "columns": DAYS | {"person": None}},
            "risk_sets",
            "Name columns.person",
        ),
        (
            {"risk_sets": SETS, "columns": DAYS, "covariates": ["age", "ut"]},
            "covariates",
            "after time zero",
        ),
    ],
)
def test_what_does_not_fit_is_refused_with_the_reason_and_what_to_do(sections, key, mend):
    faults = list(map(str, unsupported(plan(**sections))))
    assert all(fault.startswith(key) for fault in faults)
    assert sum(mend in fault for fault in faults) == 1


def monthly(first, last, **more):
    """Return a plan with an outcome by month, and difference-in-differences."""
    outcome = {"spells": [1], "months": [first, last], "unit": "share"} | more
    spells = {"path": "s.csv", "extract_date": "2020-01-01", "coverage": "2015-01-01"}
    return {
        "outcomes": {"work": outcome},
        "data": {"spells": spells},
        "columns": {"offered": "d", "started": "s"},
    }


def test_difference_in_differences_needs_months_before_and_after():
    did = {"estimators": ["aipw", "did"]}
    assert said(analysis=did, **monthly(-6, 12, role="primary", primary_month=12)) == ""
    assert "did needs an outcome with months before and" in said(analysis=did, **monthly(1, 12))
    assert "Name its primary_month" in said(analysis=did, **monthly(-6, 12, role="primary"))


def test_an_outcome_before_time_zero_is_a_placebo():
    assert "outcomes.work: month -6 is before time zero" in said(**monthly(-6, 12))
    assert "outcomes.work: month -3 is before time zero" in said(**monthly(-3, 0))
    assert said(**monthly(-3, 0, role="placebo")) == ""
    assert said(**monthly(1, 12)) == ""
    lottery = {"design": "randomised", "protocol": None} | monthly(-6, 12)
    assert said(**lottery) == ""


def test_persons_of_risk_sets_share_scores():
    several = plan(columns=DAYS, risk_sets=SETS)
    assert several.columns.clustered
    assert several.columns.repeated
    assert several.risk_sets.per_treated == 5
    assert not plan(columns=DAYS).columns.clustered
    did = said(columns=DAYS, risk_sets=SETS, analysis={"estimators": ["aipw", "did"]})
    assert "did takes each person once" in did
    hc2 = said(columns=DAYS, risk_sets=SETS, analysis={"std_error": "HC2"})
    assert "a person may be drawn in several months (risk_sets)" in hc2


@pytest.mark.parametrize("few", [0, 101])
def test_comparison_persons_are_drawn_within_bounds(few):
    with pytest.raises(ValidationError, match="per_treated"):
        plan(columns=DAYS, risk_sets=SETS | {"per_treated": few})


def test_the_day_of_a_measurement_is_a_day_or_a_column():
    day, column = (
        plan(covariates=[{"column": "age", "measured": m}]).covariate_list[0]
        for m in ("2020-01-31", "2020_day")
    )
    assert str(day.measured_day) == "2020-01-31"
    assert day.measured_column is None
    assert column.measured_day is None
    assert column.measured_column == "2020_day"
    with pytest.raises(ValidationError, match="the calendar has none such"):
        plan(covariates=[{"column": "age", "measured": "2020-02-30"}])


def test_what_is_used_is_not_said_to_be_unused():
    analysis = {"propensity": {"trim": "none"}, "matching": {"neighbours": 2}}
    sections = {"analysis": analysis, "graph": {"edges": [["age", "treatment"]]}}
    assert unused(plan(**sections)) == []
    assert unused(plan(design="randomised", **sections)) == [
        "protocol", "graph", "analysis.propensity", "analysis.matching",
    ]  # fmt: skip
