"""The day from which each person is followed: who is eligible on it, and what came after it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from evaluate.data.eligibility import Criterion, holds
from evaluate.data.flow import Flow
from evaluate.data.person_decisions import Received
from evaluate.data.persons import Identity
from evaluate.data.risk_sets import Register, draw, month_weights, numbers_of
from evaluate.data.values import Values
from evaluate.errors import DataError, PlanError, rows
from evaluate.notes import reason
from evaluate.plan.covariates import Covariate
from evaluate.plan.model import Plan

MOSTLY = 0.5  # share of rows without a covariate from which on it is told


@dataclass(frozen=True)
class Followed:
    """The rows of a study, each followed from its time zero.

    Attributes
    ----------
    values : Values
        Their columns.
    identity : Identity
        Whose row each is.
    arm, gender : ndarray of str or None, shape (m,)
        Arm, control where a person was drawn before its own start; gender.
    flow : Flow
        The decisions so far.
    weight : ndarray, shape (m,), or None
        Weights that the drawing makes necessary.
    late : dict of str to ndarray of bool, shape (m,)
        Values of covariates that are taken as missing, for they were measured too late.
    """

    values: Values
    identity: Identity
    arm: np.ndarray
    gender: np.ndarray
    flow: Flow
    weight: np.ndarray | None
    late: dict[str, np.ndarray]


def follow(people: Received, flow: Flow, seed: int) -> Followed:
    """Make the decisions on time zero, and draw comparison persons where the plan says so.

    Parameters
    ----------
    people : Received
        The persons as received.
    flow : Flow
        With the decisions on them; added to, or replaced where persons are drawn.
    seed : int
        Of the study, for the drawing.
    """
    plan, values = people.plan, people.values
    found = Followed(values, people.identity, people.arm, people.gender, flow, None, {})
    if plan.is_observational and plan.risk_sets is None:
        _as_given(people, flow)
    elif plan.is_observational and flow.kept.any():
        found = _drawn(people, flow, seed)
    late = _measured_late(found.values, plan, found.flow)
    if plan.analysis.missing_covariates == "drop":
        for column in (c.column for c in plan.covariate_list):
            absent = found.values.absent(column) | late.get(column, False)
            if (absent & found.flow.kept).any():  # others without it were left out before
                found.flow.exclude(absent, reason("missing", column=column))
    if plan.is_observational:
        _mostly_missing(found.values, plan, found.flow, late)
    weight = _balanced(found, plan) if plan.risk_sets and found.flow.kept.any() else None
    return replace(found, late=late, weight=weight)


def _as_given(people: Received, flow: Flow) -> None:
    """Take out persons without a time zero, and those who had started before it.

    Who starts after it stays, and is counted: of the treated these had to stay as they were until
    their start, which no comparison person had to.
    """
    columns, values = people.plan.columns, people.values
    if columns.day_zero is None:
        return
    if columns.time_zero == "started":
        _without_day(values, columns.day_zero, np.ones(len(people.arm), dtype=bool), flow)
        return
    if columns.started is None:
        return
    zero, started = values.zero, values.date(columns.started)
    treated = people.arm != flow.arms[0]
    names = {"column": columns.started, "other": columns.day_zero}
    flow.note(treated & np.isnat(started), reason("missing", column=columns.started))
    flow.exclude(treated & (started < zero), reason("earlier", **names))
    flow.exclude(~treated & (started <= zero), reason("had_started", column=columns.started))
    flow.note(treated & (started > zero), reason("starts_after", column=columns.started))
    flow.note(~treated & (started > zero), reason("starts_later", column=columns.started))


def _drawn(people: Received, flow: Flow, seed: int) -> Followed:
    """Draw comparison persons and follow everybody from the day of a start."""
    plan, values = people.plan, people.values
    sets, columns = plan.risk_sets, plan.columns
    assert sets is not None
    assert columns.started is not None
    assert people.identity.key is not None
    _at_risk(people, flow, columns.started)
    treated = people.arm != flow.arms[0]
    started = values.date(columns.started)
    never = np.full(len(treated), np.datetime64("NaT", "D"))
    register = Register(
        values.date(sets.registered),
        values.date(sets.until) if sets.until else never,
        np.where(treated, started, never),
        flow.kept.copy(),
        treated & flow.kept,
    )
    drawn = draw(register, numbers_of(people.identity.key), sets.per_treated, seed)
    is_drawn = np.zeros(len(treated), dtype=bool)
    is_drawn[drawn.person] = True
    # Who was drawn is not noted: beside those who were not, it would tell what the gate withholds.
    flow.exclude(~treated & ~drawn.at_risk, reason("never_at_risk"))
    flow.exclude(~treated & ~is_drawn, reason("never_drawn"))

    row, zero, is_added, is_comparison = _rows(treated, started, drawn.person, drawn.zero)
    arm = np.where(is_comparison, flow.arms[0], people.arm[row])
    spread = flow.spread(row, arm, is_added, reason("added"))
    at = values.at(row, zero)
    for criterion in people.criteria:
        if criterion.of_time_zero:
            met, unknown = holds(criterion, at.number, at.code, at.date)
            spread.exclude(unknown & is_comparison, reason("unknown", criterion=criterion.text))
            spread.exclude(~met & is_comparison, reason("unmet", criterion=criterion.text))
    later = is_comparison & treated[row]
    spread.note(later, reason("starts_later", column=columns.started))
    identity = _spread(people.identity, row)
    return Followed(at, identity, arm, people.gender[row], spread, None, {})


def _balanced(found: Followed, plan: Plan) -> np.ndarray | None:
    """Take out the treated of months without anybody to compare with, and weight the others."""
    flow, column = found.flow, plan.columns.weight
    month = found.values.zero.astype("datetime64[M]").astype(np.int64)
    treated = found.arm != flow.arms[0]
    alone = treated & ~np.isin(month, np.unique(month[flow.kept & ~treated]))
    flow.exclude(alone, reason("nobody_at_risk"))
    weight = found.values.number(column) if column else None
    return month_weights(month, treated, flow.kept, weight)


def _at_risk(people: Received, flow: Flow, started: str) -> None:
    """Take out persons whose days do not tell whether they could start, or have started."""
    values, plan, sets = people.values, people.plan, people.plan.risk_sets
    assert sets is not None
    treated, start = people.arm != flow.arms[0], values.date(started)
    _without_day(values, started, treated, flow)
    flow.exclude(~treated & ~np.isnat(start), reason("control_started", column=started))
    if plan.data.coverage:
        early = start < np.datetime64(plan.data.coverage)
        flow.exclude(early, reason("early", column=started))
    if plan.data.extract_date:
        late = start > np.datetime64(plan.data.extract_date)
        flow.exclude(late, reason("late", column=started))
    _without_day(values, sets.registered, np.ones(len(treated), dtype=bool), flow)
    registered = values.date(sets.registered)
    outside = start < registered
    if sets.until:
        until = values.date(sets.until)
        flow.note(values.not_date(sets.until), reason("no_day_missing", column=sets.until))
        names = {"column": sets.until, "other": sets.registered}
        flow.exclude(until < registered, reason("earlier", **names))
        outside |= until < start
    flow.exclude(treated & outside, reason("not_registered", column=started))


def _without_day(values: Values, column: str, who: np.ndarray, flow: Flow) -> None:
    flow.exclude(who & values.absent(column), reason("missing", column=column))
    flow.exclude(who & values.not_date(column), reason("no_day", column=column))


def _rows(
    treated: np.ndarray, started: np.ndarray, person: np.ndarray, day: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return the rows of the study: each row received, and one more for each further draw.

    Returns
    -------
    row : ndarray of int, shape (m,)
        Position among those received, ascending; a comparison person's days ascend, too.
    zero : ndarray of datetime64[D], shape (m,)
    is_added, is_comparison : ndarray of bool, shape (m,)
    """
    order = np.lexsort((day, person))
    person, day = person[order], day[order]
    is_first = np.append(True, person[1:] != person[:-1])[: len(person)]
    own = is_first & ~treated[person]  # takes the place of the row received
    zero = np.where(treated, started, np.datetime64("NaT", "D"))
    zero[person[own]] = day[own]
    row = np.concatenate([np.arange(len(treated)), person[~own]])
    zero = np.concatenate([zero, day[~own]])
    is_added = np.arange(len(row)) >= len(treated)
    is_comparison = is_added | ~treated[row]
    order = np.lexsort((is_added, row))
    return row[order], zero[order], is_added[order], is_comparison[order]


