"""What the report shows of the gap between women and men: its parts in a table, and in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd

from evaluate.report import contrasts, gap_words, summary
from evaluate.report.released import Released, records
from evaluate.report.words import DASH, Words

METHODS = ("reweighting", "oaxaca_blinder", "access", "timing")


@dataclass(frozen=True)
class Line:
    """A part of a gap as a line of the table.

    Attributes
    ----------
    title : str
        Name of the part.
    estimate, interval : str
        As shown; the estimate with its unit, or why there is none.
    marks : list of int
        Numbers of the notes that belong to it.
    """

    title: str
    estimate: str
    interval: str
    marks: list[int]


@dataclass(frozen=True)
class Block:
    """The lines of one method, and of one dose."""

    title: str
    lines: list[Line]


@dataclass(frozen=True)
class GapSection:
    """What lies behind the gap in one outcome and contrast.

    Attributes
    ----------
    title : str
        Of the outcome, its month and contrast.
    paragraphs : list of str
        What the parts say, and what can and cannot be concluded.
    blocks : list of Block
        The table, by method.
    notes : list of str
        What the marks stand for.
    """

    title: str
    paragraphs: list[str]
    blocks: list[Block]
    notes: list[str]


def context(released: Released, words: Words) -> list[GapSection]:
    """Return a section for each outcome and contrast with control that was taken apart.

    Parameters
    ----------
    released : Released
        The released tables.
    words : Words
        The language.
    """
    table, found = released.gap, []
    for (outcome, arm), rows in table.groupby(["outcome", "arm"], sort=False):
        month = rows["month"].iloc[0]
        title = summary.outcome_title(
            released, words, str(outcome), None if pd.isna(month) else int(month)
        )
        if len(released.arms) > 1:
            title = contrasts.titled(released, title, str(arm), words)
        notes = released.notes(rows)
        blocks = [
            Block(
                _heading(str(method), str(dose), released, words),
                _lines(part, notes, released, words),
            )
            for (method, dose), part in rows.assign(dose=gap_words.texts(rows["dose"])).groupby(
                ["method", "dose"], sort=False
            )
        ]
        told = gap_words.paragraphs(rows, released, words)
        found.append(GapSection(title, told, blocks, [words.note(n) for n in notes]))
    return found


def _heading(method: str, dose: str, released: Released, words: Words) -> str:
    if method != "access":
        return words(f"gap.method.{method}")
    if not dose:
        return words("gap.method.access_none")
    return words("gap.method.access", dose=gap_words.dose_title(dose, released, words))


def _lines(rows: pd.DataFrame, notes: list[str], released: Released, words: Words) -> list[Line]:
    return [_line(row, notes, released, words) for row in records(rows)]


def _line(row: dict[str, Any], notes: list[str], released: Released, words: Words) -> Line:
    part, covariate = str(row["part"]), row["covariate"]
    unit, per = _units(row, released, words)
    title = words(
        f"gap.part.{part}",
        unit=words("figure.points") if unit == "share" else unit,
        months=gap_words.months_of(row, words),
    )
    if isinstance(covariate, str) and covariate:
        name = released.covariate_title(covariate, words)
        title = words("gap.part.covariate", name=name)
    marks = released.marks(row, notes)
    if pd.isna(row["estimate"]):
        note = row["note"] if isinstance(row["note"], str) else ""
        empty = not note or note.startswith("withheld")
        return Line(title, words("page.withheld" if empty else "page.empty"), DASH, marks)
    if part == "opens":
        return Line(title, words.number(row["estimate"], 0), DASH, marks)
    interval, error = DASH, row["std_error"]
    if pd.notna(row["conf_low"]) and pd.notna(row["conf_high"]):
        interval = words.interval(row["conf_low"], row["conf_high"], unit, error)
    estimate = words.effect(row["estimate"], unit, error)
    return Line(title, f"{estimate} / {per}" if per else estimate, interval, marks)


def _units(row: dict[str, Any], released: Released, words: Words) -> tuple[str, str]:
    """Return the unit of a row, and for each of what, as the plan titles them.

    An effect per unit has that of the outcome, for each unit of the dose; of take-up for all of it.
    """
    part, of_dose = str(row["part"]), gap_words.dose_unit(str(row["dose"]), released, words)
    if part.startswith("dose_"):
        return of_dose, ""
    if part.startswith("per_unit_"):
        per = "" if of_dose == "share" else of_dose
        return released.unit(str(row["outcome"]), words.language), per
    return str(row["unit"]), ""
