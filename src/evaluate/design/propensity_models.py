"""Models of the probability of treatment: a logit with natural splines, and boosted trees."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import linalg
from scipy.special import expit

from evaluate.weighted_bins import fit_trees

KNOTS = (0.05, 0.35, 0.65, 0.95)  # quantiles: Harrell's four
CONTINUOUS = 10  # different values above which a column gets a spline
PER_COLUMN = 5  # persons of the smaller arm per column that a spline may ask for
RIDGE = 0.1  # on a slope's square per standard deviation: a tenth of what one person weighs
TOLERANCE = 1e-6  # last change of any linear predictor; Newton's next would be its square
ITERATIONS = 25
IDENTIFIED = 1e-9  # least eigenvalue of the information, scaled to a diagonal of ones
CHUNK = 8192  # persons whose regressors stay in the cache
LEAVES = (4, 8)  # of a tree: below a thousand persons in the smaller arm, and from there
TREES = {"max_iter": 100, "learning_rate": 0.1, "min_samples_leaf": 20, "l2_regularization": 1.0}


@dataclass(frozen=True)
class Logit:
    """A fitted logit of treatment.

    Attributes
    ----------
    rows : ndarray of int, shape (m,)
        Places of the persons it was fitted to.
    design : ndarray, shape (m, q)
        A constant and standardised regressors.
    coefficient : ndarray, shape (q,)
        Of ``design``.
    score : ndarray, shape (m,)
        Fitted probabilities, in sample.
    residual : ndarray, shape (m,)
        Weight times treatment less score.
    curvature : ndarray, shape (q, q)
        Minus the second derivative of the log likelihood, the ridge's part included.
    penalty : float
        Ridge on the squares of the slopes; 0 is maximum likelihood.
    separates : bool
        Whether treatment is predicted perfectly.
    """

    rows: np.ndarray
    design: np.ndarray
    coefficient: np.ndarray
    score: np.ndarray
    residual: np.ndarray
    curvature: np.ndarray
    penalty: float
    separates: bool

    def through(self, slope: np.ndarray) -> np.ndarray:
        """Return how each person moves estimates by way of the fitted probabilities.

        Parameters
        ----------
        slope : ndarray, shape (m, k)
            Derivative of k estimates in the linear predictor of each person.

        Returns
        -------
        ndarray, shape (m, k)
            What the person's part of the likelihood adds to the estimate's influence.

        References
        ----------
        Stefanski and Boos (2002), The calculus of M-estimation, American Statistician 56(1).
        """
        direction = np.linalg.solve(self.curvature, self.design.T @ slope)
        return self.residual[:, None] * (self.design @ direction)


def natural_spline(x: np.ndarray, knots: np.ndarray) -> np.ndarray:
    """Return a natural cubic spline's columns: cubic between the knots, linear outside them.

    Parameters
    ----------
    x : ndarray, shape (n,)
        Values, in any unit.
    knots : ndarray, shape (K,)
        Increasing, three or more.

    Returns
    -------
    ndarray, shape (n, K - 1)
        ``x`` itself first.

    References
    ----------
    Harrell (2015), Regression Modeling Strategies, section 2.4.5.
    """
    span = knots[-1] - knots[0]
    u, t = (x - knots[0]) / span, (knots - knots[0]) / span
    beyond = [np.maximum(u - k, 0) ** 3 for k in t]
    last, second = beyond[-1], beyond[-2]
    gap = t[-1] - t[-2]
    curves = [
        b - second * (t[-1] - k) / gap + last * (t[-2] - k) / gap
        for b, k in zip(beyond[:-2], t[:-2], strict=True)
    ]
    return np.column_stack([x, *curves])


def knots_of(x: np.ndarray) -> np.ndarray | None:
    """Return the knots of a column, at its quantiles, or None where it stays linear."""
    if len(np.unique(x)) <= CONTINUOUS:
        return None
    knots = np.unique(np.quantile(x, KNOTS))
    return knots if len(knots) >= 3 else None


def regressors(x: np.ndarray, smaller: int) -> tuple[np.ndarray, bool]:
    """Return the logit's regressors, and whether splines are among them.

    Parameters
    ----------
    x : ndarray, shape (n, p)
        Covariates without missing values, none constant.
    smaller : int
        Persons in the smaller arm.

    Returns
    -------
    ndarray, shape (n, q)
        A constant, and columns of mean 0 and standard deviation 1. A continuous covariate
        has a natural spline's columns, if the smaller arm has at least five persons per
        column of the whole (Vittinghoff and McCulloch 2007, American Journal of Epidemiology
        165(6)); otherwise all covariates are linear.
    bool
        Whether there are splines.
    """
    knots = [knots_of(column) for column in x.T]
    wide = 1 + sum(1 if k is None else len(k) - 1 for k in knots)
    splines = any(k is not None for k in knots) and smaller >= PER_COLUMN * wide
    columns = [
        natural_spline(column, k) if splines and k is not None else column[:, None]
        for column, k in zip(x.T, knots, strict=True)
    ]
    z = np.hstack([np.ones((len(x), 1)), *columns])
    spread = z[:, 1:].std(axis=0)
    z[:, 1:] -= z[:, 1:].mean(axis=0)
    z[:, 1:] /= np.where(spread > 0, spread, 1)
    return z, splines


def fit_logit(
    design: np.ndarray,
    treated: np.ndarray,
    weight: np.ndarray,
    rows: np.ndarray | None = None,
    start: np.ndarray | None = None,
    penalty: float = 0.0,
) -> Logit:
    """Fit a logit by Newton's method: maximum likelihood, or with a light ridge if need be.

    Where the likelihood has no maximum, or not one alone, because a column tells who is
    treated for certain or is constant among those who are fitted, the squares of the slopes
    are penalised by `RIDGE`, and ``penalty`` says so.

    Parameters
    ----------
    design : ndarray, shape (m, q)
        As from `regressors`.
    treated : ndarray of bool, shape (m,)
        Who is treated; both values occur.
    weight : ndarray, shape (m,)
        Weights of mean one; zero for those predicted but not fitted.
    rows : ndarray of int, shape (m,), optional
        Places of the persons, kept in the result.
    start : ndarray, shape (q,), optional
        Coefficients to start at.
    penalty : float
        Ridge to begin with.

    Returns
    -------
    Logit
        With probabilities of all persons of ``design``.

    References
    ----------
    Albert and Anderson (1984), On the existence of maximum likelihood estimates in logistic
    regression models, Biometrika 71(1).
    """
    used = weight > 0
    if start is None:
        share = np.average(treated, weights=weight)
        start = np.zeros(design.shape[1])
        start[0] = np.log(share / (1 - share))
    beta, curvature, done = _newton(design, treated, weight, start, penalty)
    separates = False
    if not done:
        eta = design[used] @ beta
        separates = eta[treated[used]].min() > eta[~treated[used]].max()
        start = np.zeros(len(start)) if penalty == 0 else beta
        penalty = penalty or RIDGE
        beta, curvature, done = _newton(design, treated, weight, start, penalty)
    score = expit(design @ beta)
    return Logit(
        rows=np.arange(len(design)) if rows is None else rows,
        design=design,
        coefficient=beta,
        score=score,
        residual=weight * (treated - score),
        curvature=curvature,
        penalty=penalty,
        separates=bool(separates),
    )


def _newton(
    design: np.ndarray,
    treated: np.ndarray,
    weight: np.ndarray,
    start: np.ndarray,
    penalty: float,
) -> tuple[np.ndarray, np.ndarray, bool]:
    """Return coefficients, curvature at them, and whether they are the one maximum."""
    ridge = np.full(len(start), penalty)
    ridge[0] = 0
    beta = start
    loss, gradient, curvature = _likelihood(design, treated, weight, beta, ridge)
    for _ in range(ITERATIONS):
        try:
            move = linalg.cho_solve(linalg.cho_factor(curvature), gradient)
        except linalg.LinAlgError:
            return beta, curvature, False
        for _ in range(20):  # halve what overshoots
            found = _likelihood(design, treated, weight, beta + move, ridge)
            if found[0] <= loss + 1e-9 * abs(loss):
                break
            move = move / 2
        beta = beta + move
        loss, gradient, curvature = found
        if np.abs(design @ move).max() < TOLERANCE:
            size = np.sqrt(np.diag(curvature))
            least = np.linalg.eigvalsh(curvature / np.outer(size, size))[0]
            return beta, curvature, bool(least > IDENTIFIED)
    return beta, curvature, False


def _likelihood(
    design: np.ndarray,
    treated: np.ndarray,
    weight: np.ndarray,
    beta: np.ndarray,
    ridge: np.ndarray,
) -> tuple[float, np.ndarray, np.ndarray]:
    """Return minus the penalised log likelihood, its descent and its curvature."""
    loss = float(ridge @ beta**2) / 2
    gradient, curvature = -ridge * beta, np.diag(ridge)
    for first in range(0, len(design), CHUNK):
        part = slice(first, first + CHUNK)
        z, t, w = design[part], treated[part], weight[part]
        eta = z @ beta
        loss += float(w @ (np.logaddexp(0, eta) - t * eta))
        p = expit(eta)
        gradient += (w * (t - p)) @ z
        half = np.sqrt(w * p * (1 - p))[:, None] * z
        curvature += half.T @ half
    return loss, gradient, curvature


def fit_boosting(
    x: np.ndarray, treated: np.ndarray, weight: np.ndarray, seed: int, threads: int = 1
) -> np.ndarray:
    """Return probabilities by gradient-boosted trees of few leaves.

    Parameters
    ----------
    x : ndarray, shape (m, p)
        Covariates, NaN where missing.
    treated : ndarray of bool, shape (m,)
        Who is treated.
    weight : ndarray, shape (m,)
        Weights; zero for those predicted but not fitted.
    seed : int
        Of the learner.
    threads : int
        At most so many.

    Returns
    -------
    ndarray, shape (m,)

    References
    ----------
    McCaffrey, Ridgeway and Morral (2004), Propensity score estimation with boosted
    regression, Psychological Methods 9(4).
    """
    from sklearn.ensemble import HistGradientBoostingClassifier
    from threadpoolctl import threadpool_limits

    used = weight > 0
    smaller = min(treated[used].sum(), (~treated[used]).sum())
    leaves = LEAVES[int(smaller >= 1000)]
    model = HistGradientBoostingClassifier(
        early_stopping=False, random_state=seed, max_leaf_nodes=leaves, **TREES
    )
    with threadpool_limits(threads):
        bins = fit_trees(model, x[used], treated[used], weight[used])
        return np.asarray(model.predict_proba(bins(x))[:, 1])
