"""What must be adjusted for: known graphs, dowhy's own identification, and brute force."""

import random
from itertools import chain, combinations

import networkx as nx
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from evaluate.design.causal_graph import arrows
from evaluate.design.graph_identification import (
    adjustment_set,
    drawing,
    front_door,
    identify,
    quiet,
)
from evaluate.design.graph_plan import graph_faults, graph_of, other_ways, possible_adjustment
from evaluate.errors import PlanError

from .graphs import CONFOUNDED, acyclic, networkx_graph, plan_of

draws = settings(max_examples=60, deadline=None)
EFFECT = ["treatment", "work"]


def identified(edges, covariates=(), **sections):
    plan = plan_of(edges, covariates, **sections)
    graph = graph_of(plan)
    found = identify(graph, plan, "work")
    return found, [arrows(graph, p) for p in found.open_paths]


def test_confounders_that_are_adjusted_for_suffice():
    found, paths = identified(CONFOUNDED, ["age", "education"])
    assert found.suffices
    assert set(found.minimal) == {"age", "gender"}
    assert (found.missing, found.affected, found.opening, found.outside, paths) == (
        (), (), (), (), [],
    )  # fmt: skip


def test_a_measured_confounder_outside_the_covariates_is_missing():
    found, paths = identified(CONFOUNDED, ["education"], groups=["age"])
    assert not found.suffices
    assert found.missing == ("age",)
    # Education is what age causes: held the same, the way round it is closed.
    assert paths == ["treatment <- age -> work"]


def test_a_covariate_that_the_graph_does_not_hold_is_named():
    found, _ = identified(CONFOUNDED, ["age", "education", "hair"])
    assert found.suffices
    assert found.outside == ("hair",)


def test_a_single_gender_is_no_covariate_outside_the_graph():
    edges = [["age", "treatment"], ["age", "work"], EFFECT]
    found, _ = identified(edges, ["age"], columns={"gender": "women"})
    assert found.outside == ()
    assert identified(edges, ["age"])[0].outside == ("gender",)


def test_a_mediator_among_the_covariates_takes_away_a_part_of_the_effect():
    edges = [*CONFOUNDED, ["treatment", "m"], ["m", "work"]]
    found, paths = identified(edges, ["age", "education", "m"])
    assert not found.suffices
    assert found.affected == ("m",)
    assert found.blocked_paths == (("treatment", "m", "work"),)
    assert (found.missing, paths) == ((), [])


def test_what_is_missing_is_found_beside_a_covariate_that_is_affected():
    edges = [["age", "treatment"], ["age", "z"], ["treatment", "z"], ["age", "work"], EFFECT]
    found, paths = identified(edges, ["z"], groups=["age"])
    assert (found.affected, found.missing) == (("z",), ("age",))
    assert "treatment <- age -> work" in paths


def test_what_follows_from_the_treatment_beside_the_effect_is_affected_too():
    found, _ = identified([*CONFOUNDED, ["treatment", "z"]], ["age", "education", "z"])
    assert (found.suffices, found.affected, found.blocked_paths) == (False, ("z",), ())


def test_a_collider_opens_the_path_of_the_letter_m():
    m = [["u", "m"], ["v", "m"], ["u", "treatment"], ["v", "work"], EFFECT]
    found, paths = identified(m, ["m"])
    assert (found.suffices, found.minimal, found.missing) == (False, (), ())
    assert found.opening == ("m",)
    assert paths == ["treatment <- u -> m <- v -> work"]
    found, _ = identified(m, ["m"], groups=["u"])
    assert (found.opening, found.missing) == (("m",), ())
    assert identified(m, ["m", "u"])[0].suffices


def test_the_descendant_of_a_collider_opens_its_path():
    m = [["u", "c"], ["v", "c"], ["c", "d"], ["u", "treatment"], ["v", "work"], EFFECT]
    found, paths = identified(m, ["d"])
    assert found.opening == ("d",)
    assert paths == ["treatment <- u -> c <- v -> work"]


def test_an_unmeasured_confounder_stops():
    with pytest.raises(PlanError, match=r"treatment <- u -> work\. Not measured: u\."):
        identified([["u", "treatment"], ["u", "work"], EFFECT])


def test_a_hidden_cause_that_a_covariate_cuts_off_does_not_stop():
    edges = [["u", "age"], ["u", "work"], ["age", "treatment"], EFFECT]
    assert identified(edges, ["age"])[0].suffices


def test_an_instrument_and_a_front_door_are_named():
    edges = [*CONFOUNDED, ["distance", "treatment"], ["treatment", "m"], ["m", "work"]]
    edges.remove(EFFECT)
    found, _ = identified(edges, ["age", "education"], groups=["distance", "m"])
    assert found.suffices
    assert (found.instruments, found.front_door) == (("distance",), ("m",))


