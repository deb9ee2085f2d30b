"""Section `assignment`: what the sample-ratio test compares with."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from evaluate.plan.closed import Closed, Code

Share = Annotated[float, Field(gt=0, lt=1)]


class ShareColumn(Closed):
    """A column with each person's probability of the offer."""

    column: str


class Assignment(Closed):
    """A share, or each person's probability."""

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
