"""Studies without a lottery in memory, with scores as the stage `design` would leave them."""

from dataclasses import replace

import numpy as np
import pandas as pd

from evaluate.design.propensity import propensity
from evaluate.effects.fit import covariates_for
from evaluate.effects.observational.sample import with_gender
from evaluate.plan.model import Plan
from evaluate.propensities import CrossFit
from evaluate.study import Study


def plan_of(outcomes, covariates, gender=None, columns=None, costs=None, **analysis):
    """Return a plan; ``outcomes`` by name, each a section or a role."""
    own = {"treatment": {"column": "treat", "control": 0}} | (columns or {})
    if gender is not None:
        own["gender"] = gender
    sections = {
        key: {"column": key, "unit": "points", "role": o} if isinstance(o, str) else o
        for key, o in outcomes.items()
    }
    return Plan.model_validate(
        {
            "title": {"en": "Simulated", "sv": "Simulerad"},
            "design": "observational",
            "data": {"participants": {"path": "p.csv"}},
            "columns": own,
            "covariates": list(covariates),
            "outcomes": sections,
            "groups": analysis.pop("groups", []),
            "analysis": analysis,
            "costs": costs,
        }
    )


BOTH = {"column": "sex", "women": "F", "men": "M"}


def study_from(y, treated, x, names, women=None, weight=None, cluster=None, groups=None, arms=2):
    """Return a study of arrays; ``treated`` may be the position of the arm."""
    n = len(treated)
    own = {"all": np.ones(n, dtype=bool)}
    if women is not None:
        own |= {"women": women, "men": ~women}
    own |= groups or {}
    return Study(
        arms=tuple(str(a) for a in range(arms)),
        arm=np.asarray(treated).astype(int),
        block=None,
        block_names=(),
        weight=weight,
        takeup=None,
        cost=None,
        share=None,
        covariates=pd.DataFrame(dict(zip(names, np.asarray(x, dtype=float).T, strict=True))),
        baselines=pd.DataFrame(index=range(n)),
        groups=own,
        y=np.asarray(y, dtype=float).reshape(n, -1),
        cluster=cluster,
    )


def scored(study, plan, model="logit", kept=None, folds=5, splits=2, seed=0):
    """Return the study with cross-fitted scores of every set of covariates and contrast."""
    found = {}
    for outcome, stated in plan.outcomes.items():
        name = plan.covariate_set(outcome)
        own = outcome if outcome in study.baselines else ""
        columns = covariates_for(study, own, stated.without, name)
        for contrast in study.contrasts:
            if (name, study.label(contrast)) in found:
                continue
            rows = np.isin(study.arm, contrast)
            there = with_gender(study, plan, columns, rows)
            part = replace(there, values=there.values[rows])
            fit = propensity(
                part, study.arm[rows] == contrast[0], model, folds=folds, splits=splits,
                seed=seed,
                weight=None if study.weight is None else study.weight[rows],
                cluster=None if study.cluster is None else study.cluster[rows],
            )  # fmt: skip
            fold = np.full((splits, study.n), -1)
            score = np.full((splits, study.n), np.nan)
            fold[:, rows], score[:, rows] = fit.fold.T, fit.score.T
            keep = rows if kept is None else rows & kept(score)
            found[name, study.label(contrast)] = CrossFit(fold, score, keep, fit.model)
    return replace(study, propensities=found)
