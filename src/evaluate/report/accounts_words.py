"""Paying back in words: under what assumption, when, and how surely."""

from __future__ import annotations

from typing import Any

import pandas as pd

from evaluate.costs.accounts import PROGRAMME
from evaluate.costs.benefit_rows import ACCOUNTS
from evaluate.report.released import Released
from evaluate.report.words import Words


def source_title(released: Released, outcome: str, words: Words) -> str:
    """Return what a benefit, or the accounts, are called."""
    if outcome == ACCOUNTS:
        return words("accounts.whole")
    return released.title(outcome, words.language)


def line_title(released: Released, line: str, words: Words) -> str:
    """Return what a line of the accounts is called; items have the plan's names."""
    costs = released.plan.costs
    for item in costs.person_months if costs else []:
        if item.name == line:
            return item.title(words.language)
    if line.startswith(PROGRAMME):
        payer = words(f"costs.payers.{line.removeprefix(PROGRAMME)}")
        return words("accounts.line.programme", payer=payer)
    return words(f"accounts.line.{line}")


def horizon(years: float, words: Words) -> str:
    """Return for how long payments count."""
    if years == float("inf"):
        return words("accounts.endless")
    if years == 1:
        return words("accounts.one_year")
    return words("accounts.years", n=words.number(years, 0))


def assumption(row: dict[str, Any], decay: float, words: Words) -> str:
    """Return what is taken to follow beyond the data."""
    return words(f"accounts.beyond.{row['persistence']}", decay=words.percent(decay))


def sentence(released: Released, row: dict[str, Any], decay: float, words: Words) -> str:
    """Say whether a perspective gets back what the programme cost, and on what that rests.

    Parameters
    ----------
    released : Released
        The released tables.
    row : dict
        Of `schemas.COST_BENEFIT`.
    decay : float
        What the plan assumes to be lost in a year beyond the data.
    words : Words
        The language.
    """
    costs = released.plan.costs
    assert costs is not None
    told = {
        "who": words(f"accounts.party.{row['perspective']}"),
        "beyond": assumption(row, decay, words),
        "horizon": horizon(row["horizon_years"], words),
    }
    if pd.isna(row["net_pv"]):
        return words("accounts.unknown", **told)
    net = {
        "net": words.money(row["net_pv"], costs.currency),
        "low": words.number(row["net_pv_low"], 0),
        "high": words.number(row["net_pv_high"], 0),
        "level": words.percent(released.plan.analysis.level),
        "per": words(f"costs.denominator.{row['denominator']}"),
    }
    found = words("accounts.net", **told, **net)
    if pd.notna(row["break_even_month"]):
        month = words.number(row["break_even_month"], 0)
        found += " " + words("accounts.back", month=month)
    else:
        found += " " + words("accounts.not_back", horizon=told["horizon"])
    if pd.notna(row["irr"]):
        found += " " + words("accounts.rate", rate=rate(row["irr"], words))
    if pd.notna(row["probability_pays_back"]):
        share = share_of(row["probability_pays_back"], words)
        found += " " + words("accounts.probability", share=share)
    return found


def scenarios_note(rows: pd.DataFrame, decay: float, words: Words) -> str:
    """Say whom a net present value is of, and what each assumption about what lasts means."""
    first = rows.iloc[0]
    found = words(
        "accounts.scenarios",
        per=words(f"costs.denominator.{first['denominator']}"),
        horizon=horizon(first["horizon_years"], words),
    )
    if (rows["persistence"] == "decaying").any():
        found += " " + words("accounts.scenarios_decay", decay=words.percent(decay))
    return f"{found} {words('accounts.scenarios_probability')}"


def rate(value: float, words: Words) -> str:
    """Return a rate in per cent with one decimal."""
    return words("unit.percent", x=words.number(100 * value, 1))


def share_of(value: float, words: Words) -> str:
    """Return a probability from draws, which are never quite none nor all."""
    if value < 0.01:
        return words("accounts.below", x=words.percent(0.01))
    if value > 0.99:
        return words("accounts.above", x=words.percent(0.99))
    return words("unit.percent", x=words.number(100 * value, 0))
