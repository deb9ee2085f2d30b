"""Nearest-neighbour matching with Abadie-Imbens errors beside R's Matching.

    OMP_NUM_THREADS=1 python benchmarks/matching.py
    OMP_NUM_THREADS=1 python benchmarks/matching.py --full     the peer at full size, too

The peer compares everybody with everybody: it is run at a smaller size and scaled by the square
of the number of persons. It takes scores within 0.00001 standard deviations for the same whatever
it is told, so that with very many persons its estimates are of slightly more matches.
"""

import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

from evaluate.effects.observational.abadie_imbens import matched_effects
from evaluate.effects.observational.estimated_score import Propensity
from evaluate.effects.observational.matching import match

PERSONS, PEER_PERSONS, COVARIATES = 100_000, 20_000, 20
PEER = """
suppressMessages(library(Matching))
d <- read.csv("persons.csv")
start <- proc.time()[["elapsed"]]
fit <- suppressWarnings(Match(d$y, d$t, d$p, distance.tolerance = 0))
cat(proc.time()[["elapsed"]] - start, fit$est, fit$se)
"""


def study(persons, seed=1):
    """Draw persons with overlap: outcome, treated, covariates, propensity."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(persons, COVARIATES))
    p = 1 / (1 + np.exp(1 - 0.3 * x[:, :5].sum(axis=1)))
    treated = rng.random(persons) < p
    y = x[:, :5].sum(axis=1) + treated + rng.normal(size=persons)
    return y[:, None], treated, x, p


def matched(y, treated, p):
    """Match on the propensity, 1:1 with replacement, on the treated, one variance of all."""
    return matched_effects(y, match(treated, p[:, None], "score"), variance_neighbours=0)


def timed(call):
    """Return how long a call takes, and what it returns."""
    start = time.perf_counter()
    found = call()
    return time.perf_counter() - start, found


def peer(persons):
    """Return seconds, estimate and error of R's Matching, or None where there is no R."""
    if not shutil.which("Rscript"):
        return None
    y, treated, _, p = study(persons)
    with tempfile.TemporaryDirectory() as folder:
        table = pd.DataFrame({"y": y[:, 0], "t": treated.astype(int), "p": p})
        table.to_csv(Path(folder) / "persons.csv", index=False, float_format="%.17g")
        ran = subprocess.run(
            ["Rscript", "-e", PEER], cwd=folder, capture_output=True, text=True, check=False
        )
    return list(map(float, ran.stdout.split())) if ran.returncode == 0 else None


def main(full=False):
    """Print a row for each job."""
    y, treated, x, p = study(PERSONS)
    own = min(timed(lambda: matched(y, treated, p))[0] for _ in range(3))
    print(f"1:1 on the propensity, {PERSONS:,} persons{own:12.2f} s")
    size = PERSONS if full else PEER_PERSONS
    if found := peer(size):
        small = study(size)
        got = matched(small[0], small[1], small[3])
        scaled = found[0] * (PERSONS / size) ** 2
        print(f"R Matching, {size:,} persons scaled{scaled:12.2f} s    {scaled / own:.0f} times")
        print(
            f"   estimates {got.value[0]:.8f} and {found[1]:.8f}, "
            f"errors {got.std_error[0]:.8f} and {found[2]:.8f}"
        )
    jobs = {
        "its variances from two neighbours": lambda: matched_effects(
            y, match(treated, p[:, None], "score")
        ),
        "the same for 108 outcomes": lambda: matched_effects(
            np.repeat(y, 108, axis=1), match(treated, p[:, None], "score")
        ),
        "with the errors of an estimated score": lambda: matched_effects(
            y, match(treated, p[:, None], "score"), propensity=Propensity(p, x)
        ),
        "without replacement, caliper 0.2": lambda: matched_effects(
            y, match(treated, p[:, None], "score", replace=False, caliper=0.2)
        ),
        "Mahalanobis, 5 covariates, corrected": lambda: matched_effects(
            y, match(treated, x[:, :5], "mahalanobis"), x[:, :5]
        ),
        "Mahalanobis, 20 covariates, corrected": lambda: matched_effects(
            y, match(treated, x, "mahalanobis"), x
        ),
    }
    for name, job in jobs.items():
        print(f"{name:40}{timed(job)[0]:10.2f} s")


if __name__ == "__main__":
    main("--full" in sys.argv)
