"""Are the effects of women and men, and of the plan's other groups, the same?"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
from scipy import stats

from evaluate.estimates import Estimates
from evaluate.notes import note
from evaluate.plan.model import Plan


def equality_test(levels: Estimates, one_fit: bool = False) -> tuple[float, int, float, float]:
    """Test that the effects of several groups are equal.

    Parameters
    ----------
    levels : Estimates
        One value per group, L of them; persons may not be shared.
    one_fit : bool
        Whether one regression gave them all, whose degrees of freedom then count.

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
    df_error = difference.df[0] if count == 2 and not one_fit else levels.df.min()
    p_value = stats.f.sf(statistic, count - 1, df_error)
    return float(statistic), count - 1, float(df_error), float(p_value)


def equality_table(effects: pd.DataFrame, scores: np.ndarray, plan: Plan) -> pd.DataFrame:
    """Test equal effects along gender and each exploratory group.

    Parameters
    ----------
    effects : DataFrame
        As `schemas.EFFECTS`.
    scores : ndarray, shape (n, rows)
        Scores of its rows.
    plan : Plan
        The programme file.

    Returns
    -------
    DataFrame
        As `schemas.HETEROGENEITY`, for effects of the offer by the lead estimator;
        ``detectable`` is the difference between two groups that the study would find
        significant with a probability of 80 per cent.
    """
    dimensions = {name: f"{name}=" for name in plan.groups}
    lead = effects[(effects["estimand"] == "itt") & (effects["estimator"] == plan.estimators[0])]
    rows = []
    for (outcome, month, arm), one in lead.groupby(
        ["outcome", "month", "arm"], sort=False, dropna=False
    ):
        for dimension in [*(["gender"] if plan.columns.both_genders else []), *dimensions]:
            if dimension == "gender":
                chosen = one[one["group"].isin(["women", "men"])]
            else:
                chosen = one[one["group"].str.startswith(dimensions[dimension])]
            shared = plan.analysis.slopes == "shared" and plan.estimators[0] == "lin"
            one_fit = shared and dimension == "gender"
            found = _test(chosen, scores, plan.analysis.level, one_fit)
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
    chosen: pd.DataFrame, scores: np.ndarray, level: float, one_fit: bool
) -> dict[str, object]:
    if chosen["estimate"].isna().any() or len(chosen) < 2:
        return {"note": note("no_test")}
    levels = Estimates(
        chosen["estimate"].to_numpy(dtype=float),
        scores[:, chosen.index],
        chosen["df"].to_numpy(dtype=float),
    )
    statistic, df, df_error, p_value = equality_test(levels, one_fit)
    difference = levels.pick([0]) - levels.pick([1])
    detectable = replace(difference, df=np.array([df_error])).detectable(level)[0]
    return {
        "statistic": statistic,
        "df": df,
        "df_error": df_error,
        "p_value": p_value,
        "detectable": detectable if len(chosen) == 2 else None,
        "note": "",
    }
