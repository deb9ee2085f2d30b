"""How predicted effects spread among all, women and men."""

from __future__ import annotations

import numpy as np

from evaluate.heterogeneity.honest import Honest
from evaluate.heterogeneity.signals import Signals
from evaluate.notes import note
from evaluate.plan.model import Plan

BINS = 20  # at most
ENDS = (0.005, 0.995)  # of the persons: bins lie between, and the outer ones take the rest
STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)  # round widths, times a power of ten
ALIKE = 1e-9  # of the largest effect: a range below it is rounding


def distribution_rows(plan: Plan, case: Signals, honest: Honest) -> list[dict[str, object]]:
    """Return the distribution of persons' predicted effects, by gender.

    Parameters
    ----------
    plan : Plan
        The programme file.
    case : Signals
        Persons of one outcome and contrast.
    honest : Honest
        Effects predicted by the learner that leads.

    Returns
    -------
    list of dict
        Rows of `schemas.EFFECT_DISTRIBUTION`, without what is the same in all of them: of women
        and of men, or of all where there is one gender; all beside both would tell of the few
        whose gender is not known. Bins are the same for both, at most `BINS`, with round bounds.
        Shares, means and deviations are weighted as the effects are, of those they are about.
    """
    effect = predicted_effects(case, honest)
    about = np.isfinite(effect) & (case.share > 0)
    w = case.weight * case.share
    groups = ["women", "men"] if case.both_genders else ["all"]
    edges = round_edges(effect[about]) if about.any() else np.empty(0)
    rows: list[dict[str, object]] = []
    for group in groups:
        mine = about & case.groups.get(group, np.ones(case.m, dtype=bool))
        if not mine.any():
            found = [{"kind": "mean", "n": 0, "note": note("nobody_predicted")}]
        else:
            share = w[mine] / w[mine].sum()
            found = _bins(effect[mine], share, edges) + _moments(effect[mine], share)
        rows += [{"learner": honest.learner, "group": group, **row} for row in found]
    return rows


def predicted_effects(case: Signals, honest: Honest) -> np.ndarray:
    """Return each person's predicted effect: its mean over the splits, about the average effect.

    Parameters
    ----------
    case : Signals
        The persons.
    honest : Honest
        Predictions of each split.

    Returns
    -------
    ndarray, shape (m,)
        In the unit of the outcome; NaN of those that no split predicted. In every fold of every
        split the mean is put at the average effect in all: how high a fold lies depends on the
        few persons before it, and is not what differs between persons.
    """
    w = case.weight * case.share
    average = w @ case.signal / w.sum()
    total, times = np.zeros(case.m), np.zeros(case.m)
    for fold, effect in zip(honest.fold, honest.effect, strict=True):
        found = np.isfinite(effect)
        mass = np.bincount(fold[found], w[found], minlength=fold.max() + 1)
        held = np.bincount(fold[found], w[found] * effect[found], minlength=len(mass))
        level = held / np.where(mass > 0, mass, np.nan)
        total[found] += (effect - level[fold])[found] + average
        times[found] += 1
    return total / np.where(times > 0, times, np.nan)


def round_edges(values: np.ndarray) -> np.ndarray:
    """Return equally spaced round bounds around most of the values, at most `BINS` + 1.

    Parameters
    ----------
    values : ndarray, shape (n,)
        Finite, one at least.

    Returns
    -------
    ndarray, shape (bins + 1,)
        Multiples of 1, 2, 2.5 or 5 times a power of ten, so that no bound is a person's value
        but by chance.
    """
    low, high = np.quantile(values, ENDS)
    size = max(abs(low), abs(high))
    if high - low <= ALIKE * size or size == 0:
        low = high = float(np.median(values))
        size = abs(low) if abs(low) > 1e-12 else 1.0
    width = (high - low) / (BINS - 1) if high > low else size / 10
    power = 10.0 ** np.floor(np.log10(width))
    step = next(s for s in STEPS if s * power >= width * (1 - 1e-9)) * power
    first, last = np.floor(low / step), np.floor(high / step) + 1
    digits = int(max(0, 1 - np.floor(np.log10(step))))
    return np.round(np.arange(first, last + 1) * step, digits)


def _bins(effect: np.ndarray, share: np.ndarray, edges: np.ndarray) -> list[dict[str, object]]:
    last = len(edges) - 2
    place = np.clip(np.searchsorted(edges, effect, side="right") - 1, 0, last)
    held, count = np.bincount(place, share, last + 1), np.bincount(place, minlength=last + 1)
    outside = {0: (effect < edges[0]).any(), last: (effect >= edges[-1]).any()}
    if last == 0:
        outside = {0: ((effect < edges[0]) | (effect >= edges[-1])).any()}
    return [
        {
            "kind": "bin",
            "low": float(edges[b]),
            "high": float(edges[b + 1]),
            "value": min(float(held[b]), 1.0),
            "n": int(count[b]),
            "note": note("with_beyond") if outside.get(b) else "",
        }
        for b in range(last + 1)
    ]


def _moments(effect: np.ndarray, share: np.ndarray) -> list[dict[str, object]]:
    mean = float(share @ effect)
    deviation = float(np.sqrt(share @ (effect - mean) ** 2))
    return [
        {"kind": kind, "value": value, "n": len(effect), "note": ""}
        for kind, value in (("mean", mean), ("sd", deviation))
    ]
