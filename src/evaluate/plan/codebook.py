"""A codebook, `config/codebooks/NAME.yaml`: what the codes of a column mean, and from when."""

from __future__ import annotations

import datetime
from typing import Annotated, Literal

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from evaluate.plan.closed import Closed, Code, Text, code_text
from evaluate.plan.sources import Day, Name

Status = Literal["documented", "to_be_confirmed"]
Match = Literal["whole", "first"]
Faults = list[tuple[tuple[str | int, ...], str]]


class CodeEntry(Closed):
    """A code with its meaning, in a period where it has not always had it."""

    code: Code
    en: str
    sv: str
    group: Name | None = Field(None, description="Codes of one group are read as one.")
    valid_from: Day | None = Field(None, description="The first day on which the code was in use.")
    valid_to: Day | None = Field(None, description="The last day on which it was.")
    source: Text | None = Field(None, description="Where this meaning comes from, if elsewhere.")

    @model_validator(mode="after")
    def _period_in_order(self) -> CodeEntry:
        if self.first > self.last:
            raise ValueError("valid_from is after valid_to")
        return self

    @property
    def text(self) -> str:
        """The code in its one spelling."""
        return code_text(self.code)

    @property
    def first(self) -> datetime.date:
        """The first day of the period."""
        return self.valid_from or datetime.date.min

    @property
    def last(self) -> datetime.date:
        """The last day of the period."""
        return self.valid_to or datetime.date.max


class CodebookFile(Closed):
    """The codes of one column."""

    title: Text
    source: Text = Field(description="Where the codes come from, in words.")
    status: Status = Field(description="Printed in the report where it is to_be_confirmed.")
    match: Match = Field(
        "whole", description="Whether the whole value is the code, or its first character."
    )
    groups: dict[Name, Text] = Field({}, description="The groups of codes, with their labels.")
    codes: Annotated[list[CodeEntry], Field(min_length=1)]

    @model_validator(mode="after")
    def _entries_agree(self) -> CodebookFile:
        faults = [*self._of_groups(), *self._of_codes()]
        if faults:
            said = "; ".join(text for _, text in faults)
            raise PydanticCustomError("entries", "{said}", {"said": said, "faults": faults})
        return self

    def _of_groups(self) -> Faults:
        """Find groups without labels, and labels without a code."""
        used = {entry.group for entry in self.codes}
        known = ", ".join(self.groups) or "no group"
        faults: Faults = [
            (("codes", at, "group"), f"`{entry.group}` is not among groups, which names {known}")
            for at, entry in enumerate(self.codes)
            if entry.group is not None and entry.group not in self.groups
        ]
        faults += [
            (("groups", g), "no code is in this group") for g in self.groups if g not in used
        ]
        taken = {entry.text for entry in self.codes} & set(self.groups)
        return faults + [(("groups", g), "a code has this name, too") for g in sorted(taken)]

    def _of_codes(self) -> Faults:
        """Find codes that cannot be met, and two meanings of one code on the same day."""
        faults: Faults = []
        before: dict[str, list[tuple[int, CodeEntry]]] = {}
        for at, entry in enumerate(self.codes):
            where = ("codes", at, "code")
            if not entry.text:
                faults.append((where, "must not be empty"))
            elif self.match == "first" and len(entry.text) > 1:
                faults.append((where, "must be one character, as `match: first` says"))
            same = before.setdefault(entry.text, [])
            twice = [i for i, o in same if o.first <= entry.last and entry.first <= o.last]
            if twice:
                text = f"stands in item {twice[0] + 1}, too, in a period that overlaps"
                faults.append((where, text))
            same.append((at, entry))
        return faults
