"""The table of bounds: its rows, its arithmetic, and what it says where there is no bound."""

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from attrition import DESIGNS, coverage, trial
from numpy.testing import assert_allclose
from simulate import plan_of, study_from

from evaluate import schemas
from evaluate.effects.bounds import lee, manski
from evaluate.effects.bounds_table import bound_estimands, bounds_table
from evaluate.effects.comparison import compare
from evaluate.effects.prognosis import LEAST, cells, folds, prognosis
from evaluate.effects.table import effects
from evaluate.io import checked
from evaluate.notes import note

RTOL = 1e-9
NUMBERS = ["lower", "upper", "lower_se", "upper_se", "conf_low", "conf_high"]
OUTCOMES = {
    "earn": {"column": "y0", "unit": "SEK", "role": "primary"},
    "work": {"columns": {6: "y1", 12: "y2"}, "unit": "share"},
    "full": {"column": "y3", "unit": "share"},
}


def parts_of(seed=1, n=360, arms=2):
    """Draw a trial whose first three outcome columns are missing for the same persons."""
    rng = np.random.default_rng(seed)
    arm, women = rng.permutation(np.arange(n) % arms), rng.random(n) < 0.5
    x = rng.normal(size=(n, 2))
    y = np.column_stack([x.sum(axis=1) + rng.normal(size=n) + arm, rng.random((n, 3)) < 0.4])
    y[rng.random(n) > np.where(arm > 0, 0.9, 0.7), :3] = np.nan
    return {"y": y, "arm": arm, "women": women, "x": x}


def table_of(parts, outcomes=OUTCOMES, **sections):
    study = study_from(**parts)
    x = list(study.covariates)
    plan = plan_of(parts["y"], outcomes=outcomes, covariates=x, **sections)
    return checked(bounds_table(study, plan), schemas.BOUNDS, "tests")


def one(table, **place):
    for column, value in place.items():
        table = table[table[column] == value]
    assert len(table) == 1
    return table.iloc[0]


def test_outcomes_that_somebody_lacks_have_rows_and_no_others():
    table = table_of(parts_of())
    assert set(table["outcome"]) == {"earn", "work"}
    assert table["month"].dropna().unique().tolist() == [6, 12]
    assert set(table.loc[table["method"] == "manski", "outcome"]) == {"work"}
    assert len(table) == 4 * (3 * 3 + 2)  # groups times columns and methods
    first = table[table["outcome"] == "earn"]
    methods = ["lee", "lee_tightened", "ipw"]
    assert first["method"].tolist() == [m for m in methods for _ in range(4)]
    assert first["group"].tolist()[:4] == ["all", "women", "men", "women-men"]
    assert table[NUMBERS].notna().all().all()


def test_nobody_lacks_anything_and_there_are_no_rows():
    parts = parts_of()
    parts["y"] = np.nan_to_num(parts["y"])
    table = table_of(parts)
    assert table.empty
    assert list(table) == list(schemas.BOUNDS.columns)


def test_a_row_says_whom_it_speaks_of():
    table = table_of(parts_of())
    said = dict(zip(table["method"], table["population"], strict=True))
    assert said == {
        "lee": "always observed", "lee_tightened": "always observed", "manski": "all", "ipw": "all",
    }  # fmt: skip


def test_the_numbers_are_those_of_the_methods():
    parts = parts_of(arms=3)
    table = table_of(parts)
    y, arm, women = parts["y"], parts["arm"], parts["women"]
    for group, members in (("all", women | True), ("men", ~women)):
        rows = members & np.isin(arm, [2, 0])
        sample, observed = compare(arm[rows], (2, 0)), ~np.isnan(y[rows, 0])
        for method, column, found in (
            ("lee", "earn", lee(y[rows, :1], observed, sample)),
            ("manski", "work", manski(y[rows, 1:2], observed, sample)),
        ):
            month = {"month": 6} if column == "work" else {}
            row = one(table, arm="2", group=group, method=method, outcome=column, **month)
            assert_allclose(row["lower"], found.lower.value[0], rtol=RTOL)
            assert_allclose(row["upper_se"], found.upper.std_error[0], rtol=RTOL)
            counts = [int((rows & (arm == a)).sum()) for a in (2, 0)]
            assert [row["n_treated"], row["n_control"]] == counts
            missing = [int((rows & (arm == a) & np.isnan(y[:, 0])).sum()) for a in (2, 0)]
            assert [row["missing_treated"], row["missing_control"]] == missing
            assert_allclose(row["response_treated"], 1 - missing[0] / counts[0], rtol=RTOL)
            difference = row["response_treated"] - row["response_control"]
            assert_allclose(row["response_difference"], difference, rtol=RTOL)
            assert 0 < row["response_p_value"] < 1
    assert set(table["arm"]) == {"1", "2"}  # no arm against arm


