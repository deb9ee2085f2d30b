"""`config/config.yaml`: which programmes, in which languages, under which release rules."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from evaluate.plan.closed import Closed

Language = Literal["sv", "en"]


class Dominance(Closed):
    """Withhold a sum when its k largest contributors hold this share of it."""

    k: Annotated[int, Field(ge=1)] = 1
    percent: Annotated[float, Field(gt=0, le=100)] = 80


class Disclosure(Closed):
    """What the release gate lets through."""

    min_cell: Annotated[int, Field(ge=1)] = 5
    round_to: Annotated[int, Field(ge=1)] = 1
    dominance: Dominance = Dominance()


class Config(Closed):
    """The configuration of a study."""

    programmes: Annotated[list[Annotated[str, Field(pattern=r"^[\w-]+$")]], Field(min_length=1)]
    languages: Annotated[list[Language], Field(min_length=1)] = ["sv", "en"]
    seed: Annotated[int, Field(ge=0)]
    disclosure: Disclosure = Disclosure()
    memory_gb: Annotated[float, Field(ge=0.5)] = Field(
        2.0, description="Memory for linked tables; what they need beyond it goes to disk."
    )
