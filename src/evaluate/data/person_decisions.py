"""The decisions on persons, one function each, in the order in which they are made.

Each takes persons out (`Flow.exclude`) or counts to whom something was done (`Flow.note`), under
a reason of `evaluate.notes`. A person is taken out once, for the first reason that holds.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from evaluate.data.assignment import Offers
from evaluate.data.eligibility import Criterion, holds
from evaluate.data.flow import Flow
from evaluate.data.joined import AT_TIME_ZERO
from evaluate.data.lottery import Lottery, lottery, place_of_rule, probability
from evaluate.data.persons import Identity
from evaluate.data.values import Values
from evaluate.data.waves import Waves
from evaluate.errors import DataError
from evaluate.notes import reason
from evaluate.plan.columns import GenderColumn
from evaluate.plan.model import Plan

EVERYBODY = (
    "{where} (assignment.rule): by it the probability of the offer is 0 or 1 for everybody, so "
    "that nothing was drawn. Look at the cells (`within`) and at the numbers of places and of the "
    "eligible."
)


@dataclass(frozen=True)
class Received:
    """The persons as received, before any decision.

    Attributes
    ----------
    plan : Plan
        The programme file.
    values : Values
        Their columns.
    identity : Identity
        Their keys.
    repeated : ndarray of bool, shape (n,)
        Rows that repeat an earlier one of the same person whole.
    offers : Offers, optional
        What the assignment table says, for each row of the participants.
    arm, gender : ndarray of str or None, shape (n,)
        Arm and gender.
    criteria : tuple of Criterion
        Criteria of eligibility.
    waves : Waves, optional
        Offers of the same persons in other waves.
    """

    plan: Plan
    values: Values
    identity: Identity
    repeated: np.ndarray
    offers: Offers | None
    arm: np.ndarray
    gender: np.ndarray
    criteria: tuple[Criterion, ...]
    waves: Waves | None = None


def decide(people: Received, flow: Flow) -> Lottery | None:
    """Make every decision on persons, in its order.

    Returns
    -------
    Lottery or None
        Each person's lottery by the rule that the plan records.
    """
    for decision in UP_TO_THE_LOTTERY:
        decision(people, flow)
    drawn = lottery(people.values, people.plan, flow.kept)
    not_drawn(people, drawn, flow)
    for decision in AFTER_THE_LOTTERY:
        decision(people, flow)
    return drawn


def duplicates(people: Received, flow: Flow) -> None:
    """Take out rows that repeat an earlier row of the same person whole."""
    flow.exclude(people.repeated, reason("duplicate"))


def without_key(people: Received, flow: Flow) -> None:
    """Take out rows without a person's key, and those whose key denotes nobody.

    A key denotes nobody where the key table leads it to several others or back to itself:
    what the registers say under it may be another's.
    """
    if people.plan.columns.person:
        flow.exclude(people.identity.absent, reason("no_key"))
    if people.plan.data.keys:
        flow.exclude(people.identity.unclear, reason("key_unclear"))


def without_wave(people: Received, flow: Flow) -> None:
    """Take out rows without a wave, where the plan names one."""
    if people.waves is not None:
        flow.exclude(people.waves.absent, reason("missing", column=people.plan.columns.wave))


def not_randomised(people: Received, flow: Flow) -> None:
    """Take out persons without an offer that counts, where the assignment table has the arms."""
    offers = people.offers
    if offers is None or not _in_offers(people, people.plan.columns.treatment.column):
        return
    flow.exclude(~offers.is_named, reason("not_randomised"))
    flow.exclude(offers.several, reason("several_arms"))
    flow.exclude(offers.row < 0, reason("no_offer"))


def without_arm(people: Received, flow: Flow) -> None:
    """Take out persons whose arm is missing; in the assignment table such a row is no offer."""
    column = people.plan.columns.treatment.column
    if not _in_offers(people, column):
        flow.exclude(pd.isna(people.arm), reason("missing", column=column))


def offered_before(people: Received, flow: Flow) -> None:
    """Take out rows of persons offered in an earlier wave; count control that is offered later.

    Who has had the offer is out of the lottery, so that later rows compare with nobody. Control
    stays where it was, whatever later waves bring: leaving it out would undo its lottery.
    """
    if people.waves is not None:
        flow.exclude(people.waves.already_offered, reason("already_offered"))
        flow.note(people.waves.offered_later, reason("offered_later"))


def impossible_age(people: Received, flow: Flow) -> None:
    """Take out persons whose age at the offer cannot be; count those whose age is not known."""
    columns, values = people.plan.columns, people.values
    if not (columns.born and columns.offered):
        return
    low, high = people.plan.data.ages
    age = values.age
    flow.exclude((age < low) | (age > high), reason("age", low=low, high=high))
    flow.note(values.absent(columns.born), reason("missing", column=columns.born))
    flow.note(values.not_date(columns.born), reason("no_day_missing", column=columns.born))


def offer_day(people: Received, flow: Flow) -> None:
    """Take out persons without a day of the offer, or with one that the extract cannot have.

    A day in the assignment table was judged there; what is left is who has none.
    """
    column, data, values = people.plan.columns.offered, people.plan.data, people.values
    in_offers = column is not None and _in_offers(people, column)
    if column is None or (in_offers and _in_offers(people, people.plan.columns.treatment.column)):
        return
    flow.exclude(values.absent(column), reason("missing", column=column))
    if in_offers:
        return
    day = values.date(column)
    flow.exclude(values.not_date(column), reason("no_day", column=column))
    if data.coverage:
        flow.exclude(day < np.datetime64(data.coverage), reason("early", column=column))
    if data.extract_date:
        flow.exclude(day > np.datetime64(data.extract_date), reason("late", column=column))


def start_and_end(people: Received, flow: Flow) -> None:
    """Count persons who start before the offer or end before the start, and days that are none.

    They stay: the days of the programme are what came of the offer, and leaving persons out
    for them would undo the lottery. Of observational studies see `time_zero`.
    """
    columns, values = people.plan.columns, people.values
    observational = people.plan.is_observational
    for column, earlier in ((columns.started, columns.offered), (columns.ended, columns.started)):
        if column is None or (observational and column == columns.day_zero):
            continue
        flow.note(values.not_date(column), reason("no_day_missing", column=column))
        if people.plan.data.extract_date and column == columns.started:
            late = values.date(column) > np.datetime64(people.plan.data.extract_date)
            flow.note(late, reason("late", column=column))
        if earlier is not None and not (observational and column == columns.started):
            before = values.date(column) < values.date(earlier)
            flow.note(before, reason("earlier", column=column, other=earlier))


def not_eligible(people: Received, flow: Flow) -> None:
    """Take out persons who do not meet the criteria of the plan, or of whom it is not known."""
    values = people.values
    for criterion in people.criteria:
        met, unknown = holds(criterion, values.number, values.code, values.date)
        judged = np.ones(len(met), dtype=bool)
        if people.plan.risk_sets and criterion.of_time_zero:
            judged = people.arm != flow.arms[0]  # others have no time zero before they are drawn
        flow.exclude(judged & unknown, reason("unknown", criterion=criterion.text))
        flow.exclude(judged & ~met, reason("unmet", criterion=criterion.text))


def without_block(people: Received, flow: Flow) -> None:
    """Take out persons whose block is missing, or the cell in which their offer was drawn."""
    rule = people.plan.assignment.rule
    within = (rule.within if rule else None) or []
    for column in dict.fromkeys([*people.plan.columns.blocks, *within]):
        flow.exclude(people.values.absent(column), reason("missing", column=column))


def without_cluster(people: Received, flow: Flow) -> None:
    """Take out persons whose cluster is missing, where the plan names one."""
    if column := people.plan.columns.cluster:
        flow.exclude(people.values.absent(column), reason("missing", column=column))


def not_drawn(people: Received, drawn: Lottery | None, flow: Flow) -> None:
    """Take out persons of whom nothing was drawn: the offer, or none, was certain.

    They have nobody to be compared with by lottery. Those in the other arm than the certain one
    are counted: there the record of the lottery, or that of the arm, is wrong.
    """
    share = probability(people.values, people.plan, drawn)
    if share is None:
        return
    certain = np.isin(share, (0, 1))
    if certain[flow.kept].all():
        if people.plan.assignment.probability is None:
            where = place_of_rule(people.values, people.plan)
            people.values.faults.append(DataError(EVERYBODY.format(where=where)))
        return  # of a column it is said where its values are read
    flow.note(certain & (share == 1 - (people.arm != flow.arms[0])), reason("against_lottery"))
    flow.exclude(certain, reason("no_lottery"))


def without_covariates(people: Received, flow: Flow) -> None:
    """Take out persons with a missing covariate, where the plan says to drop them."""
    if people.plan.analysis.missing_covariates == "drop":
        for covariate in people.plan.covariate_list:
            column = covariate.column
            if people.plan.risk_sets and column in AT_TIME_ZERO:
                continue  # known when comparison persons are drawn
            flow.exclude(people.values.absent(column), reason("missing", column=column))


def without_gender(people: Received, flow: Flow) -> None:
    """Count persons whose gender is missing; they stay in `all`."""
    if isinstance(people.plan.columns.gender, GenderColumn):
        column = people.plan.columns.gender.column
        flow.note(pd.isna(people.gender), reason("missing", column=column))


def codes_in_codebooks(people: Received, flow: Flow) -> None:
    """Count persons with a code that its codebook does not know, or not on that day."""
    for column, book in people.plan.data.codebooks.items():
        judged = people.values.judged(column)
        flow.note(judged.unknown, reason("code_unknown", column=column, book=book))
        flow.note(judged.outside, reason("code_outside", column=column, book=book))


UP_TO_THE_LOTTERY = (
    duplicates,
    without_key,
    without_wave,
    not_randomised,
    without_arm,
    offered_before,
    impossible_age,
    offer_day,
    start_and_end,
    not_eligible,
    without_block,
    without_cluster,
)
AFTER_THE_LOTTERY = (
    without_covariates,
    without_gender,
    codes_in_codebooks,
)
DECISIONS = (*UP_TO_THE_LOTTERY, *AFTER_THE_LOTTERY)


def _in_offers(people: Received, column: str) -> bool:
    return people.values.tables.in_offers(column)
