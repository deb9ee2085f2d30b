"""Offers: the rows of the assignment table, one of which counts for each person."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from evaluate.data.days import read_days
from evaluate.data.flow import RowDecisions
from evaluate.data.joined import Joined, person_columns
from evaluate.data.keys import KeyMap, repeats
from evaluate.data.persons import Identity
from evaluate.data.readers.convert import missing
from evaluate.data.readers.dates import Dates
from evaluate.errors import EvaluateError
from evaluate.notes import reason
from evaluate.plan.model import Plan


@dataclass(frozen=True)
class Offers:
    """What the assignment table says of each person.

    Attributes
    ----------
    row : ndarray of int, shape (persons,)
        Position of the offer that counts among the rows of the table, -1 where none does.
    is_named, several : ndarray of bool, shape (persons,)
        Persons with any row; persons left out because they are assigned to several arms.
    decisions : RowDecisions
        What was decided on the rows.
    """

    row: np.ndarray
    is_named: np.ndarray
    several: np.ndarray
    decisions: RowDecisions

    def of(self, person: np.ndarray) -> Offers:
        """Return the same for other rows, by the position of each one's person or -1."""
        return replace(
            self,
            row=np.append(self.row, -1)[person],
            is_named=np.append(self.is_named, False)[person],
            several=np.append(self.several, False)[person],
        )


@dataclass(frozen=True)
class OfferRows:
    """The rows of the assignment table, read.

    Attributes
    ----------
    repeated, without_key : ndarray of bool, shape (n,)
        Rows that repeat an earlier one whole; rows without the key of a person.
    person : ndarray of int, shape (n,)
        Position of the person among the participants, -1 where there is none.
    day : Dates, optional
        Day of the offer, where the table has it.
    without_day : ndarray of bool, shape (n,)
        Rows in which it is missing.
    arm : ndarray of int, shape (n,), or None
        The arm by number, -1 where missing; None where the table does not have it.
    """

    repeated: np.ndarray
    without_key: np.ndarray
    person: np.ndarray
    day: Dates | None
    without_day: np.ndarray
    arm: np.ndarray | None


def read_offers(
    tables: Joined,
    plan: Plan,
    identity: Identity,
    key_map: KeyMap,
    arm: np.ndarray,
    faults: list[EvaluateError],
) -> OfferRows:
    """Read the rows of the assignment table.

    Parameters
    ----------
    tables : Joined
        Participants and assignment table.
    plan : Plan
        The programme file.
    identity, key_map : Identity, KeyMap
        Which keys denote the participants; which key came last.
    arm : ndarray of str or None
        The arm in each row of the table that has it.
    faults : list of EvaluateError
        Takes what cannot be read.
    """
    raw, columns = tables.offers, plan.columns
    assert raw is not None
    _, (_, key_column) = person_columns(plan)
    key = key_map.follow(raw.cells[key_column])
    offered = columns.offered
    has_day = offered is not None and tables.in_offers(offered)
    without_day = np.zeros(len(key), dtype=bool)
    person = identity.persons(key)
    number, unknown = person.copy(), person < 0
    number[unknown] = len(tables) + pd.factorize(key[unknown])[0]
    return OfferRows(
        repeated=repeats(raw, number, key, key_column),
        without_key=missing(raw.cells[key_column]),
        person=person,
        day=read_days(tables, offered, faults) if offered and has_day else None,
        without_day=missing(raw.cells[offered]) if offered and has_day else without_day,
        arm=pd.factorize(arm)[0] if tables.in_offers(columns.treatment.column) else None,
    )


def choose_offers(rows: OfferRows, persons: int, plan: Plan) -> Offers:
    """Judge the rows of the assignment table and choose each person's offer.

    The decisions, in their order: a row that repeats an earlier one whole (`duplicate`); no
    key (`no_key`); a person who is not among the participants (`not_participant`); no day of
    the offer (`missing`), or one that is no date (`unreadable_day`), before coverage begins
    or after the extract date; no arm (`missing`); a person assigned to several arms, all of
    whose rows go, or all but those of the first offer's arm (`data.assignment.two_arms`);
    later offers of the same arm. The first offer is the one with the earliest day, of those
    the one that the file has first.

    Parameters
    ----------
    rows : OfferRows
        The rows.
    persons : int
        How many rows the participants have.
    plan : Plan
        The programme file.
    """
    table, columns = plan.data.assignment, plan.columns
    assert table is not None
    decisions = RowDecisions.of("assignment", len(rows.person))
    known = rows.person >= 0
    decisions.exclude(rows.repeated & ~rows.without_key, reason("duplicate"))
    decisions.exclude(rows.without_key, reason("no_key"))
    decisions.exclude(~known, reason("not_participant"))
    if rows.day is not None:
        day = rows.day.values
        decisions.exclude(rows.without_day, reason("missing", column=columns.offered))
        decisions.exclude(np.isnat(day), reason("unreadable_day"))
        if first_day := plan.data.coverage_of(table):
            decisions.exclude(day < np.datetime64(first_day), reason("before_coverage"))
        if last_day := plan.data.extract_of(table):
            decisions.exclude(day > np.datetime64(last_day), reason("after_extract"))
    arm = np.zeros(len(rows.person), dtype=np.int64) if rows.arm is None else rows.arm
    decisions.exclude(arm < 0, reason("missing", column=columns.treatment.column))

    several = _in_several(rows.person, arm, decisions.kept, persons)
    if table.two_arms == "exclude":
        decisions.exclude(several[rows.person], reason("several_arms"))
    first = _first(rows, decisions.kept, persons)[rows.person]
    decisions.exclude(arm != arm[first], reason("later_arm"))
    decisions.exclude(np.arange(len(arm)) != first, reason("later_offer"))

    row = np.full(persons, -1)
    row[rows.person[decisions.kept]] = np.flatnonzero(decisions.kept)
    is_named = np.zeros(persons, dtype=bool)
    is_named[rows.person[known]] = True
    return Offers(row, is_named, several & (row < 0), decisions)


def _in_several(person: np.ndarray, arm: np.ndarray, rows: np.ndarray, persons: int) -> np.ndarray:
    """Return which persons have rows in several arms, shape (persons,)."""
    low = np.full(persons, np.iinfo(np.int64).max)
    high = np.full(persons, -1)
    np.minimum.at(low, person[rows], arm[rows])
    np.maximum.at(high, person[rows], arm[rows])
    return low < high


def _first(rows: OfferRows, kept: np.ndarray, persons: int) -> np.ndarray:
    """Return the position of each person's first row among those kept, shape (persons,)."""
    at = np.flatnonzero(kept)
    if rows.day is not None:
        at = at[np.argsort(rows.day.values[at], kind="stable")]
    first = np.zeros(persons, dtype=np.int64)
    first[rows.person[at[::-1]]] = at[::-1]  # the last that is written is the first offer
    return first
