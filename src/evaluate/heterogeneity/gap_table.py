"""The gap between women and men in the effects, explained: the table."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from evaluate import schemas
from evaluate.heterogeneity.signals import Case
from evaluate.plan.model import Plan
from evaluate.study import Study


def gap_table(study: Study, plan: Plan, cases: Sequence[Case], seed: int) -> pd.DataFrame:
    """Return the parts of the gap as `schemas.GAP`."""
    return pd.DataFrame(columns=list(schemas.GAP.columns))
