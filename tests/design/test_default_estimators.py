"""Estimators that follow from the design: of what the blocks of persons can carry."""

import numpy as np
import pandas as pd
import pytest
from simulate import plan_of, study_from
from studies import evaluated, people, plan_for

from evaluate.design import facts
from evaluate.design.default_estimators import as_estimated, with_default
from evaluate.effects.displacement import net_effects
from evaluate.effects.participation import participation
from evaluate.effects.path_tables import path_table
from evaluate.effects.table import effects
from evaluate.heterogeneity.equality import equality_table

LIN = ("lin", "difference_in_means")
COMMON = ("ancova", "difference_in_means")
MEANS = ("difference_in_means",)


def blocked(cells, women=None, covariates=2, seed=1, takeup=False):
    """Return a study with so many persons in each block and arm, and a plan without estimators."""
    rng = np.random.default_rng(seed)
    cells = np.asarray(cells)
    block = np.repeat(np.arange(len(cells)), cells.sum(axis=1))
    arm = np.concatenate([np.repeat(np.arange(len(c)), c) for c in cells])
    women = np.arange(len(arm)) // 2 % 2 == 0 if women is None else women(block, arm)
    x = rng.normal(size=(len(arm), covariates))
    y = arm + x.sum(axis=1) + rng.normal(size=len(arm))
    took = (arm > 0) * 1.0 if takeup else None
    study = study_from(np.column_stack([y, y**2]), arm, women, x, block, takeup=took)
    columns = {"blocks": ["b"]} | ({"takeup": {"column": "t", "taken": 1}} if takeup else {})
    return study, plan_of(study.y, columns=columns, covariates=[f"x{i}" for i in range(covariates)])


def chosen(*args, **parts):
    study, plan = blocked(*args, **parts)
    return with_default(plan, study).estimators


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        ([(60, 60)], LIN),
        ([(30, 30)] * 4, LIN),
        ([(9, 20)] * 10, LIN),
        ([(1, 1)] * 40, COMMON),
        ([(2, 2)] * 30, COMMON),
        ([(1, 1, 1)] * 30, COMMON),
        ([(1, 1)] * 40 + [(1, 2)], COMMON),  # a stray triple hardly counts
        ([(1, 1)] * 40 + [(0, 3)] * 9, COMMON),  # nor do blocks that lost an arm
        ([(1, 2)] * 40, MEANS),
        ([(4, 1)] * 20, MEANS),
        ([(1, 1, 2)] * 30, MEANS),
    ],
)
def test_blocks_decide_on_the_default(cells, expected):
    assert chosen(cells) == expected


def test_women_alone_may_be_too_few_for_slopes_of_their_own():
    assert chosen([(60, 60)], covariates=6) == LIN
    few = chosen([(60, 60)], covariates=6, women=lambda _, arm: np.arange(len(arm)) % 6 == 0)
    assert few == COMMON
    # of these nothing can be estimated whatever the slopes: they do not decide on the others
    none = chosen([(60, 60)], covariates=6, women=lambda _, arm: np.arange(len(arm)) % 20 == 0)
    assert none == LIN


def test_what_the_plan_names_stays():
    study, plan = blocked([(1, 1)] * 40)
    for sections in (
        {"analysis": {"estimators": ["lin"]}, "covariates": ["x0"]},
        {"columns": {"cluster": "c"}, "covariates": ["x0"]},
        {},
    ):
        other = plan_of(study.y, **sections)
        assert with_default(other, study) is other
    assert plan.estimators == LIN  # unread, the plan has the default of most designs
    assert with_default(with_default(plan, study), study).estimators == COMMON


@pytest.mark.parametrize("cells", [[(1, 1)] * 40, [(1, 2)] * 40, [(30, 30)] * 4])
def test_neither_outcomes_nor_the_order_of_persons_decide(cells):
    study, plan = blocked(cells)
    expected, rng = with_default(plan, study).estimators, np.random.default_rng(2)
    y = study.y.copy()
    y[rng.random(y.shape) < 0.3] = np.nan
    order = rng.permutation(study.n)
    x = study.covariates.iloc[order]
    parts = (study.groups["women"][order], x, study.block[order])
    assert with_default(plan, study_from(y, study.arm[order], *parts)).estimators == expected


