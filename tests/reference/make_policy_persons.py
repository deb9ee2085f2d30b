"""Draw the persons of policy_persons.csv. Simulated; no person is real. Run in this folder."""

import numpy as np
import pandas as pd

rng = np.random.default_rng(20260)
n = 240
cluster = np.sort(rng.integers(24, size=n))
men = (rng.random(n) < 0.5).astype(int)
x = rng.normal(size=n).round(3)
m = (1 / (1 + np.exp(-0.5 * x))).round(3)
treated = (rng.random(n) < m).astype(int)
g0 = (0.4 * x).round(3)
g1 = (0.4 * x + 0.5 - 0.3 * men).round(3)
y = (np.where(treated, g1, g0) + 0.5 * rng.normal(size=24)[cluster] + rng.normal(size=n)).round(3)
pd.DataFrame(
    {
        "cluster": cluster,
        "men": men,
        "x": x,
        "m": m,
        "treated": treated,
        "g0": g0,
        "g1": g1,
        "y": y,
        "weight": rng.uniform(0.5, 2, n).round(3),
        "spent": np.where(treated, rng.gamma(4, 5, n), rng.gamma(2, 2, n)).round(2),
        "predicted": (0.3 - 0.2 * men + 0.1 * x).round(2),
    }
).to_csv("policy_persons.csv", index=False, lineterminator="\n")
