"""Power and displacement in words, in both languages."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from evaluate.report.interference import spillover_sentences
from evaluate.report.power import power_sentences
from evaluate.report.words import Words

EN, SV = Words("en"), Words("sv")


def plain(sentences):
    return [s.replace("\u00a0", " ").replace("\u2212", "-") for s in sentences]


def released(**tables):
    return SimpleNamespace(
        title=lambda outcome, language: {"en": "In work", "sv": "I arbete"}[language],
        unit=lambda outcome, language: "share",
        **tables,
    )


def power(p_value=0.4, groups=("all", "women", "men", "women-men")):
    return pd.DataFrame(
        {
            "outcome": "work",
            "month": pd.array([12] * len(groups), "Int64"),
            "arm": "1",
            "group": groups,
            "std_error": [0.018, 0.025, 0.025, 0.036][: len(groups)],
            "detectable": [0.05, 0.07, 0.07, 0.101][: len(groups)],
            "p_value": p_value,
            "level": 0.95,
            "power": 0.8,
            "relative": [0.2, 0.25, 0.25, 0.4][: len(groups)],
            "ratio_to_all": [1, 1.4, 1.4, 2.02][: len(groups)],
        }
    )


def test_a_gap_that_is_not_significant_is_read_for_what_it_is():
    effect, gap, open_gap = plain(power_sentences(released(power=power()), EN, "work", 12, "1"))
    assert "5.0 percentage points" in effect
    assert "80 %" in effect
    assert "20 % of the level" in effect
    assert "10.1 percentage points or more, 2.0 times as much" in gap
    assert "does not show that there is none" in open_gap
    assert "less than 10.1 percentage points" in open_gap


def test_it_is_said_in_swedish():
    sentences = plain(power_sentences(released(power=power()), SV, "work", 12, "1"))
    assert "10,1 procentenheter eller mer, 2,0 gånger så mycket" in sentences[1]
    assert "visar inte att det inte finns någon" in sentences[2]


def test_a_significant_gap_needs_no_warning():
    assert len(power_sentences(released(power=power(p_value=0.01)), EN, "work", 12, "1")) == 2


def test_one_gender_has_no_gap_and_what_is_withheld_is_not_said():
    one = released(power=power(groups=("all",)))
    assert len(power_sentences(one, EN, "work", 12, "1")) == 1
    none = released(power=power().assign(detectable=np.nan))
    assert power_sentences(none, EN, "work", 12, "1") == []
    assert power_sentences(released(power=power()), EN, "work", 6, "1") == []


@pytest.mark.parametrize("words", [EN, SV])
def test_displacement_is_said_by_its_effects(words):
    effects = ["total", "displacement", "overall", "direct"]
    table = pd.DataFrame(
        {
            "outcome": "work",
            "month": pd.array([None] * 4, "Int64"),
            "saturation": "all",
            "group": "all",
            "effect": effects,
            "estimate": [0.08, -0.02, 0.03, np.nan],
            "std_error": 0.01,
            "conf_low": 0.0,
            "conf_high": 0.1,
            "level": 0.95,
        }
    )
    told = spillover_sentences(released(spillovers=table), words, "work", None)
    assert list(told) == ["total", "displacement", "overall"]
    number = "-2.0 percentage points" if words is EN else "-2,0 procentenheter"
    assert number in plain(told["displacement"])[0]
