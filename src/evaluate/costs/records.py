"""Costs by record: what each item cost in each arm, and what an offer cost by basis."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from evaluate import schemas
from evaluate.errors import DataError, rows
from evaluate.plan.model import Plan
from evaluate.schemas.columns import PAYERS
from evaluate.study import Study

PUBLIC = ("public", "municipality", "eu_fund")  # who pays in the public perspective
KEYS = ["item", "arm", "payer", "basis", "currency", "price_year", "stated"]


def has_records(plan: Plan) -> bool:
    """Tell whether the plan's costs are those of the table `costs`."""
    costs = plan.costs
    return costs is not None and costs.amount is None and costs.column is None


def amounts(records: pd.DataFrame, study: Study) -> pd.DataFrame:
    """Sum up the records.

    A record without arm is a cost of the programme as a whole: it is divided among the arms
    that were offered something, by their persons. Control carries what is recorded for it.

    Parameters
    ----------
    records : DataFrame
        As `schemas.COST_RECORDS`.
    study : Study
        The persons.

    Returns
    -------
    DataFrame
        ``amount`` by `KEYS`, in the order of the items and arms.

    Raises
    ------
    DataError
        If a sum is below zero.
    """
    persons = np.bincount(study.arm, minlength=len(study.arms))
    amount = records["quantity"] * records["unit_price"]
    named = records.assign(amount=amount)[records["arm"].notna()]
    common = records.assign(amount=amount)[records["arm"].isna()]
    offered = np.flatnonzero(study.offered_arms)
    shares = [
        common.assign(
            arm=study.arms[a], amount=common["amount"] * persons[a] / persons[offered].sum()
        )
        for a in offered
    ]
    table = pd.concat([named, *shares], ignore_index=True)
    table = table.groupby(KEYS, sort=False, dropna=False)["amount"].sum().reset_index()
    below = int((table["amount"] < 0).sum())
    if below:
        raise DataError(
            f"the table costs: {below} of {len(table)} sums by item, arm, payer and basis are "
            "below zero. Are all records there that a negative quantity takes back?"
        )
    place = {name: i for i, name in enumerate(records["item"].unique())}
    arm = {name: i for i, name in enumerate(study.arms)}
    order = np.lexsort((table["arm"].map(arm), table["item"].map(place)))
    return table.iloc[order].reset_index(drop=True)


def record_table(records: pd.DataFrame, study: Study) -> pd.DataFrame:
    """Return the records as `schemas.COSTS`: sums, per person of the arm, per participant."""
    table = amounts(records, study)
    persons = np.bincount(study.arm, minlength=len(study.arms)).astype(float)
    if study.takeup is not None:
        took_part = np.bincount(study.arm, np.nan_to_num(study.takeup), len(study.arms))
    else:
        took_part = np.where(study.offered_arms, persons, 0)
    arm = table["arm"].map({name: i for i, name in enumerate(study.arms)}).to_numpy(dtype=int)
    with np.errstate(divide="ignore", invalid="ignore"):
        table["per_offer"] = table["amount"] / persons[arm]
        table["per_participant"] = np.where(
            took_part[arm] > 0, table["amount"] / took_part[arm], np.nan
        )
    return table[list(schemas.COSTS.columns)]


def per_offer(records: pd.DataFrame, study: Study, plan: Plan) -> tuple[np.ndarray, str]:
    """Return what an offer of each arm cost the public, and on which basis.

    The basis is `economic` where there is such a record, else the only one there is: two
    accounts of one programme do not add up.

    Returns
    -------
    cost : ndarray, shape (arms,)
        In the plan's currency and price year; 0 where nothing is recorded.
    basis : str
        Of the records that count.

    Raises
    ------
    DataError
        If several bases compete, nothing counts, or currency or price year are not the plan's.
    """
    counted, basis = counting(records, plan, PUBLIC)
    table = amounts(counted, study)
    total = table.groupby("arm")["amount"].sum().reindex(list(study.arms), fill_value=0.0)
    return total.to_numpy() / np.bincount(study.arm, minlength=len(study.arms)), basis


def by_payer(records: pd.DataFrame, study: Study, plan: Plan) -> dict[str, np.ndarray]:
    """Return what an offer of each arm cost each payer, on the basis that `per_offer` takes.

    Returns
    -------
    dict of str to ndarray, shape (arms,)
        By payer, those of the records.
    """
    table = amounts(counting(records, plan, PAYERS)[0], study)
    persons = np.bincount(study.arm, minlength=len(study.arms))
    found = {}
    for payer in [p for p in PAYERS if (table["payer"] == p).any()]:
        total = table[table["payer"] == payer].groupby("arm")["amount"].sum()
        found[payer] = total.reindex(list(study.arms), fill_value=0.0).to_numpy() / persons
    return found


def counting(records: pd.DataFrame, plan: Plan, payers: Sequence[str]) -> tuple[pd.DataFrame, str]:
    """Return the records of some payers that count, and their basis; errors of `per_offer`."""
    costs = plan.costs
    assert costs is not None
    where = plan.data.costs.path if plan.data.costs and plan.data.costs.path else "the table costs"
    bases = sorted(records["basis"].unique())
    if "economic" not in bases and len(bases) > 1:
        raise DataError(
            f"{where}: column basis: records on the bases {' and '.join(bases)}, which are two "
            "accounts of one programme and do not add up. Leave one of them out, or name the "
            "records that cost-effectiveness should rest on `economic`."
        )
    basis = "economic" if "economic" in bases else bases[0]
    counted = records[(records["basis"] == basis) & records["payer"].isin(payers)]
    if not counted["payer"].isin(PUBLIC).any():
        raise DataError(
            f"{where}: no record on the basis {basis} was paid by {', '.join(PUBLIC)}, so the "
            "programme would cost the public nothing. Mend the column payer."
        )
    how = {
        "currency": "name what one unit of theirs is in costs.rates",
        "price_year": "name an index in costs.price_index",
    }
    for name, stated in (("currency", costs.currency), ("price_year", costs.price_year)):
        other = int((counted[name] != stated).sum())
        if other:
            raise DataError(
                f"{where}: column {name}: {rows(other)} on the basis {basis} with another value "
                f"than costs.{name}, {stated}. To have them moved {how[name]}; or state the "
                f"{name} of the records in the plan."
            )
    return counted, basis
