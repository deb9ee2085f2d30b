"""The whole stage of who benefits beside econml's causal forest with 500 trees, in one run.

    OMP_NUM_THREADS=1 python benchmarks/heterogeneity.py            20,000 and 100,000 x 20
    OMP_NUM_THREADS=1 python benchmarks/heterogeneity.py --large    1,000,000 x 20 as well

The stage is all of it: nuisances of one outcome, projection, three learners in honest splits with
their tests, sorted groups, targeting and the gap explained. The forest alone has boosted
nuisances, which take a third of the time of its own defaults; it uses both processors, as the
stage's forest does. Each job has a process of its own, which tells its peak memory. The data are
simulated: a lottery, effects that differ by gender and one covariate.
"""

import os
import resource
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd

from evaluate.plan.model import Plan
from evaluate.study import Study

SMALL, MIDDLE, LARGE, COVARIATES = 20_000, 100_000, 1_000_000, 20
TREES, SEED = 500, 20200618


def programme(n):
    """Draw a lottery: persons and plan."""
    rng = np.random.default_rng(1)
    x = rng.normal(size=(n, COVARIATES - 1))
    women = rng.random(n) < 0.5
    arm = (rng.random(n) < 0.5).astype(int)
    gain = 0.2 + 0.3 * women + 0.3 * (x[:, 1] > 0)
    y = x[:, :5].sum(axis=1) + 0.3 * x[:, 0] ** 2 + gain * arm + rng.normal(size=n)
    names = [f"x{i}" for i in range(COVARIATES - 1)]
    study = Study(
        arms=("0", "1"),
        arm=arm,
        block=None,
        block_names=(),
        weight=None,
        takeup=None,
        cost=None,
        share=None,
        covariates=pd.DataFrame(x, columns=names),
        baselines=pd.DataFrame(index=range(n)),
        groups={"all": np.ones(n, dtype=bool), "women": women, "men": ~women},
        y=y[:, None],
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
            },
            "covariates": names,
            "outcomes": {"y": {"column": "y", "unit": "points"}},
            "analysis": {"estimators": ["lin"]},
        }
    )
    return study, plan


def stage(study, plan):
    """Run the stage, from nuisances to tables; return the time of its parts."""
    from evaluate.heterogeneity.gap_table import gap_table
    from evaluate.heterogeneity.scores import cases_of, scores_of
    from evaluate.heterogeneity.stage import who_benefits

    times = {}

    def timed(name, call):
        start = time.perf_counter()
        found = call()
        times[name] = time.perf_counter() - start
        return found

    table = timed("nuisances", lambda: scores_of(study, plan, SEED))
    cases = timed("cases", lambda: cases_of(table, study, plan))
    found = timed("who benefits", lambda: who_benefits(study, plan, cases, SEED))
    gap = timed("gap", lambda: gap_table(study, plan, cases, SEED))
    for made in (found.heterogeneity_tests, found.policies, found.sorted_groups, gap):
        if made.empty:
            raise SystemExit("a table of the stage is empty: nothing was measured")
    return times


def forest(study, plan):
    """Fit econml's forest and predict every person's effect."""
    from econml.dml import CausalForestDML
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

    x = study.covariates.assign(men=study.groups["men"]).to_numpy(dtype=float)
    start = time.perf_counter()
    model = CausalForestDML(
        model_y=HistGradientBoostingRegressor(random_state=1),
        model_t=HistGradientBoostingClassifier(random_state=1),
        discrete_treatment=True,
        n_estimators=TREES,
        random_state=1,
        n_jobs=2,
    )
    model.fit(study.y[:, 0], study.arm, X=x).effect(x)
    return {"forest": time.perf_counter() - start}


def measured(job, n):
    """Return the seconds of a job's parts, those of the processors, and its peak memory in GB."""
    code = f"import heterogeneity; heterogeneity.told('{job}', {n})"
    said = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        cwd=Path(__file__).parent,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        capture_output=True,
        text=True,
    )
    if said.returncode:
        raise SystemExit(said.stderr[-2_000:])
    *parts, busy, peak = said.stdout.strip().splitlines()[-1].split("|")
    return {k: float(v) for k, v in (p.split("=") for p in parts)}, float(busy), float(peak)


def told(job, n):
    """Print what `measured` reads."""
    study, plan = programme(n)
    start = time.process_time()
    parts = {"stage": stage, "forest": forest}[job](study, plan)
    busy = time.process_time() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print("|".join([*(f"{k}={v}" for k, v in parts.items()), str(busy), str(peak)]))


def jobs():
    """Yield the job beside its peer: name and seconds, the peer's name and seconds."""
    ours, *_ = measured("stage", SMALL)
    theirs, *_ = measured("forest", SMALL)
    yield (
        f"who benefits, {SMALL:,} x {COVARIATES}",
        sum(ours.values()),
        "econml forest, 500 trees",
        sum(theirs.values()),
    )


def main():
    """Print time and memory by size, and the forest's at the smallest."""
    for n in (SMALL, MIDDLE, *([LARGE] if "--large" in sys.argv else [])):
        parts, busy, peak = measured("stage", n)
        seconds = sum(parts.values())
        detail = ", ".join(f"{k} {v:.1f}" for k, v in parts.items())
        line = (
            f"{n:>9,} x {COVARIATES}  {seconds:6.1f} s, {busy:6.1f} s of processors, {peak:5.2f} GB"
        )
        print(f"{line}  stage: {detail}", flush=True)
        if n == SMALL:
            theirs, both, high = measured("forest", n)
            other = sum(theirs.values())
            line = f"{other:18.1f} s, {both:6.1f} s of processors, {high:5.2f} GB"
            print(f"{line}  forest of {TREES} trees: {other / seconds:.1f} x", flush=True)


if __name__ == "__main__":
    main()
