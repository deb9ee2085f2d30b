"""Section `outcomes`: what is measured, in which unit, and its role in the plan."""

from __future__ import annotations

from typing import Annotated, Literal, NamedTuple

from pydantic import Field, model_validator

from evaluate.plan.closed import Closed, Code

Role = Literal["primary", "secondary", "placebo"]


class OutcomeColumn(NamedTuple):
    """One column of the outcomes table: an outcome, or an outcome in a month."""

    name: str
    outcome: str
    month: int | None
    source: str


class Outcome(Closed):
    """One outcome: a column, columns by month, or states of the spells table."""

    column: str | None = None
    columns: dict[int, str] | None = Field(None, description="Column by month.")
    spells: list[Code] | None = Field(None, description="State codes that count as the outcome.")
    months: tuple[int, int] | None = None
    primary_month: int | None = None
    event: Code | None = Field(None, description="The value of the column that counts as 1.")
    baseline: str | None = Field(None, description="The same measure before assignment.")
    transform: Literal["log"] | None = None
    unit: Annotated[str, Field(min_length=1)]
    unit_title: dict[Literal["en", "sv"], str] | None = Field(
        None, description="The unit in the reports; by default `unit`. Not for share."
    )
    role: Role = "secondary"
    without: list[str] = Field([], description="Covariates left out for this outcome.")
    title: dict[Literal["en", "sv"], str] | None = Field(
        None, description="Name in the reports; by default the key."
    )

    @model_validator(mode="after")
    def _one_source(self) -> Outcome:
        if sum(s is not None for s in (self.column, self.columns, self.spells)) != 1:
            raise ValueError("name exactly one of column, columns, spells")
        if self.columns is not None and not self.columns:
            raise ValueError("columns names no month")
        if self.event is not None and self.transform:
            raise ValueError("event and transform exclude each other")
        stated = self.primary_month is not None and self.columns is not None
        if stated and self.primary_month not in (self.columns or {}):
            raise ValueError("primary_month is not a month of columns")
        return self

    def expand(self, name: str) -> list[OutcomeColumn]:
        """Return the columns of the outcomes table that this outcome fills."""
        if self.column is not None:
            return [OutcomeColumn(name, name, None, self.column)]
        waves = sorted((self.columns or {}).items())
        return [OutcomeColumn(f"{name}@{month}", name, month, c) for month, c in waves]

    def role_in(self, month: int | None) -> Role:
        """Return the role of one month: beside the primary month, months are secondary."""
        if self.role == "primary" and self.primary_month not in (None, month):
            return "secondary"
        return self.role
