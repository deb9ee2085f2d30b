"""A covariate: a characteristic measured before the day from which persons are followed."""

from __future__ import annotations

import datetime
import re
from typing import Literal

from pydantic import Field, field_validator

from evaluate.plan.closed import Closed, Code

A_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


class Covariate(Closed):
    """A characteristic measured before assignment, or before time zero."""

    column: str
    kind: Literal["auto", "numeric", "categorical"] = "auto"
    measured: str | None = Field(
        None, description="The day on which it was measured (2020-01-31), or the column with it."
    )
    measured_late: Literal["stop", "missing"] = Field(
        "stop",
        description="What becomes of a value measured after time zero: the run stops, or it is "
        "taken as missing and counted.",
    )
    title: dict[Literal["en", "sv"], str] | None = Field(
        None, description="Name in the reports; by default the column's."
    )
    levels: dict[Code, dict[Literal["en", "sv"], str]] = Field(
        {}, description="Names of values in the reports; by default the values as they are."
    )

    @field_validator("measured")
    @classmethod
    def _is_a_day(cls, text: str | None) -> str | None:
        if text is not None and A_DAY.fullmatch(text.strip()):
            try:
                datetime.date.fromisoformat(text.strip())
            except ValueError:
                raise ValueError("is shaped like a day, but the calendar has none such") from None
        return text.strip() if text else text

    @property
    def measured_day(self) -> datetime.date | None:
        """The day on which everybody was measured, where the plan names a day."""
        if self.measured is None or not A_DAY.fullmatch(self.measured):
            return None
        return datetime.date.fromisoformat(self.measured)

    @property
    def measured_column(self) -> str | None:
        """The column with the day on which each person was measured, where it names a column."""
        return self.measured if self.measured and self.measured_day is None else None
