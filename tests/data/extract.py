"""A small raw extract as an agency might send it, and the plan that reads it."""

from __future__ import annotations

from pathlib import Path

from evaluate.data.clean import Cleaned, clean
from evaluate.data.readers.read import read_table
from evaluate.plan.model import Plan
from evaluate.plan.sources import Table

Row = dict[str, str]
FILE = "p.csv"


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
            "data": {"participants": {"path": str(path), **sections.pop("file", {})}},
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


def cleaned(path: Path, rows: list[Row], **sections: object) -> Cleaned:
    """Write rows, read and clean them."""
    made = plan(write(path, rows), **sections)
    return clean(read_table(made.data.participants), made)


def read(path: Path, content: bytes | str, **declared: object):
    """Write a file and read it."""
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_table(Table(path=str(path), **declared))