def test_the_gaps_bounds_are_the_ends_that_are_furthest_apart():
    table = table_of(parts_of())
    for _, four in table.groupby(["outcome", "month", "method"], dropna=False):
        by = four.set_index("group")
        women, men, gap = (by.loc[g] for g in ("women", "men", "women-men"))
        assert_allclose(gap["lower"], women["lower"] - men["upper"], rtol=RTOL)
        assert_allclose(gap["upper"], women["upper"] - men["lower"], rtol=RTOL)
        assert_allclose(gap["lower_se"], np.hypot(women["lower_se"], men["upper_se"]), rtol=RTOL)
        assert pd.isna(gap["missing_treated"])
        assert gap["n"] == women["n"] + men["n"]
        shares = women["response_treated"] - men["response_treated"]
        assert_allclose(gap["response_treated"], shares, rtol=RTOL)


def test_intervals_reach_beyond_the_bounds_and_are_ordinary_where_there_is_one_value():
    table = table_of(parts_of())
    assert (table["conf_low"] < table["lower"]).all()
    assert (table["lower"] <= table["upper"]).all()
    assert (table["upper"] < table["conf_high"]).all()
    single = table[table["method"] == "ipw"]
    assert (single["lower"] == single["upper"]).all()
    half = (single["conf_high"] - single["conf_low"]) / 2
    assert ((half / single["lower_se"]).between(1.96, 2.05)).all()


def test_the_share_trimmed_is_by_how_much_the_shares_observed_differ():
    table = table_of(parts_of())
    row = one(table, outcome="earn", method="lee", group="all")
    assert_allclose(row["trimmed_share"], 1 - row["response_control"] / row["response_treated"])
    assert row["note"] == note("trimmed_offer")
    assert table.loc[table["method"].isin(["manski", "ipw"]), "trimmed_share"].isna().all()


def test_an_outcome_missing_for_a_whole_arm_has_rows_that_say_so():
    parts = parts_of()
    parts["y"][(parts["arm"] == 1) & parts["women"], 0] = np.nan
    table = table_of(parts).query("outcome == 'earn'").set_index(["method", "group"])
    for method in ("lee", "lee_tightened", "ipw"):
        assert table.loc[(method, "women"), NUMBERS].isna().all()
        assert table.loc[(method, "women"), "note"] == note("few")
        assert table.loc[(method, "women-men"), "note"] == note("no_gap")
        assert table.loc[(method, "men"), NUMBERS].notna().all()


def test_an_outcome_of_one_value_has_no_lee_bounds_but_manskis():
    parts = parts_of()
    parts["y"][:, 1] = np.where(np.isnan(parts["y"][:, 1]), np.nan, 0)
    table = table_of(parts).query("month == 6 and group == 'all'").set_index("method")
    assert (table.loc[["lee", "lee_tightened", "ipw"], "note"] == note("constant")).all()
    assert table.loc["lee", NUMBERS].isna().all()
    assert table.loc["manski", "upper"] > 0 > table.loc["manski", "lower"]


def test_a_share_outside_zero_and_one_has_no_manski_bounds():
    parts = parts_of()
    parts["y"][:, 1] *= 100
    table = table_of(parts).query("month == 6 and method == 'manski'").set_index("group")
    assert table.loc["all", "note"] == note("no_share")
    assert table[NUMBERS].isna().all().all()


def test_without_covariates_nothing_is_tightened_and_weights_are_equal():
    parts = parts_of() | {"x": None}
    rows = table_of(parts).query("outcome == 'earn'")
    assert (rows.loc[rows["method"] == "lee_tightened", "note"] == note("no_cells")).all()
    table = rows.query("group == 'all'").set_index("method")
    assert table.loc["ipw", "note"] == note("equal_weights")
    known = ~np.isnan(parts["y"][:, 0])
    means = [parts["y"][known & (parts["arm"] == a), 0].mean() for a in (0, 1)]
    assert_allclose(table.loc["ipw", "lower"], means[1] - means[0], rtol=RTOL)


def test_few_persons_are_not_divided_into_cells():
    table = table_of(parts_of(n=40)).query("method == 'lee_tightened' and outcome == 'earn'")
    assert (table["note"].iloc[:3] == note("few_cells")).all()


def test_missing_covariates_are_replaced_within_the_group_and_counted():
    parts = parts_of()
    x = pd.DataFrame(parts["x"], columns=["a", "b"])
    x.loc[::6, "a"] = np.nan
    table = table_of(parts | {"x": x}).query("outcome == 'earn'").set_index(["method", "group"])
    for group, members in (("all", 1), ("women", parts["women"]), ("men", ~parts["women"])):
        text = note("imputed", n=int((x["a"].isna() & members).sum()))
        for method in ("lee_tightened", "ipw"):
            assert text in table.loc[(method, group), "note"]
        assert text not in table.loc[("lee", group), "note"]


def test_blocks_with_one_arm_are_left_out_and_counted():
    parts = parts_of()
    parts["block"] = np.arange(360) % 4
    alone = np.flatnonzero(parts["arm"] == 1)[:5]
    parts["block"][alone] = 4
    table = table_of(parts, columns={"blocks": ["b"]})
    row = one(table, outcome="earn", method="lee", group="all")
    assert note("blocks", n=5) in row["note"]
    assert row["n"] == 355


