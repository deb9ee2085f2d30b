"""The summary in words: every number in it comes from a released table."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import pandas as pd

from evaluate.plan.columns import EXPOSED
from evaluate.plan.model import Plan
from evaluate.report import (
    contrasts,
    inference,
    interference,
    many_arms,
    missing,
    participation,
    paths,
)
from evaluate.report.checks import finding_of
from evaluate.report.released import Released, records, titled
from evaluate.report.words import Words
from evaluate.study import GAP


@dataclass(frozen=True)
class Paragraph:
    """A heading and its sentences.

    Attributes
    ----------
    title : str
        Heading.
    sentences : list of str
        One for each statement.
    """

    title: str
    sentences: list[str]


def lead(released: Released, words: Words) -> str:
    """Say who was assigned to what."""
    title = getattr(released.plan.title, words.language)
    included = released.flow[released.flow["step"] == "included"].iloc[0]
    arms = released.arm_columns
    treated = included[arms[1:]].sum() if included[arms].notna().all() else None
    if pd.isna(included["n"]) or treated is None:
        return _analysed(released, title, words)
    n = counted(released, included["n"], words)
    if f"arm={EXPOSED}" in arms:
        told = {arm: words.number(included[arm], 0) for arm in arms}
        return words(
            "summary.lead_saturation",
            title=title,
            n=n,
            exposed=told.pop(f"arm={EXPOSED}"),
            control=told.pop(arms[0]),
            treated=next(iter(told.values())),
        )
    if len(arms) > 2:
        return words("summary.lead_arms", title=title, n=n, arms=len(arms) - 1)
    return words(
        "summary.lead",
        title=title,
        n=n,
        treated=words.number(treated, 0),
        control=words.number(included[arms[0]], 0),
    )


def counted(released: Released, n: float, words: Words) -> str:
    """Return a number of rows with what they are: persons, or persons in one wave each."""
    return words(f"count.several_{released.counts}", n=words.number(n, 0))


def units(released: Released, words: Words) -> str:
    """Say how many clusters were assigned, where it was clusters, or how many persons in waves."""
    plan, n = released.plan, inference.clusters(released)
    if n is None or released.has_shares:
        return ""
    if plan.columns.cluster is None:
        return words("summary.waves", n=words.number(n, 0))
    return words("summary.clusters_arms" if len(released.arms) > 1 else "summary.clusters", n=n)


def _analysed(released: Released, title: str, words: Words) -> str:
    """Say how many have a primary outcome, where it is withheld how many were assigned."""
    flow, (control, *arms) = released.main_flow, released.arm_columns
    for row in records(flow[flow["step"] == "analysed"].dropna(subset=["n", control, *arms])):
        if released.role_of(row["reason"]) == "primary":
            numbers = {"control": row[control], "treated": sum(row[a] for a in arms)}
            told = {key: words.number(n, 0) for key, n in numbers.items()}
            told["n"] = counted(released, row["n"], words)
            outcome = released.column_title(row["reason"], words)
            return words("summary.analysed_lead", title=title, outcome=outcome, **told)
    return words("summary.withheld_lead", title=title)


def primary(plan: Plan) -> list[str]:
    """Return the primary outcomes; the first one of a plan that names none."""
    named = [k for k, o in plan.outcomes.items() if o.role == "primary"]
    return named or list(plan.outcomes)[:1]


def findings(released: Released, words: Words) -> list[Paragraph]:
    """Say what the offer did to each primary outcome, for all, women, men and the gap."""
    found = []
    for outcome in primary(released.plan):
        month = released.month(outcome)
        if many_arms.are_many(released):
            told = many_arms.lines(released, words, outcome, month)
            found.append(Paragraph(outcome_title(released, words, outcome, month), told))
            continue
        for arm in released.arms:
            rows = released.rows(outcome, month, arm=arm)
            title = outcome_title(released, words, outcome, month)
            if len(released.arms) > 1:
                title = f"{title}. {released.arm_title(arm, words)}"
            itt = rows[(rows["estimand"] != "late") & (rows["estimator"] == released.lead)]
            sentences = [
                effect_sentence(row, released, words)
                for row in records(itt)
                if "=" not in row["group"]
            ]
            sentences += _adding_up(released, words, outcome, arm)
            if arm == EXPOSED:
                beside = interference.spillover_sentences(released, words, outcome, month)
                sentences += beside.get("overall", [])
            late = rows[(rows["estimand"] == "late") & (rows["group"] == "all")]
            for row in records(late):
                sentences.append(_taking_part(row, released, words))
            if released.lead != "difference_in_means" or released.plan.columns.blocks:
                method = words(f"estimator.{released.lead}")
                sentences.append(words("summary.adjusted", estimator=method))
            found.append(Paragraph(title, [s for s in sentences if s]))
    return found


def outcome_title(released: Released, words: Words, outcome: str, month: int | None) -> str:
    """Return the name of an outcome, with its month where there is one."""
    return titled(released.title(outcome, words.language), month, words)


def effect_sentence(row: dict[str, Any], released: Released, words: Words) -> str:
    """Say one row of effects: levels, effect, interval, and what can be concluded."""
    group = words.group(row["group"])
    if _missing(row["estimate"]):
        return words("summary.not_estimated", group=group, note=words.note(_text(row["note"])))
    settled = row["conf_low"] > 0 or row["conf_high"] < 0
    numbers = {
        "group": group,
        **_numbers(row, words),
        "p": words.p_value(row["p_value"]),
    }
    if row["group"] == GAP:
        more = "women" if row["estimate"] > 0 else "men"
        reading = words(f"summary.more_for_{more}") if settled else _unsettled(row, released, words)
        if settled:
            reading = f"{reading} {_doubt(row, released, words)}".strip()
        return words("summary.difference", **numbers, reading=reading)
    beside = "_exposed" if row["arm"] == EXPOSED else ""
    direction = ("raised" if row["estimate"] > 0 else "lowered") + beside
    reading = words(f"summary.{direction if settled else 'unsettled'}")
    if settled:
        reading = f"{reading} {_doubt(row, released, words)}".strip()
    return words(
        f"summary.effect{beside}",
        **numbers,
        treated=words.level(row["mean_treated"], row["unit"], row["std_error"], with_unit=True),
        control=words.level(row["mean_control"], row["unit"], row["std_error"], with_unit=True),
        reading=reading,
    )


def _doubt(row: dict[str, Any], released: Released, words: Words) -> str:
    """Say where another p-value does not rule out chance although the interval does."""
    limit = 1 - row["level"]
    drawn, adjusted = row["p_value_randomisation"], row["p_value_adjusted"]
    if not _missing(drawn) and drawn >= limit:
        return words("summary.doubt_randomisation", p=words.p_value(drawn))
    if inference.has_adjusted(released) and not _missing(adjusted) and adjusted >= limit:
        return words("summary.doubt_adjusted", p=words.p_value(adjusted))
    return ""


def _unsettled(row: dict[str, Any], released: Released, words: Words) -> str:
    """Say that the gap is open, and how large a gap the study would find."""
    table = released.heterogeneity
    month = table["month"].isna() if _missing(row["month"]) else table["month"] == row["month"]
    test = table[
        (table["outcome"] == row["outcome"])
        & month
        & (table["arm"] == row["arm"])
        & (table["dimension"] == "gender")
    ]
    if test.empty or test["detectable"].isna().all():
        return words("summary.gap_unsettled_short")
    detectable = words.effect(test["detectable"].iloc[0], row["unit"], row["std_error"])
    return words("summary.gap_unsettled", detectable=detectable)


def _adding_up(released: Released, words: Words, outcome: str, arm: str) -> list[str]:
    """Say what an effect adds up to over the months, where it has months."""
    return paths.sentences(released, words, outcome, arm, kinds=("cumulated",))


def _taking_part(row: dict[str, Any], released: Released, words: Words) -> str:
    """Say the effect on participants by the set that holds whatever the first stage."""
    if _missing(row["estimate"]):
        return ""
    rows = participation.on_participants(released, row["outcome"], row["arm"])
    for found in records(rows[rows["group"] == "all"]):
        if told := participation.summary_sentence(found, words, words.percent(row["level"])):
            return told
    return words("summary.taking_part", **_numbers(row, words))


def _numbers(row: dict[str, Any], words: Words) -> dict[str, str]:
    """Return effect, level and interval of a row."""
    unit, error = row["unit"], row["std_error"]
    return {
        "effect": words.effect(row["estimate"], unit, error),
        "level": words.percent(row["level"]),
        "interval": words.interval(row["conf_low"], row["conf_high"], unit, error),
    }


def checks(released: Released, words: Words) -> list[str]:
    """Say what the checks of the lottery and the placebo outcomes give."""
    warned = int((released.design_checks["verdict"] == "warn").sum())
    passed = (released.design_checks["verdict"] == "pass").any()
    key = "checks_warn" if warned else "checks_ok" if passed else "checks_none"
    found = [words(f"summary.{key}", n=warned)]
    told: set[str] = set()
    for check in records(released.design_checks):
        name = check["check"].removeprefix("attrition:")
        if check["verdict"] == "warn" and name != check["check"] and name not in told:
            title = released.column_title(name, words)
            if released.role_of(name) == "primary" and released.stands(name):
                text = finding_of(check, released, words)
                if check["group"] == "all":
                    told.add(name)  # what is said of all need not be said of women and men
                else:
                    text = f"{words.group(check['group'])}: {text}"
                found.append(words("summary.attrition", outcome=title, text=text))
                if check["group"] == "all":
                    found += _bounded(released, words, name.partition("@")[0])
    if few := inference.few_clusters(released, words):
        found.append(few)
    if released.mixes_gender:
        found.append(words("limits.gender_mixed"))
    return found + _placebos(released, words)


def _placebos(released: Released, words: Words) -> list[str]:
    """Say how far the arms differ in what was settled before the offer."""
    found = []
    chosen = {"estimand": released.estimand, "estimator": released.lead, "group": "all"}
    for outcome, stated in released.plan.outcomes.items():
        if stated.role != "placebo":
            continue
        title, month = released.title(outcome, words.language), released.month(outcome)
        told = []
        for arm in released.arms:
            for row in records(released.rows(outcome, month, arm=arm, **chosen)):
                if not _missing(row["estimate"]):
                    alike = row["conf_low"] <= 0 <= row["conf_high"]
                    key = "summary.placebo_ok" if alike else "summary.placebo_bad"
                    text = words(key, outcome=title, **_numbers(row, words))
                    if len(released.arms) > 1:
                        text = _of_arm(arm, f"{text[:1].lower()}{text[1:]}", released, words)
                    told.append((alike, text))
        if many_arms.are_many(released):
            found.append(words("summary.placebo_arms", outcome=title, n=len(told),
                               bad=sum(not alike for alike, _ in told)))  # fmt: skip
            told = [one for one in told if not one[0]]
        found += [text for _, text in told]
    return found


def _of_arm(arm: str, text: str, released: Released, words: Words) -> str:
    """Say which arm a sentence speaks of, where there are several."""
    several = len(released.arms) > 1
    return f"{contrasts.short(released, arm, words)}: {text}" if several else text


def _bounded(released: Released, words: Words, outcome: str) -> list[str]:
    """Say what the effect of the offer can be for those who have the outcome either way."""
    level = words.percent(released.plan.analysis.level)
    found = []
    for arm in released.offered:
        rows = missing.bounds(released, outcome, arm)
        rows = rows[(rows["method"] == "lee") & (rows["group"] == "all")]
        for row in records(rows):
            if text := missing.reading(row, words, level):
                found.append(_of_arm(arm, text, released, words))
    return found


def genders(released: Released, words: Words) -> str:
    """Say why there is no gap where there is none."""
    known = released.plan.columns.genders
    if len(known) == 2:
        return ""
    return words(f"summary.one_gender_{known[0]}") if known else words("summary.no_gender")


def _missing(value: object) -> bool:
    return value is None or value is pd.NA or (isinstance(value, float) and math.isnan(value))


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
