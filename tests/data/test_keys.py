"""Keys that changed: chains are followed, what contradicts itself denotes nobody."""

import networkx
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.extract import assessed, cleaned, offers, people, plan, prepared
from evaluate.data.keys import key_map, last_keys
from evaluate.data.readers.read import RawTable
from evaluate.errors import Problems
from evaluate.notes import reason
from evaluate.schemas import CLEANING, QUARANTINE

PLAN = plan(data={"participants": {"path": "p.csv"}, "keys": {"path": "k.csv"}})


def mapped(*pairs):
    cells = pd.DataFrame(list(pairs), columns=["old", "new"], dtype="str")
    return key_map(RawTable("k.csv", cells, "CSV"), PLAN)


def as_dict(found):
    return dict(zip(found.old.to_pylist(), found.last.to_pylist(), strict=True))


def rejected(found):
    table = found.decisions.quarantine
    return dict(zip(table["source_row"], table["reason"], strict=True))


def test_chains_are_followed_to_their_end():
    found = mapped(("b", "c"), ("a", "b"), ("c", "d"), ("x", "y"))
    assert as_dict(found) == {"a": "d", "b": "d", "c": "d", "x": "y"}
    keys = pd.Series(["a", "d", "", "x", "z"], dtype="str")
    assert found.follow(keys).to_list() == ["d", "d", "", "y", "z"]
    assert not rejected(found)


def test_many_keys_lead_to_one():
    assert as_dict(mapped(("a", "z"), ("b", "z"), ("c", "b"))) == {"a": "z", "b": "z", "c": "z"}


def test_several_ways_to_one_last_key_are_no_conflict():
    found = mapped(("a", "b"), ("b", "c"), ("a", "c"))
    assert as_dict(found) == {"a": "c", "b": "c"}
    assert not rejected(found)


REJECTED = {
    "repeated pair": ([("a", "b"), ("a", "b")], {2: "duplicate"}, {"a": "b"}, set()),
    "no old key": ([("", "b"), ("a", "b")], {1: "no_key"}, {"a": "b"}, set()),
    "no new key": ([("a", "NA"), ("a", "b")], {1: "no_key"}, {"a": "b"}, set()),
    "empty pairs": ([("", ""), ("", ""), ("a", "b")], {1: "no_key", 2: "no_key"}, {"a": "b"},
                    set()),
    "itself": ([("a", "a"), ("a", "b")], {1: "key_same"}, {"a": "b"}, set()),
    "several": ([("a", "b"), ("a", "c"), ("d", "e")],
                {1: "key_conflict", 2: "key_conflict"}, {"d": "e"}, {"a"}),
    "to several": ([("x", "a"), ("a", "b"), ("a", "c")],
                   {1: "key_conflict", 2: "key_conflict", 3: "key_conflict"}, {}, {"a", "x"}),
    "chain to several": ([("a", "b"), ("a", "c"), ("b", "d")],
                         {1: "key_conflict", 2: "key_conflict"}, {"b": "d"}, {"a"}),
    "circle": ([("a", "b"), ("b", "a"), ("d", "e")],
               {1: "key_circle", 2: "key_circle"}, {"d": "e"}, {"a", "b"}),
    "into a circle": ([("x", "a"), ("a", "b"), ("b", "c"), ("c", "a")],
                      dict.fromkeys((1, 2, 3, 4), "key_circle"), {}, {"a", "b", "c", "x"}),
    "out of a circle": ([("a", "b"), ("b", "a"), ("b", "c")],
                        dict.fromkeys((1, 2, 3), "key_circle"), {}, {"a", "b"}),
    "between circles": ([("a", "b"), ("b", "a"), ("b", "m"), ("m", "c"), ("c", "d"), ("d", "c")],
                        dict.fromkeys(range(1, 7), "key_circle"), {}, {"a", "b", "c", "d", "m"}),
    "all at once": ([("a", "b"), ("", "b"), ("a", "b"), ("c", "c"), ("e", "f"), ("e", "g"),
                     ("h", "i"), ("i", "h")],
                    {2: "no_key", 3: "duplicate", 4: "key_same", 5: "key_conflict",
                     6: "key_conflict", 7: "key_circle", 8: "key_circle"},
                    {"a": "b"}, {"e", "h", "i"}),
}  # fmt: skip


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize(("pairs", "out", "left", "unclear"), REJECTED.values(), ids=REJECTED)
def test_a_row_that_says_nothing_or_too_much_is_rejected(pairs, out, left, unclear, reverse):
    found = mapped(*pairs)
    assert rejected(found) == {row: reason(why) for row, why in out.items()}
    if reverse:  # what is decided does not hang on the order of the rows, but for duplicates
        found = mapped(*pairs[::-1])
        assert sorted(rejected(found).values()) == sorted(reason(why) for why in out.values())
    assert as_dict(found) == left
    assert set(found.unclear.to_pylist()) == unclear


PAIRS = st.lists(st.tuples(st.integers(0, 7), st.integers(0, 7)), max_size=14, unique=True)