def test_clusters_share_scores_and_one_cluster_in_an_arm_gives_no_bound():
    parts = parts_of()
    parts["cluster"] = np.arange(360) // 10
    parts["arm"] = parts["cluster"] % 2
    parts["women"] = np.arange(360) % 10 < 5
    parts["y"][::9, :3] = np.nan
    table = table_of(parts, columns={"cluster": "c"})
    assert table.query("method == 'lee'")[NUMBERS].notna().all().all()
    few = parts | {"cluster": np.where(parts["arm"] == 1, 0, parts["cluster"])}
    row = one(table_of(few, columns={"cluster": "c"}), outcome="earn", method="lee", group="all")
    assert "fewer than two clusters in the arm" in row["note"]
    assert np.isnan(row["lower"])


def test_estimands_are_lee_and_manski_end_by_end_with_the_tables_values():
    parts = parts_of()
    study = study_from(**parts)
    plan = plan_of(parts["y"], outcomes=OUTCOMES, covariates=["x0", "x1"])
    table = bounds_table(study, plan)
    names = [c.name for c in plan.outcome_columns]
    seen = set()
    for batch, found in bound_estimands(study, plan):
        method, end = found.estimator.split("_")
        got = found.fit.effects
        assert got is not None
        assert not np.isnan(parts["y"][found.fit.rows][:, batch.columns]).any()
        for i, index in enumerate(batch.columns):
            column = plan.outcome_columns[index]
            place = {"outcome": column.outcome, "method": method, "group": found.group}
            place |= {"month": column.month} if column.month else {}
            row = one(table, **place)
            assert_allclose(got.value[i], row[end], rtol=RTOL)
            assert_allclose(got.std_error[i], row[f"{end}_se"], rtol=RTOL)
            seen.add((names[index], found.estimator))
    assert len(seen) == 3 * 2 + 2 * 2


def test_the_naive_effect_lies_within_lees_bounds():
    parts = parts_of()
    study = study_from(**parts)
    plan = plan_of(parts["y"], outcomes=OUTCOMES, analysis={"estimators": ["difference_in_means"]})
    naive = effects(study, plan).table.query("outcome == 'earn'")
    naive = naive[naive["estimator"] == "difference_in_means"]
    bounds = bounds_table(study, plan).query("method == 'lee' and outcome == 'earn'")
    both = naive.merge(bounds, on=["group", "arm"])
    assert len(both) == 4
    assert (both["lower"] <= both["estimate"]).all()
    assert (both["estimate"] <= both["upper"]).all()


# cells of a predicted outcome


def test_predictions_do_not_rest_on_the_persons_own_outcome():
    rng = np.random.default_rng(0)
    n = 100
    treated, x, y = np.arange(n) % 2 == 0, rng.normal(size=(n, 3)), rng.normal(size=(n, 1))
    fold = folds(treated, np.arange(n))
    assert np.bincount(2 * fold + treated).tolist() == [10] * 10
    train = ~treated
    base = prognosis(y, train, x, fold)
    for person in (1, 7, 12):
        other = y.copy()
        other[person] += 100
        moved = prognosis(other, train, x, fold)
        same = fold == fold[person]
        assert_allclose(moved[same], base[same])
        assert (moved[~same] == base[~same]).all() == bool(treated[person])


def test_a_cluster_stays_in_one_fold():
    unit = np.arange(60) // 3
    fold = folds(unit % 2 == 0, unit)
    assert (fold == np.repeat(fold[::3], 3)).all()


@pytest.mark.parametrize("binary", [False, True])
def test_cells_are_of_persons_with_like_predictions_and_hold_enough(binary):
    rng = np.random.default_rng(3)
    n = 200
    treated = np.arange(n) % 2 == 0
    score = rng.integers(0, 2, n).astype(float) if binary else rng.normal(size=n)
    fold = np.arange(n) // 2 % 5
    full = rng.random(n) < 0.8
    cell = cells(score, fold, full, treated)
    held = np.bincount(2 * cell + treated, full)
    assert held.min() >= LEAST
    assert cell.max() >= 1
    for f in range(5):
        by_cell = [score[(fold == f) & (cell == c)] for c in np.unique(cell)]
        by_cell = [s for s in by_cell if len(s)]
        assert all(a.max() <= b.min() for a, b in pairwise(by_cell))
        if binary:
            assert all(np.ptp(s) == 0 for s in by_cell)


# truth


def test_intervals_hold_the_effect_of_their_population_in_every_group():
    found = coverage("truth at a bound, blocks with shares 0.25 to 0.75", trials=30, seed=4)
    slack = 4 * np.sqrt(0.95 * 0.05 / 30)
    for method in ("lee", "lee_tightened"):
        for group in ("all", "women", "men", "women-men"):
            assert found[method, group] > 0.95 - slack
    assert found["ipw", "all"] < 0.8  # who is missing is not told by the covariates


@pytest.mark.parametrize("name", DESIGNS)
def test_every_design_of_the_coverage_table_gives_every_row(name):
    study, plan, truth = trial(np.random.default_rng(1), **DESIGNS[name])
    table = bounds_table(study, plan)
    assert set(table["population"]) == set(truth)
    assert table.query("method == 'lee'")[NUMBERS].notna().all().all()
