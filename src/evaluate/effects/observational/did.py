"""Difference-in-differences by cohort of start and calendar month, doubly robust."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np

from evaluate.covariates import independent
from evaluate.effects.observational.two_periods import Method, two_periods
from evaluate.errors import DesignError, persons
from evaluate.estimates import Estimates

Controls = Literal["not_yet_treated", "never_treated"]
Base = Literal["universal", "varying"]

TRIM = 0.995  # propensity from which a control is left out of the weighted mean
NOBODY = "no controls left"


@dataclass(frozen=True)
class Omitted:
    """A cohort and month without an estimate, and why."""

    cohort: int
    month: int
    reason: str


@dataclass(frozen=True)
class GroupTime:
    """Effects ATT(g, t) on the cohort that starts in month g, in calendar month t.

    Attributes
    ----------
    cohort, month, base : ndarray of int, shape (k,)
        Month of start, calendar month, and the earlier month it is compared with; equal to
        ``month`` for the universal base itself, where the effect is zero by construction.
    n_treated, n_control : ndarray of int, shape (k,)
        Persons of the cohort and controls that have both months.
    n_missing : ndarray of int, shape (k,)
        Persons of either left out for want of one of the two months.
    n_trimmed : ndarray of int, shape (k,)
        Controls without weight, being too much like the cohort.
    estimates : Estimates
        k values in the unit of the outcome, scores of shape (n, k) by persons, zero for
        those an effect does not rest on; sums of squares divide by n, not n - 1. Degrees of
        freedom are the effect's persons less one.
    started : ndarray of int, shape (n,)
        Month of start of each person, 0 for those who never do within reach.
    weight : ndarray, shape (n,)
        Weights of the persons, one on average.
    anticipation : int
        Months before the start in which an effect may show.
    omitted : tuple of Omitted
        Cohorts and months that cannot be estimated.
    """

    cohort: np.ndarray
    month: np.ndarray
    base: np.ndarray
    n_treated: np.ndarray
    n_control: np.ndarray
    n_missing: np.ndarray
    n_trimmed: np.ndarray
    estimates: Estimates
    started: np.ndarray
    weight: np.ndarray
    anticipation: int
    omitted: tuple[Omitted, ...]

    @property
    def before(self) -> np.ndarray:
        """Placebo effects: months before any effect may show, less the base, shape (k,)."""
        return (self.month < self.cohort - self.anticipation) & (self.month != self.base)


def group_time(
    y: np.ndarray,
    cohort: np.ndarray,
    x: np.ndarray | None = None,
    weight: np.ndarray | None = None,
    *,
    months: np.ndarray | None = None,
    controls: Controls = "not_yet_treated",
    base: Base = "universal",
    anticipation: int = 0,
    method: Method = "doubly_robust",
    trim: float = TRIM,
) -> GroupTime:
    """Estimate the effect on each cohort of start in each calendar month.

    The change of the outcome since a month before the start is compared with that of persons
    who have not started, at equal covariates: the propensity of being in the cohort is a
    logit, the controls' change a linear regression, and it is enough that one of them is
    right. A propensity and a regression serve all months with the same controls.

    Parameters
    ----------
    y : ndarray, shape (n, T)
        One outcome in T months, NaN where missing: a person without one of the two months is
        left out of that effect.
    cohort : ndarray of int, shape (n,)
        Month of start on the scale of ``months``; 0 for never. A start so late that no effect
        can show counts as never.
    x : ndarray, shape (n, p), optional
        Covariates measured before the first start; none for parallel trends as they are.
    weight : ndarray, shape (n,), optional
        Weights above zero.
    months : ndarray of int, shape (T,), optional
        Ascending numbers of the calendar months, above 0; 1 to T.
    controls : {"not_yet_treated", "never_treated"}
        With whom a cohort is compared: those who start after both months (and the months of
        anticipation), the never treated among them; or the latter alone.
    base : {"universal", "varying"}
        Month of comparison: the last before any effect may show; or, in the months before
        that, the month before each.
    anticipation : int
        Months before the start in which an effect may show.
    method : {"doubly_robust", "regression", "ipw"}
        Both models; the controls' regression alone; the propensity alone, weights normalised.
    trim : float
        Controls with this propensity or more have no weight.

    Returns
    -------
    GroupTime
        In order of cohort and month.

    Raises
    ------
    DesignError
        If nobody starts, a cohort has no earlier month, nobody is left to compare with, a
        cohort has too few persons for the covariates or nobody comparable in any month.

    References
    ----------
    Callaway and Sant'Anna (2021), Difference-in-differences with multiple time periods,
    Journal of Econometrics 225(2); Sant'Anna and Zhao (2020), Doubly robust
    difference-in-differences estimators, Journal of Econometrics 219(1); Roth (2024),
    Interpreting event-studies from recent difference-in-differences methods, on the base.
    """
    n, length = y.shape
    when = np.arange(1, length + 1) if months is None else np.asarray(months)
    w = np.ones(n) if weight is None else weight / weight.mean()
    started = np.where(cohort > when[-1] + anticipation, 0, cohort)
    basis = _basis(np.empty((n, 0)) if x is None else x)
    levels, code = np.unique(started, return_inverse=True)
    starts = levels[(levels > 0) & (levels <= when[-1])]
    needed = basis.shape[1] + 1
    _check(starts, started, when[0] + anticipation, needed)
    g, t, b = _pairs(starts, when, base, anticipation)
    latest = when[np.maximum(t, b)] + anticipation
    eligible = levels == 0
    if controls == "not_yet_treated":
        eligible = eligible | ((levels > latest[:, None]) & (levels != g[:, None]))
    eligible = np.broadcast_to(eligible, (len(g), len(levels)))
    by_month = np.ascontiguousarray(y.T)
    value, scores = np.zeros(len(g)), np.zeros((len(g), n))
    counts, reasons = np.zeros((4, len(g)), dtype=int), np.full(len(g), "", dtype=object)
    for rows, at in _alike(g, t, b, eligible, levels, code, by_month):
        treated = started[rows] == g[at[0]]
        found = _too_few(treated, eligible[at[0]].any(), needed)
        if not found:
            change = by_month[np.ix_(t[at], rows)] - by_month[np.ix_(b[at], rows)]
            try:
                effects = two_periods(change, treated, basis[rows], w[rows], method, trim)
            except DesignError as error:
                found = str(error)
        if found:
            reasons[at] = found
            continue
        value[at] = effects.value
        scores[at[:, None], rows] = effects.scores
        of = eligible[at[0]] | (levels == g[at[0]])
        missing = of[code].sum() - len(rows)
        sizes = [treated.sum(), (~treated).sum(), missing, effects.trimmed]
        counts[:, at] = np.array(sizes)[:, None]
    kept = reasons == ""
    omitted = [Omitted(int(g[i]), int(when[t[i]]), reasons[i]) for i in np.flatnonzero(~kept)]
    _complain(starts, g[kept & (when[t] >= g)], omitted)
    if omitted:
        value, scores, counts = value[kept], scores[kept], counts[:, kept]
    n_treated, n_control, n_missing, n_trimmed = counts
    estimates = Estimates(value, scores.T, (n_treated + n_control - 1).astype(float))
    return GroupTime(
        g[kept], when[t[kept]], when[b[kept]], n_treated, n_control, n_missing, n_trimmed,
        estimates, started, w, anticipation, tuple(omitted),
    )  # fmt: skip


def _basis(x: np.ndarray) -> np.ndarray:
    """Return a constant and the covariates that add something, scaled to order one."""
    x = x[:, independent(x)]
    spread = (x - x.mean(axis=0)) / (x.std(axis=0) if x.shape[1] else 1)
    return np.column_stack([np.ones(len(x)), spread])


def _pairs(
    starts: np.ndarray, when: np.ndarray, base: Base, anticipation: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return cohorts, positions of the months and of the months they are compared with."""
    g, t = (a.ravel() for a in np.meshgrid(starts, np.arange(len(when)), indexing="ij"))
    b = np.searchsorted(when, g - anticipation) - 1
    if base == "varying":
        b = np.minimum(b, t - 1)
    return g[b >= 0], t[b >= 0], b[b >= 0]


