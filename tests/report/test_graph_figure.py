"""The figure of the causal graph: where boxes and arrows stand, what is marked, the same bytes."""

import os
import re
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from design.graphs import acyclic
from hypothesis import given, settings

from evaluate.design.causal_graph import CausalGraph
from evaluate.report.graph_figure import MOST_NODES, RED, gathered, graph_figure
from evaluate.report.graph_layout import THREAD, _apart, arrange, layers
from evaluate.report.sheet import SMALL, WIDTH
from evaluate.report.words import Words

EN = Words("en")
EDGES = [
    ("age", "treatment"), ("age", "work"), ("u", "treatment"), ("u", "prior"), ("prior", "work"),
    ("treatment", "m"), ("m", "work"), ("treatment", "work"),
]  # fmt: skip
ROLES = {
    "age": "adjusted", "treatment": "treatment", "work": "outcome", "u": "unmeasured",
    "prior": "measured", "m": "measured",
}  # fmt: skip
MANY = [f"covariate_{i}" for i in range(12)]


def dense():
    """Return the edges of covariates that all cause one another, treatment and outcome."""
    pairs = [(a, b) for i, a in enumerate(MANY) for b in MANY[i + 1 :]]
    return [*pairs, *((a, b) for a in MANY for b in ("treatment", "work")), ("treatment", "work")]


@pytest.fixture
def drawn(monkeypatch):
    """Collect the boxes, the arrows and the words of a figure."""
    from matplotlib.axes import Axes

    calls = {"patches": [], "texts": []}
    plain_patch, plain_text = Axes.add_patch, Axes.text

    def add_patch(self, patch):
        calls["patches"].append(patch)
        return plain_patch(self, patch)

    def text(self, x, y, s, **look):
        calls["texts"].append((x, y, s, look))
        return plain_text(self, x, y, s, **look)

    monkeypatch.setattr(Axes, "add_patch", add_patch)
    monkeypatch.setattr(Axes, "text", text)
    return calls


def figure(edges=EDGES, roles=ROLES, **look):
    graph = CausalGraph.of(edges)
    titles = {n: n for n in graph.nodes}
    return graph_figure(graph, roles, titles, EN, label="A graph", **look)


def of_kind(drawn, kind):
    return [p for p in drawn["patches"] if type(p).__name__ == kind]


def test_every_node_and_arrow_is_drawn_within_the_sheet(drawn):
    figure()
    said = [s for _, _, s, _ in drawn["texts"]]
    assert set(ROLES) <= set(said)
    assert len(of_kind(drawn, "FancyArrowPatch")) == len(EDGES)
    boxes = of_kind(drawn, "Rectangle")
    for box in boxes:
        left, right = sorted((box.get_x(), box.get_x() + box.get_width()))
        assert left >= 0
        assert right <= WIDTH


def test_arrows_run_from_left_to_right_and_around_boxes(drawn):
    figure()
    nodes = [b for b in of_kind(drawn, "Rectangle") if b.get_zorder() == 3]
    assert len(nodes) == len(ROLES)
    for arrow in of_kind(drawn, "FancyArrowPatch"):
        points = np.vstack(arrow._path_original.to_polygons(closed_only=False))
        assert (np.diff(points[:, 0]) >= -1e-9).all()
        for box in nodes:
            x, y, w, h = box.get_x(), box.get_y(), box.get_width(), box.get_height()
            inside = (points[:, 0] > x + 0.1) & (points[:, 0] < x + w - 0.1)
            inside &= (points[:, 1] > y) & (points[:, 1] < y + h)
            assert not inside.any()


def test_roles_look_different_and_the_legend_names_those_that_are_there(drawn):
    figure()
    looks = {}
    for _, _, s, look in drawn["texts"]:
        if s in ROLES:
            looks[s] = (look["color"], look["weight"])
    assert looks["treatment"][0] == "white"
    assert looks["work"][1] == "bold"
    assert looks["u"] != looks["age"]
    dashed = [b for b in of_kind(drawn, "Rectangle") if b.get_linestyle() not in ("-", "solid")]
    assert len(dashed) == 2  # the box and its key
    said = {s for _, _, s, _ in drawn["texts"]}
    keys = ("treatment", "outcome", "adjusted", "measured", "unmeasured")
    assert {EN(f"graph.key.{k}") for k in keys} <= said
    assert EN("graph.key.open") not in said


def test_arrows_of_open_paths_are_marked(drawn):
    figure(marked=[("u", "treatment"), ("u", "prior"), ("prior", "work")])
    colours = [p.get_edgecolor() for p in of_kind(drawn, "FancyArrowPatch")]
    from matplotlib.colors import to_rgba

    assert colours.count(to_rgba(RED)) == 3
    assert EN("graph.key.open") in {s for _, _, s, _ in drawn["texts"]}


def test_likes_share_a_box_in_a_large_graph():
    graph = CausalGraph.of([*dense(), ("u", MANY[0]), ("z", "treatment")])
    found = gathered(graph, MANY)
    assert found.boxes[MANY[1]] == tuple(MANY[1:])
    assert found.boxes[MANY[0]] == (MANY[0],)  # something else causes it
    assert found.hidden == 12 * 11 // 2
    assert (MANY[1], "work") in found.edges
    assert len(found.edges) == 2 * 2 + 3


