"""Section `columns`: which column holds what, and what its codes mean."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Literal

from pydantic import Field, PrivateAttr, model_validator

from evaluate.plan.closed import Closed, Code, code_text

Gender = Literal["women", "men"]
EXPOSED = "exposed"  # the arm of those without an offer in clusters where others had one


class GenderColumn(Closed):
    """The column with gender and its two codes."""

    column: str
    women: Code
    men: Code

    @model_validator(mode="after")
    def _codes_differ(self) -> GenderColumn:
        if code_text(self.women) == code_text(self.men):
            raise ValueError("women and men have the same code")
        return self


class Treatment(Closed):
    """The column with the arm assigned."""

    column: str
    control: Code
    arms: Annotated[list[Code], Field(min_length=1)] | None = Field(
        None, description="May be left out when there is one arm beside control."
    )

    @model_validator(mode="after")
    def _arms_differ(self) -> Treatment:
        codes = [code_text(c) for c in (self.control, *(self.arms or []))]
        if len(set(codes)) < len(codes):
            raise ValueError("control and arms must be different codes")
        return self

    def all_arms(self, found: Iterable[str]) -> tuple[str, ...]:
        """Return the arms, control first; where the plan names none, those found in the data."""
        control, found = code_text(self.control), set(found)
        named = [*map(code_text, self.arms or sorted(found - {control, EXPOSED}))]
        exposed = [EXPOSED] if EXPOSED in found and EXPOSED not in named else []
        return (control, *named, *exposed)


class Takeup(Closed):
    """The column that says who took part."""

    column: str
    taken: Code


class Columns(Closed):
    """Columns of the participants table."""

    person: str | None = Field(None, description="Key of a person; rows are persons without it.")
    gender: GenderColumn | Gender | None = None
    treatment: Treatment
    takeup: Takeup | None = None
    accepted: Takeup | None = Field(None, description="Who accepted the offer, for the flow.")
    offered: str | None = Field(None, description="Day of the offer.")
    started: str | None = Field(None, description="Day of the start; empty for who never did.")
    ended: str | None = Field(None, description="Last day in the programme.")
    born: str | None = Field(None, description="Day, month or year of birth.")
    time_zero: Literal["offered", "started"] = Field(
        "offered", description="The day from which months are counted."
    )
    blocks: list[str] = Field([], description="Strata within which assignment was drawn.")
    cluster: str | None = Field(None, description="Unit that was assigned, such as a school.")
    wave: str | None = Field(
        None, description="Wave of a repeated lottery; rows are persons in a wave."
    )
    weight: str | None = None
    titles: dict[str, dict[Literal["en", "sv"], str]] = Field(
        {},
        description="Names in the reports of blocks, the wave, groups and costs.site; by default "
        "their own.",
    )
    _in_risk_sets: bool = PrivateAttr(False)  # by the plan's section `risk_sets`

    @model_validator(mode="after")
    def _days_are_named(self) -> Columns:
        if "time_zero" in self.model_fields_set and getattr(self, self.time_zero) is None:
            raise ValueError(f"time_zero: name the column `{self.time_zero}`")
        return self

    @model_validator(mode="after")
    def _units_are_named(self) -> Columns:
        if self.wave is not None and self.person is None:
            raise ValueError(
                "wave: name columns.person, too, by which the rows of one person are known"
            )
        if self.cluster is not None and self.cluster == self.person:
            raise ValueError("cluster: persons are assigned one by one where it is left out")
        return self

    @property
    def strata(self) -> list[str]:
        """The columns whose combinations are the blocks: those named, and the wave."""
        wave = [] if self.wave is None or self.wave in self.blocks else [self.wave]
        return [*self.blocks, *wave]

    @property
    def day_zero(self) -> str | None:
        """The column with the day from which months are counted."""
        return self.offered if self.time_zero == "offered" else self.started

    @property
    def repeated(self) -> bool:
        """Whether a person may have several rows: in waves, or in risk sets."""
        return self.wave is not None or self._in_risk_sets

    @property
    def clustered(self) -> bool:
        """Whether rows share scores: those of a cluster, or one person's where it has several."""
        return self.cluster is not None or self.repeated

    @property
    def genders(self) -> tuple[Gender, ...]:
        """The genders of the programme: both, one, or none where gender is not named."""
        if isinstance(self.gender, GenderColumn):
            return ("women", "men")
        return (self.gender,) if self.gender else ()

    @property
    def both_genders(self) -> bool:
        """Whether women and men can be compared."""
        return len(self.genders) == 2
