"""Are the effects of women and men, and of the plan's other groups, the same?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pandas as pd
from scipy import stats

from evaluate.design.default_estimators import as_estimated
from evaluate.estimates import Estimates
from evaluate.notes import note
from evaluate.plan.model import Plan
from evaluate.study import GAP


def equality_test(levels: Estimates, df: float | None = None) -> tuple[float, int, float, float]:
    """Test that the effects of several groups are equal.

    Parameters
    ----------
    levels : Estimates
        One value per group, L of them.
    df : float, optional
        Degrees of freedom of the difference of two groups, where they are known otherwise.

    Returns
    -------
    statistic, df, df_error, p_value
        F statistic with ``L - 1`` and, for two groups, Satterthwaite's degrees of freedom;
        for more, those of the smallest group, which errs on the side of no difference.
    """
    count = len(levels.value)
    difference = levels.pick(slice(1, None)) - levels.pick([0] * (count - 1))
    covariance = difference.covariance
    statistic = difference.value @ np.linalg.pinv(covariance) @ difference.value / (count - 1)
    df_error = df or (difference.df[0] if count == 2 else levels.df.min())
    p_value = stats.f.sf(statistic, count - 1, df_error)
    return float(statistic), count - 1, float(df_error), float(p_value)


def equality_table(effects: pd.DataFrame, covariances: pd.DataFrame, plan: Plan) -> pd.DataFrame:
    """Test equal effects along gender and each exploratory group.

    Parameters
    ----------
    effects : DataFrame
        As `schemas.EFFECTS`.
    covariances : DataFrame
        As `schemas.COVARIANCES`: of its rows, where they are not zero.
    plan : Plan
        The programme file.

    Returns
    -------
    DataFrame
        As `schemas.HETEROGENEITY`, for effects of the offer by the lead estimator;
        ``detectable`` is the difference between two groups that the study would find
        significant with a probability of 80 per cent.
    """
    plan = as_estimated(plan, effects)
    dimensions = {name: f"{name}=" for name in plan.groups}
    pairs = {(i, j): v for i, j, v in covariances.itertuples(index=False)}
    leads = effects["estimator"] == plan.estimators[0]
    lead = effects[(effects["estimand"] == plan.lead_estimand) & leads]
    rows = []
    for (outcome, month, arm), one in lead.groupby(
        ["outcome", "month", "arm"], sort=False, dropna=False
    ):
        for dimension in [*(["gender"] if plan.columns.both_genders else []), *dimensions]:
            if dimension == "gender":
                chosen = one[one["group"].isin(["women", "men"])]
            else:
                chosen = one[one["group"].str.startswith(dimensions[dimension])]
            gap = one[one["group"] == GAP] if dimension == "gender" else one[:0]
            found = _test(chosen, pairs, gap, plan.analysis.level)
            rows.append(
                {
                    "outcome": outcome,
                    "month": month,
                    "arm": arm,
                    "estimator": plan.estimators[0],
                    "dimension": dimension,
                    "levels": ", ".join(g.partition("=")[2] or g for g in chosen["group"]),
                    **found,
                    "unit": one["unit"].iloc[0],
                    "prespecified": dimension == "gender",
                }
            )
    columns = [
        "outcome", "month", "arm", "estimator", "dimension", "levels", "statistic", "df",
        "df_error", "p_value", "detectable", "unit", "prespecified", "note",
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=columns)


def _test(
    chosen: pd.DataFrame,
    pairs: Mapping[tuple[int, int], float],
    gap: pd.DataFrame,
    level: float,
) -> dict[str, object]:
    told = np.isfinite(chosen[["estimate", "std_error"]].to_numpy(dtype=float)).all()
    if not told or len(chosen) < 2:
        return {"note": note("no_test")}
    levels = _levels(chosen, pairs)
    df = float(gap["df"].iloc[0]) if len(gap) else None
    statistic, count, df_error, p_value = equality_test(levels, df)
    difference = levels.pick([0]) - levels.pick([1])
    detectable = replace(difference, df=np.array([df_error])).detectable(level)[0]
    return {
        "statistic": statistic,
        "df": count,
        "df_error": df_error,
        "p_value": p_value,
        "detectable": detectable if len(chosen) == 2 else None,
        "note": "",
    }


def _levels(chosen: pd.DataFrame, pairs: Mapping[tuple[int, int], float]) -> Estimates:
    """Return estimates with the covariance of the rows, in as few scores as there are rows."""
    variance = np.diag(chosen["std_error"].to_numpy(dtype=float) ** 2)
    for i, row in enumerate(chosen.index):
        for j, other in enumerate(chosen.index):
            variance[i, j] += pairs.get((row, other), 0.0) + pairs.get((other, row), 0.0)
    value, vector = np.linalg.eigh(variance)
    scores = np.sqrt(np.maximum(value, 0))[:, None] * vector.T
    return Estimates(
        chosen["estimate"].to_numpy(dtype=float), scores, chosen["df"].to_numpy(dtype=float)
    )
