"""The causal graph as a figure: causes at the left, the outcome at the right."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from evaluate.design.causal_graph import CausalGraph
from evaluate.design.graph_plan import TREATMENT
from evaluate.report.flow_chart import LEADING, PAD, wrap
from evaluate.report.graph_layout import Edge, Layout, arrange, layers
from evaluate.report.sheet import GREY, INK, LINE, WIDTH, say, sheet, svg, text_width
from evaluate.report.words import Words

if TYPE_CHECKING:  # matplotlib is slow to import: only who draws pays
    from matplotlib.axes import Axes

MOST_NODES, MOST_EDGES = 10, 18  # above either, likes that are adjusted for share a box
NARROW, WIDE = 46.0, 116.0  # of a box
LIST = 150.0  # width of a box that several share
RED = "#B00020"
ROLES = ("treatment", "outcome", "adjusted", "measured", "unmeasured")
FACE = {"treatment": "#333333", "adjusted": "#e2e2e2"}


@dataclass(frozen=True)
class Drawn:
    """What is drawn: boxes by their first node, and the arrows between them.

    Attributes
    ----------
    boxes : dict of str to tuple of str
        The nodes in each box.
    edges : tuple of (str, str)
        Arrows between boxes.
    hidden : int
        Arrows among those adjusted for, which are not drawn.
    """

    boxes: dict[str, tuple[str, ...]]
    edges: tuple[Edge, ...]
    hidden: int


def gathered(graph: CausalGraph, adjusted: Collection[str]) -> Drawn:
    """Return the boxes of a graph; in a large one, likes among those adjusted for share one.

    Likes have the same causes and effects outside those adjusted for. Arrows among these are
    then left out.
    """
    likes = [n for n in graph.nodes if n in adjusted and n not in graph.descendants(TREATMENT)]
    if len(graph.nodes) <= MOST_NODES and len(graph.edges) <= MOST_EDGES:
        likes = []
    key = {
        n: tuple(frozenset(m for m in side[n] if m not in likes)
                 for side in (graph.parents, graph.children))
        for n in likes
    }  # fmt: skip
    boxes: dict[str, tuple[str, ...]] = {}
    home: dict[str, str] = {}
    for node in graph.nodes:
        same = tuple(n for n in likes if key[n] == key[node]) if node in key else (node,)
        boxes[same[0]] = same
        home[node] = same[0]
    kept = [e for e in graph.edges if not (e[0] in key and e[1] in key)]
    edges = tuple(dict.fromkeys((home[a], home[b]) for a, b in kept))
    return Drawn(boxes, edges, len(graph.edges) - len(kept))


def graph_figure(
    graph: CausalGraph,
    roles: Mapping[str, str],
    titles: Mapping[str, str],
    words: Words,
    *,
    label: str,
    marked: Collection[Edge] = (),
) -> str:
    """Return an SVG of a causal graph.

    Parameters
    ----------
    graph : CausalGraph
        Without circles.
    roles : mapping of str to str
        Of each node: ``treatment``, ``outcome``, ``adjusted``, ``measured`` or ``unmeasured``.
    titles : mapping of str to str
        Name of each node.
    words, label : Words, str
        The language; what the figure shows, for who cannot see it.
    marked : collection of (str, str)
        Arrows on ways that stay open though they are no effect.
    """
    drawn = gathered(graph, [n for n in graph.nodes if roles[n] == "adjusted"])
    at = layers(list(drawn.boxes), drawn.edges)
    count = max(at.values(), default=0) + 1
    gap = 44.0 if count <= 4 else 28.0
    room = (WIDTH - 4 - gap * (count - 1)) / count
    lines, widths = {}, [NARROW] * count
    for box, nodes in drawn.boxes.items():
        text = ", ".join(titles[n] for n in nodes)
        most = min(room, LIST if len(nodes) > 1 else WIDE)
        bold = "bold" if roles[box] == "outcome" else "normal"
        lines[box] = wrap(text, most - 2 * PAD, bold)
        wide = max(text_width(line, weight=bold) for line in lines[box]) + 2 * PAD
        widths[at[box]] = max(widths[at[box]], wide)
    heights = {box: 2 * PAD + LEADING * len(text) - 3 for box, text in lines.items()}
    layout = arrange(list(drawn.boxes), drawn.edges, heights, 11.0)
    spare = (WIDTH - 4 - sum(widths)) / max(count - 1, 1)
    step = min(spare, 110.0)
    left = [2 + (spare - step) * (count - 1) / 2] if count > 1 else [(WIDTH - widths[0]) / 2]
    for wide in widths[:-1]:
        left.append(left[-1] + wide + step)
    spans = [(x, x + wide) for x, wide in zip(left, widths, strict=True)]
    home = {n: box for box, nodes in drawn.boxes.items() for n in nodes}
    open_edges = {(home[a], home[b]) for a, b in marked}
    rows = _legend_rows([*_kinds(roles, bool(open_edges))], words)
    with sheet(layout.height + 16 + 16 * len(rows)) as (figure, layer):
        for edge in sorted(drawn.edges, key=lambda e: e in open_edges):
            _arrow(layer, layout, spans, edge, roles[edge[0]] == "unmeasured", edge in open_edges)
        for box, texts in lines.items():
            _box(layer, spans[at[box]], layout.y[box,] + 4, heights[box], texts, roles[box])
        for i, row in enumerate(rows):
            y = layout.height + 16 * (len(rows) - i) + 2
            for x, kind in row:
                _key(layer, x, y, kind)
                say(layer, x + 24, y, words(f"graph.key.{kind}"), ha="left")
        return svg(figure, label)


def _kinds(roles: Mapping[str, str], has_open: bool) -> list[str]:
    return [r for r in ROLES if r in roles.values()] + (["open"] if has_open else [])


def _legend_rows(kinds: list[str], words: Words) -> list[list[tuple[float, str]]]:
    """Return the rows of the legend: where each key begins, and of what."""
    rows: list[list[tuple[float, str]]] = [[]]
    x = 2.0
    for kind in kinds:
        wide = 24 + text_width(words(f"graph.key.{kind}"))
        if rows[-1] and x + wide > WIDTH:
            rows.append([])
            x = 2.0
        rows[-1].append((x, kind))
        x += wide + 16
    return rows


def _look(role: str) -> dict[str, Any]:
    dashed = role == "unmeasured"
    heavy = role in ("treatment", "outcome")
    return {
        "fc": FACE.get(role, "white"),
        "ec": INK if heavy else GREY if dashed else LINE,
        "lw": 1.8 if role == "outcome" else 0.9,
        "ls": (0, (3, 2)) if dashed else "-",
    }


def _key(layer: Axes, x: float, y: float, kind: str) -> None:
    from matplotlib.patches import Rectangle

    if kind == "open":
        layer.plot([x, x + 18], [y, y], color=RED, lw=1.8)
    else:
        layer.add_patch(Rectangle((x, y - 4.5), 18, 9, **_look(kind)))


def _box(
    layer: Axes, span: tuple[float, float], y: float, height: float, lines: list[str], role: str
) -> None:
    from matplotlib.patches import Rectangle

    (left, right), top = span, y + height / 2
    layer.add_patch(
        Rectangle((left, y - height / 2), right - left, height, zorder=3, **_look(role))
    )
    colour = "white" if role == "treatment" else GREY if role == "unmeasured" else INK
    for i, text in enumerate(lines):
        at = top - PAD - LEADING * (i + 0.75) + 2
        weight = "bold" if role == "outcome" else "normal"
        middle = (left + right) / 2
        layer.text(middle, at, text, color=colour, weight=weight, ha="center", va="baseline",
                   zorder=4)  # fmt: skip


def _arrow(
    layer: Axes,
    layout: Layout,
    spans: list[tuple[float, float]],
    edge: Edge,
    dashed: bool,
    is_open: bool,
) -> None:
    """Draw an arrow: across a layer straight on, between layers in a bend."""
    from matplotlib.patches import FancyArrowPatch
    from matplotlib.path import Path

    way = layout.way(edge)
    points, codes = [(spans[way[0][0]][1], way[0][1] + 4)], [Path.MOVETO]
    for layer_at, height in way[1:]:
        (x, y), (left, right) = points[-1], spans[layer_at]
        end, middle = (left, height + 4), (x + left) / 2
        points += [(middle, y), (middle, end[1]), end]
        codes += [Path.CURVE4] * 3
        if layer_at != way[-1][0]:
            points.append((right, end[1]))
            codes.append(Path.LINETO)
    layer.add_patch(
        FancyArrowPatch(
            path=Path(points, codes), arrowstyle="-|>,head_length=0.4,head_width=0.18",
            mutation_scale=9, color=RED if is_open else GREY, lw=1.6 if is_open else 0.8,
            ls=(0, (3, 2)) if dashed else "-", fill=False, zorder=2 if is_open else 1,
        )
    )  # fmt: skip
