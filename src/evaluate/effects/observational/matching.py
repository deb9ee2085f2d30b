"""Nearest-neighbour matching: who is compared with whom, and the effects that follow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from evaluate.covariates import independent
from evaluate.effects.observational.greedy import without_replacement
from evaluate.effects.observational.neighbours import (
    Neighbours,
    coordinates,
    group_sums,
    neighbours,
)
from evaluate.errors import DesignError, persons


@dataclass(frozen=True)
class Side:
    """Persons of one arm and the persons of the other that they are matched with.

    Attributes
    ----------
    of, among : ndarray of int
        Positions of the persons matched, and of those they may be matched with.
    near : Neighbours
        Who is near whom.
    share : sparse array, shape (points of ``of``, points of ``among``)
        Relative weight of each neighbouring point.
    """

    of: np.ndarray
    among: np.ndarray
    near: Neighbours
    share: sparse.csr_array

    def mean(self, values: np.ndarray, weight: np.ndarray, power: int = 1) -> np.ndarray:
        """Return the weighted means of the matches of each person in ``of``, (a, k).

        Zero for those without any. ``power`` is applied to the values.
        """
        total = group_sums(
            self.near.target, weight[self.among][:, None] * values[self.among] ** power
        )
        mass = self.share @ group_sums(self.near.target, weight[self.among])
        mean = (self.share @ total) / np.where(mass > 0, mass, 1)[:, None]
        return mean[self.near.origin]

    def uses(self, own: np.ndarray, weight: np.ndarray, power: int = 1) -> np.ndarray:
        """Return for each person in ``among`` the sum of own times share to a power, (b,)."""
        mass = self.share @ group_sums(self.near.target, weight[self.among])
        amount = group_sums(self.near.origin, own[self.of] ** power)
        passed = self.share.power(power).T @ (amount / np.where(mass > 0, mass, 1) ** power)
        return weight[self.among] ** power * passed[self.near.target]


@dataclass(frozen=True)
class Matches:
    """Who was matched with whom; nothing here depends on an outcome.

    Attributes
    ----------
    treated : ndarray of bool, shape (n,)
        Who was treated.
    estimand : {"att", "ate"}
        For whom matches were sought: the treated, or everyone.
    sides : tuple of Side
        The treated with their controls and, for the average over all, the other way round.
    weight : ndarray, shape (n,)
        Weights of the persons.
    own : ndarray, shape (n,)
        Weight of each person in the population whose effect is estimated; 0 for the pruned.
    used : ndarray, shape (n,)
        Weight that a person carries as a match of others (K_M of the paper).
    used_squares : ndarray, shape (n,)
        The same with each share squared.
    number : ndarray of int, shape (n,)
        How many persons each was matched with.
    pruned : ndarray of bool, shape (n,)
        Who was looked for but has too few in reach.
    ratio : int
        How many matches each was to have.
    z : ndarray, shape (n, p)
        Coordinates whose distances were compared.
    cell : ndarray of int, shape (n,)
        Cells within which persons were matched.
    """

    treated: np.ndarray
    estimand: str
    sides: tuple[Side, ...]
    weight: np.ndarray
    own: np.ndarray
    used: np.ndarray
    used_squares: np.ndarray
    number: np.ndarray
    pruned: np.ndarray
    ratio: int
    z: np.ndarray
    cell: np.ndarray

    @property
    def ties(self) -> int:
        """Persons with more matches than asked for."""
        return int((self.number > self.ratio).sum())

    def pairs(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return who (position), with whom, and the share of that match among theirs.

        One row per pair, all ties included: with a coarse score there can be very many.
        """
        parts = [_expanded(side, self.weight) for side in self.sides]
        who, whom, share = (np.concatenate(p) for p in zip(*parts, strict=True))
        return who, whom, share


