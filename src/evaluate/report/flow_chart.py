"""The flow of persons, from the raw file into the analysis, as a chart."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from evaluate.report.sheet import GREY, LINE, WIDTH, sheet, svg, text_width
from evaluate.report.words import Words

if TYPE_CHECKING:  # matplotlib is slow to import: only who draws pays
    from matplotlib.axes import Axes

PAD, LEADING, GAP = 7.0, 12.5, 9.0
MAIN, ASIDE = 180.0, 196.0  # width of the boxes in the main line and beside it
REACHED = ("accepted", "started", "took_part")  # within an arm's box


def wrap(text: str, width: float, weight: str = "normal") -> list[str]:
    """Return a text in lines of at most ``width`` points; longer words are broken."""
    lines = [""]
    for word in text.split():
        pieces = [word]
        if text_width(word, weight=weight) > width:
            pieces = re.findall(r"[^_]{1,12}_?|_", word)
        for i, piece in enumerate(pieces):
            longer = f"{lines[-1]} {piece}".strip() if i == 0 else lines[-1] + piece
            if text_width(longer, weight=weight) <= width:
                lines[-1] = longer
            else:
                lines.append(piece)
    return lines[1:] if not lines[0] else lines


@dataclass(frozen=True)
class Box:
    """A box of lines, each with its weight, ``width`` points wide."""

    lines: tuple[tuple[str, str], ...]
    width: float

    @classmethod
    def of(cls, width: float, title: str, *texts: str) -> Box:
        """Break a title and the texts below it into the lines of a box."""
        parts = [(title, "bold"), *((t, "normal") for t in texts)]
        wrapped = ((line, w) for t, w in parts if t for line in wrap(t, width - 2 * PAD, w))
        return cls(tuple(wrapped), width)

    @property
    def height(self) -> float:
        """Height in points."""
        return 2 * PAD + LEADING * len(self.lines) - 2

    def draw(self, layer: Axes, middle: float, top: float, height: float = 0) -> None:
        """Draw the box around ``middle``, from ``top`` down."""
        from matplotlib.patches import Rectangle

        height, left = height or self.height, middle - self.width / 2
        layer.add_patch(Rectangle((left, top), self.width, -height, fc="white", ec=LINE, lw=0.9))
        for i, (text, weight) in enumerate(self.lines):
            y = top - PAD - LEADING * (i + 0.75) + 1
            layer.text(left + PAD, y, text, weight=weight, va="baseline")


def flow_chart(
    flow: pd.DataFrame,
    words: Words,
    *,
    label: str,
    arms: Mapping[str, str] | None = None,
    reason: Callable[[str], str] | None = None,
) -> str:
    """Return an SVG of how the persons came from the raw file into the analysis.

    Parameters
    ----------
    flow : DataFrame
        As `schemas.FLOW`; a count that is withheld is missing and said to be withheld. Of the
        rows `analysed` there are those of which the range shall be told. Exclusions of which
        the number is withheld share a box.
    words, label : Words, str
        The language; what the figure shows, for who cannot see it.
    arms : mapping, optional
        Name of each arm by its code; otherwise the codes are shown, the first as control.
    reason : callable, optional
        Puts a reason for exclusion into the language; otherwise `Words.note`.
    """
    both = all(flow[g].notna().any() for g in ("women", "men"))
    codes = [str(c).removeprefix("arm=") for c in flow.columns if str(c).startswith("arm=")]
    wide = min(MAIN - 12, (WIDTH - 2 - 12 * (len(codes) - 1)) / len(codes))

    def counted(width: float, title: str, row: pd.Series) -> Box:
        texts = [words("figure.count", n=_count(row["n"], words))]
        if both and pd.notna(row["n"]):
            genders = {g: _count(row[g], words) for g in ("women", "men")}
            texts.append(words("figure.by_gender", **genders))
            unknown = row["n"] - row["women"] - row["men"]
            if pd.notna(unknown) and unknown > 0:
                texts.append(words("figure.unknown", n=_count(unknown, words)))
        return Box.of(width, title, *texts)

    steps = flow["step"]
    received = counted(MAIN, words("figure.received"), flow[steps == "received"].iloc[0])
    included_row = flow[steps == "included"].iloc[0]
    included = counted(MAIN, words("figure.included"), included_row)
    out = flow[(steps == "excluded") & ((flow["n"] > 0) | flow["n"].isna()).fillna(True)]
    tell = reason or words.note
    few = out["n"].isna() & (out["n"].isna().sum() > 1)  # withheld: together in one box
    added = flow[steps == "added"]
    beside = [
        counted(ASIDE, words("figure.added", reason=tell(row["reason"])), row)
        for _, row in added.iterrows()
        if pd.isna(row["n"]) or row["n"] > 0
    ]
    beside += [counted(ASIDE, tell(row["reason"]), row) for _, row in out[~few].iterrows()]
    if few.any():
        ends = flow.loc[steps.isin(["received", "included"]), "n"]
        more = added["n"].sum(skipna=False) if len(added) else 0
        left = abs(ends.iloc[0] + more - ends.iloc[-1]) - out.loc[~few, "n"].sum()
        texts = [tell(why) for why in out.loc[few, "reason"]]
        left = left if pd.notna(left) and left > 0 else pd.NA  # rounded counts may not add up
        count = words("figure.count", n=_count(left, words))
        beside.append(Box.of(ASIDE, words("figure.few"), *texts, count))
    beside = beside or [Box.of(ASIDE, words("figure.no_exclusions"))]
    reached = [row for step in REACHED for _, row in flow[steps == step].iterrows()]
    by_arm: list[list[Box]] = []  # the boxes of each arm, from above
    for i, code in enumerate(codes):
        column = f"arm={code}"
        lines = [words("figure.count", n=_count(included_row[column], words))]
        for row in reached:  # nobody in control is asked to accept
            if row["step"] == "took_part" or pd.isna(row[column]) or row[column] > 0:
                lines += _reached(row, column, words, both)
        name = words("figure.arm" if i else "figure.control_arm", arm=code)
        boxes = [Box.of(wide, (arms or {}).get(code, name), *lines)]
        for step in ("followed", "analysed"):
            if (steps == step).any():
                seen = _range(flow.loc[steps == step, column], words)
                boxes.append(Box.of(wide, words(f"figure.{step}"), words("figure.count", n=seen)))
        by_arm.append(boxes)

    high = [max(box.height for box in boxes) for boxes in zip(*by_arm, strict=True)]
    stack = sum(box.height for box in beside) + GAP * (len(beside) + 1)
    height = received.height + stack + included.height + sum(high) + 28 + 18 * (len(high) - 1) + 4
    axis, top = 2 + MAIN, height - 2
    # Two arms stand even about the main line; more take the width of the sheet.
    centre = axis if len(codes) < 3 else WIDTH / 2
    pitch = MAIN + 10 if len(codes) < 3 else wide + 12
    middles = [centre + pitch * (i - (len(codes) - 1) / 2) for i in range(len(codes))]
    with sheet(height) as (figure, layer):
        received.draw(layer, axis, top)
        top -= received.height
        _arrow(layer, (axis, top), (axis, top - stack))
        y = top - GAP
        for box in beside:
            middle = y - box.height / 2
            _arrow(layer, (axis, middle), (WIDTH - 1 - ASIDE, middle))
            box.draw(layer, WIDTH - 1 - ASIDE / 2, y)
            y -= box.height + GAP
        top -= stack
        included.draw(layer, axis, top)
        top -= included.height
        layer.plot([axis, axis], [top, top - 14], color=GREY, lw=0.9)
        layer.plot([min(*middles, axis), max(*middles, axis)], [top - 14] * 2, color=GREY, lw=0.9)
        for middle, boxes in zip(middles, by_arm, strict=True):
            y = top - 14
            for i, (box, tall) in enumerate(zip(boxes, high, strict=True)):
                down = 18 if i else 14
                _arrow(layer, (middle, y), (middle, y - down))
                box.draw(layer, middle, y - down, tall)
                y -= down + tall
        return svg(figure, label)


def _arrow(layer: Axes, start: tuple[float, float], end: tuple[float, float]) -> None:
    from matplotlib.patches import FancyArrowPatch

    layer.add_patch(
        FancyArrowPatch(
            start, end, arrowstyle="-|>,head_length=0.45,head_width=0.22", mutation_scale=9,
            shrinkA=0, shrinkB=0, color=GREY, lw=0.9,
        )
    )  # fmt: skip


def _count(n: Any, words: Words) -> str:
    """Return a count, or that it is withheld."""
    return words("figure.withheld") if pd.isna(n) else words.number(float(n), 0)


def _reached(row: pd.Series, column: str, words: Words, both: bool) -> list[str]:
    """Return how many of an arm came so far; women and men where no other arm has anybody."""
    text = words(f"figure.{row['step']}", n=_count(row[column], words))
    others = row[[c for c in row.index if str(c).startswith("arm=") and c != column]]
    alone = others.notna().all() and (others == 0).all()
    told = both and row[["women", "men"]].notna().any()
    if not (told and alone and pd.notna(row[column])):
        return [text]
    genders = {g: _count(row[g], words) for g in ("women", "men")}
    return [text, words("figure.by_gender", **genders)]


def _range(counts: pd.Series, words: Words) -> str:
    """Return the count of persons analysed, or its range over the outcomes."""
    if not len(counts) or counts.isna().any():
        return words("figure.withheld")
    low, high = (_count(n, words) for n in (counts.min(), counts.max()))
    return low if low == high else words("figure.range", low=low, high=high)
