"""Check a programme's plan and data without estimating anything."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from evaluate.design.graph_plan import graph_faults
from evaluate.errors import EvaluateError, Problems, fault_of_program, persons, rows
from evaluate.plan.load import load_codebook_file, load_plan, plan_path, shared_faults
from evaluate.plan.model import Plan
from evaluate.plan.shared_files import codebooks
from evaluate.plan.support import unsupported, unused

if TYPE_CHECKING:  # pandas is slow to import: `evaluate --help` does without
    import pandas as pd

FEW = 2  # fewer in an arm give no estimate
CHECKLIST = "the checklist of the economic evaluation (CHEERS 2022)"


@dataclass(frozen=True)
class Check:
    """What a check found: problems that stop a run, and lines that tell what is there."""

    problems: list[str] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)


def check_programme(name: str, memory_gb: float = 2.0, seed: int = 0) -> Check:
    """Read the plan of a programme and, if it is sound, clean its data; nothing is kept.

    With the seed of the study the same comparison persons are drawn as in a run.
    """
    path = plan_path(name)
    try:
        plan = load_plan(path)
        if faults := unsupported(plan):
            return Check([f"{path}: {fault}" for fault in faults])
        if missing := shared_faults(path, plan):
            return Check(missing)
        if faults_of_graph := graph_faults(plan):
            return Check([f"{path}: {fault}" for fault in faults_of_graph])
        from evaluate.costs.records import free_arms, has_records, per_offer, record_table
        from evaluate.costs.sites import cost_parts, unmatched
        from evaluate.data.registers.staff_costs import told_of_hours
        from evaluate.data.stage import run_stage
        from evaluate.design.facts import facts
        from evaluate.study import study_of

        stage = run_stage(plan, f".evaluate-check-{name}", memory_gb=memory_gb, seed=seed)
        made = stage.tables
        told = facts(made["participants"], stage.outcomes.to_pandas(), plan)
        if has_records(plan):  # what the rule `costs` refuses
            study = study_of(made["participants"], stage.outcomes.to_pandas(), plan)
            told += free_arms(per_offer(made["cost_records"], study, plan), study)
            record_table(made["cost_records"], study)
            cost_parts(study, plan, made["cost_records"])
            told += unmatched(made["cost_records"], study)
    except Problems as error:
        return Check(error.problems)
    except EvaluateError as error:
        return Check([str(error)])
    except Exception as error:
        if os.environ.get("EVALUATE_DEBUG"):
            raise
        return Check([fault_of_program(error)])
    participants, flow = made["participants"], made["flow"]
    arms = participants["arm"].value_counts()
    counts = ", ".join(f"{n:,} in arm {arm}" for arm, n in arms.sort_index().items())
    excluded = int(flow.loc[flow["step"] == "excluded", "n"].sum())
    what = persons(len(participants)) + (" in their waves" if plan.columns.wave else "")
    if plan.risk_sets:
        who = persons(participants["person"].nunique())
        what = f"{rows(len(participants))} of {who} followed from a day of a start"
    lines = [f"no problems: {what} ({counts}), {rows(excluded)} excluded"]
    lines += [f"{reason} ({rows(n)})" for reason, n in _decided(flow)]
    for table, decisions in made["cleaning"].groupby("table", sort=False):
        lines += [f"{table}: {reason} ({rows(n)})" for reason, n in _decided(decisions)]
    for gender in plan.columns.genders:
        found = participants.loc[participants["gender"] == gender, "arm"].value_counts()
        lines += [
            f"{gender}: {found.get(arm, 0)} in arm {arm}; the rows that need them will be empty"
            for arm in sorted(arms.index)
            if found.get(arm, 0) < FEW
        ]
    lines += told
    lines += told_of_hours(made["staff_hours"], plan)
    lines += _without_line_end(plan)
    for book in dict.fromkeys(codebooks(plan).values()):
        if load_codebook_file(book).status == "to_be_confirmed":
            lines.append(f"codebook {book}: to be confirmed by you, see its source")
    lines += _not_reported(plan)
    if keys := unused(plan):
        lines.append(f"read but not used by this version: {', '.join(keys)}")
    return Check([], lines)


def _not_reported(plan: Plan) -> list[str]:
    """Say which items of the checklist the report will leave open, and which reasons it lacks."""
    from evaluate.costs.reporting import to_state

    open_items, reasons = to_state(plan)
    found = []
    if open_items:
        asked = ", ".join(open_items)
        found.append(f"{CHECKLIST} does not answer: {asked}. State each, or why it is absent")
    if reasons:
        found.append(f"{CHECKLIST} gives no reason: {', '.join(reasons)}")
    return found


def _without_line_end(plan: Plan) -> list[str]:
    """Find text files whose last line does not end: they may be cut off in their last cell."""
    found = []
    for table in plan.data.tables.values():
        if table.path is None or not table.path.lower().endswith((".csv", ".txt", ".tsv")):
            continue
        with open(table.path, "rb") as file:
            file.seek(-1, os.SEEK_END)
            if file.read(1) not in b"\n\r\x1a\x00":
                found.append(f"{table.path}: its last line has no line end. Is the file whole?")
    return found


def _decided(decisions: pd.DataFrame) -> list[tuple[str, int]]:
    """Return the reasons under which rows were excluded or noted, each with its rows."""
    told = decisions["step"].isin(["excluded", "noted"]) & (decisions["n"] > 0)
    return [
        (f"{step}: {reason}", int(n))
        for step, reason, n in decisions.loc[told, ["step", "reason", "n"]].itertuples(index=False)
    ]
