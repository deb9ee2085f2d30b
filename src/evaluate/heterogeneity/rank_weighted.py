"""Rank-weighted average effects: what is gained by giving priority to the highest predicted.

With persons in order of a prediction, TOC(u) is the effect among the first share u less that of
all. AUTOC is its integral over u, Qini that of u TOC(u). Either is the average of signals weighed
by a function of the rank, zero where the order says nothing of the effects.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import xlogy

KINDS = ("autoc", "qini")


@dataclass(frozen=True)
class RankWeighted:
    """A rank-weighted average effect of f persons.

    Attributes
    ----------
    value : float
        In the unit of the outcome.
    scores : ndarray, shape (f,)
        Derivatives by the logarithm of each weight, estimated ranks included: their sum is zero,
        the sum of their squares the variance of the value.
    coefficient : ndarray, shape (f,)
        Function of the rank that weighs the signals.
    """

    value: float
    scores: np.ndarray
    coefficient: np.ndarray


def rank_weighted(
    kind: str, effect: np.ndarray, signal: np.ndarray, share: np.ndarray, weight: np.ndarray
) -> RankWeighted:
    """Estimate AUTOC or Qini of an order by predictions.

    Parameters
    ----------
    kind : {"autoc", "qini"}
        Which of the two.
    effect : ndarray, shape (f,)
        Predictions that did not use these persons, highest first; equal ones share their ranks.
    signal, share, weight : ndarray, shape (f,)
        Of the same persons. Ranks are shares of the mass of weight and share: those whom the
        effect is not about stand with the next below them whom it is about.

    Returns
    -------
    RankWeighted
        Zeros if all predictions are the same. TOC is taken as it is within persons too, straight
        in the mass given, so that integrals are exact and weights of 2 are two persons alike.

    References
    ----------
    Yadlowsky, Fleming, Shah, Brunskill and Wager (2025), Evaluating treatment prioritization
    rules via rank-weighted average treatment effects, JASA 120(549).
    """
    block, count = _blocks(effect, weight * share)
    if count < 2:
        return RankWeighted(0.0, *np.zeros((2, len(effect))))
    mass = np.bincount(block, weight * share, count)
    total = mass.sum()
    level = np.bincount(block, weight * signal, count) / mass
    last = np.cumsum(mass) / total
    last[-1] = 1.0
    antiderivative, inner = _weights(kind, last)
    step = np.diff(antiderivative, prepend=0.0)
    value = level @ step
    drop = inner[:-1] * -np.diff(level)  # of the effect, from a block to the next
    moved = np.append(np.cumsum(drop[::-1])[::-1], 0.0) - drop @ last[:-1]
    scores = weight * (signal - level[block] * share) * (step / mass)[block]
    scores += weight * share / total * moved[block]
    return RankWeighted(float(value), scores, (step * total / mass)[block])


def _weights(kind: str, u: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the integral from 0 of the function of the rank, and the function itself."""
    if kind == "autoc":
        return -xlogy(u, u), -np.log(u) - 1
    return u * (1 - u) / 2, 0.5 - u


def _blocks(effect: np.ndarray, mass: np.ndarray) -> tuple[np.ndarray, int]:
    """Return the place of each person among the different predictions that have mass."""
    with_mass = effect[mass > 0]
    if not len(with_mass):
        return np.zeros(len(effect), dtype=int), 0
    change = np.diff(with_mass) != 0
    values = with_mass[np.append(True, change)]
    if len(with_mass) == len(effect):
        return np.append(0, np.cumsum(change)), len(values)
    return np.minimum(np.searchsorted(-values, -effect), len(values) - 1), len(values)
