"""The rows of the participants, with the columns of their offers beside them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from evaluate.data.readers.read import RawTable
from evaluate.errors import DataError, PlanError
from evaluate.plan.columns import GenderColumn
from evaluate.plan.model import Plan
from evaluate.plan.sources import Table

Wanted = Sequence[tuple[str, str]]  # keys of the plan, each with the column that it names
DAYS = ("offered", "started", "ended", "born")
# Worked out, where the raw tables have no column of these names.
AGE = "age_at_offer"
TIME_ZERO, AGE_AT_ZERO, DAYS_REGISTERED = "time_zero", "age_at_time_zero", "days_registered"
AT_TIME_ZERO = (TIME_ZERO, AGE_AT_ZERO, DAYS_REGISTERED)  # of observational studies


@dataclass(frozen=True)
class Joined:
    """Participants and, where there is an assignment table, each one's offer.

    Attributes
    ----------
    participants : RawTable
        The persons, one row each.
    declared : Table
        How the plan says that they are written.
    offers, offers_declared : RawTable, Table, optional
        The assignment table.
    offer : ndarray of int, shape (n,)
        Position of each person's offer among the rows of the assignment, -1 where none.
    """

    participants: RawTable
    declared: Table
    offers: RawTable | None
    offers_declared: Table | None
    offer: np.ndarray

    def __len__(self) -> int:
        return len(self.participants.cells)

    def has(self, column: str) -> bool:
        """Return whether either table has a column."""
        return column in self.participants.cells or self.in_offers(column)

    def in_offers(self, column: str) -> bool:
        """Return whether a column stands in the assignment table."""
        in_participants = column in self.participants.cells
        return self.offers is not None and not in_participants and column in self.offers.cells

    def source(self, column: str) -> RawTable:
        """Return the table that has a column."""
        if self.offers is not None and self.in_offers(column):
            return self.offers
        return self.participants

    def how(self, column: str) -> Table:
        """Return what the plan says of the table that has a column."""
        if self.offers_declared is not None and self.in_offers(column):
            return self.offers_declared
        return self.declared

    def cells(self, column: str) -> pd.Series:
        """Return the cells of a column, one for each row of its own table."""
        return self.source(column).cells[column]

    def path(self, column: str) -> str:
        """Return where the table lies that has a column."""
        return self.source(column).path

    def by_person(self, column: str, values: np.ndarray, absent: object) -> np.ndarray:
        """Return what was read of a column for each participant, shape (n,).

        Parameters
        ----------
        column : str
            Its name.
        values : ndarray
            One for each row of the column's own table.
        absent : object
            What stands for persons without an offer.
        """
        if not self.in_offers(column):
            return values
        found = values[np.maximum(self.offer, 0)]
        found[self.offer < 0] = absent
        return found

    def with_offers(self, offer: np.ndarray) -> Joined:
        """Return the same tables with each person's offer."""
        return replace(self, offer=offer)


def joined(tables: Mapping[str, RawTable], plan: Plan) -> Joined:
    """Put the assignment table, where there is one, beside the participants."""
    participants = tables["participants"]
    return Joined(
        participants=participants,
        declared=plan.data.participants,
        offers=tables.get("assignment"),
        offers_declared=plan.data.assignment,
        offer=np.full(len(participants.cells), -1),
    )


def person_columns(plan: Plan) -> list[tuple[str, str]]:
    """Return the columns with the key of a person: participants, then assignment."""
    person = plan.columns.person
    if person is None:
        return []
    keys = [("columns.person", person)]
    if plan.data.assignment is not None:
        own = plan.data.assignment.person
        keys.append(("data.assignment.person", own) if own else ("columns.person", person))
    return keys


