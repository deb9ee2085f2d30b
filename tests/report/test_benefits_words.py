"""Chapter 4 in words: verdicts, what they rest on, and what gender has to do with it."""

import re

import pandas as pd
import pytest

from evaluate.notes import note
from evaluate.report.benefits_tables import (
    is_share,
    level_told,
    percent_women,
    sorted_grid,
    spread_of,
    step_of,
)
from evaluate.report.benefits_words import (
    distribution_sentence,
    gap_sentence,
    projection_sentences,
    sorted_sentences,
    verdict_of,
    verdict_sentences,
)
from evaluate.report.words import Words, catalogue

from . import benefits
from .observational import table_of

EN, SV = Words("en"), Words("sv")


def plain(text):
    return text.replace("\u00a0", " ")


@pytest.mark.parametrize("verdict", ["found", "not found", "not assessed"])
def test_the_verdict_is_that_of_the_test_that_leads(verdict):
    tests = benefits.judged("found")
    tests.loc[tests["lead"].astype(bool), "verdict"] = verdict
    assert verdict_of(tests) == verdict


def test_nothing_found_says_what_would_have_been_found_in_the_unit_of_the_outcome():
    told = [plain(s) for s in verdict_sentences(benefits.judged("not found"), "share", EN)]
    assert told[0].startswith("No differences in effect")
    assert "about 12.0 percentage points or more" in " ".join(told)
    assert "(share)" not in " ".join(told)
    found = " ".join(verdict_sentences(benefits.judged("found"), "share", EN))
    assert "would be found" not in found  # it was


def test_the_note_of_what_would_be_found_is_read_as_it_is_written():
    assert spread_of(note("detectable_spread", spread="0.12", unit="share")) == 0.12
    assert spread_of(note("detectable_spread", spread="2,500", unit="USD")) == 2500
    assert spread_of(note("few")) is None


@pytest.mark.parametrize("words", [EN, SV])
def test_no_absence_is_claimed(words):
    texts = {k: v for k, v in catalogue(words.language).items() if k.startswith("benefits.")}
    for key, text in texts.items():
        found = r"( in effect between persons could be told| found| were found)"
        assert not re.search(rf"\b[Nn]o (effect|difference)s?\b(?!{found})", text), key
        assert not re.search(r"ingen (effekt|skillnad)\b", text), key
    assert "does not show" in EN("benefits.not_found")
    assert "visar inte" in SV("benefits.not_found")


def test_what_the_verdict_rests_on_is_told_with_the_other_tests():
    text = plain(" ".join(verdict_sentences(benefits.judged("found"), "share", EN)))
    assert "the calibration test (linear learner): p = 0.004, over 20 splits" in text
    assert "half of the splits gave p between 0.002 and 0.008" in text
    assert "Of the 6 other tests, 6 have p at or below 0.05" in text
    assert EN("benefits.found_gender") not in text
    both = verdict_sentences(benefits.judged("found"), "share", EN, both_genders=True)
    assert both[0].endswith(EN("benefits.found_gender"))
    tests = benefits.judged("found").assign(p_low=1e-9, p_high=1e-8)
    assert "half of the splits" not in " ".join(verdict_sentences(tests, "share", EN))


@pytest.mark.parametrize("language", ["en", "sv"])
def test_without_a_lottery_what_is_found_may_be_hidden_selection(language):
    said = verdict_sentences(benefits.judged("found"), "share", Words(language, "observational"))
    assert said[0] != Words(language)("benefits.found")
    assert {"en": "no hidden factor", "sv": "ingen dold faktor"}[language] in said[0]


def test_notes_of_the_verdict_are_sentences_of_the_language():
    tests = benefits.judged("not assessed", note("few"))
    told = verdict_sentences(tests, "share", SV)
    assert told[-1] == f"{SV.note(note('few'))[:1].upper()}{SV.note(note('few'))[1:]}."


def test_the_gap_has_its_verdict_where_there_are_verdicts():
    verdict = table_of(
        "verdict",
        [{"outcome": "work", "arm": "1", "group": "women-men", "verdict": "fragile", "reason": ""}],
    )
    released = benefits.made(effects=benefits.effects(), verdict=verdict)
    text = plain(gap_sentence(released, EN, "work", None, "1"))
    assert text.startswith("Women less men: 8.0 percentage points")
    assert text.endswith("Verdict on this difference, see chapter 3: fragile.")
    released = benefits.made(effects=benefits.effects())
    assert "Verdict" not in gap_sentence(released, EN, "work", None, "1")


