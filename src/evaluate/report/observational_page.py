"""What the report of an observational study shows that that of a lottery does not."""

from __future__ import annotations

from typing import Any

import pandas as pd

from evaluate.report import (
    balance_words,
    contrasts,
    doubts,
    event_study_words,
    observational_summary,
    propensity_section,
    sensitivity_words,
    summary,
    target_trial,
)
from evaluate.report.estimator_figure import estimators_plot
from evaluate.report.event_study_figure import event_study_plot
from evaluate.report.graph_section import graph_section
from evaluate.report.released import Released
from evaluate.report.specification_figure import specification_plot
from evaluate.report.words import Words

GENDERS = ("all", "women", "men", "women-men")


def context(released: Released, words: Words) -> dict[str, Any]:
    """Return what the templates need beside the rest; nothing of a lottery."""
    if not released.plan.is_observational:
        return {"observational": None}
    return {
        "observational": True,
        "findings": findings(released, words),
        "trial": target_trial.items(released, words),
        "causal": graph_section(released.graph, released.plan, words),
        "propensity": propensity_section,
        "balance_words": balance_words,
        "doubts": doubts,
        "event_study": event_study_words,
        "sensitivity_words": sensitivity_words,
    }


def findings(released: Released, words: Words) -> list[tuple[str, observational_summary.Finding]]:
    """Return the title and finding of each primary outcome and contrast with comparison."""
    found = []
    for outcome in summary.primary(released.plan):
        month = released.month(outcome)
        for arm in released.arms:
            title = summary.outcome_title(released, words, outcome, month)
            if len(released.arms) > 1:
                title = f"{title}. {released.arm_title(arm, words)}"
            found.append(
                (title, observational_summary.finding(released, words, outcome, month, arm))
            )
    return found


def figures(released: Released, words: Words) -> dict[Any, str]:
    """Draw overlap, balance by weights, and primary outcomes by estimator."""
    if not released.plan.is_observational:
        return {}
    drawn = propensity_section.figures(released, words) | balance_words.figures(released, words)
    for outcome in summary.primary(released.plan):
        month = released.month(outcome)
        for arm in contrasts.shown(released):
            rows = by_estimator(released, outcome, month, arm)
            if rows["estimate"].notna().any():
                title = summary.outcome_title(released, words, outcome, month)
                title = contrasts.titled(released, title, arm, words)
                drawn["estimators", outcome, arm] = estimators_plot(
                    rows,
                    words,
                    label=words("estimators.forest", outcome=title),
                    titles={e: _title(released, e, words) for e in rows["estimator"]},
                )
    return drawn | _specifications(released, words) | _event_studies(released, words)


def _specifications(released: Released, words: Words) -> dict[Any, str]:
    """Draw outcomes by all analyses, primary ones and placebos."""
    drawn: dict[Any, str] = {}
    for outcome in released.plan.outcomes:
        month = released.month(outcome)
        for arm in contrasts.shown(released):
            rows = doubts.specifications(released, outcome, month, arm)
            if rows.loc[rows["estimator"] != "difference_in_means", "estimate"].notna().any():
                title = summary.outcome_title(released, words, outcome, month)
                title = contrasts.titled(released, title, arm, words)
                drawn["specifications", outcome, arm] = specification_plot(
                    rows, words, label=words("specification.label", outcome=title)
                )
    return drawn


def _event_studies(released: Released, words: Words) -> dict[Any, str]:
    """Draw difference-in-differences by month since the start."""
    drawn: dict[Any, str] = {}
    for outcome in released.plan.outcomes:
        for arm in released.contrasts:
            rows = event_study_words.drawable(released, outcome, arm)
            if len(rows):
                title = released.title(outcome, words.language)
                title = contrasts.titled(released, title, arm, words)
                label = words("event_study.label", outcome=title)
                drawn["event_study", outcome, arm] = event_study_plot(rows, words, label=label)
    return drawn


def by_estimator(released: Released, outcome: str, month: int | None, arm: str) -> pd.DataFrame:
    """Return the effects on an outcome by all estimators, in the order of the plan."""
    rows = released.rows(outcome, month, arm=arm)
    rows = rows[rows["group"].isin(GENDERS)]
    order = {name: i for i, name in enumerate(released.plan.estimators)}
    rows = rows[rows["estimator"].isin(order)]
    return rows.assign(place=rows["estimator"].map(order)).sort_values("place", kind="stable")


def _title(released: Released, estimator: str, words: Words) -> str:
    """Return what a block of the figure is called: what it estimates only where that differs."""
    estimand = released.plan.estimand_of(estimator)
    if estimator == "difference_in_means" or estimand != released.estimand:
        return released.heading("", estimand, estimator, words)
    name = words(f"estimator.{estimator}")
    return f"{name[:1].upper()}{name[1:]}"
