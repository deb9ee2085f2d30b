"""The tables of the stage `design`: checks of the assignment, and balance by gender."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import stats

from evaluate.covariates import columns_of
from evaluate.design.balance import balance
from evaluate.design.permutation import JointTest, joint_test, separate_tests
from evaluate.design.sample_ratio import expected_shares, probability_test, ratio_test
from evaluate.notes import finding
from evaluate.plan.model import Plan
from evaluate.study import GAP, Study

WARN = {"sample_ratio": 0.01, "balance": 0.05, "attrition": 0.05, "share_by_gender": 0.05}


def design_checks(study: Study, plan: Plan, rng: np.random.Generator) -> pd.DataFrame:
    """Check the assignment.

    Parameters
    ----------
    study : Study
        The persons.
    plan : Plan
        The programme file.
    rng : Generator
        Source of the permutations.

    Returns
    -------
    DataFrame
        As `schemas.DESIGN_CHECKS`: sample ratio by group and block, joint balance by
        gender, shares offered by gender, outcomes missing by arm.
    """
    genders = {g: m for g, m in study.groups.items() if "=" not in g}
    rows = [*_ratios(study, plan, genders)]
    if "women" in genders and "men" in genders:
        rows.append(_shares_by_gender(study, genders))
    if not study.covariates.empty:
        rows += _joint(study, plan, genders, rng)
    rows += _attrition(study, plan, rng)
    return pd.DataFrame(rows)


def balance_table(study: Study, plan: Plan) -> pd.DataFrame:
    """Compare covariates by arm for all, women and men, and the gap between the two.

    Returns
    -------
    DataFrame
        As `schemas.BALANCE`; empty where the plan names no covariate.
    """
    covariates = columns_of(study.covariates, all_levels=True)
    tables = []
    for contrast in study.contrasts:
        by_group = {}
        for group in [g for g in study.groups if "=" not in g]:
            rows = study.groups[group]
            found = balance(
                type(covariates)(covariates.values[rows], covariates.names, covariates.sources),
                study.arm[rows],
                contrast,
                None if study.block is None else study.block[rows],
                None if study.weight is None else study.weight[rows],
            )
            by_group[group] = found.assign(group=group)
        if plan.columns.both_genders and covariates.names:
            numbers = ["mean_treated", "mean_control", "smd"]
            gap = by_group["women"].copy()
            gap[numbers] -= by_group["men"][numbers]
            by_group[GAP] = gap.assign(group=GAP, variance_ratio=np.nan)
        tables += [t.assign(arm=study.label(contrast)) for t in by_group.values()]
    columns = ["covariate", "group", "mean_treated", "mean_control", "smd", "variance_ratio"]
    table = pd.concat(tables).assign(adjusted=False)
    if not covariates.names:
        return pd.DataFrame(columns=[*columns, "adjusted", "arm"])
    order = {name: i for i, name in enumerate(covariates.names)}
    table = table.sort_values("covariate", key=lambda c: c.map(order), kind="stable")
    return table[[*columns, "adjusted", "arm"]].reset_index(drop=True)


def _row(
    check: str,
    group: str,
    statistic: float | None,
    p: float | None,
    text: str,
    tests: int = 1,
) -> dict[str, object]:
    """Return a check; of several ``tests`` of one kind each is judged by its share of alpha."""
    if p is None or np.isnan(p):
        verdict = "not assessed"
    else:
        verdict = "warn" if p < WARN[check.split(":")[0]] / tests else "pass"
    return {
        "check": check,
        "group": group,
        "statistic": statistic,
        "p_value": p,
        "verdict": verdict,
        "text": text,
    }


def _ratios(study: Study, plan: Plan, genders: dict[str, np.ndarray]) -> list[dict[str, object]]:
    assignment = plan.assignment
    shares = expected_shares(assignment, study.arms)
    if shares is None and assignment.probability is None:
        actual = float((study.arm > 0).mean())
        text = finding("no_share", actual=f"{actual:.3f}")
        return [_row("sample_ratio", "all", actual, None, text)]
    where = dict(genders)
    if study.block is not None:
        where |= {name: study.block == b for b, name in enumerate(study.block_names)}
    rows = []
    for group, members in where.items():
        if not members.any():
            continue
        arm = study.arm[members]
        counts = np.bincount(arm, minlength=len(study.arms))
        if shares is None:
            assert study.share is not None
            test = probability_test(arm > 0, study.share[members])
            expected = f"{study.share[members].mean():.3f}"
        else:
            test = ratio_test(counts, shares)
            expected = " : ".join(f"{s:.3f}" for s in shares[1:])
        pooled = [counts[1:].sum()] if shares is None or len(shares) == 2 else counts[1:]
        actual_shares = " : ".join(f"{c / counts.sum():.3f}" for c in pooled)
        text = finding("ratio", actual=actual_shares, expected=expected)
        blocks = len(study.block_names) if group in study.block_names else 1
        rows.append(_row("sample_ratio", group, test.statistic, test.p_value, text, blocks))
    return rows


def _shares_by_gender(study: Study, genders: dict[str, np.ndarray]) -> dict[str, object]:
    counts = np.array(
        [np.bincount(study.arm[genders[g]], minlength=len(study.arms)) for g in ("women", "men")]
    )
    test = stats.chi2_contingency(counts[:, counts.any(axis=0)], correction=False)
    women, men = 1 - counts[:, 0] / counts.sum(axis=1)
    text = finding("by_gender", women=f"{women:.3f}", men=f"{men:.3f}")
    return _row("share_by_gender", GAP, float(test.statistic), float(test.pvalue), text)


def _joint(
    study: Study, plan: Plan, genders: dict[str, np.ndarray], rng: np.random.Generator
) -> list[dict[str, object]]:
    x = columns_of(study.covariates).values
    found: dict[bytes, JointTest] = {}
    rows = []
    for group, members in genders.items():
        block = None if study.block is None else study.block[members]
        if len(np.unique(study.arm[members])) < 2:
            rows.append(_row("balance", group, None, None, finding("one_arm")))
            continue
        same = members.tobytes()  # one gender is the same persons as all: one draw serves both
        if same not in found:
            draws = plan.analysis.permutations
            found[same] = joint_test(x[members], study.arm[members], block, draws, rng)
        test = found[same]
        text = finding("joint", covariates=test.covariates, draws=f"{test.draws:,}")
        p_value = test.p_value if test.covariates else None
        rows.append(_row("balance", group, test.statistic, p_value, text))
    return rows


def _attrition(study: Study, plan: Plan, rng: np.random.Generator) -> list[dict[str, object]]:
    """Test whether having an outcome depends on the arm, by drawing the assignment anew."""
    absent = np.isnan(study.y)
    some = np.flatnonzero(absent.any(axis=0))
    if not len(some):
        return []
    patterns, which = np.unique(absent[:, some], axis=1, return_inverse=True)
    draws = plan.analysis.permutations
    p_value, _ = separate_tests(patterns.astype(float), study.arm, study.block, draws, rng)
    rows = []
    for column, j in zip(some, which.ravel(), strict=True):
        missing = [absent[study.arm == a, column].mean() for a in range(len(study.arms))]
        by_arm = ", ".join(f"{m:.3f} in arm {a}" for a, m in zip(study.arms, missing, strict=True))
        text = finding("attrition", by_arm=by_arm)
        check = f"attrition:{plan.outcome_columns[column].name}"
        widest = float(np.ptp(missing))
        rows.append(_row(check, "all", widest, float(p_value[j]), text, patterns.shape[1]))
    return rows
