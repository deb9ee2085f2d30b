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


def in_prices_of(
    records: pd.DataFrame, plan: Plan, where: str, column: str = "price_year"
) -> pd.DataFrame:
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
    column : str
        The column in messages that the price year comes from.

    Returns
    -------
    DataFrame
        As `schemas.COST_RECORDS`; ``stated`` tells currency and year of a record that was moved.
        A currency without rate, and years where the plan names no index, stay as they are, and
        so does the year of a currency that stays.

    Raises
    ------
    Problems
        Where the index, or the rates of a currency, lack a year, or the index is about another
        currency.
    """
    costs = plan.costs
    if costs is None or not (costs.rates or costs.price_index):
        return records
    faults: list[EvaluateError] = []
    stated = records["currency"] + " " + records["price_year"].astype(int).astype(str)
    currency, year = records["currency"].copy(), records["price_year"].copy()
    at = f"{where}: column {column}"
    factor = pd.Series(1.0, records.index)
    for other, rate in costs.rates.items():
        own = currency == other
        by_year = rate if isinstance(rate, Mapping) else dict.fromkeys(year[own], rate)
        factor[own] *= _of_years(year[own], by_year, f"costs.rates.{other}", at, faults)
        currency[own] = costs.currency
    own = (currency == costs.currency) & (year != costs.price_year)
    if costs.price_index and own.any():
        index, key = load_price_index(costs.price_index), f"the price index {costs.price_index}"
        faults += _index_faults(index, costs)
        before = _of_years(year[own], index.years, key, at, faults)
        factor[own] *= index.years.get(costs.price_year, np.nan) / before
        year[own] = costs.price_year
    if faults:
        raise Problems(faults)
    moved = (currency != records["currency"]) | (year != records["price_year"])
    return records.assign(
        unit_price=records["unit_price"] * factor,
        currency=currency,
        price_year=year,
        stated=stated.astype(object).where(moved, None),
    )


def _of_years(
    years: pd.Series,
    known: Mapping[int, float],
    key: str,
    at: str,
    faults: list[EvaluateError],
) -> np.ndarray:
    """Return the figure of each record's price year; years without one go to the faults."""
    found = years.map(known).to_numpy(dtype=float)
    if lost := int(np.isnan(found).sum()):
        named = ", ".join(str(int(y)) for y in sorted(years[np.isnan(found)].unique()))
        faults.append(
            DataError(
                f"{at}: {rows(lost)} of {named}, which {key} lacks; it has "
                f"{_span(known)}. Add the year there, or leave the records out."
            )
        )
    return found


def _span(years: Mapping[int, float]) -> str:
    first, last = min(years), max(years)
    without_gap = 1 < len(years) == last - first + 1
    return f"{first} to {last}" if without_gap else ", ".join(map(str, sorted(years)))


def _index_faults(index: PriceIndexFile, costs: Costs) -> list[EvaluateError]:
    if index.currency != costs.currency:
        return [
            DataError(
                f"costs.price_index: {costs.price_index} is about prices in {index.currency}, and "
                f"costs are in {costs.currency}. Name an index of that currency."
            )
        ]
    if costs.price_year not in index.years:
        return [
            DataError(
                f"costs.price_year: {costs.price_year} is not in the price index "
                f"{costs.price_index}, which has {_span(index.years)}. State another price year, "
                "or add the year to the index."
            )
        ]
    return []
