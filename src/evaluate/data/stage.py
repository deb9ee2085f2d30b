"""The stage `data`: all raw tables of a programme to a clean study."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa

from evaluate.data.clean import Cleaned, Prepared, Tables, finish, prepare, read_tables
from evaluate.data.privacy import pseudonyms, secret_of_study
from evaluate.data.readers.content import fingerprint
from evaluate.data.registers.cost_tables import cost_tables, read_cost_tables
from evaluate.data.registers.link import Linked, link
from evaluate.plan.model import Plan


@dataclass(frozen=True)
class Stage:
    """What the stage `data` makes.

    Attributes
    ----------
    tables : dict of str to DataFrame
        participants, flow, cleaning, dose, states, cost_records and staff_hours, as in
        `schemas`; the last five without rows where the plan has no such table.
    outcomes : Table
        As `schemas.OUTCOMES`, in the order of the participants.
    quarantine : Table
        As `schemas.QUARANTINE`, the rejected rows of all tables.
    databases : dict of str to dict
        For each table from a database, what provenance tells of it.
    """

    tables: dict[str, pd.DataFrame]
    outcomes: pa.Table
    quarantine: pa.Table
    databases: dict[str, dict[str, Any]]


def run_stage(
    plan: Plan,
    folder: str | Path,
    *,
    memory_gb: float = 2.0,
    threads: int = 2,
    seed: int = 0,
) -> Stage:
    """Read, clean and link all raw tables of a programme.

    Parameters
    ----------
    plan : Plan
        The programme file.
    folder : path
        For what does not fit into memory; made and removed.
    memory_gb : float
        What linked tables may take of memory.
    threads : int
        Threads of the engine.
    seed : int
        Of the study, for the drawing of comparison persons.

    Raises
    ------
    Problems, EvaluateError
        All faults that were found in the first table that has any.
    """
    secret = secret_of_study()
    raw = read_tables(plan)
    prepared = prepare(raw, plan, seed)
    if secret is not None and prepared.key is not None:
        prepared = _named(prepared, secret)
    weight = cluster = None
    if prepared.participants["weight"].notna().any():
        weight = prepared.participants["weight"].to_numpy(dtype=float)
    if plan.columns.clustered:
        cluster = prepared.participants["cluster"].to_numpy(dtype=object)
    of_costs = read_cost_tables(plan)
    records, hours = cost_tables(of_costs, plan, prepared.flow.arms)
    databases = _databases(plan, raw | of_costs)
    linked = link(
        plan,
        prepared.people,
        weight,
        folder,
        cluster=cluster,
        memory_gb=memory_gb,
        threads=threads,
    )
    study = finish(prepared, linked.outcomes, plan, linked.doses)
    cleaning = [t for t in (study.cleaning, linked.cleaning) if len(t)]
    tables = {
        "participants": study.participants,
        "flow": study.flow,
        "cleaning": pd.concat(cleaning, ignore_index=True) if cleaning else study.cleaning,
        "dose": linked.dose,
        "states": linked.states,
        "cost_records": records,
        "staff_hours": hours,
    }
    outcomes = pa.Table.from_pandas(study.outcomes, preserve_index=False)
    return Stage(tables, outcomes, _quarantine(study, linked), databases | linked.databases)


def _named(prepared: Prepared, secret: bytes) -> Prepared:
    """Give the persons pseudonyms, keyed hashes of the keys that came last."""
    assert prepared.key is not None
    keys = prepared.key.to_numpy(dtype=object)[prepared.people.kept]
    return replace(
        prepared, participants=prepared.participants.assign(person=pseudonyms(keys, secret))
    )


def _databases(plan: Plan, tables: Tables) -> dict[str, dict[str, Any]]:
    return {
        name: fingerprint(plan.data.tables[name], raw.content)
        for name, raw in tables.items()
        if raw.content is not None
    }


def _quarantine(study: Cleaned, linked: Linked) -> pa.Table:
    persons = pa.Table.from_pandas(
        study.quarantine,
        schema=pa.schema(
            [("table", pa.string()), ("source_row", pa.int64()), ("reason", pa.string())]
        ),
        preserve_index=False,
    )
    same = [part.cast(persons.schema) for part in linked.quarantine]
    return pa.concat_tables([persons, *same])
