"""Checks of a draw in two levels: of the shares of clusters, and of the persons within them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from evaluate.covariates import columns_of
from evaluate.design.checks import balance_table, design_checks
from evaluate.design.observational_balance import observational_balance
from evaluate.design.observational_checks import observational_checks
from evaluate.design.permutation import joint_test
from evaluate.design.rows import row
from evaluate.design.shares import ratios
from evaluate.effects.saturation import two_arms
from evaluate.notes import finding
from evaluate.plan.columns import EXPOSED
from evaluate.plan.model import Plan
from evaluate.study import Study

OF_PERSONS = ("sample_ratio", "share_by_gender")  # shares offered within clusters


def design_tables(
    study: Study,
    plan: Plan,
    saturation: np.ndarray | None,
    rng: np.random.Generator,
    record: pd.DataFrame | None = None,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the checks of the design and the table of balance, see `assignment_checks`."""
    if plan.is_observational:
        balance, reasons = observational_balance(study, plan)
        return observational_checks(study, plan, balance, reasons, record), balance
    checks = assignment_checks(study, plan, saturation, rng, record)
    return checks, balance_table(study, plan)


def assignment_checks(
    study: Study,
    plan: Plan,
    saturation: np.ndarray | None,
    rng: np.random.Generator,
    record: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Check the assignment, in both its levels where it had two.

    Parameters
    ----------
    study : Study
        The persons, as `effects.saturation.spillovers` takes them.
    plan : Plan
        The programme file.
    saturation : ndarray, shape (n,), optional
        Share drawn for each person's cluster; without one this is `design_checks`.
    rng : Generator
        Source of the permutations.
    record : DataFrame, optional
        As of `design_checks`.

    Returns
    -------
    DataFrame
        As `schemas.DESIGN_CHECKS`. Clusters are drawn anew among the shares, which take the
        place of arms; then, where some but not all were to be offered, persons within their
        clusters (``sample_ratio``, ``balance_within``).
    """
    if saturation is None:
        return design_checks(study, plan, rng, record)
    saturation = np.asarray(saturation, dtype=float)
    levels, place = np.unique(saturation, return_inverse=True)
    of_clusters = replace(study, arms=tuple(f"{s:g}" for s in levels), arm=place.astype(int))
    first = design_checks(of_clusters, plan, rng, record)
    first = first[~first["check"].isin(OF_PERSONS)]
    second = pd.DataFrame(_within(study, plan, saturation, rng), columns=first.columns)
    return pd.concat([first, second], ignore_index=True) if len(second) else first


def _within(
    study: Study, plan: Plan, saturation: np.ndarray, rng: np.random.Generator
) -> list[dict[str, object]]:
    """Check the offers within clusters: their share, and covariates of those who had one."""
    mixed = (saturation > 0) & (saturation < 1) & (study.arm > 0)
    offered = mixed & (study.arm == 1)
    exposed = mixed & (study.arm == study.arms.index(EXPOSED))
    if not offered.any() or not exposed.any():
        return []
    part = two_arms(study, offered, exposed)
    block = part.cluster
    part = replace(part, cluster=None, block=block, block_names=(), share=saturation[mixed])
    rows = ratios(part, plan, part.groups)
    x = columns_of(part.covariates).values
    for group, members in part.groups.items():
        if x.shape[1] == 0 or len(np.unique(part.arm[members])) < 2:
            continue
        assert block is not None
        draws = plan.analysis.permutations
        test = joint_test(x[members], part.arm[members], block[members], draws, rng)
        text = finding("joint", covariates=test.covariates, draws=f"{test.draws:,}")
        p_value = test.p_value if test.covariates else None
        found = row("balance", group, test.statistic, p_value, text)
        rows.append(found | {"check": "balance_within"})
    return rows
