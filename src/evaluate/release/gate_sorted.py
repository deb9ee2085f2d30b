"""The release gate of sorted groups, of who is in them, and of predicted effects."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from evaluate.notes import joined
from evaluate.release.gate_cells import ALL, GAP, MEN, WOMEN
from evaluate.release.gate_elsewhere import Elsewhere, Place, place_of
from evaluate.release.gate_gap import Why, is_few
from evaluate.release.gate_overlap import merged, source_of

GENDER_SHARES = ("share_women", "share_women_low", "share_women_high")
TOP_BOTTOM = "top-bottom"
OF_GENDER = ("men", "women", "gender")
Ranked = tuple[Place, str]  # and the learner


def gate_sorted(table: pd.DataFrame, known: Elsewhere, min_cell: int) -> tuple[Why, Why, Why]:
    """Return the rows to empty whole, those that lose shares of women, and numbers of persons.

    A group with few women of an arm has no effects of women and men, who are told from all of
    it, and none is told from ``top-bottom``. Where few women or men are in one group, no group
    of that order tells how many there are: rules and the curve tell those of several together.

    Parameters
    ----------
    table : DataFrame
        As `schemas.SORTED_GROUPS`, with ``least``.
    known : Elsewhere
        What other tables withhold.
    min_cell : int
        The smallest count that passes.
    """
    records = table.to_dict("records")
    whole: Why = {}
    few: dict[tuple[Ranked, str], set[str]] = {}  # by group of the order: who is few in it
    for i, row in enumerate(records):
        group, ranked = str(row["group"]), _ranked(row)
        if group == ALL and (is_few(row["n"], min_cell) or known.withheld(row, ALL)):
            whole[i] = is_few(row["n"], min_cell)
            few.setdefault((ranked, str(row["sorted_group"])), set()).add(ALL)
        elif group in (WOMEN, MEN) and (
            is_few(row["n"], min_cell) or _few_of_an_arm(row, min_cell)
        ):
            few.setdefault((ranked, str(row["sorted_group"])), set()).add(group)
    ends = _ends(records)
    for (ranked, name), groups in list(few.items()):
        if name in ends.get(ranked, ()):
            few.setdefault((ranked, TOP_BOTTOM), set()).update(groups)
    for i, row in enumerate(records):
        groups = few.get((_ranked(row), str(row["sorted_group"])), set())
        of_gender = row["group"] != ALL
        if groups if of_gender else ALL in groups:
            whole.setdefault(i, row["group"] in groups)
        elif of_gender and known.withheld(row, WOMEN, MEN, GAP):
            whole.setdefault(i, False)
    untold = untold_orders(table, known, min_cell)
    here = {i for i, row in enumerate(records) if _ranked(row) in untold and i not in whole}
    by_gender = {i for i in here if records[i]["group"] in (WOMEN, MEN)}
    return whole, dict.fromkeys(sorted(here), False), dict.fromkeys(sorted(by_gender), False)


def untold_orders(table: pd.DataFrame, known: Elsewhere, min_cell: int) -> set[Ranked]:
    """Return the orders that must not tell how many women and men are in their groups.

    Parameters
    ----------
    table : DataFrame
        As `schemas.SORTED_GROUPS`, exact.
    known : Elsewhere
        What other tables withhold.
    min_cell : int
        The smallest count that passes.
    """
    found = set()
    for row in table.to_dict("records"):
        few = known.withheld(row, ALL, WOMEN, MEN)
        if row["group"] in (WOMEN, MEN):
            few |= is_few(row["n"], min_cell) or _few_of_an_arm(row, min_cell)
        elif pd.notna(row["share_women"]) and pd.notna(row["n"]):
            women = float(row["share_women"]) * int(row["n"])
            few |= is_few(women, min_cell) or is_few(int(row["n"]) - women, min_cell)
        if few:
            found.add(_ranked(row))
    return found


def _few_of_an_arm(row: dict[Any, Any], min_cell: int) -> bool:
    """Tell whether few of an arm, or none in some splits, are behind numbers that are there."""
    least = row.get("least")
    return bool(least is not None and pd.notna(least) and row["n"] and least < min_cell)


def _ranked(row: dict[Any, Any]) -> Ranked:
    return place_of(row), str(row["learner"])


def _ends(records: list[dict[Any, Any]]) -> dict[Ranked, tuple[str, str]]:
    """Return the first and last group of each order."""
    found: dict[Ranked, list[int]] = {}
    for row in records:
        if str(row["sorted_group"]).isdigit():
            found.setdefault(_ranked(row), []).append(int(row["sorted_group"]))
    return {ranked: (str(min(g)), str(max(g))) for ranked, g in found.items()}


def women_in_order(
    table: pd.DataFrame, known: Elsewhere, min_cell: int
) -> dict[Place, list[tuple[float, float]]]:
    """Return the women and men of the first groups together, where the released shares tell them.

    Parameters
    ----------
    table : DataFrame
        As `schemas.SORTED_GROUPS`, exact.
    known : Elsewhere
        What other tables withhold.
    min_cell : int
        The smallest count that passes.
    """
    untold = untold_orders(table, known, min_cell)
    found: dict[Place, list[tuple[float, float]]] = {}
    for row in table.to_dict("records"):
        share, n, of_all = row["share_women"], row["n"], row["group"] == ALL
        if not of_all or _ranked(row) in untold or pd.isna(share) or pd.isna(n):
            continue
        points = found.setdefault(place_of(row), [])
        women, men = points[-1] if points else (0.0, 0.0)
        points.append((women + share * int(n), men + (1 - share) * int(n)))
    return found


def gate_profile(
    table: pd.DataFrame, groups: pd.DataFrame | None, known: Elsewhere, min_cell: int
) -> Why:
    """Return the rows of who is in the first and last group that are to be empty.

    Those of a covariate with few persons of a value in either, also where that follows from its
    other levels; and of gender, where the share of women is withheld.

    Parameters
    ----------
    table : DataFrame
        As `schemas.SORTED_PROFILE`, with ``least``.
    groups : DataFrame or None
        As `schemas.SORTED_GROUPS`, exact.
    known : Elsewhere
        What other tables withhold.
    min_cell : int
        The smallest count that passes.
    """
    records = table.to_dict("records")
    hidden = set() if groups is None else untold_orders(groups, known, min_cell)
    few: set[tuple[Ranked, str]] = set()
    why: Why = {}
    left: dict[tuple[Ranked, str, str], tuple[float, int]] = {}
    for i, row in enumerate(records):
        ranked, covariate = _ranked(row), str(row["covariate"])
        source = source_of(covariate)
        if _few_of_a_value(row, min_cell):
            why[i] = True
            few.add((ranked, source))
        elif known.withheld(row, ALL) or (
            source in OF_GENDER and (ranked in hidden or known.withheld(row, WOMEN, MEN))
        ):
            why[i] = False
        elif (str(row["arm"]), source) in known.covariates:
            few.add((ranked, source))
        for end in ("top", "bottom") if "=" in covariate else ():
            if pd.notna(row[f"mean_{end}"]) and pd.notna(row[f"n_{end}"]):
                n = int(row[f"n_{end}"])
                rest = left.get((ranked, source, end), (1.0, n))[0] - float(row[f"mean_{end}"])
                left[ranked, source, end] = (rest, n)
    few |= {(ranked, s) for (ranked, s, _), (rest, n) in left.items() if is_few(rest * n, min_cell)}
    for i, row in enumerate(records):
        if (_ranked(row), source_of(str(row["covariate"]))) in few:
            why.setdefault(i, False)
    return why


def _few_of_a_value(row: dict[Any, Any], min_cell: int) -> bool:
    """Tell whether few are in a group, or few with a value, in the splits or their median."""
    if any(is_few(row[c], min_cell) for c in ("least", "n_top", "n_bottom") if c in row):
        return True
    if row.get("least") != 0:
        return False
    counts = [(row[f"mean_{end}"], row[f"n_{end}"]) for end in ("top", "bottom")]
    return any(
        is_few(mean * n, min_cell) or is_few(n - mean * n, min_cell)
        for mean, n in counts
        if pd.notna(mean) and pd.notna(n) and 0 <= mean <= 1
    )


def merged_bins(table: pd.DataFrame, min_cell: int) -> pd.DataFrame:
    """Merge bins of predicted effects until none holds few persons, women or men.

    Parameters
    ----------
    table : DataFrame
        As `schemas.EFFECT_DISTRIBUTION`; the groups of a case have the same bins.
    min_cell : int
        The smallest count that passes.
    """
    if table.empty:
        return table
    parts = []
    case = ["outcome", "month", "arm", "learner"]
    table = table.reset_index(drop=True)
    for _, rows in table.groupby(case, sort=False, dropna=False):
        bins = rows[(rows["kind"] == "bin") & rows["low"].notna()]
        by_group = {str(g): r.sort_values("low") for g, r in bins.groupby("group", sort=False)}
        sizes = {len(r) for r in by_group.values()}
        if len(sizes) != 1:
            parts.append(rows)
            continue
        counts = {g: r["n"].fillna(0).to_numpy(dtype=int) for g, r in by_group.items()}
        if {ALL, WOMEN, MEN} <= counts.keys():
            counts["unknown"] = abs(counts[ALL] - counts[WOMEN] - counts[MEN])
        edges = merged(counts, min_cell)
        for _, own in rows.groupby("group", sort=False):
            shown = [own[(own["kind"] != "bin") | own["low"].isna()]]
            ordered = by_group.get(str(own["group"].iloc[0]))
            if ordered is not None:
                shown.insert(0, _joined(ordered, edges))
            parts.append(pd.concat(shown))
    return pd.concat(parts)[list(table.columns)].astype(table.dtypes.to_dict())


def _joined(ordered: pd.DataFrame, edges: Sequence[tuple[int, int]]) -> pd.DataFrame:
    parts = [ordered.iloc[a:b] for a, b in edges]
    return ordered.iloc[[a for a, _ in edges]].assign(
        high=[p["high"].iloc[-1] for p in parts],
        value=[min(p["value"].sum(), 1.0) for p in parts],
        n=pd.array([int(p["n"].sum()) for p in parts], dtype="Int64"),
        note=pd.array([_notes_of(p["note"]) for p in parts], dtype=object),
    )


def _notes_of(notes: pd.Series) -> str:
    return joined([n for n in dict.fromkeys(notes.dropna()) if n])


def gate_distribution(table: pd.DataFrame, known: Elsewhere, min_cell: int) -> Why:
    """Return the rows of predicted effects to empty, of merged bins.

    A group of few is one bin and goes; then so do all groups of the case, whose bins or means
    would tell its own.
    """
    records = table.to_dict("records")
    why: Why = {}
    few = set()
    for i, row in enumerate(records):
        if is_few(row["n"], min_cell):
            why[i] = True
            few.add(place_of(row))
        elif known.withheld(row, str(row["group"])):
            why[i] = False
    for i, row in enumerate(records):
        if place_of(row) in few:
            why.setdefault(i, False)
    return why
