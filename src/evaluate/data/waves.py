"""Repeated offers: persons not offered in one wave may be in the lottery of a later one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from evaluate.data.persons import Identity
from evaluate.data.values import Values
from evaluate.errors import DataError, EvaluateError, rows
from evaluate.plan.columns import Columns, GenderColumn


@dataclass(frozen=True)
class Waves:
    """Offers of the same persons in other waves.

    Attributes
    ----------
    absent : ndarray of bool, shape (n,)
        Rows without a wave.
    already_offered : ndarray of bool, shape (n,)
        Rows of a person who had the offer in an earlier wave.
    offered_later : ndarray of bool, shape (n,)
        Rows of control of a person who gets the offer in a later wave.
    """

    absent: np.ndarray
    already_offered: np.ndarray
    offered_later: np.ndarray


def waves(
    values: Values,
    columns: Columns,
    identity: Identity,
    arm: np.ndarray,
    control: str,
    faults: list[EvaluateError],
) -> Waves | None:
    """Find who was offered before and who will be; None where the plan names no wave.

    All rows count that have a person, a wave and an arm, also those which other decisions leave
    out: the offer was made.

    Parameters
    ----------
    values : Values
        The columns of the persons.
    columns : Columns
        Of the plan.
    identity : Identity
        Whose row each is.
    arm : ndarray of str or None, shape (n,)
        The arm assigned in that wave.
    control : str
        The arm without an offer.
    faults : list of EvaluateError
        Takes what cannot be told: waves without an order.
    """
    if columns.wave is None:
        return None
    absent, person = values.absent(columns.wave), identity.person
    known = ~absent & (person >= 0) & ~pd.isna(arm)
    offered = known & (arm != control)
    has_several = np.bincount(person[known], minlength=len(person))[person] > 1
    if not (has_several & known).any():
        nowhere = np.zeros(len(person), dtype=bool)
        return Waves(absent, nowhere, nowhere)
    order = _order(values, columns, faults)
    first, last = np.full(len(person), np.inf), np.full(len(person), -np.inf)
    np.minimum.at(first, person[offered], order[offered])
    np.maximum.at(last, person[offered], order[offered])
    return Waves(
        absent,
        known & (order > first[person]),
        known & ~offered & (order < last[person]),
    )


def gender_faults(
    values: Values, columns: Columns, identity: Identity, gender: np.ndarray, kept: np.ndarray
) -> list[str]:
    """Say where a person is a woman in one wave and a man in another.

    Parameters
    ----------
    values : Values
        The columns of the persons.
    columns : Columns
        Of the plan.
    identity : Identity
        Whose row each is.
    gender : ndarray of str or None, shape (n,)
        Of each row.
    kept : ndarray of bool, shape (n,)
        The rows in the study.
    """
    known = kept & ~pd.isna(gender) & (identity.person >= 0)
    if columns.wave is None or not isinstance(columns.gender, GenderColumn) or not known.any():
        return []
    person = identity.person[known]
    several = pd.Series(gender[known]).groupby(person).nunique()
    differing = several.index[several > 1]
    if not len(differing):
        return []
    who = "1 person has" if len(differing) == 1 else f"{len(differing):,} persons have"
    column = columns.gender.column
    return [
        f"{values.tables.path(column)}: column {column} (columns.gender): {who} another gender in "
        f"some waves ({columns.wave}) than in others, "
        f"{rows(int(np.isin(person, differing).sum()))} in all. A person has one gender in all "
        "waves: find out which is right and mend the data, or leave the gender of these rows "
        "empty, so that they are in `all` alone."
    ]


def _order(values: Values, columns: Columns, faults: list[EvaluateError]) -> np.ndarray:
    """Return the place of each row's wave in time: its number, or its first day of an offer."""
    assert columns.wave is not None
    read = values.as_numbers(columns.wave)
    if not read.not_numbers.any():
        return np.nan_to_num(read.values, nan=0)
    if columns.offered is None:
        faults.append(
            DataError(
                f"{values.tables.path(columns.wave)}: column {columns.wave} (columns.wave): some "
                "persons are in several waves, and which came first cannot be told. Write the "
                "waves as numbers in their order, or name the day of the offer, columns.offered."
            )
        )
        return np.zeros(len(values.tables))
    day = pd.Series(values.date(columns.offered))
    first = day.groupby(values.code(columns.wave), dropna=False).transform("min")
    return np.where(first.isna(), 0, first.to_numpy().astype("datetime64[D]").astype(float))


def every_row(identity: Identity) -> tuple[np.ndarray, np.ndarray]:
    """Return each key as often as its person has rows, and the position of each row.

    Linked tables are then read for each row of its own, from its own day zero.

    Returns
    -------
    text : ndarray of str, shape (k,)
    row : ndarray of int, shape (k,)
    """
    rows = np.flatnonzero(
        (identity.first == np.arange(len(identity.first))) & (identity.person >= 0)
    )
    rows = rows[np.argsort(identity.person[rows], kind="stable")]
    start = np.searchsorted(identity.person[rows], identity.alias_person, side="left")
    count = np.searchsorted(identity.person[rows], identity.alias_person, side="right") - start
    place = np.repeat(start - np.cumsum(count) + count, count) + np.arange(count.sum())
    return np.repeat(identity.alias_text, count), rows[place]
