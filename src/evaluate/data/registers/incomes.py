"""The table `incomes`: from rows as received to income by person and month."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import duckdb
import numpy as np
import pyarrow as pa

from evaluate.data.people import People
from evaluate.data.registers.amounts import AmountColumn
from evaluate.data.registers.decisions import (
    Decision,
    Tally,
    count_rows,
    linking,
    refuse_unusable,
    stage,
    tally,
)
from evaluate.data.registers.ordered import repeats, rest_of, where, whole_persons
from evaluate.data.registers.periods import (
    STEP,
    Laid,
    PeriodColumn,
    covered_periods,
    laid_out,
    outcome_columns,
)
from evaluate.errors import DataError, EvaluateError, PlanError, Problems
from evaluate.notes import reason
from evaluate.plan.model import Plan
from evaluate.plan.outcomes import Outcome
from evaluate.plan.sources import Incomes as Section


@dataclass(frozen=True)
class IncomeMonths:
    """What came of the incomes.

    Attributes
    ----------
    columns : dict of str to ndarray, shape (n,)
        The outcome columns, over the persons kept in their order; NaN where not observed.
    tally : Tally
        The decisions with their counts.
    """

    columns: dict[str, np.ndarray]
    tally: Tally


def income_months(
    connection: duckdb.DuckDBPyConnection,
    batches: Iterator[pa.RecordBatch],
    plan: Plan,
    people: People,
) -> IncomeMonths:
    """Clean the incomes and lay them out by month.

    A register of incomes lists what was paid: a period that it covers and that has no row of
    a person is 0. A period that it does not cover whole is missing, and so is one with a row
    whose amount is empty or cannot be read, for what was paid then is not known.

    Parameters
    ----------
    connection : DuckDBPyConnection
        With the table `people`.
    batches : iterator of RecordBatch
        The table as text, see `readers.stream`; columns beside those of the plan only tell
        duplicates from rows that differ.
    plan : Plan
        The programme file, with ``data.incomes``.
    people : People
        The persons.

    Raises
    ------
    Problems
        If a column does not show its decimal mark, an outcome asks for months that yearly
        incomes do not have, or for the logarithm of what is not above zero.
    """
    section = plan.data.incomes
    assert section is not None
    outcomes = {name: o for name, o in plan.outcomes.items() if o.incomes is not None}
    faults: list[EvaluateError] = [*months_without_income(outcomes, section)]
    if faults:
        raise Problems(faults)
    names = list(dict.fromkeys(str(o.incomes) for o in outcomes.values()))
    amounts = {name: AmountColumn(section.decimal) for name in names}
    covered = covered_periods(section, plan)
    rules = decisions(section, plan, names, covered)
    person = section.person or plan.columns.person or ""
    staged = [f"amount_{i}" for i in range(len(names))]
    stage(
        connection,
        "incomes",
        arriving(batches, section, person, amounts),
        ["period", *staged, "hash(rest) AS rest"],
        rules,
    )
    path = section.path or "data.incomes"
    for name, amount in amounts.items():
        if fault := amount.check(f"{path}: column {name}", "data.incomes"):
            faults.append(fault)
    if faults:
        raise Problems(faults)
    counted = tally(connection, "incomes", rules)
    refuse_unusable(counted, path, section.period)
    months = {
        name: laid_out(
            [o for o in outcomes.values() if o.incomes == name], people, section.per, covered
        )
        for name in names
    }
    _add_up(connection, months, counted)
    _make_missing(connection, months, rules)
    columns: dict[str, np.ndarray] = {}
    for name, outcome in outcomes.items():
        column = str(outcome.incomes)
        found = outcome_columns(name, outcome, months[column], section.per)
        if outcome.transform == "log":
            found = _logarithms(found, f"{path}: column {column} (outcomes.{name})", faults)
        columns |= found
    if faults:
        raise Problems(faults)
    return IncomeMonths(columns, counted)


def months_without_income(outcomes: Mapping[str, Outcome], section: Section) -> Iterator[PlanError]:
    """Find outcomes that ask for months that yearly incomes do not have."""
    step = STEP[section.per]
    for name, outcome in outcomes.items():
        first, last = outcome.months or (0, 0)
        if last // step * step < first:
            yield PlanError(
                f"outcomes.{name}.months: the incomes are yearly, so that a month has one only "
                f"where it is a multiple of {step}: {step} is the calendar year after the one of "
                f"time zero. Name such months: `months: [{step}, {2 * step}]`."
            )
        if (outcome.primary_month or 0) % step:
            yield PlanError(
                f"outcomes.{name}.primary_month: the incomes are yearly, so that month "
                f"{outcome.primary_month} has none; months that have are multiples of {step}."
            )


def decisions(
    section: Section, plan: Plan, names: Sequence[str], covered: tuple[int, int]
) -> list[Decision]:
    """Return the decisions on single rows, in their order."""
    found = [
        *linking(),
        Decision(reason("no_zero", column=plan.columns.day_zero), "zero IS NULL"),
        Decision(reason("unreadable_period"), "unreadable"),
        Decision(reason("missing", column=section.period), "period IS NULL"),
        Decision(reason("last_period"), f"period > {covered[1]}"),
        Decision(reason("first_period"), f"period < {covered[0]}"),
    ]
    for i, name in enumerate(names):
        found.append(Decision(reason("not_number", column=name), f"wrong_{i}"))
        found.append(Decision(reason("not_finite", column=name), f"infinite_{i}"))
    return found


def arriving(
    batches: Iterator[pa.RecordBatch],
    section: Section,
    person: str,
    amounts: Mapping[str, AmountColumn],
) -> Iterator[pa.RecordBatch]:
    """Read the columns of incomes: key, period, amounts, and what is in the rest.

    Parameters
    ----------
    batches : iterator of RecordBatch
        The columns as text, and ``source_row``.
    section : Incomes
        Of the plan.
    person : str
        The column with the key.
    amounts : mapping of str to AmountColumn
        Takes the marks that the columns use.
    """
    periods = PeriodColumn(section.per, section.dates)
    for batch in batches:
        period, absent, wrong = periods.read(batch[section.period])
        table = {
            "source_row": batch["source_row"],
            "key": batch[person],
            "period": pa.array(period, mask=absent | wrong),
            "unreadable": pa.array(wrong),
            "rest": rest_of(batch, (person, section.period, *amounts, *section.identifiers)),
        }
        for i, (name, amount) in enumerate(amounts.items()):
            values, not_number, infinite = amount.read(batch[name])
            table |= {
                f"amount_{i}": pa.array(values),
                f"wrong_{i}": pa.array(not_number),
                f"infinite_{i}": pa.array(infinite),
            }
        yield pa.record_batch(table)


def _add_up(
    connection: duckdb.DuckDBPyConnection, months: Mapping[str, Laid], counted: Tally
) -> None:
    """Take out duplicates, note what is odd, and sum the rows of a person and period."""
    staged = [f"amount_{i}" for i in range(len(months))]
    for found in whole_persons(connection, "incomes", ["period", *staged, "rest"]):
        again = repeats(found, ("place", "period", *staged, "rest"))
        counted.exclude_later(
            reason("duplicate"),
            count_rows(found["place"], found["gender"], again),
            found["source_row"][again],
        )
        found = where(found, ~again)
        place, period = found["place"], found["period"]
        runs = np.flatnonzero(~repeats(found, ("place", "period")))
        for name, column in zip(months, staged, strict=True):
            amount = found[column]
            for why, chosen in (("missing", np.isnan(amount)), ("below_zero", amount < 0)):
                counted.note(reason(why, column=name), count_rows(place, found["gender"], chosen))
            months[name].put(place[runs], period[runs], np.add.reduceat(amount, runs))


def _make_missing(
    connection: duckdb.DuckDBPyConnection, months: Mapping[str, Laid], rules: Sequence[Decision]
) -> None:
    """Make the periods missing of which a row's amount was rejected: it is not known."""
    taking = [d.holds for d in rules if d.excludes]
    amounts = [i for i, holds in enumerate(taking, 1) if holds.startswith(("wrong_", "infinite_"))]
    found = connection.execute(
        f"SELECT place, period FROM incomes WHERE list_contains({amounts}::INTEGER[], decision)"
    ).fetchnumpy()
    for laid in months.values():
        place, period = (np.asarray(found[name]) for name in ("place", "period"))
        laid.put(place, period, np.full(len(place), np.nan))


def _logarithms(
    found: Mapping[str, np.ndarray], place: str, faults: list[EvaluateError]
) -> dict[str, np.ndarray]:
    """Return logarithms; a value at or below zero is a fault."""
    without = sum(int((values <= 0).sum()) for values in found.values())
    if without:
        faults.append(
            DataError(
                f"{place}: {without:,} months of persons at or below 0, which has no logarithm. "
                "Leave out `transform: log`: dropping them would change the population."
            )
        )
    return {
        name: np.log(values, where=values > 0, out=np.full(len(values), np.nan))
        for name, values in found.items()
    }
