"""Errors: what cannot be estimated is an empty row that says why, never a crash."""

import numpy as np
import pandas as pd
import pytest
from simulate import arrays, plan_of, study_from

from evaluate.effects.adjustment import difference_in_means, lin
from evaluate.effects.regression import fixed_effects
from evaluate.effects.table import effects
from evaluate.errors import DesignError

ESTIMATORS = ("difference_in_means", "fixed_effects", "ancova", "lin")
EMPTY = ["estimate", "std_error", "conf_low", "conf_high", "p_value", "df"]
FEW = "not estimated: fewer than two persons in one of the arms have the outcome"
CONSTANT = "not estimated: the outcome has one value only"
NO_SPREAD = "not estimated: the outcome does not vary within the arms"
NO_TAKEUP = "not estimated: the offer did not change who took part"
NO_GAP = "not estimated: it needs an estimate for both women and men"
each_estimator = pytest.mark.parametrize("estimator", ESTIMATORS)
blocked_or_not = pytest.mark.parametrize("blocked", [True, False], ids=["blocked", "unblocked"])


def trial(blocked=True, **options):
    parts = arrays(3, **options)
    return parts | {"weight": None} | ({} if blocked else {"block": None})


def table_of(parts, estimator="difference_in_means", slopes="apart"):
    """Return the rows of the first outcome."""
    study = study_from(**parts)
    columns = {"blocks": ["site"]} if study.block is not None else {}
    if study.takeup is not None:
        columns["takeup"] = {"column": "attended", "taken": 1}
    analysis = {"estimators": [estimator], "slopes": slopes}
    table = effects(study, plan_of(study.y, columns=columns, analysis=analysis)).table
    table = table[table["estimator"].isin([estimator, "tsls"])]  # bounds are tested elsewhere
    empty = table["estimate"].isna().to_numpy()
    assert table.loc[empty, EMPTY].isna().all(axis=None)
    assert table.loc[~empty, EMPTY].notna().all(axis=None)
    assert table.loc[empty, "note"].str.startswith("not estimated: ").all()
    assert not table.loc[~empty, "note"].str.contains("not estimated").any()
    table = table[table["outcome"] == "y0"]
    return table.set_index(["estimand", "arm", "group"]).sort_index()


@blocked_or_not
@each_estimator
def test_an_arm_with_nobody_leaves_its_rows_empty(estimator, blocked):
    parts = trial(blocked)
    parts["y"][parts["arm"] == 1, 0] = np.nan
    rows = table_of(parts, estimator).loc["itt", "1"]
    assert rows["estimate"].isna().all()
    assert set(rows.drop("women-men")["note"]) == {FEW}
    assert rows.loc["women-men", "note"] == NO_GAP
    assert (rows["n_treated"] == 0).all()


@blocked_or_not
@each_estimator
def test_a_gender_with_nobody_treated_leaves_only_its_row_and_the_gap_empty(estimator, blocked):
    parts = trial(blocked)
    parts["y"][(parts["arm"] == 1) & ~parts["women"]] = np.nan
    rows = table_of(parts, estimator).loc["itt", "1"]
    assert rows.loc[["all", "women"], "estimate"].notna().all()
    assert rows.loc["men", "note"] == FEW
    assert rows.loc["women-men", "note"] == NO_GAP


@blocked_or_not
@each_estimator
def test_a_gender_without_the_outcome_leaves_its_row_empty(estimator, blocked):
    parts = trial(blocked)
    parts["y"][~parts["women"]] = np.nan
    rows = table_of(parts, estimator).loc["itt", "1"]
    assert rows.loc["men", "note"] == FEW
    assert rows.loc["men", "n"] == 0
    assert rows.loc["all", "estimate"] == pytest.approx(rows.loc["women", "estimate"])


@blocked_or_not
@each_estimator
def test_of_three_arms_those_with_persons_are_still_compared(estimator, blocked):
    parts = trial(blocked, n=120, arms=3)
    parts["y"][(parts["arm"] == 1) & ~parts["women"]] = np.nan
    rows = table_of(parts, estimator).loc["itt"]
    men = rows.xs("men", level="group")
    assert men.loc[["1", "1-2"], "estimate"].isna().all()
    assert set(men.loc[["1", "1-2"], "note"]) == {FEW}
    two = {name: v if v is None else v[parts["arm"] != 1] for name, v in parts.items()}
    two["arm"] = two["arm"] // 2
    want = table_of(two, estimator).loc["itt", "1"].loc["men"]
    assert men.loc["2", "estimate"] == pytest.approx(want["estimate"])
    assert men.loc["2", "std_error"] == pytest.approx(want["std_error"])


