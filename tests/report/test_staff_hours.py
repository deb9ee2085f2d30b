"""Hours of staff in words, and the section on costs of a programme that has nothing but hours."""

import re
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from simulate import plan_of
from studies import evaluated, people, plan_for

from evaluate.report.staff_hours import sentences
from evaluate.report.words import Words

NUMBERS = ["hours_reported", "hours_claimed", "hours_above_month", "hours_above_year"]
ROLES = {"caseworker": {"wage_cost": 412, "unit_cost": 464}, "interpreter": {"wage_cost": 390}}
COSTS = {"currency": "SEK", "price_year": 2022, "outcomes": ["y0"], "roles": ROLES}


def said(language, rows, **costs):
    plan = plan_of(np.zeros((4, 1)), costs=COSTS | costs)
    table = pd.DataFrame(rows, columns=["role", *NUMBERS])
    text = " ".join(sentences(SimpleNamespace(plan=plan, staff_hours=table), Words(language)))
    return text.replace("\u00a0", " ")


ROWS = [("caseworker", 1000.5, 900.0, 60.5, 40.0), ("caseworker", 500.0, 500.0, 0.0, 0.0),
        ("interpreter", 20.0, np.nan, np.nan, np.nan)]  # fmt: skip


def test_hours_are_added_up_by_role_and_those_cut_are_told_with_their_limit():
    text = said("en", ROWS, claim={"flat_rate": 0.4})
    assert "caseworker: 1,500.50 hours reported, 1,400 of them claimed at the unit cost." in text
    assert "60.50 hours are not claimed, for they are above 155.16 hours for a person and" in text
    assert "40 hours are not claimed, for they are above 1,862 hours for a person and cal" in text
    assert "interpreter: 20 hours reported, no unit cost." in text
    assert "the claim has a flat rate, 40 % of the claimed staff cost." in text


def test_what_there_is_nothing_of_is_not_said():
    text = said("en", ROWS[1:])
    assert "caseworker: 500 hours reported, 500 of them claimed" in text
    assert "not claimed" not in text
    assert "flat rate" not in text
    assert said("en", []) == ""
    assert said("en", ROWS, amount=5) == ""
    assert "flat rate" not in said("en", ROWS[2:], claim={"flat_rate": 0.4})


def test_it_is_said_in_swedish():
    text = said("sv", ROWS, claim={"hours_a_year": 1720, "flat_rate": 0.155})
    assert "1 500,50 rapporterade timmar, varav ersättning söks för 1 400 till enhetskost" in text
    assert "För 40 timmar söks ingen ersättning, eftersom de överstiger 1 720 timmar per" in text
    assert "interpreter: 20 rapporterade timmar, ingen enhetskostnad." in text
    assert "ett schablonpåslag, 15,5 % av de personalkostnader" in text


@pytest.fixture(scope="module")
def worked(tmp_path_factory):
    """Give a programme whose costs are hours alone: 100 for control, 1,000 for those offered."""
    folder = tmp_path_factory.mktemp("worked")
    raw = folder / "data" / "raw" / "worked"
    raw.mkdir(parents=True)
    rows = [("caseworker", "2022-03", 100, 1, 0), ("caseworker", "2022-03", 1000, 6, 1),
            ("interpreter", "2022-04", 50, 1, 1)]  # fmt: skip
    table = pd.DataFrame(rows, columns=["role", "month", "hours", "persons", "arm"])
    table.assign(site="", payer="public").to_csv(raw / "hours.csv", index=False)
    data = {"participants": {"path": "data/raw/worked/p.csv"},
            "time_reports": {"path": "data/raw/worked/hours.csv"}}  # fmt: skip
    costs = COSTS | {"outcomes": ["work"], "per": "offer", "claim": {"flat_rate": 0.4}}
    columns = {"person": "id", "gender": {"column": "sex", "women": "F", "men": "M"},
               "treatment": {"column": "treat", "control": 0}}  # fmt: skip
    plan = plan_for("worked", data=data, columns=columns, costs=costs)
    return evaluated(folder, "worked", plan, people(200, seed=3))


def test_the_costs_of_hours_are_economic_and_the_claim_is_beside_them(worked):
    costs = worked.table("costs").set_index(["item", "basis", "arm"])["amount"]
    claimed = 6 * 155.16
    assert costs.to_dict() == pytest.approx({
        ("caseworker", "economic", "0"): 412 * 100,
        ("caseworker", "economic", "1"): 412 * 1000,
        ("caseworker", "unit_cost", "0"): 464 * 100,
        ("caseworker", "unit_cost", "1"): 464 * claimed,
        ("interpreter", "economic", "1"): 390 * 50,
        ("flat rate", "unit_cost", "0"): 0.4 * 464 * 100,
        ("flat rate", "unit_cost", "1"): 0.4 * 464 * claimed,
    })  # fmt: skip
    found = worked.table("cost_effectiveness")
    found = found[found["basis"] == "economic"]
    persons = worked.table("flow").set_index("step").loc["included", ["arm=0", "arm=1"]]
    of_control, of_offer = 412 * 100, 412 * 1000 + 390 * 50
    expected = of_offer / int(persons["arm=1"]) - of_control / int(persons["arm=0"])
    own = found[(found["group"] == "all") & (found["denominator"] == "offer")]
    assert len(own) == 1
    assert own["incremental_cost"].to_numpy() == pytest.approx(expected)


@pytest.mark.parametrize(
    ("language", "title", "cut"),
    [
        ("en", "Flat rate for other costs of the claim", "69.04 hours are not claimed"),
        ("sv", "Schablonpåslag för övriga kostnader i ansökan", "För 69,04 timmar söks ingen"),
    ],
)
def test_the_section_on_costs_has_the_claim_and_the_hours_cut(worked, language, title, cut):
    html = (worked.results / f"report.{language}.html").read_text(encoding="utf-8")
    section = re.search(r'<section id="costs".*?</section>', html, flags=re.DOTALL)[0]
    assert title in section
    assert cut in section
    assert "flat rate</td>" not in section
