"""The graph of a plan: its faults in words, without data and without dowhy."""

import subprocess
import sys
import time

import pytest

from evaluate.design.graph_plan import (
    adjusted_nodes,
    graph_faults,
    graph_of,
    measured_nodes,
    other_ways,
    questions,
)

from .graphs import CONFOUNDED, plan_of

COVARIATES = ["age", "education"]


def fault(edges, covariates=COVARIATES, **sections):
    found = graph_faults(plan_of(edges, covariates, **sections))
    assert len(found) == 1, found
    assert str(found[0]).startswith("graph: ")
    return str(found[0])


def test_a_sound_graph_has_no_faults():
    assert graph_faults(plan_of(CONFOUNDED, COVARIATES)) == []


def test_no_graph_and_a_graph_beside_a_lottery_have_no_faults():
    assert graph_faults(plan_of(CONFOUNDED, COVARIATES, graph=None)) == []
    circle = plan_of([["a", "a"]], COVARIATES, design="randomised")
    assert graph_faults(circle) == []
    assert graph_of(circle) is None


@pytest.mark.parametrize(
    ("edges", "text"),
    [
        ([], "edges: empty"),
        ([["age", "age"], ["treatment", "work"]], "age -> age is a circle"),
        (
            [["treatment", "work"], ["work", "age"], ["age", "treatment"]],
            "treatment -> work -> age -> treatment is a circle",
        ),
        ([["age", "work"]], "`treatment` is not in any edge"),
        ([["age", "treatment"]], "none of the outcomes work is in any edge"),
        ([["age", "treatment"], ["age", "work"]], "no way leads along the arrows"),
        ([["work", "treatment"]], "no way leads along the arrows from treatment to `work`"),
        ([["treat", "work"]], "`treat` is the column of columns.treatment: name it `treatment`"),
        ([["treatment", "w"]], "`w` is the column of outcomes.work: name it `work`"),
        (
            [["sex", "treatment"], ["treatment", "work"]],
            "`sex` is the column of columns.gender: name it `gender`",
        ),
        (
            [["educaton", "treatment"], ["treatment", "work"]],
            "`educaton` is not in the plan. Did you mean `education`?",
        ),
        ([["a; b", "work"], ["treatment", "work"]], "may not hold any of"),
        ([[" u", "work"], ["treatment", "work"]], "begins or ends with a blank"),
    ],
)
def test_a_fault_is_told_with_what_to_do(edges, text):
    assert text in fault(edges)


def test_what_is_hidden_may_have_a_name_like_another_year_of_a_covariate():
    edges = [["earned_2018", "work"], ["treatment", "work"]]
    assert graph_faults(plan_of(edges, ["earned_2019"])) == []


def test_an_unmeasured_confounder_stops_with_the_path():
    text = fault([["motivation", "treatment"], ["motivation", "work"], ["treatment", "work"]])
    assert "no variables that are measured identify the effect of treatment on `work`" in text
    assert "treatment <- motivation -> work" in text
    assert "Not measured: motivation." in text
    assert "instrument" not in text


def test_what_the_treatment_affects_is_not_asked_to_be_measured():
    edges = [["u", "treatment"], ["u", "m"], ["treatment", "m"], ["m", "work"]]
    assert "Not measured: u." in fault(edges)


def test_a_message_names_an_instrument_and_a_front_door():
    hidden = [["u", "treatment"], ["u", "work"]]
    edges = [*hidden, ["age", "treatment"], ["treatment", "work"]]
    assert "By the graph age could serve as an instrument; this is not estimated." in fault(edges)
    edges = [*hidden, ["treatment", "education"], ["education", "work"]]
    assert "education could serve as a front door" in fault(edges)


def test_a_hidden_cause_of_the_mediator_and_the_outcome_closes_the_front_door():
    edges = [["treatment", "m"], ["m", "work"], ["u", "treatment"], ["u", "work"]]
    plan = plan_of([*edges, ["v", "m"], ["v", "work"]], ["m"])
    assert other_ways(graph_of(plan), plan, "work") == {}
    plan = plan_of(edges, ["m"])
    assert other_ways(graph_of(plan), plan, "work") == {"a front door": ["m"]}


def test_a_placebo_that_the_treatment_affects_is_a_contradiction():
    outcomes = {
        "work": {"column": "w", "unit": "share", "role": "primary"},
        "before": {"column": "b", "unit": "share", "role": "placebo"},
    }
    edges = [["treatment", "work"], ["treatment", "before"]]
    assert "outcomes.before is a placebo" in fault(edges, outcomes=outcomes)


def test_each_outcome_has_the_covariates_that_the_plan_adjusts_for():
    outcomes = {
        "work": {"column": "w", "baseline": "w0", "unit": "share", "role": "primary"},
        "earn": {"column": "e", "unit": "SEK", "role": "primary", "without": ["age"]},
        "before": {"column": "b", "unit": "share", "role": "placebo"},
    }
    plan = plan_of(CONFOUNDED, COVARIATES, outcomes=outcomes)
    assert adjusted_nodes(plan, "work") == ("age", "education", "gender", "w0")
    assert adjusted_nodes(plan, "earn") == ("education", "gender")
    assert questions(plan) == ("work", "earn")
    kinds = measured_nodes(plan)
    assert (kinds["w0"], kinds["gender"], kinds["before"]) == ("baseline", "gender", "outcome")


def test_a_large_graph_is_checked_at_once():
    names = [f"x{i}" for i in range(40)]
    edges = [[a, b] for i, a in enumerate(names) for b in names[i + 1 :]]
    edges += [[n, end] for n in [*names, "u"] for end in ("treatment", "work")]
    plan = plan_of([*edges, ["treatment", "work"]], names)
    start = time.perf_counter()
    assert len(graph_faults(plan)) == 1
    assert time.perf_counter() - start < 2


def test_neither_a_check_nor_a_lottery_imports_dowhy():
    code = (
        "import sys; import evaluate.design.graph, evaluate.design.graph_plan; "
        "import evaluate.report.graph_section; "
        "print([m for m in ('dowhy', 'networkx', 'matplotlib') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
