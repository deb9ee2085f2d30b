"""The table of bounds: what missing outcomes can mean, and whom each row speaks of."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from evaluate.effects.batches import Batch
from evaluate.effects.bounds_by_group import METHODS, Bounded, bounds, some_columns
from evaluate.effects.fit import Fit
from evaluate.effects.groups import Estimand
from evaluate.effects.imbens_manski import imbens_manski
from evaluate.notes import joined
from evaluate.plan.model import Plan
from evaluate.study import GAP, Study

POPULATION = dict(zip(METHODS, ("always observed", "always observed", "all", "all"), strict=True))
NUMBERS = ("lower", "upper", "lower_se", "upper_se", "conf_low", "conf_high")
COLUMNS = (
    "outcome", "month", "arm", "role", "group", "method", *NUMBERS, "level", "response_treated",
    "response_control", "response_difference", "response_p_value", "trimmed_share", "population",
    "n", "n_treated", "n_control", "missing_treated", "missing_control", "unit", "note",
)  # fmt: skip


def bounds_table(study: Study, plan: Plan) -> pd.DataFrame:
    """Return the table of bounds.

    Parameters
    ----------
    study : Study
        The persons.
    plan : Plan
        The programme file.

    Returns
    -------
    DataFrame
        As `schemas.BOUNDS`: one row per outcome column with missing values, arm, method and
        group. No rows where nobody lacks an outcome. Intervals are those of Imbens and Manski;
        by ``ipw``, where both ends are one estimate, the ordinary ones.
    """
    parts = [_rows(study, plan, batch, one) for batch, one in bounds(study, plan)]
    if not parts:
        return pd.DataFrame({name: [] for name in COLUMNS})
    table = pd.concat(parts, ignore_index=True)
    groups = [g for g in study.groups if "=" not in g]
    orders = {
        "group": {g: i for i, g in enumerate([*groups, GAP])},
        "method": {m: i for i, m in enumerate(METHODS)},
        "arm": {study.label(c): i for i, c in enumerate(study.contrasts)},
    }
    keys = [table[name].map(order).to_numpy() for name, order in orders.items()]
    order = np.lexsort([*keys, table["column"].to_numpy()])
    return table.iloc[order][list(COLUMNS)].reset_index(drop=True)


def bound_estimands(study: Study, plan: Plan) -> Iterator[tuple[Batch, Estimand]]:
    """Yield Lee's and Manski's bounds for the table of effects, end by end.

    Yields
    ------
    batch : Batch
        Outcome columns of which the same is to be said.
    found : Estimand
        Their ``estimator`` is ``lee_lower``, ``lee_upper``, ``manski_lower`` or
        ``manski_upper``, their persons are those who have the outcomes. Where there are no
        bounds, the note says why.
    """
    for batch, one in bounds(study, plan, ("lee", "manski")):
        rows = one.rows & batch.observed
        alike: dict[tuple[bool, tuple[str, ...]], list[int]] = {}
        for i, notes in enumerate(one.notes):
            told = one.ends is not None and bool(np.isfinite(one.ends.lower.value[i]))
            alike.setdefault((told, tuple(dict.fromkeys(notes))), []).append(i)
        for (told, notes), columns in alike.items():
            part = some_columns(batch, np.array(columns))
            for name in ("lower", "upper"):
                end = getattr(one.ends, name).pick(columns) if told else None
                found = (f"{one.method}_{name}", one.group, one.contrast)
                yield part, Estimand(plan.lead_estimand, *found, Fit(end, rows, notes))


def _rows(study: Study, plan: Plan, batch: Batch, one: Bounded) -> pd.DataFrame:
    """Return one row per outcome column of a batch."""
    columns = [plan.outcome_columns[i] for i in batch.columns]
    outcomes = [plan.outcomes[c.outcome] for c in columns]
    sides = [one.rows & (study.arm == a) for a in one.contrast]
    missing = [int((side & ~batch.observed).sum()) for side in sides]
    numbers = np.full((len(NUMBERS), len(columns)), np.nan)
    if one.ends is not None:
        low, high = one.ends.lower, one.ends.upper
        ends = imbens_manski(low, high, plan.analysis.level)
        numbers = np.stack([low.value, high.value, low.std_error, high.std_error, *ends])
        numbers[:, np.isnan(low.value)] = np.nan
    response = one.response
    return pd.DataFrame(
        {
            "outcome": [c.outcome for c in columns],
            "month": pd.array([c.month for c in columns], dtype="Int64"),
            "arm": study.label(one.contrast),
            "role": [o.role_in(c.month) for c, o in zip(columns, outcomes, strict=True)],
            "group": one.group,
            "method": one.method,
            **dict(zip(NUMBERS, numbers, strict=True)),
            "level": plan.analysis.level,
            "response_treated": one.shares[0],
            "response_control": one.shares[1],
            "response_difference": np.nan if response is None else response.value[0],
            "response_p_value": np.nan if response is None else response.p_value[0],
            "trimmed_share": one.trimmed,
            "population": POPULATION[one.method],
            "n": int(one.rows.sum()),
            "n_treated": int(sides[0].sum()),
            "n_control": int(sides[1].sum()),
            "missing_treated": pd.NA if one.group == GAP else missing[0],
            "missing_control": pd.NA if one.group == GAP else missing[1],
            "unit": [o.unit for o in outcomes],
            "note": [joined(list(notes)) for notes in one.notes],
            "column": batch.columns,
        }
    )
