"""Simulated persons who start in different months, with known effects for women and men.

Nobody is real. Earnings drift with a covariate that also tells who starts when, so that trends are
parallel given it and not otherwise. The effect grows from month to month since the start, and is
twice as large for women.
"""

import sys
from collections import defaultdict
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from simulate import plan_of, study_from

from evaluate.effects.event_study_table import event_study_table

FIRST = 24_264  # January 2022, in months from the year 0
BEFORE, AFTER = 3, 6  # months of the outcome before January 2022, and from then on
MONTHS = np.arange(1 - BEFORE, AFTER + 1)
STARTS = np.array([2, 3, 5])  # months of start
POPULATION, LEVEL = 500_000, 0.95
GROUPS = ("all", "women", "men", "women-men")
DESIGNS = {
    "600 persons, drift measured": {"n": 600},
    "600 persons in 60 clusters, drift measured": {"n": 600, "clusters": 60},
    "600 persons, drift left out": {"n": 600, "left_out": True},
}


def persons(rng, n):
    """Draw a covariate, gender and the month of start, 0 for never."""
    x = rng.normal(size=n)
    women = rng.random(n) < 0.5
    index = 0.5 * x[:, None] * np.array([1.0, 0.5, 0.0]) - 1.0
    odds = np.exp(np.column_stack([np.zeros(n), index]))
    odds /= odds.sum(axis=1, keepdims=True)
    which = (odds.cumsum(axis=1) < rng.random((n, 1))).sum(axis=1)
    return x, women, np.array([0, *STARTS])[which]


def effect(women, since):
    """Return the effect in a month since the start, 1 being the first; 0 before."""
    return np.where(since > 0, (1.0 + women) * (0.8 + 0.1 * since), 0.0)


def drawn(rng, n, clusters=0, left_out=False):
    """Draw a study, its participants and its plan."""
    x, women, start = persons(rng, n)
    cluster = rng.integers(0, clusters, n) if clusters else None
    drift = 0.3 * x[:, None] * MONTHS
    noise = rng.normal(size=(n, len(MONTHS))) + rng.normal(size=(n, 1))
    if clusters:  # shocks of a month that a cluster's persons share
        noise += 0.3 * rng.normal(size=(clusters, len(MONTHS)))[cluster]
    since = np.where(start[:, None] > 0, MONTHS - start[:, None] + 1, 0)
    y = x[:, None] + drift + noise + effect(women[:, None], since)
    columns = rng.normal(size=(n, 1)) if left_out else x[:, None]
    study = study_from(y, (start > 0).astype(int), women, columns, cluster=cluster)
    plan = plan_of(
        y,
        design="observational",
        columns={"offered": "day", "started": "start"} | ({"cluster": "c"} if clusters else {}),
        covariates=["x0"],
        outcomes={
            "earn": {
                "columns": {int(m): f"e{m}" for m in MONTHS},
                "primary_month": AFTER,
                "unit": "points",
                "role": "primary",
            }
        },
        analysis={"estimators": ["aipw", "did"]},
    )
    started = pd.array(np.where(start > 0, FIRST + start - 1, 0), dtype="Int64")
    started[start == 0] = pd.NA
    zero = pd.array(np.full(n, FIRST), dtype="Int64")
    return study, pd.DataFrame({"time_zero_month": zero, "started_month": started}), plan


@cache
def truth():
    """Return the average effect on those who start, from the start on, by group."""
    _, women, start = persons(np.random.default_rng(1), POPULATION)
    since = np.where(start[:, None] > 0, MONTHS - start[:, None] + 1, 0)
    size = effect(women[:, None], since).sum(axis=1) / np.maximum((since > 0).sum(axis=1), 1)
    found = {"women": size[(start > 0) & women].mean(), "men": size[(start > 0) & ~women].mean()}
    return found | {"all": size[start > 0].mean(), "women-men": found["women"] - found["men"]}


def truth_at(month, group):
    """Return the effect in a month since the start; all are half women."""
    by = {"women": effect(1.0, month), "men": effect(0.0, month)}
    by |= {"all": (by["women"] + by["men"]) / 2, "women-men": by["women"] - by["men"]}
    return by[group]


def coverage(name, trials, seed):
    """Return how often intervals and bands held the truth, and the test of trends rejected."""
    hits, right = defaultdict(list), truth()
    for group, found in _tables(name, trials, seed):
        for row in found[found["kind"] == "overall"].itertuples():
            hits["from the start on", group].append(row.conf_low <= right[group] <= row.conf_high)
        events = found[(found["kind"] == "event") & (found["std_error"] > 0)]
        true = np.array([truth_at(m, group) for m in events["month"]])
        held = (events["conf_low"] <= true) & (true <= events["conf_high"])
        for month, hit in zip(events["month"], held, strict=True):
            if month == 3:
                hits["month 3 since the start", group].append(hit)
        whole = (events["band_low"] <= true) & (true <= events["band_high"])
        hits["band over all months", group].append(whole.all())
        for row in found[found["kind"] == "pre_trend"].itertuples():
            hits["test of trends before the start", group].append(row.p_value < 1 - LEVEL)
    return {key: float(np.mean(h)) for key, h in hits.items()}


def _tables(name, trials, seed):
    """Yield each trial's rows by group."""
    for sequence in np.random.SeedSequence([seed, *name.encode()]).spawn(trials):
        rng = np.random.default_rng(sequence)
        study, participants, plan = drawn(rng, **DESIGNS[name])
        table = event_study_table(study, participants, plan, int(rng.integers(2**31)))
        for group in GROUPS:
            yield group, table[table["group"] == group]
