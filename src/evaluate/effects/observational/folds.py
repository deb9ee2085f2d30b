"""Folds: each is predicted from the others, and holds all kinds of persons."""

from __future__ import annotations

import numpy as np

from evaluate.errors import DesignError


def draw_folds(
    treated: np.ndarray,
    folds: int,
    splits: int,
    rng: np.random.Generator,
    stratum: np.ndarray | None = None,
    cluster: np.ndarray | None = None,
) -> np.ndarray:
    """Split persons at random into folds, several times over.

    Parameters
    ----------
    treated : ndarray of bool, shape (n,)
        Treated persons; each fold gets its part of them and of the others.
    folds : int
        Folds of a split, two or more.
    splits : int
        Splits, one or more, drawn independently.
    rng : Generator
        Where the draws come from.
    stratum : ndarray of int, shape (n,), optional
        Strata to spread evenly besides, for instance gender.
    cluster : ndarray of int, shape (n,), optional
        Clusters, each kept whole.

    Returns
    -------
    ndarray of int, shape (splits, n)
        Fold of each person, from 0 on. Without clusters the numbers of persons of a stratum
        and arm differ by at most one between folds; with clusters they are as even as placing
        the largest first makes them.

    Raises
    ------
    DesignError
        If there are fewer persons, or clusters, of an arm than folds.

    References
    ----------
    Chernozhukov et al. (2018), Double/debiased machine learning for treatment and structural
    parameters, Econometrics Journal 21(1), definition 3.1; Chiang, Kato, Ma and Sasaki (2022),
    Multiway cluster robust double/debiased machine learning, Journal of Business & Economic
    Statistics 40(3), on whole clusters.
    """
    if folds < 2 or splits < 1:
        raise DesignError(f"two folds or more and one split or more, not {folds} and {splits}.")
    kind = np.zeros(len(treated), dtype=int) if stratum is None else stratum
    _, kind = np.unique(np.column_stack([treated, kind]), axis=0, return_inverse=True)
    kind = kind.ravel()
    for arm, persons in (("treated", treated), ("comparison", ~treated)):
        units = persons.sum() if cluster is None else len(np.unique(cluster[persons]))
        if units < folds:
            noun = "persons" if cluster is None else "clusters with persons"
            raise DesignError(
                f"{units} {arm} {noun}, fewer than {folds} folds: take fewer folds, or more "
                "persons."
            )
    if cluster is None:
        return np.stack([_dealt(kind, folds, rng) for _ in range(splits)])
    _, place = np.unique(cluster, return_inverse=True)
    profile = np.zeros((place.max() + 1, kind.max() + 1))
    np.add.at(profile, (place, kind), 1)
    return np.stack([_placed(profile, folds, rng)[place] for _ in range(splits)])


def _dealt(kind: np.ndarray, folds: int, rng: np.random.Generator) -> np.ndarray:
    """Deal persons, shuffled within their kind, to the folds in turn."""
    shuffled = rng.permutation(len(kind))
    order = shuffled[np.argsort(kind[shuffled], kind="stable")]
    fold = np.empty(len(kind), dtype=int)
    fold[order] = rng.permutation(folds)[np.arange(len(kind)) % folds]
    return fold


def _placed(profile: np.ndarray, folds: int, rng: np.random.Generator) -> np.ndarray:
    """Place clusters, the largest first, where persons like theirs are fewest.

    Clusters alike in all counts are dealt to the folds in turn, so that a million small ones
    take no longer than a hundred.
    """
    alike, which = np.unique(profile, axis=0, return_inverse=True)
    shuffled = rng.permutation(len(profile))
    members = shuffled[np.argsort(which.ravel()[shuffled], kind="stable")]
    ends = np.cumsum(np.bincount(which.ravel()))
    share = alike / profile.sum(axis=0) ** 2
    load = np.zeros((folds, profile.shape[1]))
    fold = np.empty(len(profile), dtype=int)
    for kind in np.argsort(-alike.sum(axis=1), kind="stable"):
        first = ends[kind - 1] if kind else 0
        some = members[first : ends[kind]]
        even = len(some) - len(some) % folds
        fold[some[:even]] = np.arange(even) % folds
        load += even // folds * alike[kind]
        for one in some[even:]:
            cost = load @ share[kind]
            least = np.flatnonzero(cost <= cost.min() * (1 + 1e-12))
            fold[one] = least[rng.integers(len(least))]
            load[fold[one]] += alike[kind]
    return fold
