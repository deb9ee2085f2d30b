"""What the data of a programme say to the next trial: spread, covariates, clusters, take-up."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from evaluate.covariates import imputed, independent
from evaluate.design.power import Clusters, Trial
from evaluate.effects.fit import covariates_for
from evaluate.errors import DesignError, PlanError
from evaluate.plan.load import load_plan, plan_path
from evaluate.plan.model import Plan
from evaluate.plan.outcomes import OutcomeColumn
from evaluate.study import Study, read_study

VARIES = 1e-9  # of the largest value; a spread below is of rounding
MOST_EXPLAINED = 0.99  # shares of variance estimated from few are no better known than that


@dataclass(frozen=True)
class Components:
    """Variance of an outcome between clusters and within them."""

    between: float
    within: float


def past_trial(name: str, outcome: str | None) -> tuple[Trial, OutcomeColumn, str]:
    """Read what a programme that has been run says to the next, from its files in `build/`.

    Returns
    -------
    trial, column, unit : Trial, OutcomeColumn, str
        A trial like it; the outcome that it is for, and its unit.

    Raises
    ------
    EvaluateError
        If the programme has not been run, or the outcome says nothing.
    """
    plan = load_plan(plan_path(name))
    if plan.assignment.saturation is not None:
        raise PlanError(
            f"{name}: shares were drawn for clusters, and `evaluate power` plans draws of persons "
            "or of whole clusters. State the numbers as options."
        )
    participants, outcomes = (
        Path("build") / name / f"{table}.parquet" for table in ("participants", "outcomes")
    )
    for file in (participants, outcomes):
        if not file.is_file():
            raise PlanError(f"{file}: no such file. First `evaluate run {name}`.")
    column = outcome_column(plan, outcome)
    trial = trial_of(read_study(participants, outcomes, plan), plan, column, name)
    return trial, column, plan.outcomes[column.outcome].unit


def outcome_column(plan: Plan, name: str | None) -> OutcomeColumn:
    """Return the outcome column of a name, ``work`` or ``work@12``; else of the first primary one.

    Raises
    ------
    PlanError
        If the plan has no such outcome.
    """
    columns = plan.outcome_columns
    if name is None:
        roles = {c: plan.outcomes[c.outcome].role_in(c.month) for c in columns}
        first = next((c for c in columns if roles[c] == "primary"), columns[0])
        alike = [c for c in columns if c.outcome == first.outcome and roles[c] == roles[first]]
        return alike[-1]
    chosen = [c for c in columns if name in (c.name, c.outcome)]
    if not chosen:
        known = ", ".join(plan.outcomes)
        raise PlanError(f"--outcome {name}: the plan names {known}; a month is `work@12`.")
    month = plan.outcomes[chosen[0].outcome].primary_month
    return next((c for c in chosen if c.month == month), chosen[-1])


def trial_of(study: Study, plan: Plan, column: OutcomeColumn, name: str = "the programme") -> Trial:
    """Describe a trial like the one that a study was, for one of its outcomes.

    Parameters
    ----------
    study : Study
        The persons.
    plan : Plan
        The programme file.
    column : OutcomeColumn
        The outcome.
    name : str
        The programme, for the messages.

    Returns
    -------
    Trial
        Its spread within arms; what covariates and blocks explain, adjusted for their number;
        with clusters, the intra-cluster correlation (analysis of variance) and that among
        persons of one gender, beyond it; shares offered, of women, taking part and missing.
        Weights enter by their design effect and the weights of clusters; spread and shares are
        of persons.

    Raises
    ------
    DesignError
        If the outcome does not vary within arms, or nobody has it in an arm.

    References
    ----------
    Bloom, Richburg-Hayes and Black (2007), Using covariates to improve precision for studies
    that randomize schools, Educational Evaluation and Policy Analysis 29(1); Donner (1986),
    A review of inference procedures for the intraclass correlation coefficient, International
    Statistical Review 54(1).
    """
    y = study.y[:, [c.name for c in plan.outcome_columns].index(column.name)]
    known = ~np.isnan(y)
    offered = study.arm > 0
    if not (known & offered).any() or not (known & ~offered).any():
        raise DesignError(f"outcome {column.name}: not known in both arms of {name}.")
    y = y[known]
    arms = np.equal.outer(study.arm[known], np.unique(study.arm[known])).astype(float)
    covariates = covariates_for(study, column.outcome, plan.outcomes[column.outcome].without)
    x = imputed(covariates.values[known])
    blocks = np.empty((len(y), 0))
    if study.block is not None:
        blocks = np.equal.outer(study.block[known], np.unique(study.block[known])[1:])
    added = np.hstack([blocks.astype(float), x])
    added = added[:, independent(added)]
    raw, left = _residual(y, arms), _residual(y, np.hstack([arms, added]))
    if np.abs(raw).max() <= VARIES * np.abs(y).max():
        raise DesignError(
            f"outcome {column.name} does not vary within the arms of {name}; give --baseline or "
            f"--sd, and the other numbers, without {name}."
        )
    df_raw, df_left = len(y) - arms.shape[1], len(y) - arms.shape[1] - added.shape[1]
    variance = raw @ raw / df_raw
    explained = _share(1 - (left @ left / max(df_left, 1)) / variance)
    count = 1 + blocks.shape[1]
    control_mean = float(y[~offered[known]].mean())
    trial = Trial(
        persons=float(study.n),
        offered=float(offered.mean()),
        women=_women(study),
        sd=float(np.sqrt(variance)),
        baseline=control_mean if np.isin(y, (0, 1)).all() and 0 < control_mean < 1 else None,
        r2=explained,
        covariates=max(added.shape[1] - (count - 1), 0),
        blocks=count,
        takeup=_takeup(study, offered),
        attrition=float(1 - known.mean()),
        weighting=design_effect(study.weight, offered),
        level=plan.analysis.level,
    )
    if study.drawn is None:
        return trial
    clusters, within = _clusters(study, known, raw, left)
    return replace(trial, clusters=clusters, r2=within)


def design_effect(weight: np.ndarray | None, offered: np.ndarray) -> float:
    """Return how many times weights make the variance of a difference of means.

    Parameters
    ----------
    weight : ndarray, shape (n,), or None
        Weights above zero.
    offered : ndarray of bool, shape (n,)
        Who was offered; each arm has a design effect of its own, n Σw² / (Σw)².

    References
    ----------
    Kish (1965), Survey Sampling, Wiley, section 11.7.
    """
    if weight is None:
        return 1.0
    sides = [weight[offered] / weight[offered].max(), weight[~offered] / weight[~offered].max()]
    with_weights = sum(float((w**2).sum() / w.sum() ** 2) for w in sides)
    return max(with_weights / sum(1 / len(w) for w in sides), 1.0)


def components(residual: np.ndarray, cluster: np.ndarray, fitted: int = 1) -> Components:
    """Split a variance into that between clusters and that within, by analysis of variance.

    Parameters
    ----------
    residual : ndarray, shape (n,)
        Outcome less what was fitted.
    cluster : ndarray of int, shape (n,)
        Cluster of each person.
    fitted : int
        Parameters that cost degrees of freedom between clusters, such as the arms.
    """
    _, cluster = np.unique(cluster, return_inverse=True)
    size = np.bincount(cluster)
    between = (np.bincount(cluster, residual) ** 2 / size).sum()
    count, n = len(size), len(residual)
    if n <= count or count <= fitted:
        raise DesignError(f"{count} clusters of {n} persons do not show what they share.")
    own = (residual @ residual - between) / (n - count)
    typical = (n - (size**2).sum() / n) / (count - 1)
    return Components(max((between / (count - fitted) - own) / typical, 0.0), own)


def _clusters(
    study: Study, known: np.ndarray, raw: np.ndarray, left: np.ndarray
) -> tuple[Clusters, float]:
    """Return the clusters, and the share of the variance within them that is explained."""
    assert study.drawn is not None
    cluster = study.drawn[known]
    arms = len(np.unique(study.arm[known]))
    before, after = components(raw, cluster, arms), components(left, cluster, arms)
    total = before.between + before.within
    size, mass = np.bincount(study.drawn), np.bincount(study.drawn, study.weight)
    by_gender, women = _icc_gender(study, known, raw) / total, _women(study)
    # of all pairs of a cluster, the part that is of one gender shares more
    alike = 0.0 if women is None else by_gender * (women**2 + (1 - women) ** 2)
    found = Clusters(
        icc=float(np.clip(before.between / total - alike, 0.0, MOST_EXPLAINED)),
        size=float(size.mean()),
        size_cv=float(mass.std() / mass.mean()),
        r2=_share(1 - after.between / before.between) if before.between > 0 else 0.0,
        icc_gender=by_gender,
    )
    return found, _share(1 - after.within / before.within)


def _icc_gender(study: Study, known: np.ndarray, residual: np.ndarray) -> float:
    """Return the covariance of persons of a gender and cluster, less that across genders."""
    if not {"women", "men"} <= study.groups.keys():
        return 0.0
    assert study.drawn is not None
    cluster, count = study.drawn[known], int(study.drawn.max()) + 1
    sums, sizes, alike, pairs = {}, {}, 0.0, 0.0
    for gender in ("women", "men"):
        rows = study.groups[gender][known]
        own = residual[rows] - residual[rows].mean() if rows.any() else residual[rows]
        sums[gender] = np.bincount(cluster[rows], own, minlength=count)
        sizes[gender] = np.bincount(cluster[rows], minlength=count)
        alike += sums[gender] @ sums[gender] - own @ own
        pairs += float((sizes[gender] * (sizes[gender] - 1)).sum())
    across = sizes["women"] @ sizes["men"]
    if not (pairs and across):
        return 0.0
    return max(float(alike / pairs - sums["women"] @ sums["men"] / across), 0.0)


def _residual(y: np.ndarray, x: np.ndarray) -> np.ndarray:
    return y - x @ np.linalg.lstsq(x, y, rcond=None)[0]


def _share(value: float) -> float:
    return float(np.clip(value, 0.0, MOST_EXPLAINED))


def _women(study: Study) -> float | None:
    if not {"women", "men"} <= study.groups.keys():
        return None
    women, men = study.groups["women"].sum(), study.groups["men"].sum()
    return float(women / (women + men))


def _takeup(study: Study, offered: np.ndarray) -> float:
    """Return the share who take part among those offered, less that among control."""
    if study.takeup is None:
        return 1.0
    found = float(np.nanmean(study.takeup[offered]) - np.nanmean(study.takeup[~offered]))
    return found if found > 0 else 1.0
