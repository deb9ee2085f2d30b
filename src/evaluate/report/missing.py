"""Where outcomes are missing: for whom, and what effects can be then."""

from __future__ import annotations

from typing import Any

import pandas as pd

from evaluate.report import contrasts
from evaluate.report.released import Released, records
from evaluate.report.words import Words
from evaluate.study import GAP

METHODS = ("lee", "lee_tightened", "manski", "ipw")
GROUPS = ("all", "women", "men", GAP)


def outcomes(released: Released) -> list[tuple[str, int | None]]:
    """Return the outcomes that some lack in the month that stands for them, primary ones first."""
    some = set(released.bounds["outcome"])
    order = {"primary": 0, "secondary": 1, "placebo": 2}
    roles = {k: o.role for k, o in released.plan.outcomes.items() if k in some}
    keys = sorted((k for k in roles if roles[k] != "placebo"), key=lambda k: order[roles[k]])
    return [(k, released.month(k)) for k in keys if len(bounds(released, k, None))]


def methods(released: Released) -> list[str]:
    """Return the kinds of bounds that there are."""
    known = set(released.bounds["method"])
    return [m for m in METHODS if m in known]


def shown(released: Released, outcome: str | None = None, arm: str | None = None) -> bool:
    """Tell whether any bound is released, of an outcome and a contrast or of all."""
    table = released.bounds if outcome is None else bounds(released, outcome, arm)
    return bool(table["lower"].notna().any())


def arms(released: Released, outcome: str) -> list[str]:
    """Return the contrasts shown for which an outcome has bounds, those with control first."""
    known = set(bounds(released, outcome, None)["arm"])
    return [a for a in contrasts.shown(released) if a in known]


def bounds(released: Released, outcome: str, arm: str | None) -> pd.DataFrame:
    """Return the bounds of an outcome in the month that stands for it, by method and group."""
    table, month = released.bounds, released.month(outcome)
    table = table[table["outcome"] == outcome]
    table = table[table["month"].isna() if month is None else table["month"] == month]
    if arm is not None:
        table = table[table["arm"] == arm]
    return table


def response(released: Released, outcome: str, arm: str) -> pd.DataFrame:
    """Return who has an outcome, by arm: a row per group."""
    rows = bounds(released, outcome, arm).drop_duplicates("group")
    place = rows["group"].map({g: i for i, g in enumerate(GROUPS)})
    return rows.iloc[place.argsort(kind="stable")]


def sentences(released: Released, words: Words, outcome: str, arm: str, level: str) -> list[str]:
    """Say who has the outcome, and what the bounds leave open, for all and for the gap."""
    found, (first, second) = [], released.sides(arm, words)
    for row in records(response(released, outcome, arm)):
        if row["group"] == "all" and pd.notna(row["response_difference"]):
            found.append(
                words(
                    "bounds.response_arms" if len(released.contrasts) > 1 else "bounds.response",
                    treated=words.level(row["response_treated"], "share"),
                    control=words.level(row["response_control"], "share"),
                    p=words.p_value(row["response_p_value"]),
                    first=first,
                    second=second,
                )
            )
    for row in records(bounds(released, outcome, arm)):
        if row["method"] in ("lee", "manski") and row["group"] in ("all", GAP):
            found.append(reading(row, words, level))
    return [text for text in found if text]


def reading(row: dict[str, Any], words: Words, level: str) -> str:
    """Say one row of bounds, and whether it leaves the direction open."""
    low, high = row["conf_low"], row["conf_high"]
    if pd.isna(low) or pd.isna(high):
        return ""
    side = "above" if low > 0 else "below" if high < 0 else "open"
    unit = str(row["unit"])
    error = min(row["lower_se"], row["upper_se"])
    return words(
        f"bounds.reading.{side}",
        method=words(f"bounds.method.{row['method']}"),
        group=words.group(str(row["group"])).lower(),
        bounds=words.interval(row["lower"], row["upper"], unit, error),
        unit=words("figure.points") if unit == "share" else unit,
        level=level,
        interval=words.interval(low, high, unit, error),
    )
