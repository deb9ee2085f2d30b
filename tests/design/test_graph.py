"""The table of the graph: identification and tests of known graphs, and what stops."""

import time

import numpy as np
import pandas as pd
import pytest

from evaluate import schemas
from evaluate.design import graph as module
from evaluate.design.graph import graph_table
from evaluate.design.graph_data import category, node_data, number, standing_column
from evaluate.errors import PlanError, Problems

from .graphs import CONFOUNDED, confounded, plan_of, study_of

COVARIATES = ["age", "education"]


def made(edges, frame, covariates=COVARIATES, study=None, **sections):
    plan = plan_of(edges, covariates, **sections)
    return schemas.GRAPH.validate(graph_table(study_of(plan, frame, **(study or {})), plan, 1))


def of_kind(table, kind):
    return table[table["kind"] == kind]


def test_a_true_graph_with_its_confounders_passes():
    table = made(CONFOUNDED, confounded(3_000))
    assert list(table["kind"]) == [
        "adjustment_set", "independence", "independence", "independence", "falsification",
    ]  # fmt: skip
    first = table.iloc[0]
    assert first["statement"] == "treatment -> work | age, gender"
    assert (first["verdict"], first["note"]) == ("pass", "")
    assert list(of_kind(table, "independence")["statement"]) == [
        "age _||_ gender", "gender _||_ education", "treatment _||_ education | age",
    ]  # fmt: skip
    assert (of_kind(table, "independence")["verdict"] == "pass").all()
    assert of_kind(table, "independence")["statistic"].notna().all()
    last = table.iloc[-1]
    assert last["statement"] == "age, treatment, work, gender, education"
    assert "fail on at most 1,000 persons, in " in last["note"]
    assert 0 <= last["p_value"] <= 1


def test_an_open_path_is_named_with_what_closes_it():
    table = made(CONFOUNDED, confounded(300), ["education"], groups=["age"])
    path = of_kind(table, "path").iloc[0]
    assert path["statement"] == "treatment <- age -> work"
    assert (path["verdict"], path["note"]) == ("warn", "open, would be closed by adjusting for age")
    first = table.iloc[0]
    assert (first["verdict"], first["note"]) == ("warn", "to be adjusted for besides: age")


def test_what_the_treatment_affects_is_never_proposed_for_adjustment():
    edges = [["age", "treatment"], ["age", "m"], ["treatment", "m"], ["m", "work"]]
    frame = confounded(300).assign(m=lambda f: f["age"])
    table = made(edges, frame, [], groups=["age", "m"], columns={"gender": None})
    path = of_kind(table.head(2), "path").iloc[0]
    assert path["statement"] == "treatment <- age -> m -> work"
    assert path["note"] == "open, would be closed by adjusting for age"


def test_a_mediator_is_told_with_the_part_of_the_effect_that_it_takes():
    frame = confounded(300).assign(m=lambda f: f["treatment"] + np.arange(300) % 7)
    edges = [*CONFOUNDED, ["treatment", "m"], ["m", "work"]]
    table = made(edges, frame, [*COVARIATES, "m"])
    assert table["note"][0] == "covariates that the treatment affects: m"
    path = of_kind(table, "path").iloc[0]
    assert path["statement"] == "treatment -> m -> work"
    assert path["note"] == "a part of the effect, closed by adjusting for m"


def test_a_collider_is_told_with_what_is_unmeasured():
    frame = confounded(300).assign(m=lambda f: f["age"])
    m = [["u", "m"], ["v", "m"], ["u", "treatment"], ["v", "work"], ["treatment", "work"]]
    table = made(m, frame, ["m"])
    assert table["statement"][0] == "treatment -> work"
    assert "covariates that open a path and are better left out: m" in table["note"][0]
    assert "covariates that the graph does not hold: gender" in table["note"][0]
    path = of_kind(table, "path").iloc[0]
    assert path["statement"] == "treatment <- u -> m <- v -> work"
    assert path["note"] == "open because of adjusting for m; open, not measured: u, v"
    last = table.iloc[-1]
    assert (last["kind"], last["verdict"]) == ("falsification", "not assessed")
    assert "implies no independence that can be tested" in last["note"]


