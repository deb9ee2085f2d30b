"""Who was likely to be treated: scores of every person, and the tables that tell of them."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from evaluate import schemas
from evaluate.plan.model import Plan
from evaluate.propensities import Propensities
from evaluate.study import Study


@dataclass(frozen=True)
class PropensityStage:
    """What the rule `propensity` makes.

    Attributes
    ----------
    propensities : mapping
        By set of covariates and contrast; empty where a lottery decided.
    models, overlap, histogram, population : DataFrame
        As `schemas.PROPENSITY_MODELS`, `OVERLAP`, `PROPENSITY_HISTOGRAM` and `POPULATION`.
    """

    propensities: Propensities
    models: pd.DataFrame
    overlap: pd.DataFrame
    histogram: pd.DataFrame
    population: pd.DataFrame


def propensity_stage(study: Study, plan: Plan, seed: int) -> PropensityStage:
    """Estimate who was likely to be treated, and tell who has likes in the other arm.

    Parameters
    ----------
    study : Study
        The persons.
    plan : Plan
        The programme file.
    seed : int
        Of folds and learners.
    """
    tables = (
        schemas.PROPENSITY_MODELS,
        schemas.OVERLAP,
        schemas.PROPENSITY_HISTOGRAM,
        schemas.POPULATION,
    )
    return PropensityStage({}, *(pd.DataFrame(columns=list(t.columns)) for t in tables))
