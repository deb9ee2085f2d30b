"""Who is in the sorted groups: means of covariates among the highest and the lowest predicted."""

from __future__ import annotations

import numpy as np
from scipy import sparse

from evaluate.effects.multiplicity import holm
from evaluate.heterogeneity.aggregation import FEWEST, judged, judged_units, median_over_splits
from evaluate.heterogeneity.honest import Honest
from evaluate.heterogeneity.signals import Signals
from evaluate.heterogeneity.sorted_groups import sorted_label
from evaluate.notes import note
from evaluate.plan.model import Plan


def profile_rows(plan: Plan, case: Signals, honest: Honest) -> list[dict[str, object]]:
    """Compare the covariates of the highest and the lowest sorted group.

    Parameters
    ----------
    plan : Plan
        Gives the number of groups and the level.
    case : Signals
        The persons; means are of those the effect is about.
    honest : Honest
        Their predicted effects.

    Returns
    -------
    list of dict
        Rows of `schemas.SORTED_PROFILE`, one for each column of covariates; p-values adjusted by
        Holm over the columns. Medians over the splits; ``least`` is the fewest persons in a
        group of any split, of a column of 0 and 1 the fewest with either value.

    References
    ----------
    Chernozhukov, Demirer, Duflo and Fernández-Val (2025), Fisher-Schultz lecture: Generic machine
    learning inference, Econometrica 93(4), on classification analysis.
    """
    groups, level = plan.analysis.heterogeneity.groups, plan.analysis.level
    splits = len(honest.fold)
    context = {"learner": honest.learner, "splits": splits, "level": level}
    if (units := judged_units(case, honest)) < FEWEST:
        lost = note("sorted_persons", n=units, least=FEWEST)
        return [context | {"covariate": name, "note": lost} for name in case.names]
    ends: list[tuple[list[np.ndarray], list[np.ndarray]]] = [([], []) for _ in range(splits)]
    for fold in judged(honest):
        label = sorted_label(case, fold, groups)
        about = (case.weight * case.share)[fold.rows] > 0
        for kept, place in zip(ends[fold.split], (0, groups - 1), strict=True):
            kept.append(fold.rows[(label == place) & about])
    two = ((case.x == 0) | (case.x == 1)).all(axis=0)
    means = np.empty((splits, 2, len(case.names)))
    variance = np.empty((splits, len(case.names)))
    persons = np.empty((splits, 2), dtype=int)
    fewest = np.full(len(case.names), case.m)
    freedom = np.inf
    for s, pair in enumerate(ends):
        rows = [np.concatenate(part) for part in pair]
        means[s], variance[s], units = _compared(case, rows)
        persons[s] = [len(r) for r in rows]
        freedom = min(freedom, units - 1)
        for r in rows:
            ones = case.x[r].sum(axis=0)
            fewest = np.minimum(fewest, np.where(two, np.minimum(ones, len(r) - ones), len(r)))
    difference = means[:, 0] - means[:, 1]
    df = np.full(len(case.names), max(freedom, 1.0))
    found = median_over_splits(difference, variance, df, level, same_target=False)
    top, bottom = np.median(means, axis=0)
    adjusted = holm(found.p_value)
    n_top, n_bottom = np.median(persons, axis=0).astype(int)
    return [
        context
        | {
            "covariate": name,
            "mean_top": top[j],
            "mean_bottom": bottom[j],
            "difference": found.estimate[j],
            "std_error": found.std_error[j],
            "conf_low": found.conf_low[j],
            "conf_high": found.conf_high[j],
            "p_value": found.p_value[j],
            "p_value_adjusted": adjusted[j],
            "n_top": int(n_top),
            "n_bottom": int(n_bottom),
            "note": "",
            "least": int(fewest[j]),
        }
        for j, name in enumerate(case.names)
    ]


def _compared(case: Signals, rows: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray, int]:
    """Return means of both groups, the variance of their difference, and the smaller's units."""
    means = np.full((2, case.x.shape[1]), np.nan)
    scores, counts = [], []
    for place, (mine, sign) in enumerate(zip(rows, (1.0, -1.0), strict=True)):
        counts.append(len(mine) if case.cluster is None else len(np.unique(case.cluster[mine])))
        mass = (case.weight * case.share)[mine]
        if not len(mine):
            return means, np.full(case.x.shape[1], np.nan), 0
        means[place] = mass @ case.x[mine] / mass.sum()
        scores.append(sign * (mass / mass.sum())[:, None] * (case.x[mine] - means[place]))
    both = np.vstack(scores)
    if case.cluster is not None:
        _, unit = np.unique(case.cluster[np.concatenate(rows)], return_inverse=True)
        g = int(unit.max()) + 1
        people = sparse.csr_array(
            (np.full(len(unit), np.sqrt(g / max(g - 1, 1))), (unit, np.arange(len(unit)))),
            shape=(g, len(unit)),
        )
        both = people @ both
    return means, (both**2).sum(axis=0), min(counts)
