"""E-values: how strong a hidden cause of treatment and outcome would have to be, as ratios."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

LOG_RATIO_PER_SD = 0.91  # Chinn's 1.81 to a log odds ratio, halved for a common outcome


@dataclass(frozen=True)
class EValue:
    """E-values of k findings; NaN where no ratio can be formed.

    Attributes
    ----------
    ratio : ndarray, shape (k,)
        The risk ratio each finding amounts to.
    estimate : ndarray, shape (k,)
        Least risk ratio, of the hidden cause with treatment and with outcome alike, that could
        explain the whole estimate; 1 for none.
    limit : ndarray, shape (k,)
        The same for the confidence limit nearer to no effect; 1 where the interval holds it.
    """

    ratio: np.ndarray
    estimate: np.ndarray
    limit: np.ndarray


def of_ratios(ratio: np.ndarray, low: np.ndarray, high: np.ndarray) -> EValue:
    """Return E-values of risk ratios.

    Parameters
    ----------
    ratio, low, high : ndarray, shape (k,)
        Risk ratios and their confidence limits. Where no ratio can be formed, below zero or
        missing, so is the E-value; no lower limit is needed below 1, no upper one above it.

    Returns
    -------
    EValue

    References
    ----------
    VanderWeele and Ding (2017), Sensitivity analysis in observational research: Introducing
    the E-value, Annals of Internal Medicine 167(4).
    """
    ratio, low, high = (np.asarray(r, dtype=float) for r in (ratio, low, high))
    nearer = np.where(ratio > 1, np.maximum(low, 1), np.minimum(high, 1))
    estimate = _e_value(ratio)
    return EValue(ratio, estimate, np.where(np.isnan(estimate), np.nan, _e_value(nearer)))


def of_shares(effect: np.ndarray, low: np.ndarray, high: np.ndarray, without: np.ndarray) -> EValue:
    """Return E-values of differences of shares.

    Parameters
    ----------
    effect, low, high : ndarray, shape (k,)
        Differences and their confidence limits, as shares of 1.
    without : ndarray, shape (k,)
        Share that would have the outcome without treatment among those whom the effect is
        about: the mean of control for ``ate``, that of the treated less the effect for
        ``att``. Taken as known, so that the limits stand for those of the ratio and tell no
        effect exactly.

    Returns
    -------
    EValue
        NaN where ``without`` is not above zero or the share with treatment is below zero.

    References
    ----------
    VanderWeele and Ding (2017), on differences of risks.
    """
    without = np.where(np.asarray(without, dtype=float) > 0, without, np.nan)
    return of_ratios(*(1 + np.asarray(e) / without for e in (effect, low, high)))


def of_means(effect: np.ndarray, low: np.ndarray, high: np.ndarray, sd: np.ndarray) -> EValue:
    """Return E-values of differences of means, by way of the standardised effect.

    Parameters
    ----------
    effect, low, high : ndarray, shape (k,)
        Differences and their confidence limits, in the unit of the outcome.
    sd : ndarray, shape (k,)
        Standard deviations of the outcome within arms.

    Returns
    -------
    EValue
        The ratio is ``exp(0.91 d)``, that of having more than the median, nearly; NaN where
        the outcome does not vary.

    References
    ----------
    VanderWeele and Ding (2017), on continuous outcomes; Chinn (2000), A simple method for
    converting an odds ratio to effect size, Statistics in Medicine 19(22).
    """
    sd = np.where(np.asarray(sd, dtype=float) > 0, sd, np.nan)
    return of_ratios(*(np.exp(LOG_RATIO_PER_SD * np.asarray(e) / sd) for e in (effect, low, high)))


def _e_value(ratio: np.ndarray) -> np.ndarray:
    """Return those of ratios, infinite for zero and for infinity."""
    with np.errstate(divide="ignore", invalid="ignore"):
        away = np.where(ratio < 1, 1 / ratio, ratio)
        away = np.where(ratio < 0, np.nan, away)
        return away + np.sqrt(away * (away - 1))
