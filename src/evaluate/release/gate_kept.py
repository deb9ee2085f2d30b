"""Rows whose numbers of persons are withheld while their effects stay, in all tables."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from scipy import optimize, stats

from evaluate.notes import NOTES, joined, note
from evaluate.release.gate_cells import Gated, empty_rows, plain
from evaluate.release.gate_effects import Key, identity_of, is_withheld, results_of
from evaluate.release.gate_trimmed import RAW, SIDES, BySide, Trimmed

COUNTS = ("n", "n_clusters", "df", "df_error", "share_treated", "jobs", "jobs_low", "jobs_high")
Told = Mapping[int, set[str]]  # sides by position of the row
ENDS = ("conf_low", "conf_high", "detectable")
P_VALUES = ("p_value", "p_value_adjusted", "power")
RATIOS = ("relative", "ratio_to_all", "value", "value_interval", "r2_treatment", "r2_outcome")
MOST_DF = 1e7  # beyond, t is normal
DIGITS = 2  # significant, of what rests on degrees of freedom in other ways
TELLING = ("trimmed", "clipped", "pruned", "worth", "worth_both")  # notes of numbers of those kept
# kinds of paths that are means of those kept, by side
LEVELS = {
    "level_treated": "treated", "cumulated_treated": "treated", "level_control": "control",
    "cumulated_control": "control", "cumulated_observed": "",
}  # fmt: skip


def empty_kept(
    name: str,
    gated: Gated,
    rows: Told,
    means: Told,
    min_cell: int,
    identity: Sequence[str] | None = None,
    counts: Sequence[str] = COUNTS,
) -> Gated:
    """Empty the numbers of persons of some rows, and what would tell them.

    The ends of intervals and p-values follow from estimate, error and degrees of freedom, and
    these from the number of persons: they are rounded so that some ``2 * min_cell`` numbers give
    the same.

    Parameters
    ----------
    name : str
        Of the table.
    gated : Gated
        The table, gated otherwise.
    rows : mapping of int to set of str
        Positions of the rows whose numbers of persons are withheld, and the sides.
    means : mapping of int to set of str
        Positions of those whose means of the outcome are.
    min_cell : int
        The smallest count that passes.
    identity : sequence of str, optional
        Columns that tell the row; by default months and texts.
    counts : sequence of str
        Columns that tell the numbers of persons.
    """
    table = gated.table.reset_index(drop=True)
    rows = {i: s for i, s in rows.items() if not _is_empty(table, i, min_cell)}
    means = {i: s for i, s in means.items() if not _is_empty(table, i, min_cell)}
    if not rows and not means:
        return gated
    identity = identity or identity_of(table, results_of(table))
    # the first degrees of freedom of a test among levels are of the levels
    columns = [c for c in counts if c != "df" or "df_error" not in table]
    steps = [(dict.fromkeys(rows, False), columns)]
    for prefix, told in (("n", rows), ("mean", means)):
        for side in SIDES:
            of_side = {i: False for i, s in told.items() if side in s}
            steps.append((of_side, [f"{prefix}_{side}"]))
    out = _blurred(table, list(rows), min_cell)
    withheld = list(gated.withheld)
    for why, chosen in steps:
        found = empty_rows(name, out, why, identity, chosen, min_cell)
        out, withheld = found.table, [*withheld, *found.withheld]
    if "note" in out:
        notes = list(out["note"])
        for i in rows:
            notes[i] = _untold(notes[i])
        out = out.assign(note=pd.array(notes, dtype=object))
    return Gated(out, withheld)


def _is_empty(table: pd.DataFrame, i: int, min_cell: int) -> bool:
    return "note" in table and is_withheld(table["note"].iloc[i], min_cell)


def _untold(text: object) -> str:
    """Take out of the notes what tells of persons who are not in a row."""
    parts = text.split("; ") if isinstance(text, str) and text else []
    kept = [part for part in parts if not any(p.fullmatch(part) for p in _PATTERNS.values())]
    some = [note("trimmed_some")] if len(kept) < len(parts) else []
    return joined([*kept, *some, note("numbers_withheld")])


def _pattern(kind: str) -> re.Pattern[str]:
    pieces = re.split(r"\{\w+\}", NOTES[kind])
    return re.compile("(.*)".join(map(re.escape, pieces)))


_PATTERNS = {kind: _pattern(kind) for kind in TELLING}


def _blurred(table: pd.DataFrame, rows: Sequence[int], min_cell: int) -> pd.DataFrame:
    """Round what tells the degrees of freedom, in some rows."""
    out = table.copy()
    columns = [c for c in (*ENDS, *P_VALUES, *RATIOS) if c in out]
    values = {c: out[c].to_numpy(dtype=float, na_value=np.nan).copy() for c in columns}
    for i in rows:
        record = table.iloc[i]
        error = float(record["std_error"]) if "std_error" in table else np.nan
        level = float(record["level"]) if "level" in table and pd.notna(record["level"]) else 0.95
        tail = (1 + level) / 2
        df = float(record["df"]) if "df" in table and pd.notna(record["df"]) else 10.0
        if "df" not in table and {"conf_low", "conf_high"} <= set(table):
            df = _df_of(float(record["conf_high"] - record["conf_low"]) / 2 / error, tail)
        more = df + 2 * min_cell
        wide = error * abs(stats.t.ppf(tail, df) - stats.t.ppf(tail, more))
        for column in columns:
            x = values[column][i]
            if column in ENDS:
                values[column][i] = _rounded(x, wide)
            elif column in P_VALUES:
                values[column][i] = _rounded_p(x, df, more)
            elif np.isfinite(x) and x != 0:
                values[column][i] = float(f"{x:.{DIGITS - 1}e}")
    return out.assign(**values)


def _df_of(multiple: float, tail: float) -> float:
    """Return the degrees of freedom whose quantile of t a margin is, in standard errors."""
    if not np.isfinite(multiple) or multiple <= stats.t.ppf(tail, MOST_DF):
        return MOST_DF
    least = float(stats.t.ppf(tail, 1))
    if multiple >= least:
        return 1.0
    power = optimize.brentq(
        lambda k: float(stats.t.ppf(tail, 10**k)) - multiple, 0, math.log10(MOST_DF)
    )
    return float(10**power)


def _rounded(x: float, wide: float) -> float:
    """Round to the power of ten that is no narrower than ``wide``."""
    if not (np.isfinite(x) and np.isfinite(wide)) or wide <= 0:
        return x
    return float(round(x, -math.ceil(math.log10(wide))))


def _rounded_p(p: float, df: float, more: float) -> float:
    """Round a p-value so that others of more degrees of freedom are the same."""
    if not np.isfinite(p) or p <= 0 or p >= 1:
        return p
    wide = abs(p - 2 * stats.t.sf(stats.t.isf(p / 2, df), more))
    if wide <= 0:
        return p
    step = 10.0 ** math.ceil(math.log10(wide))
    return min(1.0, max(step, _rounded(p, wide)))  # never none at all


def kept_in(table: pd.DataFrame, rows: BySide, raw: Sequence[str] = ()) -> dict[int, set[str]]:
    """Return the rows of a table that tell of withheld numbers, with their sides.

    Parameters
    ----------
    table : DataFrame
        With ``outcome``, ``month``, ``arm`` and perhaps ``group``: without, any of them counts.
    rows : dict of tuple to set of str
        Outcome, month, arm, group and estimator.
    raw : sequence of str
        Estimators of all persons, whose rows tell nothing.
    """
    columns = [c for c in ("outcome", "month", "arm", "group") if c in table]
    told: BySide = {}
    for row, own in rows.items():
        told.setdefault(row[: len(columns)], set()).update(own)
    found = {}
    for i, record in enumerate(table.to_dict("records")):
        place = tuple(plain(record[c]) for c in columns)
        if place in told and record.get("estimator") not in raw:
            found[i] = told[place]
    return found


def empty_kept_rows(name: str, gated: Gated, trimmed: Trimmed, min_cell: int) -> Gated:
    """Empty the withheld numbers of persons kept in a table that repeats those of the effects."""
    table = gated.table
    if table.empty or not (trimmed.rows or trimmed.means):
        return gated
    if name != "effects":
        means = kept_in(table, trimmed.means, RAW)
        gated = empty_levels(gated, means, min_cell) if name == "paths" else gated
        return empty_kept(name, gated, kept_in(table, trimmed.rows, RAW), means, min_cell)
    keys = [
        (*(plain(r[c]) for c in ("outcome", "month", "arm", "group")), str(r["estimator"]))
        for r in table.to_dict("records")
    ]
    rows, means = (
        {i: told[key] for i, key in enumerate(keys) if key in told}
        for told in (trimmed.rows, trimmed.means)
    )
    return empty_kept(name, gated, rows, means, min_cell)


def few_in_notes(table: pd.DataFrame, min_cell: int) -> pd.DataFrame:
    """Take numbers out of the notes of all groups where one of a group is small.

    Those of men are those of all less those of women.

    Parameters
    ----------
    table : DataFrame
        As `schemas.EFFECTS` or `schemas.SPECIFICATIONS`.
    min_cell : int
        The smallest count that passes.
    """
    if table.empty or "note" not in table:
        return table
    context = [
        c for c in ("outcome", "month", "arm", "estimand", "estimator", "trim") if c in table
    ]
    numbers: dict[tuple[Key, str], list[int]] = {}
    records = table.to_dict("records")
    for record in records:
        place = tuple(plain(record[c]) for c in context)
        for kind, count in _told(record["note"]):
            numbers.setdefault((place, kind), []).append(count)
    few = {key for key, counts in numbers.items() if any(0 < c < min_cell for c in counts)}
    notes: list[Any] = []
    for record in records:
        place = tuple(plain(record[c]) for c in context)
        notes.append(_without(record["note"], {kind for p, kind in few if p == place}))
    if notes == list(table["note"]):
        return table
    return table.assign(note=pd.array(notes, dtype=object))


def _told(text: object) -> list[tuple[str, int]]:
    """Return the numbers of persons in notes, by kind."""
    if not isinstance(text, str):
        return []
    return [
        (kind, int(number.replace(",", "")))
        for part in text.split("; ")
        for kind in TELLING
        if (match := _PATTERNS[kind].fullmatch(part))
        for number in match.groups()
        if number.replace(",", "").isdigit()
    ]


def _without(text: object, kinds: set[str]) -> object:
    if not kinds or not isinstance(text, str):
        return text
    parts = text.split("; ")
    kept = [p for p in parts if not any(_PATTERNS[k].fullmatch(p) for k in kinds)]
    return text if len(kept) == len(parts) else joined([*kept, note("trimmed_some")])


def empty_levels(gated: Gated, rows: Told, min_cell: int) -> Gated:
    """Empty the levels of paths that are means of those kept, where these are withheld."""
    table = gated.table.reset_index(drop=True)
    kinds = table["kind"].tolist()
    sides = {i: (LEVELS[kinds[i]], own) for i, own in rows.items() if kinds[i] in LEVELS}
    why = {i: False for i, (side, own) in sides.items() if side in (*own, "")}
    numbers = results_of(table)
    found = empty_rows("paths", table, why, identity_of(table, numbers), numbers, min_cell)
    return Gated(found.table, [*gated.withheld, *found.withheld])
