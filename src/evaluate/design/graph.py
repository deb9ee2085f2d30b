"""The causal graph of the plan: what must be adjusted for, and what the data say of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from evaluate import schemas
from evaluate.design.causal_graph import CausalGraph, Path, arrows
from evaluate.design.graph_data import node_data
from evaluate.design.graph_identification import Identified, identify, openers
from evaluate.design.graph_plan import (
    TREATMENT,
    closed_by,
    graph_faults,
    graph_of,
    measured_nodes,
    possible_adjustment,
    questions,
)
from evaluate.design.graph_tests import (
    ALPHA,
    MOST_STATEMENTS,
    SUBSAMPLE,
    Statement,
    falsified,
    implied,
    judged,
)
from evaluate.errors import Problems
from evaluate.notes import joined, note
from evaluate.plan.model import Plan
from evaluate.seeds import generator
from evaluate.study import Study

MOST_PERSONS = 50_000  # for the tests of independence
Row = dict[str, Any]


def graph_table(study: Study, plan: Plan, seed: int) -> pd.DataFrame:
    """Identify the effect by the graph of the plan, and test what the graph implies.

    Parameters
    ----------
    study : Study
        The persons.
    plan : Plan
        The programme file.
    seed : int
        Of the persons drawn and of the permutations.

    Returns
    -------
    DataFrame
        As `schemas.GRAPH`; empty where the plan has no graph, or a lottery decided.

    Raises
    ------
    PlanError
        If the graph has faults, or no measured variables identify the effect on a primary
        outcome; `Problems` where there are several.

    References
    ----------
    Pearl (2009), Causality, chapter 3. Ankan, Wortel and Textor (2021), Testing graphical
    causal models using the R package dagitty, Current Protocols 1(2).
    """
    graph = graph_of(plan)
    if graph is None:
        return pd.DataFrame(columns=list(schemas.GRAPH.columns))
    if faults := graph_faults(plan):
        raise faults[0] if len(faults) == 1 else Problems(faults)
    rows: list[Row] = []
    answers = []
    for outcome in questions(plan):
        if outcome not in graph.nodes:
            unheld = note("graph_no_outcome")
            rows.append(_row("adjustment_set", _arrow(outcome), "not assessed", [unheld]))
            continue
        answer = identify(graph, plan, outcome)
        answers.append(answer)
        rows.append(_adjustment(answer))
        rows += _paths(graph, plan, answer)
    rows += _data(study, plan, graph, answers, generator(seed, "graph"))
    return pd.DataFrame(rows, columns=list(schemas.GRAPH.columns))


def _adjustment(answer: Identified) -> Row:
    """Return what suffices for one outcome, and what the plan does otherwise."""
    statement = _arrow(answer.outcome)
    if answer.minimal:
        statement += f" | {', '.join(answer.minimal)}"
    told = {
        "graph_missing": answer.missing,
        "graph_affected": answer.affected,
        "graph_opening": answer.opening,
        "graph_outside": answer.outside,
        "graph_front_door": answer.front_door,
        "graph_instrument": answer.instruments,
    }
    notes = [note(kind, names=", ".join(names)) for kind, names in told.items() if names]
    return _row("adjustment_set", statement, "pass" if answer.suffices else "warn", notes)


def _paths(graph: CausalGraph, plan: Plan, answer: Identified) -> Iterator[Row]:
    """Return a row for each path that the covariates leave open, open, or close wrongly."""
    possible = possible_adjustment(graph, plan, answer.outcome)
    known = measured_nodes(plan)
    reduced = graph.without_effect(TREATMENT, answer.outcome)

    def row(path: Path, kinds: dict[str, list[str]]) -> Row:
        notes = [note(kind, names=", ".join(names)) for kind, names in kinds.items() if names]
        return _row("path", arrows(graph, path), "warn", notes)

    for path in answer.open_paths:
        free = [n for n in possible if n not in answer.adjusted]
        hidden = [n for n in path[1:-1] if n not in known]
        kinds = {
            "graph_opened_by": openers(reduced, path, answer.adjusted),
            "graph_closed_by": closed_by(graph, path, free),
            "graph_unmeasured": hidden,
        }
        yield row(path, kinds)
    for path in answer.blocked_paths:
        yield row(path, {"graph_blocked_by": [n for n in path if n in answer.affected]})


def _data(
    study: Study,
    plan: Plan,
    graph: CausalGraph,
    answers: list[Identified],
    rng: np.random.Generator,
) -> Iterator[Row]:
    """Return a row for each independence that the graph implies, and one for all at once."""
    drawn = study.n > MOST_PERSONS
    rows = np.arange(study.n)
    if drawn:
        rows = np.sort(rng.choice(study.n, MOST_PERSONS, replace=False))
    nodes = node_data(study, plan, rows, list(graph.nodes))
    weight = None if study.weight is None else study.weight[rows]
    cluster = None if study.cluster is None else study.cluster[rows]
    statements = sorted(implied(graph, list(nodes)), key=lambda s: len(s.given))
    left_out = len(statements) - MOST_STATEMENTS
    statements = statements[:MOST_STATEMENTS]
    results, adjusted = judged(statements, nodes, weight, cluster)
    for statement, result, p in zip(statements, results, adjusted, strict=True):
        notes, verdict = [], "pass"
        if result.problem:
            notes, verdict = [note(f"graph_{result.problem}")], "not assessed"
        elif p < ALPHA:
            notes, verdict = [note("graph_correlation", r=f"{abs(result.correlation):.3f}")], "warn"
            notes += _consequence(graph, answers, statement)
        notes += [note("graph_drawn", n=f"{MOST_PERSONS:,}")] if drawn else []
        yield _row("independence", str(statement), verdict, notes, result.statistic, float(p))
    names = ", ".join(nodes)
    found = falsified(graph, nodes, weight, cluster, rng) if statements else None
    if found is None or not found.tests:
        why = "graph_few" if statements and found is None else "graph_nothing"
        yield _row("falsification", names, "not assessed", [note(why)])
        return
    counts = note(
        "graph_shuffled",
        failed=found.failed,
        tests=found.tests,
        most=f"{SUBSAMPLE:,}",
        better=round(found.p_value * found.shuffles),
        shuffles=found.shuffles,
    )
    notes = [counts]
    if found.verdict == "not assessed":
        notes.append(note("graph_alike" if found.alike else "graph_weak"))
    notes += [note("graph_untested", n=left_out)] if left_out > 0 else []
    share = found.failed / found.tests
    yield _row("falsification", names, found.verdict, notes, share, found.p_value)


def _consequence(graph: CausalGraph, answers: list[Identified], failed: Statement) -> list[str]:
    """Tell whether the covariates would suffice if two nodes had a hidden cause in common."""
    if not answers or not all(a.suffices for a in answers):
        return []
    hidden = "common cause"
    while hidden in graph.nodes:
        hidden += "*"
    wider = CausalGraph.of([*graph.edges, (hidden, failed.a), (hidden, failed.b)])
    safe = all(
        wider.without_effect(TREATMENT, a.outcome).separated(TREATMENT, a.outcome, a.adjusted)
        for a in answers
    )
    return [note("graph_harmless" if safe else "graph_harmful")]


def _arrow(outcome: str) -> str:
    return f"{TREATMENT} -> {outcome}"


def _row(
    kind: str,
    statement: str,
    verdict: str,
    notes: list[str],
    statistic: float = np.nan,
    p_value: float = np.nan,
) -> Row:
    return {
        "kind": kind,
        "statement": statement,
        "statistic": statistic,
        "p_value": p_value,
        "verdict": verdict,
        "note": joined(notes),
    }
