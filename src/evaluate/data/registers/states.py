"""Shares of persons in each state by month: exclusive, and adding up to one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from evaluate.data.registers.months import Window
from evaluate.study import GAP

OTHER, NONE = "other", "none"  # in a state that the plan does not name; in no spell
GENDERS = ("women", "men")


@dataclass
class StateCounts:
    """Persons by month, arm, gender and state, summed over parts of the persons.

    Attributes
    ----------
    names : sequence of str
        The states, then other and none.
    state_of : ndarray of int, shape (codes + 1,)
        Position in ``names`` of no spell, then of each code.
    arms : sequence of str
        The arms.
    cell : ndarray of int, shape (n,)
        Arm times three plus gender (0 not known, 1 women, 2 men) of each person.
    weight : ndarray, shape (n,), or None
        Weights of the persons.
    persons, weights : ndarray, shape (months, arms, 3, states)
        Number of persons, and their weight.
    """

    names: Sequence[str]
    state_of: np.ndarray
    arms: Sequence[str]
    cell: np.ndarray
    weight: np.ndarray | None
    persons: np.ndarray
    weights: np.ndarray

    def add(self, state: np.ndarray, at: Window, persons: slice) -> None:
        """Count some persons, given their state in each month, see `months.state_at`."""
        cell = self.cell[persons].astype(np.int64)
        weight = None if self.weight is None else self.weight[persons]
        for i, observed in enumerate(at.observed.T):
            place = cell[observed] * len(self.names) + self.state_of[state[observed, i]]
            size = self.persons[i].size
            counts = np.bincount(place, minlength=size)
            self.persons[i] += counts.reshape(self.persons[i].shape)
            if weight is not None:
                counts = np.bincount(place, weights=weight[observed], minlength=size)
            self.weights[i] += counts.reshape(self.weights[i].shape)


def state_counts(
    names: Sequence[str],
    state_of: np.ndarray,
    arm: np.ndarray,
    gender: np.ndarray,
    arms: Sequence[str],
    months: range,
    weight: np.ndarray | None = None,
) -> StateCounts:
    """Begin to count.

    Parameters
    ----------
    names, state_of, arms, weight
        As in `StateCounts`.
    arm : ndarray of str, shape (n,)
        Arm of each person.
    gender : ndarray of int, shape (n,)
        1 for women, 2 for men, 0 where it is not known.
    months : range
        The months.
    """
    which = pd.Categorical(arm, categories=list(arms)).codes.astype(np.int64)
    shape = (len(months), len(arms), 3, len(names))
    return StateCounts(
        names, state_of, arms, which * 3 + gender, weight, np.zeros(shape, int), np.zeros(shape)
    )


def states_table(counts: StateCounts, months: range, genders: Sequence[str]) -> pd.DataFrame:
    """Return the shares as `schemas.STATES`.

    Parameters
    ----------
    counts : StateCounts
        All persons counted.
    months : range
        The months.
    genders : sequence of str
        The genders of the programme.
    """
    groups = {"all": (0, 1, 2)} | {g: (GENDERS.index(g) + 1,) for g in genders}
    rows = []
    for i, month in enumerate(months):
        for a, arm in enumerate(counts.arms):
            shares = {}
            for group, cells in groups.items():
                n = int(counts.persons[i, a, list(cells)].sum())
                weight = counts.weights[i, a, list(cells)].sum(axis=0)
                share = weight / weight.sum() if n else np.full(len(counts.names), np.nan)
                shares[group] = (n, share)
            if set(GENDERS) <= set(shares):
                (n_women, women), (n_men, men) = (shares[g] for g in GENDERS)
                shares[GAP] = (n_women + n_men, women - men)
            rows += [
                (name, month, arm, group, n, share[j])
                for group, (n, share) in shares.items()
                for j, name in enumerate(counts.names)
            ]
    columns = ["state", "month", "arm", "group", "n", "share"]
    return pd.DataFrame(rows, columns=columns)
