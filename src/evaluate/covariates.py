"""Covariates as columns of numbers: levels, missing values, columns that add nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

COLLINEAR = 1e-7  # of a column's length, as in R's lm


@dataclass(frozen=True)
class Covariates:
    """Named columns of numbers.

    Attributes
    ----------
    values : ndarray, shape (n, p)
        NaN where a numeric covariate is missing.
    names : tuple of str
        One name per column: ``age``, ``education=short``, ``age missing``.
    sources : tuple of str
        The covariate of the plan that each column comes from.
    of : str
        Name of the set, see `Plan.covariate_set`.
    """

    values: np.ndarray
    names: tuple[str, ...]
    sources: tuple[str, ...]
    of: str = ""

    def without(self, left_out: Sequence[str]) -> Covariates:
        """Leave out some covariates of the plan."""
        keep = np.array([s not in left_out for s in self.sources], dtype=bool)
        return self.pick(keep)

    def pick(self, keep: np.ndarray) -> Covariates:
        """Keep some columns, by a mask of shape (p,)."""
        return Covariates(
            self.values[:, keep],
            tuple(n for n, k in zip(self.names, keep, strict=True) if k),
            tuple(s for s, k in zip(self.sources, keep, strict=True) if k),
            self.of,
        )


def columns_of(frame: pd.DataFrame, all_levels: bool = False) -> Covariates:
    """Spread covariates into columns of numbers.

    Parameters
    ----------
    frame : DataFrame, shape (n, covariates)
        Floats, or codes as text with None where missing.
    all_levels : bool
        Keep every level of a categorical covariate; a regression leaves out the first.

    Returns
    -------
    Covariates
        A numeric covariate with missing values is followed by an indicator of them; in a
        categorical one, missing is a level of its own.
    """
    columns: list[tuple[np.ndarray, str, str]] = []
    for name, column in frame.items():
        absent = column.isna().to_numpy()
        if pd.api.types.is_float_dtype(column):
            columns.append((column.to_numpy(), str(name), str(name)))
        else:
            levels = sorted(column.dropna().unique())
            for level in levels if all_levels else levels[1:]:
                is_level = (column == level).to_numpy(dtype=float)
                columns.append((is_level, f"{name}={level}", str(name)))
        if absent.any():
            columns.append((absent.astype(float), f"{name} missing", str(name)))
    if not columns:
        return Covariates(np.empty((len(frame), 0)), (), ())
    values, names, sources = zip(*columns, strict=True)
    return Covariates(np.column_stack(values), names, sources)


def imputed(x: np.ndarray) -> np.ndarray:
    """Replace what is missing in a column by the mean of what is there (0 if nothing is)."""
    absent = np.isnan(x)
    if not absent.any():
        return x
    count = np.maximum((~absent).sum(axis=0), 1)
    mean = np.where(absent, 0, x).sum(axis=0) / count
    return np.where(absent, mean, x)


def independent(x: np.ndarray, constant: bool = True) -> np.ndarray:
    """Return which columns no earlier column explains, shape (p,).

    Of columns that explain each other the first is kept, as in R. With ``constant`` a
    constant comes before them all.
    """
    n, p = x.shape
    keep = np.zeros(p, dtype=bool)
    if n < 2 or p == 0:
        return keep
    centred = x - x.mean(axis=0) if constant else x
    length = np.linalg.norm(centred, axis=0)
    varies = length > COLLINEAR * np.maximum(np.linalg.norm(x, axis=0), 1e-300)
    if not varies.any():
        return keep
    keep = varies
    while True:
        r = np.asarray(np.linalg.qr(centred[:, keep] / length[keep], mode="r"))
        diagonal = np.zeros(keep.sum())
        diagonal[: min(r.shape)] = np.abs(np.diag(r))
        explained = np.flatnonzero(diagonal <= COLLINEAR)
        if not len(explained):
            return keep
        # what comes after an explained column was measured against noise: measure it anew
        keep[np.flatnonzero(keep)[explained[0]]] = False
