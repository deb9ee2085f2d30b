"""The figure of overlap: mirrored, by gender, with who is left out and what is withheld."""

import re
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest

from evaluate.report import overlap_figure
from evaluate.report.overlap_figure import overlap_plot
from evaluate.report.words import Words

WORDS = Words("en", "observational")
BINS = 20


def histogram(groups=("all", "women", "men"), hidden=()):
    """Return bins of a rare programme: nearly all others are unlikely to take part."""
    low = np.arange(BINS) / BINS
    rows = []
    for group in groups:
        for side, slope in (("treated", 1.0), ("control", 12.0)):
            share = np.exp(-slope * low)
            share = share / share.sum()
            for i in range(BINS):
                gone = (group, side, i) in hidden
                rows.append(
                    {
                        "arm": "1", "group": group, "side": side,
                        "low": np.nan if gone else low[i],
                        "high": np.nan if gone else low[i] + 1 / BINS,
                        "n": np.nan if gone else 100, "share": np.nan if gone else share[i],
                    }
                )  # fmt: skip
    return pd.DataFrame(rows)


def drawn(table, **more):
    return overlap_plot(table, WORDS, label="Overlap", **more)


def dashed(svg):
    return len(re.findall(r"stroke-dasharray", svg))


def test_it_is_an_svg_with_its_label_and_the_same_bytes_each_time():
    svg = drawn(histogram())
    ElementTree.fromstring(svg)
    assert 'aria-label="Overlap"' in svg
    assert svg == drawn(histogram())


def test_bars_reach_as_far_as_the_roots_of_their_shares():
    table = histogram(("all",))
    other = table.assign(share=table["share"].where(table["side"] == "treated", 0.05))
    assert drawn(table) != drawn(other)


def test_women_and_men_have_panels_where_there_are_both():
    assert len(drawn(histogram())) > 1.7 * len(drawn(histogram(("all",))))


@pytest.mark.parametrize(("bounds", "lines"), [((0.0, 1.0), 0), ((0.0, 0.9), 1), ((0.1, 0.9), 2)])
def test_who_is_left_out_is_beyond_a_dashed_line(bounds, lines):
    found = drawn(histogram(("all",)), bounds={"all": bounds})
    assert dashed(found) - dashed(drawn(histogram(("all",)))) == lines


def test_a_withheld_bin_is_hatched_in_its_place_not_empty():
    whole, hidden = drawn(histogram(("all",))), drawn(histogram(("all",), {("all", "treated", 3)}))
    assert "<pattern" not in whole
    assert "<pattern" in hidden
    elsewhere = drawn(histogram(("all",), {("all", "treated", 9)}))
    assert hidden != elsewhere


def test_a_withheld_bin_can_be_seen(monkeypatch):
    table = histogram(("all",), {("all", "treated", 3)})
    shown = drawn(table)
    monkeypatch.setattr(overlap_figure, "HIDDEN", 0.0)
    assert drawn(table) != shown


def test_bins_that_were_joined_are_as_high_as_their_share_of_a_step():
    table = histogram(("all",))
    tail = (table["side"] == "treated") & (table["low"] >= 0.5)
    total = table.loc[tail, "share"].sum()
    row = table[tail].iloc[:1].assign(high=1.0, share=total)
    joined = overlap_figure._placed(pd.concat([table[~tail], row]))
    joined = joined[joined["side"] == "treated"]
    assert joined["share"].iloc[-1] == pytest.approx(total / 10)
