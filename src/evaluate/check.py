"""Check a programme's plan and data without estimating anything."""

from __future__ import annotations

from dataclasses import dataclass, field

from evaluate.errors import EvaluateError, Problems
from evaluate.plan.load import load_plan, plan_path
from evaluate.plan.support import unsupported, unused

FEW = 2  # fewer in an arm give no estimate


@dataclass(frozen=True)
class Check:
    """What a check found: problems that stop a run, and lines that tell what is there."""

    problems: list[str] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)


def check_programme(name: str) -> Check:
    """Read the plan of a programme and, if it is sound, clean its data in memory."""
    path = plan_path(name)
    try:
        plan = load_plan(path)
        if faults := unsupported(plan):
            return Check([f"{path}: {fault}" for fault in faults])
        from evaluate.data.clean import clean
        from evaluate.data.readers.read import read_table

        study = clean(read_table(plan.data.participants), plan)
    except Problems as error:
        return Check(error.problems)
    except EvaluateError as error:
        return Check([str(error)])
    arms = study.participants["arm"].value_counts()
    counts = ", ".join(f"{n:,} in arm {arm}" for arm, n in arms.sort_index().items())
    excluded = len(study.quarantine)
    lines = [
        f"no problems: {len(study.participants):,} persons ({counts}), {excluded:,} rows excluded"
    ]
    lines += [f"{reason} ({n:,} rows)" for reason, n in _noted(study.flow)]
    for gender in plan.columns.genders:
        found = study.participants.loc[study.participants["gender"] == gender, "arm"].value_counts()
        lines += [
            f"{gender}: {found.get(arm, 0)} in arm {arm}; the rows that need them will be empty"
            for arm in sorted(arms.index)
            if found.get(arm, 0) < FEW
        ]
    if keys := unused(plan):
        lines.append(f"read but not used by this version: {', '.join(keys)}")
    return Check([], lines)


def _noted(flow: object) -> list[tuple[str, int]]:
    import pandas as pd

    assert isinstance(flow, pd.DataFrame)
    rows = flow[flow["step"].isin(["excluded", "noted"]) & (flow["n"] > 0)]
    return [
        (f"{step}: {reason}", int(n))
        for step, reason, n in rows[["step", "reason", "n"]].itertuples(index=False)
    ]
