"""What the report says of the causal graph, in both languages."""

import numpy as np
import pandas as pd
import pytest
from design.graphs import CONFOUNDED, confounded, plan_of, study_of

from evaluate import schemas
from evaluate.design.graph import graph_table
from evaluate.notes import joined, note
from evaluate.report.graph_section import graph_section, node_roles, node_title, open_edges
from evaluate.report.words import Words, catalogue

EN, SV = Words("en"), Words("sv")
OUTCOMES = {
    "work": {"column": "w", "unit": "share", "role": "primary",
             "title": {"en": "In work", "sv": "I arbete"}},
}  # fmt: skip
COVARIATES = ["age", "education"]


def plan(edges=CONFOUNDED, covariates=COVARIATES, **sections):
    return plan_of(edges, covariates, **{"outcomes": OUTCOMES} | sections)


def rows(*some):
    """Return a table of rows: kind, statement, verdict, notes, and perhaps numbers."""
    filled = [(*row, *(np.nan, np.nan)[len(row) - 4 :]) for row in some]
    columns = ["kind", "statement", "verdict", "note", "statistic", "p_value"]
    table = pd.DataFrame(filled, columns=columns)
    return schemas.GRAPH.validate(table[list(schemas.GRAPH.columns)])


def told(table, words=EN, **changes):
    return graph_section(table, plan(**changes), words).sentences


SET = ("adjustment_set", "treatment -> work | age, gender", "pass", "")


def test_the_section_of_real_numbers_in_both_languages():
    stated = plan()
    table = graph_table(study_of(stated, confounded(800)), stated, 1)
    for words in (EN, SV):
        section = graph_section(table, stated, words)
        text = " ".join(section.sentences)
        assert node_title("work", stated, words) in text
        assert "{" not in text + section.caption
        assert "_||_" not in text
        assert section.figure.startswith("<svg")
        assert words("graph.label", outcome=node_title("work", stated, words)) in section.figure


def test_no_graph_has_no_section():
    assert graph_section(rows(SET), plan(graph=None), EN) is None
    assert graph_section(rows(), plan(), EN) is None


def test_what_suffices_is_named_with_the_titles_of_the_plan():
    (sentence,) = (s for s in told(rows(SET)) if "enough to adjust" in s)
    assert "age and gender" in sentence
    assert "“In work”" in sentence
    (sentence,) = (s for s in told(rows(SET), SV) if "räcker det" in s)
    assert "age och kön" in sentence
    assert "”I arbete”" in sentence


@pytest.mark.parametrize("kind", ["missing", "affected", "opening", "outside", "front_door",
                                  "instrument"])  # fmt: skip
def test_each_finding_has_a_sentence_of_its_own(kind):
    other = note("graph_affected" if kind != "affected" else "graph_missing", names="gender")
    notes = joined([note(f"graph_{kind}", names="age, education"), other])
    for words in (EN, SV):
        found = told(rows((SET[0], SET[1], "warn", notes)), words)
        names = words("graph.and", first="age", last="education")
        assert words(f"graph.{kind}", names=names) in found


def test_nothing_to_adjust_for_is_said_as_such():
    found = told(rows((SET[0], "treatment -> work", "pass", "")))
    assert EN("graph.suffices_without", outcome="In work") in found
    found = told(rows((SET[0], "treatment -> work", "warn", "")))
    assert EN("graph.differs_without", outcome="In work") in found
    unheld = (SET[0], "treatment -> work", "not assessed", note("graph_no_outcome"))
    assert EN("graph.no_outcome", outcome="In work") in told(rows(unheld))


def test_paths_are_told_with_arrows_and_at_most_three():
    path = ("path", "treatment <- age -> work", "warn", note("graph_closed_by", names="age"))
    found = told(rows(SET, *[path] * 5), SV)
    line = "insats ← age → I arbete: öppen, skulle stängas av justering för age."
    assert found.count(line) == 3
    assert SV("graph.more_paths", n="2") in found


