"""Displacement in words: estimated where shares were drawn, otherwise stated as assumptions."""

from __future__ import annotations

import pandas as pd

from evaluate.report.released import Released, records
from evaluate.report.words import Words

POOLED = "all"


def spillover_sentences(
    released: Released, words: Words, outcome: str, month: int | None
) -> dict[str, list[str]]:
    """Say what the offers did to those offered, to their neighbours, and to both together.

    Returns
    -------
    dict of str to list of str
        Sentences by effect; none where the numbers are withheld or were not estimated.
    """
    table = _of(released.spillovers, outcome, month)
    chosen = table[(table["saturation"] == POOLED) & (table["group"] == "all")]
    unit = released.unit(outcome, words.language)
    sentences: dict[str, list[str]] = {}
    for row in records(chosen.dropna(subset="estimate")):
        error = row["std_error"]
        told = words(
            f"spillovers.{row['effect']}",
            effect=words.effect(row["estimate"], unit, error),
            level=words.percent(row["level"]),
            interval=words.interval(row["conf_low"], row["conf_high"], unit, error),
        )
        sentences.setdefault(str(row["effect"]), []).append(told)
    return sentences


def spillovers(released: Released, outcome: str, month: int | None) -> pd.DataFrame:
    """Return the effects by share offered of an outcome in a month."""
    return _of(released.spillovers, outcome, month)


def net_effects(released: Released, outcome: str, month: int | None, arm: str) -> pd.DataFrame:
    """Return effects and jobs under each stated displacement share."""
    table = _of(released.net_effects, outcome, month)
    return table[table["arm"] == arm]


def outcomes(released: Released) -> list[tuple[str, int | None]]:
    """Return the outcomes with effects on neighbours, in the months that stand for them."""
    return _standing(released, released.spillovers)


def net_outcomes(released: Released) -> list[tuple[str, int | None, str]]:
    """Return outcomes, months and arms for which displacement is assumed."""
    found = _standing(released, released.net_effects)
    places = [(outcome, month, arm) for outcome, month in found for arm in released.offered]
    return [place for place in places if len(net_effects(released, *place))]


def _standing(released: Released, table: pd.DataFrame) -> list[tuple[str, int | None]]:
    known = set(table["outcome"])
    places = [(k, released.month(k)) for k, o in released.plan.outcomes.items()
              if k in known and o.role != "placebo"]  # fmt: skip
    return [place for place in places if len(_of(table, *place))]


def _of(table: pd.DataFrame, outcome: str, month: int | None) -> pd.DataFrame:
    here = table["month"].isna() if month is None else table["month"] == month
    return table[(table["outcome"] == outcome) & here]
