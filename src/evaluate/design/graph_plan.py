"""The graph of a plan beside the rest of it: what its nodes are, and what cannot be."""

from __future__ import annotations

import difflib
import re

from evaluate.design.causal_graph import CausalGraph, arrows, colliders
from evaluate.errors import PlanError
from evaluate.plan.model import Plan

TREATMENT, GENDER = "treatment", "gender"
MARKS = (",", ";", "|", "->", "<-", "_||_")  # what statements on the graph are written with
NEAR = 0.85  # likeness of two names from which one may be the other, misspelt
MOST_PATHS = 10


def graph_of(plan: Plan) -> CausalGraph | None:
    """Return the graph of a plan of an observational study, or None where there is none."""
    if plan.graph is None or not plan.is_observational:
        return None
    return CausalGraph.of(plan.graph.edges)


def measured_nodes(plan: Plan) -> dict[str, str]:
    """Return what may be a measured node, by name: what it is in the plan.

    ``treatment``, ``covariate``, ``gender``, ``baseline``, ``group``, ``cluster`` or
    ``outcome``. Any other node of the graph is unmeasured.
    """
    found = {TREATMENT: "treatment"}
    found |= {c.column: "covariate" for c in plan.covariate_list if c.column != TREATMENT}
    if plan.columns.genders:
        found.setdefault(GENDER, "gender")
    for outcome in plan.outcomes.values():
        if outcome.baseline:
            found.setdefault(outcome.baseline, "baseline")
    for name in plan.groups:
        found.setdefault(name, "group")
    if plan.columns.cluster:
        found.setdefault(plan.columns.cluster, "cluster")
    for key in plan.outcomes:
        found.setdefault(key, "outcome")
    return found


def adjusted_nodes(plan: Plan, outcome: str) -> tuple[str, ...]:
    """Return what is adjusted for in the effect on an outcome, also what the graph lacks."""
    stated = plan.outcomes[outcome]
    names = [c.column for c in plan.covariate_list if c.column not in stated.without]
    if plan.columns.genders and GENDER not in names:
        names.append(GENDER)
    if stated.baseline and stated.baseline not in names:
        names.append(stated.baseline)
    return tuple(names)


def questions(plan: Plan) -> tuple[str, ...]:
    """Return the outcomes on which the graph is asked for the effect: the primary ones."""
    primary = [k for k, o in plan.outcomes.items() if o.role == "primary"]
    return tuple(primary or [k for k, o in plan.outcomes.items() if o.role != "placebo"])


def graph_faults(plan: Plan) -> list[PlanError]:
    """List what is wrong with the graph of a plan; without data, and quickly.

    Returns
    -------
    list of PlanError
        Circles, names that are not those of the plan, no effect of treatment, and an effect
        that no measured variables identify. Empty where the plan has no graph to be used.
    """
    graph = graph_of(plan)
    if graph is None:
        return []
    found = _faults_of_names(graph, plan)
    if not found:
        found = _faults_of_shape(graph, plan)
    if not found:
        found = [f for outcome in questions(plan) if (f := _not_identified(graph, plan, outcome))]
    return [PlanError(f"graph: {text}") for text in found]


def possible_adjustment(graph: CausalGraph, plan: Plan, outcome: str) -> list[str]:
    """Return the measured nodes that could be adjusted for: none that the treatment affects."""
    affected = graph.descendants(TREATMENT)
    names = measured_nodes(plan).keys() - affected - {TREATMENT, outcome}
    return [node for node in graph.nodes if node in names]


def closed_by(graph: CausalGraph, path: tuple[str, ...], allowed: list[str]) -> list[str]:
    """Return which of some nodes would close a path: those on it that are no colliders."""
    met = colliders(graph, path)
    return [node for node in path[1:-1] if node in allowed and node not in met]


def _faults_of_names(graph: CausalGraph, plan: Plan) -> list[str]:
    if not graph.edges:
        return ["edges: empty. State who causes what as pairs, or leave graph out."]
    found: list[str] = []
    for node in graph.nodes:
        if not node.strip() or node != node.strip():
            found.append(f"`{node}` is empty, or begins or ends with a blank.")
        elif any(mark in node for mark in MARKS):
            found.append(f"`{node}`: the name of a node may not hold any of {' '.join(MARKS)}")
    known = measured_nodes(plan)
    if any(c.column == TREATMENT for c in plan.covariate_list):
        found.append("`treatment` is what the plan's arms are called, and also a covariate.")
    for node in graph.nodes:
        if node in known:
            continue
        if meant := _other_name(node, plan):
            found.append(f"`{node}` is the column of {meant[0]}: name it `{meant[1]}`.")
            continue
        free = [name for name in known if name not in graph.nodes]
        near = difflib.get_close_matches(node, free, n=1, cutoff=NEAR)
        if near and re.sub(r"\d", "", near[0]) != re.sub(r"\d", "", node):
            found.append(
                f"`{node}` is not in the plan. Did you mean `{near[0]}`? A variable that is not "
                "measured needs a name less like it."
            )
    return found


