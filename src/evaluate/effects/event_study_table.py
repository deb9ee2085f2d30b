"""The table of difference-in-differences, where starts are staggered over calendar months."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from evaluate import schemas
from evaluate.covariates import imputed, independent
from evaluate.effects.event_panel import QUARTER, Panel, calendar_panel, step_for
from evaluate.effects.event_study_rows import Row, empty_row, rows_of, rows_of_gap
from evaluate.effects.fit import covariates_for
from evaluate.effects.observational.did import GroupTime, Omitted, group_time
from evaluate.effects.observational.sample import with_gender
from evaluate.errors import DesignError
from evaluate.notes import note
from evaluate.plan.model import Plan
from evaluate.seeds import generator
from evaluate.study import GAP, Study

FEWEST = 20  # persons of a cohort, and controls, that an effect rests on at least
BY_COVARIATE = 3  # and for each column of covariates
GENDERS = ("women", "men")


@dataclass(frozen=True)
class Persons:
    """Who an arm's cohorts and those compared with them are, and when they start.

    Attributes
    ----------
    rows : ndarray of bool, shape (n,)
        Of the study's persons: those in the arm with a month of start, and those in control.
    zero : ndarray of int, shape (n,)
        Calendar month of time zero.
    started : ndarray, shape (n,)
        Month of start, NaN for never.
    until : ndarray, shape (n,)
        Month from which a person is no longer compared with, having started in what may be
        another arm; NaN for none.
    no_start : int
        Persons of the arm left out.
    """

    rows: np.ndarray
    zero: np.ndarray
    started: np.ndarray
    until: np.ndarray
    no_start: int


def event_study_table(
    study: Study, participants: pd.DataFrame, plan: Plan, seed: int
) -> pd.DataFrame:
    """Estimate effects by cohort of start and calendar month, and by months since the start.

    Cohorts are those who start in the same month, compared with those who have not started yet.
    An effect rests on twenty persons at least, and three for every covariate, on either side.

    Parameters
    ----------
    study : Study
        The persons.
    participants : DataFrame
        As `schemas.PARTICIPANTS`, with ``time_zero_month`` and ``started_month``.
    plan : Plan
        The programme file.
    seed : int
        Of the simultaneous bands.

    Returns
    -------
    DataFrame
        As `schemas.EVENT_STUDY`; empty where the plan does not name `did`. Kinds: ``group_time``,
        by cohort and calendar month, with those that cannot be estimated and why; ``event``, by
        month since the start, cohorts weighted by their size; ``cohort`` and ``calendar``,
        averages from the start on; ``overall``, over those who start; ``pre_trend``, the test
        that all effects before the start are zero. Cohorts and calendar months are counted from
        the first start, 1; months since the start as everywhere: month 1 begins with it, month 0
        before it is the base. Of the gap there is no ``group_time``.
    """
    rows: list[Row] = []
    if "did" in plan.estimators:
        for contrast in (c for c in study.contrasts if c[1] == 0):
            persons = _persons(study, participants, contrast[0])
            for outcome in plan.outcomes:
                context = {"outcome": outcome, "arm": study.label(contrast)}
                context["unit"] = plan.outcomes[outcome].unit
                found = _rows(study, plan, outcome, persons, context["arm"], seed)
                rows.extend(context | row for row in found)
    table = pd.DataFrame(rows, columns=list(schemas.EVENT_STUDY.columns))
    return table.assign(level=plan.analysis.level)


def _persons(study: Study, participants: pd.DataFrame, arm: int) -> Persons | None:
    """Return the persons of an arm and of control; None where months are not known."""
    names = ("time_zero_month", "started_month")
    if not set(names) <= set(participants.columns):
        return None
    zero, started = (
        participants[n].astype("Float64").to_numpy(float, na_value=np.nan) for n in names
    )
    known = ~np.isnan(zero)
    treated, control = study.arm == arm, study.arm == 0
    rows = known & ((treated & ~np.isnan(started)) | control)
    until = np.full(study.n, np.nan)
    if len(study.arms) > 2:  # of which arm those are who start later is not known
        until, started = np.where(control, started, np.nan), np.where(control, np.nan, started)
    return Persons(
        rows,
        np.where(known, zero, 0).astype(int),
        started,
        until,
        int((treated & ~rows).sum()),
    )


def _rows(
    study: Study, plan: Plan, outcome: str, persons: Persons | None, arm: str, seed: int
) -> Iterator[Row]:
    """Yield the rows of one outcome and arm."""
    places = [i for i, c in enumerate(plan.outcome_columns) if c.outcome == outcome]
    months = [m for m in (plan.outcome_columns[i].month for i in places) if m is not None]
    if not months or min(months) > 0 or max(months) < 1:
        if plan.outcomes[outcome].role != "placebo":
            yield empty_row(note("no_months"))
        return
    if persons is None:
        yield empty_row(note("no_time_zero"))
        return
    panel, notes = _panel(study, plan, outcome, persons, places, months)
    done: dict[str, tuple[GroupTime, np.ndarray]] = {}
    for group in ("all", *(g for g in GENDERS if g in study.groups)):
        rng = generator(seed, "event_study", outcome, arm, group)
        rows = persons.rows & study.groups[group]
        try:
            cells, own = _cells(study, plan, outcome, panel, rows)
        except DesignError as error:
            yield empty_row(note("error", reason=error), group)
            continue
        done[group] = (cells, rows)
        yield from rows_of(
            cells, group, study.cluster, study.units, rows, [*notes, *own], plan.analysis.level, rng
        )
    if not plan.columns.both_genders:
        return
    if not set(GENDERS) <= done.keys():
        yield empty_row(note("no_gap"), GAP)
        return
    rng = generator(seed, "event_study", outcome, arm, GAP)
    yield from rows_of_gap(
        done["women"], done["men"], study.cluster, study.units, notes, plan.analysis.level, rng
    )


def _panel(
    study: Study,
    plan: Plan,
    outcome: str,
    persons: Persons,
    places: list[int],
    months: list[int],
) -> tuple[Panel, list[str]]:
    """Lay out an outcome by calendar month, of all persons of the study; others have NaN."""
    y = np.where(persons.rows[:, None], study.y[:, places], np.nan)
    month = persons.zero[:, None] + np.asarray(months) - 1
    y[month >= persons.until[:, None]] = np.nan
    started = np.where(persons.rows, persons.started, np.nan)
    zero = np.where(persons.rows, persons.zero, persons.zero[persons.rows].max(initial=0))
    x = _covariates(study, plan, outcome, persons.rows)[0]
    groups = [study.groups[g] for g in ("all", *GENDERS) if g in study.groups]
    step = step_for(started, groups, _fewest(x))
    notes = [note("quarters")] if step == QUARTER else []
    if persons.no_start:
        notes.append(note("no_start", n=persons.no_start))
    return calendar_panel(y, months, zero, started, step), notes


def _cells(
    study: Study, plan: Plan, outcome: str, panel: Panel, rows: np.ndarray
) -> tuple[GroupTime, list[str]]:
    """Estimate a group by cohort and month, and say what was done.

    Raises
    ------
    DesignError
        If there is nobody, or no effect can be estimated.
    """
    there = rows & ~np.isnan(panel.y).all(axis=1)
    if not there.any():
        raise DesignError("nobody has the outcome.")
    if study.cluster is not None:
        starts = panel.cohort > 0
        sides = [len(np.unique(study.cluster[there & side])) for side in (starts, ~starts)]
        if min(sides) < 2:
            raise DesignError("fewer than two clusters among those who start or the others.")
    x, absent = _covariates(study, plan, outcome, rows)
    cells = group_time(
        panel.y[rows],
        panel.cohort[rows],
        x,
        None if study.weight is None else study.weight[rows],
        months=panel.when,
        fewest=_fewest(x),
    )
    cells = replace(cells, omitted=tuple(o for o in cells.omitted if _followed(o, panel, rows)))
    notes = [note("imputed", n=absent)] if absent else []
    left = [o.cohort for o in cells.omitted if o.month is None]
    if lost := int(np.isin(cells.started, left).sum()):
        notes.append(note("small_cohorts", n=lost))
    return cells, notes


def _followed(omitted: Omitted, panel: Panel, rows: np.ndarray) -> bool:
    """Tell whether anybody of a cohort is observed in a month; else there is nothing to tell."""
    if omitted.month is None:
        return True
    month = panel.y[:, np.searchsorted(panel.when, omitted.month)]
    return bool((rows & (panel.cohort == omitted.cohort) & ~np.isnan(month)).any())


def _covariates(study: Study, plan: Plan, outcome: str, rows: np.ndarray) -> tuple[np.ndarray, int]:
    """Return the columns that persons are compared at equal values of, and how many are means.

    A measure of the outcome before is not among them: its level is what differences take out.
    """
    covariates = covariates_for(study, "", plan.outcomes[outcome].without)
    values = with_gender(study, plan, covariates, rows).values[rows]
    x = imputed(values)
    return x[:, independent(x)], int(np.isnan(values).sum())


def _fewest(x: np.ndarray) -> int:
    return max(FEWEST, BY_COVARIATE * x.shape[1])
