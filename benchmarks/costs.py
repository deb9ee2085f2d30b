"""Cost-effectiveness with joint draws, beside a resample of clusters in pandas.

    OMP_NUM_THREADS=1 python benchmarks/costs.py

10,000 persons in 400 clusters, 12 outcomes, all, women and men, 2,000 draws, curves of 50 points.
Ours is the whole table: regressions, Fieller's sets, draws, planes and curves. The peer is a loop
that draws clusters within arms with replacement and takes means anew; it is run with few draws and
scaled up.
"""

import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from dataclasses import replace

from simulate import plan_of, study_from

from evaluate.costs.effectiveness import cost_effectiveness
from evaluate.costs.joint_draws import DRAWS

PERSONS, CLUSTERS, OUTCOMES, POINTS, MOST = 10_000, 400, 12, 50, 100_000
PEER_DRAWS = 20


def study(rng):
    """Draw a trial of clusters with a person's cost; return it and its plan."""
    cluster = rng.integers(CLUSTERS, size=PERSONS)
    arm = (rng.permutation(CLUSTERS) % 2)[cluster]
    y = 0.1 * arm[:, None] + rng.normal(size=(PERSONS, OUTCOMES))
    names = [f"y{i}" for i in range(OUTCOMES)]
    costs = {
        "currency": "SEK", "price_year": 2022, "column": "cost", "outcomes": names,
        "threshold": {"from": 0, "to": MOST, "points": POINTS},
    }  # fmt: skip
    found = study_from(y, arm, women=rng.random(PERSONS) < 0.5, cluster=cluster)
    plan = plan_of(y, costs=costs, analysis={"estimators": ["ancova"]})
    return replace(found, cost=rng.gamma(4, 5_000, PERSONS) * arm), plan


def by_loop(study, draws, rng):
    """Return probabilities by group, outcome and threshold from resamples of whole clusters."""
    names = [f"y{i}" for i in range(OUTCOMES)]
    frame = pd.DataFrame(study.y, columns=names).assign(
        cost=study.cost, arm=study.arm, cluster=study.cluster, women=study.groups["women"]
    )
    members = dict(list(frame.groupby("cluster")))
    arms = frame.groupby("cluster")["arm"].first()
    thresholds = np.linspace(0, MOST, POINTS)
    above = {}
    for _ in range(draws):
        chosen = [
            c for a in (0, 1) for c in rng.choice(arms.index[arms == a], int((arms == a).sum()))
        ]
        sample = pd.concat([members[c] for c in chosen])
        for group, part in (
            ("all", sample),
            ("women", sample[sample["women"]]),
            ("men", sample[~sample["women"]]),
        ):
            means = part.groupby("arm")[[*names, "cost"]].mean()
            effect = means.loc[1] - means.loc[0]
            for name in names:
                for t in thresholds:
                    key = (group, name, t)
                    gained = t * effect[name] > effect["cost"]
                    above[key] = above.get(key, 0) + gained
    return {key: count / draws for key, count in above.items()}


def main():
    """Print how long both take, and their ratio."""
    rng = np.random.default_rng(1)
    trial, plan = study(rng)
    cost_effectiveness(trial, plan, None, rng)  # once, so that imports are not timed
    start = time.perf_counter()
    cost_effectiveness(trial, plan, None, rng)
    ours = time.perf_counter() - start
    start = time.perf_counter()
    by_loop(trial, PEER_DRAWS, rng)
    peer = (time.perf_counter() - start) * DRAWS / PEER_DRAWS
    print(f"cost-effectiveness, {PERSONS:,} persons, {DRAWS:,} draws, {OUTCOMES} outcomes:")
    print(f"  {ours:.2f} s; a loop in pandas {peer:,.0f} s ({PEER_DRAWS} draws, scaled)")
    print(f"  ratio {peer / ours:,.0f}")


if __name__ == "__main__":
    main()
