"""Difference-in-differences by cohort of start and calendar month, doubly robust."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np

from evaluate.covariates import independent
from evaluate.effects.observational.few_persons import welch
from evaluate.effects.observational.two_periods import Method, two_periods
from evaluate.errors import DesignError
from evaluate.estimates import Estimates
from evaluate.notes import note

Controls = Literal["not_yet_treated", "never_treated"]
Base = Literal["universal", "varying"]

TRIM = 0.995  # propensity from which a control is left out of the weighted mean


@dataclass(frozen=True)
class Omitted:
    """A cohort and month without an estimate, and why; without a month, the whole cohort."""

    cohort: int
    month: int | None
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
    used : ndarray of uint8, shape (k, n / 8)
        Who is in each effect, as packed bits.
    estimates : Estimates
        k values in the unit of the outcome, scores of shape (n, k) by persons, zero for
        those an effect does not rest on.
    small_sample : bool
        Whether scores and degrees of freedom allow for few persons.
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
    used: np.ndarray
    estimates: Estimates
    small_sample: bool
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
    fewest: int = 0,
    small_sample: bool = True,
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
    fewest : int
        Persons of the cohort, and controls, with both months that an effect must rest on at
        least; never fewer than one more than there are coefficients.
    small_sample : bool
        Scores allow for what each person draws the models to itself, and degrees of freedom
        are Welch's for treated and controls; else sums of squares divide by n, as in R's did,
        and degrees of freedom are the effect's persons less one.

    Returns
    -------
    GroupTime
        In order of cohort and month.

    Raises
    ------
    DesignError
        If nobody starts, or no effect after a start can be estimated; what alone cannot be
        estimated is among ``omitted``.

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
    least = max(fewest, basis.shape[1] + 1)
    levels, code = np.unique(started, return_inverse=True)
    starts, omitted = _starts(levels, np.bincount(code), when, anticipation, least)
    if not len(starts):
        raise DesignError(_nothing(omitted))
    g, t, b = _pairs(starts, when, base, anticipation)
    latest = when[np.maximum(t, b)] + anticipation
    eligible = levels == 0
    if controls == "not_yet_treated":
        eligible = eligible | ((levels > latest[:, None]) & (levels != g[:, None]))
    eligible = np.broadcast_to(eligible, (len(g), len(levels)))
    by_month = np.ascontiguousarray(y.T)
    value, scores = np.zeros(len(g)), np.zeros((len(g), n))
    used = np.zeros((len(g), (n + 7) // 8), dtype=np.uint8)
    counts, reasons = np.zeros((4, len(g)), dtype=int), np.full(len(g), "", dtype=object)
    for rows, at in _alike(g, t, b, eligible, levels, code, by_month):
        treated = started[rows] == g[at[0]]
        found = _too_few(treated, eligible[at[0]].any(), least)
        if not found:
            change = by_month[np.ix_(t[at], rows)] - by_month[np.ix_(b[at], rows)]
            try:
                effects = two_periods(
                    change, treated, basis[rows], w[rows], method, trim, small_sample
                )
            except DesignError as error:
                found = note("error", reason=error)
        if found:
            reasons[at] = found
            continue
        value[at] = effects.value
        scores[at[:, None], rows] = effects.scores
        used[at] = np.packbits(np.isin(np.arange(n), rows, assume_unique=True))
        of = eligible[at[0]] | (levels == g[at[0]])
        missing = of[code].sum() - len(rows)
        sizes = [treated.sum(), (~treated).sum(), missing, effects.trimmed]
        counts[:, at] = np.array(sizes)[:, None]
    kept = reasons == ""
    omitted += [Omitted(int(g[i]), int(when[t[i]]), reasons[i]) for i in np.flatnonzero(~kept)]
    if not (kept & (when[t] >= g)).any():
        raise DesignError(_nothing(omitted))
    if not kept.all():
        value, scores, counts, used = value[kept], scores[kept], counts[:, kept], used[kept]
    n_treated, n_control, n_missing, n_trimmed = counts
    df = (n_treated + n_control - 1).astype(float)
    if small_sample:
        df = _degrees(scores, started, g[kept], n_treated, n_control)
    return GroupTime(
        g[kept], when[t[kept]], when[b[kept]], n_treated, n_control, n_missing, n_trimmed, used,
        Estimates(value, scores.T, df), small_sample, started, w, anticipation, tuple(omitted),
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


def _starts(
    levels: np.ndarray, size: np.ndarray, when: np.ndarray, anticipation: int, least: int
) -> tuple[np.ndarray, list[Omitted]]:
    """Return the months of start to estimate, and the cohorts that no month can be for."""
    within = (levels > 0) & (levels <= when[-1])
    if not within.any():
        raise DesignError("nobody starts within the months observed: no effect to estimate.")
    early, few = levels <= when[0] + anticipation, size < least
    why = [(early, note("no_month_before")), (few & ~early, note("small_cohort", n=least))]
    omitted = [
        Omitted(int(g), None, reason) for which, reason in why for g in levels[within & which]
    ]
    return levels[within & ~early & ~few], sorted(omitted, key=lambda o: o.cohort)


def _too_few(treated: np.ndarray, controls: bool, least: int) -> str:
    if not controls:
        return note("no_controls")
    if min(treated.sum(), (~treated).sum()) < least:
        return note("few_with_both", n=least)
    return ""


def _nothing(omitted: list[Omitted]) -> str:
    """Say why there is no effect, by the reason of most cohorts and months."""
    reasons = [o.reason for o in omitted]
    most = max(dict.fromkeys(reasons), key=reasons.count)
    return (
        f"no cohort can be compared in any month from its start on; most often "
        f"{most.removeprefix('not estimated: ')}. Add earlier months or persons who start later "
        "or never, join months of start, or name fewer covariates."
    )


def _degrees(
    scores: np.ndarray,
    started: np.ndarray,
    cohort: np.ndarray,
    n_treated: np.ndarray,
    n_control: np.ndarray,
) -> np.ndarray:
    """Return Welch's degrees of freedom of effects on cohorts, shape (k,)."""
    total = np.einsum("kn,kn->k", scores, scores)
    own = np.zeros(len(cohort))
    for g in np.unique(cohort):
        of, rows = np.flatnonzero(cohort == g), np.flatnonzero(started == g)
        own[of] = (scores[np.ix_(of, rows)] ** 2).sum(axis=1)
    sizes = np.stack([n_treated, n_control]) - 1
    return welch(np.stack([own, total - own]), sizes, n_treated + n_control - 1)
