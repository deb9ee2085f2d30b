"""Omitted variable bias of a regression coefficient, told by partial R2."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats


@dataclass(frozen=True)
class Coefficient:
    """Coefficients of treatment in k regressions that share their regressors.

    Attributes
    ----------
    value : ndarray, shape (k,)
        The coefficients, each in the unit of its outcome.
    std_error : ndarray, shape (k,)
        Classical standard errors; with others, squares of t do not tell partial R2.
    df : float
        Persons less parameters.
    """

    value: np.ndarray
    std_error: np.ndarray
    df: float

    @property
    def t(self) -> np.ndarray:
        """Values over their standard errors, shape (k,)."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return self.value / self.std_error

    @property
    def most(self) -> np.ndarray:
        """Bias by a hidden variable of strength 1, shape (k,): see `strength`."""
        return self.std_error * np.sqrt(self.df)

    def interval(self, level: float) -> tuple[np.ndarray, np.ndarray]:
        """Return the lower and upper ends of the ``level`` confidence intervals."""
        margin = stats.t.ppf((1 + level) / 2, self.df) * self.std_error
        return self.value - margin, self.value + margin


def partial_r2(t: np.ndarray, df: float) -> np.ndarray:
    """Return the share of the outcome's residual variance that treatment explains.

    It is also the share of treatment's residual variance that an extreme hidden variable,
    which explains all that is left of the outcome, must explain to account for the estimate.

    Parameters
    ----------
    t : ndarray, shape (k,)
        Values over their classical standard errors.
    df : float
        Persons less parameters.

    Returns
    -------
    ndarray, shape (k,)
    """
    return t**2 / (t**2 + df)


def strength(r2_yz: np.ndarray | float, r2_dz: np.ndarray | float) -> np.ndarray:
    """Return what multiplies the bias: ``sqrt(r2_yz r2_dz / (1 - r2_dz))``.

    Parameters
    ----------
    r2_yz : ndarray
        Share of the outcome's residual variance that the hidden variable explains.
    r2_dz : ndarray
        Share of treatment's residual variance, below 1.

    Returns
    -------
    ndarray
        Of their common shape; times the standard error and the root of ``df`` it is the bias.
    """
    r2_dz = np.asarray(r2_dz, dtype=float)
    return np.sqrt(r2_yz * r2_dz / (1 - r2_dz))


def equal_shares(needed: np.ndarray) -> np.ndarray:
    """Return r such that a hidden variable with both shares r has the strength ``needed``."""
    with np.errstate(divide="ignore"):
        return 2 / (1 + np.sqrt(1 + 4 / np.asarray(needed, dtype=float) ** 2))


def robustness_value(
    t: np.ndarray, df: float, q: float = 1.0, level: float | None = None
) -> np.ndarray:
    """Return the robustness values RV_q, or RV_q,alpha where a level is given.

    Parameters
    ----------
    t : ndarray, shape (k,)
        Values over their classical standard errors.
    df : float
        Persons less parameters.
    q : float
        Share of the estimate to be explained away.
    level : float, optional
        Such as 0.95: how strong to make what is left insignificant.

    Returns
    -------
    ndarray, shape (k,)
        A hidden variable that explains less of the residual variance of treatment and less of
        that of the outcome cannot do it; zero where nothing is needed.

    References
    ----------
    Cinelli and Hazlett (2020), Making sense of sensitivity: Extending omitted variable bias,
    Journal of the Royal Statistical Society B 82(1), sections 4.2 and A.4.

    Notes
    -----
    Explaining more of the outcome also makes the standard error smaller. Where the estimate is
    so precise that the t value is least at a share below the bound, that share counts.
    """
    f, critical = _needed(t, df, q, level)
    value = np.where(f > critical, equal_shares(np.maximum(f - critical, 0)), 0.0)
    return np.where(f * critical > 1, extreme_robustness_value(t, df, q, level), value)


def extreme_robustness_value(
    t: np.ndarray, df: float, q: float = 1.0, level: float | None = None
) -> np.ndarray:
    """Return the same where the hidden variable may explain all that is left of the outcome.

    Parameters
    ----------
    t, df, q, level
        As for `robustness_value`.

    Returns
    -------
    ndarray, shape (k,)
        Shares of treatment's residual variance; with ``q = 1`` and no level, `partial_r2`.

    References
    ----------
    Cinelli and Hazlett (2020), section 4.3.
    """
    f, critical = _needed(t, df, q, level)
    return np.where(f > critical, (f**2 - critical**2) / (1 + f**2), 0.0)


def _needed(
    t: np.ndarray, df: float, q: float, level: float | None
) -> tuple[np.ndarray, np.ndarray | float]:
    """Return q times Cohen's f of treatment, and the f that is just significant."""
    f = q * np.abs(np.asarray(t, dtype=float)) / np.sqrt(df)
    if level is None:
        return f, 0.0
    return f, stats.t.ppf((1 + level) / 2, df - 1) / np.sqrt(df - 1)


def adjusted(
    found: Coefficient, r2_yz: np.ndarray | float, r2_dz: np.ndarray | float
) -> Coefficient:
    """Return what the coefficients would be with the hidden variable among the covariates.

    Parameters
    ----------
    found : Coefficient
        k of them.
    r2_yz : ndarray, shape (k,) or (s, k) or (s, 1)
        Share of the residual variance of the outcome that the hidden variable explains, given
        treatment and covariates.
    r2_dz : ndarray, broadcast with it
        Share of the residual variance of treatment, given covariates, below 1.

    Returns
    -------
    Coefficient
        Values nearer to zero, or beyond it, by the bias; shape (k,) or (s, k).

    References
    ----------
    Cinelli and Hazlett (2020), equations 7 and 8.
    """
    sign = np.where(found.value < 0, -1.0, 1.0)
    value = sign * (np.abs(found.value) - found.most * strength(r2_yz, r2_dz))
    inflation = (1 - np.asarray(r2_yz)) / (1 - np.asarray(r2_dz)) * found.df / (found.df - 1)
    return Coefficient(value, found.std_error * np.sqrt(inflation), found.df - 1)


def contours(
    found: Coefficient,
    names: list[str],
    most_yz: float = 0.4,
    most_dz: float = 0.4,
    steps: int = 41,
) -> pd.DataFrame:
    """Return adjusted values over a grid of strengths, for a figure.

    Parameters
    ----------
    found : Coefficient
        k of them.
    names : list of str
        Of the outcomes.
    most_yz, most_dz : float
        Largest shares of the residual variances of outcome and treatment.
    steps : int
        Points along each.

    Returns
    -------
    DataFrame
        A row per outcome, ``r2_dz`` and ``r2_yz``, with ``estimate`` and ``t``.
    """
    d, y = np.meshgrid(
        np.linspace(0, most_dz, steps), np.linspace(0, most_yz, steps), indexing="ij"
    )
    moved = adjusted(found, y.reshape(-1, 1), d.reshape(-1, 1))
    return pd.DataFrame(
        {
            "outcome": np.repeat(names, d.size),
            "r2_dz": np.tile(d.ravel(), len(names)),
            "r2_yz": np.tile(y.ravel(), len(names)),
            "estimate": moved.value.T.ravel(),
            "t": moved.t.T.ravel(),
        }
    )
