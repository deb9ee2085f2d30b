"""What the months of an outcome add up to, in sentences."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pandas as pd

from evaluate.report.released import Released, records
from evaluate.report.words import Words
from evaluate.study import GAP

GROUPS = ("all", "women", "men", GAP)
Bands = dict[tuple[int, str], tuple[float, float]]
SUMS, BEYOND = ("cumulated", "area"), ("above", "below")


def sentences(
    released: Released,
    words: Words,
    outcome: str,
    arm: str,
    kinds: tuple[str, ...] = ("cumulated", "area", "above", "below"),
) -> list[str]:
    """Say what an effect adds up to over the months, and when the band excludes zero."""
    rows = _of(released.paths, outcome, arm)
    if rows.empty:
        return []
    months = rows.loc[rows["kind"] == "effect", "month"].astype(float)
    months = months[months >= 1]
    found = []
    for kind in [k for k in SUMS if k in kinds]:
        one = rows[rows["kind"] == kind]
        if len(one):
            unit = unit_of_sum(
                str(one["unit"].iloc[0]), released.unit(outcome, words.language), words
            )
            ends = {"first": words.number(months.min(), 0), "last": words.number(months.max(), 0)}
            parts = "; ".join(_parts(released, one, words))
            found.append(words(f"effects.{kind}", unit=unit, parts=parts, **ends))
    for kind in [k for k in BEYOND if k in kinds]:
        ends_of = {
            end: _by_group(rows[rows["kind"] == f"{end}_{kind}"]) for end in ("first", "last")
        }
        for group, row in ends_of["first"].items():
            last = ends_of["last"].get(group, row)
            if pd.isna(row["estimate"]) or pd.isna(last["estimate"]):
                continue
            months_of = int(row["estimate"]), int(last["estimate"])
            key = f"effects.band_{kind}{_between(rows, group, kind, months_of)}"
            first, end = (words.number(month, 0) for month in months_of)
            found.append(words(key, group=words.group(group), first=first, last=end))
    return found


def incidence_sentences(released: Released, words: Words, outcome: str, arm: str) -> list[str]:
    """Say by how much the offer moves the time before, or after, a first entry."""
    rows = _of(released.incidence, outcome, arm)
    found = []
    first, second = released.sides(arm, words)
    for kind in ("restricted_mean", "time_lost"):
        one = rows[rows["kind"] == f"{kind}_difference"]
        if len(one):
            parts = "; ".join(_parts(released, one, words))
            month = words.number(one["month"].iloc[0], 0)
            values = {"month": month, "parts": parts, "first": first, "second": second}
            found.append(words(f"effects.{kind}", **values))
    return found


def incidence_months(released: Released, outcome: str, arm: str) -> pd.DataFrame:
    """Return the months of an incidence that are shown, without what is summed over them."""
    rows = _of(released.incidence, outcome, arm)
    rows = rows[rows["kind"].isin(["incidence_treated", "incidence_control", "difference"])]
    shown = rows.groupby("month")["estimate"].transform(lambda e: e.notna().any())
    return rows[shown.astype(bool)] if len(rows) else rows


def bands(released: Released, outcome: str, arm: str) -> Bands:
    """Return the ends of the band for all months at once, by month and group."""
    rows = _of(released.paths, outcome, arm)
    return _ends(rows[rows["kind"] == "effect"])


def incidence_bands(released: Released, outcome: str, arm: str) -> Bands:
    """Return the ends of the band of the differences in incidence, by month and group."""
    rows = _of(released.incidence, outcome, arm)
    return _ends(rows[rows["kind"] == "difference"])


def _between(rows: pd.DataFrame, group: str, kind: str, ends: tuple[int, int]) -> str:
    """Tell what the band does in the months between the first and the last beyond zero."""
    if ends[0] == ends[1]:
        return "_once"
    own = rows[(rows["kind"] == "effect") & (rows["group"] == group)]
    own = own[own["month"].astype(float).between(*ends)]
    low, high = own["band_low"], own["band_high"]
    if (~(low > 0 if kind == "above" else high < 0) & low.notna()).any():
        return "_broken"
    return "_all" if low.notna().all() else ""


def _ends(rows: pd.DataFrame) -> Bands:
    rows = rows.dropna(subset=["band_low", "band_high"])
    return {
        (int(row["month"]), str(row["group"])): (row["band_low"], row["band_high"])
        for row in records(rows)
    }


def _of(table: pd.DataFrame, outcome: str, arm: str) -> pd.DataFrame:
    return table[(table["outcome"] == outcome) & (table["arm"] == arm)]


def _by_group(rows: pd.DataFrame) -> dict[str, dict[str, Any]]:
    found = {row["group"]: row for row in records(rows)}
    return {g: found[g] for g in GROUPS if g in found}


def _parts(released: Released, rows: pd.DataFrame, words: Words) -> Iterable[str]:
    """Yield the estimate of each group with its interval, or what is in its place."""
    level = words.percent(released.plan.analysis.level)
    error = rows["std_error"].min()
    for group, row in _by_group(rows).items():
        name = words.group(group).lower()
        if pd.isna(row["estimate"]):
            key = "page.empty" if pd.notna(row["n"]) else "page.withheld"
            yield f"{name} {words(key)}"
            continue
        told = words.effect(row["estimate"], "", error, with_unit=False)
        ends = words.interval(row["conf_low"], row["conf_high"], "", error)
        yield words("effects.part", group=name, estimate=told, level=level, interval=ends)


def unit_of_sum(written: str, localised: str, words: Words) -> str:
    """Return the unit of a sum over months, as the table writes it, in the language.

    Days per month times months are days.
    """
    _, times, step = written.rpartition(" x ")
    named = words(f"unit.{step or written}")
    if not times:
        return named
    amount = localised.removesuffix(f" {words(f'unit.per_{step}')}")
    return amount if amount != localised else f"{localised} × {named}"
