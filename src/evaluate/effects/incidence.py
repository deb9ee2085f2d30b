"""Cumulative incidence of a first entry by month, where exits compete with it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from evaluate.effects.arm_means import Arm, linear
from evaluate.estimates import Estimates

CENSORED, ENTERED, LEFT = 0, 1, 2


@dataclass(frozen=True)
class Durations:
    """What came first, and when, of each person.

    Attributes
    ----------
    at : ndarray of int, shape (n,)
        Position of the month of the event, or of the last month observed; -1 where none is.
    cause : ndarray of int, shape (n,)
        0 no event while observed, 1 entered, 2 left before.
    """

    at: np.ndarray
    cause: np.ndarray


@dataclass(frozen=True)
class Incidence:
    """Cumulative incidence in one arm.

    Attributes
    ----------
    entered, left : Estimates
        Shares who have entered, or left before, by the end of each month, shape (months,);
        NaN from the month on in which nobody is at risk any longer although some were
        neither seen to enter nor to leave.
    at_risk : ndarray of int, shape (months,)
        Persons who are observed in the month and have done neither before it.
    n_entered, n_left, n_lost : ndarray of int, shape (months,)
        Persons who have entered, or left before, by the end of the month, and those who did
        neither and were last observed before the month.
    """

    entered: Estimates
    left: Estimates
    at_risk: np.ndarray
    n_entered: np.ndarray
    n_left: np.ndarray
    n_lost: np.ndarray


def durations(entered: np.ndarray, left: Sequence[np.ndarray] = ()) -> Durations:
    """Return when each person entered or left, whichever came first.

    Parameters
    ----------
    entered : ndarray, shape (n, months)
        1 from the month of the first entry on, 0 before it, NaN where not observed.
    left : sequence of ndarray, shape (n, months)
        The same of each way to leave.

    Returns
    -------
    Durations
        Who enters and leaves in one month has entered: months do not tell which day came
        first, and an exit that an entry explains is no other end.
    """
    observed = ~np.isnan(entered)
    for exit_ in left:
        observed &= ~np.isnan(exit_)
    months = entered.shape[1]

    def first(happened: np.ndarray) -> np.ndarray:
        return np.where(happened.any(axis=1), happened.argmax(axis=1), months)

    last = months - 1 - observed[:, ::-1].argmax(axis=1)
    last = np.where(observed.any(axis=1), last, -1)
    job = first((entered == 1) & observed)
    out = np.full(len(job), months)
    for exit_ in left:
        out = np.minimum(out, first((exit_ == 1) & observed))
    at = np.minimum(np.minimum(job, out), last)
    cause = np.where(at < 0, CENSORED, np.where(job <= at, ENTERED, CENSORED))
    return Durations(at, np.where((at >= 0) & (out <= at) & (job > at), LEFT, cause))


def aalen_johansen(arm: Arm, found: Durations, months: int) -> Incidence:
    """Estimate the cumulative incidence of entering and of leaving before, in one arm.

    With h1 and h the shares of those at risk who enter, or enter or leave, in month j, and
    S the product of 1 - h over earlier months, incidence is the sum of S h1.

    Parameters
    ----------
    arm : Arm
        The persons with their weights, see `arm_means`; each observed in the first month.
    found : Durations
        Of the same persons.
    months : int
        Number of months.

    Returns
    -------
    Incidence
        With scores from the influence of each person on the estimates. Without blocks or
        weights the variance is that of the infinitesimal jackknife, which for one cause is
        Greenwood's, times n / (n - 1). Whoever is no longer observed is taken to enter and
        leave later like those who still are, within the arm.

    References
    ----------
    Aalen and Johansen (1978), An empirical transition matrix for nonhomogeneous Markov chains
    based on censored observations, Scandinavian Journal of Statistics 5(3); Therneau and
    Grambsch (2000), Modeling Survival Data, chapter 2, and Efron (1982), The Jackknife, the
    Bootstrap and Other Resampling Plans, on the infinitesimal jackknife.
    """
    kinds = 3 * found.at + found.cause  # persons of one kind have one influence
    size = 3 * months
    total = np.bincount(kinds, arm.weight, size).reshape(months, 3)
    persons = np.bincount(kinds, minlength=size).reshape(months, 3)
    exposed = np.cumsum(total.sum(axis=1)[::-1])[::-1]
    at_risk = np.cumsum(persons.sum(axis=1)[::-1])[::-1]
    hazard = total[:, 1:] / np.where(at_risk > 0, exposed, 1)[:, None]
    either = np.where(hazard.sum(axis=1) > 1 - 1e-12, 1.0, hazard.sum(axis=1))
    survival = np.concatenate([[1.0], np.cumprod(1 - either)])[:-1]  # before each month
    value = np.cumsum(survival[:, None] * hazard, axis=0)

    at, cause = np.divmod(np.arange(size), 3)
    influence = np.zeros((2, size, months))
    lost = np.zeros(size)  # minus the relative influence on survival before the month
    for j in range(months):
        here = at >= j
        room = exposed[j] if at_risk[j] else 1.0
        for k in (0, 1):
            own = here * ((cause == k + 1) & (at == j)) - here * hazard[j, k]
            step = survival[j] * (own / room - hazard[j, k] * lost)
            influence[k, :, j] = step + (influence[k, :, j - 1] if j else 0)
        own = here * ((cause > 0) & (at == j)) - here * either[j]
        lost = lost + (own / room / (1 - either[j]) if either[j] < 1 else 0)
    undefined = (at_risk == 0) & (survival > 0)
    estimates = []
    for k in (0, 1):
        one = linear(arm, np.where(undefined, np.nan, value[:, k]), influence[k][kinds])
        estimates.append(one)
    done = np.cumsum(persons, axis=0)
    lost_by = np.append(0, done[:-1, CENSORED])
    return Incidence(estimates[0], estimates[1], at_risk, done[:, ENTERED], done[:, LEFT], lost_by)


def area(incidence: Estimates, months: Sequence[int], last: int) -> Estimates:
    """Return the time that passed, on average, between the event and the end of a month.

    It is the area under the incidence, which rises at the end of each month: of one cause the
    complement of the restricted mean time before the event, of several the time lost to it.

    Parameters
    ----------
    incidence : Estimates
        By the end of each month.
    months : sequence of int
        The months.
    last : int
        Position of the month to whose end time counts.

    References
    ----------
    Royston and Parmar (2013), Restricted mean survival time, BMC Medical Research Methodology
    13; Andersen (2013), Decomposition of number of life years lost according to causes of
    death, Statistics in Medicine 32(30).
    """
    by = np.zeros(len(months))
    by[:last] = np.diff(months)[:last]
    value = np.where(by > 0, incidence.value, 0) @ by
    df = incidence.df.min(keepdims=True)
    return Estimates(np.atleast_1d(value), incidence.scores @ by[:, None], df)
