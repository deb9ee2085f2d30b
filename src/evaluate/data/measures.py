"""What was measured of each person: outcomes, covariates, take-up, weights, costs."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pandas as pd

from evaluate.data.flow import Flow
from evaluate.data.readers.convert import Numbers, codes, missing, numbers
from evaluate.data.readers.read import RawTable
from evaluate.errors import DataError, EvaluateError, rows
from evaluate.notes import reason
from evaluate.plan.closed import Code, code_text
from evaluate.plan.model import Plan
from evaluate.plan.outcomes import Outcome

MOST_CATEGORIES = 50  # more are rather a key or a free text
MOST_GROUPS = 12


class Measures:
    """The columns of a raw table, each read once; faults go to the shared list."""

    def __init__(
        self, raw: RawTable, decimal: Literal["auto", ".", ","], faults: list[EvaluateError]
    ) -> None:
        self.raw = raw
        self.decimal = decimal
        self.faults = faults
        self.faulty: set[str] = set()
        self._numbers: dict[str, Numbers] = {}
        self._codes: dict[str, np.ndarray] = {}

    def absent(self, column: str) -> np.ndarray:
        """Return where a column is missing, shape (n,)."""
        return missing(self.raw.cells[column])

    def code(self, column: str) -> np.ndarray:
        """Return a column as codes, None where missing, shape (n,)."""
        if column not in self._codes:
            self._codes[column] = codes(self.raw.cells[column])
        return self._codes[column]

    def number(self, column: str) -> np.ndarray:
        """Return a column as floats, NaN where missing, shape (n,); a text is a fault."""
        if column in self._numbers:
            return self._numbers[column].values
        read = self._numbers[column] = numbers(self.raw.cells[column], self.decimal)
        if read.not_numbers.any():
            self._fault(
                column,
                f"{rows(int(read.not_numbers.sum()))} with a text that is not a number. Mend the "
                "data, declare `decimal`, or for an outcome name the `event` that counts as 1",
            )
        if read.ambiguous:
            self._fault(
                column,
                "the comma may be a decimal mark or a mark of thousands in all "
                'rows that have one. Declare `decimal: ","` or `decimal: "."` in the plan',
            )
        return read.values

    def _fault(self, column: str, what: str) -> None:
        self.faulty.add(column)
        fault = f"{self.raw.path}: column {column}: {what}."
        if fault not in map(str, self.faults):  # a column may be named twice
            self.faults.append(DataError(fault))

    def _not_finite(self, column: str, flow: Flow) -> None:
        flow.note(self._numbers[column].not_finite, reason("infinite", column=column))

    def participants(
        self, plan: Plan, flow: Flow, arm: np.ndarray, gender: np.ndarray
    ) -> pd.DataFrame:
        """Return the persons kept, as `schemas.PARTICIPANTS`."""
        columns, everyone = plan.columns, np.full(len(arm), np.nan)
        table: dict[str, np.ndarray] = {
            "source_row": np.arange(1, len(arm) + 1),
            "arm": arm,
            "gender": gender,
            "takeup": everyone,
            "block": np.full(len(arm), None, dtype=object),
            "weight": everyone,
            "share": everyone,
            "cost": everyone,
        }
        if columns.takeup:
            taken = self._happened(columns.takeup.column, columns.takeup.taken, "taken", flow)
            table["takeup"] = taken
            flow.note(np.isnan(table["takeup"]), reason("missing", column=columns.takeup.column))
        if columns.blocks:
            parts = [[f"{name}={c}" for c in self.code(name)] for name in columns.blocks]
            table["block"] = np.array([",".join(p) for p in zip(*parts, strict=True)], object)
        if columns.weight:
            table["weight"] = self._within(columns.weight, flow, 0, np.inf)
        if column := plan.assignment.probability:
            table["share"] = self._within(column, flow, 0, 1)
        if plan.costs and plan.costs.column:
            table["cost"] = self.number(plan.costs.column)
            self._not_finite(plan.costs.column, flow)
        for covariate in plan.covariate_list:
            table[f"covariate.{covariate.column}"] = self._covariate(
                covariate.column, covariate.kind, flow
            )
        for key, outcome in plan.outcomes.items():
            if outcome.baseline:
                table[f"baseline.{key}"] = self._values(outcome.baseline, outcome, flow)
        for name in plan.groups:
            table[f"group.{name}"] = self._group(name, flow)
        return pd.DataFrame(table)[flow.kept].reset_index(drop=True)

    def outcomes(self, plan: Plan, flow: Flow) -> pd.DataFrame:
        """Return the outcomes of the persons kept, as `schemas.OUTCOMES`."""
        table = {
            column.name: self._values(column.source, plan.outcomes[column.outcome], flow)
            for column in plan.outcome_columns
        }
        return pd.DataFrame(table)[flow.kept].reset_index(drop=True)

    def _values(self, column: str, outcome: Outcome, flow: Flow) -> np.ndarray:
        if outcome.event is not None:
            return self._happened(column, outcome.event, "event", flow)
        values = self.number(column)
        self._not_finite(column, flow)
        if outcome.unit == "share" and not outcome.transform:
            outside = flow.kept & ((values < 0) | (values > 1))
            if outside.any():
                self._fault(
                    column,
                    f"{rows(int(outside.sum()))} below 0 or above 1, but the unit is share. "
                    "Name the `event` that counts as 1, or another unit",
                )
        if outcome.transform == "log":
            positive = values > 0
            without = flow.kept & ~positive & ~np.isnan(values)
            if without.any():
                self._fault(
                    column,
                    f"{rows(int(without.sum()))} at or below 0, which has no logarithm. Leave "
                    "out `transform: log`: dropping those rows would change the population",
                )
            return np.log(values, where=positive, out=np.full(len(values), np.nan))
        return values

    def _happened(self, column: str, code: Code, key: str, flow: Flow) -> np.ndarray:
        """Return 1 where a column has the code, 0 where another, NaN where missing."""
        has_code = self.code(column) == code_text(code)
        if flow.kept.any() and not has_code[flow.kept].any():
            self._fault(column, f"no row has `{code_text(code)}`, which the plan names as `{key}`")
        return np.where(self.absent(column), np.nan, has_code.astype(float))

    def _within(self, column: str, flow: Flow, low: float, high: float) -> np.ndarray:
        values = self.number(column)
        wrong = flow.kept & ~self._numbers[column].not_numbers & ~((values > low) & (values < high))
        if wrong.any():
            bound = f"above {low:g}" + (f" and below {high:g}" if np.isfinite(high) else "")
            self._fault(column, f"{rows(int(wrong.sum()))} missing or not {bound}")
        return np.where(wrong, np.nan, values)

    def _covariate(self, column: str, kind: str, flow: Flow) -> np.ndarray:
        texts = numbers(self.raw.cells[column], self.decimal).not_numbers
        if kind == "numeric" or (kind == "auto" and not texts.any()):
            values = self.number(column)
            self._not_finite(column, flow)
            return values
        if kind == "auto" and texts.sum() < (~texts & ~self.absent(column)).sum():
            self._fault(
                column,
                f"{rows(int(texts.sum()))} with a text, but most rows have a number. Mend the "
                "data, or write `{column: " + column + ", kind: categorical}`",
            )
        values = self.code(column)
        count = len({v for v in values[flow.kept] if v is not None})
        if count > MOST_CATEGORIES:
            self._fault(
                column,
                f"{count:,} different texts; a categorical covariate has at most "
                f"{MOST_CATEGORIES}. Is it a key, or are some of its numbers not numbers",
            )
        return values

    def _group(self, column: str, flow: Flow) -> np.ndarray:
        values = self.code(column)
        count = len({v for v in values[flow.kept] if v is not None})
        if not 2 <= count <= MOST_GROUPS:
            self._fault(
                column, f"{count:,} different values; groups need 2 to {MOST_GROUPS} of them"
            )
        return values
