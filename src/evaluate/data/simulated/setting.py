"""The world of the simulated trial: its days, offices, codes and generating probabilities.

Newly arrived refugees who are registered at an employment office are offered, by lottery
within office and wave, matching with an employer and a mentor. All numbers are invented.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

COVERAGE = np.datetime64("2015-01-01")  # first day that the registers cover
EXTRACT = np.datetime64("2020-06-30")  # last day, the end of a month
WAVE_MONTHS = ("2017-02", "2017-08", "2018-02", "2018-08", "2019-02")
BEFORE, AFTER = 24, 41  # months of a path before and after the offer; the last one is unobserved
PRICE_YEAR = 2019
ABSENT = -999_999  # where there is no day; days count from 1970-01-01

GENDERS = ("women", "men")
LEVELS = ("compulsory", "upper_secondary", "tertiary")
REGIONS = ("Södra", "Västra", "Östra", "Mälardalen")
PLACES = ("Ängen", "Åsen", "Ön", "Sjön", "Höjden", "Lunden", "Strömmen", "Älven")

STATES = (
    "none", "open", "hindered", "programme", "permanent", "temporary", "subsidised", "studies",
    "left",
)  # fmt: skip
NONE, OPEN, HINDERED, PROGRAMME, PERMANENT, TEMPORARY, SUBSIDISED, STUDIES, LEFT = range(9)
# The code of a state; a subsidised job has another one from the day on that its rules changed.
# What they mean is in config/codebooks/simulated_states.yaml and simulated_activities.yaml.
STATE_CODES = ("", "11", "14", "68", "41", "31", "78", "83", "90")
NEW_SUBSIDY, NEW_SUBSIDY_FROM = "30", np.datetime64("2018-05-01")
EXPIRED_STATE, EXPIRED_KIND = "12", "M0"  # out of use since before the registers begin
UNKNOWN_STATE, UNKNOWN_KIND, UNKNOWN_SUN = "99", "X9", "850"  # in no codebook
OUTCOMES = {
    "work": (PERMANENT, TEMPORARY),
    "subsidised": (SUBSIDISED,),
    "studies": (STUDIES,),
    "registered": (OPEN, HINDERED, PROGRAMME),
    "left_unknown": (LEFT,),
}

KINDS = ("meetings", "referrals", "training_days")
KIND_CODES = ("M1", "H1", "U1")
# Activities per person and month among who does not take part, and what taking part adds.
RATES = np.array([[0.27, 0.12, 0.11], [0.35, 0.20, 0.15]])  # women, men
ADDED = np.array([[1.40, 0.55, 0.60], [1.25, 0.50, 0.50]])
RATE_MONTHS, ADDED_MONTHS = range(1, 13), range(2, 6)

TAKEUP = np.array([0.58, 0.66])  # women, men
EFFECT_MONTHS = range(2, 10)  # months in which taking part changes the chances

# SUN 2000 codes by level of education, each as likely as the others of its level.
SUN_CODES = (("106", "200", "206"), ("313", "336"), ("526", "546", "640"))

GRAIN = 1024  # probabilities are multiples of one in so many
# Moves in a month per 1,024, without those into a job.
MOVES = {
    OPEN: {HINDERED: 40, PROGRAMME: 150, STUDIES: 20, LEFT: 12, NONE: 4},
    HINDERED: {OPEN: 220, LEFT: 10},
    PROGRAMME: {OPEN: 230, HINDERED: 20, STUDIES: 16, LEFT: 8},
    PERMANENT: {OPEN: 22, TEMPORARY: 8, NONE: 6},
    TEMPORARY: {OPEN: 130, PERMANENT: 40, PROGRAMME: 10},
    SUBSIDISED: {OPEN: 80, PERMANENT: 36, TEMPORARY: 20},
    STUDIES: {OPEN: 110, TEMPORARY: 12},
    LEFT: {OPEN: 30, NONE: 20},
    NONE: {OPEN: 10},
}
JOBS = (PERMANENT, TEMPORARY, SUBSIDISED)
JOB_MOVES = np.array([[8.0, 18.0, 11.0], [10.0, 26.0, 18.0]])  # women, men, from OPEN, PROGRAMME
JOB_LEVELS = (0.8, 1.0, 1.3)  # by level of education
JOB_FACTORS = {"before": (0.5, 0.5, 0.5), "control": (1.0, 1.0, 1.0)}
JOB_TREATED = np.array([[3.6, 3.6, 1.3], [1.5, 1.5, 1.1]])  # women, men
PHASES = ("before", "control", "treated")


@dataclass(frozen=True)
class Setting:
    """Offices and waves of a trial of some size.

    Attributes
    ----------
    persons : int
        Persons in the extract.
    office_names, office_regions : tuple of str
        Labels of the offices.
    office_weights, shares : ndarray, shape (offices,)
        How likely a person belongs to each office; the share that is offered a place there.
    office_days : ndarray of int, shape (offices,)
        Day of the month on which the office draws lots, 3 to 26.
    waves : ndarray of datetime64[M], shape (waves,)
        The months in which lots are drawn.
    """

    persons: int
    office_names: tuple[str, ...]
    office_regions: tuple[str, ...]
    office_weights: np.ndarray
    shares: np.ndarray
    office_days: np.ndarray
    waves: np.ndarray


def setting(persons: int) -> Setting:
    """Lay out offices and waves for a number of persons: 16 offices for 3,625."""
    offices = int(np.clip(persons // 225, 4, 240))
    waves = int(np.clip(persons // (offices * 40), 2, len(WAVE_MONTHS)))
    number = np.arange(offices)
    return Setting(
        persons=persons,
        office_names=tuple(f"{PLACES[i % len(PLACES)]} {i + 1:02d}" for i in number),
        office_regions=tuple(REGIONS[i % len(REGIONS)] for i in number),
        office_weights=(4 + number % 5) / (4 + number % 5).sum(),
        shares=0.40 + 0.05 * (number * 7 % 6),
        office_days=3 + number * 5 % 24,
        waves=np.array(WAVE_MONTHS[-waves:], dtype="datetime64[M]"),
    )


def moves(phase: str, gender: int, level: int) -> np.ndarray:
    """Return the probabilities of moving from state to state in a month, times `GRAIN`.

    Parameters
    ----------
    phase : str
        Of `PHASES`: before the offer, after it without taking part, taking part.
    gender, level : int
        Positions in `GENDERS` and `LEVELS`.

    Returns
    -------
    ndarray of int, shape (states, states)
        Rows add up to `GRAIN`.
    """
    table = np.zeros((len(STATES), len(STATES)), dtype=np.int64)
    for start, ends in MOVES.items():
        for end, weight in ends.items():
            table[start, end] = weight
    factor = JOB_TREATED[gender] if phase == "treated" else np.array(JOB_FACTORS[phase])
    found = np.rint(JOB_MOVES[gender] * JOB_LEVELS[level] * factor).astype(np.int64)
    for start in (OPEN, PROGRAMME):
        table[start, list(JOBS)] = found
    np.fill_diagonal(table, GRAIN - table.sum(axis=1))
    return table


def group_of(phase: int, gender: np.ndarray, level: np.ndarray) -> np.ndarray:
    """Return the position of a person's table among those of `all_moves`."""
    return (phase * len(GENDERS) + gender) * len(LEVELS) + level


def all_moves() -> np.ndarray:
    """Return the tables of all phases, genders and levels, shape (groups, states, states)."""
    return np.array(
        [
            moves(phase, gender, level)
            for phase in PHASES
            for gender in range(len(GENDERS))
            for level in range(len(LEVELS))
        ]
    )
