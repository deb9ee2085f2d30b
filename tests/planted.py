"""A simulated study whose raw tables hold values that nothing else holds, and a search for them."""

from __future__ import annotations

import zipfile
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from studies import KEY, people, plan_for, write_raw, write_study

OLD_KEY = "QZO"  # every key that a person had before begins with it
BORN = "1983-11-17"
NUMBER = "18990203-9812"  # shaped like an identity number; nobody was given it
TEXT = "Zxqv hemlig anteckning"
STATE, KIND = "ZQ9", "ZK7"  # codes that few rows have and no plan names
INCOME = 876_543.21

# Every way in which a value could be written down, in small letters.
TRACES = {
    "key": [KEY.lower()],
    "old key": [OLD_KEY.lower()],
    "birth date": [BORN, BORN.replace("-", ""), "17/11/1983"],
    "identity number": ["18990203", "990203-9812", "9902039812"],
    "free text": ["zxqv", "hemlig anteckning"],
    "rare code": [STATE.lower(), KIND.lower()],
    "income": ["876543.2", "876543,2", "876 543", "876,543", "8.765432e"],
}
# The files of persons between the stages hold their amounts, and nothing else of these.
AMOUNTS = ("outcomes.parquet", "participants.parquet")


def traces(text: str) -> list[str]:
    """Return the kinds of planted values that a text holds; not the values."""
    folded = text.casefold()
    return [kind for kind, forms in TRACES.items() if any(form in folded for form in forms)]


def held(folders: Iterable[Path]) -> list[str]:
    """Return files that hold a planted value which they must not, each with its kind."""
    found = []
    for folder in folders:
        for path in sorted(p for p in folder.rglob("*") if p.is_file()):
            kinds = traces(_text_of(path))
            if path.name in AMOUNTS and "build" in path.parts:
                kinds = [kind for kind in kinds if kind != "income"]
            found += [f"{path.relative_to(folder.parent).as_posix()}: {kind}" for kind in kinds]
    return found


def _text_of(path: Path) -> str:
    """Return all that a file says: bytes as they are, and what is packed into it."""
    if path.suffix == ".parquet":  # not its bytes: three letters stand in any megabyte of numbers
        table = pq.read_table(path)
        text = f"{table.schema}\n{table.schema.metadata}"
        for column in table.columns:
            texts = column.cast(pa.string()).unique().to_pylist()
            text += "\n".join(t for t in texts if t is not None)
        return text
    text = path.read_bytes().decode("utf-8", errors="replace")
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            for name in archive.namelist():
                text += archive.read(name).decode("utf-8", errors="replace")
    return text


def persons() -> pd.DataFrame:
    """Draw the participants, with planted columns that no plan names."""
    frame = people(240, seed=3)
    frame["born"] = np.where(frame.index % 4 == 0, BORN, "1975-05-05")
    frame["number"] = NUMBER
    frame["remark"] = TEXT
    frame.loc[5, ["earn0", "earn12"]] = INCOME
    return frame


def plan(name: str) -> dict[str, object]:
    """Return the plan of the participants alone."""
    made = plan_for(
        name,
        covariates=["age", {"column": "education", "kind": "categorical"}],
        groups=["education"],
        costs={"currency": "SEK", "price_year": 2022, "column": "spent", "outcomes": ["work"]},
    )
    outcomes = {"pay": {"column": "earn12", "baseline": "earn0", "unit": "SEK", "role": "primary"}}
    made["data"] = {"participants": {"path": f"data/raw/{name}/p.csv", "identifiers": ["number"]}}
    return made | {"outcomes": made["outcomes"] | outcomes}


def linked_plan(name: str) -> dict[str, object]:
    """Return a plan that uses every linked table."""
    folder = f"data/raw/{name}"
    made = plan(name)
    made["columns"] |= {"offered": "offered", "born": "born"}
    made["data"] |= {
        "assignment": {"path": f"{folder}/assignment.csv"},
        "keys": {"path": f"{folder}/keys.csv"},
        "spells": {
            "path": f"{folder}/spells.csv",
            "states": {"work": [31, 41], "registered": [11]},
            "codebook": "registration_states",
        },
        "activities": {"path": f"{folder}/activities.csv", "kinds": {"meetings": ["M"]}},
        "incomes": {"path": f"{folder}/incomes.csv"},
        "extract_date": "2020-12-31",
        "coverage": "2018-01-01",
    }
    made["outcomes"] |= {
        "job": {
            "spells": ["work"],
            "months": [1, 6],
            "primary_month": 6,
            "unit": "share",
            "role": "primary",
        },
        "salary": {"incomes": "salary", "months": [1, 6], "unit": "SEK per month"},
    }
    return made


def linked_tables() -> dict[str, pd.DataFrame]:
    """Draw the linked tables of `persons`, some rows of them under a person's old key."""
    frame = persons()
    rng = np.random.default_rng(4)
    key = frame["id"].to_numpy()
    old = np.array([OLD_KEY + k.removeprefix(KEY) for k in key])
    either = np.where(np.arange(len(key)) % 3 == 0, old, key)
    offered = np.datetime64("2019-02-01") + rng.integers(0, 60, len(key))
    tables = {
        "assignment": frame[["id", "treat"]].assign(offered=offered, remark=TEXT),
        "keys": pd.DataFrame({"old": old, "new": key}),
    }
    which = rng.integers(0, len(key), 1_200)
    start = np.datetime64("2018-06-01") + rng.integers(0, 700, len(which))
    state = rng.choice(["11", "31", "41"], len(which)).astype(object)
    state[::300] = STATE
    tables["spells"] = pd.DataFrame(
        {
            "id": either[which],
            "start": start,
            "end": start + rng.integers(5, 90, len(which)),
            "state": state,
            "remark": TEXT,
        }
    )
    which = rng.integers(0, len(key), 900)
    kind = np.full(len(which), "M", dtype=object)
    kind[::300] = KIND
    day = offered[which] + rng.integers(0, 200, len(which))
    tables["activities"] = pd.DataFrame(
        {"id": either[which], "date": day, "kind": kind, "remark": TEXT}
    )
    months = np.arange("2019-01", "2021-01", dtype="datetime64[M]")
    tables["incomes"] = pd.DataFrame(
        {
            "id": np.repeat(either, len(months)),
            "period": np.tile(months.astype(str), len(key)),
            "salary": rng.integers(10_000, 40_000, len(key) * len(months)).astype(float),
        }
    )
    tables["incomes"].loc[7, "salary"] = INCOME
    return tables


def write_planted(folder: Path, name: str, *, linked: bool) -> Path:
    """Write the planted study, with its participants alone or with every linked table."""
    write_study(folder, {name: linked_plan(name) if linked else plan(name)})
    frame = persons()
    write_raw(folder, name, frame.drop(columns="treat") if linked else frame)
    for table, rows in linked_tables().items() if linked else ():
        rows.to_csv(folder / "data" / "raw" / name / f"{table}.csv", index=False)
    return folder
