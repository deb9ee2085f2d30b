"""Doubly robust scores: each person's part of the effect, from the nuisances of the averages."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from scipy import sparse

from evaluate.estimates import Estimates


@dataclass(frozen=True)
class Signals:
    """The m persons of one outcome and contrast, with what each tells of the effect.

    The effect in any group of them is the weighted ratio of means of ``signal`` and ``share``.

    Attributes
    ----------
    outcome, month, unit : str, int or None, str
        Of the outcome; effects are in its unit.
    arm : str
        Label of the contrast.
    estimand : {"itt", "att", "ate"}
        Effect of the offer where a lottery drew it; else on the treated, or on all.
    rows : ndarray of bool, shape (n,)
        Who of the study's persons they are.
    treated : ndarray of bool, shape (m,)
        Who was offered, or treated.
    y : ndarray, shape (m,)
        The outcome.
    signal, share : ndarray, shape (m,)
        Means over the splits of the nuisances; ``share`` is 1 for those the effect is about.
    correction, inverse_weight : ndarray, shape (m,)
        The part of the signal that is a residual of an outcome regression times the inverse
        probability weight, and that weight; zero for whom there is none.
    outcome_residual, treatment_residual : ndarray, shape (m,)
        Outcome less its prediction from covariates, and the same of treatment.
    weight : ndarray, shape (m,)
        Weights above zero, ones where there are none.
    x : ndarray, shape (m, p)
        Covariates, means in place of what is missing, with indicators of it, and ``men`` where
        there are both genders; no column constant or explained by earlier ones.
    names, sources : tuple of str
        Name of each column, and the covariate of the plan (or ``gender``) it comes from.
    groups : dict of str to ndarray of bool, shape (m,)
        As of the study: ``all``, women, men, ``education=short``.
    block : ndarray of int, shape (m,), or None
        Block of each person, where assignment was drawn within blocks.
    cluster : ndarray of int, shape (m,), or None
        Cluster of each, below ``units``.
    units : int
        Clusters of the study; 0 where there are none.
    notes : tuple of str
        What a reader must know.
    """

    outcome: str
    month: int | None
    unit: str
    arm: str
    estimand: str
    rows: np.ndarray
    treated: np.ndarray
    y: np.ndarray
    signal: np.ndarray
    share: np.ndarray
    correction: np.ndarray
    inverse_weight: np.ndarray
    outcome_residual: np.ndarray
    treatment_residual: np.ndarray
    weight: np.ndarray
    x: np.ndarray
    names: tuple[str, ...]
    sources: tuple[str, ...]
    groups: dict[str, np.ndarray]
    block: np.ndarray | None = None
    cluster: np.ndarray | None = None
    units: int = 0
    notes: tuple[str, ...] = field(default=())

    def turned(self) -> Signals:
        """Return the same persons with less of the outcome for more of it."""
        names = ("y", "signal", "correction", "outcome_residual")
        return replace(self, **{name: -getattr(self, name) for name in names})

    @property
    def m(self) -> int:
        """Number of persons."""
        return len(self.signal)

    @property
    def both_genders(self) -> bool:
        """Whether there are women and men among them."""
        return all(g in self.groups and self.groups[g].any() for g in ("women", "men"))

    @property
    def is_man(self) -> np.ndarray:
        """Column of ``x`` that tells men, a mask of shape (p,)."""
        return np.array([s == "gender" for s in self.sources], dtype=bool)

    def by_unit(self, scores: np.ndarray) -> np.ndarray:
        """Return persons' scores, shape (m, k), as those of the units that are independent.

        Of clusters the sums of their persons' scores, times the root of G / (G - 1), of the G
        clusters that have persons here, shape (units, k); without clusters as they are.
        """
        if self.cluster is None:
            return scores
        g = len(np.unique(self.cluster))
        size = np.full(self.m, np.sqrt(g / max(g - 1, 1)))
        shape = (self.units, self.m)
        people = sparse.csr_array((size, (self.cluster, np.arange(self.m))), shape=shape)
        return np.asarray(people @ scores)

    def average(self, among: np.ndarray | None = None) -> Estimates:
        """Return the effect among some persons, a mask of shape (m,), with scores of units.

        Parameters
        ----------
        among : ndarray of bool, shape (m,), optional
            All if not given.

        Returns
        -------
        Estimates
            One value, with units as rows of scores; its degrees of freedom are the persons, or
            clusters, among them less one. NaN where the effect is about none of them.
        """
        among = np.ones(self.m, dtype=bool) if among is None else among
        w = self.weight * among
        mass = w @ self.share
        with np.errstate(divide="ignore", invalid="ignore"):
            value = w @ self.signal / mass
            scores = w * (self.signal - value * self.share) / mass
        count = among.sum() if self.cluster is None else len(np.unique(self.cluster[among]))
        df = np.array([max(float(count) - 1, 1.0)])
        return Estimates(np.array([value]), self.by_unit(scores[:, None]), df)


@dataclass(frozen=True)
class NoSignals:
    """An outcome and contrast without scores, and why."""

    outcome: str
    month: int | None
    unit: str
    arm: str
    reason: str


Case = Signals | NoSignals
