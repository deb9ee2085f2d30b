"""Simulated persons without a lottery, with their plan; no person is real."""

from __future__ import annotations

from dataclasses import replace as replaced
from unittest.mock import patch

import numpy as np
import pandas as pd

from evaluate import schemas
from evaluate.design.overlap import trim
from evaluate.effects.sensitivity import refutations
from evaluate.effects.sensitivity.other_scores import cross_fitted
from evaluate.effects.sensitivity.questions import asked, questions
from evaluate.effects.sensitivity.stage import sensitivity_stage
from evaluate.effects.table import effects
from evaluate.plan.model import Plan
from evaluate.study import Study

EMPTY = ("design_checks", "balance", "overlap", "graph", "event_study")


def plan_of(covariates=("age", "skill", "before"), genders=True, **analysis):
    gender = {"column": "sex", "women": "F", "men": "M"} if genders else "men"
    stated = {"propensity": {"model": "logit", "trim": "none"}}
    stated["cross_fitting"] = {"folds": 3, "splits": 2, "learner": "linear"}
    return Plan.model_validate(
        {
            "title": {"en": "Simulated", "sv": "Simulerat"},
            "simulated": True,
            "design": "observational",
            "data": {"participants": {"path": "p.csv"}},
            "columns": {
                "person": "id",
                "gender": gender,
                "treatment": {"column": "treat", "control": 0, "arms": [1]},
            },
            "covariates": list(covariates),
            "outcomes": {
                "earn": {"column": "earn", "unit": "SEK", "role": "primary"},
                "work": {"column": "work", "unit": "share", "role": "primary"},
                "earlier": {
                    "column": "earlier",
                    "unit": "SEK",
                    "role": "placebo",
                    "without": ["before"] if "before" in covariates else [],
                },
            },
            "analysis": stated | analysis,
        }
    )


def study_of(plan, n=900, effect=2.0, hidden=0.0, seed=1, splits=2):
    """Draw persons; ``hidden`` is how far something unmeasured moves treatment and outcomes.

    The placebo outcome is moved by the hidden factor as the outcome is, not by treatment.
    """
    rng = np.random.default_rng(seed)
    skill, u, age = rng.normal(size=n), rng.normal(size=n), rng.normal(size=n)
    woman = rng.random(n) < 0.5
    before = skill + 0.5 * rng.normal(size=n)
    eta = -0.6 + 0.5 * skill + 0.2 * age + hidden * u
    treated = rng.random(n) < 1 / (1 + np.exp(-eta))
    earn = effect * treated + skill + 0.5 * before + hidden * u + rng.normal(size=n)
    chance = 1 / (1 + np.exp(-(0.8 * treated * (effect > 0) + 0.5 * skill + hidden * u)))
    earlier = skill + hidden * u + 0.7 * rng.normal(size=n)
    columns = {"age": age, "skill": skill, "before": before}
    names = [c.column for c in plan.covariate_list]
    y = {"earn": earn, "work": (rng.random(n) < chance).astype(float), "earlier": earlier}
    groups = {"all": np.ones(n, dtype=bool), "women": woman, "men": ~woman}
    if not plan.columns.both_genders:
        groups = {"all": groups["all"], "men": groups["all"]}
    study = Study(
        arms=("0", "1"),
        arm=treated.astype(int),
        block=None,
        block_names=(),
        weight=None,
        takeup=None,
        cost=None,
        share=None,
        covariates=pd.DataFrame({name: columns[name] for name in names}),
        baselines=pd.DataFrame(index=range(n)),
        groups=groups,
        y=np.column_stack([y[c.outcome] for c in plan.outcome_columns]),
    )
    scores = {}
    for one in asked(study, plan, questions(plan)):
        drawn = [
            cross_fitted(study, plan, one.covariates, (1, 0), "logit", seed + s)
            for s in range(splits)
        ]
        first = drawn[0]
        treated, rule = study.arm == 1, plan.analysis.propensity.trim
        both = {k: np.vstack([getattr(d, k) for d in drawn]) for k in ("fold", "score")}
        kept = trim(np.median(both["score"], axis=0), treated, rule, "att").keep
        scores[one.covariates.of, "1"] = type(first)(kept=kept, model="logit", **both)
    return replaced(study, propensities=scores)


def tables_of(study, plan):
    """Return the exact effects, and the tables of the design without rows."""
    found = {"effects": effects(study, plan).table}
    for name in EMPTY:
        found[name] = pd.DataFrame(columns=list(getattr(schemas, name.upper()).columns))
    return found


def stage_of(study, plan, tables):
    """Run the stage with few draws of the refuters, which are most of its time."""
    with patch.object(refutations, "DRAWS", 20):
        return sensitivity_stage(study, plan, tables, 1)
