"""The figure of all analyses: valid, the same every time, with the numbers of the table."""

import re
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest

from evaluate.report import specification_figure
from evaluate.report.specification_figure import specification_plot
from evaluate.report.words import Words

GROUPS = ("all", "women", "men", "women-men")
EN, SV = Words("en"), Words("sv")
CHOICES = [
    ("aipw", "crump", "logit", "all", True),
    ("matching", "crump", "logit", "all", False),
    ("regression", "crump", None, "all", False),
    ("aipw", "none", "logit", "all", False),
    ("aipw", "0.1-0.9", "logit", "all", False),
    ("aipw", "crump", "boosting", "all", False),
    ("aipw", "crump", "logit", "without age", False),
    ("difference_in_means", "none", None, "none", False),
]


def rows(groups=GROUPS, unit="share"):
    made = []
    for g, group in enumerate(groups):
        for i, (estimator, trim, model, covariates, lead) in enumerate(CHOICES):
            value = -3.0 if estimator == "difference_in_means" else 0.05 + 0.01 * (i % 4) + 0.02 * g
            made.append(
                {
                    "group": group,
                    "estimator": estimator,
                    "trim": trim,
                    "propensity": model,
                    "covariates": covariates,
                    "lead": lead,
                    "estimate": value,
                    "std_error": 0.02,
                    "conf_low": value - 0.04,
                    "conf_high": value + 0.04,
                    "unit": unit,
                }
            )
    return pd.DataFrame(made).astype({"lead": "boolean"})


def drawn(table, words=EN, monkeypatch=None):
    """Return the figure, and the texts that were printed on it."""
    said = []
    monkeypatch.setattr(
        specification_figure, "say", lambda *a, **k: said.append(a[3].replace("\u00a0", " "))
    )
    return specification_plot(table, words, label="All analyses"), said


@pytest.mark.parametrize("words", [EN, SV])
def test_a_valid_drawing_that_is_the_same_every_time(words):
    text = specification_plot(rows(), words, label="All <analyses>")
    root = ElementTree.fromstring(text)
    assert root.attrib["aria-label"] == "All <analyses>"
    assert text == specification_plot(rows(), words, label="All <analyses>")
    assert "<style" not in text


def test_the_raw_comparison_is_told_and_not_drawn(monkeypatch):
    _, said = drawn(rows(), EN, monkeypatch)
    raw = [s for s in said if s.startswith("Raw comparison")]
    assert len(raw) == 3  # all, women, men
    assert all("300.0" in s for s in raw)
    far = rows()
    far.loc[far["estimator"] == "difference_in_means", ["estimate", "conf_low"]] = -9000.0
    near = rows()
    heights = [re.search(r'viewBox="([^"]+)"', specification_plot(t, EN, label="x"))[1]
               for t in (far, near)]  # fmt: skip
    assert heights[0] == heights[1]
    without = rows()
    without = without[without["estimator"] != "difference_in_means"]
    _, said = drawn(without, EN, monkeypatch)
    assert "Raw comparison, not adjusted, not estimated" in said


def test_every_choice_has_its_row(monkeypatch):
    _, said = drawn(rows(), EN, monkeypatch)
    for text in ("doubly robust", "matching", "regression", "Crump's rule", "none", "logit",
                 "boosted trees", "one left out", "0.10 to 0.90", "Women", "Men"):  # fmt: skip
        assert text in said
    assert "raw comparison" not in said
    _, swedish = drawn(rows(), SV, monkeypatch)
    assert "dubbelt robust" in swedish
    assert "0,10 till 0,90" in swedish


def test_analyses_stand_in_the_order_of_all():
    table = specification_figure._sorted(rows(), ["all", "women", "men"])
    of_all = table[table["group"] == "all"].sort_values("place")
    assert (np.diff(of_all["estimate"]) >= 0).all()
    for _, same in table.groupby("analysis"):
        assert same["place"].nunique() == 1


def test_one_panel_where_there_is_one_gender(monkeypatch):
    _, said = drawn(rows(("all", "men")), EN, monkeypatch)
    assert "All" in said
    assert "Men" not in said


def test_what_is_withheld_is_left_out():
    table = rows()
    table.loc[table["group"] == "women", ["estimate", "conf_low", "conf_high"]] = np.nan
    ElementTree.fromstring(specification_plot(table, EN, label="x"))
    table.loc[table["lead"].fillna(False), ["estimate", "conf_low", "conf_high"]] = np.nan
    ElementTree.fromstring(specification_plot(table, EN, label="x"))
