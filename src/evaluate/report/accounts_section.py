"""What the report shows of benefits over time: by persistence, by payer, and how firm it is."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from evaluate.costs.accounts import PERSPECTIVES
from evaluate.costs.benefit_rows import ACCOUNTS
from evaluate.plan.accounts import PRICE
from evaluate.report import accounts_words
from evaluate.report.released import Released, records
from evaluate.report.tornado_figure import tornado_plot
from evaluate.report.words import DASH, Words


@dataclass(frozen=True)
class Table:
    """A table as shown: heads, and rows of cells of which the first are texts."""

    heads: list[str]
    rows: list[list[str]]
    texts: int
    strong: list[bool] = field(default_factory=list)


@dataclass(frozen=True)
class Section:
    """A benefit or the accounts, of one arm.

    Attributes
    ----------
    title : str
        What it is of.
    sentences : list of str
        Whether it pays back if nothing lasts beyond the data.
    scenarios, scenarios_note : Table, str
        The same under each assumption of what lasts, and what that is.
    benefits : Table
        Present values by persistence, perspective and group.
    accounts : Table or None
        Lines by party, with society's sum.
    lead : str
        What the accounts are under; empty without accounts.
    sensitivity : str
        What comes of all assumptions at once; empty where nothing was drawn.
    figures : list of str
        What one assumption at a time does.
    notes : list of str
        What must be known of rows.
    """

    title: str
    sentences: list[str]
    scenarios: Table
    scenarios_note: str
    benefits: Table
    accounts: Table | None
    lead: str
    sensitivity: str
    figures: list[str]
    notes: list[str]


def context(released: Released, words: Words) -> list[Section]:
    """Return a section for each benefit of the plan and for the accounts, by arm.

    Parameters
    ----------
    released : Released
        The released tables.
    words : Words
        The language.
    """
    table = released.cost_benefit
    keys = ["outcome", "arm", "horizon_years", "discount_rate"]
    chosen = table[table["denominator"] == _denominator(table)]
    return [_section(released, rows, words) for _, rows in chosen.groupby(keys, sort=False)]


def _denominator(table: pd.DataFrame) -> str:
    """Return what is shown: per participant where the table has that."""
    return "participant" if (table["denominator"] == "participant").any() else "offer"


def _section(released: Released, rows: pd.DataFrame, words: Words) -> Section:
    first = rows.iloc[0]
    outcome, arm = str(first["outcome"]), str(first["arm"])
    decay = _decay(released, outcome)
    kind = "decaying" if (rows["persistence"] == "decaying").any() else "constant"
    title = accounts_words.source_title(released, outcome, words)
    if len(released.offered) > 1:
        title = f"{title}, {released.arm_title(arm, words)}"
    of_all = rows[(rows["group"] == "all") & rows["perspective"].isin(_spoken(rows))]
    notes = sorted({n for text in rows["note"].dropna() for n in text.split("; ") if n})
    lead, table = "", None
    if outcome == ACCOUNTS:
        per = words(f"costs.denominator.{first['denominator']}")
        beyond = words(f"accounts.beyond.{kind}", decay=words.percent(decay))
        currency = released.plan.costs.currency if released.plan.costs else ""
        lead = words("accounts.lead", per=per, beyond=beyond, currency=currency)
        table = _accounts(released, arm, kind, str(first["denominator"]), words)
    looked = released.cost_sensitivity
    looked = looked[(looked["outcome"] == outcome) & (looked["arm"] == arm)]
    looked = looked[
        (looked["horizon_years"] == first["horizon_years"])
        & (looked["denominator"] == first["denominator"])
    ]
    return Section(
        title,
        [
            accounts_words.sentence(released, row, decay, words)
            for row in records(of_all[of_all["persistence"] == "none"])
        ],
        _scenarios(released, of_all, words),
        accounts_words.scenarios_note(of_all, decay, words),
        _benefits(released, rows, words),
        table,
        lead,
        _at_once(released, looked, words),
        _figures(released, looked, title, words),
        [words.note(text) for text in notes],
    )


def _decay(released: Released, outcome: str) -> float:
    costs = released.plan.costs
    assert costs is not None
    if outcome == ACCOUNTS:
        return costs.accounts.decay if costs.accounts else 0.0
    return next(b.decay for b in costs.benefits if b.outcome == outcome)


def _spoken(rows: pd.DataFrame) -> list[str]:
    """Return the perspectives that are put into words: of accounts the public and society."""
    if rows["outcome"].iloc[0] != ACCOUNTS:
        return list(rows["perspective"].unique())
    return ["public", "society"]


def _scenarios(released: Released, of_all: pd.DataFrame, words: Words) -> Table:
    """Return whether it pays back, by what is taken to last, for all."""
    rows = [
        [*_who(row, words), words.number(row["net_pv"]), *_paying_back(row, words)]
        for row in records(of_all)
    ]
    heads = ("persistence", "perspective"), ("net",)
    return Table(_heads(released, *heads, words), rows, 2)


def _benefits(released: Released, rows: pd.DataFrame, words: Words) -> Table:
    """Return present values: by group for one perspective, and by perspective for all."""
    shown = [
        [
            *_who(row, words),
            words.group(row["group"]),
            *(words.number(row[c]) for c in ("benefit_pv", "cost_pv", "net_pv")),
            *_paying_back(row, words),
        ]
        for row in records(rows[(rows["group"] == "all") | (rows["perspective"] == _last(rows))])
    ]
    heads = ("persistence", "perspective", "group"), ("benefit", "cost", "net")
    return Table(_heads(released, *heads, words), shown, 3)


def _heads(
    released: Released, texts: Iterable[str], amounts: Iterable[str], words: Words
) -> list[str]:
    costs = released.plan.costs
    assert costs is not None
    return [
        *(words(f"accounts.column.{h}") for h in texts),
        *(words(f"accounts.column.{h}", currency=costs.currency) for h in amounts),
        words("column.interval", level=words.percent(released.plan.analysis.level)),
        *(words(f"accounts.column.{h}") for h in ("month", "irr", "probability")),
    ]


def _who(row: dict[str, Any], words: Words) -> list[str]:
    persistence = words(f"accounts.persistence.{row['persistence']}")
    return [persistence, words(f"accounts.party.{row['perspective']}")]


def _paying_back(row: dict[str, Any], words: Words) -> list[str]:
    """Return the interval of the net, the month of breaking even, the rate, the probability."""
    interval = share = DASH
    if pd.notna(row["net_pv_low"]):
        interval = words("unit.interval", low=words.number(row["net_pv_low"], 0),
                         high=words.number(row["net_pv_high"], 0))  # fmt: skip
    if pd.notna(row["probability_pays_back"]):
        share = accounts_words.share_of(row["probability_pays_back"], words)
    rate = accounts_words.rate(row["irr"], words) if pd.notna(row["irr"]) else DASH
    return [interval, words.number(row["break_even_month"], 0), rate, share]


def _last(rows: pd.DataFrame) -> str:
    return str(rows["perspective"].iloc[-1])


def _accounts(
    released: Released, arm: str, kind: str, denominator: str, words: Words
) -> Table | None:
    """Return the lines by party; in society's column transfers are nothing."""
    table = released.accounts
    table = table[
        (table["arm"] == arm)
        & (table["group"] == "all")
        & (table["persistence"] == kind)
        & (table["denominator"] == denominator)
    ]
    if table.empty:
        return None
    parties = [p for p in PERSPECTIVES if (table["perspective"] == p).any()]
    lines = list(table.loc[table["perspective"] == "society", "line"])
    amounts = table.set_index(["line", "perspective"])["amount"]
    rows = [
        [
            accounts_words.line_title(released, line, words),
            *(_cell(amounts, line, party, words) for party in parties),
        ]
        for line in lines
    ]
    heads = [words("accounts.column.line"), *(words(f"accounts.party.{p}") for p in parties)]
    return Table(heads, rows, 1, [line == "total" for line in lines])


