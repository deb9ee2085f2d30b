"""Effects on those offered and on their neighbours, where the share offered was drawn, too.

Clusters (labour markets) are drawn a share, their saturation, and persons within them an offer
with that probability; in pure control clusters nobody is offered. So there are three kinds of
persons: offered, without an offer beside others who have one, and without one where nobody has.
"""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import numpy as np
import pandas as pd

from evaluate import schemas
from evaluate.effects.table import effects
from evaluate.plan.columns import EXPOSED
from evaluate.plan.model import Plan
from evaluate.study import GAP, Study

POOLED = "all"
WHOLE = 1e-6  # how far a share times its number of persons may be from a whole number
GROUPS = ("all", "women", "men", GAP)
COPIED = (
    "outcome", "month", "role", "estimator", "group", "estimate", "std_error", "conf_low",
    "conf_high", "p_value", "df", "level", "n", "n_treated", "n_control", "n_clusters", "unit",
    "note",
)  # fmt: skip


def spillovers(study: Study, plan: Plan, saturation: np.ndarray | None) -> pd.DataFrame:
    """Estimate direct effects, displacement, and what both come to in a market.

    Each is a comparison of two kinds of persons, by the lead estimator with errors by cluster:

    - ``total``: offered, against pure control clusters;
    - ``displacement``: not offered in clusters where others were, against pure control;
    - ``overall``: all persons of clusters with offers, against pure control. With p the share
      offered it is p times the total effect and 1 - p times displacement: the net effect;
    - ``direct``: offered, against those not offered in clusters of the same saturation.

    Parameters
    ----------
    study : Study
        The persons; arms are pure control, the offer, and `columns.EXPOSED`; clusters are those
        that saturations were drawn for, blocks hold whole clusters.
    plan : Plan
        The programme file.
    saturation : ndarray, shape (n,), optional
        Share drawn for each person's cluster.

    Returns
    -------
    DataFrame
        As `schemas.SPILLOVERS`: for each saturation and, as ``all``, over all of them; there
        persons count alike, and the direct effect is averaged over saturations by their
        persons. Without rows where the plan names no saturation.

    References
    ----------
    Crepon, Duflo, Gurgand, Rathelot and Zamora (2013), Do labor market policies have
    displacement effects?, Quarterly Journal of Economics 128(2); Baird, Bohren, McIntosh and
    Ozler (2018), Optimal design of experiments in the presence of interference, Review of
    Economics and Statistics 100(5); Hudgens and Halloran (2008), Toward causal inference with
    interference, JASA 103(482).
    """
    columns = list(schemas.SPILLOVERS.columns)
    if plan.assignment.saturation is None or saturation is None:
        return pd.DataFrame(columns=columns)
    saturation = np.asarray(saturation, dtype=float)
    lead = plan.estimators[0]
    analysis = plan.analysis.model_copy(update={"estimators": [lead], "interval": "t"})
    plan = plan.model_copy(update={"analysis": analysis, "groups": []})
    pure, offered = study.arm == 0, study.arm == 1
    exposed = study.arm == study.arms.index(EXPOSED)
    drawn = np.unique(saturation[~pure])
    parts = []
    for level in (POOLED, *drawn):
        here = ~pure if level == POOLED else ~pure & (saturation == level)
        kinds = {
            "total": (offered & here, pure),
            "displacement": (exposed & here, pure),
            "overall": (here, pure),
            "direct": (offered & here, exposed & here),
        }
        for effect, (treated, control) in kinds.items():
            if not treated.any() or not control.any():
                continue  # where all are offered, nobody is exposed
            within = saturation if effect == "direct" else None
            two = two_arms(study, treated, control, within)
            rows = effects(two, plan).table
            rows = rows[rows["group"].isin(GROUPS) & (rows["estimand"] == "itt")]
            name = POOLED if level == POOLED else f"{level:g}"
            own = {"arm": study.arms[1], "saturation": name, "effect": effect}
            parts.append(rows[list(COPIED)].assign(**own, least=_least(rows)))
    table = pd.concat(parts, ignore_index=True)[columns]
    order = {name: i for i, name in enumerate(plan.outcomes)}
    place = table["outcome"].map(order)
    return table.iloc[np.lexsort([table["month"].fillna(0), place])].reset_index(drop=True)


def _least(rows: pd.DataFrame) -> pd.Series:
    """Return the fewest, above zero, with or without an outcome of 0 or 1 in either arm.

    From the effects of a share on three comparisons, and the level of pure control, a reader
    knows the shares of all.
    """
    least = pd.Series(np.nan, index=rows.index)
    share = (rows["unit"] == "share") & (rows["group"] != GAP)
    for side in ("treated", "control"):
        n = rows[f"n_{side}"].astype(float)
        ones = n * rows[f"mean_{side}"]
        whole = share & ((ones - ones.round()).abs() < WHOLE)
        for count in (ones.round(), n - ones.round()):
            least = least.where(~(whole & (count > 0)) | (least <= count), count)
    return least.astype("Int64")


def two_arms(
    study: Study, treated: np.ndarray, control: np.ndarray, within: np.ndarray | None = None
) -> Study:
    """Return a study of some persons only, some of whom are compared with the others.

    Parameters
    ----------
    study : Study
        The persons.
    treated, control : ndarray of bool, shape (n,)
        Who is compared with whom; the others are left out.
    within : ndarray, shape (n,), optional
        What both must have alike, beside the blocks.
    """
    rows = treated | control
    found = {f.name: _rows(getattr(study, f.name), rows) for f in fields(study)}
    block, names = found["block"], study.block_names
    if within is not None and len(np.unique(within[rows])) > 1:
        own = np.zeros(rows.sum(), dtype=int) if block is None else block
        _, level = np.unique(within[rows], return_inverse=True)
        pairs, block = np.unique(own * (level.max() + 1) + level, return_inverse=True)
        names = tuple(str(i) for i in range(len(pairs)))
    cluster = found["cluster"]
    found |= {
        "arms": ("0", "1"),
        "arm": treated[rows].astype(int),
        "block": block,
        "block_names": names,
        "cluster": None if cluster is None else np.unique(cluster, return_inverse=True)[1],
        "groups": {g: m for g, m in found["groups"].items() if g in GROUPS},
        "takeup": None,
        "cost": None,
    }
    return replace(study, **found)


def _rows(value: Any, rows: np.ndarray) -> Any:
    """Return some persons' part of what a study holds of all."""
    if isinstance(value, dict):
        return {key: one[rows] for key, one in value.items()}
    if isinstance(value, pd.DataFrame):
        return value[rows].reset_index(drop=True)
    return value[rows] if isinstance(value, np.ndarray) else value
