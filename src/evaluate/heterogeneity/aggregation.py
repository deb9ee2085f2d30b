"""From the evaluation folds of many honest splits to one statistic, and to one interval.

Within a split the folds are judged in their order, each by predictions from the folds before it.
A test of one effect for everybody weighs what the signals of a fold depart from it by, with
coefficients that the predictions give, and sets the sum against its own size under that null:

    t = sum(u) / sqrt(sum(u**2)),    u = coefficient * weight * (signal - average * share),

with u summed over clusters. Given the past t has mean 0 and variance 1, exactly where the u are
symmetric, and tails no heavier than normal; so ``Z = sum(t) / sqrt(folds)`` is standard normal
(Wager 2024). Persons who were pooled over the folds of ordinary cross-fitting would count each
pair twice, learner of one and judge of the other, and be too sure by up to the root of two.

Over splits the Z are averaged. Each is standard normal, but the same persons lie behind them all,
so that their mean varies less, by an amount that depends on the learner. It need not be known. By
the law of total variance, with D the data,

    1 = Var(Z) = Var(E[Z | D]) + E[Var(Z | D)],

and the sample variance S2 of the Z over R splits of these data estimates the last term without
bias. The mean's variance is therefore ``1 - (1 - 1/R) S2``, and the mean over its root is held
against the standard normal. This takes nothing but that a single split is right, and so serves
trees as well as ridges. Left as it is, the mean would reject in 2 to 4 per cent of studies at 5;
twice the median p-value, which is safe under any dependence, in 1 to 2. The variance, 0.5 to 0.75
in simulations of ridges, trees and forests, is held at `FLOOR` or above, as it is estimated badly
from few splits. What is left of an error is that the mean of Z leans to the right where effects may
go by one or two covariates alone: tests then reject in 5 to 7 per cent.

Sign flips of the residual signals with the ridge learned anew would give the null law too, but
for that learner alone.

References
----------
Wager (2024), Sequential validation of treatment heterogeneity, arXiv 2405.05534; Luedtke and van
der Laan (2016), Statistical inference for the mean outcome under a possibly non-unique optimal
treatment strategy, Annals of Statistics 44(2); Chernozhukov, Demirer, Duflo and Fernández-Val
(2025), Fisher-Schultz lecture: Generic machine learning inference on heterogeneous treatment
effects in randomized experiments, Econometrica 93(4), on medians over splits.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from evaluate.heterogeneity.honest import Honest
from evaluate.heterogeneity.signals import Signals
from evaluate.seeds import generator

FLOOR = 0.5  # of the variance of a mean of Z over splits
ALIKE = 1e-9  # of a prediction: no more apart, they are the same
FEWEST = 20  # persons, or clusters, to be judged in a split


@dataclass(frozen=True)
class Fold:
    """The persons of one evaluation fold, those with the highest predicted effects first.

    Attributes
    ----------
    split : int
        Which split.
    rows : ndarray of int, shape (f,)
        The persons; equal predictions are in random order, so that none goes by the file's.
    effect : ndarray, shape (f,)
        Their predicted effects.
    """

    split: int
    rows: np.ndarray
    effect: np.ndarray

    @property
    def is_flat(self) -> bool:
        """Whether the learner found nothing and predicts the same for all."""
        if not len(self.rows):
            return True
        first, last = self.effect[[0, -1]]
        return bool(first - last <= ALIKE * max(abs(first), abs(last)))


def judged(honest: Honest) -> Iterator[Fold]:
    """Yield the evaluation folds of every split, in their order."""
    for split, (fold, effect) in enumerate(zip(honest.fold, honest.effect, strict=True)):
        rng = generator(split, "ties")
        known = np.isfinite(effect)
        for k in range(1, int(fold.max(initial=0)) + 1):
            rows = rng.permutation(np.flatnonzero((fold == k) & known))
            rows = rows[np.argsort(-effect[rows], kind="stable")]
            if len(rows):
                yield Fold(split, rows, effect[rows])


def judged_units(signals: Signals, honest: Honest) -> int:
    """Return the fewest persons, or clusters, that a split judges."""
    known = np.isfinite(honest.effect) & (honest.fold > 0)
    if signals.cluster is None:
        return int(known.sum(axis=1).min(initial=signals.m))
    return min(len(np.unique(signals.cluster[k])) for k in known)


def fold_statistic(signals: Signals, rows: np.ndarray, scores: np.ndarray) -> float:
    """Return the sum of persons' scores over its size by unit, as if their mean were zero.

    Parameters
    ----------
    signals : Signals
        Gives the clusters.
    rows : ndarray of int, shape (f,)
        Persons of the fold.
    scores : ndarray, shape (f,)
        With mean zero under the null.

    Returns
    -------
    float
        NaN where no score differs from zero, or fewer than three units have one.
    """
    u = scores
    if signals.cluster is not None:
        _, unit = np.unique(signals.cluster[rows], return_inverse=True)
        u = np.bincount(unit, scores)
    size = u @ u
    return float(u.sum() / np.sqrt(size)) if size > 0 and (u != 0).sum() > 2 else np.nan


def in_sequence(t: Sequence[float]) -> float:
    """Return the Z of a split from the statistics of its folds, NaN if there are none.

    A fold without a statistic is left out: that is known before it is judged.
    """
    known = np.array(t)[np.isfinite(t)]
    return float(known.sum() / np.sqrt(len(known))) if len(known) else np.nan


@dataclass(frozen=True)
class Combined:
    """One test from the Z of the splits, against larger values.

    Attributes
    ----------
    statistic, p_value : float
        Standard normal where the effect is the same for everybody; NaN without a split.
    p_low, p_high : float
        Quartiles of the p-values of single splits.
    splits : int
        How many had a statistic.
    """

    statistic: float
    p_value: float
    p_low: float
    p_high: float
    splits: int


def combined(z: np.ndarray) -> Combined:
    """Test by the mean of the splits' Z, shape (splits,), over its estimated deviation."""
    z = z[np.isfinite(z)]
    if not len(z):
        return Combined(np.nan, np.nan, np.nan, np.nan, 0)
    within = z.var(ddof=1) * (1 - 1 / len(z)) if len(z) > 1 else 0.0
    statistic = float(z.mean() / np.sqrt(max(1 - within, FLOOR)))
    low, high = np.quantile(stats.norm.sf(z), [0.25, 0.75])
    return Combined(statistic, float(stats.norm.sf(statistic)), float(low), float(high), len(z))


