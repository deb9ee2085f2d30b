"""Costs in words: what a participant cost, and one more unit of each outcome."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import pandas as pd

from evaluate.costs.joint_draws import DRAWS
from evaluate.costs.records import PUBLIC, has_records
from evaluate.plan.columns import EXPOSED
from evaluate.plan.load import load_price_index
from evaluate.plan.model import Plan
from evaluate.report import many_arms
from evaluate.report.registers import arm_names
from evaluate.report.released import Released, records
from evaluate.report.words import Words
from evaluate.study import GAP


def sentences(released: Released, words: Words) -> list[str]:
    """Say what a participant cost, and one more unit of each outcome."""
    if released.plan.costs is None:
        return [words("summary.no_costs")]
    found = []
    for arm in released.offered:
        spent = public_costs(released, arm)
        sentence = _spent(spent, released.plan, words) if spent else ""
        several = len(released.offered) > 1
        if sentence and several:
            sentence = f"{released.arm_title(arm, words)}: {sentence}"
        table = lead(released.cost_effectiveness)
        rows = table[table["arm"] == arm]
        found += [sentence, _incremental(released, arm, words)]
        for outcome in released.plan.costs.outcomes:
            month = released.month(outcome)
            chosen = rows[rows["outcome"] == outcome]
            chosen = chosen[chosen["month"].isna() if month is None else chosen["month"] == month]
            chosen = chosen[chosen["group"] != GAP].drop_duplicates("group", keep="last")
            if many_arms.are_many(released):
                chosen = chosen[chosen["group"] == "all"]
            of = f"{released.arm_title(arm, words)}, " if several else ""
            found += [icer(row, released, words, of) for row in records(chosen)]
    return [sentence for sentence in found if sentence]


def paid_by_month(released: Released, words: Words) -> str:
    """Say what is paid by the month in registers and part of the cost; empty where nothing is."""
    costs = released.plan.costs
    if costs is None or not costs.by_month:
        return ""
    told = [
        words(
            "costs.month_item",
            item=item.title(words.language),
            price=words.money(item.price, costs.currency),
            outcome=released.title(item.outcome, words.language),
            month=words.number(item.cost_months, 0),
        )
        for item in costs.by_month.values()
    ]
    found = [words("costs.months", items="; ".join(told))]
    if (released.costs_by_site["amount"].notna()).any():
        found.append(words("costs.months_site"))
    return " ".join(found)


def one_unit(released: Released) -> str:
    """Return the currency and year of all amounts; empty where they differ."""
    units = released.costs[["currency", "price_year"]].drop_duplicates()
    return " ".join(map(str, units.iloc[0])) if len(units) == 1 else ""


def free_arms(released: Released, words: Words) -> str:
    """Say of which arms nothing is recorded on the basis that leads: they count as free."""
    table = released.costs[released.costs["source"] == "records"]
    if released.plan.costs is None or not has_records(released.plan) or table.empty:
        return ""
    led = lead(released.cost_effectiveness)["basis"]
    counts = table["payer"].isin(PUBLIC) & table["basis"].isin(led if len(led) else table["basis"])
    paid = {*table.loc[counts, "arm"].astype(str), EXPOSED}
    free = [name for arm, name in arm_names(released, words).items() if arm not in paid]
    return words("costs.free", arms=", ".join(free)) if free else ""


def prices(released: Released, words: Words) -> str:
    """Say from which currencies and years prices were moved, at which rates and by which index."""
    costs, stated = released.plan.costs, sorted(set(released.costs["stated"].dropna()) - {""})
    if costs is None or not stated:
        return ""
    year, currency = str(costs.price_year), costs.currency
    found = [words("costs.moved", stated=", ".join(stated))]
    others = [text.split() for text in stated]
    for other in sorted({c for c, _ in others} - {currency}):
        rate = costs.rates[other]
        if isinstance(rate, Mapping):
            known = [(y, rate[int(y)]) for c, y in others if c == other]
            told = [
                words("costs.moved_rate_of", rate=_figure(r, words), currency=currency, year=y)
                for y, r in known
            ]
        else:
            told = [f"{_figure(rate, words)} {currency}"]
        found.append(words("costs.moved_rate", other=other, rate=", ".join(told)))
    if costs.price_index and (years := sorted({y for _, y in others if y != year})):
        index = load_price_index(costs.price_index)
        found.append(
            words(
                "costs.moved_index",
                title=getattr(index.title, words.language),
                source=getattr(index.source, words.language),
                years="; ".join(
                    f"{y}: {_figure(index.years[int(y)], words)}" for y in [*years, year]
                ),
            )
        )
    return " ".join(found)


def _figure(value: float, words: Words) -> str:
    return words.number(value, 4).rstrip("0").rstrip(".,")


def _incremental(released: Released, arm: str, words: Words) -> str:
    """Say what an offer cost more than control, where control had costs of its own."""
    control = released.arm_columns[0].removeprefix("arm=")
    if not has_records(released.plan):
        return ""
    of_control, of_offer = (
        public_costs(released, name).get("per_offer", math.nan) for name in (control, arm)
    )
    if _missing(of_control) or _missing(of_offer):
        return ""
    assert released.plan.costs is not None
    currency = released.plan.costs.currency
    return words(
        "summary.cost_incremental",
        control=words.money(of_control, currency),
        incremental=words.money(of_offer - of_control, currency),
    )


def public_costs(released: Released, arm: str) -> dict[str, Any]:
    """Return what an arm cost the public per offer and participant, on the basis that counts."""
    spent = released.costs[released.costs["arm"] == arm]
    if has_records(released.plan) and len(released.cost_effectiveness):
        basis = released.cost_effectiveness["basis"].iloc[0]
        spent = spent[(spent["basis"] == basis) & spent["payer"].isin(PUBLIC)]
    if spent.empty:
        return {}
    # A part that is withheld makes the sum unknown, not smaller.
    return {c: spent[c].sum(skipna=False) for c in ("per_offer", "per_participant")}


def _spent(row: dict[str, Any], plan: Plan, words: Words) -> str:
    assert plan.costs is not None
    currency = plan.costs.currency
    offer, participant = row["per_offer"], row["per_participant"]
    if _missing(offer):
        return ""
    if _missing(participant) or math.isclose(offer, participant):
        by_offer = plan.columns.takeup is None and plan.costs.per == "offer"
        kind = "offer" if _missing(participant) or by_offer else "participant"
        return words(f"summary.cost_{kind}", cost=words.money(offer, currency))
    return words(
        "summary.cost_both",
        offer=words.money(offer, currency),
        participant=words.money(participant, currency),
    )


def icer(row: dict[str, Any], released: Released, words: Words, of: str = "") -> str:
    """Say a cost per additional unit and the set of costs that the data do not reject."""
    assert released.plan.costs is not None
    group, currency = words.group(row["group"]), released.plan.costs.currency
    group = f"{of}{group.lower()}" if of else group
    kind = row["icer_set"]
    if _missing(row["icer"]) or not isinstance(kind, str):
        return words("summary.icer_none", group=group)
    thing = thing_of(released, row["outcome"], words)
    if row["effect"] <= 0:
        key = "icer_loss" if kind == "interval" else "icer_negative"
    else:
        key = {"interval": "icer", "unbounded": "unbounded", "whole line": "whole_line"}[kind]
    return words(
        f"summary.{key}",
        group=group,
        thing=thing,
        level=words.percent(released.plan.analysis.level),
        low=words.number(row["icer_low"]),
        high=words.money(row["icer_high"], currency),
        icer=words.money(row["icer"], currency),
    )


def beside(released: Released, words: Words, outcome: str, arm: str) -> list[str]:
    """Say what a table of cost and effect does not: other bases, the plane, which way is better."""
    table, month = released.cost_effectiveness, released.month(outcome)
    table = table[(table["outcome"] == outcome) & (table["arm"] == arm)]
    table = table[table["month"].isna() if month is None else table["month"] == month]
    table = table[(table["group"] == "all") & table["incremental_cost"].notna()]
    if table.empty:
        return []
    assert released.plan.costs is not None
    found, currency = [], released.plan.costs.currency
    if released.plan.outcomes[outcome].better == "lower":
        found.append(words("costs.turned"))
    first = lead(table).iloc[-1]
    if not _missing(first["quadrant_ne"]):
        shares = {q: words.percent(first[f"quadrant_{q}"]) for q in ("ne", "se", "nw", "sw")}
        drawn = lead(table).iloc[0]
        region = "bar" if _missing(drawn["correlation"]) else "ring"
        found.append(words(f"costs.region.{region}"))
        found.append(words("costs.quadrants", draws=words.number(DRAWS, 0), **shares))
    others = table[table["basis"] != first["basis"]].drop_duplicates("basis", keep="last")
    if len(others):
        told = [
            words(
                "costs.bases_row",
                basis=words(f"costs.bases.{row['basis']}"),
                cost=words.money(row["incremental_cost"], currency),
                denominator=words(f"costs.denominator.{row['denominator']}"),
            )
            for row in records(others)
        ]
        basis = words(f"costs.bases.{first['basis']}")
        found.append(f"{words('costs.bases_lead', basis=basis)} {'; '.join(told)}.")
    return found


def lead(table: pd.DataFrame) -> pd.DataFrame:
    """Return the rows on the basis that leads, which is the first of the table."""
    return table[table["basis"] == table["basis"].iloc[0]] if len(table) else table


def thing_of(released: Released, outcome: str, words: Words) -> str:
    """Name one more unit of an outcome, or one less where that is better."""
    unit = released.unit(outcome, words.language)
    key = "person" if unit == "share" else "unit_of"
    if released.plan.outcomes[outcome].better == "lower":
        key = f"{key}_less"
    title = released.title(outcome, words.language)
    return words(f"summary.{key}", outcome=title, unit=unit)


def _missing(value: object) -> bool:
    return value is None or value is pd.NA or (isinstance(value, float) and math.isnan(value))
