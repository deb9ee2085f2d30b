"""Slopes of two arms compared, and what chance makes of them: signs of residuals drawn anew."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from evaluate.heterogeneity.leverage import summed
from evaluate.seeds import generator

DRAWS, FEWEST_DRAWS = 999, 199
WORK = 2e10  # multiplications, beyond which draws are fewer
AT_ONCE = 4_000_000  # numbers in a block of draws
SINGULAR = 1e-10  # of the greatest eigenvalue
DUST = 1e-20  # of the squares of an outcome: what rounding leaves of residuals
ALONE = 1e-8  # of the moments: less is left without a unit that tells a covariate alone


@dataclass(frozen=True)
class Arm:
    """Regressors of one arm, of which the last p have the slopes that are compared.

    Attributes
    ----------
    x : ndarray, shape (n, k)
        Regressors of all persons.
    mass : ndarray, shape (n,)
        Weights; zero outside the arm.
    p : int
        Slopes that are compared.
    sign : {1, -1}
        Of the arm's slopes in the difference.
    """

    x: np.ndarray
    mass: np.ndarray
    p: int
    sign: int

    @cached_property
    def weighed(self) -> np.ndarray:
        """Regressors times weights, shape (n, k)."""
        return np.asarray(self.x * self.mass[:, None])

    @cached_property
    def moments(self) -> np.ndarray:
        """Sums of products of regressors, shape (k, k)."""
        return np.asarray(self.weighed.T @ self.x)

    @cached_property
    def back(self) -> np.ndarray:
        """Their inverse, shape (k, k)."""
        return np.linalg.inv(self.moments)

    @property
    def own(self) -> np.ndarray:
        """Columns of the inverse that make the slopes, shape (k, p)."""
        return np.asarray(self.sign * self.back[:, -self.p :])

    def can_tell(self, unit: np.ndarray | None) -> bool:
        """Tell whether the slopes exist, and would without any one unit, shape (n,)."""
        value = np.linalg.eigvalsh(self.moments)
        if not value[0] > SINGULAR * value[-1]:
            return False
        leverage = np.einsum("ij,jk,ik->i", self.weighed, self.back, self.x)
        if unit is None:
            return bool(leverage.max() < 1 - ALONE)
        for u in np.flatnonzero(np.bincount(unit, leverage) > 1 - ALONE):
            part = self.weighed[unit == u].T @ self.x[unit == u]
            if np.linalg.eigvals(part @ self.back).real.max() > 1 - ALONE:
                return False
        return True

    def by_unit(self, unit: np.ndarray, units: int) -> np.ndarray:
        """Return the moments of each unit, shape (units, k, k)."""
        columns = [summed(self.weighed * x[:, None], unit, units) for x in self.x.T]
        return np.stack(columns, axis=1)


def wald(arms: tuple[Arm, Arm], y: np.ndarray, unit: np.ndarray | None) -> float:
    """Return Wald's statistic that the slopes of both arms are the same.

    Parameters
    ----------
    arms : tuple of Arm
        The arms.
    y : ndarray, shape (n,)
        The outcome.
    unit : ndarray of int, shape (n,), or None
        Independent units, 0 to their number less one; None where persons are.

    Returns
    -------
    float
        With the variance of residuals as they are (HC0, CR0). NaN where these are none, or too
        few units have any.
    """
    slopes, scores = np.zeros(arms[0].p), np.zeros((len(y), arms[0].p))
    residual, size = np.zeros(2)
    for arm in arms:
        cross = arm.weighed.T @ y
        slopes += arm.own.T @ cross
        left = y - arm.x @ (arm.back @ cross)
        scores += (arm.weighed @ arm.own) * left[:, None]
        residual, size = residual + arm.mass @ left**2, size + arm.mass @ y**2
    told = summed(scores, unit, 0 if unit is None else int(unit.max()) + 1)
    value, vector = np.linalg.eigh(told.T @ told)
    if not (residual > DUST * size and value[0] > SINGULAR * value[-1]):
        return np.nan
    return float(((slopes @ vector) ** 2 / value).sum())


def drawn_walds(arms: tuple[Arm, Arm], y: np.ndarray, unit: np.ndarray | None) -> np.ndarray:
    """Return the statistic in draws where the slopes are the same.

    Parameters
    ----------
    arms, y, unit
        As of `wald`.

    Returns
    -------
    ndarray, shape (draws,)
        The residuals of a regression whose compared slopes are those of both arms are given
        signs at random, by unit. Of persons they are those of a regression without them.
    """
    residual = _restricted(arms, y, by_person=unit is None)
    units = len(y) if unit is None else int(unit.max()) + 1
    k, p = arms[0].x.shape[1], arms[0].p
    draws = int(np.clip(WORK / (units * k * p), FEWEST_DRAWS, DRAWS))
    rng = generator(units, "signs", str(p))
    numbers = units * (1 if unit is None else p)
    blocks = np.array_split(np.arange(draws), -(-draws * numbers // AT_ONCE))
    signs = (rng.choice([-1.0, 1.0], size=(units, len(b))) for b in blocks)
    if unit is None:
        found = list(_of_persons(arms, residual, signs))
    else:
        found = list(_of_clusters(arms, residual, unit, signs))
    slopes, variances = (np.concatenate(parts) for parts in zip(*found, strict=True))
    solved = (np.linalg.pinv(variances, hermitian=True) @ slopes[:, :, None])[:, :, 0]
    return np.asarray((slopes * solved).sum(axis=1))


def _restricted(arms: tuple[Arm, Arm], y: np.ndarray, by_person: bool) -> np.ndarray:
    """Return the residuals of a regression with one slope for both arms on what is compared."""
    p = arms[0].p
    mass = arms[0].mass + arms[1].mass
    held = [arm.x[:, :-p] * (arm.mass > 0)[:, None] for arm in arms]
    x = np.column_stack([*held, arms[0].x[:, -p:]])
    weighed = x * mass[:, None]
    back = np.linalg.pinv(weighed.T @ x, hermitian=True)
    residual = y - x @ (back @ (weighed.T @ y))
    if by_person:
        leverage = np.einsum("ij,jk,ik->i", weighed, back, x)
        residual = residual / np.maximum(1 - leverage, ALONE)
    return np.asarray(residual)


Block = tuple[np.ndarray, np.ndarray]  # slopes (b, p), their variances (b, p, p)


def _of_persons(
    arms: tuple[Arm, Arm], residual: np.ndarray, signs: Iterator[np.ndarray]
) -> Iterator[Block]:
    p = arms[0].p
    upper = np.triu_indices(p)
    parts = []
    for arm in arms:
        rows = arm.mass > 0
        told = arm.weighed[rows] @ arm.own
        squares = told[:, upper[0]] * told[:, upper[1]]
        parts.append((rows, arm.x[rows], arm.back @ arm.weighed[rows].T, told, squares))
    for sign in signs:
        slopes, sums = np.zeros((sign.shape[1], p)), np.zeros((sign.shape[1], len(upper[0])))
        for rows, x, fit, told, squares in parts:
            y = sign[rows] * residual[rows, None]
            slopes += y.T @ told
            y -= x @ (fit @ y)
            sums += (y**2).T @ squares
        variance = np.empty((len(slopes), p, p))
        variance[:, upper[0], upper[1]] = variance[:, upper[1], upper[0]] = sums
        yield slopes, variance


def _of_clusters(
    arms: tuple[Arm, Arm], residual: np.ndarray, unit: np.ndarray, signs: Iterator[np.ndarray]
) -> Iterator[Block]:
    units = int(unit.max()) + 1
    cross = [summed(arm.weighed * residual[:, None], unit, units) for arm in arms]
    shrunk = [np.einsum("kp,ukl->upl", arm.own, arm.by_unit(unit, units)) for arm in arms]
    for sign in signs:
        slopes = np.zeros((sign.shape[1], arms[0].p))
        scores = np.zeros((units, arms[0].p, sign.shape[1]))
        for arm, part, turn in zip(arms, cross, shrunk, strict=True):
            slopes += sign.T @ (part @ arm.own)
            scores += (part @ arm.own)[:, :, None] * sign[:, None, :]
            scores -= turn @ (arm.back @ (part.T @ sign))
        told = scores.transpose(2, 1, 0)
        yield slopes, told @ told.transpose(0, 2, 1)
