"""What was measured of each person: outcomes, covariates, take-up, weights, costs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from evaluate.data.flow import Flow
from evaluate.data.lottery import Lottery
from evaluate.data.persons import Identity
from evaluate.data.registers.calendar import months_between
from evaluate.data.units import crossed
from evaluate.data.values import Values
from evaluate.errors import rows
from evaluate.notes import reason
from evaluate.plan.closed import Code, code_text
from evaluate.plan.model import Plan
from evaluate.plan.outcomes import Outcome

MOST_CATEGORIES = 50  # more are rather a key or a free text
MOST_GROUPS = 12
MOST_SITES = 500  # whose names are printed
LARGEST = 1e150  # its square is a number still


def _not_finite(people: Values, column: str, flow: Flow) -> None:
    flow.note(people.as_numbers(column).not_finite, reason("infinite", column=column))


def _not_too_large(people: Values, column: str, key: str, flow: Flow) -> np.ndarray:
    """Return a column of numbers whose squares are numbers, too; others are a fault."""
    values = people.number(column)
    beyond = flow.kept & np.isfinite(values) & (np.abs(values) > LARGEST)
    if beyond.any():
        people.fault(
            column,
            f"{rows(int(beyond.sum()))} with a number beyond {LARGEST:g}, too large to compute "
            f"with ({key}). Is it a code for missing? Leave these cells empty, or mend them",
        )
    return values


def participants(
    people: Values,
    plan: Plan,
    flow: Flow,
    arm: np.ndarray,
    gender: np.ndarray,
    identity: Identity,
    drawn: Lottery | None,
    late: Mapping[str, np.ndarray] | None = None,
) -> pd.DataFrame:
    """Return the persons kept, as `schemas.PARTICIPANTS`.

    Values of covariates are missing where ``late`` says that they were measured too late.
    """
    columns, everyone = plan.columns, np.full(len(arm), np.nan)
    nobody = np.full(len(arm), None, dtype=object)
    # Where a person may have several rows, it is told by the first of them: never by its key.
    person = nobody
    if columns.repeated:
        person = (people.source_row[identity.person]).astype(str).astype(object)
    table: dict[str, Any] = {
        "source_row": people.source_row,
        "person": person,
        "arm": arm,
        "gender": gender,
        "takeup": everyone,
        "block": nobody,
        "cluster": person,
        "weight": everyone,
        "share": everyone,
        "cost": everyone,
    }
    if columns.takeup:
        taken = _happened(people, columns.takeup.column, columns.takeup.taken, "taken", flow)
        table["takeup"] = taken
        flow.note(np.isnan(table["takeup"]), reason("missing", column=columns.takeup.column))
    if columns.strata:
        table["block"] = crossed(people, columns.strata)
    if columns.cluster:
        table["cluster"] = people.code(columns.cluster)
    if columns.weight:
        _not_too_large(people, columns.weight, "columns.weight", flow)
        table["weight"] = _within(
            people,
            columns.weight,
            "columns.weight",
            flow,
            (0, np.inf),
            "Give every person a weight above 0, or leave columns.weight out",
        )
    if column := plan.assignment.probability:
        table["share"] = _within(
            people,
            column,
            "assignment",
            flow,
            (0, 1),
            "It is the probability with which the person was offered, 0.25 and not 25",
        )
    elif drawn is not None:
        table["share"] = drawn.probability
    table |= _record(people, plan, drawn)
    if plan.assignment.saturation:
        table["saturation"] = people.number(plan.assignment.saturation.column)
    if plan.costs and plan.costs.column:
        table["cost"] = _not_too_large(people, plan.costs.column, "costs.column", flow)
        _not_finite(people, plan.costs.column, flow)
    if plan.costs and plan.costs.site:
        table["site"] = _site(people, plan.costs.site, flow)
    for covariate in plan.covariate_list:
        table[f"covariate.{covariate.column}"] = _covariate(
            people, covariate.column, covariate.kind, flow
        )
        too_late = (late or {}).get(covariate.column)
        if too_late is not None:
            values = table[f"covariate.{covariate.column}"]
            values = values.copy()
            values[too_late] = np.nan if values.dtype.kind == "f" else None
            table[f"covariate.{covariate.column}"] = values
    for key, outcome in plan.outcomes.items():
        if outcome.baseline:
            if outcome.event is None:
                _not_too_large(people, outcome.baseline, f"outcomes.{key}.baseline", flow)
            table[f"baseline.{key}"] = _outcome(people, outcome.baseline, outcome, flow)
    for name in dict.fromkeys((*plan.groups, *plan.negative_controls)):
        table[f"group.{name}"] = _group(people, name, flow)
    return pd.DataFrame({name: values[flow.kept] for name, values in table.items()})


def accepted(people: Values, plan: Plan, flow: Flow) -> np.ndarray | None:
    """Return who accepted the offer, shape (n,); None where the plan names no column."""
    accepted = plan.columns.accepted
    if accepted is None:
        return None
    happened = _happened(people, accepted.column, accepted.taken, "taken", flow)
    flow.note(np.isnan(happened), reason("missing", column=accepted.column))
    return happened == 1


def outcomes(people: Values, plan: Plan, flow: Flow) -> pd.DataFrame:
    """Return the outcomes of the persons kept, as `schemas.OUTCOMES`."""
    table = {
        column.name: _outcome(people, column.source, plan.outcomes[column.outcome], flow)[flow.kept]
        for column in plan.outcome_columns
        if column.source
    }
    return pd.DataFrame(table, index=pd.RangeIndex(flow.kept.sum()))


def _record(people: Values, plan: Plan, drawn: Lottery | None) -> dict[str, Any]:
    """Return what is recorded of each person's lottery, for the checks of the design."""
    columns, found = plan.columns, {}
    if drawn is not None:
        found = {
            "lottery.cell": drawn.cell,
            "lottery.probability": drawn.probability,
            "lottery.places": drawn.places,
            "lottery.eligible": drawn.eligible,
        }
    if plan.is_observational:
        return months_of(people, plan)
    days = {"offered": columns.offered, "started": columns.started}
    return found | {f"lottery.{key}": people.date(name) for key, name in days.items() if name}


