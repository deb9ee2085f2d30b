"""The stage as a whole: verdicts on studies whose truth is known."""

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from evaluate import schemas
from evaluate.effects.sensitivity.stage import sensitivity_stage
from evaluate.notes import note
from evaluate.plan.model import Plan
from evaluate.study import Study

from .persons import plan_of, stage_of, study_of, tables_of

NAMES = ("sensitivity", "refutations", "specifications", "verdict")


def made_of(plan, change=None, **options):
    study = study_of(plan, **options)
    tables = tables_of(study, plan)
    return stage_of(study, plan, tables | (change or {}))


def verdicts(made, outcome="earn"):
    rows = made.verdict[made.verdict["outcome"] == outcome]
    return rows.set_index("group")["verdict"].to_dict()


def reasons(made, outcome="earn", group="all"):
    rows = made.verdict[(made.verdict["outcome"] == outcome) & (made.verdict["group"] == group)]
    return rows["reason"].iloc[0].split("; ")


@pytest.fixture(scope="module")
def sound():
    return made_of(plan_of(), n=900)


def test_every_table_keeps_its_schema(sound):
    for name in NAMES:
        getattr(schemas, name.upper()).validate(getattr(sound, name))


def test_a_sound_study_is_robust(sound):
    found = verdicts(sound)
    assert {found[g] for g in ("all", "women", "men")} == {"robust"}
    assert found["women-men"] == "fragile"  # there is none
    assert reasons(sound, group="women-men") == ["the interval holds zero: nothing is established"]


def test_hidden_selection_is_caught_by_the_placebo_alone():
    made = made_of(plan_of(), n=700, hidden=1.0)
    assert set(verdicts(made).values()) == {"fragile"}
    assert reasons(made)[0].startswith("the placebo earlier differs from zero by aipw")
    assert set(made.refutations["verdict"]) == {"pass"}


def test_a_missing_confounder_is_caught():
    made = made_of(plan_of(covariates=("age",)), n=700)
    assert verdicts(made)["all"] == "fragile"
    assert reasons(made)[0].startswith("the placebo earlier")


def test_no_effect_is_never_robust():
    made = made_of(plan_of(), n=700, effect=0.0)
    assert "robust" not in verdicts(made).values()


def test_without_a_placebo_nothing_is_robust():
    plan = plan_of()
    outcomes = {k: o for k, o in plan.outcomes.items() if o.role != "placebo"}
    made = made_of(plan.model_copy(update={"outcomes": outcomes}), n=700)
    assert verdicts(made)["all"] == "not assessed"
    assert reasons(made) == ["no placebo outcome was named"]


def frame(name, **values):
    columns = list(getattr(schemas, name.upper()).columns)
    return pd.DataFrame([values], columns=columns)


def graph(kind, statement, text=""):
    return frame("graph", kind=kind, statement=statement, verdict="warn", note=text)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (
            {"overlap": frame("overlap", arm="1", group="all", side="treated", n=100, outside=11)},
            "more than 10 per cent of the treated are outside the common support",
        ),
        (
            {"overlap": frame("overlap", arm="1", group="all", side="treated", n=100, trimmed=20)},
            "more than 10 per cent of the treated are trimmed",
        ),
        (
            {"overlap": frame("overlap", arm="1", group="all", side="control", effective=12.0)},
            "the comparison rests on few persons",
        ),
        (
            {
                "balance": frame(
                    "balance",
                    arm="1",
                    group="all",
                    covariate="age",
                    smd=-0.2,
                    adjusted=True,
                    weights="ipw",
                )
            },
            "covariates still differ after weighting: age",
        ),
        (
            {"graph": graph("adjustment_set", "treatment -> earn | age")},
            "the covariates leave a backdoor path of the graph open",
        ),
        (
            {"graph": graph("independence", "age _||_ skill")},
            "the data contradict the graph",
        ),
        (
            {
                "event_study": frame(
                    "event_study",
                    outcome="earn",
                    arm="1",
                    group="all",
                    kind="pre_trend",
                    p_value=0.01,
                )
            },
            "the trends differed before the start",
        ),
        (
            {
                "design_checks": pd.DataFrame(
                    {"check": ["attrition:earn"], "group": ["all"], "verdict": ["warn"]}
                )
            },
            "the arms differ in who has the outcome",
        ),
    ],
)
def test_what_the_design_found_counts(change, reason):
    made = made_of(plan_of(), change, n=300)
    assert verdicts(made)["all"] == "fragile"
    assert reason in reasons(made)
    assert reason not in reasons(made, group="men") or "graph" in reason or "outcome" in reason


@pytest.mark.parametrize(
    "change",
    [
        graph("adjustment_set", "treatment -> work | age"),  # of another outcome
        graph("independence", "age _||_ skill", note("graph_harmless")),
        graph("falsification", "age, skill"),
    ],
)
def test_what_the_graph_says_of_something_else_does_not_count(change):
    made = made_of(plan_of(genders=False), {"graph": change}, n=900)
    assert verdicts(made)["all"] == "robust"


def test_of_one_gender_both_rows_are_the_same():
    made = made_of(plan_of(genders=False), n=300)
    for name in NAMES:
        table = getattr(made, name)
        assert set(table["group"]) == {"all", "men"}
        parts = [table[table["group"] == g].drop(columns="group") for g in ("all", "men")]
        assert_frame_equal(*(p.reset_index(drop=True) for p in parts))


def test_two_runs_are_the_same():
    first, second = (made_of(plan_of(), n=250) for _ in range(2))
    for name in NAMES:
        assert_frame_equal(getattr(first, name), getattr(second, name))


def test_of_a_lottery_there_are_no_rows():
    plan = plan_of().model_copy(update={"design": "randomised"})
    made = sensitivity_stage(study_of(plan_of(), n=200), plan, {}, 1)
    assert all(getattr(made, name).empty for name in NAMES)


def test_no_overlap_is_said_and_not_a_crash():
    """Women who are all treated: no estimate, not assessed, and the reason in the table."""
    plan = plan_of()
    study = study_of(plan, n=400)
    arm = np.where(study.groups["women"], 1, study.arm)
    study = Study(**{**study.__dict__, "arm": arm})
    made = stage_of(study, plan, tables_of(study, plan))
    found = verdicts(made)
    assert found["women"] == "not assessed"
    assert found["women-men"] == "not assessed"
    assert reasons(made, group="women") == ["the lead estimate is missing"]
    assert isinstance(plan, Plan)
