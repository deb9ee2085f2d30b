"""A simulated programme with linked tables, its files of the stage `data` drawn at random.

The registers themselves are not drawn: what the stage would make of them is. No person is real.
"""

import contextlib

import numpy as np
import pandas as pd
from scipy import stats
from studies import Evaluated, nothing, plan_for, run_scripts, write_raw, write_study

from evaluate import schemas
from evaluate.io import write_json, write_parquet
from evaluate.release.provenance import fingerprint

STATES = ("unsubsidised_work", "subsidised_work", "studies", "registered", "other", "none")
START = np.array([0.02, 0.01, 0.03, 0.80, 0.02, 0.12])
MONTHS, KINDS, TOTAL = range(-3, 19), ("meetings", "referrals"), 12
SEEN = 14  # months observed of the person who was offered last
CODEBOOK = """
title: {en: States of the example, sv: Exemplets tillstånd}
source: {en: Made up for this test, sv: Påhittade för detta test}
status: to_be_confirmed
groups: {registered: {en: Registered unemployed, sv: Inskriven arbetslös}}
codes:
  - {code: 31, en: In work, sv: I arbete}
  - {code: 11, en: Unemployed, sv: Arbetslös, group: registered}
"""


def linked_plan(name, arms=1, gender=True):
    """Return a programme file with spells, activities and incomes."""
    titled = {"en": "In unsubsidised work", "sv": "I osubventionerat arbete"}
    folder = f"data/raw/{name}"
    entries = {"measure": "entered", "months": [1, MONTHS[-1]], "primary_month": 12,
               "unit": "share"}  # fmt: skip
    columns = {
        "person": "id",
        "gender": {"column": "sex", "women": "F", "men": "M"},
        "treatment": {"column": "treat", "control": 0, "arms": list(range(1, arms + 1))},
        "takeup": {"column": "attended", "taken": 1},
        "accepted": {"column": "accepted", "taken": 1},
        "offered": "offered",
        "started": "started",
    }
    if not gender:
        columns.pop("gender")
    return plan_for(
        name,
        data={
            "participants": {"path": f"{folder}/p.csv"},
            "spells": {
                "path": f"{folder}/spells.csv",
                "codebook": "example_states",
                "states": {"unsubsidised_work": [31], "subsidised_work": [78], "studies": [83],
                           "registered": [11]},
            },
            "activities": {"path": f"{folder}/activities.csv", "months": TOTAL,
                           "kinds": {"meetings": ["M"], "referrals": ["H"]}},
            "incomes": {"path": f"{folder}/incomes.csv", "extract_date": "2021-05-31"},
            "extract_date": "2021-06-30",
        },
        columns=columns,
        outcomes={
            "work": {
                "spells": ["unsubsidised_work"], "months": [MONTHS[0], MONTHS[-1]],
                "primary_month": 12, "unit": "share", "role": "primary", "title": titled,
            },
            "income": {
                "incomes": "amount", "months": [1, MONTHS[-1]], "primary_month": 12,
                "unit": "SEK per month", "unit_title": {"sv": "kronor per månad"},
                "title": {"en": "Income from work", "sv": "Arbetsinkomst"},
            },
            "entered": entries | {
                "spells": ["unsubsidised_work"], "competing": ["studying"],
                "title": {"en": "First job", "sv": "Första arbete"},
            },
            "studying": entries | {
                "spells": ["studies"], "title": {"en": "Began to study", "sv": "Började studera"},
            },
        },
        costs={"currency": "SEK", "price_year": 2020, "amount": 41_000, "outcomes": ["work"]},
    )  # fmt: skip


def draw(n, seed, arms=1, gender=True):
    """Draw persons with their states and activities by month, NaN where not observed."""
    rng = np.random.default_rng(seed)
    arm = rng.permutation(np.arange(n) % (arms + 1))
    women = rng.random(n) < 0.45
    accepted = (arm > 0) & (rng.random(n) < 0.85)
    attended = accepted & (rng.random(n) < 0.9)
    last = SEEN + rng.integers(0, 8, n)  # the last month that is observed
    state = np.empty((n, len(MONTHS)), dtype=int)
    state[:, 0] = rng.choice(len(STATES), n, p=START)
    for i, month in enumerate(MONTHS[1:], 1):
        leaves = (state[:, i - 1] == 3) & (rng.random(n) < 0.03 + 0.03 * attended * (month > 0))
        target = rng.choice(3, n, p=[0.6, 0.2, 0.2])
        back = (state[:, i - 1] != 3) & (rng.random(n) < 0.05)
        state[:, i] = np.where(leaves, target, np.where(back, 3, state[:, i - 1]))
    seen = last[:, None] >= np.array(MONTHS)
    rate = np.stack([0.2 + 0.06 * ~women + 0.5 * attended, 0.05 + 0.1 * attended + 0.02 * ~women])
    had = rng.poisson(rate[:, :, None], (2, n, TOTAL))
    gender_of = np.where(women, "women", "men").astype(object)
    return {
        "arm": arm.astype(str), "gender": gender_of if gender else np.full(n, None, dtype=object),
        "accepted": accepted, "attended": attended, "last": last, "state": state, "seen": seen,
        "had": had, "rng": rng,
    }  # fmt: skip


