"""Simulated trials with known effects, one for each design that field trials use."""

import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from simulate import draw_within, plan_of, study_from  # the tests' own trials

WOMEN, MEN, COMPLIERS = 2.0, 1.0, 0.7  # effect of taking part by gender; share who take up
EVERY = ["difference_in_means", "lin", "fixed_effects", "ancova"]
COMMON = ["difference_in_means", "fixed_effects", "ancova"]

DESIGNS = {
    "simple, 140 persons": {"n": 140},
    "simple, a quarter offered, 400 persons": {"n": 400, "share": 0.25},
    "blocks with shares 0.2 to 0.75, 260 persons": {"n": 260, "blocks": (0.2, 0.35, 0.5, 0.75)},
    "70 pairs of persons": {
        "n": 140, "pairs": True, "estimators": ["difference_in_means", "ancova"],
    },
    "three arms, 450 persons": {"n": 450, "arms": 3},
    "weights 0.5 to 3, 400 persons": {"n": 400, "weighted": True},
    "slopes of women and men shared, 240 persons": {
        "n": 240, "slopes": "shared", "estimators": ["lin"],
    },
    "outcome 0 or 1, 400 persons": {"n": 400, "binary": True},
    "50 clusters of 4 to 16 persons": {"clusters": 50, "estimators": EVERY},
    "16 clusters of 4 to 16 persons": {"clusters": 16},
    "48 clusters in blocks with shares 0.25 to 0.75": {
        "clusters": 48, "blocks": (0.25, 0.5, 0.5, 0.75),
    },
    "60 clusters, three arms, weights": {"clusters": 60, "arms": 3, "weighted": True},
    "20 pairs of clusters": {"clusters": 40, "pairs": True},
    "10 clusters, wild bootstrap": {
        "clusters": 10, "interval": "wild_bootstrap", "estimators": ["fixed_effects"],
    },
    "three waves, 300 persons": {"n": 300, "waves": 3, "estimators": EVERY},
}  # fmt: skip


def assigned(rng, unit_block, share, blocks, arms, pairs):
    """Draw the arm of each unit, as its design does."""
    count = len(unit_block)
    if pairs:
        first = rng.integers(0, 2, count // 2)
        return np.column_stack([first, 1 - first]).ravel()
    if arms > 2:
        return rng.permutation(np.arange(count) % arms)
    return draw_within(rng, unit_block, np.array(blocks or (share,)))


def trial(
    rng,
    n=0,
    share=0.5,
    blocks=(),
    arms=2,
    weighted=False,
    slopes="apart",
    binary=False,
    clusters=0,
    pairs=False,
    waves=0,
    interval="t",
    estimators=None,
    effect=1.0,
    permutations=10_000,
    outcomes=1,
    missing=0.0,
    multiplicity="westfall_young",
):
    """Draw a trial; return its study, its plan, and the true effects by estimand and group.

    Of several outcomes each is the same with noise of its own added; `missing` is the chance
    that a person lacks them.
    """
    if clusters:
        cluster = np.repeat(np.arange(clusters), rng.integers(4, 17, clusters))
        units, unit = clusters, cluster
    else:
        cluster, units, unit = None, n, np.arange(n)
    unit_block = np.arange(units) // 2 if pairs else np.arange(units) // 2 % max(len(blocks), 1)
    if waves:
        unit, block, arm = wave_rows(rng, n, share, waves)
        cluster = unit
    else:
        arm = assigned(rng, unit_block, share, blocks, arms, pairs)[unit]
        block = unit_block[unit]
    n = len(unit)
    women = np.arange(n) % 2 == 0 if not waves else unit % 2 == 0
    if pairs and not clusters:
        women = unit_block % 2 == 0  # pairs of one gender
    x = rng.normal(size=(n, 2))
    x[:, 1] = rng.normal(size=units)[unit] if clusters or waves else x[:, 1]
    took = (arm > 0) & (rng.random(n) < COMPLIERS)
    gain = effect * np.where(women, WOMEN, MEN)
    if binary:
        gain = gain / 10  # percentage points, constant: 0.3 of control are 1
        y = (rng.random(n) < 0.3 + 0.1 * np.tanh(x[:, 0]) + gain * took).astype(float)
    else:
        noise = np.where(arm > 0, 1 + effect, 1.0) * rng.normal(size=n)
        y = 0.8 * (block % 5) + x @ [1.0, -0.5] + gain * took + noise
        if clusters or waves:
            y += 0.6 * rng.normal(size=units)[unit]
    y = y[:, None] + (rng.normal(size=(n, outcomes)) if outcomes > 1 else 0)
    if missing:
        y[rng.random(n) < missing] = np.nan
    weight = rng.uniform(0.5, 3, n) if weighted else None
    groups = {"all": np.ones(n, dtype=bool), "women": women, "men": ~women}
    late = {
        g: np.average(gain[m], weights=None if weight is None else weight[m])
        for g, m in groups.items()
    }
    late["women-men"] = late["women"] - late["men"]
    named = block if blocks or pairs or waves else None
    study = study_from(y, arm, women, x, named, weight, took.astype(float), cluster=cluster)
    columns = {"takeup": {"column": "t", "taken": 1}}
    columns |= {"blocks": ["b"]} if blocks or pairs else {}
    columns |= {"weight": "w"} if weighted else {}
    columns |= {"cluster": "c"} if clusters else {}
    columns |= {"person": "id", "wave": "wave"} if waves else {}
    chosen = estimators or (COMMON if clusters else EVERY)
    plan = plan_of(
        study.y,
        columns=columns,
        covariates=["x0", "x1"],
        outcomes={
            f"y{i}": {"column": f"y{i}", "unit": "SEK", "role": "primary"} for i in range(outcomes)
        },
        analysis={
            "estimators": chosen,
            "slopes": slopes,
            "interval": interval,
            "permutations": permutations,
            "multiplicity": multiplicity,
        },
    )
    itt = {group: COMPLIERS * value for group, value in late.items()}
    return study, plan, {"itt": itt, "late": late}


def wave_rows(rng, n, share, waves):
    """Draw who is offered in each wave; who was not may be in the lottery of the next."""
    left = np.arange(n)
    persons, wave, arm = [], [], []
    for w in range(waves):
        offered = np.zeros(len(left), dtype=int)
        offered[rng.permutation(len(left))[: round(share * len(left))]] = 1
        persons.append(left)
        wave.append(np.full(len(left), w))
        arm.append(offered)
        left = left[(offered == 0) & (rng.random(len(left)) < 0.8)]
    return np.concatenate(persons), np.concatenate(wave), np.concatenate(arm)
