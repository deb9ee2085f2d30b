"""The verdicts in words: robust, fragile or not assessed, and why."""

from __future__ import annotations

import re
from typing import Any

from evaluate.notes import NOTES
from evaluate.report.released import Released, records
from evaluate.report.words import Words

GROUPS = ("all", "women", "men", "women-men")


def verdict_sentences(
    released: Released, words: Words, outcome: str, arm: str, month: int | None = None
) -> list[str]:
    """Return what is thought of the findings on one outcome.

    Parameters
    ----------
    released : Released
        The released tables.
    words : Words
        The language.
    outcome, arm : str
        As in the table of verdicts.
    month : int, optional
        Where there is more than one.

    Returns
    -------
    list of str
        A sentence per group; groups with the verdict and the reasons of all are named together.
    """
    table = released.verdict
    rows = table[(table["outcome"] == outcome) & (table["arm"] == arm)]
    if month is not None:
        rows = rows[rows["month"] == month]
    by_group = {row["group"]: row for row in records(rows)}
    found, alike = [], []
    for group in GROUPS:
        if group not in by_group:
            continue
        row, whole = by_group[group], by_group.get("all")
        if whole and group != "all" and _same(row, whole):
            alike.append(words.group(group).lower())
        else:
            found.append(_sentence(row, released, words))
    if alike:
        *first, last = alike
        both = {"a": ", ".join(first), "b": last}
        groups = words("judgement.both", **both) if first else last
        found.insert(1, words("judgement.same", groups=groups))
    return found


def reason_text(text: str, released: Released, words: Words) -> str:
    """Return the reasons of a verdict in the language, with the names of the report."""
    return "; ".join(_one(part, released, words) for part in text.split("; "))


def _same(row: dict[str, Any], other: dict[str, Any]) -> bool:
    return all(row[c] == other[c] for c in ("verdict", "reason"))


def _sentence(row: dict[str, Any], released: Released, words: Words) -> str:
    verdict = str(row["verdict"])
    reasons = reason_text(str(row["reason"]), released, words)
    return words(
        "judgement.sentence",
        group=words.group(row["group"]),
        verdict=words(f"judgement.{verdict}"),
        meaning=words(f"judgement.means_{verdict.replace(' ', '_')}"),
        reasons=words("judgement.because", reasons=reasons),
    )


def _one(text: str, released: Released, words: Words) -> str:
    """Return one reason; outcomes, estimators and covariates get the names of the report."""
    for kind in (k for k in NOTES if k.startswith("verdict_")):
        parts = re.split(r"\{(\w+)\}", NOTES[kind])
        pattern = "".join(
            f"(?P<{part}>.*)" if i % 2 else re.escape(part) for i, part in enumerate(parts)
        )
        if match := re.fullmatch(pattern, text):
            told = {
                name: ", ".join(_name(n, released, words) for n in value.split(", "))
                for name, value in match.groupdict().items()
            }
            return words(f"note.{kind}", **told)
    return words.note(text)


def _name(name: str, released: Released, words: Words) -> str:
    if name in released.plan.outcomes:
        return words("judgement.quoted", name=released.title(name, words.language))
    for key in (f"refutations.name.{name}", f"specification.{name}"):
        if words.knows(key):
            text = words(key)
            return text[:1].lower() + text[1:]
    return released.covariate_title(name, words)
