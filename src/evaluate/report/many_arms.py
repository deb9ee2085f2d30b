"""The summary of a programme with many arms: a line for each, where others have a paragraph."""

from __future__ import annotations

from typing import Any

import pandas as pd

from evaluate.report import contrasts, inference
from evaluate.report.released import Released, records
from evaluate.report.words import Words
from evaluate.study import GAP


def are_many(released: Released) -> bool:
    """Tell whether the arms are too many for a paragraph each."""
    return len(released.arms) > contrasts.MOST_PAIRED


def lines(released: Released, words: Words, outcome: str, month: int | None) -> list[str]:
    """Say the effect on an outcome for each arm, for all and the gap, in a line."""
    rows = released.rows(outcome, month, estimand=released.estimand, estimator=released.lead)
    found = []
    for arm in released.arms:
        by_group = {row["group"]: row for row in records(rows[rows["arm"] == arm])}
        everybody, gap = by_group.get("all"), by_group.get(GAP)
        if everybody is None or pd.isna(everybody["estimate"]):
            note = everybody["note"] if everybody and isinstance(everybody["note"], str) else ""
            name = contrasts.short(released, arm, words)
            found.append(words("summary.not_estimated", group=name, note=words.note(note)))
            continue
        adjusted, by_gender = "", ""
        if inference.has_adjusted(released) and pd.notna(everybody["p_value_adjusted"]):
            p = words.p_value(everybody["p_value_adjusted"])
            adjusted = words("summary.of_arm_adjusted", p=p)
        if gap is not None and pd.notna(gap["estimate"]):
            by_gender = words("summary.of_arm_gap", **_numbers(gap, words))
        found.append(
            words(
                "summary.of_arm",
                arm=contrasts.short(released, arm, words),
                p=words.p_value(everybody["p_value"]),
                adjusted=adjusted,
                gap=by_gender,
                **_numbers(everybody, words),
            )
        )
    return [*found, words("summary.of_arms")]


def _numbers(row: dict[str, Any], words: Words) -> dict[str, str]:
    unit, error = row["unit"], row["std_error"]
    return {
        "effect": words.effect(row["estimate"], unit, error),
        "level": words.percent(row["level"]),
        "interval": words.interval(row["conf_low"], row["conf_high"], unit, error),
    }
