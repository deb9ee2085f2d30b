"""Figures of paths: effects by month with both bands, above the levels of the arms."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from evaluate.report.by_month import estimates, month_axis, say_month
from evaluate.report.flow_chart import wrap
from evaluate.report.scales import LOOK, groups_of, span_of, unit_of
from evaluate.report.sheet import (
    GREY,
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

Sides = tuple[str, str]  # what those offered and those in control are called
SIDES = ("control", "treated")  # as they are drawn: the solid line over the dashed one
DASHED = (0, (3, 2))
BAND, HAZE = 0.2, 0.1  # how dense a band and an interval of a level are
RESULTS = ["estimate", "conf_low", "conf_high", "band_low", "band_high"]
FEW = 12  # months beyond which the levels are lines without markers
LEFT, GAP_WIDTH = 46.0, 12.0
TALL = (128.0, 96.0)  # effects, levels


@dataclass(frozen=True)
class Drawing:
    """What a figure shows: rows with group, month and the results, months as floats.

    Attributes
    ----------
    effects : DataFrame
        With pointwise interval and band.
    levels, exits : dict of str to DataFrame
        By side; exits may be absent.
    titles : tuple of str
        Of the effects and of the levels.
    steps : bool
        Whether levels rise in steps.
    zero : bool
        Whether the axis of the levels begins at zero.
    sides : (str, str), optional
        What the two sides are called; otherwise offered and control.
    """

    effects: pd.DataFrame
    levels: Mapping[str, pd.DataFrame]
    exits: Mapping[str, pd.DataFrame]
    titles: tuple[str, str]
    steps: bool
    zero: bool
    sides: Sides | None = None


def path_plot(rows: pd.DataFrame, words: Words, *, label: str, sides: Sides | None = None) -> str:
    """Return an SVG of the effects on one outcome by month, above the levels of the arms.

    Parameters
    ----------
    rows : DataFrame
        Rows of `schemas.PATHS` of one outcome and arm. All, women, men and the gap have a
        panel each; with one gender there is one. Months before time zero are shaded.
    words, label : Words, str
        The language; what the figure shows, for who cannot see it.
    sides : (str, str), optional
        What the two sides are called; otherwise offered and control.
    """
    unit = str(rows.loc[rows["kind"] == "effect", "unit"].iloc[0])
    level = "figure.level_percent" if unit == "share" else "figure.level_in"
    _, shown = unit_of(unit, words)
    drawing = Drawing(
        _of_kind(rows, "effect", words),
        {side: _of_kind(rows, f"level_{side}", words) for side in SIDES},
        {},
        (words("figure.effect_in", unit=shown), words(level, unit=unit)),
        steps=False,
        zero=unit == "share",
        sides=sides,
    )
    return _draw(drawing, words, label)


def incidence_plot(
    rows: pd.DataFrame, words: Words, *, label: str, sides: Sides | None = None
) -> str:
    """Return an SVG of the cumulative incidence by arm, below the differences between arms.

    Parameters
    ----------
    rows : DataFrame
        Rows of `schemas.INCIDENCE` of one outcome and arm. Exits that compete are grey.
    words, label : Words, str
        The language; what the figure shows, for who cannot see it.
    sides : (str, str), optional
        What the two sides are called; otherwise offered and control.
    """
    exits = {side: _of_kind(rows, f"competing_{side}", words) for side in SIDES}
    points = words("figure.points")
    drawing = Drawing(
        _of_kind(rows, "difference", words),
        {side: _of_kind(rows, f"incidence_{side}", words) for side in SIDES},
        {side: found for side, found in exits.items() if len(found)},
        (words("figure.incidence_difference", unit=points), words("figure.incidence")),
        steps=True,
        zero=True,
        sides=sides,
    )
    return _draw(drawing, words, label)


def _of_kind(rows: pd.DataFrame, kind: str, words: Words) -> pd.DataFrame:
    """Return the rows of one kind in the unit in which they are shown."""
    found = rows[rows["kind"] == kind].sort_values("month")
    scale = unit_of(str(found["unit"].iloc[0]), words)[0] if len(found) else 1.0
    values = found[RESULTS].astype(float) * scale
    return found.assign(month=found["month"].astype(float), **{c: values[c] for c in RESULTS})


def _draw(drawing: Drawing, words: Words, label: str) -> str:
    """Draw a column for each group: the effects above, the levels below."""
    effects = drawing.effects
    groups = groups_of(effects)
    columns = [*groups, GAP] if GAP in set(effects["group"]) and len(groups) > 1 else groups
    room = 150.0 if len(columns) == 1 else 0.0  # for the legend, which else stands below the gap
    wide = (WIDTH - 4 - LEFT - room + GAP_WIDTH) / len(columns) - GAP_WIDTH
    months = effects["month"].unique()
    spans = _spans(drawing, groups, columns)
    low = 34.0
    high = low + TALL[1] + 42
    top = high + TALL[0]
    with sheet(top + 40) as (figure, layer):
        say(layer, 0, top + 30, drawing.titles[0], ha="left", weight="bold")
        say(layer, 0, low + TALL[1] + 14, cut(drawing.titles[1], WIDTH, "bold"), ha="left",
            weight="bold")  # fmt: skip
        for i, group in enumerate(columns):
            x, look = LEFT + i * (wide + GAP_WIDTH), LOOK[group]
            legend(layer, x, top + 10, [(look, cut(words.group(group), wide - 14), False)])
            for y, height, span in ((high, TALL[0], spans[0]), (low, TALL[1], spans[1])):
                if y == low and group == GAP:
                    continue
                axes = panel(figure, (x, y, wide, height), span, grid="y")
                numbers(axes, "y", span, words, 5)
                axes.tick_params(labelleft=i == 0)
                month_axis(axes, months, 12 if room else 5, words)
                if y == high:
                    axes.axhline(0, color=INK, lw=0.9)
                    one = effects[effects["group"] == group]
                    # months of incidence that are not shown are so in all groups: join the others
                    _effects(axes, one[one["estimate"].notna()] if drawing.steps else one, look)
                else:
                    _levels(axes, drawing, group, look)
        last = LEFT + (len(columns) - 1) * (wide + GAP_WIDTH)
        place = (WIDTH - 4 - room + 10, room - 10) if room else (last, wide)
        if room or columns[-1] == GAP:
            _legend(layer, place, low + TALL[1] - 4, drawing, words)
        say_month(layer, LEFT + (WIDTH - 4 - LEFT - room) / 2, months, words)
        return svg(figure, label)


def _spans(
    drawing: Drawing, groups: list[str], columns: list[str]
) -> tuple[tuple[float, float], tuple[float, float]]:
    """Return the limits of the two axes."""

    def values(table: pd.DataFrame, names: list[str], shown: list[str]) -> np.ndarray:
        return np.asarray(table.loc[table["group"].isin(shown), names], dtype=float).ravel()

    effects = span_of(values(drawing.effects, RESULTS, columns))
    tables = [*drawing.levels.values(), *drawing.exits.values()]
    parts = [values(table, ["estimate", "conf_low", "conf_high"], groups) for table in tables]
    return effects, span_of(np.concatenate(parts), zero=drawing.zero)


def _effects(axes: Axes, one: pd.DataFrame, look: Look) -> None:
    """Draw effects with a bar for each month's interval and the band behind them."""
    axes.fill_between(
        one["month"], one["band_low"], one["band_high"], color=look[0], alpha=BAND, lw=0
    )
    known = one["band_low"].notna().to_numpy()
    beside = np.append(False, known[:-1]) | np.append(known[1:], False)
    single = one[known & ~beside]  # a month between withheld ones has no area
    axes.vlines(single["month"], single["band_low"], single["band_high"], color=look[0],
                alpha=BAND, lw=4)  # fmt: skip
    small = (look[0], look[1], look[2] * (0.7 if len(one) <= 12 else 0.5))
    estimates(axes, one["month"], one["estimate"], (one["conf_low"], one["conf_high"]), small)


