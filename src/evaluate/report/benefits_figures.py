"""Figures of chapter 4: effects by predicted effect, and what was predicted for women and men."""

from __future__ import annotations

import numpy as np
import pandas as pd

from evaluate.report.benefits_tables import percent_women
from evaluate.report.released import records
from evaluate.report.scales import LOOK, groups_of, span_of, unit_of
from evaluate.report.sheet import (
    GREY,
    INK,
    SMALL,
    WIDTH,
    legend,
    mark,
    numbers,
    panel,
    say,
    sheet,
    svg,
)
from evaluate.report.words import Words

LEFT, TALL = 46.0, 170.0
BESIDE = 0.17  # between the marks of one sorted group, of which the next is 1 away
ENDS = "top-bottom"


def sorted_plot(
    rows: pd.DataFrame, words: Words, *, label: str, average: float | None = None
) -> str:
    """Return an SVG of the effects in groups of persons with similar predicted effects.

    Parameters
    ----------
    rows : DataFrame
        Rows of `schemas.SORTED_GROUPS` of one outcome, month, arm and learner. What is withheld
        or was not estimated is not drawn.
    words, label : Words, str
        The language; what the figure shows, for who cannot see it.
    average : float, optional
        Average effect of all, drawn as a line.

    Returns
    -------
    str
        Those predicted to gain most stand to the left. Below each group is its share of women.
    """
    rows = rows[rows["sorted_group"] != ENDS]
    groups = groups_of(rows)
    rows = rows[rows["group"].isin(groups)]
    place = rows["sorted_group"].astype(int)
    scale, unit = unit_of(str(rows["unit"].iloc[0]), words)
    ends = rows[["estimate", "conf_low", "conf_high"]].to_numpy(dtype=float) * scale
    middle = None if average is None or not np.isfinite(average) else scale * average
    span = span_of([*ends.ravel(), *([] if middle is None else [middle])])
    women = {
        int(row["sorted_group"]): percent_women(row, words, 0)
        for row in records(rows[rows["group"] == "all"])
    }
    shares = len(groups) > 1 and any(women.values())
    bottom, count = 46.0 if shares else 32.0, int(place.max())
    with sheet(bottom + TALL + 44) as (figure, layer):
        title = words("benefits.figure.sorted", unit=unit)
        say(layer, 0, bottom + TALL + 34, title, ha="left", weight="bold")
        legend(layer, LEFT, bottom + TALL + 14, [(LOOK[g], words.group(g), False) for g in groups])
        axes = panel(figure, (LEFT, bottom, WIDTH - 4 - LEFT, TALL), span, grid="y")
        numbers(axes, "y", span, words)
        axes.set(xlim=(0.5, count + 0.5), xticks=[])
        axes.axhline(0, color=INK, lw=0.9)
        if middle is not None:
            axes.axhline(middle, color=GREY, lw=0.9, ls=(0, (4, 3)), zorder=1)
        for i, group in enumerate(groups):
            own = (rows["group"] == group).to_numpy()
            at = place[own] + BESIDE * (i - (len(groups) - 1) / 2)
            axes.vlines(at, ends[own, 1], ends[own, 2], color=LOOK[group][0], lw=1.4)
            mark(axes, at, ends[own, 0], LOOK[group])
        wide = (WIDTH - 4 - LEFT) / count
        for number in range(1, count + 1):
            x = LEFT + wide * (number - 0.5)
            end = {1: "first", count: "last"}.get(number)
            text = words.number(number, 0)
            text += f" ({words(f'benefits.figure.{end}')})" if end and count <= 5 else ""
            say(layer, x, bottom - 12, text, size=SMALL)
            if shares and (among := women.get(number)):
                say(layer, x, bottom - 30, among, size=SMALL, color=LOOK["women"][0])
        if shares:
            text = words("benefits.figure.women_row")
            say(layer, 0, bottom - 30, text, ha="left", size=SMALL, color=LOOK["women"][0])
        if middle is not None:
            x = LEFT + 230
            y = bottom + TALL + 14
            layer.plot([x, x + 22], [y, y], color=GREY, lw=0.9, ls=(0, (4, 3)))
            say(layer, x + 28, y, words("benefits.figure.average"), ha="left")
        return svg(figure, label)


