"""Randomisation statistics by their definitions, one assignment, outcome and block at a time."""

from __future__ import annotations

import itertools

import numpy as np


def every_assignment(treated, block):
    """List all assignments of units with the same number treated in each block."""
    places = [np.flatnonzero(block == b) for b in np.unique(block)]
    sets = [itertools.combinations(p, int(treated[p].sum())) for p in places]
    for chosen in itertools.product(*sets):
        z = np.zeros(len(treated), dtype=int)
        z[[unit for one in chosen for unit in one]] = 1
        yield z


def studentised(z, y, mass, block, between, precise=False):
    """Return a difference over its error for one group or two.

    ``z`` and ``block`` are of units; ``y`` and ``mass`` have a column for each group: sums
    over the unit's persons of weight times outcome, and of weights.
    """
    sign = [1, -1][: y.shape[1]]
    effects, weights, errors = [], [], []  # by block: of each group, and their covariance
    for b in np.unique(block):
        here = block == b
        one = [_block(z[here], y[here, g], mass[here, g], precise) for g in range(y.shape[1])]
        effects.append([o[0] for o in one])
        weights.append([o[1] for o in one])
        scores = np.array([o[2] for o in one])
        covariance = scores @ scores.T
        np.fill_diagonal(covariance, [o[3] for o in one])
        errors.append(covariance)
    effects, weights = np.array(effects), np.array(weights)
    if (weights.sum(axis=0) == 0).any():
        return 0.0
    share = weights / weights.sum(axis=0)
    mean = (share * effects).sum(axis=0)
    if between:
        n = (weights > 0).sum(axis=0)
        about = share * (effects - mean) * np.sqrt(n / np.maximum(n - 1, 1)) * sign
        covariance = about.T @ about
        if not (mass > 0).all(axis=1).any():  # no unit holds both groups
            covariance = np.diag(np.diag(covariance))
        variance = covariance.sum()
    else:
        parts = share * sign
        variance = sum(p @ e @ p for p, e in zip(parts, errors, strict=True))
    value = (mean * sign).sum()
    return value / np.sqrt(max(variance, 1e-6 * value**2, 1e-12))


def _block(z, y, mass, precise):
    """Return effect, weight, scores by unit and variance of a group in a block."""
    arms = [(z == 1) & (mass > 0), (z == 0) & (mass > 0)]
    if not (arms[0].any() and arms[1].any()):
        return 0.0, 0.0, np.zeros(len(z)), 0.0
    n = [mass[a].sum() for a in arms]
    mean = [y[a].sum() / mass[a].sum() for a in arms]
    effect = mean[0] - mean[1]
    weight = n[0] * n[1] / sum(n) if precise else sum(n)
    count = [a.sum() for a in arms]
    if max(count) == 1:
        return effect, weight, np.zeros(len(z)), effect**2
    variance, scores = 0.0, np.zeros(len(z))
    for i in (0, 1):
        about = (y - mean[i] * mass)[arms[i]]
        factor = 0.0
        if count[i] > 1:
            per_unit = count[i] / (count[i] - 1)
            factor = per_unit / n[i] ** 2
            if count[1 - i] == 1:
                factor += per_unit / (mass[arms[i]] ** 2).sum()
        scores[arms[i]] = np.sqrt(factor) * about
        variance += factor * (about**2).sum()
    return effect, weight, scores, variance
