"""The release gate of the tables that tell who benefits: the steps that they share."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pandas as pd

from evaluate import schemas
from evaluate.notes import joined, note
from evaluate.release.gate_cells import Cells, Gated, empty_rows, plain
from evaluate.release.gate_effects import is_withheld, small_numbers_out
from evaluate.release.gate_elsewhere import GENDERS, Elsewhere, numbers_in, place_of
from evaluate.release.gate_gap import JOINT, Why, gate_conditional, gate_gap, gate_tests
from evaluate.release.gate_kept import DIGITS, empty_kept
from evaluate.release.gate_paths import step_around
from evaluate.release.gate_sorted import (
    GENDER_SHARES,
    gate_distribution,
    gate_profile,
    gate_sorted,
    merged_bins,
)
from evaluate.release.gate_targeting import (
    BY_GENDER,
    NODE_GENDER,
    OF_COST,
    gate_curve,
    gate_policies,
    gate_tree,
)
from evaluate.release.gate_trimmed import SIDES

INTERVAL = ("estimate", "std_error", "conf_low", "conf_high")
NUMBERS = {
    "gap": (*INTERVAL, "p_value", "df", "n_women", "n_men"),
    "conditional_effects": (
        *INTERVAL, "statistic", "df", "df_error", "p_value", "p_value_adjusted", "n", "n_treated",
        "n_control",
    ),
    "heterogeneity_tests": (*INTERVAL, "statistic", "p_value", "p_low", "p_high", "n"),
    "sorted_groups": ("predicted", *INTERVAL, "p_value", *GENDER_SHARES, "n"),
    "sorted_profile": (
        "mean_top", "mean_bottom", "difference", *INTERVAL[1:], "p_value", "p_value_adjusted",
        "n_top", "n_bottom",
    ),
    "effect_distribution": ("value", "n"),
    "policies": (
        "capacity", "share_treated", *BY_GENDER, "gain", *INTERVAL[1:], "p_value",
        "cost_difference", "net_gain", "net_low", "net_high", "cost_per_unit", "n", "n_women",
        "n_men",
    ),
    "policy_tree": ("share", "share_women", "n", "n_women", "n_men"),
    "targeting_curve": (
        "gain", *INTERVAL[1:], "cost", "net_gain", "net_low", "net_high", "women_among_treated",
        "n",
    ),
}  # fmt: skip
PLACE = ("outcome", "month", "arm")
IDENTITY = {
    "gap": (*PLACE, "method", "part", "covariate", "dose", "month_from", "month_to"),
    "conditional_effects": (*PLACE, "kind", "group", "term"),
    "heterogeneity_tests": (*PLACE, "learner", "test"),
    "sorted_groups": (*PLACE, "learner", "group", "sorted_group"),
    "sorted_profile": (*PLACE, "learner", "covariate"),
    "effect_distribution": (*PLACE, "learner", "group", "kind", "low", "high"),
    "policies": (*PLACE, "policy", "uses_gender", "against"),
    "policy_tree": (*PLACE, "tree", "node"),
    "targeting_curve": (*PLACE, "order", "share"),
}
COUNTS = ("n", "n_women", "n_men", "n_top", "n_bottom", "df")
SHARES = {
    "sorted_groups": GENDER_SHARES,
    "sorted_profile": ("mean_top", "mean_bottom"),
    "effect_distribution": ("value",),
    "policies": ("capacity", "share_treated", *BY_GENDER),
    "policy_tree": ("share", "share_women"),
    "targeting_curve": ("women_among_treated",),
}
Row = Mapping[Any, Any]
ROUNDED: dict[str, dict[str, Callable[[Row], Any]]] = {
    "sorted_groups": dict.fromkeys(GENDER_SHARES, lambda r: r["n"]),
    "policies": {
        "share_treated_women": lambda r: r["n_women"],
        "share_treated_men": lambda r: r["n_men"],
        "women_among_treated": lambda r: r["share_treated"] * r["n"],
    },
    "policy_tree": {"share_women": lambda r: r["n"]},
    "targeting_curve": {"women_among_treated": lambda r: r["share"] * r["n"]},
}
"""Shares that are rounded where few women or men are behind them, and of how many they are."""
UNTOLD = {"policy_tree": ("n_women", "n_men")}  # emptied beside rounded shares
NOT_ASSESSED = "not assessed"
COUNTED = re.compile(
    r"(?<![\d.,-])(\d[\d,]*)(?= (?:[a-z]+ ){0,2}"
    r"(?:persons|women|men|treated|compar|control|partic))"
)
NOT_ESTIMATED = "not estimated:"


def gate_benefits(
    name: str,
    table: pd.DataFrame,
    known: Elsewhere,
    min_cell: int,
    rows: list[list[int]] | None = None,
    cells: Cells | None = None,
    beside: Mapping[str, pd.DataFrame] | None = None,
) -> Gated:
    """Gate one of the tables of who benefits.

    Parameters
    ----------
    name : str
        Of the table.
    table : DataFrame
        As of `schemas`, exact.
    known : Elsewhere
        What other tables withhold, or tell.
    min_cell : int
        The smallest count that passes.
    rows, cells : list of list of int, and Cells, optional
        Of the conditional effects, from the register.
    beside : mapping of str to DataFrame, optional
        The exact tables: the profile goes by the sorted groups, policies by the tree, the curve by
        both.
    """
    behind = [c for c in schemas.BUILD_ONLY.get(name, ()) if c in table]
    if table.empty:
        return Gated(table.drop(columns=behind), [])
    table = table.reset_index(drop=True)
    if name == "effect_distribution":
        table = merged_bins(table, min_cell).reset_index(drop=True)
    gated = Gated(table, [])
    steps = _steps(name, table, known, min_cell, rows or [], cells or Cells(), beside or {})
    notes = _notes(table, steps[0][0], min_cell)
    for k, (why, columns) in enumerate(steps):
        soft = _soft(name, table, why, columns, known) if k else []
        hard = {i: small for i, small in why.items() if i not in soft}
        for chosen, of in ((hard, columns), (dict.fromkeys(soft, False), UNTOLD.get(name, ()))):
            one = empty_rows(name, gated.table, chosen, IDENTITY[name], of, min_cell)
            gated = Gated(one.table, [*gated.withheld, *one.withheld])
        gated, notes = _rounded(name, gated, soft, notes, min_cell)
    out = gated.table.drop(columns=behind).assign(note=pd.array(notes, dtype=object))
    if name == "heterogeneity_tests":
        taken = out.index.isin(list(steps[0][0]))
        out = out.assign(verdict=out["verdict"].mask(taken, NOT_ASSESSED))
    return _untold(name, Gated(out, gated.withheld), known, min_cell)


def _steps(
    name: str,
    table: pd.DataFrame,
    known: Elsewhere,
    min_cell: int,
    rows: list[list[int]],
    cells: Cells,
    beside: Mapping[str, pd.DataFrame],
) -> list[tuple[Why, Sequence[str]]]:
    """Return which rows lose which columns; the first step takes all numbers."""
    parts: Sequence[Why]
    columns: Sequence[Sequence[str]] = ()
    if name == "gap":
        parts = (gate_gap(table, known, min_cell),)
    elif name == "conditional_effects":
        parts = (gate_conditional(table, rows, cells, known, min_cell),)
    elif name == "heterogeneity_tests":
        parts = (gate_tests(table, known, min_cell),)
    elif name == "sorted_groups":
        parts, columns = gate_sorted(table, known, min_cell), (GENDER_SHARES, ("n",))
    elif name == "sorted_profile":
        parts = (gate_profile(table, beside.get("sorted_groups"), known, min_cell),)
    elif name == "effect_distribution":
        parts = (gate_distribution(table, known, min_cell),)
    elif name == "policies":
        parts = gate_policies(table, beside.get("policy_tree"), known, min_cell)
        columns = ((*BY_GENDER, "n_women", "n_men"), OF_COST)
    elif name == "policy_tree":
        parts, columns = gate_tree(table, known, min_cell), (NODE_GENDER,)
    else:
        parts, columns = (
            gate_curve(table, beside, known, min_cell),
            (("women_among_treated",), OF_COST),
        )
    return list(zip(parts, (NUMBERS[name], *columns), strict=True))


def _soft(
    name: str, table: pd.DataFrame, why: Why, columns: Sequence[str], known: Elsewhere
) -> list[int]:
    """Return the rows whose shares of women and men are rounded rather than emptied.

    Those are emptied where the numbers of women and men are not told at all.
    """
    shares = ROUNDED.get(name, {})
    if not shares or not set(shares) <= set(columns):
        return []
    rows = table.to_dict("records")
    return [i for i in sorted(why) if not known.withheld(rows[i], *GENDERS)]


def _rounded(
    name: str, gated: Gated, rows: Sequence[int], notes: list[str], min_cell: int
) -> tuple[Gated, list[str]]:
    """Round shares so that the persons behind them may be ``min_cell`` more or fewer."""
    out, notes, entries = gated.table.copy(), list(notes), []
    for i in rows:
        row = out.iloc[i].to_dict()
        steps = {}
        for column, persons in ROUNDED[name].items():
            behind = persons(row)
            if pd.notna(row[column]) and pd.notna(behind) and behind > 0:
                steps[column] = step_around(float(row[column]), min_cell / float(behind))
        if not steps:
            continue
        step = max(steps.values())
        for column in steps:
            nearest = round(float(row[column]) / step) * step
            out.loc[i, column] = min(max(round(nearest, 10), 0.0), 1.0)
        notes[i] = joined([notes[i], note("rounded", step=f"{step:g}", n=min_cell)])
        entries.append(
            {
                "table": name,
                "row": {c: plain(row[c]) for c in IDENTITY[name]},
                "columns": list(steps),
                "reason": f"rounded to {step:g}: would give away another cell",
            }
        )
    return Gated(out, [*gated.withheld, *entries]), notes


def _notes(table: pd.DataFrame, why: Mapping[int, bool], min_cell: int) -> list[str]:
    """Say in the notes what is withheld, and take small numbers of persons out of the others."""
    notes = [without_few(str(n), min_cell) if pd.notna(n) else "" for n in table["note"]]
    for i, own in why.items():
        notes[i] = note("withheld" if own else "protects", n=min_cell)
    return notes


def _untold(name: str, gated: Gated, known: Elsewhere, min_cell: int) -> Gated:
    """Empty the numbers of persons that nothing else tells where others differ by few."""
    table = gated.table.reset_index(drop=True)
    rows = {
        i: set(SIDES)
        for i, row in enumerate(table.to_dict("records"))
        if place_of(row) in known.untold
        and not is_withheld(row["note"], min_cell)
        and _tells(name, row, known)
    }
    if not rows:
        return gated
    table, degrees = _rough(name, table, list(rows)), None
    if name == "conditional_effects":  # where F is told, the second ones are of persons
        degrees, joint = table[["df", "df_error"]], table["kind"] == JOINT
        table = table.assign(df=table["df_error"].where(joint, table["df"]))
        table = table.drop(columns="df_error")
    found = empty_kept(
        name,
        Gated(table, gated.withheld),
        rows,
        {},
        min_cell,
        identity=IDENTITY[name],
        counts=COUNTS,
    )
    if degrees is None:
        return found
    told = found.table["df"]
    out = found.table.assign(
        df=degrees["df"].where(joint, told), df_error=told.where(joint, degrees["df_error"])
    )
    return Gated(out[list(gated.table.columns)], found.withheld)


def _tells(name: str, row: Mapping[Any, Any], known: Elsewhere) -> bool:
    """Tell whether a row has numbers of persons that the effects of its place do not tell."""
    told = [
        n in known.told.get((*place_of(row), group, side), ())
        for group, side, n in numbers_in(name, row)
    ]
    return not told or not all(told)


def _rough(name: str, table: pd.DataFrame, rows: list[int]) -> pd.DataFrame:
    """Round the shares of some rows, which are fractions of numbers of persons."""
    chosen = table.index.isin(rows)
    few = {c: [_digits(x) for x in table[c]] for c in SHARES.get(name, ()) if c in table}
    return table.assign(
        **{c: table[c].mask(chosen, pd.Series(v, index=table.index)) for c, v in few.items()}
    )


def _digits(x: Any) -> Any:
    return x if pd.isna(x) else float(f"{x:.{DIGITS - 1}e}")


def without_few(text: str, min_cell: int) -> str:
    """Take small numbers of persons out of notes, and with them what the others would tell.

    Where a part that says why nothing is estimated counts few of a kind, such as treated persons,
    its numbers go altogether.
    """
    parts = []
    for part in small_numbers_out(text, min_cell).split("; "):
        few = any(0 < int(n.replace(",", "")) < min_cell for n in COUNTED.findall(part))
        if few and part.startswith(NOT_ESTIMATED):
            part = note("few_persons", n=min_cell)
        elif few:
            part = COUNTED.sub(lambda m: _fewer(m[1], min_cell), part)
        parts.append(part)
    return joined(parts)


def _fewer(number: str, min_cell: int) -> str:
    return f"fewer than {min_cell}" if 0 < int(number.replace(",", "")) < min_cell else number
