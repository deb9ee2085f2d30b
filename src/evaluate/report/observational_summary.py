"""The summary of an observational study: the verdict first, then what it is a verdict on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd

from evaluate.report import paths
from evaluate.report.released import Released, records
from evaluate.report.verdict_words import reason_text
from evaluate.report.words import Words
from evaluate.study import GAP

GROUPS = ("all", "women", "men", GAP)


@dataclass(frozen=True)
class Line:
    """The lead estimate of one group, and whether it can be relied upon.

    Attributes
    ----------
    group, title, effect, interval, verdict : str
        Its code and name; the estimate and its interval; ``robust``, ``fragile`` or
        ``not assessed``.
    """

    group: str
    title: str
    effect: str
    interval: str
    verdict: str


@dataclass(frozen=True)
class Finding:
    """What is known of one outcome and contrast.

    Attributes
    ----------
    lines : list of Line
        All, women, men and the gap.
    verdict : str
        That on all.
    reasons : list of str
        Sentences: why the verdicts are what they are.
    sentences : list of str
        What the effect is of, and what a raw comparison would have said.
    """

    lines: list[Line]
    verdict: str
    reasons: list[str]
    sentences: list[str]


def finding(released: Released, words: Words, outcome: str, month: int | None, arm: str) -> Finding:
    """Return what is known of an outcome in a month, for one contrast."""
    rows = released.rows(outcome, month, arm=arm, estimator=released.lead)
    rows = rows[(rows["estimand"] == released.estimand) & rows["group"].isin(GROUPS)]
    judged = verdicts(released, outcome, month, arm)
    lines = [_line(row, judged, words) for row in records(rows)]
    verdict = str(judged.get("all", {}).get("verdict", "not assessed"))
    of_all = [row for row in records(rows) if row["group"] == "all"]
    sentences = [_effect(row, verdict, released, words) for row in of_all]
    of_gap = str(judged.get(GAP, {}).get("verdict", "not assessed"))
    sentences += [_gap(row, of_gap, words) for row in records(rows) if row["group"] == GAP]
    sentences += paths.sentences(released, words, outcome, arm, kinds=("cumulated",))
    sentences.append(raw(released, words, outcome, month, arm))
    reasons = _reasons(judged, released, words)
    return Finding(lines, verdict, reasons, [s for s in sentences if s])


def verdicts(
    released: Released, outcome: str, month: int | None, arm: str
) -> dict[str, dict[str, Any]]:
    """Return the verdicts on an outcome in a month and contrast, by group."""
    table = released.verdict
    here = table["month"].isna() if month is None else table["month"] == month
    chosen = table[(table["outcome"] == outcome) & (table["arm"] == arm) & here]
    return {str(row["group"]): row for row in records(chosen)}


def raw(released: Released, words: Words, outcome: str, month: int | None, arm: str) -> str:
    """Say what comparing all, as they are, would have said, and that it is no effect."""
    chosen = {"arm": arm, "group": "all", "estimator": "difference_in_means"}
    for row in records(released.rows(outcome, month, **chosen)):
        if pd.isna(row["estimate"]) or released.lead == "difference_in_means":
            continue
        unit, error = row["unit"], row["std_error"]
        return words(
            "raw.sentence",
            treated=words.level(row["mean_treated"], unit, error, with_unit=True),
            control=words.level(row["mean_control"], unit, error, with_unit=True),
            difference=words.effect(row["estimate"], unit, error),
            level=words.percent(row["level"]),
            interval=words.interval(row["conf_low"], row["conf_high"], unit, error),
        )
    return ""


def _line(row: dict[str, Any], judged: dict[str, dict[str, Any]], words: Words) -> Line:
    group = str(row["group"])
    verdict = str(judged.get(group, {}).get("verdict", "not assessed"))
    if pd.isna(row["estimate"]):
        note = row["note"] if isinstance(row["note"], str) else ""
        why = words.note(note) if note else words("page.empty")
        return Line(group, words.group(group), why, "", verdict)
    unit, error = row["unit"], row["std_error"]
    return Line(
        group,
        words.group(group),
        words.effect(row["estimate"], unit, error),
        words.interval(row["conf_low"], row["conf_high"], unit, error),
        verdict,
    )


def _effect(row: dict[str, Any], verdict: str, released: Released, words: Words) -> str:
    """Say what the effect on all is of, and how far the interval settles its direction."""
    if pd.isna(row["estimate"]):
        return ""
    unit, error = row["unit"], row["std_error"]
    treated = row["mean_treated"]
    values = {
        "effect": words.effect(row["estimate"], unit, error),
        "treated": words.level(treated, unit, error, with_unit=True),
        "without": words.level(treated - row["estimate"], unit, error, with_unit=True),
        "estimator": words(f"estimator.{released.lead}"),
    }
    key = released.estimand
    if key == "att" and pd.isna(treated):
        key = "att_short"
    told = words(f"summary.meaning.{key}", **values)
    judged = verdict.replace(" ", "_")
    return f"{told} {words(f'summary.reading.{_direction(row)}.{judged}')}"


def _direction(row: dict[str, Any]) -> str:
    """Tell on which side of zero the whole interval lies."""
    if row["conf_low"] > 0:
        return "above"
    return "below" if row["conf_high"] < 0 else "open"


def _gap(row: dict[str, Any], verdict: str, words: Words) -> str:
    """Say whether the effects of women and men can be told apart, and how firmly."""
    if pd.isna(row["estimate"]):
        return ""
    side = _direction(row)
    if side == "open":
        return words("summary.gap_unsettled_short")
    told = words("summary.more_for_women" if side == "above" else "summary.more_for_men")
    judged = verdict.replace(" ", "_")
    return f"{told} {words(f'summary.gap_reading.{judged}')}".strip()


def _reasons(judged: dict[str, dict[str, Any]], released: Released, words: Words) -> list[str]:
    """Say why: once what holds of all, and what is said of others alone with their names."""
    of_all = _parts(judged.get("all", {}))
    found = [(part, "") for part in of_all]
    own: dict[str, list[str]] = {}
    for group in GROUPS[1:]:
        for part in _parts(judged.get(group, {})):
            if part not in of_all:
                own.setdefault(part, []).append(words.group(group))
    found += [(part, ", ".join([g[0], *map(str.lower, g[1:])])) for part, g in own.items()]
    told = []
    for part, names in found:
        text = reason_text(part, released, words)
        text = words("summary.reason_of", group=names, reason=text) if names else text
        told.append(f"{text[:1].upper()}{text[1:]}.")
    return told


def _parts(row: dict[str, Any]) -> list[str]:
    reason = row.get("reason")
    return reason.split("; ") if isinstance(reason, str) and reason else []
