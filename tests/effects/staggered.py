"""Simulated programmes that persons start in different calendar months; no person is real."""

from __future__ import annotations

import numpy as np
import pandas as pd

from evaluate.plan.model import Plan
from evaluate.study import study_of

MONTHS = range(-5, 7)
FIRST = 2020 * 12 + 3  # an April
GENDER = {"column": "sex", "women": "F", "men": "M"}


def plan_of(months=MONTHS, gender=True, covariates=("age",), arms=None, **more):
    """Return a plan that asks for difference-in-differences."""
    columns = {
        "person": "id",
        "treatment": {"column": "treat", "control": 0, "arms": arms},
        "offered": "zero",
        "started": "start",
        **({"gender": GENDER} if gender else {}),
        **more.pop("columns", {}),
    }
    return Plan.model_validate(
        {
            "title": {"en": "Simulated", "sv": "Simulerad"},
            "design": "observational",
            "data": {"participants": {"path": "p.csv"}},
            "columns": columns,
            "covariates": list(covariates),
            "outcomes": {
                "work": {
                    "columns": {m: f"work{m}" for m in months},
                    "unit": "days per month",
                    "role": "primary",
                }
            },
            "analysis": {"estimators": ["aipw", "did"]},
        }
        | more
    )


def gain(women, start, since):
    """Return the true effect: it grows since the start, falls by cohort, is greater for women."""
    size = (1 + women) * (2.0 - 0.1 * start)
    return np.where(since >= 0, size * (1 + 0.4 * since), 0.0)


def people(seed, n=900, starts=(0, 2, 4), months=MONTHS, own_zero=True, trend=0.5, leaning=0.0):
    """Draw participants and outcomes.

    With ``own_zero`` months are counted from each person's own time zero, which is the start of
    those who start; otherwise everybody is followed from the same month, and starts ``starts``
    months after it. Those who start are older, and the outcomes of the older grow faster
    (``trend``); ``leaning`` is a trend of those who start that no covariate explains.
    """
    rng = np.random.default_rng(seed)
    women, age = rng.random(n) < 0.5, rng.normal(size=n)
    treated = rng.random(n) < 1 / (1 + np.exp(0.3 - 0.6 * age))
    start = np.array(starts)[rng.integers(len(starts), size=n)]
    zero = start if own_zero else np.zeros(n, dtype=int)
    calendar = zero[:, None] + np.asarray(months) - 1
    since = calendar - start[:, None]
    y = 5 + rng.normal(size=(n, 1)) + 0.2 * np.sin(calendar) + rng.normal(0, 1, calendar.shape)
    y += trend * age[:, None] * calendar + leaning * treated[:, None] * calendar
    y += treated[:, None] * gain(women[:, None], start[:, None], since)
    participants = pd.DataFrame(
        {
            "arm": np.where(treated, "1", "0"),
            "gender": np.where(women, "women", "men"),
            "takeup": np.nan,
            "block": None,
            "weight": np.nan,
            "share": np.nan,
            "cost": np.nan,
            "covariate.age": age,
            "time_zero_month": pd.array(FIRST + zero, dtype="Int64"),
            "started_month": pd.array(np.where(treated, FIRST + start, 0), dtype="Int64"),
        }
    )
    participants.loc[~treated, "started_month"] = pd.NA
    outcomes = pd.DataFrame(y, columns=[f"work@{m}" for m in months])
    return participants, outcomes


def study(participants, outcomes, plan):
    """Return the study of these persons."""
    return study_of(participants, outcomes, plan)
