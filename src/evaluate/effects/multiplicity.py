"""P-values adjusted for the number of hypotheses in a family; NaN stays NaN and outside it."""

from __future__ import annotations

import numpy as np

from evaluate.estimates import Estimates

CELLS = 20_000_000  # multipliers held at a time
TIE = 1e-5  # of a statistic, or of one: single precision cannot tell it from a tie
FEW_UNITS = 12  # up to which signs alone give too few different samples


def holm(p: np.ndarray) -> np.ndarray:
    """Adjust so that the chance of any false rejection is held, however tests depend.

    Parameters
    ----------
    p : ndarray, shape (k,)
        P-values.

    Returns
    -------
    ndarray, shape (k,)

    References
    ----------
    Holm (1979), A simple sequentially rejective multiple test procedure, Scandinavian Journal
    of Statistics 6(2).
    """
    family, order = _family(p)
    k = len(order)
    stepped = np.maximum.accumulate(p[order] * np.arange(k, 0, -1))
    return _placed(family, order, np.minimum(stepped, 1))


def benjamini_hochberg(p: np.ndarray) -> np.ndarray:
    """Adjust so that the expected share of rejections that are false is held.

    Parameters
    ----------
    p : ndarray, shape (k,)
        P-values of tests that are independent or positively dependent.

    Returns
    -------
    ndarray, shape (k,)

    References
    ----------
    Benjamini and Hochberg (1995), Controlling the false discovery rate, JRSS B 57(1).
    """
    family, order = _family(p)
    k = len(order)
    stepped = np.minimum.accumulate((p[order] * k / np.arange(1, k + 1))[::-1])[::-1]
    return _placed(family, order, np.minimum(stepped, 1))


def westfall_young(statistic: np.ndarray, drawn: np.ndarray, every: bool = False) -> np.ndarray:
    """Adjust by the largest of the statistics that the same draws gave, step by step.

    What the outcomes share is in the draws, so that tests of much the same thing cost little.

    Parameters
    ----------
    statistic : ndarray, shape (k,)
        Statistics, NaN where there is none; see `evaluate.effects.randomisation.Tested`.
    drawn : ndarray, shape (draws, k)
        Distance of the drawn statistics from zero.
    every : bool
        Whether the draws are all assignments, the actual one among them.

    Returns
    -------
    ndarray, shape (k,)
        The chance, without effects, of any statistic as far from zero among those that are
        no further than this one; never below that of a larger statistic.

    References
    ----------
    Westfall and Young (1993), Resampling-Based Multiple Testing, algorithm 2.8.
    """
    distance = np.abs(statistic)
    family, order = _family(-distance)
    if not len(order):
        return np.full(len(statistic), np.nan)
    reached = distance[order] - TIE * np.maximum(distance[order], 1)
    largest = np.maximum.accumulate(drawn[:, order[::-1]], axis=1)[:, ::-1]
    at_least = (largest >= reached).sum(axis=0)
    p = at_least / len(drawn) if every else (1 + at_least) / (1 + len(drawn))
    return _placed(family, order, np.maximum.accumulate(p))


def romano_wolf(estimates: Estimates, draws: int, rng: np.random.Generator) -> np.ndarray:
    """Adjust by the largest statistics under random signs of the scores, step by step.

    Parameters
    ----------
    estimates : Estimates
        k estimates of the family. Their scores may be those of different groups.
    draws : int
        Samples of signs; of few units, of Webb's six weights.
    rng : Generator
        Source of the draws.

    Returns
    -------
    ndarray, shape (k,)
        Never below the p-value itself.

    References
    ----------
    Romano and Wolf (2005), Stepwise multiple testing as formalized data snooping, Econometrica
    73(4); Webb (2023), Reworking wild bootstrap-based inference for clustered errors, Canadian
    Journal of Economics 56(3).
    """
    error = estimates.std_error
    with np.errstate(divide="ignore", invalid="ignore"):
        statistic = np.where(error > 0, estimates.value / error, np.nan)
    used = estimates.scores.any(axis=1)
    scores = estimates.scores[used] / np.where(error > 0, error, 1)
    scores = scores.astype(np.float32)
    units, drawn = len(scores), np.empty((draws, len(statistic)), dtype=np.float32)
    step = max(1, CELLS // max(units, 1))
    for start in range(0, draws, step):
        rows = drawn[start : start + step]
        np.abs(_multipliers(len(rows), units, rng) @ scores, out=rows)
    p = np.fmax(westfall_young(statistic, drawn), np.where(error > 0, estimates.p_value, np.nan))
    family, order = _family(-np.abs(statistic))
    return _placed(family, order, np.maximum.accumulate(p[order]))


def _multipliers(draws: int, units: int, rng: np.random.Generator) -> np.ndarray:
    """Return multipliers of mean zero and variance one, float32, shape (draws, units)."""
    if units <= FEW_UNITS:
        size = np.sqrt([0.5, 1, 1.5])
        return rng.choice(np.r_[-size, size].astype(np.float32), (draws, units))
    width = -(-units // 8)
    packed = np.frombuffer(rng.bytes(draws * width), dtype=np.uint8).reshape(draws, width)
    signs = np.unpackbits(packed, axis=1, count=units).astype(np.float32)
    signs *= 2
    signs -= 1
    return signs


def _family(p: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return an empty result, and the places that are not NaN in ascending order."""
    order = np.argsort(p, kind="stable")  # NaN comes last
    return np.full(len(p), np.nan), order[: int((~np.isnan(p)).sum())]


def _placed(result: np.ndarray, order: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Put sorted values back in their places."""
    result[order] = values
    return result