def distribution_plot(rows: pd.DataFrame, words: Words, *, label: str) -> str:
    """Return an SVG of the distribution of predicted effects, women's and men's over each other.

    Parameters
    ----------
    rows : DataFrame
        Rows of `schemas.EFFECT_DISTRIBUTION` of one outcome, month, arm and learner. Bins that
        are withheld stay blank; a bin without an end has the width of its neighbour.
    words, label : Words, str
        The language; what the figure shows, for who cannot see it.
    """
    unit = str(rows["unit"].dropna().iloc[0])
    scale, shown = unit_of(unit, words)
    bins = rows[rows["kind"] == "bin"]
    groups = [g for g in ("women", "men") if g in set(bins["group"])] or ["all"]
    means = rows[rows["kind"] == "mean"].set_index("group")["value"].astype(float) * scale
    edges = {g: _edges(bins[bins["group"] == g], scale) for g in groups}
    heights = {g: 100 * _column(bins[bins["group"] == g], "value") for g in groups}
    x_span = span_of(np.concatenate(list(edges.values())), zero=False)
    y_span = 0.0, 1.08 * max(float(np.nanmax([*h, 1.0])) for h in heights.values())
    bottom = 36.0
    with sheet(bottom + TALL + 44) as (figure, layer):
        title = words("benefits.figure.of_gender")
        title = title if groups != ["all"] else words("unit.percent", x="").strip()
        say(layer, 0, bottom + TALL + 34, title, ha="left", weight="bold")
        legend(layer, LEFT, bottom + TALL + 14, [(LOOK[g], words.group(g), False) for g in groups])
        axes = panel(figure, (LEFT, bottom, WIDTH - 4 - LEFT, TALL), y_span, grid="y")
        numbers(axes, "x", x_span, words)
        numbers(axes, "y", y_span, words, 5)
        if x_span[0] < 0 < x_span[1]:
            axes.axvline(0, color=INK, lw=0.9)
        for group in groups:
            colour, marker, size = LOOK[group]
            dashes = (0, (4, 2)) if group == "men" else "-"
            axes.stairs(heights[group], edges[group], fill=True, color=colour, alpha=0.14, lw=0)
            axes.stairs(
                heights[group], edges[group], baseline=None, color=colour, lw=1.4, ls=dashes
            )
            if group in means and np.isfinite(means[group]):
                axes.vlines(means[group], 0, y_span[1], color=colour, lw=0.9, ls=(0, (1, 2)))
                mark(axes, [means[group]], [y_span[1]], (colour, marker, size))
        say(layer, WIDTH - 4, bottom + TALL + 14, words("benefits.figure.mean_mark"), ha="right",
            color=GREY, size=SMALL)  # fmt: skip
        centre = LEFT + (WIDTH - 4 - LEFT) / 2
        say(layer, centre, 9, words("benefits.figure.distribution", unit=shown))
        return svg(figure, label)


def _edges(bins: pd.DataFrame, scale: float) -> np.ndarray:
    """Return the k + 1 edges of k bins in order; ends that are open get a width."""
    low, high = _column(bins, "low"), _column(bins, "high")
    edges = np.append(low, high[-1:]) * scale
    width = np.median(np.diff(edges[np.isfinite(edges)])) if len(edges) > 2 else 1.0
    for end, beside, step in ((0, 1, -width), (-1, -2, width)):
        if not np.isfinite(edges[end]):
            edges[end] = edges[beside] + step
    return edges


def _column(bins: pd.DataFrame, name: str) -> np.ndarray:
    return bins.sort_values("low", na_position="first")[name].to_numpy(dtype=float)
