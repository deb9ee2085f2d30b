"""The tables of the stage `design`: checks of the assignment, and balance by gender."""

from __future__ import annotations

import numpy as np
import pandas as pd

from evaluate import schemas
from evaluate.covariates import columns_of
from evaluate.design import before, missing, shares
from evaluate.design.balance import balance
from evaluate.design.observational_balance import observational_balance
from evaluate.design.observational_checks import observational_checks
from evaluate.design.permutation import JointTest, joint_test, separate_tests
from evaluate.design.rows import row
from evaluate.notes import finding
from evaluate.plan.model import Plan
from evaluate.study import GAP, Study

Groups = dict[str, np.ndarray]
Columns = dict[str, np.ndarray]


def record_of(participants: pd.DataFrame) -> pd.DataFrame:
    """Return what is recorded of each person's lottery: days, cell, places, probability."""
    columns = participants.filter(regex=r"^lottery\.")
    return columns.rename(columns=lambda c: c.removeprefix("lottery."))


def design_checks(
    study: Study,
    plan: Plan,
    rng: np.random.Generator,
    record: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Check the assignment, or of an observational study what stands in its place.

    Parameters
    ----------
    study : Study
        The persons.
    plan : Plan
        The programme file.
    rng : Generator
        Source of the permutations.
    record : DataFrame, optional
        As from `record_of`, in the order of the study.

    Returns
    -------
    DataFrame
        As `schemas.DESIGN_CHECKS`: numbers assigned against the lottery as recorded, what was
        settled before the offer by arm, and outcomes missing by arm, for all, women and men.
        Tests draw the assignment anew within blocks, by the unit that was assigned.
    """
    if plan.is_observational:
        return observational_checks(study, plan, *observational_balance(study, plan), record)
    groups = {g: m for g, m in study.groups.items() if "=" not in g}
    draws, block, drawn = plan.analysis.permutations, study.block, study.drawn
    both = {"women", "men"} <= groups.keys() and all(groups[g].any() for g in ("women", "men"))
    baselines, days = before.baselines(study, plan), before.days(record)
    absent = missing.absences(study, plan)
    gender = {}
    if both and (block is not None or drawn is not None):
        gender = {"share_by_gender": groups["women"].astype(float)}
    columns = absent | {name: before.filled(x) for name, x in baselines.items()}
    p_values = _tested(study, columns, groups, draws, rng)
    everybody = {"all": groups["all"]}
    p_values |= _tested(study, gender, {"all": groups["women"] | groups["men"]} if both else {},
                        draws, rng)  # fmt: skip
    p_values |= _tested(study, days, everybody, draws, rng)
    rows = [
        *shares.assignments(study, groups, plan.analysis.level),
        *shares.ratios(study, plan, groups),
        *shares.places(study, record),
        *shares.probabilities(study, plan, record),
        *shares.one_arm_blocks(study, groups),
    ]
    if both:
        p = p_values.get(("share_by_gender", "all"))
        rows.append(shares.share_by_gender(study, groups, p))
    rows += before.day_rows(study, days, p_values)
    if not study.covariates.empty:
        rows += _joint(study, groups, draws, rng)
    rows += before.baseline_rows(study, baselines, groups, p_values)
    rows += before.month_rows(study, plan, groups, draws, rng)
    rows += missing.attrition(study, absent, groups, p_values)
    return pd.DataFrame(rows)


def _tested(
    study: Study, columns: Columns, groups: Groups, draws: int, rng: np.random.Generator
) -> dict[tuple[str, str], float]:
    """Return p-values of permutation tests by check and group; columns share their draws."""
    found: dict[bytes, np.ndarray] = {}
    p_values: dict[tuple[str, str], float] = {}
    if not columns:
        return p_values
    different: dict[bytes, int] = {}
    which = [different.setdefault(column.tobytes(), len(different)) for column in columns.values()]
    first = dict(zip(which[::-1], [*columns.values()][::-1], strict=True))
    distinct = np.stack([first[j].astype(float) for j in range(len(different))], axis=1)
    for group, members in groups.items():
        if len(np.unique(study.arm[members])) < 2:
            continue
        same = members.tobytes()  # one gender is the same persons as all: one draw serves both
        if same not in found:
            found[same], _ = separate_tests(
                distinct[members],
                study.arm[members],
                None if study.block is None else study.block[members],
                draws,
                rng,
                cluster=None if study.drawn is None else study.drawn[members],
            )
        p_values |= {
            (check, group): float(found[same][j]) for check, j in zip(columns, which, strict=True)
        }
    return p_values


def _joint(
    study: Study, groups: Groups, draws: int, rng: np.random.Generator
) -> list[dict[str, object]]:
    """Test all covariates at once, for all, women and men."""
    x = columns_of(study.covariates).values
    found: dict[bytes, JointTest] = {}
    rows = []
    for group, members in groups.items():
        if len(np.unique(study.arm[members])) < 2:
            rows.append(row("balance", group, None, None, finding("one_arm")))
            continue
        same = members.tobytes()
        if same not in found:
            block = None if study.block is None else study.block[members]
            drawn = None if study.drawn is None else study.drawn[members]
            found[same] = joint_test(
                x[members], study.arm[members], block, draws, rng, cluster=drawn
            )
        test = found[same]
        text = finding("joint", covariates=test.covariates, draws=f"{test.draws:,}")
        p_value = test.p_value if test.covariates else None
        rows.append(row("balance", group, test.statistic, p_value, text))
    return rows


def balance_table(study: Study, plan: Plan) -> pd.DataFrame:
    """Compare covariates by arm for all, women and men, and the gap between the two.

    Returns
    -------
    DataFrame
        As `schemas.BALANCE`; empty where the plan names no covariate. Of an observational study
        see `observational_balance`.
    """
    if plan.is_observational:
        return observational_balance(study, plan)[0]
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
    table = pd.concat(tables).assign(adjusted=False, weights=None, ks=np.nan)
    if not covariates.names:
        return pd.DataFrame(columns=list(schemas.BALANCE.columns))
    order = {name: i for i, name in enumerate(covariates.names)}
    table = table.sort_values("covariate", key=lambda c: c.map(order), kind="stable")
    return table[list(schemas.BALANCE.columns)].reset_index(drop=True)
