"""Draws in two levels: who had no offer where others had one is an arm of its own."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from evaluate.data.values import Values
from evaluate.errors import PlanError, rows
from evaluate.plan.columns import EXPOSED
from evaluate.plan.model import Plan


def with_exposed(
    values: Values, plan: Plan, arms: Sequence[str], arm: np.ndarray
) -> tuple[list[str], np.ndarray]:
    """Part control into pure control, and those who had no offer where others had one.

    Parameters
    ----------
    values : Values
        The columns of the persons.
    plan : Plan
        The programme file.
    arms : sequence of str
        The arms, control first.
    arm : ndarray of str or None, shape (n,)
        The arm in the data of each person.

    Returns
    -------
    arms, arm
        With one more arm, `EXPOSED`, where the plan names `assignment.saturation`; else as
        they were. Effects against control are then against clusters that had no offers.

    Raises
    ------
    PlanError
        If an arm in the data has that name.
    """
    saturation = plan.assignment.saturation
    if saturation is None:
        return list(arms), arm
    if EXPOSED in arms:
        raise PlanError(f"columns.treatment: the code `{EXPOSED}` is kept for those exposed.")
    elsewhere = values.number(saturation.column) != saturation.control  # also where missing
    found = np.array(arm, dtype=object)
    found[(found == arms[0]) & elsewhere] = EXPOSED
    return [*arms, EXPOSED], found


def saturation_faults(
    values: Values, plan: Plan, kept: np.ndarray, arm: np.ndarray, arms: Sequence[str]
) -> list[str]:
    """Say where the shares of clusters are none, differ within one, or were not kept to.

    Parameters
    ----------
    values : Values
        The columns of the persons.
    plan : Plan
        The programme file.
    kept : ndarray of bool, shape (n,)
        The persons in the study.
    arm : ndarray of str, shape (n,)
        Their arms, as from `with_exposed`.
    arms : sequence of str
        The arms, control first.
    """
    saturation, cluster = plan.assignment.saturation, plan.columns.cluster
    if saturation is None or cluster is None or not kept.any():
        return []
    column = saturation.column
    share, arm = values.number(column)[kept], arm[kept]
    where = f"{values.tables.path(column)}: column {column} (assignment.saturation)"
    faults = []
    outside = ~((share >= 0) & (share <= 1))  # also where it is missing
    if outside.any():
        faults.append(
            f"{where}: {rows(int(outside.sum()))} missing, or below 0 or above 1. It is the share "
            "of the cluster's persons who were to be offered, 0.25 and not 25."
        )
    if not (outside.all() or (share == saturation.control).any()):
        faults.append(
            f"{where}: no cluster has the share `control: {saturation.control:g}`; effects are "
            f"against clusters where nobody was offered, and {rows(len(share))} are left without "
            "any. Is it the right column, and the right share under control?"
        )
    by_cluster = pd.Series(share).groupby(values.code(cluster)[kept])
    several = by_cluster.nunique(dropna=False) > 1
    if several.any():
        faults.append(
            f"{where}: {int(several.sum()):,} of {len(several):,} clusters ({cluster}) have more "
            "than one share. A cluster was drawn one."
        )
    offered = (share == saturation.control) & (arm == arms[1])
    if offered.any():
        faults.append(
            f"{where}: {rows(int(offered.sum()))} with arm `{arms[1]}` in clusters whose share is "
            f"{saturation.control:g}, where nobody was to be offered. Is it the share drawn, and "
            "the arm assigned?"
        )
    everybody = (share == 1) & (arm == EXPOSED)
    if everybody.any():
        faults.append(
            f"{where}: {rows(int(everybody.sum()))} with arm `{arms[0]}` in clusters whose share "
            "is 1, where all were to be offered."
        )
    return faults


def alike_in_clusters(plan: Plan, arm: np.ndarray) -> np.ndarray:
    """Return the arms that all persons of a cluster must share; in two levels there are none."""
    return arm if plan.assignment.saturation is None else np.full(len(arm), "", dtype=object)
