"""Bounds on doubly robust estimates where a confounder was left out: long story short."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy import sparse, stats

from evaluate.effects.bounds import Bounds
from evaluate.effects.sensitivity.omitted_variable import equal_shares, strength
from evaluate.errors import DesignError, persons
from evaluate.estimates import Estimates


@dataclass(frozen=True)
class LongShort:
    """k estimates and how far a hidden variable can move them.

    Attributes
    ----------
    estimate : Estimates
        The effects.
    most : Estimates
        Bias by a hidden variable of strength 1, S of the paper, with its scores.
    residual_variance : ndarray, shape (k,)
        Of the outcome regressions.
    riesz : float
        Second moment of the Riesz representer: the weight of treatment in the estimate.
    debiased : bool
        False where overlap is so poor that the debiased second moment is not above zero and
        the plain one stands in.
    """

    estimate: Estimates
    most: Estimates
    residual_variance: np.ndarray
    riesz: float
    debiased: bool = True

    def __sub__(self, other: LongShort) -> LongShort:
        """Return the gap: hidden selection in the two may work in opposite directions.

        The variance and the second moment of a gap are not defined, and NaN.
        """
        most = Estimates(
            self.most.value + other.most.value,
            self.most.scores + other.most.scores,
            np.minimum(self.most.df, other.most.df),
        )
        nothing = np.full(len(most.value), np.nan)
        debiased = self.debiased and other.debiased
        return LongShort(self.estimate - other.estimate, most, nothing, np.nan, debiased)

    def summed(self, unit: np.ndarray, units: int) -> LongShort:
        """Add up scores of persons by unit, a cluster or the person's row in the study.

        Parameters
        ----------
        unit : ndarray of int, shape (n,)
            Unit of each person, below ``units``.
        units : int
            Units of the study.

        Returns
        -------
        LongShort
        """
        rows = sparse.csr_array(
            (np.ones(len(unit)), (unit, np.arange(len(unit)))), (units, len(unit))
        )

        def by_unit(e: Estimates) -> Estimates:
            return Estimates(e.value, np.asarray(rows @ e.scores), e.df)

        return replace(self, estimate=by_unit(self.estimate), most=by_unit(self.most))


@dataclass(frozen=True)
class Gain:
    """What covariates that were left out explain of what the others leave.

    Attributes
    ----------
    r2_y : ndarray, shape (k,)
        Of the outcome's residual variance.
    r2_d : float
        Of treatment: how much they add to the Riesz representer's second moment, in relation to
        what the others leave.
    rho : ndarray, shape (k,)
        How far the two go together, from -1 to 1: the change over the most there can be.
    change : ndarray, shape (k,)
        Estimate without the covariates less that with them.
    """

    r2_y: np.ndarray
    r2_d: float
    rho: np.ndarray
    change: np.ndarray


def long_short(
    estimate: Estimates,
    residual: np.ndarray,
    treated: np.ndarray,
    propensity: np.ndarray,
    estimand: str,
    weight: np.ndarray | None = None,
) -> LongShort:
    """Prepare bounds on the effects of an augmented inverse propensity weighted estimate.

    Parameters
    ----------
    estimate : Estimates
        The k effects, with scores of persons, shape (n, k).
    residual : ndarray, shape (n, k)
        Outcomes less the regression of a person's own arm, cross-fitted; for ``att``, too, of
        both arms.
    treated : ndarray of bool, shape (n,)
        Who was treated.
    propensity : ndarray, shape (n,)
        Probabilities of treatment as the estimate has them.
    estimand : {"att", "ate"}
        What is estimated.
    weight : ndarray, shape (n,), optional
        Weights above zero.

    Returns
    -------
    LongShort

    Raises
    ------
    DesignError
        If a propensity is 1, or for ``ate`` 0.

    References
    ----------
    Chernozhukov, Cinelli, Newey, Sharma and Syrgkanis (2022), Long story short: Omitted
    variable bias in causal machine learning, NBER working paper 30302; the debiased second
    moment is theirs of section 4.
    """
    certain = propensity >= 1
    if estimand == "ate":
        certain |= propensity <= 0
    if certain.any():
        raise DesignError(
            f"no overlap: {persons(int(certain.sum()))} with a propensity of 0 or 1. "
            "Trim them, or clip the propensity."
        )
    w = np.ones(len(treated)) if weight is None else weight
    w = w / w.sum()
    d = treated.astype(float)
    m = np.where(propensity > 0, propensity, 0.0)
    share = float(w @ d)
    if estimand == "ate":
        riesz = d / m - (1 - d) / (1 - m)
        functional = 1 / m + 1 / (1 - m)
    else:
        riesz = (d - (1 - d) * m / (1 - m)) / share
        functional = d / (1 - m) / share**2
    element = 2 * functional - riesz**2
    debiased = bool(w @ element > 0)
    if not debiased:
        element = riesz**2
    second = float(w @ element)
    score_of_second = element - second
    if estimand == "att":  # the share of the treated is estimated, too
        score_of_second = score_of_second - 2 * second * (d - share) / share
    variance = w @ residual**2
    most = np.sqrt(variance * second)
    with np.errstate(divide="ignore", invalid="ignore"):
        relative = (residual**2 - variance) / variance + score_of_second[:, None] / second
    relative = np.where(variance > 0, relative, 0.0)
    scores = w[:, None] * relative * most / 2
    return LongShort(estimate, Estimates(most, scores, estimate.df), variance, second, debiased)


def bounds(
    found: LongShort,
    r2_y: np.ndarray | float,
    r2_d: np.ndarray | float,
    rho: np.ndarray | float = 1.0,
) -> Bounds:
    """Return the effects' bounds under a hidden variable of given strength.

    Parameters
    ----------
    found : LongShort
        The effects.
    r2_y : float or ndarray, shape (k,)
        Share of the outcome's residual variance that the hidden variable explains.
    r2_d : float or ndarray, shape (k,)
        Share that it adds to the second moment of the Riesz representer, of the whole; below 1.
    rho : float or ndarray, shape (k,)
        How far the two go together; 1 is the worst.

    Returns
    -------
    Bounds
        Lower and upper, k each, with scores; `imbens_manski` gives the interval.
    """
    c = np.abs(rho) * strength(r2_y, r2_d)
    e, s = found.estimate, found.most
    lower, upper = (
        Estimates(e.value + sign * c * s.value, e.scores + sign * c * s.scores, e.df)
        for sign in (-1, 1)
    )
    return Bounds(lower, upper)


def robustness_value(
    found: LongShort, null: float = 0.0, rho: float = 1.0, level: float | None = None
) -> np.ndarray:
    """Return the least equal shares of a hidden variable that would bring the effects to none.

    Parameters
    ----------
    found : LongShort
        The effects.
    null : float
        Effect that counts as none.
    rho : float
        How far the two shares go together.
    level : float, optional
        Such as 0.95: to bring the confidence limit of the bound nearer to none there.

    Returns
    -------
    ndarray, shape (k,)
        Zero where nothing is needed.
    """
    return equal_shares(_needed(found, null, level) / abs(rho))


def _needed(found: LongShort, null: float, level: float | None) -> np.ndarray:
    """Return the strength at which the bound, or its limit, reaches the null.

    With ``c`` the strength it solves ``(|effect| - c S)^2 = z^2 var(effect -+ c S)``, whose
    least positive root it is; the effect must be significant to begin with.
    """
    effect, most = found.estimate.value - null, found.most
    with np.errstate(divide="ignore", invalid="ignore"):
        if level is None:
            return np.abs(effect) / most.value
        z2 = stats.t.ppf((1 + level) / 2, found.estimate.df) ** 2
        both = np.einsum("ij,ij->j", found.estimate.scores, most.scores) * np.sign(effect)
        a = most.value**2 - z2 * most.variance
        b = np.abs(effect) * most.value - z2 * both
        c = effect**2 - z2 * found.estimate.variance
        return np.where(c > 0, c / (b + np.sqrt(np.maximum(b**2 - a * c, 0))), 0.0)


def gain(found: LongShort, short: LongShort) -> Gain:
    """Return how strong covariates are, by an estimate that leaves them out.

    Parameters
    ----------
    found : LongShort
        With all covariates.
    short : LongShort
        Without some, on the same persons, both models fitted anew.

    Returns
    -------
    Gain
        Shares between 0 and 1; zero where leaving them out made no fit worse.

    References
    ----------
    Chernozhukov et al. (2022), section on benchmarking.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        worse = short.residual_variance - found.residual_variance
        r2_y = np.clip(worse / found.residual_variance, 0, 1)
        smaller = found.riesz - short.riesz
        r2_d = float(np.clip(smaller / short.riesz, 0, 1))
        change = short.estimate.value - found.estimate.value
        room = np.sqrt(np.maximum(worse * smaller, 0))
        rho = np.where(room > 0, np.clip(change / room, -1, 1), 1.0)
    return Gain(r2_y, r2_d, rho, change)


