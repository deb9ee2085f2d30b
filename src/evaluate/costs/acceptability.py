"""Net monetary benefit, and how sure a choice is at each willingness to pay."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Acceptability:
    """A choice between options at each of t thresholds, over joint draws.

    Attributes
    ----------
    probability : ndarray, shape (t, options)
        How often an option has the highest net benefit; rows sum to one.
    best : ndarray of int, shape (t,)
        The option whose expected net benefit is the highest: the frontier follows it.
    perfect_information : ndarray, shape (t,)
        What it is worth, per person, to choose knowing the truth.
    """

    probability: np.ndarray
    best: np.ndarray
    perfect_information: np.ndarray


def net_benefit(effect: np.ndarray, cost: np.ndarray, threshold: np.ndarray) -> np.ndarray:
    """Return effects at their worth less costs.

    Parameters
    ----------
    effect, cost : ndarray, shape (draws,) or (draws, arms)
        Drawn together, per person.
    threshold : ndarray, shape (t,)
        What one more unit of the outcome is worth.

    Returns
    -------
    ndarray, shape (t, draws) or (t, draws, arms)
        In the currency of the costs.

    References
    ----------
    Stinnett and Mullahy (1998), Net health benefits, Medical Decision Making 18(2).
    """
    worth = threshold.reshape(-1, *[1] * effect.ndim)
    return worth * effect - cost


def acceptability(drawn: np.ndarray, expected: np.ndarray) -> Acceptability:
    """Choose between arms and control, whose net benefit is zero.

    Parameters
    ----------
    drawn : ndarray, shape (t, draws, arms)
        Net benefit of each arm against control, drawn jointly.
    expected : ndarray, shape (t, arms)
        The estimates of it.

    Returns
    -------
    Acceptability
        With control as option 0. Of equal options the first is taken to be the best: what costs
        nothing and does nothing is not preferred. Information is worth what the best of each
        draw is above the option that is best on average over the draws, so never below zero.

    References
    ----------
    Fenwick, Claxton and Sculpher (2001), Representing uncertainty: the role of cost-effectiveness
    acceptability curves, Health Economics 10(8); Claxton (1999), The irrelevance of inference,
    Journal of Health Economics 18(3).
    """
    options = np.concatenate([np.zeros_like(drawn[..., :1]), drawn], axis=-1)
    chosen = options.argmax(axis=-1)
    probability = np.stack([(chosen == i).mean(axis=1) for i in range(options.shape[-1])], axis=1)
    best = np.concatenate([np.zeros_like(expected[:, :1]), expected], axis=1).argmax(axis=1)
    average = options.mean(axis=1)
    perfect = options.max(axis=-1).mean(axis=1) - average.max(axis=1)
    return Acceptability(probability, best, np.maximum(perfect, 0.0))  # rounding may leave less


def quadrants(effect: np.ndarray, cost: np.ndarray) -> dict[str, float]:
    """Return the shares of draws in the quadrants of the cost-effectiveness plane.

    Parameters
    ----------
    effect, cost : ndarray, shape (draws,)
        Drawn together.

    Returns
    -------
    dict of str to float
        ``ne`` more effect at more cost, ``nw`` less at more, ``se`` more at no more, ``sw`` less
        at no more.
    """
    more, dearer = effect > 0, cost > 0
    return {
        "ne": float((more & dearer).mean()),
        "nw": float((~more & dearer).mean()),
        "se": float((more & ~dearer).mean()),
        "sw": float((~more & ~dearer).mean()),
    }