@dataclass(frozen=True)
class Median:
    """k estimates, each from many splits, with intervals; all of shape (k,)."""

    estimate: np.ndarray
    std_error: np.ndarray
    conf_low: np.ndarray
    conf_high: np.ndarray
    p_value: np.ndarray


def median_over_splits(
    value: np.ndarray,
    variance: np.ndarray,
    df: np.ndarray,
    level: float,
    same_target: bool = True,
) -> Median:
    """Aggregate splits to medians, with intervals for the median of what the splits estimate.

    Parameters
    ----------
    value, variance : ndarray, shape (splits, k)
        Of each split; one with a NaN is left out of that estimate.
    df : ndarray, shape (k,)
        Degrees of freedom of t.
    level : float
        Of the intervals.
    same_target : bool
        Whether all splits estimate about the same, so that they differ by error mostly.

    Returns
    -------
    Median
        NaN where no split has a value. The variance of a mean over splits is never above the
        mean of the splits' variances, and below it by the variance of errors over splits. With
        ``same_target`` that is taken off, as for tests, though half is kept at least; a median's
        of R splits adds ``(pi / 2 - 1) / R`` of it. Effects in sorted groups differ over splits
        by what is learned in each as well, which makes this a little small: in simulations by
        0 to 11 per cent of the mean variance. Otherwise the median of the splits' variances is
        taken, and intervals are too wide.
    """
    known = np.isfinite(value) & np.isfinite(variance)
    some = known.any(axis=0)
    middle, size = np.full((2, value.shape[1]), np.nan)
    held = np.where(known, value, np.nan)[:, some]
    middle[some] = np.nanmedian(held, axis=0)
    own = np.where(known, variance, np.nan)[:, some]
    one = np.nanmean(own, axis=0) if same_target else np.nanmedian(own, axis=0)
    if same_target:
        count = known[:, some].sum(axis=0)
        spread = np.nanvar(held, axis=0) * count / np.maximum(count - 1, 1)
        one = np.maximum(one - (1 - np.pi / 2 / count) * spread, one / 2)
    size[some] = np.sqrt(one)
    margin = stats.t.ppf((1 + level) / 2, df) * size
    with np.errstate(divide="ignore", invalid="ignore"):
        p_value = 2 * stats.t.sf(np.abs(middle / size), df)
    return Median(middle, size, middle - margin, middle + margin, p_value)
