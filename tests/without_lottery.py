"""Simulated studies without a lottery; no person is real."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
from simulate import plan_of, study_from

from evaluate.design.propensity_stage import propensity_stage

FAST = {"cross_fitting": {"folds": 3, "splits": 2}, "propensity": {"model": "logit"}}


def drawn(seed=1, n=600, slope=0.7, p=3, arms=2, women=True):
    """Draw persons who choose an arm by their covariates, the last of which is an indicator."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, p)).round(2)
    x[:, -1] = x[:, -1] > 0
    is_woman = rng.random(n) < 0.5
    utility = np.outer(slope * x[:, 0] - 0.4 * is_woman, np.arange(arms))
    arm = np.argmax(utility + rng.gumbel(size=(n, arms)), axis=1)
    y = (x @ np.ones(p) + arm + rng.normal(size=n))[:, None]
    return {"y": y, "arm": arm, "women": is_woman if women else None, "x": x}


def plan_without_lottery(y, names=("x0", "x1", "x2"), analysis=None, **sections):
    """Return an observational plan; sections of the analysis replace those of `FAST`."""
    return plan_of(
        y,
        **(
            {
                "design": "observational",
                "covariates": list(names),
                "analysis": FAST | (analysis or {}),
            }
            | sections
        ),
    )


def staged(parts, analysis=None, **sections):
    """Return study with propensities, plan and what the stage made."""
    study = study_from(**parts)
    names = list(study.covariates.columns)
    plan = plan_without_lottery(parts["y"], names, analysis, **sections)
    found = propensity_stage(study, plan, 7)
    return replace(study, propensities=found.propensities), plan, found


def frame_of(parts):
    """Return the raw table of a study, as `studies.write_raw` takes it."""
    names = [f"x{i}" for i in range(parts["x"].shape[1])]
    frame = pd.DataFrame(parts["x"], columns=names)
    return frame.assign(
        id=[f"P{i:06d}" for i in range(len(frame))],
        sex=np.where(parts["women"], "F", "M"),
        treat=parts["arm"],
        hours=parts["y"][:, 0].round(3),
        work=(parts["y"][:, 0] > 0.5).astype(int),
    )
