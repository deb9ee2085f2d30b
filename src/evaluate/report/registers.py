"""What chapter 1 tells of the linked tables: decisions on rows, codebooks, who is observed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from evaluate.errors import EvaluateError
from evaluate.plan.closed import Code, code_text
from evaluate.plan.columns import EXPOSED
from evaluate.plan.config import Language
from evaluate.plan.load import load_codebook_file
from evaluate.plan.outcomes import Outcome
from evaluate.plan.shared_files import codebooks
from evaluate.report.released import Released, records
from evaluate.report.words import Words, catalogue

if TYPE_CHECKING:
    from evaluate.plan.codebook import CodebookFile

STEPS = ("received", "excluded", "noted", "kept")
COUNTS = ("n", "women", "men")
SOURCES = ("spells", "incomes")  # linked tables that outcomes come from
ROLES = {"primary": 0, "secondary": 1, "placebo": 2}


@dataclass(frozen=True)
class RawTable:
    """The decisions on the rows of one linked table.

    Attributes
    ----------
    title, sentence : str
        Its name; that the counts add up.
    rows : list of dict
        Of `schemas.CLEANING`: received, excluded, kept. Those excluded of which no number may
        be shown are one row at the end of these, with what they are together.
    noted : list of dict
        Those of the rows kept to which something was done, in the same way.
    """

    title: str
    sentence: str
    rows: list[dict[str, Any]]
    noted: list[dict[str, Any]]


@dataclass(frozen=True)
class Book:
    """A codebook that the plan names, and whether somebody has to confirm it."""

    title: str
    name: str
    used_for: str
    source: str
    status: str

    @property
    def is_open(self) -> bool:
        """Whether the meaning of the codes is not settled."""
        return self.status != "documented"


def table_title(name: str, words: Words) -> str:
    """Return the name of a raw table."""
    return catalogue(words.language).get(f"data.table.{name}", name)


def cleaning(released: Released, words: Words) -> list[RawTable]:
    """Return the decisions on the rows of each linked table, with their sum in words."""
    found = []
    for name, rows in released.cleaning.groupby("table", sort=False):
        title = table_title(str(name), words)
        n = {step: rows.loc[rows["step"] == step, "n"] for step in ("received", "kept")}
        if all(len(counts) and counts.notna().all() for counts in n.values()):
            received, kept = (int(n[step].iloc[0]) for step in ("received", "kept"))
            rejected = rows.loc[rows["step"] == "excluded", "n"]
            left = int(rejected.sum()) if rejected.notna().all() else received - kept
            numbers = {"received": received, "kept": kept, "rejected": left}
            told = {k: words.number(v, 0) for k, v in numbers.items()}
            sentence = words("data.cleaning_sum", table=title, **told)
        else:
            sentence = words("data.cleaning_withheld", table=title)
        by_step = {step: records(rows[rows["step"] == step]) for step in STEPS}
        excluded, few = _few(by_step["excluded"])
        noted, few_noted = _few(by_step["noted"])
        if few:
            others = [*excluded, *by_step["kept"]]
            excluded.append(_together(few, by_step["received"], others, words))
        if few_noted:
            noted.append(_together(few_noted, [], [], words))
        judged = [*by_step["received"], *excluded, *by_step["kept"]]
        found.append(RawTable(title, sentence, judged, noted))
    return found


def _few(rows: list[dict[str, Any]]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Part the rows of which a number is shown from those of which none is."""
    few = [row for row in rows if all(pd.isna(row[c]) or row[c] == 0 for c in COUNTS)]
    few = [row for row in few if pd.isna(row["n"])]
    few = few if len(few) > 1 else []
    return [row for row in rows if row not in few], few


def _together(
    few: list[dict[str, Any]],
    received: list[dict[str, Any]],
    others: list[dict[str, Any]],
    words: Words,
) -> dict[str, Any]:
    """Put rows into one, with what received and the others leave for them where that is known."""
    reasons = "; ".join(words.reason(str(row["reason"])) for row in few)
    row = {"step": few[0]["step"], "reason": words("data.too_few", reasons=reasons)}
    for c in COUNTS:
        known = [*received, *others]
        is_known = bool(received) and all(pd.notna(r[c]) for r in known)
        row[c] = received[0][c] - sum(r[c] for r in others) if is_known else pd.NA
    return row


def books(released: Released, words: Words) -> list[Book]:
    """Return the codebooks of the plan; one without a file is told as such."""
    found = []
    for key, name in codebooks(released.plan).items():
        file = _codebook(name)
        if file is None:
            title, source, status = name, "", "missing"
        else:
            title, source = (getattr(text, words.language) for text in (file.title, file.source))
            status = file.status
        parts = key.split(".")
        is_column = parts[0] == "codebooks"
        used_for = parts[1] if is_column else table_title(parts[0], words).lower()
        found.append(Book(title, name, used_for, source, status))
    return found


def _codebook(name: str) -> CodebookFile | None:
    try:
        return load_codebook_file(name)
    except EvaluateError:
        return None


def _labels(name: str | None, language: Language) -> dict[str, str]:
    """Return the labels of a codebook's codes and groups; none where there is no file."""
    file = _codebook(name) if name else None
    if file is None:
        return {}
    found = {e.text: str(getattr(e, language)) for e in sorted(file.codes, key=lambda e: e.first)}
    return found | {group: str(getattr(text, language)) for group, text in file.groups.items()}


