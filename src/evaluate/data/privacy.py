"""Persons' keys become pseudonyms, and identity numbers stay where the plan expects them."""

from __future__ import annotations

import hmac
import os
import secrets
from collections.abc import Mapping

import numpy as np
import pyarrow as pa

from evaluate.data.identity_numbers import IdentityCounts, identity_counts, identity_like
from evaluate.data.readers.read import RawTable
from evaluate.errors import DataError, PlanError, rows
from evaluate.plan.model import Plan
from evaluate.plan.sources import AssignmentTable, Keys

KEY_VARIABLE = "EVALUATE_PSEUDONYM_KEY"
KEY_LENGTH = 16  # characters at least
PSEUDONYM = 24  # hexadecimal digits: among 10 million persons two agree once in 10^15 studies


def secret_of_study() -> bytes | None:
    """Return the key of the pseudonyms from the environment, None where there is none.

    Raises
    ------
    PlanError
        If it is too short to be one; its value is never told.
    """
    text = os.environ.get(KEY_VARIABLE, "").strip()
    if not text:
        return None
    if len(text) < KEY_LENGTH:
        raise PlanError(
            f"{KEY_VARIABLE}: shorter than {KEY_LENGTH} characters. Set a longer one, drawn at "
            "random, or none: then persons have no pseudonyms."
        )
    return text.encode()


def random_secret() -> bytes:
    """Return a key for one process, drawn by the system and never written."""
    return secrets.token_bytes(32)


def pseudonyms(keys: np.ndarray, secret: bytes) -> np.ndarray:
    """Return a keyed hash (HMAC-SHA-256) of each key, shape (n,).

    Parameters
    ----------
    keys : ndarray of str, shape (n,)
        Persons' keys, None where missing.
    secret : bytes
        Without it nobody can tell whose a pseudonym is, not even by trying all numbers.

    Raises
    ------
    DataError
        If two keys give the same pseudonym.
    """
    keyed = hmac.new(secret, digestmod="sha256")

    def pseudonym(key: str) -> str:
        one = keyed.copy()
        one.update(key.encode())
        return one.hexdigest()[:PSEUDONYM]

    found = [None if key is None else pseudonym(key) for key in keys]
    if len(set(found)) < len(set(keys)):
        raise DataError(f"two persons' keys give one pseudonym. Set another {KEY_VARIABLE}.")
    return np.array(found, dtype=object)


def identity_numbers(tables: Mapping[str, RawTable], plan: Plan) -> list[DataError]:
    """Find columns of raw tables that hold identity numbers and should not.

    Parameters
    ----------
    tables : mapping of str to RawTable
        By their names in the plan.
    plan : Plan
        The programme file.
    """
    faults = []
    for name, raw in tables.items():
        section = plan.data.tables[name]
        if isinstance(section, Keys):
            allowed = {section.old, section.new}
        elif isinstance(section, AssignmentTable) and section.person:
            allowed = {section.person}
        else:
            of_persons = name in ("participants", "assignment")
            allowed = {plan.columns.person or ""} if of_persons else set()
        columns = [c for c in raw.cells if c not in allowed | set(section.identifiers)]
        counts = {str(column): identity_counts(raw.cells[column]) for column in columns}
        faults += identity_faults(raw.path, counts)
    return faults


def identity_faults(path: str, counts: Mapping[str, IdentityCounts]) -> list[DataError]:
    """Say which columns hold identity numbers, and what to do.

    Parameters
    ----------
    path : str
        The file, for the message.
    counts : mapping of str to IdentityCounts
        Of each column that should hold none, over all its rows.
    """
    names = identity_like(pa.array(list(counts), type=pa.string()))
    faults = [
        DataError(
            f"{path}: the name of a column is shaped like a personal identity number. Is the "
            "first line the header?"
        )
        for _ in range(int(names.any()))
    ]
    return faults + [
        DataError(
            f"{path}: column {name}: {rows(found.rows)} with a number shaped like a personal "
            "identity number. Have the column taken out of the delivery; or list it under "
            "`identifiers` of its table in the plan, then it is not used; or, if it is the "
            "person's key, name it so in the plan."
        )
        for (name, found), is_one in zip(counts.items(), names, strict=True)
        if found.rows and not is_one
    ]
