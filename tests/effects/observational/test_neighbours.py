"""Neighbours found by sorting, by a tree and by comparing all are those of all distances."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from evaluate.effects.observational import neighbours as module
from evaluate.effects.observational.greedy import without_replacement
from evaluate.effects.observational.neighbours import (
    SAME,
    Nearest,
    coordinates,
    distinct,
    neighbours,
)

SEEDS = st.integers(0, 2**32 - 1)
draws = settings(max_examples=40, derandomize=True, deadline=None)


def persons_of(found, a, b):
    """Return who is whose neighbour as a table, shape (a, b)."""
    table = found.near.toarray() > 0
    return table[found.origin][:, found.target].reshape(a, b)


def by_hand(z, of, among, m, cell, radius, box):
    found = np.zeros((len(of), len(among)), dtype=bool)
    for row, i in enumerate(of):
        d = np.sqrt(((z[among] - z[i]) ** 2).sum(axis=1))
        reach = (cell[among] == cell[i]) & (d <= radius + SAME)
        if box is not None:
            reach &= np.abs(box[among] - box[i]).max(axis=1) <= 1 + SAME
        if reach.sum() >= m:
            found[row] = reach & (d <= np.sort(d[reach])[m - 1] + SAME)
    return found


@draws
@given(
    SEEDS,
    st.sampled_from([1, 2, 3, 12]),
    st.integers(1, 5),
    st.sampled_from([0, 1, 6]),
    st.sampled_from([np.inf, 1.0]),
    st.booleans(),
    st.sampled_from([1, 3, 20]),
)
def test_neighbours_are_those_of_all_distances(seed, p, m, decimals, radius, boxed, cells):
    rng = np.random.default_rng(seed)
    z = np.round(rng.normal(size=(90, p)), decimals)
    cell = rng.integers(0, cells, 90)
    box = rng.normal(size=(90, 2)) if boxed else None
    of, among = rng.choice(90, 30, replace=False), rng.choice(90, 50, replace=False)
    got = neighbours(z, of, among, m, cell, radius, box)
    want = by_hand(z, of, among, m, cell, radius, box)
    assert_array_equal(persons_of(got, 30, 50), want)
    assert_array_equal(got.found, want.any(axis=1))
    y = rng.normal(size=(50, 2))
    size, mean, spread = got.moments(y)
    assert_array_equal(size, want.sum(axis=1))
    for row in np.flatnonzero(size > 1):
        assert_allclose(mean[row], y[want[row]].mean(axis=0), atol=1e-12)
        assert_allclose(spread[row], y[want[row]].var(axis=0, ddof=1), atol=1e-12)
    v = rng.normal(size=30)
    assert_allclose(got.passed(v), v @ want, atol=1e-12)


def test_a_coarse_score_needs_no_table_of_pairs():
    rng = np.random.default_rng(2)
    z = np.round(rng.normal(size=(100_000, 1)), 1)
    found = neighbours(z, np.arange(50_000), np.arange(50_000, 100_000), 1)
    assert len(found.point) < 200
    assert found.moments(z[50_000:])[0].sum() > 50_000_000


@pytest.mark.parametrize("entries", [7, 2_000_000])
def test_the_size_of_a_table_changes_nothing(entries, monkeypatch):
    rng = np.random.default_rng(3)
    z = rng.normal(size=(200, 14))
    monkeypatch.setattr(module, "CELLS", entries)
    got = neighbours(z, np.arange(80), np.arange(80, 200), 2)
    want = by_hand(z, np.arange(80), np.arange(80, 200), 2, np.zeros(200), np.inf, None)
    assert_array_equal(persons_of(got, 80, 120), want)


def test_the_nearest_come_in_order():
    rng = np.random.default_rng(4)
    for p in (2, 14):
        t, q = rng.normal(size=(60, p)), rng.normal(size=(9, p))
        every = np.linalg.norm(q[:, None] - t[None], axis=2)
        for k in (1, 5, 60):
            d, i = Nearest(t).nearest(q, k)
            assert_allclose(d, np.sort(every, axis=1)[:, :k])
            assert_allclose(np.take_along_axis(every, i, axis=1), d)


@draws
@given(SEEDS, st.sampled_from([1, 2, 12]), st.integers(1, 3), st.booleans(), st.booleans())
def test_each_takes_the_nearest_left(seed, p, m, near, boxed):
    rng = np.random.default_rng(seed)
    z, cell = rng.normal(size=(120, p)), rng.integers(0, 2, 120)
    box = rng.normal(size=(120, 1)) if boxed else None
    radius = 0.7 * np.sqrt(p) if near else np.inf
    of, among = rng.permutation(60), 60 + rng.permutation(60)
    got = persons_of(without_replacement(z, of, among, m, cell, radius, box), 60, 60)
    left = np.ones(60, dtype=bool)
    for row, i in enumerate(of):
        d = np.linalg.norm(z[among] - z[i], axis=1)
        reach = left & (cell[among] == cell[i]) & (d <= radius)
        if boxed:
            reach &= np.abs(box[among] - box[i])[:, 0] <= 1
        want = np.flatnonzero(reach)[np.argsort(d[reach])[:m]] if reach.sum() >= m else []
        assert set(np.flatnonzero(got[row])) == set(want)
        left[want] = False


def test_metrics_are_the_distances_they_name():
    rng = np.random.default_rng(5)
    x = rng.normal(size=(50, 3)) @ rng.normal(size=(3, 3)) + 7
    w = rng.uniform(1, 3, 50)
    gap = x[3] - x[8]
    covariance = np.cov(x.T, aweights=w, bias=True)
    for metric, inverse in (
        ("mahalanobis", np.linalg.inv(covariance)),
        ("inverse_variance", np.diag(1 / np.diag(covariance))),
    ):
        z = coordinates(x, metric, w)
        assert_allclose(((z[3] - z[8]) ** 2).sum(), gap @ inverse @ gap)


def test_equal_rows_share_a_point():
    rows = np.array([[0.0, 1], [-0.0, 1], [2, 1], [0, 1], [0, 3]])
    point, first = distinct(rows)
    assert point[0] == point[1] == point[3]
    assert len(np.unique(point)) == 3
    assert_array_equal(rows[first][point], rows)


@pytest.mark.parametrize("p", [1, 2])
def test_a_cell_with_too_few_has_no_neighbours(p):
    z, cell = np.arange(20.0).reshape(10, 2)[:, :p], np.array([0] * 6 + [1] * 4)
    found = neighbours(z, np.arange(10), np.arange(10), 5, cell)
    assert_array_equal(found.found, cell == 0)
