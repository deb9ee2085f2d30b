"""Differences in means and Lin's adjusted differences, all outcomes in one pass."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import sparse

from evaluate.effects.scores import robust_scores
from evaluate.errors import DesignError
from evaluate.estimates import Estimates

Contrast = tuple[int, int]


def difference_in_means(
    y: np.ndarray,
    arm: np.ndarray,
    contrast: Contrast,
    block: np.ndarray | None = None,
    weight: np.ndarray | None = None,
) -> Estimates:
    """Estimate average effects by differences in means, within blocks where there are any.

    Parameters
    ----------
    y : ndarray, shape (n, k)
        Outcomes, one column each; an estimate carries its column's unit.
    arm : ndarray of int, shape (n,)
        Arm of each person.
    contrast : (int, int)
        The arm and the arm it is compared with; persons of other arms count as zero.
    block : ndarray of int, shape (n,), optional
        Blocks; their differences are averaged with weights by their number of persons.
        Every block must hold both arms, see `both_arms`.
    weight : ndarray, shape (n,), optional
        Weights above zero.

    Returns
    -------
    Estimates
        k values with Neyman's variance; Welch's degrees of freedom, or with blocks the
        persons less the cells.

    Raises
    ------
    DesignError
        If an arm has nobody, or every person is alone in a cell of block and arm.

    References
    ----------
    Neyman (1923); Imbens and Rubin (2015), Causal Inference, chapters 6 and 9;
    Gerber and Green (2012), Field Experiments, chapter 3.
    """
    block = np.zeros(len(arm), dtype=int) if block is None else block
    w = np.ones(len(arm)) if weight is None else weight
    used = np.isin(arm, contrast)
    share = np.bincount(block[used], w[used])
    share = share / share.sum()
    treated, control = (
        _block_mean(y, arm == a, block, w, share, name=f"arm {i + 1} of the contrast")
        for i, a in enumerate(contrast)
    )
    blocks = int((share > 0).sum())
    if blocks == 1:
        return treated - control
    df = np.full(y.shape[1], float(used.sum() - 2 * blocks))
    return Estimates(treated.value - control.value, treated.scores - control.scores, df)


def _block_mean(
    y: np.ndarray, rows: np.ndarray, block: np.ndarray, w: np.ndarray, share: np.ndarray, name: str
) -> Estimates:
    """Return the mean of one arm, blocks weighted by ``share``."""
    if not rows.any():
        raise DesignError(f"nobody in {name}.")
    b, w, n = block[rows], w[rows], int(rows.sum())
    total = np.bincount(b, w, minlength=len(share))
    h = w / total[b]
    cells = sparse.csr_array((h, (b, np.arange(n))), shape=(len(share), n))
    means = cells @ y[rows]
    df = n - int((total > 0).sum())
    scores = np.zeros_like(y)
    scores[rows] = robust_scores(share[b] * h, y[rows] - means[b], h, df, "neyman")
    return Estimates(share @ means, scores, np.full(y.shape[1], float(df)))


def both_arms(arm: np.ndarray, block: np.ndarray | None, arms: Sequence[int]) -> np.ndarray:
    """Return which persons are in blocks that hold all of ``arms``, shape (n,)."""
    if block is None:
        return np.ones(len(arm), dtype=bool)
    held = np.ones(block.max(initial=0) + 1, dtype=bool)
    for a in arms:
        held &= np.bincount(block[arm == a], minlength=len(held)) > 0
    return held[block]


def alone(arm: np.ndarray, block: np.ndarray | None) -> int:
    """Count the persons who are alone in their cell of block and arm."""
    if block is None:
        return 0
    _, size = np.unique(np.column_stack([arm, block]), axis=0, return_counts=True)
    return int((size == 1).sum())


def lin(
    y: np.ndarray,
    arm: np.ndarray,
    x: np.ndarray,
    contrasts: Sequence[Contrast],
    weight: np.ndarray | None = None,
    kind: str = "HC2",
    stratum: np.ndarray | None = None,
) -> list[list[Estimates]]:
    """Estimate average effects by fully interacted least squares.

    A regression of each arm on its covariates, evaluated at the mean covariates of all
    persons, is the same as one regression with every covariate interacted with every arm.

    Parameters
    ----------
    y : ndarray, shape (n, k)
        Outcomes, one column each; an estimate carries its column's unit.
    arm : ndarray of int, shape (n,)
        Arm of each person, 0 for control.
    x : ndarray, shape (n, p)
        Covariates measured before assignment, linearly independent within each arm; with
        blocks, indicators of the blocks are among them.
    contrasts : sequence of (int, int)
        Pairs of an arm and the arm it is compared with.
    weight : ndarray, shape (n,), optional
        Weights above zero.
    kind : {"HC0", "HC1", "HC2", "HC3"}
        Kind of robust variance.
    stratum : ndarray of int, shape (n,), optional
        Strata with intercepts and means of their own but common covariate slopes.

    Returns
    -------
    list of list of Estimates
        For each stratum and contrast k values, ``n - arms * (p + strata)`` degrees of freedom.

    Raises
    ------
    DesignError
        If an arm has fewer than ``p + 2`` persons, or a stratum has nobody in an arm.

    References
    ----------
    Lin (2013), Agnostic notes on regression adjustments to experimental data,
    Annals of Applied Statistics 7(1).
    """
    n = len(arm)
    w = np.ones(n) if weight is None else weight
    stratum = np.zeros(n, dtype=int) if stratum is None else stratum
    intercepts = np.equal.outer(stratum, np.unique(stratum)).astype(float)
    design = np.hstack([intercepts, x])
    mass = intercepts * w[:, None]
    at = mass.T @ design / mass.sum(axis=0)[:, None]
    arms = np.unique(arm)
    if any((intercepts[arm == a].sum(axis=0) == 0).any() for a in arms):
        raise DesignError("a stratum has nobody in one of the arms.")
    df = float(n - len(arms) * design.shape[1])
    means = {a: _means_at(y, arm == a, design, at, w, kind, df) for a in arms}
    return [
        [
            Estimates(
                means[a][s].value - means[b][s].value,
                means[a][s].scores - means[b][s].scores,
                np.full(y.shape[1], df),
            )
            for a, b in contrasts
        ]
        for s in range(len(at))
    ]


def _means_at(
    y: np.ndarray,
    rows: np.ndarray,
    design: np.ndarray,
    at: np.ndarray,
    w: np.ndarray,
    kind: str,
    df: float,
) -> list[Estimates]:
    """Regress one arm's outcomes and evaluate at the rows of ``at``."""
    n, p = int(rows.sum()), design.shape[1]
    if n < p + 1:
        raise DesignError(
            "lin needs two persons more than covariates and blocks in each arm, "
            f"got {n} persons: name fewer covariates."
        )
    root = np.sqrt(w[rows])[:, None]
    if df < 1:
        raise DesignError(f"lin fits as many parameters as there are persons ({len(rows)}).")
    q, r = np.linalg.qr(root * design[rows])
    z = root * y[rows]
    fitted = q.T @ z
    residual = z - q @ fitted
    leverage = (q**2).sum(axis=1)
    weights = np.linalg.solve(r.T, at.T)
    values = weights.T @ fitted
    found = []
    for value, c in zip(values, (q @ weights).T, strict=True):
        scores = np.zeros_like(y)
        scores[rows] = robust_scores(c, residual, leverage, n - p, kind, len(rows) / df)
        found.append(Estimates(value, scores, np.full(y.shape[1], df)))
    return found
