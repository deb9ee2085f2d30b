"""Spells of a register to outcomes by month, beside the straightforward pandas way.

    make bench-registers                       1,000,000 persons, about 10,000,000 spells
    python benchmarks/registers.py PERSONS     any other number
    python benchmarks/registers.py PERSONS --without-pandas
    python benchmarks/registers.py PERSONS --dense   ten times the spells of each person, no pandas

The extract is simulated, with every kind of fault that is counted. Each way runs in a process
of its own, so that its memory is its own: 24 months of 5 outcomes, all cleaning decisions on.
The pandas way makes the same decisions as far as they are one line each (unreadable, negative
or uncovered spells, duplicates, open ends), and lets a later spell cut an earlier one.
"""

import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pandas as pd
from ruamel.yaml import YAML

from evaluate import schemas
from evaluate.data.simulated.study import study
from evaluate.data.stage import run_stage
from evaluate.io import write_parquet, write_table
from evaluate.plan.load import load_plan

MONTHS = {"months": [1, 24]}
OUTCOMES = {
    "work": {"spells": ["unsubsidised"], "unit": "share"} | MONTHS,
    "registered": {"spells": ["registered"], "unit": "share"} | MONTHS,
    "days": {"spells": ["unsubsidised"], "measure": "days", "unit": "days"} | MONTHS,
    "months": {"spells": ["unsubsidised"], "measure": "cumulated", "unit": "months"} | MONTHS,
    "entered": {"spells": ["unsubsidised"], "measure": "entered", "unit": "share"} | MONTHS,
}


def simulated(folder, persons):
    """Write the extract, and a plan whose outcomes are those of the spells."""
    made = study(folder, persons, 1, "counted-small")
    yaml = YAML()
    plan = yaml.load(made.plan)
    for name in ("activities", "incomes", "costs"):
        (made.raw / f"{name}.csv").unlink()
        del plan["data"][name]
    del plan["costs"]
    plan["outcomes"] = OUTCOMES
    yaml.dump(plan, made.plan)
    return made


def dense(path):
    """Give each person ten histories in a row, each in a tenth of the time."""
    whole = path.with_suffix(".once")
    path.rename(whole)
    first = pd.Timestamp("2015-01-01")
    for turn in range(10):
        parts = pd.read_csv(whole, sep=";", dtype=str, keep_default_na=False, chunksize=2_000_000)
        for i, part in enumerate(parts):
            for column in ("start", "end"):
                day = pd.to_datetime(part[column], format="%Y-%m-%d", errors="coerce")
                moved = first + (day - first).dt.days // 10 * pd.Timedelta(days=1)
                moved += pd.Timedelta(days=200 * turn)
                part[column] = moved.dt.strftime("%Y-%m-%d").where(day.notna(), part[column])
            part.to_csv(path, sep=";", index=False, header=not turn and not i, mode="a")
    whole.unlink()


def ours(folder, memory_gb=2.0):
    """Run the stage `data` and write what it makes."""
    plan = load_plan(folder / "config/programmes/simulated.yaml")
    stage = run_stage(plan, "build/engine", memory_gb=memory_gb)
    write_parquet(stage.tables["participants"], "build/participants.parquet", schemas.PARTICIPANTS)
    write_table(stage.outcomes, "build/outcomes.parquet")
    write_table(stage.quarantine, "build/quarantine.parquet")
    return stage.outcomes


