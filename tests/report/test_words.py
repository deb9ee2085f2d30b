"""Words and numbers: both languages say the same things, in their own marks."""

import string

import pytest

from evaluate.notes import NOTES, REASONS, joined, note, reason
from evaluate.report.words import MINUS, Words, catalogue

EN, SV = Words("en"), Words("sv")
NBSP = "\u00a0"


def placeholders(text):
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


def plain(text):
    return text.replace(NBSP, " ").replace("\u202f", " ")


def test_the_languages_have_the_same_texts():
    assert catalogue("en").keys() == catalogue("sv").keys()


def test_a_text_has_the_same_places_for_values_in_both_languages():
    for key, text in catalogue("en").items():
        assert placeholders(text) == placeholders(catalogue("sv")[key]), key


@pytest.mark.parametrize("language", ["en", "sv"])
def test_every_note_and_reason_has_a_text_with_its_values(language):
    texts = catalogue(language)
    for kinds, prefix in ((NOTES, "note"), (REASONS, "reason")):
        for kind, template in kinds.items():
            assert placeholders(texts[f"{prefix}.{kind}"]) <= placeholders(template), kind
        of_prefix = {key for key in texts if key.startswith(f"{prefix}.")}
        assert of_prefix == {f"{prefix}.{kind}" for kind in kinds}


def values_of(template):
    return {name: f"<{name}>" for name in placeholders(template)}


@pytest.mark.parametrize("kind", NOTES)
def test_a_note_is_found_again_in_both_languages(kind):
    values = values_of(NOTES[kind])
    for words in (EN, SV):
        expected = catalogue(words.language)[f"note.{kind}"].format(**values)
        assert words.note(note(kind, **values)) == expected


@pytest.mark.parametrize("kind", REASONS)
def test_a_reason_is_found_again_in_both_languages(kind):
    values = values_of(REASONS[kind])
    for words in (EN, SV):
        expected = catalogue(words.language)[f"reason.{kind}"].format(**values)
        assert words.reason(reason(kind, **values)) == expected


def test_several_notes_are_translated_one_by_one():
    text = joined([note("imputed", n=3), note("constant"), note("imputed", n=3)])
    assert SV.note(text) == f"{SV.note(note('imputed', n=3))}; {SV.note(note('constant'))}"
    assert SV.note("") == ""


def test_a_reason_of_a_criterion_keeps_the_criterion():
    assert "age >= 18" in SV.reason(reason("unmet", criterion="age >= 18"))


@pytest.mark.parametrize(
    ("value", "digits", "english", "swedish"),
    [
        (1234567.4, 0, "1,234,567", "1 234 567"),
        (0.06632, None, "0.066", "0,066"),
        (0.5, None, "0.50", "0,50"),
        (12.345, None, "12.3", "12,3"),
        (794.34, None, "794", "794"),
        (-794.34, 1, f"{MINUS}794.3", f"{MINUS}794,3"),
        (-0.04, 1, "0.0", "0,0"),
        (1000, 2, "1,000.00", "1 000,00"),
        (float("nan"), None, "\u2013", "\u2013"),
        (float("inf"), 1, "\u2013", "\u2013"),
        (None, None, "\u2013", "\u2013"),
    ],
)
def test_a_number_in_both_languages(value, digits, english, swedish):
    assert plain(EN.number(value, digits)) == english
    assert plain(SV.number(value, digits)) == swedish


def test_a_share_is_told_in_per_cent_and_its_effect_in_percentage_points():
    assert plain(SV.level(0.4321, "share")) == "43,2 %"
    assert plain(EN.effect(0.0663, "share")) == "6.6 percentage points"
    assert plain(SV.effect(-0.0663, "share")) == f"{MINUS}6,6 procentenheter"
    assert plain(EN.effect(794.34, "USD")) == "794 USD"
    assert plain(EN.effect(0.0663, "share", with_unit=False)) == "6.6"


