"""Properties of errors by cluster, and what a trial of clusters may not be estimated from."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy import stats
from simulate import arrays, plan_of, study_from

from evaluate.effects.adjustment import difference_in_means, lin
from evaluate.effects.linear import Errors
from evaluate.effects.regression import fixed_effects
from evaluate.effects.table import effects
from evaluate.estimates import Working

RTOL = 1e-9
SEEDS = st.integers(0, 2**32 - 1)
draws = settings(max_examples=10, derandomize=True, deadline=None)


def clustered(seed, clusters=20, weighted=False):
    rng = np.random.default_rng(seed)
    cluster = np.repeat(np.arange(clusters), rng.integers(2, 9, clusters))
    n = len(cluster)
    block = cluster % 2
    arm = (rng.permutation(clusters // 2).argsort() % 2).repeat(2)[cluster]
    women = rng.random(n) < 0.5
    x = rng.normal(size=(n, 2))
    y = arm[:, None] + rng.normal(size=clusters)[cluster, None] + rng.normal(size=(n, 2))
    return {
        "y": y, "arm": arm, "women": women, "x": x, "block": block, "cluster": cluster,
        "weight": rng.uniform(0.5, 3, n) if weighted else None,
    }  # fmt: skip


def table_of(parts, estimator, kind="CR2", **analysis):
    study = study_from(**parts)
    columns = {"cluster": "c"} | ({} if parts["block"] is None else {"blocks": ["b"]})
    plan = plan_of(
        study.y,
        columns=columns,
        covariates=["x0", "x1"],
        analysis={"estimators": [estimator], "std_error": kind, **analysis},
    )
    return effects(study, plan, np.random.default_rng(1)).table


@pytest.mark.parametrize(("of_clusters", "of_persons"), [("CR0", "HC0"), ("CR2", "HC2")])
@given(seed=SEEDS)
@draws
def test_clusters_of_one_person_have_the_errors_of_persons(of_clusters, of_persons, seed):
    parts = arrays(seed)
    y, arm, x, block = (parts[k] for k in ("y", "arm", "x", "block"))
    own = Errors(of_clusters, np.arange(len(arm)), len(arm))
    pairs = [
        (
            fixed_effects(y, arm, x, [(1, 0)], block, errors=own)[0],
            fixed_effects(y, arm, x, [(1, 0)], block, kind=of_persons)[0],
        ),
        (
            lin(y, arm, x, [(1, 0)], errors=own)[0][0],
            lin(y, arm, x, [(1, 0)], kind=of_persons)[0][0],
        ),
    ]
    for got, want in pairs:
        assert_allclose(got.value, want.value, rtol=RTOL)
        assert_allclose(got.scores, want.scores, rtol=RTOL, atol=1e-12)


@pytest.mark.parametrize("kind", ["CR0", "CR1", "CR2"])
@pytest.mark.parametrize("estimator", ["difference_in_means", "fixed_effects", "ancova", "lin"])
@given(seed=SEEDS)
@draws
def test_order_of_persons_and_names_of_clusters_do_not_matter(estimator, kind, seed):
    parts = clustered(seed, weighted=True)
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(parts["arm"]))
    names = rng.permutation(20)
    shuffled = {k: v[order] for k, v in parts.items()}
    shuffled["cluster"] = names[shuffled["cluster"]]
    numbers = ["estimate", "std_error", "df", "conf_low", "p_value"]
    base, got = (table_of(p, estimator, kind) for p in (parts, shuffled))
    assert_allclose(got[numbers].astype(float), base[numbers].astype(float), rtol=1e-7, atol=1e-10)


@pytest.mark.parametrize("weighted", [False, True], ids=["plain", "weighted"])
@given(seed=SEEDS)
@draws
def test_working_covariance_is_that_of_the_scores_of_noise(weighted, seed):
    """CR2's scores are linear in the outcomes: their covariance under noise is known exactly."""
    parts = clustered(seed, 8, weighted)
    n, w = len(parts["arm"]), parts["weight"]
    errors = Errors("CR2", parts["cluster"], 8)
    noise = np.eye(n)  # each outcome is one person's noise
    found = fixed_effects(
        noise, parts["arm"], parts["x"], [(1, 0)], parts["block"], w, errors=errors
    )[0]
    exact = found.scores @ found.scores.T
    working = found.working
    held = np.diag(working.own) + working.basis @ working.core @ working.basis.T
    assert_allclose(held, exact, atol=1e-10)
    if np.linalg.matrix_rank(exact) > 1:
        assert_allclose(np.trace(exact) ** 2 / (exact**2).sum(), found.df[0], rtol=1e-7)
    # under the working model the variance is unbiased: the weights' own sum of squares
    if not weighted:
        assert_allclose(np.trace(exact), (found.value**2).sum(), rtol=1e-7)


def test_degrees_of_freedom_of_independent_clusters_of_one_size_are_students():
    # means of two arms of 10 equal clusters: as a t test of the clusters' means
    rng = np.random.default_rng(2)
    cluster = np.repeat(np.arange(20), 5)
    y = rng.normal(size=(20, 1))[cluster]
    arm = (np.arange(20) % 2)[cluster]
    got = difference_in_means(y, arm, (1, 0), errors=Errors("CR2", cluster, 20))
    means = y[::5, 0]
    want = stats.ttest_ind(means[1::2], means[::2])
    assert got.p_value[0] == pytest.approx(want.pvalue)
    assert got.df[0] == pytest.approx(18)


