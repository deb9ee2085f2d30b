"""Probabilities of treatment of the persons of a study, as the stage `design` leaves them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from evaluate import schemas
from evaluate.io import read_parquet


@dataclass(frozen=True)
class CrossFit:
    """Of one contrast, with one set of covariates.

    Attributes
    ----------
    fold : ndarray of int, shape (splits, n)
        Fold of each person, -1 of those in neither arm.
    score : ndarray, shape (splits, n)
        Probability of the arm rather than of the one it is compared with, from a model fitted
        to the other folds; NaN of those in neither arm.
    kept : ndarray of bool, shape (n,)
        Who is in either arm and not trimmed.
    model : str
        What gave the scores: ``logit`` or ``boosting``; empty where it is not known.
    """

    fold: np.ndarray
    score: np.ndarray
    kept: np.ndarray
    model: str = ""

    @property
    def median(self) -> np.ndarray:
        """Median score over the splits, shape (n,)."""
        return np.asarray(np.median(self.score, axis=0))


Key = tuple[str, str]  # name of the set of covariates (see `Plan.covariate_set`), contrast
Propensities = Mapping[Key, CrossFit]


def table_of(found: Propensities) -> pd.DataFrame:
    """Return the file between the stages, as `schemas.PROPENSITY`."""
    parts = []
    for (covariates, arm), one in found.items():
        splits = len(one.fold)
        person = np.flatnonzero(one.fold[0] >= 0)
        m = len(person)
        parts.append(
            pd.DataFrame(
                {
                    "covariates": covariates,
                    "arm": arm,
                    "split": np.repeat(np.arange(splits), m),
                    "person": np.tile(person, splits),
                    "fold": one.fold[:, person].ravel(),
                    "score": one.score[:, person].ravel(),
                    "kept": np.tile(one.kept[person], splits),
                    "model": one.model,
                }
            )
        )
    if not parts:
        return pd.DataFrame(columns=list(schemas.PROPENSITY.columns))
    return pd.concat(parts, ignore_index=True)


def propensities_of(table: pd.DataFrame, n: int) -> dict[Key, CrossFit]:
    """Arrange the file between the stages as arrays over the n persons of the study."""
    found: dict[Key, CrossFit] = {}
    for (covariates, arm), rows in table.groupby(["covariates", "arm"], sort=False):
        splits = int(rows["split"].max()) + 1
        person = rows["person"].to_numpy(dtype=int).reshape(splits, -1)
        fold = np.full((splits, n), -1)
        score = np.full((splits, n), np.nan)
        kept = np.zeros(n, dtype=bool)
        each = np.arange(splits)[:, None]
        fold[each, person] = rows["fold"].to_numpy(dtype=int).reshape(splits, -1)
        score[each, person] = rows["score"].to_numpy(dtype=float).reshape(splits, -1)
        kept[person[0]] = rows["kept"].to_numpy(dtype=bool)[: person.shape[1]]
        model = rows["model"].iloc[0]
        found[str(covariates), str(arm)] = CrossFit(
            fold, score, kept, model if isinstance(model, str) else ""
        )
    return found


def read_propensities(path: str | Path, n: int) -> dict[Key, CrossFit]:
    """Read the probabilities of the n persons of a study; none where a lottery decided."""
    return propensities_of(read_parquet(path, schemas.PROPENSITY), n)
