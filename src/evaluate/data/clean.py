"""From raw cells to the study's persons: a list of decisions, each counted in the flow.

`prepare` reads the persons and makes the decisions on them; the linked tables, if there are any,
are then read for these persons; `finish` puts their outcomes into the study. `clean` does both
for a study without them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from evaluate.data import measures, persons
from evaluate.data.assignment import choose_offers, read_offers
from evaluate.data.doses import with_columns, with_counts
from evaluate.data.eligibility import parse_all
from evaluate.data.estimable import (
    constant_outcomes,
    followed_column,
    never_observed,
    nobody_left,
    without_day_zero,
)
from evaluate.data.flow import Flow, no_cleaning
from evaluate.data.joined import identifiers_used, joined, missing_columns, wanted_columns
from evaluate.data.keys import KeyMap, key_map, no_key_map
from evaluate.data.lottery import pooling_fault
from evaluate.data.people import People
from evaluate.data.person_decisions import Received, decide
from evaluate.data.privacy import identity_numbers
from evaluate.data.readers.read import RawTable, read_table
from evaluate.data.saturation import alike_in_clusters, saturation_faults, with_exposed
from evaluate.data.time_zero import criteria_of_starts, follow
from evaluate.data.units import unit_faults
from evaluate.data.values import Values, read_books
from evaluate.data.waves import every_row, gender_faults, waves
from evaluate.errors import DataError, EvaluateError, PlanError, Problems
from evaluate.plan.model import Plan

PERSON_TABLES = ("participants", "assignment", "keys")
Tables = Mapping[str, RawTable]


@dataclass(frozen=True)
class Prepared:
    """The persons of a study, before what linked tables say of them.

    Attributes
    ----------
    flow : Flow
        The decisions so far; `Flow.kept` says who is in the study.
    participants, outcomes : DataFrame
        The persons kept, as `schemas.PARTICIPANTS`; the outcomes that their own columns hold.
    people : People
        What linked tables need to know of them.
    key : Series of str, or None
        Key of each row of the participants, the one that came last; None without a key.
    accepted, started : ndarray of bool, shape (n,), or None
        Who accepted the offer, who started; None where the plan does not name a column.
    cleaning, quarantine : DataFrame
        Decisions on rows of assignment and key table, as `schemas.CLEANING`; the rejected rows
        of all three tables, as `schemas.QUARANTINE`.
    """

    flow: Flow
    participants: pd.DataFrame
    outcomes: pd.DataFrame
    people: People
    key: pd.Series | None
    accepted: np.ndarray | None
    started: np.ndarray | None
    cleaning: pd.DataFrame
    quarantine: pd.DataFrame


@dataclass(frozen=True)
class Cleaned:
    """A clean study: the tables of `schemas` with the same names."""

    participants: pd.DataFrame
    outcomes: pd.DataFrame
    flow: pd.DataFrame
    quarantine: pd.DataFrame
    cleaning: pd.DataFrame


def clean(raw: RawTable | Tables, plan: Plan, seed: int = 0) -> Cleaned:
    """Turn raw tables into a clean study, where all outcomes are columns of the persons.

    Parameters
    ----------
    raw : RawTable or mapping of str to RawTable
        The participants as received, or the tables of `read_tables`.
    plan : Plan
        The programme file.
    seed : int
        Of the study, for the drawing of comparison persons.

    Returns
    -------
    Cleaned
        Persons and outcomes in the same order, the flow that reconciles, the quarantine.

    Raises
    ------
    Problems
        All faults of the data that were found, each a `DataError`.
    """
    tables = {"participants": raw} if isinstance(raw, RawTable) else raw
    return finish(prepare(tables, plan, seed), {}, plan)


def read_tables(plan: Plan) -> dict[str, RawTable]:
    """Read the tables that say who the persons are: participants, assignment, keys.

    Raises
    ------
    Problems
        The faults of all files that cannot be read.
    """
    found: dict[str, RawTable] = {}
    faults: list[EvaluateError | str] = []
    for name in PERSON_TABLES:
        if name in plan.data.tables:
            try:
                found[name] = read_table(plan.data.tables[name], name)
            except EvaluateError as fault:
                faults += fault.problems if isinstance(fault, Problems) else [fault]
    if faults:
        raise Problems(faults)
    return found


def prepare(tables: Tables, plan: Plan, seed: int = 0) -> Prepared:
    """Read the persons and make every decision on them.

    Parameters
    ----------
    tables : mapping of str to RawTable
        As from `read_tables`.
    plan : Plan
        The programme file.
    seed : int
        Of the study, for the drawing of comparison persons.

    Raises
    ------
    Problems
        All faults of the data that were found, each a `DataError`.
    """
    faults: list[EvaluateError] = []
    person = plan.columns.person
    if person is None and len(tables) > 1:
        raise PlanError("columns.person: tables beside the participants need the key of a person.")
    criteria = parse_all(plan.eligibility, faults)
    faults += criteria_of_starts(plan, criteria)
    books = read_books(plan.data.codebooks, faults)
    both = joined(tables, plan)
    named = (column for criterion in criteria for column in criterion.columns)
    wanted = wanted_columns(plan, both, named)
    faults += missing_columns(both, plan, wanted)
    faults += identifiers_used(plan, wanted)
    changed = _key_map(tables, plan, faults)
    if not faults:  # else a header may be wrong, and no name of it is to be shown
        faults += identity_numbers(tables, plan)
    if faults:
        raise Problems(faults)
    wave = plan.columns.wave
    if wave and "assignment" in tables:
        raise PlanError("columns.wave: the offers stand in the participants, not in a table apart.")
    identity = persons.identify(both.participants, person, changed, wave)
    repeated = persons.duplicates(both.participants, person, identity, changed, faults, wave)
    arms, arm = persons.arms(both, plan.columns.treatment, faults)
    linked = []
    if "keys" in tables:
        linked.append((changed.decisions, identity.persons(changed.leads_to)))
    offers = None
    if both.offers is not None and identity.key is not None:
        offer_rows = read_offers(both, plan, identity, changed, arm, faults)
        offers = choose_offers(offer_rows, len(both), plan).of(identity.person)
        both = both.with_offers(offers.row)
        linked.append((offers.decisions, offer_rows.person))
    arm = both.by_person(plan.columns.treatment.column, arm, None)
    gender = persons.genders(both, plan.columns.gender, faults)
    codes_known = not faults
    if codes_known:
        said = plan.assignment.arm_faults(arms)
        faults += [PlanError(f"assignment.{key}: {text}.") for key, text in said]
    registered = plan.risk_sets.registered if plan.risk_sets else None
    values = Values(both, plan.columns, faults, books, plan.data.extract_date, registered)
    arms, arm = with_exposed(values, plan, arms, arm)

    repeats = waves(values, plan.columns, identity, arm, arms[0], faults)
    flow = Flow(gender, arm, arms, plan.columns.genders)
    received = Received(plan, values, identity, repeated, offers, arm, gender, criteria, repeats)
    drawn = decide(received, flow)
    followed = follow(received, flow, seed)
    values, identity, flow = followed.values, followed.identity, followed.flow
    arm, gender = followed.arm, followed.gender
    if codes_known:
        faults += nobody_left(both, plan, flow)
    if not flow.kept.any():
        raise Problems(faults)  # what follows would be found wanting for lack of rows
    faults += map(DataError, gender_faults(values, plan.columns, identity, gender, flow.kept))
    alike = alike_in_clusters(plan, arm)
    if not plan.is_observational:
        faults += map(DataError, unit_faults(values, plan.columns, flow.kept, alike))
    faults += map(DataError, saturation_faults(values, plan, flow.kept, arm, arms))
    participants = measures.participants(
        values, plan, flow, arm, gender, identity, drawn, followed.late
    )
    participants = with_columns(participants, values, plan, flow)
    if followed.weight is not None:
        participants["weight"] = followed.weight[flow.kept]
    share = participants["share"].to_numpy(dtype=float)
    faults += map(DataError, pooling_fault(values, plan, share))
    outcomes = measures.outcomes(values, plan, flow)
    accepted = measures.accepted(values, plan, flow)
    started = None if plan.is_observational else plan.columns.started
    faults += constant_outcomes(both, plan, outcomes, values.faulty)
    keys, rows = (
        every_row(identity)
        if plan.columns.repeated
        else (identity.alias_text, identity.alias_person)
    )
    people = People(
        source_row=values.source_row,
        gender=gender,
        arm=arm,
        kept=flow.kept.copy(),
        day_zero=values.zero,
        alias_text=keys,
        alias_person=rows,
    )
    if not faults:
        faults += without_day_zero(plan, people, arms)
    prepared = Prepared(
        flow=flow,
        participants=participants,
        outcomes=outcomes,
        people=people,
        key=identity.key,
        accepted=accepted,
        started=~np.isnat(values.date(started)) if started else None,
        cleaning=pd.concat(
            [no_cleaning(), *(d.cleaning(who, gender) for d, who in linked)], ignore_index=True
        ),
        quarantine=pd.concat(
            [flow.quarantine, *(d.quarantine for d, _ in linked)], ignore_index=True
        ),
    )
    if faults:
        raise Problems(faults)
    return prepared


def finish(
    prepared: Prepared,
    linked: Mapping[str, np.ndarray],
    plan: Plan,
    doses: Mapping[str, np.ndarray] | None = None,
) -> Cleaned:
    """Put the outcomes and doses that linked tables hold into the study.

    Parameters
    ----------
    prepared : Prepared
        The persons.
    linked : mapping of str to ndarray of float, shape (n_kept,)
        The outcomes that the plan takes from linked tables, by the name of their column, such
        as ``work@12``; NaN where not observed. In the order of the persons kept.
    plan : Plan
        The programme file.
    doses : mapping of str to ndarray of float, shape (n_kept,), optional
        The doses that were counted, by name.

    Returns
    -------
    Cleaned
        The study; cleaning and quarantine without those of the linked tables.

    Raises
    ------
    Problems
        For each outcome of linked tables that is never observed.
    """
    outcomes = pd.DataFrame(
        {
            c.name: prepared.outcomes[c.name] if c.source else linked[c.name]
            for c in plan.outcome_columns
        },
        index=prepared.participants.index,
    )
    if faults := never_observed(plan, outcomes):
        raise Problems(faults)
    flow, kept = prepared.flow.copy(), prepared.flow.kept
    participants = with_counts(prepared.participants, doses or {}, plan, flow)

    def reached(persons: pd.Series) -> np.ndarray:
        found = np.zeros(len(kept), dtype=bool)
        found[kept] = persons
        return found

    flow.mark("included", "", kept)
    if prepared.accepted is not None:
        flow.mark("accepted", "", prepared.accepted)
    if prepared.started is not None:
        flow.mark("started", "", prepared.started)
    if plan.columns.takeup:
        flow.mark("took_part", "", reached(participants["takeup"] == 1))
    if name := followed_column(plan):
        flow.mark("followed", name, reached(outcomes[name].notna()))
    for name in map(str, outcomes.columns):
        flow.mark("analysed", name, reached(outcomes[name].notna()))
    return Cleaned(participants, outcomes, flow.table, prepared.quarantine, prepared.cleaning)


def _key_map(tables: Tables, plan: Plan, faults: list[EvaluateError]) -> KeyMap:
    if "keys" not in tables:
        return no_key_map()
    try:
        return key_map(tables["keys"], plan)
    except Problems as fault:
        faults += [DataError(problem) for problem in fault.problems]
        return no_key_map()
