"""Who got how much: activities per person, for women and for men, in each arm."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd

from evaluate.report.registers import arm_names, kind_names
from evaluate.report.released import Released, records
from evaluate.report.words import Words
from evaluate.study import GAP

ALL_MONTHS, ALL_KINDS = 0, "all"
UNNAMED = "other"  # activities whose code is in no named kind: in the table alone
FEW_KINDS, MANY_KINDS = 3, 8  # told in the summary one by one; drawn and told in the chapter


@dataclass(frozen=True)
class Total:
    """Activities over all months of one kind in one arm.

    Attributes
    ----------
    kind, arm : str
        Names of the kind and of the arm.
    by_group : dict of str to dict
        Rows of `schemas.DOSE` by group.
    """

    kind: str
    arm: str
    by_group: dict[str, dict[str, Any]]


def totals(released: Released, words: Words) -> list[Total]:
    """Return the totals over all months by kind and arm."""
    table = released.dose[released.dose["month"] == ALL_MONTHS]
    found = []
    for kind, kind_name in kind_names(released, words).items():
        for arm, arm_name in arm_names(released, words).items():
            rows = table[(table["kind"] == kind) & (table["arm"] == arm)]
            by_group = {str(row["group"]): row for row in records(rows)}
            if by_group:
                found.append(Total(kind_name, arm_name, by_group))
    return found


def kinds_to_show(released: Released) -> list[str]:
    """Return the kinds but for all of them together: the most frequent, in the table's order."""
    table = released.dose
    table = table[(table["month"] == ALL_MONTHS) & (table["group"] == "all")]
    often = table[~table["kind"].isin([ALL_KINDS, UNNAMED])].groupby("kind")["mean"].max().fillna(0)
    most = set(often.sort_values(ascending=False, kind="stable").index[:MANY_KINDS])
    return [str(k) for k in dict.fromkeys(table["kind"]) if k in most]


def by_month(released: Released, words: Words) -> pd.DataFrame:
    """Return the rows of single months, each with the name of its kind as ``row``."""
    table = released.dose[released.dose["month"] != ALL_MONTHS]
    table = table[table["kind"].isin(kinds_to_show(released))]
    return table.assign(row=table["kind"].map(kind_names(released, words)))


def sentences(released: Released, words: Words) -> list[str]:
    """Say for each kind how many activities women and men had in each arm."""
    kinds = [*kinds_to_show(released), ALL_KINDS]
    return [s for kind in kinds if (s := _sentence(kind, released, words))]


def summary(released: Released, words: Words) -> list[str]:
    """Say it in short: of each kind where they are few, else of all kinds together."""
    kinds = kinds_to_show(released)
    chosen = kinds if len(kinds) <= FEW_KINDS else [ALL_KINDS]
    return [s for kind in chosen if (s := _sentence(kind, released, words))]


def _sentence(kind: str, released: Released, words: Words) -> str:
    """Tell one kind: a part of the sentence for each arm."""
    table = released.dose
    table = table[(table["kind"] == kind) & (table["month"] == ALL_MONTHS)]
    digits = 1 if table["mean"].abs().max() >= 2 else 2
    parts = []
    for arm in arm_names(released, words):
        rows = {str(row["group"]): row for row in records(table[table["arm"] == arm])}
        if rows:
            parts.append(_part(arm, rows, digits, released, words))
    if not parts:
        return ""
    months = released.plan.data.activities.months if released.plan.data.activities else 0
    name = kind_names(released, words)[kind]
    return words("dose.sentence", kind=name, months=months, parts="; ".join(parts))


def _part(
    arm: str, rows: dict[str, dict[str, Any]], digits: int, released: Released, words: Words
) -> str:
    """Tell women's and men's activities in an arm, or everybody's."""
    where = _where(arm, released, words)
    told = {
        g: None if pd.isna(r["mean"]) else words.number(r["mean"], digits) for g, r in rows.items()
    }
    if GAP not in rows:
        everybody = told.get("all")
        key = "dose.all" if everybody else "dose.withheld"
        return words(key, where=where, all=everybody)
    if told["women"] is None or told["men"] is None:
        everybody = told.get("all")
        key = "dose.all_withheld" if everybody else "dose.withheld"
        return words(key, where=where, all=everybody)
    gap = rows[GAP]
    return words(
        "dose.by_gender",
        where=where,
        women=told["women"],
        men=told["men"],
        gap=words.number(gap["mean"], digits),
        level=words("unit.percent", x=words.number(100 * released.plan.analysis.level, 0)),
        low=words.number(gap["conf_low"], digits),
        high=words.number(gap["conf_high"], digits),
    )


def _where(arm: str, released: Released, words: Words) -> str:
    if f"arm={arm}" == released.arm_columns[0]:
        return words("dose.in_control")
    single = len(released.arm_columns) == 2
    return words("dose.in_offered") if single else words("dose.in_arm", arm=arm)