def test_pairs_of_clusters_take_the_variance_between_pairs():
    rng = np.random.default_rng(3)
    cluster = np.repeat(np.arange(24), 4)
    arm, block = (np.arange(24) % 2)[cluster], cluster // 2
    y = rng.normal(size=(96, 1))
    got = difference_in_means(y, arm, (1, 0), block, errors=Errors("CR2", cluster, 24))
    means = y[:, 0].reshape(24, 4).mean(axis=1)
    pairs = means[1::2] - means[::2]
    want = stats.ttest_1samp(pairs, 0)
    assert got.value[0] == pytest.approx(pairs.mean())
    assert got.p_value[0] == pytest.approx(want.pvalue)
    assert got.df[0] == 11


def test_small_blocks_beside_larger_ones_add_their_variance():
    rng = np.random.default_rng(4)
    cluster = np.repeat(np.arange(20), 6)
    block = np.where(cluster < 12, 0, 1 + (cluster - 12) // 2)  # one of twelve, four pairs
    arm = (np.arange(20) % 2)[cluster]
    y = rng.normal(size=(120, 1))
    got = difference_in_means(y, arm, (1, 0), block, errors=Errors("CR2", cluster, 20))
    large, rest = block == 0, block > 0
    parts = [
        difference_in_means(
            y[rows], arm[rows], (1, 0), block[rows], errors=Errors("CR2", cluster[rows], 20)
        )
        for rows in (large, rest)
    ]
    share = np.array([large.mean(), rest.mean()])
    assert got.value[0] == pytest.approx(share @ [p.value[0] for p in parts])
    assert got.std_error[0] == pytest.approx(np.sqrt(share**2 @ [p.variance[0] for p in parts]))


def test_the_gap_counts_what_women_and_men_of_a_cluster_share():
    parts = clustered(5, 30)
    shared = 3 * np.random.default_rng(5).normal(size=(30, 1))
    parts["y"] = parts["y"] + shared[parts["cluster"]]
    rows = table_of(parts, "fixed_effects").query("outcome == 'y0'").set_index("group")
    apart = np.hypot(rows.loc["women", "std_error"], rows.loc["men", "std_error"])
    assert rows.loc["women-men", "std_error"] < 0.7 * apart
    counts = rows["n_clusters"].astype(int)
    assert counts["all"] == 30
    assert counts["women-men"] == 30
    assert (rows["df"] < 29).all()


@pytest.mark.parametrize("estimator", ["difference_in_means", "fixed_effects", "ancova", "lin"])
def test_an_arm_with_one_cluster_is_empty(estimator):
    parts = clustered(6) | {"block": None}
    parts["arm"] = (parts["cluster"] == 3).astype(int)
    rows = table_of(parts, estimator)
    assert rows["estimate"].isna().all()
    assert rows["note"].iloc[0].startswith("not estimated: fewer than two clusters")


@pytest.mark.parametrize("estimator", ["ancova", "lin"])
def test_fewer_clusters_than_parameters_are_told(estimator):
    rng = np.random.default_rng(7)
    parts = clustered(7, 8) | {"block": None}
    parts["x"] = rng.normal(size=(len(parts["arm"]), 9))
    study = study_from(**parts)
    plan = plan_of(
        study.y,
        columns={"cluster": "c"},
        covariates=[f"x{i}" for i in range(9)],
        analysis={"estimators": [estimator]},
    )
    rows = effects(study, plan).table
    assert rows["estimate"].isna().all()
    assert "clusters" in rows["note"].iloc[0]
    assert "name fewer covariates" in rows["note"].iloc[0]


def test_wild_bootstrap_takes_the_place_of_t():
    parts = clustered(8, 10)
    plain = table_of(parts, "fixed_effects")
    wild = table_of(parts, "fixed_effects", interval="wild_bootstrap")
    assert_allclose(wild["estimate"], plain["estimate"])
    assert_allclose(wild["std_error"], plain["std_error"])
    itt = wild["estimand"] == "itt"
    assert (wild.loc[itt, "p_value"] * 1_024 % 1 == 0).all()  # of 2^10 patterns
    assert wild.loc[itt, "note"].str.contains("patterns of weights").all()
    inside = (wild["conf_low"] < 0) & (wild["conf_high"] > 0)
    assert (inside[itt] == (wild.loc[itt, "p_value"] > 0.05)).all()


def test_working_covariances_add_up():
    one = Working(np.ones(4), np.zeros((4, 1)), np.zeros((1, 1)))
    assert one.df == pytest.approx(4)
    assert (one + one).df == pytest.approx(4)
    assert one.times(3.0).df == pytest.approx(4)


@pytest.mark.parametrize(("clusters", "said"), [(6, True), (12, False)])
def test_a_row_says_when_an_arm_has_too_few_clusters_for_the_bootstrap(clusters, said):
    rows = table_of(clustered(8, clusters), "fixed_effects", interval="wild_bootstrap")
    told = rows.loc[rows["estimand"] == "itt", "note"].str.contains("too few to bootstrap")
    assert (told == said).all()
