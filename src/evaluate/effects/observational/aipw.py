"""Augmented inverse probability weighting, cross-fitted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from evaluate.effects.observational.nuisance import Boosting, binary, cross_fit, selected
from evaluate.errors import DesignError, persons
from evaluate.estimates import Estimates

Propensity = np.ndarray | Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class CrossFitted:
    """Effects of k outcomes in some groups, and how they came about.

    Attributes
    ----------
    effects : tuple of Estimates
        One for each group.
    value, variance : ndarray, shape (splits, groups, k)
        What each split says.
    clipped : ndarray of int, shape (splits,)
        Persons whose propensity was moved to the bound.
    learners : tuple of tuple of str
        Learner of each outcome, for the comparison persons and, for the ATE, the treated.
    """

    effects: tuple[Estimates, ...]
    value: np.ndarray
    variance: np.ndarray
    clipped: np.ndarray
    learners: tuple[tuple[str, ...], ...]


def aipw(
    y: np.ndarray,
    treated: np.ndarray,
    x: np.ndarray,
    fold: np.ndarray,
    propensity: Propensity,
    estimand: str,
    groups: Sequence[np.ndarray] | None = None,
    learner: str = "linear",
    weight: np.ndarray | None = None,
    cluster: np.ndarray | None = None,
    units: int | None = None,
    clip: float = 0.01,
    normalise: bool = False,
    boosting: Boosting | None = None,
    seed: int = 0,
) -> CrossFitted:
    """Estimate effects of k outcomes from scores that either model alone makes right.

    The values tend to the effects if the propensity or the outcome regressions do to the truth;
    the intervals are sure only if both do, fast enough, and the arms overlap.

    Parameters
    ----------
    y : ndarray, shape (n, k)
        Outcomes, known, one column each; an estimate carries its column's unit.
    treated : ndarray of bool, shape (n,)
        Treated persons.
    x : ndarray, shape (n, p)
        Covariates of the outcome regressions, measured before time zero.
    fold : ndarray of int, shape (splits, n)
        Folds, from `evaluate.effects.observational.folds.draw_folds`.
    propensity : ndarray, shape (splits, n), or callable
        Probability of treatment, each person's predicted from other folds; a callable gets
        the folds of one split, shape (n,), and returns that split's, shape (n,).
    estimand : {"att", "ate"}
        For the treated, or for all.
    groups : sequence of ndarray of bool, shape (n,), optional
        Persons to average the scores of, for instance all, women, men; all if not given. The
        ATT of a group is over its own treated. Nuisances are everyone's, so that what tells the
        groups apart belongs among the covariates: a model that lacks it is wrong for a group.
    learner : {"linear", "logistic", "boosting", "selected"}
        Of the outcome regressions, by arm; "selected" chooses for each arm and outcome in the
        first split and keeps to it. The ATT needs that of the comparison persons alone.
    weight : ndarray, shape (n,), optional
        Weights above zero, of persons in nuisances and averages.
    cluster : ndarray of int, shape (n,), optional
        Cluster of each person, below ``units``; each in one fold.
    units : int, optional
        Clusters of the study; as many as the largest code says if not given.
    clip : float
        Propensities are kept above it and below one less it; for the ATT below one less it
        alone, as a comparison person's weight m / (1 - m) is harmless where m is near 0.
    normalise : bool
        Scale the inverse probability weights of an arm to the mass of those it stands for
        (Hájek), over all persons.
    boosting : Boosting, optional
        Settings of the trees.
    seed : int
        Of the trees.

    Returns
    -------
    CrossFitted
        Values are medians over splits; variances medians of a split's variance plus its
        squared distance from the median value, so that chance in splitting counts. Scores are
        the splits' mean, scaled to that variance: correlations between outcomes and groups are
        those of the mean scores. A difference of two groups' estimates is one of medians.
        Degrees of freedom are the persons, or clusters, of the group less one. Clusters'
        scores are sums over their persons, times the root of G / (G - 1).

    Raises
    ------
    DesignError
        If a group lacks an arm, the propensity tells the arms apart or leaves nobody to
        compare with, covariates are too many for an arm, or a cluster lies in two folds.

    References
    ----------
    Chernozhukov, Chetverikov, Demirer, Duflo, Hansen, Newey and Robins (2018), Double/debiased
    machine learning for treatment and structural parameters, Econometrics Journal 21(1),
    section 5.1 and definition 3.3; Robins, Rotnitzky and Zhao (1994), Estimation of regression
    coefficients when some regressors are not always observed, JASA 89.
    """
    if estimand not in ("att", "ate"):
        raise ValueError(f"the estimand is att or ate, not {estimand}")
    n, k = y.shape
    groups = [np.ones(n, dtype=bool)] if groups is None else list(groups)
    _both_arms(treated, groups, cluster)
    w = np.ones(n) if weight is None else weight
    arms = (False,) if estimand == "att" else (False, True)
    learners: dict[bool, Sequence[str]] = {}
    sums = [np.zeros((g.sum(), k)) for g in groups]
    value, variance = np.empty((2, len(fold), len(groups), k))
    clipped = np.empty(len(fold), dtype=int)
    for s, split in enumerate(fold):
        m = propensity(split) if callable(propensity) else propensity[s]
        m, clipped[s] = clip_propensity(m, treated, estimand, clip)
        _whole(split, cluster)
        outcome = []
        for arm in arms:
            among = treated == arm
            if learner == "selected" and arm not in learners:
                learners[arm], g, _ = selected(y, x, split, among, weight, boosting, seed)
            else:
                names = learners.setdefault(arm, _named(learner, y[among]))
                g = cross_fit(y, x, split, names, among, weight, boosting, seed)
            outcome.append(g)
        signal, share = signals(y, treated, outcome, m, estimand, w, normalise)
        del outcome, g
        for i, group in enumerate(groups):
            value[s, i], scores = average(signal[group], share[group], w[group])
            sums[i] += scores
            gathered = _gathered(scores, group, cluster, units)
            variance[s, i] = np.einsum("ij,ij->j", gathered, gathered)
    effects = []
    for i, group in enumerate(groups):
        scores = _gathered(sums[i], group, cluster, units)
        effects.append(_aggregated(value[:, i], variance[:, i], scores, _df(group, cluster)))
    return CrossFitted(
        tuple(effects), value, variance, clipped, tuple(tuple(learners[arm]) for arm in arms)
    )


def clip_propensity(
    m: np.ndarray, treated: np.ndarray, estimand: str, clip: float
) -> tuple[np.ndarray, int]:
    """Keep propensities from the ends, shape (n,), and count the persons this moves.

    Raises
    ------
    DesignError
        If the propensity tells the arms apart, leaves nobody to compare with, or is none.
    """
    if not 0 <= clip < 0.5:
        raise ValueError("propensities are clipped at 0 or more and below a half")
    if m.shape != treated.shape or not ((m >= 0) & (m <= 1)).all():
        raise DesignError(
            f"the propensity is not a number from 0 to 1 for each of {persons(len(treated))}."
        )
    if m[treated].min() > m[~treated].max():
        raise DesignError(
            f"the propensity tells {persons(int(treated.sum()))} treated from all "
            f"{int((~treated).sum()):,} others (separation): name fewer covariates, or take "
            "comparison persons who could have been treated."
        )
    top = 1 - clip
    beyond = m > top
    below = m < clip if estimand == "ate" else np.zeros(len(m), dtype=bool)
    alone = beyond[treated].all() or not m[~treated].any() or below[~treated].all()
    if alone or (not clip and (beyond | (m == 1))[~treated].any()):
        raise DesignError(
            "no overlap: propensities of 0 or 1, or beyond the bound, leave "
            f"{persons(int(treated.sum()))} treated without comparison: trim the sample, or "
            "name fewer covariates."
        )
    moved = np.minimum(m, top)
    return (np.maximum(moved, clip) if estimand == "ate" else moved), int((beyond | below).sum())


def signals(
    y: np.ndarray,
    treated: np.ndarray,
    outcome: Sequence[np.ndarray],
    m: np.ndarray,
    estimand: str,
    weight: np.ndarray,
    normalise: bool = False,
) -> tuple[np.ndarray, np.ndarray]:
    """Return each person's part of the effect, whose weighted ratio of means the effect is.

    Parameters
    ----------
    y : ndarray, shape (n, k)
        Outcomes.
    treated : ndarray of bool, shape (n,)
        Treated persons.
    outcome : sequence of ndarray, shape (n, k)
        Predictions without treatment and, for the ATE, with it.
    m : ndarray, shape (n,)
        Propensities, clipped.
    estimand : {"att", "ate"}
        For the treated, or for all.
    weight : ndarray, shape (n,)
        Weights above zero.
    normalise : bool
        Whether to scale the inverse probability weights.

    Returns
    -------
    signal : ndarray, shape (n, k)
        In the unit of the outcomes.
    share : ndarray, shape (n,)
        1 for those the effect is about, otherwise 0.

    References
    ----------
    Chernozhukov et al. (2018), equations 5.3 and 5.4; the ATT's term in the outcome with
    treatment cancels.
    """
    d = treated.astype(float)
    share = d if estimand == "att" else np.ones(len(d))
    with np.errstate(divide="ignore", invalid="ignore"):
        to_treated = d if estimand == "att" else np.where(treated, 1 / m, 0)
        odds = (m if estimand == "att" else 1) / (1 - m)
    to_others = np.where(treated, 0, odds)
    if normalise:
        mass = weight @ share
        to_treated = to_treated * (mass / (weight @ to_treated))
        to_others = to_others * (mass / (weight @ to_others))
    without = outcome[0]
    if estimand == "att":
        return (to_treated - to_others)[:, None] * (y - without), share
    with_it = outcome[1]
    signal = (1 - to_treated)[:, None] * with_it
    signal -= (1 - to_others)[:, None] * without
    signal += (to_treated - to_others)[:, None] * y
    return signal, share


def average(
    signal: np.ndarray, share: np.ndarray, weight: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the effects, shape (k,), and their scores of persons, shape (n, k)."""
    mass = weight @ share
    value = weight @ signal / mass
    scores = signal - np.outer(share, value)
    scores *= (weight / mass)[:, None]
    return value, scores


