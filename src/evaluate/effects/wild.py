"""Tests and intervals for few clusters: the wild bootstrap with the null imposed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import optimize, sparse

from evaluate.effects.linear import Linear

TIE = 1e-9  # of the statistic
FAR = 1e4  # standard errors from the estimate, beyond which an interval is open
FEW = 7  # clusters, fewer of which have too few patterns of signs
WEBB = np.sqrt([0.5, 1.0, 1.5])  # and their negatives


@dataclass(frozen=True)
class Wild:
    """What the wild bootstrap says of k estimates.

    Attributes
    ----------
    p_value : ndarray, shape (k,)
        Of no effect.
    low, high : ndarray, shape (k,)
        Ends of the intervals, infinite where no effect on that side is rejected.
    draws : int
        Patterns of weights, all of them where they are few.
    """

    p_value: np.ndarray
    low: np.ndarray
    high: np.ndarray
    draws: int


@dataclass(frozen=True)
class _Path:
    """The drawn statistics of one estimate, as functions of what is subtracted from it.

    With the null at estimate less d the numerator is ``top @ (1, d)`` and the squared error is
    ``bottom @ (1, d, d**2)``.
    """

    top: np.ndarray
    bottom: np.ndarray
    error: float

    def p_value(self, d: float) -> float:
        """Return the share of drawn statistics at least as large as d over its error."""
        squared = self.bottom @ np.array([1, d, d * d])
        reached = (self.top @ np.array([1, d])) ** 2 >= squared * (d / self.error) ** 2 * (1 - TIE)
        return float(reached.mean())


def wild_bootstrap(linear: Linear, level: float, draws: int, rng: np.random.Generator) -> Wild:
    """Test linear estimates, and invert the tests, by redrawing the clusters' residuals.

    Parameters
    ----------
    linear : Linear
        k estimates with the regression behind them and its clusters.
    level : float
        Of the intervals.
    draws : int
        Patterns of weights to draw; of signs, all are used where they are no more.
    rng : Generator
        Source of the draws.

    Returns
    -------
    Wild
        The statistic has the error CR1, whose constant cancels.

    References
    ----------
    Cameron, Gelbach and Miller (2008), Bootstrap-based improvements for inference with
    clustered errors, Review of Economics and Statistics 90(3); Roodman, MacKinnon, Nielsen and
    Webb (2019), Fast and wild, Stata Journal 19(1); Webb (2023), Reworking wild
    bootstrap-based inference for clustered errors, Canadian Journal of Economics 56(3).
    """
    fit, c = linear.fit, linear.c
    _, g = np.unique(linear.cluster, return_inverse=True)
    count, n, p = int(g.max()) + 1, *fit.q.shape
    weights = _weights(count, draws, rng)
    people = sparse.csr_array((np.ones(n), (g, np.arange(n))), shape=(count, n))
    parts = int(fit.part.max()) + 1
    spread = np.zeros((n, parts * p))
    for j in range(parts):
        spread[fit.part == j, j * p : (j + 1) * p] = fit.q[fit.part == j]
    size = float(c @ c)
    own = people @ (c * c) / size
    along = people @ (spread * c[:, None])
    shared = weights @ along / size
    slope = weights * own - shared @ along.T  # scores by what is subtracted
    k = fit.residual.shape[1]
    found = np.empty((3, k))
    for i in range(k):
        e = fit.residual[:, i]
        a = people @ (c * e)
        left = weights @ (people @ (spread * e[:, None]))
        base = weights * a - left @ along.T
        path = _Path(
            top=np.column_stack([weights @ a, weights @ own]),
            bottom=np.column_stack(
                [(base**2).sum(axis=1), 2 * (base * slope).sum(axis=1), (slope**2).sum(axis=1)]
            ),
            error=float(np.sqrt((a**2).sum())),
        )
        value = float(linear.value[i])
        found[:, i] = path.p_value(value), *_ends(path, value, 1 - level)
    return Wild(found[0], found[1], found[2], len(weights))


def _ends(path: _Path, value: float, alpha: float) -> tuple[float, float]:
    """Return where the p-value falls below alpha on either side of the estimate."""
    if not path.error > 0:
        return np.nan, np.nan
    ends = []
    for side in (1.0, -1.0):  # the null below the estimate, then above
        reach = side * path.error
        while path.p_value(reach) > alpha and abs(reach) < FAR * path.error:
            reach *= 2
        if abs(reach) >= FAR * path.error:
            ends.append(-side * np.inf)
            continue
        edge = optimize.bisect(lambda d: path.p_value(d) - alpha - 1e-12, 0, reach, xtol=1e-10)
        ends.append(value - edge)
    return ends[0], ends[1]


def _weights(count: int, draws: int, rng: np.random.Generator) -> np.ndarray:
    """Draw weights of mean zero and variance one by cluster, shape (draws, count)."""
    if count >= FEW and 2**count <= max(draws, 2**FEW):
        return 1.0 - 2.0 * ((np.arange(2**count)[:, None] >> np.arange(count)) & 1)
    if count >= FEW:
        drawn = 1.0 - 2.0 * rng.integers(0, 2, (draws, count))
    else:
        drawn = rng.choice(np.concatenate([-WEBB, WEBB]), (draws, count))
    drawn[0] = 1.0  # the actual one
    return drawn
