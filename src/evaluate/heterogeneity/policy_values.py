"""What rules of who is offered a place are worth, from the doubly robust scores.

A rule gives each person a place with a probability. Its gain over offering no one a place is

    sum(weight * place * signal) / sum(weight * share),

and differs from that of another rule by the same sum over the difference of their places. Where
places are limited, those given to some are those that others do not get: a score is then that of
``signal - margin * share``, with the effect among those who would be the next to get a place as
``margin``. Without it the error of a rule with a fixed number of places, and of its cost, would
hold chance in how many persons there are, of which there is none.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import stats

from evaluate.heterogeneity.honest import Honest
from evaluate.heterogeneity.signals import Signals
from evaluate.heterogeneity.targeting_costs import Money

EFFECT, PLACES, COST, NET = range(4)  # columns of amounts
ROUNDING = 1e-9
BESIDE = 0.1  # of the persons, on either side of the last place: those at the margin


@dataclass(frozen=True)
class Places:
    """Who is offered a place.

    Attributes
    ----------
    place : ndarray, shape (f,)
        Probability of a place, of the persons judged.
    limit : ndarray of int, shape (f,), or None
        Lot of persons with a fixed number of places, from 0 on; below 0 where there is none.
    margin : ndarray of bool, shape (f,), or None
        Those of a lot who would be the next to get a place, or to lose it.
    adjusted : ndarray, shape (f, k), or None
        In place of the product of ``place`` and amounts.
    """

    place: np.ndarray
    limit: np.ndarray | None = None
    margin: np.ndarray | None = None
    adjusted: np.ndarray | None = None


@dataclass(frozen=True)
class Valued:
    """Amounts over no one of k columns; shares of all, women, men with a place; women's part."""

    value: np.ndarray
    scores: np.ndarray
    share: np.ndarray

    def minus(self, other: Valued) -> tuple[np.ndarray, np.ndarray]:
        """Return the difference and its scores."""
        return self.value - other.value, self.scores - other.scores

    def at_random(self, everyone: Valued) -> Valued:
        """Return the same number of places given at random."""
        p, mean = self.value[PLACES], everyone.value
        scores = p * everyone.scores + mean * self.scores[:, [PLACES]]
        return Valued(p * mean, scores, np.full(4, np.nan))


def amounts(case: Signals, money: Money | None) -> np.ndarray:
    """Return what a place adds to outcome, places, cost and net value, shape (m, 2 to 4)."""
    columns = [case.signal, case.share]
    if money:
        columns.append(money.cost)
        if money.value is not None:
            columns.append(money.value * case.signal - money.cost)
    return np.column_stack(columns)


def valued(case: Signals, amount: np.ndarray, rows: np.ndarray, places: Places) -> Valued:
    """Value places of some persons.

    Parameters
    ----------
    case : Signals
        All persons, for weights and clusters.
    amount : ndarray, shape (m, k)
        As of `amounts`.
    rows : ndarray of int, shape (f,)
        The persons judged.
    places : Places
        Theirs.

    Returns
    -------
    Valued
        Scores are of units, so that their cross-product is the covariance.
    """
    w, share, a = case.weight[rows], case.share[rows], amount[rows]
    mass = w @ share
    if places.adjusted is None:
        value = (w * places.place) @ a / mass
        u = (w * places.place)[:, None] * a
        if places.limit is not None and places.margin is not None:
            held = w * places.place * share
            u -= held[:, None] * _marginal(a, w, share, places.limit, places.margin)
    else:
        u = w[:, None] * places.adjusted
        value = u.sum(axis=0) / mass
    scores = (u - np.outer(w * share, u.sum(axis=0) / mass)) / mass
    return Valued(value, by_unit(case, rows, scores), _shares(case, rows, w * share, places.place))


def _marginal(
    a: np.ndarray, w: np.ndarray, share: np.ndarray, limit: np.ndarray, margin: np.ndarray
) -> np.ndarray:
    """Return the mean amounts of those at the margin of each person's lot."""
    there = margin & (limit >= 0)
    lot = limit[there]
    lots = int(limit.max(initial=-1)) + 2  # the last for those without a limit
    mass = np.bincount(lot, (w * share)[there], lots)
    found = np.zeros((lots, a.shape[1]))
    for j in range(a.shape[1]):
        total = np.bincount(lot, w[there] * a[there, j], lots)
        found[:, j] = np.divide(total, mass, out=np.zeros(lots), where=mass > 0)
    return found[np.where(limit < 0, lots - 1, limit)]


