"""Costs by record: what each item cost in each arm, and what an offer cost by basis."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from evaluate import schemas
from evaluate.errors import DataError, rows
from evaluate.plan.costs import Costs
from evaluate.plan.model import Plan
from evaluate.schemas.columns import PAYERS
from evaluate.study import Study

PUBLIC = ("public", "municipality", "eu_fund")  # who pays in the public perspective
LEADING = ("economic", "unit_cost", "budget")  # the first there is leads; others stand beside it
KEYS = ["item", "arm", "payer", "basis", "currency", "price_year", "stated"]


def has_records(plan: Plan) -> bool:
    """Tell whether the plan's costs are those of the table `costs`."""
    costs = plan.costs
    return costs is not None and costs.amount is None and costs.column is None


def in_arms(records: pd.DataFrame, study: Study) -> pd.DataFrame:
    """Give every record an arm and its amount.

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
        The records with ``amount``, one that is divided once for each arm; ``common`` is the
        amount of these, 0 of the others.
    """
    persons = np.bincount(study.arm, minlength=len(study.arms))
    priced = records.assign(amount=records["quantity"] * records["unit_price"], common=0.0)
    named, common = priced[records["arm"].notna()], priced[records["arm"].isna()]
    offered = np.flatnonzero(study.offered_arms)
    shares = []
    for a in offered:
        amount = common["amount"] * persons[a] / persons[offered].sum()
        shares.append(common.assign(arm=study.arms[a], amount=amount, common=amount))
    return pd.concat([named, *shares], ignore_index=True)


def amounts(records: pd.DataFrame, study: Study) -> pd.DataFrame:
    """Sum up the records, those of no arm divided as by `in_arms`.

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
    table = in_arms(records, study)
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
    return table[[c for c in schemas.COSTS.columns if c != "source"]]


def bases_of(records: pd.DataFrame, costs: Costs) -> list[str]:
    """Return the bases on which the public paid something, the one that leads first.

    They are accounts of one and the same programme, side by side, and are never added up. One
    that does not lead is left out where it is in another currency or price year than the plan's.
    """
    public = records[records["payer"].isin(PUBLIC)]
    comparable = (public["currency"] == costs.currency) & (public["price_year"] == costs.price_year)
    there, apart = set(public["basis"]), set(public.loc[~comparable, "basis"])
    found = [basis for basis in LEADING if basis in there]
    return [basis for i, basis in enumerate(found) if i == 0 or basis not in apart]


def per_offer(
    records: pd.DataFrame, study: Study, plan: Plan, basis: str | None = None
) -> np.ndarray:
    """Return what an offer of each arm cost the public.

    Parameters
    ----------
    records : DataFrame
        As `schemas.COST_RECORDS`.
    study, plan : Study, Plan
        The persons and the programme file.
    basis : {"economic", "unit_cost", "budget"}, optional
        Which account; the first of `bases_of` by default.

    Returns
    -------
    ndarray, shape (arms,)
        In the plan's currency and price year; 0 where nothing is recorded.

    Raises
    ------
    DataError
        If nothing counts, or currency or price year are not the plan's.
    """
    table = amounts(counting(records, plan, PUBLIC, basis), study)
    total = table.groupby("arm")["amount"].sum().reindex(list(study.arms), fill_value=0.0)
    return total.to_numpy() / np.bincount(study.arm, minlength=len(study.arms))


def free_arms(spent: np.ndarray, study: Study) -> list[str]:
    """Say of which arms nothing is recorded, given what `per_offer` returned."""
    return [
        f"costs: no record of arm {arm} that the public paid: an offer of it counts as free. Usual "
        "services cost too; add their records, or say in the report why there are none"
        for arm, each in zip(study.arms, spent, strict=True)
        if each == 0
    ]


def by_payer(records: pd.DataFrame, study: Study, plan: Plan) -> dict[str, np.ndarray]:
    """Return what an offer of each arm cost each payer, on the basis that leads.

    Returns
    -------
    dict of str to ndarray, shape (arms,)
        By payer, those of the records.
    """
    table = amounts(counting(records, plan, PAYERS), study)
    persons = np.bincount(study.arm, minlength=len(study.arms))
    found = {}
    for payer in [p for p in PAYERS if (table["payer"] == p).any()]:
        total = table[table["payer"] == payer].groupby("arm")["amount"].sum()
        found[payer] = total.reindex(list(study.arms), fill_value=0.0).to_numpy() / persons
    return found


def lead_basis(records: pd.DataFrame, plan: Plan) -> str:
    """Return the first of `bases_of`; an error where the public paid nothing."""
    assert plan.costs is not None
    bases = bases_of(records, plan.costs)
    if not bases:
        raise nothing_public(records, plan)
    return bases[0]


def counting(
    records: pd.DataFrame, plan: Plan, payers: Sequence[str], basis: str | None = None
) -> pd.DataFrame:
    """Return the records of some payers that count on a basis; errors as of `per_offer`."""
    costs = plan.costs
    assert costs is not None
    basis = basis or lead_basis(records, plan)
    counted = records[(records["basis"] == basis) & records["payer"].isin(payers)]
    how = {
        "currency": "name what one unit of theirs is in costs.rates",
        "price_year": "name an index in costs.price_index",
    }
    for name, stated in (("currency", costs.currency), ("price_year", costs.price_year)):
        other = int((counted[name] != stated).sum())
        if other:
            raise DataError(
                f"{_where(plan)}: column {name}: {rows(other)} on the basis {basis} with another "
                f"value than costs.{name}, {stated}. To have them moved {how[name]}; or state the "
                f"{name} of the records in the plan."
            )
    return counted


def nothing_public(records: pd.DataFrame, plan: Plan) -> DataError:
    """Return the error of records of which none counts for the public."""
    return DataError(
        f"{_where(plan)}: column payer: none of {rows(len(records))} was paid by "
        f"{', '.join(PUBLIC)}, so the programme would cost the public nothing. Mend the column."
    )


def _where(plan: Plan) -> str:
    return plan.data.costs.path if plan.data.costs and plan.data.costs.path else "the table costs"
