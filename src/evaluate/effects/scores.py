"""From residuals to scores whose squares sum to a variance."""

from __future__ import annotations

import numpy as np

from evaluate.errors import DesignError

ALONE = 1 - 1e-9  # leverage of a person who is fitted exactly


def robust_scores(
    c: np.ndarray,
    residual: np.ndarray,
    leverage: np.ndarray,
    df_residual: int,
    kind: str,
    inflation: float = 1.0,
) -> np.ndarray:
    """Return scores of a linear estimate ``c @ y``.

    Parameters
    ----------
    c : ndarray, shape (n,)
        Weight of each person in the estimate.
    residual : ndarray, shape (n, k)
        Residuals, one column per outcome.
    leverage : ndarray, shape (n,)
        Diagonal of the projection that left the residuals.
    df_residual : int
        Persons less fitted parameters.
    kind : {"neyman", "HC0", "HC1", "HC2", "HC3"}
        Correction for leverage; "neyman" is HC2 where only means are fitted.
    inflation : float
        Persons over persons less parameters of the whole regression, for HC1.

    Returns
    -------
    ndarray, shape (n, k)
        For a person who is fitted exactly, HC2 and HC3 are 0/0; such a person's share of
        the variance is taken from the pooled residuals of the others.

    Raises
    ------
    DesignError
        If as many parameters as persons were fitted.

    References
    ----------
    MacKinnon and White (1985), Some heteroskedasticity-consistent covariance matrix
    estimators with improved finite sample properties, Journal of Econometrics 29(3).
    """
    if df_residual < 1:
        raise DesignError(
            f"as many parameters as persons ({len(c)}): no variance can be estimated."
        )
    alone = leverage > ALONE
    room = np.where(alone, 1, 1 - leverage)
    n = len(c)
    factor = {
        "HC0": np.ones(n),
        "HC1": np.full(n, inflation),
        "HC2": 1 / room,
        "HC3": 1 / room**2,
    }["HC2" if kind == "neyman" else kind]
    defined = kind in ("HC0", "HC1")
    borrowed = 0.0 if defined else (c[alone] ** 2).sum() / df_residual
    size = np.sqrt(c**2 * factor + borrowed)
    sign = np.where(c < 0, -1.0, 1.0)
    return np.where(alone, 0, sign * size)[:, None] * residual
