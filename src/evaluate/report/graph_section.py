"""What the report says of the causal graph, and the figure of it."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

import pandas as pd

from evaluate.design.causal_graph import CausalGraph
from evaluate.design.graph_plan import (
    GENDER,
    TREATMENT,
    adjusted_nodes,
    graph_of,
    measured_nodes,
    questions,
)
from evaluate.notes import NOTES
from evaluate.plan.model import Plan
from evaluate.report.graph_figure import Edge, gathered, graph_figure
from evaluate.report.words import Words

MOST = 3  # paths or independences that are named
OF_SET = (
    "missing", "affected", "opening", "outside", "front_door", "instrument",
)  # fmt: skip
ARROWS = {"->": "→", "<-": "←"}


@dataclass(frozen=True)
class GraphSection:
    """The section on the causal graph.

    Attributes
    ----------
    sentences : list of str
        On what must be adjusted for, then on what the data say of the graph.
    figure : str
        An SVG element.
    caption : str
        Below the figure.
    """

    sentences: list[str]
    figure: str
    caption: str


def graph_section(table: pd.DataFrame, plan: Plan, words: Words) -> GraphSection | None:
    """Return what is told of the graph of a plan, or None where it has none.

    Parameters
    ----------
    table : DataFrame
        As `schemas.GRAPH`, released.
    plan : Plan
        The programme file.
    words : Words
        The language.
    """
    graph = graph_of(plan)
    if graph is None or table.empty:
        return None
    titles = {node: node_title(node, plan, words) for node in graph.nodes}
    sentences = [words("graph.lead"), *_adjustment(table, plan, words)]
    sentences += _paths(table, titles, words)
    sentences += _independences(table, titles, words)
    sentences += _falsification(table, words)
    roles = node_roles(graph, plan)
    for node in (TREATMENT, GENDER):
        if node in titles and roles[node] != "unmeasured":
            titles[node] = titles[node].capitalize()
    names = ", ".join(titles[n] for n in graph.nodes if roles[n] == "outcome")
    figure = graph_figure(
        graph, roles, titles, words,
        label=words("graph.label", outcome=names), marked=open_edges(table),
    )  # fmt: skip
    hidden = gathered(graph, [n for n in graph.nodes if roles[n] == "adjusted"]).hidden
    caption = words("graph.caption")
    if hidden:
        caption += " " + words("graph.caption_gathered", n=words.number(hidden, 0))
    return GraphSection(sentences, figure, caption)


def node_title(node: str, plan: Plan, words: Words) -> str:
    """Return the name of a node in the reports."""
    kind = measured_nodes(plan).get(node, "")
    if kind in ("treatment", "gender"):
        return words(f"graph.node.{kind}")
    if kind == "outcome":
        return (plan.outcomes[node].title or {}).get(words.language, node)
    return words.covariate(node)


def node_roles(graph: CausalGraph, plan: Plan) -> dict[str, str]:
    """Return what each node is in the figure; adjusted for is what the first question needs."""
    asked = [outcome for outcome in questions(plan) if outcome in graph.nodes]
    adjusted = adjusted_nodes(plan, asked[0]) if asked else ()
    known = measured_nodes(plan)

    def role(node: str) -> str:
        if node == TREATMENT or node in asked:
            return "treatment" if node == TREATMENT else "outcome"
        if node in adjusted and (node != GENDER or plan.columns.genders):
            return "adjusted"
        return "measured" if node in known else "unmeasured"

    return {node: role(node) for node in graph.nodes}


def open_edges(table: pd.DataFrame) -> set[Edge]:
    """Return the arrows on paths that are open though they are no effect."""
    found: set[Edge] = set()
    for row in table[table["kind"] == "path"].to_dict("records"):
        if not _names_in(row["note"], "blocked_by"):
            parts = re.split(r" (->|<-) ", row["statement"])
            for a, arrow, b in zip(parts[::2], parts[1::2], parts[2::2], strict=False):
                found.add((a, b) if arrow == "->" else (b, a))
    return found


def _names_in(notes: object, kind: str) -> str:
    """Return the names that a note of one kind holds, if the notes have it."""
    before, _, after = NOTES[f"graph_{kind}"].partition("{names}")
    for part in str(notes).split("; ") if isinstance(notes, str) else []:
        if part.startswith(before) and part.endswith(after):
            return part[len(before) : len(part) - len(after)]
    return ""


def _titled(names: str, plan: Plan, words: Words) -> str:
    titles = [node_title(name, plan, words) for name in names.split(", ")]
    return _listed(titles, words)


def _listed(titles: list[str], words: Words) -> str:
    if len(titles) < 2:
        return "".join(titles)
    return words("graph.and", first=", ".join(titles[:-1]), last=titles[-1])


def _adjustment(table: pd.DataFrame, plan: Plan, words: Words) -> list[str]:
    found = []
    for row in table[table["kind"] == "adjustment_set"].to_dict("records"):
        effect, _, needed = str(row["statement"]).partition(" | ")
        outcome = node_title(effect.partition(" -> ")[2], plan, words)
        if row["verdict"] == "not assessed":
            found.append(words("graph.no_outcome", outcome=outcome))
            continue
        kind = "suffices" if row["verdict"] == "pass" else "differs"
        key = f"graph.{kind}" if needed else f"graph.{kind}_without"
        names = _titled(needed, plan, words) if needed else ""
        found.append(words(key, outcome=outcome, names=names))
        for of in OF_SET:
            if names := _names_in(row["note"], of):
                found.append(words(f"graph.{of}", names=_titled(names, plan, words)))
    return found


def _paths(table: pd.DataFrame, titles: dict[str, str], words: Words) -> list[str]:
    found = []
    paths = table[table["kind"] == "path"].to_dict("records")
    for row in paths[:MOST]:
        parts = re.split(r" (->|<-) ", row["statement"])
        path = " ".join(ARROWS.get(part) or titles.get(part, part) for part in parts)
        told = words.note(str(row["note"]))
        found.append(words("graph.path", path=path, told=told))
    if len(paths) > MOST:
        found.append(words("graph.more_paths", n=words.number(len(paths) - MOST, 0)))
    return found


def _independences(table: pd.DataFrame, titles: dict[str, str], words: Words) -> list[str]:
    rows = table[(table["kind"] == "independence") & (table["verdict"] != "not assessed")]
    if rows.empty:
        return [words("graph.untestable")]
    failed = rows[rows["verdict"] == "warn"].sort_values("statistic", ascending=False)
    tests = words.number(len(rows), 0)
    if failed.empty:
        return [words("graph.agree" if len(rows) > 1 else "graph.agrees_one", n=tests)]
    told = [_independence(s, titles, words) for s in failed["statement"][:MOST]]
    found = [
        words(
            "graph.contradict" if len(failed) > len(told) else "graph.contradict_all",
            n=tests,
            failed=words.number(len(failed), 0),
            which="; ".join(told),
        )
    ]
    harmful = failed[failed["note"].fillna("").str.contains(NOTES["graph_harmful"], regex=False)]
    harmless = failed["note"].fillna("").str.contains(NOTES["graph_harmless"], regex=False)
    if len(harmful):
        which = [_pair(s, titles, words) for s in harmful["statement"][:MOST]]
        found.append(words("graph.harmful", which="; ".join(which)))
    elif harmless.all():
        found.append(words("graph.harmless"))
    return found


def _independence(statement: str, titles: dict[str, str], words: Words) -> str:
    _, _, given = statement.partition(" | ")
    pair = _pair(statement, titles, words)
    if not given:
        return pair
    return words("graph.given", pair=pair, names=_listed(_names(given.split(", "), titles), words))


def _pair(statement: str, titles: dict[str, str], words: Words) -> str:
    pair = statement.partition(" | ")[0].split(" _||_ ")
    return _listed(_names(pair, titles), words)


def _names(nodes: Collection[str], titles: dict[str, str]) -> list[str]:
    return [titles.get(node, node) for node in nodes]


def _falsification(table: pd.DataFrame, words: Words) -> list[str]:
    rows = table[table["kind"] == "falsification"].to_dict("records")
    if not rows or pd.isna(rows[0]["p_value"]):
        return []
    verdict, p = rows[0]["verdict"], float(rows[0]["p_value"])
    if verdict == "pass" and p == 0:
        return [words("graph.better_none")]
    if NOTES["graph_alike"] in str(rows[0]["note"]):
        return [words("graph.alike")]
    key = "graph.better" if verdict == "pass" else "graph.no_better"
    return [words(key, share=words.percent(round(p, 2)))]
