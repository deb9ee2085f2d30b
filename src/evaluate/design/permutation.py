"""Permutation tests: is what was assigned more unequal than assignments drawn anew?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from evaluate.covariates import imputed
from evaluate.design.assignments import Units, assigned_units, assignments

VARIES = 1e-9  # of a column's length
TIE = 1e-5  # of the statistic or its size by chance: single precision cannot tell it from a tie


@dataclass(frozen=True)
class JointTest:
    """A permutation test of all covariates at once.

    Attributes
    ----------
    statistic : float
        Between-arm part of the covariates' variation, Mahalanobis metric.
    p_value : float
        Share of assignments that are at least as unequal, the actual one counted.
    draws, covariates : int
        Assignments drawn, or all there are; columns of independent variation.
    """

    statistic: float
    p_value: float
    draws: int
    covariates: int


def joint_test(
    x: np.ndarray,
    arm: np.ndarray,
    block: np.ndarray | None,
    draws: int,
    rng: np.random.Generator,
    cluster: np.ndarray | None = None,
) -> JointTest:
    """Test all covariates at once by drawing the assignment anew within blocks.

    The statistic sums over arms n_a d_a' S^-1 d_a, with d_a the arm's mean covariates less
    all, both within blocks, and S the covariance within blocks. Where clusters were assigned,
    they count in place of persons, each with the sum over its persons of covariates less
    their mean in the block.

    Parameters
    ----------
    x : ndarray, shape (n, p)
        Covariates, NaN where missing (then the mean).
    arm : ndarray of int, shape (n,)
        Arm of each person.
    block : ndarray of int, shape (n,), or None
        Blocks within which assignment was drawn.
    draws : int
        Assignments to draw, fewer where the study is very large. All are listed where there
        are no more.
    rng : Generator
        Source of the draws.
    cluster : ndarray of int, shape (n,), or None
        Clusters that were assigned as a whole.

    Returns
    -------
    JointTest

    Raises
    ------
    DesignError
        If a cluster holds several arms or blocks.

    References
    ----------
    After Hansen and Bowers (2008), Covariate balance in simple, stratified and clustered
    comparative studies, Statistical Science 23(2); their metric is the covariance over
    assignments, which differs where shares differ between blocks.
    """
    units = assigned_units(arm, block, cluster)
    sums, varies = _within(imputed(x), units)
    columns = _of_length_one(sums[:, varies])
    basis = np.empty((len(units.arm), 0))
    if columns.shape[1]:
        u, s, _ = np.linalg.svd(columns, full_matrices=False)
        basis = u[:, s > 1e-7 * s[0]]
    actual, p, drawn = _permute(basis, units, draws, rng, joint=True)
    scale = len(units.arm) - len(np.unique(units.block))
    return JointTest(float(actual[0]) * scale, float(p[0]), drawn, basis.shape[1])


def separate_tests(
    x: np.ndarray,
    arm: np.ndarray,
    block: np.ndarray | None,
    draws: int,
    rng: np.random.Generator,
    cluster: np.ndarray | None = None,
) -> tuple[np.ndarray, int]:
    """Test the columns of ``x``, shape (n, p), one by one with the same draws.

    Returns
    -------
    p_value : ndarray, shape (p,)
        One for a column that does not vary within blocks.
    draws : int
        Assignments drawn, or all there are.
    """
    units = assigned_units(arm, block, cluster)
    sums, varies = _within(x, units)
    _, p, drawn = _permute(_of_length_one(sums[:, varies]), units, draws, rng, joint=False)
    p_value = np.ones(x.shape[1])
    p_value[varies] = p
    return p_value, drawn


def _permute(
    columns: np.ndarray, units: Units, draws: int, rng: np.random.Generator, joint: bool
) -> tuple[np.ndarray, np.ndarray, int]:
    """Return statistics, p-values and draws, for columns of length one by unit."""
    order, n = np.argsort(units.block, kind="stable"), len(units.arm)
    arms, arm, size = np.unique(units.arm[order], return_inverse=True, return_counts=True)
    drawn = assignments(arm, units.block[order], draws)
    single = columns[order].astype(np.float32)

    def statistic(assigned: np.ndarray) -> np.ndarray:
        # The columns sum to zero, so the first arm has what the others lack.
        sums = [(assigned == a).astype(np.float32) @ single for a in range(1, len(arms))]
        sums = [-sum(sums), *sums]
        parts = np.sum([s**2 / count for s, count in zip(sums, size, strict=True)], axis=0)
        return parts.sum(axis=1, keepdims=True) if joint else parts

    actual = statistic(drawn.arm[None])[0]
    reached = actual - TIE * np.maximum(actual, (columns.shape[1] if joint else 1) / n)
    at_least = np.zeros(len(actual), dtype=int)
    for assigned in drawn.chunks(rng):
        at_least += (statistic(assigned) >= reached).sum(axis=0)
    return actual, drawn.p_value(at_least), drawn.number


def _within(x: np.ndarray, units: Units) -> tuple[np.ndarray, np.ndarray]:
    """Sum over units the columns less their block's mean; tell which columns vary so."""
    _, block = np.unique(units.block[units.of], return_inverse=True)
    count = np.bincount(block)

    def sums(of: np.ndarray, values: np.ndarray) -> np.ndarray:
        totals = [np.bincount(of, column) for column in values.T]
        return np.stack(totals, axis=1) if totals else np.empty((of.max() + 1, 0))

    centred = x - (sums(block, x) / count[:, None])[block]
    by_unit = sums(units.of, centred)
    length = np.linalg.norm(x, axis=0)
    return by_unit, np.linalg.norm(by_unit, axis=0) > VARIES * np.maximum(length, 1e-300)


def _of_length_one(columns: np.ndarray) -> np.ndarray:
    return columns / np.linalg.norm(columns, axis=0)
