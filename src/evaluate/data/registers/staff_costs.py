"""Hours of staff as cost records: at what they cost the employer, and as they are claimed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from evaluate import schemas
from evaluate.data.registers.prices import in_prices_of
from evaluate.data.registers.time_reports import years_of
from evaluate.errors import EvaluateError, Problems
from evaluate.plan.costs import Costs
from evaluate.plan.model import Plan

FLAT_RATE = "flat rate"  # the item; the reports have a title for it
CELL = ["role", "arm", "site", "payer"]  # whose persons the limit of a year is for
TOLD = ["role", "arm", "payer", "year"]
BASIS = {"wage_cost": "economic", "unit_cost": "unit_cost"}


@dataclass(frozen=True)
class Claimed:
    """What may be claimed of the hours reported, and what not.

    Attributes
    ----------
    hours : ndarray, shape (n,)
        Claimed.
    above_month, above_year : ndarray, shape (n,)
        Cut by the limit of a month, and of what that leaves by the limit of a year. The three
        add up to the hours reported.
    """

    hours: np.ndarray
    above_month: np.ndarray
    above_year: np.ndarray


def claimed_hours(
    hours: np.ndarray,
    persons: np.ndarray,
    month: np.ndarray,
    cell: np.ndarray,
    *,
    a_month: float,
    a_year: float,
) -> Claimed:
    """Cut hours at what may be claimed for each person in a month and in a calendar year.

    A report tells how many persons it is about but not who they are. The limit of a month is that
    many times the limit of a person; that of a year so many times the mean number of persons, over
    the months of the year that have a report. Hours of a year count from January on: it is the last
    ones that are cut.

    Parameters
    ----------
    hours, persons : ndarray, shape (n,)
        Of each report.
    month : ndarray of datetime64[M], shape (n,)
        Worked.
    cell : ndarray of int, shape (n,)
        Reports of one cell are of persons who share the limit of a year.
    a_month, a_year : float
        The limits of one person.

    References
    ----------
    Commission Delegated Regulation (EU) 2015/2195, standard scales of unit costs.
    """
    in_month = np.minimum(hours, persons * a_month)
    reports = pd.DataFrame(
        {"cell": cell, "year": years_of(month), "month": month.astype(int), "persons": persons}
    )
    of_month = reports.groupby(["cell", "year", "month"])["persons"].sum()
    of_year = of_month.groupby(["cell", "year"]).mean()
    limit = of_year.loc[pd.MultiIndex.from_frame(reports[["cell", "year"]])].to_numpy() * a_year
    ordered = reports.assign(hours=in_month).sort_values("month", kind="stable")
    total = ordered.groupby(["cell", "year"])["hours"].cumsum().sort_index().to_numpy()
    left = np.clip(limit - (total - in_month), 0, in_month)
    return Claimed(left, hours - in_month, in_month - left)


def with_claims(reports: pd.DataFrame, costs: Costs) -> pd.DataFrame:
    """Return time reports with what is claimed of their hours, NaN where no unit cost is.

    Parameters
    ----------
    reports : DataFrame
        As from `time_reports.time_reports`.
    costs : Costs
        Section of the plan: `roles` and `claim`.
    """
    by_unit = [name for name, role in costs.priced.items() if role.unit_cost is not None]
    month = reports["month"].to_numpy().astype("datetime64[M]")
    table = reports.assign(year=years_of(month), claimed=np.nan, above_month=np.nan)
    table["above_year"] = np.nan
    own = table["role"].isin(by_unit).to_numpy()
    if own.any():
        found = claimed_hours(
            table["hours"].to_numpy()[own],
            table["persons"].to_numpy()[own],
            month[own],
            table[own].groupby(CELL, dropna=False, sort=False).ngroup().to_numpy(),
            a_month=costs.claim.hours_a_month,
            a_year=costs.claim.hours_a_year,
        )
        table.loc[own, "claimed"] = found.hours
        table.loc[own, "above_month"] = found.above_month
        table.loc[own, "above_year"] = found.above_year
    return table


def staff_hours(claims: pd.DataFrame) -> pd.DataFrame:
    """Return the hours by role, arm, payer and year as `schemas.STAFF_HOURS`.

    Parameters
    ----------
    claims : DataFrame
        As from `with_claims`.
    """
    names = {"hours": "reported", "claimed": "claimed", "above_month": "above_month"}
    names |= {"above_year": "above_year"}
    grouped = claims.groupby(TOLD, dropna=False, sort=False)[list(names)]
    found = grouped.sum(min_count=1).reset_index()
    found = found.rename(columns={old: f"hours_{new}" for old, new in names.items()})
    found["arm"] = _none_where_missing(found["arm"])
    return found.sort_values(["role", "arm", "payer", "year"], kind="stable", ignore_index=True)


def told_of_hours(hours: pd.DataFrame, plan: Plan) -> list[str]:
    """Say how many hours there are, how many of them are not claimed, and who reported none.

    Parameters
    ----------
    hours : DataFrame
        As `schemas.STAFF_HOURS`.
    plan : Plan
        The programme file.
    """
    costs = plan.costs
    if costs is None or hours.empty:
        return []
    total = hours.filter(like="hours_").sum()
    cut = total["hours_above_month"] + total["hours_above_year"]
    found = [f"time reports: {total['hours_reported']:,.2f} hours"]
    if hours["hours_claimed"].notna().any():
        found[0] += f", {total['hours_claimed']:,.2f} claimed, {cut:,.2f} above what may be claimed"
    absent = [name for name in costs.priced if not (hours["role"] == name).any()]
    return found + [f"costs.roles.{name}: no time report of this role" for name in absent]


def staff_records(claims: pd.DataFrame, plan: Plan, where: str) -> pd.DataFrame:
    """Return hours as cost records, in the currency and price year of the plan.

    Parameters
    ----------
    claims : DataFrame
        As from `with_claims`.
    plan : Plan
        Its section `costs`.
    where : str
        The table in messages.

    Returns
    -------
    DataFrame
        As `schemas.COST_RECORDS`: all hours on the basis `economic`, those claimed on the basis
        `unit_cost`, and on that basis the flat rate, by arm, site and payer.

    Raises
    ------
    Problems
        As from `prices.in_prices_of`.
    """
    costs = plan.costs
    assert costs is not None
    parts: list[pd.DataFrame] = []
    faults: list[EvaluateError | str] = []
    for key, hours in (("wage_cost", "hours"), ("unit_cost", "claimed")):
        records = _priced(claims, hours, key, costs)
        named = f"{where}: priced by costs.roles, {key}"
        try:
            parts.append(in_prices_of(records, plan, named, "month") if len(records) else records)
        except Problems as error:
            faults += error.problems
    if faults:
        raise Problems(list(dict.fromkeys(faults)))
    if costs.claim.flat_rate is not None and len(parts[1]):
        parts.append(_flat_rate(parts[1], costs.claim.flat_rate))
    return pd.concat([part for part in parts if len(part)], ignore_index=True)


def _priced(claims: pd.DataFrame, hours: str, key: str, costs: Costs) -> pd.DataFrame:
    """Return the records of the roles with one kind of price, at the prices stated."""
    prices = {name: getattr(role, key) for name, role in costs.priced.items()}
    prices = {name: price for name, price in prices.items() if price is not None}
    own = claims[claims["role"].isin(list(prices))]
    of = [prices[role] for role in own["role"]]
    by_year = [isinstance(price, Mapping) for price in of]
    price = [p[y] if isinstance(p, Mapping) else p for p, y in zip(of, own["year"], strict=True)]
    records = own[["arm", "site", "payer"]].assign(
        item=own["role"],
        basis=BASIS[key],
        quantity=own[hours],
        unit="hour",
        unit_price=np.array(price, dtype=float),
        currency=costs.currency,
        price_year=np.where(by_year, own["year"], costs.price_year),
        fixed=None,
        stated=None,
    )
    return records[list(schemas.COST_RECORDS.columns)].reset_index(drop=True)


def _flat_rate(claimed: pd.DataFrame, rate: float) -> pd.DataFrame:
    """Return the records of what is added to the claimed staff cost for all other costs."""
    keys = ["arm", "site", "payer", "basis", "currency", "price_year", "stated"]
    staff = claimed.assign(amount=claimed["quantity"] * claimed["unit_price"])
    cost = staff.groupby(keys, dropna=False, sort=False)["amount"].sum().reset_index()
    records = cost.rename(columns={"amount": "unit_price"}).assign(
        item=FLAT_RATE, quantity=rate, unit="share of claimed staff cost", fixed=None
    )
    for name in ("arm", "site", "stated"):
        records[name] = _none_where_missing(records[name])
    return records[list(schemas.COST_RECORDS.columns)]


def _none_where_missing(column: pd.Series) -> pd.Series:
    return column.astype(object).where(column.notna(), None)
