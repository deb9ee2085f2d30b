"""What a hidden factor would have to be, in words: as strong as which measured one."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd

from evaluate.report.released import Released, records
from evaluate.report.words import Words

GROUPS = ("all", "women", "men")
LONG, SHORT = "long_story_short", "robustness_value"
BENCHMARK = {LONG: "long_story_short_benchmark", SHORT: "benchmark"}


def hidden_sentences(
    released: Released, words: Words, outcome: str, arm: str, month: int | None = None
) -> list[str]:
    """Return how strong a hidden factor must be to undo the findings on one outcome.

    By the long story short where the doubly robust estimate was made, otherwise by the regression
    coefficient.

    Parameters
    ----------
    released : Released
        The released tables.
    words : Words
        The language.
    outcome, arm : str
        As in the table of sensitivity.
    month : int, optional
        Where there is more than one.

    Returns
    -------
    list of str
        One text per group, and one for the gap; none where everything is withheld.
    """
    table = released.sensitivity
    rows = table[(table["outcome"] == outcome) & (table["arm"] == arm)]
    if month is not None:
        rows = rows[rows["month"] == month]
    level = words.percent(released.plan.analysis.level)
    found = []
    for group in (g for g in GROUPS if g in set(rows["group"])):
        parts = _group(rows[rows["group"] == group], words, group, level)
        found += [" ".join(parts)] if parts else []
    for row in records(rows[(rows["group"] == "women-men") & (rows["method"] == LONG)]):
        if _known(row["value"]) and row["value_interval"] > 0:  # else it is open already
            found.append(words("strength.gap", share=_share(row["value"], words)))
    return found


def _group(rows: pd.DataFrame, words: Words, group: str, level: str) -> list[str]:
    method = LONG if _value(rows, LONG) is not None else SHORT
    parts = _benchmark(rows[rows["method"] == BENCHMARK[method]], words, group, level)
    if (row := _value(rows, method)) is not None:
        parts.append(words("strength.share", share=_share(row["value"], words)))
        if _known(row["value_interval"]) and row["value_interval"] > 0:
            share = _share(row["value_interval"], words)
            parts.append(words("strength.share_interval", share=share))
    if (row := _value(rows, "e_value")) is not None:
        already = not row["value_interval"] > 1
        told = {"times": words.number(row["value"], 2)}
        told["interval"] = words.number(row["value_interval"], 2)
        parts.append(words("strength.ratio_already" if already else "strength.ratio", **told))
    if (row := _value(rows, "rosenbaum")) is not None and _known(row["value_interval"]):
        already = row["value_interval"] <= 1
        key = "strength.pairs_already" if already else "strength.pairs"
        parts.append(words(key, times=words.number(row["value_interval"], 2)))
    return parts


def _benchmark(rows: pd.DataFrame, words: Words, group: str, level: str) -> list[str]:
    """Say how many times as strong as the nearest measured covariate it must be."""
    if rows.empty:
        return []
    name = words.group(group)
    known = rows.dropna(subset=["value"])
    if known.empty:
        return [words("strength.none", group=name)]
    row = records(known.sort_values(["value", "benchmark"]).head(1))[0]
    told = {
        "group": name,
        "times": words.number(row["value"], 1 if row["value"] >= 1 else 2),
        "covariate": _covariate(row["benchmark"], words),
    }
    parts = [words("strength.times" if row["value"] > 1 else "strength.enough", **told)]
    needed = row["value_interval"]
    if _known(needed):
        told = {"level": level, "times": words.number(needed, 1 if needed >= 1 else 2)}
        weak = "interval_enough" if needed <= 1 else "interval"
        parts.append(words(f"strength.{weak if needed > 0 else 'interval_already'}", **told))
    return parts


def _covariate(name: str, words: Words) -> str:
    if name == "gender":
        return words("strength.gender")
    return words.covariate(name)


def _value(rows: pd.DataFrame, method: str) -> dict[str, Any] | None:
    """Return the row of a method that has a value."""
    found = records(rows[(rows["method"] == method) & rows["value"].notna()])
    return found[0] if found else None


def _share(value: float, words: Words) -> str:
    return words("unit.percent", x=words.number(100 * value, 1))


def _known(value: object) -> bool:
    return isinstance(value, float) and math.isfinite(value)
