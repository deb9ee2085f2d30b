"""A small raw extract as an agency might send it, and the plan that reads it."""

from __future__ import annotations

from pathlib import Path

from evaluate.data.clean import Cleaned, Prepared, clean, prepare, read_tables
from evaluate.data.readers.read import read_table
from evaluate.plan.model import Plan
from evaluate.plan.sources import Table

Row = dict[str, str]
FILE = "p.csv"
DAY = "2020-03-02"


def people(n: int = 16, **columns: str) -> list[Row]:
    """Return persons, half of them women, half in each arm; further columns hold one value."""
    return [
        {
            "id": f"p{i}",
            "kön": "KM"[i % 2],
            "arm": str(i // 2 % 2),
            "lön": f"{1000 + 37.5 * i}".replace(".", ","),
            "arbete": "nej" if i % 3 else "ja",
            "ålder": str(20 + i),
            **columns,
        }
        for i in range(n)
    ]


def assessed(n: int = 16, **columns: str) -> list[Row]:
    """Return the same persons without their arms, which an assignment table then holds."""
    return [{k: v for k, v in row.items() if k != "arm"} for row in people(n, **columns)]


def offers(n: int = 16, **columns: str) -> list[Row]:
    """Return an offer for each of the first persons, in the arms of `people`."""
    return [{"id": r["id"], "arm": r["arm"], "dag": DAY, **columns} for r in people(n)]


def plan(path: str | Path = FILE, **sections: object) -> Plan:
    """Return the plan of the extract; ``columns`` and ``outcomes`` are added to."""
    columns: dict[str, object] = {
        "person": "id",
        "gender": {"column": "kön", "women": "K", "men": "M"},
        "treatment": {"column": "arm", "control": 0},
    }
    outcomes: dict[str, object] = {
        "earn": {"column": "lön", "unit": "SEK"},
        "work": {"column": "arbete", "event": "ja", "unit": "share"},
    }
    return Plan.model_validate(
        {
            "title": {"en": "Simulated", "sv": "Simulerad"},
            "design": "randomised",
            "data": {"participants": {"path": str(path), **sections.pop("file", {})}}
            | sections.pop("data", {}),
            "columns": columns | sections.pop("columns", {}),
            "outcomes": outcomes | sections.pop("outcomes", {}),
            "covariates": ["ålder"],
            **sections,
        }
    )


def write(path: Path, rows: list[Row], delimiter: str = ";", header: bool = True) -> Path:
    """Write rows as delimited text."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    lines = [names] if header else []
    lines += [[row.get(name, "") for name in names] for row in rows]
    path.write_text("".join(f"{delimiter.join(line)}\n" for line in lines), encoding="utf-8")
    return path


def cleaned(
    path: Path,
    rows: list[Row],
    offer_rows: list[Row] | None = None,
    keys: list[Row] | None = None,
    **sections: object,
) -> Cleaned:
    """Write the tables, read and clean them."""
    made = planned(path, rows, offer_rows, keys, **sections)
    return clean(read_tables(made), made)


def prepared(
    path: Path,
    rows: list[Row],
    offer_rows: list[Row] | None = None,
    keys: list[Row] | None = None,
    **sections: object,
) -> Prepared:
    """Write the tables and prepare the persons."""
    made = planned(path, rows, offer_rows, keys, **sections)
    return prepare(read_tables(made), made)


def planned(
    path: Path,
    rows: list[Row],
    offer_rows: list[Row] | None = None,
    keys: list[Row] | None = None,
    **sections: object,
) -> Plan:
    """Write the tables that are there and return the plan that names them."""
    data: dict[str, object] = dict(sections.pop("data", {}))  # type: ignore[call-overload]
    for name, table in (("assignment", offer_rows), ("keys", keys)):
        if table is not None:
            file = write(path.with_name(f"{name}.csv"), table)
            data[name] = {"path": str(file), **data.get(name, {})}  # type: ignore[dict-item]
    return plan(write(path, rows), data=data, **sections)


def read(path: Path, content: bytes | str, **declared: object):
    """Write a file and read it."""
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_table(Table(path=str(path), **declared))
