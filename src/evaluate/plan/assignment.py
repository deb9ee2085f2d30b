"""Section `assignment`: what is recorded of the lottery, to compare the data with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from pydantic import Field, model_validator

from evaluate.plan.closed import Closed, Code, code_text

Share = Annotated[float, Field(gt=0, lt=1)]
AnyShare = Annotated[float, Field(ge=0, le=1)]
Places = Annotated[int, Field(ge=1)]
ROUNDED = 0.005  # shares of all arms sum to one but for this: 0.333 three times


class ShareColumn(Closed):
    """A column with each person's probability of the offer."""

    column: str


class Rule(Closed):
    """How offers were drawn: in each cell so many of those in it, or such a share of them."""

    within: list[str] | None = Field(
        None,
        description="Columns whose combinations are the cells; by default the blocks. The wave is "
        "always among them.",
    )
    places: Places | str | dict[Code, str] | None = Field(
        None, description="Offers in each cell: a number, the column with it, or {arm: column}."
    )
    eligible: str | None = Field(
        None, description="Column with the number in the cell's lottery; by default counted."
    )
    share: str | dict[Code, AnyShare] | None = Field(
        None, description="Probability of the offer: the column with it, or {cell: share}."
    )

    @model_validator(mode="after")
    def _one_kind(self) -> Rule:
        if (self.places is None) == (self.share is None):
            raise ValueError("name either places or share")
        if self.eligible is not None and self.places is None:
            raise ValueError("eligible goes with places")
        return self

    @property
    def columns(self) -> list[str]:
        """The columns that it reads, each once."""
        places = [*self.places.values()] if isinstance(self.places, dict) else [self.places]
        named = [*(self.within or []), *places, self.eligible, self.share]
        return list(dict.fromkeys(name for name in named if isinstance(name, str)))


class Saturation(Closed):
    """The share offered in each cluster, drawn before the persons within clusters were."""

    column: str
    control: AnyShare = Field(0.0, description="Share of the clusters where nobody was offered.")


class Assignment(Closed):
    """A share, each person's probability, or the rule by which offers were drawn."""

    share: Share | dict[Code, Share] | ShareColumn | None = Field(
        None, description="Share assigned to treatment, or per arm, or a column."
    )
    column: str | None = Field(None, description="The same as `share: {column: ...}`.")
    rule: Rule | None = Field(
        None, description="How offers were drawn; probabilities are worked out by it."
    )
    saturation: Saturation | None = Field(
        None, description="Two-level draw: a share for each cluster, then persons within it."
    )

    @model_validator(mode="after")
    def _one_source(self) -> Assignment:
        if self.share is not None and self.column is not None:
            raise ValueError("share and column exclude each other")
        if self.rule is not None and self.share is not None and self.probability is None:
            raise ValueError("share and rule exclude each other; a column may stand beside a rule")
        if self.saturation is not None and (self.by_person or self.share is not None):
            raise ValueError("saturation is the share offered in each cluster: name no other")
        return self

    def share_faults(self, arms: Sequence[str]) -> list[str]:
        """Say which shares are of no arm, which arms have none, and whether the sum can be.

        Parameters
        ----------
        arms : sequence of str
            The arms as `code_text` spells them, control first.
        """
        if not isinstance(self.share, dict):
            return []
        shares = {code_text(arm): share for arm, share in self.share.items()}
        control, *others = arms
        strange, without = (
            [a for a in shares if a not in arms],
            [a for a in others if a not in shares],
        )
        listed = ", ".join(others)
        found = [f"`{a}` is no arm ({listed}); name the share of each arm" for a in strange]
        if not strange:
            found += [f"arm `{a}` has no share; name the share of each arm" for a in without]
        total = sum(shares.values())
        if control in shares and not found and abs(total - 1) > ROUNDED:
            found.append(f"the shares sum to {total:.4g}; with that of control `{control}`, to 1")
        elif control not in shares and not found and total >= 1:
            found.append(
                f"the shares sum to {total:.4g}; they must leave a share for control `{control}`"
            )
        return found

    def arm_faults(self, arms: Sequence[str]) -> list[tuple[str, str]]:
        """Say which shares and places are of no arm, each with its key under `assignment`.

        Parameters
        ----------
        arms : sequence of str
            The arms as `code_text` spells them, control first.
        """
        found = [("share", text) for text in self.share_faults(arms)]
        places = self.rule.places if self.rule else None
        if not isinstance(places, dict):
            return found
        named, (control, *others) = [code_text(arm) for arm in places], arms
        listed = ", ".join(others)
        texts = [
            f"`{a}` is control, which has no offers; name the arms with an offer ({listed})"
            if a == control
            else f"`{a}` is no arm ({listed}); name the column with the places of each arm"
            for a in named
            if a not in others
        ]
        if not texts:
            without = [a for a in others if a not in named]
            texts = [f"arm `{a}` has no places; name its column, too" for a in without]
        return found + [("rule.places", text) for text in texts]

    @property
    def probability(self) -> str | None:
        """The column with each person's probability of the offer."""
        return self.share.column if isinstance(self.share, ShareColumn) else self.column

    @property
    def by_person(self) -> bool:
        """Whether each person's probability of the offer is known, by a column or the rule."""
        return self.probability is not None or self.rule is not None
