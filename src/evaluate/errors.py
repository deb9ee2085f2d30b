"""Errors a user can act on: what is wrong, where, in how many rows, what to do.

A message names files, columns, rules and counts of rows, never a person's value.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path


class EvaluateError(Exception):
    """Base of all errors that are the input's fault, not the program's."""


class PlanError(EvaluateError):
    """The programme file or the configuration breaks a rule."""


class DataError(EvaluateError):
    """The raw data break a rule that the plan or the schema states."""


class DesignError(EvaluateError):
    """The design cannot carry the estimate that was asked for."""


class ReleaseError(EvaluateError):
    """A file in the flow is not what its schema says."""


class Problems(EvaluateError):
    """Several problems found in one pass, so that all can be mended at once."""

    def __init__(self, problems: Sequence[EvaluateError | str]) -> None:
        self.problems = [str(p) for p in problems]
        super().__init__("\n".join(f"- {p}" for p in self.problems))


def rows(count: int) -> str:
    """Return ``count`` with its noun: "1 row", "12 rows"."""
    return f"{count:,} row" + ("" if count == 1 else "s")


@contextmanager
def reported(log: str | Path) -> Iterator[None]:
    """Turn an ``EvaluateError`` into its message, in ``log`` and on stderr, and exit code 1."""
    try:
        yield
    except EvaluateError as error:
        Path(log).write_text(f"{error}\n", encoding="utf-8")
        print(f"evaluate: {error}", file=sys.stderr)
        sys.exit(1)
    Path(log).write_text("done\n", encoding="utf-8")
