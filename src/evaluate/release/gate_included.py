"""Those included: whether the numbers of other rows tell how many they are.

An effect on an outcome that nobody lacks is of everybody, and its n says so. Then the flow shows
those included, too, and how many lack another outcome is a difference between two n.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import pandas as pd

from evaluate.release.gate_cells import ALL, MEN, WOMEN, Cells
from evaluate.release.gate_effects import sides

LATER = ("followed", "analysed")
SIDES = ("treated", "control")

Sizes = dict[tuple[str, str], int]  # the most persons that a row is of, by group and single arm


@dataclass(frozen=True)
class Told:
    """What is to be read of those included, without the flow's own row of them.

    Attributes
    ----------
    sizes : dict of (str, str) to int
        The most persons of a group and single arm that a row of another table is of.
    by_rows, columns : set of str
        The columns of the flow whose persons these are, by arm; those that are told at all.
    """

    sizes: Sizes = field(default_factory=dict)
    by_rows: set[str] = field(default_factory=set)
    columns: set[str] = field(default_factory=set)


def told_included(
    tables: Mapping[str, pd.DataFrame], control: str, always: bool, min_cell: int
) -> Told:
    """Find out where those included are told.

    Parameters
    ----------
    tables, control
        As for `release`.
    always : bool
        See `Cells.relate`.
    min_cell : int
        The smallest count that passes.
    """
    flow = tables.get("flow")
    included = pd.DataFrame() if flow is None else flow[flow["step"] == "included"]
    if flow is None or len(included) != 1:
        return Told()
    row = included.iloc[0].drop(["step", "reason"]).dropna()
    arms, genders = _arms(flow), [g for g in (WOMEN, MEN) if g in row]
    sizes: Sizes = {}
    for group, arm, n in _numbers(tables, control, min_cell):
        if pd.notna(n):
            sizes[group, arm] = max(sizes.get((group, arm), 0), round(n))
    by_rows = {
        column
        for column in (*genders, *arms)
        if column in row and sum(sizes.get(p, 0) for p in _behind(column, arms)) == row[column]
    }
    later = flow[flow["step"].isin(LATER)]
    told = by_rows | {str(c) for c in row.index if (later[c] == row[c]).any()}
    families = [arms]
    if len(genders) == 2 and (always or sum(row[g] for g in genders) == row["n"]):
        families.append(genders)
    for family in [*families, *families]:  # one may tell n, which tells the rest of the other
        if len({"n", *family} - told) == 1:
            told |= {"n", *family}
    return Told(sizes, by_rows, told)


def _numbers(
    tables: Mapping[str, pd.DataFrame], control: str, min_cell: int
) -> Iterator[tuple[str, str, float]]:
    """Yield the persons that a row is of, by group and single arm."""
    for name in ("effects", "participation", "bounds"):
        if (table := tables.get(name)) is None:
            continue
        arms = sides([str(a) for a in table["arm"].unique()], control)
        if name == "bounds":
            table = table[~_few_lacking(table, min_cell)]
        for row in table.to_dict("records"):
            for side, arm in zip(SIDES, arms[str(row["arm"])], strict=True):
                yield str(row["group"]), arm, row[f"n_{side}"]
    if (table := tables.get("costs")) is not None:  # what was spent over what an offer costs
        for row in table[table["per_offer"] > 0].to_dict("records"):
            yield ALL, str(row["arm"]), row["amount"] / row["per_offer"]


def _few_lacking(bounds: pd.DataFrame, min_cell: int) -> pd.Series:
    """Return the rows of bounds that will be withheld: few lack the outcome, or few have it."""
    few = pd.Series(False, index=bounds.index)
    for side in SIDES:
        missing = bounds[f"missing_{side}"].astype(float)
        for count in (missing, bounds[f"n_{side}"].astype(float) - missing):
            few |= (count > 0) & (count < min_cell)
    place = [bounds[c] for c in ("outcome", "month", "arm", "method")]
    of_gender = bounds["group"].isin([WOMEN, MEN])  # women and men hide each other
    return few | (of_gender & (few & of_gender).groupby(place, dropna=False).transform("any"))


def link_included(
    cells: Cells, table: pd.DataFrame, places: Mapping[tuple[int, str], int], told: Told
) -> None:
    """Relate those included to the same numbers elsewhere: both are withheld, or neither."""
    steps = table["step"].tolist()
    if steps.count("included") != 1:
        return
    included = steps.index("included")
    for (i, column), cell in places.items():
        if steps[i] in LATER and (included, column) in places:
            cells.relate(places[included, column], [cell])
    for column in told.by_rows:
        keys = [("n", *part, told.sizes[part]) for part in _behind(column, _arms(table))]
        if all(key in cells.index for key in keys):  # those of costs are no cell
            cells.relate(places[included, column], [cells.index[key] for key in keys])


def _arms(flow: pd.DataFrame) -> list[str]:
    return [str(c) for c in flow if str(c).startswith("arm=")]


def _behind(column: str, arms: list[str]) -> list[tuple[str, str]]:
    """Return the groups and single arms whose persons a column of the flow counts."""
    if column in arms:
        return [(ALL, column.removeprefix("arm="))]
    return [(column, arm.removeprefix("arm=")) for arm in arms]
