"""The release gate of overlap: who is kept, the histogram of probabilities, the population."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from evaluate.release.gate_cells import (
    ALL,
    MEN,
    WOMEN,
    Cells,
    Gated,
    empty_rows,
    indicator,
    rounded,
)
from evaluate.release.gate_effects import group_cost, noted, sides
from evaluate.release.gate_trimmed import ATE, Trimmed
from evaluate.release.suppression import is_small

SIDES = ("treated", "control")
PLACE = ("arm", "group", "side")
OF_KEPT = ("kept", "trimmed", "effective", "largest")
OVERLAP = ("n", "outside", *OF_KEPT, "clipped")
MEASURES = ("log_loss", "brier", "calibration_intercept", "calibration_slope", "auc")
AFTER = ("mean_after", "difference")
Blocked = set[tuple[str, str]]  # contrast, and covariate of the plan


def overlap_cells(cells: Cells, table: pd.DataFrame, control: str, always: bool) -> list[list[int]]:
    """Enter the persons of each group and arm, all and kept.

    Returns
    -------
    list of list of int
        The cells of each row.
    """
    arms = sides([str(a) for a in table["arm"].unique()], control)
    rows: list[list[int]] = []
    alike: dict[tuple[str, str, str], dict[str, int]] = {}
    for row in table.to_dict("records"):
        label, group, side = (str(row[c]) for c in PLACE)
        arm = arms[label][SIDES.index(side)]
        found = []
        for column in ("n", "kept"):
            n = int(row[column])
            cell = cells.add(("n", group, arm, n), n, group_cost(group, n))
            alike.setdefault((label, side, column), {})[group] = cell
            found.append(cell)
        rows.append(found)
    for groups in alike.values():
        cells.relate_groups(groups, always)
    return rows


def gate_overlap(
    table: pd.DataFrame, rows: list[list[int]], cells: Cells, trimmed: Trimmed, min_cell: int
) -> Gated:
    """Empty counts that are few, and those that would tell them; the bounds stay.

    Parameters
    ----------
    table : DataFrame
        As `schemas.OVERLAP`.
    rows : list of list of int
        From `overlap_cells`.
    cells : Cells
        Solved.
    trimmed : Trimmed
        Who was left out.
    min_cell : int
        The smallest count that passes.
    """
    table = table.reset_index(drop=True)
    whole = {i: cells.any_small(c) for i, c in enumerate(rows) if cells.any_hidden(c)}
    kept, held, outside = {}, {}, {}
    for i, row in enumerate(table.to_dict("records")):
        place = (str(row["arm"]), str(row["group"]), str(row["side"]))
        if i in whole:
            continue
        if place in trimmed.sides:
            kept[i] = _few(row["trimmed"], min_cell)
        if place in trimmed.clipped:
            held[i] = _few(row["clipped"], min_cell)
        # of a group's own range: no sum relates it to other groups
        few = [_few(n, min_cell) for n in (row["outside"], row["n"] - row["outside"])]
        if any(few):
            outside[i] = True
    gated = Gated(table, [])
    for why, columns in (
        (whole, OVERLAP),
        (kept, OF_KEPT),
        (held, ("clipped",)),
        (outside, ("outside",)),
    ):
        one = empty_rows("overlap", gated.table, why, PLACE, columns, min_cell)
        gated = Gated(one.table, [*gated.withheld, *one.withheld])
    if table.empty:
        return gated
    return Gated(noted(gated.table, whole, min_cell), gated.withheld)


def _few(n: Any, min_cell: int) -> bool:
    return bool(pd.notna(n) and 0 < int(n) < min_cell)


def hidden_groups(
    table: pd.DataFrame | None, rows: list[list[int]], cells: Cells
) -> set[tuple[str, str]]:
    """Return the contrasts and groups whose number of persons is withheld."""
    if table is None:
        return set()
    places = zip(table["arm"].astype(str), table["group"].astype(str), rows, strict=True)
    return {(arm, group) for arm, group, found in places if cells.any_hidden(found)}


def gate_models(table: pd.DataFrame, hidden: set[tuple[str, str]], min_cell: int) -> Gated:
    """Empty what is told of groups whose size is withheld; small numbers leave the notes."""
    table = table.reset_index(drop=True)
    why = {
        i: False
        for i, (arm, group) in enumerate(zip(table["arm"], table["group"], strict=True))
        if (str(arm), str(group)) in hidden
    }
    identity = ("covariates", "arm", "model", "group")
    gated = empty_rows("propensity_models", table, why, identity, MEASURES, min_cell)
    return Gated(gated.table if table.empty else noted(gated.table, why, min_cell), gated.withheld)


def gate_histogram(
    table: pd.DataFrame, hidden: set[tuple[str, str]], min_cell: int, round_to: int
) -> Gated:
    """Merge bins until none holds few persons of any group.

    All groups of an arm have the same bins, so that those of all less those of women are no few
    men. An arm or group whose size is withheld has its counts emptied.

    Parameters
    ----------
    table : DataFrame
        As `schemas.PROPENSITY_HISTOGRAM`.
    hidden : set of (str, str)
        Contrasts and groups whose size is withheld.
    min_cell, round_to : int
        The limits of the release.
    """
    if table.empty:
        return Gated(table.copy(), [])
    parts = []
    for (_, _), rows in table.groupby(["arm", "side"], sort=False):
        by_group = {str(g): r.sort_values("low") for g, r in rows.groupby("group", sort=False)}
        counts = {g: r["n"].to_numpy(dtype=int) for g, r in by_group.items()}
        if {ALL, WOMEN, MEN} <= counts.keys():
            counts["unknown"] = counts[ALL] - counts[WOMEN] - counts[MEN]
        edges = merged(counts, min_cell)
        for group, own in by_group.items():
            low, high = own["low"].to_numpy(), own["high"].to_numpy()
            n = [int(counts[group][a:b].sum()) for a, b in edges]
            total = max(sum(n), 1)
            bins = pd.DataFrame(
                {
                    **{c: own[c].iloc[0] for c in PLACE},
                    "low": [low[a] for a, _ in edges],
                    "high": [high[b - 1] for _, b in edges],
                    "n": pd.array(n, dtype="Int64"),
                    "share": [k / total for k in n],
                }
            )
            parts.append(bins)
    out = pd.concat(parts, ignore_index=True)[list(table.columns)]
    order = {
        place: i
        for i, place in enumerate(dict.fromkeys(zip(*(table[c] for c in PLACE), strict=True)))
    }
    place = pd.Series([order[p] for p in zip(*(out[c] for c in PLACE), strict=True)])
    out = out.iloc[place.sort_values(kind="stable").index].reset_index(drop=True)
    why = {}
    for i, row in enumerate(out.to_dict("records")):
        few = bool(is_small(pd.Series([row["n"]], dtype=float).to_numpy(), min_cell).any())
        if few or (str(row["arm"]), str(row["group"])) in hidden:
            why[i] = few
    # what is left of a group of few is one bin: the others of its arm would tell it
    arms = {(out["arm"].iloc[i], out["side"].iloc[i]) for i, few in why.items() if few}
    for i, row in enumerate(out.to_dict("records")):
        if (row["arm"], row["side"]) in arms:
            why.setdefault(i, False)
    identity = (*PLACE, "low", "high")
    gated = empty_rows("propensity_histogram", out, why, identity, ("n", "share"), min_cell)
    shown = gated.table
    if round_to > 1:
        counts_shown = rounded(shown["n"], round_to)
        sums = counts_shown.groupby([shown[c] for c in PLACE]).transform("sum").astype(float)
        share = counts_shown.astype(float) / sums.where(sums > 0)
        shown = shown.assign(n=counts_shown, share=share)
    return Gated(shown, gated.withheld)


def merged(counts: Mapping[str, Any], min_cell: int) -> list[tuple[int, int]]:
    """Return the first and last bins of each merged bin, from the lowest on.

    Parameters
    ----------
    counts : mapping of str to ndarray of int, shape (bins,)
        By group.
    min_cell : int
        No merged bin holds 1 to ``min_cell - 1`` persons of a group, unless all of them do.
    """
    size = len(next(iter(counts.values())))

    def passes(first: int, last: int) -> bool:
        return all(not 0 < n[first:last].sum() < min_cell for n in counts.values())

    edges: list[tuple[int, int]] = []
    first = 0
    for last in range(1, size + 1):
        if passes(first, last):
            edges.append((first, last))
            first = last
    while first < size:  # the rest joins those below it
        start = edges.pop()[0] if edges else 0
        if passes(start, size) or not edges:
            edges.append((start, size))
            first = size
    return edges


def blocked_covariates(
    table: pd.DataFrame | None, overlap: pd.DataFrame | None, trimmed: Trimmed, min_cell: int
) -> Blocked:
    """Return the covariates with few persons of a value among those kept, or those left out.

    Parameters
    ----------
    table : DataFrame or None
        As `schemas.POPULATION`, exact.
    overlap : DataFrame or None
        As `schemas.OVERLAP`, exact.
    trimmed : Trimmed
        Who was left out.
    min_cell : int
        The smallest count that passes.

    Returns
    -------
    set of (str, str)
        Contrast and covariate of the plan, all of whose levels and groups are concerned.
    """
    if table is None or overlap is None or table.empty:
        return set()
    wanted = SIDES if trimmed.estimand == ATE else SIDES[:1]
    chosen = overlap[overlap["side"].isin(wanted)]
    sizes = chosen.groupby(["arm", "group"])[["n", "kept"]].sum()
    found: Blocked = set()
    for row in table.to_dict("records"):
        n, kept = (int(sizes.loc[(row["arm"], row["group"]), c]) for c in ("n", "kept"))
        before, after = indicator(row["mean_before"], n), indicator(row["mean_after"], kept)
        if before is None or after is None:
            continue
        counts = [after, kept - after, before - after, n - kept - before + after]
        if any(0 < c < min_cell for c in counts):
            found.add((str(row["arm"]), source_of(str(row["covariate"]))))
    return found


def source_of(covariate: str) -> str:
    """Return the covariate of the plan that a column comes from."""
    return covariate.removesuffix(" missing").split("=")[0]


def gate_population(
    table: pd.DataFrame,
    blocked: Blocked,
    hidden: set[tuple[str, str]],
    withheld: set[tuple[str, str, str]],
    trimmed: Trimmed,
    min_cell: int,
) -> Gated:
    """Empty means of those kept where few are left out, or few have a value.

    Parameters
    ----------
    table : DataFrame
        As `schemas.POPULATION`.
    blocked : set of (str, str)
        From `blocked_covariates`.
    hidden : set of (str, str)
        Contrasts and groups whose size is withheld.
    withheld : set of (str, str, str)
        Contrast, covariate and group of rows of the balance that are.
    trimmed : Trimmed
        Who was left out.
    min_cell : int
        The smallest count that passes.
    """
    table = table.reset_index(drop=True)
    whole, after = {}, {}
    for i, row in enumerate(table.to_dict("records")):
        arm, covariate, group = (str(row[c]) for c in ("arm", "covariate", "group"))
        if (arm, group) in hidden or (arm, covariate, group) in withheld:
            whole[i] = False
        elif (arm, source_of(covariate)) in blocked or trimmed.tells(arm, group):
            after[i] = False
    identity = ("arm", "covariate", "group")
    first = empty_rows("population", table, whole, identity, ("mean_before", *AFTER), min_cell)
    second = empty_rows("population", first.table, after, identity, AFTER, min_cell)
    return Gated(second.table, [*first.withheld, *second.withheld])
