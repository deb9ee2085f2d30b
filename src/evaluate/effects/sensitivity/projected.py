"""The regression on treatment and covariates, ready to be made anew with one thing changed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from evaluate.covariates import independent
from evaluate.errors import DesignError

RANK = 1e-10  # of the largest eigenvalue
ESTIMABLE = 1e-6  # of a coefficient's own part in what is estimated


@dataclass(frozen=True)
class Projected:
    """Treatment and outcomes with constant and covariates partialled out.

    Attributes
    ----------
    root : ndarray, shape (n,)
        Roots of the weights; the others are multiplied by them.
    q : ndarray, shape (n, p)
        Orthonormal basis of constant and covariates.
    d : ndarray, shape (n,)
        What they leave of treatment.
    y : ndarray, shape (n, k)
        What they leave of the outcomes.
    """

    root: np.ndarray
    q: np.ndarray
    d: np.ndarray
    y: np.ndarray

    @property
    def value(self) -> np.ndarray:
        """Coefficients of treatment, shape (k,)."""
        return self.d @ self.y / (self.d @ self.d)

    def with_covariate(self, z: np.ndarray) -> np.ndarray:
        """Return those with a further covariate, (draws, k), for each column of ``z``."""
        z = self.root[:, None] * z
        size = (z**2).sum(axis=0) - ((self.q.T @ z) ** 2).sum(axis=0)
        zd, zy = z.T @ self.d, z.T @ self.y
        dd, dy = self.d @ self.d, self.d @ self.y
        return (size[:, None] * dy - zd[:, None] * zy) / (size * dd - zd**2)[:, None]

    def of_treatment(self, d: np.ndarray) -> np.ndarray:
        """Return those of other treatments, (draws, k), the columns of ``d``."""
        d = self.root[:, None] * d
        size = (d**2).sum(axis=0) - ((self.q.T @ d) ** 2).sum(axis=0)
        return d.T @ self.y / size[:, None]

    def of_outcomes(self, y: np.ndarray) -> np.ndarray:
        """Return those with other outcomes, one per column of ``y``."""
        return (self.root * self.d) @ y / (self.d @ self.d)

    def of_rows(self, rows: np.ndarray) -> np.ndarray:
        """Return those among some persons; NaN where covariates tell treatment among them."""
        basis = np.column_stack([self.d, self.q])[rows]
        moments = basis.T @ basis
        inner = np.linalg.pinv(moments, rcond=RANK, hermitian=True)[0]
        own = inner @ moments
        own[0] -= 1
        if np.abs(own).max() > ESTIMABLE:
            return np.full(self.y.shape[1], np.nan)
        return inner @ (basis.T @ self.y[rows])


def projected(
    y: np.ndarray, treated: np.ndarray, x: np.ndarray, weight: np.ndarray | None = None
) -> Projected:
    """Partial constant and covariates out of treatment and outcomes.

    Parameters
    ----------
    y : ndarray, shape (n, k)
        Outcomes.
    treated : ndarray of bool, shape (n,)
        Who was treated.
    x : ndarray, shape (n, p)
        Covariates; columns that others explain add nothing.
    weight : ndarray, shape (n,), optional
        Weights above zero.

    Returns
    -------
    Projected

    Raises
    ------
    DesignError
        If an arm is empty, covariates tell who was treated, or parameters are as many as persons.

    References
    ----------
    Frisch and Waugh (1933), Partial time regressions as compared with individual trends,
    Econometrica 1(4).
    """
    n = len(treated)
    if treated.all() or not treated.any():
        raise DesignError(f"one arm is empty: {int(treated.sum())} of {n} persons are treated.")
    root = np.ones(n) if weight is None else np.sqrt(weight)
    centred = x - np.average(x, axis=0, weights=weight)
    design = root[:, None] * np.column_stack([np.ones(n), centred, treated])
    keep = independent(design, constant=False)
    if n <= keep.sum():
        raise DesignError(f"as many parameters as persons ({n}): name fewer covariates.")
    if not keep[-1]:
        raise DesignError("covariates tell who was treated: name fewer covariates.")
    q, _ = np.linalg.qr(design[:, :-1][:, keep[:-1]])
    d, z = (left - q @ (q.T @ left) for left in (design[:, -1], root[:, None] * y))
    return Projected(root, q, d, z)
