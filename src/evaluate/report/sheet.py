"""The sheet that the figures are drawn on: sizes, colours, axes, and the way to SVG."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from hashlib import sha256
from io import StringIO
from typing import TYPE_CHECKING, Any, Literal
from xml.sax.saxutils import quoteattr

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
    # Pages hold many figures: no comments and indents, hundredths of a point.
    text = re.sub(r"\s*<!--.*?-->", "", text, flags=re.DOTALL)
    text = re.sub(r"\n\s*", "\n", text)
    text = re.sub(r"(?<=[ \"])(-?\d+\.\d\d)\d+(?=[\s\"])", r"\1", text)
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
