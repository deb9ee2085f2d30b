"""Dominance: who makes most of an amount, and what must go with it."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from evaluate.plan.config import Dominance
from evaluate.release.dominance import Line, dominates, why_sensitive, withhold_amounts

RULE = Dominance()


def line(*cells):
    """Return a line of cells named by letter, each with what its contributors have."""
    return Line(tuple("abcdefghij"[: len(cells)]), sparse.csr_array(np.array(cells, dtype=float)))


def withheld(one, rule=RULE, **more):
    found = withhold_amounts({"x": one}, rule, **more)
    return {cell: why for (_, cell), why in found.items()}


@pytest.mark.parametrize(
    ("parts", "rule", "expected"),
    [
        ([80, 20], RULE, False),  # not more than 80 per cent
        ([81, 20], RULE, True),
        ([-81, 20], RULE, True),  # what is taken back counts by its size
        ([50, 40, 10], Dominance(k=2, percent=89), True),
        ([50, 40, 10], Dominance(k=2, percent=90), False),
        ([7], RULE, True),
        ([7], Dominance(percent=100), False),
        ([], RULE, False),
        ([0, 0], RULE, False),
    ],
)
def test_the_largest_have_more_than_the_limit(parts, rule, expected):
    assert dominates(np.array(parts, dtype=float), rule) == expected


def test_few_persons_are_few_and_nobody_is_nobody():
    assert why_sensitive(np.array([5.0, 5, 5, 0]), RULE, 4) == "few"
    assert why_sensitive(np.array([5.0, 5, 5, 5]), RULE, 4) is None
    assert why_sensitive(np.zeros(3), RULE, 4) is None
    assert why_sensitive(np.array([5.0, 5, 5]), RULE, 0) is None


def test_the_smallest_amount_that_is_enough_goes_with_a_dominated_one():
    # a is of one contributor; with b that one still has 99 per cent, with c 71, with d 50.
    found = withheld(line([100, 0, 0], [0, 1, 0], [0, 20, 20], [0, 50, 50], [40, 80, 80]))
    assert found == {"a": "dominated", "b": "dominated", "c": "protects"}
    alone = withheld(line([100, 0, 0], [0, 20, 20], [0, 50, 50]))
    assert alone == {"a": "dominated", "b": "protects"}


def test_where_no_one_is_enough_the_largest_goes_first_and_more_with_it():
    found = withheld(line([100, 0, 0], [0, 5, 5], [0, 6, 6], [0, 7, 7]))
    assert set(found) == {"a", "c", "d"}  # 100 of 126, as b and d would be 100 of 124
    of_one = withheld(line([100], [50], [20]))
    assert set(of_one) == {"a", "b", "c"}


def test_a_line_of_one_cell_is_its_total_and_hides_nothing():
    assert withheld(line([100, 1])) == {}
    assert withheld(line([100, 1]), min_persons=5) == {"a": "few"}


def test_a_cell_withheld_for_another_reason_has_company_too():
    amounts = line([10, 10], [30, 30], [20, 20])
    assert withheld(amounts, hidden={"x": {"b"}}) == {"b": "protects", "a": "protects"}
    assert withheld(amounts) == {}


def test_cells_that_need_no_protection_still_give_it():
    amounts = line([100, 0, 0], [0, 40, 40], [0, 500, 0])
    assert withheld(amounts, open_cells={"c"}) == {"a": "dominated", "b": "protects"}
    assert set(withheld(amounts)) == {"a", "b", "c"} or "c" in withheld(amounts)


def test_amounts_that_tell_each_other_go_together():
    lines = {"1": line([100, 0], [30, 30], [90, 90]), "2": line([30, 30], [90, 90], [30, 31])}
    assert {name for name, _ in withhold_amounts(lines, RULE)} == {"1"}
    tied = [[("1", "a"), ("2", "a")]]
    found = withhold_amounts(lines, RULE, tied=tied)
    assert found["2", "a"] == "protects"
    assert len([1 for name, _ in found if name == "2"]) == 2


CELLS = st.lists(
    st.lists(st.integers(0, 60).map(lambda x: x if x > 20 else 0), min_size=4, max_size=4),
    min_size=2,
    max_size=8,
)


@settings(max_examples=200, deadline=None)
@given(CELLS, st.sampled_from([60, 80, 95]), st.integers(1, 2), st.sampled_from([0, 3]))
def test_no_amount_shown_and_no_sum_of_those_withheld_is_sensitive(cells, percent, k, least):
    one, rule = line(*cells), Dominance(k=k, percent=percent)
    found = withheld(one, rule, min_persons=least)
    parts = one.parts.toarray()
    hidden = [i for i, cell in enumerate(one.cells) if cell in found]
    for i in set(range(len(cells))) - set(hidden):
        assert why_sensitive(parts[i], rule, least) is None
    if hidden and len(hidden) < len(cells):
        assert len(hidden) > 1
        assert why_sensitive(parts[hidden].sum(axis=0), rule, least) is None
    if not hidden:
        assert all(why_sensitive(own, rule, least) is None for own in parts)
