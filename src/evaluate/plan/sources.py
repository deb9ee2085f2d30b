"""Sections `data` and `assignment`: the raw files and how persons were assigned."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from evaluate.plan.closed import Closed, Code

Share = Annotated[float, Field(gt=0, lt=1)]


class Table(Closed):
    """One raw table: a file, or a query to a database."""

    path: str | None = None
    encoding: str = "auto"
    delimiter: str = Field("auto", description='`auto`, or one character: `";"`, `"\\t"`.')
    decimal: Literal["auto", ".", ","] = "auto"
    sheet: str | Annotated[int, Field(ge=1)] | None = Field(
        None, description="Name of the sheet, or its number from 1; the first by default."
    )
    labels: Literal["codes", "labels"] = "codes"
    url_env: str | None = Field(None, description="Environment variable with the address.")
    query: str | None = None

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


class Data(Closed):
    """The raw tables of a programme, paths relative to the study's folder."""

    participants: Table
    assignment: Table | None = None
    spells: Table | None = None
    activities: Table | None = None
    incomes: Table | None = None
    costs: Table | None = None
    keys: Table | None = None


class ShareColumn(Closed):
    """A column with each person's probability of the offer."""

    column: str


class Assignment(Closed):
    """What the sample-ratio test compares with: a share, or each person's probability."""

    share: Share | dict[Code, Share] | ShareColumn | None = Field(
        None, description="Share assigned to treatment, or per arm, or a column."
    )
    column: str | None = Field(None, description="The same as `share: {column: ...}`.")

    @model_validator(mode="after")
    def _one_source(self) -> Assignment:
        if self.share is not None and self.column is not None:
            raise ValueError("share and column exclude each other")
        return self

    @property
    def probability(self) -> str | None:
        """The column with each person's probability of the offer."""
        return self.share.column if isinstance(self.share, ShareColumn) else self.column
