"""The targeting curve: what offering places to those first in an order gains, and costs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from evaluate.report.path_figures import BAND
from evaluate.report.scales import LOOK, span_of, unit_of
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
ORDERS: dict[str, Line] = {
    "predicted": (INK, "-", 1.8),
    "predicted_without_gender": ("#CC79A7", (0, (6, 2)), 1.5),
    "women_first": (LOOK["women"][0], (0, (2, 1.5)), 1.4),
    "men_first": (LOOK["men"][0], (0, (5, 1.5, 1, 1.5)), 1.4),
    "random": (GREY, (0, (1, 1.5)), 1.4),
}
LEFT, BETWEEN, TALL, RIGHT = 46.0, 54.0, 150.0, 12.0
VALUES = {"gain": ("gain", "conf_low", "conf_high"), "net": ("net_gain", "net_low", "net_high"),
          "cost": ("cost", "", "")}  # fmt: skip


def targeting_plot(
    rows: pd.DataFrame, words: Words, unit: str, *, label: str, capacity: float | None = None
) -> str:
    """Return an SVG of gain by number of places, and beside it of gain net of cost, or of cost.

    Parameters
    ----------
    rows : DataFrame
        Rows of `schemas.TARGETING_CURVE` of one outcome, month and arm.
    words : Words
        The language.
    unit, label : str
        Unit of the outcome; what the figure shows, for who cannot see it.
    capacity : float, optional
        Share of the persons there are places for.
    """
    beside = [k for k in ("net", "cost") if rows[VALUES[k][0]].notna().any()]
    kinds = ["gain", *beside[:1]]
    scale, shown = unit_of(unit, words)
    currency = rows["currency"].dropna()
    units = {"gain": shown, "net": currency.iloc[0] if len(currency) else ""}
    units["cost"] = units["net"]
    orders = [o for o in ORDERS if (rows["order"] == o).any()]
    wide = (WIDTH - RIGHT - LEFT + BETWEEN) / len(kinds) - BETWEEN
    level = words.percent(float(rows["level"].iloc[0]))
    keys = _placed([words(f"benefits.order.{o}") for o in orders], words, level, capacity)
    bottom = 40.0
    top = bottom + TALL
    last = max(line for _, line, _ in keys)
    with sheet(top + 42 + 15 * last) as (figure, layer):
        _legend(layer, top + 32 + 15 * last, keys, orders)
        for i, kind in enumerate(kinds):
            x = LEFT + i * (wide + BETWEEN)
            factor = scale if kind == "gain" else 1.0
            values = rows[[c for c in VALUES[kind] if c]].to_numpy(dtype=float) * factor
            span = span_of(values.ravel())
            axes = panel(figure, (x, bottom, wide, TALL), span, grid="y")
            numbers(axes, "x", (0.0, 100.0), words)
            numbers(axes, "y", span, words)
            axes.axhline(0, color=INK, lw=0.9)
            if capacity is not None:
                axes.axvline(100 * capacity, color=GREY, lw=0.9, ls=(0, (4, 3)))
            for order in reversed(orders):
                _line(axes, rows[rows["order"] == order], kind, factor, order == orders[0])
            title = cut(words(f"benefits.figure.{kind}", unit=units[kind]), wide + LEFT, "bold")
            say(layer, x - LEFT, top + 10, title, ha="left", weight="bold",
                size=SMALL)  # fmt: skip
            say(layer, x + wide / 2, 9, cut(words("benefits.figure.places"), wide + BETWEEN - 8))
        return svg(figure, label)


def _line(axes: Axes, rows: pd.DataFrame, kind: str, factor: float, band: bool) -> None:
    """Draw an order's line from nobody on, and its band."""
    rows = rows.sort_values("share")
    x = 100 * rows["share"].to_numpy(dtype=float)
    value, low, high = (
        factor * rows[c].to_numpy(dtype=float) if c else np.full(len(rows), np.nan)
        for c in VALUES[kind]
    )
    order = str(rows["order"].iloc[0])
    colour, dashes, width = ORDERS[order]
    if len(x) and x[0] > 0:
        x = np.append(0, x)
        value, low, high = (np.append(0, v) for v in (value, low, high))
    if band and np.isfinite(low).any():
        axes.fill_between(x, low, high, color=colour, alpha=BAND, lw=0)
    axes.plot(x, value, color=colour, ls=dashes, lw=width)


def _placed(
    names: list[str], words: Words, level: str, capacity: float | None
) -> list[tuple[str, int, float]]:
    """Return the names of the legend, the line each stands on counted from below, and where."""
    texts = [*names, words("benefits.figure.band", level=level)]
    texts += [words("benefits.figure.present")] if capacity is not None else []
    placed, x, line = [], 0.0, 0
    for text in texts:
        needs = 30 + text_width(text) + 14
        if x and x + needs > WIDTH:
            x, line = 0.0, line + 1
        placed.append((text, line, x))
        x += needs
    return [(text, line, x) for text, line, x in placed]


def _legend(layer: Axes, y: float, keys: list[tuple[str, int, float]], orders: list[str]) -> None:
    for i, (text, line, x) in enumerate(keys):
        at = y - 15 * line
        if i < len(orders):
            colour, dashes, width = ORDERS[orders[i]]
            layer.plot([x, x + 24], [at, at], color=colour, ls=dashes, lw=width)
        elif i == len(orders):
            layer.fill_between([x, x + 24], at - 5, at + 5, color=ORDERS[orders[0]][0], alpha=BAND,
                               lw=0)  # fmt: skip
        else:
            layer.plot([x + 12, x + 12], [at - 6, at + 6], color=GREY, lw=0.9, ls=(0, (4, 3)))
        say(layer, x + 30, at, text, ha="left")
