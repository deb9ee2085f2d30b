"""Persons of the simulated trial: who they are, the lottery, who would take part."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from evaluate.data.simulated.setting import BEFORE, SUN_CODES, TAKEUP, Setting

ASSESSED_ONLY = 0.05  # share that was not in the lottery
OLD_PERMIT, OLD_AGE = 0.025, 0.015  # shares that the criteria exclude
CHANGED_KEY, CHANGED_TWICE = 0.30, 0.03
NO_EDUCATION = 0.02
SUN_LIST = tuple(code for codes in SUN_CODES for code in codes)


@dataclass(frozen=True)
class Persons:
    """Persons, one element of every array each; days count from 1970-01-01.

    Attributes
    ----------
    first : int
        Number of the first of them among all persons.
    gender, level : ndarray of int
        Positions in `setting.GENDERS` and `setting.LEVELS`.
    sun : ndarray of int
        Position in `SUN_LIST`, its length where education is not known.
    born, permit, offered : ndarray of int
        Days. Who was not in the lottery has the day of the wave all the same.
    registered : ndarray of int
        Column of the path in which the first spell begins.
    office, wave : ndarray of int
        Positions in the setting.
    randomised, eligible : ndarray of bool
        In the lottery; meeting the criteria of the plan.
    offer : ndarray of int
        1 where lots gave an offer.
    would_attend, would_accept : ndarray of bool
        Who takes part, and who accepts, if offered.
    key_changed, key_changed_before : ndarray of int
        Days on which a key was replaced by the present one, and by the one between; 0 where
        it was not.
    """

    first: int
    gender: np.ndarray
    level: np.ndarray
    sun: np.ndarray
    children: np.ndarray
    born: np.ndarray
    permit: np.ndarray
    offered: np.ndarray
    registered: np.ndarray
    office: np.ndarray
    wave: np.ndarray
    randomised: np.ndarray
    eligible: np.ndarray
    offer: np.ndarray
    would_attend: np.ndarray
    would_accept: np.ndarray
    key_changed: np.ndarray
    key_changed_before: np.ndarray

    def __len__(self) -> int:
        return len(self.gender)

    @property
    def attended(self) -> np.ndarray:
        """Who took part, shape (n,)."""
        return self.randomised & (self.offer == 1) & self.would_attend

    @property
    def counted(self) -> np.ndarray:
        """Whom the study is about: in the lottery and meeting the criteria, shape (n,)."""
        return self.randomised & self.eligible


def draw_persons(setting: Setting, first: int, count: int, rng: np.random.Generator) -> Persons:
    """Draw persons.

    Parameters
    ----------
    setting : Setting
        Offices and waves.
    first : int
        Number of the first person.
    count : int
        How many.
    rng : Generator
        Of these persons.
    """
    gender = (rng.random(count) < 0.48).astype(np.int8)
    level = np.searchsorted([0.45, 0.75], rng.random(count)).astype(np.int8)
    within = rng.integers(0, 6, count)
    begins = np.cumsum([0, *map(len, SUN_CODES)])
    sun = begins[level] + within % np.array([len(c) for c in SUN_CODES])[level]
    sun[rng.random(count) < NO_EDUCATION] = len(SUN_LIST)
    office = rng.choice(len(setting.office_names), count, p=setting.office_weights)
    wave = rng.integers(0, len(setting.waves), count)
    offered = _days(setting.waves[wave]) + setting.office_days[office] - 1
    old_permit = rng.random(count) < OLD_PERMIT
    old_age = rng.random(count) < OLD_AGE
    age = np.where(old_age, rng.uniform(66, 70, count), 20 + 42 * rng.beta(1.5, 2.5, count))
    registered = rng.integers(1, BEFORE - 6, count)
    wait = rng.integers(35, 180, count) + rng.integers(0, 460, count) * (rng.random(count) < 0.4)
    wait[old_permit] = rng.integers(1600, 2200, old_permit.sum())
    first_month = setting.waves[wave] + (registered - BEFORE - 1)
    permit = np.where(old_permit, offered - wait, _days(first_month) - wait)
    randomised = rng.random(count) >= ASSESSED_ONLY
    would_attend = rng.random(count) < TAKEUP[gender]
    changed = rng.random(count) < CHANGED_KEY
    span = offered + 365 - permit
    key_changed = permit + (30 + rng.random(count) * (span - 30)).astype(np.int64)
    between = permit + (rng.random(count) * 0.5 * (key_changed - permit)).astype(np.int64)
    twice = changed & (rng.random(count) < CHANGED_TWICE / CHANGED_KEY)
    return Persons(
        first=first,
        gender=gender,
        level=level,
        sun=sun,
        children=np.minimum(rng.poisson(1.6, count), 9),
        born=offered - (age * 365.25).astype(np.int64),
        permit=permit,
        offered=offered,
        registered=registered,
        office=office,
        wave=wave,
        randomised=randomised,
        eligible=~old_permit & ~old_age,
        offer=lots(office * len(setting.waves) + wave, randomised, setting.shares[office], rng),
        would_attend=would_attend,
        would_accept=would_attend | (rng.random(count) < 0.35),
        key_changed=np.where(changed, key_changed, 0),
        key_changed_before=np.where(twice, between, 0),
    )


def lots(
    block: np.ndarray, drawn: np.ndarray, share: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Offer a fixed number of persons of each block a place, those of highest lots.

    The number is the block's share of its persons, rounded up or down by lot so that every
    person's probability is the share; blocks of four and more have two in either arm.

    Returns
    -------
    ndarray of int8, shape (n,)
        0 for who is not drawn at all.
    """
    offer = np.zeros(len(block), dtype=np.int8)
    who = np.flatnonzero(drawn)
    order = who[np.lexsort((rng.random(len(who)), block[who]))]
    sizes = np.bincount(block[order])
    sizes = sizes[sizes > 0]
    begins = np.cumsum(sizes) - sizes
    wanted = np.floor(share[order][begins] * sizes + rng.random(len(sizes))).astype(np.int64)
    two = np.where(sizes >= 4, 2, 0)
    wanted = np.clip(wanted, two, sizes - two)
    rank = np.arange(len(order)) - np.repeat(begins, sizes)
    offer[order] = rank < np.repeat(wanted, sizes)
    return offer


def _days(months: np.ndarray) -> np.ndarray:
    return months.astype("datetime64[D]").astype(np.int64)
