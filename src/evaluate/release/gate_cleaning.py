"""The release gate of the decisions on the rows of linked tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from evaluate.release.gate_cells import MEN, WOMEN, Cells, Gated, Persons, empty_counts
from evaluate.release.gate_flow import PER_RANK, Places

# What goes first: what was received and kept tells how many rows were rejected in all.
RANK = {"excluded": 0, "noted": 0, "received": 1, "kept": 3}
PERSONS = {"n": "persons", WOMEN: "women_persons", MEN: "men_persons"}  # behind each count


def cleaning_cells(cells: Cells, table: pd.DataFrame, min_cell: int) -> Places:
    """Enter the counts of rows, each with the distinct persons behind it.

    The rows of persons whose gender is not known, or who are not in the study, are the rest
    that women and men leave of all; no table prints it. The rows kept without a remark are a
    cell where they are few, for a subtraction gives them.

    Parameters
    ----------
    cells : Cells
        To enter them in.
    table : DataFrame
        As `schemas.CLEANING`.
    min_cell : int
        The smallest count that passes.

    Returns
    -------
    dict of (int, str) to int
        Cell by position of the row and column.
    """
    places: Places = {}
    rows = table.to_dict("records")
    for i, row in enumerate(rows):
        for column in PERSONS:
            if pd.notna(row[column]):
                n = int(row[column])
                cost = (RANK[row["step"]] + (0.5 if column == "n" else 0)) * PER_RANK + n
                persons = _persons(row, column)
                places[i, column] = cells.add(("cleaning", i, column), n, cost, persons=persons)
        if all((i, column) in places for column in PERSONS):
            parts = [places[i, WOMEN], places[i, MEN]]
            rest = int(row["n"]) - int(row[WOMEN]) - int(row[MEN])
            if rest > 0:
                unknown = (0, 0, _persons(row, "n")[2] or rest)
                parts.append(cells.add_unprinted(("cleaning", "rest", i), rest, unknown))
            cells.relate(places[i, "n"], parts)
    steps = [(row["table"], row["step"]) for row in rows]
    for name in dict.fromkeys(t for t, _ in steps):
        for column in PERSONS:
            at = {
                step: [
                    places[i, column]
                    for i, where in enumerate(steps)
                    if where == (name, step) and (i, column) in places
                ]
                for step in RANK
            }
            if len(at["received"]) == 1:
                cells.relate(at["received"][0], [*at["excluded"], *at["kept"]])
            for kept in at["kept"]:
                for cell in at["noted"]:
                    left = cells.counts[kept] - cells.counts[cell]
                    if 0 < left < min_cell:
                        cells.relate(kept, [cell, cells.add(("unnoted", cell), left, 0)])
    return places


def _persons(row: Mapping[Any, Any], column: str) -> Persons:
    """Return the persons behind a count; for rows of nobody in the study, the rows."""
    if column != "n":
        behind = float(row[PERSONS[column]])
        return (behind, 0, 0) if column == WOMEN else (0, behind, 0)
    women, men = float(row["women_persons"]), float(row["men_persons"])
    if not row["persons"]:
        return (0, 0, float(row["n"]))
    return (women, men, float(row["persons"]) - women - men)


def gate_cleaning(
    table: pd.DataFrame, places: Places, cells: Cells, min_cell: int, round_to: int
) -> Gated:
    """Empty the withheld counts, and take away the numbers of persons behind the rows."""
    identity = ("table", "step", "reason")
    kept = table.drop(columns=list(PERSONS.values()))
    return empty_counts("cleaning", kept, places, cells, identity, min_cell, round_to)
