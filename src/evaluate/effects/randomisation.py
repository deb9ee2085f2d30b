"""Randomisation tests of many outcomes, in all groups, by the same draws of the assignment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from evaluate.covariates import independent
from evaluate.design.assignments import assigned_units, assignments
from evaluate.effects.studentised import statistics, table
from evaluate.effects.unit_sums import Layout, difference, layout

COLUMN_CELLS = 200_000_000  # units times columns, in single precision, held at a time
TIE = 1e-5  # of a statistic, or of one: single precision cannot tell it from a tie
SMALL_TRIAL = 1_000  # persons up to whom Fisher's exact test tells more than the others


@dataclass(frozen=True)
class Comparison:
    """Outcomes to be compared between the arms among some persons.

    Attributes
    ----------
    y : ndarray, shape (n, k)
        Outcomes, NaN where missing: as observed, or what covariates leave of them
        (`residualised`). Of the gap, the average effect of all has been taken out of the
        outcomes of the treated.
    rows : ndarray of bool, shape (n,)
        The persons: all, women, men.
    less : ndarray of bool, shape (n,), optional
        Persons whose difference is subtracted: of the gap ``rows`` are women and these men.
    keep : bool
        Whether to keep the drawn statistics, for p-values adjusted over several outcomes.
    """

    y: np.ndarray
    rows: np.ndarray
    less: np.ndarray | None = None
    keep: bool = False

    @property
    def groups(self) -> tuple[np.ndarray, ...]:
        """The persons, one mask or two."""
        return (self.rows,) if self.less is None else (self.rows, self.less)


@dataclass(frozen=True)
class Tested:
    """Randomisation tests of k outcomes.

    Attributes
    ----------
    statistic : ndarray, shape (k,)
        Difference over its error; NaN where no block holds both arms, or nothing varies.
    p_value : ndarray, shape (k,)
        Share of assignments whose statistic is at least as far from zero, the actual one
        counted; NaN as the statistic.
    drawn : ndarray of float32, shape (draws, k), or None
        Distance of each drawn statistic from zero, where it was to be kept.
    draws : int
        Assignments compared with.
    every : bool
        Whether they are all that there are: then p-values are exact.
    """

    statistic: np.ndarray
    p_value: np.ndarray
    drawn: np.ndarray | None
    draws: int
    every: bool


def randomisation_tests(
    comparisons: Sequence[Comparison],
    arm: np.ndarray,
    contrast: tuple[int, int],
    draws: int,
    rng: np.random.Generator,
    block: np.ndarray | None = None,
    cluster: np.ndarray | None = None,
    weight: np.ndarray | None = None,
    precise: bool = False,
) -> list[Tested]:
    """Test that nobody's outcome depends on the arm, by drawing the assignment anew.

    Within each block as many units as were are drawn for the first arm of the contrast, among
    those of its two arms; all comparisons see the same draws. The statistic is the difference
    in means within blocks over Neyman's error, so that in large samples the test also keeps
    its size where effects differ between persons and are zero on average.

    Parameters
    ----------
    comparisons : sequence of Comparison
        Outcomes and groups.
    arm : ndarray of int, shape (n,)
        Arm of each person.
    contrast : (int, int)
        The arm and the arm it is compared with; persons of other arms stay as they are.
    draws : int
        Assignments to draw. All are listed where there are no more of them; in very large
        studies fewer are drawn, but 999 or more.
    rng : Generator
        Source of the draws. In one state it gives the same ones whatever the outcomes, as long
        as the groups are the same.
    block, cluster : ndarray of int, shape (n,), optional
        Blocks within which assignment was drawn; clusters that were assigned as a whole.
    weight : ndarray, shape (n,), optional
        Weights above zero.
    precise : bool
        Weight blocks by n1 n0 / n, as regressions with common slopes do, in place of n.

    Returns
    -------
    list of Tested
        One for each comparison.

    Raises
    ------
    DesignError
        If a cluster holds several arms or blocks.

    References
    ----------
    Fisher (1935), The Design of Experiments; Wu and Ding (2021), Randomization tests for weak
    null hypotheses in randomized experiments, JASA 116(536). With covariates, Rosenbaum (2002),
    Covariance adjustment in randomized experiments and observational studies, Statistical
    Science 17(3); Zhao and Ding (2021), Covariate-adjusted Fisher randomization tests for the
    average treatment effect, Journal of Econometrics 225(2). Of the gap, Ding, Feller and
    Miratrix (2016), Randomization inference for treatment effect variation, JRSS B 78(3).
    """
    persons = np.flatnonzero(np.isin(arm, contrast))
    if not len(persons):
        nothing = [np.full(c.y.shape[1], np.nan) for c in comparisons]
        return [Tested(none, none, None, 0, every=False) for none in nothing]

    def of(values: np.ndarray | None) -> np.ndarray | None:
        return None if values is None else values[persons]

    units = assigned_units((arm[persons] == contrast[0]).astype(int), of(block), of(cluster))
    groups = [rows[persons] for c in comparisons for rows in c.groups]
    placed = layout(units, of(weight), groups)
    drawn = assignments(placed.treated, placed.block, draws)
    actual, at_least, kept = [], [], []
    for c in comparisons:
        actual.append(np.full(c.y.shape[1], np.nan))
        at_least.append(np.zeros(c.y.shape[1], dtype=int))
        kept.append(np.empty((drawn.number, c.y.shape[1]), np.float32) if c.keep else None)
    seed = int(rng.integers(2**63))  # all pieces see the same draws
    for piece in _pieces(comparisons, placed):
        arranged = [
            difference(c.y[persons][:, piece], [g[persons] for g in c.groups], placed, precise)
            for c in comparisons
        ]
        differences = [d for d, _ in arranged]
        tables = [table(d, placed.blocks) for d in differences]
        found = statistics(differences, tables, placed.treated[None], placed.blocks)
        for i, (t, (_, defined)) in enumerate(zip(found, arranged, strict=True)):
            actual[i][piece] = np.where(defined, t[0], np.nan)
        row = 0
        for z in drawn.chunks(np.random.default_rng(seed)):
            for i, t in enumerate(statistics(differences, tables, z, placed.blocks)):
                distance = np.abs(actual[i][piece])
                np.abs(t, out=t)
                at_least[i][piece] += (t >= distance - TIE * np.maximum(distance, 1)).sum(axis=0)
                if (keep := kept[i]) is not None:
                    keep[row : row + len(z), piece] = t
            row += len(z)
    tested = []
    for t, count, keep in zip(actual, at_least, kept, strict=True):
        p = np.where(np.isnan(t), np.nan, drawn.p_value(count))
        tested.append(Tested(t, p, keep, drawn.number, drawn.every))
    return tested


def _pieces(comparisons: Sequence[Comparison], of: Layout) -> list[slice]:
    """Split the outcomes so that their columns fit in memory."""
    kinds = 2 if of.alike else 3
    columns = kinds * sum(rows.mean() for c in comparisons for rows in c.groups)
    step = max(1, int(COLUMN_CELLS / (columns * len(of.treated) + 1)))
    most = max((c.y.shape[1] for c in comparisons), default=0)
    return [slice(start, start + step) for start in range(0, most, step)]


def residualised(
    y: np.ndarray,
    x: np.ndarray,
    rows: np.ndarray,
    block: np.ndarray | None = None,
    weight: np.ndarray | None = None,
) -> np.ndarray:
    """Take out of outcomes what covariates explain within blocks, leaving the arm out.

    Parameters
    ----------
    y : ndarray, shape (n, k)
        Outcomes, known in all ``rows``.
    x : ndarray, shape (n, p)
        Covariates without missing values in ``rows``; those that others explain add nothing.
    rows : ndarray of bool, shape (n,)
        The persons.
    block : ndarray of int, shape (n,), optional
        Blocks.
    weight : ndarray, shape (n,), optional
        Weights above zero.

    Returns
    -------
    ndarray, shape (n, k)
        NaN for other persons. Under no effect it does not depend on the assignment.

    References
    ----------
    Rosenbaum (2002), Covariance adjustment in randomized experiments and observational
    studies, Statistical Science 17(3).
    """
    w = np.ones(int(rows.sum())) if weight is None else weight[rows]
    names = np.zeros(len(w)) if block is None else block[rows]
    _, own = np.unique(names, return_inverse=True)
    mass = np.bincount(own, w)

    def within(values: np.ndarray) -> np.ndarray:
        sums = np.stack([np.bincount(own, w * v, len(mass)) for v in values.T], axis=1)
        return values - (sums / mass[:, None])[own]

    left = within(y[rows])
    if x.shape[1]:
        root = np.sqrt(w)[:, None]
        design = root * within(x[rows])
        design = design[:, independent(design, constant=False)]
        q, _ = np.linalg.qr(design)
        left -= q @ (q.T @ (root * left)) / root
    found = np.full(y.shape, np.nan)
    found[rows] = left
    return found


def fisher_exact(y: np.ndarray, treated: np.ndarray) -> np.ndarray:
    """Test binary outcomes of a small trial by Fisher's exact test.

    Parameters
    ----------
    y : ndarray, shape (n, k)
        Outcomes of the persons of two arms, NaN where missing.
    treated : ndarray of bool, shape (n,)
        Who is of the first; drawn without blocks, clusters and weights.

    Returns
    -------
    ndarray, shape (k,)
        Two-sided p-values; NaN where the outcome has other values than 0 and 1, or where
        more than 1,000 persons have it or an arm has none.

    References
    ----------
    Fisher (1935), The Design of Experiments.
    """
    found = np.full(y.shape[1], np.nan)
    for j, column in enumerate(y.T):
        known = ~np.isnan(column)
        values, arm = column[known], treated[known]
        if len(values) > SMALL_TRIAL or arm.all() or not arm.any():
            continue
        if np.isin(values, (0, 1)).all():
            counts = [[(values[side] == v).sum() for v in (1, 0)] for side in (arm, ~arm)]
            found[j] = stats.fisher_exact(counts).pvalue
    return found
