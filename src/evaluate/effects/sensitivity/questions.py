"""What the stage asks about: primary outcomes and placebo outcomes, in the month that stands."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from evaluate.covariates import Covariates
from evaluate.effects.fit import covariates_for
from evaluate.effects.observational.sample import Arranged
from evaluate.plan.model import Plan
from evaluate.propensities import CrossFit
from evaluate.study import GAP, Study

MOST = 50_000  # persons among whom analyses other than the plan's own are made
GENDERS = ("all", "women", "men")


@dataclass(frozen=True)
class Question:
    """One column of the outcomes table.

    Attributes
    ----------
    outcome : str
        Key of the plan.
    month : int or None
        The month that stands for it.
    column : int
        Position among the outcome columns.
    role : {"primary", "placebo"}
        Whether an effect is asked for, or none can be.
    unit : str
        Of the outcome.
    """

    outcome: str
    month: int | None
    column: int
    role: Literal["primary", "placebo"]
    unit: str


@dataclass(frozen=True)
class Asked:
    """Questions of one role that the same persons answer and the same covariates adjust.

    Attributes
    ----------
    questions : tuple of Question
        k of them.
    y : ndarray, shape (n, k)
        Outcomes, zero where they are missing.
    observed : ndarray of bool, shape (n,)
        Who has them.
    covariates : Covariates
        What adjusts them.
    """

    questions: tuple[Question, ...]
    y: np.ndarray
    observed: np.ndarray
    covariates: Covariates


@dataclass(frozen=True)
class Case:
    """The persons of one contrast and group, with outcomes that they all have.

    Attributes
    ----------
    plan : Plan
        The programme file.
    questions : tuple of Question
        k of them.
    arm, group : str
        As in the tables.
    one : Arranged
        The m persons that are kept.
    y : ndarray, shape (m, k)
        Their outcomes.
    """

    plan: Plan
    questions: tuple[Question, ...]
    arm: str
    group: str
    one: Arranged
    y: np.ndarray

    def labels(self, j: int, group: str = "") -> dict[str, object]:
        """Return what the rows of a question begin with, and its unit."""
        asks = self.questions[j]
        return {
            "outcome": asks.outcome,
            "month": asks.month,
            "arm": self.arm,
            "group": group or self.group,
            "unit": asks.unit,
        }


def questions(plan: Plan) -> list[Question]:
    """Return the primary outcomes of a plan, the first where none is named, and the placebos."""
    named = [k for k, o in plan.outcomes.items() if o.role == "primary"]
    named = named or [k for k, o in plan.outcomes.items() if o.role != "placebo"][:1]
    found = []
    for i, column in enumerate(plan.outcome_columns):
        outcome = plan.outcomes[column.outcome]
        if column.month != outcome.standing_month:
            continue
        if outcome.role == "placebo":
            found.append(Question(column.outcome, column.month, i, "placebo", outcome.unit))
        elif column.outcome in named:
            found.append(Question(column.outcome, column.month, i, "primary", outcome.unit))
    return found


def asked(study: Study, plan: Plan, chosen: Sequence[Question]) -> list[Asked]:
    """Put together the questions of one role that share their persons and covariates."""
    alike: dict[tuple[str, str, tuple[str, ...], str, bytes], list[Question]] = defaultdict(list)
    for one in chosen:
        own = one.outcome if one.outcome in study.baselines else ""
        absent = np.packbits(np.isnan(study.y[:, one.column])).tobytes()
        without = tuple(plan.outcomes[one.outcome].without)
        alike[one.role, own, without, plan.covariate_set(one.outcome), absent].append(one)
    found = []
    for (_, own, without, name, _), group in alike.items():
        columns = [one.column for one in group]
        observed = ~np.isnan(study.y[:, columns[0]])
        y = np.where(observed[:, None], study.y[:, columns], 0)
        found.append(Asked(tuple(group), y, observed, covariates_for(study, own, without, name)))
    return found


def by_gender(study: Study, plan: Plan) -> Study:
    """Return the study with the groups all, women and men, or all where there is one gender."""
    names = GENDERS if plan.columns.both_genders else GENDERS[:1]
    return replace(study, groups={k: v for k, v in study.groups.items() if k in names})


def against_control(study: Study) -> list[tuple[int, int]]:
    """Return the contrasts of each arm with control."""
    return [c for c in study.contrasts if c[1] == 0]


def groups_of(plan: Plan) -> list[str]:
    """Return the groups that are analysed: with one gender, all."""
    return [*GENDERS, GAP] if plan.columns.both_genders else ["all"]


def smaller(study: Study, seed: int, most: int = MOST) -> Study:
    """Return ``most`` persons of a larger study, drawn at random within arms."""
    if study.n <= most:
        return study
    order = np.random.default_rng(seed).random(study.n)
    rank = np.empty(study.n)
    for a in range(len(study.arms)):
        here = study.arm == a
        rank[here] = (np.argsort(np.argsort(order[here])) + 0.5) / max(here.sum(), 1)
    rows = np.zeros(study.n, dtype=bool)
    rows[np.argsort(rank, kind="stable")[:most]] = True
    return of_rows(study, rows)


def of_rows(study: Study, rows: np.ndarray) -> Study:
    """Return some of the persons, by a mask of shape (n,), with their propensities."""

    def own(values: np.ndarray | None) -> np.ndarray | None:
        return None if values is None else values[rows]

    return replace(
        study,
        arm=study.arm[rows],
        block=own(study.block),
        weight=own(study.weight),
        takeup=own(study.takeup),
        cost=own(study.cost),
        share=own(study.share),
        covariates=study.covariates[rows].reset_index(drop=True),
        baselines=study.baselines[rows].reset_index(drop=True),
        groups={name: members[rows] for name, members in study.groups.items()},
        negative={name: members[rows] for name, members in study.negative.items()},
        doses={name: values[rows] for name, values in study.doses.items()},
        y=study.y[rows],
        cluster=own(study.cluster),
        propensities={key: some_of(one, rows) for key, one in study.propensities.items()},
    )


def some_of(found: CrossFit, rows: np.ndarray) -> CrossFit:
    """Return the propensities of some persons."""
    return replace(
        found, fold=found.fold[:, rows], score=found.score[:, rows], kept=found.kept[rows]
    )


def lead_of(plan: Plan) -> str:
    """Return the estimator that leads the table of effects, in which `did` has no rows."""
    return next((e for e in plan.estimators if e != "did"), plan.estimators[0])
