"""Texts of studies without a lottery: another form of a text where there is one, else the same."""

import re
import string

import pytest

from evaluate.report.words import Words, catalogue

OFFER = {"en": r"\boffer|\brandomis", "sv": r"erbjud|randomiser"}
DRAWN = {"en": r"assigned by lottery|lottery gives", "sv": r"lottades till|en lottning ger"}


def placeholders(text):
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


def test_every_other_form_is_of_a_text_that_there_is_and_takes_its_values():
    texts = catalogue("en")
    own = [key for key in texts if key.startswith("observational.")]
    assert len(own) > 50
    for key in own:
        assert placeholders(texts[key]) <= placeholders(texts[key.partition(".")[2]]), key


@pytest.mark.parametrize("language", ["en", "sv"])
def test_no_other_form_speaks_of_an_offer_or_says_that_a_lottery_decided(language):
    for key, text in catalogue(language).items():
        if key.startswith("observational."):
            assert not re.search(OFFER[language], text, re.IGNORECASE), key
            assert not re.search(DRAWN[language], text, re.IGNORECASE), key


def test_a_text_has_the_form_of_the_design():
    assert Words("en")("figure.treated") == "Offered"
    assert Words("en", "randomised")("figure.treated") == "Offered"
    assert Words("en", "observational")("figure.treated") == "Participants"
    assert Words("sv", "observational")("figure.treated") == "Deltagare"
    assert Words("en", "observational")("figure.month") == Words("en")("figure.month")


def test_notes_and_findings_have_the_form_of_the_design():
    text = "the share offered differs between women and men (p 0.01): gender is mixed in"
    assert "offered" in Words("en").note(text)
    assert Words("en", "observational").note(text).startswith("the share who took part")


@pytest.mark.parametrize("kind", ["estimand", "estimator", "kind"])
def test_what_the_tables_of_effects_call_things_has_a_text(kind):
    names = {
        "estimand": ("att", "ate", "regression_coefficient"),
        "estimator": ("aipw", "matching", "entropy_balancing", "ipw", "regression", "did", "lin"),
        "kind": ("influence", "abadie_imbens"),
    }[kind]
    for name in names:
        assert Words("en").knows(f"{kind}.{name}"), name
