"""Covariates: levels, missing values, columns that add nothing."""

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from evaluate.covariates import columns_of, imputed, independent

RANK = 1e-8  # relative size of a singular value that is nought; the tables hold 0, 1 and 2

FRAME = pd.DataFrame(
    {
        "age": [20.0, np.nan, 40.0, 60.0],
        "education": pd.Series(["short", "long", None, "short"], dtype=object),
    }
)


def test_numbers_keep_their_column_and_gain_an_indicator_of_missing():
    got = columns_of(FRAME[["age"]])
    assert got.names == ("age", "age missing")
    assert_array_equal(got.values[:, 0], FRAME["age"])
    assert_array_equal(got.values[:, 1], [0, 1, 0, 0])


def test_levels_leave_out_the_first_and_missing_is_a_level():
    got = columns_of(FRAME[["education"]])
    assert got.names == ("education=short", "education missing")
    assert_array_equal(got.values, [[1, 0], [0, 0], [0, 1], [1, 0]])


def test_all_levels_sum_to_one_in_every_row():
    got = columns_of(FRAME[["education"]], all_levels=True)
    assert got.names == ("education=long", "education=short", "education missing")
    assert_array_equal(got.values.sum(axis=1), np.ones(4))


def test_no_covariates_are_no_columns():
    got = columns_of(FRAME[[]])
    assert got.values.shape == (4, 0)
    assert got.names == got.sources == ()


def test_leaving_out_a_covariate_leaves_out_all_its_columns():
    got = columns_of(FRAME).without(["education"])
    assert got.names == ("age", "age missing")
    assert got.values.shape == (4, 2)


def test_missing_values_take_the_mean_of_those_known():
    assert_array_equal(imputed(FRAME[["age"]].to_numpy())[:, 0], [20, 40, 40, 60])


def test_a_column_with_nothing_known_is_zero():
    assert_array_equal(imputed(np.full((3, 1), np.nan)), np.zeros((3, 1)))


def test_imputing_leaves_the_original_alone():
    x = FRAME[["age"]].to_numpy().copy()
    imputed(x)
    assert np.isnan(x[1, 0])


def kept_one_by_one(x, constant):
    """Keep a column when it raises the rank of those kept before."""
    start = np.ones((len(x), int(constant)))
    kept, keep = start, []
    for column in x.T:
        wider = np.column_stack([kept, column])
        keep.append(np.linalg.matrix_rank(wider, tol=RANK) == wider.shape[1])
        kept = wider if keep[-1] else kept
    return np.array(keep, dtype=bool)


@settings(max_examples=200, derandomize=True, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), constant=st.booleans())
def test_of_columns_that_explain_each_other_the_first_is_kept(seed, constant):
    rng = np.random.default_rng(seed)
    n, p = rng.integers(3, 12), rng.integers(1, 9)
    x = rng.integers(0, 3, (n, p)).astype(float)
    copies = rng.random(p) < 0.3
    x[:, copies] = x[:, rng.integers(0, p, copies.sum())]
    assert_array_equal(independent(x, constant), kept_one_by_one(x, constant))


def test_a_column_after_a_copy_is_still_kept():
    x = np.array([[0, 0, 1, 0], [1, 1, 0, 1], [0, 0, 1, 1]], dtype=float)
    assert_array_equal(independent(x), [True, False, False, True])


def test_copies_do_not_use_up_the_room_of_later_columns():
    a, b = np.arange(4.0), np.array([1.0, 0, 0, 1])
    assert_array_equal(independent(np.column_stack([a, a, a, a, a, b])), [1, 0, 0, 0, 0, 1])


def test_constants_and_columns_of_one_person_explain_nothing():
    assert not independent(np.full((5, 2), 7.0)).any()
    assert not independent(np.ones((1, 3))).any()


def test_units_do_not_decide_what_is_kept():
    rng = np.random.default_rng(1)
    x = rng.normal(size=(30, 3)) * [1e-9, 1, 1e9] + [0, 0, 1e9]
    assert independent(x).all()
