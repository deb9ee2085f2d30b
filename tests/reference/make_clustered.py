"""Draw `clustered.csv`, a simulated trial of clusters: `python tests/reference/make_clustered.py`.

Simulated, no real persons. 35 clusters of 1 to 20 persons in five blocks. Clusters were
drawn within blocks to treatment, in shares that differ, once to `arm` (treated or not) and
once more, in another trial of the same persons, to the three arms of `arm3`; `attended` is
take-up of `arm`, without any among the controls. Both outcomes have missing values, and one
cluster has no `earn` at all. `Rscript clusters.R` in this folder reads it, as do others.
"""

from pathlib import Path

import numpy as np
import pandas as pd

ARMS = {1: (4, 2), 2: (2, 4), 3: (5, 2), 4: (3, 5), 5: (5, 3)}  # clusters of arms 0, 1
ARMS3 = {1: (2, 2, 2), 2: (2, 2, 2), 3: (3, 2, 2), 4: (3, 3, 2), 5: (2, 3, 3)}
LARGE = 3  # blocks from here on can spare a cluster
ALONE = 3  # clusters of one person
FEWEST = 2  # clusters of a gender with a known outcome in each block and arm


def draw(rng: np.random.Generator) -> pd.DataFrame:
    block = np.repeat(list(ARMS), [sum(sizes) for sizes in ARMS.values()])
    arm, arm3 = (
        np.concatenate([rng.permutation(np.repeat(np.arange(len(k)), k)) for k in sizes.values()])
        for sizes in (ARMS, ARMS3)
    )
    size = rng.integers(3, 21, len(block))
    *alone, silent = rng.choice(np.flatnonzero(block >= LARGE), ALONE + 1, replace=False)
    size[alone] = 1
    shock = rng.normal(size=len(block))
    milieu = rng.normal(size=len(block))

    cluster = np.repeat(np.arange(len(block)), size)
    n = len(cluster)
    women = rng.random(n) < 0.55
    age = np.clip(np.round(36 + 3 * milieu[cluster] + 9 * rng.normal(size=n)), 19, 60)
    educ = rng.integers(1, 5, n)
    earn0 = np.round(np.where(rng.random(n) < 0.3, 0, rng.gamma(2, 60, n)), 1)
    attended = np.where(arm[cluster] == 1, rng.random(n) < 0.7, 0).astype(int)
    gain = attended * (0.4 + 0.4 * women) + 0.3 * arm3[cluster]
    strength = gain + 0.5 * shock[cluster] + 0.1 * block[cluster]
    strength += 0.02 * age + 0.2 * educ + 0.004 * earn0
    work = (rng.normal(size=n) + strength > 2.4).astype(float)
    earn = np.round(100 + 40 * strength + (20 + 15 * attended) * rng.normal(size=n), 1)
    work[rng.random(n) < 0.05] = np.nan
    earn[rng.random(n) < 0.12] = np.nan
    earn[cluster == silent] = np.nan
    return pd.DataFrame(
        {
            "id": np.arange(1, n + 1),
            "cluster": [f"c{c + 1:02d}" for c in cluster],
            "block": block[cluster],
            "arm": arm[cluster],
            "arm3": arm3[cluster],
            "sex": np.where(women, "F", "M"),
            "w": np.round(rng.uniform(0.5, 3, n), 3),
            "age": age.astype(int),
            "educ": educ,
            "earn0": earn0,
            "attended": attended,
            "work": pd.array(work, dtype="Int64"),
            "earn": earn,
        }
    ).sample(frac=1, random_state=rng)  # clusters are not blocks of neighbouring rows


def serves(trial: pd.DataFrame) -> bool:
    """Tell whether each block and arm keeps clusters enough, for each outcome and gender."""

    def fewest(outcome: str, arm: str) -> int:
        cells = trial[trial[outcome].notna()].groupby(["block", arm, "sex"])["cluster"].nunique()
        return int(cells.min()) if len(cells) == 2 * len(ARMS) * trial[arm].nunique() else 0

    return all(fewest(y, arm) >= FEWEST for y in ("work", "earn") for arm in ("arm", "arm3"))


if __name__ == "__main__":
    rng = np.random.default_rng(20220504)
    trial = draw(rng)
    while not serves(trial):
        trial = draw(rng)
    trial.to_csv(Path(__file__).with_name("clustered.csv"), index=False, lineterminator="\n")
