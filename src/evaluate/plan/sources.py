"""Section `data`: the raw tables, files or queries, and which of their columns hold what."""

from __future__ import annotations

import datetime
import re
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, field_validator, model_validator

from evaluate.plan.closed import Closed, Code, code_text

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
Codes = Annotated[list[Code], Field(min_length=1)]
DateFormat = Literal["auto", "YYYY-MM-DD", "YYYYMMDD", "DD/MM/YYYY", "MM/DD/YYYY"]


def _iso(value: object) -> object:
    if not isinstance(value, str) or not re.fullmatch(r"\d{4}-\d\d-\d\d", value):
        raise ValueError("must be a day: 2021-06-30")
    return value


Day = Annotated[datetime.date, BeforeValidator(_iso)]


class Table(Closed):
    """One raw table: a file, or a query to a database."""

    path: str | None = None
    encoding: str = "auto"
    delimiter: str = Field("auto", description='`auto`, or one character: `";"`, `"\\t"`.')
    decimal: Literal["auto", ".", ","] = "auto"
    dates: DateFormat = Field("auto", description="How the file writes a day.")
    sheet: str | Annotated[int, Field(ge=1)] | None = Field(
        None, description="Name of the sheet, or its number from 1; the first by default."
    )
    labels: Literal["codes", "labels"] = Field(
        "codes", description="Of Stata, SAS and SPSS files: the codes, or their value labels."
    )
    url_env: str | None = Field(None, description="Environment variable with the address.")
    query: str | None = None
    identifiers: list[str] = Field(
        [], description="Columns that may hold identity numbers; none of them is used."
    )

    @field_validator("delimiter")
    @classmethod
    def _one_mark(cls, value: str) -> str:
        is_mark = len(value) == 1 and value.isascii() and value.isprintable()
        if value not in ("auto", "\t") and (not is_mark or value.isalnum() or value in " .\"'"):
            raise ValueError('must be auto or one mark in quotation marks: ";", ",", "|" or "\\t"')
        return value

    @model_validator(mode="after")
    def _file_or_query(self) -> Table:
        if (self.path is None) == (self.url_env is None):
            raise ValueError("name either path (a file) or url_env and query (a database)")
        if (self.url_env is None) != (self.query is None):
            raise ValueError("url_env and query go together")
        return self


class Linked(Table):
    """A table with any number of rows for each person.

    What is left out is the same as in `data`.
    """

    coverage: Day | None = Field(None, description="The first day that the table covers.")
    extract_date: Day | None = Field(None, description="The last day that the table covers.")


class AssignmentTable(Linked):
    """Offers: one row per person and offer, with the columns that `columns` names."""

    person: str | None = Field(None, description="Key of a person; by default columns.person.")
    two_arms: Literal["exclude", "first"] = Field(
        "exclude", description="Persons assigned to several arms: left out, or their first offer."
    )


class Keys(Table):
    """Persons' keys that changed: many old ones to one."""

    old: str = Field("old", description="Column with a key that a person had.")
    new: str = Field("new", description="Column with the key that came after it.")


class Spells(Linked):
    """Spells of registration: a person, first and last day, the code of a state."""

    person: str | None = Field(None, description="Key of a person; by default columns.person.")
    start: str = "start"
    end: str = "end"
    state: str = "state"
    end_is: Literal["last_day", "day_after"] = Field(
        "last_day", description="Whether a spell's end is its last day or the day after."
    )
    open_end: Literal["next", "extract"] = Field(
        "next", description="A spell without end lasts to the next entry, or to the extract date."
    )
    open_codes: list[str] = Field(
        ["9999-12-31"], description="Ends that stand for none, beside empty cells."
    )
    states: dict[Name, Codes] = Field({}, description="Named states, each with its codes.")
    precedence: list[Name] | None = Field(
        None, description="The state that counts where spells overlap; by default as in `states`."
    )
    codebook: str | None = Field(None, description="Codebook of the states.")

    @model_validator(mode="after")
    def _states_exclude_each_other(self) -> Spells:
        codes = [code_text(c) for listed in self.states.values() for c in listed]
        if doubles := sorted({c for c in codes if codes.count(c) > 1}):
            raise ValueError(f"states: code {', '.join(doubles)} in more than one state")
        if taken := sorted({"other", "none"} & set(self.states)):
            raise ValueError(f"states: `{taken[0]}` is what no named state holds; choose another")
        if self.precedence is not None and sorted(self.precedence) != sorted(self.states):
            raise ValueError("precedence must name each of states once")
        return self


class Activities(Linked):
    """Activities: a person, a day, a kind."""

    person: str | None = Field(None, description="Key of a person; by default columns.person.")
    date: str = "date"
    kind: str = "kind"
    kinds: dict[Name, Codes] = Field({}, description="Named kinds; by default each code.")
    months: Annotated[int, Field(ge=1, le=240)] = Field(
        12, description="Months after time zero in which they are counted."
    )
    codebook: str | None = Field(None, description="Codebook of the kinds.")


class Incomes(Linked):
    """Incomes by month or year: a person, a period, amounts."""

    person: str | None = Field(None, description="Key of a person; by default columns.person.")
    period: str = Field("period", description="Column with the month (2019-01) or year (2019).")
    per: Literal["month", "year"] = "month"


class Data(Closed):
    """The raw tables of a programme, paths relative to the study's folder."""

    participants: Table
    assignment: AssignmentTable | None = None
    spells: Spells | None = None
    activities: Activities | None = None
    incomes: Incomes | None = None
    costs: Table | None = None
    time_reports: Table | None = Field(
        None, description="Hours of staff by role and month, priced in costs.roles."
    )
    keys: Keys | None = None
    extract_date: Day | None = Field(
        None, description="The day the extract was drawn; nothing is known after it."
    )
    coverage: Day | None = Field(None, description="The first day that the registers cover.")
    ages: tuple[int, int] = Field((15, 100), description="Ages at the offer that are possible.")
    codebooks: dict[str, str] = Field(
        {}, description="Codebook of a column of participants or assignment, by its name."
    )

    @model_validator(mode="after")
    def _days_in_order(self) -> Data:
        if self.ages[0] >= self.ages[1]:
            raise ValueError("ages: the first must be below the second")
        for name, table in self.linked.items():
            first, last = self.coverage_of(table), self.extract_of(table)
            if first and last and first >= last:
                raise ValueError(f"{name}: coverage begins at or after the extract date")
        return self

    @property
    def tables(self) -> dict[str, Table]:
        """The tables that are there, by their names."""
        named = (
            "participants", "assignment", "keys", "spells", "activities", "incomes", "costs",
            "time_reports",
        )  # fmt: skip
        return {n: t for n in named if (t := getattr(self, n)) is not None}

    @property
    def linked(self) -> dict[str, Linked]:
        """The tables with any number of rows for each person."""
        return {n: t for n, t in self.tables.items() if isinstance(t, Linked)}

    def coverage_of(self, table: Linked) -> datetime.date | None:
        """Return the first day that a table covers."""
        return table.coverage or self.coverage

    def extract_of(self, table: Linked) -> datetime.date | None:
        """Return the last day that a table covers."""
        return table.extract_date or self.extract_date
