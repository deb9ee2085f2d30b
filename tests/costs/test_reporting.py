"""Every item of CHEERS 2022 is in the checklist once: answered, absent for a reason, or missing."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from simulate import plan_of

from evaluate import schemas
from evaluate.costs.reporting import ITEMS, SECTIONS, answers, checklist, expected_tables, to_state
from evaluate.costs.reporting_facts import TABLES, nothing
from evaluate.errors import Problems
from evaluate.io import checked
from evaluate.plan.load import load_plan
from evaluate.plan.reporting import Absent, Reporting
from evaluate.release import RELEASED

COSTS = {"currency": "SEK", "price_year": 2022, "amount": 10.0, "outcomes": ["y0"]}
MAY_BE_ABSENT = [
    key for key, field in Reporting.model_fields.items() if "Absent" in str(field.annotation)
]
ONLY_PEOPLE_KNOW = [item.name for item in ITEMS if item.facts is nothing]


def text(of):
    return {"en": f"Words on {of}", "sv": f"Ord om {of}"}


def plan_with(reporting=None, **costs):
    columns = costs.pop("columns", {})
    return plan_of(
        np.zeros((4, 1)), columns=columns, costs=COSTS | costs | {"reporting": reporting or {}}
    )


OBSERVED = ("costs", "cost_effectiveness", "acceptability", "heterogeneity", "gap")


def rows(plan, tables=OBSERVED):
    found = checked(checklist(plan, tables), schemas.CHEERS, "cheers")
    assert found["item"].tolist() == list(range(1, 29))
    return found.set_index("name")


@st.composite
def stated(draw):
    """Draw which keys a plan states, and which of them as absent."""
    found = {}
    for key in Reporting.model_fields:
        kinds = ["none", "text", *(["absent"] if key in MAY_BE_ABSENT else [])]
        kind = draw(st.sampled_from(kinds))
        if kind != "none":
            found[key] = text(key) if kind == "text" else {"absent": text(key)}
    return found


@given(stated(), st.sets(st.sampled_from(TABLES)), st.booleans())
def test_each_item_is_there_once_whatever_is_stated(reporting, tables, source):
    more = {"source": text("source")} if source else {}
    plan = plan_with(reporting, **more)
    found = rows(plan, tables)
    assert found.index.tolist() == [item.name for item in ITEMS]
    for item in ITEMS:
        row = found.loc[item.name]
        words = reporting.get(item.key, {})
        reason = words.get("absent", {}).get("en")
        if "en" in words:
            assert row["status"] == "answered"
            assert words["en"] in row["answer"]
            assert "reporting" in row["where"]
        elif reason and not item.facts(plan, plan.costs, tables):
            assert (row["status"], row["where"]) == ("absent", "reporting")
            assert row["answer"] == f"absent, because: {reason}"
        elif item.name in ONLY_PEOPLE_KNOW and row["status"] != "absent":
            assert row["status"] == "missing"
            assert row["answer"] == f"not answered: state {item.path}"
        if row["status"] == "missing":
            assert np.isnan(row["where"]) if isinstance(row["where"], float) else not row["where"]
        else:
            assert set(row["where"].split(", ")) <= set(SECTIONS)


def test_only_people_know_what_no_data_tell():
    assert ONLY_PEOPLE_KNOW == [
        "background", "setting", "engagement", "effect_of_engagement", "findings", "funding",
        "conflicts_of_interest",
    ]  # fmt: skip
    found = rows(plan_with())
    assert (found.loc[ONLY_PEOPLE_KNOW, "status"] == "missing").all()


def test_every_key_of_the_plan_answers_one_item():
    assert sorted(item.key for item in ITEMS if item.key) == sorted(
        [*Reporting.model_fields, "source"]
    )


def test_what_nobody_had_a_part_in_they_did_not_change():
    found = rows(plan_with({"engagement": {"absent": text("nobody asked")}}))
    assert found.loc["effect_of_engagement", "status"] == "absent"
    assert "Words on nobody asked" in found.loc["effect_of_engagement", "answer"]
    told = {"engagement": {"absent": text("a")}, "effect_of_engagement": text("b")}
    assert rows(plan_with(told)).loc["effect_of_engagement", "status"] == "answered"


def test_what_is_there_is_not_called_absent():
    plan = plan_with({"heterogeneity": {"absent": text("too few")}})
    assert rows(plan).loc["heterogeneity", "status"] == "answered"
    assert rows(plan, {"costs"}).loc["heterogeneity", "status"] == "absent"


def test_a_table_without_rows_answers_nothing():
    empty, found = rows(plan_with(), ()), rows(plan_with())
    for name in ("perspective", "heterogeneity", "distributional_effects", "uncertainty",
                 "inputs", "results"):  # fmt: skip
        assert empty.loc[name, "status"] == "missing", name
        assert found.loc[name, "status"] == "answered", name


def test_intervals_alone_do_not_say_what_other_assumptions_do():
    assert rows(plan_with()).loc["effect_of_uncertainty", "status"] == "missing"
    row = rows(plan_with(), [*OBSERVED, "cost_sensitivity"]).loc["effect_of_uncertainty"]
    assert (row["status"], row["where"]) == ("answered", "costs")


def test_a_figure_needs_a_source_and_an_outcome_months():
    found = rows(plan_with())
    assert found.loc["resources", "answer"] == "not answered: state costs.source"
    assert found.loc["time_horizon", "status"] == "missing"
    told = rows(plan_with(source=text("the accounts")))
    assert "Words on the accounts" in told.loc["resources", "answer"]


def test_months_benefits_and_rates_are_those_of_the_plan():
    benefits = [{"outcome": "y0", "years": 40, "discount_rate": 0.05, "exchange": 1.5}]
    plan = plan_with(benefits=benefits, discount_rate=0.035, rates={"EUR": 10.6})
    outcome = plan.outcomes["y0"].model_validate(
        {"columns": {0: "a", 6: "b", 24: "c"}, "unit": "SEK"}
    )
    plan = plan.model_copy(update={"outcomes": {"y0": outcome}})
    now, later = rows(plan), rows(plan, [*OBSERVED, "cost_benefit"])
    assert now.loc["time_horizon", "answer"].startswith("outcomes.y0: months 6 to 24; reason not")
    assert "none" in now.loc["discount_rate", "answer"]
    assert "none" in now.loc["model", "answer"]
    assert "costs.benefits.y0.years: 40" in later.loc["time_horizon", "answer"]
    assert later.loc["discount_rate", "answer"].startswith(
        "costs.discount_rate: 0.035; costs.benefits.y0.discount_rate: 0.05"
    )
    assert "exchange 1.5" in later.loc["valuation", "answer"]
    assert "cost_benefit.csv" in later.loc["model", "answer"]
    answer = "costs.currency: SEK; costs.price_year: 2022; costs.rates: EUR"
    assert now.loc["currency", "answer"] == answer


def test_one_gender_without_groups_has_no_differences_to_tell():
    plan = plan_with(columns={"gender": "women"})
    found = rows(plan, expected_tables(plan))
    assert found.loc["heterogeneity", "status"] == "missing"
    assert found.loc["distributional_effects", "status"] == "missing"


def test_a_plan_without_costs_has_no_checklist():
    plan = plan_of(np.zeros((4, 1)))
    assert checked(checklist(plan, ()), schemas.CHEERS, "cheers").empty
    assert to_state(plan) == ([], [])


def test_a_check_names_what_is_not_stated_and_reasons_that_are_not_given():
    told = plan_with({"funding": text("f"), "setting": {"absent": text("s")}})
    missing, reasons = to_state(told)
    assert "costs.source" in missing
    assert "costs.reporting.background" in missing
    assert not {"costs.reporting.funding", "costs.reporting.setting"} & set(missing)
    assert reasons == ["costs.reporting.perspective", "costs.reporting.discount_rate"]
    table = rows(told, expected_tables(told))
    assert len(missing) == (table["status"] == "missing").sum()


def test_the_tables_that_count_are_released():
    assert set(TABLES) <= set(RELEASED)
    assert len(answers(plan_with(), TABLES)) == 28


PLAN = """
title: {en: A, sv: A}
design: randomised
data: {participants: {path: p.csv}}
columns: {gender: women, treatment: {column: t, control: 0}}
outcomes: {work: {column: w, unit: share}}
costs:
  currency: SEK
  price_year: 2022
  amount: 1
  outcomes: [work]
  reporting:
