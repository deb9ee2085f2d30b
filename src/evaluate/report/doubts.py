"""What was asked of the findings of an observational study, by outcome."""

from __future__ import annotations

import pandas as pd

from evaluate.report.released import Released
from evaluate.report.words import Words


def refutations(released: Released, outcome: str, month: int | None, arm: str) -> pd.DataFrame:
    """Return the questions put to the estimates of an outcome in a month, of one contrast."""
    return at(released.refutations, outcome, month, arm)


def specifications(released: Released, outcome: str, month: int | None, arm: str) -> pd.DataFrame:
    """Return an outcome in a month by all analyses, of one contrast."""
    return at(released.specifications, outcome, month, arm)


def sensitivity(released: Released, outcome: str, month: int | None, arm: str) -> pd.DataFrame:
    """Return what hidden factors would have to do to an outcome in a month, of one contrast."""
    return at(released.sensitivity, outcome, month, arm)


def benchmark(released: Released, name: str, words: Words) -> str:
    """Return the name of the covariate that a hidden factor is compared with."""
    return words("strength.gender") if name == "gender" else released.covariate_title(name, words)


def at(table: pd.DataFrame, outcome: str, month: int | None, arm: str) -> pd.DataFrame:
    """Return the rows of an outcome in a month, of one contrast."""
    here = table["month"].isna() if month is None else table["month"] == month
    return table[(table["outcome"] == outcome) & (table["arm"] == arm) & here]