def _cell(amounts: pd.Series, line: str, party: str, words: Words) -> str:
    """Return an amount; nothing where the party neither gives nor takes."""
    if (line, party) not in amounts.index:
        return ""
    value = float(amounts[line, party])
    return words.number(value, 0) if pd.notna(value) else DASH


def _at_once(released: Released, looked: pd.DataFrame, words: Words) -> str:
    """Say what comes of all assumptions and estimates drawn at once."""
    costs = released.plan.costs
    assert costs is not None
    found = []
    for row in records(looked[looked["analysis"] == "probabilistic"]):
        if pd.isna(row["probability"]):
            continue
        found.append(
            words(
                "accounts.at_once",
                who=words(f"accounts.party.{row['perspective']}"),
                net=words.money(row["net_pv"], costs.currency),
                low=words.number(row["net_pv_low"], 0),
                high=words.number(row["net_pv_high"], 0),
                share=accounts_words.share_of(row["probability"], words),
                per=words(f"costs.denominator.{row['denominator']}"),
            )
        )
    return " ".join(found)


def _figures(released: Released, looked: pd.DataFrame, title: str, words: Words) -> list[str]:
    """Draw one assumption at a time, for each perspective."""
    costs = released.plan.costs
    assert costs is not None
    one_way = looked[(looked["analysis"] == "one_way") & looked["net_pv"].notna()]
    drawn = []
    for perspective, rows in one_way.groupby("perspective", sort=False):
        of = f"{title}, {words(f'accounts.party.{perspective}')}"
        names = {p: parameter_title(released, str(p), words) for p in rows["parameter"]}
        label = words("accounts.figure.label", title=of, text=in_words(rows, names, words))
        per = words(f"costs.denominator.{rows['denominator'].iloc[0]}")
        axis = words("accounts.figure.axis", currency=costs.currency, per=per)
        drawn.append(tornado_plot(rows, names, words, of, axis, label=label))
    return drawn


def parameter_title(released: Released, parameter: str, words: Words) -> str:
    """Return what an assumption is called."""
    if parameter.startswith(PRICE):
        line = accounts_words.line_title(released, parameter.removeprefix(PRICE), words)
        return words("accounts.parameter.price", item=line)
    return words(f"accounts.parameter.{parameter}")


def in_words(rows: pd.DataFrame, names: dict[Any, str], words: Words) -> str:
    """Return the bars as a text, for who cannot see them."""
    known = rows[rows["net_pv_low"].notna() & rows["net_pv_high"].notna()]
    return ", ".join(
        words(
            "accounts.figure.bar",
            name=names[row["parameter"]],
            low=words.number(row["net_pv_low"], 0),
            high=words.number(row["net_pv_high"], 0),
        )
        for row in records(known)
    )
