"""The policy tree drawn: from all persons on the left to places on the right."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from evaluate.report.flow_chart import wrap
from evaluate.report.released import Released, records
from evaluate.report.sheet import GREY, INK, LINE, SMALL, WIDTH, cut, say, sheet, svg
from evaluate.report.words import Words

if TYPE_CHECKING:  # matplotlib is slow to import: only who draws pays
    from matplotlib.axes import Axes

BETWEEN, APART, LINE_TALL, MARGIN = 26.0, 10.0, 11.5, 6.0
PLACE = "#DCEBF5"  # behind leaves with a place; their edge is thick, for print without colours


@dataclass(frozen=True)
class Node:
    """A node of the tree.

    Attributes
    ----------
    row : dict
        Of `schemas.POLICY_TREE`.
    condition : str
        What led here from the parent, empty at the root.
    children : tuple of Node
        None, or those below and above the threshold.
    """

    row: dict[str, Any]
    condition: str
    children: tuple[Node, ...]

    @property
    def leaves(self) -> list[Node]:
        """The leaves below, or the node itself."""
        return [leaf for c in self.children for leaf in c.leaves] if self.children else [self]

    @property
    def depth(self) -> int:
        """How many questions lie below at most."""
        return 1 + max(c.depth for c in self.children) if self.children else 0


def tree_of(rows: pd.DataFrame, released: Released, words: Words) -> Node | None:
    """Return the root of a tree, or None where it cannot be drawn.

    Parameters
    ----------
    rows : DataFrame
        Rows of `schemas.POLICY_TREE` of one outcome, month, arm and tree.
    released, words : Released, Words
        For the names of covariates.
    """
    rows = rows.assign(parent=rows["parent"].astype(float))  # of the root it is not a number
    by_node = {int(row["node"]): row for row in records(rows)}
    if 0 not in by_node or (len(by_node) == 1 and pd.isna(by_node[0]["treat"])):
        return None

    def grown(number: int, condition: str) -> Node:
        row, children = by_node[number], []
        own = {n: c for n, c in by_node.items() if c["parent"] == number and n}
        for branch in ("below", "above"):
            for n in (n for n, child in own.items() if child["branch"] == branch):
                children.append(grown(n, _condition(row, branch, released, words)))
        return Node(row, condition, tuple(children))

    return grown(0, "")


def _condition(row: dict[str, Any], branch: str, released: Released, words: Words) -> str:
    """Say on which side of a threshold a person is; groups of persons by their names."""
    name, value = str(row["covariate"]), row["threshold"]
    above = branch == "above"
    if pd.isna(value):
        value = None
    if name == "men" or name == "gender":
        return words(f"benefits.condition.{'men' if above else 'women'}")
    if name.endswith(" missing"):
        title = released.covariate_title(name.removesuffix(" missing"), words)
        return words(f"benefits.condition.{'unknown' if above else 'known'}", name=title)
    title = released.covariate_title(name, words)
    if "=" in name and value is not None and 0 <= value < 1:
        return words(f"benefits.condition.{'is' if above else 'is_not'}", name=title)
    key = "above" if above else "at_most"
    return words(f"benefits.condition.{key}", name=title, value=words.number(value))


def rules_of(root: Node, words: Words) -> list[str]:
    """Say what each leaf is: who gets there, whether they have a place, and how many they are.

    Of two bounds of a covariate from the same side the one further down implies the other.
    """
    found: list[str] = []

    def follow(node: Node, conditions: dict[tuple[str, str], str]) -> None:
        if not node.children:
            found.append(_rule(node, list(conditions.values()), words))
        for child in node.children:
            side = (str(node.row["covariate"]), str(child.row["branch"]))
            others = {s: text for s, text in conditions.items() if s != side}
            follow(child, others | {side: child.condition})

    follow(root, {})
    return found


def _rule(node: Node, conditions: list[str], words: Words) -> str:
    *first, last = conditions or [words("benefits.tree_all")]
    told = words("benefits.tree_and", first=", ".join(first), last=last) if first else last
    share, women = node.row["share"], node.row["share_women"]
    if pd.isna(share):
        withheld = words("page.withheld")
        return words("benefits.tree_rule_withheld", what=verdict(node, words), conditions=told,
                     withheld=withheld)  # fmt: skip
    values = {"what": verdict(node, words), "conditions": told, "share": whole(share, words)}
    if pd.isna(women):
        return words("benefits.tree_rule_plain", **values)
    return words("benefits.tree_rule", **values, women=whole(women, words))


def verdict(node: Node, words: Words) -> str:
    """Return whether those in a leaf have a place, or that it is withheld."""
    if pd.isna(node.row["treat"]):
        return words("page.withheld")
    return words("benefits.tree_place" if node.row["treat"] else "benefits.tree_no_place")


def whole(share: float, words: Words) -> str:
    """Return a share in whole per cent."""
    return words("unit.percent", x=words.number(100 * share, 0))


def tree_plot(root: Node, words: Words, *, title: str, label: str) -> str:
    """Return an SVG of a policy tree: a box per node, what led there, and who is in it.

    Parameters
    ----------
    root : Node
        As of `tree_of`.
    words, title, label : Words, str, str
        The language; heading; what the figure shows, for who cannot see it.
    """
    columns = root.depth + 1
    wide = min((WIDTH - 4 - BETWEEN * (columns - 1)) / columns, 170.0)
    texts: dict[int, list[tuple[str, dict[str, Any]]]] = {}

    def fill(node: Node) -> None:
        texts[id(node)] = _lines(node, wide - 2 * MARGIN, words)
        for child in node.children:
            fill(child)

    fill(root)
    tall = {key: LINE_TALL * len(lines) + 2 * MARGIN - 1 for key, lines in texts.items()}
    heights: dict[int, float] = {}

    def place(node: Node, top: float) -> float:
        """Give a node and those below it their middles; return where the next may begin."""
        if not node.children:
            heights[id(node)] = top + tall[id(node)] / 2
            return top + tall[id(node)] + APART
        below = top
        for child in node.children:
            below = place(child, below)
        middles = [heights[id(c)] for c in node.children]
        middle = max((middles[0] + middles[-1]) / 2, top + tall[id(node)] / 2)
        heights[id(node)] = middle
        return max(below, middle + tall[id(node)] / 2 + APART)

    height = place(root, 2.0)
    with sheet(height + 20) as (figure, layer):
        say(layer, 0, height + 10, title, ha="left", weight="bold")

        def draw(node: Node, column: int) -> None:
            x, y = 1 + column * (wide + BETWEEN), height - heights[id(node)]
            for child in node.children:
                to = height - heights[id(child)]
                middle = x + wide + BETWEEN / 2
                layer.plot([x + wide, middle, middle, x + wide + BETWEEN], [y, y, to, to],
                           color=LINE, lw=1.0)  # fmt: skip
                draw(child, column + 1)
            _box(layer, (x, y), (wide, tall[id(node)]), node, texts[id(node)])

        draw(root, 0)
        return svg(figure, label)


def _lines(node: Node, room: float, words: Words) -> list[tuple[str, dict[str, Any]]]:
    """Return the lines of a box, each with its look."""
    first = node.condition or words("benefits.figure.everybody")
    first = f"{first[:1].upper()}{first[1:]}"
    bold = {"weight": "bold"}
    lines: list[tuple[str, dict[str, Any]]] = [(t, bold) for t in wrap(first, room, "bold")]
    if not node.children:
        lines += [(t, {}) for t in wrap(verdict(node, words), room)]
    share, women = node.row["share"], node.row["share_women"]
    told = [words("page.withheld")]
    if not pd.isna(share):
        told = [words("benefits.figure.share", share=whole(share, words))]
        if not pd.isna(women):
            told.append(words("benefits.figure.share_women", share=whole(women, words)))
    return lines + [(cut(t, room), {"color": GREY, "size": SMALL}) for t in told]


def _box(
    layer: Axes,
    at: tuple[float, float],
    size: tuple[float, float],
    node: Node,
    lines: list[tuple[str, dict[str, Any]]],
) -> None:
    from matplotlib.patches import Rectangle

    (x, y), (wide, tall) = at, size
    placed = not node.children and not pd.isna(node.row["treat"]) and bool(node.row["treat"])
    face, edge, width = (PLACE, "#0072B2", 1.8) if placed else ("white", LINE, 0.8)
    layer.add_patch(Rectangle((x, y - tall / 2), wide, tall, fc=face, ec=edge, lw=width, zorder=2))
    top = y + tall / 2 - MARGIN - LINE_TALL / 2 + 0.5
    for i, (text, look) in enumerate(lines):
        say(layer, x + MARGIN, top - i * LINE_TALL, text, ha="left", **({"color": INK} | look),
            zorder=3)  # fmt: skip