def wanted_columns(plan: Plan, tables: Joined, criteria: Iterable[str]) -> list[tuple[str, str]]:
    """Return every column that the plan names, after its key, but for the keys of persons.

    Parameters
    ----------
    plan : Plan
        The programme file.
    tables : Joined
        The tables, to tell what is worked out from what a table has.
    criteria : iterable of str
        Columns that criteria of eligibility read.
    """
    columns, gender = plan.columns, plan.columns.gender
    rule, saturation, sets = plan.assignment.rule, plan.assignment.saturation, plan.risk_sets
    named: list[tuple[str, str | None]] = [
        ("columns.gender", gender.column if isinstance(gender, GenderColumn) else None),
        ("columns.treatment", columns.treatment.column),
        ("columns.takeup", columns.takeup.column if columns.takeup else None),
        ("columns.accepted", columns.accepted.column if columns.accepted else None),
        *((f"columns.{key}", getattr(columns, key)) for key in DAYS),
        *(("columns.blocks", name) for name in columns.blocks),
        ("columns.cluster", columns.cluster),
        ("columns.wave", columns.wave),
        ("columns.weight", columns.weight),
        ("assignment", plan.assignment.probability),
        *(("assignment.rule", name) for name in (rule.columns if rule else [])),
        ("assignment.saturation", saturation.column if saturation else None),
        *(("eligibility", name) for name in criteria),
        *(("covariates", c.column) for c in plan.covariate_list),
        *((f"covariates.{c.column}.measured", c.measured_column) for c in plan.covariate_list),
        ("risk_sets.registered", sets.registered if sets else None),
        ("risk_sets.until", sets.until if sets else None),
        *((f"outcomes.{c.outcome}", c.source or None) for c in plan.outcome_columns),
        *((f"outcomes.{key}.baseline", o.baseline) for key, o in plan.outcomes.items()),
        *(("groups", name) for name in plan.groups),
        *((f"doses.{key}.column", d.column) for key, d in plan.doses.items()),
        *(("negative_controls", name) for name in plan.negative_controls),
        ("costs.column", plan.costs.column if plan.costs else None),
        ("costs.site", plan.costs.site if plan.costs else None),
        *(("data.codebooks", name) for name in plan.data.codebooks),
    ]
    wanted = [(key, name) for key, name in dict.fromkeys(named) if name is not None]
    worked_out = {name for name in worked_out_columns(plan) if not tables.has(name)}
    return [(key, name) for key, name in wanted if name not in worked_out]


def worked_out_columns(plan: Plan) -> tuple[str, ...]:
    """Return the columns that are worked out from days: of an age, of what was at time zero."""
    columns = plan.columns
    found = {
        AGE: columns.born and columns.offered,
        TIME_ZERO: plan.is_observational and columns.day_zero,
        AGE_AT_ZERO: plan.is_observational and columns.born and columns.day_zero,
        DAYS_REGISTERED: plan.risk_sets,
    }
    return tuple(name for name, known in found.items() if known)


def identifiers_used(plan: Plan, wanted: Wanted) -> list[PlanError]:
    """Find columns that the plan uses although it says that they hold identity numbers."""
    sections = [plan.data.participants, plan.data.assignment]
    declared = {name for section in sections if section for name in section.identifiers}
    return [
        PlanError(f"{key}: column `{name}` is among the `identifiers`, which are not used.")
        for key, name in wanted
        if name in declared
    ]


def missing_columns(tables: Joined, plan: Plan, wanted: Wanted) -> list[DataError]:
    """Say which columns are in neither table, and which are in both.

    Parameters
    ----------
    tables : Joined
        The tables.
    plan : Plan
        The programme file.
    wanted : sequence of (str, str)
        The columns that the plan names, without the keys of persons.
    """
    keys = person_columns(plan)
    if tables.offers is None:
        return tables.participants.missing_columns([*keys, *wanted])
    both = (tables.participants, tables.offers)
    paths = " and ".join(table.path for table in both)
    faults: list[DataError] = []
    names: list[str] = []
    for table, key in zip(both, keys, strict=True):
        # With what else of the plan is there, so that a wrong file is told from a wrong name.
        here = [w for w in (key, *wanted) if w[1] in table.cells]
        faults += table.missing_columns(list(dict.fromkeys([key, *here])))
        if here:  # otherwise the first line may be a person's, and no name of it is shown
            names += map(str, table.cells)
    if known := [w for w in (*keys, *wanted) if w[1] in names]:
        how = "; ".join(table.how for table in both)
        either = RawTable(paths, pd.DataFrame(columns=list(dict.fromkeys(names)), dtype="str"), how)
        nowhere = [w for w in wanted if w[1] not in names]
        faults += either.missing_columns([*known, *nowhere])
    for name, said in {name: key for key, name in reversed(wanted)}.items():
        if all(name in table.cells for table in both):
            faults.append(
                DataError(
                    f"{paths}: both have a column `{name}` ({said}), and which of them is meant "
                    "cannot be told. Leave it out of one of them, or give it another name."
                )
            )
    return faults
