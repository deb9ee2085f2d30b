"""Which comparisons of arms are shown one by one, and what they are called in short."""

from __future__ import annotations

import pandas as pd

from evaluate.report.registers import arm_names
from evaluate.report.released import Released
from evaluate.report.words import Words

MOST_PAIRED = 4  # arms with an offer that are shown against each other, not only against control
MOST_PANELS = 6  # of one figure, side by side
MOST_BOXES = 5  # arms with an offer that have boxes of their own in the chart of the flow
TOGETHER = "together"


def shown(released: Released) -> list[str]:
    """Return the contrasts with a section of their own: of many arms those with control alone."""
    return released.contrasts if len(released.arms) <= MOST_PAIRED else released.arms


def panels(released: Released) -> list[str]:
    """Return the contrasts with a panel in the figure of the balance."""
    chosen = shown(released)
    chosen = chosen if len(chosen) <= MOST_PANELS else released.arms
    return chosen[:MOST_PANELS]


def left_out(released: Released, words: Words, tables: str) -> str:
    """Say which comparisons are not shown, and in which files they are; often nothing."""
    n = len(released.contrasts) - len(shown(released))
    values = {"arms": len(released.arms), "n": words.number(n, 0), "tables": tables}
    return words("effects.pairs_left", **values) if n else ""


def without_panel(released: Released, words: Words) -> str:
    """Say that the figure of the balance has not all that the table below it has."""
    n, drawn = len(shown(released)), len(panels(released))
    return words("design.balance_panels", drawn=drawn, n=n) if drawn < n else ""


def short(released: Released, arm: str, words: Words) -> str:
    """Return what a contrast is called in a cell or above a panel."""
    if arm in released.arms:
        return arm_names(released, words)[arm]
    a, b = released.pair(arm)
    return words("effects.pair_short", a=a, b=b)


def in_few_boxes(released: Released, words: Words) -> tuple[pd.DataFrame, dict[str, str]]:
    """Return the flow and names of its arms; of many arms those with an offer together."""
    flow, (_, *arms) = released.main_flow, released.arm_columns
    if len(arms) <= MOST_BOXES:
        return flow, {}
    together = flow[arms].sum(axis=1, skipna=False)
    name = words("figure.arms_together", n=len(arms))
    return flow.drop(columns=arms).assign(**{f"arm={TOGETHER}": together}), {TOGETHER: name}


def titled(released: Released, title: str, arm: str, words: Words) -> str:
    """Return the title of an outcome, with the contrast where there are several."""
    if len(released.contrasts) == 1:
        return title
    return f"{title}. {released.contrast(arm, words)}"
