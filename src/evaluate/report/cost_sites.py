"""Costs by site in the report: a table for each arm, and how far sites lie apart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd

from evaluate import schemas
from evaluate.costs.records import has_records
from evaluate.report import many_arms
from evaluate.report.registers import arm_names
from evaluate.report.released import Released, records
from evaluate.report.words import Words

MOST_SITES = 40  # rows of a table; the file has them all
ENOUGH = 8  # sites for quartiles
PAIRED = ("amount", "per_participant")  # also told of all payers
SWEDISH = str.maketrans("åäöÅÄÖ", "{|}{|}")  # in this order after z
PLACE = ["arm", "basis", "currency", "price_year"]


@dataclass(frozen=True)
class SiteTable:
    """The sites of one arm on one basis.

    Attributes
    ----------
    title : str
        Arm and basis, empty where there is one of both.
    rows : list of dict
        Of `schemas.COSTS_BY_SITE` for the public payers, with ``title``, and ``amount_all`` and
        ``per_participant_all`` of all payers.
    currency : str
        With the price year.
    others, persons : bool
        Whether others paid, too; whether persons are known by site.
    sentences : list of str
        What the rows say, and what is not in them.
    """

    title: str
    rows: list[dict[str, Any]]
    currency: str
    others: bool
    persons: bool
    sentences: list[str]


def site_tables(released: Released, words: Words) -> list[SiteTable]:
    """Return the costs by site of each arm and basis with any at a named site."""
    table = released.costs_by_site
    if many_arms.are_many(released):
        return []
    places = [
        (place, own)
        for place, own in table.groupby(PLACE, sort=False)
        if (own["site"] != schemas.NO_SITE).any()
    ]
    order = [*released.offered, *table["arm"].unique()]
    places.sort(key=lambda p: order.index(p[0][0]))
    bases = {place[1] for place, _ in places}
    return [_table(released, words, place, own, len(bases) > 1) for place, own in places]


def lead(released: Released, words: Words) -> str:
    """Say what the tables hold, or which file does; empty where nothing is known by site."""
    named = released.costs_by_site["site"] != schemas.NO_SITE
    if not named.any():
        return ""
    if many_arms.are_many(released):
        return words("costs.sites.many", n=len(released.arms))
    known = released.costs_by_site["n"].notna().any()
    told = [words("costs.sites.lead")]
    if released.plan.costs and released.plan.costs.site is None:
        told.append(words("costs.sites.no_persons"))
    elif known:
        told.append(words("costs.sites.caution"))
    return " ".join(told)


def _table(
    released: Released, words: Words, place: tuple[Any, ...], own: pd.DataFrame, several: bool
) -> SiteTable:
    arm, basis, currency, year = place
    title = arm_names(released, words).get(arm, words("summary.arm", arm=arm))
    title = f"{title}, {words(f'costs.bases.{basis}')}" if several else title
    public, every = (own[own["payers"] == p].set_index("site") for p in ("public", "all"))
    public = public.assign(**{f"{c}_all": every[c] for c in PAIRED}).reset_index()
    amounts = public[["amount", "amount_all"]].dropna()
    unit = f"{currency} {year}"
    told = public["amount"].notna().any()
    shown, cut = _shown(public)
    names = [_site(released, words, site) for site in shown["site"]]
    rows = sorted(
        records(shown.assign(title=names)),
        key=lambda row: (row["site"] == schemas.NO_SITE, str(row["title"]).translate(SWEDISH)),
    )
    sentences = [
        _range(public, words, unit),
        _apart(public, words),
        _withheld(released, words, own),
        words("costs.sites.cut", n=MOST_SITES, more=cut) if cut and told else "",
    ]
    return SiteTable(
        title=title,
        rows=rows if told else [],
        currency=unit,
        others=bool((amounts["amount"] != amounts["amount_all"]).any()),
        persons=bool(public["n"].notna().any()),
        sentences=[sentence for sentence in sentences if sentence],
    )


def _shown(public: pd.DataFrame) -> tuple[pd.DataFrame, int]:
    """Return the rows that a table has room for, and how many it has not: the least amounts."""
    if len(public) <= MOST_SITES:
        return public, 0
    largest = public.sort_values("amount", ascending=False, kind="stable").index[:MOST_SITES]
    return public.loc[sorted(largest)], len(public) - MOST_SITES


def _site(released: Released, words: Words, site: str) -> str:
    if site == schemas.NO_SITE:
        return words("costs.sites.none")
    assert released.plan.costs is not None
    return words.covariates.get(f"{released.plan.costs.site}={site}", site)


def column_title(released: Released, words: Words) -> str:
    """Return what a site is called: as the plan names its column, if it does."""
    column = released.plan.costs.site if released.plan.costs else None
    return words.covariates.get(column or "", words("costs.sites.column.site"))


def _range(public: pd.DataFrame, words: Words, unit: str) -> str:
    """Say between which figures the sites' costs lie, per participant or else per offer."""
    sites = public[public["site"] != schemas.NO_SITE]
    for column, key in (("per_participant", "range"), ("per_offer", "range_offer")):
        cost = sites[column].dropna()
        if len(cost) < 2:
            continue
        low, high = words.number(cost.min()), words.money(cost.max(), unit)
        middle = ""
        if len(cost) >= ENOUGH:
            ends = [words.number(float(cost.quantile(q))) for q in (0.25, 0.75)]
            middle = words("costs.sites.middle", low=ends[0], high=ends[1])
        return words(f"costs.sites.{key}", n=len(cost), low=low, high=high, middle=middle)
    return ""


def _apart(public: pd.DataFrame, words: Words) -> str:
    """Say how much is recorded for no site."""
    share = public.loc[public["site"] == schemas.NO_SITE, "share"].dropna()
    if share.empty or not share.iloc[0] > 0:
        return ""
    return words("costs.sites.apart", share=words.percent(float(share.iloc[0])))


def _withheld(released: Released, words: Words, own: pd.DataFrame) -> str:
    """Say how many sites have a withheld amount, and under which rule."""
    hidden = own.loc[own["amount"].isna() & (own["payers"] == "public"), "site"].nunique()
    if not hidden:
        return ""
    rule = released.disclosure["dominance"]
    of = "items" if has_records(released.plan) else "persons"
    which = words(f"costs.sites.largest_{of}_{'one' if rule['k'] == 1 else 'several'}", k=rule["k"])
    return words(
        "costs.sites.withheld",
        n=hidden,
        of=own["site"].nunique(),
        which=which,
        percent=words.percent(rule["percent"] / 100),
        min=released.disclosure["min_cell"],
    )