def _spread(identity: Identity, row: np.ndarray) -> Identity:
    """Return whose row each is, where a person has several."""
    assert identity.key is not None
    place = np.searchsorted(row, np.arange(len(identity.first)))  # the first of its rows
    person, first = identity.person[row], identity.first[row]
    return Identity(
        key=identity.key.iloc[row].reset_index(drop=True),
        first=np.where(first == row, np.arange(len(row)), place[first]),
        person=np.where(person < 0, -1, place[person]),
        absent=identity.absent[row],
        unclear=identity.unclear[row],
        alias_text=identity.alias_text,
        alias_person=place[identity.alias_person],
    )


def _measured_late(values: Values, plan: Plan, flow: Flow) -> dict[str, np.ndarray]:
    """Find values of covariates that were measured after time zero, by the day that is stated.

    A day that is missing, or cannot be read, is counted, and the value taken as it is.
    """
    found, zero = {}, values.zero
    for covariate in plan.covariate_list:
        day = _measured(covariate, values, flow)
        late = flow.kept & ~values.absent(covariate.column) & (day > zero)
        if not late.any():
            continue
        if covariate.measured_late == "missing":
            flow.note(late, reason("measured_late", column=covariate.column))
            found[covariate.column] = late
            continue
        column = covariate.column
        values.faults.append(
            DataError(
                f"{values.tables.path(column)}: column {column} (covariates.{column}.measured): "
                f"{rows(int(late.sum()))} of {int(flow.kept.sum()):,} measured after time zero, "
                "when the programme may have changed it already. Take an earlier measurement; or "
                "write `measured_late: missing`, and these values are taken as missing."
            )
        )
    return found


