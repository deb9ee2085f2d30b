"""What the graph of a plan implies for the data, and whether the data agree."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pandas as pd

from evaluate.design.causal_graph import CausalGraph
from evaluate.design.graph_data import Node
from evaluate.design.graph_identification import drawing, quiet
from evaluate.design.independence import (
    Regression,
    Residuals,
    Tested,
    conditioning,
    independence_test,
    regression,
    residuals,
    score_test,
)
from evaluate.effects.multiplicity import holm

ALPHA = 0.05
MOST_STATEMENTS = 300  # those with the fewest variables held the same come first
SUBSAMPLE = 1_000  # persons for the test by shuffled names
SHUFFLES = (20, 100)  # fewest and most
MOST_TESTS = 2_000  # of all shuffled graphs together, unless the fewest need more
FEWEST = 100  # persons with all variables, below which names are not shuffled


@dataclass(frozen=True)
class Statement:
    """Two nodes that the graph says are independent where some others are the same."""

    a: str
    b: str
    given: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.a} _||_ {self.b}" + (f" | {', '.join(self.given)}" if self.given else "")


@dataclass(frozen=True)
class Falsification:
    """How the graph fares beside the same graph with its names shuffled.

    Attributes
    ----------
    failed, tests : int
        Independences that fail, of those tested; each node given its direct causes.
    p_value : float
        Share of the shuffled graphs of whose independences no larger share fails.
    same : float
        Share of the shuffled graphs that imply nothing but what the graph does.
    shuffles : int
        How many shuffled graphs.
    """

    failed: int
    tests: int
    p_value: float
    same: float
    shuffles: int

    @property
    def verdict(self) -> str:
        """Whether the graph is better than chance.

        Not assessed where shuffling changes little of what it implies, nor where none of that
        fails, but too little of what the shuffled graphs imply: the data cannot tell.
        """
        if not self.tests or self.alike:
            return "not assessed"
        if self.p_value <= ALPHA:
            return "pass"
        return "warn" if self.failed else "not assessed"

    @property
    def alike(self) -> bool:
        """Whether too many of the shuffled graphs imply the same."""
        return self.same >= ALPHA


def implied(graph: CausalGraph, testable: list[str]) -> list[Statement]:
    """Return an independence for each two nodes without an arrow that measured nodes separate.

    Parameters
    ----------
    graph : CausalGraph
        Without circles.
    testable : list of str
        Nodes with data.

    Returns
    -------
    list of Statement
        Each with a smallest set that no node can be taken from. Where all nodes are measured
        and every statement holds, so does every independence that the graph implies.
    """
    found = []
    for i, a in enumerate(testable):
        for b in testable[i + 1 :]:
            if graph.adjacent(a, b):
                continue
            given = graph.minimal_separator(a, b, testable)
            if given is not None:
                found.append(Statement(a, b, given))
    return found


def judged(
    statements: list[Statement],
    nodes: Mapping[str, Node],
    weight: np.ndarray | None,
    cluster: np.ndarray | None,
) -> tuple[list[Tested], np.ndarray]:
    """Test independences.

    Returns
    -------
    list of Tested
        One for each statement.
    ndarray, shape (statements,)
        Their p-values adjusted after Holm.
    """
    results = [
        independence_test(nodes[s.a], nodes[s.b], [nodes[g] for g in s.given], weight, cluster)
        for s in statements
    ]
    return results, holm(np.array([r.p_value for r in results], dtype=float))


def falsified(
    graph: CausalGraph,
    nodes: Mapping[str, Node],
    weight: np.ndarray | None,
    cluster: np.ndarray | None,
    rng: np.random.Generator,
) -> Falsification | None:
    """Compare the graph with graphs whose names are shuffled, by dowhy.

    Parameters
    ----------
    graph : CausalGraph
        Without circles; independences with unmeasured nodes are passed over.
    nodes : mapping of str to Node
        The nodes with data.
    weight, cluster : ndarray, shape (n,), or None
        Of the persons.
    rng : Generator
        Draws the persons, and a seed for dowhy, which takes no generator.

    Returns
    -------
    Falsification or None
        None where too few persons have all variables.

    References
    ----------
    Eulig et al. (2023), Toward falsifying causal graphs using a permutation-based test,
    arXiv:2305.09565.
    """
    known = np.flatnonzero(np.logical_and.reduce([node.known for node in nodes.values()]))
    if len(known) < FEWEST:
        return None
    if len(known) > SUBSAMPLE:
        known = np.sort(rng.choice(known, SUBSAMPLE, replace=False))
    names = list(nodes)
    taken = [nodes[name].of(known) for name in names]
    w = np.ones(len(known)) if weight is None else weight[known]
    unit = None if cluster is None else cluster[known]

    # dowhy asks for all of a node's independences in a row: the others held the same stay.
    @lru_cache(maxsize=1)
    def others(given: tuple[int, ...]) -> Regression:
        return regression(conditioning([taken[i] for i in given], len(known)), w)

    @lru_cache(maxsize=len(names))
    def left(node: int, given: tuple[int, ...]) -> Residuals:
        return residuals(others(given), taken[node].tested, w)

    def p_value(x: np.ndarray, y: np.ndarray, z: np.ndarray | None = None) -> float:
        given = () if z is None else tuple(sorted(int(i) for i in z.ravel()))
        result = score_test(left(int(x[0]), given), left(int(y[0]), given), w, unit)
        return 1.0 if result.problem else result.p_value

    tests = sum(not graph.adjacent(a, b) for i, a in enumerate(names) for b in names[i + 1 :])
    shuffles = int(np.clip(MOST_TESTS // max(tests, 1), *SHUFFLES))
    return _shuffled(graph, names, p_value, shuffles, int(rng.integers(2**31)))


def _shuffled(
    graph: CausalGraph,
    names: list[str],
    p_value: Callable[..., float],
    shuffles: int,
    seed: int,
) -> Falsification:
    """Let dowhy test the graph, and graphs of the same shape with other names at its nodes."""
    with quiet(seed):
        from dowhy.gcm import falsify

        # A test is handed the columns of nodes, not their names; a category has several columns.
        # So each node's column is its place, and the test looks up the node.
        places = pd.DataFrame({name: [i] for i, name in enumerate(names)})
        found = falsify.falsify_graph(
            drawing(graph),
            places,
            independence_test=p_value,
            conditional_independence_test=p_value,
            significance_level=ALPHA,
            significance_ci=ALPHA,
            n_permutations=shuffles,
            show_progress_bar=False,
            n_jobs=1,
        ).summary
    const = falsify.FalsifyConst
    own, alike = found[const.VALIDATE_LMC], found[const.VALIDATE_TPA]
    return Falsification(
        int(own[const.GIVEN_VIOLATIONS]),
        int(own[const.N_TESTS]),
        float(own[const.P_VALUE]),
        float(alike[const.P_VALUE]),
        len(own[const.PERM_VIOLATIONS]),
    )
