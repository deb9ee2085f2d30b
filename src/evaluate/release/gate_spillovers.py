"""The release gate of direct effects and displacement, by the share offered in clusters."""

from __future__ import annotations

import pandas as pd

from evaluate.release.gate_cells import Gated, empty_rows, plain
from evaluate.release.gate_effects import Key, noted
from evaluate.release.suppression import is_small

COUNTS = ("n", "n_treated", "n_control")
NUMBERS = (
    "estimate", "std_error", "conf_low", "conf_high", "p_value", "df", *COUNTS, "n_clusters",
)  # fmt: skip
POOLED = "all"


def gate_spillovers(table: pd.DataFrame, withheld: set[Key], min_cell: int) -> Gated:
    """Empty the rows of an outcome and month of which any has a small count.

    Counts are of persons, and of those with or without an outcome given as a share: effects are
    differences of shares, and that of pure control is in `effects.csv`. Persons of one
    saturation are those of all less those of the others, and men those of all less women: one
    small count takes the rows of all saturations with it. Where a pooled count is small, or the
    gate withheld an effect of that outcome and month, pooled rows go as well.

    Parameters
    ----------
    table : DataFrame
        As `schemas.SPILLOVERS`, with ``least``.
    withheld : set of tuple
        Outcome, month, arm and group of the effects that were withheld.
    min_cell : int
        The smallest count that passes.
    """
    table = table.reset_index(drop=True)
    hidden = {key[:2] for key in withheld}
    counts = [c for c in (*COUNTS, "least") if c in table]
    by_count = pd.DataFrame(
        {c: is_small(table[c].to_numpy(float, na_value=float("nan")), min_cell) for c in counts}
    )
    small = by_count.any(axis=1).tolist()
    place = [(plain(o), plain(m)) for o, m in zip(table["outcome"], table["month"], strict=True)]
    pooled = (table["saturation"] == POOLED).tolist()
    whole = {p for p, s, over in zip(place, small, pooled, strict=True) if s and over} | hidden
    parts = {p for p, s in zip(place, small, strict=True) if s} | whole
    why = {i: small[i] for i in range(len(table)) if place[i] in (whole if pooled[i] else parts)}
    identity = ("outcome", "month", "arm", "estimator", "saturation", "effect", "group")
    table = table.drop(columns="least", errors="ignore")
    gated = empty_rows("spillovers", table, why, identity, NUMBERS, min_cell)
    out = gated.table if table.empty else noted(gated.table, why, min_cell)
    return Gated(out, gated.withheld)
