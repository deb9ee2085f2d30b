"""Section `doses`: how much of the programme each person got, beside whether it took part."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field, model_validator

from evaluate.plan.closed import Closed, Code, code_text

if TYPE_CHECKING:
    from evaluate.plan.model import Plan

TAKEUP = "takeup"  # the dose that columns.takeup names
Fault = tuple[tuple[str, ...], str]


class Dose(Closed):
    """An amount of the programme, by person: a column, or activities counted over months."""

    column: str | None = Field(
        None, description="Of the participants, a number from 0 on; an empty cell is not known."
    )
    activities: Literal[True] | Annotated[list[Code], Field(min_length=1)] | None = Field(
        None, description="Names of `data.activities.kinds`, or codes, that count; true: all."
    )
    months: tuple[Annotated[int, Field(ge=1)], Annotated[int, Field(ge=1)]] | None = Field(
        None,
        description="First and last month in which activities count; by default all of "
        "data.activities. Who is not observed in all of them has no known dose.",
    )
    unit: Annotated[str, Field(min_length=1)] = Field(description="Of one, such as `meeting`.")
    unit_title: dict[Literal["en", "sv"], str] | None = Field(
        None, description="The unit in the reports; by default `unit`. Not for share."
    )
    title: dict[Literal["en", "sv"], str] | None = Field(
        None, description="Name in the reports; by default the key."
    )

    @model_validator(mode="after")
    def _one_source(self) -> Dose:
        if (self.column is None) == (self.activities is None):
            raise ValueError("name either column or activities")
        if self.months is not None and self.activities is None:
            raise ValueError("months go with activities")
        if self.months is not None and self.months[0] > self.months[1]:
            raise ValueError("months: the first must not be after the last")
        if self.unit_title is not None and self.unit == "share":
            raise ValueError("unit_title: the unit share has names of its own")
        return self


def counted_months(dose: Dose, last: int) -> tuple[int, int]:
    """Return the first and last month in which activities count, of those in the plan."""
    return dose.months or (1, last)


def dose_faults(plan: Plan) -> list[Fault]:
    """Find doses that are no outcome of the programme, or that cannot be counted.

    Parameters
    ----------
    plan : Plan
        The programme file.

    Returns
    -------
    list of (key, text)
        Where in the programme file, and what is wrong.
    """
    found: list[Fault] = []
    taken = _other_roles(plan)
    for name, dose in plan.doses.items():
        at = ("doses", name)
        if name == TAKEUP:
            found.append((at, "take-up is a dose by columns.takeup; give this one another name"))
        if dose.column is not None and dose.column in taken:
            found.append(((*at, "column"), f"`{dose.column}` is {taken[dose.column]}"))
        if dose.activities is not None:
            found += [((*at, *key), text) for key, text in _not_counted(plan, dose)]
    return found


def _other_roles(plan: Plan) -> Mapping[str, str]:
    """Return columns that are no dose, each with what it is."""
    columns, before = plan.columns, "measured before time zero: a dose comes after it"
    roles: dict[str | None, str] = {}
    for column in plan.outcome_columns:
        role = plan.outcomes[column.outcome].role_in(column.month)
        said = "the outcome: a dose is what the programme gave"
        if role == "placebo" or (column.month or 1) < 1:
            said = before
        roles[column.source or None] = f"outcomes.{column.outcome}, {said}"
    roles |= {o.baseline: f"outcomes.{k}.baseline, {before}" for k, o in plan.outcomes.items()}
    roles |= dict.fromkeys(plan.groups, f"among the groups, {before}")
    roles |= dict.fromkeys(columns.strata, f"a block, {before}")
    roles |= {c.column: f"a covariate, {before}" for c in plan.covariate_list}
    roles |= {
        plan.assignment.probability: f"assignment.share, {before}",
        columns.born: f"columns.born, {before}",
        columns.offered: f"columns.offered, {before}",
        columns.person: "columns.person, no amount",
        columns.cluster: f"columns.cluster, {before}",
        columns.weight: "columns.weight, no amount of the programme",
        columns.treatment.column: "columns.treatment, the treatment itself: name what it gave",
    }
    if columns.takeup:
        roles[columns.takeup.column] = "columns.takeup, which is a dose without being named"
    return {name: said for name, said in roles.items() if name is not None}


def _not_counted(plan: Plan, dose: Dose) -> list[Fault]:
    section = plan.data.activities
    if section is None:
        return [(("activities",), "needs the table data.activities")]
    found: list[Fault] = []
    if counted_months(dose, section.months)[1] > section.months:
        text = f"data.activities counts {section.months} months; state more under its `months`"
        found.append((("months",), text))
    if dose.activities is True or not section.kinds:
        return found  # which codes there are only the data tell
    codes = {code_text(c) for listed in section.kinds.values() for c in listed}
    for code in dose.activities or []:
        near = difflib.get_close_matches(str(code), section.kinds, n=1)
        if near and str(code) not in section.kinds and code_text(code) not in codes:
            text = f"`{code}` is neither a kind nor a code of data.activities.kinds. "
            found.append((("activities",), text + f"Did you mean `{near[0]}`?"))
    return found
