"""The checklist of the economic evaluation in the report: what the table says, in words."""

import html
import re
from dataclasses import replace
from functools import cache

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from studies import Evaluated, evaluated, people, plan_for

from evaluate.costs.reporting import ITEMS, checklist
from evaluate.costs.reporting_facts import TABLES, nothing
from evaluate.plan.model import Plan
from evaluate.plan.reporting import Reporting
from evaluate.report import cheers
from evaluate.report.cheers_answers import ANSWERS
from evaluate.report.released import Released, read_released, read_tables
from evaluate.report.words import Words

from . import observational

LANGUAGES = ("en", "sv")
STATED = {
    "funding": {"en": "The agency pays.", "sv": "Myndigheten betalar."},
    "engagement": {"absent": {"en": "Nobody was asked.", "sv": "Ingen tillfrågades."}},
}
UNSTATED = {"en": "Not answered: state {}.", "sv": "Inte besvarad: ange {}."}


@pytest.fixture(scope="module")
def reported(tmp_path_factory) -> Evaluated:
    """Give a programme with costs by figure, which states its funding and no engagement."""
    costs = {
        "currency": "SEK",
        "price_year": 2022,
        "amount": 38600,
        "per": "offer",
        "outcomes": ["work"],
        "reporting": STATED,
    }
    plan = plan_for("reported", costs=costs)
    folder = tmp_path_factory.mktemp("reported")
    return evaluated(folder, "reported", plan, people(160, seed=21))


@cache
def tables_of(results) -> dict:
    return read_tables(results)


def released_of(found: Evaluated, language) -> Released:
    return read_released(found.plan, found.results, language, tables_of(found.results))


def stating(released: Released, **reporting) -> Released:
    """Return what is released of the same programme had it stated this."""
    plan = released.plan
    costs = plan.costs.model_copy(update={"reporting": Reporting.model_validate(reporting)})
    plan = plan.model_copy(update={"costs": costs})
    tables = [name for name in TABLES if len(getattr(released, name))]
    return replace(released, plan=plan, cheers=checklist(plan, tables))


def page_rows(found: Evaluated, language):
    """Return number, name, status, anchors and answer of the rows of the page's checklist."""
    page = (found.results / f"report.{language}.html").read_text(encoding="utf-8")
    (table,) = re.findall(r'<table class="cheers">(.*?)</table>', page, flags=re.DOTALL)
    rows = re.findall(r"<tr><td.*?</tr>", table, flags=re.DOTALL)
    cells = [re.findall(r"<td[^>]*>(.*?)</td>", row, flags=re.DOTALL) for row in rows]
    return [
        (int(n), name, status, ", ".join(re.findall(r'href="#(\w+)"', where)), html.unescape(said))
        for n, name, status, where, said in cells
    ]


