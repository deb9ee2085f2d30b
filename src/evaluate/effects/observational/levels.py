"""Levels with treatment, which less the effects are those without it."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from evaluate.effects.arm_means import means, two_arms
from evaluate.effects.batches import Batch
from evaluate.effects.fit import Fit
from evaluate.effects.observational.estimands import effects_by_group
from evaluate.effects.observational.samples import Key, Samples
from evaluate.estimates import Estimates
from evaluate.plan.model import Plan
from evaluate.study import GAP, Study

RAW = ("difference_in_means", "regression")  # compare those who are there


def levels_with_treatment(
    study: Study, plan: Plan, batch: Batch, fits: Mapping[Key, Fit]
) -> dict[Key, Estimates]:
    """Return the mean outcomes with treatment of those whom the lead estimator's effects are about.

    For the treated they are means of what they had. For all they are the effects on the outcome
    times treatment, which is nothing without treatment.

    Parameters
    ----------
    study, plan : Study, Plan
        The persons and the programme file.
    batch : Batch
        The k outcome columns.
    fits : mapping of (group, contrast) to Fit
        The effects.

    Returns
    -------
    dict of (group, contrast) to Estimates
        k values each, for those that have effects; of the gap women's less men's.
    """
    lead, found = plan.estimators[0], dict[Key, Estimates]()
    of_all = plan.analysis.estimand == "ate" and lead not in RAW
    samples = Samples(study, plan, batch.observed, batch.covariates)
    if of_all:
        for contrast in study.contrasts:
            treated = study.arm == contrast[0]
            among = effects_by_group(samples, lead, batch.y * treated[:, None])
            found |= {
                key: fit.effects
                for key, fit in among.items()
                if key[1] == contrast and fit.effects is not None and fits[key].effects is not None
            }
    else:
        for (group, contrast), fit in fits.items():
            sides, _ = two_arms(study, fit.rows, contrast)
            if group != GAP and fit.effects is not None and sides is not None:
                found[group, contrast] = means(sides[0], batch.y[sides[0].persons])
    for contrast in study.contrasts:
        parts = [found.get((g, contrast)) for g in ("women", "men")]
        if (GAP, contrast) in fits and parts[0] is not None and parts[1] is not None:
            found[GAP, contrast] = parts[0] - parts[1]
    return {key: one for key, one in found.items() if np.isfinite(one.value).all() and key in fits}
