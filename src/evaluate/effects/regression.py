"""Regressions on indicators of the arms with common covariate slopes and absorbed blocks."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import sparse

from evaluate.covariates import independent
from evaluate.effects.scores import robust_scores
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
    kind : {"HC0", "HC1", "HC2", "HC3"}
        Kind of robust variance.

    Returns
    -------
    list of Estimates
        For each contrast k values.

    Raises
    ------
    DesignError
        If blocks or covariates tell the arms apart, or parameters are as many as persons.

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
    df = n - len(mass) - design.shape[1]
    if df < 1:
        raise DesignError(f"as many parameters as persons ({n}): name fewer covariates.")
    q, r = np.linalg.qr(design)
    z = within(y)
    fitted = q.T @ z
    beta = np.linalg.solve(r, fitted)
    residual = z - q @ fitted
    leverage = w / mass[block] + (q**2).sum(axis=1)
    position = {int(a): i for i, a in enumerate(arms[1:])}
    found = []
    for a, b in contrasts:
        pick = np.zeros(design.shape[1])
        for one, sign in ((a, 1.0), (b, -1.0)):
            if one in position:  # the first arm is the reference
                pick[position[one]] = sign
        c = q @ np.linalg.solve(r.T, pick)
        scores = robust_scores(c, residual, leverage, df, kind, n / df)
        found.append(Estimates(pick @ beta, scores, np.full(y.shape[1], float(df))))
    return found
