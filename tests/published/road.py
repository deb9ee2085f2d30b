"""A published trial down the ordinary road: programme file, raw file, cleaning, effects."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from pathlib import Path

import pandas as pd
from studies import write_raw, write_study

from evaluate.data.clean import clean
from evaluate.data.readers.read import read_table
from evaluate.effects.table import effects
from evaluate.plan.load import load_plan
from evaluate.study import study_of


def effects_in(folder: Path, programme: str | Path) -> pd.DataFrame:
    """Return the table of effects of a programme file, its paths relative to ``folder``."""
    with contextlib.chdir(folder):
        plan = load_plan(programme)
        cleaned = clean(read_table(plan.data.participants), plan)
        table = effects(study_of(cleaned.participants, cleaned.outcomes, plan), plan).table
    return table.set_index(["estimator", "group", "outcome", "arm"]).sort_index()


def effects_of(folder: Path, plan: Mapping[str, object], raw: pd.DataFrame) -> pd.DataFrame:
    """Write a programme file and its raw data, and return its table of effects."""
    programme = {
        "title": {"en": "Published", "sv": "Publicerad"},
        "design": "randomised",
        "data": {"participants": {"path": "data/raw/published/p.csv"}},
    }
    write_study(folder, {"published": programme | dict(plan)})
    write_raw(folder, "published", raw)
    return effects_in(folder, "config/programmes/published.yaml")


def as_printed(row: pd.Series, decimals: int) -> tuple[float, float]:
    """Return an estimate and its standard error with a publication's decimals."""
    return round(float(row.estimate), decimals), round(float(row.std_error), decimals)
