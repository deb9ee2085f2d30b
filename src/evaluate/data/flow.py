"""The flow: every decision on the raw rows with its counts, so that totals reconcile."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd


@dataclass
class Flow:
    """A record of decisions, filled in their order.

    Attributes
    ----------
    gender, arm : ndarray of str or None, shape (n,)
        Known gender and arm of each raw row.
    arms, genders : sequence of str
        The arms, control first; the genders that the plan speaks of.
    kept : ndarray of bool, shape (n,)
        Rows that no decision has excluded so far.
    """

    gender: np.ndarray
    arm: np.ndarray
    arms: Sequence[str]
    genders: Sequence[str]
    kept: np.ndarray = field(init=False)
    entries: list[dict[str, object]] = field(default_factory=list)
    rejected: list[pd.DataFrame] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.kept = np.ones(len(self.arm), dtype=bool)
        self._enter("received", "", self.kept)

    def exclude(self, rows: np.ndarray, reason: str) -> None:
        """Take rows out of the study, counted and kept in the quarantine."""
        rows = rows & self.kept
        self._enter("excluded", reason, rows)
        self.rejected.append(
            pd.DataFrame({"source_row": np.flatnonzero(rows) + 1, "reason": reason})
        )
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
        for gender in ("women", "men"):
            known = gender in self.genders
            entry[gender] = int((rows & (self.gender == gender)).sum()) if known else None
        for arm in self.arms:
            entry[f"arm={arm}"] = int((rows & (self.arm == arm)).sum())
        self.entries.append(entry)

    @property
    def table(self) -> pd.DataFrame:
        """The entries as `schemas.FLOW`."""
        return pd.DataFrame(self.entries)

    @property
    def quarantine(self) -> pd.DataFrame:
        """The excluded rows as `schemas.QUARANTINE`, in the order of the decisions."""
        return pd.concat(self.rejected, ignore_index=True)
