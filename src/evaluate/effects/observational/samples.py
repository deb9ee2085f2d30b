"""The arranged persons of one batch of outcomes, and propensities fitted to these very persons."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field

import numpy as np

from evaluate.covariates import Covariates
from evaluate.design.propensity_models import fit_logit, regressors
from evaluate.effects.observational.sample import Arranged, arranged
from evaluate.errors import DesignError
from evaluate.plan.model import Plan
from evaluate.study import Study

Contrast = tuple[int, int]
Key = tuple[str, Contrast]  # group and contrast
Fitted = tuple[np.ndarray, np.ndarray | None]  # propensities, and columns of their logit


@dataclass(frozen=True)
class Samples:
    """The arranged persons of one batch of outcomes, each arranged once for all estimators.

    Attributes
    ----------
    study, plan : Study, Plan
        The persons and the programme file.
    observed : ndarray of bool, shape (n,)
        Who has the outcomes.
    covariates : Covariates
        What adjusts them.
    held : dict
        Those arranged so far.
    scores : dict
        Propensities fitted to these so far, see `fitted_score`.
    """

    study: Study
    plan: Plan
    observed: np.ndarray
    covariates: Covariates
    held: dict[Key, Arranged] = field(default_factory=dict)
    scores: dict[Key, Fitted] = field(default_factory=dict)

    def of(self, group: str, contrast: Contrast) -> Arranged:
        """Return the persons of a group and contrast; a `DesignError` where there are none."""
        if (group, contrast) not in self.held:
            self.held[group, contrast] = arranged(
                self.study, self.plan, self.covariates, self.observed, contrast,
                self.study.groups[group],
            )  # fmt: skip
        return self.held[group, contrast]

    def score(self, one: Arranged) -> Fitted:
        """Return the propensities of persons arranged here, fitted once for all estimators."""
        key = next(key for key, held in self.held.items() if held is one)
        if key not in self.scores:
            self.scores[key] = fitted_score(self.study, self.plan, one)
        return self.scores[key]


def fitted_score(study: Study, plan: Plan, one: Arranged) -> Fitted:
    """Return propensities for weights and matches, and the columns of the logit that gave them.

    Where the plan's model is a logit it is fitted anew to these very persons, so that errors can
    count its estimation; its columns are None where it has no maximum of its own. Otherwise the
    propensities are the medians of those cross-fitted.

    Parameters
    ----------
    study : Study
        The persons.
    plan : Plan
        The programme file.
    one : Arranged
        A group and contrast.

    Returns
    -------
    score : ndarray, shape (m,)
    design : ndarray, shape (m, q), or None
    """
    if one.model != "logit":
        if not len(one.score):
            raise DesignError("the probability of treatment could not be estimated.")
        return one.median, None
    whole = [np.ones(len(one.treated), dtype=bool)]
    if plan.analysis.propensity.within_gender and plan.columns.both_genders:
        genders = [study.groups[g][one.rows] for g in ("women", "men")]
        genders.append(~(genders[0] | genders[1]))
        with suppress(DesignError):  # then one model for both, as of the cross-fitted ones
            return _logits(one, [g for g in genders if g.any()])
    return _logits(one, whole)


def _logits(one: Arranged, parts: Sequence[np.ndarray]) -> Fitted:
    """Fit a logit to each part of the persons, masks of shape (m,)."""
    score, designs, is_maximum = np.empty(len(one.treated)), [], True
    for part in parts:
        treated, x = one.treated[part], one.x[part]
        x = x[:, np.ptp(x, axis=0) > 0]
        smaller = int(min(treated.sum(), (~treated).sum()))
        if smaller <= x.shape[1]:
            raise DesignError(
                f"{x.shape[1]} covariate columns for {smaller:,} persons in the smaller arm: "
                "name fewer."
            )
        columns, _ = regressors(x, smaller)
        w = np.ones(len(treated)) if one.weight is None else one.weight[part]
        logit = fit_logit(columns, treated, w / w.mean())
        if logit.separates:
            raise DesignError(
                f"the covariates tell the {int(treated.sum()):,} treated from the "
                f"{int((~treated).sum()):,} comparison persons without error: name fewer."
            )
        score[part], is_maximum = logit.score, is_maximum and logit.penalty == 0
        block = np.zeros((len(score), columns.shape[1]))
        block[part] = columns
        designs.append(block)
    return score, np.hstack(designs) if is_maximum else None
