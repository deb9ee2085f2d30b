"""Simulated trials followed by month, with known paths: for the tests and `make validate`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

import numpy as np
from simulate import draw_within, study_from

from evaluate.effects.incidence_table import incidence_table
from evaluate.effects.path_tables import path_table
from evaluate.plan.model import Plan
from evaluate.study import GAP, Study

GROUPS = ("all", "women", "men", GAP)
HAZARD = {"job": (0.05, 0.09), "exit": 0.03}  # a month; that of a job by arm, more among women
SHARES = (0.3, 0.7)  # offered, by block: those of the second find jobs sooner


def plan_by_month(months: int, entries: bool = False, **sections: object) -> Plan:
    """Return a plan with the outcome `y` by month, or with first entries and exits."""
    common = {"months": [1, months]}
    if entries:
        outcomes = {
            name: common | {"spells": [code], "measure": "entered", "unit": "share"}
            for code, name in enumerate(("job", "exit"))
        }
        outcomes["job"]["competing"] = ["exit"]
    else:
        outcomes = {"y": common | {"incomes": "amount", "unit": "SEK per month"}}
    table = {"path": "data/raw/simulated/x.csv", "extract_date": "2020-01-31",
             "coverage": "2010-01-01"}  # fmt: skip
    columns: dict[str, object] = {
        "person": "id",
        "gender": {"column": "sex", "women": "F", "men": "M"},
        "treatment": {"column": "arm", "control": 0},
        "offered": "day",
    }
    columns |= sections.pop("columns", {})
    return Plan.model_validate(
        {
            "title": {"en": "Simulated", "sv": "Simulerad"},
            "simulated": True,
            "design": "randomised",
            "data": {"participants": {"path": "p.csv"}, "spells": table, "incomes": table},
            "columns": columns,
            "outcomes": outcomes,
            **sections,
        }
    )


def draws_of(*_: str) -> np.random.Generator:
    """Give every band the same draws."""
    return np.random.default_rng(1)


def path_trial(
    rng: np.random.Generator, n: int = 140, months: int = 12, clusters: int = 0, lost: float = 0.0
) -> tuple[Study, Plan, dict[str, np.ndarray]]:
    """Draw a trial with an outcome by month; return study, plan and the true effects by group.

    The outcome is autocorrelated, the effect below zero at first and above it later. A share
    ``lost`` of the persons is no longer observed in the second half of the months.
    """
    women = np.arange(n) % 2 == 0
    cluster = np.arange(n) // 2 % clusters if clusters else None
    if cluster is None:
        arm = draw_within(rng, np.zeros(n, dtype=int), np.array([0.5]))
    else:
        arm = draw_within(rng, np.zeros(clusters, dtype=int), np.array([0.5]))[cluster]
    x = rng.normal(size=(n, 1))
    gain = np.where(np.arange(months) < months // 4, -0.3, 0.5)
    noise = np.empty((n, months))
    noise[:, 0] = rng.normal(size=n)
    for m in range(1, months):
        noise[:, m] = 0.8 * noise[:, m - 1] + 0.6 * rng.normal(size=n)
    if cluster is not None:
        noise += 0.4 * rng.normal(size=(clusters, 1))[cluster]
    y = x + noise + np.where(women, 1.0, 0.5)[:, None] * gain * arm[:, None]
    y[rng.random(n) < lost, months // 2 :] = np.nan
    study = study_from(y, arm, women, x, cluster=cluster)
    sections: dict[str, object] = {"covariates": ["x0"]}
    if cluster is not None:
        sections["columns"] = {"cluster": "c"}
    truth = {"women": gain, "men": gain / 2}
    truth |= {"all": 0.75 * gain, GAP: gain / 2}
    return study, plan_by_month(months, **sections), truth


def entry_trial(
    rng: np.random.Generator, n: int = 400, months: int = 12, censored: bool = True
) -> tuple[Study, Plan, dict[str, np.ndarray]]:
    """Draw a trial with first entries and exits; return the true differences by group.

    Two blocks were offered unequal shares and find jobs at other rates.
    """
    women, block = np.arange(n) % 2 == 0, np.arange(n) // 2 % 2
    arm = draw_within(rng, block, np.array(SHARES))
    job, exit_ = np.full((2, n), months + 1)
    for m in range(months, 0, -1):
        u = rng.random((2, n))
        job[u[0] < _hazard(arm, women, block)] = m
        exit_[u[1] < HAZARD["exit"]] = m
    # who leaves in a month finds no job in it
    exit_ = np.where(exit_ == job, months + 1, exit_)
    last = rng.integers(months // 2, 2 * months, n) if censored else np.full(n, months)
    month = np.arange(1, months + 1)
    y = np.hstack(
        [np.where(month <= last[:, None], month >= at[:, None], np.nan) for at in (job, exit_)]
    )
    study = study_from(y, arm, women, block=block)
    plan = plan_by_month(months, entries=True, columns={"blocks": ["b"]})
    of_women, of_men = (_differences(w, months) for w in (True, False))
    truth = {"all": (of_women + of_men) / 2, "women": of_women, "men": of_men}
    return study, plan, truth | {GAP: of_women - of_men}


def _hazard(arm: np.ndarray, women: np.ndarray, block: np.ndarray) -> np.ndarray:
    more = np.where(women, 0.03, 0.0) * arm + 0.04 * block
    return np.asarray(HAZARD["job"])[arm] + more


def _differences(women: bool, months: int) -> np.ndarray:
    """Return the true difference in incidence, on average over the blocks."""
    found = np.zeros((2, months))
    for arm in (0, 1):
        for block in (0, 1):
            h = float(_hazard(np.array(arm), np.array(women), np.array(block)))
            stay = (1 - h) * (1 - HAZARD["exit"])
            found[arm] += h * np.cumsum(stay ** np.arange(months)) / 2
    return found[1] - found[0]


def held(kind: str, trials: int, seed: int, **design: object) -> dict[tuple[str, str], float]:
    """Return the shares of trials whose intervals hold the truth, for `make validate`.

    Parameters
    ----------
    kind : {"path", "entry"}
        Of the trial.
    trials, seed : int
        How many, and from which seed.
    **design
        As for `path_trial` or `entry_trial`.

    Returns
    -------
    dict of (str, str) to float
        By what is held and group: ``month`` the interval of the middle month, ``band`` the
        band in all months at once, ``sum`` the interval of the effect cumulated over the
        months, or of the time lost.
    """
    hits: dict[tuple[str, str], list[bool]] = defaultdict(list)
    for sequence in np.random.SeedSequence([seed, trials]).spawn(trials):
        rng = np.random.default_rng(sequence)
        make, table = (path_trial, path_table) if kind == "path" else (entry_trial, incidence_table)
        study, plan, truth = make(rng, **design)  # type: ignore[operator]
        for key, hit in _hits(kind, table(study, plan, draws_of), truth):
            hits[key].append(hit)
    return {key: float(np.mean(found)) for key, found in hits.items()}


def _hits(kind, table, truth) -> Iterator[tuple[tuple[str, str], bool]]:
    by_month, summed = ("effect", "cumulated") if kind == "path" else (
        "difference", "time_lost_difference")  # fmt: skip
    for group in GROUPS:
        rows = table[(table["group"] == group) & (table["kind"] == by_month)]
        target = truth[group]
        low, high = rows["band_low"].to_numpy(float), rows["band_high"].to_numpy(float)
        told = ~np.isnan(low)
        yield ("band", group), bool(((low <= target) & (target <= high))[told].all())
        middle = rows.iloc[len(rows) // 2]
        value = target[len(rows) // 2]
        yield ("month", group), bool(middle["conf_low"] <= value <= middle["conf_high"])
        row = table[(table["group"] == group) & (table["kind"] == summed)].iloc[0]
        last = int(row["month"]) - 1 if kind == "entry" else len(target)
        total = target[:last].sum()
        yield ("sum", group), bool(row["conf_low"] <= total <= row["conf_high"])
