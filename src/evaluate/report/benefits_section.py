"""Chapter 4 of the report: who benefits; what the page needs, from released tables alone."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from evaluate.report import (
    benefits_tables,
    benefits_words,
    contrasts,
    figures,
    gap_section,
    many_arms,
    summary,
    targeting_words,
)
from evaluate.report.benefits_figures import distribution_plot, sorted_plot
from evaluate.report.benefits_tables import TOP_BOTTOM, Grid
from evaluate.report.policy_tree_figure import rules_of, tree_of, tree_plot
from evaluate.report.released import Released
from evaluate.report.targeting_figure import ORDERS, targeting_plot
from evaluate.report.words import Words

FEW_CASES = 4  # outcomes and contrasts that stand open; more are folded together
CASES = ("heterogeneity_tests", "conditional_effects", "policies")  # tables that name cases
TREES = ("tree", "tree_without_gender")
Key = tuple[str, int | None, str]


@dataclass(frozen=True)
class Drawing:
    """A figure and what is said below it."""

    svg: str
    title: str = ""
    sentences: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Case:
    """What is told of one outcome and contrast.

    Attributes
    ----------
    title : str
        Of the outcome, with its month, and the contrast where there are several.
    verdict : {"found", "not found", "not assessed"}
        Whether effects differ by more than chance.
    verdict_sentences : list of str
        The same in words.
    tests, projection, projection_apart, groups, profile, rules, comparisons : Grid or None
        Tables; None where there is nothing to show. ``projection_apart`` is of women and men.
    projection_sentences, sorted_sentences, targeting_sentences : list of str
        What they tell.
    sorted_lead, distribution_sentence : str
        How the groups were made; mean and spread of predictions.
    sorted, distribution, curve : str
        Figures, empty where there is nothing to draw.
    distribution_withheld : bool
        Whether some of its bins are blank.
    trees : list of Drawing
        The policy trees.
    """

    title: str
    verdict: str
    verdict_sentences: list[str]
    tests: Grid | None
    projection: Grid | None
    projection_apart: Grid | None
    projection_sentences: list[str]
    rules: Grid | None
    comparisons: Grid | None
    targeting_sentences: list[str]
    groups: Grid | None = None
    profile: Grid | None = None
    sorted_lead: str = ""
    sorted_sentences: list[str] = field(default_factory=list)
    sorted: str = ""
    distribution: str = ""
    distribution_sentence: str = ""
    distribution_withheld: bool = False
    curve: str = ""
    trees: list[Drawing] = field(default_factory=list)


@dataclass(frozen=True)
class ByGender:
    """Women, men and the gap of one outcome.

    Attributes
    ----------
    title : str
        Of the outcome.
    sentences : list of str
        The gap by contrast, in words.
    figures : list of Drawing
        Effects by group for each contrast, gender first.
    table : Grid or None
        In place of figures where there are many arms.
    """

    title: str
    sentences: list[str]
    figures: list[Drawing]
    table: Grid | None = None


def context(released: Released, words: Words) -> dict[str, Any]:
    """Return what the template of chapter 4 needs.

    Parameters
    ----------
    released : Released
        The released tables.
    words : Words
        The language.
    """
    cases = [_case(released, words, key) for key in keys(released)]
    return {
        "by_gender": by_gender(released, words),
        "gap": gap_section.context(released, words) if released.plan.columns.both_genders else None,
        "cases": cases,
        "folded": len(cases) > FEW_CASES,
        "many_arms": many_arms.are_many(released),
    }


def keys(released: Released) -> list[Key]:
    """Return outcome, month and contrast of what was looked into, in the order of the plan."""
    found: dict[Key, None] = {}
    for name in CASES:
        table: pd.DataFrame = getattr(released, name)
        for outcome, month, arm in zip(table["outcome"], table["month"], table["arm"], strict=True):
            found[str(outcome), None if pd.isna(month) else int(month), str(arm)] = None
    place = {outcome: i for i, outcome in enumerate(released.plan.outcomes)}
    return sorted(found, key=lambda key: place.get(key[0], len(place)))


def rows_of(table: pd.DataFrame, key: Key) -> pd.DataFrame:
    """Return the rows of an outcome, month and contrast."""
    outcome, month, arm = key
    here = table["month"].isna() if month is None else table["month"] == month
    return table[(table["outcome"] == outcome) & (table["arm"] == arm) & here.fillna(False)]


def by_gender(released: Released, words: Words) -> list[ByGender]:
    """Return women, men and the gap of each primary outcome, and exploratory groups below."""
    found = []
    for outcome in summary.primary(released.plan):
        month = released.month(outcome)
        title = summary.outcome_title(released, words, outcome, month)
        chosen = {"estimand": released.estimand, "estimator": released.lead}
        if many_arms.are_many(released):
            rows = released.rows(outcome, month, **chosen)
            rows = rows[rows["arm"].isin(released.arms)]
            if rows.empty:
                continue
            groups = [g for g in benefits_tables.GROUPS if (rows["group"] == g).any()]
            names = {a: contrasts.short(released, a, words) for a in released.arms}
            table = benefits_tables.arms_grid(rows, names, groups, released, words)
            found.append(ByGender(title, [], [], table))
            continue
        sentences, drawn = [], []
        for arm in released.arms:
            rows = released.rows(outcome, month, arm=arm, **chosen)
            several = len(released.arms) > 1
            if told := benefits_words.gap_sentence(released, words, outcome, month, arm):
                name = contrasts.short(released, arm, words)
                sentences.append(f"{name}. {told}" if several else told)
            if len(rows) and len(rows["group"].unique()) > 1:
                shown = contrasts.titled(released, title, arm, words)
                label = words("benefits.label.forest", outcome=shown)
                heading = released.contrast(arm, words) if several else ""
                drawn.append(Drawing(figures.forest_plot(rows, words, label=label), heading))
        if sentences or drawn:
            found.append(ByGender(title, sentences, drawn))
    return found


def _case(released: Released, words: Words, key: Key) -> Case:
    outcome, month, arm = key
    title = summary.outcome_title(released, words, outcome, month)
    if len(released.arms) > 1:
        title = f"{title}. {released.contrast(arm, words)}"
    unit = released.unit(outcome, words.language)
    better = released.plan.outcomes[outcome].better
    tests = rows_of(released.heterogeneity_tests, key)
    effects = rows_of(released.conditional_effects, key)
    of_all, apart = (effects[(effects["group"] == "all") == one] for one in (True, False))
    verdict = benefits_words.verdict_of(tests)
    policies = targeting_words.shown_policies(rows_of(released.policies, key), verdict == "found")
    valued = policies["gain"].notna().any()
    learned = _learned(released, words, key, title) if verdict == "found" else {}
    return Case(
        title=title,
        verdict=verdict,
        verdict_sentences=benefits_words.verdict_sentences(
            tests, unit, words, released.plan.columns.both_genders
        ),
        tests=benefits_tables.tests_grid(tests, released, words) if len(tests) else None,
        projection=benefits_tables.projection_grid(of_all, released, words),
        projection_apart=benefits_tables.projection_grid(apart, released, words),
        projection_sentences=benefits_words.projection_sentences(effects, released, words),
        rules=targeting_words.rules_grid(policies, released, words),
        comparisons=targeting_words.comparisons_grid(policies, released, words) if valued else None,
        targeting_sentences=targeting_words.sentences(policies, verdict, better, words),
        **learned,
    )


def _learned(released: Released, words: Words, key: Key, title: str) -> dict[str, Any]:
    """Return what is shown only where differences were found: it rests on an order of persons."""
    lead = benefits_words.lead_test(rows_of(released.heterogeneity_tests, key))
    learner = lead["learner"] if lead and isinstance(lead["learner"], str) else ""
    learner = learner or released.plan.analysis.heterogeneity.learner
    found: dict[str, Any] = {}
    groups = _of(rows_of(released.sorted_groups, key), learner)
    if len(groups):
        found["groups"] = benefits_tables.sorted_grid(groups, released, words)
        number = int(groups.loc[groups["sorted_group"] != TOP_BOTTOM, "sorted_group"].nunique())
        splits = groups["splits"].dropna()
        times = words.number(splits.iloc[0] if len(splits) else None, 0)
        better = released.plan.outcomes[key[0]].better
        first = words(f"benefits.first.{better}")
        found["sorted_lead"] = words(
            "benefits.sorted_lead", splits=times, groups=number, first=first
        )
        found["sorted_sentences"] = benefits_words.sorted_sentences(groups, words)
        if groups["estimate"].notna().any():
            gap = found["sorted_sentences"][0]
            label = words("benefits.label.sorted", outcome=title, numbers=gap)
            average = _average(released, key)
            found["sorted"] = sorted_plot(groups, words, label=label, average=average)
    profile = _of(rows_of(released.sorted_profile, key), learner)
    if len(profile):
        found["profile"] = benefits_tables.profile_grid(profile, released, words)
    spread = _of(rows_of(released.effect_distribution, key), learner)
    bins = spread[spread["kind"] == "bin"]
    if bins["value"].notna().any():
        label = words("benefits.label.distribution", outcome=title)
        found["distribution"] = distribution_plot(spread, words, label=label)
        found["distribution_sentence"] = benefits_words.distribution_sentence(spread, words)
        found["distribution_withheld"] = bool(bins["value"].isna().any())
    return found | _curve(released, words, key, title) | _trees(released, words, key)


def _of(rows: pd.DataFrame, learner: str) -> pd.DataFrame:
    """Return the rows of a learner; all where it has none, if they are of one learner."""
    own = rows[rows["learner"] == learner]
    return rows if own.empty and rows["learner"].nunique() == 1 else own


def _average(released: Released, key: Key) -> float | None:
    """Return the average effect from the same scores, if it is released."""
    rows = rows_of(released.conditional_effects, key)
    of_all = (rows["kind"] == "average") & (rows["group"] == "all")
    known = rows.loc[of_all, "estimate"].dropna()
    return float(known.iloc[0]) if len(known) else None


def _curve(released: Released, words: Words, key: Key, title: str) -> dict[str, Any]:
    rows = rows_of(released.targeting_curve, key)
    rows = rows[rows["order"].isin(ORDERS)]
    if rows["gain"].isna().all():
        return {}
    capacity = targeting_words.capacity_of(rows_of(released.policies, key))
    unit = released.unit(key[0], words.language)
    label = words("benefits.label.curve", outcome=title)
    return {"curve": targeting_plot(rows, words, unit, label=label, capacity=capacity)}


def _trees(released: Released, words: Words, key: Key) -> dict[str, Any]:
    table, drawn = rows_of(released.policy_tree, key), []
    for name in TREES:
        root = tree_of(table[table["tree"] == name], released, words)
        if root is not None:
            title = words(f"benefits.policy.{name}")
            rules = rules_of(root, words)
            label = words("benefits.label.tree", tree=title, rules=" ".join(rules))
            notes = [words.note(n) for n in released.notes(table[table["tree"] == name])]
            svg = tree_plot(root, words, title=title, label=label)
            drawn.append(Drawing(svg, title, rules, notes))
    return {"trees": drawn}