def _named(name: str, codes: Sequence[Code] | None, labels: dict[str, str]) -> str:
    """Return what a kind or state is called: by its own name, or by its one code."""
    only = code_text(codes[0]) if codes is not None and len(codes) == 1 else name
    text = labels.get(name) or labels.get(only) or name.replace("_", " ")
    return text[:1].upper() + text[1:]


def kind_names(released: Released, words: Words) -> dict[str, str]:
    """Return the names of the kinds of activities, all of them together last."""
    activities = released.plan.data.activities
    labels = _labels(activities.codebook if activities else None, words.language)
    labels |= {"all": words("data.all_kinds"), "other": words("data.other_kinds")}
    codes, kinds = activities.kinds if activities else {}, map(str, released.dose["kind"])
    return {k: _named(k, codes.get(k), labels) for k in dict.fromkeys(kinds)}


def state_names(released: Released, words: Words) -> dict[str, str]:
    """Return the names of the states: as the outcome that is this state, else by the codebook."""
    spells = released.plan.data.spells
    labels = _labels(spells.codebook if spells else None, words.language)
    for key, stated in released.plan.outcomes.items():
        if stated.spells is not None and len(stated.spells) == 1 and stated.measure == "at":
            labels[str(stated.spells[0])] = released.title(key, words.language)
    labels |= {name: words(f"data.state.{name}") for name in ("other", "none")}
    codes, states = spells.states if spells else {}, map(str, released.states["state"])
    return {s: _named(s, codes.get(s), labels) for s in dict.fromkeys(states)}


def arm_names(released: Released, words: Words) -> dict[str, str]:
    """Return the names of the arms by code, control first."""
    codes = [c.removeprefix("arm=") for c in released.arm_columns]
    control, *arms = codes
    offered = [a for a in arms if a != EXPOSED]
    names = {control: words("figure.control")} | {a: words("figure.arm", arm=a) for a in offered}
    if len(offered) == 1:
        names[offered[0]] = words("figure.treated")
    return names | ({EXPOSED: words("figure.exposed")} if EXPOSED in arms else {})


def observed(released: Released, words: Words) -> pd.DataFrame:
    """Return the persons observed at each month by linked table, arm and gender.

    Returns
    -------
    DataFrame
        ``row`` (the table's name), ``month``, ``arm``, ``group``, ``n``. The numbers are those
        of the states or, without them, of the effects on an outcome of the table.
    """
    parts = []
    for source in SOURCES:
        chosen = _outcome_of(released, source)
        if chosen is None:
            continue
        if source == "spells" and len(released.states):
            states = released.states
            rows = states[states["state"] == states["state"].iloc[0]]
        else:
            rows = _sizes(released, chosen)
        rows = rows.loc[rows["group"] != "women-men", ["month", "arm", "group", "n"]]
        parts.append(rows.assign(row=table_title(source, words)))
    columns = ["row", "month", "arm", "group", "n"]
    return pd.concat(parts)[columns] if parts else pd.DataFrame(columns=columns)


def _outcome_of(released: Released, source: str) -> str | None:
    """Return an outcome of a linked table, a primary one before others."""

    def rank(item: tuple[str, Outcome]) -> int:
        return ROLES[item[1].role]

    for key, stated in sorted(released.plan.outcomes.items(), key=rank):
        if getattr(stated, source) is not None:
            return key
    return None


def _sizes(released: Released, outcome: str) -> pd.DataFrame:
    """Return the persons used by month, arm and group from the effects against control."""
    control = released.arm_columns[0].removeprefix("arm=")
    rows = released.all_months(outcome, estimand=released.estimand, estimator=released.lead)
    rows = rows[rows["arm"].isin(released.arms) & ~rows["group"].str.contains("=")]
    first = rows[rows["arm"] == released.arms[0]]
    parts = [first.assign(arm=control, n=first["n_control"]), rows.assign(n=rows["n_treated"])]
    return pd.concat(parts)


def extracts(released: Released, words: Words) -> list[str]:
    """Say which days the linked tables cover, those that cover the same together."""
    data = released.plan.data
    alike: dict[tuple[object, object], list[str]] = {}
    for name, table in data.linked.items():
        if last := data.extract_of(table):
            alike.setdefault((data.coverage_of(table), last), []).append(table_title(name, words))
    found = []
    for (start, end), titles in alike.items():
        key = "data.covers" if start else "data.extract"
        named = ", ".join([titles[0], *(title.lower() for title in titles[1:])])
        found.append(words(key, table=named, first=start, last=end))
    return found


def observed_sentence(released: Released, table: pd.DataFrame, words: Words) -> list[str]:
    """Say how many of each arm are observed at the month that stands for the outcome."""
    found = []
    for source in SOURCES:
        outcome = _outcome_of(released, source)
        title = table_title(source, words)
        month = released.plan.outcomes[outcome].standing_month if outcome else None
        rows = table[(table["row"] == title) & (table["month"] == month)]
        n = rows[rows["group"] == "all"].set_index("arm")["n"].dropna()
        included = released.flow[released.flow["step"] == "included"].iloc[0]
        parts = []
        for arm, name in arm_names(released, words).items():
            if arm in n:
                told, of = words.number(int(n[arm]), 0), included[f"arm={arm}"]
                if pd.notna(of):
                    told = words("data.observed_of", n=told, of=words.number(int(of), 0))
                parts.append(f"{name.lower()} {told}")
        if parts:
            said = ", ".join(parts)
            found.append(words("data.observed_at", table=title, month=month, arms=said))
    return found
