"""What chapter 4 says of differences in effect, in sentences."""

from __future__ import annotations

from typing import Any

import pandas as pd

from evaluate.report import observational_summary, summary
from evaluate.report.benefits_tables import (
    TOP_BOTTOM,
    percent_women,
    spread_of,
    step_of,
    term_title,
)
from evaluate.report.policy_tree_figure import whole
from evaluate.report.released import Released, records
from evaluate.report.words import Words
from evaluate.study import GAP

LEAST_P = 0.001  # smaller ones are printed as less than that


def gap_sentence(
    released: Released, words: Words, outcome: str, month: int | None, arm: str
) -> str:
    """Say the difference between women and men in the effect, and what can be concluded."""
    chosen = {"arm": arm, "estimand": released.estimand, "estimator": released.lead, "group": GAP}
    for row in records(released.rows(outcome, month, **chosen)):
        told = summary.effect_sentence(row, released, words)
        judged = observational_summary.verdicts(released, outcome, month, arm).get(GAP)
        if judged and not pd.isna(row["estimate"]):
            verdict = words(f"summary.verdict.{str(judged['verdict']).replace(' ', '_')}")
            told += " " + words("benefits.gap_verdict", verdict=verdict)
        return told
    return ""


def lead_test(tests: pd.DataFrame) -> dict[str, Any] | None:
    """Return the test that the verdict rests on, of one outcome, month and arm."""
    leads = tests[tests["lead"].astype("boolean").fillna(False).astype(bool)]
    return next(iter(records(leads if len(leads) else tests[:0])), None)


def verdict_of(tests: pd.DataFrame) -> str:
    """Return ``found``, ``not found`` or ``not assessed``; the last where nothing tells."""
    lead = lead_test(tests)
    verdict = lead["verdict"] if lead else None
    return verdict if verdict in ("found", "not found") else "not assessed"


def verdict_sentences(
    tests: pd.DataFrame, unit: str, words: Words, both_genders: bool = False
) -> list[str]:
    """Say whether effects differ by more than chance, what that rests on, and what it means.

    Parameters
    ----------
    tests : DataFrame
        Rows of `schemas.HETEROGENEITY_TESTS` of one outcome, month and arm.
    unit : str
        Unit of the outcome.
    words : Words
        The language.
    both_genders : bool
        Whether a learner could go by gender.
    """
    lead, verdict = lead_test(tests), verdict_of(tests)
    found = []
    if lead is not None and not pd.isna(lead["p_value"]):
        found.append(_tested(lead, words))
        found += _others(tests, 1 - lead["level"], words)
    told = lead["note"] if lead else None
    if isinstance(told, str) and told:
        for part in told.split("; "):
            spread = spread_of(part)
            if spread is None:
                found.append(sentence(words.note(part), words))
            elif verdict == "not found":
                size = words.effect(spread, unit)
                found.append(words("benefits.detectable", size=size))
    first = words(f"benefits.{verdict.replace(' ', '_')}")
    if verdict == "found" and both_genders:
        first = f"{first} {words('benefits.found_gender')}"
    return [first, *found]


def _others(tests: pd.DataFrame, limit: float, words: Words) -> list[str]:
    """Say how many of the other tests would have found something, each by itself."""
    p = tests.loc[~tests["lead"].astype("boolean").fillna(False).astype(bool), "p_value"].dropna()
    if p.empty:
        return []
    values = {"n": len(p), "below": int((p <= limit).sum()), "limit": words.number(limit, 2)}
    return [words("benefits.other_tests", **values)]


def sentence(text: str, words: Words) -> str:
    """Return a note as a sentence."""
    return words("benefits.note_sentence", note=f"{text[:1].upper()}{text[1:]}")


def _tested(lead: dict[str, Any], words: Words) -> str:
    test, p = words(f"benefits.test.{lead['test']}"), words.p_value(lead["p_value"])
    learner, splits = lead["learner"], lead["splits"]
    if not isinstance(learner, str) or not learner or pd.isna(splits) or splits < 2:
        return words("benefits.tested_plain", test=test, p=p)
    spread = ""
    if lead["p_high"] >= LEAST_P:  # else both ends are the same in print; False where missing
        low, high = (words.p_value(lead[c], sign=False) for c in ("p_low", "p_high"))
        spread = words("benefits.spread", low=low, high=high)
    return words(
        "benefits.tested",
        test=test,
        learner=words(f"benefits.learner.{learner}"),
        p=p,
        splits=words.number(splits, 0),
        spread=spread,
    )


