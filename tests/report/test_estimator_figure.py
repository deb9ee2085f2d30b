"""The figure by estimator: a block for each, in the plan's order, headings on white."""

from xml.etree import ElementTree

import numpy as np

from evaluate.report import estimator_figure, forest_rows
from evaluate.report.estimator_figure import estimators_plot
from evaluate.report.words import Words

from .observational import effect, table_of

WORDS = Words("en", "observational")
TITLES = {"aipw": "First", "matching": "Second", "regression": "Third"}


def rows(groups=("all", "women", "men", "women-men")):
    return table_of("effects", [effect(g, e) for e in TITLES for g in groups])


def drawn(table):
    return estimators_plot(table, WORDS, label="By estimator", titles=TITLES)


def said(monkeypatch, table):
    """Return the texts that are printed, in their order."""
    found = []
    real = estimator_figure.say

    def say(layer, x, y, text, **look):
        found.append(text)
        real(layer, x, y, text, **look)

    for module in (estimator_figure, forest_rows):
        monkeypatch.setattr(module, "say", say)
    drawn(table)
    return found


def test_it_is_an_svg_with_its_label_and_the_same_bytes_each_time():
    ElementTree.fromstring(drawn(rows()))
    assert 'aria-label="By estimator"' in drawn(rows())
    assert drawn(rows()) == drawn(rows())


def test_each_estimator_has_a_heading_above_its_groups(monkeypatch):
    texts = said(monkeypatch, rows())
    assert [t for t in texts if t in TITLES.values()] == list(TITLES.values())
    assert texts.count("Women less men") == 3
    assert texts.count("10.0") == 12


def test_an_estimate_that_is_not_there_is_named_and_told(monkeypatch):
    table = rows()
    numbers = ["estimate", "std_error", "conf_low", "conf_high"]
    table.loc[2, numbers] = np.nan
    table.loc[3, [*numbers, "n"]] = np.nan
    texts = said(monkeypatch, table.astype({"n": "Float64"}))
    assert texts.count("not estimated") == 1
    assert texts.count("withheld") == 1
    assert texts.count("10.0") == 10


def test_lines_leave_the_headings_free():
    places, headings, tall = estimator_figure._places(["a", "a", "b"])
    blocks = estimator_figure._blocks(headings, tall)
    assert len(blocks) == 2
    for (start, end), (_, heading) in zip(blocks, headings, strict=True):
        assert not start < heading < end
    assert all(any(s < y < e for s, e in blocks) for y in places)
