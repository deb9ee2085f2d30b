"""The release gate of the gap and its parts, of conditional effects, and of tests among them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from evaluate.release.gate_cells import ALL, GAP, MEN, WOMEN, Cells
from evaluate.release.gate_effects import group_cost, sides
from evaluate.release.gate_elsewhere import Elsewhere, Place, place_of
from evaluate.release.gate_overlap import source_of
from evaluate.release.gate_trimmed import SIDES

Why = dict[int, bool]  # position of a row: whether a count of its own is small
JOINT = "joint"
EVEN = 1e-6  # how near to whole a number of persons is


def is_few(n: Any, min_cell: int) -> bool:
    """Tell whether a number, perhaps a median over splits, is of somebody but of few."""
    return bool(pd.notna(n) and EVEN < float(n) < min_cell - EVEN)


def conditional_cells(
    cells: Cells, table: pd.DataFrame, control: str, always: bool
) -> list[list[int]]:
    """Enter the persons of each group and arm; where they are those of the effects, as one.

    Returns
    -------
    list of list of int
        The cells of each row.
    """
    arms = sides([str(a) for a in table["arm"].unique()], control)
    rows: list[list[int]] = []
    alike: dict[tuple[Any, ...], dict[str, int]] = {}
    for row in table.to_dict("records"):
        found: list[int] = []
        rows.append(found)
        group = str(row["group"])
        if group == GAP or (row["kind"] == JOINT and (row["term"] or "")):
            continue  # the test of a group leaves out levels with few
        for side, arm in zip(SIDES, arms[str(row["arm"])], strict=True):
            if pd.isna(n := row[f"n_{side}"]):
                continue
            cell = cells.add(("n", group, arm, int(n)), int(n), group_cost(group, int(n)))
            place = (*place_of(row), row["kind"], side)
            alike.setdefault(place, {})[group] = cell
            found.append(cell)
    for groups in alike.values():
        cells.relate_groups(groups, always)
    return rows


def gate_conditional(
    table: pd.DataFrame, rows: list[list[int]], cells: Cells, known: Elsewhere, min_cell: int
) -> Why:
    """Return the rows to empty: of groups and terms that are few, or whose effects are withheld.

    Parameters
    ----------
    table : DataFrame
        As `schemas.CONDITIONAL_EFFECTS`.
    rows : list of list of int
        From `conditional_cells`.
    cells : Cells
        Solved.
    known : Elsewhere
        What other tables withhold.
    min_cell : int
        The smallest count that passes.
    """
    why: Why = {}
    records = table.to_dict("records")
    for i, row in enumerate(records):
        group, term = str(row["group"]), str(row["term"] or "")
        few = any(is_few(row[c], min_cell) for c in ("n", "n_treated", "n_control"))
        if few or (rows and cells.any_hidden(rows[i])):
            why[i] = few or cells.any_small(rows[i])
        elif (
            known.withheld(row, *((GAP, WOMEN, MEN) if group == GAP else (group,)))
            or (str(row["arm"]), source_of(term)) in known.covariates
        ):
            why[i] = False
    hidden = {
        (*place_of(r), r["kind"], r["term"], r["group"]) for r in map(records.__getitem__, why)
    }
    for i, row in enumerate(records):
        here = {(*place_of(row), row["kind"], row["term"], g) for g in (WOMEN, MEN)}
        if row["group"] == GAP and here & hidden:
            why.setdefault(i, False)
    return why


def gate_gap(table: pd.DataFrame, known: Elsewhere, min_cell: int) -> Why:
    """Return the rows of the gap to empty.

    All rows where the effects of women or men are withheld or either are few; of the composition
    the parts by covariate where one of these has few persons of a value in the balance, as each
    is a difference of means times what can be found elsewhere; all rows of a dose of which few
    women or men had any.
    """
    records = table.to_dict("records")
    why: Why = {}
    parts: set[tuple[Place, str]] = set()
    doses: dict[tuple[Place, str], bool] = {}
    for i, row in enumerate(records):
        place, method, dose = place_of(row), str(row["method"]), str(row["dose"] or "")
        if is_few(row["n_women"], min_cell) or is_few(row["n_men"], min_cell):
            why[i] = True
        elif known.withheld(row, WOMEN, MEN, GAP):
            why[i] = False
        arm, covariate = str(row["arm"]), str(row["covariate"] or "")
        if covariate and (arm, source_of(covariate)) in known.covariates:
            parts.add((place, method))
        if dose and ((dose, arm) in known.doses or _few_doses(row, min_cell)):
            doses[place, dose] = _few_doses(row, min_cell) or doses.get((place, dose), False)
    for i, row in enumerate(records):
        place, dose = place_of(row), str(row["dose"] or "")
        if (row["covariate"] or "") and (place, str(row["method"])) in parts:
            why.setdefault(i, False)
        if dose and (place, dose) in doses:
            why.setdefault(i, doses[place, dose])
    return why


def _few_doses(row: Mapping[Any, Any], min_cell: int) -> bool:
    """Tell whether few women or men had a dose, or few had none of what all others had one of."""
    if pd.notna(least := row.get("least")):
        return is_few(least, min_cell)
    for gender in ("women", "men"):
        mean, n = row["estimate"], row[f"n_{gender}"]
        if row["part"] != f"dose_{gender}" or pd.isna(mean) or pd.isna(n):
            continue
        total = abs(float(mean)) * int(n)
        if is_few(total, min_cell) or (mean <= 1 and is_few(int(n) - total, min_cell)):
            return True
    return False


def gate_tests(table: pd.DataFrame, known: Elsewhere, min_cell: int) -> Why:
    """Return the tests to empty: of few persons, or where the effects of all are withheld."""
    why: Why = {}
    for i, row in enumerate(table.to_dict("records")):
        if is_few(row["n"], min_cell):
            why[i] = True
        elif known.withheld(row, ALL):
            why[i] = False
    return why