def test_data_that_contradict_the_graph_are_told_and_what_follows():
    edges = [e for e in CONFOUNDED if e != ["age", "education"]]
    table = made(edges, confounded(2_000))
    failed = of_kind(table, "independence").query("verdict == 'warn'")
    assert list(failed["statement"]) == ["age _||_ education", "treatment _||_ education"]
    assert "rank correlation of what is left of the two 0.4" in failed["note"].iloc[0]
    assert (
        "even with a common cause of the two the covariates would suffice"
        in (failed["note"].iloc[0])
    )


def test_no_consequence_is_told_where_the_covariates_do_not_suffice_anyway():
    edges = [e for e in CONFOUNDED if e != ["age", "education"]]
    table = made(edges, confounded(2_000), ["education"], groups=["age"])
    failed = of_kind(table, "independence").query("verdict == 'warn'")
    assert len(failed)
    assert not failed["note"].str.contains("common cause").any()


def test_a_contradiction_that_matters_is_told_apart():
    """Distance is said to affect the treatment only, but shares a hidden cause with work."""
    frame = confounded(4_000)
    rng = np.random.default_rng(2)
    frame["distance"] = rng.normal(size=4_000) + 1.5 * frame["work"]
    edges = [*CONFOUNDED, ["distance", "treatment"]]
    frame["distance"] = np.where(frame["distance"] > 0.5, "far", "near")
    table = made(edges, frame, groups=["distance"])
    note = table.set_index("statement")["note"].filter(like="work _||_ distance")
    assert len(note) == 1
    assert "with a common cause of the two the covariates would not suffice" in note.iloc[0]
    assert "instruments by the graph, not used as such: distance" in table["note"][0]


def test_an_effect_that_is_not_identified_stops_before_any_data_are_read():
    plan = plan_of([*CONFOUNDED, ["u", "treatment"], ["u", "work"]], COVARIATES)
    with pytest.raises(PlanError, match="treatment <- u -> work"):
        graph_table(None, plan, 1)
    plan = plan_of([["sex", "work"], ["treat", "work"]], COVARIATES)
    with pytest.raises(Problems, match=r"(?s)`sex` is the column.*`treat` is the column"):
        graph_table(None, plan, 1)


def test_without_a_graph_and_after_a_lottery_there_are_no_rows():
    for change in ({"graph": None}, {"design": "randomised"}):
        table = graph_table(None, plan_of(CONFOUNDED, COVARIATES, **change), 1)
        assert schemas.GRAPH.validate(table).empty


def test_each_primary_outcome_is_asked_for():
    outcomes = {
        "work": {"column": "w", "unit": "share", "role": "primary"},
        "earn": {"columns": {6: "e6", 12: "e12"}, "unit": "SEK", "role": "primary"},
        "health": {"column": "h", "unit": "score", "role": "primary"},
        "later": {"column": "l", "unit": "score"},
    }
    rng = np.random.default_rng(3)
    frame = confounded(300).assign(
        earn=lambda f: f["work"] + rng.normal(size=300), health=0.0, later=0.0
    )
    edges = [*CONFOUNDED, ["work", "earn"]]
    table = made(edges, frame, outcomes=outcomes)
    sets = of_kind(table, "adjustment_set").set_index("statement")
    assert list(sets.index) == [
        "treatment -> work | age, gender",
        "treatment -> earn | age, gender",
        "treatment -> health",
    ]
    assert sets["note"].iloc[2] == "not identified: the graph does not hold the outcome"
    assert list(sets["verdict"]) == ["pass", "pass", "not assessed"]
    assert "age _||_ earn | work, treatment, gender" not in set(table["statement"])
    assert set(table["statement"]) >= {"age _||_ earn | work", "treatment _||_ earn | work"}


def test_many_persons_are_drawn_from_and_it_is_said(monkeypatch):
    monkeypatch.setattr(module, "MOST_PERSONS", 400)
    frame = confounded(1_000)
    table = made(CONFOUNDED, frame)
    assert (of_kind(table, "independence")["note"] == "on 400 persons drawn at random").all()
    pd.testing.assert_frame_equal(table, made(CONFOUNDED, frame))