def _measured(covariate: Covariate, values: Values, flow: Flow) -> np.ndarray:
    """Return the day on which each row's value was measured, shape (n,); NaT where unknown."""
    if covariate.measured_column is None:
        day = covariate.measured_day
        return np.full(len(values), np.datetime64(day or "NaT", "D"))
    name = covariate.measured_column
    flow.note(values.absent(name), reason("missing", column=name))
    flow.note(values.not_date(name), reason("no_day_missing", column=name))
    return values.date(name)


def _mostly_missing(values: Values, plan: Plan, flow: Flow, late: dict[str, np.ndarray]) -> None:
    """Count the rows without a covariate that most rows lack."""
    for column in (c.column for c in plan.covariate_list):
        absent = values.absent(column) | late.get(column, False)
        if (absent & flow.kept).sum() > MOSTLY * flow.kept.sum():
            flow.note(absent, reason("mostly_missing", column=column))


def criteria_of_starts(plan: Plan, criteria: tuple[Criterion, ...]) -> list[PlanError]:
    """Find criteria that would leave out who has no start, where these are drawn from."""
    if plan.risk_sets is None:
        return []
    return [
        PlanError(
            f"eligibility: `{criterion.text}`: comparison persons have no day in "
            f"{plan.columns.started} and would all be left out. Write time_zero in its place: the "
            "day from which each person is followed."
        )
        for criterion in criteria
        if plan.columns.started in criterion.columns
    ]
