"""Draw `trial.csv`, a simulated trial: `python tests/reference/make_trial.py`.

Simulated, no real persons. Three arms drawn within six sites whose shares differ, weights,
three covariates with ties, a binary outcome, a continuous one with missing values, and
take-up of arm 1 with no-shows. Then `Rscript effects.R` in this folder writes `effects.csv`.
"""

from pathlib import Path

import numpy as np
import pandas as pd

SHARES = {  # of arms 0, 1, 2
    1: (0.2, 0.5, 0.3), 2: (0.5, 0.3, 0.2), 3: (0.4, 0.3, 0.3),
    4: (0.3, 0.3, 0.4), 5: (0.6, 0.2, 0.2), 6: (1 / 3, 1 / 3, 1 / 3),
}  # fmt: skip
N = 402


def draw(seed: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    site = rng.integers(1, 7, N)
    sex = rng.choice(["F", "M"], N, p=[0.55, 0.45])
    age = rng.integers(19, 56, N)
    educ = rng.integers(1, 5, N)
    earn0 = np.round(np.where(rng.random(N) < 0.3, 0, rng.gamma(2, 60, N)), 1)
    arm = np.zeros(N, dtype=int)
    for s, shares in SHARES.items():
        here = np.flatnonzero(site == s)
        ranks = (rng.permutation(len(here)) + 0.5) / len(here)
        arm[here] = np.searchsorted(np.cumsum(shares), ranks)
    attended = np.where(arm > 0, rng.random(N) < 0.7, 0).astype(int)
    strength = 0.1 * site + 0.02 * age + 0.2 * educ + 0.004 * earn0 + 0.6 * attended
    work = (rng.normal(size=N) + strength > 2).astype(int)
    spread = 20 + 10 * arm
    earn = np.round(100 + 40 * strength + spread * rng.normal(size=N), 2)
    earn[rng.random(N) < 0.12] = np.nan
    return pd.DataFrame(
        {
            "id": np.arange(1, N + 1),
            "site": site,
            "arm": arm,
            "sex": sex,
            "w": np.round(rng.uniform(0.5, 3, N), 3),
            "age": age,
            "educ": educ,
            "earn0": earn0,
            "attended": attended,
            "work": work,
            "earn": earn,
        }
    )


if __name__ == "__main__":
    draw(seed=20200618).to_csv(
        Path(__file__).with_name("trial.csv"), index=False, lineterminator="\n"
    )