@pytest.mark.parametrize("language", LANGUAGES)
def test_page_and_table_agree(reported, language):
    table, words = reported.table("cheers"), Words(language)
    shown = page_rows(reported, language)
    assert [row[0] for row in shown] == table["item"].tolist() == list(range(1, 29))
    for row, (_, name, status, where, said) in zip(table.to_dict("records"), shown, strict=True):
        assert html.unescape(name) == words(f"cheers.item.{row['name']}")
        assert status == words(f"cheers.status.{row['status']}")
        assert where == (row["where"] if isinstance(row["where"], str) else "")
        assert said.strip(), row["name"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_link_leads_to_a_section(reported, language):
    page = (reported.results / f"report.{language}.html").read_text(encoding="utf-8")
    anchors = {a for row in page_rows(reported, language) for a in row[3].split(", ") if a}
    assert "reporting" in anchors
    for anchor in anchors:
        assert page.count(f'id="{anchor}"') == 1, anchor


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_not_stated_is_in_plain_sight(reported, language):
    page = (reported.results / f"report.{language}.html").read_text(encoding="utf-8")
    before = page[page.index('<h3 id="reporting">') : page.index('<details class="appendix">')]
    missing = reported.table("cheers").query("status == 'missing'")
    assert {"background", "setting", "conflicts_of_interest"} <= set(missing["name"])
    assert before.count("<li>") == len(missing)
    for item in ITEMS:
        told = UNSTATED[language].format(item.path)
        assert (told in before) == (item.name in set(missing["name"])), item.name


@pytest.mark.parametrize("language", LANGUAGES)
def test_words_and_reasons_of_the_plan_are_printed_in_their_language(reported, language):
    said = {number: text for number, _, _, _, text in page_rows(reported, language)}
    reason = STATED["engagement"]["absent"][language]
    assert STATED["funding"][language] in said[27]
    assert reason in said[21]
    assert reason in said[25]  # nobody had a part, so it changed nothing


def test_numbers_are_those_of_plan_and_tables(reported):
    said = {number: text for number, _, _, _, text in page_rows(reported, "en")}
    released = released_of(reported, "en")
    assert released.provenance["plan"]["sha256"] in said[4]
    assert "160 persons" in said[5]
    assert "SEK in the prices of 2022" in said[15]
    assert said[14].startswith("Not answered: state costs.source")
    row = released.cost_effectiveness.query("group == 'all'").iloc[0]
    assert Words("en").money(row["icer"], "SEK") in said[23]


def test_a_programme_without_costs_has_no_checklist(men):
    assert men.table("cheers").empty
    assert 'id="reporting"' not in (men.results / "report.en.html").read_text(encoding="utf-8")


def test_the_checklist_of_a_register_study_names_its_months_and_states(linked):
    released, words = released_of(linked, "en"), Words("en")
    said = {line.number: " ".join(line.said) for line in cheers.lines(released, words)}
    months = linked.plan.outcomes["work"].months
    assert f"months {max(months[0], 1)} to {months[1]}" in said[9]
    assert "register of spells" in said[12]


@pytest.mark.parametrize("language", LANGUAGES)
def test_without_a_lottery_the_protocol_says_what_is_compared(language):
    plan = Plan.model_validate(observational.plan_of("made"))
    released = observational.made(plan)
    words, row = Words(language, plan.design), checklist(plan, ()).iloc[6]
    assert (row["name"], row["status"], row["where"]) == ("comparators", "answered", "design")
    strategies = observational.PROTOCOL["strategies"]
    assert strategies["en"] in row["answer"]
    assert ANSWERS["comparators"](released, words) == [strategies[language]]


def test_every_item_has_a_name_and_those_with_facts_have_words():
    for language in LANGUAGES:
        words = Words(language)
        names = [words(f"cheers.item.{item.name}") for item in ITEMS]
        assert len(set(names)) == 28
    assert set(ANSWERS) == {item.name for item in ITEMS if item.facts is not nothing}


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(kinds=st.lists(st.sampled_from(["none", "text", "absent"]), min_size=16, max_size=16))
def test_each_item_is_there_once_in_both_languages_whatever_is_stated(reported, kinds):
    fields = Reporting.model_fields
    reporting = {}
    for kind, (key, field) in zip(kinds, fields.items(), strict=True):
        words = {"en": f"Words on {key}.", "sv": f"Ord om {key}."}
        if kind == "text":
            reporting[key] = words
        elif kind == "absent" and "Absent" in str(field.annotation):
            reporting[key] = {"absent": words}
    for language in LANGUAGES:
        words, released = Words(language), stating(released_of(reported, language), **reporting)
        found = cheers.lines(released, words)
        assert [line.number for line in found] == list(range(1, 29))
        for line, row in zip(found, released.cheers.to_dict("records"), strict=True):
            item = ITEMS[line.number - 1]
            said, stated = " ".join(line.said), reporting.get(item.key, {})
            assert line.kind == row["status"]
            if line.kind == "missing":
                assert said == UNSTATED[language].format(item.path)
                assert not line.links
            if line.kind == "answered" and language in stated:
                assert stated[language] in said
            if line.kind == "absent" and "absent" in stated:
                assert stated["absent"][language] in said


def test_reasons_that_are_asked_for_and_not_stated_are_said(reported):
    released = released_of(reported, "en")
    said = {line.title: line.said for line in cheers.lines(released, Words("en"))}
    reason = "The reason is not stated: costs.reporting.perspective."
    assert reason in said["Whose costs count"]
    why = {"perspective": {"en": "It decides.", "sv": "Den beslutar."}}
    said = {line.title: line.said for line in cheers.lines(stating(released, **why), Words("en"))}
    assert reason not in said["Whose costs count"]
    assert said["Whose costs count"][-1] == "It decides."


@pytest.mark.parametrize("language", LANGUAGES)
def test_tables_that_have_rows_are_told(reported, language):
    names = ("accounts", "acceptability", "cost_benefit", "cost_sensitivity")
    released, words = released_of(reported, language), Words(language)
    benefits = [{"outcome": "work", "years": 40, "discount_rate": 0.05, "times_per_year": 12}]
    costs = released.plan.costs
    costs = costs.model_validate(costs.model_dump(by_alias=True) | {"benefits": benefits})
    fields = {n: getattr(released, n) for n in Released.__dataclass_fields__}
    fields["plan"] = released.plan.model_copy(update={"costs": costs})
    more = Released(**fields | {n: pd.DataFrame({"a": [1]}) for n in names})
    none = Released(**fields | {n: pd.DataFrame({"a": []}) for n in names})
    changed = ("perspective", "discount_rate", "valuation", "model", "distributional_effects",
               "uncertainty", "results", "effect_of_uncertainty")  # fmt: skip
    for name in changed:
        assert ANSWERS[name](more, words) != ANSWERS[name](none, words), name
        assert all(ANSWERS[name](more, words)), name
    rates = " ".join(ANSWERS["discount_rate"](more, words))
    assert words.percent(0.035) in rates
    assert words.percent(0.05) in rates
