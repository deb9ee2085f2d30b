"""Small cells are neither published nor to be worked out; without any, nothing is withheld."""

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import linalg, sparse

from evaluate.release.suppression import withhold

MIN = 5
DETERMINED = 1e-7  # of a unit vector left after projection on small tables of 0 and 1


def margins(shape):
    """Give every cell and margin of a table a number, and relate each margin to its parts."""
    places = list(np.ndindex(*(s + 1 for s in shape)))  # index s is the total of an axis
    number = {p: i for i, p in enumerate(places)}
    rows = []
    for p in places:
        for axis, size in enumerate(shape):
            if p[axis] == size:
                row = np.zeros(len(places))
                row[number[p]] = 1
                for level in range(size):
                    row[number[(*p[:axis], level, *p[axis + 1 :])]] = -1
                rows.append(row)
    return number, np.array(rows)


def with_margins(table):
    """Return the counts of all cells, the relations, and how many axes each cell sums over."""
    number, relations = margins(table.shape)
    counts, sums = np.zeros(len(number)), np.zeros(len(number))
    for place, i in number.items():
        pick = tuple(slice(None) if p == s else p for p, s in zip(place, table.shape, strict=True))
        counts[i] = table[pick].sum()
        sums[i] = sum(p == s for p, s in zip(place, table.shape, strict=True))
    return counts, relations, sums


def recoverable(mask, relations):
    """Return which withheld cells the rest gives away, from the null space of the unknown."""
    free = linalg.null_space(relations[:, mask])
    found = np.zeros(len(mask), dtype=bool)
    found[mask] = np.abs(free).max(axis=1, initial=0) < DETERMINED
    return found


tables = st.lists(st.integers(2, 4), min_size=2, max_size=3).flatmap(
    lambda shape: st.lists(
        st.one_of(st.integers(0, 12), st.integers(0, 300)),
        min_size=int(np.prod(shape)),
        max_size=int(np.prod(shape)),
    ).map(lambda cells: np.array(cells).reshape(shape))
)


@settings(max_examples=300, deadline=None)
@given(table=tables)
def test_no_small_cell_is_published_or_recoverable(table):
    counts, relations, sums = with_margins(table)
    cost = np.where(sums == table.ndim, np.inf, counts)
    mask = withhold(counts, relations, MIN, cost)
    small = (counts >= 1) & (counts < MIN)
    assert not (small & ~mask).any()
    if mask.any():
        assert not (recoverable(mask, relations) & small).any()


def small_sums(mask, counts, relations):
    """Return which relations have withheld cells of one sign that are few persons in all."""
    signs = [row[mask & (row != 0)] for row in relations]
    sums = [counts[mask & (row != 0)].sum() for row in relations]
    return [len(set(s)) == 1 and 1 <= n < MIN for s, n in zip(signs, sums, strict=True)]


@settings(max_examples=100, deadline=None)
@given(table=tables)
def test_what_can_be_worked_out_anyway_is_withheld_only_for_the_sum_it_hides_in(table):
    counts, relations, sums = with_margins(table)
    mask = withhold(counts, relations, MIN, np.where(sums == table.ndim, np.inf, counts))
    for cell in np.flatnonzero(recoverable(mask, relations)) if mask.any() else []:
        shown = mask.copy()
        shown[cell] = False
        assert any(small_sums(shown, counts, relations))


@settings(max_examples=100, deadline=None)
@given(table=tables)
def test_nothing_is_withheld_where_no_cell_is_small(table):
    counts, relations, _ = with_margins(np.where(table < MIN, 0, table))
    assert not withhold(counts, relations, MIN, counts).any()


@given(table=tables)
def test_sparse_and_dense_relations_agree(table):
    counts, relations, _ = with_margins(table)
    dense = withhold(counts, relations, MIN, counts)
    np.testing.assert_array_equal(dense, withhold(counts, sparse.csr_array(relations), MIN, counts))


SUM = np.array([[1, -1, -1, -1]])


def test_the_cheapest_part_hides_the_small_one():
    counts = np.array([100, 3, 40, 57])
    assert withhold(counts, SUM, MIN, counts).tolist() == [False, True, True, False]


def test_a_zero_is_neither_small_nor_a_hiding_place():
    counts = np.array([60, 3, 0, 57])
    assert withhold(counts, SUM, MIN, counts).tolist() == [False, True, False, True]
    assert not withhold(np.array([57, 0, 0, 57]), SUM, MIN, counts).any()


def test_two_small_cells_whose_sum_is_small_take_a_third():
    counts = np.array([62, 1, 2, 59])
    assert withhold(counts, SUM, MIN, counts).tolist() == [False, True, True, True]


def test_rows_of_the_same_few_persons_do_not_hide_one_another():
    counts = np.array([100, 30, 20, 50])
    persons = np.array([[40], [3], [3], [40]])  # the three may be the same
    assert withhold(counts, SUM, MIN, counts, persons=persons).tolist() == [False, True, True, True]
    apart = np.array([[20, 20], [3, 0], [0, 3], [20, 20]])  # three women, three men
    assert withhold(counts, SUM, MIN, counts, persons=apart).tolist() == [False, True, True, False]
    assert withhold(counts, SUM, MIN, counts).tolist() == [False, False, False, False]


def test_infinite_cost_yields_only_where_nothing_else_is_left():
    relation = np.array([[1, -1, -1]])
    counts = np.array([60, 3, 57])
    assert withhold(counts, relation, MIN, np.array([np.inf, 1, 9])).tolist() == [False, True, True]
    assert withhold(counts, relation, MIN, np.array([9, 1, np.inf])).tolist() == [True, True, False]
    assert withhold(counts, relation, MIN, np.full(3, np.inf)).sum() == 2


def test_cells_of_one_row_go_together():
    counts = np.array([60, 3, 57, 80])
    relation = np.array([[1, -1, -1, 0]])
    together = np.array([0, 1, 2, 2])
    mask = withhold(counts, relation, MIN, counts * 1.0 + [100, 0, 0, 0], together)
    assert mask.tolist() == [False, True, True, True]


def test_an_empty_cell_hides_and_is_not_withheld_again():
    counts = np.array([60, 3, np.nan])
    assert withhold(counts, np.array([[1, -1, -1]]), MIN, np.ones(3)).tolist() == [0, 1, 0]


def test_without_relations_only_the_small_go():
    assert withhold(np.array([4, 5, 0]), np.zeros((0, 3)), MIN, np.ones(3)).tolist() == [1, 0, 0]


@pytest.mark.parametrize("blocks", [1500])
def test_many_small_components_are_quick(blocks):
    one, relations, sums = with_margins(np.array([[3, 40, 20], [30, 50, 9]]))
    counts = np.tile(one, blocks)
    relations = sparse.block_diag([relations] * blocks, format="csr")
    start = time.perf_counter()
    mask = withhold(counts, relations, MIN, np.where(np.tile(sums, blocks) == 2, np.inf, counts))
    assert time.perf_counter() - start < 20  # seconds; about 1 on a laptop
    first = mask[: len(one)]
    assert first.any()
    np.testing.assert_array_equal(mask, np.tile(first, blocks))
