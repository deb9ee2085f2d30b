"""Entropy balancing: the weights nearest to equal ones that make the arms' means the same."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from evaluate.covariates import independent
from evaluate.effects.observational.weighting import (
    Weighted,
    enough_persons,
    person_weights,
    weighted,
)
from evaluate.effects.scores import robust_scores
from evaluate.errors import DesignError

BALANCED = 1e-8  # standard deviations that a mean may be off
ITERATIONS = 200
HALVED = 0.5 ** np.arange(40)
ROUNDING = 1e-10  # of a fall of the dual
RIDGE = 1e-4  # of the penalised dual, whose weights come near to targets that cannot be met
FAR = 1e-3  # standard deviations
SOLID = 1e-10  # of the longest column, what a regressor must add
NAMED = 3  # columns in a message


def entropy_balancing(
    y: np.ndarray,
    treated: np.ndarray,
    x: np.ndarray,
    estimand: str,
    weight: np.ndarray | None = None,
    names: Sequence[str] | None = None,
    kind: str = "HC3",
) -> Weighted:
    """Estimate average effects with weights under which the columns' means are equal.

    For the ATT the controls get the means of the treated, for the ATE both arms get those of
    all. Among weights that do, they are nearest to ``weight`` in relative entropy. Squares
    and products among the columns balance higher moments.

    Parameters
    ----------
    y : ndarray, shape (n, k)
        Outcomes, one column each; an estimate carries its column's unit.
    treated : ndarray of bool, shape (n,)
        Who was treated.
    x : ndarray, shape (n, p)
        Columns to balance, without missing values and without a constant.
    estimand : {"att", "ate"}
        Average over the treated, or over all.
    weight : ndarray, shape (n,), optional
        Weights of the persons, above zero.
    names : sequence of str, optional
        Names of the columns, for messages.
    kind : {"HC0", "HC2", "HC3"}
        Correction of the balanced arms' residuals for their leverage. HC0 is the plain sandwich
        of the estimating equations, which is too small where few persons carry the weight.

    Returns
    -------
    Weighted
        Scores count the estimation of the weights and of the means they were fitted to, as
        for a population the persons stand for. Values are consistent if either the log odds
        of treatment (for the ATE: the log of the inverse probability of either arm) or the
        outcomes without treatment (for the ATE: with it, too) are linear in the columns.
        Degrees of freedom are n less the means, targets and multipliers.

    Raises
    ------
    DesignError
        If an arm is empty or has no more persons than columns, or if no weights meet the
        targets, which lie outside the convex hull of an arm: the columns furthest off are
        named.

    References
    ----------
    Hainmueller (2012), Entropy balancing for causal effects, Political Analysis 20(1); Zhao and
    Percival (2017), Entropy balancing is doubly robust, Journal of Causal Inference 5(1).
    """
    w = person_weights(treated, weight)
    enough_persons(treated, x.shape[1] + 1)
    goal = treated if estimand == "att" else np.ones(len(treated), dtype=bool)
    target = w[goal] @ x[goal] / w[goal].sum()
    spread = np.sqrt(w @ (x - w @ x / w.sum()) ** 2 / w.sum())
    z = (x - target) / np.where(spread > 0, spread, 1)
    share = np.where(treated, w / w[treated].sum(), w / w[~treated].sum())
    scores = np.zeros(y.shape)
    drift = np.zeros((x.shape[1], y.shape[1]))  # of the estimate with the targets
    parameters = 2 + x.shape[1]
    for arm, sign in ((treated, 1.0), (~treated, -1.0)):
        if estimand == "att" and sign > 0:
            moved = share[arm][:, None] * (y[arm] - share[arm] @ y[arm])
        else:
            keep = independent(z[arm])
            share[arm] = _balance(z[arm], share[arm], keep, sign > 0, estimand, names)
            slopes, moved = _explained(z[arm][:, keep], y[arm], share[arm], kind)
            drift[keep] += sign * slopes
            parameters += int(keep.sum())
        scores[arm] = sign * moved
    scores[goal] += (w[goal] / w[goal].sum())[:, None] * (z[goal] @ drift)
    return weighted(y, treated, share, scores, parameters)


def _balance(
    z: np.ndarray,
    base: np.ndarray,
    keep: np.ndarray,
    of_treated: bool,
    estimand: str,
    names: Sequence[str] | None,
) -> np.ndarray:
    """Return weights of an arm under which the means of all columns are zero, shape (m,)."""
    share = solve_dual(z[:, keep], base)
    if (np.abs(share @ z) <= BALANCED).all():
        return share
    near = solve_dual(z[:, keep], base, RIDGE)
    gap = near @ z
    order = np.argsort(-np.abs(gap), kind="stable")[:NAMED].tolist()
    far = [i for i in order if abs(gap[i]) > FAR] or order[:1]
    labels = [names[i] if names is not None else f"column {i + 1}" for i in far]
    told = ", ".join(f"{c} ({gap[i]:+.2g})" for c, i in zip(labels, far, strict=True))
    arm = "treated" if of_treated else "comparison persons"
    whose = "the treated" if estimand == "att" else "all"
    raise DesignError(
        f"no weights of the {len(z):,} {arm} give the means of {whose}, which lie outside what "
        f"they span. At the nearest, standard deviations off: {told}. Balance fewer columns, or "
        f"leave out those of {whose} who have no like among the {arm}."
    )


def solve_dual(z: np.ndarray, base: np.ndarray, ridge: float = 0.0) -> np.ndarray:
    """Minimise ``log(base @ exp(z @ multiplier))``, plus a ridge, by Newton's method.

    Parameters
    ----------
    z : ndarray, shape (m, p)
        Columns less their targets, in standard deviations.
    base : ndarray, shape (m,)
        Base weights, 1 in all.
    ridge : float
        Half of it times the squared length of the multiplier is added.

    Returns
    -------
    ndarray, shape (m,)
        Weights, 1 in all; their means of ``z`` are zero if the dual has a minimum.
    """
    multiplier = np.zeros(z.shape[1])
    if not len(multiplier):
        return base
    log_base = np.log(base)
    value, share = _dual(z, log_base, multiplier, ridge)
    gradient = share @ z
    # minus the dual's minimum is the relative entropy of the weights, which for any weights is
    # at most minus the logarithm of the least base weight: below that there are none
    least = -np.inf if ridge else log_base.min() - 1
    for _ in range(ITERATIONS):
        mean = share @ z
        hessian = (z * share[:, None]).T @ z - np.outer(mean, mean) + ridge * np.eye(len(mean))
        step = np.linalg.lstsq(hessian, -gradient, rcond=1e-15)[0]
        descent = gradient @ step
        for length in HALVED:
            there = multiplier + length * step
            new, new_share = _dual(z, log_base, there, ridge)
            slope = new_share @ z + ridge * there
            smaller = np.abs(slope).max() < np.abs(gradient).max()
            # near the minimum the fall is lost in rounding: there the slopes must shrink
            if smaller if -descent < ROUNDING else new <= value + 1e-4 * length * descent:
                break
        else:
            break
        multiplier, value, share, gradient = there, new, new_share, slope
        if value < least or np.abs(gradient).max() < 1e-15:
            break
    return share


def _dual(
    z: np.ndarray, log_base: np.ndarray, multiplier: np.ndarray, ridge: float
) -> tuple[float, np.ndarray]:
    """Return the dual and the weights it stands for."""
    exponent = log_base + z @ multiplier
    top = exponent.max()
    share = np.exp(exponent - top)
    total = share.sum()
    value = top + np.log(total) + ridge / 2 * multiplier @ multiplier
    return float(value), share / total


def _explained(
    z: np.ndarray, y: np.ndarray, share: np.ndarray, kind: str
) -> tuple[np.ndarray, np.ndarray]:
    """Regress outcomes on the columns in a balanced arm.

    Returns
    -------
    slopes : ndarray, shape (p, k)
        Weighted least squares; zero along what only persons without weight tell apart.
    moved : ndarray, shape (m, k)
        How each person moves the arm's mean: residuals, corrected for leverage, times shares.
    """
    root = np.sqrt(share)[:, None]
    y = y - share @ y
    q, r = np.linalg.qr(root * np.column_stack([np.ones(len(z)), z]))
    left, size, right = np.linalg.svd(r)
    solid = size > SOLID * size[0]
    basis = q @ left[:, solid]
    fitted = basis.T @ (root * y)
    slopes = right[solid].T @ (fitted / size[solid][:, None])
    residual = y - slopes[0] - z @ slopes[1:]
    left_over, leverage = len(z) - int(solid.sum()), (basis**2).sum(axis=1)
    return slopes[1:], robust_scores(share, residual, leverage, left_over, kind)
