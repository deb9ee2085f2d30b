"""The figure of difference-in-differences: effects by month since the start, placebos before."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from evaluate.report.by_month import estimates, month_axis, say_month
from evaluate.report.flow_chart import wrap
from evaluate.report.path_figures import BAND, RESULTS
from evaluate.report.scales import LOOK, groups_of, span_of, unit_of
from evaluate.report.sheet import (
    INK,
    SMALL,
    WIDTH,
    Look,
    cut,
    legend,
    mark,
    numbers,
    panel,
    say,
    sheet,
    svg,
)
from evaluate.report.words import Words
from evaluate.study import GAP

if TYPE_CHECKING:  # matplotlib is slow to import: only who draws pays
    from matplotlib.axes import Axes

LEFT, BETWEEN = 46.0, 14.0
TALL = 132.0
KEYS = ("each_month", "all_months", "before_start", "base_month")


def event_study_plot(rows: pd.DataFrame, words: Words, *, label: str) -> str:
    """Return an SVG of effects by month since the start, with pre-trends and both bands.

    Parameters
    ----------
    rows : DataFrame
        Rows of `schemas.EVENT_STUDY` of kind ``event`` of one outcome and arm. Women and men
        stand side by side, all and the gap above them; with one gender there is one panel.
        Effects before the start are hollow; the base is a cross at zero.
    words, label : Words, str
        The language; what the figure shows, for who cannot see it.
    """
    scale, unit = unit_of(str(rows["unit"].iloc[0]), words)
    values = rows[RESULTS].astype(float) * scale
    rows = rows.assign(month=rows["month"].astype(float), **{c: values[c] for c in RESULTS})
    genders = [g for g in groups_of(rows) if g != "all"]
    grid = [["all", GAP], genders] if genders and GAP in set(rows["group"]) else [["all", *genders]]
    months, room = rows["month"].unique(), 150.0 if len(grid[0]) == 1 else 0.0
    columns = len(grid[0])
    wide = (WIDTH - 4 - LEFT - room + BETWEEN) / columns - BETWEEN
    pitch = TALL + 42
    low = 34.0 if room else 66.0
    top = low + pitch * (len(grid) - 1) + TALL
    shown = rows[rows["group"].isin([g for line in grid for g in line])]
    span = span_of(shown[RESULTS].to_numpy().ravel())
    with sheet(top + 38) as (figure, layer):
        title = cut(words("figure.effect_in", unit=unit), WIDTH, "bold")
        say(layer, 0, top + 28, title, ha="left", weight="bold")
        for i, line in enumerate(grid):
            for j, group in enumerate(line):
                x, y = LEFT + j * (wide + BETWEEN), low + pitch * (len(grid) - 1 - i)
                legend(layer, x, y + TALL + 10, [(LOOK[group], words.group(group), False)])
                axes = panel(figure, (x, y, wide, TALL), span, grid="y")
                numbers(axes, "y", span, words, 5)
                axes.tick_params(labelleft=j == 0)
                month_axis(axes, months, 12 if columns == 1 else 9, words)
                axes.axhline(0, color=INK, lw=0.9)
                one = rows[rows["group"] == group].sort_values("month")
                _effects(axes, one, LOOK[group])
        percent = words("unit.percent", x=words.number(100 * rows["level"].iloc[0], 0))
        if room:
            _keys(layer, (LEFT + wide + 14, room - 16), top - 8, 1, percent, words)
        else:
            _keys(layer, (0, WIDTH / 2), 38, 2, percent, words)
        say_month(layer, LEFT + (WIDTH - 4 - LEFT - room) / 2, months, words)
        return svg(figure, label)


def _effects(axes: Axes, one: pd.DataFrame, look: Look) -> None:
    """Draw a group's band and intervals; placebos are hollow, the base is a cross."""
    colour, before = look[0], one["month"] < 1
    is_base = one["std_error"].isna() & (one["estimate"] == 0)
    low, high = (one[c].mask(is_base, 0.0) for c in ("band_low", "band_high"))
    axes.fill_between(one["month"], low, high, color=colour, alpha=BAND, lw=0)
    axes.plot(one["month"], one["estimate"], color=colour, lw=0.8)
    small = (colour, look[1], look[2] * (0.7 if len(one) <= 12 else 0.55))
    for part in (one[before & ~is_base], one[~before]):
        limits = part["conf_low"], part["conf_high"]
        estimates(axes, part["month"], part["estimate"], limits, small)
    placebo, base = one[before & ~is_base], one[is_base]
    mark(axes, placebo["month"], placebo["estimate"], small, hollow=True)
    axes.plot(base["month"], base["estimate"], "x", ms=5, mec=colour, mew=1.2, zorder=5)


def _keys(
    layer: Axes, place: tuple[float, float], top: float, columns: int, level: str, words: Words
) -> None:
    """Print what bars, areas, hollow marks and the cross are."""
    x, width = place
    y = top
    for i, key in enumerate(KEYS):
        at = x + (i % columns) * width
        middle = at + 10
        if key == "each_month":
            layer.plot([middle, middle], [y - 5, y + 5], color=INK, lw=1.1, alpha=0.55)
            mark(layer, [middle], [y], (INK, "s", 3.0))
        elif key == "all_months":
            layer.fill_between([at, at + 20], y - 5, y + 5, color=INK, alpha=BAND, lw=0)
        elif key == "before_start":
            mark(layer, [middle], [y], (INK, "s", 3.6), hollow=True)
        else:
            layer.plot([middle], [y], "x", ms=5, mec=INK, mew=1.2)
        for text in wrap(words(f"figure.{key}", level=level), width - 26):
            say(layer, at + 25, y, text, ha="left", size=SMALL)
            y -= 10 if columns == 1 else 0
        if (i + 1) % columns == 0:
            y -= 5 if columns == 1 else 14
