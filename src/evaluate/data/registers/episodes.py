"""From spells as registered to episodes in which a person is in one state at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import duckdb
import numpy as np

from evaluate.data.registers.decisions import Tally, count_rows
from evaluate.data.registers.ordered import whole_persons
from evaluate.notes import reason

PERSONS = 250_000  # persons at a time: their months are laid out side by side
OPEN = np.int32(2**31 - 1)


@dataclass(frozen=True)
class Spells:
    """Spells of whole persons, sorted by place, first day, last day, code and source row.

    Attributes
    ----------
    place, start, stop, code, gender : ndarray of int, shape (n,)
        Person, first and last day since 1970-01-01 (`OPEN` where there is no last day), code.
    source_row : ndarray of int64, shape (n,)
    """

    place: np.ndarray
    start: np.ndarray
    stop: np.ndarray
    code: np.ndarray
    gender: np.ndarray
    source_row: np.ndarray

    def where(self, chosen: np.ndarray | slice) -> Spells:
        """Return the chosen rows."""
        return Spells(*(getattr(self, name)[chosen] for name in self.__dataclass_fields__))


def by_persons(
    connection: duckdb.DuckDBPyConnection, table: str, n: int
) -> Iterator[tuple[slice, Spells]]:
    """Give the kept spells of all persons, some hundred thousand persons at a time.

    Yields
    ------
    persons : slice
        Places of the persons; together they make 0 to ``n``, with spells or without.
    spells : Spells
        Theirs, in order.
    """
    done = 0
    columns = ("start", f"coalesce(stop, {OPEN}) AS stop", "code")
    for rows in whole_persons(connection, table, columns):
        spells = Spells(**rows)
        last = int(spells.place[-1]) + 1
        while done < last:
            end = min(last, done + PERSONS)
            low, high = np.searchsorted(spells.place, [done, end])
            yield slice(done, end), spells.where(np.s_[low:high])
            done = end
    nobody = Spells(*(np.zeros(0, dtype=np.int32) for _ in range(6)))
    while done < n:
        end = min(n, done + PERSONS)
        yield slice(done, end), nobody
        done = end


def without_duplicates(spells: Spells, tally: Tally) -> Spells:
    """Take out rows that repeat person, days and state of another; the first one stays."""
    again = np.zeros(len(spells.place), dtype=bool)
    again[1:] = (
        (spells.place[1:] == spells.place[:-1])
        & (spells.start[1:] == spells.start[:-1])
        & (spells.stop[1:] == spells.stop[:-1])
        & (spells.code[1:] == spells.code[:-1])
    )
    return _excluded(spells, again, reason("duplicate"), tally)


def closed(spells: Spells, last_day: int, at_next: bool, tally: Tally) -> Spells:
    """Close open spells the day before the person's next entry, or on the last day covered.

    Parameters
    ----------
    spells : Spells
        Without duplicates.
    last_day : int
        The extract date.
    at_next : bool
        Whether the next entry closes; otherwise the extract date alone.
    tally : Tally
        Takes the counts.
    """
    is_open = spells.stop == OPEN
    if not is_open.any():
        return spells
    following = np.full(len(is_open), OPEN, dtype=np.int64)
    if at_next:
        begins = np.ones(len(is_open), dtype=bool)  # a person's new day
        begins[1:] = (spells.place[1:] != spells.place[:-1]) | (
            spells.start[1:] != spells.start[:-1]
        )
        run = np.cumsum(begins) - 1
        first = np.flatnonzero(begins)
        later = np.append(first[1:], -1)[run]
        same = (later >= 0) & (spells.place[later] == spells.place)
        following[same] = spells.start[later[same]]
    by_next = is_open & (following != OPEN)
    stop = np.where(is_open, np.minimum(following - 1, last_day), spells.stop).astype(np.int32)
    for why, chosen in (("closed_next", by_next), ("closed_extract", is_open & ~by_next)):
        tally.note(reason(why), count_rows(spells.place, spells.gender, chosen))
    return Spells(spells.place, spells.start, stop, spells.code, spells.gender, spells.source_row)


def disjoint(spells: Spells, rank: np.ndarray, tally: Tally) -> Spells:
    """Let one state count on each day where spells overlap.

    The state of the lowest rank counts; among states of one rank the spell that began later,
    then the one later in the file. A spell that is left no day is taken out; one that is left
    some is counted as shortened.

    Parameters
    ----------
    spells : Spells
        Closed, sorted by person and first day.
    rank : ndarray of int, shape (codes,)
        Rank of each code.
    tally : Tally
        Takes the counts.

    Returns
    -------
    Spells
        No two of a person's share a day; a spell may be in several parts. Not sorted.
    """
    n = len(spells.place)
    if n == 0:
        return spells
    # The last day so far of the same person: places ascend, so a maximum never crosses them.
    key = spells.place.astype(np.int64) << 32
    so_far = np.maximum.accumulate(key + spells.stop)
    joins = np.zeros(n, dtype=bool)
    joins[1:] = key[1:] + spells.start[1:] <= so_far[:-1]
    tangled = joins.copy()
    tangled[:-1] |= joins[1:]
    if not tangled.any():
        return spells
    some = spells.where(tangled)
    cluster = np.cumsum(~joins[tangled]) - 1
    part, owner = _winners(some, cluster, rank)
    days = part[1] - part[0]
    won = np.bincount(owner, weights=days, minlength=len(cluster)).astype(np.int64)
    length = some.stop - some.start + 1
    lost = won == 0
    where = np.flatnonzero(tangled)
    covered, shortened = np.zeros(n, dtype=bool), np.zeros(n, dtype=bool)
    covered[where[lost]] = True
    shortened[where[~lost & (won < length)]] = True
    tally.note(reason("shortened"), count_rows(spells.place, spells.gender, shortened))
    _excluded(spells, covered, reason("covered"), tally)
    free = spells.where(~tangled)
    return Spells(
        np.concatenate([free.place, some.place[owner]]),
        np.concatenate([free.start, part[0].astype(np.int32)]),
        np.concatenate([free.stop, (part[1] - 1).astype(np.int32)]),
        np.concatenate([free.code, some.code[owner]]),
        np.concatenate([free.gender, some.gender[owner]]),
        np.concatenate([free.source_row, some.source_row[owner]]),
    )


def _winners(
    spells: Spells, cluster: np.ndarray, rank: np.ndarray
) -> tuple[tuple[np.ndarray, np.ndarray], np.ndarray]:
    """Cut clusters of overlapping spells at every first and last day, and say whose each part is.

    Returns
    -------
    (begin, end), owner : ndarrays, shape (parts,)
        First day and day after the last of each part; the row that it belongs to.
    """
    order = np.lexsort((-spells.source_row, -spells.start.astype(np.int64), rank[spells.code]))
    priority = np.empty(len(order), dtype=np.int64)
    priority[order] = np.arange(len(order))
    key = cluster.astype(np.int64) << 32
    begin, end = key + spells.start, key + spells.stop + 1
    cuts = np.unique(np.concatenate([begin, end]))
    first, last = np.searchsorted(cuts, begin), np.searchsorted(cuts, end)
    width = last - first
    part = np.repeat(first - np.cumsum(width) + width, width) + np.arange(width.sum())
    best = np.full(len(cuts), len(order), dtype=np.int64)
    np.minimum.at(best, part, np.repeat(priority, width))
    held = np.flatnonzero(best < len(order))
    # Parts side by side with one owner are one.
    owner = order[best[held]]
    new = np.ones(len(held), dtype=bool)
    new[1:] = (owner[1:] != owner[:-1]) | (held[1:] != held[:-1] + 1)
    heads = np.flatnonzero(new)
    tails = np.append(heads[1:], len(held)) - 1
    day = (1 << 32) - 1
    return (cuts[held[heads]] & day, cuts[held[tails] + 1] & day), owner[heads]


def _excluded(spells: Spells, chosen: np.ndarray, why: str, tally: Tally) -> Spells:
    if not chosen.any():
        return spells
    counts = count_rows(spells.place, spells.gender, chosen)
    tally.exclude_later(why, counts, spells.source_row[chosen])
    return spells.where(~chosen)