def test_shared_slopes_without_treated_men_leave_both_genders_empty():
    parts = trial(blocked=False)
    parts["y"][(parts["arm"] == 1) & ~parts["women"]] = np.nan
    rows = table_of(parts, "lin", slopes="shared").loc["itt", "1"]
    assert rows.loc[["women", "men", "women-men"], "estimate"].isna().all()
    assert np.isfinite(rows.loc["all", "estimate"])


@each_estimator
def test_one_treated_man_is_too_few_and_said_so(estimator):
    parts = trial(blocked=False)
    others = np.flatnonzero((parts["arm"] == 1) & ~parts["women"])[1:]
    parts["y"][others] = np.nan
    row = table_of(parts, estimator).loc["itt", "1"].loc["men"]
    assert pd.isna(row["estimate"])
    assert row["n_treated"] == 1
    assert row["note"] == FEW


@pytest.mark.parametrize("estimator", ["difference_in_means", "lin"])
def test_persons_in_a_block_with_one_arm_are_left_out_and_counted(estimator):
    parts = trial()
    parts["y"][(parts["block"] == 0) & (parts["arm"] == 1)] = np.nan
    row = table_of(parts, estimator).loc["itt", "1"].loc["all"]
    lost = int(((parts["block"] == 0) & (parts["arm"] == 0)).sum())
    assert f"{lost} persons in blocks with one arm left out" in row["note"]
    assert row["n"] == (parts["block"] != 0).sum()
    kept = {name: v if v is None else v[parts["block"] != 0] for name, v in parts.items()}
    kept["block"] = kept["block"] - 1
    want = table_of(kept, estimator).loc["itt", "1"].loc["all"]
    assert row["estimate"] == pytest.approx(want["estimate"])
    assert row["std_error"] == pytest.approx(want["std_error"])


@pytest.mark.parametrize("estimator", ["fixed_effects", "ancova"])
def test_fixed_effects_keep_and_count_persons_in_a_block_with_one_arm(estimator):
    parts = trial()
    parts["y"][(parts["block"] == 0) & (parts["arm"] == 1)] = np.nan
    row = table_of(parts, estimator).loc["itt", "1"].loc["all"]
    assert row["n"] == np.isfinite(parts["y"][:, 0]).sum()
    assert "left out" not in row["note"]


@each_estimator
def test_blocks_that_hold_one_arm_each_cannot_be_compared(estimator):
    parts = trial()
    parts["block"] = 2 * parts["block"] + parts["arm"]
    rows = table_of(parts, estimator).loc["itt", "1"]
    assert rows["estimate"].isna().all()
    assert rows.loc["all", "note"].endswith(("no block holds both.", "no block holds both arms"))


