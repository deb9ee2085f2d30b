"""How probable it is that an option is the best, by what a unit of the outcome is worth."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from evaluate.report.scales import LOOK, span_of
from evaluate.report.sheet import (
    GREY,
    INK,
    SMALL,
    WIDTH,
    cut,
    numbers,
    panel,
    say,
    sheet,
    svg,
    text_width,
)
from evaluate.report.words import Words

if TYPE_CHECKING:  # matplotlib is slow to import: only who draws pays
    from matplotlib.axes import Axes

Line = tuple[str, Any, float]  # colour, dashes, width
DASHES: dict[str, Any] = {"all": "-", "women": (0, (2, 1.5)), "men": (0, (5, 1.5, 1, 1.5))}
ARMS: tuple[Line, ...] = (
    (GREY, (0, (1, 1.5)), 1.6), ("#D55E00", "-", 1.6), ("#0072B2", (0, (5, 1.5, 1, 1.5)), 1.6),
    ("#009E73", (0, (2, 1.5)), 1.6), ("#CC79A7", (0, (6, 2)), 1.6),
)  # fmt: skip
LEFT, BETWEEN, TALL, RIGHT = 46.0, 66.0, 150.0, 26.0


def acceptability_plot(
    lines: dict[str, pd.DataFrame],
    words: Words,
    currency: str,
    thing: str,
    *,
    label: str,
    by_arm: bool = False,
) -> str:
    """Return an SVG of probabilities by threshold, and beside it of the worth of information.

    Parameters
    ----------
    lines : dict of str to DataFrame
        Rows of `schemas.ACCEPTABILITY` of one option each, by the name in the legend: that of a
        group (all, women, men), in this order, or of an arm, control first.
    currency, thing : str
        Of costs; what one more is worth the threshold.
    label : str
        What the figure shows, for who cannot see it.
    by_arm : bool
        Whether lines are arms of one group.
    """
    looks = list(ARMS) if by_arm else [(LOOK[g][0], DASHES[g], 1.6) for g in DASHES]
    drawn = list(zip(lines.items(), looks, strict=False))
    wide = (WIDTH - RIGHT - LEFT + BETWEEN) / 2 - BETWEEN
    rows, x = 0, 0.0
    places = []
    for name in lines:
        needs = 44 + text_width(name)
        if x and x + needs > WIDTH:
            rows, x = rows + 1, 0.0
        places.append((x, rows))
        x += needs
    bottom = 40.0
    top = bottom + TALL
    with sheet(top + 42 + 15 * rows) as (figure, layer):
        for (name, (colour, dashes, width)), (at, row) in zip(
            ((n, look) for (n, _), look in drawn), places, strict=True
        ):
            y = top + 32 + 15 * (rows - row)
            layer.plot([at, at + 24], [y, y], color=colour, ls=dashes, lw=width)
            say(layer, at + 30, y, name, ha="left")
        kinds = (("probability", 100.0), ("perfect_information", 1.0))
        for i, (kind, factor) in enumerate(kinds):
            left = LEFT + i * (wide + BETWEEN)
            shown = drawn if not (by_arm and i) else drawn[:1]
            values = [v for (_, t), _ in shown for v in factor * t[kind].astype(float)]
            span = (0.0, 104.0) if kind == "probability" else span_of(values)
            axes = panel(figure, (left, bottom, wide, TALL), span, grid="y")
            thresholds = [v for (_, t), _ in shown for v in t["threshold"].astype(float)]
            numbers(axes, "x", (min(thresholds), max(thresholds)), words, 4)
            numbers(axes, "y", span, words)
            for (_, table), look in reversed(shown):
                _line(axes, table, kind, factor, (INK, "-", 1.6) if by_arm and i else look)
            title = words(f"costs.acceptability.figure_{kind}", unit=currency)
            say(layer, left - LEFT, top + 10, cut(title, wide + LEFT, "bold"), ha="left",
                weight="bold", size=SMALL)  # fmt: skip
        under = words("costs.acceptability.figure_threshold", unit=currency, thing=thing)
        say(layer, WIDTH / 2, 9, cut(under, WIDTH))  # the axes of both
        return svg(figure, label)


def _line(axes: Axes, table: pd.DataFrame, kind: str, factor: float, look: Line) -> None:
    colour, dashes, width = look
    axes.plot(table["threshold"].astype(float), factor * table[kind].astype(float), color=colour,
              ls=dashes, lw=width)  # fmt: skip
