"""Outcome columns that one factorisation serves."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from evaluate.covariates import Covariates
from evaluate.effects.fit import covariates_for
from evaluate.plan.model import Plan
from evaluate.study import Study

CELLS = 20_000_000  # persons times outcome columns held at a time


@dataclass(frozen=True)
class Batch:
    """Outcome columns that the same persons have and the same covariates adjust.

    Attributes
    ----------
    columns : ndarray of int, shape (k,)
        Positions among the outcome columns of the plan.
    y : ndarray, shape (n, k)
        The outcomes, zero where they are missing.
    observed : ndarray of bool, shape (n,)
        Who has them.
    covariates : Covariates
        What adjusts them.
    """

    columns: np.ndarray
    y: np.ndarray
    observed: np.ndarray
    covariates: Covariates


def batches(study: Study, plan: Plan) -> Iterator[Batch]:
    """Split the outcome columns into batches, none larger than memory is meant to hold."""
    alike: dict[tuple[str, tuple[str, ...], str, bytes], list[int]] = defaultdict(list)
    for i, column in enumerate(plan.outcome_columns):
        outcome = plan.outcomes[column.outcome]
        own = column.outcome if column.outcome in study.baselines else ""
        absent = np.packbits(np.isnan(study.y[:, i])).tobytes()
        name = plan.covariate_set(column.outcome)
        alike[own, tuple(outcome.without), name, absent].append(i)
    most = max(1, CELLS // max(study.n, 1))
    for (own, without, name, _), columns in alike.items():
        covariates = covariates_for(study, own, without, name)
        for start in range(0, len(columns), most):
            chosen = columns[start : start + most]
            known = ~np.isnan(study.y[:, chosen[0]])
            y = np.where(known[:, None], study.y[:, chosen], 0)
            yield Batch(np.array(chosen), y, known, covariates)
