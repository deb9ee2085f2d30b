"""Assignments drawn anew: the right numbers always, every assignment equally likely."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from evaluate.design import assignments as module
from evaluate.design.assignments import assigned_units, assignments, number_of_assignments
from evaluate.errors import DesignError

DRAWS = 40_000
LEAST = 1e-4  # p-value of a chi-square test that a fixed seed must pass


def drawn(arm, block, draws=DRAWS, seed=1, exact=False):
    """Return all draws as one array."""
    arm, block = np.array(arm), np.array(block)
    of = assignments(arm, block, draws, exact)
    return np.concatenate(list(of.chunks(np.random.default_rng(seed))))


def numbers(arm, block):
    """Count units by block and arm, of one assignment or of many."""
    arm = np.atleast_2d(arm)
    cells = [[(arm[:, block == b] == a).sum(axis=1) for a in range(4)] for b in np.unique(block)]
    return np.array(cells)


@given(
    units=st.lists(st.tuples(st.integers(0, 5), st.integers(0, 3)), min_size=1, max_size=60),
    seed=st.integers(0, 99),
)
@settings(deadline=None, max_examples=60)
def test_every_block_has_as_many_in_each_arm_as_it_had(units, seed):
    block, arm = np.array(sorted(units)).T
    found = drawn(arm, block, draws=40, seed=seed)
    assert found.shape == (40, len(arm))
    assert (numbers(found, block) == numbers(arm, block)).all()


@pytest.mark.parametrize("share", [0.001, 0.01, 0.1, 0.24, 0.26, 0.5, 0.9, 0.999])
def test_numbers_are_right_in_large_blocks(share):
    arm = (np.arange(3000) < 3000 * share).astype(int)
    block = np.repeat([0, 1, 2], 1000)
    found = drawn(arm, block, draws=200)
    assert (numbers(found, block) == numbers(arm, block)).all()


@pytest.mark.parametrize(
    "arm",
    [
        [1, 0],
        [1, 1, 0],
        [1, 0, 0, 0, 0],
        [1, 1, 1, 1, 0],
        [1, 1, 0, 0, 0, 0],
        [1, 1, 1, 0, 0, 0, 0],
        [0, 1, 2],
        [0, 0, 1, 1, 2],
        [0, 1, 1, 2, 2, 2],
        [3, 3, 3, 2, 1],
    ],
)
def test_every_assignment_is_equally_likely(arm):
    found = drawn(arm, np.zeros(len(arm), dtype=int))
    assignment, count = np.unique(found, axis=0, return_counts=True)
    assert {tuple(a) for a in assignment} == set(itertools.permutations(arm))
    assert stats.chisquare(count).pvalue > LEAST


@pytest.mark.parametrize("treated", [1, 4, 20, 30, 56])
def test_units_and_pairs_of_a_larger_block_are_equally_likely(treated):
    n = 60
    found = drawn(np.arange(n) < treated, np.zeros(n, dtype=int)).astype(np.int64)
    p, q = treated / n, (treated - 1) / (n - 1)
    together = found.T @ found / DRAWS
    error = np.sqrt(p * (1 - p) / DRAWS)
    assert np.abs(np.diag(together) - p).max() < 4.5 * error
    apart = together[~np.eye(n, dtype=bool)]
    assert np.abs(apart - p * q).max() <= 5 * np.sqrt(p * q * (1 - p * q) / DRAWS)


def test_draws_and_blocks_are_independent():
    found = drawn([1, 0, 1, 0], [0, 0, 1, 1])
    first, second = found[:, 0].astype(int), found[:, 2].astype(int)
    for one, other in ((first, second), (first[:-1], first[1:])):
        table = np.zeros((2, 2))
        np.add.at(table, (one, other), 1)
        assert stats.chi2_contingency(table).pvalue > LEAST


def test_one_seed_gives_one_set_of_draws():
    arm, block = np.arange(90) % 2, np.arange(90) // 30
    assert (drawn(arm, block, 500) == drawn(arm, block, 500)).all()
    assert (drawn(arm, block, 500) != drawn(arm, block, 500, seed=2)).any()


@pytest.mark.parametrize(
    ("arm", "block"),
    [
        ([1, 1, 0, 0, 0], [0, 0, 0, 0, 0]),
        ([1, 0, 1, 0, 0, 1, 1], [0, 0, 1, 1, 1, 2, 2]),
        ([0, 1, 2, 2, 0, 1, 0], [0, 0, 0, 0, 3, 3, 3]),
        ([1, 1], [0, 1]),
    ],
)
def test_few_assignments_are_all_listed_once(arm, block):
    places = [np.flatnonzero(np.array(block) == b) for b in np.unique(block)]
    ways = [set(itertools.permutations(np.array(arm)[p])) for p in places]
    expected = {tuple(itertools.chain(*way)) for way in itertools.product(*ways)}
    found = drawn(arm, block, exact=True)
    assert len(found) == len(expected) == number_of_assignments(np.array(arm), np.array(block))
    assert {tuple(a) for a in found} == expected


def test_assignments_are_listed_only_where_they_are_no_more_than_the_draws():
    arm, block = np.arange(10) % 2, np.zeros(10, dtype=int)
    assert assignments(arm, block, math.comb(10, 5)).every
    assert not assignments(arm, block, math.comb(10, 5) - 1).every


def test_the_actual_assignment_counts_as_one_of_the_draws():
    arm, block = np.arange(10) % 2, np.zeros(10, dtype=int)
    assert assignments(arm, block, 99).p_value(np.array([0, 99])).tolist() == [0.01, 1]
    assert assignments(arm, block, 252).p_value(np.array([63])).tolist() == [0.25]


def test_very_large_studies_draw_less(monkeypatch):
    monkeypatch.setattr(module, "MOST_CELLS", 2_000_000)
    arm, block = np.arange(1000) % 2, np.zeros(1000, dtype=int)
    assert assignments(arm, block, 10_000).number == 2000
    assert assignments(np.tile(arm, 9), np.tile(block, 9), 10_000).number == 999
    assert assignments(arm, block, 50).number == 50


def test_draws_come_in_pieces_that_fit_in_memory(monkeypatch):
    monkeypatch.setattr(module, "CELLS", 100_000)
    arm, block = np.arange(1000) % 2, np.zeros(1000, dtype=int)
    pieces = list(assignments(arm, block, 250).chunks(np.random.default_rng(1)))
    assert [len(p) for p in pieces] == [100, 100, 50]


def test_units_are_persons_or_whole_clusters():
    arm, block = np.array([1, 1, 0, 0, 1]), np.array([0, 0, 0, 0, 1])
    persons = assigned_units(arm, block, None)
    assert persons.of.tolist() == [0, 1, 2, 3, 4]
    clusters = assigned_units(arm, block, np.array([7, 7, 3, 3, 9]))
    assert clusters.of.tolist() == [1, 1, 0, 0, 2]
    assert clusters.arm.tolist() == [0, 1, 1]
    assert clusters.block.tolist() == [0, 0, 1]


@pytest.mark.parametrize(
    ("arm", "block", "what"),
    [([1, 0, 1, 1], [0, 0, 0, 0], "arms"), ([1] * 4, [0, 1, 2, 2], "blocks")],
)
def test_clusters_that_were_not_assigned_as_a_whole_are_counted(arm, block, what):
    with pytest.raises(DesignError, match=f"1 of 2 clusters hold persons of several {what}"):
        assigned_units(np.array(arm), np.array(block), np.array([5, 5, 6, 6]))


def test_units_must_be_sorted_by_block():
    with pytest.raises(ValueError, match="sorted"):
        assignments(np.array([0, 1, 0]), np.array([0, 1, 0]), 10)
