"""The tables of the stage `design`: checks of the assignment, and balance by gender."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import stats

from evaluate.covariates import columns_of
from evaluate.design.balance import balance, joint_test
from evaluate.design.sample_ratio import (
    RatioTest,
    expected_shares,
    probability_test,
    ratio_test,
)
from evaluate.plan.model import Plan
from evaluate.plan.sources import ShareColumn
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
    check: str, group: str, statistic: float | None, p: float | None, text: str
) -> dict[str, object]:
    if p is None or np.isnan(p):
        verdict = "not assessed"
    else:
        verdict = "warn" if p < WARN[check.split(":")[0]] else "pass"
    return {
        "check": check,
        "group": group,
        "statistic": statistic,
        "p_value": p,
        "verdict": verdict,
        "text": text,
    }


def _ratios(study: Study, plan: Plan, genders: dict[str, np.ndarray]) -> list[dict[str, object]]:
    stated = plan.assignment.share
    if stated is None:
        text = "The plan states no assignment.share to compare the shares assigned with."
        return [_row("sample_ratio", "all", float((study.arm > 0).mean()), None, text)]
    shares = expected_shares(plan.assignment, study.arms)
    where = dict(genders)
    if study.block is not None:
        where |= {name: study.block == b for b, name in enumerate(study.block_names)}
    rows = []
    for group, members in where.items():
        if not members.any():
            continue
        arm = study.arm[members]
        counts = np.bincount(arm, minlength=len(study.arms))
        test: RatioTest
        if isinstance(stated, ShareColumn):
            assert study.share is not None
            test = probability_test(arm > 0, study.share[members])
            expected = f"{study.share[members].mean():.3f} by {stated.column}"
        else:
            assert shares is not None
            test = ratio_test(counts, shares)
            expected = " : ".join(f"{s:.3f}" for s in shares[1:])
        actual = " : ".join(f"{c / counts.sum():.3f}" for c in counts[1:])
        text = f"Share assigned {actual}, stated {expected}."
        rows.append(_row("sample_ratio", group, test.statistic, test.p_value, text))
    return rows


def _shares_by_gender(study: Study, genders: dict[str, np.ndarray]) -> dict[str, object]:
    counts = np.array(
        [np.bincount(study.arm[genders[g]], minlength=len(study.arms)) for g in ("women", "men")]
    )
    test = stats.chi2_contingency(counts, correction=False)
    women, men = 1 - counts[:, 0] / counts.sum(axis=1)
    text = f"Share offered {women:.3f} among women, {men:.3f} among men."
    return _row("share_by_gender", GAP, float(test.statistic), float(test.pvalue), text)


def _joint(
    study: Study, plan: Plan, genders: dict[str, np.ndarray], rng: np.random.Generator
) -> list[dict[str, object]]:
    x = columns_of(study.covariates).values
    rows = []
    for group, members in genders.items():
        if len(np.unique(study.arm[members])) < 2:
            rows.append(_row("balance", group, None, None, "Only one arm has persons."))
            continue
        block = None if study.block is None else study.block[members]
        test = joint_test(x[members], study.arm[members], block, plan.analysis.permutations, rng)
        text = (
            f"{test.covariates} covariate columns at once, {test.draws:,} assignments drawn"
            f"{' within blocks' if block is not None else ''}."
        )
        rows.append(_row("balance", group, test.statistic, test.p_value, text))
    return rows


def _attrition(study: Study, plan: Plan, rng: np.random.Generator) -> list[dict[str, object]]:
    """Test whether having an outcome depends on the arm, by drawing the assignment anew."""
    rows = []
    for i, column in enumerate(plan.outcome_columns):
        absent = np.isnan(study.y[:, i])
        if not absent.any():
            continue
        test = joint_test(
            absent[:, None].astype(float), study.arm, study.block, plan.analysis.permutations, rng
        )
        share = [absent[study.arm == a].mean() for a in range(len(study.arms))]
        by_arm = ", ".join(f"{s:.3f} of {a}" for a, s in zip(study.arms, share, strict=True))
        text = f"Outcome missing by arm: {by_arm}; {test.draws:,} assignments drawn."
        rows.append(_row(f"attrition:{column.name}", "all", test.statistic, test.p_value, text))
    return rows
