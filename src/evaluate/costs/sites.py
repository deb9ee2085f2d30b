"""Costs by site: what was spent at each, and what an offer and a participant cost there."""

from __future__ import annotations

import numpy as np
import pandas as pd

from evaluate import schemas
from evaluate.costs.records import PUBLIC, has_records, in_arms
from evaluate.errors import DataError
from evaluate.plan.model import Plan
from evaluate.study import Study

LINE = ["arm", "basis", "currency", "price_year"]  # what amounts of sites add up within
CELL = [*LINE, "site"]


def cost_parts(study: Study, plan: Plan, records: pd.DataFrame | None = None) -> pd.DataFrame:
    """Return what the amounts by site are made of: the contributors of disclosure control.

    Of records these are the items, for a record is often one of many invoices of the same
    supplier; of costs by person the persons, or what their rows are summed by.

    Parameters
    ----------
    study : Study
        The persons.
    plan : Plan
        The programme file.
    records : DataFrame, optional
        As `schemas.COST_RECORDS`, for a plan whose costs are those of the table `costs`.

    Returns
    -------
    DataFrame
        As `schemas.COST_PARTS`. No rows where nothing is known by site, or where the cost is a
        figure of the plan, which is the same everywhere.

    Raises
    ------
    DataError
        If persons and records have sites, and not one of them in common.
    """
    if has_records(plan):
        assert records is not None
        _sites_agree(study, plan, records)
        return _of_records(study, records)
    if study.cost is None or study.site is None:
        return pd.DataFrame(columns=list(schemas.COST_PARTS.columns))
    return _of_persons(study, plan)


def _of_records(study: Study, records: pd.DataFrame) -> pd.DataFrame:
    """Sum the records by site, arm, payers, basis and item."""
    if study.site is None and records["site"].isna().all():
        return pd.DataFrame(columns=list(schemas.COST_PARTS.columns))
    table = in_arms(records, study)
    table["site"] = table["site"].fillna(schemas.NO_SITE)
    table["payers"] = np.where(table["payer"].isin(PUBLIC), "public", "other")
    keys = [*CELL, "payers", "item"]
    table = table.groupby(keys, sort=False)[["amount", "common"]].sum().reset_index()
    return table.rename(columns={"item": "part"})[list(schemas.COST_PARTS.columns)]


def _of_persons(study: Study, plan: Plan) -> pd.DataFrame:
    """Return the persons with a cost; the rows of one in several waves are one contributor."""
    assert plan.costs is not None
    assert study.site is not None
    cost = _cost(study)
    of_cluster = plan.columns.repeated and study.cluster is not None
    part = study.cluster if of_cluster else np.arange(study.n)  # rows of one person are summed
    table = pd.DataFrame(
        {
            "site": _named(study.site),
            "arm": np.array(study.arms, dtype=object)[study.arm],
            "payers": "public",
            "basis": "budget",
            "part": np.asarray(part).astype(str),
            "amount": cost,
            "common": 0.0,
            "currency": plan.costs.currency,
            "price_year": plan.costs.price_year,
        }
    )[~np.isnan(cost) & (cost != 0)]
    keys = [*CELL, "payers", "part"]
    table = table.groupby(keys, sort=False)[["amount", "common"]].sum().reset_index()
    return table[list(schemas.COST_PARTS.columns)]


def costs_by_site(parts: pd.DataFrame, study: Study, plan: Plan) -> pd.DataFrame:
    """Sum up the costs by site, arm and basis.

    Every site has a row in each arm and basis in which anything was recorded at some site, for
    the public payers, on whom cost-effectiveness rests, and for all payers. Amounts over sites
    add up to those of `schemas.COSTS`.

    Parameters
    ----------
    parts : DataFrame
        From `cost_parts`.
    study : Study
        The persons.
    plan : Plan
        The programme file.

    Returns
    -------
    DataFrame
        As `schemas.COSTS_BY_SITE`, by site, the records without one last. ``n`` are the persons
        of the arm at the site, of costs by person those whose cost is known; without `costs.site`
        it is empty, and so are costs per person, as they are where nothing was recorded.
    """
    columns = list(schemas.COSTS_BY_SITE.columns)
    lines = _lines(parts, study, plan)
    if lines.empty:
        return pd.DataFrame(columns=columns)
    persons = _persons(study, plan)
    sites = set(parts["site"]) | set(persons["site"])
    order = [*sorted(sites - {schemas.NO_SITE}), *sorted(sites & {schemas.NO_SITE})]
    table = lines.merge(pd.DataFrame({"site": order}), how="cross")
    table = table.merge(persons, on=["site", "arm"], how="left")
    if study.site is not None:
        table[["n", "n_participants"]] = table[["n", "n_participants"]].fillna(0)
    table["recorded"] = _among(table, parts, CELL)
    of_sites = _among(table, parts[parts["site"] != schemas.NO_SITE], LINE) | (
        not has_records(plan)
    )
    table.loc[~of_sites, ["n", "n_participants"]] = np.nan
    nobody = (table["site"] == schemas.NO_SITE) & ~(table["n"] > 0)
    table = table[table["recorded"] | (of_sites & ~nobody)]
    found = pd.concat(
        [_amounts(table, parts, payers) for payers in ("public", "all")], ignore_index=True
    )
    of_site = (found["site"] != schemas.NO_SITE) & found["recorded"]
    if not has_records(plan):
        of_site = pd.Series(True, found.index)  # what no cost is known of is no cost here
    takers = found["n_participants"]
    if study.takeup is None:
        takers = takers.where(found["arm"] != study.arms[0])
        found["n_participants"] = takers
    for name, count in (("per_offer", found["n"]), ("per_participant", takers)):
        per = found["amount"] / count.where(count > 0)
        found[name] = per.where(of_site)
    place = {site: i for i, site in enumerate(order)}
    arm = {name: i for i, name in enumerate(study.arms)}
    by = [found["payers"] == "all", found["basis"].map(schemas.BASES.index)]
    by += [found["arm"].map(arm), found["site"].map(place)]
    return found.iloc[np.lexsort(by)].reset_index(drop=True)[columns]


