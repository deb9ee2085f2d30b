"""Simulated trials with known effects, as studies in memory."""

from __future__ import annotations

import numpy as np
import pandas as pd

from evaluate.plan.model import Plan
from evaluate.study import Study


def plan_of(y: np.ndarray, **sections: object) -> Plan:
    """Return a plan with the outcomes y0, y1 ... and the analysis in ``sections``."""
    columns: dict[str, object] = {
        "gender": {"column": "sex", "women": "F", "men": "M"},
        "treatment": {"column": "arm", "control": 0},
    }
    columns |= sections.pop("columns", {})
    return Plan.model_validate(
        {
            "title": {"en": "Simulated", "sv": "Simulerad"},
            "simulated": True,
            "design": "randomised",
            "data": {"participants": {"path": "data/raw/simulated/p.csv"}},
            "columns": columns,
            "outcomes": {f"y{i}": {"column": f"y{i}", "unit": "SEK"} for i in range(y.shape[1])},
            **sections,
        }
    )


def study_from(
    y: np.ndarray,
    arm: np.ndarray,
    women: np.ndarray | None = None,
    x: np.ndarray | pd.DataFrame | None = None,
    block: np.ndarray | None = None,
    weight: np.ndarray | None = None,
    takeup: np.ndarray | None = None,
    cluster: np.ndarray | None = None,
) -> Study:
    """Arrange arrays as a study; without ``women`` there is the group `all` only."""
    n = len(arm)
    groups = {"all": np.ones(n, dtype=bool)}
    if women is not None:
        groups |= {"women": women, "men": ~women}
    if not isinstance(x, pd.DataFrame):
        x = np.empty((n, 0)) if x is None else x
        x = pd.DataFrame(x, columns=[f"x{i}" for i in range(x.shape[1])], dtype=float)
    names = () if block is None else tuple(map(str, range(block.max() + 1)))
    return Study(
        arms=tuple(map(str, range(arm.max() + 1))),
        arm=arm,
        block=block,
        block_names=names,
        weight=weight,
        takeup=takeup,
        cost=None,
        share=None,
        covariates=x,
        baselines=pd.DataFrame(index=range(n)),
        groups=groups,
        y=y,
        cluster=cluster,
    )


def draw_within(rng: np.random.Generator, block: np.ndarray, share: np.ndarray) -> np.ndarray:
    """Assign a fixed share of each block, ``share`` by block, at least two to either arm."""
    arm = np.zeros(len(block), dtype=int)
    for b in np.unique(block):
        here = rng.permutation(np.flatnonzero(block == b))
        treated = np.clip(round(share[b] * len(here)), 2, len(here) - 2)
        arm[here[:treated]] = 1
    return arm


def arrays(
    seed: int, n: int = 80, arms: int = 2, blocks: int = 3, outcomes: int = 2
) -> dict[str, np.ndarray]:
    """Draw a small trial with two persons or more in every cell of block, arm and gender."""
    rng = np.random.default_rng(seed)
    cells = blocks * arms * 2
    cell = np.concatenate([np.repeat(np.arange(cells), 2), rng.integers(0, cells, n - 2 * cells)])
    cell = rng.permutation(cell)
    block, arm, women = cell % blocks, cell // blocks % arms, cell // (blocks * arms) == 0
    x = rng.normal(size=(n, 2)).round(1)
    noise = rng.normal(size=(n, outcomes))
    y = arm[:, None] + 0.5 * block[:, None] + x.sum(axis=1, keepdims=True) + noise
    weight = rng.uniform(0.5, 3, n)
    return {"y": y, "arm": arm, "women": women, "x": x, "block": block, "weight": weight}
