"""The flow: every decision on the raw rows with its counts, so that totals reconcile."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

GENDERS = ("women", "men")
COUNTS = ("n", *GENDERS, "persons", *(f"{g}_persons" for g in GENDERS))


@dataclass
class Flow:
    """A record of decisions on the participants, filled in their order.

    Attributes
    ----------
    gender, arm : ndarray of str or None, shape (n,)
        Known gender and arm of each raw row.
    arms, genders : sequence of str
        The arms, control first; the genders that the plan speaks of.
    kept : ndarray of bool, shape (n,)
        Rows that no decision has excluded so far.
    source : ndarray of int, shape (n,)
        Position among the rows received, of which a person may have given several.
    """

    gender: np.ndarray
    arm: np.ndarray
    arms: Sequence[str]
    genders: Sequence[str]
    kept: np.ndarray = field(init=False)
    source: np.ndarray = field(init=False)
    entries: list[dict[str, object]] = field(default_factory=list)
    rejected: list[pd.DataFrame] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.kept = np.ones(len(self.arm), dtype=bool)
        self.source = np.arange(len(self.arm))
        self._tell_apart()
        self._enter("received", "", self.kept)

    def _tell_apart(self) -> None:
        self._of_gender = {g: self.gender == g for g in GENDERS}
        self._of_arm = {a: self.arm == a for a in self.arms}

    def copy(self) -> Flow:
        """Return a record that goes on from here and leaves this one as it is."""
        other = copy.copy(self)
        other.kept, other.entries, other.rejected = (
            self.kept.copy(),
            self.entries[:],
            self.rejected[:],
        )
        return other

    def spread(self, row: np.ndarray, arm: np.ndarray, added: np.ndarray, reason: str) -> Flow:
        """Return a record that goes on with other rows, those added counted.

        Parameters
        ----------
        row : ndarray of int, shape (m,)
            Position of each among the rows so far, each of which is there once or more.
        arm : ndarray of str or None, shape (m,)
            Their arms.
        added : ndarray of bool, shape (m,)
            Rows beyond those there were; they are kept.
        reason : str
            Why they are there.
        """
        other = self.copy()
        other.gender, other.arm, other.source = self.gender[row], arm, self.source[row]
        other.kept = self.kept[row] | added
        other._tell_apart()
        other._enter("added", reason, added)
        return other

    def exclude(self, rows: np.ndarray, reason: str) -> None:
        """Take rows out of the study, counted and kept in the quarantine."""
        rows = rows & self.kept
        self._enter("excluded", reason, rows)
        self.rejected.append(_rejected("participants", self.source[rows], reason))
        self.kept &= ~rows

    def note(self, rows: np.ndarray, reason: str) -> None:
        """Count rows to which something was done that does not exclude them."""
        if (rows & self.kept).any():
            self._enter("noted", reason, rows & self.kept)

    def mark(self, step: str, reason: str, rows: np.ndarray) -> None:
        """Count the kept rows that reach a later step."""
        self._enter(step, reason, rows & self.kept)

    def _enter(self, step: str, reason: str, rows: np.ndarray) -> None:
        entry: dict[str, object] = {"step": step, "reason": reason, "n": int(rows.sum())}
        for gender, members in self._of_gender.items():
            entry[gender] = int((rows & members).sum()) if gender in self.genders else None
        for arm, members in self._of_arm.items():
            entry[f"arm={arm}"] = int((rows & members).sum())
        self.entries.append(entry)

    @property
    def excluded(self) -> list[tuple[str, int]]:
        """The reasons for which rows were taken out, each with its rows, in their order."""
        found = ((e["reason"], e["n"]) for e in self.entries if e["step"] == "excluded")
        return [(str(why), n) for why, n in found if isinstance(n, int) and n]

    @property
    def table(self) -> pd.DataFrame:
        """The entries as `schemas.FLOW`."""
        return pd.DataFrame(self.entries)

    @property
    def quarantine(self) -> pd.DataFrame:
        """The excluded rows as `schemas.QUARANTINE`, in the order of the decisions."""
        return pd.concat(self.rejected, ignore_index=True)


@dataclass
class RowDecisions:
    """A record of decisions on the rows of a table that is linked to the persons.

    Attributes
    ----------
    table : str
        Name of the table in the plan.
    kept : ndarray of bool, shape (n,)
        Rows that no decision has excluded so far.
    """

    table: str
    kept: np.ndarray
    _excluded: list[tuple[str, np.ndarray]] = field(default_factory=list)

    @classmethod
    def of(cls, table: str, size: int) -> RowDecisions:
        """Begin with all rows of a table."""
        return cls(table, np.ones(size, dtype=bool))

    def exclude(self, rows: np.ndarray, reason: str) -> None:
        """Take rows out, counted and kept in the quarantine."""
        self._excluded.append((reason, np.flatnonzero(rows & self.kept)))
        self.kept &= ~rows

    def cleaning(self, person: np.ndarray, gender: np.ndarray) -> pd.DataFrame:
        """Return the counts as `schemas.CLEANING`; what was never met is not told.

        Parameters
        ----------
        person : ndarray of int, shape (n,)
            Position of the person of each row in ``gender``, -1 where there is none.
        gender : ndarray of str or None, shape (persons,)
            "women", "men" or None.
        """
        steps = [("received", "", np.arange(len(self.kept)))]
        steps += [("excluded", reason, at) for reason, at in self._excluded if len(at)]
        steps.append(("kept", "", np.flatnonzero(self.kept)))
        members = {g: np.append(gender == g, False) for g in GENDERS}  # the last is nobody
        entries = []
        for step, reason, at in steps:
            who = person[at]
            rows = {"n": len(at)} | {g: int(members[g][who].sum()) for g in GENDERS}
            met = np.zeros(len(gender) + 1, dtype=bool)
            met[who] = True
            met[-1] = False
            rows |= {"persons": int(met.sum())}
            rows |= {f"{g}_persons": int((met & members[g]).sum()) for g in GENDERS}
            entries.append({"table": self.table, "step": step, "reason": reason, **rows})
        return pd.DataFrame(entries)

    @property
    def quarantine(self) -> pd.DataFrame:
        """The excluded rows as `schemas.QUARANTINE`, in the order of the decisions."""
        rejected = [_rejected(self.table, at, reason) for reason, at in self._excluded]
        return pd.concat([_rejected(self.table, np.zeros(0, int), ""), *rejected])


def no_cleaning() -> pd.DataFrame:
    """Return `schemas.CLEANING` without rows."""
    texts = pd.DataFrame({name: pd.Series(dtype="str") for name in ("table", "step", "reason")})
    return texts.assign(**{name: pd.Series(dtype="int64") for name in COUNTS})


def _rejected(table: str, at: np.ndarray, reason: str) -> pd.DataFrame:
    return pd.DataFrame({"table": table, "source_row": at + 1, "reason": reason})
