"""Counts to a multiple of `disclosure.round_to`, and with them what is a share or multiple."""

from __future__ import annotations

import numpy as np
import pandas as pd

from evaluate.release.gate_cells import rounded
from evaluate.release.gate_effects import COUNTS

OF_GROUPS = ("n_women", "n_men", "n_top", "n_bottom", "n_participants")
OF_OVERLAP = ("outside", "kept", "trimmed", "clipped")
JOBS = {"jobs": "effect", "jobs_low": "conf_low", "jobs_high": "conf_high"}  # times who is offered


def round_counts(name: str, table: pd.DataFrame, round_to: int) -> pd.DataFrame:
    """Round the counts of a table, and make of rounded counts what is made of them.

    The share treated is that of the counts as they are printed; jobs are the effect times the
    printed number of those offered. Means and shares of persons stay exact, so that who looks
    for the fraction behind one finds the number of persons: rounding withholds nothing.

    Parameters
    ----------
    name : str
        Of the table; the counts of flow and cleaning are rounded already.
    table : DataFrame
        After the gate.
    round_to : int
        The limit of the release.
    """
    if name in ("flow", "cleaning", "propensity_histogram") or round_to <= 1:
        return table
    counts = (*COUNTS, *OF_GROUPS, *(OF_OVERLAP if name == "overlap" else ()))
    out = table.assign(**{c: rounded(table[c], round_to) for c in counts if c in table})
    if name == "power":
        n = out["n"].astype(float)
        out["share_treated"] = out["n_treated"].astype(float) / n.where(n > 0)
    if name == "net_effects":
        effects = out[list(JOBS.values())].astype(float)
        ratios = out[list(JOBS)].astype(float) / effects.where(effects != 0).to_numpy()
        offered = rounded(ratios.max(axis=1).round(), round_to)
        times = effects.mul(offered, axis=0).set_axis(list(JOBS), axis=1)
        out[list(JOBS)] = out[list(JOBS)].where(np.isnan(times), times)
    return out