def test_the_arrows_of_open_paths_are_marked_but_not_those_of_the_effect():
    open_path = ("path", "treatment <- u -> m <- v -> work", "warn",
                 note("graph_opened_by", names="m"))  # fmt: skip
    effect = ("path", "treatment -> z -> work", "warn", note("graph_blocked_by", names="z"))
    assert open_edges(rows(open_path, effect)) == {
        ("u", "treatment"), ("u", "m"), ("v", "m"), ("v", "work"),
    }  # fmt: skip


def independence(a, b, verdict, given="", note="", f=1.0):
    statement = f"{a} _||_ {b}" + (f" | {given}" if given else "")
    return ("independence", statement, verdict, note, f, 0.01)


def test_independences_that_hold_are_counted():
    kept = independence("age", "gender", "pass")
    untested = independence("age", "work", "not assessed")
    assert EN("graph.agree", n="2") in told(rows(SET, kept, kept, untested))
    assert EN("graph.agrees_one", n="1") in told(rows(SET, kept, untested))
    assert EN("graph.untestable") in told(rows(SET, untested))


def test_contradictions_are_named_the_clearest_first():
    harmless, harmful = note("graph_harmless"), note("graph_harmful")
    failed = [
        independence("age", "gender", "warn", note=harmless, f=5.0),
        independence("age", "work", "warn", "gender, treatment", harmful, f=9.0),
    ]
    text = " ".join(told(rows(SET, *failed, independence("a", "b", "pass"))))
    named = "age and In work, for the same gender and treatment; age and gender"
    assert EN("graph.contradict_all", n="3", failed="2", which=named) in text
    assert EN("graph.harmful", which="age and In work") in text
    assert EN("graph.harmless") not in text
    text = " ".join(told(rows(SET, failed[0])))
    assert EN("graph.harmless") in text
    text = " ".join(told(rows(SET, *[failed[0]] * 4)))
    assert EN("graph.contradict", n="4", failed="4",
              which="; ".join(["age and gender"] * 3)) in text  # fmt: skip


@pytest.mark.parametrize(
    ("verdict", "p", "kind", "key"),
    [("pass", 0.04, "", "better"), ("warn", 0.31, "", "no_better"),
     ("not assessed", 0.31, "graph_weak", "no_better"),
     ("not assessed", 0.5, "graph_alike", "alike"), ("pass", 0.0, "", "better_none")],
)  # fmt: skip
def test_the_graph_beside_chance(verdict, p, kind, key):
    row = ("falsification", "age, work", verdict, note(kind) if kind else "", 0.1, p)
    for words in (EN, SV):
        values = {"share": words.percent(p)} if key in ("better", "no_better") else {}
        assert words(f"graph.{key}", **values) in told(rows(SET, row), words)
    empty = ("falsification", "age, work", "not assessed", note("graph_nothing"))
    assert len(told(rows(SET, empty))) == len(told(rows(SET)))


def test_roles_follow_from_the_plan():
    edges = [*CONFOUNDED, ["u", "work"], ["level", "work"]]
    stated = plan(edges, groups=["level"])
    from evaluate.design.graph_plan import graph_of

    roles = node_roles(graph_of(stated), stated)
    assert roles == {
        "age": "adjusted", "education": "adjusted", "gender": "adjusted",
        "treatment": "treatment", "work": "outcome", "u": "unmeasured", "level": "measured",
    }  # fmt: skip


def test_a_gathered_box_is_explained():
    names = [f"x{i}" for i in range(11)]
    edges = [[a, b] for a in names for b in ("treatment", "work")]
    stated = plan([*edges, ["x0", "x1"], ["treatment", "work"]], names)
    caption = graph_section(rows(SET), stated, EN).caption
    assert EN("graph.caption_gathered", n="1") in caption


def test_no_text_names_a_graph_in_swedish_where_it_is_called_a_diagram():
    texts = {k: t for k, t in catalogue("sv").items() if k.startswith(("graph.", "note.graph_"))}
    assert texts
    assert not [k for k, t in texts.items() if "graf" in t.lower()]
