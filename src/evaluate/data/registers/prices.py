"""Cost records of other currencies and price years, in those of the plan."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from evaluate.errors import DataError, EvaluateError, Problems, rows
from evaluate.plan.costs import Costs
from evaluate.plan.load import load_price_index
from evaluate.plan.model import Plan
from evaluate.plan.price_index import PriceIndexFile


def in_prices_of(records: pd.DataFrame, plan: Plan, where: str) -> pd.DataFrame:
    """Move the records to the currency and price year of the plan, as far as it says how.

    A price in another currency is exchanged at the rate of its price year, and then moved to the
    plan's year by the price index, which is about the plan's currency.

    Parameters
    ----------
    records : DataFrame
        As `schemas.COST_RECORDS`, at the prices stated.
    plan : Plan
        Its section `costs`: `currency`, `price_year`, `price_index`, `rates`.
    where : str
        The table in messages.

    Returns
    -------
    DataFrame
        As `schemas.COST_RECORDS`; ``stated`` tells currency and year of a record that was moved.
        Records of a currency without rate, or of another year where the plan names no index, are
        as they were.

    Raises
    ------
    Problems
        Where the index, or the rates of a currency, lack a year, or the index is about another
        currency.
    """
    costs = plan.costs
    if costs is None or not (costs.rates or costs.price_index):
        return records
    index = load_price_index(costs.price_index) if costs.price_index else None
    faults: list[EvaluateError] = []
    foreign = (records["currency"] != costs.currency).to_numpy()
    other = (records["price_year"] != costs.price_year).to_numpy()
    moves = np.ones(len(records), dtype=bool)
    moves &= ~foreign | records["currency"].isin(list(costs.rates)).to_numpy()
    moves &= ~other | (index is not None)
    factor = np.ones(len(records))
    for currency in records.loc[moves & foreign, "currency"].unique():
        own = moves & (records["currency"] == currency).to_numpy()
        rate, key = costs.rates[currency], f"costs.rates.{currency}"
        by_year = rate if isinstance(rate, Mapping) else None
        years = records["price_year"]
        if by_year is None:
            factor[own] *= rate
        else:
            factor[own] *= _of_years(years[own], by_year, key, where, faults)
    if index is not None and (moves & other).any():
        own, key = moves & other, f"the price index {costs.price_index}"
        faults += _of_other_currency(index, costs)
        before = _of_years(records.loc[own, "price_year"], index.years, key, where, faults)
        now = index.years.get(costs.price_year, np.nan)
        if np.isnan(now):
            faults.append(
                DataError(
                    f"costs.price_year: {costs.price_year} is not in {key}, which has "
                    f"{_span(index.years)}. State another price year, or add the year to the index."
                )
            )
        factor[own] *= now / before
    if faults:
        raise Problems(faults)
    moved = moves & (foreign | other)
    stated = records["currency"] + " " + records["price_year"].astype(int).astype(str)
    return records.assign(
        unit_price=records["unit_price"] * np.where(moved, factor, 1),
        currency=records["currency"].mask(moved, costs.currency),
        price_year=records["price_year"].mask(moved, costs.price_year),
        stated=stated.astype(object).where(moved, None),
    )


def _of_years(
    years: pd.Series,
    known: Mapping[int, float],
    key: str,
    where: str,
    faults: list[EvaluateError],
) -> np.ndarray:
    """Return the figure of each record's price year; years without one go to the faults."""
    found = years.map(known).to_numpy(dtype=float)
    if lost := int(np.isnan(found).sum()):
        named = ", ".join(str(int(y)) for y in sorted(years[np.isnan(found)].unique()))
        faults.append(
            DataError(
                f"{where}: column price_year: {rows(lost)} of {named}, which {key} lacks; it has "
                f"{_span(known)}. Add the year there, or leave the records out."
            )
        )
    return found


def _span(years: Mapping[int, float]) -> str:
    first, last = min(years), max(years)
    without_gap = 1 < len(years) == last - first + 1
    return f"{first} to {last}" if without_gap else ", ".join(map(str, sorted(years)))


def _of_other_currency(index: PriceIndexFile, costs: Costs) -> list[EvaluateError]:
    if index.currency == costs.currency:
        return []
    return [
        DataError(
            f"costs.price_index: {costs.price_index} is about prices in {index.currency}, and "
            f"costs are in {costs.currency}. Name an index of that currency."
        )
    ]
