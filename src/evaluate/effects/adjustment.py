"""Differences in means and Lin's adjusted differences, all outcomes in one pass."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from scipy import sparse

from evaluate.effects.linear import OF_CLUSTERS, Errors, Regression, estimate
from evaluate.effects.small_blocks import between_blocks, small_blocks
from evaluate.errors import DesignError
from evaluate.estimates import Estimates

Contrast = tuple[int, int]
NEYMAN = Errors("neyman")


def difference_in_means(
    y: np.ndarray,
    arm: np.ndarray,
    contrast: Contrast,
    block: np.ndarray | None = None,
    weight: np.ndarray | None = None,
    errors: Errors = NEYMAN,
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
    errors : Errors
        "neyman" for persons, CR0 to CR2 where clusters were assigned.

    Returns
    -------
    Estimates
        k values with Neyman's variance; Welch's degrees of freedom, or with blocks the
        persons less the cells. Where blocks hold one unit of an arm, variance between those
        blocks, see `small_blocks`.

    Raises
    ------
    DesignError
        If an arm has nobody, or no variance can be estimated.

    References
    ----------
    Neyman (1923); Imbens and Rubin (2015), Causal Inference, chapters 6 and 9;
    Gerber and Green (2012), Field Experiments, chapter 3.
    """
    used = np.isin(arm, contrast)
    for i, a in enumerate(contrast):
        if not (arm == a).any():
            raise DesignError(f"nobody in arm {i + 1} of the contrast.")
    z, own = arm[used] == contrast[0], errors.of(used)
    w = np.ones(used.sum()) if weight is None else weight[used]
    names = np.zeros(len(z), dtype=int) if block is None else block[used]
    _, b = np.unique(names, return_inverse=True)
    share = np.bincount(b, w) / w.sum()
    small = small_blocks(z, b, own.cluster)
    if not small.any():
        return _over(len(arm), used, _cell_means(y[used], z, b, w, share, own), own)
    pieces = [between_blocks(y[used], z, b, w, share, small, own)]
    rows = ~small[b]
    if rows.any():
        rest = _cell_means(y[used][rows], z[rows], b[rows], w[rows], share, own.of(rows))
        pieces.append(_over(len(z), rows, rest, own))
    return _over(len(arm), used, _total(pieces), own)


def _cell_means(
    y: np.ndarray, z: np.ndarray, b: np.ndarray, w: np.ndarray, share: np.ndarray, errors: Errors
) -> Estimates:
    """Weight the differences of cells of arm and block by ``share``, by position of the block."""
    names, cell = np.unique(2 * b + z, return_inverse=True)
    total = np.bincount(cell, w)
    n = len(w)
    means = sparse.csr_array((w / total[cell], (cell, np.arange(n))), shape=(len(total), n)) @ y
    sign = np.where(names % 2 == 1, 1.0, -1.0) * share[names // 2]
    root = np.sqrt(w)
    q = root / np.sqrt(total[cell])
    residual = root[:, None] * (y - means[cell])
    pool = z.astype(int)
    fit = Regression(residual, q[:, None], cell, pool, w, len(total), q**2)
    found = estimate(sign @ means, sign[cell] * root / total[cell], fit, errors)
    if errors.kind != "neyman" or len(total) > 2:
        return found
    variance = [(found.scores[z == a] ** 2).sum(axis=0) for a in (True, False)]
    sizes = [(z == a).sum() - 1 for a in (True, False)]
    with np.errstate(divide="ignore", invalid="ignore"):
        parts = sum(v**2 / m for v, m in zip(variance, sizes, strict=True))
        df = np.sum(variance, axis=0) ** 2 / parts
    return replace(found, df=np.where(np.isfinite(df), df, float(min(sizes))))


def _over(n: int, rows: np.ndarray, found: Estimates, errors: Errors) -> Estimates:
    """Give persons who were not used a row of scores; clusters have theirs already."""
    if errors.kind in OF_CLUSTERS or rows.all():
        return found
    scores = np.zeros((n, found.scores.shape[1]))
    scores[rows] = found.scores
    return replace(found, scores=scores)


def _total(pieces: Sequence[Estimates]) -> Estimates:
    """Add estimates of different blocks up."""
    found = pieces[0]
    for piece in pieces[1:]:
        less = found - replace(piece, value=-piece.value, scores=-piece.scores)
        found = replace(less, working=None)
    return found


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
    errors: Errors | None = None,
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
    kind : {"classical", "HC0", "HC1", "HC2", "HC3"}
        Kind of variance, where ``errors`` does not say it.
    stratum : ndarray of int, shape (n,), optional
        Strata with intercepts and means of their own but common covariate slopes.
    errors : Errors, optional
        Kind of variance and the clusters.

    Returns
    -------
    list of list of Estimates
        For each stratum and contrast k values, ``n - arms * (p + strata)`` degrees of freedom.

    Raises
    ------
    DesignError
        If an arm has fewer persons or clusters than ``p + 2``, or a stratum has nobody in an
        arm.

    References
    ----------
    Lin (2013), Agnostic notes on regression adjustments to experimental data,
    Annals of Applied Statistics 7(1).
    """
    n, errors = len(arm), errors or Errors(kind)
    w = np.ones(n) if weight is None else weight
    stratum = np.zeros(n, dtype=int) if stratum is None else stratum
    intercepts = np.equal.outer(stratum, np.unique(stratum)).astype(float)
    design = np.hstack([intercepts, x])
    mass = intercepts * w[:, None]
    at = mass.T @ design / mass.sum(axis=0)[:, None]
    arms, part = np.unique(arm, return_inverse=True)
    if any((intercepts[arm == a].sum(axis=0) == 0).any() for a in arms):
        raise DesignError("a stratum has nobody in one of the arms.")
    p, strata, root = design.shape[1], len(at), np.sqrt(w)[:, None]
    z, q, residual = root * y, np.empty((n, p)), np.empty_like(y)
    value, c = np.empty((len(arms), strata, y.shape[1])), np.empty((n, strata))
    for j in range(len(arms)):
        rows = part == j
        _enough(rows, p, errors)
        q[rows], r = np.linalg.qr(root[rows] * design[rows])
        fitted = q[rows].T @ z[rows]
        residual[rows] = z[rows] - q[rows] @ fitted
        slopes = np.linalg.solve(r.T, at.T)
        value[j], c[rows] = slopes.T @ fitted, q[rows] @ slopes
    leverage = (q**2).sum(axis=1)
    fit = Regression(residual, q, part, part, w, len(arms) * p, leverage)
    place = {int(a): j for j, a in enumerate(arms)}
    found: list[list[Estimates]] = []
    for s in range(strata):
        found.append([])
        for a, b in contrasts:
            sign = (part == place[a]) * 1.0 - (part == place[b])
            effect = value[place[a], s] - value[place[b], s]
            found[-1].append(estimate(effect, sign * c[:, s], fit, errors))
    return found


def _enough(rows: np.ndarray, p: int, errors: Errors) -> None:
    """Refuse an arm with no more persons, or clusters, than parameters."""
    if rows.sum() < p + 1:
        raise DesignError(
            "lin needs two persons more than covariates and blocks in each arm, "
            f"got {rows.sum()} persons: name fewer covariates, or use ancova or fixed_effects."
        )
    if errors.cluster is not None and (count := len(np.unique(errors.cluster[rows]))) < p + 1:
        raise DesignError(
            "lin needs two clusters more than covariates and blocks in each arm, "
            f"got {count} clusters: name fewer covariates, or use ancova or fixed_effects."
        )