@pytest.mark.parametrize("cells", [[(1, 1)] * 40, [(2, 2)] * 30, [(1, 2)] * 40])
def test_no_row_of_the_default_is_empty_and_every_stage_has_the_same(cells):
    study, plan = blocked(cells, women=lambda block, _: block % 2 == 0, takeup=True)
    expected = with_default(plan, study).estimators
    found = effects(study, plan)
    assert found.table["estimate"].notna().all()
    assert tuple(dict.fromkeys(found.table["estimator"])) == (*expected, "tsls")
    assert as_estimated(plan, found.table).estimators == expected
    lead = [participation(study, plan), equality_table(found.table, found.covariances, plan)]
    for table in lead:
        assert set(table["estimator"]) == {expected[0]}
        assert len(table)


def test_paths_and_net_effects_have_the_default_of_the_effects():
    study, _ = blocked([(1, 1)] * 40)
    shares = (study.y > [0, 1]) * 1.0
    study = study_from(shares, study.arm, study.groups["women"], study.covariates, study.block)
    outcome = {"columns": {1: "a", 2: "b"}, "unit": "share", "role": "primary"}
    plan = plan_of(
        shares[:, :0], columns={"blocks": ["b"]}, covariates=["x0", "x1"],
        outcomes={"work": outcome},
    )  # fmt: skip
    paths = path_table(study, plan, lambda *_: np.random.default_rng(1))
    assert set(paths["estimator"].dropna()) - {""} == {"ancova"}
    table = effects(study, plan).table
    net = net_effects(table, plan)
    assert len(net)
    lead = table[(table["estimator"] == "ancova") & table["group"].isin(["all", "women", "men"])]
    undisplaced = net.loc[net["displacement"] == 0, "effect"]
    assert sorted(undisplaced) == pytest.approx(sorted(lead["estimate"]))


def test_a_table_without_effects_leaves_the_plan_as_it_is():
    _, plan = blocked([(1, 1)] * 40)
    empty = pd.DataFrame({"estimand": [], "estimator": [], "std_error_kind": []})
    assert as_estimated(plan, empty) is plan


def test_named_regressions_have_careful_errors_where_blocks_are_uneven():
    study, _ = blocked([(1, 3)] * 20)
    for analysis, kind in (({}, "HC3"), ({"std_error": "HC2"}, "HC2")):
        named = plan_of(
            study.y,
            columns={"blocks": ["b"]},
            covariates=["x0", "x1"],
            analysis={"estimators": ["fixed_effects", "difference_in_means"]} | analysis,
        )
        table = effects(study, named).table
        kinds = table.groupby("estimator")["std_error_kind"].unique()
        assert list(kinds["fixed_effects"]) == [kind]
        assert list(kinds["difference_in_means"]) == ["neyman"]
        assert as_estimated(named, table).std_error_of("fixed_effects") == kind


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        ([(1, 1)] * 40, "estimators: ancova, difference_in_means, by the design: an arm has fewer"),
        ([(1, 2)] * 40, "estimators: difference_in_means, by the design: blocks have one unit"),
    ],
)
def test_check_tells_what_follows_from_the_design(cells, said):
    study, plan = blocked(cells)
    (line,) = facts._default(with_default(plan, study))
    assert line.startswith(said)
    assert facts._too_many_slopes(study, with_default(plan, study)) == []


def test_the_report_says_which_default_was_taken_and_why(tmp_path):
    frame = people(240).assign(pair=np.arange(240) // 2, treat=np.tile([0, 1, 1, 0], 60))
    frame["attended"] = frame["treat"]
    columns = plan_for("pairs")["columns"] | {"blocks": ["pair"]}
    plan = plan_for("pairs", columns=columns, covariates=["age"])
    found = evaluated(tmp_path, "pairs", plan, frame)
    rows = found.table("effects")
    assert set(rows["estimator"]) == set(COMMON)
    assert rows.loc[rows["group"].isin(["all", "women", "men"]), "estimate"].notna().all()
    assert set(found.table("power")["power"]) == {0.8}
    told = "follows from the design: covariates have common slopes, because an arm has too few"
    assert told in found.text("en")
    assert "gemensamma lutningar, för en arm har för få" in found.text("sv")
