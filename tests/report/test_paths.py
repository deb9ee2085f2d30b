"""What the report tells of paths and first entries: figures, sentences, in both languages."""

import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from evaluate.report import paths
from evaluate.report.page import path_figures
from evaluate.report.released import read_released
from evaluate.report.words import MINUS, Words
from evaluate.study import GAP

EN, SV = Words("en"), Words("sv")
ARM = "1"


@pytest.fixture
def study(linked, monkeypatch):
    monkeypatch.chdir(linked.results.parents[1])
    return read_released(linked.plan, linked.results, "en")


def plain(texts):
    return [re.sub(r"\s", " ", t) for t in texts]


MONTHS = (0, 1, 2, 3, 4, 5, 12)


def path_rows(broken=None, **groups):
    """Return rows of the table of paths: a sum and two months of the band by group."""
    rows = []
    for group, (estimate, first, last) in groups.items():
        common = {"outcome": "work", "arm": ARM, "group": group.replace("_", "-"), "level": 0.95,
                  "n": 100}  # fmt: skip
        effect = common | {"kind": "effect", "unit": "share", "band_low": -0.4}
        below = {m: -0.1 if first and first <= m <= last and m != broken else 0.1 for m in MONTHS}
        rows += [effect | {"month": m, "band_high": np.nan if m < 1 else below[m]} for m in MONTHS]
        rows.append(common | {
            "kind": "cumulated", "estimate": estimate, "std_error": 0.15, "unit": "months",
            "conf_low": estimate - 0.3, "conf_high": estimate + 0.3})  # fmt: skip
        for kind, month in (("first_below", first), ("last_below", last)):
            if month:
                rows.append(common | {"kind": kind, "estimate": month, "unit": "month"})
    return pd.DataFrame(rows)


def test_sums_are_told_for_every_group_with_their_intervals(study):
    table = path_rows(
        all=(0.94, None, None), women=(1.23, None, None), women_men=(-0.5, None, None)
    )
    (said,) = plain(paths.sentences(replace(study, paths=table), EN, "work", ARM))
    assert said == (
        "Added up over months 1 to 12, the effect in months per person: all 0.94 (95 % interval "
        f"0.64 to 1.24); women 1.23 (95 % interval 0.93 to 1.53); women less men {MINUS}0.50 "
        f"(95 % interval {MINUS}0.80 to {MINUS}0.20)."
    )
    (said,) = plain(paths.sentences(replace(study, paths=table), SV, "work", ARM))
    assert "Sammanlagt över månaderna 1 till 12" in said
    assert "kvinnor 1,23 (95 % intervall 0,93 till 1,53)" in said


def test_a_lock_in_is_told_by_the_first_and_last_month_below_zero(study):
    table = path_rows(all=(0.1, 2, 5), men=(0.1, 3, 3))
    said = plain(paths.sentences(replace(study, paths=table), EN, "work", ARM))[1:]
    assert said == [
        "All: the band for all months lies below zero in every month estimated from month 2 to 5.",
        "Men: the band for all months lies below zero in month 3 alone.",
    ]
    broken = path_rows(broken=4, all=(0.1, 2, 5))
    assert plain(paths.sentences(replace(study, paths=broken), EN, "work", ARM))[1:] == [
        "All: the band for all months lies below zero first in month 2, last in month 5, but not "
        "in every month between."
    ]
    table["band_low"] = np.nan
    assert plain(paths.sentences(replace(study, paths=table), EN, "work", ARM))[1] == (
        "All: the band for all months lies below zero first in month 2, last in month 5."
    )


def test_what_is_withheld_or_not_estimated_is_called_so(study):
    table = path_rows(all=(0.94, 1, 2), women=(np.nan, None, None), men=(np.nan, None, None))
    table.loc[(table["group"] == "men") & (table["kind"] == "cumulated"), "n"] = np.nan
    table.loc[table["kind"] == "first_below", "estimate"] = np.nan
    (said,) = plain(paths.sentences(replace(study, paths=table), EN, "work", ARM))
    assert "women not estimated; men withheld." in said


