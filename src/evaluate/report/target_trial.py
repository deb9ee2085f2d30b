"""The target trial of an observational study: the plan's words beside what the data allow."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd

from evaluate.report.registers import arm_names
from evaluate.report.released import Released, titled
from evaluate.report.words import Words

# The items of TARGET (Cashin et al. 2025); the plan states all but the assumptions.
ITEMS = (
    "eligibility", "strategies", "assignment", "time_zero", "follow_up", "outcome", "contrast",
    "analysis", "assumptions",
)  # fmt: skip


@dataclass(frozen=True)
class Item:
    """One item of the protocol.

    Attributes
    ----------
    title, planned : str
        Its name; the plan's words, empty where the plan has none.
    done : list of str
        Sentences on what the data allow and what was done.
    """

    title: str
    planned: str
    done: list[str]


def items(released: Released, words: Words) -> list[Item]:
    """Return the items of the target trial in the order of the TARGET statement.

    References
    ----------
    Cashin, Hansford, Hernán et al. (2025), Transparent Reporting of Observational Studies
    Emulating a Target Trial: the TARGET statement, JAMA 334(12).
    """
    told = {
        "eligibility": _eligibility,
        "strategies": _strategies,
        "assignment": _assignment,
        "time_zero": _time_zero,
        "follow_up": _follow_up,
        "outcome": _outcomes,
        "contrast": _contrast,
        "analysis": _analysis,
        "assumptions": _assumptions,
    }
    protocol = released.plan.protocol
    found = []
    for name in ITEMS:
        stated = protocol if name != "assumptions" else None
        planned = stated.item(name, words.language) if stated else ""
        found.append(Item(words(f"trial.item.{name}"), planned, told[name](released, words)))
    return found


def _eligibility(released: Released, words: Words) -> list[str]:
    flow = released.flow
    n = {step: flow.loc[flow["step"] == step, "n"] for step in ("received", "added", "included")}
    if any(counts.isna().any() for counts in n.values()):
        found = [words("trial.eligible_withheld")]
    else:
        numbers = {step: float(counts.sum()) for step, counts in n.items()}
        numbers["excluded"] = numbers["received"] + numbers["added"] - numbers["included"]
        told = {k: words.number(count, 0) for k, count in numbers.items()}
        found = [words("trial.eligible_added" if numbers["added"] else "trial.eligible", **told)]
    criteria = released.plan.eligibility
    if criteria:
        found.append(words("trial.criteria", criteria="; ".join(criteria)))
    return found


def _strategies(released: Released, words: Words) -> list[str]:
    column = released.plan.columns.treatment.column
    included = released.flow[released.flow["step"] == "included"].iloc[0]
    parts = []
    for code, name in arm_names(released, words).items():
        n = included[f"arm={code}"]
        parts.append(f"{name.lower()} ({column} = {code}) {_number(n, words)}")
    return [words("trial.arms", arms=", ".join(parts))]


def _assignment(released: Released, words: Words) -> list[str]:
    k = len(released.plan.covariates)
    found = [words("trial.not_drawn"), words("trial.covariates" if k else "trial.none", n=k)]
    models = released.propensity_models
    own = models["covariates"].fillna("") == ""
    chosen = models[models["chosen"].fillna(False).astype(bool) & own]
    names = [words(f"propensity.model.{m}") for m in dict.fromkeys(chosen["model"])]
    if k and names:
        found.append(words("trial.modelled", models=", ".join(names)))
    return found


def _time_zero(released: Released, words: Words) -> list[str]:
    column = released.plan.columns.day_zero
    if column is None:
        return [words("trial.no_day")]
    sets = released.plan.risk_sets
    if sets is not None:
        return [words("trial.risk_sets", column=column, n=sets.per_treated)]
    return [words("trial.day", column=column)]


def _follow_up(released: Released, words: Words) -> list[str]:
    """Say from when to when outcomes are, and how many are observed at the month that stands."""
    months = [m for o in released.plan.outcome_columns if (m := o.month) is not None]
    found = []
    if after := [m for m in months if m > 0]:
        found.append(words("trial.months", first=min(after), last=max(after)))
    if before := [m for m in months if m <= 0]:
        found.append(words("trial.months_before", n=len(set(before))))
    if not months:
        found.append(words("trial.once"))
    return found


def _outcomes(released: Released, words: Words) -> list[str]:
    """Say how many of those in the study have a value of each primary outcome."""
    flow = released.main_flow
    included = flow.loc[flow["step"] == "included", "n"].iloc[0]
    found = []
    for _, row in flow[flow["step"] == "analysed"].iterrows():
        if released.role_of(str(row["reason"])) != "primary":
            continue
        outcome, _, month = str(row["reason"]).partition("@")
        title = titled(
            released.title(outcome, words.language), int(month) if month else None, words
        )
        values = {"n": _number(row["n"], words), "of": _number(included, words)}
        found.append(words("trial.observed", outcome=title, **values))
    return found or [words("trial.no_primary")]


def _contrast(released: Released, words: Words) -> list[str]:
    told = words(f"trial.contrast.{released.estimand}")
    trimmed = (released.overlap["trimmed"].isna() | (released.overlap["trimmed"] > 0)).any()
    return [told, words("trial.trimmed")] if trimmed else [told]


def _analysis(released: Released, words: Words) -> list[str]:
    """Name the estimators, the lead one first, and the choices about probabilities."""
    plan = released.plan
    lead, *others = (words(f"estimator.{e}") for e in plan.estimators)
    found = [words("trial.lead_estimator", lead=lead)]
    if others:
        found.append(words("trial.others", others=", ".join(others)))
    fitting = plan.analysis.cross_fitting
    if "aipw" in plan.estimators:
        found.append(words("trial.cross_fitted", folds=fitting.folds, splits=fitting.splits))
    return found


def _assumptions(released: Released, words: Words) -> list[str]:
    return [words(f"trial.assume.{name}") for name in ("exchangeable", "overlap", "consistent")]


def _number(n: Any, words: Words) -> str:
    return words("page.withheld") if pd.isna(n) else words.number(float(n), 0)