def months_of(people: Values, plan: Plan) -> dict[str, Any]:
    """Return the calendar months of time zero and of the first start, where the plan has days.

    They are counted from the year 0, that of the start in whole months from time zero, as months of
    outcomes are: a start on the 5th, with time zero on the 20th, is not yet in the next month.
    Where everybody has a day of the start as time zero, that of comparison persons is none.
    """
    columns, found = plan.columns, {}
    if columns.day_zero is not None:
        found["time_zero_month"] = _month(people.zero)
    if columns.started is not None:
        started = people.date(columns.started)
        if columns.time_zero == "started":
            control = people.code(columns.treatment.column) == code_text(columns.treatment.control)
            started = np.where(control, np.datetime64("NaT", "D"), started)
        found["started_month"] = _month(started)
        if columns.day_zero is not None and columns.time_zero != "started":
            zero = people.zero
            both = ~np.isnat(started) & ~np.isnat(zero)
            apart = months_between(zero[both].astype(int), started[both].astype(int))
            found["started_month"][both] = found["time_zero_month"][both] + apart
    return found


def _month(day: np.ndarray) -> Any:
    since_1970 = day.astype("datetime64[M]").astype(np.int64)
    months = pd.array(np.where(np.isnat(day), 0, since_1970 + 12 * 1970), dtype="Int64")
    months[np.isnat(day)] = pd.NA
    return months


def _outcome(people: Values, column: str, outcome: Outcome, flow: Flow) -> np.ndarray:
    if outcome.event is not None:
        return _happened(people, column, outcome.event, "event", flow)
    values = people.number(column)
    _not_finite(people, column, flow)
    if outcome.unit == "share" and not outcome.transform:
        outside = flow.kept & ((values < 0) | (values > 1))
        if outside.any():
            people.fault(
                column,
                f"{rows(int(outside.sum()))} below 0 or above 1, but the unit is share. "
                "Name the `event` that counts as 1, or another unit",
            )
    if outcome.transform == "log":
        positive = values > 0
        without = flow.kept & ~positive & ~np.isnan(values)
        if without.any():
            people.fault(
                column,
                f"{rows(int(without.sum()))} at or below 0, which has no logarithm. Leave "
                "out `transform: log`: dropping those rows would change the population",
            )
        return np.log(values, where=positive, out=np.full(len(values), np.nan))
    return values


def _happened(people: Values, column: str, code: Code, key: str, flow: Flow) -> np.ndarray:
    """Return 1 where a column has the code, 0 where another, NaN where missing."""
    has_code = people.code(column) == code_text(code)
    if flow.kept.any() and not has_code[flow.kept].any():
        what = f"no row has `{code_text(code)}`, which the plan names as `{key}`"
        if key == "taken":
            what += ". Mend the code; or, if nobody did, leave the key out: nothing is told of it"
        people.fault(column, what)
    return np.where(people.absent(column), np.nan, has_code.astype(float))


def _within(
    people: Values, column: str, key: str, flow: Flow, bounds: tuple[float, float], mend: str
) -> np.ndarray:
    """Return numbers that every person must have between bounds; ``mend`` says what to do."""
    low, high = bounds
    values = people.number(column)
    wrong = flow.kept & ~people.as_numbers(column).not_numbers & ~((values > low) & (values < high))
    if wrong.any():
        bound = f"above {low:g} and " + (f"below {high:g}" if np.isfinite(high) else "finite")
        what = f"{rows(int(wrong.sum()))} missing, or not {bound} ({key})"
        people.fault(column, f"{what}. {mend}")
    return np.where(wrong, np.nan, values)


def _covariate(people: Values, column: str, kind: str, flow: Flow) -> np.ndarray:
    texts = people.as_numbers(column).not_numbers
    if column in people.books:
        kind = "categorical" if kind == "auto" else kind
    if kind == "numeric" or (kind == "auto" and not texts.any()):
        values = _not_too_large(people, column, "covariates", flow)
        _not_finite(people, column, flow)
        return values
    if kind == "auto" and texts.sum() < (~texts & ~people.absent(column)).sum():
        people.fault(
            column,
            f"{rows(int(texts.sum()))} with a text, but most rows have a number. Mend the "
            "data, or write `{column: " + column + ", kind: categorical}`",
        )
    values = people.code(column)
    count = len({v for v in values[flow.kept] if v is not None})
    if count > MOST_CATEGORIES:
        people.fault(
            column,
            f"{count:,} different texts; a categorical covariate has at most "
            f"{MOST_CATEGORIES}. Is it a key, or are some of its numbers not numbers",
        )
    return values


def _group(people: Values, column: str, flow: Flow) -> np.ndarray:
    values = people.code(column)
    count = len({v for v in values[flow.kept] if v is not None})
    if not 2 <= count <= MOST_GROUPS:
        people.fault(column, f"{count:,} different values; groups need 2 to {MOST_GROUPS} of them")
    return values


def _site(people: Values, column: str, flow: Flow) -> np.ndarray:
    values = people.code(column)
    count = len({v for v in values[flow.kept] if v is not None})
    if not 1 <= count <= MOST_SITES:
        people.fault(
            column,
            f"{count:,} different sites (costs.site); at most {MOST_SITES} can be told apart, and "
            "their names are printed. Is it a key? Name the column with the site",
        )
    return values
