"""The report's accounts: transfers cancel visibly, and sentences say what they rest on."""

import re

import numpy as np
import pandas as pd
import pytest
from money import ACCOUNTS, monthly_plan, trial

from evaluate import schemas
from evaluate.costs.cost_benefit import cost_benefit, estimated
from evaluate.costs.sensitivity import cost_sensitivity
from evaluate.io import checked
from evaluate.report import accounts_section, accounts_words
from evaluate.report.page import render
from evaluate.report.words import DASH, Words

from .observational import made

RANGES = {"discount_rate": {"low": 0.01, "high": 0.06}, "programme_cost": {"low": 0.5, "high": 2},
          "prices": {"Grant": {"low": 0.05, "high": 0.2}}}  # fmt: skip
ITEM = {
    "item": {"en": "Grant", "sv": "Bidrag"}, "outcome": "earn", "price": 0.1,
    "receiver": "participant",
}  # fmt: skip


def effects_of(study):
    row = dict.fromkeys(schemas.EFFECTS.columns)
    row |= {"outcome": "earn", "month": 3, "arm": "1", "group": "all", "estimand": "itt"}
    return pd.DataFrame([row])


@pytest.fixture(scope="module")
def released():
    plan = monthly_plan(
        amount=300, accounts=ACCOUNTS, sensitivity=RANGES, person_months=[ITEM],
        benefits=[{"outcome": "earn", "times_per_year": 12, "years": 1}],
    )  # fmt: skip
    study, rng = trial(), np.random.default_rng(1)
    found = estimated(study, plan, None, rng)
    benefits, accounts = cost_benefit(found)
    tables = {
        "cost_benefit": benefits,
        "accounts": accounts,
        "cost_sensitivity": cost_sensitivity(found, rng),
    }
    tables = {n: checked(t, schemas.released(n), n) for n, t in tables.items()}
    return made(plan, effects=effects_of(study), **tables)


def number(text):
    return float(text.replace("\u2212", "-").replace(",", "").replace("\u00a0", "") or 0)


def test_lines_add_up_to_society_and_transfers_are_nothing_there(released):
    section = accounts_section.context(released, Words("en"))[-1]
    table = section.accounts
    assert table.heads[-1] == "society"
    for title, *cells in table.rows:
        parties, society = [number(c) for c in cells[:-1]], number(cells[-1])
        assert abs(sum(parties) - society) <= len(parties) / 2 + 0.5, title  # rounded to units
        if title in ("Earnings before tax", "Income tax", "Payroll tax", "Grant"):
            assert cells[-1] == "0"
            assert sum(c != "" for c in cells[:-1]) == 2
    assert table.strong[-1]
    assert not any(table.strong[:-1])


def test_every_line_is_named_in_both_languages(released):
    for language, item in (("en", "Grant"), ("sv", "Bidrag")):
        section = accounts_section.context(released, Words(language))[-1]
        assert item in [row[0] for row in section.accounts.rows]


def test_a_sentence_says_the_assumption_the_month_and_the_probability(released):
    sections = accounts_section.context(released, Words("en"))
    section = sections[-1]
    text = " ".join([*section.sentences, section.scenarios_note])
    for said in (
        "if nothing lasts beyond the data",
        "Constant: beyond the data the effect is what it was in the last three months",
        "loses 10\u00a0% of that a year",
        "within 10 years",
    ):
        assert said in text, said
    rows = released.cost_benefit.query(
        "outcome == 'accounts' and group == 'all' and denominator == 'participant'"
    )
    society = rows[rows["perspective"] == "society"].set_index("persistence")
    said = next(s for s in section.sentences if s.startswith("For society, if nothing lasts"))
    month = re.search(r"from month (\S+) on", said)
    assert (month is None) == pd.isna(society.loc["none", "break_even_month"])
    assert len(section.scenarios.rows) == 6
    shown = {r[0]: r for r in section.scenarios.rows if r[1] == "society"}
    assert number(shown["constant"][4]) == society.loc["constant", "break_even_month"]
    assert number(shown["decaying"][2]) == round(society.loc["decaying", "net_pv"])
    first = sections[0].sentences[0]
    assert "within a year" in first


def test_what_does_not_pay_back_and_what_is_withheld_are_said(released):
    row = released.cost_benefit.iloc[0].to_dict()
    words = Words("en")
    never = accounts_words.sentence(released, row | {"break_even_month": np.nan}, 0.1, words)
    assert "does not pay back within" in never
    gone = accounts_words.sentence(released, row | {"net_pv": np.nan}, 0.1, words)
    assert "withheld" in gone
    assert not re.search(r"\d{2,}", gone.replace("10\u00a0%", ""))


@pytest.mark.parametrize(
    ("share", "said"), [(0.0, "less than 1"), (1.0, "more than 99"), (0.5, "50")]
)
def test_draws_are_never_said_to_be_sure(share, said):
    assert said in accounts_words.share_of(share, Words("en"))


@pytest.mark.parametrize("language", ["en", "sv"])
def test_the_tornado_tells_its_bars_to_who_cannot_see_them(released, language):
    words = Words(language)
    section = accounts_section.context(released, words)[-1]
    assert len(section.figures) == 2
    rows = released.cost_sensitivity.query(
        "outcome == 'accounts' and perspective == 'society' and parameter == 'programme_cost'"
        " and denominator == 'participant'"
    )
    figure = section.figures[1]
    assert 'role="img"' in figure
    label = re.search(r'aria-label="([^"]*)"', figure)[1]
    for end in ("low", "high"):
        assert words.number(rows[f"net_pv_{end}"].iloc[0], 0) in label
    assert words("accounts.parameter.programme_cost") in label
    assert {"en": "price, Grant", "sv": "pris, Bidrag"}[language] in label


def test_the_widest_bar_stands_first(released):
    from evaluate.report.tornado_figure import tornado_plot

    rows = released.cost_sensitivity.query(
        "outcome == 'accounts' and perspective == 'society' and analysis == 'one_way'"
    )
    words = Words("en")
    names = {p: f"bar of {p}" for p in rows["parameter"]}
    drawn = [tornado_plot(part, names, words, "t", "SEK", label="l") for part in (rows, rows[::-1])]
    assert drawn[0] == drawn[1]


def test_the_page_has_the_section_and_withheld_numbers_are_dashes(released):
    words = Words("en")
    benefits = released.cost_benefit.copy()
    benefits[["net_pv", "net_pv_low", "benefit_pv", "irr"]] = np.nan
    hidden = made(released.plan, effects=released.effects, cost_benefit=benefits)
    sections = accounts_section.context(hidden, words)
    assert all(row[3] == DASH and row[5] == DASH for row in sections[0].benefits.rows)
    assert sections[-1].accounts is None
    page = render("accounts.html.j2", w=words, accounts=accounts_section.context(released, words))
    assert "<h3>Benefits over time" in page
    assert page.count("<figure>") == 3
