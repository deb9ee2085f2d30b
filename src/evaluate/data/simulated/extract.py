"""Write a simulated extract: the raw tables of a programme, a part of the persons at a time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa

from evaluate.data.simulated import costs, tables
from evaluate.data.simulated.coded import Coded, keys_of, numbered
from evaluate.data.simulated.faults import IN_FILES, Faults, chosen
from evaluate.data.simulated.files import FORMATS, Write, open_table
from evaluate.data.simulated.paths import draw_paths, spell_rows
from evaluate.data.simulated.persons import Persons, draw_persons
from evaluate.data.simulated.plant import plant
from evaluate.data.simulated.setting import Setting, setting
from evaluate.data.simulated.truth import LABEL, Sums, Truth, sums, truth
from evaluate.errors import PlanError
from evaluate.io import write_json, write_text

PART = 100_000  # persons at a time
LEAST, MOST = 200, 50_000_000  # fewer have no room for every fault
README = f"""{LABEL}

Simulerat uttag: personer, nycklar och händelser är slumpade. Ingen av dem finns.
"""


@dataclass(frozen=True)
class Extract:
    """What was written.

    Attributes
    ----------
    files : tuple of Path
        The raw tables.
    rows : mapping of str to int
        Rows of each table, with what was planted.
    truth : Truth
        What an evaluation should find.
    """

    files: tuple[Path, ...]
    rows: Mapping[str, int]
    truth: Truth


def extract(
    folder: Path,
    persons: int = 3_625,
    seed: int = 1,
    faults: str | Sequence[str] = "counted-small",
    *,
    form: str = "csv",
    with_truth: bool = False,
) -> Extract:
    """Write the raw tables of a simulated programme.

    Parameters
    ----------
    folder : Path
        Where they go; a file of the same name is replaced.
    persons : int
        Persons in the extract, from 200 on.
    seed : int
        The same seed, number of persons and faults give the same bytes.
    faults : str or sequence of str
        What to plant, see `faults.chosen`.
    form : str
        Of `files.FORMATS`.
    with_truth : bool
        Whether to write `truth.json` beside the tables.

    Raises
    ------
    PlanError
        If what is asked for cannot be.
    ReleaseError
        If the disk does not take the files; each is whole or not there.
    """
    asked = chosen(faults)
    check(persons, seed, asked, form)
    world = setting(persons)
    write_text(README, folder / "README.txt")  # first, so that what is begun is labelled, too
    found, planted, rows = _write_tables(folder, world, seed, asked, form)
    known = truth(found, seed, world, planted)
    if with_truth:
        write_json(known.content(), folder / "truth.json")
    return Extract(tuple(folder / f"{name}.{form}" for name in rows), rows, known)


def is_simulated(folder: Path) -> bool:
    """Tell whether a folder of raw tables is labelled simulated."""
    readme = folder / "README.txt"
    return readme.is_file() and readme.read_text(encoding="utf-8").startswith(LABEL)


def check(persons: int, seed: int, faults: Faults, form: str) -> None:
    """Raise a PlanError where an extract cannot be what is asked for."""
    if not LEAST <= persons <= MOST:
        raise PlanError(f"persons: from {LEAST} to {MOST:,}, not {persons:,}.")
    if seed < 0:
        raise PlanError(f"seed: 0 or above, not {seed}.")
    if form not in FORMATS:
        raise PlanError(f"format `{form}`: not among {', '.join(FORMATS)}.")
    of_files = sorted({kind for kind, _ in faults.sites if kind in IN_FILES})
    if form != "csv" and of_files:
        raise PlanError(f"{', '.join(of_files)}: faults of CSV files. Choose the format csv.")


def _write_tables(
    folder: Path, world: Setting, seed: int, faults: Faults, form: str
) -> tuple[Sums, dict[str, int], dict[str, int]]:
    edges = np.linspace(0, world.persons, -(-world.persons // PART) + 1).astype(int)
    planted, rows = Counter[str](), Counter[str]()
    total: Sums | None = None
    by_wave = np.zeros((3, len(world.office_names), len(world.waves)), dtype=np.int64)
    with ExitStack() as stack:
        writers: dict[str, Write] = {}

        def write(name: str, table: pa.Table) -> None:
            if name not in writers:
                path = folder / f"{name}.{form}"
                here = open_table(
                    path, tables.LAYOUTS[name], table.column_names, faults.of_files(name)
                )
                writers[name] = stack.enter_context(here)
            writers[name](table)
            rows[name] += len(table)

        for part, (first, end) in enumerate(pairwise(edges)):
            people, found, made, count = _part(
                world, int(first), int(end - first), np.random.SeedSequence([seed, part]), faults
            )
            total = found if total is None else total + found
            by_wave += costs.counts(people, world)
            planted.update(count)
            for name, coded in made.items():
                if "record" in coded.columns:
                    coded = _with_records(coded, rows[name])
                order = tables.LAYOUTS[name].order
                write(name, (coded.sorted_by(order) if order else coded).table)
        write("costs", costs.cost_table(by_wave, world))
        write("time_reports", costs.report_table(by_wave, world))
    planted.update({f"{kind}:{table}": 1 for kind, table in faults.sites if kind in IN_FILES})
    assert total is not None
    return total, dict(planted), dict(rows)


def _part(
    world: Setting, first: int, count: int, seeds: np.random.SeedSequence, faults: Faults
) -> tuple[Persons, Sums, dict[str, Coded], dict[str, int]]:
    """Draw some persons and all their rows; each table has draws of its own."""
    *own, of_faults = seeds.spawn(7)
    draws = [np.random.default_rng(seed) for seed in own]
    people = draw_persons(world, first, count, draws[0])
    paths = draw_paths(people, draws[1])
    path = paths.observed(people)
    keys = keys_of(first, count)
    wages = tables.draw_wages(people, draws[2])
    sound = {
        "persons": tables.person_rows(people, keys, world),
        "assignment": tables.assignment_rows(people, keys, world),
        "keys": tables.key_rows(people, keys),
        "spells": tables.coded_spells(people, keys, spell_rows(path, people.offered, draws[3])),
        "activities": tables.activity_rows(people, keys, draws[4]),
        "incomes": tables.income_rows(people, keys, path, wages, draws[5]),
    }
    made, planted = plant(sound, people, keys, faults, of_faults)
    return people, sums(people, paths, wages, world), made, planted


def _with_records(coded: Coded, before: int) -> Coded:
    """Return a table whose records are numbered on from the rows that are written already."""
    last = int(coded.columns["record"].max(initial=-1)) + 1
    numbers = numbered("A", before + np.arange(last), digits=9)
    return replace(coded, texts={**coded.texts, "record": numbers})
