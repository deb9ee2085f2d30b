"""What difference-in-differences found, in sentences: effects, and trends before the start."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pandas as pd

from evaluate.report.released import Released, records
from evaluate.report.words import Words
from evaluate.study import GAP

GROUPS = ("all", "women", "men", GAP)


def rows(released: Released, outcome: str, arm: str) -> pd.DataFrame:
    """Return the rows of one outcome and arm; none where the plan does not name `did`."""
    table = released.event_study
    return table[(table["outcome"] == outcome) & (table["arm"] == arm)]


def drawable(released: Released, outcome: str, arm: str) -> pd.DataFrame:
    """Return the rows of the figure, see `event_study_figure`; none where nothing can be shown."""
    events = rows(released, outcome, arm)
    events = events[events["kind"] == "event"]
    return events if events["std_error"].notna().any() else events.iloc[:0]


def assumption(released: Released, words: Words, outcome: str, arm: str) -> list[str]:
    """Say what is compared, what that takes for given, and how months are counted."""
    own = rows(released, outcome, arm)
    if own.empty:
        return []
    adjusted = words("event_study.adjusted") if released.plan.covariates else ""
    found = [words("event_study.lead", adjusted=adjusted)]
    events = own[own["kind"] == "event"]
    base = events.loc[events["std_error"].isna() & (events["estimate"] == 0), "month"]
    if len(base):
        found.append(words("event_study.months", base=words.number(float(base.max()), 0)))
    return found


def sentences(released: Released, words: Words, outcome: str, arm: str) -> list[str]:
    """Say what the effects are, in which months the band is beyond zero, and what is left out."""
    own = rows(released, outcome, arm)
    unit = released.unit(outcome, words.language)
    found, overall = [], _by_group(own[own["kind"] == "overall"])
    told = {g: r for g, r in overall.items() if pd.notna(r["estimate"])}
    if told:
        parts = "; ".join(_part(released, words, g, r, unit) for g, r in told.items())
        found.append(words("event_study.overall", parts=parts))
    for group, row in overall.items():
        if group not in told and _reason(row):
            said = {"group": words.group(group), "reason": words.note(_reason(row))}
            found.append(words("event_study.not_estimated", **said))
    for group in told:
        after = own[(own["kind"] == "event") & (own["group"] == group) & (own["month"] > 0)]
        after = after[after["band_low"].notna()].sort_values("month")
        if len(after):
            found += _beyond(words, group, after)
    found += _left_out(own, words)
    return found


def trends(released: Released, words: Words, outcome: str, arm: str) -> list[str]:
    """Say, of every group, whether effects before the start differ from zero."""
    own = rows(released, outcome, arm)
    found = []
    for group, row in _by_group(own[own["kind"] == "pre_trend"]).items():
        said = {"group": words.group(group)}
        if pd.notna(row["p_value"]):
            fails = row["p_value"] < 1 - released.plan.analysis.level
            key = "failed" if fails else "parallel"
            found.append(words(f"event_study.{key}", p=words.p_value(row["p_value"]), **said))
        elif _reason(row):
            reason = words.note(_reason(row)).partition(": ")[2]
            found.append(words("event_study.not_tested", reason=reason, **said))
        else:
            found.append(words("event_study.no_parallel", **said))
    return found


def _part(released: Released, words: Words, group: str, row: dict[str, Any], unit: str) -> str:
    """Return the estimate of a group with its interval."""
    error = row["std_error"]
    return words(
        "event_study.part",
        group=words.group(group).lower(),
        estimate=words.effect(row["estimate"], unit, error),
        level=words.percent(released.plan.analysis.level),
        interval=words.interval(row["conf_low"], row["conf_high"], unit, error),
    )


def _beyond(words: Words, group: str, after: pd.DataFrame) -> Iterator[str]:
    """Yield in which months from the start on the band does not include zero."""
    named, step = words.group(group), _step(after["month"])
    beyond = {"above": after["band_low"] > 0, "below": after["band_high"] < 0}
    if not any(b.any() for b in beyond.values()):
        yield words("event_study.includes", group=named)
    for key, which in beyond.items():
        months = after.loc[which, "month"].astype(int).tolist()
        if months:
            yield words(f"event_study.{key}", group=named, months=_spans(months, step, words))


def _step(months: pd.Series) -> int:
    """Return the months from one to the next: more than one where they are joined."""
    apart = months.astype(int).diff().dropna()
    return int(apart.min()) if len(apart) else 1


def _spans(months: list[int], step: int, words: Words) -> str:
    """Name months, those that follow one another as from the first to the last."""
    ends = [[months[0], months[0]]]
    for before, month in pairwise(months):
        if month - before == step:
            ends[-1][1] = month
        else:
            ends.append([month, month])
    parts = [
        words(
            "event_study.month" if a == b else "event_study.months_of",
            first=words.number(a, 0),
            last=words.number(b, 0),
        )
        for a, b in ends
    ]
    if len(parts) == 1:
        return parts[0]
    return words("event_study.and", some=", ".join(parts[:-1]), last=parts[-1])


def _left_out(own: pd.DataFrame, words: Words) -> Iterator[str]:
    """Yield how many effects by cohort and month there are not, and what was done to the data."""
    cells = own[(own["kind"] == "group_time") & (own["group"] == "all")]
    reasons = [_reason(row) for row in records(cells) if pd.isna(row["n"])]
    counted = Counter(r for r in reasons if r)
    if counted:
        (reason, _), *_ = counted.most_common(1)
        yield words(
            "event_study.omitted",
            n=words.number(counted.total(), 0),
            all=words.number(len(cells), 0),
            reason=words.note(reason).partition(": ")[2],
        )
    for row in records(own[(own["kind"] == "overall") & (own["group"] == "all")]):
        if pd.notna(row["estimate"]) and _reason(row):
            said = words.note(_reason(row))
            yield f"{said[:1].upper()}{said[1:]}."


def _reason(row: dict[str, Any]) -> str:
    return row["note"] if isinstance(row["note"], str) else ""


def _by_group(table: pd.DataFrame) -> dict[str, dict[str, Any]]:
    found = {row["group"]: row for row in records(table)}
    return {g: found[g] for g in GROUPS if g in found}
