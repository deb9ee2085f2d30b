"""Displacement in words: estimated where shares were drawn, otherwise stated as assumptions."""

from __future__ import annotations

import pandas as pd

from evaluate.report.released import Released, records
from evaluate.report.words import Words

POOLED = "all"


def spillover_sentences(
    released: Released, words: Words, outcome: str, month: int | None
) -> list[str]:
    """Say what the offers did to those offered, to their neighbours, and to both together."""
    table = _of(released.spillovers, outcome, month)
    chosen = table[(table["saturation"] == POOLED) & (table["group"] == "all")]
    unit = released.unit(outcome, words.language)
    sentences = []
    for row in records(chosen):
        if pd.isna(row["estimate"]):
            continue
        error = row["std_error"]
        sentences.append(
            words(
                f"spillovers.{row['effect']}",
                effect=words.effect(row["estimate"], unit, error),
                interval=words.interval(row["conf_low"], row["conf_high"], unit, error),
            )
        )
    return sentences


def net_sentences(
    released: Released, words: Words, outcome: str, month: int | None, arm: str
) -> list[str]:
    """Say how many jobs there are net of each stated displacement share, for all."""
    table = _of(released.net_effects, outcome, month)
    chosen = table[(table["arm"] == arm) & (table["group"] == "all") & table["jobs"].notna()]
    if chosen.empty:
        return []
    return [
        words("net.lead"),
        *(
            words(
                "net.jobs",
                share=words("unit.percent", x=words.number(100 * row["displacement"], 0)),
                jobs=words.number(row["jobs"], 0),
                low=words.number(row["jobs_low"], 0),
                high=words.number(row["jobs_high"], 0),
            )
            for row in records(chosen)
        ),
        words("net.sign"),
    ]


def _of(table: pd.DataFrame, outcome: str, month: int | None) -> pd.DataFrame:
    here = table["month"].isna() if month is None else table["month"] == month
    return table[(table["outcome"] == outcome) & here]
