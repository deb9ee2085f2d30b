"""Who was likely to take part, who has likes in the other group, and who is left out."""

from __future__ import annotations

from typing import Any

import pandas as pd

from evaluate.report import contrasts
from evaluate.report.overlap_figure import overlap_plot
from evaluate.report.released import Released, records
from evaluate.report.words import Words

MOVED = 0.1  # standard deviations: a shift of the population that is told
WITNESSES = 3  # covariates that are named


def figures(released: Released, words: Words) -> dict[Any, str]:
    """Draw the overlap of each contrast that has probabilities."""
    drawn: dict[Any, str] = {}
    table = released.propensity_histogram
    for arm in contrasts.shown(released):
        rows = table[table["arm"] == arm]
        if rows["share"].notna().any():
            label = contrasts.titled(released, words("figure.label.overlap"), arm, words)
            drawn["overlap", arm] = overlap_plot(
                rows, words, label=label, bounds=bounds(released, arm)
            )
    return drawn


def bounds(released: Released, arm: str) -> dict[str, tuple[float, float]]:
    """Return the probabilities beyond which persons are left out, by group."""
    rows = released.overlap[released.overlap["arm"] == arm].dropna(subset=["low", "high"])
    return {str(r["group"]): (float(r["low"]), float(r["high"])) for r in records(rows)}


def models(released: Released, arm: str) -> pd.DataFrame:
    """Return the models of who took part, those of the plan's own covariates first."""
    table = released.propensity_models
    rows = table[table["arm"] == arm]
    order = rows["covariates"].fillna("").ne("")
    return rows.assign(order=order).sort_values("order", kind="stable").drop(columns="order")


def model_sentences(released: Released, words: Words, arm: str) -> list[str]:
    """Say which model was chosen and how well it keeps what it promises."""
    found = []
    rows = models(released, arm)
    rows = rows[rows["covariates"].fillna("") == ""]
    chosen = rows[rows["chosen"].fillna(False).astype(bool)]
    within = released.plan.analysis.propensity.within_gender
    for row in records(chosen):
        if pd.isna(row["log_loss"]) or within == (row["group"] == "all"):
            continue
        key = "propensity.chosen" if row["group"] == "all" else "propensity.chosen_within"
        values = {
            "group": words.group(str(row["group"])),
            "model": words(f"propensity.model.{row['model']}"),
            "log_loss": words.number(row["log_loss"], 3),
            "auc": words.number(row["auc"], 2),
            "slope": words.number(row["calibration_slope"], 2),
        }
        found.append(words(key, **values))
    return found


def overlap(released: Released, arm: str) -> pd.DataFrame:
    """Return the counts of overlap of a contrast."""
    return released.overlap[released.overlap["arm"] == arm]


def overlap_sentences(released: Released, words: Words, arm: str) -> list[str]:
    """Say who is left out, who is left, and what those left are worth once weighted."""
    found = []
    rows = overlap(released, arm)
    for group, part in rows.groupby("group", sort=False):
        by_side = {str(row["side"]): row for row in records(part)}
        if set(by_side) != {"treated", "control"}:
            continue
        name = words.group(str(group))
        treated, control = by_side["treated"], by_side["control"]
        numbers = {
            "treated": _count(treated["trimmed"], words),
            "of_treated": _count(treated["n"], words),
            "control": _count(control["trimmed"], words),
            "of_control": _count(control["n"], words),
        }
        key = "overlap.none_trimmed" if _nobody(treated, control) else "overlap.trimmed"
        told = words(key, group=name, **numbers)
        if pd.notna(control["effective"]) and pd.notna(control["kept"]):
            told += " " + words(
                "overlap.effective",
                kept=words.number(float(control["kept"]), 0),
                effective=words.number(float(control["effective"]), 0),
            )
        found.append(told)
    return found


def rule(released: Released, words: Words, arm: str) -> str:
    """Say by which rule, and beyond which probabilities, persons are left out."""
    trim = released.plan.analysis.propensity.trim
    low, high = bounds(released, arm).get("all", (0.0, 1.0))
    name = trim if isinstance(trim, str) else "bounds"
    values = {"low": words.number(low, 3), "high": words.number(high, 3)}
    told = words(f"overlap.rule.{name}", estimand=words(f"estimand.{_target(released)}"), **values)
    if name != "none" and low <= 0 and high >= 1:
        return f"{told} {words('overlap.rule_nobody')}"
    return f"{told} {words('overlap.beyond', **values)}" if name == "crump" else told


def population(released: Released, arm: str) -> pd.DataFrame:
    """Return how leaving persons out changes those whom the effect speaks of."""
    return released.population[released.population["arm"] == arm]


def population_sentence(released: Released, words: Words, arm: str) -> str:
    """Say how those left differ from those there were, by the covariates moved most."""
    rows = population(released, arm)
    rows = rows[(rows["group"] == "all") & rows["difference"].notna()]
    if rows.empty:
        return ""
    moved = rows[rows["difference"].abs() >= MOVED]
    moved = moved.loc[moved["difference"].abs().sort_values(ascending=False, kind="stable").index]
    if moved.empty:
        most = words.number(rows["difference"].abs().max(), 2)
        return words("overlap.same_population", most=most)
    named = [
        words(
            "overlap.moved_one",
            covariate=released.covariate_title(str(row["covariate"]), words),
            before=words.number(row["mean_before"]),
            after=words.number(row["mean_after"]),
        )
        for row in records(moved.head(WITNESSES))
    ]
    return words("overlap.moved", n=len(moved), of=len(rows), named="; ".join(named))


def _target(released: Released) -> str:
    estimand = released.plan.analysis.estimand
    return str(estimand)


def _nobody(*rows: dict[str, Any]) -> bool:
    return all(pd.notna(row["trimmed"]) and row["trimmed"] == 0 for row in rows)


def _count(n: Any, words: Words) -> str:
    """Return a number of persons within a sentence."""
    return words("overlap.withheld") if pd.isna(n) else words.number(float(n), 0)
