"""Figure of overlap: how likely participants and comparison persons were to take part."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from evaluate.report.scales import LOOK, groups_of
from evaluate.report.sheet import GREY, GRID, INK, LINE, WIDTH, cut, numbers, panel, say, sheet, svg
from evaluate.report.words import Words

SHARES = (0.01, 0.1, 0.25, 0.5, 1.0)  # marks of the axis
STEP = 0.05  # width of a bin
HIDDEN = 0.001  # share that a withheld bin is drawn with


def overlap_plot(
    histogram: pd.DataFrame,
    words: Words,
    *,
    label: str,
    bounds: Mapping[str, tuple[float, float]] | None = None,
) -> str:
    """Return an SVG of the probabilities of one contrast, a panel each for all, women and men.

    Participants stand above the line, comparison persons below it. Heights are roots of the
    shares, so that a few persons can be seen beside many.

    Parameters
    ----------
    histogram : DataFrame
        Rows of `schemas.PROPENSITY_HISTOGRAM` of one contrast. Bins without a share are withheld
        and hatched.
    words, label : Words, str
        The language; what the figure shows, for who cannot see it.
    bounds : mapping of str to (float, float), optional
        By group, the probabilities beyond which persons are trimmed.
    """
    groups = groups_of(histogram)
    left, gap, bottom, half, band = 40.0, 24.0, 38.0, 104.0, 13.0
    wide = (WIDTH - left - 6 - gap * (len(groups) - 1)) / len(groups)
    histogram = _placed(histogram)
    known = histogram["share"].max()
    highest = float(np.sqrt(known if known > 0 else 1.0))
    reach = highest * half / (half - band)  # the names of the sides stand beyond the bars
    with sheet(bottom + 2 * half + 20) as (figure, layer):
        top = bottom + 2 * half
        for i, group in enumerate(groups):
            x = left + i * (wide + gap)
            axes = panel(figure, (x, bottom, wide, 2 * half), (-reach, reach), grid="x")
            axes.set_axisbelow(True)
            numbers(axes, "x", (0.0, 1.0), words, 5 if len(groups) < 3 else 3)
            for s in [s for s in SHARES if np.sqrt(s) <= highest]:
                axes.hlines([np.sqrt(s), -np.sqrt(s)], 0, 1, color=GRID, lw=0.6, zorder=0)
                if i == 0:
                    for sign in (1, -1):
                        y = bottom + half + sign * half * np.sqrt(s) / reach
                        text = words("unit.percent", x=words.number(100 * s, 0))
                        say(layer, left - 5, y, text, ha="right", color=GREY, size=7.5)
            rows = histogram[histogram["group"] == group]
            _bars(axes, rows, LOOK[group][0])
            axes.axhline(0, color=INK, lw=0.8)
            for edge in (bounds or {}).get(group, ()):
                if 0 < edge < 1:
                    dashes = (0, (3, 2))
                    axes.vlines(edge, -highest, highest, color=INK, lw=1.0, ls=dashes, zorder=5)
            say(layer, x + wide / 2, top + 11, words.group(group), weight="bold")
            for side, y in (("treated", top - 6), ("control", bottom + 6)):
                name = cut(words(f"figure.{side}"), wide)
                say(layer, x + wide, y, name, ha="right", color=GREY)
        say(layer, (left + WIDTH - 6) / 2, 9, words("figure.propensity"))
        return svg(figure, label)


def _placed(histogram: pd.DataFrame) -> pd.DataFrame:
    """Return the bins with their edges, and with shares per step.

    A withheld bin may lack its edges: it lies between its neighbours. Bins with few persons are
    joined to wider ones, whose shares are spread over their steps.
    """
    parts = []
    for _, own in histogram.groupby(["group", "side"], sort=False):
        low, high = own["low"].astype(float), own["high"].astype(float)
        low = low.fillna(high.shift().fillna(0.0)).interpolate()
        high = high.fillna(low.shift(-1).fillna(1.0))
        steps = ((high - low) / STEP).clip(lower=1.0)
        parts.append(own.assign(low=low, high=high, share=own["share"] / steps))
    return pd.concat(parts) if parts else histogram


def _bars(axes: object, rows: pd.DataFrame, colour: str) -> None:
    """Draw the bins of a group, participants above the line and the others below it."""
    for side, sign, alpha in (("treated", 1, 0.85), ("control", -1, 0.45)):
        own = rows[rows["side"] == side]
        share = own["share"].to_numpy(dtype=float)
        low, high = own["low"].to_numpy(dtype=float), own["high"].to_numpy(dtype=float)
        hidden = np.isnan(share)
        height = sign * np.sqrt(np.where(hidden, HIDDEN, share))
        bar = axes.bar  # type: ignore[attr-defined]
        shown = {"align": "edge", "linewidth": 0.5}
        bar(low[~hidden], height[~hidden], (high - low)[~hidden], color=colour, alpha=alpha,
            edgecolor="white", **shown)  # fmt: skip
        bar(low[hidden], height[hidden], (high - low)[hidden], color="white", edgecolor=LINE,
            hatch="////", **shown)  # fmt: skip
