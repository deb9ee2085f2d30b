"""Joint draws of estimates of the same units: a bootstrap of their scores."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from evaluate.estimates import Estimates

DRAWS = 2_000
HELD = 20_000_000  # multipliers held at a time
MANY = 50_000  # units, from which the sum of scores is normal for all that draws can show
LOW = (1 - np.sqrt(5)) / 2  # Mammen's lower point; the higher is above it by the root of five
HIGHER = round(2**16 * (np.sqrt(5) - 1) / (2 * np.sqrt(5)))  # of 2**16 chances, are higher


def joint_draws(
    estimates: Sequence[Estimates], rng: np.random.Generator, draws: int = DRAWS
) -> list[np.ndarray]:
    """Draw the sampling distribution of several estimates at once.

    A unit that was assigned, a person or a cluster, has one multiplier in a draw, whatever
    estimates, groups and outcomes it is part of: that is what makes the draws joint. Multipliers
    are Mammen's: mean 0, variance 1 and third moment 1, as the counts of a resample have, so that
    the draws have the estimates' covariance exactly and their skewness. Scores know of blocks and
    clusters; a resample within blocks of which each has one unit of an arm would not vary at all.

    Parameters
    ----------
    estimates : sequence of Estimates
        Of the units of one study, each with its own number k of values.
    rng : Generator
        Where multipliers come from.
    draws : int
        How many.

    Returns
    -------
    list of ndarray, shape (draws, k)
        One for each of the estimates. From 50,000 units on they are normal with the same
        covariance, which is then the same to what so many draws can show.

    References
    ----------
    Mammen (1993), Bootstrap and wild bootstrap for high dimensional linear models, Annals of
    Statistics 21(1); Kline and Santos (2012), A score based approach to wild bootstrap inference,
    Journal of Econometric Methods 1(1).
    """
    if not estimates:
        return []
    values = np.concatenate([e.value for e in estimates])
    scores = np.hstack([e.scores for e in estimates])
    units = len(scores)
    if units >= MANY:
        root = np.linalg.qr(scores, mode="r")
        moved = rng.standard_normal((draws, len(root))) @ root
    else:
        moved = np.empty((draws, len(values)))
        step = max(1, HELD // max(units, 1))
        base, single = LOW * scores.sum(axis=0), scores.astype(np.float32)
        for first in range(0, draws, step):
            size = min(step, draws - first)
            chance = np.frombuffer(rng.bytes(2 * size * units), np.uint16).reshape(size, units)
            is_high = (chance < HIGHER).astype(np.float32)
            moved[first : first + size] = base + np.sqrt(5) * (is_high @ single)
    ends = np.cumsum([len(e.value) for e in estimates])
    return np.split(values + moved, ends[:-1], axis=1)
