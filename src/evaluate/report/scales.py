"""What the figures share: the looks of the groups, the spans of axes, the months to print."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd

from evaluate.report.sheet import Look
from evaluate.report.words import Words

GENDER = ("all", "women", "men")
# Okabe and Ito's hues; the shapes tell the groups apart in black and white.
LOOK: dict[str, Look] = {
    "all": ("#333333", "s", 5.0),
    "women": ("#D55E00", "o", 5.5),
    "men": ("#0072B2", "^", 6.0),
    "women-men": ("#009E73", "D", 5.0),
}


def groups_of(table: pd.DataFrame) -> list[str]:
    """Return the groups to draw; with one gender it is all."""
    return list(GENDER) if set(GENDER) <= set(table["group"]) else ["all"]


def unit_of(unit: str, words: Words) -> tuple[float, str]:
    """Return what to multiply an effect with to show it, and the unit in which it then is."""
    return (100.0, words("figure.points")) if unit == "share" else (1.0, unit)


def span_of(values: Iterable[float], zero: bool = True) -> tuple[float, float]:
    """Return limits around the values, and around zero if wished."""
    known = [float(v) for v in values if np.isfinite(v)]
    known += [0.0] if zero or not known else []
    low, high = min(known), max(known)
    margin = 0.07 * (high - low) or max(abs(high), 1.0)
    return low - margin, high + margin


def months_to_print(months: np.ndarray, most: int) -> list[float]:
    """Return the months to print: all where there is room, else regular ones."""
    from matplotlib.ticker import MaxNLocator

    if len(months) <= most:
        return sorted(months)
    ticks = MaxNLocator(most - 1, integer=True, steps=[1, 1.2, 2, 3, 6, 10])
    found = ticks.tick_values(min(months), max(months))
    return list(found[(found >= min(months)) & (found <= max(months))])
