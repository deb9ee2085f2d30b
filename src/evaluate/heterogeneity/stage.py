"""Who benefits: what the rule `conditional_effects` makes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from evaluate import schemas
from evaluate.heterogeneity.signals import Case
from evaluate.plan.model import Plan
from evaluate.study import Study


@dataclass(frozen=True)
class WhoBenefits:
    """Tables as of `schemas`, by the same names."""

    conditional_effects: pd.DataFrame
    heterogeneity_tests: pd.DataFrame
    sorted_groups: pd.DataFrame
    sorted_profile: pd.DataFrame
    effect_distribution: pd.DataFrame
    policies: pd.DataFrame
    policy_tree: pd.DataFrame
    targeting_curve: pd.DataFrame


def who_benefits(study: Study, plan: Plan, cases: Sequence[Case], seed: int) -> WhoBenefits:
    """Ask of every case whether effects differ, between whom, and what targeting would be worth."""
    empty = [
        pd.DataFrame(columns=list(getattr(schemas, name.upper()).columns))
        for name in WhoBenefits.__dataclass_fields__
    ]
    return WhoBenefits(*empty)
