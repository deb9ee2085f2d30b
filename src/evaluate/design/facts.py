"""What a clean study is made of, in lines: clusters, blocks, waves, and what will be empty."""

from __future__ import annotations

import numpy as np
import pandas as pd

from evaluate.covariates import columns_of
from evaluate.design.default_estimators import is_lopsided, with_default
from evaluate.design.observational_facts import observational_facts
from evaluate.errors import persons, rows
from evaluate.plan.model import Plan
from evaluate.study import Study, study_of

FEW = 2  # units of an arm: fewer give no estimate
HEAVY = 0.2  # share of an arm's weight that is one unit's, beyond which errors mean little
EMPTY = "the rows that need them will be empty"
WHY = {
    "ancova": "an arm has fewer than two persons, women or men for each covariate and block, too "
    "few for `lin`",
    "difference_in_means": "blocks have one unit of an arm and several of another, for which the "
    "errors of `ancova` are too small",
}


def facts(participants: pd.DataFrame, outcomes: pd.DataFrame, plan: Plan) -> list[str]:
    """Tell what the lottery drew and what cannot be estimated.

    Parameters
    ----------
    participants, outcomes : DataFrame
        Of the stage `data`.
    plan : Plan
        The programme file.
    """
    study = study_of(participants, outcomes, plan)
    if plan.is_observational:
        return (
            observational_facts(participants, study, plan) + _heavy(study) + nobody_has(study, plan)
        )
    plan = with_default(plan, study)
    lines = _waves(participants, plan) + _clusters(study, plan) + _blocks(study) + _default(plan)
    lines += _too_many_slopes(study, plan) + _lopsided(study, plan) + _heavy(study)
    if study.takeup is not None:
        control = int(((study.arm == 0) & (study.takeup == 1)).sum())
        if control:
            lines.append(f"takeup: {control:,} in control took part all the same")
    return lines + nobody_has(study, plan)


def _waves(participants: pd.DataFrame, plan: Plan) -> list[str]:
    if plan.columns.wave is None:
        return []
    size = participants["person"].value_counts()
    waves = participants["block"].str.extract(rf"(?:^|,){plan.columns.wave}=(.*?)(?:,|$)")[0]
    return [
        f"waves: {waves.nunique():,}; {persons(len(size))} in {rows(len(participants))}, "
        f"{int((size > 1).sum()):,} of them in several waves"
    ]


def _clusters(study: Study, plan: Plan) -> list[str]:
    if plan.columns.cluster is None or study.cluster is None:
        return []
    size = np.bincount(study.cluster)
    counts = {a: len(np.unique(study.cluster[study.arm == i])) for i, a in enumerate(study.arms)}
    by_arm = ", ".join(f"{n:,} in arm {a}" for a, n in counts.items())
    most = persons(int(size.max()))
    each = most if size.min() == size.max() else f"{size.min():,} to {most}"
    lines = [f"clusters: {len(size):,} ({by_arm}), of {each}"]
    if size.max() == 1:
        lines.append("clusters: each holds one person. Is it the column that was meant?")
    for name, members in study.groups.items():
        for i, arm in enumerate(study.arms):
            n = len(np.unique(study.cluster[members & (study.arm == i)]))
            if n < FEW and "=" not in name:
                whose = "" if name == "all" else f" of {name}"
                lines.append(f"clusters{whose}: {n} in arm {arm}; {EMPTY}")
    return lines


def _blocks(study: Study) -> list[str]:
    if study.block is None:
        return []
    cells = np.zeros((len(study.block_names), len(study.arms)), dtype=int)
    np.add.at(cells, (study.block, study.arm), 1)
    lacking = (cells == 0).any(axis=1)
    lines = [f"blocks: {len(cells):,}, of {persons(int(cells.sum(axis=1).min()))} or more"]
    if lacking.any():
        lines.append(
            f"blocks: {int(lacking.sum()):,} lack an arm ({persons(int(cells[lacking].sum()))}); "
            "fixed effects keep them, block-weighted estimates leave them out"
        )
    return lines


def _default(plan: Plan) -> list[str]:
    """Tell which estimators follow from the design where they are not those of most designs."""
    if plan.analysis.estimators or plan.columns.clustered or not plan.covariates:
        return []
    why = WHY.get(plan.estimators[0])
    return [f"estimators: {', '.join(plan.estimators)}, by the design: {why}"] if why else []


def _too_many_slopes(study: Study, plan: Plan) -> list[str]:
    """Tell where Lin's regression has more slopes than an arm has persons or clusters."""
    blocks = 0 if study.block is None else len(np.unique(study.block)) - 1
    slopes = 1 + blocks + columns_of(study.covariates).values.shape[1]
    unit = np.arange(study.n) if study.cluster is None else study.cluster
    fewest = min(len(np.unique(unit[study.arm == i])) for i in range(len(study.arms)))
    if "lin" not in plan.estimators or fewest > slopes:
        return []
    what = "persons" if study.cluster is None else "clusters"
    return [
        f"lin: {slopes:,} slopes of covariates and blocks, and an arm with {fewest:,} {what}; its "
        "rows will be empty. Leave `estimators` out under analysis, and the design chooses"
    ]


def _lopsided(study: Study, plan: Plan) -> list[str]:
    """Tell where the plan names regressions whose errors its blocks make too small."""
    named = [e for e in plan.estimators if e in ("ancova", "fixed_effects")]
    named = [e for e in named if plan.std_error_of(e) != "HC3"]
    if plan.columns.clustered or not named or not is_lopsided(study):
        return []
    return [
        f"{', '.join(named)}: blocks have one unit of an arm and several of another; where the "
        f"outcome varies more in that arm, errors {plan.std_error_of(named[0])} are too small. "
        "Leave `std_error` out under analysis, and the design chooses"
    ]


def _heavy(study: Study) -> list[str]:
    """Tell where one person, or one cluster, holds much of the weight of an arm."""
    if study.weight is None:
        return []
    lines = []
    unit = np.arange(study.n) if study.cluster is None else study.cluster
    for i, arm in enumerate(study.arms):
        rows = study.arm == i
        held = np.bincount(unit[rows], study.weight[rows])
        share = held.max() / held.sum()
        if share > HEAVY:
            whose = "person" if study.cluster is None else "cluster"
            told = f"weight: {share:.0%} of that of arm {arm} is one {whose}'s"
            lines.append(f"{told}; its errors cannot be trusted")
    return lines


def nobody_has(study: Study, plan: Plan) -> list[str]:
    """Find outcomes, not single months of them, that nobody in an arm has."""
    lines, there = [], ~np.isnan(study.y)
    by_outcome: dict[str, list[int]] = {}
    for j, column in enumerate(plan.outcome_columns):
        by_outcome.setdefault(column.outcome, []).append(j)
    for name, columns in by_outcome.items():
        some = there[:, columns].any(axis=1)
        lines += [
            f"outcomes.{name}: nobody in arm {arm} has a value; {EMPTY}"
            for i, arm in enumerate(study.arms)
            if not some[study.arm == i].any()
        ]
    return lines
