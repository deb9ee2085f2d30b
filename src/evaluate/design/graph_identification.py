"""Does the plan adjust for what its graph says must be adjusted for? Identified by dowhy."""

from __future__ import annotations

import logging
import random
import warnings
from collections import deque
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from evaluate.design.causal_graph import CausalGraph, Path, colliders
from evaluate.design.graph_plan import (
    GENDER,
    MOST_PATHS,
    TREATMENT,
    adjusted_nodes,
    measured_nodes,
    possible_adjustment,
    why_not_identified,
)
from evaluate.errors import PlanError
from evaluate.plan.model import Plan

if TYPE_CHECKING:  # slow to import, and dowhy is only for plans with a graph
    import networkx as nx

MOST_MEDIATORS = 10  # among which a front door is sought: dowhy tries every set
LARGEST_DOOR = 3
MOST_STEPS = 10_000  # of a walk along the ways of the effect


@dataclass(frozen=True)
class Identified:
    """What the graph says of the effect on one outcome.

    Attributes
    ----------
    outcome : str
        Its node.
    minimal : tuple of str
        A set that suffices and of which none can be left out: of the covariates if they hold
        one, else of all that is measured.
    adjusted : tuple of str
        What the plan adjusts for, of the nodes of the graph.
    outside : tuple of str
        What the plan adjusts for and the graph does not hold.
    missing : tuple of str
        What must be adjusted for besides.
    affected : tuple of str
        What the plan adjusts for although the treatment affects it.
    opening : tuple of str
        What the plan adjusts for and thereby opens a path.
    open_paths : tuple of tuple of str
        Ways from treatment to outcome that are no effect and that the plan leaves open.
    blocked_paths : tuple of tuple of str
        Parts of the effect that the plan adjusts away.
    front_door, instruments : tuple of str
        Measured variables by which the effect is also identified.
    """

    outcome: str
    minimal: tuple[str, ...]
    adjusted: tuple[str, ...]
    outside: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    affected: tuple[str, ...] = ()
    opening: tuple[str, ...] = ()
    open_paths: tuple[Path, ...] = ()
    blocked_paths: tuple[Path, ...] = ()
    front_door: tuple[str, ...] = field(default=())
    instruments: tuple[str, ...] = field(default=())

    @property
    def suffices(self) -> bool:
        """Whether what the plan adjusts for identifies the effect, by the graph."""
        return not (self.affected or self.opening or self.missing or self.open_paths)


def identify(graph: CausalGraph, plan: Plan, outcome: str) -> Identified:
    """Hold what the plan adjusts for against what the graph asks for.

    Parameters
    ----------
    graph : CausalGraph
        Of the plan, without the faults of `graph_plan.graph_faults`.
    plan : Plan
        The programme file.
    outcome : str
        A node of the graph that treatment affects.

    Raises
    ------
    PlanError
        If no measured variables identify the effect.

    References
    ----------
    Shpitser, VanderWeele and Robins (2010), On the validity of covariate adjustment for
    estimating causal effects, UAI. Sharma and Kiciman (2020), DoWhy, arXiv:2011.04216.
    """
    stated = adjusted_nodes(plan, outcome)
    adjusted = tuple(n for n in graph.nodes if n in stated)
    constant = () if plan.columns.both_genders else (GENDER,)
    outside = tuple(n for n in stated if n not in (*graph.nodes, *constant))
    possible = possible_adjustment(graph, plan, outcome)
    affected = tuple(n for n in adjusted if n in graph.descendants(TREATMENT))
    sound = [n for n in adjusted if n in possible]
    with quiet():
        drawn = drawing(graph)
        within = adjustment_set(drawn, graph, outcome, sound)
        minimal = within if within is not None else adjustment_set(drawn, graph, outcome, possible)
        if minimal is None:
            raise PlanError(f"graph: {why_not_identified(graph, plan, outcome)}")
        door = front_door(drawn, graph, plan, outcome)
        instruments = _instruments(drawn, graph, plan, outcome)
    reduced = graph.without_effect(TREATMENT, outcome)
    opening = _opening(reduced, outcome, sound)
    open_paths: list[Path] = []
    if not reduced.separated(TREATMENT, outcome, adjusted):
        open_paths = reduced.open_paths(TREATMENT, outcome, adjusted, MOST_PATHS)
    more: tuple[str, ...] | None = ()
    if not opening:  # else it is enough to leave some out
        more = reduced.minimal_separator(TREATMENT, outcome, possible, sound)
    return Identified(
        outcome,
        minimal,
        adjusted,
        outside,
        tuple(n for n in (minimal if more is None else more) if n not in adjusted),
        affected,
        opening,
        tuple(open_paths),
        tuple(_blocked(graph, outcome, affected)),
        door,
        instruments,
    )


