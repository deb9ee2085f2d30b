"""Permutation tests: is what was assigned more unequal than assignments drawn anew?"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np

from evaluate.covariates import imputed

CELLS = 20_000_000  # drawn assignments held at a time, in persons
MOST_CELLS = 2_000_000_000  # persons times draws
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
        Share of drawn assignments that are at least as unequal, the actual one counted.
    draws, covariates : int
        Assignments drawn; columns of independent variation.
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
) -> JointTest:
    """Test all covariates at once by drawing the assignment anew within blocks.

    The statistic sums over arms n_a d_a' S^-1 d_a, with d_a the arm's mean covariates less
    all, both within blocks, and S the covariance within blocks.

    Parameters
    ----------
    x : ndarray, shape (n, p)
        Covariates, NaN where missing (then the mean).
    arm : ndarray of int, shape (n,)
        Arm of each person.
    block : ndarray of int, shape (n,), or None
        Blocks within which assignment was drawn.
    draws : int
        Assignments to draw, fewer where the study is very large.
    rng : Generator
        Source of the draws.

    Returns
    -------
    JointTest

    References
    ----------
    After Hansen and Bowers (2008), Covariate balance in simple, stratified and clustered
    comparative studies, Statistical Science 23(2); their metric is the covariance over
    assignments, which differs where shares differ between blocks.
    """
    order, block = _by_block(arm, block)
    within = _within(imputed(x)[order], block)
    basis = np.empty((len(arm), 0))
    if within.shape[1]:
        u, s, _ = np.linalg.svd(within, full_matrices=False)
        basis = u[:, s > 1e-7 * s[0]]
    actual, p, drawn = _permute(basis, arm[order], block, draws, rng, joint=True)
    scale = len(arm) - len(np.unique(block))
    return JointTest(float(actual[0]) * scale, float(p[0]), drawn, basis.shape[1])


def separate_tests(
    x: np.ndarray,
    arm: np.ndarray,
    block: np.ndarray | None,
    draws: int,
    rng: np.random.Generator,
) -> tuple[np.ndarray, int]:
    """Test the columns of ``x``, shape (n, p), one by one with the same draws.

    Returns
    -------
    p_value : ndarray, shape (p,)
        One for a column that does not vary within blocks.
    draws : int
        Assignments drawn.
    """
    order, block = _by_block(arm, block)
    length = np.linalg.norm(_centred(x[order], block), axis=0)
    varies = length > VARIES * np.maximum(np.linalg.norm(x, axis=0), 1e-300)
    columns = _within(x[order], block)
    _, p, drawn = _permute(columns, arm[order], block, draws, rng, joint=False)
    p_value = np.ones(x.shape[1])
    p_value[varies] = p
    return p_value, drawn


def _permute(
    columns: np.ndarray,
    arm: np.ndarray,
    block: np.ndarray,
    draws: int,
    rng: np.random.Generator,
    joint: bool,
) -> tuple[np.ndarray, np.ndarray, int]:
    """Return statistics, p-values and draws; rows are sorted by block, columns of length one."""
    n = len(arm)
    draws = int(min(draws, max(999, MOST_CELLS // n)))
    single = columns.astype(np.float32)
    arms, size = np.unique(arm, return_counts=True)

    def statistic(assigned: np.ndarray) -> np.ndarray:
        # The columns sum to zero, so the first arm has what the others lack.
        sums = [(assigned == a).astype(np.float32) @ single for a in arms[1:]]
        sums = [-sum(sums), *sums]
        parts = np.sum([s**2 / count for s, count in zip(sums, size, strict=True)], axis=0)
        return parts.sum(axis=1, keepdims=True) if joint else parts

    actual = statistic(arm[None].astype(np.int8))[0]
    reached = actual - TIE * np.maximum(actual, (columns.shape[1] if joint else 1) / n)
    edges = np.flatnonzero(np.diff(block, prepend=-1, append=-1))
    at_least, step = np.zeros(len(actual), dtype=int), max(1, CELLS // n)
    for start in range(0, draws, step):
        drawn = np.tile(arm.astype(np.int8), (min(step, draws - start), 1))
        for low, high in itertools.pairwise(edges):
            drawn[:, low:high] = rng.permuted(drawn[:, low:high], axis=1)
        at_least += (statistic(drawn) >= reached).sum(axis=0)
    return actual, (1 + at_least) / (1 + draws), draws


def _by_block(arm: np.ndarray, block: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    """Return an order by block, and the blocks in it."""
    block = np.zeros(len(arm), dtype=int) if block is None else block
    order = np.argsort(block, kind="stable")
    return order, block[order]


def _centred(x: np.ndarray, block: np.ndarray) -> np.ndarray:
    """Take the means of the blocks out of the columns."""
    _, block = np.unique(block, return_inverse=True)
    count = np.bincount(block)
    means = np.stack([np.bincount(block, column) for column in x.T], axis=1) / count[:, None]
    return x - means[block]


def _within(x: np.ndarray, block: np.ndarray) -> np.ndarray:
    """Return the columns' variation within blocks, each of length one; flat ones are left out."""
    if x.shape[1] == 0:
        return np.empty(x.shape)
    centred = _centred(x, block)
    length = np.linalg.norm(centred, axis=0)
    varies = length > VARIES * np.maximum(np.linalg.norm(x, axis=0), 1e-300)
    return centred[:, varies] / length[varies]
