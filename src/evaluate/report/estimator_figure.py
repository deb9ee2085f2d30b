"""Figure of one outcome by all estimators: where they agree, the model matters less."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from evaluate.report.forest_rows import forest_rows
from evaluate.report.scales import span_of
from evaluate.report.sheet import (
    GRID,
    INK,
    LINE,
    WIDTH,
    numbers,
    panel,
    say,
    sheet,
    svg,
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
    laid = forest_rows(rows, words)
    left, right = laid.widest + 22, laid.right
    places, headings, tall = _places(list(rows["estimator"]))
    bottom = 38.0
    top = bottom + tall
    ticks = int((right - left) / (laid.widths[0] + 16))
    with sheet(top + 22) as (figure, layer):
        axes = panel(figure, (left, bottom, right - left, tall), (bottom, top))
        numbers(axes, "x", span_of(laid.values.ravel()), words, ticks)
        axes.grid(visible=False)
        for above, below in _blocks(headings, tall):  # headings stand on white
            axes.vlines(axes.get_xticks(), top - below, top - above, color=GRID, lw=0.6, zorder=0)
            axes.vlines(0, top - below, top - above, color=INK, lw=0.9, zorder=1)
        layer.hlines([top], 0, WIDTH, color=LINE, lw=0.8)
        laid.head(layer, top + 10)
        for estimator, y in headings:
            layer.hlines([top - y + HEAD / 2 + SPACE / 2], 0, WIDTH, color=LINE, lw=0.4)
            say(layer, 0, top - y, titles[estimator], ha="left", weight="bold")
        laid.draw(layer, axes, [top - y for y in places], 8, left - 22)
        say(layer, (left + right) / 2, 9, words("figure.effect_in", unit=laid.unit))
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
