"""P-values adjusted over the primary outcomes, where nobody drew who was treated."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from evaluate.effects.multiplicity import benjamini_hochberg, holm, romano_wolf
from evaluate.estimates import Estimates
from evaluate.plan.model import Plan
from evaluate.study import Study

Key = tuple[str, str, str, int]  # estimator, arm, group, outcome column


def adjusted_by_scores(
    table: pd.DataFrame,
    study: Study,
    plan: Plan,
    rng: np.random.Generator | None,
    primary: Mapping[Key, Estimates],
) -> pd.DataFrame:
    """Fill in the p-values adjusted over a family; none are by randomisation.

    Parameters
    ----------
    table : DataFrame
        Rows of effects with ``column``, the position of their outcome column.
    study, plan : Study, Plan
        The persons and the programme file.
    rng : Generator or None
        Source of the multipliers; without it none are adjusted.
    primary : mapping of (estimator, arm, group, column) to Estimates
        Each primary outcome's effect with its scores.

    Returns
    -------
    DataFrame
        The table. A family is the primary outcomes of one estimator and group, in all arms
        against control. Where the plan says neither Holm, Benjamini and Hochberg nor none, the
        steps of Westfall and Young go by random multipliers of the scores (`romano_wolf`),
        as no assignment can be drawn anew.
    """
    adjusted, how = np.full(len(table), np.nan), plan.analysis.multiplicity
    against = [study.label(c) for c in study.contrasts if c[1] == 0]
    p_value, estimate = (table[c].to_numpy(dtype=float) for c in ("p_value", "estimate"))
    keys = zip(table["estimator"], table["arm"], table["group"], table["column"], strict=True)
    families: dict[tuple[str, str], list[tuple[Key, int]]] = {}
    for i, key in enumerate(keys):
        if key in primary and key[1] in against and "=" not in key[2] and np.isfinite(estimate[i]):
            families.setdefault((key[0], key[2]), []).append((key, i))
    for family in families.values() if rng is not None and how != "none" else ():
        at = [i for _, i in family]
        if how == "holm":
            adjusted[at] = holm(p_value[at])
        elif how == "benjamini_hochberg":
            adjusted[at] = benjamini_hochberg(p_value[at])
        else:
            assert rng is not None
            parts = [primary[key] for key, _ in family]
            whole = Estimates(
                np.concatenate([e.value for e in parts]),
                np.hstack([e.scores for e in parts]),
                np.concatenate([e.df for e in parts]),
            )
            adjusted[at] = romano_wolf(whole, plan.analysis.permutations, rng)
    adjusted[np.isnan(p_value)] = np.nan
    return table.assign(p_value_randomisation=np.nan, p_value_adjusted=adjusted)
