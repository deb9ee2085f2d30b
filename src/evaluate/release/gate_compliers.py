"""The release gate of who the compliers are: means over those who took part are counts of them."""

from __future__ import annotations

from typing import Any

import pandas as pd

from evaluate.release.gate_cells import ALL, WOMEN, Cells, Gated, add_indicator, empty_rows
from evaluate.release.gate_effects import Key, sides
from evaluate.release.gate_flow import BALANCE_COST
from evaluate.release.gate_participation import SIDES, taking_part
from evaluate.release.gate_paths import noted

BEHIND = tuple(f"{who}_{side}" for who in ("n", "takers", "ones", "both") for side in SIDES)
IDENTITY = ("covariate", "arm", "group")
OF_COMPLIERS = ("mean_compliers", "std_error")
COST, PER_ALL = 5e9, 1.5  # beside the flow, which goes first, and the balance
GENDER = "gender=women"  # a characteristic of all that tells the group of women


class CompliersCells:
    """The cells behind each row: what its number, its mean of all and its others tell."""

    def __init__(self) -> None:
        self.sizes: list[list[int]] = []
        self.all: list[list[int]] = []
        self.compliers: list[list[int]] = []


def compliers_cells(
    cells: Cells, table: pd.DataFrame, control: str, always: bool, min_cell: int
) -> CompliersCells:
    """Enter who has a characteristic, and who of them took part.

    The mean of compliers is that among those offered who took part, less what control who took
    part anyway tells of them; with no such control it is a share of a known number. Those with
    a characteristic who did not take part are the rest that the balance table leaves: a cell
    where they are few.

    Parameters
    ----------
    cells : Cells
        To enter them in; those of the balance table are there already.
    table : DataFrame
        As `schemas.COMPLIERS`, with the counts behind it.
    control : str
        The control arm.
    always : bool
        See `Cells.relate`.
    min_cell : int
        The smallest count that passes.
    """
    arms = sides([str(a) for a in table["arm"].unique()], control)
    found = CompliersCells()
    alike: dict[Key, dict[str, int]] = {}  # one count in all groups
    levels: dict[Key, list[int]] = {}  # one categorical covariate in one group
    missing = _missing(table)
    for row in table.to_dict("records"):
        covariate, group, label = str(row["covariate"]), str(row["group"]), str(row["arm"])
        source = covariate.removesuffix(" missing").split("=")[0]
        sizes, told, pairs = [], [], []
        for side, arm in zip(SIDES, arms[label], strict=True):
            n, taken = int(row[f"n_{side}"]), int(row[f"takers_{side}"])
            size, takers, others = taking_part(cells, group, arm, n, taken)
            sizes.append(size)
            told += [size, takers, others]
            for kind, cell in (("n", size), ("takers", takers), ("others", others)):
                alike.setdefault((arm, kind), {})[group] = cell
            if pd.isna(row[f"ones_{side}"]):
                continue
            ones, both = int(row[f"ones_{side}"]), int(row[f"both_{side}"])
            absent, absent_taken = missing.get((covariate, group, label, side), (0, 0))
            # in the balance table under the same key, if of the same persons
            pair = add_indicator(
                cells,
                ("balance", covariate, group, arm),
                n - absent,
                ones,
                size,
                BALANCE_COST * (10 if group == ALL else 1) + n,
            )
            key = ("compliers", covariate, group, arm, n)
            cost = COST * (PER_ALL if group == ALL else 1) + taken
            of_takers = add_indicator(cells, key, taken - absent_taken, both, takers, cost)
            for whole, part in zip(pair, of_takers, strict=True):
                rest = cells.counts[whole] - cells.counts[part]
                if 0 < rest < min_cell:
                    cells.relate(whole, [part, cells.add(("others with", whole, part), rest, 0)])
            for kind, cell in zip(
                ("ones", "zeros", "both", "neither"), (*pair, *of_takers), strict=True
            ):
                alike.setdefault((covariate, arm, kind), {})[group] = cell
            levels.setdefault((source, group, arm, takers), []).append(of_takers[0])
            pairs.append(pair)
            told += of_takers
            if covariate == GENDER and group == ALL:
                alike.setdefault((arm, "women"), {}).update(size=pair[0], takers=of_takers[0])
        found.sizes.append(sizes)
        found.compliers.append(told)
        found.all.append(_both_arms(cells, (covariate, group, label), pairs))
    for groups in alike.values():
        cells.relate_groups(groups)
    for (arm, kind), of_women in [(k, v) for k, v in alike.items() if k[1:] == ("women",)]:
        for name, of in (("size", "n"), ("takers", "takers")):
            if WOMEN in (by_group := alike.get((arm, of), {})):
                cells.relate(of_women[name], [by_group[WOMEN]])
    for (*_, takers), parts in levels.items():
        cells.relate(takers, list(dict.fromkeys(parts)))
    return found
