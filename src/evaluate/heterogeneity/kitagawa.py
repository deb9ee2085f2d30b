"""Kitagawa's split of a difference in products: what is unequal, and what it is worth."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from evaluate.estimates import Estimates


@dataclass(frozen=True)
class Parts:
    """The parts of a gap in effects.

    Attributes
    ----------
    per_unit : (Estimates, Estimates)
        Effects of women and of men for each unit of the dose, one value each.
    access : Estimates
        One value: unequal doses, at the mean effect per unit.
    effect_per_unit : Estimates
        One value: unequal effects per unit, for the mean dose.
    """

    per_unit: tuple[Estimates, Estimates]
    access: Estimates
    effect_per_unit: Estimates


def split(women: Estimates, men: Estimates, gap: Estimates) -> Parts:
    """Split the gap in effects into access and effect per unit.

    Parameters
    ----------
    women, men, gap : Estimates
        Two values each: the effect on the outcome and, last, on the dose; ``gap`` is women's
        less men's. All share their units.

    Returns
    -------
    Parts
        Access and effect per unit add up to the gap in the outcome. Scores are those of the
        delta method; degrees of freedom the fewest of what a part rests on.

    References
    ----------
    Kitagawa (1955), Components of a difference between two rates, JASA 50; Oaxaca (1973), Male-
    female wage differentials in urban labor markets, International Economic Review 14(3);
    Angrist and Imbens (1995), Two-stage least squares estimation of average causal effects in
    models with variable treatment intensity, JASA 90, for what an effect per unit is.
    """
    (a, dose_a), (b, dose_b) = ((g.pick([0]), g.pick([1])) for g in (women, men))
    per_unit = (a.over(dose_a), b.over(dose_b))
    more, mean_unit = plus(dose_a, dose_b, -1.0), _times(plus(*per_unit), 0.5)
    better, mean_dose = plus(*per_unit, -1.0), _times(plus(dose_a, dose_b), 0.5)
    df = np.array([gap.df.min()])
    access, effect = _product(more, mean_unit), _product(better, mean_dose)
    return Parts(per_unit, replace(access, df=df), replace(effect, df=df))


def plus(a: Estimates, b: Estimates, sign: float = 1.0) -> Estimates:
    """Return ``a + sign * b``, of estimates that share their units, with the fewer df."""
    scores = a.scores + sign * b.scores
    return Estimates(a.value + sign * b.value, scores, np.minimum(a.df, b.df))


def _times(a: Estimates, factor: float) -> Estimates:
    return Estimates(factor * a.value, factor * a.scores, a.df)


def _product(a: Estimates, b: Estimates) -> Estimates:
    """Return the products with their delta-method scores."""
    scores = a.value * b.scores + b.value * a.scores
    return Estimates(a.value * b.value, scores, np.minimum(a.df, b.df))
