"""Rows of the table of effects, made column by column: many outcomes at a time."""

from __future__ import annotations

import numpy as np
from scipy import stats

from evaluate.effects.batches import Batch
from evaluate.effects.groups import Estimand
from evaluate.effects.linear import Linear
from evaluate.effects.wild import wild_bootstrap
from evaluate.notes import joined, note
from evaluate.plan.model import Plan
from evaluate.study import FEW_IN_AN_ARM, GAP, Study

ALPHA = 0.05  # below this, unequal shares of women and men are named in the rows of all
NUMBERS = (
    "estimate", "std_error", "conf_low", "conf_high", "p_value", "p_value_randomisation",
    "p_value_adjusted", "df",
)  # fmt: skip
Row = dict[str, np.ndarray]  # columns of some rows


def rows_of(
    study: Study,
    plan: Plan,
    batch: Batch,
    one: Estimand,
    reasons: list[str],
    rng: np.random.Generator | None,
) -> Row:
    """Return one row per outcome column of a batch.

    Parameters
    ----------
    study : Study
        The persons.
    plan : Plan
        The programme file.
    batch : Batch
        The outcome columns.
    one : Estimand
        Their effects in one group and contrast.
    reasons : list of str
        For each column why there is no estimate, empty where there is one.
    rng : Generator or None
        Source of the draws of a bootstrap.

    Returns
    -------
    dict of str to ndarray, shape (k,)
        The columns of `schemas.EFFECTS`, and ``column``: the position among outcome columns.
    """
    fit, level, k = one.fit, plan.analysis.level, len(batch.columns)
    treated, control = (fit.rows & (study.arm == a) for a in one.contrast)
    means = _means(study, batch.y, treated, control, one.group)
    exploratory = one.group != GAP and "=" in one.group
    said = [*fit.notes]
    if one.group == "all" and not plan.is_observational:
        said += _mixed(study, one)
    if plan.is_observational and one.estimator == "difference_in_means":
        said.append(note("raw"))
    lead = plan.estimators[0] if one.estimand == "late" else one.estimator
    kind = plan.std_error_of(lead) if lead in plan.estimators else "influence"
    numbers = np.full((len(NUMBERS), k), np.nan)
    if found := fit.effects:
        numbers[:5] = (found.value, found.std_error, *found.interval(level), found.p_value)
        numbers[7] = found.df
        if lead not in plan.estimators:  # that a bound is zero is nobody's hypothesis
            numbers[4] = np.nan
        if rng is not None and isinstance(found.origin, Linear):
            wild = wild_bootstrap(found.origin, level, plan.analysis.permutations, rng)
            numbers[2:5] = wild.low, wild.high, wild.p_value
            said.append(note("wild", draws=f"{wild.draws:,}"))
            said += _few_patterns(study, treated, control)
        numbers[:, [bool(reason) for reason in reasons]] = np.nan
    every = plan.outcome_columns
    columns = [every[i] for i in batch.columns]
    outcomes = [plan.outcomes[c.outcome] for c in columns]
    clusters = np.nan if study.cluster is None else len(np.unique(study.cluster[fit.rows]))

    def texts(values: list[str]) -> np.ndarray:
        return np.array(values, dtype=object)

    def alike(value: object) -> np.ndarray:
        return np.full(k, value, dtype=object if isinstance(value, str) else None)

    roles = [o.role_in(c.month) for c, o in zip(columns, outcomes, strict=True)]
    return {
        "outcome": texts([c.outcome for c in columns]),
        "month": np.array([np.nan if c.month is None else c.month for c in columns], dtype=float),
        "arm": alike(study.label(one.contrast)),
        "role": alike("exploratory") if exploratory else texts(list(roles)),
        "estimand": alike(one.estimand),
        "estimator": alike(one.estimator),
        "group": alike(one.group),
        **dict(zip(NUMBERS, numbers, strict=True)),
        "level": alike(level),
        "std_error_kind": alike(kind),
        "n": alike(int(fit.rows.sum())),
        "n_treated": alike(int(treated.sum())),
        "n_control": alike(int(control.sum())),
        "n_clusters": alike(float(clusters)),
        "mean_treated": means[0],
        "mean_control": means[1],
        "unit": texts([o.unit for o in outcomes]),
        "prespecified": alike(not exploratory),
        "note": texts(
            [
                reason or joined([*said, *each.split("; ")] if each else said)
                for reason, each in zip(reasons, fit.each or [""] * k, strict=True)
            ]
        ),
        "column": np.asarray(batch.columns),
    }


def _means(
    study: Study, y: np.ndarray, treated: np.ndarray, control: np.ndarray, group: str
) -> list[np.ndarray]:
    """Return the weighted mean outcomes by arm; for the gap, women's less men's."""
    w = np.ones(study.n) if study.weight is None else study.weight
    genders = [study.groups["women"], study.groups["men"]] if group == GAP else [None]
    sides = [s if g is None else s & g for s in (treated, control) for g in genders]
    mass = np.stack(sides) * w
    total = mass.sum(axis=1, keepdims=True)
    with np.errstate(invalid="ignore"):
        means = (mass @ y) / np.where(total > 0, total, np.nan)
    if group == GAP:
        return [means[0] - means[1], means[2] - means[3]]
    return [means[0], means[1]]


def _few_patterns(study: Study, *sides: np.ndarray) -> list[str]:
    """Return a note where an arm has so few clusters that a bootstrap of them says little."""
    if study.cluster is None:
        return []
    fewest = min(len(np.unique(study.cluster[side])) for side in sides)
    return [note("few_patterns", n=fewest)] if fewest <= FEW_IN_AN_ARM else []


def _mixed(study: Study, one: Estimand) -> list[str]:
    """Return a note where women and men were offered clearly unequal shares."""
    if not {"women", "men"} <= study.groups.keys():
        return []
    counts = [
        [int((one.fit.rows & study.groups[g] & (study.arm == a)).sum()) for a in one.contrast]
        for g in ("women", "men")
    ]
    if not (np.sum(counts, axis=0).all() and np.sum(counts, axis=1).all()):
        return []
    p = float(stats.chi2_contingency(counts, correction=False).pvalue)
    if p >= ALPHA:
        return []
    return [note("shares", p=f"= {p:.3f}" if p >= 0.001 else "< 0.001")]
