"""Activities by cluster: variances of means where persons of a cluster are not independent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

EQUAL = 1e-24  # of the sum of squares, below which differences of equal means are rounding


@dataclass
class ClusterSums:
    """Weights and activities, summed over the persons of a cell: a cluster's in an arm and gender.

    Only cells with persons exist, at most as many as persons. They take
    ``8 (kinds + 1) (months + 1) cells`` bytes however many activities there are: with 5 kinds
    and 12 months, of 1000 clusters with women and men 1.2 MB, of 100 000 persons in waves 62 MB.

    Attributes
    ----------
    cell : ndarray of int, shape (n,)
        Cell of each person.
    unit, gender : ndarray of int, shape (cells,)
        Cluster in an arm, by position; gender (0 not known, 1 women, 2 men).
    arm : ndarray of int, shape (units,)
        Arm of each of these clusters; one with persons in two arms is there twice.
    arms : int
        Number of arms.
    weights : ndarray, shape (months + 1, cells)
        Sums over persons observed of the weight w, which is above 0.
    sums : ndarray, shape (kinds, months + 1, cells)
        Sums of w c, c in number.
    """

    cell: np.ndarray
    unit: np.ndarray
    gender: np.ndarray
    arm: np.ndarray
    arms: int
    weights: np.ndarray
    sums: np.ndarray

    def observe(self, month: int, seen: np.ndarray, weight: np.ndarray) -> None:
        """Count the weights of the persons observed in a month; both shape (n,)."""
        size = self.weights.shape[1]
        self.weights[month] = np.bincount(self.cell[seen], weights=weight[seen], minlength=size)

    def add(
        self, kind: np.ndarray, month: np.ndarray, place: np.ndarray, values: np.ndarray
    ) -> None:
        """Add weighted numbers of activities of persons observed, all shape (rows,)."""
        months, cells = self.weights.shape
        at = (kind.astype(np.int64) * months + month) * cells + self.cell[place]
        np.add.at(self.sums.reshape(-1), at, values)


@dataclass(frozen=True)
class ByCluster:
    """What the clusters say of the means.

    Attributes
    ----------
    variance : ndarray, shape (kinds, months + 1, arms, groups)
        NaN with fewer than two clusters.
    clusters : ndarray of int, shape (months + 1, arms, groups)
        Clusters with persons observed.
    gap : ndarray, shape (kinds, months + 1, arms, 1)
        Variance of the difference of the last two groups; NaN with fewer than two clusters in
        one of them.
    shared : ndarray of bool, shape (months + 1, arms, 1)
        Whether some cluster has persons observed of both.
    """

    variance: np.ndarray
    clusters: np.ndarray
    gap: np.ndarray
    shared: np.ndarray


def cluster_sums(
    cluster: np.ndarray, cell: np.ndarray, arms: int, kinds: int, months: int
) -> ClusterSums:
    """Begin to count by cluster.

    Parameters
    ----------
    cluster : ndarray, shape (n,)
        Cluster of each person.
    cell : ndarray of int, shape (n,)
        Arm times three plus gender of each person.
    arms, kinds, months : int
        How many there are; kinds with all together, months with all together.
    """
    code = pd.factorize(cluster)[0].astype(np.int64)
    arm, gender = np.divmod(cell, 3)
    units, unit = np.unique(code * arms + arm, return_inverse=True)
    cells, place = np.unique(unit * 3 + gender, return_inverse=True)
    return ClusterSums(
        cell=place,
        unit=cells // 3,
        gender=cells % 3,
        arm=units % arms,
        arms=arms,
        weights=np.zeros((months, len(cells))),
        sums=np.zeros((kinds, months, len(cells))),
    )


def by_cluster(sums: ClusterSums, mean: np.ndarray, groups: Sequence[Sequence[int]]) -> ByCluster:
    """Return the variances of means and of the difference of the last two groups.

    The score of a cluster is (sum w c - mean sum w) over its persons, by the sum of w over
    those of all clusters, times the root of G/(G-1) with G clusters. Squares of scores add up to
    the variance of a mean, those of differences of scores to that of the difference: where
    women and men share clusters, what clusters have in common cancels.

    Parameters
    ----------
    sums : ClusterSums
        All activities counted.
    mean : ndarray, shape (kinds, months + 1, arms, groups)
        The means.
    groups : sequence of sequence of int
        The genders that make up each group.
    """
    kinds, months = mean.shape[:2]
    variance, gap = np.zeros(mean.shape), np.zeros((*mean.shape[:3], 1))
    clusters = np.zeros(mean.shape[1:], dtype=int)
    shared = np.zeros((*mean.shape[1:3], 1), dtype=bool)
    inside = [np.flatnonzero(np.isin(sums.gender, codes)) for codes in groups]

    def by_unit(values: np.ndarray, chosen: np.ndarray) -> np.ndarray:
        return np.bincount(sums.unit[chosen], weights=values[chosen], minlength=len(sums.arm))

    def by_arm(values: np.ndarray) -> np.ndarray:
        return np.bincount(sums.arm, weights=values, minlength=sums.arms)

    def squared(score: np.ndarray, size: np.ndarray) -> np.ndarray:
        squares = by_arm(score**2)
        return np.where(squares <= EQUAL * size, 0.0, squares)

    with np.errstate(divide="ignore", invalid="ignore"):
        for month in range(months):
            weights = [by_unit(sums.weights[month], chosen) for chosen in inside]
            number = [by_arm(w > 0) for w in weights]
            clusters[month] = np.stack(number, axis=-1)
            scales = [
                (np.sqrt(g / (g - 1)) / by_arm(w))[sums.arm]
                for g, w in zip(number, weights, strict=True)
            ]
            if len(groups) > 1:
                shared[month, :, 0] = by_arm((weights[-2] > 0) & (weights[-1] > 0)) > 0
            for kind in range(kinds):
                scores, sizes = [], []
                for i, chosen in enumerate(inside):
                    total = by_unit(sums.sums[kind, month], chosen)
                    middle = mean[kind, month, sums.arm, i]
                    scores.append((total - middle * weights[i]) * scales[i])
                    sizes.append(by_arm((total * scales[i]) ** 2))
                    variance[kind, month, :, i] = squared(scores[-1], sizes[-1])
                if len(groups) > 1:
                    both = sizes[-2] + sizes[-1]
                    gap[kind, month, :, 0] = squared(scores[-2] - scores[-1], both)
    # The score of a single cluster is 0 whatever its persons had.
    enough = clusters > 1
    variance = np.where(enough, variance, np.nan)
    gap = np.where(enough[..., -2:].all(axis=-1, keepdims=True), gap, np.nan)
    return ByCluster(variance, clusters, gap, shared)
