"""Corrections by what a unit decides of its own fit: against R and each other."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from evaluate.errors import DesignError
from evaluate.heterogeneity.leverage import adjusted, summed

REFERENCE = Path(__file__).parents[1] / "reference"
RTOL = 1e-9
TERMS = ["age", "before", "men"]
KINDS = {"HC2": (0.5, False), "HC3": (1, False), "CR2": (0.5, True), "CR3": (1, True)}


def fit_of(x, mass, y):
    """Return regressors of which the sum of mass v v' is one, the way back and residuals."""
    root = np.linalg.cholesky((x * mass[:, None]).T @ x)
    back = np.linalg.inv(root).T
    v = x @ back
    return v, back, mass * (y - v @ (v.T @ (mass * y)))


@pytest.mark.parametrize("kind", KINDS)
def test_errors_are_those_of_r(kind):
    d = pd.read_csv(REFERENCE / "projection_persons.csv")
    expected = pd.read_csv(REFERENCE / "joint_test.csv").set_index(["case", "term"]).loc[kind]
    power, clustered = KINDS[kind]
    one = np.ones(len(d))
    x = np.column_stack([one, d[TERMS].to_numpy(dtype=float)])
    v, back, residual = fit_of(x, one, d["ate"].to_numpy())
    cluster = d["cluster"].to_numpy() if clustered else None
    found = adjusted(v, one, residual, power, cluster, int(d["cluster"].max()) + 1) @ back.T
    errors = np.sqrt((found**2).sum(axis=0))[1:]
    assert_allclose(errors, expected.loc[TERMS, "std_error"], rtol=RTOL)


@given(seed=st.integers(0, 100), power=st.sampled_from([0.5, 1.0]))
def test_many_small_clusters_are_corrected_as_by_their_matrices(seed, power):
    rng = np.random.default_rng(seed)
    n, units = 400, 200
    cluster = np.concatenate([np.arange(units), rng.integers(units, size=n - units)])
    mass = rng.uniform(0.5, 2, n)
    x = np.column_stack([np.ones(n), rng.normal(size=(n, 3))])
    v, _, residual = fit_of(x, mass, rng.normal(size=n))
    found = adjusted(v, mass, residual, power, cluster, units)
    plain = summed(v * residual[:, None], cluster, units)
    for c in range(units):
        own = cluster == c
        left, turn = np.linalg.eigh(np.eye(4) - (v[own] * mass[own, None]).T @ v[own])
        other = turn @ (left**-power * (turn.T @ plain[c]))
        assert_allclose(found[c], other, rtol=RTOL, atol=1e-12)


@given(seed=st.integers(0, 100))
def test_persons_are_clusters_of_one(seed):
    rng = np.random.default_rng(seed)
    n = 80
    mass = rng.uniform(0.5, 2, n)
    x = np.column_stack([np.ones(n), rng.normal(size=(n, 5))])
    v, _, residual = fit_of(x, mass, rng.normal(size=n))
    for power in (0, 0.5, 1):
        alone = adjusted(v, mass, residual, power)
        assert_allclose(adjusted(v, mass, residual, power, np.arange(n), n), alone, rtol=1e-7)


def test_what_one_unit_tells_alone_has_no_error():
    n = 30
    x = np.column_stack([np.ones(n), np.arange(n) == 0]).astype(float)
    v, _, residual = fit_of(x, np.ones(n), np.arange(n, dtype=float))
    with pytest.raises(DesignError, match="one person from all others"):
        adjusted(v, np.ones(n), residual, 1)
    x[:, 1] = np.arange(n) < 5
    v, _, residual = fit_of(x, np.ones(n), np.arange(n, dtype=float))
    with pytest.raises(DesignError, match="one cluster from all others"):
        adjusted(v, np.ones(n), residual, 0.5, np.arange(n) // 5, 6)