def pairs():
    parts = trial() | {"x": None}
    n = len(parts["arm"])
    return parts | {"block": np.arange(n) // 2, "arm": np.arange(n) % 2}


def test_in_pairs_the_variance_is_that_between_pairs():
    parts = pairs()
    y, count = parts["y"][:, 0], len(parts["arm"]) // 2
    difference = y[1::2] - y[::2]
    row = table_of(parts).loc["itt", "1"].loc["all"]
    assert row["estimate"] == pytest.approx(difference.mean())
    assert row["std_error"] == pytest.approx(difference.std(ddof=1) / np.sqrt(count))
    assert row["df"] == count - 1
    assert f"{count} blocks hold one unit of an arm" in row["note"]


def test_lin_shows_no_variance_of_pairs():
    parts = pairs()
    row = table_of(parts, "lin").loc["itt", "1"].loc["all"]
    assert pd.isna(row["estimate"])
    assert "as many parameters as" in row["note"] or f"got {len(parts['arm']) // 2}" in row["note"]


@pytest.mark.parametrize("estimator", ["difference_in_means", "lin"])
def test_persons_alone_in_a_cell_are_counted(estimator):
    parts = trial() | {"x": None}
    here = np.flatnonzero((parts["block"] == 0) & (parts["arm"] == 1))
    parts["y"][here[1:]] = np.nan
    row = table_of(parts, estimator).loc["itt", "1"].loc["all"]
    assert "1 persons alone in their block and arm take the pooled variance" in row["note"]
    assert row["std_error"] > 0


@blocked_or_not
@each_estimator
def test_a_constant_outcome_is_not_estimated(estimator, blocked):
    parts = trial(blocked)
    parts["y"][:, 0] = 3
    assert set(table_of(parts, estimator).loc["itt", "1"]["note"]) == {CONSTANT}


@blocked_or_not
@each_estimator
def test_an_outcome_that_does_not_vary_within_arms_is_not_estimated(estimator, blocked):
    parts = trial(blocked)
    parts["y"][:, 0] = 1e6 + parts["arm"]
    assert set(table_of(parts, estimator).loc["itt", "1"]["note"]) == {NO_SPREAD}


@each_estimator
def test_an_empty_outcome_does_not_touch_the_others(estimator):
    parts = trial()
    want = table_of(parts | {"y": parts["y"][:, [1]]}, estimator)["estimate"]
    parts["y"] = parts["y"][:, [1, 0]]
    parts["y"][:, 1] = 5
    got = table_of(parts, estimator)["estimate"]
    np.testing.assert_allclose(got, want)


@each_estimator
def test_takeup_that_nobody_used_has_no_effect_on_participants(estimator):
    parts = trial() | {"takeup": np.zeros(80)}
    rows = table_of(parts, estimator)
    assert rows.loc["itt", "1"]["estimate"].notna().all()
    late = rows.loc["late", "1"]
    assert set(late["note"].drop("women-men")) == {NO_TAKEUP}
    assert late.loc["women-men", "note"] == NO_GAP


@each_estimator
def test_takeup_that_no_man_used_leaves_men_and_the_gap_empty(estimator):
    parts = trial()
    used = (parts["arm"] == 1) & parts["women"]
    late = table_of(parts | {"takeup": used.astype(float)}, estimator).loc["late", "1"]
    assert late.loc[["all", "women"], "estimate"].notna().all()
    assert late.loc["men", "note"] == NO_TAKEUP
    assert late.loc["women-men", "note"] == NO_GAP


def test_a_weak_first_stage_is_said():
    parts = trial(blocked=False)
    takeup = np.arange(80) % 2.0
    rows = table_of(parts | {"takeup": takeup}).loc["late", "1"]
    assert "weak first stage (F = " in rows.loc["all", "note"]


def test_shares_offered_that_differ_by_gender_are_said_in_the_row_of_all_only():
    parts = trial(blocked=False)
    parts["arm"] = np.where(np.arange(80) % 5 == 0, ~parts["women"], parts["women"]).astype(int)
    rows = table_of(parts).loc["itt", "1"]
    assert "the share offered differs between women and men" in rows.loc["all", "note"]
    assert (rows["note"].drop("all") == "").all()


def test_functions_name_the_arm_with_nobody():
    y, arm = np.arange(6.0)[:, None], np.zeros(6, dtype=int)
    with pytest.raises(DesignError, match="nobody in arm 1 of the contrast"):
        difference_in_means(y, arm, (1, 0))


def test_lin_names_the_persons_it_needs():
    rng = np.random.default_rng(1)
    arm = np.array([0] * 20 + [1] * 3)
    x = rng.normal(size=(23, 3))
    with pytest.raises(DesignError, match=r"two persons more .* got 3 persons"):
        lin(rng.normal(size=(23, 1)), arm, x, [(1, 0)])


def test_regression_with_as_many_parameters_as_persons_is_refused():
    rng = np.random.default_rng(1)
    arm = np.arange(6) % 2
    with pytest.raises(DesignError, match=r"as many parameters as persons \(6\)"):
        fixed_effects(rng.normal(size=(6, 1)), arm, rng.normal(size=(6, 4)), [(1, 0)])


@each_estimator
def test_a_gender_that_does_not_vary_leaves_the_gap_empty_too(estimator):
    parts = trial(blocked=False)
    parts["y"][~parts["women"], 0] = 1.0
    rows = table_of(parts, estimator).loc["itt", "1"]
    assert rows.loc["men", "note"] == "not estimated: the outcome has one value only"
    assert rows.loc["women-men", "note"] == NO_GAP
    assert np.isfinite(rows.loc["women", "estimate"])
