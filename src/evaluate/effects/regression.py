"""Regressions on indicators of the arms with common covariate slopes and absorbed blocks."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import sparse

from evaluate.covariates import independent
from evaluate.effects.linear import Errors, Regression, estimate
from evaluate.errors import DesignError
from evaluate.estimates import Estimates


def fixed_effects(
    y: np.ndarray,
    arm: np.ndarray,
    x: np.ndarray,
    contrasts: Sequence[tuple[int, int]],
    block: np.ndarray | None = None,
    weight: np.ndarray | None = None,
    kind: str = "HC2",
    errors: Errors | None = None,
) -> list[Estimates]:
    """Estimate effects by least squares with an indicator per arm and per block.

    Without covariates this is the fixed-effects regression of a blocked trial, which weights
    blocks by their number of persons times p (1 - p) of their share treated; with covariates
    it is the analysis of covariance.

    Parameters
    ----------
    y : ndarray, shape (n, k)
        Outcomes, one column each; an estimate carries its column's unit.
    arm : ndarray of int, shape (n,)
        Arm of each person, 0 for control.
    x : ndarray, shape (n, p)
        Covariates measured before assignment; those that blocks and other covariates
        explain add nothing and are left out.
    contrasts : sequence of (int, int)
        Pairs of an arm and the arm it is compared with.
    block : ndarray of int, shape (n,), optional
        Blocks, absorbed and counted in the degrees of freedom.
    weight : ndarray, shape (n,), optional
        Weights above zero.
    kind : {"classical", "HC0", "HC1", "HC2", "HC3"}
        Kind of variance, where ``errors`` does not say it.
    errors : Errors, optional
        Kind of variance and the clusters.

    Returns
    -------
    list of Estimates
        For each contrast k values.

    Raises
    ------
    DesignError
        If blocks or covariates tell the arms apart, or parameters are as many as persons or
        clusters.

    References
    ----------
    Angrist and Pischke (2009), Mostly Harmless Econometrics, section 3.3; Freedman (2008)
    on the analysis of covariance in experiments.
    """
    n = len(arm)
    w = np.ones(n) if weight is None else weight
    _, block = np.unique(np.zeros(n) if block is None else block, return_inverse=True)
    mass = np.bincount(block, w)
    root = np.sqrt(w)[:, None]
    people = sparse.csr_array((w, (block, np.arange(n))), shape=(len(mass), n))

    def within(z: np.ndarray) -> np.ndarray:
        return root * (z - (people @ z / mass[:, None])[block])

    arms = np.unique(arm)
    indicators = within(np.equal.outer(arm, arms[1:]).astype(float))
    if not independent(indicators, constant=False).all():
        raise DesignError("blocks tell the arms apart: no block holds both.")
    design = np.hstack([indicators, within(x)])
    design = design[:, independent(design, constant=False)]
    parameters = len(mass) + design.shape[1]
    if n <= parameters:
        raise DesignError(f"as many parameters as persons ({n}): name fewer covariates.")
    q, r = np.linalg.qr(design)
    z = within(y)
    fitted = q.T @ z
    beta = np.linalg.solve(r, fitted)
    leverage = w / mass[block] + (q**2).sum(axis=1)
    errors, nobody = errors or Errors(kind), np.zeros(n, dtype=int)
    basis = q
    if errors.kind == "CR2" or errors.keep:  # the blocks' part of the projection counts, too
        blocks = np.equal.outer(block, np.arange(len(mass))) * (root / np.sqrt(mass))
        basis = np.hstack([q, blocks])
    fit = Regression(z - q @ fitted, basis, nobody, nobody, w, parameters, leverage)
    position = {int(a): i for i, a in enumerate(arms[1:])}
    found = []
    for a, b in contrasts:
        pick = np.zeros(design.shape[1])
        for one, sign in ((a, 1.0), (b, -1.0)):
            if one in position:  # the first arm is the reference
                pick[position[one]] = sign
        found.append(estimate(pick @ beta, q @ np.linalg.solve(r.T, pick), fit, errors))
    return found