def _alike(
    g: np.ndarray,
    t: np.ndarray,
    b: np.ndarray,
    eligible: np.ndarray,
    levels: np.ndarray,
    code: np.ndarray,
    by_month: np.ndarray,
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Give the persons, with both months, and the effects that rest on the same persons."""
    absent = np.isnan(by_month)
    some = absent.any()
    _, kind = np.unique(np.column_stack([g, eligible]), axis=0, return_inverse=True)
    for k in range(kind.max() + 1):
        at = np.flatnonzero(kind == k)
        rows = np.flatnonzero((eligible[at[0]] | (levels == g[at[0]]))[code])
        if not some:
            yield rows, at
            continue
        known: dict[bytes, list[int]] = {}
        for i in at.tolist():
            gone = absent[t[i], rows] | absent[b[i], rows]
            known.setdefault(np.packbits(gone).tobytes(), []).append(i)
        for same in known.values():
            gone = absent[t[same[0]], rows] | absent[b[same[0]], rows]
            yield rows[~gone], np.array(same)


def _check(starts: np.ndarray, started: np.ndarray, first: int, needed: int) -> None:
    """Refuse cohorts that no month can be estimated for."""
    early = started[(started != 0) & (started <= first)]
    if len(early):
        raise DesignError(
            f"{persons(len(early))} in {len(np.unique(early))} cohort(s) of start have no month "
            "before any effect may show: leave them out, or add earlier months."
        )
    if not len(starts):
        raise DesignError("nobody starts within the months observed: no effect to estimate.")
    size = np.array([(started == g).sum() for g in starts])
    if size.min() < needed:
        raise DesignError(
            f"{(size < needed).sum()} of {len(starts)} cohorts of start have fewer than {needed} "
            f"persons, too few for {needed - 2} covariates (the one of month "
            f"{starts[size.argmin()]}: {size.min()}): join months of start, name fewer covariates."
        )


def _too_few(treated: np.ndarray, controls: bool, needed: int) -> str:
    if not controls:
        return NOBODY
    if min(treated.sum(), (~treated).sum()) < needed:
        return f"fewer than {needed} persons with both months in the cohort or among controls"
    return ""


def _complain(starts: np.ndarray, estimated: np.ndarray, omitted: list[Omitted]) -> None:
    """Refuse cohorts without any effect, but for those that lack controls alone."""
    for g in np.setdiff1d(starts, estimated):
        why = [o.reason for o in omitted if o.cohort == g and o.month >= g and o.reason != NOBODY]
        if why:
            raise DesignError(
                f"the cohort that starts in month {g} cannot be compared in any month: {why[0]}; "
                "name fewer covariates, join months of start, or leave the cohort out."
            )
    if not len(estimated):
        raise DesignError(
            "no controls left: nobody is untreated in any month from a start on; compare with "
            "those not yet treated, add months before the last start or persons who never start."
        )