def test_a_precise_effect_has_two_digits_of_its_error():
    assert plain(EN.effect(0.06632, "share", 0.00041)) == "6.632 percentage points"
    assert plain(EN.effect(0.06632, "share", 0.041)) == "6.6 percentage points"
    assert plain(EN.effect(0.01234, "log SEK", 0.00056)) == "0.01234 log SEK"


def test_an_interval_in_both_languages():
    assert plain(EN.interval(-0.0012, 0.134, "share")) == f"{MINUS}0.1 to 13.4"
    assert plain(SV.interval(-0.0012, 0.134, "share")) == f"{MINUS}0,1 till 13,4"
    assert plain(SV.interval(1234.5, 2345.6, "SEK")) == "1 234 till 2 346"


def test_a_p_value_is_never_zero():
    assert plain(EN.p_value(0.0414)) == "= 0.041"
    assert plain(SV.p_value(0.0414)) == "= 0,041"
    assert plain(EN.p_value(1e-9)) == "< 0.001"
    assert EN.p_value(float("nan")) == "\u2013"


def test_money_is_in_whole_units():
    assert plain(EN.money(482_500.4, "SEK")) == "482,500 SEK"
    assert plain(SV.money(482_500.4, "SEK")) == "482 500 SEK"


def test_groups_of_the_plan_keep_the_words_of_the_data():
    assert EN.group("women-men") == "Women less men"
    assert SV.group("women-men") != "women-men"
    assert EN.group("education=short") == "education: short"


def test_groups_and_levels_have_the_names_of_the_plan():
    names = {"education": "schooling", "education=short": "nine years"}
    words = Words("en", "", names)
    assert words.group("education=short") == "schooling: nine years"
    assert words.covariate("education=long") == "schooling: long"
    assert words.covariate("education missing") == "schooling missing"
    assert words.levels("education", "short, long") == "schooling: nine years, long"


def test_blocks_of_several_columns_have_the_names_of_each():
    words = Words("en", "", {"office": "employment office"})
    assert words.covariate("office, wave") == "employment office, wave"


def test_a_text_without_its_value_is_an_error():
    with pytest.raises(KeyError):
        EN("summary.lead")


def test_a_small_number_that_the_gate_took_out_of_a_note_is_told_in_swedish():
    text = "fewer than 5 persons alone in their block and arm take the pooled variance"
    assert Words("sv").note(text).startswith("färre än 5 personer ensamma")
    assert Words("en").note(text) == text


def test_one_person_is_not_several():
    text = note("blocks", n=1)
    assert EN.note(text) == "1 person in a block with one arm left out"
    assert SV.note(text).startswith("1 person i ett block")
    assert EN.note(note("blocks", n=21)).startswith("21 persons in blocks")


@pytest.mark.parametrize("prefix", ["one.", "by_share."])
def test_other_forms_of_a_text_are_of_texts_that_there_are(prefix):
    texts = catalogue("en")
    for key in (k for k in texts if k.startswith(prefix) and k != "by_share.part"):
        usual = key.removeprefix(prefix)
        assert placeholders(texts[key]) <= placeholders(texts[usual]), key


def test_blocks_of_several_columns_are_read_apart():
    assert EN.group("office=North 5,wave=2017-02") == "office: North 5, wave: 2017-02"
    assert EN.group("town=A,B") == "town: A,B"


def test_an_amount_that_is_not_there_has_no_currency():
    assert EN.money(None, "SEK") == "\u2013"


def test_covariates_and_groups_have_the_names_of_the_plan():
    words = Words("sv", covariates={"educ": "utbildning"})
    assert words.covariate("educ=short") == "utbildning: short"
    assert words.covariate("educ missing") == Words("sv")("covariate.missing", name="utbildning")
    assert words.covariate("age") == "age"
    assert words.group("educ=short,site=a") == "utbildning: short, site: a"
    assert words.group("women") == Words("sv").group("women")


def test_an_amount_of_rounding_error_is_nothing():
    assert plain(Words("en").money(-3e-12, "SEK")) == "0 SEK"
    assert plain(Words("sv").money(0.05, "SEK")) == "0,050 SEK"
