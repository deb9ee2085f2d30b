"""Tests of conditional independence for numbers and categories, weights and clusters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import linalg, stats

from evaluate.design.graph_data import KNOTS, Node
from evaluate.design.propensity_models import KNOTS as FEW_KNOTS
from evaluate.design.propensity_models import natural_spline

MOST_PRODUCTS = 40  # columns of products of two conditioning variables
PER_COLUMN = 10  # persons per column that the regressions leave, or clusters that the test does
FEWEST = 4  # persons per column of the regression below which nothing is tested
ROUNDS = 2
FEW_TARGETS = 4  # columns tested, above which what is fitted to each has splines of fewer knots
DIGITS = 9  # of fitted ranks and shares
RANK = 1e-9  # least eigenvalue of the scaled cross-product that counts
DETERMINED = 1e-6  # share of a variance left below which a variable follows from the others


@dataclass(frozen=True)
class Tested:
    """A test of independence.

    Attributes
    ----------
    statistic, p_value : float
        F statistic and its p-value; NaN where it cannot be tested.
    df, df_rest : int
        Its degrees of freedom.
    correlation : float
        Of what is left of the two; of categories the largest in size.
    n : int
        Persons with all values.
    problem : str
        Why there is no test: ``few`` or ``determined``; empty where there is one.
    """

    statistic: float
    p_value: float
    df: int
    df_rest: int
    correlation: float
    n: int
    problem: str = ""


@dataclass(frozen=True)
class Regression:
    """A weighted least-squares regression, solved for whatever is regressed.

    Attributes
    ----------
    x, weighted : ndarray, shape (n, p)
        Regressors, and the same times the weights.
    inverse : ndarray, shape (p, p)
        Generalised inverse of their cross-product.
    rank : int
        Of the regressors.
    """

    x: np.ndarray
    weighted: np.ndarray
    inverse: np.ndarray
    rank: int

    def left(self, y: np.ndarray) -> np.ndarray:
        """Return residuals of some columns, shape (n, k)."""
        return np.asarray(y - self.x @ (self.inverse @ (self.weighted.T @ y)))


def independence_test(
    a: Node,
    b: Node,
    given: Sequence[Node] = (),
    weight: np.ndarray | None = None,
    cluster: np.ndarray | None = None,
) -> Tested:
    """Test whether two variables are independent where others are the same.

    Both are regressed on functions of the others. Under independence the products of the two
    residuals have mean zero, person by person, whatever their variances.

    Parameters
    ----------
    a, b : Node
        The two variables of n persons.
    given : sequence of Node
        The variables held the same.
    weight : ndarray, shape (n,), optional
        Of the persons.
    cluster : ndarray of int, shape (n,), optional
        Products are summed within these.

    Returns
    -------
    Tested
        With an F statistic: Hotelling's, over the products of all columns of the two.

    References
    ----------
    Shah and Peters (2020), The hardness of conditional independence testing and the generalised
    covariance measure, Annals of Statistics 48(3).
    """
    known = np.logical_and.reduce([node.known for node in (a, b, *given)])
    n = int(known.sum())
    if n <= PER_COLUMN:
        return _untested("few", n)
    w = np.ones(n) if weight is None else weight[known]
    unit = None if cluster is None else cluster[known]
    others = regression(conditioning([node.of(known) for node in given], n), w)
    sides = [residuals(others, node.tested[known], w) for node in (a, b)]
    return score_test(sides[0], sides[1], w, unit)


@dataclass(frozen=True)
class Residuals:
    """What is left of a variable: columns (n, t), their sums of squares before, regressors."""

    left: np.ndarray
    spread: np.ndarray
    columns: int


def score_test(
    a: Residuals, b: Residuals, weight: np.ndarray, cluster: np.ndarray | None
) -> Tested:
    """Test whether residuals of two variables are uncorrelated.

    Parameters
    ----------
    a, b : Residuals
        Of n persons.
    weight, cluster : ndarray, shape (n,)
        Of the persons; clusters may be None.
    """
    columns = max(a.columns, b.columns)
    sides = [_varying(side, weight) for side in (a, b)]
    (left_a, rest_a), (left_b, rest_b) = sides
    n = len(weight)
    df = left_a.shape[1] * left_b.shape[1]
    if n <= FEWEST * columns:
        return _untested("few", n)
    if df == 0:
        return _untested("determined", n)
    products = (left_a[:, :, None] * left_b[:, None, :]).reshape(n, df) * weight[:, None]
    size = np.sqrt(np.outer(rest_a, rest_b)).ravel()
    correlation = products.sum(axis=0) / size
    shrink = (n - columns) / n  # squares of residuals are too small, by those of the regression
    if cluster is not None:
        _, cluster = np.unique(cluster, return_inverse=True)
        products = np.stack([np.bincount(cluster, p) for p in products.T], axis=1)
    units = len(products)
    if units <= PER_COLUMN * df:
        return _untested("few", n)
    centred = products - products.mean(axis=0)
    scale = np.sqrt((centred**2).sum(axis=0))
    if not scale.all():
        return _untested("determined", n)
    values, vectors = linalg.eigh((centred / scale).T @ (centred / scale))
    kept = values > RANK * values.max()
    df = int(kept.sum())
    total = (vectors[:, kept].T @ (products.sum(axis=0) / scale)) / np.sqrt(values[kept])
    squared = shrink * (units - 1) / units * float(total @ total)  # Hotelling's T squared
    statistic = squared * (units - df) / (df * (units - 1))
    p_value = float(stats.f.sf(statistic, df, units - df))
    largest = float(correlation[np.abs(correlation).argmax()])
    return Tested(statistic, p_value, df, units - df, largest, n)


def conditioning(given: Sequence[Node], n: int) -> np.ndarray:
    """Return the columns to regress on: a constant, each node's basis, and some products.

    Products of the nodes' main columns join if they are few and leave ten persons per column.
    Where not even the bases leave so many, the main columns are all.
    """
    mains = [node.main for node in given]
    if n <= PER_COLUMN * (1 + sum(node.basis.shape[1] for node in given)):
        return np.hstack([np.ones((n, 1)), *mains])
    basis = [np.ones((n, 1)), *(node.basis for node in given)]
    pairs = [(p, q) for i, p in enumerate(mains) for q in mains[i + 1 :]]
    extra = sum(p.shape[1] * q.shape[1] for p, q in pairs)
    wide = sum(b.shape[1] for b in basis) + extra
    if extra <= MOST_PRODUCTS and n > PER_COLUMN * wide:
        basis += [(p[:, :, None] * q[:, None, :]).reshape(n, -1) for p, q in pairs]
    return np.hstack(basis)


def regression(design: np.ndarray, weight: np.ndarray) -> Regression:
    """Return the weighted regression on some columns.

    Parameters
    ----------
    design : ndarray, shape (n, p)
        A constant first.
    weight : ndarray, shape (n,)
        Above zero.
    """
    x = design.copy()
    size = np.sqrt(np.einsum("i,ij->j", weight, x**2))
    x[:, 1:] -= np.average(x[:, 1:], axis=0, weights=weight)
    spread = np.sqrt(np.einsum("i,ij->j", weight, x**2))
    varies = spread > RANK * size
    x = x[:, varies] / spread[varies]
    weighted = x * weight[:, None]
    inverse, rank = _inverse(weighted.T @ x)
    return Regression(x, weighted, inverse, rank)


def residuals(others: Regression, y: np.ndarray, weight: np.ndarray) -> Residuals:
    """Return what is left of a variable where others are held the same.

    A share that rises steeply in several variables at once, as in a logit, is no sum of their
    functions. So splines of what was fitted join the regressors, twice: a function of a
    weighted sum is fitted then, whatever the function.

    Parameters
    ----------
    others : Regression
        On the variables held the same.
    y : ndarray, shape (n, t)
        The variable.
    weight : ndarray, shape (n,)
        Above zero.

    References
    ----------
    Li and Duan (1989), Regression analysis under link violation, Annals of Statistics 17(3).
    """
    n, first = len(y), others.left(y)
    left, columns = first, others.rank
    knots = KNOTS if y.shape[1] <= FEW_TARGETS else FEW_KNOTS
    for _ in range(ROUNDS if others.rank > 1 and n > PER_COLUMN * others.rank else 0):
        curves = _curves(y - left, knots)
        if curves is None:
            break
        size = np.einsum("i,ij->j", weight, curves**2)
        curves = others.left(curves)
        # What the others explain is rounding now, and would be scaled up to a regressor.
        curves = curves[:, np.einsum("i,ij->j", weight, curves**2) > RANK * size]
        weighted = curves * weight[:, None]
        inverse, rank = _inverse(weighted.T @ curves)
        left = first - curves @ (inverse @ (weighted.T @ first))
        columns = others.rank + rank
    centred = y - np.average(y, axis=0, weights=weight)
    return Residuals(left, np.einsum("i,ij->j", weight, centred**2), columns)


def _inverse(cross: np.ndarray) -> tuple[np.ndarray, int]:
    """Return the generalised inverse of a cross-product, and its rank."""
    scale = np.sqrt(np.diag(cross))
    scale = np.where(scale > 0, scale, 1)
    values, vectors = linalg.eigh(cross / np.outer(scale, scale))
    kept = values > RANK * values.max(initial=0)
    inverse = (vectors[:, kept] / values[kept]) @ vectors[:, kept].T
    return inverse / np.outer(scale, scale), int(kept.sum())


def _curves(fitted: np.ndarray, quantiles: Sequence[float]) -> np.ndarray | None:
    """Return the curved columns of natural splines of fitted values, (n, q), if there are any."""
    fitted = np.round(fitted, DIGITS)  # else rounding errors, of two values, become knots
    knots = [np.unique(np.quantile(column, quantiles)) for column in fitted.T]
    found = [
        natural_spline(column, k)[:, 1:]
        for column, k in zip(fitted.T, knots, strict=True)
        if len(k) >= 3
    ]
    return np.hstack(found) if found else None


def _varying(side: Residuals, weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the residuals that the regressors do not determine, and their sums of squares."""
    rest = np.einsum("i,ij->j", weight, side.left**2)
    kept = rest > DETERMINED * side.spread
    return side.left[:, kept], rest[kept]


def _untested(problem: str, n: int) -> Tested:
    return Tested(np.nan, np.nan, 0, 0, np.nan, n, problem)