def names_for(data, drawn):
    """Let two nodes of a drawn graph be treatment and outcome, and some be measured."""
    nodes, edges = drawn
    ends = data.draw(st.permutations(nodes))[:2]
    ends.sort(key=nodes.index)
    names = dict(zip(ends, EFFECT, strict=True))
    pairs = [tuple(names.get(n, n) for n in edge) for edge in edges]
    rest = [n for n in nodes if n not in ends]
    covariates = data.draw(st.lists(st.sampled_from(rest), unique=True)) if rest else []
    more = [n for n in rest if n not in covariates and data.draw(st.booleans())]
    peer = networkx_graph(pairs)
    assume("treatment" in peer and "work" in nx.descendants(peer, "treatment"))
    columns = {"gender": "women"}
    return plan_of(pairs, covariates, groups=more, columns=columns), peer, covariates, more


def suffices(peer, given):
    """Tell by the back-door criterion whether a set suffices."""
    cut = peer.copy()
    cut.remove_edges_from(list(peer.out_edges("treatment")))
    if set(given) & nx.descendants(peer, "treatment"):
        return False
    return nx.is_d_separator(cut, {"treatment"}, {"work"}, set(given) & set(peer))


def subsets(nodes):
    return chain.from_iterable(combinations(nodes, size) for size in range(len(nodes) + 1))


@given(acyclic(3, 7), st.data())
@draws
def test_any_graph_is_judged_as_by_trying_all_sets(drawn, data):
    plan, peer, covariates, more = names_for(data, drawn)
    measured = [n for n in [*covariates, *more] if n in peer]
    works = [set(s) for s in subsets(measured) if suffices(peer, s)]
    assert bool(graph_faults(plan)) == (not works)
    if not works:
        with pytest.raises(PlanError):
            identify(graph_of(plan), plan, "work")
        return
    found = identify(graph_of(plan), plan, "work")
    assert set(found.minimal) in works
    assert not any(w < set(found.minimal) for w in works)
    assert found.suffices == suffices(peer, [c for c in covariates if c in peer])
    within = [w for w in works if w <= set(covariates)]
    assert (set(found.minimal) <= set(covariates)) == bool(within) or not within
    assert not {*found.minimal, *found.missing} & nx.descendants(peer, "treatment")
    if not found.opening:
        assert suffices(peer, {*found.adjusted, *found.missing} - {*found.affected})
    if found.opening:
        assert within
        assert any(not w >= set(found.opening) for w in within)


@given(acyclic(3, 6), st.data())
@draws
def test_sets_front_doors_and_instruments_are_dowhys(drawn, data):
    from dowhy.causal_identifier.auto_identifier import (
        BackdoorAdjustment,
        identify_backdoor,
        identify_frontdoor,
    )
    from dowhy.graph import get_instruments

    plan, peer, *_ = names_for(data, drawn)
    graph = graph_of(plan)
    allowed = possible_adjustment(graph, plan, "work")
    nodes = [["treatment"], ["work"]]
    found = adjustment_set(drawing(graph), graph, "work", allowed)
    every = identify_backdoor(peer, *nodes, allowed, BackdoorAdjustment.BACKDOOR_EXHAUSTIVE)
    theirs = [set(s.get_adjustment_variables()) for s in every]
    assert (found is None) == (not theirs)
    assert found is None or not any(w < set(found) for w in theirs)
    # dowhy's instruments may be no instrument where another node confounds them: a subset here.
    ways = other_ways(graph, plan, "work")
    ours = set(ways.get("an instrument", []))
    direct = {n for n in ours if "treatment" in graph.children[n]}
    assert direct <= set(get_instruments(peer, *nodes))
    for node in ways.get("a front door", []):
        assert identify_frontdoor(peer, *nodes, [node]) == [node]
    door = front_door(drawing(graph), graph, plan, "work")
    assert len(door) != 1 or door[0] in ways["a front door"]


def test_dowhys_draws_leave_no_trace_and_are_repeated():
    np.random.seed(5)  # noqa: NPY002
    random.seed(5)
    before = np.random.get_state()[1].copy(), random.getstate()  # noqa: NPY002
    drawn = []
    for _ in range(2):
        with quiet(3):
            drawn.append(np.random.random())  # noqa: NPY002
    after = np.random.get_state()[1], random.getstate()  # noqa: NPY002
    assert drawn[0] == drawn[1]
    assert (before[0] == after[0]).all()
    assert before[1] == after[1]
