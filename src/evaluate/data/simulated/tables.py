"""The raw tables of some persons, as an agency would write them, before any fault."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from evaluate.data.simulated.coded import (
    Coded,
    Keys,
    amount,
    amount_texts,
    day,
    day_texts,
    texts,
)
from evaluate.data.simulated.identity import IDENTITY_NUMBERS
from evaluate.data.simulated.paths import SpellRows, monthly_day
from evaluate.data.simulated.persons import SUN_LIST, Persons
from evaluate.data.simulated.setting import (
    ABSENT,
    ADDED,
    ADDED_MONTHS,
    AFTER,
    BEFORE,
    EXPIRED_KIND,
    EXPIRED_STATE,
    EXTRACT,
    KIND_CODES,
    NEW_SUBSIDY,
    NEW_SUBSIDY_FROM,
    PERMANENT,
    RATE_MONTHS,
    RATES,
    STATE_CODES,
    STATES,
    SUBSIDISED,
    TEMPORARY,
    UNKNOWN_KIND,
    UNKNOWN_STATE,
    UNKNOWN_SUN,
    Setting,
)

NEW_CODE, EXPIRED_CODE, UNKNOWN_CODE = range(len(STATES), len(STATES) + 3)
STATE_LIST = (*STATE_CODES, NEW_SUBSIDY, EXPIRED_STATE, UNKNOWN_STATE)
KIND_LIST = (*KIND_CODES, EXPIRED_KIND, UNKNOWN_KIND)
WAGES = {PERMANENT: 1.0, TEMPORARY: 0.65, SUBSIDISED: 0.85}
WAGE = np.array([22_500.0, 24_500.0])  # women, men, a month in a permanent job
INCOMES_FROM = -6  # months before the offer with incomes
NO_AMOUNT = 0.01  # share of the incomes whose amount is missing
FIRST_PERIOD = np.datetime64("2014-01")
PERIODS = 100
NO_PERIODS = ("2018-13", "okänt")


@dataclass(frozen=True)
class Layout:
    """How a file is written.

    Attributes
    ----------
    encoding, line_end : str
        As agencies' systems write them.
    order : str
        The column by which rows are sorted, empty for the order of persons.
    """

    encoding: str = "utf-8"
    line_end: str = "\n"
    order: str = ""


LAYOUTS: Mapping[str, Layout] = {
    "persons": Layout("utf-8-sig", "\r\n"),
    "assignment": Layout("cp1252", "\r\n"),
    "keys": Layout(),
    "spells": Layout(order="start"),
    "activities": Layout("cp1252", "\r\n", order="date"),
    "incomes": Layout("cp1252", "\r\n", order="period"),
    "costs": Layout("cp1252", "\r\n"),
    "time_reports": Layout("cp1252", "\r\n"),
}


def person_rows(persons: Persons, keys: Keys, setting: Setting) -> Coded:
    """Return the table of persons."""
    count = np.arange(len(persons))
    months = np.round((persons.offered - persons.permit) / 30.4375, 1)
    tenths = np.arange(0, 1000)
    return Coded(
        count,
        {
            "person": count,
            "sex": persons.gender,
            "born": day(persons.born),
            "permit": day(persons.permit),
            "education": persons.sun,
            "children": persons.children,
            "months_here": np.rint(10 * months).astype(np.int64),
            "region": persons.office,
            "remark": (persons.children * 7 + persons.sun) % 11 // 10,
        },
        {
            "person": keys.texts,
            "sex": texts("2", "1", ""),
            "born": day_texts("YYYY-MM-DD"),
            "permit": day_texts("YYYY-MM-DD"),
            "education": texts(*SUN_LIST, "", UNKNOWN_SUN),
            "children": texts(*range(10)),
            "months_here": texts(*(f"{t // 10},{t % 10}" for t in tenths)),
            "region": texts(*setting.office_regions),
            "remark": texts("", "uppgift kompletterad", *IDENTITY_NUMBERS),
        },
    )


def assignment_rows(persons: Persons, keys: Keys, setting: Setting) -> Coded:
    """Return the offers and those whom the lottery gave none."""
    who = np.flatnonzero(persons.randomised)
    offer = persons.offer[who]
    attended = persons.attended[who]
    begins = persons.offered[who] + 15 + (persons.born[who] % 26)
    ends = begins + 80 + (persons.permit[who] % 70)
    extract = EXTRACT.astype(np.int64)
    answer = np.where(offer == 0, 2, np.where(persons.would_accept[who], 0, 1))
    return Coded(
        who,
        {
            "person": key_at(persons, keys, who, persons.offered[who]),
            "offered": day(persons.offered[who]),
            "office": persons.office[who],
            "wave": persons.wave[who],
            "share": persons.office[who],
            "arm": offer,
            "accepted": answer,
            "attended": np.where(attended, 0, 1),
            "started": day(np.where(attended, begins, ABSENT)),
            "ended": day(np.where(attended & (ends <= extract), ends, ABSENT)),
        },
        {
            "person": keys.texts,
            "offered": day_texts("DD/MM/YYYY"),
            "office": texts(*setting.office_names),
            "wave": texts(*(str(w) for w in setting.waves)),
            "share": texts(*(f"{s:.2f}".replace(".", ",") for s in setting.shares)),
            "arm": texts("0", "1"),
            "accepted": texts("ja", "nej", "ej erbjuden"),
            "attended": texts("ja", "nej"),
            "started": day_texts("DD/MM/YYYY"),
            "ended": day_texts("DD/MM/YYYY"),
        },
    )


def key_rows(persons: Persons, keys: Keys) -> Coded:
    """Return which keys were replaced by which."""
    once, twice = persons.key_changed > 0, persons.key_changed_before > 0
    who = np.concatenate([np.flatnonzero(once), np.flatnonzero(twice)])
    later = np.arange(len(who)) >= once.sum()
    order = np.lexsort((later, who))
    who, later = who[order], later[order]
    old = np.where(later, 2, 1) * keys.persons + who
    new = np.where(later, 1, 0) * keys.persons + who
    return Coded(who, {"old": old, "new": new}, {"old": keys.texts, "new": keys.texts})


def key_at(persons: Persons, keys: Keys, who: np.ndarray, days: np.ndarray) -> np.ndarray:
    """Return the position of the key that each person had on a day."""
    before = (days < persons.key_changed[who]).astype(np.int64)
    before += days < persons.key_changed_before[who]
    return who + before * keys.persons


def coded_spells(persons: Persons, keys: Keys, rows: SpellRows) -> Coded:
    """Return the spells as a table."""
    is_new = (rows.state == SUBSIDISED) & (rows.start >= NEW_SUBSIDY_FROM.astype(np.int64))
    form = day_texts("YYYY-MM-DD")
    return Coded(
        rows.person,
        {
            "person": key_at(persons, keys, rows.person, rows.start),
            "start": day(rows.start),
            "end": day(rows.stop),
            "state": np.where(is_new, NEW_CODE, rows.state),
        },
        {"person": keys.texts, "start": form, "end": form, "state": texts(*STATE_LIST)},
    )


def activity_rows(persons: Persons, keys: Keys, rng: np.random.Generator) -> Coded:
    """Draw activities: at a rate for everyone, and what taking part adds."""
    parts = []
    took_part = persons.attended
    for kind in range(len(KIND_CODES)):
        for rates, months, factor in ((RATES, RATE_MONTHS, 1), (ADDED, ADDED_MONTHS, took_part)):
            rate = rates[persons.gender, kind] * len(months) * factor
            who = np.repeat(np.arange(len(persons)), rng.poisson(rate))
            month = rng.integers(months.start, months.stop, len(who))
            when = monthly_day(persons.offered[who], month - 1) + rng.integers(0, 28, len(who))
            parts.append((who, when, np.full(len(who), kind)))
    who, when, kinds = (np.concatenate(column) for column in zip(*parts, strict=True))
    known = np.flatnonzero(when <= EXTRACT.astype(np.int64))
    order = known[np.argsort(who[known], kind="stable")]
    return Coded(
        who[order],
        {
            "person": key_at(persons, keys, who[order], when[order]),
            "date": day(when[order]),
            "kind": kinds[order],
            "record": np.arange(len(order)),  # tells two meetings on one day from one twice
        },
        {
            "person": keys.texts,
            "date": day_texts("YYYYMMDD"),
            "kind": texts(*KIND_LIST),
        },
    )


def draw_wages(persons: Persons, rng: np.random.Generator) -> np.ndarray:
    """Draw what a person earns in a month in each state, shape (n, states)."""
    wage = WAGE[persons.gender] * np.exp(rng.normal(0.0, 0.18, len(persons)))
    share = np.zeros(len(STATES))
    share[list(WAGES)] = list(WAGES.values())
    return amount(wage[:, None] * share)


def income_rows(
    persons: Persons, keys: Keys, path: np.ndarray, wages: np.ndarray, rng: np.random.Generator
) -> Coded:
    """Return the incomes by calendar month: of the state on the person's day in that month."""
    months = np.arange(INCOMES_FROM, AFTER)
    part = path[:, BEFORE + months]
    who, month = np.nonzero(wages[np.arange(len(persons))[:, None], part] > 0)
    zero = persons.offered.astype("datetime64[D]").astype("datetime64[M]") - FIRST_PERIOD
    period = zero.astype(np.int64)[who] + months[month]
    last = int((EXTRACT.astype("datetime64[M]") - FIRST_PERIOD).astype(np.int64))
    paid = wages[who, part[who, month]]
    paid = np.where(rng.random(len(who)) < NO_AMOUNT, len(amount_texts()) - 2, paid)
    known = period <= last
    who, period, paid = who[known], period[known], paid[known]
    begins = (FIRST_PERIOD + period).astype("datetime64[D]").astype(np.int64)
    return Coded(
        who,
        {"person": key_at(persons, keys, who, begins), "period": period, "amount": paid},
        {
            "person": keys.texts,
            "period": texts(*(FIRST_PERIOD + np.arange(PERIODS)), *NO_PERIODS),
            "amount": amount_texts(),
        },
    )
