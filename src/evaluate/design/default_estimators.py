"""Which estimators and errors follow from the design, where the plan names none."""

from __future__ import annotations

import numpy as np
import pandas as pd

from evaluate.covariates import columns_of
from evaluate.plan.analysis import Estimator
from evaluate.plan.model import Plan
from evaluate.study import Study

ROOM = 2  # persons in an arm for each slope that Lin's regression fits in it
LOPSIDED = 0.1  # share of persons in blocks with one of an arm and several of another
MEANS: tuple[Estimator, ...] = ("difference_in_means",)
COMMON: tuple[Estimator, ...] = ("ancova", *MEANS)


def with_default(plan: Plan, study: Study) -> Plan:
    """Return the plan with the estimators that its design can carry, if it names none.

    By default persons have Lin's regression, with slopes of its own in each arm. Where an arm
    of all, of women or of men has fewer than two persons for each slope, blocks among them, or
    where each block has one unit of an arm, slopes are common. Of blocks with one unit of an
    arm and several of another regressions have too small errors HC2: means lead alone, and
    regressions that the plan names have HC3. Outcomes do not enter, so that every stage takes
    the same from the same persons.

    Parameters
    ----------
    plan : Plan
        The programme file.
    study : Study
        The persons.

    Returns
    -------
    Plan
        The same plan where it says all, or clusters were drawn.
    """
    if plan.columns.clustered or plan.is_observational:
        return plan
    lopsided = is_lopsided(study)
    if plan.analysis.estimators or not plan.covariates:
        return plan.with_default(plan.estimators, "HC3") if lopsided else plan
    if lopsided:
        return plan.with_default(MEANS)
    cells = [_cells(study, m) for g, m in study.groups.items() if g in ("all", "women", "men")]
    slopes = columns_of(study.covariates).values.shape[1] + bool(study.baselines.shape[1])
    return plan.with_default(COMMON) if _single(cells[0])[0] or _short(cells, slopes) else plan


def is_lopsided(study: Study) -> bool:
    """Tell whether more than a few blocks have one unit of an arm and several of another.

    There errors HC2 of a regression with absorbed blocks are unbiased only where the outcome
    varies alike in the arms, however many blocks there are; HC3 are no smaller than they should
    be, whichever arm varies more.
    """
    return _single(_cells(study, study.groups["all"]))[1] > LOPSIDED


def as_estimated(plan: Plan, effects: pd.DataFrame) -> Plan:
    """Return the plan with the estimators and errors of a table of effects, if it names none.

    Parameters
    ----------
    plan : Plan
        The programme file.
    effects : DataFrame
        As `schemas.EFFECTS`, in its order.
    """
    if plan.is_observational:
        return plan
    offers = effects[effects["estimand"] != "late"]
    known = [e for e in dict.fromkeys(offers["estimator"]) if e in ("lin", *COMMON)]
    careful = not plan.columns.clustered and (offers["std_error_kind"] == "HC3").any()
    if careful and plan.analysis.std_error is None:
        return plan.with_default(plan.estimators, "HC3")
    if plan.analysis.estimators or plan.columns.clustered or not plan.covariates or not known:
        return plan
    return plan.with_default(tuple(known))


def _cells(study: Study, members: np.ndarray) -> np.ndarray:
    """Count the persons of a group by block and arm, in arms with two or more of them."""
    block = np.zeros(study.n, dtype=int) if study.block is None else study.block
    found = np.zeros((int(block.max(initial=0)) + 1, len(study.arms)), dtype=int)
    np.add.at(found, (block[members], study.arm[members]), 1)
    return found[:, found.sum(axis=0) >= 2]


def _single(cells: np.ndarray) -> tuple[bool, float]:
    """Tell whether each block has one unit of an arm, and the share in which another has more."""
    held = cells[(cells > 0).sum(axis=1) > 1]
    if len(held) < 2:
        return False, 0.0
    one = np.where(held > 0, held, held.max()).min(axis=1) == 1
    uneven = one & (held.max(axis=1) > 1)
    return bool(one.all()), float(held[uneven].sum() / held.sum())


def _short(cells: list[np.ndarray], slopes: int) -> bool:
    """Tell whether a group has too few persons for slopes by arm, and enough for common ones."""
    for found in cells:
        blocks, arms = int((found > 0).any(axis=1).sum()), found.shape[1]
        whole = found[(found > 0).all(axis=1)]
        if arms < 2 or found.sum() <= blocks + slopes + arms - 1:
            continue  # whatever the slopes, nothing can be estimated
        if not len(whole) or whole.sum(axis=0).min() < ROOM * (len(whole) + slopes):
            return True
    return False