def _aggregated(
    value: np.ndarray, variance: np.ndarray, scores: np.ndarray, df: float
) -> Estimates:
    """Return the median over splits, and the summed scores scaled to its variance."""
    middle = np.median(value, axis=0)
    target = np.median(variance + (value - middle) ** 2, axis=0)
    found = np.einsum("ij,ij->j", scores, scores)
    factor = np.sqrt(target / np.where(found > 0, found, 1))
    return Estimates(middle, scores * factor, np.full(len(middle), df))


def _named(learner: str, y: np.ndarray) -> list[str]:
    if learner != "logistic":
        return [learner] * y.shape[1]
    return np.where(binary(y), "logistic", "linear").tolist()


def _both_arms(
    treated: np.ndarray, groups: Sequence[np.ndarray], cluster: np.ndarray | None
) -> None:
    for group in groups:
        arms = [group & treated, group & ~treated]
        count = [int(a.sum()) for a in arms]
        if min(count) < 2:
            raise DesignError(
                f"a group has {count[0]} treated and {count[1]} comparison persons: two of "
                "each are needed."
            )
        if cluster is not None and min(len(np.unique(cluster[a])) for a in arms) < 2:
            raise DesignError("an arm of a group lies in one cluster: two are needed.")


def _whole(fold: np.ndarray, cluster: np.ndarray | None) -> None:
    if cluster is None:
        return
    of_cluster = np.empty(cluster.max() + 1, dtype=fold.dtype)
    of_cluster[cluster] = fold
    if split := len(np.unique(cluster[of_cluster[cluster] != fold])):
        raise DesignError(f"{split} clusters lie in more than one fold: draw folds of clusters.")


def _gathered(
    scores: np.ndarray, group: np.ndarray, cluster: np.ndarray | None, units: int | None
) -> np.ndarray:
    """Return the scores of all persons, or of all clusters, from those of a group's persons."""
    if cluster is None:
        if group.all():
            return scores
        found = np.zeros((len(group), scores.shape[1]))
        found[group] = scores
        return found
    units = int(cluster.max()) + 1 if units is None else units
    place = cluster[group]
    g = len(np.unique(place))
    people = sparse.csr_array(
        (np.full(len(place), np.sqrt(g / (g - 1))), (place, np.arange(len(place)))),
        shape=(units, len(place)),
    )
    return np.asarray(people @ scores)


def _df(group: np.ndarray, cluster: np.ndarray | None) -> float:
    return float(group.sum() if cluster is None else len(np.unique(cluster[group]))) - 1
