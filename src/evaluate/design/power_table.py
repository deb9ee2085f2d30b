"""Power after a trial: the smallest effect that its precision would have found."""

from __future__ import annotations

import pandas as pd
from scipy import stats

from evaluate.study import GAP

POWER = 0.8
GROUPS = ("all", "women", "men", GAP)
COLUMNS = (
    "outcome", "month", "arm", "estimator", "group", "estimate", "std_error", "p_value", "df",
    "level", "power", "detectable", "relative", "ratio_to_all", "n", "n_treated", "n_control",
    "share_treated", "unit", "note",
)  # fmt: skip


def power_table(effects: pd.DataFrame, lead: str) -> pd.DataFrame:
    """Say of each effect of the offer what the trial would have found.

    The smallest true effect that is found significant with a probability of 80 per cent, from
    the standard error alone. It does not depend on the estimate, as "observed power" does,
    which repeats the p-value in other words (Hoenig and Heisey 2001).

    Parameters
    ----------
    effects : DataFrame
        As `schemas.EFFECTS`.
    lead : str
        The estimator that leads.

    Returns
    -------
    DataFrame
        As `schemas.POWER`: ``detectable`` in the unit of the outcome; ``relative`` to the
        control mean of the group, of the gap to that of all; ``ratio_to_all``: how many times
        that of all; ``share_treated``: of the persons used.

    References
    ----------
    Bloom (1995), Minimum detectable effects, Evaluation Review 19(5); Hoenig and Heisey
    (2001), The abuse of power, The American Statistician 55(1).
    """
    chosen = effects[
        (effects["estimand"] != "late")
        & (effects["estimator"] == lead)
        & effects["group"].isin(GROUPS)
    ]
    table = chosen.assign(month=chosen["month"].astype("Int64")).reset_index(drop=True)
    df, level = table["df"].astype(float), table["level"].astype(float)
    multiple = stats.t.ppf((1 + level) / 2, df) + stats.t.ppf(POWER, df)
    table["detectable"] = multiple * table["std_error"].astype(float)
    table["power"] = POWER
    of_all = table[table["group"] == "all"].set_index(["outcome", "month", "arm"])
    of_all = of_all[["detectable", "mean_control"]].astype(float)
    place = pd.MultiIndex.from_frame(table[["outcome", "month", "arm"]])
    beside = of_all.reindex(place).reset_index(drop=True)
    own = table["mean_control"].astype(float)
    mean = own.where(table["group"] != GAP, beside["mean_control"])
    table["relative"] = table["detectable"] / mean.where(mean > 0)
    table["ratio_to_all"] = table["detectable"] / beside["detectable"]
    treated, n = table["n_treated"].astype(float), table["n"].astype(float)
    table["share_treated"] = treated / n.where(n > 0)
    table["note"] = table["note"].where(table["std_error"].isna(), "")  # why there is none
    return table[list(COLUMNS)]