def match(
    treated: np.ndarray,
    x: np.ndarray,
    metric: str,
    estimand: str = "att",
    ratio: int = 1,
    replace: bool = True,
    caliper: float | Sequence[float] | None = None,
    within: np.ndarray | None = None,
    exact: np.ndarray | None = None,
    weight: np.ndarray | None = None,
    shares: str = "uniform",
    priority: np.ndarray | None = None,
) -> Matches:
    """Match persons to their nearest neighbours in the other arm.

    With replacement all who tie with the last neighbour are taken and averaged, so that the
    order of persons does not matter. Nobody with fewer than ``ratio`` in reach is matched.

    Parameters
    ----------
    treated : ndarray of bool, shape (n,)
        Who was treated.
    x : ndarray, shape (n, p)
        What to match on: covariates, or one score on the scale (probability or logit) on
        which distances are to be compared.
    metric : {"score", "inverse_variance", "mahalanobis"}
        See `neighbours.coordinates`.
    estimand : {"att", "ate"}
        Match the treated only, or everyone.
    ratio : int
        Matches per person (M of the paper).
    replace : bool
        Whether a control may be matched more than once.
    caliper : float or sequence of float, optional
        Largest difference in every column of ``within``, in standard deviations of that
        column over all n persons (sum of squares over n).
    within : ndarray, shape (n, c), optional
        What the caliper holds for; ``x`` where not given.
    exact : ndarray of int, shape (n,) or (n, e), optional
        Codes in which matches agree.
    weight : ndarray, shape (n,), optional
        Weights of persons: of the matched in the average, of matches in theirs. ``ratio``
        counts persons.
    shares : {"uniform", "inverse_distance"}
        How matches share; by inverse distance those at no distance share alone.
    priority : ndarray, shape (n,), optional
        Without replacement who has more chooses first; the order of persons if not given,
        the score from high to low where there is one.

    Returns
    -------
    Matches
        Feeds `abadie_imbens.matched_effects`.

    Raises
    ------
    DesignError
        If an arm is empty, a column is constant or redundant, everybody is pruned, or the
        average over all is asked for without replacement.

    References
    ----------
    Abadie and Imbens (2006), Large sample properties of matching estimators for average
    treatment effects, Econometrica 74(1).
    """
    n, w = len(treated), np.ones(len(treated)) if weight is None else weight.astype(float)
    arms = (np.flatnonzero(treated), np.flatnonzero(~treated))
    if not all(map(len, arms)):
        raise DesignError(
            f"matching needs both arms: there are {len(arms[0])} treated and {len(arms[1])} "
            "controls."
        )
    if not replace and estimand == "ate":
        raise DesignError(
            "the average effect over all cannot be matched without replacement, which leaves "
            "part of the larger arm out: match with replacement, or estimate the effect on the "
            "treated."
        )
    z = coordinates(x, metric, weight)
    cell = np.zeros(n, dtype=int)
    if exact is not None:
        _, cell = np.unique(exact.reshape(n, -1), axis=0, return_inverse=True)
    radius, box = _reach(x, caliper, within, w)
    if replace:
        directions = (arms, arms[::-1])[: 1 if estimand == "att" else 2]
        found = [(a, b, neighbours(z, a, b, ratio, cell, radius, box)) for a, b in directions]
    else:
        if priority is None and metric == "score":
            priority = z[:, 0]
        one = arms[0]
        if priority is not None:
            one = one[np.argsort(-priority[one], kind="stable")]
        near = without_replacement(z, one, arms[1], ratio, cell, radius, box)
        found = [(one, arms[1], near)]
    sides = tuple(Side(a, b, near, _shares(near, shares)) for a, b, near in found)
    return _matches(treated, estimand, sides, w, ratio, z, cell)


