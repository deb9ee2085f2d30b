"""The page that lists the programmes of a study."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from evaluate import schemas
from evaluate.design.default_estimators import as_estimated
from evaluate.io import read_csv, write_text
from evaluate.plan.columns import EXPOSED
from evaluate.plan.config import Language
from evaluate.plan.load import load_plan
from evaluate.plan.model import Plan
from evaluate.report.page import render
from evaluate.report.released import records, titled
from evaluate.report.words import Words


@dataclass(frozen=True)
class Entry:
    """One programme on the page.

    Attributes
    ----------
    name : str
        Its folder.
    plan : Plan
        The programme file.
    effects : DataFrame
        As `schemas.EFFECTS`.
    verdict : DataFrame, optional
        As `schemas.VERDICT`, of a programme without a lottery.
    """

    name: str
    plan: Plan
    effects: pd.DataFrame
    verdict: pd.DataFrame | None = None

    def title(self, words: Words) -> str:
        """Return the programme's title."""
        return str(getattr(self.plan.title, words.language))

    def rows(self, words: Words) -> list[dict[str, str]]:
        """Return the effects on primary outcomes by the lead estimator, with their verdicts."""
        titles = self.plan.covariate_titles(words.language)
        table, words = self.effects, Words(words.language, self.plan.design, titles)
        lead = (table["estimand"] != "late") & (table["estimator"] == self.plan.estimators[0])
        gendered = set(self.plan.columns.genders) if not self.plan.columns.both_genders else set()
        shown = lead & ~table["group"].str.contains("=") & ~table["group"].isin(gendered)
        stands = [
            pd.isna(month) or month == self.plan.outcomes[str(outcome)].standing_month
            for outcome, month in zip(table["outcome"], table["month"], strict=True)
        ]
        shown &= pd.Series(stands, index=table.index, dtype=bool)
        labels = list(dict.fromkeys(table["arm"].astype(str)))
        pairs = {f"{a}-{b}" for a in labels for b in labels}
        arms = [a for a in labels if a not in pairs]  # each against control will do here
        shown &= table["arm"].isin(arms)
        chosen = table[shown & (table["role"] == "primary")]
        if chosen.empty:
            chosen = table[lead & (table["group"] == "all")].head(1)
        names = self._names(arms, words)
        return [self._row(row, words, names.get(str(row["arm"]))) for row in records(chosen)]

    def _names(self, arms: list[str], words: Words) -> dict[str, str]:
        """Name the arms where there are several; one offer beside those without is that alone."""
        offered = [a for a in arms if a != EXPOSED]
        single = {offered[0]: words("figure.treated")} if len(offered) == 1 else {}
        named = {a: words("figure.arm", arm=a) for a in offered} | single
        return named | {EXPOSED: words("figure.exposed")} if len(arms) > 1 else {}

    def _row(self, row: dict[str, Any], words: Words, arm: str | None) -> dict[str, str]:
        outcome = str(row["outcome"])
        title = (self.plan.outcomes[outcome].title or {}).get(words.language, outcome)
        title = titled(title, None if pd.isna(row["month"]) else int(row["month"]), words)
        title = f"{title}. {arm}" if arm else title
        stated, error = self.plan.outcomes[outcome], row["std_error"]
        unit = (stated.unit_title or {}).get(words.language, stated.unit)
        absent = pd.isna(row["estimate"])
        return {
            "title": title,
            "verdict": self._verdict(row),
            "group": words.group(str(row["group"])),
            "effect": words("page.empty") if absent else words.effect(row["estimate"], unit, error),
            "interval": ""
            if absent
            else words.interval(row["conf_low"], row["conf_high"], unit, error),
        }

    def _verdict(self, row: dict[str, Any]) -> str:
        """Return the verdict on a row; ``not assessed`` where there is none, empty of a lottery."""
        if not self.plan.is_observational:
            return ""
        if self.verdict is None:
            return "not assessed"
        table = self.verdict
        month = table["month"].isna() if pd.isna(row["month"]) else table["month"] == row["month"]
        for column in ("outcome", "arm", "group"):
            month = month & (table[column] == row[column])
        found = table.loc[month, "verdict"]
        return str(found.iloc[0]) if len(found) else "not assessed"


def write_index(plans: Iterable[str], languages: list[Language], path: str | Path) -> None:
    """Write the page for the programmes of ``plans``, in all languages one below the other."""
    entries = []
    for plan in map(Path, plans):
        tables, verdict = Path(path).parent / plan.stem / "tables", None
        effects = read_csv(tables / "effects.csv", schemas.EFFECTS)
        checked = as_estimated(load_plan(plan), effects)
        if checked.is_observational:
            verdict = read_csv(tables / "verdict.csv", schemas.released("verdict"))
        entries.append(Entry(plan.stem, checked, effects, verdict))
    words = [Words(language) for language in languages]
    title = words[0]("index.title")
    write_text(render("index.html.j2", entries=entries, words=words, title=title), path)
