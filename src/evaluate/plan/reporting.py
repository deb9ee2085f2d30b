"""Section `costs.reporting`: what a reader of an economic evaluation asks and no data tell."""

from __future__ import annotations

from typing import TypeVar

from pydantic import Field, field_validator

from evaluate.plan.closed import Closed, Text

Value = TypeVar("Value")


class Absent(Closed):
    """Why something that readers ask for is not there."""

    absent: Text


class Reporting(Closed):
    """Items of CHEERS 2022 that neither the plan nor the tables answer, in words.

    A key that names an item of its own may also be `{absent: {en, sv}}`, with the reason. The
    others add a reason to what is answered already.

    References
    ----------
    Husereau, Drummond, Augustovski et al. (2022), Consolidated Health Economic Evaluation
    Reporting Standards 2022 (CHEERS 2022) statement, BMJ 376, e067975.
    """

    background: Text | Absent | None = Field(None, description="The question, and for whom.")
    setting: Text | Absent | None = Field(None, description="Where and when, in which market.")
    comparators: Text | Absent | None = Field(
        None, description="What the arms are offered, control too, and why these are compared."
    )
    perspective: Text | None = Field(None, description="Why whose costs count.")
    time_horizon: Text | Absent | None = Field(
        None, description="Why so long; how long, where outcomes have no months."
    )
    discount_rate: Text | None = Field(None, description="Why this rate, or none.")
    outcomes: Text | None = Field(None, description="Why cost is set against these outcomes.")
    valuation: Text | None = Field(None, description="By whom and how outcomes are valued.")
    heterogeneity: Text | Absent | None = Field(
        None, description="How results differ between groups."
    )
    distributional_effects: Text | Absent | None = Field(
        None, description="Who gains and who loses; what was done for groups that have priority."
    )
    engagement: Text | Absent | None = Field(
        None, description="How participants, staff or others concerned had a part in the study."
    )
    effect_of_uncertainty: Text | Absent | None = Field(
        None, description="What other assumptions would have made of the results."
    )
    effect_of_engagement: Text | Absent | None = Field(
        None, description="What those who had a part in the study changed."
    )
    generalisability: Text | Absent | None = Field(
        None, description="Where else the findings hold, and what other studies found."
    )
    funding: Text | Absent | None = Field(
        None, description="Who paid for the evaluation, and had which say in it."
    )
    conflicts_of_interest: Text | Absent | None = Field(
        None, description="Of those who made the evaluation."
    )

    @field_validator("*")
    @classmethod
    def _says_something(cls, value: Value) -> Value:
        text = value.absent if isinstance(value, Absent) else value
        if isinstance(text, Text) and not (text.en.strip() and text.sv.strip()):
            raise ValueError("must say something: the report prints it")
        return value
