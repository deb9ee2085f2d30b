"""The table `activities`: from rows as received to activities by person and month."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa

from evaluate.data.codebook import Codebook, judge_numbered
from evaluate.data.people import People
from evaluate.data.registers.columns import CodeColumn, DayColumn
from evaluate.data.registers.decisions import (
    Decision,
    Tally,
    count_rows,
    covered_days,
    gender_codes,
    linking,
    refuse_unusable,
    stage,
    tally,
)
from evaluate.data.registers.dose import ALL, DoseCounts, dose_counts
from evaluate.data.registers.dose_table import dose_table
from evaluate.data.registers.ordered import repeats, rest_of, where, whole_persons
from evaluate.data.registers.person_dose import PersonDose, person_doses
from evaluate.errors import DataError, PlanError
from evaluate.notes import reason
from evaluate.plan.closed import code_text
from evaluate.plan.model import Plan
from evaluate.plan.sources import Activities

OTHER = "other"  # the kind of what no named kind holds
MOST_KINDS = 50  # more codes than these are rather a free text, which may not be published


@dataclass(frozen=True)
class Dose:
    """What came of the activities.

    Attributes
    ----------
    table : DataFrame
        As `schemas.DOSE`, with ``n_any``.
    tally : Tally
        The decisions with their counts.
    persons : dict of str to ndarray, shape (kept,)
        By the plan's doses the number of each person, NaN where months are not observed.
    """

    table: pd.DataFrame
    tally: Tally
    persons: dict[str, np.ndarray]


def activity_dose(
    connection: duckdb.DuckDBPyConnection,
    batches: Iterator[pa.RecordBatch],
    plan: Plan,
    people: People,
    book: Codebook | None = None,
    weight: np.ndarray | None = None,
    cluster: np.ndarray | None = None,
) -> Dose:
    """Clean the activities and count them by person and month.

    A row is an exact duplicate where all that was read of it repeats another row of the same
    person: with only the day and the kind read, two meetings on one day would be one.

    Parameters
    ----------
    connection : DuckDBPyConnection
        With the table `people`.
    batches : iterator of RecordBatch
        The table as text, see `readers.stream`; columns beside those of the plan only tell
        duplicates from rows that differ.
    plan : Plan
        The programme file, with ``data.activities``.
    people : People
        The persons.
    book : Codebook, optional
        The codebook that the section names.
    weight : ndarray, shape (kept,), optional
        Weights of the persons kept.
    cluster : ndarray, shape (kept,), optional
        Clusters of the persons kept, where persons are not independent.

    Raises
    ------
    DataError
        If no kinds are named and there are too many codes to be kinds.
    PlanError
        If a kind has the name of all kinds together.
    """
    section, kept = plan.data.activities, people.kept
    assert section is not None
    first_day, last_day = covered_days(section, plan)
    known = CodeColumn()
    for listed in section.kinds.values():
        for code in listed:
            known.number(code_text(code))
    rules = decisions(section, plan, first_day, last_day)
    rows = arriving(batches, section, section.person or plan.columns.person or "", known, book)
    stage(connection, "activities", rows, ["day", "code", "hash(rest) AS rest"], rules)
    counted = tally(connection, "activities", rules)
    refuse_unusable(counted, section.path or "data.activities", section.date)
    found = connection.execute("SELECT DISTINCT code FROM activities WHERE decision = 0").fetchall()
    names, kind_of = kinds(section, known.texts, {code for (code,) in found})
    arm = people.arm[kept]
    counts = dose_counts(
        names,
        people.day_zero[kept],
        arm,
        gender_codes(people)[kept],
        plan.columns.treatment.all_arms(arm),
        range(1, section.months + 1),
        (first_day, last_day),
        weight,
        cluster,
    )
    doses = person_doses(plan, known.texts, len(arm))
    _count(connection, counts, kind_of, counted, list(doses.values()))
    table = dose_table(counts, plan.columns.genders, plan.analysis.level)
    persons = {name: one.known(counts.first, counts.last) for name, one in doses.items()}
    return Dose(table, counted, persons)


def decisions(section: Activities, plan: Plan, first_day: int, last_day: int) -> list[Decision]:
    """Return the decisions on single rows, in their order."""
    before = "before_offer" if plan.columns.time_zero == "offered" else "before_start"
    found = [
        *linking(),
        Decision(reason("no_zero", column=plan.columns.day_zero), "zero IS NULL"),
        Decision(reason("unreadable_day"), "unreadable"),
        Decision(reason("missing", column=section.date), "day IS NULL"),
        Decision(reason("after_extract"), f"day > {last_day}"),
        Decision(reason("before_coverage"), f"day < {first_day}"),
        Decision(reason(before), "day < zero"),
        Decision(reason("missing", column=section.kind), "code < 0", excludes=False),
    ]
    if section.kinds:
        found.append(Decision(reason("unnamed_kind"), "unnamed", excludes=False))
    if section.codebook:
        found += [
            Decision(reason("unknown_code", book=section.codebook), "unknown", excludes=False),
            Decision(reason("outside_period", book=section.codebook), "outside", excludes=False),
        ]
    return found


def arriving(
    batches: Iterator[pa.RecordBatch],
    section: Activities,
    person: str,
    known: CodeColumn,
    book: Codebook | None,
) -> Iterator[pa.RecordBatch]:
    """Read the columns of activities: key, day, number of the code, a hash of the rest.

    Parameters
    ----------
    batches : iterator of RecordBatch
        The columns as text, and ``source_row``.
    section : Activities
        Of the plan.
    person : str
        The column with the key.
    known : CodeColumn
        Holds the codes of the plan, and takes those that arrive.
    book : Codebook or None
        The codebook of the kinds.
    """
    date = DayColumn(section.dates)
    named = len(known.texts)
    for batch in batches:
        day, absent, wrong = date.read(batch[section.date])
        code = known.read(batch[section.kind])
        if not section.kinds and len(known.texts) > MOST_KINDS:
            raise DataError(
                f"{section.path or 'data.activities'}: column {section.kind}: more than "
                f"{MOST_KINDS} different codes. Name the kinds: `kinds: {{meeting: [1, 2]}}` under "
                "data.activities, or the column that holds the kind."
            )
        unknown = outside = np.zeros(len(code), dtype=bool)
        if book is not None:
            when = np.where(absent | wrong, np.datetime64("NaT"), day.astype("datetime64[D]"))
            judged = judge_numbered(code, np.array(known.texts, dtype=object), when, book)
            unknown, outside = judged.unknown, judged.outside
        yield pa.record_batch(
            {
                "source_row": batch["source_row"],
                "key": batch[person],
                "day": pa.array(day, mask=absent | wrong),
                "code": pa.array(code),
                "unreadable": pa.array(wrong),
                "unnamed": pa.array(code >= named),
                "unknown": pa.array(unknown),
                "outside": pa.array(outside),
                "rest": rest_of(batch, (person, section.date, section.kind, *section.identifiers)),
            }
        )


def kinds(
    section: Activities, texts: Sequence[str], found: Collection[int]
) -> tuple[list[str], np.ndarray]:
    """Return the kinds, and the position among them of each code.

    Without named kinds each code that is found is its own. What is in none is `other`, so that
    the kinds add up to all activities.

    Parameters
    ----------
    section : Activities
        Of the plan.
    texts : sequence of str
        The codes.
    found : collection of int
        Positions of the codes in the rows that are kept, -1 for a missing one.

    Returns
    -------
    names : list of str
    position : ndarray of int, shape (codes + 1,)
        The missing code stands at the end.
    """
    named = {code_text(code): name for name, codes in section.kinds.items() for code in codes}
    kind = [named.get(t, OTHER) if named else t for t in texts] + [OTHER]
    present = sorted({kind[code] for code in found})
    names = [*section.kinds, *(k for k in present if k not in section.kinds)]
    if ALL in names:
        raise PlanError(
            f"data.activities.kinds: `{ALL}` stands for all kinds together. Name the kinds, each "
            "with its codes, and give this one another name."
        )
    place = {name: i for i, name in enumerate(names)}
    return names, np.array([place.get(name, -1) for name in kind], dtype=np.int64)


def _count(
    connection: duckdb.DuckDBPyConnection,
    counts: DoseCounts,
    kind_of: np.ndarray,
    counted: Tally,
    doses: Sequence[PersonDose],
) -> None:
    """Take out duplicates and count what is in the months, by cell and by person."""
    months = counts.months
    beyond = reason("after_months", months=months.stop - 1)
    for rows in whole_persons(connection, "activities", ["day", "code", "rest"]):
        again = repeats(rows, ("place", "day", "code", "rest"))
        counted.exclude_later(
            reason("duplicate"),
            count_rows(rows["place"], rows["gender"], again),
            rows["source_row"][again],
        )
        rows = where(rows, ~again)
        place, month = rows["place"], counts.month_of(rows["place"], rows["day"])
        after = month >= months.stop
        cut = ~after & ~counts.observed(place, month)
        counted.note(beyond, count_rows(place, rows["gender"], after))
        counted.note(reason("month_cut"), count_rows(place, rows["gender"], cut))
        inside = ~after & ~cut
        counts.add(place[inside], month[inside], kind_of[rows["code"][inside]])
        for one in doses:
            one.add(place[inside], month[inside], rows["code"][inside])
