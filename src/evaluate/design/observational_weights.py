"""The weights under which the arms are compared, as the estimators of effects have them."""

from __future__ import annotations

import numpy as np

from evaluate.design.overlap import inverse_weights
from evaluate.effects.observational.entropy_balancing import entropy_balancing
from evaluate.effects.observational.estimators import matches_of
from evaluate.effects.observational.sample import Arranged
from evaluate.effects.observational.samples import Samples
from evaluate.errors import DesignError

KINDS = ("ipw", "entropy_balancing", "matching")
Weights = dict[tuple[str, str], np.ndarray | str]  # by kind and group; why there are none


def weights_of(samples: Samples, contrast: tuple[int, int], groups: tuple[str, ...]) -> Weights:
    """Return the weights of each kind in each group.

    Parameters
    ----------
    samples : Samples
        The persons, all of whom count as observed.
    contrast : (int, int)
        One of the study's.
    groups : tuple of str
        All, women and men.

    Returns
    -------
    dict of (str, str) to ndarray, shape (n,), or str
        Over all persons of the study, zero of those not used, weights of the persons in them;
        or the reason why there are none. Inverse probability always, others where the plan
        estimates with them.
    """
    plan = samples.plan
    kinds = [k for k in KINDS if k == KINDS[0] or k in plan.estimators]
    found: Weights = {}
    for group in groups:
        try:
            one = samples.of(group, contrast)
        except DesignError as error:
            found |= dict.fromkeys([(k, group) for k in kinds], str(error))
            continue
        for kind in kinds:
            try:
                own = _OF[kind](samples, one)
            except DesignError as error:
                found[kind, group] = str(error)
                continue
            weights = np.zeros(len(one.rows))
            weights[one.rows] = own
            found[kind, group] = weights
    return found


def _inverse(samples: Samples, one: Arranged) -> np.ndarray:
    analysis = samples.plan.analysis
    score, _ = samples.score(one)
    low = analysis.propensity.clip if analysis.estimand == "ate" else 0.0
    held = np.clip(score, low, 1 - analysis.propensity.clip)
    return inverse_weights(held, one.treated, analysis.estimand, one.weight)


def _balanced(samples: Samples, one: Arranged) -> np.ndarray:
    nothing = np.zeros((len(one.treated), 1))
    estimand = samples.plan.analysis.estimand
    return entropy_balancing(nothing, one.treated, one.x, estimand, one.weight, one.names).share


def _matched(samples: Samples, one: Arranged) -> np.ndarray:
    matches = matches_of(samples, one)
    return matches.own + matches.used


_OF = {"ipw": _inverse, "entropy_balancing": _balanced, "matching": _matched}
