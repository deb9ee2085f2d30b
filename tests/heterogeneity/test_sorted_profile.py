"""Who is in the sorted groups: weighted means by another way, adjusted p-values, least cells."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose
from simulate import plan_of
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.weightstats import DescrStatsW

from evaluate.heterogeneity.aggregation import judged
from evaluate.heterogeneity.sorted_groups import sorted_label
from evaluate.heterogeneity.sorted_profile import profile_rows
from heterogeneity.simulated import signals
from heterogeneity.test_aggregation import honest_of

PLAN = plan_of(np.zeros((4, 1)))


def label_of(case, honest):
    found = np.full(case.m, -1)
    for fold in judged(honest):
        found[fold.rows] = sorted_label(case, fold, 5)
    return found


def by(rows, name):
    return next(row for row in rows if row["covariate"] == name)


def test_means_and_errors_of_one_split():
    case = signals(600, 1)
    honest = honest_of(case, splits=1)
    label = label_of(case, honest)
    row = by(profile_rows(PLAN, case, honest), "x0")
    ends = [case.x[label == g, 0] for g in (0, 4)]
    assert_allclose([row["mean_top"], row["mean_bottom"]], [e.mean() for e in ends])
    assert_allclose(row["difference"], ends[0].mean() - ends[1].mean())
    assert_allclose(row["std_error"], np.sqrt(sum(e.var() / len(e) for e in ends)))
    assert (row["n_top"], row["n_bottom"]) == tuple(map(len, ends))


def test_means_are_weighted_and_of_those_the_effect_is_about():
    case = signals(600, 1, weighted=True)
    case = replace(case, share=case.treated.astype(float))
    honest = honest_of(case, splits=1)
    label = label_of(case, honest)
    row = by(profile_rows(PLAN, case, honest), "x1")
    top = case.treated & (label == 0)
    expected = DescrStatsW(case.x[top, 1], case.weight[top]).mean
    assert_allclose(row["mean_top"], expected)
    assert row["n_top"] == top.sum()


def test_persons_of_a_cluster_are_not_independent():
    case = signals(600, 1, clusters=60)
    x = case.x.copy()
    of_cluster = np.random.default_rng(1).normal(size=(2, 60))[:, case.cluster]
    x[:, 0] = of_cluster[0]
    case = replace(case, x=x)
    honest = honest_of(case, splits=1)
    honest = replace(honest, effect=np.where(honest.fold > 0, of_cluster[1], np.nan))
    apart = replace(case, cluster=None, units=0)
    errors = [by(profile_rows(PLAN, c, honest), "x0")["std_error"] for c in (case, apart)]
    assert errors[0] > 1.2 * errors[1]


def test_p_values_are_adjusted_over_the_columns():
    rows = profile_rows(PLAN, signals(600, 1), honest_of(signals(600, 1)))
    p = [row["p_value"] for row in rows]
    expected = multipletests(p, method="holm")[1]
    assert_allclose([row["p_value_adjusted"] for row in rows], expected)


def test_least_counts_either_value_of_an_indicator():
    case = signals(600, 1)
    x = case.x.copy()
    x[:, 0] = 0.0
    honest = honest_of(case, splits=1)
    x[np.flatnonzero(label_of(case, honest) == 0)[:2], 0] = 1.0
    rows = profile_rows(PLAN, replace(case, x=x), honest)
    assert by(rows, "x0")["least"] == 0  # nobody in the last group has a 1
    assert by(rows, "x1")["least"] == min(by(rows, "x1")[n] for n in ("n_top", "n_bottom"))


def test_what_predictions_go_by_tells_the_groups_apart():
    case = signals(600, 1)
    honest = honest_of(case)
    told = replace(honest, effect=np.where(honest.fold > 0, case.x[:, 2], np.nan))
    rows = profile_rows(PLAN, case, told)
    assert by(rows, "x2")["difference"] > 2
    assert by(rows, "x2")["p_value_adjusted"] < 1e-6


def test_twelve_persons_are_not_described():
    rows = profile_rows(PLAN, signals(12, 1), honest_of(signals(12, 1), folds=3))
    assert len(rows) == 6
    assert all("not assessed" in row["note"] for row in rows)


@pytest.mark.parametrize("covariates", [1, 6])
def test_every_column_has_a_row(covariates):
    case = signals(300, 1, p=covariates)
    rows = profile_rows(PLAN, case, honest_of(case))
    assert [row["covariate"] for row in rows] == list(case.names)
