"""The sheet that figures are drawn on, and the first figure: the flow of persons."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from io import StringIO
from typing import TYPE_CHECKING, Any, Literal
from xml.sax.saxutils import quoteattr

import pandas as pd

from evaluate.report.words import Words

if TYPE_CHECKING:  # matplotlib is slow to import: only who draws pays
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Look = tuple[str, str, float]  # colour, marker, size
Key = tuple[Look, str, bool]  # of the legend: look, name, whether hollow
Place = tuple[float, float, float, float]
Span = tuple[float, float]
Grid = Literal["x", "y", "both"]
WIDTH = 504.0  # points; every figure has this width, so that text has one size
SIZE, SMALL = 9.0, 8.0
INK, GREY, LINE, GRID = "#222222", "#666666", "#9a9a9a", "#e2e2e2"
STYLE = {
    "font.family": "DejaVu Sans",
    "font.size": SIZE,
    "text.color": INK,
    "text.parse_math": False,
    "svg.fonttype": "path",
    "svg.hashsalt": "evaluate",
}
NO_METADATA = dict.fromkeys(("Date", "Creator", "Format", "Type"))
PAD, LEADING, GAP = 7.0, 12.5, 9.0
MAIN, ASIDE = 180.0, 196.0  # width of the boxes in the main line and beside it


@contextmanager
def sheet(height: float) -> Iterator[tuple[Figure, Axes]]:
    """Open a white sheet, ``height`` points high, and a layer whose axes are in points."""
    from matplotlib import style
    from matplotlib.figure import Figure

    with style.context(STYLE, after_reset=True):
        figure = Figure(figsize=(WIDTH / 72, height / 72), facecolor="white")
        layer = figure.add_axes((0, 0, 1, 1))
        layer.set(xlim=(0, WIDTH), ylim=(0, height))
        layer.set_axis_off()
        yield figure, layer


def svg(figure: Figure, label: str) -> str:
    """Return a figure as an SVG element that can stand inside a page."""
    from matplotlib.backends.backend_svg import FigureCanvasSVG

    file = StringIO()
    FigureCanvasSVG(figure).print_svg(file, metadata=NO_METADATA)
    text = file.getvalue()
    text = text[text.index("<svg") :]
    # A style element would reach every other drawing on the page.
    text = re.sub(r"<defs>\s*<style.*?</style>\s*</defs>\s*", "", text, count=1, flags=re.DOTALL)
    root = f'width="100%" role="img" aria-label={quoteattr(label)} '
    root += 'stroke-linejoin="round" stroke-linecap="butt"'
    text = re.sub(r'width="[\d.]+pt" height="[\d.]+pt"', lambda _: root, text, count=1)
    own = f"f{sha256(text.encode()).hexdigest()[:10]}-"
    return re.sub(r'(?<= id=")|(?<=href="#)|(?<=url\(#)', own, text).strip()


@cache
def text_width(text: str, size: float = SIZE, weight: str = "normal") -> float:
    """Return how wide a text is, in points."""
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import text_to_path

    font = FontProperties(family="DejaVu Sans", size=size, weight=weight)
    return float(text_to_path.get_text_width_height_descent(text, font, ismath=False)[0])


def cut(text: str, width: float, weight: str = "normal") -> str:
    """Return a text that is at most ``width`` points wide, with an ellipsis where cut."""
    if text_width(text, weight=weight) <= width:
        return text
    while text and text_width(text + "…", weight=weight) > width:
        text = text[:-1]
    return text.rstrip() + "…"


def say(layer: Axes, x: float, y: float, text: str, ha: str = "center", **look: Any) -> None:
    """Print a line of text, cut and moved so that it stays on the sheet."""
    text = cut(text, WIDTH, look.get("weight", "normal"))
    half = text_width(text, weight=look.get("weight", "normal")) / 2
    x = min(max(x, half), WIDTH - half) if ha == "center" else x
    layer.text(x, y, text, ha=ha, va="center_baseline", **look)


def panel(figure: Figure, place: Place, ylim: Span, grid: Grid = "x") -> Axes:
    """Add axes at a place in points: left, bottom, width, height."""
    x, y, width, height = place
    tall = figure.get_figheight() * 72
    axes = figure.add_axes((x / WIDTH, y / tall, width / WIDTH, height / tall))
    axes.patch.set_visible(False)
    for side in ("top", "left", "right", "bottom"):
        axes.spines[side].set(visible=side == "bottom" and grid != "both", color=LINE, lw=0.8)
    axes.grid(axis=grid, color=GRID, lw=0.6)
    axes.set_axisbelow(True)
    axes.tick_params(length=0, labelsize=SMALL, labelcolor=INK, pad=4)
    axes.set(ylim=ylim, yticks=[])
    return axes


def numbers(axes: Axes, side: str, span: Span, words: Words, most: int = 6) -> None:
    """Set the limits of the axis ``x`` or ``y`` and print its numbers in the language."""
    from matplotlib.ticker import MaxNLocator

    ticks = MaxNLocator(most, steps=[1, 2, 2.5, 5, 10]).tick_values(*span)
    step = ticks[1] - ticks[0]
    digits = next(d for d in range(12) if d == 11 or abs(round(step, d) - step) < step * 1e-6)
    inside = [t for t in ticks if span[0] <= t <= span[1]]
    axis = axes.xaxis if side == "x" else axes.yaxis
    axis.set_ticks(inside, labels=[words.number(t, digits) for t in inside])
    axes.set(**{f"{side}lim": span})


def mark(axes: Axes, x: Any, y: Any, look: Look, hollow: bool = False) -> None:
    """Draw the markers of a group."""
    colour, marker, size = look
    face = "white" if hollow else colour
    axes.plot(x, y, marker, ms=size, mfc=face, mec=colour, mew=0.9, clip_on=False, zorder=4)


def legend(layer: Axes, x: float, y: float, entries: Iterable[Key], line: bool = False) -> None:
    """Print looks and their names in a row; ``line`` shows them as lines."""
    for look, text, hollow in entries:
        if line:
            dashes = (0, (3, 2)) if hollow else "-"
            layer.plot([x, x + 22], [y, y], color=look[0], lw=1.1, ls=dashes)
        mark(layer, [x + (11 if line else 4)], [y], look, hollow)
        x += 28 if line else 13
        say(layer, x, y, text, ha="left")
        x += text_width(text) + 18


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
        As `schemas.FLOW`; a count that is withheld is missing and said to be withheld.
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
        return Box.of(width, title, *texts)

    steps = flow["step"]
    received = counted(MAIN, words("figure.received"), flow[steps == "received"].iloc[0])
    included_row = flow[steps == "included"].iloc[0]
    included = counted(MAIN, words("figure.included"), included_row)
    out = flow[(steps == "excluded") & ((flow["n"] > 0) | flow["n"].isna()).fillna(True)]
    tell = reason or words.note
    beside = [counted(ASIDE, tell(row["reason"]), row) for _, row in out.iterrows()]
    beside = beside or [Box.of(ASIDE, words("figure.no_exclusions"))]
    offered, analysed = [], []
    for i, code in enumerate(codes):
        column = f"arm={code}"
        took = flow.loc[steps == "took_part", column]
        lines = [words("figure.count", n=_count(included_row[column], words))]
        if len(took):
            lines.append(words("figure.took_part", n=_count(took.iloc[0], words)))
        name = words("figure.arm" if i else "figure.control_arm", arm=code)
        offered.append(Box.of(wide, (arms or {}).get(code, name), *lines))
        seen = _range(flow.loc[steps == "analysed", column], words)
        analysed.append(Box.of(wide, words("figure.analysed"), words("figure.count", n=seen)))

    high = [max(box.height for box in boxes) for boxes in (offered, analysed)]
    stack = sum(box.height for box in beside) + GAP * (len(beside) + 1)
    height = received.height + stack + included.height + sum(high) + 28 + 18 + 4
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
        for middle, first, last in zip(middles, offered, analysed, strict=True):
            _arrow(layer, (middle, top - 14), (middle, top - 28))
            first.draw(layer, middle, top - 28, high[0])
            _arrow(layer, (middle, top - 28 - high[0]), (middle, top - 46 - high[0]))
            last.draw(layer, middle, top - 46 - high[0], high[1])
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


def _range(counts: pd.Series, words: Words) -> str:
    """Return the count of persons analysed, or its range over the outcomes."""
    if not len(counts) or counts.isna().any():
        return words("figure.withheld")
    low, high = (_count(n, words) for n in (counts.min(), counts.max()))
    return low if low == high else words("figure.range", low=low, high=high)
