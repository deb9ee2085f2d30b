"""What leaves no probability of treatment to estimate: said with the covariate and the numbers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from evaluate.covariates import Covariates
from evaluate.errors import DesignError, persons

MOST_MISSING = 0.5  # share of persons without a covariate above which it is refused
NAMED = 3  # covariates in a message


def refuse_missing(x: Covariates) -> None:
    """Refuse covariates that most persons lack."""
    absent = np.isnan(x.values).sum(axis=0)
    most = [
        f"{name} ({count:,})"
        for name, count in zip(x.names, absent, strict=True)
        if count > MOST_MISSING * len(x.values)
    ]
    if most:
        raise DesignError(
            f"missing for more than half of {persons(len(x.values))}: {', '.join(most)}. "
            "Take them out of the covariates."
        )


def refuse_one_arm(treated: np.ndarray, among: str) -> None:
    """Refuse persons of one arm only."""
    count = int(treated.sum())
    if count in (0, len(treated)):
        what = "treated" if count == 0 else "compared"
        raise DesignError(
            f"nobody is {what} of the {persons(len(treated))}{among}: no probability of "
            "treatment can be estimated. Take the persons out, or fit the groups together."
        )


def refuse_wide(columns: int, treated: np.ndarray, among: str) -> None:
    """Refuse as many columns as the smaller arm has persons."""
    count = int(treated.sum())
    if columns >= min(count, len(treated) - count):
        raise DesignError(
            f"{columns} covariate columns, and {count:,} treated and {len(treated) - count:,} "
            f"compared persons{among}: name fewer covariates."
        )


def separated(names: Sequence[str], x: np.ndarray, treated: np.ndarray, among: str) -> DesignError:
    """Return the error of covariates that tell who is treated, x of shape (n, p)."""
    count = int(treated.sum())
    told = separating(names, x, treated)
    by = f" ({', '.join(told[:NAMED])})" if told else ", several of them together"
    return DesignError(
        f"the covariates tell the {count:,} treated from the {len(treated) - count:,} compared "
        f"persons{among} without error{by}: no treated person has a like. Take out covariates "
        "that follow from treatment or from who is eligible, or choose other persons to compare."
    )


def separating(names: Sequence[str], x: np.ndarray, treated: np.ndarray) -> list[str]:
    """Name the covariates that alone tell who is treated, and how, without a value of theirs."""
    found = []
    for name, column in zip(names, x.T, strict=True):
        known = ~np.isnan(column)
        one, other = column[known & treated], column[known & ~treated]
        if not (len(one) and len(other)):
            continue
        sides = f"of all {len(one):,} treated {{}} that of all {len(other):,} compared"
        if one.min() > other.max():
            found.append(f"{name}: {sides.format('above')}")
        elif one.max() < other.min():
            found.append(f"{name}: {sides.format('below')}")
    return found
