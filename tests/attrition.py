"""Simulated trials in which outcomes are missing by a known rule, and how often intervals hold."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
from scipy import stats
from simulate import draw_within, plan_of, study_from

from evaluate.effects.bounds_table import POPULATION, bounds_table
from evaluate.plan.model import Plan
from evaluate.study import Study

EFFECT = {"women": 1.0, "men": 0.5}
OBSERVED = {"control": 0.65, "offered": 0.85}  # shares who would have the outcome
SHARES = (0.25, 0.4, 0.6, 0.75)  # offered, by block
LEVEL = 0.95

DESIGNS: dict[str, dict[str, object]] = {
    "truth at a bound, 400 persons": {"n": 400, "missing": "best"},
    "truth at the other bound, fewer observed if offered": {"n": 400, "missing": "worst"},
    "truth at a bound, blocks with shares 0.25 to 0.75": {
        "n": 480, "missing": "best", "blocked": True
    },
    "truth at a bound, weights 0.5 to 3": {"n": 480, "missing": "best", "weighted": True},
    "truth at a bound, 60 clusters of 4 to 12": {"n": 480, "missing": "best", "clustered": True},
    "truth within the bounds, 140 persons": {"n": 140, "missing": "mixed"},
    "missing at random given covariates, 400 persons": {"n": 400, "missing": "by covariates"},
    "outcome 0 or 1, 400 persons": {"n": 400, "missing": "best", "binary": True},
}  # fmt: skip


def trial(
    rng: np.random.Generator,
    n: int,
    missing: str,
    blocked: bool = False,
    weighted: bool = False,
    clustered: bool = False,
    binary: bool = False,
) -> tuple[Study, Plan, dict[str, dict[str, float]]]:
    """Draw a trial; return its study, its plan, and the true effects by population and group.

    ``missing`` says who has the outcome: ``best`` and ``worst``, persons up to a rank of the
    outcome without the offer, higher with the offer or lower with it, so that Lee's bound is
    the truth; ``mixed``, by a rank of which that is half; ``by covariates``.
    """
    women = np.arange(n) % 2 == 0
    x = rng.normal(size=(n, 2))
    cluster = np.arange(n) // 2 % 60 if clustered else None
    block = np.arange(n) // 2 % len(SHARES) if blocked else np.zeros(n, dtype=int)
    if cluster is not None:
        cluster = np.minimum(cluster, rng.permutation(cluster))  # of unequal sizes
        _, cluster = np.unique(cluster, return_inverse=True)
        arm = rng.permutation(np.arange(cluster.max() + 1) % 2)[cluster]
    else:
        arm = draw_within(rng, block, np.array(SHARES if blocked else [0.5]))
    level = x @ [0.8, 0.4] + 0.5 * block + rng.normal(size=n)
    if cluster is not None:
        level += 0.5 * rng.normal(size=cluster.max() + 1)[cluster]
    gain = np.where(women, EFFECT["women"], EFFECT["men"])
    without, offered = level, level + gain
    if binary:
        u = stats.norm.cdf(level / level.std())
        without, offered = ((u > c).astype(float) for c in (0.5, 0.5 - gain / 5))
    rank = {
        "mixed": level + 1.2 * rng.normal(size=n),
        "by covariates": -x[:, 0] + rng.logistic(size=n),
    }
    chance = stats.rankdata(rank.get(missing, level)) / n
    shares = [OBSERVED["control"], OBSERVED["offered"]]
    if missing == "worst":
        shares = shares[::-1]
    has = [chance <= share for share in shares]
    always, y = has[0] & has[1], np.where(arm == 1, offered, without)
    y[~np.where(arm == 1, has[1], has[0])] = np.nan
    w = rng.uniform(0.5, 3, n) if weighted else np.ones(n)
    truth: dict[str, dict[str, float]] = {}
    for population, members in (("always observed", always), ("all", np.ones(n, dtype=bool))):
        true = {
            g: float(np.average((offered - without)[members & m], weights=w[members & m]))
            for g, m in (("all", women | True), ("women", women), ("men", ~women))
        }
        truth[population] = true | {"women-men": true["women"] - true["men"]}
    study = study_from(
        y[:, None], arm, women, x, block if blocked else None, w if weighted else None,
        cluster=cluster,
    )  # fmt: skip
    columns: dict[str, object] = {"blocks": ["b"]} if blocked else {}
    columns |= {"weight": "w"} if weighted else {}
    columns |= {"cluster": "c"} if clustered else {}
    plan = plan_of(
        study.y,
        columns=columns,
        covariates=["x0", "x1"],
        outcomes={"y0": {"column": "y0", "unit": "share" if binary else "SEK"}},
        analysis={"level": LEVEL},
    )
    return study, plan, truth


def coverage(name: str, trials: int, seed: int) -> dict[tuple[str, str], float]:
    """Return, by method and group, how often an interval held the effect of its population."""
    hits = defaultdict(list)
    for sequence in np.random.SeedSequence([seed, len(name)]).spawn(trials):
        study, plan, truth = trial(np.random.default_rng(sequence), **DESIGNS[name])
        for row in bounds_table(study, plan).dropna(subset="lower").itertuples():
            target = truth[POPULATION[row.method]][row.group]
            hits[row.method, row.group].append(row.conf_low <= target <= row.conf_high)
    return {key: float(np.mean(held)) for key, held in hits.items()}