def _levels(axes: Axes, drawing: Drawing, group: str, look: Look) -> None:
    """Draw the levels of both arms, with their intervals as a haze."""
    step: Literal["post"] | None = "post" if drawing.steps else None
    for side, exits in drawing.exits.items():
        one = exits[(exits["group"] == group) & exits["estimate"].notna()]
        axes.step(*_from_zero(one, "estimate"), where="post", color=GREY, lw=1.0,
                  ls=DASHED if side == "control" else "-")  # fmt: skip
    for side, table in drawing.levels.items():
        one, hollow = table[table["group"] == group], side == "control"
        lines: dict[str, Any] = {"color": look[0], "lw": 1.1, "ls": DASHED if hollow else "-"}
        if drawing.steps:
            one = one[one["estimate"].notna()]
            months, low = _from_zero(one, "conf_low")
            high = _from_zero(one, "conf_high")[1]
            axes.step(*_from_zero(one, "estimate"), where="post", **lines)
        else:
            months, low, high = (one[c].to_numpy() for c in ("month", "conf_low", "conf_high"))
            axes.plot(one["month"], one["estimate"], **lines)
        axes.fill_between(months, low, high, step=step, color=look[0], alpha=HAZE, lw=0)
        if len(one) <= FEW:
            mark(axes, one["month"], one["estimate"], (look[0], look[1], look[2] * 0.6), hollow)


def _from_zero(one: pd.DataFrame, column: str) -> tuple[np.ndarray, np.ndarray]:
    """Return months and values, with none at time zero."""
    return np.append(0.0, one["month"]), np.append(0.0, one[column].fillna(one["estimate"]))


def _legend(
    layer: Axes, place: tuple[float, float], top: float, drawing: Drawing, words: Words
) -> None:
    """Print below one another what lines, bars and areas are."""
    x, width = place
    look = (INK, "s", 3.0)
    entries = [("treated", "line"), ("control", "line")]
    entries += [("exits", "exit")] if drawing.exits else []
    entries += [("each_month", "bar"), ("all_months", "area")]
    y = top
    called = {k: f"{name[:1].upper()}{name[1:]}" for k, name in
              zip(("treated", "control"), drawing.sides or (), strict=False)}  # fmt: skip
    for key, kind in entries:
        end = x + 20
        if kind == "line":
            hollow = key == "control"
            layer.plot([x, end], [y, y], color=INK, lw=1.1, ls=DASHED if hollow else "-")
            if len(drawing.effects["month"].unique()) <= FEW:
                mark(layer, [x + 10], [y], look, hollow)
        elif kind == "exit":
            layer.plot([x, end], [y, y], color=GREY, lw=1.0)
        elif kind == "bar":
            layer.plot([x + 10, x + 10], [y - 5, y + 5], color=INK, lw=1.1, alpha=0.55)
            mark(layer, [x + 10], [y], look)
        else:
            layer.fill_between([x, end], y - 5, y + 5, color=INK, alpha=BAND, lw=0)
        level = words("unit.percent", x=words.number(100 * drawing.effects["level"].iloc[0], 0))
        text = called.get(key) or words(f"figure.{key}", level=level)
        for line in wrap(text, width - 24):
            say(layer, end + 5, y, line, ha="left", size=SMALL)
            y -= 10
        y -= 5
