"""Who takes part because of the offer, and what taking part does for them."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd

from evaluate.notes import NOTES
from evaluate.report.released import Released, records
from evaluate.report.words import Words
from evaluate.study import GAP

GROUPS = ("all", "women", "men", GAP)
WOMEN = "gender=women"
WEAK, REVERSED = NOTES["weak"].partition("{")[0], NOTES["reversed"]
STRONG = 10  # of F, below which the Wald interval is not reliable


def first_stage(released: Released, arm: str) -> pd.DataFrame:
    """Return the first stage of an arm, among those with a value of the lead outcome."""
    rows = _standing(released.participation, released, lead_outcome(released))
    return _in_order(rows[rows["arm"] == arm])


def lead_outcome(released: Released) -> str:
    """Return the first primary outcome, or the first one."""
    outcomes = released.plan.outcomes
    return next((k for k, o in outcomes.items() if o.role == "primary"), next(iter(outcomes)))


def on_participants(released: Released, outcome: str, arm: str) -> pd.DataFrame:
    """Return the effects on participants in the month that stands for an outcome."""
    rows = _standing(released.participation, released, outcome)
    return _in_order(rows[rows["arm"] == arm])


def sentences(released: Released, words: Words, arm: str) -> list[str]:
    """Say who takes part all the same, how strong the first stage is, and how many women."""
    rows = {row["group"]: row for row in records(first_stage(released, arm))}
    found = []
    everybody = rows.get("all")
    if everybody is None or _missing(everybody["compliers"]):
        return []
    if not _missing(everybody["takeup_control"]):
        share = everybody["takeup_control"]
        key = "control_none" if share == 0 else "control_some"
        found.append(words(f"participation.{key}", share=words.level(share, "share")))
    weak = [g for g, row in rows.items() if not _missing(row["f"]) and row["f"] < STRONG]
    if weak:
        names = ", ".join(words.group(g).lower() for g in weak)
        found.append(words("participation.weak", groups=names))
    told = released.compliers
    told = told[(told["arm"] == arm) & (told["covariate"] == WOMEN) & (told["group"] == "all")]
    for row in records(told.dropna(subset=["mean_all", "mean_compliers"])):
        found.append(
            words(
                "participation.women",
                compliers=words.level(row["mean_compliers"], "share"),
                all=words.level(row["mean_all"], "share"),
            )
        )
    return found


def characteristics(released: Released, arm: str) -> pd.DataFrame:
    """Return who compliers are, a row per characteristic and a pair of columns per group."""
    table = released.compliers[released.compliers["arm"] == arm]
    return table[table["group"].isin(GROUPS)]


def anderson_rubin(row: dict[str, Any], words: Words) -> str:
    """Return the set of effects that the data do not reject, in words where it is no interval."""
    kind = row["ar_set"]
    if not isinstance(kind, str):
        return words.number(None)
    unit, error = row["unit"], _error(row)
    low, high = (words.effect(row[f"ar_{end}"], unit, error, with_unit=False)
                 for end in ("low", "high"))  # fmt: skip
    if kind == "interval":
        return words.interval(row["ar_low"], row["ar_high"], unit, error)
    if kind == "unbounded":
        return words("participation.unbounded", low=low, high=high)
    return words("participation.whole_line")


def summary_sentence(row: dict[str, Any], words: Words, level: str) -> str:
    """Say the effect on participants of one row, by the set of Anderson and Rubin."""
    if _missing(row["effect"]) or not isinstance(row["ar_set"], str):
        return ""
    said = row["note"] if isinstance(row["note"], str) else ""
    unreliable = [n for n in said.split("; ") if n.startswith((WEAK, REVERSED))]
    if unreliable:
        told = words("summary.taking_part_weak", note=words.note("; ".join(unreliable)))
        ends = words("participation.not_rejected", level=level, set=anderson_rubin(row, words))
        return f"{told} {ends}"
    return words(
        "participation.told",
        share=words.level(row["compliers"], "share"),
        effect=words.effect(row["effect"], row["unit"], _error(row)),
        level=level,
        set=anderson_rubin(row, words),
    )


def _error(row: dict[str, Any]) -> float:
    """Return a measure of the error, for as many decimals as it needs."""
    width = row["conf_high"] - row["conf_low"]
    return width / 4 if math.isfinite(width) else math.nan


def _standing(table: pd.DataFrame, released: Released, outcome: str) -> pd.DataFrame:
    month = released.month(outcome)
    table = table[table["outcome"] == outcome]
    return table[table["month"].isna() if month is None else table["month"] == month]


def _in_order(rows: pd.DataFrame) -> pd.DataFrame:
    place = rows["group"].map({g: i for i, g in enumerate(GROUPS)})
    return rows[place.notna()].iloc[place.dropna().argsort(kind="stable")]


def _missing(value: Any) -> bool:
    return bool(pd.isna(value))
