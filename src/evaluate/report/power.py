"""What the study could have found, in words: how to read an effect that is not significant."""

from __future__ import annotations

from typing import Any

import pandas as pd

from evaluate.report.released import Released, records, titled
from evaluate.report.words import Words
from evaluate.study import GAP


def power_sentences(
    released: Released, words: Words, outcome: str, month: int | None, arm: str
) -> list[str]:
    """Say which effect, and which gap, the study would have found, and what its absence means.

    Parameters
    ----------
    released : Released
        The released tables.
    words : Words
        The language.
    outcome, month, arm : str, int or None, str
        Whose rows.

    Returns
    -------
    list of str
        None where the numbers are withheld or were not estimated.
    """
    rows = standing(released, outcome, month, arm)
    found = rows.get("all")
    if found is None or pd.isna(found["detectable"]):
        return []
    unit = released.unit(outcome, words.language)

    def size(row: dict[str, Any]) -> str:
        return words.effect(row["detectable"], unit, row["std_error"])

    title = titled(released.title(outcome, words.language), month, words)
    sentences = [
        words("power.all", outcome=title, size=size(found), power=rounded(found["power"], words))
    ]
    if pd.notna(found["relative"]) and words.design != "observational":
        share = rounded(found["relative"], words)
        sentences[0] += " " + words("power.relative", share=share)
    gap = rows.get(GAP)
    if gap is None or pd.isna(gap["detectable"]):
        return sentences
    ratio = words.number(gap["ratio_to_all"], 1)
    sentences.append(words("power.gap", size=size(gap), ratio=ratio))
    if gap["p_value"] >= 1 - gap["level"]:
        sentences.append(words("power.gap_open", size=size(gap)))
    return sentences


def standing(
    released: Released, outcome: str, month: int | None, arm: str
) -> dict[str, dict[str, Any]]:
    """Return the rows of an outcome, month and arm by group; none where there is none of all."""
    table = released.power
    place = (table["outcome"] == outcome) & (table["arm"] == arm)
    here = table["month"].isna() if month is None else table["month"] == month
    rows = {row["group"]: row for row in records(table[place & here])}
    return rows if "all" in rows else {}


def rounded(share: float, words: Words) -> str:
    """Return a share in whole per cent."""
    return words("unit.percent", x=words.number(100 * share, 0))
