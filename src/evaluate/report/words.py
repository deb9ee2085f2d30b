"""Words and numbers in the languages of the reports."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from babel.numbers import format_decimal
from ruamel.yaml import YAML

from evaluate.notes import FINDINGS, NOTES, REASONS
from evaluate.plan.config import Language

TEXTS = Path(__file__).parent / "texts"
LOCALE: dict[Language, str] = {"en": "en_GB", "sv": "sv_SE"}
NAMES = ("names", "reason", "estimator")  # values of notes that are no numbers
COUNTS = ("n", "covariates")  # values that a text with a form for one counts
ARMS = ("arm", "by_arm")  # values of findings that name arms
OWN_ITEMS = ("programme", "flat rate")  # of the costs; others are as the data name them
MINUS, DASH, SPACE = "\u2212", "\u2013", "\u00a0"


@cache
def catalogue(language: Language) -> dict[str, str]:
    """Return the texts of a language by key, such as ``effects.title``."""
    content = YAML(typ="safe").load((TEXTS / f"{language}.yaml").read_text(encoding="utf-8"))
    texts: dict[str, str] = {}

    def flatten(node: dict[str, object], prefix: str) -> None:
        for key, value in node.items():
            if isinstance(value, dict):
                flatten(value, f"{prefix}{key}.")
            else:
                texts[f"{prefix}{key}"] = str(value).strip()

    flatten(content, "")
    return texts


@dataclass(frozen=True)
class Words:
    """Texts and numbers in one language.

    Attributes
    ----------
    language : {"en", "sv"}
        Language of the report.
    design : str
        Design of the study: a text has another form where the catalogue has one of that design,
        such as ``observational.figure.treated`` for ``figure.treated``.
    covariates : mapping of str to str
        Names of covariates by column, and of levels by ``column=level``, in this language, where
        the plan has them.
    """

    language: Language
    design: str = ""
    covariates: Mapping[str, str] = field(default_factory=dict)

    def __call__(self, key: str, **values: object) -> str:
        """Return the text of a key with its values, in the form for the design if it has one."""
        texts = catalogue(self.language)
        own = f"{self.design}.{key}"
        return texts[own if own in texts else key].format(**values)

    def knows(self, key: str) -> bool:
        """Tell whether there is a text of this key."""
        return key in catalogue(self.language)

    def number(self, value: float | None, digits: int | None = None) -> str:
        """Return a number; without ``digits`` three significant ones, a dash where missing."""
        if value is None or not math.isfinite(value):
            return DASH
        if digits is None:
            size = abs(value)
            digits = 0 if size >= 100 or size == 0 else 1 if size >= 10 else 2 if size >= 0.1 else 3
        pattern = "#,##0" + ("." + "0" * digits if digits else "")
        text = format_decimal(round(value, digits) + 0.0, pattern, locale=LOCALE[self.language])
        return text.replace("-", MINUS)

    def percent(self, share: float) -> str:
        """Return a confidence level or another share: ``95 %``, ``97.5 %``."""
        digits = 0 if math.isclose(100 * share, round(100 * share)) else 1
        return self("unit.percent", x=self.number(100 * share, digits))

    def level(
        self,
        value: float | None,
        unit: str,
        error: float | None = None,
        with_unit: bool = False,
    ) -> str:
        """Return a mean: a share in per cent, anything else with the decimals of `effect`."""
        if unit == "share" and value is not None and math.isfinite(value):
            return self("unit.percent", x=self.number(100 * value, 1))
        text = DASH if unit == "share" else self.effect(value, unit, error, with_unit=False)
        return f"{text}{SPACE}{unit}" if with_unit and text != DASH else text

    def effect(
        self, value: float | None, unit: str, error: float | None = None, with_unit: bool = True
    ) -> str:
        """Return an effect: a share in percentage points, anything else in its unit.

        With its standard ``error`` it has as many decimals as two digits of that need.
        """
        scale = 100 if unit == "share" else 1
        digits = 1 if unit == "share" else None
        if error is not None and math.isfinite(error) and error > 0:
            digits = max(digits or 0, 1 - math.floor(math.log10(scale * error)))
        shown = None if value is None else scale * value
        text = self.number(shown, digits)
        if not with_unit or text == DASH:
            return text
        return self("unit.points", x=text) if unit == "share" else f"{text}{SPACE}{unit}"

    def interval(
        self, low: float | None, high: float | None, unit: str, error: float | None = None
    ) -> str:
        """Return the ends of an interval, in the unit of `effect`, without naming it."""

        def end(value: float | None) -> str:
            if value is not None and math.isinf(value):
                return f"{MINUS if value < 0 else ''}\u221e"
            return self.effect(value, unit, error, with_unit=False)

        return self("unit.interval", low=end(low), high=end(high))

    def amount(self, value: float | None) -> str:
        """Return an amount of money, whole units from a hundred on; dust as nothing."""
        return self.number(0.0 if value is not None and abs(value) < 0.01 else value)

    def money(self, value: float | None, currency: str) -> str:
        """Return an amount with its currency."""
        text = self.amount(value)
        return text if text == DASH else f"{text}{SPACE}{currency}"

    def p_value(self, p: float | None, sign: bool = True) -> str:
        """Return a p-value: ``= 0.041``, without the ``sign`` ``0.041``; or ``< 0.001``."""
        if p is None or math.isnan(p):
            return self.number(None)
        if p < 0.001:
            return f"<{SPACE}{self.number(0.001, 3)}"
        return f"={SPACE}{self.number(p, 3)}" if sign else self.number(p, 3)

    def group(self, group: str) -> str:
        """Return the name of a group; exploratory groups keep the names of the data."""
        known = catalogue(self.language).get(f"group.{group}")
        return known or ", ".join(map(self.covariate, re.split(r",(?=[^,=]+=)", group)))

    def note(self, text: str) -> str:
        """Return the notes of a row in this language."""
        return "; ".join(self._one_note(part) for part in text.split("; ")) if text else ""

    def covariate(self, name: str) -> str:
        """Return the name of a covariate's column, with what was done to it in this language."""
        for kind in ("missing", "before"):
            if name.endswith(f" {kind}"):
                stem = self.covariate(name.removesuffix(f" {kind}"))
                return self(f"covariate.{kind}", name=stem)
        column, is_level, level = name.partition("=")
        parts = [column] if column in self.covariates else column.split(", ")  # of blocks, several
        title = ", ".join(self.covariates.get(part, part) for part in parts)
        return f"{title}: {self.covariates.get(name, level)}" if is_level else title

    def levels(self, column: str, levels: str) -> str:
        """Return a covariate with several of its levels, which commas set apart."""
        names = (self.covariates.get(f"{column}={level}", level) for level in levels.split(", "))
        return f"{self.covariate(column)}: {', '.join(names)}"

    def finding(self, text: str, by_share: bool = False) -> str:
        """Return the text of a check of the design in this language.

        With ``by_share`` it speaks of the shares that clusters were drawn, not of arms.
        """
        if (found := _read(text, "finding")) is None:
            return text
        kind, values = found
        key = f"finding.{kind}"
        if by_share:
            key = self.by_share(key)
            values = {k: self._arms_by_share(k, v) for k, v in values.items()}
        told = {k: v if by_share and k in ARMS else self._localised(v) for k, v in values.items()}
        return self._counted(key, told)

    def by_share(self, key: str) -> str:
        """Return the key of the same text for shares that clusters drew, if there is one."""
        own = f"by_share.{key}"
        return own if own in catalogue(self.language) else key

    def _arms_by_share(self, name: str, text: str) -> str:
        """Put the shares that stand in the place of arms into words."""
        if name == "arm":
            return ", ".join(self.percent(float(share)) for share in text.split(", "))
        if name != "by_arm" or not (parts := re.findall(r"(\S+) in arm ([\d.]+)(?:, |$)", text)):
            return text
        told = [(self._localised(value), self.percent(float(share))) for value, share in parts]
        return ", ".join(self("by_share.part", value=v, share=share) for v, share in told)

    def _counted(self, key: str, values: dict[str, str]) -> str:
        """Return a text that has another form where it counts one thing, or the only one."""
        one = f"one.{key}" in catalogue(self.language) and "1" in (values.get(c) for c in COUNTS)
        return self(f"one.{key}" if one else key, **values)

    def _localised(self, text: str) -> str:
        """Give the numbers of an English text the marks of this language."""
        if self.language == "en":
            return text
        text = re.sub(r"(?<=\d),(?=\d{3})", SPACE, text)
        text = re.sub(r"(?<=\d)\.(?=\d)", ",", text)
        return text.replace(" in arm ", " i arm ").replace("fewer than ", "färre än ")

    def item(self, text: str) -> str:
        """Return an item of the costs: one of the program's own, or as the records name it."""
        key = f"costs.items.{text.replace(' ', '_')}"
        return self(key) if text in OWN_ITEMS else text

    def reason(self, text: str) -> str:
        """Return the reason of a decision in the flow in this language."""
        found = _read(text, "reason")
        return text if found is None else self(f"reason.{found[0]}", **found[1])

    def _one_note(self, text: str) -> str:
        if (found := _read(text, "note")) is None:
            return text
        kind, values = found
        told = {k: v if k in NAMES else self._localised(v) for k, v in values.items()}
        return self._counted(f"note.{kind}", told)


@cache
def _patterns(what: str) -> list[tuple[str, re.Pattern[str]]]:
    """Return the patterns of notes, reasons or findings, those with the most words first."""
    templates = {"note": NOTES, "reason": REASONS, "finding": FINDINGS}[what]
    split = {kind: re.split(r"\{(\w+)\}", text) for kind, text in templates.items()}
    order = sorted(split, key=lambda kind: -sum(map(len, split[kind][::2])))
    return [
        (kind, re.compile("".join(f"(?P<{part}>.*)" if i % 2 else re.escape(part)
                                  for i, part in enumerate(split[kind]))))
        for kind in order
    ]  # fmt: skip


def _read(text: str, what: str) -> tuple[str, dict[str, str]] | None:
    """Return the kind of a text that was filled in, and its values."""
    for kind, pattern in _patterns(what):
        if match := pattern.fullmatch(text):
            return kind, match.groupdict()
    return None