def groups_of(people):
    """Return the members of all, women and men."""
    known = [g for g in ("women", "men") if (people["gender"] == g).any()]
    return {"all": np.ones(len(people["arm"]), dtype=bool)} | {
        g: people["gender"] == g for g in known
    }


def flow(people, outcomes, excluded=23):
    """Write the flow; some were excluded before, as many women as men in every arm."""
    n = len(people["arm"])
    everybody, groups, arms = np.ones(n, dtype=bool), groups_of(people), sorted(set(people["arm"]))

    def entry(step, why, member, more=0):
        row = {"step": step, "reason": why, "n": int(member.sum()) + more * len(arms)}
        for g in ("women", "men"):
            extra = more * len(arms) // 2
            row[g] = int((member & groups[g]).sum()) + extra if g in groups else None
        return row | {f"arm={a}": int((member & (people["arm"] == a)).sum()) + more for a in arms}

    followed = outcomes["work@12"].notna().to_numpy()
    return pd.DataFrame(
        [
            entry("received", "", everybody, excluded),
            entry("excluded", "not met: age >= 18", ~everybody, excluded),
            entry("included", "", everybody),
            entry("accepted", "", people["accepted"]),
            entry("started", "", people["attended"]),
            entry("took_part", "", people["attended"]),
            entry("followed", "work@12", followed),
            *(entry("analysed", c, outcomes[c].notna().to_numpy()) for c in outcomes),
        ]
    )


def outcome_table(people):
    """Return the outcomes table: in work, and income, by month."""
    columns = {}
    working = np.where(people["seen"], people["state"] == 0, np.nan)
    for i, month in enumerate(MONTHS):
        columns[f"work@{month}"] = working[:, i]
    level = people["rng"].normal(21_000, 4_000, len(working))
    for i, month in enumerate(MONTHS):
        if month >= 1:
            seen = people["last"] - 1 >= month  # the incomes were drawn a month before
            columns[f"income@{month}"] = np.where(seen, np.round(level * working[:, i]), np.nan)
    since = np.array(MONTHS) >= 1
    for key, state in (("entered", 0), ("studying", 2)):
        entered = np.cumsum((people["state"] == state) & since, axis=1) > 0
        for i in np.flatnonzero(since):
            seen = people["seen"][:, i]
            columns[f"{key}@{MONTHS[i]}"] = np.where(seen, entered[:, i], np.nan)
    return pd.DataFrame(columns)


def states(people):
    """Write the shares in each state."""
    rows, groups = [], groups_of(people)
    for i, month in enumerate(MONTHS):
        for arm in sorted(set(people["arm"])):
            shares = {}
            for group, member in groups.items():
                here = people["state"][member & (people["arm"] == arm) & people["seen"][:, i], i]
                counts = np.bincount(here, minlength=len(STATES))
                shares[group] = (len(here), counts / max(len(here), 1))
            if len(groups) == 3:
                n = shares["women"][0] + shares["men"][0]
                shares["women-men"] = (n, shares["women"][1] - shares["men"][1])
            for group, (n, share) in shares.items():
                rows += [(s, month, arm, group, n, share[k]) for k, s in enumerate(STATES)]
    return pd.DataFrame(rows, columns=["state", "month", "arm", "group", "n", "share"])


