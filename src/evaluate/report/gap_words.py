"""What lies behind the gap between women and men, in words: what is settled and what is open."""

from __future__ import annotations

from typing import Any

import pandas as pd

from evaluate.plan.doses import TAKEUP
from evaluate.report.released import Released, records
from evaluate.report.words import Words

COMPOSED, OTHER = "reweighting", "oaxaca_blinder"
WHOLE = ("gap", "same_composition", "composition")
SPLIT = ("access", "effect_per_unit")
NEVER = "no month from which"  # begins the note of a gap that never opens
Row = dict[str, Any]


def paragraphs(rows: pd.DataFrame, released: Released, words: Words) -> list[str]:
    """Return what the parts of the gap say, and at the end what can and cannot be concluded.

    Every reading goes by the size and the interval of a part. Where the interval holds zero, what
    the data still fit is said from end to end: never that there is no difference.

    Parameters
    ----------
    rows : DataFrame
        As `schemas.GAP`, of one outcome and contrast.
    released : Released
        The released tables.
    words : Words
        The language.
    """
    told = _Told(released, words)
    found = [told.composition(rows[rows["method"].isin([COMPOSED, OTHER])])]
    split = rows[rows["method"] == "access"]
    for dose, part in split.groupby(texts(split["dose"]), sort=False):
        found.append(told.access(part, str(dose)))
    found += [told.timing(rows[rows["method"] == "timing"]), told.conclusion()]
    return [" ".join(sentences) for sentences in found if sentences]


def texts(column: pd.Series) -> pd.Series:
    """Return a column of texts with empty ones where they are missing."""
    return column.astype(object).where(column.notna(), "").astype("str")


def dose_title(dose: str, released: Released, words: Words) -> str:
    """Return the name of a dose; take-up has one of its own."""
    if dose == TAKEUP:
        return words("gap.takeup")
    stated = released.plan.doses.get(dose)
    return (stated.title or {}).get(words.language, dose) if stated else dose


def dose_unit(dose: str, released: Released, words: Words) -> str:
    """Return the unit of a dose; that of take-up is a share."""
    stated = released.plan.doses.get(dose)
    if dose == TAKEUP or stated is None:
        return "share"
    return (stated.unit_title or {}).get(words.language, stated.unit)


def months_of(row: Row, words: Words) -> str:
    """Return the months of a row."""
    first, last = row["month_from"], row["month_to"]
    if pd.isna(first) or pd.isna(last):
        return ""
    key = "event_study.month" if first == last else "event_study.months_of"
    return words(key, first=words.number(first, 0), last=words.number(last, 0))


def is_known(row: Row | None) -> bool:
    """Tell whether a row has an estimate and an interval."""
    return row is not None and all(pd.notna(row[c]) for c in ("estimate", "conf_low", "conf_high"))


