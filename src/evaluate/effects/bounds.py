"""Bounds on effects where outcomes are missing: Lee's, also within cells, and Manski's."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from evaluate.effects.comparison import Comparison
from evaluate.errors import DesignError
from evaluate.estimates import Estimates

ALONE = 0.5  # of the weight left to the others of a cell, below which no more is allowed for
EVEN = 1e-12  # difference of two shares observed that is rounding


@dataclass(frozen=True)
class Bounds:
    """The two ends of what an effect may be.

    Attributes
    ----------
    lower, upper : Estimates
        k values each, the lower never above the upper.
    trimmed : float
        Share of those observed, in the arm that has more of them, that is left out; within
        cells, over all of them.
    directions : tuple of int
        Which arms are trimmed: 1 the first of the contrast, 0 control; neither where equally
        many are observed.
    """

    lower: Estimates
    upper: Estimates
    trimmed: float = 0.0
    directions: tuple[int, ...] = ()


def lee(
    y: np.ndarray,
    observed: np.ndarray,
    sample: Comparison,
    cell: np.ndarray | None = None,
    small: bool = False,
) -> Bounds:
    """Bound the effect on those who would be observed in either arm.

    It is assumed that the offer makes nobody missing, or that it makes nobody observed; which,
    is told by the sign of the difference, within each cell. The arm with more observed is
    trimmed from above and from below by the share that it has more. A person at the quantile,
    or several with the same value, counts in part, so that exactly that share is left out.

    Parameters
    ----------
    y : ndarray, shape (m, k)
        Outcomes; an estimate carries its column's unit. What stands in rows that are not
        observed does not matter, but must be a number.
    observed : ndarray of bool, shape (m,)
        Who has the outcomes.
    sample : Comparison
        The persons of two arms, with their weights.
    cell : ndarray of int, shape (m,), optional
        Cells of covariates within which to trim; each must hold observed persons of both
        arms. Bounds are averaged over cells by the estimated number of persons who would be
        observed in either arm. With one direction in all cells they lie within the bounds
        without cells, but for chance.
    small : bool
        Allow for the means and cuts that are fitted in each cell and arm: a person's influence
        there is divided by one less the person's share of the weight, as in HC3.

    Returns
    -------
    Bounds
        Scores include the error of the shares observed.

    Raises
    ------
    DesignError
        If nobody in an arm, or in an arm of a cell, is observed.

    References
    ----------
    Lee (2009), Training, wages, and sample selection: Estimating sharp bounds on treatment
    effects, Review of Economic Studies 76(3); of directions by cell, Semenova (2020),
    Generalized Lee bounds.

    Notes
    -----
    With r the share observed of the other arm, the mean of the top of the trimmed arm is the
    least of t + E[S (Y - t)+] / r over t (Rockafellar and Uryasev 2000, Journal of Risk 2(3)),
    attained at the quantile. So the quantile's own error does not matter, with ties as without
    them, and the share observed matters only through r.
    """
    y = np.where(observed[:, None], y, 0.0)
    cell = np.zeros(len(observed), dtype=int) if cell is None else cell
    parts = [_part(y, observed, sample, cell == c, small) for c in np.unique(cell)]
    mass = np.array([p.size * p.observed for p in parts])
    total = mass.sum()
    ends = []
    for end in (0, 1):
        value = sum(m * p.value[end] for m, p in zip(mass, parts, strict=True)) / total
        influence = np.zeros_like(y)
        for p in parts:
            above = p.value[end] - value
            moved = p.observed * p.influence[end] + p.share_influence[:, None] * above
            influence[p.rows] += p.size / total * moved / p.scale[:, None]
            influence[p.rows] += p.observed * above / (2 * total)  # the cell's size, of both arms
        ends.append(sample.estimates(value, influence))
    most = sum(p.size * p.most for p in parts)
    directions = tuple(sorted({p.direction for p in parts if p.direction is not None}))
    return Bounds(ends[0], ends[1], max(float(1 - total / most), 0.0), directions)


@dataclass(frozen=True)
class _Part:
    """What one cell gives.

    ``value`` and ``influence`` hold the lower and the upper end; influences are those within
    the cell and arm, of which a person's is a ``scale``-th in the whole.
    """

    rows: np.ndarray
    size: float
    observed: float  # share who would be observed in either arm
    most: float  # share observed in the arm that has more
    direction: int | None
    value: list[np.ndarray]
    influence: list[np.ndarray]
    share_influence: np.ndarray
    scale: np.ndarray


def _part(
    y: np.ndarray, observed: np.ndarray, sample: Comparison, rows: np.ndarray, small: bool
) -> _Part:
    """Bound the effect in one cell."""
    y, s, treated, w = y[rows], observed[rows], sample.treated[rows], sample.share[rows]
    mass = [w[treated == a].sum() for a in (False, True)]
    if not all((s & (treated == a)).any() for a in (False, True)):
        raise DesignError("nobody in one of the arms has the outcome.")
    scale = np.where(treated, mass[1], mass[0])
    w = w / scale
    r = [float(w[s & (treated == a)].sum()) for a in (False, True)]
    direction = None if abs(r[1] - r[0]) < EVEN else int(r[1] > r[0])
    fewer = treated == (direction == 0)  # the arm that is not trimmed
    mean, pull = [], []
    for a in (False, True):
        arm = treated == a
        mean.append(w[arm] @ y[arm] / r[a])
        pull.append(np.where((s & arm)[:, None], y - mean[a], 0) / r[a])
    if direction is None:
        ends, moves = [mean[1] - mean[0]] * 2, [pull[1] - pull[0]] * 2
    else:
        tails = _tails(y, s & ~fewer, s & fewer, w, r[1 - direction])
        sign, other = 2 * direction - 1, 1 - direction
        ends = [sign * (value - mean[other]) for value, _ in tails[::sign]]
        moves = [sign * (influence - pull[other]) for _, influence in tails[::sign]]
    share_influence = np.where(fewer, s - min(r), 0.0)
    # As HC3: in a cell of ten persons its own mean leaves a tenth of the variance out.
    room = 1 - w[:, None] if small else 1.0
    moves = [_centred(x, treated, w) / np.maximum(room, ALONE) for x in moves]
    size = (mass[0] + mass[1]) / 2
    return _Part(rows, size, min(r), max(r), direction, ends, moves, share_influence, scale)


def _tails(
    y: np.ndarray, trimmed: np.ndarray, other: np.ndarray, w: np.ndarray, r: float
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return means and influences of the lower and the upper part of one arm's outcomes.

    The parts hold ``r`` of the arm's weight, the share observed of the other arm. Where the cut
    falls between two persons, the quantile is taken half way between them.
    """
    values, weights = y[trimmed], w[trimmed]
    order = np.argsort(values, axis=0, kind="stable")
    reached = np.cumsum(weights[order], axis=0)
    ordered = np.take_along_axis(values, order, axis=0)
    found = []
    for sign, least in ((-1, r), (1, reached[-1] - r)):
        places = [(reached < least - EVEN).sum(axis=0), (reached <= least + EVEN).sum(axis=0)]
        places = [np.minimum(p, len(values) - 1)[None] for p in places]
        t = np.mean([np.take_along_axis(ordered, p, axis=0)[0] for p in places], axis=0)
        beyond = np.maximum(sign * (values - t), 0)
        mean = t + sign * (weights @ beyond) / r
        influence = np.zeros_like(y)
        influence[trimmed] = sign * beyond / r
        influence[other] = (t - mean) / r
        found.append((mean, influence))
    return found