def test_many_statements_are_cut_and_counted(monkeypatch):
    monkeypatch.setattr(module, "MOST_STATEMENTS", 1)
    table = made(CONFOUNDED, confounded(300))
    assert list(of_kind(table, "independence")["statement"]) == ["age _||_ gender"]
    assert "2 further independences are not tested" in table["note"].iloc[-1]


def test_too_few_persons_give_rows_without_tests():
    table = made(CONFOUNDED, confounded(9))
    tests = of_kind(table, "independence")
    assert (tests["verdict"] == "not assessed").all()
    assert (tests["note"] == "not tested: too few persons have all values").all()
    assert table["note"].iloc[-1] == "not tested: too few persons have all values"


def test_data_that_tell_graphs_apart_too_little_are_said_to():
    rng = np.random.default_rng(8)
    names = ["age", "education", "gender", "treatment", "work"]
    frame = pd.DataFrame({n: rng.integers(0, 2, 400).astype(float) for n in names})
    last = made(CONFOUNDED, frame).iloc[-1]
    assert (last["kind"], last["statistic"], last["verdict"]) == (
        "falsification", 0, "not assessed",
    )  # fmt: skip
    assert "too little fails with the names shuffled" in last["note"]


def test_clusters_and_weights_change_the_tests():
    frame = confounded(600)
    plain = made(CONFOUNDED, frame)
    rng = np.random.default_rng(5)
    for study in (
        {"cluster": rng.integers(0, 60, 600)},
        {"weight": rng.uniform(0.5, 2, 600)},
    ):
        other = made(CONFOUNDED, frame, study=study)
        assert not np.allclose(
            *(of_kind(t, "independence")["statistic"].astype(float) for t in (plain, other))
        )


def test_columns_of_all_kinds_become_nodes():
    outcomes = {
        "work": {"columns": {6: "w6", 12: "w12"}, "primary_month": 6, "unit": "share",
                 "role": "primary"},
        "earn": {"column": "e", "baseline": "e0", "unit": "SEK"},
    }  # fmt: skip
    plan = plan_of(CONFOUNDED, ["age", "kind"], outcomes=outcomes, groups=["level"])
    assert [standing_column(plan, key) for key in ("work", "earn")] == [0, 2]
    n = 60
    frame = confounded(n).assign(
        kind=["a", "b", None] * 20, level=["x", "y"] * 30, e0=np.arange(n), earn=1.0
    )
    names = ["treatment", "age", "kind", "gender", "level", "e0", "work", "earn", "u"]
    found = node_data(study_of(plan, frame), plan, np.arange(n), names)
    assert list(found) == ["treatment", "age", "kind", "gender", "level", "e0", "work"]
    assert found["kind"].known.sum() == 40
    assert {k: v.tested.shape[1] for k, v in found.items()} == dict.fromkeys(found, 1)
    assert found["treatment"].tested.sum() in (
        frame["treatment"].sum(),
        (1 - frame["treatment"]).sum(),
    )


def test_rare_levels_are_pooled_and_the_constant_is_nobody():
    levels = np.array([f"k{i}" for i in range(60) for _ in range(i + 1)], dtype=object)
    node = category(levels)
    assert (node.tested.shape[1], node.basis.shape[1]) == (8, 40)
    assert node.tested[levels == "k59"].sum() == 0  # the most frequent is the one left out
    assert category(np.array(["a"] * 9, dtype=object)).tested.shape == (9, 0)
    assert number(np.full(9, 3.0)).tested.shape == (9, 0)


@pytest.mark.parametrize("width", [10])
def test_a_graph_of_many_covariates_is_done_in_time(width):
    rng = np.random.default_rng(6)
    n, names = 20_000, [f"x{i}" for i in range(width)]
    x = rng.normal(size=(n, width))
    frame = pd.DataFrame(x, columns=names)
    frame["treatment"] = (rng.random(n) < 1 / (1 + np.exp(-x[:, :4].sum(axis=1)))).astype(float)
    frame["work"] = (x[:, 2:].sum(axis=1) + frame["treatment"] + rng.normal(size=n) > 0).astype(
        float
    )
    edges = [[v, "treatment"] for v in names[:4]] + [[v, "work"] for v in names[2:]]
    start = time.process_time()
    table = made([*edges, ["treatment", "work"]], frame, names)
    assert time.process_time() - start < 20
    assert (table["verdict"] == "pass").all()
