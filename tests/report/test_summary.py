"""The summary in words: its numbers are those of the released tables, and it claims no more."""

import re

import numpy as np
import pandas as pd
import pytest
from studies import evaluated, people, plan_for

from evaluate.release import RELEASED
from evaluate.report.words import MINUS

from .conftest import COSTS, GENDER, TREATMENT

TOKEN = re.compile(rf"{MINUS}?\d[\d,]*(?:\.\d+)?")
# Not from a table: per cent of a level and of power, the least p-value that is printed.
OF_THE_TEXT = {95.0, 80.0, 0.001}


def summary_of(programme, language="en"):
    html = (programme.results / f"report.{language}.html").read_text(encoding="utf-8")
    section = re.search(r'<section id="summary".*?</section>', html, flags=re.DOTALL)[0]
    text = re.sub(r"<[^>]+>", " ", section)
    return re.sub(r"[\s\u00a0\u202f]+", " ", text)


def told(programme):
    """Return all numbers of the released tables, and a hundred times those below two."""
    found = []
    for name in RELEASED:
        table = programme.table(name)
        numbers = table.select_dtypes("number").astype(float).to_numpy().ravel()
        found.append(numbers[np.isfinite(numbers)])
    flow = programme.table("flow")
    included = flow.loc[flow["step"] == "included"].iloc[0]
    arms = [c for c in flow if c.startswith("arm=")]
    treated = float(pd.to_numeric(included[arms[1:]]).sum())
    warned = float((programme.table("design_checks")["verdict"] == "warn").sum())
    found.append(np.array([treated, warned, len(arms) - 1]))
    values = np.concatenate(found)
    return np.concatenate([values, 100 * values[np.abs(values) < 2]])


@pytest.mark.parametrize("name", ["plain", "full", "men", "linked"])
def test_every_number_is_in_a_released_table(name, request):
    programme = request.getfixturevalue(name)
    values, text = told(programme), summary_of(programme)
    for outcome, stated in programme.plan.outcomes.items():
        text = text.replace((stated.title or {}).get("en", outcome), "")
    tokens = TOKEN.findall(text)
    assert len(tokens) > 10
    for token in tokens:
        number = float(token.rstrip(",").replace(",", "").replace(MINUS, "-"))
        half = 0.5 * 10.0 ** -len(token.partition(".")[2])
        near = np.abs(values - number).min()
        is_arm = number in (0, 1, 2) and "." not in token
        assert near <= half * 1.0001 or number in OF_THE_TEXT or is_arm, token


def test_the_sentence_of_a_group_has_the_numbers_of_its_row(plain):
    effects, text = plain.table("effects"), summary_of(plain)
    lead = effects[(effects["estimator"] == "lin") & (effects["outcome"] == "work")]
    for row in lead.to_dict("records"):
        numbers = [100 * row[c] for c in ("estimate", "conf_low", "conf_high")]
        effect, low, high = (f"{round(x, 1):.1f}".replace("-", MINUS) for x in numbers)
        assert f"{effect} percentage points (95 % interval {low} to {high}" in text


def test_the_swedish_summary_has_the_same_numbers(plain):
    def numbers(text, mark):
        found = re.findall(rf"{MINUS}?\d+{mark}\d+", text)
        return [f.replace(mark.strip("\\"), ".") for f in found]

    english, swedish = (summary_of(plain, language) for language in ("en", "sv"))
    assert numbers(english, r"\.") == numbers(swedish, ",")


@pytest.mark.parametrize("name", ["plain", "full", "small"])
def test_what_is_not_settled_is_never_called_no_effect(name, request):
    programme = request.getfixturevalue(name)
    # The data may be "compatible with no effect"; that the programme has none is not said.
    english = summary_of(programme, "en").replace("compatible with no effect at all", "")
    assert not re.search(r"\bno (effect|difference|impact)\b|same effect|equal effects", english)
    swedish = summary_of(programme, "sv")
    assert not re.search(r"\b(ingen|utan) (effekt|skillnad)\b|samma effekt", swedish)


def test_a_null_result_is_called_unsettled_with_the_gap_that_could_be_found(plain):
    text = summary_of(plain)
    effects = plain.table("effects")
    rows = effects[(effects["outcome"] == "work") & (effects["estimator"] == "lin")]
    assert ((rows["conf_low"] < 0) & (rows["conf_high"] > 0)).all()
    assert text.count("do not settle the direction") == 3
    assert "This is not evidence that the effects are the same" in text
    assert "inget belägg för att effekterna är lika" in summary_of(plain, "sv")


def test_one_gender_says_why_there_is_no_gap(men):
    assert "The programme has men only" in summary_of(men)
    assert "Programmet har bara män" in summary_of(men, "sv")


def test_without_gender_and_costs_the_summary_says_so(tmp_path):
    columns = {"person": "id", "treatment": TREATMENT}
    plan = plan_for("nobody", columns=columns)
    found = evaluated(tmp_path, "nobody", plan, people(120))
    assert set(found.table("effects")["group"]) == {"all"}
    assert "names no gender" in summary_of(found)
    assert "names no costs" in summary_of(found)


def test_unbounded_costs_are_said_to_be_so_in_every_place(plain):
    costs = plain.table("cost_effectiveness")
    groups = costs[(costs["group"] != "women-men") & (costs["denominator"] == "offer")]
    assert set(groups["icer_set"]) <= {"unbounded", "whole line"}
    assert summary_of(plain).count("cannot be bounded") == len(groups)
    assert summary_of(plain, "sv").count("avgränsas") == len(groups)


def test_a_bounded_cost_has_its_interval(tmp_path):
    frame = people(800, seed=8)
    frame["work"] = (frame.index % 10 < 3 + 4 * frame["treat"]).astype(int)
    columns = {"person": "id", "gender": GENDER, "treatment": TREATMENT}
    found = evaluated(tmp_path, "clear", plan_for("clear", columns=columns, costs=COSTS), frame)
    row = found.table("cost_effectiveness").iloc[0]
    assert row["icer_set"] == "interval"
    text = summary_of(found)
    assert f"{row['icer']:,.0f} SEK per additional person" in text
    assert f"(95 % interval {row['icer_low']:,.0f} to {row['icer_high']:,.0f} SEK)" in text
    assert "The offer raised the outcome" in text


def test_a_broken_lottery_is_warned_of(tmp_path):
    frame = people(400, seed=9)
    frame["earn0"] += 4_000 * frame["treat"]
    plan = plan_for("broken", covariates=["age", "earn0"], assignment={"share": 0.7})
    plan["outcomes"]["before"]["without"] = ["earn0"]
    found = evaluated(tmp_path, "broken", plan, frame)
    assert "Warning: already before the offer" in summary_of(found)
    assert "not alike at the outset" in summary_of(found)
    warned = (found.table("design_checks")["verdict"] == "warn").sum()
    assert warned >= 2
    assert re.search(rf"Warning: .*\b{warned}\b", summary_of(found))
