"""What the gate let through, as the report reads it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from evaluate import schemas
from evaluate.io import read_csv
from evaluate.plan.config import Language
from evaluate.plan.model import Plan
from evaluate.release import RELEASED


@dataclass(frozen=True)
class Released:
    """The released tables of one programme, with its plan.

    Attributes
    ----------
    plan : Plan
        The programme file.
    flow, design_checks, balance, effects, heterogeneity, costs, cost_effectiveness : DataFrame
        As the schemas with the same names.
    disclosure, provenance : dict
        What was withheld; where the numbers come from.
    """

    plan: Plan
    flow: pd.DataFrame
    design_checks: pd.DataFrame
    balance: pd.DataFrame
    effects: pd.DataFrame
    heterogeneity: pd.DataFrame
    costs: pd.DataFrame
    cost_effectiveness: pd.DataFrame
    disclosure: dict[str, Any]
    provenance: dict[str, Any]

    @property
    def arms(self) -> list[str]:
        """Labels of the contrasts with control."""
        arms = dict.fromkeys(self.effects["arm"])
        pairs = {f"{a}-{b}" for a in arms for b in arms}
        return [a for a in arms if a not in pairs]

    @property
    def arm_columns(self) -> list[str]:
        """Columns of the flow with the counts of each arm, control first."""
        return [c for c in self.flow.columns if c.startswith("arm=")]

    @property
    def contrasts(self) -> list[str]:
        """Labels of all contrasts, those with control first."""
        return [*self.arms, *(a for a in dict.fromkeys(self.effects["arm"]) if a not in self.arms)]

    @property
    def lead(self) -> str:
        """The estimator that the summary rests on."""
        return self.plan.estimators[0]

    def title(self, outcome: str, language: Language) -> str:
        """Return the name of an outcome."""
        return (self.plan.outcomes[outcome].title or {}).get(language, outcome)

    def month(self, outcome: str) -> int | None:
        """Return the month that stands for an outcome: the primary one, or the last."""
        stated = self.plan.outcomes[outcome]
        if stated.primary_month is not None or stated.columns is None:
            return stated.primary_month
        return max(stated.columns)

    def rows(self, outcome: str, month: int | None, **equal: str) -> pd.DataFrame:
        """Return the effects of an outcome in a month that agree with ``equal``."""
        table = self.all_months(outcome, **equal)
        return table[table["month"].isna() if month is None else table["month"] == month]

    def all_months(self, outcome: str, **equal: str) -> pd.DataFrame:
        """Return the effects of an outcome that agree with ``equal``, in all its months."""
        table = self.effects[self.effects["outcome"] == outcome]
        for column, value in equal.items():
            table = table[table[column] == value]
        return table


def read_released(plan: Plan, results: Path) -> Released:
    """Read the released files of a programme from its folder under `results/`."""

    def table(name: str) -> pd.DataFrame:
        return read_csv(results / "tables" / f"{name}.csv", getattr(schemas, name.upper()))

    return Released(
        plan=plan,
        **{name: table(name) for name in RELEASED},
        disclosure=json.loads((results / "disclosure.json").read_text(encoding="utf-8")),
        provenance=json.loads((results / "provenance.json").read_text(encoding="utf-8")),
    )
