"""Faults in the rows of the raw tables, each for persons of its own, so that they can be counted.

A fault is planted for persons who are in the lottery and meet the criteria, because the rows of
others are left out for that reason first. Who they are does not depend on what else is planted.
Where it can, a fault adds a row, so that the sound rows and the true effects stay as they are.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from evaluate.data.simulated.coded import Coded, Keys
from evaluate.data.simulated.faults import IN_FILES, SITES, Faults
from evaluate.data.simulated.persons import Persons
from evaluate.data.simulated.row_faults import (
    CONDITIONS,
    COUNTED_ROWS,
    PLANTERS,
    Chosen,
    Condition,
)

ROW_SITES = tuple(site for site in SITES if site[0] not in IN_FILES)
SPARE = 3  # persons set aside for each one that a fault is planted for: not all have such a row
LEAST = 2  # persons, where there are enough


def plant(
    tables: Mapping[str, Coded],
    persons: Persons,
    keys: Keys,
    faults: Faults,
    seeds: np.random.SeedSequence,
) -> tuple[dict[str, Coded], dict[str, int]]:
    """Plant faults in the rows of the tables of some persons.

    Parameters
    ----------
    tables : mapping of str to Coded
        The sound tables.
    persons, keys
        The persons and their keys.
    faults : Faults
        What to plant; what is not in rows is left to `files`.
    seeds : SeedSequence
        Of these persons.

    Returns
    -------
    tables : dict of str to Coded
    planted : dict of str to int
        For each fault and table, "duplicates:spells", how many rows a run has to count.
    """
    made, planted = dict(tables), {}
    generators = [np.random.default_rng(s) for s in seeds.spawn(len(ROW_SITES) + 1)]
    set_aside, room = _set_aside(persons, generators[-1])
    wanted = min(max(LEAST, round(faults.rate * int(persons.counted.sum()))), room)
    for (kind, table), who, rng in zip(ROW_SITES, set_aside, generators, strict=False):
        if (kind, table) not in faults.sites:
            continue
        sound = tables[table]
        rows = _one_each(sound, who, CONDITIONS.get((kind, table)), rng)[:wanted]
        choice = Chosen(table, made[table], rows, sound.person[rows], persons, keys, rng)
        made[table] = PLANTERS[kind](choice)
        planted[f"{kind}:{table}"] = len(rows) * COUNTED_ROWS.get(kind, 1)
    return made, planted


def _set_aside(persons: Persons, rng: np.random.Generator) -> tuple[list[np.ndarray], int]:
    """Return persons for each fault of a table, and how many of them it may use at most.

    Those for the key table have a key that changed.
    """
    counted = rng.permutation(np.flatnonzero(persons.counted))
    room = len(counted) // (len(ROW_SITES) * SPARE)
    of_keys = [table == "keys" for _, table in ROW_SITES]
    changed = counted[persons.key_changed[counted] > 0][: room * sum(of_keys)]
    others = counted[~np.isin(counted, changed)]
    found = []
    for is_of_keys in of_keys:
        size = room if is_of_keys else room * SPARE
        pool = changed if is_of_keys else others
        found.append(pool[:size])
        if is_of_keys:
            changed = changed[size:]
        else:
            others = others[size:]
    return found, room


def _one_each(
    coded: Coded, who: np.ndarray, condition: Condition | None, rng: np.random.Generator
) -> np.ndarray:
    """Return one row, drawn by lot, of each person who has one that meets a condition."""
    low = np.searchsorted(coded.person, who)
    high = np.searchsorted(coded.person, who, side="right")
    rows = np.repeat(low - np.cumsum(high - low) + (high - low), high - low)
    rows = rng.permutation(rows + np.arange(len(rows)))
    if condition is not None:
        rows = rows[condition(coded, rows)]
    _, first = np.unique(coded.person[rows], return_index=True)
    return rows[np.sort(first)]
