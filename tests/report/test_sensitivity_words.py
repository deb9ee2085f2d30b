"""Hidden factors in words: as strong as which measured one, by gender, in both languages."""

import re
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from evaluate.report import sensitivity_words
from evaluate.report.words import Words, catalogue

EN, SV = Words("en"), Words("sv")
COLUMNS = ["outcome", "month", "arm", "group", "method", "benchmark", "strength", "value",
           "value_interval"]  # fmt: skip


def hidden_sentences(*args):
    """Return the sentences, with ordinary spaces."""
    return [t.replace("\u00a0", " ") for t in sensitivity_words.hidden_sentences(*args)]


def row(method, value, interval, group="all", benchmark="", strength=np.nan):
    return dict(
        zip(COLUMNS, ("work", None, "1", group, method, benchmark, strength, value, interval),
            strict=True)
    )  # fmt: skip


def released(*rows):
    plan = SimpleNamespace(analysis=SimpleNamespace(level=0.95))
    return SimpleNamespace(plan=plan, sensitivity=pd.DataFrame(list(rows), columns=COLUMNS))


def benchmarks(method, group="all", **values):
    return [
        row(method, v, i, group, name, times)
        for name, (v, i) in values.items()
        for times in (1.0, 2.0, 3.0)
    ]


LONG = [
    row("long_story_short", 0.12, 0.04),
    *benchmarks("long_story_short_benchmark", education=(2.4, 0.7), age=(9.0, 4.0)),
]
SHORT = [row("robustness_value", 0.2, 0.1), *benchmarks("benchmark", age=(5.0, 3.0))]


def test_the_nearest_covariate_is_named():
    (text,) = hidden_sentences(released(*LONG, *SHORT), EN, "work", "1")
    assert text.startswith("All: a hidden factor would have to be 2.4 times as strong as education")
    assert (
        "One only 0.70 times as strong would be enough for the 95 % interval to hold zero" in text
    )
    assert "explain 12.0 %" in text
    assert "4.0 % would do" in text


def test_the_regression_where_nothing_is_doubly_robust():
    (text,) = hidden_sentences(released(*SHORT), EN, "work", "1")
    assert "5.0 times as strong as age" in text
    assert "With one 3.0 times as strong, the 95 % interval would hold zero." in text
    assert "20.0 %" in text


def test_a_factor_that_is_enough_is_said_to_be():
    weak = [row("robustness_value", 0.02, 0.0), *benchmarks("benchmark", age=(0.6, 0.0))]
    (text,) = hidden_sentences(released(*weak), EN, "work", "1")
    assert "0.60 times as strong as age would be enough" in text
    assert "The 95 % interval holds zero already without any." in text
    assert "would do" not in text.partition("both of who")[2]


def test_nothing_to_compare_with():
    none = [row("robustness_value", 0.1, 0.05), *benchmarks("benchmark", age=(np.nan, np.nan))]
    (text,) = hidden_sentences(released(*none), EN, "work", "1")
    assert text.startswith("All: no measured covariate tells both")


def test_ratios_and_pairs():
    rows = [row("e_value", 1.69, 1.18), row("rosenbaum", 1.6, 1.13)]
    (text,) = hidden_sentences(released(*LONG, *rows), EN, "work", "1")
    assert "1.69 times (E-value); for the interval to hold zero, 1.18 times would do" in text
    assert "1.13 times as likely to take part, in odds (Rosenbaum)" in text
    rows = [row("e_value", 1.2, 1.0), row("rosenbaum", 1.1, 1.0)]
    (text,) = hidden_sentences(released(*LONG, *rows), EN, "work", "1")
    assert "the interval holds zero already" in text
    assert "chance could explain the finding even without hidden factors" in text


def test_women_and_men_and_the_gap_have_texts_of_their_own():
    both = [
        one
        for group in ("women", "men")
        for one in (row("robustness_value", 0.2, 0.1, group), *benchmarks("benchmark", group,
                                                                          age=(5.0, 3.0)))
    ]  # fmt: skip
    gap = row("long_story_short", 0.03, 0.01, "women-men")
    found = hidden_sentences(released(*LONG, *both, gap), EN, "work", "1")
    assert [t.split(":")[0] for t in found[:3]] == ["All", "Women", "Men"]
    assert "3.0 %" in found[3]
    assert "opposite directions" in found[3]
    open_gap = row("long_story_short", 0.03, 0.0, "women-men")
    assert len(hidden_sentences(released(*both, open_gap), EN, "work", "1")) == 2


def test_swedish():
    (text,) = hidden_sentences(released(*LONG), SV, "work", "1")
    assert text.startswith(
        "Alla: en dold faktor skulle behöva vara 2,4 gånger så stark som education"
    )
    assert "95 %-intervallet" in text


def test_nothing_is_said_of_what_is_withheld():
    assert hidden_sentences(released(), EN, "work", "1") == []
    assert hidden_sentences(released(*LONG), EN, "other", "1") == []


@pytest.mark.parametrize("block", ["strength", "specification", "judgement"])
def test_both_languages_have_the_same_texts(block):
    english, swedish = (catalogue(lang) for lang in ("en", "sv"))
    keys = {k for k in english if k.startswith(f"{block}.")}
    assert keys == {k for k in swedish if k.startswith(f"{block}.")}
    for key in keys:
        fields = [sorted(set(re.findall(r"\{(\w+)\}", t[key]))) for t in (english, swedish)]
        assert fields[0] == fields[1], key
