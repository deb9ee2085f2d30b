"""Write `projection_persons.csv`: `python tests/reference/projection_make_persons.py`.

Scores of 180 simulated persons in 18 clusters, made from Weyl sequences, not from a random
generator, so that they are the same with every version of numpy. No person is real.
"""

from pathlib import Path

import numpy as np
import pandas as pd
from scipy.stats import norm

N, CLUSTERS = 180, 18


def weyl(root: float) -> np.ndarray:
    """Return numbers spread evenly over 0 to 1, in no visible order."""
    return np.mod(np.arange(1, N + 1) * np.sqrt(root), 1)


def main() -> None:
    """Write the table."""
    age = np.round(20 + 40 * weyl(2))
    before = np.round(norm.ppf(weyl(3)), 3)
    men = (weyl(5) < 0.45).astype(int)
    treated = weyl(7) < 0.4
    cluster = (weyl(11) * CLUSTERS).astype(int)
    weight = np.round(0.5 + 1.5 * weyl(13), 3)
    noise = norm.ppf(weyl(17)) + 0.5 * norm.ppf(weyl(19))[cluster]
    effect = 1 + 0.02 * (age - 40) + 0.5 * before
    sign = np.where(treated, 1 / 0.4, -1 / 0.6)
    ate = effect + sign * noise
    att = np.where(treated, effect + noise, -0.7 * noise)
    table = {
        "age": age,
        "before": before,
        "men": men,
        "treated": treated.astype(int),
        "cluster": cluster,
        "weight": weight,
        "ate": ate.round(6),
        "att": att.round(6),
    }
    pd.DataFrame(table).to_csv(Path(__file__).parent / "projection_persons.csv", index=False)


if __name__ == "__main__":
    main()