def straightforward(folder):
    """Do the same with pandas, a step after the other."""
    raw = folder / "data/raw/simulated"
    read = {"sep": ";", "dtype": str, "keep_default_na": False}
    persons = pd.read_csv(raw / "persons.csv", encoding="utf-8-sig", **read)
    offers = pd.read_csv(raw / "assignment.csv", encoding="cp1252", **read)
    offers["offered"] = pd.to_datetime(offers["offered"], format="%d/%m/%Y", errors="coerce")
    offers = offers.dropna(subset="offered").drop_duplicates("person")
    persons = persons.drop_duplicates("person").merge(offers, on="person")
    keys = pd.read_csv(raw / "keys.csv", encoding="utf-8-sig", **read)
    latest = keys.drop_duplicates("old").set_index("old")["new"]
    spells = pd.read_csv(raw / "spells.csv", encoding="utf-8-sig", **read)
    for _ in range(2):
        spells["person"] = spells["person"].map(latest).fillna(spells["person"])
    spells = spells.drop_duplicates()
    is_open = spells["end"].isin(["", "9999-12-31"])
    for column in ("start", "end"):
        spells[column] = pd.to_datetime(spells[column], format="%Y-%m-%d", errors="coerce")
    first, last = pd.Timestamp("2015-01-01"), pd.Timestamp("2020-06-30")
    spells = spells[spells["start"].notna() & (spells["end"].notna() | is_open)]
    spells = spells.merge(persons[["person", "offered"]], on="person")
    spells = spells[(spells["start"] <= last) & ~(spells["end"] < spells["start"])]
    spells = spells[~(spells["end"] < first)].sort_values(["person", "start"])
    following = spells.groupby("person")["start"].shift(-1) - pd.Timedelta(days=1)
    spells["end"] = spells["end"].fillna(last).clip(upper=last)
    spells["end"] = spells["end"].where(following.isna() | (following > spells["end"]), following)
    table = persons.set_index("person")[["offered"]]
    work, registered = (
        spells["state"].isin(["41", "31"]),
        spells["state"].isin(["11", "12", "14", "68"]),
    )
    entry = spells[work & (spells["end"] >= spells["offered"])].groupby("person")["start"].min()
    entry = entry.reindex(table.index)
    months = 0
    for m in range(1, 25):
        begin = spells["offered"] + pd.DateOffset(months=m - 1)
        end = spells["offered"] + pd.DateOffset(months=m) - pd.Timedelta(days=1)
        at = (spells["start"] <= end) & (spells["end"] >= end)
        limit = table["offered"] + pd.DateOffset(months=m) - pd.Timedelta(days=1)
        seen = limit <= last
        for name, chosen in (("work", work), ("registered", registered)):
            inside = table.index.isin(spells.loc[at & chosen, "person"])
            table[f"{name}@{m}"] = pd.Series(inside, table.index).where(seen)
        shared = spells["end"].clip(upper=end) - spells["start"].clip(lower=begin)
        days = (shared.dt.days + 1).clip(lower=0)[work].groupby(spells["person"]).sum()
        table[f"days@{m}"] = days.reindex(table.index).fillna(0).where(seen)
        months = months + table[f"work@{m}"].fillna(False).astype(int)
        table[f"months@{m}"] = months.where(seen)
        table[f"entered@{m}"] = (entry <= limit).where(seen)
    table.drop(columns="offered").astype(float).to_parquet("build/pandas.parquet")
    return table


def measured(what, folder):
    """Run one way in a process of its own; return seconds, gigabytes and rows."""
    command = [sys.executable, __file__, "--way", what, str(folder)]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stderr)
    return json.loads(done.stdout.splitlines()[-1])


def run_way(what, folder):
    """Run one way in this process and print what it took."""
    Path("build").mkdir(exist_ok=True)
    start = time.perf_counter()
    made = {"evaluate": ours, "pandas": straightforward}[what](folder)
    seconds = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print(json.dumps({"seconds": seconds, "gigabytes": peak, "rows": len(made)}))


def main(persons, with_pandas, is_dense):
    """Simulate, run both ways, and print their ratio."""
    with tempfile.TemporaryDirectory(dir=".") as name:
        folder = Path(name).resolve()
        made = simulated(folder, persons)
        spells = made.extract.rows["spells"]
        if is_dense:
            dense(made.raw / "spells.csv")
            spells *= 10
        print(f"simulated: {persons:,} persons, {spells:,} spells, 24 months, 5 outcomes")
        ways = ["evaluate", *(["pandas"] if with_pandas else [])]
        took = {way: measured(way, folder) for way in ways}
    for way, found in took.items():
        print(
            f"{way:10} {found['seconds']:8.1f} s {found['gigabytes']:6.2f} GB "
            f"{found['rows']:>12,} persons"
        )
    if with_pandas:
        ratio = took["pandas"]["seconds"] / took["evaluate"]["seconds"]
        print(f"ratio {ratio:.1f}")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--way"]:
        run_way(sys.argv[2], Path(sys.argv[3]))
    else:
        numbers = [a for a in sys.argv[1:] if not a.startswith("-")]
        main(
            int(numbers[0]) if numbers else 1_000_000,
            not {"--without-pandas", "--dense"} & set(sys.argv),
            "--dense" in sys.argv,
        )
