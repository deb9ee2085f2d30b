"""Each job beside the peer that a user would pick instead, as a ratio in one run.

    make bench
    python benchmarks/run.py --growth      time and memory up to 1,000,000 persons
    python benchmarks/aipw.py --large      doubly robust effects, 1,000,000 persons x 20
    python benchmarks/heterogeneity.py --large      who benefits, the same

The data are simulated. A peer that takes long is run on a part of the job and scaled up; the
table says so. R's packages, DoubleML and csdid are run where they are installed.
"""

import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import heterogeneity
import numpy as np
import observational
import pandas as pd
import randomisation
import statsmodels.api as sm

from evaluate.design.permutation import joint_test
from evaluate.effects.table import effects
from evaluate.plan.config import Disclosure
from evaluate.plan.model import Plan
from evaluate.release.publish import publish
from evaluate.study import Study

PERSONS, BLOCKS, COVARIATES, OUTCOMES = 10_000, 16, 42, 108
PEER_OUTCOMES, PEER_DRAWS = 3, 200


def trial(rng, persons=PERSONS):
    """Draw a blocked trial: persons, plan and arrays."""
    block = rng.integers(0, BLOCKS, persons)
    arm = (rng.random(persons) < 0.3 + 0.02 * block).astype(int)
    women = rng.random(persons) < 0.5
    x = rng.normal(size=(persons, COVARIATES))
    y = rng.normal(size=(persons, OUTCOMES))
    y += x[:, :5].sum(axis=1, keepdims=True) + 0.1 * arm[:, None]
    names = [f"x{i}" for i in range(COVARIATES)]
    study = Study(
        arms=("0", "1"),
        arm=arm,
        block=block,
        block_names=tuple(f"site={b}" for b in range(BLOCKS)),
        weight=None,
        takeup=None,
        cost=None,
        share=None,
        covariates=pd.DataFrame(x, columns=names),
        baselines=pd.DataFrame(index=range(persons)),
        groups={"all": np.ones(persons, dtype=bool), "women": women, "men": ~women},
        y=y,
    )
    plan = Plan.model_validate(
        {
            "title": {"en": "Simulated", "sv": "Simulerat"},
            "simulated": True,
            "design": "randomised",
            "data": {"participants": {"path": "none.csv"}},
            "columns": {
                "gender": {"column": "g", "women": 1, "men": 0},
                "treatment": {"column": "z", "control": 0},
                "blocks": ["site"],
            },
            "covariates": names,
            "outcomes": {f"y{i}": {"column": f"y{i}", "unit": "points"} for i in range(OUTCOMES)},
            "analysis": {"estimators": ["lin"]},
        }
    )
    return study, plan


def timed(call):
    """Return how long a call takes, and what it returns."""
    start = time.perf_counter()
    found = call()
    return time.perf_counter() - start, found


def statsmodels_loop(study):
    """Fit Lin's regression with HC2, one outcome and group at a time, the gap from both."""
    for i in range(PEER_OUTCOMES):
        for rows in study.groups.values():
            dummies = np.equal.outer(study.block[rows], np.arange(1, BLOCKS)).astype(float)
            x = np.column_stack([study.covariates.to_numpy()[rows], dummies])
            x = x - x.mean(axis=0)
            z = study.arm[rows][:, None]
            design = np.column_stack([np.ones(len(x)), z, x, z * x])
            sm.OLS(study.y[rows, i], design).fit(cov_type="HC2").bse[1]


LM_LIN = """
library(estimatr)
d <- read.csv("trial.csv"); f <- as.formula(paste("~", paste(grep("^x", names(d), value = TRUE),
  collapse = " + "), "+ factor(b)"))
start <- proc.time()[["elapsed"]]
for (y in grep("^y", names(d), value = TRUE)) for (rows in list(TRUE, d$women == 1, d$women == 0))
  lm_lin(as.formula(paste(y, "~ z")), f, d[rows, ], se_type = "HC2")
cat(proc.time()[["elapsed"]] - start)
"""


