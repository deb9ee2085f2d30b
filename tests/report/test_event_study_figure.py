"""The figure of difference-in-differences: who stands where, placebos hollow, one base."""

import numpy as np
import pytest

from evaluate.report.event_study_figure import event_study_plot
from evaluate.report.path_figures import BAND
from evaluate.report.scales import LOOK
from evaluate.report.words import Words

from .test_event_study_words import event_rows
from .test_figures import texts  # noqa: F401  (a fixture)
from .test_path_figures import drawn  # noqa: F401  (a fixture)

EN, SV = Words("en"), Words("sv")


def rows_of(**more):
    table = event_rows(**more)
    return table[table["kind"] == "event"]


@pytest.mark.parametrize("words", [EN, SV])
def test_women_and_men_stand_beside_one_another_and_the_gap_apart(texts, words):  # noqa: F811
    found = texts(event_study_plot(rows_of(), words, label="a"))
    for group in LOOK:
        assert words.group(group) in found
    assert words("figure.before_start") in found
    assert words("figure.base_month") in found
    assert any("band" in text for text in found)


def test_bands_and_intervals_of_every_group_are_drawn(drawn):  # noqa: F811
    event_study_plot(rows_of(), EN, label="a")
    bands = [(a, k) for a, k in drawn["fill_between"] if k.get("alpha") == BAND]
    bands = [a for a, _ in bands if len(np.atleast_1d(a[0])) > 2]
    assert len(bands) == 4
    months, low, high = (np.asarray(v, dtype=float) for v in bands[0])
    assert list(months) == list(range(-4, 7))
    assert (high - low)[months == 0] == 0  # the base is known
    assert np.allclose((high - low)[months != 0], 4)


def test_placebos_are_hollow_and_the_base_a_cross(drawn):  # noqa: F811
    event_study_plot(rows_of(), EN, label="a")
    women = [(a, k) for a, k in drawn["plot"] if k.get("mec") == LOOK["women"][0]]
    hollow = [a for a, k in women if k.get("mfc") == "white"]
    assert [list(a[0]) for a in hollow] == [[-4, -3, -2, -1]]
    crosses = [a for a, _ in women if a[2] == "x"]
    assert [(list(a[0]), list(a[1])) for a in crosses] == [([0], [0])]


def test_shares_are_in_percentage_points(drawn):  # noqa: F811
    event_study_plot(rows_of(unit="share"), EN, label="a")
    (band, *_) = (a for a, k in drawn["fill_between"] if k.get("alpha") == BAND)
    assert np.nanmax(np.asarray(band[2], dtype=float)) == pytest.approx(800)


def test_one_gender_has_one_panel(texts):  # noqa: F811
    found = texts(event_study_plot(rows_of(groups=("all", "women")), EN, label="a"))
    assert EN.group("all") in found
    assert EN.group("women") not in found


def test_months_that_are_withheld_leave_a_gap(drawn):  # noqa: F811
    table = rows_of(groups=("all",))
    hidden = ["estimate", "std_error", "conf_low", "conf_high", "band_low", "band_high"]
    table.loc[table["month"] == 3, hidden] = np.nan
    svg = event_study_plot(table, EN, label="a")
    assert svg.startswith("<svg")
    crosses = [a for a, k in drawn["plot"] if len(a) > 2 and a[2] == "x"]
    assert [len(a[0]) for a in crosses] == [1, 1]  # the base and its key, not the month withheld


def test_the_same_rows_give_the_same_bytes_and_the_label():
    one, other = (event_study_plot(rows_of(), SV, label="Effekt & mer") for _ in range(2))
    assert one == other
    assert 'aria-label="Effekt &amp; mer"' in one