def test_in_a_small_graph_each_node_has_its_box():
    graph = CausalGraph.of(EDGES)
    found = gathered(graph, ["age"])
    assert found.boxes == {n: (n,) for n in graph.nodes}
    assert (found.hidden, found.edges) == (0, graph.edges)
    assert len(graph.nodes) <= MOST_NODES


def test_a_large_graph_names_all_nodes_on_the_sheet(drawn):
    roles = dict.fromkeys(MANY, "adjusted") | {"treatment": "treatment", "work": "outcome"}
    figure(dense(), roles)
    said = " ".join(s for _, _, s, _ in drawn["texts"])
    for name in MANY:
        assert name in said
    assert len(of_kind(drawn, "FancyArrowPatch")) == 3


def test_long_names_are_broken_and_text_keeps_its_size(drawn):
    roles = {"a_covariate_with_a_name_of_many_words": "adjusted", "treatment": "treatment",
             "work": "outcome"}  # fmt: skip
    long = "a_covariate_with_a_name_of_many_words"
    text = figure([(long, "treatment"), (long, "work"), ("treatment", "work")], roles)
    assert "".join(s for _, _, s, _ in drawn["texts"] if s in long).startswith("a_covariate")
    assert all(look.get("fontsize", 9) >= SMALL for *_, look in drawn["texts"])
    assert re.search(r'viewBox="0 0 504 ', text)


def test_a_chain_of_many_layers_stays_on_the_sheet(drawn):
    names = [f"x{i}" for i in range(7)]
    edges = [*pairwise([*names, "treatment", "work"])]
    roles = dict.fromkeys(names, "measured") | {"treatment": "treatment", "work": "outcome"}
    figure(edges, roles)
    edges_of = sorted((b.get_x(), b.get_x() + b.get_width()) for b in of_kind(drawn, "Rectangle")
                      if b.get_zorder() == 3)  # fmt: skip
    assert edges_of[-1][1] <= WIDTH
    assert all(a[1] < b[0] for a, b in pairwise(edges_of))


def test_what_nothing_causes_stands_near_its_effects():
    edges = [("a", "b"), ("b", "treatment"), ("z", "treatment"), ("treatment", "work"), ("a", "y")]
    found = layers(["a", "b", "z", "treatment", "work", "y"], edges)
    assert found == {"a": 0, "b": 1, "z": 1, "treatment": 2, "work": 3, "y": 1}


def test_places_that_are_far_enough_apart_are_kept():
    layout = arrange(["a", "b", "c"], [("a", "b"), ("b", "c")], dict.fromkeys("abc", 20.0), 10.0)
    assert len(set(layout.y.values())) == 1  # a chain is a straight line
    kept = _apart(np.array([50.0, 20.0, 0.0]), np.array([0.0, 15.0, 30.0]))
    assert list(kept) == [50.0, 20.0, 0.0]
    moved = _apart(np.array([10.0, 10.0]), np.array([0.0, 30.0]))
    assert list(moved) == [25.0, -5.0]


@given(acyclic(3, 8))
@settings(max_examples=40, deadline=None)
def test_boxes_of_a_layer_never_overlap_and_causes_stand_left(drawn):
    graph = CausalGraph.of(drawn[1])
    heights = {n: 20.0 + 5 * i for i, n in enumerate(graph.nodes)}
    layout = arrange(graph.nodes, graph.edges, heights, 10.0)
    assert layout.layer == layers(graph.nodes, graph.edges)
    for cause, effect in graph.edges:
        assert layout.layer[cause] < layout.layer[effect]
        way = layout.way((cause, effect))
        assert [i for i, _ in way] == list(range(layout.layer[cause], layout.layer[effect] + 1))
    for row in set(layout.layer.values()):
        slots = [
            (y, heights[s[0]] if len(s) == 1 else THREAD)
            for s, y in layout.y.items()
            if (layout.layer[s[0]] if len(s) == 1 else int(s[2])) == row
        ]
        slots.sort()
        for (low, tall), (high, above) in pairwise(slots):
            assert high - low >= (tall + above) / 2 + 10 - 1e-6
        assert slots[0][0] - slots[0][1] / 2 >= -1e-6
        assert slots[-1][0] + slots[-1][1] / 2 <= layout.height + 1e-6


def test_the_bytes_are_the_same_in_every_process():
    code = (
        "from hashlib import sha256; from report.test_graph_figure import figure, dense, "
        "MANY; roles = dict.fromkeys(MANY, 'adjusted') | {'treatment': 'treatment', 'work': "
        "'outcome'}; print(sha256((figure() + figure(dense(), roles)).encode()).hexdigest())"
    )
    made = {
        subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True,
            env=os.environ | {"PYTHONHASHSEED": seed, "PYTHONPATH": str(Path(__file__).parents[1])},
        ).stdout
        for seed in ("1", "2")
    }  # fmt: skip
    assert len(made) == 1
    assert len(made.pop()) == 65


def test_the_figure_says_what_it_is():
    text = figure()
    assert 'aria-label="A graph"' in text
    assert text.startswith("<svg")
    assert "<style" not in text
