"""The table `spells`: from rows as received to outcomes by month."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa

from evaluate.data.codebook import Codebook, judge_numbered
from evaluate.data.people import People
from evaluate.data.registers import episodes
from evaluate.data.registers.columns import CodeColumn, DayColumn
from evaluate.data.registers.decisions import (
    Decision,
    Tally,
    covered_days,
    gender_codes,
    linking,
    refuse_unusable,
    stage,
    tally,
)
from evaluate.data.registers.months import all_months, outcome_columns, state_at, window
from evaluate.data.registers.states import NONE, OTHER, state_counts, states_table
from evaluate.errors import DataError, EvaluateError, Problems
from evaluate.notes import reason
from evaluate.plan.closed import Code, code_text
from evaluate.plan.model import Plan
from evaluate.plan.sources import Spells as Section

MOST_CODES = 10_000


@dataclass(frozen=True)
class SpellMonths:
    """What came of the spells.

    Attributes
    ----------
    columns : dict of str to ChunkedArray
        The outcome columns, over the persons kept in their order.
    states : DataFrame
        As `schemas.STATES`.
    tally : Tally
        The decisions with their counts.
    """

    columns: dict[str, pa.ChunkedArray]
    states: pd.DataFrame
    tally: Tally


def decisions(section: Section, first_day: int, last_day: int) -> list[Decision]:
    """Return the decisions on single rows, in their order."""
    found = [
        *linking(),
        Decision(reason("unreadable_day"), "unreadable"),
        Decision(reason("missing", column=section.start), "start IS NULL"),
        Decision(reason("missing", column=section.state), "code IS NULL"),
        Decision(reason("negative"), "stop < start"),
        Decision(reason("after_extract"), f"start > {last_day}"),
        Decision(reason("before_coverage"), f"stop < {first_day}"),
        Decision(reason("cut_coverage"), f"start < {first_day}", excludes=False),
        Decision(reason("cut_extract"), f"stop > {last_day}", excludes=False),
        Decision(reason("unnamed_state"), "unnamed", excludes=False),
    ]
    if section.codebook:
        found += [
            Decision(reason("unknown_code", book=section.codebook), "unknown", excludes=False),
            Decision(reason("outside_period", book=section.codebook), "outside", excludes=False),
        ]
    return found


def arriving(
    batches: Iterator[pa.RecordBatch],
    section: Section,
    person: str,
    known: CodeColumn,
    named: int,
    book: Codebook | None,
) -> Iterator[pa.RecordBatch]:
    """Read the columns of spells: key, days and the number of the code.

    Parameters
    ----------
    batches : iterator of RecordBatch
        The wanted columns as text, and ``source_row``.
    section : Spells
        Of the plan.
    person : str
        The column with the key.
    known : CodeColumn
        Holds the codes of the plan, and takes those that arrive.
    named : int
        How many of them are in a named state; they come first.
    book : Codebook or None
        The codebook of the states.
    """
    start = DayColumn(section.dates)
    stop = DayColumn(section.dates, none=tuple(section.open_codes))
    for batch in batches:
        first, no_first, bad_first = start.read(batch[section.start])
        last, is_open, bad_last = stop.read(batch[section.end])
        if section.end_is == "day_after":
            last = last - 1
        code = known.read(batch[section.state])
        flags = {"unknown": np.zeros(len(code), bool), "outside": np.zeros(len(code), bool)}
        if book is not None:
            texts = np.array(known.texts, dtype=object)
            day = np.where(no_first | bad_first, np.datetime64("NaT"), first.astype("M8[D]"))
            found = judge_numbered(code, texts, day, book)
            flags = {"unknown": found.unknown, "outside": found.outside}
        yield pa.record_batch(
            {
                "source_row": batch["source_row"],
                "key": batch[person],
                "start": pa.array(first, mask=no_first | bad_first),
                "stop": pa.array(last, mask=is_open | bad_last),
                "code": pa.array(code, mask=code < 0),
                "unreadable": pa.array(bad_first | bad_last),
                "unnamed": pa.array(code >= named),
                **{name: pa.array(flag) for name, flag in flags.items()},
            }
        )


def spell_months(
    connection: duckdb.DuckDBPyConnection,
    batches: Iterator[pa.RecordBatch],
    plan: Plan,
    people: People,
    book: Codebook | None = None,
    weight: np.ndarray | None = None,
) -> SpellMonths:
    """Clean the spells and count them by month.

    Parameters
    ----------
    connection : DuckDBPyConnection
        With the table `people`.
    batches : iterator of RecordBatch
        The table as text, see `readers.stream`.
    plan : Plan
        The programme file, with ``data.spells``.
    people : People
        The persons.
    book : Codebook, optional
        The codebook that the section names.
    weight : ndarray, shape (kept,), optional
        Weights of the persons kept.

    Raises
    ------
    Problems
        If no row can be used, most dates are none, or no row has a code of an outcome.
    """
    section = plan.data.spells
    assert section is not None
    first_day, last_day = covered_days(section, plan)
    person = section.person or plan.columns.person or ""
    outcomes = {name: o for name, o in plan.outcomes.items() if o.spells is not None}
    known = CodeColumn()
    state_of = {
        known.number(code_text(code)): name
        for name, listed in section.states.items()
        for code in listed
    }
    in_states = len(known.texts)
    wanted = {
        name: {number for code in outcome.spells or [] for number in _numbers(code, section, known)}
        for name, outcome in outcomes.items()
    }
    rules = decisions(section, first_day, last_day)
    stage(
        connection,
        "spells",
        arriving(batches, section, person, known, in_states or len(known.texts), book),
        [
            f"greatest(start, {first_day})::INTEGER AS start",
            f"(CASE WHEN stop > {last_day} THEN {last_day} ELSE stop END)::INTEGER AS stop",
            "code",
        ],
        rules,
    )
    counted = tally(connection, "spells", rules)

    _check(connection, section, known, wanted, counted)
    return _by_month(connection, plan, people, counted, known, state_of, wanted, weight)


def _check(
    connection: duckdb.DuckDBPyConnection,
    section: Section,
    known: CodeColumn,
    wanted: dict[str, set[int]],
    counted: Tally,
) -> None:
    """Refuse spells of which nothing can be said, rather than call everybody without a job."""
    where = section.path or f"the query of {section.url_env}"
    faults: list[EvaluateError] = []
    if len(known.texts) > MOST_CODES:
        raise DataError(
            f"{where}: column {section.state}: {len(known.texts):,} different codes; a register "
            f"of states has at most {MOST_CODES:,}. Is it the right column?"
        )
    refuse_unusable(counted, where, section.start)
    there = connection.execute("SELECT DISTINCT code FROM spells WHERE decision = 0").fetchall()
    found = {code for (code,) in there}
    for name, codes in wanted.items():
        if not codes & found:
            listed = ", ".join(known.texts[i] for i in sorted(codes))
            faults.append(
                DataError(
                    f"{where}: column {section.state}: no usable row has a code of "
                    f"outcomes.{name} ({listed}). Is it the right column and the right spelling?"
                )
            )
    if faults:
        raise Problems(faults)


def _by_month(
    connection: duckdb.DuckDBPyConnection,
    plan: Plan,
    people: People,
    counted: Tally,
    known: CodeColumn,
    state_of: dict[int, str],
    wanted: dict[str, set[int]],
    weight: np.ndarray | None,
) -> SpellMonths:
    """Lay the kept spells out by month, some persons at a time."""
    section, kept = plan.data.spells, people.kept
    assert section is not None
    first_day, last_day = covered_days(section, plan)
    outcomes = {name: plan.outcomes[name] for name in wanted}
    names = [*(section.precedence or section.states), OTHER, NONE]
    numbers = range(len(known.texts))
    rank = np.array([names.index(state_of.get(i, OTHER)) for i in numbers])
    members = {name: np.isin(numbers, list(own)) for name, own in wanted.items()}
    zero = people.day_zero[kept]
    months = all_months(list(outcomes.values())) if outcomes else range(1, 1)
    states = state_counts(
        names,
        np.append(names.index(NONE), rank),
        people.arm[kept],
        gender_codes(people)[kept],
        plan.columns.treatment.all_arms(people.arm[kept]),
        months,
        weight,
    )
    columns: dict[str, list[pa.Array]] = {}
    for persons, part in episodes.by_persons(connection, "spells", len(zero)):
        spells = episodes.without_duplicates(part, counted)
        spells = episodes.closed(spells, last_day, section.open_end == "next", counted)
        spells = episodes.disjoint(spells, rank, counted)
        at = window(zero[persons], months, first_day, last_day)
        place = spells.place - persons.start
        state = state_at(spells, place, at)
        states.add(state, at, persons)
        found = outcome_columns(outcomes, members, spells, place, at, state)
        for name, values in found.items():
            columns.setdefault(name, []).append(values)
    return SpellMonths(
        {name: pa.chunked_array(parts) for name, parts in columns.items()},
        states_table(states, months, plan.columns.genders),
        counted,
    )


def _numbers(code: Code, section: Section, known: CodeColumn) -> list[int]:
    """Return the numbers of the codes of a named state, or of a code."""
    listed = section.states.get(str(code), [code])
    return [known.number(code_text(c)) for c in listed]
