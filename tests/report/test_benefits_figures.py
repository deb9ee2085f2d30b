"""Figures of chapter 4: valid, the same bytes every time, with what the tables hold."""

import re
from xml.etree import ElementTree

import numpy as np
import pytest

from evaluate.report.benefits_figures import distribution_plot, sorted_plot
from evaluate.report.scales import LOOK
from evaluate.report.targeting_figure import ORDERS, targeting_plot
from evaluate.report.words import Words

from . import benefits

EN, SV = Words("en"), Words("sv")


def sorted_of(rows, words=EN, **more):
    return sorted_plot(rows, words, label="a & b", **more)


def distribution_of(rows, words=EN):
    return distribution_plot(rows, words, label="a & b")


def curve_of(rows, words=EN, **more):
    return targeting_plot(rows, words, "share", label="a & b", **more)


PLOTS = {
    "sorted": (sorted_of, benefits.sorted_groups),
    "distribution": (distribution_of, benefits.distribution),
    "curve": (curve_of, benefits.curve),
}


@pytest.mark.parametrize("name", PLOTS)
@pytest.mark.parametrize("words", [EN, SV])
def test_a_figure_is_valid_and_the_same_bytes_again(name, words):
    draw, rows = PLOTS[name]
    svg = draw(rows(), words)
    ElementTree.fromstring(svg)
    assert svg == draw(rows(), words)
    assert 'aria-label="a &amp; b"' in svg
    assert "nan" not in svg.lower()


def colours(svg):
    return set(re.findall(r"#[0-9a-f]{6}", svg.lower()))


@pytest.mark.parametrize("name", ["sorted", "distribution"])
def test_women_and_men_have_the_colours_of_the_product(name):
    draw, rows = PLOTS[name]
    svg = draw(rows())
    assert {LOOK["women"][0].lower(), LOOK["men"][0].lower()} <= colours(svg)
    groups = ("all",)
    assert LOOK["women"][0].lower() not in colours(draw(rows(groups)))


@pytest.fixture
def texts(monkeypatch):
    """Collect what is printed on the sheets."""
    from evaluate.report import benefits_figures, sheet, targeting_figure

    printed = []

    def said(layer, x, y, text, *args, **look):
        printed.append(text)
        return sheet.say(layer, x, y, text, *args, **look)

    for module in (benefits_figures, targeting_figure):
        monkeypatch.setattr(module, "say", said)
    return printed


def test_each_group_has_its_share_of_women_below(texts):
    sorted_of(benefits.sorted_groups())
    assert [t for t in texts if t in ("70", "60", "50", "40", "30")] == [
        "70",
        "60",
        "50",
        "40",
        "30",
    ]
    assert any("predicted to gain most" in t for t in texts)


def test_the_average_is_a_line_with_a_name(texts):
    sorted_of(benefits.sorted_groups(), average=0.06)
    assert EN("benefits.figure.average") in texts
    texts.clear()
    sorted_of(benefits.sorted_groups(), average=float("nan"))
    assert EN("benefits.figure.average") not in texts


def test_what_is_withheld_is_left_blank():
    rows = benefits.sorted_groups()
    whole = sorted_of(rows)
    rows.loc[rows["group"] == "men", ["estimate", "conf_low", "conf_high"]] = np.nan
    assert len(sorted_of(rows)) < len(whole)
    bins = benefits.distribution()
    bins.loc[bins.index[3:9], "value"] = np.nan
    ElementTree.fromstring(distribution_of(bins))


def test_bins_without_an_end_are_drawn():
    rows = benefits.distribution()
    rows.loc[rows["low"] == rows["low"].min(), "low"] = np.nan
    rows.loc[rows["high"] == rows["high"].max(), "high"] = np.inf
    svg = distribution_of(rows)
    ElementTree.fromstring(svg)
    assert "inf" not in svg


@pytest.mark.parametrize(
    ("values", "shown", "absent"),
    [
        ({}, "net", "cost"),
        ({"value": None}, "cost", "net"),
        ({"value": None, "cost": None}, "gain", "cost"),
    ],
)
def test_beside_the_gain_stands_what_is_known_of_its_price(values, shown, absent, texts):
    curve_of(benefits.curve(**values), capacity=0.4)
    unit = {"gain": EN("figure.points")}.get(shown, "SEK 2022")
    assert EN(f"benefits.figure.{shown}", unit=unit) in texts
    assert EN(f"benefits.figure.{absent}", unit="SEK 2022") not in texts
    assert EN("benefits.figure.present") in texts


def test_every_order_has_its_line_and_name(texts):
    svg = curve_of(benefits.curve())
    for order, (colour, _, _) in ORDERS.items():
        assert EN(f"benefits.order.{order}") in texts
        assert colour.lower() in colours(svg)
    assert EN("benefits.figure.present") not in texts