def test_the_projection_names_what_excludes_chance():
    released = benefits.benefits()
    joint, alone = projection_sentences(released.conditional_effects, released, EN)
    assert "F = 3.20 with 4 and 880 degrees of freedom, p = 0.012" in plain(joint)
    assert alone.endswith("the interval excludes zero for: education: long, men.")
    rows = released.conditional_effects
    rows["p_value_adjusted"] = rows["p_value_adjusted"].where(rows["p_value_adjusted"].isna(), 0.5)
    assert projection_sentences(rows, released, EN)[1] == EN("benefits.projection_none")


def test_women_among_those_predicted_to_gain_most():
    ends, share, within = (plain(s) for s in sorted_sentences(benefits.sorted_groups(), EN))
    assert ends.startswith("First less last group: 12.0 percentage points")
    assert "70 % are women (95 % interval 66 to 74 %); of all persons here 50 %" in share
    assert "10.0 percentage points for women and 2.0 percentage points for men" in within
    same = benefits.sorted_groups().assign(share_women_low=1.0, share_women_high=1.0)
    assert "interval" not in sorted_sentences(same, EN)[1]
    rounded = benefits.sorted_groups().assign(note=note("rounded", step="0.3", n=5))
    told = plain(sorted_sentences(rounded, EN)[1])
    assert "(group 1 of 5), 55 to 85 % are women, as closely as" in told
    assert "of all persons" not in told


def test_a_distribution_without_one_of_its_numbers_is_not_told():
    rows = benefits.distribution()
    assert "for women 10.0" in plain(distribution_sentence(rows, EN))
    rows.loc[(rows["kind"] == "sd") & (rows["group"] == "men"), "value"] = None
    assert distribution_sentence(rows, EN) == ""


def test_rounded_shares_of_women_are_told_with_their_room():
    rounded = note("rounded", step="0.3", n=5)
    assert step_of(f"{note('few')}; {rounded}") == 0.3
    assert step_of(note("few")) is None
    assert step_of(None) is None
    row = {"share_women": 0.9, "note": rounded}
    assert plain(percent_women(row, SV, 1)) == "75 till 100"
    assert plain(percent_women(row | {"share_women": 0.0}, EN, 1)) == "0 to 15"
    finer = {"share_women": 0.9, "note": note("rounded", step="0.05", n=5)}
    assert plain(percent_women(finer, EN, 1)) == "87 to 93"  # outwards: 87.5 to 92.5
    assert percent_women(row | {"note": None}, SV, 1) == "90,0"
    assert percent_women(row | {"share_women": None}, EN, 1) == ""
    rows = benefits.sorted_groups().assign(note=rounded, share_women=0.9, n=pd.NA)
    shown = sorted_grid(rows, benefits.benefits(), EN).lines[0].cells[-2:]
    assert [plain(cell) for cell in shown] == ["75 to 100 %", EN("page.withheld")]


def test_rounded_means_have_no_digits_that_they_do_not_carry():
    row = {"mean": 38.0, "share": 0.053, "note": f"{note('few')}; {note('numbers_withheld')}"}
    assert level_told(row, "mean", "", EN, 0.01) == "38"
    assert level_told(row | {"mean": 2.2}, "mean", "", SV, 0.001) == "2,2"
    assert plain(level_told(row, "share", "share", SV)) == "5,3 %"
    assert plain(level_told(row | {"share": 0.5}, "share", "share", EN)) == "50 %"
    assert level_told(row | {"mean": 0.0}, "mean", "", EN, 0.01) == "0"
    exact = {"mean": 38.0, "share": 0.5, "note": None}
    assert level_told(exact, "mean", "", EN, 0.01) == "38.000"
    assert plain(level_told(exact, "share", "share", EN)) == "50.0 %"


def test_gender_among_the_covariates_has_a_name_in_both_languages():
    released = benefits.benefits()
    names = [released.covariate_title(n, SV) for n in ("men", "gender", "gender missing")]
    assert names == ["män", "kön", "kön saknas"]
    assert released.covariate_title("gender missing", EN) == "gender missing"


def test_columns_that_are_shares():
    assert [is_share(c) for c in ("men", "education=long", "age missing", "age")] == [
        True, True, True, False,
    ]  # fmt: skip
