"""Verdicts in words: every reason in both languages, with the names of the report."""

import re
from types import SimpleNamespace

import pandas as pd
import pytest

from evaluate.notes import NOTES, note
from evaluate.report.verdict_words import reason_text, verdict_sentences
from evaluate.report.words import Words, catalogue

EN, SV = Words("en"), Words("sv")
KINDS = [kind for kind in NOTES if kind.startswith("verdict_")]
FILLED = {"names": "earlier, age", "estimator": "aipw, regression"}


def released(**by_group):
    table = pd.DataFrame(
        [
            {"outcome": "work", "month": None, "arm": "1", "group": g, "verdict": v, "reason": r}
            for g, (v, r) in by_group.items()
        ],
        columns=["outcome", "month", "arm", "group", "verdict", "reason"],
    )
    return SimpleNamespace(
        covariate_title=lambda name, words: words.covariate(name),
        plan=SimpleNamespace(outcomes={"work": 1, "earlier": 1}),
        verdict=table,
        title=lambda outcome, language: {"earlier": "Earnings before"}.get(outcome, outcome),
    )


@pytest.mark.parametrize("kind", KINDS)
def test_every_reason_has_both_languages(kind):
    fields = set(re.findall(r"\{(\w+)\}", NOTES[kind]))
    for language in ("en", "sv"):
        assert set(re.findall(r"\{(\w+)\}", catalogue(language)[f"note.{kind}"])) == fields
    text = note(kind, **FILLED)
    assert "; " not in text
    english, swedish = (reason_text(text, released(), w) for w in (EN, SV))
    assert english != swedish
    if "names" in fields:
        assert "“Earnings before”, age" in english
        assert "”Earnings before”, age" in swedish
    if "estimator" in fields:
        assert "doubly robust, regression" in english
        assert "dubbelt robust, regression" in swedish


def test_groups_that_agree_are_told_together():
    same = ("fragile", note("verdict_few"))
    found = verdict_sentences(
        released(all=same, women=same, men=("robust", note("verdict_robust", names="earlier"))),
        EN, "work", "1",
    )  # fmt: skip
    assert len(found) == 3
    assert found[0].startswith("All: fragile.")
    assert found[0].endswith("Because the comparison rests on few persons.")
    assert found[1] == "The same holds for women, for the same reasons."
    assert found[2].startswith("Men: robust.")
    found = verdict_sentences(released(all=same, women=same, men=same), SV, "work", "1")
    assert found[1] == "Detsamma gäller kvinnor och män, av samma skäl."


def test_the_swedish_is_swedish():
    one = ("not assessed", note("verdict_no_placebo"))
    (text,) = verdict_sentences(released(all=one), SV, "work", "1")
    assert text.startswith("Alla: ej bedömd.")
    assert text.endswith("Skäl: inget placeboutfall är angivet.")


def test_nothing_is_said_of_what_is_not_there():
    assert verdict_sentences(released(), EN, "work", "1") == []
    assert verdict_sentences(released(all=("robust", "x")), EN, "other", "1") == []


@pytest.mark.parametrize("words", [EN, SV])
def test_no_absence_is_claimed(words):
    """Nothing says that there is no effect or no difference because a test did not find one."""
    texts = [catalogue(words.language)[f"note.{k}"] for k in KINDS]
    texts += [v for k, v in catalogue(words.language).items() if k.startswith("judgement.")]
    for text in texts:
        assert not re.search(r"no (effect|difference)|ingen (effekt|skillnad)", text)