def dose(people):
    """Write the activities per person by month, and over all months."""
    rows, groups = [], groups_of(people)
    kinds = dict(zip(KINDS, people["had"], strict=True)) | {"all": people["had"].sum(axis=0)}
    for kind, had in kinds.items():
        for month in range(TOTAL + 1):
            seen = people["last"] >= (month or TOTAL)
            count = had.sum(axis=1) if month == 0 else had[:, month - 1]
            for arm in sorted(set(people["arm"])):
                found = {}
                for group, member in groups.items():
                    c = count[member & seen & (people["arm"] == arm)]
                    some = int((c > 0).sum())
                    found[group] = (len(c), c.mean(), c.std(ddof=1) / np.sqrt(len(c)),
                                    some / len(c), some)  # fmt: skip
                if len(groups) == 3:
                    w, m = found["women"], found["men"]
                    found["women-men"] = (w[0] + m[0], w[1] - m[1], np.hypot(w[2], m[2]),
                                          w[3] - m[3], None)  # fmt: skip
                for group, (n, mean, error, share, some) in found.items():
                    margin = stats.t.ppf(0.975, n - 1) * error
                    rows.append((kind, month, arm, group, n, mean, error, mean - margin,
                                 mean + margin, share, "activities", some))  # fmt: skip
    return pd.DataFrame(rows, columns=list(schemas.DOSE.columns))


def cleaning(people):
    """Write decisions on random rows of three tables, by their persons."""
    rng, n = people["rng"], len(people["arm"])
    decisions = {
        "spells": ["exact duplicate", "ends before it starts", "after the extract date"],
        "activities": ["person not among the participants", "before the offer"],
        "incomes": ["exact duplicate", "amount not a number"],
    }
    notes = {
        "spells": "overlaps a spell that takes precedence: shortened",
        "activities": "code in no named kind",
        "incomes": "amount below zero",
    }
    rows = []
    for table, reasons in decisions.items():
        person = np.repeat(np.arange(n), 1 + rng.poisson(6, n))
        chosen = rng.choice(len(reasons) + 1, len(person), p=_often(len(reasons)))
        unknown = chosen == 1 + reasons.index(reasons[0]) if table == "activities" else chosen < 0
        gender = np.where(unknown, None, people["gender"][person])
        noted = (chosen == 0) & (rng.random(len(person)) < 0.08)
        steps = {("received", ""): chosen >= 0}
        steps |= {("excluded", why): chosen == i for i, why in enumerate(reasons, 1)}
        steps |= {("noted", notes[table]): noted, ("kept", ""): chosen == 0}
        for (step, why), member in steps.items():
            parts = [member, member & (gender == "women"), member & (gender == "men")]
            persons = [len(np.unique(person[p & ~unknown])) for p in parts]
            rows.append((table, step, why, *(int(p.sum()) for p in parts), *persons))
    return pd.DataFrame(rows, columns=list(schemas.CLEANING.columns))


def _often(reasons):
    few = np.array([0.02, 0.01, 0.004])[:reasons]
    return [1 - few.sum(), *few]


def linked(folder, name="linked", n=640, seed=3, arms=1, gender=True, **config):
    """Put the files of the stage `data` in their place and take them down the road."""
    plan = linked_plan(name, arms, gender)
    write_study(folder, {name: plan}, **config)
    (folder / "config" / "codebooks").mkdir(exist_ok=True)
    (folder / "config" / "codebooks" / "example_states.yaml").write_text(CODEBOOK, "utf-8")
    people = draw(n, seed, arms, gender)
    write_raw(folder, name, pd.DataFrame({"treat": people["arm"]}))
    columns = schemas.PARTICIPANTS.columns.items()
    fixed = [c for c, column in columns if column.required and not c.startswith("^")]
    participants = pd.DataFrame(dict.fromkeys(fixed), index=range(n)).assign(
        source_row=np.arange(n) + 1,
        arm=people["arm"],
        gender=people["gender"],
        takeup=people["attended"].astype(float),
    )
    outcomes = outcome_table(people)
    tables = {
        "participants": participants,
        "outcomes": outcomes,
        "flow": flow(people, outcomes),
        "cleaning": cleaning(people),
        "dose": dose(people),
        "states": states(people),
        "cost_records": nothing("cost_records"),
        "staff_hours": nothing("staff_hours"),
    }
    build = folder / "build" / name
    for table, frame in tables.items():
        write_parquet(frame, build / f"{table}.parquet", getattr(schemas, table.upper()))
    with contextlib.chdir(folder):
        raw = {"table": "participants", **fingerprint(f"data/raw/{name}/p.csv")}
        write_json([raw], build / "raw.json")
        checked = run_scripts(name, with_data=False)
    return Evaluated(checked, folder / "results" / name)
