"""Activities per person and month: counted by kind, month, arm and gender."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from evaluate.data.registers.calendar import add_months, months_between
from evaluate.data.registers.dose_clusters import ClusterSums, cluster_sums

ALL = "all"


@dataclass
class DoseCounts:
    """Activities by kind, month, arm and gender, summed over parts of the persons.

    Attributes
    ----------
    kinds : list of str
        The kinds, then all of them together.
    months : range
        Months 1 to the last; in the arrays month 0 is all of them together.
    zero : ndarray of int, shape (n,)
        Day zero of each person; any day where it is absent.
    first, last : ndarray of int, shape (n,)
        First and last month that is observed whole; none where the first is after the last.
    arms : sequence of str
        The arms.
    cell : ndarray of int, shape (n,)
        Arm times three plus gender (0 not known, 1 women, 2 men) of each person.
    weight : ndarray, shape (n,)
        Weights of the persons, ones where there are none.
    persons, some : ndarray of int, shapes (months + 1, arms, 3), (kinds, months + 1, arms, 3)
        Persons observed; those of them with any activity.
    weights : ndarray, shape (2, months + 1, arms, 3)
        Sums over persons observed of the weight w and of its square.
    sums : ndarray, shape (4, kinds, months + 1, arms, 3)
        Sums over persons with any activity, c in number, of w, w c, w² c, w² c².
    clusters : ClusterSums or None
        The same of w and w c by cluster, where persons are not independent.
    """

    kinds: list[str]
    months: range
    zero: np.ndarray
    first: np.ndarray
    last: np.ndarray
    arms: Sequence[str]
    cell: np.ndarray
    weight: np.ndarray
    persons: np.ndarray
    weights: np.ndarray
    some: np.ndarray
    sums: np.ndarray
    clusters: ClusterSums | None = None

    def month_of(self, place: np.ndarray, day: np.ndarray) -> np.ndarray:
        """Return the month of persons that a day lies in, from 1, shape (rows,)."""
        return months_between(self.zero[place], day) + 1

    def observed(self, place: np.ndarray, month: np.ndarray) -> np.ndarray:
        """Return whether a month of persons is observed whole, shape (rows,)."""
        return (self.first[place] <= month) & (month <= self.last[place])

    def add(self, place: np.ndarray, month: np.ndarray, kind: np.ndarray) -> None:
        """Count activities of whole persons in months that are observed.

        Parameters
        ----------
        place, month, kind : ndarray of int, shape (rows,)
            Sorted by place and month; kinds by their position.
        """
        if not len(place):
            return
        kinds, width = len(self.kinds) - (ALL in self.kinds), self.months.stop
        start = int(place[0])
        by_month = (place.astype(np.int64) - start) * width + month
        by_kind = (by_month // width * kinds + kind) * width + month
        self._add(*np.unique(by_kind, return_counts=True), start, kinds)
        if ALL in self.kinds:
            runs = _runs(by_month)
            size = np.diff(np.append(runs, len(by_month)))
            self._add(by_month[runs], size, start, 1, first_kind=kinds)

    def _add(
        self, key: np.ndarray, count: np.ndarray, start: int, kinds: int, first_kind: int = 0
    ) -> None:
        """Add numbers of activities by person, kind and month, then by person and kind."""
        width = self.months.stop
        who, month = np.divmod(key, width)
        place, kind = np.divmod(who, kinds)
        place, kind = place + start, kind + first_kind
        self._sum(kind, month, place, count)
        runs = _runs(who)
        together = np.add.reduceat(count, runs)
        whole = (self.first[place[runs]] == 1) & (self.last[place[runs]] == width - 1)
        runs = runs[whole]
        self._sum(kind[runs], np.zeros_like(runs), place[runs], together[whole])

    def _sum(
        self, kind: np.ndarray, month: np.ndarray, place: np.ndarray, count: np.ndarray
    ) -> None:
        shape = self.some.shape
        at = (kind * shape[1] + month) * (shape[2] * shape[3]) + self.cell[place]
        size = self.some.size
        w = self.weight[place]
        self.some += np.bincount(at, minlength=size).reshape(shape)
        for total, values in zip(
            self.sums, (w, w * count, w**2 * count, w**2 * count**2), strict=True
        ):
            total += np.bincount(at, weights=values, minlength=size).reshape(shape)
        if self.clusters is not None:
            self.clusters.add(kind, month, place, w * count)


def dose_counts(
    kinds: Sequence[str],
    day_zero: np.ndarray,
    arm: np.ndarray,
    gender: np.ndarray,
    arms: Sequence[str],
    months: range,
    covered: tuple[int, int],
    weight: np.ndarray | None = None,
    cluster: np.ndarray | None = None,
) -> DoseCounts:
    """Begin to count: who is observed in which month.

    Month m of a person runs from ``m - 1`` to ``m`` calendar months after day zero. A person
    is observed in it if all of its days are covered, and in all months together if each is.

    Parameters
    ----------
    kinds : sequence of str
        The kinds.
    day_zero : ndarray of datetime64[D], shape (n,)
        NaT where it is absent: nothing of that person is observed.
    arm : ndarray of str, shape (n,)
        Arm of each person.
    gender : ndarray of int, shape (n,)
        1 for women, 2 for men, 0 where it is not known.
    arms : sequence of str
        The arms.
    months : range
        From 1.
    covered : (int, int)
        First and last day that the table covers, in days since 1970-01-01.
    weight : ndarray, shape (n,), optional
        Weights of the persons.
    cluster : ndarray, shape (n,), optional
        Cluster of each person, where persons are not independent.
    """
    absent = np.isnat(day_zero)
    zero = np.where(absent, 0, day_zero.astype("datetime64[D]").astype(np.int64)).astype(np.int32)
    cell = pd.Categorical(arm, categories=list(arms)).codes.astype(np.int64) * 3 + gender
    w = np.ones(len(zero)) if weight is None else weight.astype(float)
    shape = (months.stop, len(arms), 3)
    persons, weights = np.zeros(shape, dtype=np.int64), np.zeros((2, *shape))
    first = np.full(len(zero), months.stop, dtype=np.int16)
    last = np.zeros(len(zero), dtype=np.int16)
    names = [*kinds, ALL] if len(kinds) > 1 else list(kinds)
    by_cluster = None
    if cluster is not None:
        by_cluster = cluster_sums(cluster, cell, len(arms), len(names), months.stop)

    def count(month: int, seen: np.ndarray) -> None:
        size = len(arms) * 3
        persons[month] = np.bincount(cell[seen], minlength=size).reshape(shape[1:])
        for total, values in zip(weights, (w, w**2), strict=True):
            sums = np.bincount(cell[seen], weights=values[seen], minlength=size)
            total[month] = sums.reshape(shape[1:])
        if by_cluster is not None:
            by_cluster.observe(month, seen, w)

    begin = zero
    for month in months:
        end = add_months(zero, month)
        seen = ~absent & (begin >= covered[0]) & (end <= covered[1] + 1)
        first[seen & (first > month)] = month
        last[seen] = month
        count(month, seen)
        begin = end
    count(0, (first == 1) & (last == months.stop - 1))
    some = np.zeros((len(names), *shape), dtype=np.int64)
    sums = np.zeros((4, *some.shape))
    return DoseCounts(
        names, months, zero, first, last, arms, cell, w, persons, weights, some, sums, by_cluster
    )


def _runs(key: np.ndarray) -> np.ndarray:
    """Return where the runs of equal values begin."""
    return np.flatnonzero(np.append(True, key[1:] != key[:-1]))
