"""Tests of independence: size under truth, power, weights, clusters and what is not tested."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import stats
from scipy.special import expit

from evaluate.design.graph_data import category, number
from evaluate.design.independence import independence_test, regression, residuals

DRAWS = 400
# Of 400 draws at 5 per cent 20 are expected; 8 and 36 leave out less than one in a thousand.
FEWEST, MOST = 8, 36


def rejected(test):
    """Count how often a test rejects at 5 per cent."""
    return sum(test(np.random.default_rng([7, i])) < 0.05 for i in range(DRAWS))


def mixed(rng, n=400):
    """Draw variables of all kinds that depend on c and d alone, not all of them linearly."""
    c, d = rng.normal(size=n), rng.integers(0, 3, n)
    steep = (rng.random(n) < expit(2 * c + d - 1)).astype(float)
    heap = np.exp(c + rng.normal(size=n)) * (rng.random(n) < 0.7)
    levels = np.array(list("abcd"), dtype=object)
    return {
        "c": number(c),
        "d": category(levels[d]),
        "steep": number(steep),
        "late": number((rng.random(n) < stats.norm.cdf(2 * c - d)).astype(float)),
        "heap": number(heap),
        "level": category(levels[np.clip(np.floor(c + rng.normal(size=n) + 2), 0, 3).astype(int)]),
    }


@pytest.mark.parametrize(("a", "b"), [("steep", "late"), ("steep", "heap"), ("level", "heap")])
def test_independence_given_common_causes_is_rejected_as_often_as_it_should(a, b):
    def test(rng):
        v = mixed(rng)
        return independence_test(v[a], v[b], [v["c"], v["d"]]).p_value

    assert FEWEST <= rejected(test) <= MOST


def test_dependence_through_common_causes_is_found_where_they_are_not_held():
    v = mixed(np.random.default_rng(1), 2_000)
    for a, b in (("steep", "late"), ("steep", "heap"), ("level", "heap")):
        assert independence_test(v[a], v[b]).p_value < 1e-8
        assert independence_test(v[a], v[b], [v["d"]]).p_value < 1e-6


def test_a_steep_share_of_several_causes_does_not_look_like_dependence():
    """Additive splines alone reject this in more than half of the draws at n = 1,000."""

    def test(rng):
        x = rng.normal(size=(1_000, 4))
        a, b = ((x.sum(axis=1) + rng.logistic(size=1_000) > i) for i in (0, 1))
        given = [number(column) for column in x.T]
        return independence_test(number(a.astype(float)), number(b.astype(float)), given).p_value

    assert rejected(test) <= MOST


def test_the_size_holds_with_clusters_and_fails_without():
    def drawn(rng):
        cluster = np.repeat(np.arange(40), 15)
        x, y = (rng.normal(size=40)[cluster] + rng.normal(size=600) for _ in range(2))
        z = rng.normal(size=600)
        return number(x), number(y), [number(z)], cluster

    def by_cluster(rng):
        x, y, z, cluster = drawn(rng)
        return independence_test(x, y, z, cluster=cluster).p_value

    def by_person(rng):
        x, y, z, _ = drawn(rng)
        return independence_test(x, y, z).p_value

    assert FEWEST <= rejected(by_cluster) <= MOST
    assert rejected(by_person) > 2 * MOST


def test_the_size_holds_with_weights():
    def test(rng):
        v = mixed(rng)
        weight = rng.uniform(0.2, 4, 400)
        return independence_test(v["steep"], v["heap"], [v["c"], v["d"]], weight).p_value

    assert FEWEST <= rejected(test) <= MOST


def test_weights_that_select_are_heeded():
    """Of who is selected by x or y, x and y depend; inverse weights take that back."""
    rng = np.random.default_rng(2)
    x, y = rng.normal(size=(2, 20_000))
    share = expit(x + y)
    kept = rng.random(20_000) < share
    a, b = number(x[kept]), number(y[kept])
    assert independence_test(a, b).p_value < 1e-6
    assert independence_test(a, b, weight=1 / share[kept]).p_value > 0.01


def test_two_shares_are_tested_nearly_as_by_pearson():
    rng = np.random.default_rng(3)
    x = rng.integers(0, 2, 2_000).astype(float)
    y = (rng.random(2_000) < 0.5 + 0.03 * x).astype(float)
    found = independence_test(number(x), number(y))
    table = [[np.sum((x == i) & (y == j)) for j in (0, 1)] for i in (0, 1)]
    pearson = stats.chi2_contingency(table, correction=False).statistic
    assert_allclose(found.statistic, pearson, rtol=0.01)
    assert_allclose(found.correlation, np.corrcoef(x, y)[0, 1], rtol=1e-10)
    assert (found.df, found.df_rest, found.n) == (1, 1_999, 2_000)


def test_the_statistic_is_that_of_the_mean_product_of_residuals():
    rng = np.random.default_rng(12)
    z, w = rng.integers(0, 2, 40).astype(float), rng.uniform(0.5, 2, 40)
    x, y = (rng.random((2, 40)) < 0.4 + 0.3 * z).astype(float)
    found = independence_test(number(x), number(y), [number(z)], w)

    def left(v):
        return v - np.array([np.average(v[z == i], weights=w[z == i]) for i in z])

    products = w * left(x) * left(y)
    t = products.mean() / (products.std(ddof=1) / np.sqrt(40))
    assert_allclose(found.statistic, t**2 * (40 - 2) / 40, rtol=1e-8)
    assert_allclose(found.p_value, stats.f.sf(found.statistic, 1, 39), rtol=1e-12)


def test_a_category_counts_its_columns_and_has_no_order():
    rng = np.random.default_rng(4)
    levels = rng.integers(0, 3, 900)
    y = rng.normal(size=900) + 0.4 * (levels == 1)
    names = np.array(["a", "b", "c"], dtype=object)[levels]
    found = independence_test(category(names), number(y))
    swapped = independence_test(
        number(y), category(np.array(["z", "x", "y"], dtype=object)[levels])
    )
    assert found.df == swapped.df == 2
    assert_allclose(found.statistic, swapped.statistic, rtol=1e-8)
    assert found.p_value < 1e-3


def test_only_the_order_of_numbers_matters_where_nothing_is_held():
    rng = np.random.default_rng(5)
    x, y = rng.normal(size=(2, 300))
    one, other = (independence_test(number(v), number(y)) for v in (x, np.exp(5 * x)))
    assert_allclose(one.statistic, other.statistic, rtol=1e-10)


def test_persons_without_a_value_are_left_out():
    rng = np.random.default_rng(6)
    x, y, z = rng.integers(0, 2, size=(3, 500)).astype(float)  # whose ranks are those of all
    x[:100], z[50:150] = np.nan, np.nan
    rows = slice(150, None)
    found = independence_test(number(x), number(y), [number(z)])
    assert found.n == 350
    without = independence_test(number(x[rows]), number(y[rows]), [number(z[rows])])
    assert_allclose(found.statistic, without.statistic, rtol=1e-8)


def test_what_follows_from_the_others_is_not_tested():
    rng = np.random.default_rng(7)
    x, y = rng.integers(0, 10, 500).astype(float), rng.normal(size=500)
    found = independence_test(number((x > 5).astype(float)), number(y), [number(x)])
    assert (found.problem, found.n) == ("determined", 500)
    assert np.isnan(found.p_value)


def test_too_few_persons_or_clusters_are_not_tested():
    x, y, z = np.random.default_rng(8).normal(size=(3, 10))
    assert independence_test(number(x), number(y), [number(z)]).problem == "few"
    nobody = number(np.where(np.arange(10) < 5, np.nan, x))
    assert (
        independence_test(nobody, number(np.where(np.arange(10) < 5, y, np.nan))).problem == "few"
    )
    x, y = np.random.default_rng(9).normal(size=(2, 200))
    cluster = np.arange(200) % 5
    assert independence_test(number(x), number(y), cluster=cluster).problem == "few"


def test_residuals_are_those_of_least_squares():
    rng = np.random.default_rng(10)
    x = np.column_stack([np.ones(80), rng.normal(size=(80, 3))])
    x = np.column_stack([x, x[:, 1] + x[:, 2], np.full(80, 3.0)])  # adds nothing
    y, w = rng.normal(size=(80, 2)), rng.uniform(0.5, 2, 80)
    found = regression(x, w)
    root = np.sqrt(w)[:, None]
    expected = y - x @ np.linalg.lstsq(root * x, root * y, rcond=None)[0]
    assert found.rank == 4
    assert_allclose(found.left(y), expected, atol=1e-10)


def test_splines_of_the_fit_are_projected_as_if_all_were_regressed_on():
    from evaluate.design.graph_data import KNOTS
    from evaluate.design.propensity_models import natural_spline

    rng = np.random.default_rng(11)
    x = np.column_stack([np.ones(500), rng.normal(size=(500, 2))])
    y, w = (expit(3 * x[:, 1:].sum(axis=1)) + rng.normal(0, 0.1, 500))[:, None], np.ones(500)
    fitted = x @ np.linalg.lstsq(x, y, rcond=None)[0]
    for _ in range(2):
        curves = natural_spline(fitted[:, 0], np.unique(np.quantile(fitted, KNOTS)))[:, 1:]
        wide = np.hstack([x, curves])
        fitted = wide @ np.linalg.lstsq(wide, y, rcond=None)[0]
    found = residuals(regression(x, w), y, w)
    assert_allclose(found.left, y - fitted, atol=1e-7)
    assert found.columns == 8
    assert_allclose(found.spread, 500 * y.var(axis=0), rtol=1e-10)
