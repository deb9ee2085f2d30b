"""Lines of a forest plot: the name of a group, its interval, and the numbers beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from evaluate.report.scales import LOOK, unit_of
from evaluate.report.sheet import GREY, WIDTH, Look, cut, mark, say, text_width
from evaluate.report.words import Words

if TYPE_CHECKING:
    from matplotlib.axes import Axes

EXPLORATORY: Look = ("#333333", "o", 3.5)


@dataclass(frozen=True)
class ForestRows:
    """The m rows of a forest plot, laid out.

    Attributes
    ----------
    groups, names : list of str
        Codes of the groups and their names.
    values : ndarray, shape (m, 3)
        Estimate and ends of the interval as drawn; NaN where there is none.
    why : list of str
        What is said in place of a missing estimate.
    heads : tuple of str
        Headings of the two columns of numbers.
    texts : tuple of list of str
        The columns.
    widths, edges : sequence of float
        Widths of the columns and their right edges, in points.
    unit : str
        Unit as drawn.
    """

    groups: list[str]
    names: list[str]
    values: np.ndarray
    why: list[str]
    heads: tuple[str, str]
    texts: tuple[list[str], list[str]]
    widths: list[float]
    edges: tuple[float, float]
    unit: str

    @property
    def widest(self) -> float:
        """Width of the longest name, in points."""
        return max(map(text_width, self.names))

    @property
    def right(self) -> float:
        """Where the panel ends, in points."""
        return self.edges[0] - self.widths[0] - 20

    def head(self, layer: Axes, y: float) -> None:
        """Write the headings of the numbers."""
        for x, head in zip(self.edges, self.heads, strict=True):
            say(layer, x, y, head, ha="right", color=GREY)

    def draw(
        self, layer: Axes, axes: Axes, heights: Sequence[float], left: float, room: float
    ) -> None:
        """Draw the rows at their heights, names from ``left`` on and ``room`` wide."""
        for i, (group, y) in enumerate(zip(self.groups, heights, strict=True)):
            look = LOOK.get(group, EXPLORATORY)
            say(layer, left, y, cut(self.names[i], room), ha="left")
            if np.isnan(self.values[i, 0]):
                say(layer, WIDTH - 1, y, self.why[i], ha="right", color=GREY)
                continue
            axes.hlines(y, *self.values[i, 1:], color=look[0], lw=1.5)
            mark(axes, self.values[i, :1], [y], look)
            for x, column in zip(self.edges, self.texts, strict=True):
                say(layer, x, y, column[i], ha="right")


def forest_rows(rows: pd.DataFrame, words: Words) -> ForestRows:
    """Lay out rows of `schemas.EFFECTS` of one outcome and month."""
    unit = str(rows["unit"].iloc[0])
    scale, shown = unit_of(unit, words)
    level = words("unit.percent", x=words.number(100 * rows["level"].iloc[0], 0))
    heads = words("figure.effect"), words("figure.interval", level=level)
    error = rows["std_error"].min()
    ends = zip(rows["conf_low"], rows["conf_high"], strict=True)
    texts = (
        [words.effect(v, unit, error, with_unit=False) for v in rows["estimate"]],
        [words.interval(low, high, unit, error) for low, high in ends],
    )
    widths = [max(map(text_width, (h, *t))) for h, t in zip(heads, texts, strict=True)]
    return ForestRows(
        groups=list(rows["group"]),
        names=[words.group(g) for g in rows["group"]],
        values=scale * rows[["estimate", "conf_low", "conf_high"]].to_numpy(dtype=float),
        why=[words(f"figure.{'withheld' if pd.isna(n) else 'not_estimated'}") for n in rows["n"]],
        heads=heads,
        texts=texts,
        widths=widths,
        edges=(WIDTH - widths[1] - 15, WIDTH - 1),
        unit=shown,
    )
