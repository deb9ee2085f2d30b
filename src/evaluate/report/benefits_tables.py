"""Tables of chapter 4, as they are printed."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from evaluate.notes import NOTES
from evaluate.report.released import Released, records
from evaluate.report.scales import unit_of
from evaluate.report.words import DASH, Words
from evaluate.study import GAP

GROUPS = ("all", "women", "men", GAP)
TOP_BOTTOM = "top-bottom"
UNTOLD = NOTES["numbers_withheld"]  # of rows whose means and shares have but these digits
DIGITS = 2


@dataclass(frozen=True)
class Line:
    """A row of a printed table.

    Attributes
    ----------
    name : str
        First cell.
    cells : tuple of str
        The other cells.
    marks : list of int
        Numbers of its notes.
    part : str
        Heading above the row, if any.
    shaded : bool
        Whether it is a difference.
    """

    name: str
    cells: tuple[str, ...]
    marks: list[int] = field(default_factory=list)
    part: str = ""
    shaded: bool = False


@dataclass(frozen=True)
class Grid:
    """A printed table: headings, rows and the notes below it."""

    head: tuple[str, ...]
    lines: list[Line]
    notes: list[str]


def absent(row: dict[str, Any], words: Words) -> str:
    """Return what stands in place of a number: withheld, or not estimated."""
    note = row.get("note")
    withheld = pd.isna(row.get("n", 0))
    if isinstance(note, str) and note:
        withheld = note.startswith("withheld")
    return words("page.withheld" if withheld else "page.empty")


def _column(key: str, words: Words, **values: object) -> str:
    return words(f"benefits.column.{key}", **values)


def _interval(row: dict[str, Any], unit: str, error: float, words: Words) -> str:
    if pd.isna(row["conf_low"]) or pd.isna(row["conf_high"]):
        return DASH
    return words.interval(row["conf_low"], row["conf_high"], unit, error)


def _unit(rows: pd.DataFrame) -> str:
    known = rows["unit"].dropna()
    return str(known.iloc[0]) if len(known) else ""


def projection_grid(rows: pd.DataFrame, released: Released, words: Words) -> Grid | None:
    """Return the best linear projection, with a heading for each group where there are several.

    Parameters
    ----------
    rows : DataFrame
        Rows of `schemas.CONDITIONAL_EFFECTS` of one outcome, month and arm.
    released, words : Released, Words
        The tables; the language.
    """
    shown = rows[rows["kind"] == "projection"]
    if shown.empty:
        return None
    notes, unit = released.notes(shown), _unit(shown)
    adjusted = shown["p_value_adjusted"].notna().any()
    several = shown["group"].nunique() > 1
    lines: list[Line] = []
    for group, part in shown.groupby("group", sort=False):
        heading = words("benefits.projection_part", group=words.group(str(group)))
        for i, row in enumerate(records(part)):
            cells: tuple[str, ...] = (absent(row, words), DASH, DASH)
            if not pd.isna(row["estimate"]):
                error = row["std_error"]
                cells = (
                    words.effect(row["estimate"], unit, error, with_unit=False),
                    _interval(row, unit, error, words),
                    words.p_value(row["p_value"], sign=False),
                )
            if adjusted:
                cells = (*cells, words.p_value(row["p_value_adjusted"], sign=False))
            name = term_title(row["term"], released, words)
            above = heading if several and i == 0 else ""
            lines.append(Line(name, cells, released.marks(row, notes), above))
    level = words.percent(float(shown["level"].dropna().iloc[0])) if shown["level"].any() else ""
    head = (
        _column("covariate", words),
        _column("difference_of", words, unit=unit_of(unit, words)[1]),
        words("column.interval", level=level),
        "p",
        *((words("column.p_value_adjusted"),) if adjusted else ()),
    )
    return Grid(head, lines, notes)


def term_title(term: object, released: Released, words: Words) -> str:
    """Return the name of a term of the projection."""
    if not isinstance(term, str) or not term:
        return DASH
    if term in ("constant", "average"):
        return words("benefits.average_term")
    return released.covariate_title(term, words)


def tests_grid(rows: pd.DataFrame, released: Released, words: Words) -> Grid:
    """Return all tests of `schemas.HETEROGENEITY_TESTS` of one outcome, month and arm."""
    rows = rows.assign(note=[without_spread(note) for note in rows["note"]])
    notes = released.notes(rows)
    lines = []
    for row in records(rows):
        unit = row["unit"] if isinstance(row["unit"], str) else ""
        learner = row["learner"] if isinstance(row["learner"], str) and row["learner"] else ""
        name = words(f"benefits.test.{row['test']}")
        estimate = interval = DASH
        if not pd.isna(row["estimate"]):
            if row["test"] == "calibration":
                estimate = words.number(row["estimate"], 2)
                if not pd.isna(row["conf_low"]):
                    ends = {e: words.number(row[f"conf_{e}"], 2) for e in ("low", "high")}
                    interval = words("unit.interval", **ends)
            else:
                estimate = words.effect(row["estimate"], unit, row["std_error"])
                interval = _interval(row, unit, row["std_error"], words)
        elif not pd.isna(row["statistic"]) and not learner:
            estimate = f"F = {words.number(row['statistic'], 2)}"
        p = DASH if pd.isna(row["p_value"]) else words.p_value(row["p_value"], sign=False)
        spread = DASH
        if not pd.isna(row["p_low"]) and not pd.isna(row["p_high"]):
            ends = {e: words.p_value(row[f"p_{e}"], sign=False) for e in ("low", "high")}
            spread = words("unit.interval", **ends)
        lead = not pd.isna(row["lead"]) and bool(row["lead"])
        shown = f"{name[:1].upper()}{name[1:]}"
        shown += f" ({words('benefits.leads')})" if lead else ""
        by = words(f"benefits.learner.{learner}") if learner else DASH
        lines.append(Line(shown, (by, estimate, interval, p, spread), released.marks(row, notes)))
    level = words.percent(released.plan.analysis.level)
    head = (
        _column("test", words), _column("learner", words), _column("value", words),
        words("column.interval", level=level), "p", _column("p_quartiles", words),
    )  # fmt: skip
    return Grid(head, lines, notes)


def without_spread(note: object) -> str:
    """Return the notes of a test but for the spread it would find, which is said in words."""
    parts = note.split("; ") if isinstance(note, str) else []
    return "; ".join(part for part in parts if spread_of(part) is None)


def spread_of(note: str) -> float | None:
    """Return the standard deviation of effects that a note says would be found, if it does."""
    before, _, after = NOTES["detectable_spread"].partition("{spread}")
    known = re.fullmatch(f"{re.escape(before)}(\\S+) .*", note)
    return float(known[1].replace(",", "")) if known and after else None


def step_of(note: object) -> float | None:
    """Return what a share was rounded to by the release gate, if the notes say that it was."""
    before, _, after = NOTES["rounded"].partition("{step}")
    for part in note.split("; ") if isinstance(note, str) else []:
        if known := re.fullmatch(f"{re.escape(before)}(\\S+), .*", part):
            return float(known[1]) if after else None
    return None


def sorted_grid(rows: pd.DataFrame, released: Released, words: Words) -> Grid:
    """Return effects by sorted group: of all with the prediction, of women, men and the gap."""
    notes, unit, error = released.notes(rows), _unit(rows), float(rows["std_error"].min())
    groups = [g for g in GROUPS if (rows["group"] == g).any()]
    shares = rows["share_women"].notna().any()
    by_group = {g: rows[rows["group"] == g].set_index("sorted_group") for g in groups}
    lines = []
    for number in dict.fromkeys(rows["sorted_group"]):
        here = {g: records(t.loc[[number]])[0] for g, t in by_group.items() if number in t.index}
        cells = [words.effect(here["all"]["predicted"], unit, error, with_unit=False)]
        cells += [_estimated(here[g], unit, error, words) if g in here else DASH for g in groups]
        if shares:
            among = percent_women(here["all"], words, 1)
            cells.append(words("unit.percent", x=among) if among else DASH)
        n = here["all"]["n"]
        untold = here["all"] if pd.isna(here["all"]["estimate"]) else {"n": n}
        cells.append(absent(untold, words) if pd.isna(n) else words.number(n, 0))
        marks = sorted({m for row in here.values() for m in released.marks(row, notes)})
        name = words("benefits.sorted_group.top-bottom") if number == TOP_BOTTOM else str(number)
        lines.append(Line(name, tuple(cells), marks, shaded=number == TOP_BOTTOM))
    shown = unit_of(unit, words)[1]
    head = (
        _column("sorted", words),
        _column("predicted", words, unit=shown),
        *(f"{words.group(g)}, {shown}" for g in groups),
        *((_column("share_women", words),) if shares else ()),
        words(f"count.{released.counts}"),
    )
    return Grid(head, lines, notes)


def level_told(
    row: dict[str, Any], column: str, unit: str, words: Words, error: float | None = None
) -> str:
    """Return a mean or share with no more digits than the release gate left of it."""
    value, notes = row[column], row["note"]
    if pd.isna(value) or not isinstance(notes, str) or UNTOLD not in notes.split("; "):
        return words.level(value, unit, error)
    size = 100 * value if unit == "share" else value
    digits = max(DIGITS - 1 - math.floor(math.log10(abs(size))), 0) if size else 0
    text = words.number(size, digits)
    return words("unit.percent", x=text) if unit == "share" else text


def percent_women(row: dict[str, Any], words: Words, digits: int) -> str:
    """Return the women of a sorted group in per cent, empty where they are not told.

    Of a share that the release gate rounded it says from where to where it may lie.
    """
    share, step = row["share_women"], step_of(row["note"])
    if pd.isna(share):
        return ""
    if step is None:
        return words.number(100 * share, digits)
    low, high = (round(100 * (share + side * step / 2), 6) for side in (-1, 1))
    low, high = max(math.floor(low), 0), min(math.ceil(high), 100)
    return words("unit.interval", low=words.number(low, 0), high=words.number(high, 0))


def _estimated(row: dict[str, Any], unit: str, error: float, words: Words) -> str:
    if pd.isna(row["estimate"]):
        return absent(row, words)
    value = words.effect(row["estimate"], unit, error, with_unit=False)
    return f"{value} ({_interval(row, unit, error, words)})"


def profile_grid(rows: pd.DataFrame, released: Released, words: Words) -> Grid:
    """Return who is in the highest and the lowest group; shares of groups are in per cent."""
    notes = released.notes(rows)
    adjusted = rows["p_value_adjusted"].notna().any()
    lines = []
    for row in records(rows):
        unit = "share" if is_share(str(row["covariate"])) else ""
        # of groups that differ in all their persons there is no error to take decimals from
        error = max(row["std_error"], 0.01 if unit else 1e-3 * abs(row["difference"]))
        cells: tuple[str, ...] = (DASH, DASH, absent(row | {"n": row["n_top"]}, words), DASH)
        if not pd.isna(row["difference"]):
            cells = (
                *(level_told(row, f"mean_{end}", unit, words, error) for end in ("top", "bottom")),
                words.effect(row["difference"], unit, error, with_unit=False),
                _interval(row, unit, error, words),
            )
        if adjusted:
            cells = (*cells, words.p_value(row["p_value_adjusted"], sign=False))
        name = released.covariate_title(str(row["covariate"]), words)
        lines.append(Line(name, cells, released.marks(row, notes)))
    level = words.percent(released.plan.analysis.level)
    head = (
        _column("covariate", words), _column("mean_top", words), _column("mean_bottom", words),
        _column("difference", words), words("column.interval", level=level),
        *((words("column.p_value_adjusted"),) if adjusted else ()),
    )  # fmt: skip
    return Grid(head, lines, notes)


def is_share(column: str) -> bool:
    """Tell whether a column of the covariates says who is in a group of persons."""
    return "=" in column or column.endswith(" missing") or column in ("men", "women", "gender")


def arms_grid(
    rows: pd.DataFrame, names: dict[str, str], groups: Sequence[str], released: Released,
    words: Words,
) -> Grid:  # fmt: skip
    """Return the effects of many arms on one outcome: a row for each, a column for each group."""
    rows = rows[rows["group"].isin(groups)]
    notes, unit, error = released.notes(rows), _unit(rows), float(rows["std_error"].min())
    lines = []
    for arm, part in rows.groupby("arm", sort=False):
        here = {row["group"]: row for row in records(part)}
        cells = tuple(
            _estimated(here[g], unit, error, words) if g in here else DASH for g in groups
        )
        marks = sorted({m for g in groups if g in here for m in released.marks(here[g], notes)})
        lines.append(Line(names[str(arm)], cells, marks))
    shown = unit_of(unit, words)[1]
    head = (words("column.arm"), *(f"{words.group(g)}, {shown}" for g in groups))
    return Grid(head, lines, notes)