class _Told:
    """Sentences on one gap; keeps which questions they settle and which stay open."""

    def __init__(self, released: Released, words: Words) -> None:
        self.released, self.words = released, words
        self.settled: list[str] = []
        self.open: list[str] = []
        self.level_told = False

    def composition(self, rows: pd.DataFrame) -> list[str]:
        """Say the gap, and what of it goes with composition."""
        by_part = {m: _by_part(rows[rows["method"] == m], WHOLE) for m in (COMPOSED, OTHER)}
        gap = by_part[COMPOSED].get("gap") or by_part[OTHER].get("gap")
        found = [self._read("gap", gap)] if gap and is_known(gap) else []
        method = next(
            (m for m in by_part if is_known(by_part[m].get("same_composition"))), COMPOSED
        )
        same, part = (by_part[method].get(p) for p in WHOLE[1:])
        if same is None:
            return found
        if not is_known(same):
            return [*found, self._says("not_composed", reason=self._why(same))]
        names = self._covariates(rows)
        listed = " " + self._says("names", names=", ".join(names)) if names else ""
        found.append(self._read("same_composition", same, names=listed))
        if part is not None and is_known(part):
            found.append(self._read("composition", part))
        other = by_part[OTHER].get("same_composition")
        if method == COMPOSED and other is not None and is_known(other):
            found.append(self._says("other_method", **self._numbers(other)))
        apart = [r for r in self._detail(rows) if r["conf_low"] > 0 or r["conf_high"] < 0]
        if apart:
            parts = [
                self._says(
                    "covariate",
                    name=self._covariate(r["covariate"]),
                    estimate=self._numbers(r)["estimate"],
                )
                for r in apart
            ]
            found.append(self._says("covariates", parts=", ".join(parts)))
        return [*found, self._says("descriptive")]

    def access(self, rows: pd.DataFrame, dose: str) -> list[str]:
        """Say how unequal a dose is, and what that makes of the gap."""
        by_part = {row["part"]: row for row in records(rows)}
        if not dose:
            return [self._says("no_dose")]
        title = dose_title(dose, self.released, self.words)
        found = self._of_dose(by_part, dose, title)
        split = [by_part.get(part) for part in SPLIT]
        if not all(is_known(row) for row in split):
            reasons = [r for r in (*split, by_part.get("gap")) if r is not None and self._why(r)]
            if not reasons:
                return found
            return [*found, self._says("not_split", dose=title, reason=self._why(reasons[0]))]
        found += self._levels(by_part)
        for part, row in zip(SPLIT, split, strict=True):
            assert row is not None
            found.append(self._read(part, row, dose=title))
        return [*found, self._says("through", dose=title)]

    def timing(self, rows: pd.DataFrame) -> list[str]:
        """Say whether the gap opens early or late."""
        by_part = {row["part"]: row for row in records(rows)}
        early, late, change = (by_part.get(p) for p in ("early", "late", "late-early"))
        if change is None:
            return []
        if early is None or late is None or not all(map(is_known, (early, late, change))):
            why = self._why(change)
            return [self._says("not_timed", reason=why)] if why else []
        a, b = self._numbers(early), self._numbers(late)
        found = [
            self._says(
                "months",
                first=months_of(early, self.words),
                second=months_of(late, self.words),
                early=a["estimate"],
                late=b["estimate"],
                early_interval=a["interval"],
                late_interval=b["interval"],
                level=a["level"],
            ),
            self._read("late-early", change),
        ]
        opens = by_part.get("opens")
        if opens is not None and pd.notna(opens["estimate"]):
            month = self.words.number(opens["estimate"], 0)
            found.append(self._says("opens", month=month))
        elif opens is not None and NEVER in _text(opens["note"]):
            found.append(self._says("never"))
        return found

    def conclusion(self) -> list[str]:
        """Say what is settled, and what is left open."""
        if not self.settled and not self.open:
            return []
        settled, left = "; ".join(self.settled), "; ".join(self.open)
        return [
            self.words("gap.concludes.settled", parts=settled)
            if settled
            else self.words("gap.concludes.nothing"),
            self.words("gap.concludes.open", parts=left)
            if left
            else self.words("gap.concludes.all_settled"),
        ]

    def _of_dose(self, by_part: dict[str, Row], dose: str, title: str) -> list[str]:
        parts = [by_part.get(f"dose_{g}") for g in ("women", "men", "gap")]
        if any(row is None or pd.isna(row["estimate"]) for row in parts):
            return []
        unit = dose_unit(dose, self.released, self.words)
        told = [self._numbers(row, unit) for row in parts if row is not None]
        said = {"dose": title, "women": told[0]["estimate"], "men": told[1]["estimate"]}
        if not is_known(parts[2]):
            return [self._says("dose_alone", **said)]
        return [self._says("dose", **told[2], **said)]

    def _levels(self, by_part: dict[str, Row]) -> list[str]:
        """Say the gap in the outcome with and without the programme, for the first dose."""
        outcome, without = by_part.get("outcome_gap"), by_part.get("without_programme")
        known = is_known(outcome) and is_known(without)
        if outcome is None or without is None or not known or self.level_told:
            return []
        self.level_told = True
        a, b = self._numbers(without), self._numbers(outcome)
        return [
            self._says(
                "levels",
                without=a["estimate"],
                without_interval=a["interval"],
                outcome=b["estimate"],
                outcome_interval=b["interval"],
                level=a["level"],
            )
        ]

    def _read(self, part: str, row: Row, **more: str) -> str:
        """Return the reading of a part by where its interval lies; note what it settles."""
        state = "above" if row["conf_low"] > 0 else "below" if row["conf_high"] < 0 else "open"
        dose = {"dose": more["dose"]} if "dose" in more else {}
        if state == "open":
            self.open.append(self.words(f"gap.open.{part}", **dose))
        else:
            self.settled.append(self.words(f"gap.settled.{part}.{state}", **dose))
        return self._says(f"{part}.{state}", **self._numbers(row), **more)

    def _numbers(self, row: Row, unit: str = "") -> dict[str, str]:
        """Return the estimate, its size, level and interval, in the unit of the outcome."""
        words, unit, error = self.words, unit or str(row["unit"]), row["std_error"]
        return {
            "estimate": words.effect(row["estimate"], unit, error),
            "size": words.effect(abs(row["estimate"]), unit, error),
            "level": words.percent(self.released.plan.analysis.level),
            "interval": words.interval(row["conf_low"], row["conf_high"], unit, error),
            "unit": words("figure.points") if unit == "share" else unit,
        }

    def _detail(self, rows: pd.DataFrame) -> list[Row]:
        """Return the parts of the composition by covariate."""
        own = rows[(rows["part"] == "composition") & (texts(rows["covariate"]) != "")]
        return [row for row in records(own) if is_known(row)]

    def _covariates(self, rows: pd.DataFrame) -> list[str]:
        named = texts(rows.loc[rows["part"] == "composition", "covariate"])
        return [self._covariate(c) for c in dict.fromkeys(named) if c]

    def _covariate(self, name: str) -> str:
        return self.released.covariate_title(name, self.words)

    def _why(self, row: Row) -> str:
        """Return why a row is not known, in this language: its last note."""
        text = self.words.note(_text(row["note"]).rpartition("; ")[2])
        return text.partition(": ")[2] or text

    def _says(self, key: str, **values: str) -> str:
        return self.words(f"gap.says.{key}", **values)


def _by_part(rows: pd.DataFrame, parts: tuple[str, ...]) -> dict[str, Row]:
    """Return the rows that are not of a single covariate, by part."""
    whole = rows[texts(rows["covariate"]) == ""]
    return {row["part"]: row for row in records(whole) if row["part"] in parts}


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