def estimatr_loop(study):
    """Return how long estimatr takes for some outcomes, one at a time; the gap comes free."""
    frame = study.covariates.assign(z=study.arm, b=study.block, women=study.groups["women"] * 1)
    for i in range(PEER_OUTCOMES):
        frame[f"y{i}"] = study.y[:, i]
    with tempfile.TemporaryDirectory() as folder:
        frame.to_csv(Path(folder) / "trial.csv", index=False)
        said = subprocess.run(
            ["Rscript", "-e", LM_LIN], cwd=folder, capture_output=True, text=True, check=True
        )
    return float(said.stdout.split()[-1])


def growth():
    """Print time and peak memory of effects, and of p-values by randomisation, by size."""
    for persons in (10_000, 100_000, 1_000_000):
        code = f"import run; run.growth_of({persons})"
        subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parent, check=True)


def growth_of(persons):
    """Print them for one size, in a process of its own."""
    study, plan = trial(np.random.default_rng(1), persons)
    for name, rng in (("effects", None), ("with drawn p-values", np.random.default_rng(1))):
        seconds, _ = timed(lambda rng=rng: effects(study, plan, rng))
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
        print(f"{persons:>9,} persons  {name:<20}{seconds:8.1f} s  {peak:5.2f} GB", flush=True)


def permutation_loop(study, rng):
    """Draw assignments within blocks and regress them on the covariates, one at a time."""
    x = np.column_stack([np.ones(PERSONS), study.covariates.to_numpy()])
    for _ in range(PEER_DRAWS):
        drawn = study.arm.copy()
        for b in range(BLOCKS):
            rows = study.block == b
            drawn[rows] = rng.permutation(drawn[rows])
        np.linalg.lstsq(x, drawn, rcond=None)


def main():
    """Run every job and its peer, and print their ratio."""
    if "--growth" in sys.argv:
        growth()
        return
    rng = np.random.default_rng(20200618)
    study, plan = trial(rng)
    lines = []

    ours, found = timed(lambda: effects(study, plan))
    peer, _ = timed(lambda: statsmodels_loop(study))
    peer *= OUTCOMES / PEER_OUTCOMES
    name = f"{len(found.table)} effects, Lin HC2"
    lines.append((name, ours, "statsmodels, one by one", peer))
    if shutil.which("Rscript"):
        peer = estimatr_loop(study) * OUTCOMES / PEER_OUTCOMES
        lines.append((name, ours, "estimatr lm_lin", peer))
    lines += randomisation.jobs()

    ours, _ = timed(
        lambda: joint_test(study.covariates.to_numpy(), study.arm, study.block, 10_000, rng)
    )
    peer, _ = timed(lambda: permutation_loop(study, rng))
    peer *= 10_000 / PEER_DRAWS
    lines.append(("joint balance, 10,000 draws", ours, "numpy, one by one", peer))
    lines += observational.jobs()
    lines += heterogeneity.jobs()

    participants = pd.DataFrame({"arm": study.arm.astype(str), "gender": "women"})
    participants.loc[study.groups["men"], "gender"] = "men"
    gate, _ = timed(lambda: publish({"effects": found.table}, participants, plan, Disclosure()))

    print(f"{PERSONS:,} persons, {BLOCKS} blocks, {COVARIATES} covariates, {OUTCOMES} outcomes")
    for job, seconds, name, seconds_peer in lines:
        told = "   not installed"
        if seconds_peer is not None:
            told = f"{seconds_peer:8.1f} s   ratio {seconds_peer / seconds:7.1f}"
        print(f"{job:<32}{seconds:8.2f} s   {name:<26}{told}")
    print(f"{'release gate on the effects':<32}{gate:8.2f} s")
    print("Scaled up from a part of the job: estimatr, R Matching, and what is done one by one.")


if __name__ == "__main__":
    main()
