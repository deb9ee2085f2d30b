"""One outcome by all reasonable analyses, sorted, with what each analysis is below."""

from __future__ import annotations

import numpy as np
import pandas as pd

from evaluate.report.scales import LOOK, groups_of, span_of, unit_of
from evaluate.report.sheet import (
    GREY,
    GRID,
    INK,
    LINE,
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

RAW = "difference_in_means"
LEAD, BAND = "#7F3C8D", "#f0e6f2"
LEFT, TALL, ROW, HEAD = 132.0, 104.0, 10.5, 13.0
KEY = ["estimator", "trim", "propensity", "covariates"]
ORDER = {
    "estimator": ("aipw", "matching", "entropy_balancing", "ipw", "regression", "lin"),
    "propensity": ("logit", "boosting"),
    "covariates": ("all", "one_less"),
}


def specification_plot(rows: pd.DataFrame, words: Words, *, label: str) -> str:
    """Return an SVG of the estimates of one outcome by all analyses, for all, women and men.

    Parameters
    ----------
    rows : DataFrame
        Rows of `schemas.SPECIFICATIONS` of one outcome, month and arm. Those without an
        estimate, or withheld, are left out; the raw comparison is told in words, for it would
        set the scale.
    words, label : Words, str
        The language; what the figure shows, for who cannot see it.
    """
    groups = groups_of(rows)
    unit = str(rows["unit"].dropna().iloc[0])
    scale, shown = unit_of(unit, words)
    table = _sorted(rows[rows["estimator"] != RAW], groups)
    facts = _facts(table)
    deep = sum(HEAD + ROW * len(values) for values in facts.values())
    bottom, pitch = 22.0, TALL + 34.0
    top = bottom + deep + 10 + pitch * len(groups)
    right = WIDTH - 6
    limits = (-1.0, float(max(table["place"].max(), 1)) + 1)
    lead = table.loc[table["lead"], "place"].unique()
    with sheet(top + 20) as (figure, layer):
        entries: list[tuple[Look, str, bool]] = [
            ((LEAD, "D", 5.0), words("specification.lead"), False),
            (("#333333", "o", 3.5), words("specification.other"), False),
        ]
        legend(layer, LEFT, top + 9, entries)
        for i, group in enumerate(groups):
            y = bottom + deep + 10 + pitch * (len(groups) - 1 - i)
            here = table[table["group"] == group]
            values = scale * here[["estimate", "conf_low", "conf_high"]].to_numpy(dtype=float)
            say(layer, 0, y + TALL + 14, words.group(group), ha="left", weight="bold")
            say(layer, right, y + TALL + 14, _raw(rows, words, group, unit), ha="right", color=GREY)
            span = span_of(values.ravel())
            axes = panel(figure, (LEFT, y, right - LEFT, TALL), span, grid="y")
            numbers(axes, "y", span, words, 5)
            axes.set(xlim=limits, xticks=[])
            axes.axvspan(*_around(lead), color=BAND, lw=0, zorder=0)
            axes.axhline(0, color=INK, lw=0.9)
            colour = LOOK[group][0] if group in LOOK else INK
            for one, place, own in zip(values, here["place"], here["lead"], strict=True):
                look: Look = (LEAD, "D", 4.6) if own else (colour, "o", 2.6)
                axes.vlines(place, one[1], one[2], color=look[0], lw=1.6 if own else 0.8)
                mark(axes, [place], one[:1], look)
            axis = words("specification.axis", unit=shown)
            layer.text(4, y + TALL / 2, axis, rotation=90, ha="left", va="center", color=GREY)
        axes = panel(figure, (LEFT, bottom, right - LEFT, deep), (0, deep), grid="y")
        axes.set(xlim=limits, xticks=[])
        axes.axvspan(*_around(lead), color=BAND, lw=0, zorder=0)
        y = deep
        first = table.drop_duplicates("place")
        for fact, levels in facts.items():
            say(layer, 0, bottom + y - HEAD / 2, words(f"specification.by_{fact}"), ha="left",
                color=GREY)  # fmt: skip
            y -= HEAD
            for level in levels:
                y -= ROW
                text = cut(_named(level, words), LEFT - 18)
                say(layer, 10, bottom + y + ROW / 2, text, ha="left")
                axes.hlines(y + ROW / 2, *limits, color=GRID, lw=0.5)
                has = first[fact].fillna("") == level
                mark(axes, first.loc[has, "place"], [y + ROW / 2] * has.sum(), (INK, "o", 2.4))
        layer.hlines([bottom + deep + 4], 0, WIDTH, color=LINE, lw=0.4)
        each = "each" if len(groups) == 1 else "each_all"
        say(layer, (LEFT + right) / 2, 9, words(f"specification.{each}"))
        return svg(figure, label)


def _sorted(rows: pd.DataFrame, groups: list[str]) -> pd.DataFrame:
    """Give each analysis a place, by its estimate for all; those without have none."""
    rows = rows[rows["group"].isin(groups)].dropna(subset=["estimate"])
    left_out = rows["covariates"].str.startswith("without ")
    rows = rows.assign(
        analysis=rows[KEY].fillna("").agg("|".join, axis=1),
        covariates=rows["covariates"].mask(left_out, "one_less"),
        lead=rows["lead"].fillna(False).astype(bool),
    )
    of_all = rows[rows["group"] == groups[0]].sort_values(["estimate", "analysis"], kind="stable")
    order = dict.fromkeys([*of_all["analysis"], *sorted(rows["analysis"])])
    place = {name: i for i, name in enumerate(order)}
    return rows.assign(place=rows["analysis"].map(place)).sort_values(["place", "group"])


def _facts(table: pd.DataFrame) -> dict[str, list[str]]:
    """Return what tells the analyses apart, and its values in order."""
    found = {}
    for fact in KEY:
        there = [v for v in dict.fromkeys(table[fact].fillna("")) if v]
        order = ORDER.get(fact, ("none", "crump"))
        known = [v for v in order if v in there]
        values = known + sorted(set(there) - set(known))
        if len(values) > 1 or fact == "estimator":
            found[fact] = values
    return found


def _raw(rows: pd.DataFrame, words: Words, group: str, unit: str) -> str:
    """Tell the raw comparison of a group."""
    raw = rows[(rows["estimator"] == RAW) & (rows["group"] == group)].dropna(subset=["estimate"])
    if raw.empty:
        return words("specification.raw_none")
    row = raw.iloc[0]
    error = float(row["std_error"])
    return words(
        "specification.raw",
        value=words.effect(float(row["estimate"]), unit, error),
        interval=words.interval(float(row["conf_low"]), float(row["conf_high"]), unit, error),
    )


def _named(value: str, words: Words) -> str:
    key = f"specification.{value}"
    if words.knows(key):
        return words(key)
    low, _, high = value.partition("-")
    try:
        ends = {"low": words.number(float(low), 2), "high": words.number(float(high), 2)}
    except ValueError:
        return value
    return words("unit.interval", **ends)


def _around(places: np.ndarray) -> tuple[float, float]:
    if not len(places):
        return -2.0, -2.0
    return float(places[0]) - 0.5, float(places[0]) + 0.5