@pytest.mark.parametrize(
    ("written", "unit", "said"),
    [
        ("months", "kr", "månader"),
        ("SEK x months", "kr", "kr × månader"),
        ("SEK x years", "kr", "kr × år"),
        ("SEK per month x months", "kr per månad", "kr"),
        ("SEK per month x years", "kr per månad", "kr per månad × år"),
    ],
)
def test_units_of_sums_are_in_the_language(written, unit, said):
    assert paths.unit_of_sum(written, unit, SV) == said


def test_the_table_of_months_has_the_band_below_the_interval(linked):
    html = (linked.results / "report.en.html").read_text(encoding="utf-8").replace("\u00a0", " ")
    shown = set(re.findall(r'<span class="band">(.*?)</span>', html))
    for name, kind in (("paths", "effect"), ("incidence", "difference")):
        table = linked.table(name).dropna(subset=["band_low"])
        row = table[(table["outcome"] == "entered") & (table["kind"] == kind)].iloc[-1]
        ends = [EN.effect(row[c], "share", with_unit=False) for c in ("band_low", "band_high")]
        assert f"{ends[0]} to {ends[1]}" in shown, (name, ends)


def test_every_path_and_incidence_has_its_figure(study):
    drawn = path_figures(study, EN)
    outcomes = {"work", "income", "entered", "studying"}
    assert set(drawn) == {("path", o, ARM) for o in outcomes} | {("incidence", "entered", ARM)}
    label = re.search(r'aria-label="([^"]*)"', drawn["incidence", "entered", ARM])[1]
    assert label == "First entries by arm, and their difference, by month: First job"


def test_time_after_the_first_entry_is_told_with_its_month(study):
    (said,) = plain(paths.incidence_sentences(study, EN, "entered", ARM))
    assert said.startswith("Months after the first entry until the end of month 18, offered less")
    for group in ("all", "women", "men", "women less men"):
        assert re.search(rf"{group} {MINUS}?\d", said), group
    assert paths.incidence_sentences(study, EN, "work", ARM) == []


def test_the_table_of_months_has_those_that_are_shown(study):
    shown = paths.incidence_months(study, "entered", ARM)
    released = study.incidence[study.incidence["kind"] == "difference"]
    months = set(released.loc[released["estimate"].notna(), "month"])
    assert set(shown["month"]) == months
    assert 0 < len(months) < 18
    assert paths.incidence_months(study, "work", ARM).empty


@pytest.mark.parametrize("language", ["en", "sv"])
def test_the_chapter_shows_paths_and_first_entries(linked, language):
    html = (linked.results / f"report.{language}.html").read_text(encoding="utf-8")
    words = Words(language)
    chapter = re.search(r'<section id="effects".*?</section>', html, flags=re.DOTALL)[0]
    assert chapter.count(f"<h4>{words('effects.incidence')}</h4>") == 1
    assert words("effects.incidence_lead") in chapter
    name = {"en": "Began to study", "sv": "Började studera"}[language]
    assert words("effects.incidence_competing", names=name) in chapter
    assert words("effects.incidence_shown") in chapter  # months with few entries are withheld
    for key in ("bands", "incidence"):
        assert words(f"method.{key}") in html


def test_tables_hold_the_same_as_before_the_gate_or_nothing(linked):
    for name in ("paths", "incidence"):
        before, after = linked.exact(name), linked.table(name)
        assert len(before) == len(after)
        plainly = ~after["note"].fillna("").str.contains("rounded")
        shown = after["estimate"].notna() & plainly
        assert np.allclose(after.loc[shown, "estimate"], before.loc[shown, "estimate"])
    gone = linked.table("effects")
    gone = gone[(gone["outcome"] == "work") & gone["estimate"].isna() & gone["n"].isna()]
    lost = linked.table("paths").set_index(["outcome", "kind", "month", "group"])["estimate"]
    for month, group in {(m, g) for m, g in zip(gone["month"], gone["group"], strict=True)}:
        if group in ("all", "women", "men", GAP):
            assert np.isnan(lost["work", "effect", month, group])