def projection_sentences(rows: pd.DataFrame, released: Released, words: Words) -> list[str]:
    """Say what all covariates of the projection tell together, and which do so alone."""
    found = []
    joint = rows[(rows["kind"] == "joint") & (rows["group"] == "all")]
    for row in records(joint.dropna(subset=["statistic", "p_value"])[:1]):
        found.append(
            words(
                "benefits.projection_joint",
                f=words.number(row["statistic"], 2),
                df=words.number(row["df"], 0),
                df_error=words.number(row["df_error"], 0),
                p=words.p_value(row["p_value"]),
            )
        )
    slopes = rows[(rows["kind"] == "projection") & (rows["group"] == "all")]
    slopes = slopes[~slopes["term"].isin(["constant", "average"])]
    slopes = slopes.dropna(subset=["p_value_adjusted"])
    if len(slopes):
        clear = slopes[slopes["p_value_adjusted"] < 1 - slopes["level"]]
        names = ", ".join(term_title(t, released, words) for t in clear["term"])
        key = "projection_some" if names else "projection_none"
        found.append(words(f"benefits.{key}", **({"names": names} if names else {})))
    return found


def sorted_sentences(rows: pd.DataFrame, words: Words) -> list[str]:
    """Say what sets the ends of the order apart, and how many women gain most by prediction.

    A share of women that the release gate rounded is told with its room, and not beside that of all
    persons, to which rounded ones do not average.
    """
    level = words.percent(float(rows["level"].iloc[0]))
    by_place = {(row["group"], row["sorted_group"]): row for row in records(rows)}
    count = int(rows.loc[rows["sorted_group"] != TOP_BOTTOM, "sorted_group"].astype(int).max())
    found = []
    ends, top = by_place.get(("all", TOP_BOTTOM)), by_place.get(("all", "1"))
    if ends and not pd.isna(ends["estimate"]):
        found.append(words("benefits.sorted_gap", level=level, **_effect(ends, words)))
    rounded = any(step_of(note) is not None for note in rows["note"])
    if rounded and top and (among := percent_women(top, words, 0)):
        share = words("unit.percent", x=among)
        found.append(words("benefits.sorted_women_rounded", groups=count, share=share))
    elif top and not pd.isna(top["share_women"]):
        values = {"groups": count, "share": whole(top["share_women"], words)}
        values["all"] = _share_of_all(rows, words)
        if not top["share_women_low"] < top["share_women_high"]:  # unknown, or all alike
            found.append(words("benefits.sorted_women_plain", **values))
        else:
            low, high = (100 * top[f"share_women_{end}"] for end in ("low", "high"))
            ends_of = {"low": words.number(low, 0), "high": words.number(high, 0)}
            interval = words("unit.percent", x=words("unit.interval", **ends_of))
            told = words("benefits.sorted_women", level=level, interval=interval, **values)
            found.append(told)
    within = {g: by_place.get((g, "1")) for g in ("women", "men", GAP)}
    rows_of = [row for row in within.values() if row and not pd.isna(row["estimate"])]
    if len(rows_of) == 3:
        women, men, gap = (_effect(row, words) for row in rows_of)
        found.append(
            words(
                "benefits.sorted_gender",
                women=women["effect"],
                men=men["effect"],
                gap=gap["effect"],
                level=level,
                interval=gap["interval"],
            )
        )
    shown = rows[rows["group"].isin(["all", "women", "men"])]
    if shown["estimate"].isna().any():
        found.append(words("benefits.sorted_withheld"))
    return found


def _share_of_all(rows: pd.DataFrame, words: Words) -> str:
    """Return the share of women among all who were put in order; the groups are equal."""
    of_all = rows[(rows["group"] == "all") & (rows["sorted_group"] != TOP_BOTTOM)]
    shares = of_all["share_women"]
    return words("page.withheld") if shares.isna().any() else whole(shares.mean(), words)


def _effect(row: dict[str, Any], words: Words) -> dict[str, str]:
    unit, error = row["unit"], row["std_error"]
    interval = words.interval(row["conf_low"], row["conf_high"], unit, error)
    return {"effect": words.effect(row["estimate"], unit, error), "interval": interval}


def distribution_sentence(rows: pd.DataFrame, words: Words) -> str:
    """Say mean and spread of what was predicted for women and for men."""
    told = {(row["kind"], row["group"]): row for row in records(rows)}
    chosen = {
        "women": ("mean", "women"), "men": ("mean", "men"),
        "sd_women": ("sd", "women"), "sd_men": ("sd", "men"),
    }  # fmt: skip
    found = {name: told.get(place) for name, place in chosen.items()}
    if any(row is None or pd.isna(row["value"]) for row in found.values()):
        return ""
    sizes = {n: words.effect(row["value"], row["unit"]) for n, row in found.items() if row}
    return words("benefits.distribution_mean", **sizes)