def adjustment_set(
    drawn: nx.DiGraph, graph: CausalGraph, outcome: str, allowed: Collection[str]
) -> tuple[str, ...] | None:
    """Return a minimal adjustment set of nodes allowed as dowhy finds it, or None."""
    from dowhy.causal_identifier.auto_identifier import identify_generalized_adjustment_set

    # Its search for back-door sets walks through all subsets; this one is complete and quick.
    found = identify_generalized_adjustment_set(drawn, [TREATMENT], [outcome], list(allowed))
    if not found:
        return None
    names = set(found[0].get_adjustment_variables())
    return tuple(n for n in graph.nodes if n in names)


def front_door(drawn: nx.DiGraph, graph: CausalGraph, plan: Plan, outcome: str) -> tuple[str, ...]:
    """Return the fewest measured mediators by which dowhy identifies the effect; none if none."""
    from dowhy.causal_identifier.auto_identifier import identify_frontdoor

    between = graph.descendants(TREATMENT) & graph.ancestors(outcome) & measured_nodes(plan).keys()
    mediators = [n for n in graph.nodes if n in between]
    if len(mediators) > MOST_MEDIATORS:
        return ()
    # dowhy takes the first it meets in a set, which differs from run to run: each in its turn.
    for size in range(1, LARGEST_DOOR + 1):
        for some in combinations(mediators, size):
            found = identify_frontdoor(drawn, [TREATMENT], [outcome], list(some))
            if set(found or ()) == set(some):
                return some
    return ()


def drawing(graph: CausalGraph) -> nx.DiGraph:
    """Return a graph as dowhy takes it."""
    import networkx as nx

    drawn = nx.DiGraph()
    drawn.add_nodes_from(graph.nodes)
    drawn.add_edges_from(graph.edges)
    return drawn


@contextmanager
def quiet(seed: int | None = None) -> Iterator[None]:
    """Silence dowhy, and give back the global random state that it draws from.

    Parameters
    ----------
    seed : int, optional
        Of the draws inside; it takes no generator.
    """
    state, plain = np.random.get_state(), random.getstate()  # noqa: NPY002
    logger = logging.getLogger("dowhy")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if seed is not None:
                np.random.seed(seed)  # noqa: NPY002
            yield
    finally:
        logger.setLevel(level)
        np.random.set_state(state)  # noqa: NPY002
        random.setstate(plain)


def _instruments(
    drawn: nx.DiGraph, graph: CausalGraph, plan: Plan, outcome: str
) -> tuple[str, ...]:
    from dowhy.graph import get_instruments

    found = set(get_instruments(drawn, [TREATMENT], [outcome])) & measured_nodes(plan).keys()
    return tuple(n for n in graph.nodes if n in found)


def _opening(reduced: CausalGraph, outcome: str, sound: list[str]) -> tuple[str, ...]:
    """Return which of the covariates leave no path open where they are left out, but open one.

    One alone may do so, or several together: then all of them that lie on the open paths.
    """
    if reduced.separated(TREATMENT, outcome, sound):
        return ()
    if reduced.minimal_separator(TREATMENT, outcome, sound) is None:
        return ()
    paths = reduced.open_paths(TREATMENT, outcome, sound, MOST_PATHS)
    return tuple(n for n in sound if any(n in openers(reduced, path, sound) for path in paths))


def openers(graph: CausalGraph, path: Path, given: Collection[str]) -> list[str]:
    """Return the nodes conditioned on that open the colliders of a path."""
    found: dict[str, None] = {}
    for node in colliders(graph, path):
        below = graph.descendants(node)
        found |= dict.fromkeys([node] if node in given else [n for n in given if n in below])
    return list(found)


def _blocked(graph: CausalGraph, outcome: str, affected: Collection[str]) -> Iterator[Path]:
    """Return ways from treatment along the arrows that go through what is adjusted for."""
    on_the_way, count = graph.ancestors(outcome), 0
    rest: deque[Path] = deque([(TREATMENT,)])
    for _ in range(MOST_STEPS):
        if not rest or count == MOST_PATHS:
            return
        path = rest.popleft()
        if path[-1] == outcome:
            if any(n in affected for n in path[:-1]):
                yield path
                count += 1
            continue
        children = graph.children[path[-1]]
        rest.extend((*path, child) for child in children if child in on_the_way | {outcome})
