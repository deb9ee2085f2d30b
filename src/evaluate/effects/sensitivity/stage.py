"""How far the findings can be trusted: hidden factors, refuters, other analyses, a verdict."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from evaluate import schemas
from evaluate.plan.model import Plan
from evaluate.study import Study


@dataclass(frozen=True)
class SensitivityStage:
    """What the rule `sensitivity` makes: tables as in `schemas` by the same names."""

    sensitivity: pd.DataFrame
    refutations: pd.DataFrame
    specifications: pd.DataFrame
    verdict: pd.DataFrame


def sensitivity_stage(
    study: Study, plan: Plan, tables: Mapping[str, pd.DataFrame], seed: int
) -> SensitivityStage:
    """Ask of each primary outcome what would undo its finding.

    Parameters
    ----------
    study : Study
        The persons, with propensities.
    plan : Plan
        The programme file.
    tables : mapping of str to DataFrame
        ``effects``, ``design_checks``, ``balance``, ``overlap``, ``graph`` and
        ``event_study``, exact.
    seed : int
        Of the refuters' draws.
    """
    empty = (schemas.SENSITIVITY, schemas.REFUTATIONS, schemas.SPECIFICATIONS, schemas.VERDICT)
    return SensitivityStage(*(pd.DataFrame(columns=list(t.columns)) for t in empty))