def _centred(x: np.ndarray, treated: np.ndarray, w: np.ndarray) -> np.ndarray:
    x = x.copy()
    for a in (False, True):
        x[treated == a] -= w[treated == a] @ x[treated == a]
    return x


def manski(
    y: np.ndarray,
    observed: np.ndarray,
    sample: Comparison,
    least: float = 0.0,
    most: float = 1.0,
) -> Bounds:
    """Bound the effect on all persons by the worst that missing outcomes may have been.

    Parameters
    ----------
    y : ndarray, shape (m, k)
        Outcomes between ``least`` and ``most``, such as 0 and 1.
    observed : ndarray of bool, shape (m,)
        Who has them.
    sample : Comparison
        The persons of two arms, with their weights.
    least, most : float
        What an outcome can be.

    Returns
    -------
    Bounds
        As wide as the shares missing of both arms together, times ``most - least``. Nothing
        is assumed but the range.

    References
    ----------
    Manski (1990), Nonparametric bounds on treatment effects, American Economic Review 80(2);
    Horowitz and Manski (2000), Nonparametric analysis of randomized experiments with missing
    covariate and outcome data, Journal of the American Statistical Association 95(449).
    """

    def filled(treated: float, control: float) -> np.ndarray:
        missing = np.where(sample.treated, treated, control)[:, None]
        return np.where(observed[:, None], y, missing)

    return Bounds(sample.difference(filled(least, most)), sample.difference(filled(most, least)))
