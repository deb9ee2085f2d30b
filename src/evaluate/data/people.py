"""What the linked tables need to know of the persons."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class People:
    """The persons of the participants table, and every key that denotes one of them.

    Attributes
    ----------
    source_row : ndarray of int64, shape (n,)
        Row of the participants as received, from 1; n is the number of those rows.
    gender : ndarray of object, shape (n,)
        "women" or "men", None where it is not known.
    arm : ndarray of object, shape (n,)
        The arm assigned, None where it is not known.
    kept : ndarray of bool, shape (n,)
        Rows that no decision has excluded.
    day_zero : ndarray of datetime64[D], shape (n,)
        The day from which a person's months are counted, NaT where it is not known.
    alias_text : ndarray of str, shape (k,)
        Keys as the raw tables spell them, each once: a person's own and those it had before.
    alias_person : ndarray of int64, shape (k,)
        For each key, the position of its person in the arrays of shape (n,).
    """

    source_row: np.ndarray
    gender: np.ndarray
    arm: np.ndarray
    kept: np.ndarray
    day_zero: np.ndarray
    alias_text: np.ndarray
    alias_person: np.ndarray
