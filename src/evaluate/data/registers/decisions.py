"""Decisions on the rows of a linked table: each row is judged once, each decision counted."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa

from evaluate.data.people import People
from evaluate.data.privacy import random_secret
from evaluate.data.readers.convert import MISSING
from evaluate.data.registers.calendar import FIRST, LAST
from evaluate.errors import DataError, rows
from evaluate.notes import reason
from evaluate.plan.model import Plan
from evaluate.plan.sources import Linked

GENDERS = ("women", "men")
COUNTS = ("n", "women", "men", "persons", "women_persons", "men_persons")
UNUSABLE = (
    "no_key", "not_participant", "unreadable_day", "unreadable_period", "first_period",
    "last_period",
)  # fmt: skip
HASHED = (
    f"CASE WHEN lower(key) IN ({', '.join(repr(text) for text in sorted(MISSING))}) THEN ''::BLOB "
    "ELSE unhex(left(sha256(getvariable('secret') || key), 32)) END"
)


@dataclass(frozen=True)
class Decision:
    """A rule on the rows of a staged table.

    Attributes
    ----------
    reason : str
        As the flow and the quarantine tell it.
    holds : str
        A condition in SQL over the columns of the staged table and of `people_table`;
        where it is not known it does not hold.
    excludes : bool
        Whether the row is taken out, or only counted.
    """

    reason: str
    holds: str
    excludes: bool = True


def covered_days(section: Linked, plan: Plan) -> tuple[int, int]:
    """Return the first and last day that a table covers, in days since 1970-01-01."""
    first, last = plan.data.coverage_of(section), plan.data.extract_of(section)
    begin = int(np.datetime64(first, "D").astype(int)) if first else FIRST
    return begin, int(np.datetime64(last, "D").astype(int)) if last else LAST - 1


def linking() -> list[Decision]:
    """Return the decisions that every linked table begins with."""
    return [
        Decision(reason("no_key"), "key = ''::BLOB"),
        Decision(reason("not_participant"), "person IS NULL"),
        Decision(reason("person_excluded"), "place IS NULL"),
    ]


def people_table(connection: duckdb.DuckDBPyConnection, people: People) -> None:
    """Make the table `people`: key, person, place among those kept, gender, day zero.

    What the engine holds may go to disk, so it holds no person's key but a keyed hash of it,
    by a secret of this connection that is never written.
    """
    connection.execute(f"SET VARIABLE secret = '{random_secret().hex()}'")
    place = np.where(people.kept, np.cumsum(people.kept) - 1, -1).astype(np.int32)
    person = people.alias_person
    zero = people.day_zero.astype("datetime64[D]")
    absent = np.isnat(zero)
    table = pa.table(
        {
            "key": pa.array(people.alias_text, pa.string()),
            "person": pa.array(person.astype(np.int32)),
            "place": pa.array(place[person], mask=~people.kept[person]),
            "gender": pa.array(gender_codes(people)[person]),
            "zero": pa.array(
                np.where(absent, 0, zero.astype(np.int64)).astype(np.int32)[person],
                mask=absent[person],
            ),
        }
    )
    connection.register("people_arrow", table)
    connection.execute(
        f"CREATE OR REPLACE TABLE people AS SELECT * REPLACE ({HASHED} AS key) FROM people_arrow"
    )
    connection.unregister("people_arrow")


def gender_codes(people: People) -> np.ndarray:
    """Return 1 for women, 2 for men, 0 where gender is not known, shape (n,)."""
    codes = np.zeros(len(people.gender), dtype=np.uint8)
    for code, gender in enumerate(GENDERS, 1):
        codes[people.gender == gender] = code
    return codes


def stage(
    connection: duckdb.DuckDBPyConnection,
    table: str,
    batches: Iterator[pa.RecordBatch],
    columns: Sequence[str],
    decisions: Sequence[Decision],
) -> None:
    """Read the rows of a linked table, link them to persons and judge each of them.

    Makes the table ``table``: source_row, person, place, gender, the ``columns``, ``decision``
    (0 where the row is kept, else the position from 1 of the first decision that holds) and
    ``noted`` (a bit for each of the decisions that only count).

    Parameters
    ----------
    connection : DuckDBPyConnection
        With the table `people`.
    table : str
        The name of the linked table.
    batches : iterator of RecordBatch
        ``source_row``, ``key`` and what the expressions and conditions need.
    columns : sequence of str
        Expressions in SQL, such as ``start`` or ``coalesce(x, y) AS z``.
    decisions : sequence of Decision
        In their order.
    """
    taking = [d for d in decisions if d.excludes]
    counting = [d for d in decisions if not d.excludes]
    cases = " ".join(f"WHEN {d.holds} THEN {i}" for i, d in enumerate(taking, 1))
    bits = " + ".join(
        f"(CASE WHEN {d.holds} THEN {1 << i} ELSE 0 END)" for i, d in enumerate(counting)
    )
    caught: list[Exception] = []
    first = next(batches)
    reader = pa.RecordBatchReader.from_batches(first.schema, _guarded(first, batches, caught))
    connection.register("arriving", reader)
    try:
        connection.execute(
            f"CREATE OR REPLACE TABLE {table} AS "
            f"SELECT source_row, person, place, gender, {', '.join(columns)}, "
            f"(CASE {cases} ELSE 0 END)::UTINYINT AS decision, ({bits or '0'})::UINTEGER AS noted "
            f"FROM (SELECT * REPLACE ({HASHED} AS key) FROM arriving) LEFT JOIN people USING (key)"
        )
    except duckdb.Error:
        if caught:  # what is wrong with the file, in its own words
            raise caught[0] from None
        raise
    finally:
        connection.unregister("arriving")


def _guarded(
    first: pa.RecordBatch, rest: Iterable[pa.RecordBatch], caught: list[Exception]
) -> Iterator[pa.RecordBatch]:
    """Give the batches; an error that the engine would tell in other words is kept."""
    try:
        yield first
        yield from rest
    except Exception as error:
        caught.append(error)
        raise


@dataclass
class Tally:
    """The decisions on one linked table with their counts, in their order.

    Attributes
    ----------
    table : str
        The name of the linked table.
    excluded, noted : dict of str to ndarray of int, shape (6,)
        Counts by reason, as in `COUNTS`: rows, then distinct persons.
    received : ndarray of int, shape (6,)
    rejected : list of (str, ndarray)
        Reason and source rows.
    """

    table: str
    received: np.ndarray = field(default_factory=lambda: np.zeros(6, dtype=np.int64))
    excluded: dict[str, np.ndarray] = field(default_factory=dict)
    noted: dict[str, np.ndarray] = field(default_factory=dict)
    kept: np.ndarray = field(default_factory=lambda: np.zeros(6, dtype=np.int64))
    rejected: list[tuple[str, np.ndarray]] = field(default_factory=list)

    def exclude(self, reason: str, counts: np.ndarray, source_rows: np.ndarray) -> None:
        """Count rows that are taken out, and keep their numbers for the quarantine."""
        self.excluded[reason] = self.excluded.get(reason, 0) + counts
        self.rejected.append((reason, source_rows))

    def exclude_later(self, reason: str, counts: np.ndarray, source_rows: np.ndarray) -> None:
        """Take out rows that were kept so far, each for another row of the same person."""
        self.exclude(reason, counts, source_rows)
        self.kept[:3] -= counts[:3]

    def note(self, reason: str, counts: np.ndarray) -> None:
        """Count rows to which something was done."""
        self.noted[reason] = self.noted.get(reason, 0) + counts

    @property
    def cleaning(self) -> pd.DataFrame:
        """The counts as `schemas.CLEANING`; what was never met is not told."""
        rows = [("received", "", self.received)]
        rows += [("excluded", r, c) for r, c in self.excluded.items() if c[0]]
        rows += [("noted", r, c) for r, c in self.noted.items() if c[0]]
        rows.append(("kept", "", self.kept))
        return pd.DataFrame(
            [
                {"table": self.table, "step": step, "reason": why}
                | dict(zip(COUNTS, map(int, counts), strict=True))
                for step, why, counts in rows
            ]
        )

    @property
    def quarantine(self) -> pa.Table:
        """The rejected rows as `schemas.QUARANTINE`, by decision and source row."""
        by_reason: dict[str, list[np.ndarray]] = {why: [] for why in self.excluded}
        for why, numbers in self.rejected:
            by_reason[why].append(numbers)
        none = np.zeros(0, dtype=np.int64)
        sorted_rows = [np.sort(np.concatenate([none, *parts])) for parts in by_reason.values()]
        which = np.repeat(np.arange(len(sorted_rows)), [len(numbers) for numbers in sorted_rows])
        return quarantine(self.table, np.concatenate([none, *sorted_rows]), which, [*by_reason])


def quarantine(table: str, rows: np.ndarray, which: np.ndarray, reasons: Sequence[str]) -> pa.Table:
    """Return rejected rows as `schemas.QUARANTINE`."""
    names = pa.DictionaryArray.from_arrays(
        np.zeros(len(rows), dtype=np.int8), pa.array([table], pa.string())
    )
    why = pa.DictionaryArray.from_arrays(
        np.asarray(which, dtype=np.int16), pa.array(list(reasons), pa.string())
    )
    return pa.table({"table": names, "source_row": pa.array(rows, pa.int64()), "reason": why})


def tally(
    connection: duckdb.DuckDBPyConnection, table: str, decisions: Sequence[Decision]
) -> Tally:
    """Count the decisions on a staged table."""
    found = Tally(table)
    taking = [d.reason for d in decisions if d.excludes]
    counting = [d.reason for d in decisions if not d.excludes]
    bits = [f"sum((noted >> {i}) & 1)::BIGINT AS noted_{i}" for i in range(len(counting))]
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE by_person AS "
        f"SELECT person, gender, decision, {', '.join(['count(*) AS n', *bits])} "
        f"FROM {table} GROUP BY person, gender, decision"
    )
    found.received = _six(connection, "n", "", "count(DISTINCT person)")
    found.kept = _six(connection, "n", "WHERE decision = 0")
    for i, why in enumerate(taking, 1):
        counts = _six(connection, "n", f"WHERE decision = {i}")
        if counts[0]:
            taken = connection.execute(f"SELECT source_row FROM {table} WHERE decision = {i}")
            found.exclude(why, counts, np.asarray(taken.fetchnumpy()["source_row"]))
    for i, why in enumerate(counting):
        chosen = f"WHERE decision = 0 AND noted_{i} > 0"
        found.note(why, _six(connection, f"noted_{i}", chosen))
    return found


def _six(
    connection: duckdb.DuckDBPyConnection,
    rows: str,
    chosen: str,
    persons: str = "count(person)",
) -> np.ndarray:
    """Count rows and persons, as `COUNTS`, from the table `by_person`."""
    by_gender = ["", "FILTER (gender = 1)", "FILTER (gender = 2)"]
    counts = [f"coalesce(sum({rows}) {f}, 0)::BIGINT" for f in by_gender]
    counts += [f"{persons} {f}" for f in by_gender]
    query = f"SELECT {', '.join(counts)} FROM by_person {chosen}"
    return np.array(connection.execute(query).fetchall()[0], dtype=np.int64)


def refuse_unusable(counted: Tally, where: str, *days: str) -> None:
    """Stop where no row of a table names a participant and a readable day or period covered.

    With keys in another spelling nobody would have an income, and that would pass for nought.

    Parameters
    ----------
    counted : Tally
        The decisions on single rows.
    where : str
        The table, for the message.
    *days : str
        Columns of days or periods without which a row is taken out.

    Raises
    ------
    DataError
        With the reasons and their rows.
    """
    received = int(counted.received[0])
    for why in map(reason, ("unreadable_day", "unreadable_period")):
        n = int(counted.excluded.get(why, np.zeros(6))[0])
        if n * 2 > received:
            raise DataError(
                f"{where}: {rows(n)} of {received:,} with {why}. Declare `dates`, or for incomes "
                "`per`, as the table writes them."
            )
    whys = [*map(reason, UNUSABLE), *(reason("missing", column=name) for name in days)]
    found = {why: int(counted.excluded[why][0]) for why in whys if why in counted.excluded}
    left_out = int(counted.excluded.get(reason("person_excluded"), np.zeros(6))[0])
    if found and sum(found.values()) + left_out == received:
        why = "; ".join(f"{rows(n)} {text}" for text, n in found.items())
        raise DataError(
            f"{where}: none of {rows(received)} can be used: {why}. Are the keys written as among "
            "the participants, the days in the form that the plan declares, and `coverage` and "
            "`extract_date` those of the table?"
        )


def count_rows(person: np.ndarray, gender: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    """Count chosen rows and their persons, whose rows lie side by side.

    Parameters
    ----------
    person, gender : ndarray of int, shape (n,)
        Person, and code of gender, of each row.
    chosen : ndarray of bool, shape (n,)
        The rows to count.

    Returns
    -------
    ndarray of int, shape (6,)
        As `COUNTS`.
    """
    who, gender = person[chosen], gender[chosen]
    first = np.ones(len(who), dtype=bool)
    first[1:] = who[1:] != who[:-1]
    rows = np.bincount(gender, minlength=3)
    persons = np.bincount(gender[first], minlength=3)
    return np.array([len(who), *rows[1:3], first.sum(), *persons[1:3]], dtype=np.int64)
