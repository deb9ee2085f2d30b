"""Comparison persons drawn from those at risk of starting, by calendar month."""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import numpy as np
import pandas as pd

HASH_KEY = "evaluate drawing"  # 16 characters; what differs between studies is the seed
SPARE = 64  # looked at beyond those needed, for some are not at risk on the day


@dataclass(frozen=True)
class Register:
    """When persons were registered and when they started, shape (n,) each.

    Attributes
    ----------
    registered, until : ndarray of datetime64[D]
        First and last day of registration; NaT in ``until`` for who still is.
    started : ndarray of datetime64[D]
        First day in the programme, NaT for who never was.
    eligible : ndarray of bool
        Who may be drawn, as far as that does not hang on the day.
    treated : ndarray of bool
        Whose starts others are drawn for.
    """

    registered: np.ndarray
    until: np.ndarray
    started: np.ndarray
    eligible: np.ndarray
    treated: np.ndarray

    @property
    def last(self) -> np.ndarray:
        """The last day on which each person could start, NaT where it is still to come."""
        before = self.started - np.timedelta64(1, "D")
        return np.fmin(self.until, before)


@dataclass(frozen=True)
class Draws:
    """Who was drawn, and for which day.

    Attributes
    ----------
    person : ndarray of int, shape (m,)
        Position of the person; the same one may be drawn in several months.
    zero : ndarray of datetime64[D], shape (m,)
        The day of the start for which it was drawn: its time zero.
    at_risk : ndarray of bool, shape (n,)
        Who could have been drawn on some day.
    """

    person: np.ndarray
    zero: np.ndarray
    at_risk: np.ndarray


def numbers_of(keys: pd.Series) -> np.ndarray:
    """Return a number for each person that depends on its key alone, uint64, shape (n,)."""
    text = keys.fillna("").to_numpy(dtype=object)
    return pd.util.hash_array(text, hash_key=HASH_KEY, categorize=False)


def draw(register: Register, number: np.ndarray, per_treated: int, seed: int) -> Draws:
    """Draw comparison persons for the treated, month by month.

    For every treated person so many others are drawn from those who, on the day of its start,
    are registered and have not started: also such as start later, for to leave them out would be
    to choose by what comes after. Nobody is drawn twice in a month. Where too few are there, each
    day in turn takes its share. Who is drawn in a month depends on the seed and on the persons'
    keys, not on the order of the rows, nor on other months.

    Parameters
    ----------
    register : Register
        The persons.
    number : ndarray of uint64, shape (n,)
        A number of each person, as from `numbers_of`.
    per_treated : int
        Comparison persons for each treated person.
    seed : int
        Of the study.

    Returns
    -------
    Draws
        By day.

    References
    ----------
    Prentice and Breslow (1978), Retrospective studies and failure time models, Biometrika 65(1),
    on sampling from risk sets; Sianesi (2004), An evaluation of the Swedish system of active
    labor market programs in the 1990s, Review of Economics and Statistics 86(1), on the not yet
    treated; Hernán, Sauer, Hernández-Díaz, Platt and Shrier (2016), Specifying a target trial
    prevents immortal time bias, Journal of Clinical Epidemiology 79.
    """
    starts = np.sort(register.started[register.treated])
    months = starts.astype("datetime64[M]")
    last = register.last
    persons, zeros = [np.empty(0, dtype=np.int64)], [np.empty(0, dtype="datetime64[D]")]
    for month in np.unique(months):
        days, treated = np.unique(starts[months == month], return_counts=True)
        there = register.eligible & (register.registered <= days[-1]) & ~(last < days[0])
        there = np.flatnonzero(there)
        turn = _mixed(number[there], _salt(seed, int(month.astype(int))))
        there = there[np.argsort(turn, kind="stable")]
        queue = Queue(there, register.registered[there], last[there])
        for day, n in zip(days, treated, strict=True):
            drawn = queue.take(day, int(n) * per_treated)
            persons.append(drawn)
            zeros.append(np.full(len(drawn), day, dtype="datetime64[D]"))
    return Draws(np.concatenate(persons), np.concatenate(zeros), _at_risk(register, starts))


@dataclass
class Queue:
    """The persons of a month in the order in which they are drawn, each once."""

    person: np.ndarray
    registered: np.ndarray
    last: np.ndarray

    def take(self, day: np.datetime64, count: int) -> np.ndarray:
        """Take the first persons who are at risk on a day, fewer where there are no more."""
        chosen, lacking, start = [np.empty(0, dtype=np.int64)], count, 0
        while lacking and start < len(self.person):
            ahead = slice(start, start + 2 * lacking + SPARE)
            at_risk = (self.registered[ahead] <= day) & ~(self.last[ahead] < day)
            chosen.append(start + np.flatnonzero(at_risk)[:lacking])
            lacking -= len(chosen[-1])
            start = ahead.stop
        places = np.concatenate(chosen)
        taken = self.person[places]
        left = np.ones(min(start, len(self.person)), dtype=bool)
        left[places] = False
        behind = slice(len(left) - int(left.sum()), None)  # those left move up to the others
        for column in (self.person, self.registered, self.last):
            column[behind.start : len(left)] = column[: len(left)][left]
        self.person, self.registered, self.last = (
            column[behind] for column in (self.person, self.registered, self.last)
        )
        return taken


def _at_risk(register: Register, starts: np.ndarray) -> np.ndarray:
    """Return who was at risk on any day on which somebody started, shape (n,)."""
    if not len(starts):
        return np.zeros(len(register.eligible), dtype=bool)
    known = register.eligible & ~np.isnat(register.registered)
    place = np.searchsorted(starts, register.registered)
    next_start = starts[np.minimum(place, len(starts) - 1)]
    return known & (place < len(starts)) & ~(register.last < next_start)


def _salt(seed: int, month: int) -> np.uint64:
    place = [seed, zlib.crc32(b"risk_sets"), month + 100_000]  # months before 1970 are below 0
    return np.uint64(np.random.SeedSequence(place).generate_state(1, np.uint64)[0])


def _mixed(number: np.ndarray, salt: np.uint64) -> np.ndarray:
    """Return numbers that look drawn at random, the same ones for the same salt (SplitMix64)."""
    with np.errstate(over="ignore"):
        z = number + salt
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return np.asarray(z ^ (z >> np.uint64(31)))


def month_weights(
    month: np.ndarray, treated: np.ndarray, kept: np.ndarray, weight: np.ndarray | None
) -> np.ndarray | None:
    """Weight comparison rows so that each month has as many of them for a treated person.

    Parameters
    ----------
    month : ndarray of int, shape (m,)
        Calendar month of time zero.
    treated, kept : ndarray of bool, shape (m,)
        Rows of the treated; rows in the study.
    weight : ndarray, shape (m,), or None
        Weights of the plan.

    Returns
    -------
    ndarray, shape (m,), or None
        Weights of all rows, one on average over the comparison rows if the plan has none; None
        where every month has its share and the plan has no weights.
    """
    base = np.ones(len(month)) if weight is None else weight
    place = np.unique(month, return_inverse=True)[1]
    size = int(place.max(initial=-1)) + 1
    a, b = kept & treated, kept & ~treated
    target = np.bincount(place[a], base[a], size)
    there = np.bincount(place[b], base[b], size)
    known = (target > 0) & (there > 0)
    share = target[known].sum() / there[known].sum() if known.any() else 1.0
    factor = np.ones(size)
    factor[known] = target[known] / there[known] / share
    if weight is None and np.allclose(factor[known], 1):
        return None
    return np.where(treated, base, base * factor[place])
