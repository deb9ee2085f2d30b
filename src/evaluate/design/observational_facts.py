"""What an observational study is made of, in lines: its trial, its risk sets, its covariates."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from evaluate.covariates import columns_of
from evaluate.errors import persons, rows
from evaluate.plan.model import Plan
from evaluate.study import Study

MOSTLY = 0.5  # share of rows without a covariate beyond which no probability is estimated


def observational_facts(participants: pd.DataFrame, study: Study, plan: Plan) -> list[str]:
    """Tell what is there of the trial that is imitated, and what cannot be estimated.

    Parameters
    ----------
    participants : DataFrame
        As `schemas.PARTICIPANTS`.
    study : Study
        The same persons.
    plan : Plan
        The programme file.
    """
    lines = [
        "protocol: complete",
        f"graph: {len(plan.graph.edges):,} edges"
        if plan.graph
        else "graph: none; the report will say that no graph was stated",
        f"estimand: {plan.analysis.estimand}, by {', '.join(plan.estimators)}",
    ]
    if plan.columns.day_zero is None:
        lines.append(
            "time zero: no column has it; that covariates come before and outcomes after it rests "
            "on the protocol alone"
        )
    lines += _by_gender(study, plan)
    lines += _risk_sets(participants, study, plan)
    lines += _starts(participants, study, plan)
    lines += _covariates(study, plan)
    return lines


def _by_gender(study: Study, plan: Plan) -> Iterator[str]:
    for gender in plan.columns.genders:
        arm = study.arm[study.groups[gender]]
        counts = [f"{int((arm == i).sum()):,} in arm {a}" for i, a in enumerate(study.arms)]
        yield f"{gender}: {', '.join(counts)}"
        for i, name in enumerate(study.arms):
            if len(arm) and (arm == i).all():
                yield (
                    f"{gender}: all in arm {name}; nothing is estimated for them, and in `all` "
                    "they stand for one arm only"
                )


def _risk_sets(participants: pd.DataFrame, study: Study, plan: Plan) -> Iterator[str]:
    if plan.risk_sets is None:
        return
    is_drawn = study.arm == 0
    drawn, month = participants[is_drawn], participants["time_zero_month"]
    treated = int((~is_drawn).sum())
    asked = plan.risk_sets.per_treated
    yield (
        f"risk sets: {month.nunique():,} calendar months with starts; {treated:,} treated, "
        f"{len(drawn):,} comparison rows of {persons(drawn['person'].nunique())}, "
        f"{len(drawn) / max(treated, 1):.1f} for each treated ({asked} asked for)"
    )
    later = int(drawn["started_month"].notna().sum())
    yield f"risk sets: {rows(later)} of comparison persons who start later"
    several = drawn["person"].value_counts()
    yield f"risk sets: {int((several > 1).sum()):,} comparison persons in several months"
    if participants["weight"].notna().any() and plan.columns.weight is None:
        yield (
            "risk sets: some months have fewer comparison rows for each treated than others; "
            "weights make up for it"
        )


def _starts(participants: pd.DataFrame, study: Study, plan: Plan) -> Iterator[str]:
    """Tell how many treated start after time zero: until then they had to stay as they were."""
    if not {"time_zero_month", "started_month"} <= set(participants):
        return
    after = participants["started_month"] > participants["time_zero_month"]
    n = int((after.fillna(False).to_numpy(dtype=bool) & (study.arm > 0)).sum())
    if n and plan.risk_sets is None:
        yield (
            f"time zero: {n:,} treated start in a later month, until which they could not leave, "
            "find work or die (immortal time). Compare them from their start on: `risk_sets`"
        )


def _covariates(study: Study, plan: Plan) -> Iterator[str]:
    """Tell of covariates that most lack, and of more columns than persons in an arm."""
    for name, values in study.covariates.items():
        share = float(values.isna().mean())
        if share > MOSTLY:
            yield (
                f"covariates.{name}: missing for {share:.0%}; with it no probability of treatment "
                "is estimated. Take it out, or find out why"
            )
    columns = columns_of(study.covariates).values.shape[1]
    genders = plan.columns.genders if plan.analysis.propensity.within_gender else ()
    for group in ("all", *genders):
        arm = study.arm[study.groups[group]]
        for i, name in enumerate(study.arms):
            n = int((arm == i).sum())
            if 0 < n <= columns:
                whose = "" if group == "all" else f" of {group}"
                yield (
                    f"covariates: {columns:,} columns, and {persons(n)}{whose} in arm {name}: too "
                    "few to model who was treated. Name fewer covariates"
                )