@settings(max_examples=300, derandomize=True, deadline=None)
@given(PAIRS)
def test_every_key_is_judged_as_by_a_walk_through_the_graph(pairs):
    pairs = [(a, b) for a, b in pairs if a != b]
    old, new = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
    end, in_circle, several = last_keys(old, new, 8)
    graph = networkx.DiGraph(pairs)
    graph.add_nodes_from(range(8))
    circles = {n for c in networkx.strongly_connected_components(graph) if len(c) > 1 for n in c}
    for key in range(8):
        reached = networkx.descendants(graph, key) | {key}
        ends = {n for n in reached if graph.out_degree(n) == 0}
        assert in_circle[key] == bool(reached & circles)
        assert several[key] == (not in_circle[key] and len(ends) > 1)
        if not in_circle[key] and not several[key]:
            assert {int(end[key])} == ends


def test_a_long_chain_and_a_long_circle_end():
    n = 100_000
    end, in_circle, several = last_keys(np.arange(n - 1), np.arange(1, n), n)
    assert (end == n - 1).all()
    assert not (in_circle | several).any()
    assert last_keys(np.arange(n), np.roll(np.arange(n), 1), n)[1].all()


def test_a_missing_column_of_the_key_table_is_named():
    raw = RawTable("k.csv", pd.DataFrame({"Old": ["a"], "newer": ["b"]}, dtype="str"), "CSV")
    with pytest.raises(Problems, match=r"k.csv: no column `old` \(data.keys.old\)"):
        key_map(raw, PLAN)


KEYS = [{"old": "q0", "new": "p0"}, {"old": "q1", "new": "q0"}]


def test_every_key_that_a_person_had_denotes_it(tmp_path):
    rows = people()
    rows[0]["id"], rows[5]["id"] = "q1", "r5"
    keys = [
        *KEYS,
        {"old": "z", "new": "zz"},
        {"old": "p4", "new": "s4"},
        {"old": "t4", "new": "p4"},
    ]
    found = prepared(tmp_path / "p.csv", rows, keys=keys)
    aliases = dict(zip(found.people.alias_text, found.people.alias_person, strict=True))
    expected = {f"p{i}": i for i in range(16) if i != 5} | {"r5": 5}
    assert aliases == expected | {"q0": 0, "q1": 0, "s4": 4, "t4": 4}
    assert found.key.iloc[[0, 4, 5]].to_list() == ["p0", "s4", "r5"]


def test_without_a_key_nothing_denotes_a_person(tmp_path):
    found = prepared(tmp_path / "p.csv", people(), columns={"person": None})
    assert found.key is None
    assert len(found.people.alias_text) == len(found.people.alias_person) == 0


def test_a_person_whose_key_is_unclear_is_left_out_and_denoted_by_none(tmp_path):
    keys = [{"old": "p3", "new": "u"}, {"old": "p3", "new": "v"}, {"old": "p7", "new": "p7b"},
            {"old": "p7b", "new": "p7"}]  # fmt: skip
    found = prepared(tmp_path / "p.csv", people(), keys=keys)
    out = found.quarantine[found.quarantine["table"] == "participants"]
    assert out["source_row"].to_list() == [4, 8]
    assert set(out["reason"]) == {reason("key_unclear")}
    assert not {"p3", "u", "v", "p7", "p7b"} & set(found.people.alias_text)
    assert not found.people.kept[[3, 7]].any()


def test_rows_alike_but_for_the_key_are_one_person(tmp_path):
    rows = [*people(), people()[0] | {"id": "q1"}]
    study = cleaned(tmp_path / "p.csv", rows, keys=KEYS)
    assert study.quarantine.values.tolist() == [["participants", 17, reason("duplicate")]]
    assert len(study.participants) == 16


def test_rows_that_the_key_table_joins_and_that_differ_are_a_fault_of_their_own(tmp_path):
    rows = [*people(), people()[0] | {"id": "q1", "lön": "1"}, people()[3] | {"lön": "2"}]
    with pytest.raises(Problems) as error:
        cleaned(tmp_path / "p.csv", rows, keys=KEYS)
    plain, joined = error.value.problems
    assert "id: 1 person has several rows that differ, 2 rows in all" in plain
    table = tmp_path / "keys.csv"
    assert f"differ, whose keys the key table {table} joins, 2 rows in all" in joined


def test_offers_are_found_under_an_earlier_key_of_the_person(tmp_path):
    rows = offers()
    rows[0]["id"] = "q1"
    study = cleaned(tmp_path / "p.csv", assessed(), rows, KEYS)
    assert len(study.participants) == 16


def test_the_decisions_on_keys_are_counted_by_the_gender_of_whom_they_lead_to(tmp_path):
    keys = [*KEYS, KEYS[0], {"old": "q3", "new": "p1"}, {"old": "x", "new": "y"}]
    study = cleaned(tmp_path / "p.csv", people(), keys=keys)
    CLEANING.validate(study.cleaning)
    QUARANTINE.validate(study.quarantine)
    counts = study.cleaning.set_index(["table", "step", "reason"])
    assert counts.loc[("keys", "received", "")].to_list() == [5, 3, 1, 2, 1, 1]
    assert counts.loc[("keys", "excluded", reason("duplicate"))].to_list() == [1, 1, 0, 1, 1, 0]
    assert counts.loc[("keys", "kept", "")].to_list() == [4, 2, 1, 2, 1, 1]
    assert study.quarantine.values.tolist() == [["keys", 3, reason("duplicate")]]
