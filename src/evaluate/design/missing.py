"""Is an outcome missing alike in all arms, among women and among men?"""

from __future__ import annotations

import numpy as np

from evaluate.design.rows import by_arm, row, smallest
from evaluate.notes import finding
from evaluate.plan.model import Plan
from evaluate.study import Study

CHECK = "attrition:"


def absences(study: Study, plan: Plan) -> dict[str, np.ndarray]:
    """Return for each outcome that somebody lacks who does, by check: bool, shape (n,)."""
    absent = np.isnan(study.y)
    names = [f"{CHECK}{column.name}" for column in plan.outcome_columns]
    return {n: absent[:, j].copy() for j, n in enumerate(names) if absent[:, j].any()}


def attrition(
    study: Study,
    absent: dict[str, np.ndarray],
    groups: dict[str, np.ndarray],
    p_values: dict[tuple[str, str], float],
) -> list[dict[str, object]]:
    """Compare how many lack each outcome between the arms.

    Parameters
    ----------
    study : Study
        The persons.
    absent : dict of str to ndarray, shape (n,)
        As from `absences`.
    groups : dict of str to ndarray of bool, shape (n,)
        All, women and men.
    p_values : dict of (str, str) to float
        Of permutation tests, by check and group; the group is not there where it has one arm.

    Returns
    -------
    list of dict
        Rows of `schemas.DESIGN_CHECKS`; the statistic is the widest difference of the shares.
    """
    rows = []
    patterns = len({column.tobytes() for column in absent.values()})
    for check, column in absent.items():
        for group, members in groups.items():
            if not column[members].any():
                continue
            n = np.bincount(study.arm[members], minlength=len(study.arms))
            missing = np.bincount(study.arm[members], column[members], len(study.arms))
            there = np.flatnonzero(n)
            share = missing[there] / n[there]
            shares = by_arm(share, [study.arms[a] for a in there])
            gone = [study.arms[a] for a in there if missing[a] == n[a]]
            text = finding("attrition", by_arm=shares)
            if gone:
                text = finding("attrition_arm", arm=", ".join(gone), by_arm=shares)
            p = p_values.get((check, group))
            least = smallest(np.concatenate([missing, n - missing]))
            verdict = "warn" if gone else None
            widest = float(np.ptp(share))
            rows.append(
                row(check, group, widest, p, text, tests=patterns, verdict=verdict, least=least)
            )
    return rows
