"""Figures of paths and incidence: what is drawn where, and what is not."""

import numpy as np
import pytest

from evaluate.report import figures
from evaluate.report.path_figures import BAND, HAZE
from evaluate.report.scales import LOOK
from evaluate.report.words import Words

from .test_figures import EN, GROUPS, incidence, paths, texts  # noqa: F401  (a fixture)


@pytest.fixture
def drawn(monkeypatch):
    """Collect what is drawn with which axes: areas, lines and steps."""
    from matplotlib.axes import Axes

    calls = {"fill_between": [], "plot": [], "step": [], "vlines": []}
    for name, kept in calls.items():
        plain = getattr(Axes, name)

        def spy(self, *args, _plain=plain, _kept=kept, **look):
            _kept.append((args, look))
            return _plain(self, *args, **look)

        monkeypatch.setattr(Axes, name, spy)
    return calls


def areas(drawn, alpha):
    return [args for args, look in drawn["fill_between"] if look.get("alpha") == alpha]


def of_group(drawn, kind, group):
    return [a for a, look in drawn[kind] if look.get("color") == LOOK[group][0]]


def test_every_group_has_its_band_and_both_arms_their_intervals(drawn):
    figures.path_plot(paths(months=range(-2, 13)), EN, label="a")
    bands = [b for b in areas(drawn, BAND) if len(np.atleast_1d(b[0])) > 2]
    assert len(bands) == 4
    months, low, high = (np.asarray(v, dtype=float) for v in bands[0])
    assert np.isnan(low[months < 1]).all()
    assert np.allclose((high - low)[months >= 1], 24)  # in percentage points
    assert len(areas(drawn, HAZE)) == 6  # two arms, of all, women and men


def test_effects_of_other_units_are_not_multiplied(drawn):
    figures.path_plot(paths(unit="SEK"), EN, label="a")
    _, low, high = (np.asarray(v, dtype=float) for v in areas(drawn, BAND)[0])
    assert np.allclose(high - low, 0.24)


def test_a_month_between_withheld_ones_has_a_bar_for_its_band(drawn):
    rows = paths(GROUPS[:1], months=range(1, 6))
    hidden = (rows["kind"] == "effect") & rows["month"].isin([2, 4])
    rows.loc[hidden, ["estimate", "conf_low", "conf_high", "band_low", "band_high"]] = np.nan
    figures.path_plot(rows, EN, label="a")
    (bars,) = [a for a, look in drawn["vlines"] if look.get("lw") == 4]
    assert list(bars[0]) == [1, 3, 5]


def test_incidence_rises_in_steps_from_zero_over_the_months_shown(drawn):
    rows = incidence(GROUPS[:1])
    hidden = rows["month"].isin([2, 3])
    rows.loc[hidden, ["estimate", "conf_low", "conf_high", "band_low", "band_high"]] = np.nan
    figures.incidence_plot(rows, EN, label="a")
    steps = of_group(drawn, "step", "all")
    assert len(steps) == 2
    months, share = steps[1]
    assert list(months) == [0, 1, *range(4, 13)]
    assert np.allclose(share, [0, 4, *(4 * np.arange(4, 13))])
    months, *_ = areas(drawn, BAND)[0]
    assert list(months) == [1, *range(4, 13)]  # the band joins the months shown


@pytest.mark.parametrize("exits", [False, True])
def test_exits_are_in_the_legend_where_they_compete(texts, exits):  # noqa: F811
    found = texts(figures.incidence_plot(incidence(exits=exits), EN, label="a"))
    assert any(t.startswith("exits") for t in found) == exits
    assert any(t.startswith("treated") for t in found)


@pytest.mark.parametrize("language", ["en", "sv"])
@pytest.mark.parametrize("groups", [("all",), GROUPS[:4]], ids=["all", "gender"])
def test_the_legend_keeps_to_its_place_in_both_languages(monkeypatch, language, groups):
    """Every line of it ends before the edge of the sheet and above the next figure."""
    from evaluate.report import path_figures, sheet

    said = []
    plain = path_figures.say

    def spy(layer, x, y, text, ha="center", **look):
        said.append((x + (sheet.text_width(text, sheet.SMALL) if ha == "left" else 0), y))
        plain(layer, x, y, text, ha, **look)

    monkeypatch.setattr(path_figures, "say", spy)
    figures.incidence_plot(incidence(groups), Words(language), label="a")
    assert max(x for x, _ in said) <= sheet.WIDTH + 1
    assert min(y for _, y in said) >= 20


def test_nothing_but_withheld_rows_is_drawn_without_fault():
    numbers = ["estimate", "conf_low", "conf_high", "band_low", "band_high"]
    for rows, plot in ((paths(), figures.path_plot), (incidence(), figures.incidence_plot)):
        rows[numbers] = np.nan
        assert plot(rows, EN, label="a").startswith("<svg")
