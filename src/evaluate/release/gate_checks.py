"""The checks of the design behind the gate: shares that would show few persons are withheld."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import numpy as np
import pandas as pd

from evaluate.notes import finding
from evaluate.release.gate_cells import MEN, WOMEN, reason
from evaluate.release.suppression import is_small

ATTRITION = "attrition:"
OF_KEPT = ("overlap", "effective_size")  # say how many are left after trimming
BALANCE_AFTER = "balance_after"
# say nothing of how many there are
SILENT = ("balance", "balance_before", "prognosis", "propensity_model")


def gate_checks(
    checks: pd.DataFrame,
    flow: pd.DataFrame,
    hidden_groups: Collection[str],
    min_cell: int,
    trimmed: Collection[tuple[str, str]] = (),
) -> tuple[pd.DataFrame, list[dict[str, Any]]]:
    """Withhold statistic and text where they would give a small number away.

    Parameters
    ----------
    checks, flow : DataFrame
        As `schemas.DESIGN_CHECKS` and `schemas.FLOW`, exact.
    hidden_groups : collection of str
        Groups whose size is withheld elsewhere: a share of them would show it.
    min_cell : int
        Smallest number that may be published.
    trimmed : collection of (str, str)
        Contrasts and groups of which few are left out by trimming.

    Returns
    -------
    checks : DataFrame
        The p-value and verdict stay. What the gate alone may see is left out.
    withheld : list of dict
        For `disclosure.json`.
    """
    arms = [c for c in flow.columns if str(c).startswith("arm=")]
    included = flow.loc[flow["step"] == "included", arms].iloc[0].to_numpy(dtype=float)
    analysed = flow[flow["step"] == "analysed"].set_index("reason")[arms]
    least = checks.get("least", pd.Series(np.nan, checks.index)).to_numpy(dtype=float, na_value=0)

    def gives_away(check: str, group: str) -> bool:
        if check.startswith(ATTRITION) and group == "all":
            known = analysed.loc[check.removeprefix(ATTRITION)].to_numpy(dtype=float)
            return bool(is_small(included - known, min_cell).any())
        kind, _, arm = check.partition(":")[0].partition(" ")
        if kind in OF_KEPT and any(g == group and arm in ("", label) for label, g in trimmed):
            return True
        of_hidden = not {group, *group.split("-")}.isdisjoint(hidden_groups)
        return of_hidden and kind not in SILENT and not kind.startswith(BALANCE_AFTER)

    places = list(zip(checks["check"], checks["group"], strict=True))
    hidden = np.array([gives_away(check, group) for check, group in places], dtype=bool)
    hidden |= is_small(least, min_cell)
    # Women are all less men.
    of_one = {c for (c, g), h in zip(places, hidden, strict=True) if h and g in (WOMEN, MEN)}
    hidden |= np.array([g in (WOMEN, MEN) and c in of_one for c, g in places], dtype=bool)
    entries = [
        {
            "table": "design_checks",
            "row": {"check": check, "group": group},
            "columns": ["statistic", "text"],
            "reason": reason(True, min_cell),
        }
        for (check, group), is_hidden in zip(places, hidden, strict=True)
        if is_hidden
    ]
    statistic = checks["statistic"].mask(hidden)
    text = checks["text"].mask(hidden, finding("withheld"))
    out = checks.drop(columns="least", errors="ignore")
    return out.assign(statistic=statistic, text=text), entries
