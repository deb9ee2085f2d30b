"""What was settled before the offer must be alike in the arms: baselines, months, days."""

from __future__ import annotations

import numpy as np
import pandas as pd

from evaluate.covariates import imputed
from evaluate.design.balance import within_blocks
from evaluate.design.permutation import joint_test
from evaluate.design.rows import by_arm, number, row, smallest
from evaluate.notes import finding
from evaluate.plan.model import Plan
from evaluate.study import Study

CHECK = "placebo:"
OFFER_DAY, EARLY_START = "offer_day", "start_before_offer"
DAY = np.timedelta64(1, "D")


def baselines(study: Study, plan: Plan) -> dict[str, np.ndarray]:
    """Return the baselines to compare, by name of the check, shape (n,), NaN where missing.

    A baseline that is a placebo outcome of the plan, too, has a row among the effects already.
    """
    placebo = {c.source for c in plan.outcome_columns if plan.outcomes[c.outcome].role == "placebo"}
    return {
        f"{CHECK}{name}": study.baselines[name].to_numpy(dtype=float)
        for name, outcome in plan.outcomes.items()
        if outcome.baseline and outcome.baseline not in placebo and name in study.baselines
    }


def days(record: pd.DataFrame | None) -> dict[str, np.ndarray]:
    """Return the day of the offer, and who started before it, by name of the check, shape (n,)."""
    if record is None or "offered" not in record:
        return {}
    offered = record["offered"].to_numpy(dtype="datetime64[D]")
    found = {OFFER_DAY: (offered - np.nanmin(offered)) / DAY}
    if "started" in record:
        started = record["started"].to_numpy(dtype="datetime64[D]")
        found[EARLY_START] = (started < offered).astype(float)
    return found


def baseline_rows(
    study: Study,
    columns: dict[str, np.ndarray],
    groups: dict[str, np.ndarray],
    p_values: dict[tuple[str, str], float],
) -> list[dict[str, object]]:
    """Compare the baselines between the arms, for all, women and men.

    The statistic is the difference between those offered and control within blocks, in the
    outcome's unit. For the parameters see `missing.attrition`.
    """
    rows = []
    for check, values in columns.items():
        for group, members in groups.items():
            known = members & ~np.isnan(values)
            arm, x = study.arm[known], values[known]
            n = np.bincount(arm, minlength=len(study.arms))
            if not (n > 0).all():
                rows.append(row(check, group, None, None, finding("one_arm")))
                continue
            sums = np.bincount(arm, x, len(study.arms))
            text = finding("placebo", by_arm=by_arm(sums / n, study.arms))
            is_share = np.isin(x, (0, 1)).all()
            least = smallest(np.concatenate([sums, n - sums]) if is_share else n)
            difference = _difference(study, known, values)
            p = p_values.get((check, group))
            rows.append(row(check, group, difference, p, text, tests=len(columns), least=least))
    return rows


def month_rows(
    study: Study,
    plan: Plan,
    groups: dict[str, np.ndarray],
    draws: int,
    rng: np.random.Generator,
) -> list[dict[str, object]]:
    """Test the months of an outcome before the offer at once, for all, women and men.

    Months count from the offer; from the start they are not made, for what came between the
    offer and the start is not before the offer. A placebo outcome has its rows among the effects.
    """
    if plan.columns.time_zero != "offered":
        return []
    before: dict[str, list[int]] = {}
    for j, column in enumerate(plan.outcome_columns):
        is_placebo = plan.outcomes[column.outcome].role == "placebo"
        if column.month is not None and column.month < 1 and not is_placebo:
            before.setdefault(column.outcome, []).append(j)
    rows: list[dict[str, object]] = []
    for name, columns in before.items():
        known = ~np.isnan(study.y[:, columns]).all(axis=1)
        for group, members in groups.items():
            some = members & known
            if len(np.unique(study.arm[some])) < 2:
                rows.append(row(f"{CHECK}{name}", group, None, None, finding("one_arm")))
                continue
            block = None if study.block is None else study.block[some]
            unit = None if study.drawn is None else study.drawn[some]
            y = study.y[np.ix_(some, columns)]
            test = joint_test(y, study.arm[some], block, draws, rng, cluster=unit)
            p = test.p_value if test.covariates else None
            text = finding("months_before", months=len(columns))
            rows.append(row(f"{CHECK}{name}", group, test.statistic, p, text, tests=len(before)))
    return rows


def day_rows(
    study: Study, columns: dict[str, np.ndarray], p_values: dict[tuple[str, str], float]
) -> list[dict[str, object]]:
    """Compare the days of the offer, and starts before it, between the arms.

    Where those offered were asked on other days than control, months do not begin alike. Who
    starts before the offer has a wrong day, or was in the programme already.
    """
    rows, everybody = [], np.ones(study.n, dtype=bool)
    if OFFER_DAY in columns:
        day = columns[OFFER_DAY]
        block = np.zeros(study.n, dtype=int) if study.block is None else study.block
        of_block = pd.Series(day).groupby(block)
        span = int((of_block.max() - of_block.min()).max())
        difference = _difference(study, everybody, day)
        text = finding("offer_day", difference=number(difference), span=f"{span:,}")
        p = p_values.get((OFFER_DAY, "all")) if span else None
        verdict = None if span else "pass"
        text = text if span else finding("one_day")
        rows.append(row(OFFER_DAY, "all", difference, p, text, verdict=verdict))
    if EARLY_START in columns:
        early = np.bincount(study.arm, columns[EARLY_START], len(study.arms))
        n = np.bincount(study.arm, minlength=len(study.arms))
        text = finding("early_start", by_arm=by_arm(early / np.maximum(n, 1), study.arms))
        share, p = float(early.sum() / n.sum()), p_values.get((EARLY_START, "all"))
        least = smallest(np.concatenate([early, n - early]))
        verdict = None if early.any() else "pass"
        p = p if early.any() else None
        rows.append(row(EARLY_START, "all", share, p, text, verdict=verdict, least=least))
    return rows


def filled(values: np.ndarray) -> np.ndarray:
    """Return a column with what is missing replaced by the mean, shape (n,)."""
    return imputed(values[:, None])[:, 0]


def _difference(study: Study, rows: np.ndarray, values: np.ndarray) -> float:
    """Return the mean of those offered less that of control, within blocks."""
    block = np.zeros(study.n, dtype=int) if study.block is None else study.block
    treated = (study.arm[rows] > 0).astype(int)
    return within_blocks(values[rows], treated, (1, 0), block[rows], np.ones(int(rows.sum())))
