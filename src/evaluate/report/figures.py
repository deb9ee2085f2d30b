"""Figures of the report: from released tables to SVG, the same bytes every time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from evaluate.report.by_month import dose_plot, observed_plot, states_plot
from evaluate.report.flow_chart import flow_chart
from evaluate.report.forest_rows import forest_rows
from evaluate.report.path_figures import incidence_plot, path_plot
from evaluate.report.scales import GENDER, LOOK, groups_of, span_of, unit_of
from evaluate.report.sheet import (
    GREY,
    GRID,
    INK,
    LINE,
    WIDTH,
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

__all__ = [
    "cost_plane", "dose_plot", "flow_chart", "forest_plot", "incidence_plot", "love_plot",
    "observed_plot", "path_plot", "states_plot",
]  # fmt: skip

REGION = 2.4477  # root of the 95 per cent point of chi-squared with two degrees of freedom
ROW = 18.0
BARS: dict[str, dict[str, Any]] = {
    "all": {"lw": 7, "alpha": 0.25},
    "women": {"lw": 1.6},
    "men": {"lw": 1.6, "linestyles": [(0, (3, 2))]},
}


def love_plot(
    balance: pd.DataFrame,
    words: Words,
    *,
    label: str,
    titles: Mapping[str, str] | None = None,
    paired: bool = False,
) -> str:
    """Return an SVG of the standardised differences of the covariates, one panel per arm.

    Parameters
    ----------
    balance : DataFrame
        As `schemas.BALANCE`, in the order in which the covariates shall stand. Rows that
        are not adjusted are hollow where there are adjusted ones too.
    words, label : Words, str
        The language; what the figure shows, for who cannot see it.
    titles : mapping, optional
        Name of each contrast by its label; otherwise the labels are shown.
    paired : bool
        Whether some contrasts compare arms with one another.
    """
    groups = groups_of(balance)
    balance = balance[balance["group"].isin(groups)]
    names, arms = list(balance["covariate"].unique()), list(balance["arm"].unique())
    adjusted = balance["adjusted"].fillna(False).astype(bool)
    both = adjusted.nunique() > 1
    step, bottom, top = 17.0, 36.0, 40.0 if len(arms) > 1 else 24.0
    tall, left = step * len(names), min(150.0, max(map(text_width, names))) + 12
    reach = 1.08 * float(np.nanmax([0.15, *balance["smd"].abs()]))
    wide = (WIDTH - 6 - left + 14) / len(arms) - 14
    at = {name: bottom + step * (len(names) - i - 0.5) for i, name in enumerate(names)}
    with sheet(bottom + tall + top) as (figure, layer):
        entries = [(LOOK[g], words.group(g), False) for g in groups]
        if both:
            entries += [(LOOK["all"], words(f"figure.{k}"), k == "unadjusted")
                        for k in ("unadjusted", "adjusted")]  # fmt: skip
        legend(layer, left, bottom + tall + top - 9, entries)
        for name, y in at.items():
            layer.text(left - 8, y, cut(name, left - 11), ha="right", va="center_baseline")
        for i, arm in enumerate(arms):
            x = left + i * (wide + 14)
            axes = panel(figure, (x, bottom, wide, tall), (bottom, bottom + tall))
            numbers(axes, "x", (-reach, reach), words, 5 if len(arms) < 3 else 3)
            axes.hlines(list(at.values()), -reach, reach, color=GRID, lw=0.6)
            axes.axvline(0, color=LINE, lw=0.8)
            for edge in (-0.1, 0.1):
                axes.axvline(edge, color=GREY, lw=0.9, ls=(0, (1, 2)))
            if len(arms) > 1:
                title = cut((titles or {}).get(arm) or words("figure.arm", arm=arm), wide + 10)
                say(layer, x + wide / 2, bottom + tall + 9, title)
            for j, group in enumerate(groups):
                here = (balance["arm"] == arm) & (balance["group"] == group)
                for hollow in (True, False):
                    rows = balance[here & (hollow == (both & ~adjusted))]
                    y = rows["covariate"].map(at).astype(float) + 4.2 * ((len(groups) - 1) / 2 - j)
                    mark(axes, rows["smd"], y, LOOK[group], hollow)
        say(layer, (left + WIDTH - 6) / 2, 9, words("figure.smd_pairs" if paired else "figure.smd"))
        return svg(figure, label)


def forest_plot(rows: pd.DataFrame, words: Words, *, label: str) -> str:
    """Return an SVG of the effects on one outcome by group, with their numbers.

    Parameters
    ----------
    rows : DataFrame
        Rows of `schemas.EFFECTS` of one outcome, month, arm and estimator: all, women, men,
        the gap, exploratory groups. A row without an estimate is named and said to be so.
    words, label : Words, str
        The language; what the figure shows, for who cannot see it.
    """
    laid = forest_rows(rows, words)
    left, right = min(150.0, laid.widest) + 14, laid.right
    places, lines, heading = _places(laid.groups)
    bottom = 38.0
    top = bottom + places[-1] + ROW / 2 + 2
    ticks = int((right - left) / (laid.widths[0] + 16))
    with sheet(top + 22) as (figure, layer):
        axes = panel(figure, (left, bottom, right - left, top - bottom), (bottom, top))
        numbers(axes, "x", span_of(laid.values.ravel()), words, ticks)
        axes.axvline(0, color=INK, lw=0.9)
        layer.hlines([top], 0, WIDTH, color=LINE, lw=0.8)
        layer.hlines([top - y for y in lines], 0, WIDTH, color=LINE, lw=0.4)
        laid.head(layer, top + 10)
        if heading is not None:
            say(layer, 0, top - heading, words("figure.exploratory"), ha="left", color=GREY)
        laid.draw(layer, axes, [top - y for y in places], 0, left - 14)
        say(layer, (left + right) / 2, 9, words("figure.effect_in", unit=laid.unit))
        return svg(figure, label)


def cost_plane(rows: pd.DataFrame, words: Words, currency: str, unit: str, *, label: str) -> str:
    """Return an SVG of incremental cost against effect, with the region of both at 95 per cent.

    Where cost has no error of its own, that is a bar of 1.96 standard errors of the effect.

    Parameters
    ----------
    rows : DataFrame
        Rows of `schemas.COST_EFFECTIVENESS` of one outcome, month, arm and denominator.
    currency, unit : str
        Unit of the costs; unit of the outcome.
    words, label : Words, str
        The language; what the figure shows, for who cannot see it.
    """
    rows = rows[rows["group"].isin(groups_of(rows))].reset_index(drop=True)
    columns = ["effect", "effect_se", "incremental_cost", "incremental_cost_se"]
    effect, effect_se, cost, cost_se = rows[columns].to_numpy(dtype=float).T
    correlation = rows["correlation"].to_numpy(dtype=float)
    reach = np.where(np.isfinite(correlation), REGION, 1.96)
    scale, shown = unit_of(unit, words)
    effect, effect_se, cost_se = scale * effect, reach * scale * effect_se, reach * cost_se
    known = np.isfinite(effect) & np.isfinite(cost)
    per = rows["denominator"].iloc[0]
    x_span = span_of([*(effect - effect_se), *(effect + effect_se)])
    y_span = span_of([*(cost - cost_se), *(cost + cost_se)])
    left, bottom, wide, tall = 54.0, 38.0, WIDTH - 58.0, 236.0
    with sheet(bottom + tall + 50) as (figure, layer):
        text = words(f"figure.cost_per_{per}", unit=currency)
        say(layer, 0, bottom + tall + 40, text, ha="left", weight="bold")
        missing = f": {words('figure.not_estimated')}"
        entries = [
            (LOOK[g], words.group(g) + ("" if k else missing), False)
            for g, k in zip(rows["group"], known, strict=True)
        ]
        legend(layer, left, bottom + tall + 18, entries)
        axes = panel(figure, (left, bottom, wide, tall), y_span, grid="both")
        numbers(axes, "x", x_span, words)
        numbers(axes, "y", y_span, words)
        axes.axvline(0, color=INK, lw=0.9)
        axes.axhline(0, color=INK, lw=0.9)
        for i in np.flatnonzero(known):
            look, x, y = LOOK[rows["group"][i]], effect[i], cost[i]
            (wide_bar, tall_bar), colour = (effect_se[i], cost_se[i]), look[0]
            if np.isfinite(correlation[i]):
                across, up = round_zero(float(correlation[i]))
                axes.plot(x + wide_bar * across, y + tall_bar * up, color=colour, lw=1.3)
            else:
                # Bars of one cost lie on one another: each is to be seen under the next.
                bar = BARS[rows["group"][i]]
                axes.hlines(y, x - wide_bar, x + wide_bar, color=colour, **bar)
                axes.vlines(x, y - tall_bar, y + tall_bar, color=colour, **bar)
            # Hollow, so that groups with nearly the same values are seen through each other.
            axes.plot(x, y, look[1], ms=look[2] + 3, mfc="none", mec=colour, mew=1.4, zorder=4)
        say(layer, left + wide / 2, 9, words(f"figure.effect_per_{per}", unit=shown))
        return svg(figure, label)


def round_zero(correlation: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the points at distance 1 from zero, in standard errors of two correlated estimates."""
    turn, r = np.linspace(0, 2 * np.pi, 121), float(np.clip(correlation, -1, 1))
    return np.cos(turn), r * np.cos(turn) + np.sqrt(1 - r**2) * np.sin(turn)


def _places(groups: Sequence[str]) -> tuple[list[float], list[float], float | None]:
    """Return how far below the top rows, dividing lines and the heading lie, in points."""
    places, lines, heading, y, before = [], [], None, 3.0, ""
    for group in groups:
        kind = "gender" if group in GENDER[1:] else group.split("=")[0]
        if before and kind != before:
            lines.append(y + 2)
            y += 4
        if "=" in group and heading is None:
            heading = y + ROW / 2
            y += ROW
        places.append(y + ROW / 2)
        y, before = y + ROW, kind
    return places, lines, heading
