"""The choice that costs and effects speak for: acceptability, and the worth of information."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from evaluate.report.acceptability_figure import ARMS, acceptability_plot
from evaluate.report.cost_sentences import lead, thing_of
from evaluate.report.released import Released
from evaluate.report.scales import groups_of
from evaluate.report.words import Words
from evaluate.study import GAP


@dataclass(frozen=True)
class Choice:
    """What is told of one outcome.

    Attributes
    ----------
    sentences : list of str
        From which worth of a unit an arm is the best choice, how probably, and what it would be
        worth to know.
    figures : list of str
        SVG.
    """

    sentences: list[str]
    figures: list[str]


def choices(released: Released, words: Words) -> dict[str, Choice]:
    """Return what is told of each outcome with thresholds in the plan.

    Parameters
    ----------
    released : Released
        The released tables.
    words : Words
        The language.
    """
    found: dict[str, Choice] = {}
    costs, table = released.plan.costs, lead(released.acceptability)
    for outcome in costs.outcomes if costs else []:
        rows = table[(table["outcome"] == outcome) & table["probability"].notna()]
        if rows.empty:
            continue
        choice = rows[rows["group"] != GAP]
        sentences = [
            sentence
            for group in groups_of(choice)
            for sentence in _of_group(released, choice[choice["group"] == group], words)
        ]
        sentences += _information(released, choice[choice["group"] == "all"], words)
        sentences += _gap(released, rows[rows["group"] == GAP], words)
        found[outcome] = Choice(sentences, _figures(released, choice, words))
    return found


def _of_group(released: Released, rows: pd.DataFrame, words: Words) -> list[str]:
    """Say which option is best at which worth, and how sure that is."""
    if rows.empty:
        return []
    assert released.plan.costs is not None
    currency, outcome = released.plan.costs.currency, rows["outcome"].iloc[0]
    group, control = words.group(rows["group"].iloc[0]), rows["arm"].iloc[0]
    thing = thing_of(released, outcome, words)
    best = rows[rows["is_best"].fillna(False).astype(bool)].sort_values("threshold")
    most = words.money(rows["threshold"].max(), currency)
    changes = best[best["arm"] != best["arm"].shift()]
    found = []
    for row in changes[changes["arm"] != control].to_dict("records"):
        several = len(released.offered) > 1
        name = released.arm_title(row["arm"], words) if several else words("costs.acceptability.it")
        last = best[best["arm"] == row["arm"]]["probability"].iloc[-1]
        found.append(
            words(
                "costs.acceptability.from",
                group=group,
                arm=name,
                threshold=words.money(row["threshold"], currency),
                thing=thing,
                probability=words.percent(row["probability"]),
                last=words.percent(last),
                most=most,
            )
        )
    if not found:
        found.append(words("costs.acceptability.never", group=group, most=most, thing=thing))
    return found


def _information(released: Released, rows: pd.DataFrame, words: Words) -> list[str]:
    """Say what it would be worth to know the truth, where that is worth the most."""
    if rows.empty or rows["perfect_information"].isna().all():
        return []
    assert released.plan.costs is not None
    currency = released.plan.costs.currency
    (peak, *_) = rows.nlargest(1, "perfect_information").to_dict("records")
    each = float(f"{peak['perfect_information']:.2g}")  # of draws: no more digits are known
    if not each > 0:
        return []
    of = words.money(peak["threshold"], currency)
    told = [
        words("costs.acceptability.information", each=words.money(each, currency), threshold=of)
    ]
    if persons := released.plan.costs.population:
        total = words.money(each * persons, currency)
        n = words.number(persons, 0)
        told.append(words("costs.acceptability.population", total=total, persons=n))
    return told


def _gap(released: Released, rows: pd.DataFrame, words: Words) -> list[str]:
    """Say how women's net benefit differs from men's at the highest worth."""
    found = []
    for arm in dict.fromkeys(rows["arm"]):
        assert released.plan.costs is not None
        currency = released.plan.costs.currency
        last = rows[rows["arm"] == arm].sort_values("threshold").iloc[-1]
        found.append(
            words(
                "costs.acceptability.gap",
                threshold=words.money(last["threshold"], currency),
                difference=words.money(last["net_benefit"], currency),
                low=words.money(last["conf_low"], currency),
                high=words.money(last["conf_high"], currency),
                level=words.percent(released.plan.analysis.level),
            )
        )
    return found


def _figures(released: Released, choice: pd.DataFrame, words: Words) -> list[str]:
    """Draw groups where there is one arm, and arms, of all persons, where there are several."""
    assert released.plan.costs is not None
    outcome, currency = choice["outcome"].iloc[0], released.plan.costs.currency
    arms = list(dict.fromkeys(choice["arm"]))
    thing = thing_of(released, outcome, words)
    title = released.title(outcome, words.language)
    label = words("costs.acceptability.label", outcome=title)
    if len(arms) == 2:
        offered = choice[choice["arm"] == arms[1]]
        lines = {words.group(g): offered[offered["group"] == g] for g in groups_of(offered)}
        return [acceptability_plot(lines, words, currency, thing, label=label)]
    if len(arms) > len(ARMS):
        return []
    of_all = choice[choice["group"] == "all"]
    lines = {released.arm_title(arm, words): of_all[of_all["arm"] == arm] for arm in arms}
    return [acceptability_plot(lines, words, currency, thing, label=label, by_arm=True)]
