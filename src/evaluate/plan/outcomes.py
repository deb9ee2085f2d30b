"""Section `outcomes`: what is measured, in which unit, and its role in the plan."""

from __future__ import annotations

from typing import Annotated, Literal, NamedTuple

from pydantic import Field, model_validator

from evaluate.plan.closed import Closed, Code

Role = Literal["primary", "secondary", "placebo"]
Measure = Literal["at", "days", "cumulated", "entered", "wait"]
SHARES = ("at", "entered")  # measures of spells that are 1 or 0
MOST_MONTHS = 600


class OutcomeColumn(NamedTuple):
    """One column of the outcomes table: an outcome, or an outcome in a month.

    ``source`` is the column of the participants, empty where linked tables are the source.
    """

    name: str
    outcome: str
    month: int | None
    source: str


class Outcome(Closed):
    """One outcome: a column, columns by month, or months of the spells or the incomes.

    Month 1 of a person begins on day zero; month 0 and those below are before it.
    """

    column: str | None = None
    columns: dict[int, str] | None = Field(None, description="Column by month.")
    spells: Annotated[list[Code], Field(min_length=1)] | None = Field(
        None, description="Names of `data.spells.states`, or codes, that count as the outcome."
    )
    incomes: str | None = Field(None, description="Column of the incomes with the amount.")
    measure: Measure = Field(
        "at",
        description="Of spells: in the state on the month's last day (at), days of the "
        "month in it, months cumulated since time zero, entered by then, or days waited until "
        "the first entry. Of incomes: at (that month) or cumulated.",
    )
    months: tuple[int, int] | None = Field(None, description="First and last month: [1, 18].")
    competing: list[str] = Field(
        [],
        description="With measure entered: outcomes with measure entered, such as a move away, "
        "after which an entry no longer counts in the cumulative incidence.",
    )
    primary_month: int | None = None
    event: Code | None = Field(None, description="The value of the column that counts as 1.")
    baseline: str | None = Field(None, description="The same measure before assignment.")
    transform: Literal["log"] | None = None
    unit: Annotated[str, Field(min_length=1)]
    unit_title: dict[Literal["en", "sv"], str] | None = Field(
        None, description="The unit in the reports; by default `unit`. Not for share."
    )
    role: Role = "secondary"
    better: Literal["higher", "lower"] = Field(
        "higher",
        description="Whether more of the outcome is better, as of work, or less, as of days in "
        "registers: of who gains most, and of what rules of targeting are worth.",
    )
    without: list[str] = Field([], description="Covariates left out for this outcome.")
    title: dict[Literal["en", "sv"], str] | None = Field(
        None, description="Name in the reports; by default the key."
    )

    @model_validator(mode="after")
    def _one_source(self) -> Outcome:
        sources = (self.column, self.columns, self.spells, self.incomes)
        if sum(s is not None for s in sources) != 1:
            raise ValueError("name exactly one of column, columns, spells, incomes")
        if self.columns is not None and not self.columns:
            raise ValueError("columns names no month")
        if self.event is not None and self.transform:
            raise ValueError("event and transform exclude each other")
        stated = self.primary_month is not None and self.columns is not None
        if stated and self.primary_month not in (self.columns or {}):
            raise ValueError("primary_month is not a month of columns")
        return self

    @model_validator(mode="after")
    def _months_of_registers(self) -> Outcome:
        if not self.is_linked:
            if self.months is not None or "measure" in self.model_fields_set:
                raise ValueError("months and measure go with spells or incomes")
            if self.competing:
                raise ValueError("competing goes with spells and measure: entered")
            return self
        if self.months is None:
            raise ValueError("spells and incomes need months: [first, last]")
        first, last = self.months
        if not -MOST_MONTHS <= first <= last <= MOST_MONTHS:
            raise ValueError(f"months: from first to last, within {MOST_MONTHS} of time zero")
        if self.primary_month is not None and not first <= self.primary_month <= last:
            raise ValueError("primary_month is not among months")
        if self.measure not in ("at", "days") and first < 1:
            raise ValueError(f"measure {self.measure} counts from month 1")
        if self.incomes is not None and self.measure not in ("at", "cumulated"):
            raise ValueError(f"measure {self.measure} is of spells; incomes have at, cumulated")
        if self.competing and self.measure != "entered":
            raise ValueError("competing goes with measure: entered")
        is_share = self.spells is not None and self.measure in SHARES
        if is_share != (self.unit == "share"):
            raise ValueError(
                f"unit: measure {self.measure} is a share"
                if is_share
                else f"unit: measure {self.measure} is not a share"
            )
        if self.event is not None or self.baseline is not None:
            raise ValueError("event and baseline go with column or columns")
        if self.transform and self.incomes is None:
            raise ValueError("transform does not go with spells")
        return self

    @property
    def is_linked(self) -> bool:
        """Whether the outcome comes from a linked table."""
        return self.spells is not None or self.incomes is not None

    @property
    def standing_month(self) -> int | None:
        """The month that stands for the outcome: the primary one, or the last."""
        if self.primary_month is not None:
            return self.primary_month
        months = [column.month for column in self.expand("") if column.month is not None]
        return max(months, default=None)

    def expand(self, name: str) -> list[OutcomeColumn]:
        """Return the columns of the outcomes table that this outcome fills."""
        if self.column is not None:
            return [OutcomeColumn(name, name, None, self.column)]
        if self.months is not None:
            span = range(self.months[0], self.months[1] + 1)
            return [OutcomeColumn(f"{name}@{month}", name, month, "") for month in span]
        waves = sorted((self.columns or {}).items())
        return [OutcomeColumn(f"{name}@{month}", name, month, c) for month, c in waves]

    def role_in(self, month: int | None) -> Role:
        """Return the role of one month: beside the primary month, months are secondary."""
        if self.role == "primary" and self.primary_month not in (None, month):
            return "secondary"
        return self.role
