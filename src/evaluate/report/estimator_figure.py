"""Figure of one outcome by all estimators: where they agree, the model matters less."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from evaluate.report.scales import LOOK, span_of, unit_of
from evaluate.report.sheet import (
    GREY,
    GRID,
    INK,
    LINE,
    WIDTH,
    cut,
    mark,
    numbers,
    panel,
    say,
    sheet,
    svg,
    text_width,
)
from evaluate.report.words import Words

ROW, HEAD, SPACE = 15.0, 17.0, 5.0


def estimators_plot(
    rows: pd.DataFrame, words: Words, *, label: str, titles: Mapping[str, str]
) -> str:
    """Return an SVG of the effects on one outcome, a block per estimator, a line per group.

    Parameters
    ----------
    rows : DataFrame
        Rows of `schemas.EFFECTS` of one outcome, month and arm, in the order of the blocks. A
        row without an estimate is named and said to be so.
    words, label : Words, str
        The language; what the figure shows, for who cannot see it.
    titles : mapping of str to str
        Heading of each estimator.
    """
    unit = str(rows["unit"].iloc[0])
    scale, shown = unit_of(unit, words)
    level = words("unit.percent", x=words.number(100 * rows["level"].iloc[0], 0))
    heads = words("figure.effect"), words("figure.interval", level=level)
    names = [words.group(g) for g in rows["group"]]
    error = rows["std_error"].min()
    ends = zip(rows["conf_low"], rows["conf_high"], strict=True)
    texts = (
        [words.effect(v, unit, error, with_unit=False) for v in rows["estimate"]],
        [words.interval(low, high, unit, error) for low, high in ends],
    )
    columns = [max(map(text_width, (h, *t))) for h, t in zip(heads, texts, strict=True)]
    edges = WIDTH - columns[1] - 15, WIDTH - 1
    left, right = max(map(text_width, names)) + 22, edges[0] - columns[0] - 20
    values = scale * rows[["estimate", "conf_low", "conf_high"]].to_numpy(dtype=float)
    places, headings, tall = _places(list(rows["estimator"]))
    bottom = 38.0
    top = bottom + tall
    with sheet(top + 22) as (figure, layer):
        axes = panel(figure, (left, bottom, right - left, tall), (bottom, top))
        numbers(axes, "x", span_of(values.ravel()), words, int((right - left) / (columns[0] + 16)))
        axes.grid(visible=False)
        for above, below in _blocks(headings, tall):  # headings stand on white
            axes.vlines(axes.get_xticks(), top - below, top - above, color=GRID, lw=0.6, zorder=0)
            axes.vlines(0, top - below, top - above, color=INK, lw=0.9, zorder=1)
        layer.hlines([top], 0, WIDTH, color=LINE, lw=0.8)
        for x, head in zip(edges, heads, strict=True):
            say(layer, x, top + 10, head, ha="right", color=GREY)
        for estimator, y in headings:
            layer.hlines([top - y + HEAD / 2 + SPACE / 2], 0, WIDTH, color=LINE, lw=0.4)
            say(layer, 0, top - y, titles[estimator], ha="left", weight="bold")
        for i, group in enumerate(rows["group"]):
            y, look = top - places[i], LOOK[group]
            say(layer, 8, y, cut(names[i], left - 22), ha="left")
            if np.isnan(values[i, 0]):
                why = "withheld" if pd.isna(rows["n"].iloc[i]) else "not_estimated"
                say(layer, WIDTH - 1, y, words(f"figure.{why}"), ha="right", color=GREY)
                continue
            axes.hlines(y, *values[i, 1:], color=look[0], lw=1.5)
            mark(axes, values[i, :1], [y], look)
            for x, column in zip(edges, texts, strict=True):
                say(layer, x, y, column[i], ha="right")
        say(layer, (left + right) / 2, 9, words("figure.effect_in", unit=shown))
        return svg(figure, label)


def _blocks(headings: list[tuple[str, float]], tall: float) -> list[tuple[float, float]]:
    """Return where below the top the lines of each estimator begin and end, in points."""
    starts = [y + HEAD / 2 for _, y in headings]
    ends = [y - HEAD / 2 - SPACE / 2 for _, y in headings[1:]]
    return list(zip(starts, [*ends, tall], strict=True))


def _places(estimators: list[str]) -> tuple[list[float], list[tuple[str, float]], float]:
    """Return how far below the top rows and headings lie, in points, and the height."""
    places, headings, y, before = [], [], 0.0, ""
    for estimator in estimators:
        if estimator != before:
            y += SPACE if before else 0.0
            headings.append((estimator, y + HEAD / 2))
            y += HEAD
        places.append(y + ROW / 2)
        y, before = y + ROW, estimator
    return places, headings, y + 2
