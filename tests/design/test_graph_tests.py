"""What graphs imply for the data: which independences, and how a graph fares beside chance."""

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from evaluate.design.causal_graph import CausalGraph
from evaluate.design.graph_data import number
from evaluate.design.graph_tests import (
    SHUFFLES,
    Falsification,
    Statement,
    falsified,
    implied,
    judged,
)

from .graphs import acyclic, networkx_graph

CHAIN = [("a", "b"), ("b", "c"), ("c", "d"), ("a", "e"), ("e", "f")]


def nodes_of(n, seed=1, edges=CHAIN):
    """Draw numbers as a chain of linear effects has them."""
    rng = np.random.default_rng(seed)
    values = {}
    for name in "abcdef":
        causes = [values[a] for a, b in edges if b == name]
        values[name] = sum(causes, rng.normal(size=n))
    return {name: number(x) for name, x in values.items()}


@given(acyclic(3, 6), st.data())
@settings(max_examples=80, deadline=None)
def test_what_is_implied_holds_in_the_graph_and_no_pair_is_forgotten(drawn, data):
    graph, peer = CausalGraph.of(drawn[1]), networkx_graph(drawn[1])
    testable = [n for n in graph.nodes if data.draw(st.booleans())]
    found = implied(graph, testable)
    for s in found:
        assert nx.is_d_separator(peer, {s.a}, {s.b}, set(s.given))
        assert {s.a, s.b, *s.given} <= set(testable)
    pairs = {frozenset((s.a, s.b)) for s in found}
    assert len(pairs) == len(found)
    for a in testable:
        for b in testable:
            rest = set(testable) - {a, b}
            if a < b and not graph.adjacent(a, b):
                finder = nx.algorithms.d_separation.find_minimal_d_separator
                can = finder(peer, {a}, {b}, restricted=rest) is not None
                assert (frozenset((a, b)) in pairs) == can


def test_statements_are_written_with_what_is_held():
    assert str(Statement("a", "b", ())) == "a _||_ b"
    assert str(Statement("a", "b", ("c", "d"))) == "a _||_ b | c, d"


def test_the_true_graph_is_not_contradicted_and_a_wrong_one_is():
    nodes = nodes_of(1_000)
    true = CausalGraph.of(CHAIN)
    results, adjusted = judged(implied(true, list(nodes)), nodes, None, None)
    assert (adjusted > 0.05).all()
    p = np.array([r.p_value for r in results])
    assert_allclose(adjusted.min(), min(1, p.min() * len(p)), rtol=1e-12)  # Holm's first step
    wrong = CausalGraph.of([e for e in CHAIN if e != ("b", "c")] + [("b", "f")])
    statements = implied(wrong, list(nodes))
    _, adjusted = judged(statements, nodes, None, None)
    failing = {str(s) for s, q in zip(statements, adjusted, strict=True) if q < 0.05}
    assert "b _||_ c" in failing
    assert not any(s.startswith("b _||_ e | a") for s in failing)


def test_the_true_graph_is_better_than_graphs_with_other_names():
    found = falsified(CausalGraph.of(CHAIN), nodes_of(800), None, None, np.random.default_rng(1))
    assert found.verdict == "pass"
    assert found.p_value <= 0.05
    assert (found.failed, found.shuffles) == (0, SHUFFLES[1])


def test_a_graph_of_other_variables_is_no_better_than_chance():
    shuffled = {"a": "f", "b": "d", "c": "a", "d": "e", "e": "b", "f": "c"}
    wrong = CausalGraph.of([(shuffled[a], shuffled[b]) for a, b in CHAIN])
    found = falsified(wrong, nodes_of(800), None, None, np.random.default_rng(1))
    assert found.verdict == "warn"
    assert found.failed > 3


def test_the_same_draws_give_the_same_numbers():
    nodes = nodes_of(300)
    graph = CausalGraph.of([*CHAIN, ("u", "a"), ("u", "f")])  # u has no data
    made = [falsified(graph, nodes, None, None, np.random.default_rng(4)) for _ in range(2)]
    assert made[0] == made[1]


def test_weights_and_clusters_reach_the_shuffled_graphs(monkeypatch):
    from evaluate.design import graph_tests

    seen = []
    plain = graph_tests.score_test

    def spy(a, b, weight, cluster):
        seen.append((weight.sum(), len(np.unique(cluster))))
        return plain(a, b, weight, cluster)

    monkeypatch.setattr(graph_tests, "score_test", spy)
    cluster = np.arange(200) % 50
    args = nodes_of(200), np.full(200, 2.0), cluster
    falsified(CausalGraph.of(CHAIN), *args, np.random.default_rng(1))
    assert set(seen) == {(400.0, 50)}


@pytest.mark.parametrize(
    ("failed", "tests", "p", "same", "verdict"),
    [
        (0, 0, 0.0, 0.0, "not assessed"),
        (1, 5, 0.01, 0.2, "not assessed"),
        (1, 5, 0.01, 0.01, "pass"),
        (0, 5, 0.05, 0.01, "pass"),
        (1, 5, 0.06, 0.01, "warn"),
        (0, 5, 0.06, 0.01, "not assessed"),  # dowhy would reject a graph that nothing contradicts
    ],
)
def test_the_verdict_needs_tests_and_shuffling_that_changes_something(
    failed, tests, p, same, verdict
):
    assert Falsification(failed, tests, p, same, 100).verdict == verdict


def test_few_persons_are_not_shuffled():
    graph = CausalGraph.of(CHAIN)
    assert falsified(graph, nodes_of(60), None, None, np.random.default_rng(1)) is None
