"""Net jobs, if some of those gained were others' loss: a sensitivity analysis, no estimate."""

from __future__ import annotations

import pandas as pd

from evaluate import schemas
from evaluate.design.default_estimators import as_estimated
from evaluate.notes import note
from evaluate.plan.model import Plan

GROUPS = ("all", "women", "men")


def net_effects(effects: pd.DataFrame, plan: Plan) -> pd.DataFrame:
    """Take a stated share of the effect on each primary share outcome to be displaced.

    With d the displacement share, of each extra job among those offered d jobs are taken to be
    lost by persons outside the study. Net effect: (1 - d) times the effect; net jobs: that
    times the persons offered. The data of such a trial say nothing of d; its interval is that
    of the effect, given d. No d below 1 changes the sign, or whether it differs from zero.

    Parameters
    ----------
    effects : DataFrame
        As `schemas.EFFECTS`.
    plan : Plan
        The programme file; `analysis.displacement` names the shares.

    Returns
    -------
    DataFrame
        As `schemas.NET_EFFECTS`, of the effects of the offer against control by the lead
        estimator, months after time zero. Without rows where displacement was estimated
        (`assignment.saturation`).

    References
    ----------
    Calmfors (1994), Active labour market policy and unemployment, OECD Economic Studies 22,
    on displacement and substitution.
    """
    columns = list(schemas.NET_EFFECTS.columns)
    if plan.assignment.saturation is not None:
        return pd.DataFrame(columns=columns)
    plan = as_estimated(plan, effects)
    arms = set(plan.columns.treatment.all_arms(effects["arm"].astype(str)))
    month = effects["month"].astype("Int64")
    chosen = effects[
        (effects["estimand"] == plan.lead_estimand)
        & (effects["estimator"] == plan.estimators[0])
        & (effects["role"] == "primary")
        & (effects["unit"] == "share")
        & effects["group"].isin(GROUPS)
        & effects["arm"].isin(arms)
        & (month.isna() | (month > 0))
    ]
    parts = []
    for share in plan.analysis.displacement:
        part = chosen[["outcome", "month", "arm", "group", "unit", "note"]].copy()
        part["displacement"] = float(share)
        offered = chosen["n_treated"].astype(float)
        for name, jobs, source in (
            ("effect", "jobs", "estimate"),
            ("conf_low", "jobs_low", "conf_low"),
            ("conf_high", "jobs_high", "conf_high"),
        ):
            part[name] = (1 - share) * chosen[source].astype(float)
            part[jobs] = offered * part[name]
        reasons = part["note"].where(part["effect"].isna(), note("assumed"))  # why there is none
        part["note"] = reasons
        parts.append(part)
    table = pd.concat(parts).sort_index(kind="stable")
    return table[columns].reset_index(drop=True)
