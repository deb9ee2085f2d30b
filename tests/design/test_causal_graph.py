"""Graphs: separation, minimal separators and open paths as networkx and brute force have them."""

from itertools import chain, combinations, pairwise

import networkx as nx
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluate.design.causal_graph import CausalGraph, arrows, colliders

from .graphs import acyclic, networkx_graph

draws = settings(max_examples=150, deadline=None)
DENSE = [(f"v{i}", f"v{j}") for i in range(24) for j in range(i + 1, 24)]


def subsets(nodes):
    return chain.from_iterable(combinations(nodes, size) for size in range(len(nodes) + 1))


def is_open(graph, path, given):
    """Tell by the definition whether a path is open."""
    for a, m, b in zip(path, path[1:], path[2:], strict=False):
        collider = graph.has_edge(a, m) and graph.has_edge(b, m)
        opened = bool((nx.descendants(graph, m) | {m}) & set(given))
        if not opened if collider else m in given:
            return False
    return True


def two_and_given(data, graph):
    a, b = data.draw(st.permutations(graph.nodes))[:2]
    rest = [n for n in graph.nodes if n not in (a, b)]
    return a, b, data.draw(st.lists(st.sampled_from(rest), unique=True)) if rest else []


@given(acyclic(), st.data())
@draws
def test_separation_is_that_of_networkx(drawn, data):
    graph, peer = CausalGraph.of(drawn[1]), networkx_graph(drawn[1])
    a, b, held = two_and_given(data, graph)
    assert graph.separated(a, b, held) == nx.is_d_separator(peer, {a}, {b}, set(held))
    assert graph.descendants(a) == nx.descendants(peer, a)
    assert graph.ancestors(a, b) == nx.ancestors(peer, a) | nx.ancestors(peer, b)


@given(acyclic(), st.data())
@draws
def test_a_separator_is_found_where_there_is_one_and_none_of_it_can_go(drawn, data):
    graph, peer = CausalGraph.of(drawn[1]), networkx_graph(drawn[1])
    a, b, allowed = two_and_given(data, graph)
    must = data.draw(st.lists(st.sampled_from(allowed), unique=True)) if allowed else []
    found = graph.minimal_separator(a, b, allowed, must)
    works = [
        set(s)
        for s in subsets(allowed)
        if set(must) <= set(s) and nx.is_d_separator(peer, {a}, {b}, set(s))
    ]
    if found is None:
        assert not works
        return
    assert set(found) in works
    assert not any(w < set(found) for w in works)


@given(acyclic(), st.data())
@draws
def test_open_paths_are_those_of_the_definition_short_ones_first(drawn, data):
    graph, peer = CausalGraph.of(drawn[1]), networkx_graph(drawn[1])
    a, b, held = two_and_given(data, graph)
    every = [tuple(p) for p in nx.all_simple_paths(peer.to_undirected(), a, b)]
    expected = {p for p in every if is_open(peer, p, held)}
    found = graph.open_paths(a, b, held, most=10_000)
    assert set(found) == expected
    assert len(found) == len(expected)
    assert [len(p) for p in found] == sorted(len(p) for p in found)
    assert bool(found) != graph.separated(a, b, held)
    assert graph.open_paths(a, b, held, most=2) == found[:2]


def test_paths_of_a_dense_graph_come_at_once():
    graph = CausalGraph.of(DENSE)
    assert len(graph.open_paths("v0", "v23", ["v5"], most=10)) == 10


@given(acyclic(), st.data())
@draws
def test_a_circle_is_found_wherever_it_is(drawn, data):
    edges = drawn[1]
    assert CausalGraph.of(edges).cycle() is None
    graph = CausalGraph.of(edges)
    cause = data.draw(st.sampled_from(graph.nodes))
    below = sorted(graph.descendants(cause))
    if below:
        back = (data.draw(st.sampled_from(below)), cause)
        circle = CausalGraph.of([*edges, back]).cycle()
        assert circle[0] == circle[-1]
        steps = set(pairwise(circle))
        assert steps <= {*edges, back}
        assert back in steps


def test_a_node_that_causes_itself_is_a_circle():
    assert CausalGraph.of([("a", "b"), ("b", "b")]).cycle() == ("b", "b")


def test_paths_are_written_with_their_arrows():
    graph = CausalGraph.of([("u", "t"), ("u", "m"), ("v", "m"), ("v", "y"), ("t", "y")])
    path = ("t", "u", "m", "v", "y")
    assert arrows(graph, path) == "t <- u -> m <- v -> y"
    assert colliders(graph, path) == ["m"]


def test_without_the_effect_all_nodes_stay():
    graph = CausalGraph.of([("t", "m"), ("m", "y"), ("t", "z")]).without_effect("t", "y")
    assert graph.nodes == ("t", "m", "y", "z")
    assert graph.edges == (("m", "y"), ("t", "z"))
