"""The checks of the design in sections: what needs an explanation first, then a line per check."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pandas as pd

from evaluate.report.released import Released, records
from evaluate.report.words import Words

SECTIONS = {
    "lottery": (
        "assignments", "sample_ratio", "share_by_gender", "places", "probability_by_rule",
        "probability_within_blocks", "blocks",
    ),
    "time": ("time_zero",),
    "overlap": ("overlap", "propensity_model", "effective_size"),
    "weighted": ("balance_before", "balance_after", "prognosis"),
    "alike": ("offer_day", "start_before_offer", "balance", "balance_within", "placebo"),
    "missing": ("attrition",),
    "other": (),
}  # fmt: skip
GROUPS = ("all", "women", "men")
MOST = 5  # warnings of one check that are told one by one
Row = dict[str, object]


@dataclass(frozen=True)
class Line:
    """One check, or one row of it.

    Attributes
    ----------
    title, group, finding : str
        What is checked, of whom, and what was found.
    p_values : dict of str to float
        By group, those that there are.
    verdict : str
        The most serious of the rows behind the line.
    """

    title: str
    group: str
    finding: str
    p_values: dict[str, float]
    verdict: str


def sections(released: Released, words: Words) -> list[tuple[str, list[Line]]]:
    """Return the checks by section, a line for all groups and blocks of a check.

    Months other than the one that stands for an outcome have no line of their own.
    """
    found = []
    for section in SECTIONS:
        lines = [
            _line(name, rows, released, words)
            for name, rows in _by_check(released)
            if _section_of(name) == section and _stands(name, released)
        ]
        if lines:
            found.append((section, lines))
    return found


def warnings(released: Released, words: Words) -> tuple[list[Line], list[str]]:
    """Return a line for each row that needs an explanation, and what is not told one by one."""
    lines: list[Line] = []
    more = []
    warned = released.design_checks[released.design_checks["verdict"] == "warn"]
    for kind, rows in _by_kind(warned):
        chosen = sorted(records(rows), key=lambda row: "=" in str(row["group"]))
        for row in chosen[:MOST]:
            p = {} if pd.isna(row["p_value"]) else {str(row["group"]): float(row["p_value"])}
            name = str(row["check"])
            title, text = title_of(name, released, words), finding_of(row, released, words)
            lines.append(Line(title, words.group(str(row["group"])), text, p, "warn"))
        if len(chosen) > MOST:
            outcome = words("design.other_outcomes")
            title = _titled(kind, outcome, released, words)
            more.append(words("design.more", n=len(chosen) - MOST, check=title))
    return lines, more


def counted(released: Released, words: Words) -> str:
    """Say how many checks there are, and how many of them need an explanation."""
    verdicts = released.design_checks["verdict"]
    n = {name: int((verdicts == name).sum()) for name in ("pass", "warn", "not assessed")}
    told = [words("design.counted", passed=n["pass"], n=len(verdicts), warned=n["warn"])]
    if n["not assessed"]:
        told.append(words("design.not_assessed", n=n["not assessed"]))
    return " ".join(told)


def title_of(name: str, released: Released, words: Words) -> str:
    """Return what a check is called, with its outcome where it has one."""
    kind, _, outcome = name.partition(":")
    title = released.column_title(outcome, words) if outcome else ""
    return _titled(kind, title, released, words)


def finding_of(row: Row, released: Released, words: Words) -> str:
    """Return what a check found; of draws in two levels it tells shares where others tell arms."""
    return words.finding(str(row["text"]), released.has_shares)


def _titled(kind: str, outcome: str, released: Released, words: Words) -> str:
    """Return the title of a kind of check; of several arms it may name one: ``overlap 2``.

    Of draws in two levels it may speak of shares. A kind without a title is called by its name.
    """
    base, _, arm = kind.partition(" ")
    key = words.by_share(f"check.{base}") if released.has_shares else f"check.{base}"
    if not words.knows(key):
        title = base.replace("_", " ") + (f": {outcome}" if outcome else "")
        title = title[:1].upper() + title[1:]
    else:
        title = words(key, outcome=outcome)
    return f"{title} ({words('figure.arm', arm=arm).lower()})" if arm else title


def _by_check(released: Released) -> Iterator[tuple[str, pd.DataFrame]]:
    table = released.design_checks
    for name in dict.fromkeys(table["check"]):
        yield str(name), table[table["check"] == name]


def _by_kind(table: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    kinds = table["check"].str.partition(":")[0] if len(table) else table["check"]
    known = [k for names in SECTIONS.values() for k in names]

    def place(kind: str) -> int:
        stem = _stem(kind)
        return known.index(stem) if stem in known else len(known)

    for kind in sorted(dict.fromkeys(map(str, kinds)), key=place):
        yield kind, table[kinds == kind]


def _section_of(name: str) -> str:
    return next((s for s, kinds in SECTIONS.items() if _stem(name) in kinds), "other")


def _stem(name: str) -> str:
    """Return the kind of a check, without its outcome, arm and weights."""
    kind = name.partition(":")[0].partition(" ")[0]
    return "balance_after" if kind.startswith("balance_after") else kind


def _stands(name: str, released: Released) -> bool:
    outcome = name.partition(":")[2]
    return not outcome or released.stands(outcome)


def _line(name: str, rows: pd.DataFrame, released: Released, words: Words) -> Line:
    """Put the rows of a check together: the finding is that of all, or of the first row."""
    by_group = {str(row["group"]): row for row in records(rows)}
    first = by_group.get("all") or next(iter(by_group.values()))
    known = {g: row["p_value"] for g, row in by_group.items() if g in GROUPS}
    if not known and len(by_group) == 1:
        known = {"all": first["p_value"]}
    p_values = {g: float(p) for g, p in known.items() if pd.notna(p)}
    verdicts = set(rows["verdict"])
    verdict = next(v for v in ("warn", "pass", "not assessed") if v in verdicts)
    text = finding_of(first, released, words)
    parts = sum(g not in GROUPS and g != first["group"] for g in by_group)
    if parts:
        text = f"{text} {words('design.parts', n=parts)}"
    title = title_of(name, released, words)
    return Line(title, words.group(str(first["group"])), text, p_values, verdict)