"""


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("fundng: {en: a, sv: b}", "fundng: unknown key. Did you mean `funding`?"),
        ("funding: the agency", "costs.reporting.funding: `the agency`: must be keys with values"),
        ("funding: {en: The agency}", "costs.reporting.funding.sv: missing, and required"),
        ("funding: {absent: nobody paid}", "costs.reporting.funding.absent"),
        ("funding: {absent: {en: None paid}}", "costs.reporting.funding.absent.sv: missing"),
        ('funding: {en: " ", sv: b}', "must say something"),
        ('funding: {absent: {en: a, sv: ""}}', "must say something"),
        ("perspective: {absent: {en: a, sv: b}}", "costs.reporting.perspective"),
    ],
)
def test_faults_of_the_section_are_named(tmp_path, line, said):
    path = tmp_path / "plan.yaml"
    path.write_text(f"{PLAN}    {line}\n", encoding="utf-8")
    with pytest.raises(Problems) as stopped:
        load_plan(path)
    assert said in str(stopped.value)


def test_a_reason_is_read_as_one(tmp_path):
    path = tmp_path / "plan.yaml"
    path.write_text(f"{PLAN}    funding: {{absent: {{en: a, sv: b}}}}\n", encoding="utf-8")
    assert isinstance(load_plan(path).costs.reporting.funding, Absent)
