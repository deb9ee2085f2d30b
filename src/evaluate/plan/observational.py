"""Sections `protocol`, `graph` and `risk_sets` of observational studies."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, field_validator

from evaluate.plan.closed import Closed, Text


class Protocol(Closed):
    """The target trial that an observational study imitates, each item in words.

    An item is one text, or one for each language of the reports.
    """

    eligibility: str | Text = Field(description="Who could have been in the trial.")
    strategies: str | Text = Field(description="What is compared: the programme, and with what.")
    assignment: str | Text = Field(description="Who decided on the programme, and by what.")
    time_zero: str | Text = Field(description="The day from which persons are followed.")
    follow_up: str | Text = Field(description="Until when.")
    outcome: str | Text = Field(description="What is measured.")
    contrast: str | Text = Field(description="The effect, and on whom.")
    analysis: str | Text = Field(description="How it is estimated.")

    @field_validator("*")
    @classmethod
    def _says_something(cls, item: str | Text) -> str | Text:
        texts = [item] if isinstance(item, str) else [item.en, item.sv]
        if not all(text.strip() for text in texts):
            raise ValueError("must say something: the report prints it")
        return item

    def item(self, name: str, language: Literal["en", "sv"]) -> str:
        """Return an item in a language; a text without one as it stands."""
        found: str | Text = getattr(self, name)
        return found if isinstance(found, str) else str(getattr(found, language))


class Graph(Closed):
    """A causal graph: who causes what, as pairs."""

    edges: list[tuple[str, str]]


class RiskSets(Closed):
    """How comparison persons are drawn from those registered and not yet started.

    Each treated person is followed from its start. In the same calendar month so many others are
    drawn, of those registered on that day who have not started by then.
    """

    registered: str = Field(description="Column with the first day of registration.")
    until: str | None = Field(
        None, description="Column with the last day of registration; empty for who still is."
    )
    per_treated: Annotated[int, Field(ge=1, le=100)] = Field(
        5, description="Comparison persons drawn for each treated person."
    )
