"""What every section of the programme file shares."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Strict

Code = bool | int | float | str
Flag = Annotated[bool, Strict()]  # `yes` is a text, not true


class Closed(BaseModel):
    """A section of the programme file: unknown keys are errors, values do not change."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Text(Closed):
    """A text in the languages of the reports."""

    en: str
    sv: str


def code_text(code: Code) -> str:
    """Return a code as the data would spell it: 1, 1.0 and "1" are all "1"."""
    if isinstance(code, bool):
        return str(code).lower()
    if isinstance(code, float) and code.is_integer():
        return str(int(code))
    return str(code).strip()
