"""Randomisation tests and adjusted p-values beside what their parts cost elsewhere.

    OMP_NUM_THREADS=1 python benchmarks/randomisation.py

Peers that take long are run on a part of the job and scaled up. pyfixest is compared with where it
is installed; the project does not need it.
"""

import importlib.util
import itertools
import time

import numpy as np
import pandas as pd
import statsmodels.api as sm

from evaluate.effects.multiplicity import romano_wolf, westfall_young
from evaluate.effects.randomisation import Comparison, randomisation_tests, residualised
from evaluate.effects.regression import fixed_effects

PERSONS, BLOCKS, COVARIATES, OUTCOMES, DRAWS = 10_000, 16, 42, 108, 10_000
FAMILY, SIGNS = 18, 999  # outcomes and draws of Romano and Wolf's adjustment
PEER_DRAWS = 20
PAIR = (1, 0)


def trial(rng):
    """Draw a blocked trial, its persons in the order of their blocks."""
    block = np.sort(rng.integers(0, BLOCKS, PERSONS))
    arm = (rng.random(PERSONS) < 0.3 + 0.02 * block).astype(int)
    women = rng.random(PERSONS) < 0.5
    x = rng.normal(size=(PERSONS, COVARIATES))
    y = x[:, :5].sum(axis=1, keepdims=True) + 0.1 * arm[:, None]
    return y + rng.normal(size=(PERSONS, OUTCOMES)), arm, block, women, x


def timed(call):
    """Return how long a call takes, and what it returns."""
    start = time.perf_counter()
    found = call()
    return time.perf_counter() - start, found


def tests(left, arm, block, women, rng):
    """Test all outcomes for all, women, men and the gap, and adjust over the outcomes."""
    groups = [(np.ones(PERSONS, dtype=bool), None), (women, None), (~women, None), (women, ~women)]
    comparisons = [Comparison(left, rows, less, keep=True) for rows, less in groups]
    found = randomisation_tests(comparisons, arm, PAIR, DRAWS, rng, block)
    return [westfall_young(t.statistic, t.drawn, t.every) for t in found]


def drawing_and_products(left, arm, block, rng):
    """Draw with numpy's own permutations; sum every outcome over the treated; nothing else."""
    single = left.astype(np.float32)
    edges = np.searchsorted(block, np.arange(BLOCKS + 1))
    step = 1_000
    for _ in range(DRAWS // step):
        z = np.tile(arm.astype(np.int8), (step, 1))
        for low, high in itertools.pairwise(edges):
            z[:, low:high] = rng.permuted(z[:, low:high], axis=1)
        z.astype(np.float32) @ single


def numpy_loop(left, arm, block, women, rng):
    """Draw and studentise one assignment at a time, all outcomes together."""
    for _ in range(PEER_DRAWS):
        z = arm.copy()
        for b in range(BLOCKS):
            rows = np.flatnonzero(block == b)
            z[rows] = rng.permutation(z[rows])
        for group in (np.ones(PERSONS, dtype=bool), women, ~women):
            value, variance = np.zeros(OUTCOMES), np.zeros(OUTCOMES)
            for b in range(BLOCKS):
                here = group & (block == b)
                one, other = left[here & (z == 1)], left[here & (z == 0)]
                share = here.sum() / group.sum()
                value += share * (one.mean(axis=0) - other.mean(axis=0))
                for side in (one, other):
                    variance += share**2 * side.var(axis=0, ddof=1) / len(side)
            value / np.sqrt(variance)


def pyfixest_rwolf(y, arm, block, x):
    """Adjust by pyfixest, the regressions not counted."""
    import pyfixest

    names = [f"x{i}" for i in range(COVARIATES)]
    frame = pd.DataFrame(np.column_stack([arm, x]), columns=["z", *names]).assign(block=block)
    frame = frame.join(pd.DataFrame(y[:, :FAMILY]).add_prefix("y"))
    right = " + ".join(["z", *names, "C(block)"])
    fits = [pyfixest.feols(f"y{i} ~ {right}", data=frame, vcov="HC1") for i in range(FAMILY)]
    pyfixest.rwolf(fits, "z", reps=9, seed=1)  # compiles
    return timed(lambda: pyfixest.rwolf(fits, "z", reps=SIGNS, seed=1))[0]


def statsmodels_rwolf(y, arm, block, x, rng):
    """Adjust by a wild bootstrap of regressions, one at a time; return the time scaled up."""
    design = np.column_stack([arm, x, np.equal.outer(block, np.arange(BLOCKS))])
    null = sm.OLS(y[:, 0], design[:, 1:]).fit()

    def some():
        for _ in range(PEER_DRAWS):
            sign = rng.choice([-1.0, 1.0], PERSONS)
            sm.OLS(null.fittedvalues + sign * null.resid, design).fit(cov_type="HC1").tvalues[0]

    return timed(some)[0] * SIGNS * FAMILY / PEER_DRAWS


def jobs():
    """Return every job: its name and seconds, its peer and the peer's seconds, scaled up."""
    rng = np.random.default_rng(20200618)
    y, arm, block, women, x = trial(rng)
    left = residualised(y, x, np.ones(PERSONS, dtype=bool), block)
    lines = []

    name = f"{DRAWS:,} draws, {4 * OUTCOMES} p-values"
    ours, _ = timed(lambda: tests(left, arm, block, women, rng))
    peer, _ = timed(lambda: drawing_and_products(left, arm, block, rng))
    lines.append((name, ours, "permuted and products", peer))
    peer, _ = timed(lambda: numpy_loop(left, arm, block, women, rng))
    lines.append((name, ours, "numpy, one by one", peer * DRAWS / PEER_DRAWS))

    one = fixed_effects(y[:, :FAMILY], arm, x, [PAIR], block, kind="HC1")[0]
    ours, _ = timed(lambda: romano_wolf(one, SIGNS, rng))
    if importlib.util.find_spec("pyfixest") and importlib.util.find_spec("wildboottest"):
        peer, peer_name = pyfixest_rwolf(y, arm, block, x), "pyfixest rwolf"
    else:
        peer, peer_name = statsmodels_rwolf(y, arm, block, x, rng), "statsmodels, one by one"
    lines.append((f"Romano-Wolf, {FAMILY} outcomes", ours, peer_name, peer))
    return lines


def main():
    """Print every job beside its peer."""
    for job, seconds, name, seconds_peer in jobs():
        print(
            f"{job:<32}{seconds:8.2f} s   {name:<26}{seconds_peer:8.1f} s"
            f"   ratio {seconds_peer / seconds:7.1f}"
        )


if __name__ == "__main__":
    main()
