"""Persons and rows of linked tables built by hand, and the plan that reads them."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Sequence

import numpy as np
import pyarrow as pa

from evaluate.data.people import People
from evaluate.plan.model import Plan

COVERAGE, EXTRACT = datetime.date(2019, 1, 1), datetime.date(2020, 3, 31)
GENDERS = ("women", "men", None)


def plan_with(outcomes: dict | None = None, columns: dict | None = None, **data: object) -> Plan:
    """Return a plan with linked tables; ``columns`` is added to."""
    work = {"work": {"column": "work", "unit": "hours"}}
    return Plan.model_validate(
        {
            "title": {"en": "Simulated", "sv": "Simulerat"},
            "design": "randomised",
            "data": {
                "participants": {"path": "p.csv"},
                "coverage": str(COVERAGE),
                "extract_date": str(EXTRACT),
            }
            | data,
            "columns": {
                "person": "person",
                "gender": {"column": "sex", "women": 2, "men": 1},
                "treatment": {"column": "arm", "control": 0},
                "offered": "offered",
            }
            | (columns or {}),
            "outcomes": outcomes or work,
        }
    )


def people(zeros: Sequence[datetime.date | None], kept: Sequence[bool] | None = None) -> People:
    """Return persons p0, p1 ...: women, men and not known in turn, control and arm 1 in turn.

    The first of them had the key old0 before.
    """
    n = len(zeros)
    return People(
        source_row=np.arange(1, n + 1),
        gender=np.array([GENDERS[i // 2 % 3] for i in range(n)], dtype=object),
        arm=np.array([str(i % 2) for i in range(n)], dtype=object),
        kept=np.array(kept if kept is not None else [True] * n, dtype=bool),
        day_zero=np.array(zeros, dtype="datetime64[D]"),
        alias_text=np.array([f"p{i}" for i in range(n)] + ["old0"], dtype=object),
        alias_person=np.append(np.arange(n), 0),
    )


def person_of(key: str, who: People) -> int | None:
    """Return the position of the person that a key denotes."""
    found = np.flatnonzero(who.alias_text == key)
    return int(who.alias_person[found[0]]) if len(found) else None


def batches(names: Sequence[str], rows: Sequence[Sequence[object]]) -> Iterator[pa.RecordBatch]:
    """Give rows as a reader does: as text, with their number, in two batches."""
    text = [["" if cell is None else str(cell) for cell in row] for row in rows]
    columns = list(zip(*text, strict=True)) if text else [[] for _ in names]
    table = {n: pa.array(list(c), pa.string()) for n, c in zip(names, columns, strict=True)}
    batch = pa.record_batch(table | {"source_row": pa.array(np.arange(1, len(rows) + 1))})
    cut = len(rows) // 2
    return iter([batch.slice(0, cut), batch.slice(cut)])