def _other_name(node: str, plan: Plan) -> tuple[str, str] | None:
    """Return where the plan has a node as a column, and the name by which the graph knows it."""
    if node == plan.columns.treatment.column:
        return "columns.treatment", TREATMENT
    gender = plan.columns.gender
    if gender is not None and not isinstance(gender, str) and node == gender.column:
        return "columns.gender", GENDER
    for column in plan.outcome_columns:
        if node == column.source:
            return f"outcomes.{column.outcome}", column.outcome
    return None


def _faults_of_shape(graph: CausalGraph, plan: Plan) -> list[str]:
    if circle := graph.cycle():
        return [
            f"{' -> '.join(circle)} is a circle. A cause comes before its effect: leave out one "
            "of the arrows, or name the variable before and after apart."
        ]
    if TREATMENT not in graph.nodes:
        return ["`treatment` is not in any edge: state what causes it, and what it causes."]
    caused = graph.descendants(TREATMENT)
    asked = questions(plan)
    if not any(outcome in graph.nodes for outcome in asked):
        return [
            f"none of the outcomes {', '.join(asked)} is in any edge: add treatment -> outcome."
        ]
    found = [
        f"no way leads along the arrows from treatment to `{outcome}`: the graph says that there "
        f"is no effect. Add [treatment, {outcome}], or what lies between."
        for outcome in asked
        if outcome in graph.nodes and outcome not in caused
    ]
    found += [
        f"treatment affects `{key}`, but outcomes.{key} is a placebo: measured before, it cannot."
        for key, outcome in plan.outcomes.items()
        if outcome.role == "placebo" and key in caused
    ]
    return found


def _not_identified(graph: CausalGraph, plan: Plan, outcome: str) -> str:
    """Return why no measured variables identify an effect, or nothing where some do."""
    if outcome not in graph.nodes:
        return ""
    allowed = possible_adjustment(graph, plan, outcome)
    reduced = graph.without_effect(TREATMENT, outcome)
    if reduced.minimal_separator(TREATMENT, outcome, allowed) is not None:
        return ""
    return why_not_identified(graph, plan, outcome)


def why_not_identified(graph: CausalGraph, plan: Plan, outcome: str) -> str:
    """Tell which paths stay open whatever is adjusted for, and what is unmeasured on them."""
    reduced = graph.without_effect(TREATMENT, outcome)
    allowed = possible_adjustment(graph, plan, outcome)
    widest = [n for n in allowed if n in reduced.ancestors(TREATMENT, outcome)]
    paths = reduced.open_paths(TREATMENT, outcome, widest, MOST_PATHS)
    known = measured_nodes(plan).keys() | graph.descendants(TREATMENT)
    hidden = dict.fromkeys(n for path in paths for n in path[1:-1] if n not in known)
    text = f"no variables that are measured identify the effect of treatment on `{outcome}`. "
    text += "With all adjusted for that can be, there stays open: "
    text += "; ".join(arrows(graph, path) for path in paths[:3])
    if len(paths) > 3:
        text += f" and {'at least ' if len(paths) == MOST_PATHS else ''}{len(paths) - 3} more"
    text += f". Not measured: {', '.join(hidden)}. " if hidden else ". "
    text += "Measure these (and name them among the covariates), "
    text += "or take out arrows that you can argue are not there."
    for way, nodes in other_ways(graph, plan, outcome).items():
        text += f" By the graph {', '.join(nodes)} could serve as {way}; this is not estimated."
    return text


def other_ways(graph: CausalGraph, plan: Plan, outcome: str) -> dict[str, list[str]]:
    """Return measured nodes by which an effect is identified without any adjustment.

    References
    ----------
    Pearl (2009), Causality, definitions 3.3.3 (front door) and 7.4.1 (instrument).
    """
    known = measured_nodes(plan).keys() - {TREATMENT, outcome}
    reduced = graph.without_effect(TREATMENT, outcome)
    instruments = [
        n
        for n in graph.nodes
        if n in known
        and n not in graph.descendants(TREATMENT)
        and reduced.separated(n, outcome, ())
        and not reduced.separated(n, TREATMENT, ())
    ]
    doors = [n for n in graph.nodes if n in known and _is_front_door(graph, n, outcome)]
    found = {"an instrument": instruments, "a front door": doors}
    return {way: nodes for way, nodes in found.items() if nodes}


def _is_front_door(graph: CausalGraph, node: str, outcome: str) -> bool:
    """Tell whether the whole effect goes through one node that nothing else connects."""
    around = CausalGraph(graph.nodes, tuple(e for e in graph.edges if node not in e))
    return (
        node in graph.descendants(TREATMENT)
        and outcome in graph.descendants(node)
        and outcome not in around.descendants(TREATMENT)
        and graph.without_effect(TREATMENT, node).separated(TREATMENT, node, ())
        and graph.without_effect(node, outcome).separated(node, outcome, {TREATMENT})
    )
