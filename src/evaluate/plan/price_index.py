"""A price index, `config/price_indexes/NAME.yaml`: by which prices of one year are moved."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from evaluate.plan.closed import Closed, Text

Currency = Annotated[str, Field(pattern="^[A-Z]{3}$")]
Year = Annotated[int, Field(ge=1900, le=2200)]
Positive = Annotated[float, Field(gt=0)]


class PriceIndexFile(Closed):
    """The level of prices by year."""

    title: Text
    source: Text = Field(description="Where the figures come from, in words; printed.")
    currency: Currency = Field(description="Of the prices that it is about.")
    years: Annotated[dict[Year, Positive], Field(min_length=1)]
