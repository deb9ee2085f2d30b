"""Were the arms alike before the offer? Differences of each covariate, and of all at once."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
import pandas as pd

from evaluate.covariates import Covariates, imputed

CELLS = 20_000_000  # drawn assignments held at a time, in persons
MOST_CELLS = 2_000_000_000  # persons times draws
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


def balance(
    covariates: Covariates,
    arm: np.ndarray,
    contrast: tuple[int, int],
    block: np.ndarray | None = None,
    weight: np.ndarray | None = None,
) -> pd.DataFrame:
    """Compare the covariates of two arms.

    Parameters
    ----------
    covariates : Covariates
        Columns of the persons of a group, NaN where missing.
    arm : ndarray of int, shape (n,)
        Arm of each person.
    contrast : (int, int)
        The arm and the arm it is compared with.
    block : ndarray of int, shape (n,), optional
        With blocks the standardised difference is within blocks, as assignment was.
    weight : ndarray, shape (n,), optional
        Weights above zero.

    Returns
    -------
    DataFrame
        Per column ``covariate, mean_treated, mean_control, smd, variance_ratio``. The
        standardised mean difference is in units of the root of the mean of both variances.

    References
    ----------
    Austin (2009), Balance diagnostics for comparing the distribution of baseline
    covariates, Statistics in Medicine 28(25).
    """
    rows = []
    w = np.ones(len(arm)) if weight is None else weight
    block = np.zeros(len(arm), dtype=int) if block is None else block
    for j, name in enumerate(covariates.names):
        known = ~np.isnan(covariates.values[:, j])
        x = covariates.values[:, j]
        (m1, v1), (m0, v0) = (_moments(x, w, known & (arm == a)) for a in contrast)
        difference = _difference(x[known], arm[known], contrast, block[known], w[known])
        spread = np.sqrt((v1 + v0) / 2)
        rows.append(
            {
                "covariate": name,
                "mean_treated": m1,
                "mean_control": m0,
                "smd": difference / spread if spread > 0 else np.nan,
                "variance_ratio": v1 / v0 if v0 > 0 else np.nan,
            }
        )
    return pd.DataFrame(rows)


def _moments(x: np.ndarray, w: np.ndarray, rows: np.ndarray) -> tuple[float, float]:
    """Return the weighted mean and variance."""
    n, total = int(rows.sum()), w[rows].sum()
    if n < 2:
        return float(x[rows][0]) if n else np.nan, np.nan
    mean = w[rows] @ x[rows] / total
    return float(mean), float(w[rows] @ (x[rows] - mean) ** 2 / total * n / (n - 1))


def _difference(
    x: np.ndarray, arm: np.ndarray, contrast: tuple[int, int], block: np.ndarray, w: np.ndarray
) -> float:
    """Return the difference in means, averaged over the blocks that hold both arms."""
    cells = [np.bincount(block[arm == a], w[arm == a], block.max() + 1) for a in contrast]
    sums = [np.bincount(block[arm == a], (w * x)[arm == a], block.max() + 1) for a in contrast]
    both = (cells[0] > 0) & (cells[1] > 0)
    if not both.any():
        return float("nan")
    difference = sums[0][both] / cells[0][both] - sums[1][both] / cells[1][both]
    return float(np.average(difference, weights=(cells[0] + cells[1])[both]))


def joint_test(
    x: np.ndarray,
    arm: np.ndarray,
    block: np.ndarray | None,
    draws: int,
    rng: np.random.Generator,
) -> JointTest:
    """Test all covariates at once by drawing the assignment anew within blocks.

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
    Hansen and Bowers (2008), Covariate balance in simple, stratified and clustered
    comparative studies, Statistical Science 23(2).
    """
    n = len(arm)
    block = np.zeros(n, dtype=int) if block is None else block
    draws = int(min(draws, max(999, MOST_CELLS // n)))
    order = np.argsort(block, kind="stable")
    basis = _basis(imputed(x)[order], block[order])
    single = basis.astype(np.float32)
    arms, size = np.unique(arm, return_counts=True)

    def statistic(assigned: np.ndarray) -> np.ndarray:
        # The basis sums to zero, so the first arm has what the others lack.
        sums = [(assigned == a).astype(np.float32) @ single for a in arms[1:]]
        sums = [-sum(sums), *sums]
        parts = [(s**2).sum(axis=1) / count for s, count in zip(sums, size, strict=True)]
        return np.sum(parts, axis=0)

    sorted_arm = arm[order].astype(np.int8)
    edges = np.flatnonzero(np.diff(block[order], prepend=-1, append=-1))
    actual = float(statistic(sorted_arm[None])[0])
    reached = actual - TIE * max(actual, basis.shape[1] / n)
    at_least, step = 0, max(1, CELLS // n)
    for start in range(0, draws, step):
        drawn = np.tile(sorted_arm, (min(step, draws - start), 1))
        for low, high in itertools.pairwise(edges):
            drawn[:, low:high] = rng.permuted(drawn[:, low:high], axis=1)
        at_least += int((statistic(drawn) >= reached).sum())
    scale = n - (len(edges) - 1)
    return JointTest(actual * scale, (1 + at_least) / (1 + draws), draws, basis.shape[1])


def _basis(x: np.ndarray, block: np.ndarray) -> np.ndarray:
    """Return an orthonormal basis of the covariates' variation within blocks, shape (n, r)."""
    _, block = np.unique(block, return_inverse=True)
    count = np.bincount(block)
    means = np.stack([np.bincount(block, column) for column in x.T], axis=1) / count[:, None]
    within = x - means[block]
    length = np.linalg.norm(within, axis=0)
    within = within[:, length > 1e-9 * np.maximum(np.linalg.norm(x, axis=0), 1e-300)]
    if within.shape[1] == 0:
        return np.empty((len(x), 0))
    u, s, _ = np.linalg.svd(within / np.linalg.norm(within, axis=0), full_matrices=False)
    return u[:, s > 1e-7 * s[0]]
