"""Read simulated raw tables in the plainest way, without the readers of the package."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pandas as pd

from evaluate.data.simulated.study import Simulated, study

ENCODINGS = {"persons": "utf-8-sig", "keys": "utf-8", "spells": "utf-8"}
DAYS = {
    "persons": {"born": "%Y-%m-%d", "permit": "%Y-%m-%d"},
    "assignment": dict.fromkeys(("offered", "started", "ended"), "%d/%m/%Y"),
    "spells": dict.fromkeys(("start", "end"), "%Y-%m-%d"),
    "activities": {"date": "%Y%m%d"},
}
TABLES = (
    "persons", "assignment", "keys", "spells", "activities", "incomes", "costs", "time_reports",
)  # fmt: skip
COVERAGE, EXTRACT = pd.Timestamp("2015-01-01"), pd.Timestamp("2020-06-30")


def text(folder: Path, table: str) -> pd.DataFrame:
    """Return the cells as text."""
    return pd.read_csv(
        folder / f"{table}.csv",
        sep=";",
        encoding=ENCODINGS.get(table, "cp1252"),
        dtype=str,
        keep_default_na=False,
    )


def table(folder: Path, name: str) -> pd.DataFrame:
    """Return a sound table with its days as days; no text where a day is none passes."""
    return _table(folder, name).copy()


@cache
def _table(folder: Path, name: str) -> pd.DataFrame:
    frame = text(folder, name)
    for column, form in DAYS.get(name, {}).items():
        frame[column] = pd.to_datetime(frame[column].where(frame[column] != ""), format=form)
    return frame


def owner(folder: Path, keys: pd.Series) -> pd.Series:
    """Return the present key of each key, following the key table."""
    following = table(folder, "keys").set_index("old")["new"]
    for _ in range(3):
        keys = keys.map(following).fillna(keys)
    return keys


@cache
def sound_study(root: Path, persons: int, seed: int = 1) -> Simulated:
    """Return a study without faults, made once for each size and seed."""
    return study(root / f"{persons}-{seed}", persons, seed)
