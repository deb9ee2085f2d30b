"""The persons of one contrast and group as the observational estimators take them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy import sparse

from evaluate.covariates import Covariates, imputed, independent
from evaluate.errors import DesignError, persons
from evaluate.estimates import Estimates
from evaluate.plan.model import Plan
from evaluate.propensities import CrossFit
from evaluate.study import Study


@dataclass(frozen=True)
class Arranged:
    """The m persons of a contrast and group who have an outcome and are kept.

    Attributes
    ----------
    rows : ndarray of bool, shape (n,)
        Who of the study's persons they are.
    treated : ndarray of bool, shape (m,)
        Who is in the first arm of the contrast.
    x : ndarray, shape (m, p)
        Covariates: means in place of what is missing, indicators of that, and of gender where
        the group holds both; no column constant or explained by earlier ones.
    names, sources : tuple of str
        Name of each column, and the covariate of the plan that it comes from (or ``gender``).
    fold : ndarray of int, shape (splits, m)
        Folds; no splits where no propensity was estimated.
    score : ndarray, shape (splits, m)
        Probability of treatment, from a model fitted to the other folds.
    model : str
        What gave the scores: ``logit`` or ``boosting``; empty where it is not known.
    weight : ndarray, shape (m,), or None
        Weights above zero.
    cluster : ndarray of int, shape (m,), or None
        Cluster of each, among all of the study.
    units : int
        Clusters of the study; 0 where there are none.
    imputed : int
        Values of covariates that are means in place of what is missing.
    dropped : tuple of str
        Columns left out.
    trimmed : tuple of int
        Treated and comparison persons with the outcome whom trimming leaves out.
    """

    rows: np.ndarray
    treated: np.ndarray
    x: np.ndarray
    names: tuple[str, ...]
    sources: tuple[str, ...]
    fold: np.ndarray
    score: np.ndarray
    model: str
    weight: np.ndarray | None
    cluster: np.ndarray | None
    units: int
    imputed: int
    dropped: tuple[str, ...]
    trimmed: tuple[int, int]

    @property
    def median(self) -> np.ndarray:
        """Median score over the splits, shape (m,), as estimated."""
        return np.asarray(np.median(self.score, axis=0))

    def held(self, clip: float, estimand: str) -> tuple[np.ndarray, int]:
        """Return the median score held at the bounds, shape (m,), and how many this moves.

        For the ATT the bound below is none: a comparison person's weight is harmless there.
        """
        low = clip if estimand == "ate" else 0.0
        found = np.clip(self.median, low, 1 - clip)
        return found, int((found != self.median).sum())

    def spread(self, scores: np.ndarray) -> np.ndarray:
        """Return scores of these persons, shape (m, k), as those of all the study's units.

        Clusters have the sums of their persons' scores times the root of G / (G - 1), of the G
        clusters that these persons come from.
        """
        if self.cluster is None:
            if self.rows.all():
                return scores
            found = np.zeros((len(self.rows), scores.shape[1]))
            found[self.rows] = scores
            return found
        m, g = len(self.cluster), len(np.unique(self.cluster))
        size = np.full(m, np.sqrt(g / max(g - 1, 1)))
        people = sparse.csr_array((size, (self.cluster, np.arange(m))), shape=(self.units, m))
        return np.asarray(people @ scores)

    def all_rows(self, found: Estimates) -> Estimates:
        """Return estimates with scores of all the study's units, see `spread`.

        Clusters leave one less than their number as degrees of freedom.
        """
        if self.cluster is None:
            return replace(found, scores=self.spread(found.scores))
        df = np.full(len(found.value), float(max(len(np.unique(self.cluster)) - 1, 1)))
        return replace(found, scores=self.spread(found.scores), df=df)


def with_gender(study: Study, plan: Plan, covariates: Covariates, group: np.ndarray) -> Covariates:
    """Add an indicator of men, where a group of the study, a mask of shape (n,), holds both.

    Persons whose gender is neither have an indicator too.
    """
    if not plan.columns.both_genders:
        return covariates
    women, men = study.groups["women"], study.groups["men"]
    extra = {"men": men, "gender missing": ~(women | men)}
    found = {k: v for k, v in extra.items() if 0 < (v & group).sum() < group.sum()}
    if not found:
        return covariates
    return replace(
        covariates,
        values=np.column_stack([covariates.values, *found.values()]).astype(float, copy=False),
        names=(*covariates.names, *found),
        sources=(*covariates.sources, *("gender" for _ in found)),
    )


def arranged(
    study: Study,
    plan: Plan,
    covariates: Covariates,
    observed: np.ndarray,
    contrast: tuple[int, int],
    group: np.ndarray,
    trimmed: bool = True,
) -> Arranged:
    """Arrange a contrast and group.

    Parameters
    ----------
    study : Study
        The persons, with propensities.
    plan : Plan
        The programme file.
    covariates : Covariates
        Columns of all n persons, NaN where missing, from `effects.fit.covariates_for`.
    observed : ndarray of bool, shape (n,)
        Who has the outcome.
    contrast : (int, int)
        One of ``study.contrasts``.
    group : ndarray of bool, shape (n,)
        One of ``study.groups``.
    trimmed : bool
        Whether those whom trimming leaves out are left out.

    Returns
    -------
    Arranged

    Raises
    ------
    DesignError
        If an arm is empty, or persons are to be trimmed and have no propensities.
    """
    first, second = contrast
    there = group & observed & np.isin(study.arm, contrast)
    found = study.propensities.get((covariates.of, study.label(contrast)))
    if found is None and trimmed and plan.analysis.propensity.trim != "none":
        raise DesignError(
            "the probability of treatment could not be estimated, and trimming rests on it."
        )
    rows = there & found.kept if found is not None and trimmed else there
    counts = [int((rows & (study.arm == a)).sum()) for a in (first, second)]
    if min(counts) == 0:
        raise DesignError(
            f"{counts[0]:,} treated and {persons(counts[1])} to compare with: both are needed."
        )
    lost = [int((there & ~rows & (study.arm == a)).sum()) for a in (first, second)]
    columns = with_gender(study, plan, covariates, rows)
    values = columns.values if rows.all() else columns.values[rows]
    x = imputed(values)
    keep = independent(x)
    scores = found or CrossFit(
        np.empty((0, study.n), dtype=int), np.empty((0, study.n)), np.ones(study.n, dtype=bool)
    )
    kept = columns.pick(keep)
    return Arranged(
        rows=rows,
        treated=study.arm[rows] == first,
        x=x if keep.all() else x[:, keep],
        names=kept.names,
        sources=kept.sources,
        fold=scores.fold[:, rows],
        score=scores.score[:, rows],
        model=scores.model,
        weight=None if study.weight is None else study.weight[rows],
        cluster=None if study.cluster is None else study.cluster[rows],
        units=0 if study.cluster is None else study.units,
        imputed=int(np.isnan(values).sum()),
        dropped=tuple(n for n, k in zip(columns.names, keep, strict=True) if not k),
        trimmed=(lost[0], lost[1]),
    )