def multiples(found: LongShort, gains: list[Gain], level: float) -> tuple[np.ndarray, np.ndarray]:
    """Return how many times as strong as each set of covariates a hidden variable must be.

    Parameters
    ----------
    found : LongShort
        The effects.
    gains : list of Gain, length b
        Strengths of covariates.
    level : float
        Such as 0.95.

    Returns
    -------
    estimate, significance : ndarray, shape (b, k)
        Multiples of both shares at which the bound, with ``rho`` 1, or its confidence limit,
        reaches zero; infinite for covariates that explain nothing of the one or the other.
    """
    r2_y = np.array([g.r2_y for g in gains]).reshape(len(gains), -1)
    r2_d = np.array([g.r2_d for g in gains])[:, None]
    found_at = []
    for needed in (_needed(found, 0.0, None), _needed(found, 0.0, level)):
        with np.errstate(divide="ignore", invalid="ignore"):
            both = needed * r2_d
            times = 2 * needed / (both + np.sqrt(both**2 + 4 * r2_y * r2_d))
            # No variable explains more than all of the outcome.
            all_of_it = needed**2 / (r2_d * (1 + needed**2))
            times = np.where(times * r2_y > 1, all_of_it, times)
        times = np.where((r2_y > 0) & (r2_d > 0), times, np.inf)
        found_at.append(np.where(needed == 0, 0.0, times))
    return found_at[0], found_at[1]
