"""Balance before and after weighting, in words and in the panels of the love plot."""

from __future__ import annotations

from typing import Any

import pandas as pd

from evaluate.report import contrasts
from evaluate.report.figures import love_plot
from evaluate.report.released import PROGNOSIS, Released
from evaluate.report.words import Words

LIMIT = 0.1  # standard deviations


def weights_of(released: Released) -> list[str]:
    """Return the weights after which balance is shown, in the order of the table."""
    table = released.balance
    known = table.loc[table["adjusted"].fillna(False).astype(bool), "weights"].dropna()
    return [str(w) for w in dict.fromkeys(known) if w]


def rows(table: pd.DataFrame, kind: str) -> pd.DataFrame:
    """Return the rows after a kind of weights, or ``before`` them."""
    adjusted = table["adjusted"].fillna(False).astype(bool)
    return table[~adjusted] if kind == "before" else table[adjusted & (table["weights"] == kind)]


def figures(released: Released, words: Words) -> dict[Any, str]:
    """Draw one love plot per contrast, with a panel for each way of weighting."""
    drawn: dict[Any, str] = {}
    names = {c: released.covariate_title(c, words) for c in released.balance["covariate"]}
    table = released.balance.assign(covariate=released.balance["covariate"].map(names))
    weights = weights_of(released)
    titles = {w: words(f"weights.{w}") for w in weights}
    for arm in contrasts.shown(released):
        here = table[table["arm"] == arm]
        before = rows(here, "before")
        parts = [pd.concat([before, rows(here, w)]).assign(arm=w) for w in weights]
        drawn_rows = pd.concat(parts or [before])
        if drawn_rows["smd"].notna().any():
            label = contrasts.titled(released, words("figure.label.love"), arm, words)
            drawn["love", arm] = love_plot(drawn_rows, words, label=label, titles=titles)
    return drawn


def sentences(released: Released, words: Words, arm: str) -> list[str]:
    """Say how many covariates differ by more than the limit, before and after each weighting."""
    table = released.balance[released.balance["arm"] == arm]
    table = table[table["group"].isin(["all", "women", "men"])]
    table = table[~table["covariate"].str.startswith(PROGNOSIS)]
    found = [_sentence(rows(table, "before"), words("weights.before"), released, words)]
    for name in weights_of(released):
        when = words("weights.after", weights=words(f"weights.{name}"))
        found.append(_sentence(rows(table, name), when, released, words))
    return [text for text in found if text]


def _sentence(table: pd.DataFrame, when: str, released: Released, words: Words) -> str:
    """Say of each group how many covariates differ, and which differs most."""
    parts = []
    for group, part in table.groupby("group", sort=False):
        known = part.dropna(subset=["smd"])
        if known.empty:
            continue
        most = known.iloc[int(known["smd"].abs().argmax())]
        values = {
            "group": words.group(str(group)).lower(),  # as in: among women
            "n": int((known["smd"].abs() > LIMIT).sum()),
            "of": len(known),
            "most": words.number(abs(float(most["smd"])), 2),
            "covariate": released.covariate_title(str(most["covariate"]), words),
        }
        parts.append(words("weights.part", **values))
    return words("weights.sentence", when=when, parts="; ".join(parts)) if parts else ""
