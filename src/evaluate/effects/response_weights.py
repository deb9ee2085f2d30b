"""Weights inverse to the probability of having the outcome, and effects weighted by them."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np

from evaluate.effects.comparison import Comparison
from evaluate.errors import DesignError
from evaluate.estimates import Estimates

PENALTY = 0.1  # on a slope's square per standard deviation: a tenth of what one person weighs
FLOOR = 0.05  # the least probability of response that a weight is inverse to
TOLERANCE = 1e-10
ITERATIONS = 200


@dataclass(frozen=True)
class Reweighted:
    """Effects by weights of response.

    Attributes
    ----------
    effects : Estimates
        k values.
    cut : int
        Persons whose weight was held at one over the floor.
    converged : bool
        Whether the models of response were fitted to the end.
    """

    effects: Estimates
    cut: int
    converged: bool


def weighted_by_response(
    y: np.ndarray,
    observed: np.ndarray,
    x: np.ndarray,
    sample: Comparison,
    penalty: float = PENALTY,
    floor: float = FLOOR,
) -> Reweighted:
    """Estimate the effect on all persons if outcomes are missing at random given covariates.

    In each arm, having the outcomes is regressed on the covariates by a logit with slopes of
    its own; means are weighted by one over the fitted probability.

    Parameters
    ----------
    y : ndarray, shape (m, k)
        Outcomes; an estimate carries its column's unit.
    observed : ndarray of bool, shape (m,)
        Who has them.
    x : ndarray, shape (m, p)
        Covariates without missing values; indicators of blocks may be among them.
    sample : Comparison
        The persons of two arms, with their weights.
    penalty : float
        Of the ridge on standardised slopes; it keeps a covariate that tells who responds from
        having an infinite slope. Zero is the plain logit.
    floor : float
        Least probability.

    Returns
    -------
    Reweighted
        Scores include the error of the estimated weights (M-estimation).

    Raises
    ------
    DesignError
        If nobody in an arm is observed.

    References
    ----------
    Horvitz and Thompson (1952), JASA 47(260); Wooldridge (2007), Inverse probability weighted
    estimation for general missing data problems, Journal of Econometrics 141(2); Stefanski
    and Boos (2002), The calculus of M-estimation, American Statistician 56(1).
    """
    spread = x.std(axis=0)
    z = (x - x.mean(axis=0)) / np.where(spread > 0, spread, 1)
    z = np.column_stack([np.ones(len(x)), z])
    value: np.ndarray = np.zeros(y.shape[1])
    influence, cut, converged = np.zeros_like(y, dtype=float), 0, True
    for treated, sign in ((True, 1.0), (False, -1.0)):
        rows = sample.treated == treated
        s, w, outcome, design = observed[rows], sample.share[rows], y[rows], z[rows]
        if not s.any():
            raise DesignError("nobody in one of the arms has the outcome.")
        p, done = _response(design, s, w, penalty)
        held = s & (p < floor)
        inverse = np.where(s, 1 / np.maximum(p, floor), 0)
        total = w @ inverse
        mean = (w * inverse) @ outcome / total
        deviation = np.where(s[:, None], outcome - mean, 0)
        moved = inverse[:, None] * deviation / total
        if not s.all():
            ridge = np.diag([0.0, *[penalty / len(w)] * (design.shape[1] - 1)])
            curvature = design.T @ ((w * p * (1 - p))[:, None] * design) + ridge
            slope = np.where(held, 0, w * inverse * (1 - p))  # of a weight in its own logit
            gradient = -design.T @ (slope[:, None] * deviation) / total
            moved += (design * (s - p)[:, None]) @ np.linalg.lstsq(curvature, gradient)[0]
        value = value + sign * mean
        influence[rows] = sign * moved
        cut += int(held.sum())
        converged &= done
    return Reweighted(sample.estimates(value, influence), cut, converged)


def _response(
    design: np.ndarray, observed: np.ndarray, w: np.ndarray, penalty: float
) -> tuple[np.ndarray, bool]:
    """Return fitted probabilities of response in one arm, and whether the fit was finished."""
    if observed.all():
        return np.ones(len(observed)), True
    if design.shape[1] == 1:
        return np.full(len(observed), w[observed].sum() / w.sum()), True
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(
        C=1 / penalty if penalty else np.inf,
        solver="newton-cholesky",
        tol=TOLERANCE,
        max_iter=ITERATIONS,
    )
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model.fit(design[:, 1:], observed, sample_weight=w * len(w) / w.sum())
    done = not any(issubclass(c.category, ConvergenceWarning) for c in caught)
    return np.asarray(model.predict_proba(design[:, 1:])[:, 1]), done
