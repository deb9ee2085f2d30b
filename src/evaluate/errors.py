"""Errors a user can act on: what is wrong, where, in how many rows, what to do.

A message names files, columns, rules and counts of rows, never a person's value.
"""

from __future__ import annotations

import os
import sys
import traceback
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


def persons(count: int) -> str:
    """Return ``count`` with its noun: "1 person", "12 persons"."""
    return f"{count:,} person" + ("" if count == 1 else "s")


@contextmanager
def reported(log: str | Path) -> Iterator[None]:
    """Turn an error into a message, in ``log`` and on stderr, and an exit code.

    An `EvaluateError` is told as it is and gives code 1. Any other is a fault of the program
    and gives code 2; its own words may quote the data, so only its kind and place are told.
    With the environment variable EVALUATE_DEBUG set, it is raised.
    """
    try:
        yield
    except EvaluateError as error:
        _tell(str(error), log)
        sys.exit(1)
    except Exception as error:
        if os.environ.get("EVALUATE_DEBUG"):
            raise
        _tell(fault_of_program(error), log)
        sys.exit(2)
    Path(log).write_text("done\n", encoding="utf-8")


def fault_of_program(error: Exception) -> str:
    """Tell the kind and place of an error that is not the input's, but not its own words."""
    steps = traceback.extract_tb(error.__traceback__)
    places = "\n".join(f"  {Path(s.filename).name}:{s.lineno} {s.name}" for s in steps)
    return (
        f"a fault of the program ({type(error).__name__}), not of the data. Please report "
        f"it with these places; EVALUATE_DEBUG=1 shows more, and may show data:\n{places}"
    )


def _tell(text: str, log: str | Path) -> None:
    Path(log).write_text(f"{text}\n", encoding="utf-8")
    print(f"evaluate: {text}", file=sys.stderr)