def slopes(y: np.ndarray, x: np.ndarray, arm: np.ndarray, used: np.ndarray) -> np.ndarray:
    """Return slopes of a regression in one arm, weighted as its persons are used, (q, k).

    Zero for columns that do not vary, or that others explain, among those used.

    References
    ----------
    Abadie and Imbens (2011), Bias-corrected matching estimators for average treatment
    effects, Journal of Business and Economic Statistics 29(1).
    """
    rows = arm & (used > 0)
    root = np.sqrt(used[rows])[:, None]
    mean = np.average(x[rows], axis=0, weights=used[rows])
    beta = np.zeros((x.shape[1], y.shape[1]))
    keep = independent(x[rows])
    if rows.sum() <= keep.sum() + 1:
        raise DesignError(
            f"{persons(int(rows.sum()))} used as matches cannot carry a bias correction for "
            f"{x.shape[1]} covariates: name fewer, or match without correction."
        )
    level = np.average(y[rows], axis=0, weights=used[rows])
    design = root * (x[rows][:, keep] - mean[keep])
    beta[keep] = np.linalg.lstsq(design, root * (y[rows] - level), rcond=None)[0]
    return beta


def _matches(
    treated: np.ndarray,
    estimand: str,
    sides: tuple[Side, ...],
    w: np.ndarray,
    ratio: int,
    z: np.ndarray,
    cell: np.ndarray,
) -> Matches:
    n = len(treated)
    own, used, squares = np.zeros(n), np.zeros(n), np.zeros(n)
    number, pruned = np.zeros(n, dtype=int), np.zeros(n, dtype=bool)
    for side in sides:
        found = side.near.found
        own[side.of] = np.where(found, w[side.of], 0)
        pruned[side.of] = ~found
        count = side.near.near @ np.bincount(side.near.target)
        number[side.of] = count[side.near.origin]
    if not (own > 0).any():
        raise DesignError(
            f"nobody can be matched: none of {persons(int(pruned.sum()))} has {ratio} in reach "
            "in the other arm. Widen the caliper, name fewer exact columns or match fewer to one."
        )
    for side in sides:
        used[side.among] = side.uses(own, w)
        squares[side.among] = side.uses(own, w, power=2)
    return Matches(treated, estimand, sides, w, own, used, squares, number, pruned, ratio, z, cell)


def _reach(
    x: np.ndarray,
    caliper: float | Sequence[float] | None,
    within: np.ndarray | None,
    w: np.ndarray,
) -> tuple[float, np.ndarray | None]:
    """Return the caliper as a radius where it holds for one score, otherwise as a box."""
    if caliper is None:
        return np.inf, None
    if within is None and x.shape[1] == 1:
        return float(np.ravel(caliper)[0]), None
    z = coordinates(x if within is None else within, "inverse_variance", w)
    return np.inf, z / np.asarray(caliper, dtype=float)


def _shares(near: Neighbours, kind: str) -> sparse.csr_array:
    if kind == "uniform":
        return near.near
    if kind != "inverse_distance":
        raise DesignError(f"matches share uniform or inverse_distance, not {kind}.")
    row = np.repeat(np.arange(len(near.start) - 1), np.diff(near.start))
    at = near.distance <= 0
    none = np.bincount(row, at, minlength=len(near.start) - 1)[row] > 0
    with np.errstate(divide="ignore"):
        return near.filled(np.where(none, at, 1 / near.distance))


def _expanded(side: Side, weight: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return pairs of persons from pairs of points."""
    near = side.near
    rows = side.share[near.origin].tocoo()
    by_point = np.argsort(near.target, kind="stable")
    size = np.bincount(near.target)
    begin, times = (np.cumsum(size) - size)[rows.col], size[rows.col]
    step = np.arange(times.sum()) - np.repeat(np.cumsum(times) - times, times)
    whom = side.among[by_point[np.repeat(begin, times) + step]]
    who = np.repeat(rows.row, times)
    share = np.repeat(rows.data, times) * weight[whom]
    share /= np.bincount(who, share, minlength=len(side.of))[who]
    return side.of[who], whom, share
