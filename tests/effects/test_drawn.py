"""P-values by drawing the assignment anew, as the table has them."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from scipy import stats
from simulate import arrays, plan_of, study_from

from evaluate.effects.multiplicity import holm
from evaluate.effects.table import effects

PRIMARY = {"unit": "SEK", "role": "primary"}


def table_of(parts, columns=None, seed=1, roles=("primary",) * 4, **analysis):
    study = study_from(**parts)
    outcomes = {
        f"y{i}": {"column": f"y{i}", "unit": "SEK", "role": roles[i]}
        for i in range(study.y.shape[1])
    }
    blocks = {} if parts.get("block") is None else {"blocks": ["b"]}
    plan = plan_of(
        study.y,
        columns=blocks | (columns or {}) | ({} if "women" in parts else {"gender": None}),
        covariates=list(study.covariates),
        outcomes=outcomes,
        analysis={"permutations": 999, **analysis},
    )
    return effects(study, plan, np.random.default_rng(seed)).table


def trial(seed=1, **options):
    return arrays(seed, **options) | {"weight": None}


def test_every_row_with_an_estimate_has_a_p_value():
    parts = trial(n=600, arms=3, outcomes=3)
    parts["y"][::7, 1] = np.nan
    rows = table_of(parts)
    bounds = rows["estimator"].str.contains("lee|manski")
    assert rows.loc[bounds, "p_value_randomisation"].isna().all()
    rows = rows[~bounds]
    assert rows["estimate"].notna().all()
    assert rows["p_value_randomisation"].between(0, 1).all()
    means = rows["estimator"] == "difference_in_means"
    apart = (rows["p_value_randomisation"] - rows["p_value"]).abs()
    assert apart[means].max() < 0.06
    assert apart[~means].max() < 0.2  # a difference of residuals there, slopes in each arm here


def test_without_a_source_of_draws_there_are_none():
    study = study_from(**trial())
    rows = effects(study, plan_of(study.y)).table
    assert rows["p_value_randomisation"].isna().all()
    assert rows["p_value_adjusted"].isna().all()


def test_the_same_seed_gives_the_same_p_values_and_another_seed_others():
    one, same, other = (table_of(trial(), seed=s)["p_value_randomisation"] for s in (1, 1, 2))
    assert list(one) == list(same)
    assert list(one) != list(other)


def test_an_outcome_has_the_same_p_value_beside_others():
    parts = trial(outcomes=3)
    parts["y"][::5, 1] = np.nan
    together = table_of(parts, multiplicity="none").set_index(["outcome", "estimator", "group"])
    alone = table_of(parts | {"y": parts["y"][:, [2]]}, multiplicity="none")
    for row in alone.itertuples():
        got = together.loc[("y2", row.estimator, row.group), "p_value_randomisation"]
        assert got == row.p_value_randomisation


def test_taking_part_has_the_p_value_of_the_offer():
    rng = np.random.default_rng(3)
    parts = trial() | {"takeup": rng.random(80).round()}
    rows = table_of(parts, columns={"takeup": {"column": "t", "taken": 1}})
    rows = rows.set_index(["outcome", "group"])
    late, lead = (
        rows[rows["estimand"] == "late"],
        rows[rows["estimator"] == "difference_in_means"],
    )
    lead = rows[(rows["estimator"] == "lin") & (rows["estimand"] == "itt")]
    for key in late.index:
        p = late.loc[key, "p_value_randomisation"]
        assert pd.isna(p) if key[1] == "women-men" else p == lead.loc[key, "p_value_randomisation"]


def test_one_primary_outcome_is_its_own_family():
    rows = table_of(trial(outcomes=2), roles=("primary", "secondary"))
    own = rows[rows["outcome"] == "y0"]
    assert_allclose(own["p_value_adjusted"], own["p_value_randomisation"])
    assert rows.loc[rows["outcome"] == "y1", "p_value_adjusted"].isna().all()


def test_an_outcome_twice_costs_nothing():
    parts = trial(outcomes=1)
    parts["y"] = np.repeat(parts["y"], 2, axis=1)
    rows = table_of(parts)
    assert_allclose(rows["p_value_adjusted"], rows["p_value_randomisation"], atol=1e-9)


@pytest.mark.parametrize("how", ["westfall_young", "romano_wolf", "holm", "benjamini_hochberg"])
def test_adjusted_p_values_are_no_smaller_and_keep_the_order(how):
    rows = table_of(trial(outcomes=4), multiplicity=how)
    for _, family in rows.groupby(["estimator", "group"]):
        raw, adjusted = family["p_value_randomisation"], family["p_value_adjusted"]
        slack = 0.05 if how == "romano_wolf" else 0  # by scores, not by assignments
        assert (adjusted >= raw - slack - 1e-12).all()
        if how == "holm":
            assert_allclose(adjusted, holm(raw.to_numpy()))


def test_none_leaves_the_family_alone():
    assert table_of(trial(), multiplicity="none")["p_value_adjusted"].isna().all()


def test_a_small_trial_is_enumerated():
    rng = np.random.default_rng(5)
    y = rng.normal(size=(10, 1))
    rows = table_of({"y": y, "arm": np.arange(10) % 2}, estimators=["difference_in_means"])
    assert rows["note"].iloc[0] == "randomisation p-value over all 252 assignments"
    assert (rows["p_value_randomisation"] * 252 % 1).round(9).isin([0, 1]).all()


def test_binary_outcomes_of_a_simple_trial_have_fishers_test():
    rng = np.random.default_rng(6)
    y, arm = rng.integers(0, 2, (60, 1)).astype(float), np.arange(60) % 2
    rows = table_of({"y": y, "arm": arm}, estimators=["difference_in_means"])
    counts = [[(y[arm == a] == v).sum() for v in (1, 0)] for a in (1, 0)]
    want = stats.fisher_exact(counts).pvalue
    assert rows["p_value_randomisation"].iloc[0] == pytest.approx(want)
    assert "Fisher" in rows["note"].iloc[0]


def test_clusters_are_drawn_as_a_whole():
    """A p-value of clusters cannot be smaller than their assignments allow."""
    rng = np.random.default_rng(7)
    cluster = np.repeat(np.arange(8), 30)
    arm = (np.arange(8) % 2)[cluster]
    y = 5.0 * arm[:, None] + rng.normal(size=(240, 1))
    parts = {"y": y, "arm": arm, "cluster": cluster}
    rows = table_of(parts, columns={"cluster": "c"}, estimators=["difference_in_means"])
    assert rows["p_value_randomisation"].iloc[0] == pytest.approx(2 / 70)
    assert "all 70 assignments" in rows["note"].iloc[0]


def test_the_gap_is_tested_against_one_effect_for_all():
    """A large effect that is the same for all does not make a gap, and no gap does not hide it."""
    rng = np.random.default_rng(8)
    n = 400
    women, arm = np.arange(n) % 2 == 0, rng.permutation(np.arange(n) % 2)
    y = 3.0 * arm[:, None] + rng.normal(size=(n, 1))
    rows = table_of({"y": y, "arm": arm, "women": women}).set_index(["estimator", "group"])
    lead = rows.loc["difference_in_means"]
    assert lead.loc["all", "p_value_randomisation"] <= 0.001
    assert lead.loc["women-men", "p_value_randomisation"] == pytest.approx(
        lead.loc["women-men", "p_value"], abs=0.06
    )