def _lines(parts: pd.DataFrame, study: Study, plan: Plan) -> pd.DataFrame:
    """Return the arms, bases, currencies and price years that amounts add up within."""
    if has_records(plan) or study.cost is None or study.site is None:
        return parts[LINE].drop_duplicates(ignore_index=True)
    assert plan.costs is not None
    stated = {"currency": plan.costs.currency, "price_year": plan.costs.price_year}
    return pd.DataFrame({"arm": study.arms, "basis": "budget", **stated})


def _persons(study: Study, plan: Plan) -> pd.DataFrame:
    """Count the persons of each site and arm, and those of them who took part."""
    if study.site is None:
        return pd.DataFrame(columns=["site", "arm", "n", "n_participants"])
    known = np.ones(study.n, dtype=bool) if has_records(plan) else ~np.isnan(_cost(study))
    offered = study.offered_arms[study.arm].astype(float)
    took_part = offered if study.takeup is None else np.nan_to_num(study.takeup)
    frame = pd.DataFrame(
        {
            "site": _named(study.site),
            "arm": np.array(study.arms, dtype=object)[study.arm],
            "n": 1.0,
            "n_participants": took_part,
        }
    )[known]
    return frame.groupby(["site", "arm"], sort=False).sum().reset_index()


def _among(table: pd.DataFrame, parts: pd.DataFrame, keys: list[str]) -> pd.Series:
    """Tell which rows have keys that are among those of the parts."""
    known = pd.MultiIndex.from_frame(parts[keys])
    return pd.Series(pd.MultiIndex.from_frame(table[keys]).isin(known), table.index)


def _cost(study: Study) -> np.ndarray:
    assert study.cost is not None
    return study.cost


def _named(site: np.ndarray) -> np.ndarray:
    return np.array([schemas.NO_SITE if name is None else name for name in site], dtype=object)


def _amounts(table: pd.DataFrame, parts: pd.DataFrame, payers: str) -> pd.DataFrame:
    """Add the amounts that some payers paid, and their share of all sites'."""
    chosen = parts if payers == "all" else parts[parts["payers"] == payers]
    sums = chosen.groupby(CELL, sort=False)["amount"].sum().reset_index()
    found = table.merge(sums, on=CELL, how="left").assign(payers=payers)
    found["amount"] = found["amount"].astype(float).fillna(0.0)
    total = found.groupby(LINE, sort=False)["amount"].transform("sum")
    return found.assign(share=found["amount"] / total.where(total > 0))


def _sites_agree(study: Study, plan: Plan, records: pd.DataFrame) -> None:
    """Stop where sites are spelled so that no cost could be set against a person."""
    if study.site is None:
        return
    assert plan.costs is not None
    where = plan.data.costs.path if plan.data.costs and plan.data.costs.path else "the table costs"
    of_records, of_persons = _both(records, study)
    if of_records & of_persons or not of_persons:
        return
    what = "no record has a site"
    if of_records:
        what = f"none of its {len(of_records):,} sites is among the {len(of_persons):,} of persons"
    raise DataError(
        f"{where}: column site: {what}, which are those of the column {plan.costs.site} "
        "(costs.site). Mend the names in the records, or name the column that has the same ones."
    )


def unmatched(records: pd.DataFrame, study: Study) -> list[str]:
    """Say how many sites of the records have no person, and of the persons no record."""
    if study.site is None:
        return []
    of_records, of_persons = _both(records, study)
    pairs = (("the records", of_records, of_persons), ("persons", of_persons, of_records))
    found = [(f"{len(a - b):,} of {len(a):,} sites of {whose}", a - b) for whose, a, b in pairs]
    (records_alone, more), (persons_alone, others) = found
    lines = [f"costs.site: {records_alone} have no person"] if more else []
    return [*lines, f"costs.site: {persons_alone} have no record"] if others else lines


def _both(records: pd.DataFrame, study: Study) -> tuple[set[str], set[str]]:
    """Return the sites of the records, and those of the persons."""
    assert study.site is not None
    return set(records["site"].dropna()), {site for site in study.site if site is not None}
