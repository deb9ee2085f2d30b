"""The linked tables of a study, each read once, for the persons that are in it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa

from evaluate import schemas
from evaluate.data.codebook import load_codebook
from evaluate.data.identity_numbers import IdentityCounts, identity_counts
from evaluate.data.people import People
from evaluate.data.privacy import identity_faults
from evaluate.data.readers.content import fingerprint
from evaluate.data.readers.source import missing_columns
from evaluate.data.readers.stream import SOURCE_ROW, Stream, open_stream
from evaluate.errors import PlanError, Problems
from evaluate.plan.model import Plan
from evaluate.plan.sources import Activities, Incomes, Spells

if TYPE_CHECKING:
    from evaluate.data.registers.decisions import Tally

TABLES = ("spells", "activities", "incomes")


@dataclass(frozen=True)
class Linked:
    """What the linked tables say of the persons kept.

    Attributes
    ----------
    outcomes : dict of str to array, shape (kept,)
        Outcome columns by name, missing where not observed.
    cleaning : DataFrame
        As `schemas.CLEANING`.
    quarantine : list of Table
        As `schemas.QUARANTINE`.
    dose, states : DataFrame
        As `schemas.DOSE` and `schemas.STATES`.
    databases : dict of str to dict
        For each table from a database, what provenance tells of it.
    doses : dict of str to ndarray, shape (kept,)
        Numbers of activities by dose, NaN where not observed.
    """

    outcomes: dict[str, Any]
    cleaning: pd.DataFrame
    quarantine: list[pa.Table]
    dose: pd.DataFrame
    states: pd.DataFrame
    databases: dict[str, dict[str, Any]]
    doses: dict[str, np.ndarray] = field(default_factory=dict)


def link(
    plan: Plan,
    people: People,
    weight: np.ndarray | None,
    folder: str | Path,
    *,
    cluster: np.ndarray | None = None,
    memory_gb: float = 2.0,
    threads: int = 2,
) -> Linked:
    """Read and clean the linked tables.

    Parameters
    ----------
    plan : Plan
        The programme file.
    people : People
        The persons.
    weight : ndarray, shape (kept,), or None
        Weights of the persons kept.
    folder : path
        For what the engine writes when memory does not suffice; made and removed.
    cluster : ndarray, shape (kept,), optional
        Clusters of the persons kept, where persons are not independent.
    memory_gb, threads
        As for `engine.engine`.

    Raises
    ------
    Problems, DataError
        What is wrong with a table that no decision covers.
    """
    found = Linked(
        {}, _empty(schemas.CLEANING), [], _empty(schemas.DOSE), _empty(schemas.STATES), {}
    )
    if not any(getattr(plan.data, name) for name in TABLES):
        return found
    # DuckDB takes a while to import, and many a study has no linked table.
    from evaluate.data.registers.activities import activity_dose
    from evaluate.data.registers.decisions import people_table
    from evaluate.data.registers.engine import engine
    from evaluate.data.registers.incomes import income_months
    from evaluate.data.registers.spells import spell_months

    tallies: list[Tally] = []
    outcomes, dose, states = found.outcomes, found.dose, found.states
    with engine(folder, memory_gb=memory_gb, threads=threads) as connection:
        people_table(connection, people)
        for name in TABLES:
            section = getattr(plan.data, name)
            if section is None:
                continue
            stream = open_stream(section, name)
            rows = _watched(stream, section, plan, name)
            if isinstance(section, Spells):
                book = load_codebook(section.codebook) if section.codebook else None
                spells = spell_months(connection, rows, plan, people, book, weight)
                tallies.append(spells.tally)
                outcomes |= {
                    column: pd.array(values, dtype=pd.ArrowDtype(values.type))
                    for column, values in spells.columns.items()
                }
                states = spells.states
            elif isinstance(section, Activities):
                book = load_codebook(section.codebook) if section.codebook else None
                given = activity_dose(connection, rows, plan, people, book, weight, cluster)
                tallies.append(given.tally)
                dose = given.table
                found.doses.update(given.persons)
            elif isinstance(section, Incomes):
                incomes = income_months(connection, rows, plan, people)
                tallies.append(incomes.tally)
                outcomes |= incomes.columns
            connection.execute(f"DROP TABLE {name}")
            if stream.content is not None:
                found.databases[name] = fingerprint(section, stream.content)
    cleaning = pd.concat([t.cleaning for t in tallies], ignore_index=True)
    quarantine = [t.quarantine for t in tallies]
    return Linked(outcomes, cleaning, quarantine, dose, states, found.databases, found.doses)


def _empty(schema: Any) -> pd.DataFrame:
    return pd.DataFrame(columns=list(schema.columns))


def wanted(section: Spells | Activities | Incomes, plan: Plan, name: str) -> list[tuple[str, str]]:
    """Return the columns that the plan names in a linked table, each after its key."""
    own = "data." + name
    person = section.person or plan.columns.person or ""
    columns = [("columns.person" if section.person is None else f"{own}.person", person)]
    keys = {"spells": ("start", "end", "state"), "activities": ("date", "kind")}
    columns += [(f"{own}.{key}", getattr(section, key)) for key in keys.get(name, ("period",))]
    if isinstance(section, Incomes):
        columns += [
            (f"outcomes.{key}.incomes", o.incomes)
            for key, o in plan.outcomes.items()
            if o.incomes is not None
        ]
    return columns


def _watched(
    stream: Stream, section: Spells | Activities | Incomes, plan: Plan, name: str
) -> Iterator[pa.RecordBatch]:
    """Give the rows of a table, and stop at its end if identity numbers were where none belong.

    Raises
    ------
    Problems
        At once where columns are not there.
    """
    columns = wanted(section, plan, name)
    if absent := missing_columns(stream.path, stream.how, stream.header, columns):
        raise Problems(absent)
    if used := [
        PlanError(f"{key}: column `{column}` is among the `identifiers`, which are not used.")
        for key, column in columns[1:]  # the first is the key of persons
        if column in section.identifiers
    ]:
        raise Problems(used)
    allowed = {columns[0][1], SOURCE_ROW, *section.identifiers}

    def rows() -> Iterator[pa.RecordBatch]:
        counts: dict[str, IdentityCounts] = {}
        for batch in stream.batches:
            for column in set(batch.schema.names) - allowed:
                found = identity_counts(batch[column])
                counts[column] = counts[column] + found if column in counts else found
            yield batch
        if faults := identity_faults(stream.path, {c: counts[c] for c in sorted(counts)}):
            raise Problems(faults)

    return rows()
