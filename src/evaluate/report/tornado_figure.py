"""A tornado: what the net present value is at the low and high value of each assumption."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

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

STEP, TALL, MOST, RIGHT = 20.0, 11.0, 250.0, 24.0
LOW, HIGH = LOOK["men"][0], LOOK["women"][0]  # hues that are told apart without colour, too


def tornado_plot(
    rows: pd.DataFrame,
    names: Mapping[Any, str],
    words: Words,
    title: str,
    axis: str,
    *,
    label: str,
) -> str:
    """Return an SVG with a bar for each assumption, the widest first.

    Parameters
    ----------
    rows : DataFrame
        Rows of `schemas.COST_SENSITIVITY` of one source, arm and perspective, one way.
    names : mapping
        What each parameter is called, with its bounds beside it.
    words : Words
        The language.
    title, axis, label : str
        Above the figure; under it; what it shows, for who cannot see it.
    """
    rows = rows[rows["net_pv_low"].notna() & rows["net_pv_high"].notna()]
    width = (rows["net_pv_high"] - rows["net_pv_low"]).abs()
    rows = rows.loc[width.sort_values(ascending=False, kind="stable").index]
    base = float(rows["net_pv"].iloc[0]) if len(rows) else 0.0
    texts = {r["parameter"]: _named(r, names, words) for r in rows.to_dict("records")}
    left = min(MOST, max((text_width(t) for t in texts.values()), default=40.0)) + 10
    bottom, tall = 40.0, STEP * max(len(rows), 1)
    ends = [*rows["net_pv_low"], *rows["net_pv_high"], base]
    span = span_of(ends)
    with sheet(bottom + tall + 44) as (figure, layer):
        say(layer, 0, bottom + tall + 34, cut(title, WIDTH, "bold"), ha="left", weight="bold")
        _legend(layer, bottom + tall + 14, words)
        axes = panel(figure, (left, bottom, WIDTH - left - RIGHT, tall), (0, tall))
        numbers(axes, "x", span, words)
        for i, row in enumerate(rows.to_dict("records")):
            y = tall - STEP * (i + 0.5)
            for end, colour, hatch in (("low", LOW, ""), ("high", HIGH, "////")):
                reach = float(row[f"net_pv_{end}"]) - base
                axes.barh(y, reach, TALL, left=base, color="white" if hatch else colour,
                          edgecolor=colour, hatch=hatch, lw=0.8)  # fmt: skip
            layer.text(left - 8, bottom + y, cut(texts[row["parameter"]], left - 10), ha="right",
                       va="center_baseline", size=SMALL)  # fmt: skip
        axes.axvline(base, color=INK, lw=1.0)
        axes.axvline(0, color=GREY, lw=0.9, ls=(0, (4, 3)))
        say(layer, left + (WIDTH - left - RIGHT) / 2, 9, cut(axis, WIDTH - left))
        return svg(figure, label)


def _named(row: dict[Any, Any], names: Mapping[Any, str], words: Words) -> str:
    name = names[row["parameter"]]
    if pd.isna(row["low"]):
        return name
    digits = 0 if row["high"] > 10 else 2
    low, high = (words.number(row[end], digits) for end in ("low", "high"))
    return words("accounts.figure.bounds", name=name, low=low, high=high)


def _legend(layer: Any, y: float, words: Words) -> None:
    """Say which end is which: the high one is hatched."""
    x = 0.0
    for key, colour, hatch in (("low", LOW, ""), ("high", HIGH, "////")):
        layer.bar(x + 8, 9, 16, bottom=y - 4.5, color="white" if hatch else colour,
                  edgecolor=colour, hatch=hatch, lw=0.8)  # fmt: skip
        text = words(f"accounts.figure.{key}")
        say(layer, x + 22, y, text, ha="left")
        x += 22 + text_width(text) + 18
    layer.plot([x, x + 18], [y, y], color=INK, lw=1.0)
    say(layer, x + 24, y, words("accounts.figure.planned"), ha="left")
