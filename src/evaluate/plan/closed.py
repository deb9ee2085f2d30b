"""What every section of the programme file shares."""

from __future__ import annotations

import re
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
    """Return a code as the data would spell it: 1, 1.0, "1" and "1,0" are all "1"."""
    text = re.sub(r"^(-?\d+)[.,]0+$", r"\1", str(code).strip())
    return text.lower() if text.lower() in ("true", "false") else text
