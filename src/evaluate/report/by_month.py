"""Figures by month: persons observed, activities, shares in states."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from evaluate.report.scales import LOOK, groups_of, months_to_print, span_of
from evaluate.report.sheet import (
    GREY,
    INK,
    LINE,
    WIDTH,
    Key,
    Look,
    cut,
    legend,
    mark,
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

MANY = 48  # months beyond which markers and bars would run into one another
ZERO = 0.5  # time zero lies between month 0 and month 1
SHADE = "#f0f0f0"
# Okabe and Ito's hues for states, then greys for those without a name.
STATES = ("#0072B2", "#56B4E9", "#009E73", "#E69F00", "#D55E00", "#CC79A7", "#F0E442", "#7F5A9B")
UNNAMED = {"other": "#8c8c8c", "none": "#d0d0d0"}
TALL = 84.0


def observed_plot(table: pd.DataFrame, words: Words, *, arms: Mapping[str, str], label: str) -> str:
    """Return an SVG of the persons observed at each month, by arm and gender.

    Parameters
    ----------
    table : DataFrame
        ``row`` (the heading of a row of panels), ``month``, ``arm``, ``group``, ``n``.
    words, label : Words, str
        The language; what the figure shows, for who cannot see it.
    arms : mapping
        Name of each arm by its code, in the order of the panels.
    """
    table = table.assign(value=table["n"].astype(float), low=np.nan, high=np.nan)
    return _lines(table, words, arms, words("figure.persons_observed"), label)


def dose_plot(table: pd.DataFrame, words: Words, *, arms: Mapping[str, str], label: str) -> str:
    """Return an SVG of the activities per person and month, by kind, arm and gender.

    Parameters
    ----------
    table : DataFrame
        Rows of `schemas.DOSE` of single months, with ``row``, the name of the kind.
    words, label : Words, str
        The language; what the figure shows, for who cannot see it.
    arms : mapping
        Name of each arm by its code, in the order of the panels.
    """
    names = {"mean": "value", "conf_low": "low", "conf_high": "high"}
    return _lines(table.rename(columns=names), words, arms, words("figure.dose"), label)


def _lines(
    table: pd.DataFrame, words: Words, arms: Mapping[str, str], title: str, label: str
) -> str:
    """Draw value and interval by month: a row of panels for each ``row``, a column per arm."""
    groups = [g for g in groups_of(table) if g != "all"] or ["all"]
    rows = list(dict.fromkeys(table["row"]))
    left, gap, low, pitch = 40.0, 12.0, 34.0, TALL + 50
    wide = (WIDTH - 4 - left + gap) / len(arms) - gap
    months = table["month"].astype(float).unique()
    top = low + pitch * len(rows) - 22
    with sheet(top + 36) as (figure, layer):
        say(layer, 0, top + 26, title, ha="left", weight="bold")
        keys = [(LOOK[g], words.group(g), False) for g in groups]
        legend(layer, text_width(title, weight="bold") + 22, top + 26, keys)
        for i, row in enumerate(rows):
            here = table[(table["row"] == row) & table["group"].isin(groups)]
            y = low + pitch * (len(rows) - 1 - i)
            say(layer, 0, y + TALL + 22, row, ha="left", weight="bold")
            values = here[["value", "low", "high"]].astype(float).to_numpy()
            span = 0.0, span_of(values.ravel())[1]
            for j, (arm, name) in enumerate(arms.items()):
                x = left + j * (wide + gap)
                say(layer, x + wide / 2, y + TALL + 8, cut(name, wide), color=GREY)
                axes = panel(figure, (x, y, wide, TALL), span, grid="y")
                numbers(axes, "y", span, words, 4)
                axes.tick_params(labelleft=j == 0)
                month_axis(axes, months, 12 if len(arms) == 1 else 7, words)
                for k, group in enumerate(groups):
                    look = LOOK[group]
                    small = (look[0], look[1], look[2] * (0.7 if len(months) <= 12 else 0.55))
                    one = here[(here["arm"] == arm) & (here["group"] == group)]
                    one = one.sort_values("month")
                    aside = 0.14 * (2 * k - len(groups) + 1)
                    at = one["month"].astype(float) + aside
                    ends = one["low"].astype(float), one["high"].astype(float)
                    estimates(axes, at, one["value"].astype(float), ends, small)
        say_month(layer, (left + WIDTH - 4) / 2, months, words)
        return svg(figure, label)


def states_plot(
    table: pd.DataFrame,
    words: Words,
    *,
    states: Mapping[str, str],
    arms: Mapping[str, str],
    label: str,
) -> str:
    """Return an SVG of the shares in exclusive states by month, by arm and gender.

    Parameters
    ----------
    table : DataFrame
        As `schemas.STATES`. What is withheld in a month is the hatched rest to 100 per cent.
    words, label : Words, str
        The language; what the figure shows, for who cannot see it.
    states, arms : mapping
        Names by state, in the order of the layers from below; by code of the arm.
    """
    groups = [g for g in groups_of(table) if g != "all"] or ["all"]
    colours = iter(STATES)
    looks: dict[str, Look] = {
        s: (UNNAMED.get(s) or next(colours, "#b0b0b0"), "s", 7.0) for s in states
    }
    withheld = table.loc[table["group"].isin(groups) & table["n"].notna(), "share"].isna().any()
    keys = [(looks[s], name, False) for s, name in states.items()]
    if withheld:
        keys.append(((LINE, "s", 7.0), words("figure.withheld"), True))
    lines = _in_lines(keys)
    months = np.sort(table["month"].astype(float).unique())
    left, gap, low, tall = 40.0, 12.0, 34.0, 104.0
    pitch = tall + 38
    wide = (WIDTH - 4 - left + gap) / len(groups) - gap
    top = low + pitch * len(arms) - 16
    with sheet(top + 30 + 15 * len(lines)) as (figure, layer):
        say(layer, 0, top + 20 + 15 * len(lines), words("figure.states"), ha="left", weight="bold")
        for i, line in enumerate(reversed(lines)):
            legend(layer, 0, top + 16 + 15 * i, line)
        for i, (arm, name) in enumerate(arms.items()):
            y = low + pitch * (len(arms) - 1 - i)
            say(layer, 0, y + tall + 8, cut(name, WIDTH / 4, "bold"), ha="left", weight="bold")
            for j, group in enumerate(groups):
                x = left + j * (wide + gap)
                say(layer, x + wide / 2, y + tall + 8, words.group(group), color=GREY)
                axes = panel(figure, (x, y, wide, tall), (0, 100), grid="y")
                axes.set_yticks([0, 50, 100], labels=[words.number(t, 0) for t in (0, 50, 100)])
                axes.tick_params(labelleft=j == 0)
                here = table[(table["arm"] == arm) & (table["group"] == group)]
                shares = here.pivot(index="month", columns="state", values="share").astype(float)
                _stack(axes, 100 * shares.reindex(index=months, columns=list(states)), looks)
                month_axis(axes, months, 8 if len(groups) > 1 else 12, words, 0.5, shade=False)
        say_month(layer, (left + WIDTH - 4) / 2, months, words)
        return svg(figure, label)


def _stack(axes: Axes, shares: pd.DataFrame, looks: Mapping[str, Look]) -> None:
    """Draw layers from below, a step per month; the rest to 100 is withheld."""
    months = shares.index.to_numpy(dtype=float)
    edges = np.append(months - 0.5, months[-1] + 0.5)
    known = shares.notna().any(axis=1).to_numpy()
    below = np.where(known, 0.0, np.nan)

    def layer(height: np.ndarray, **look: Any) -> np.ndarray:
        above = below + height
        low, high = (np.append(v, v[-1]) for v in (below, above))
        axes.fill_between(edges, low, high, step="post", lw=0, **look)
        return above

    for state, look in looks.items():
        below = layer(shares[state].fillna(0).to_numpy(), color=look[0])
    rest = np.where(shares.isna().any(axis=1).to_numpy(), 100 - below, 0.0)
    if (rest[known] > 1e-6).any():
        layer(rest, facecolor="white", edgecolor=LINE, hatch="////")


def _in_lines(keys: Sequence[Key]) -> list[list[Key]]:
    """Spread the entries of a legend over lines that are not wider than the sheet."""
    lines: list[list[Key]] = [[]]
    used = 0.0
    for key in keys:
        width = 13 + text_width(key[1]) + 18
        if used + width > WIDTH and lines[-1]:
            lines.append([])
            used = 0.0
        lines[-1].append(key)
        used += width
    return lines


def estimates(
    axes: Axes, at: pd.Series, value: pd.Series, ends: tuple[pd.Series, pd.Series], look: Look
) -> None:
    """Draw values with their intervals: bars, or a band where the months are many."""
    if len(at) <= MANY:
        axes.vlines(at, *ends, color=look[0], lw=1.1, alpha=0.55)
        axes.plot(at, value, color=look[0], lw=0.8)
        mark(axes, at, value, look)
        return
    axes.fill_between(at, *ends, color=look[0], alpha=0.18, lw=0)
    axes.plot(at, value, color=look[0], lw=1.3)


def month_axis(
    axes: Axes,
    months: np.ndarray,
    most: int,
    words: Words,
    aside: float | None = None,
    shade: bool = True,
) -> None:
    """Print the months, and mark what lies before month 1."""
    first, last = float(min(months)), float(max(months))
    aside = 0.04 * (last - first) + 0.2 if aside is None else aside
    axes.set_xlim(first - aside, last + aside)
    printed = months_to_print(months, most)
    axes.set_xticks(printed, labels=[words.number(m, 0) for m in printed])
    if first <= 0:
        if shade:
            axes.axvspan(first - aside, min(ZERO, last + aside), color=SHADE, lw=0, zorder=0)
        if last > 0:
            axes.axvline(ZERO, color=INK, lw=0.9, ls=(0, (2, 2)))


def say_month(layer: Axes, x: float, months: np.ndarray, words: Words) -> None:
    """Name the axis of the months."""
    say(layer, x, 9, words("figure.month_before" if min(months) <= 0 else "figure.month"))
