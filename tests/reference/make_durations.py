"""Draw `durations.csv`, months to a first job: `python tests/reference/make_durations.py`.

Simulated, no real persons. 18 clusters, half of them treated; each month until the twelfth a
person may find a job (event 1), leave for other reasons (event 2) or be lost sight of (event
0), and those who are left at the end are lost sight of in month 12. Many share a month. Nobody
among the treated is lost in month 1, some among the controls are. `Rscript durations.R` in
this folder reads it.
"""

from pathlib import Path

import numpy as np
import pandas as pd

CLUSTERS, N, LAST = 18, 420, 12
RISKS = {"job": (0.07, 0.12), "exit": 0.04, "lost": 0.02}  # a month; job by arm


def draw(seed: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    cluster = rng.integers(0, CLUSTERS, N)
    arm = cluster % 2
    women = rng.random(N) < 0.55
    luck = np.exp(0.3 * rng.normal(size=CLUSTERS))[cluster]
    job = np.asarray(RISKS["job"])[arm] * luck * np.where(women, 1, 0.85)
    month, event = np.full(N, LAST), np.zeros(N, dtype=int)
    still = np.ones(N, dtype=bool)
    for m in range(1, LAST + 1):
        u = rng.random(N)
        lost = RISKS["lost"] * ((m > 1) | (arm == 0))
        what = np.select(
            [u < job, u < job + RISKS["exit"], u < job + RISKS["exit"] + lost], [1, 2, 0], -1
        )
        now = still & (what >= 0)
        month[now], event[now] = m, what[now]
        still &= ~now
    return pd.DataFrame(
        {
            "person": np.arange(1, N + 1),
            "cluster": cluster + 1,
            "arm": arm,
            "sex": np.where(women, "F", "M"),
            "w": np.round(rng.uniform(0.5, 3, N), 3),
            "month": month,
            "event": event,
        }
    )


if __name__ == "__main__":
    draw(seed=20240901).to_csv(
        Path(__file__).with_name("durations.csv"), index=False, lineterminator="\n"
    )