def by_unit(case: Signals, rows: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """Return persons' scores, shape (f, k), as those of the clusters that have persons there."""
    if case.cluster is None:
        return scores
    _, unit = np.unique(case.cluster[rows], return_inverse=True)
    g = int(unit.max(initial=0)) + 1
    summed = np.column_stack([np.bincount(unit, s, g) for s in scores.T])
    return summed * np.sqrt(g / max(g - 1, 1))


def _shares(case: Signals, rows: np.ndarray, mass: np.ndarray, place: np.ndarray) -> np.ndarray:
    """Return shares of all, women and men with a place, and of women among those with one."""
    found = np.full(4, np.nan)
    found[0] = mass @ place / mass.sum()
    given = np.zeros(2)
    for i, gender in enumerate(("women", "men")):
        if gender in case.groups:
            own = mass * case.groups[gender][rows]
            given[i] = own @ place
            if own.sum() > 0:
                found[1 + i] = given[i] / own.sum()
    if given.sum() > 0 and case.both_genders:
        found[3] = given[0] / given.sum()
    return np.clip(found, 0, 1)


def over_splits(
    value: np.ndarray,
    variance: np.ndarray,
    df: float,
    level: float,
    middle: np.ndarray | None = None,
) -> np.ndarray:
    """Aggregate k values of several splits to medians, with their intervals.

    Parameters
    ----------
    value, variance : ndarray, shape (splits, k)
        Of each split.
    df, level : float
        Degrees of freedom of t; level of the intervals.
    middle : ndarray, shape (k,), optional
        In place of the medians, for what is made up of other medians.

    Returns
    -------
    ndarray, shape (5, k)
        Medians; standard errors; lower and upper ends; p-values, NaN where there is no error.
        The variance is the median of a split's and of its squared distance from the median
        together. As the errors of splits are not the same, the intervals are rather too wide:
        with the few splits of trees a smaller variance could not be known well enough.

    References
    ----------
    Chernozhukov et al. (2018), Double/debiased machine learning for treatment and structural
    parameters, Econometrics Journal 21(1), definition 3.3.
    """
    middle = np.median(value, axis=0) if middle is None else middle
    error = np.sqrt(np.median(variance + (value - middle) ** 2, axis=0))
    margin = stats.t.ppf((1 + level) / 2, df) * error
    with np.errstate(divide="ignore", invalid="ignore"):
        p_value = 2 * stats.t.sf(np.abs(middle / error), df)
    return np.stack([middle, error, middle - margin, middle + margin, p_value])


def first(effect: np.ndarray, mass: np.ndarray, capacity: float) -> tuple[np.ndarray, np.ndarray]:
    """Give places in order of predicted effects, the highest first, as far as they go.

    Parameters
    ----------
    effect, mass : ndarray, shape (f,)
        Predicted effects, and each person's weight; equal predictions share what is left.
    capacity : float
        Share of the mass that there are places for.

    Returns
    -------
    place : ndarray, shape (f,)
        Probability of a place; its mass is that of the capacity.
    margin : ndarray of bool, shape (f,)
        Those within a tenth of the persons from the last place.
    """
    order = np.argsort(-effect, kind="stable")
    ranked = effect[order]
    group = np.cumsum(np.r_[True, ranked[1:] != ranked[:-1]]) - 1
    size = np.bincount(group, mass[order])
    after = np.cumsum(size)
    before, total = np.r_[0.0, after[:-1]], after[-1]
    left = capacity * total - before
    share = np.where(size > 0, left / np.where(size > 0, size, 1), left >= -ROUNDING * total)
    beside = (before <= (capacity + BESIDE) * total) & (after >= (capacity - BESIDE) * total)
    place, margin = np.empty(len(order)), np.empty(len(order), dtype=bool)
    place[order], margin[order] = np.clip(share, 0, 1)[group], beside[group]
    return place, margin


def rationed(members: np.ndarray, mass: np.ndarray, capacity: float) -> Places:
    """Give members places, by lot where there are more of them than places."""
    among = mass @ members / mass.sum()
    place = members.astype(float)
    if not among > capacity * (1 + ROUNDING):
        return Places(place)
    return Places(place * (capacity / among), np.zeros(len(mass), dtype=int), members)


def present(
    case: Signals, amount: np.ndarray, money: Money | None, honest: Honest | None
) -> Places:
    """Give places as they were given.

    A lottery gave them with its probabilities. Where none did, those treated had them; what they
    gained follows from the probability of treatment m and, lest the error of its model be left
    out, each person's predicted amounts times ``treated - m``. The ATT is about the treated: all
    of them had places.
    """
    if case.estimand == "att":
        return Places(np.ones(case.m))
    m = case.treated - case.treatment_residual
    if case.estimand == "itt":
        return Places(np.clip(m, 0, 1))
    mean = case.weight @ amount / (case.weight @ case.share)
    predicted = np.tile(mean, (case.m, 1))
    if honest is not None:
        found = np.isfinite(honest.mean)
        predicted[found, EFFECT] = honest.mean[found]
        if money and money.value is not None:
            predicted[:, NET] = money.value * predicted[:, EFFECT] - predicted[:, COST]
    adjusted = m[:, None] * amount + (case.treated - m)[:, None] * predicted
    return Places(case.treated.astype(float), adjusted=adjusted)


def of_rows(places: Places, rows: np.ndarray) -> Places:
    """Return the places of some persons."""
    parts = (places.place, places.limit, places.margin, places.adjusted)
    return Places(*(None if p is None else p[rows] for p in parts))  # type: ignore[arg-type]
