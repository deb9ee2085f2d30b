"""What difference-in-differences found, in words: effects, trends before, what is left out."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from evaluate import schemas
from evaluate.notes import note
from evaluate.report import event_study_words as words_of
from evaluate.report.words import Words

EN, SV = Words("en"), Words("sv")
LANGUAGES = [EN, SV]
GROUPS = ("all", "women", "men", "women-men")


def event_rows(groups=GROUPS, months=range(-4, 7), base=0, unit="SEK per month", gain=1.0):
    """Return rows of one outcome and arm: effects that grow, with a band twice as wide."""
    rows = []
    common = {"outcome": "earn", "arm": "1", "unit": unit, "level": 0.95, "note": ""}
    for group in groups:
        for m in months:
            one = {"group": group, "kind": "event", "month": m, "estimate": gain * max(m, 0)}
            if m == base:
                one["note"] = note("base_month")
            else:
                ends = {f"conf_{e}": one["estimate"] + s for e, s in (("low", -1), ("high", 1))}
                band = {f"band_{e}": one["estimate"] + s for e, s in (("low", -2), ("high", 2))}
                one |= ends | band | {"std_error": 0.5, "critical": 4.0}
            rows.append(common | one)
        overall = {"estimate": 3.5, "std_error": 0.5, "conf_low": 2.5, "conf_high": 4.5, "n": 90}
        rows.append(common | {"group": group, "kind": "overall"} | overall)
        test = {"statistic": 2.0, "df": 4, "p_value": 0.7, "n": 90}
        rows.append(common | {"group": group, "kind": "pre_trend"} | test)
        for cohort in (1, 2):
            cell = {"kind": "group_time", "cohort": cohort, "month": 3, "estimate": 1.0, "n": 60}
            rows.append(common | {"group": group} | cell)
    table = pd.DataFrame(rows, columns=list(schemas.EVENT_STUDY.columns))
    return schemas.EVENT_STUDY.validate(table)


def released(table, covariates=("age",)):
    plan = SimpleNamespace(covariates=list(covariates), analysis=SimpleNamespace(level=0.95))
    unit = {"en": "SEK per month", "sv": "kronor per månad"}
    share = bool((table["unit"] == "share").any())
    return SimpleNamespace(
        plan=plan, event_study=table, unit=lambda o, lang: "share" if share else unit[lang]
    )


def said(table, words=EN, what="sentences", **more):
    return getattr(words_of, what)(released(table, **more), words, "earn", "1")


def set_row(table, kind, group, **values):
    at = (table["kind"] == kind) & (table["group"] == group)
    for column, value in values.items():
        table.loc[at, column] = value
    return table


def test_the_overall_effect_has_its_unit_and_every_group():
    text, swedish, shares = (
        said(event_rows(unit=unit), words)[0].replace("\u00a0", " ")
        for unit, words in (("SEK per month", EN), ("SEK per month", SV), ("share", EN))
    )
    assert "all 3.50 SEK per month (95 % interval 2.50 to 4.50)" in text
    assert f"; {EN.group('women-men').lower()} 3.50" in text
    assert "alla 3,50 kronor per månad" in swedish
    assert "all 350.0 percentage points" in shares


def test_months_in_which_the_band_is_beyond_zero_are_named():
    assert "All: the band for all months at once lies above zero in months 3 to 6." in said(
        event_rows()
    )
    below = said(event_rows(gain=-1.0))
    assert "Women: the band for all months at once lies below zero in months 3 to 6." in below
    table = event_rows()
    middle = (table["kind"] == "event") & (table["month"] == 4) & (table["group"] == "men")
    table.loc[middle, "band_low"] = -1
    assert "Men: the band for all months at once lies above zero in month 3 and months 5 to 6." in (
        said(table)
    )
    nothing = said(event_rows(gain=0.0))
    assert any("includes zero in every month" in text for text in nothing)


def test_months_before_the_start_are_no_effects():
    table = event_rows(gain=0.0)
    early = (table["kind"] == "event") & (table["month"] < 0)
    table.loc[early, ["band_low", "band_high"]] = [3.0, 5.0]
    assert not any("above zero" in text for text in said(table))


def test_joined_months_that_follow_one_another_are_one_span():
    table = event_rows(months=range(-5, 8, 3), base=-2)
    assert "All: the band for all months at once lies above zero in months 4 to 7." in said(table)
    assert "month −2" in " ".join(said(table, what="assumption"))


@pytest.mark.parametrize("words", LANGUAGES)
@pytest.mark.parametrize(("p", "key"), [(0.7, "parallel"), (0.003, "failed")])
def test_trends_before_the_start_pass_or_fail(words, p, key):
    table = set_row(event_rows(), "pre_trend", "women", p_value=p)
    found = said(table, words, "trends")
    assert len(found) == 4
    told = words(f"event_study.{key}", group=words.group("women"), p=words.p_value(p))
    assert found[1] == told
    assert ("differ from zero" in found[1]) or words is SV


def test_the_level_of_the_test_is_the_plans():
    table = set_row(event_rows(), "pre_trend", "all", p_value=0.04)
    assert "pre-trends fail" in said(table, what="trends")[0]
    table = set_row(event_rows(), "pre_trend", "all", p_value=0.06)
    assert "pre-trends fail" not in said(table, what="trends")[0]


@pytest.mark.parametrize("words", LANGUAGES)
def test_tests_that_there_are_not_have_their_reason(words):
    table = set_row(event_rows(), "pre_trend", "all", p_value=np.nan, note=note("no_pre_trend"))
    text = said(table, words, "trends")[0]
    assert words.note(note("no_pre_trend")).partition(": ")[2] in text
    hidden = set_row(event_rows(), "pre_trend", "all", p_value=np.nan, note="")
    assert said(hidden, words, "trends")[0] == words(
        "event_study.no_parallel", group=words.group("all")
    )


@pytest.mark.parametrize("words", LANGUAGES)
def test_what_could_not_be_estimated_is_said(words):
    table = event_rows()
    first = (table["kind"] == "group_time") & (table["group"] == "all") & (table["cohort"] == 2)
    table.loc[first, ["estimate", "n"]] = pd.NA
    table.loc[first, "note"] = note("no_controls")
    reason = words.note(note("no_controls")).partition(": ")[2]
    told = words("event_study.omitted", n="1", all="2", reason=reason)
    assert told in said(table, words)
    empty = set_row(event_rows(), "overall", "men", estimate=np.nan, note=note("no_month_before"))
    told = words.note(note("no_month_before"))
    assert any(told in text for text in said(empty, words))


@pytest.mark.parametrize("words", LANGUAGES)
def test_notes_of_the_whole_are_sentences_in_the_language(words):
    text = f"{note('quarters')}; {note('small_cohorts', n=12)}"
    table = set_row(event_rows(), "overall", "all", note=text)
    (told,) = (t for t in said(table, words) if "12" in t)
    assert told == f"{words.note(text)[0].upper()}{words.note(text)[1:]}."


def test_the_assumption_is_told_with_the_covariates():
    (lead, months) = said(event_rows(), what="assumption")
    assert "parallel trends" in lead
    assert "at equal covariates" in lead
    assert "at equal covariates" not in said(event_rows(), what="assumption", covariates=())[0]
    assert "month 0, the last one" in months


def test_without_rows_nothing_is_said_or_drawn():
    table = event_rows().iloc[:0]
    for what in ("assumption", "sentences", "trends"):
        assert said(table, what=what) == []
    assert words_of.drawable(released(table), "earn", "1").empty
    hidden = event_rows()
    hidden["std_error"] = np.nan
    assert words_of.drawable(released(hidden), "earn", "1").empty
    assert len(words_of.drawable(released(event_rows()), "earn", "1")) == 44


def test_other_arms_and_outcomes_do_not_mix():
    table = pd.concat(
        [event_rows(), event_rows().assign(arm="2"), event_rows().assign(outcome="x")]
    )
    assert said(table) == said(event_rows())
