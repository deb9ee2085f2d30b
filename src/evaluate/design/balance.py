"""Were the arms alike before the offer? Differences of each covariate."""

from __future__ import annotations

import numpy as np
import pandas as pd

from evaluate.covariates import Covariates


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
        difference = within_blocks(x[known], arm[known], contrast, block[known], w[known])
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


def within_blocks(
    x: np.ndarray, arm: np.ndarray, contrast: tuple[int, int], block: np.ndarray, w: np.ndarray
) -> float:
    """Return the difference in means, averaged over the blocks that hold both arms.

    NaN where no block does, or nobody is left.
    """
    if not len(x):
        return float("nan")
    cells = [np.bincount(block[arm == a], w[arm == a], block.max() + 1) for a in contrast]
    sums = [np.bincount(block[arm == a], (w * x)[arm == a], block.max() + 1) for a in contrast]
    both = (cells[0] > 0) & (cells[1] > 0)
    if not both.any():
        return float("nan")
    difference = sums[0][both] / cells[0][both] - sums[1][both] / cells[1][both]
    return float(np.average(difference, weights=(cells[0] + cells[1])[both]))
